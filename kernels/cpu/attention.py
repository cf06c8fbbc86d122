"""Attention in one pass over the keys, without the (t, s) matrix of scores (Dao et al., 2022).

A block of queries meets the keys strip by strip. m is the largest score that a query has met so
far, l the sum of the exponentials of its scores less m, and o the sum of values that these weigh. A
strip with scores z may bring a larger m; then what was summed before shrinks by α:

    m' = max(m, max z)     α = exp(m - m')     p = exp(z - m')
    l' = α l + Σ p         o' = α o + p V

After the last strip o / l is the result, and m and log l are kept. With them the way back finds
every p again, p = exp(z - m - log l), strip by strip, and needs no matrix either. It makes the same
z, bit for bit, so that z - m is right for scores of any size. Of the sum m + log l, rounded, large
scores would leave no digit of log l.

All matrices of a block are turned: a row for each key or feature, and the queries side by side in
the lanes of vectors. So a maximum over keys is one of whole vectors; and in zᵀ = K Qᵀ and
oᵀ = Vᵀ pᵀ a tile takes the numbers of K and V from where they lie. Exponentials are powers of two.

Causal attention leaves out the keys that come after all queries of a block, and the mask strips of
which it hides every key: so padding costs little. Any other hidden key is computed with and has
p = 0; 0 times a NaN or an infinity in its value is NaN, as it is in NumPy's reference.
"""

import math
from collections import namedtuple

import numpy as np

from . import leaves_to_numpy
from .compilation import (
    inlined,
    integer,
    number,
    read,
    read_booleans,
    read_integers,
    unsigned,
    write,
)
from .loops import room
from .simd import (
    LOG2_E,
    TILE,
    broadcast,
    exp2,
    first,
    fma,
    lanes,
    lanes_of,
    load,
    load_first,
    maximum,
    minimum,
    store,
    store_first,
    tile,
    total,
    transpose,
    transpose_first,
    uniform,
    where,
)
from .threads import counter, take, threaded

ROWS, VECTORS = 4, TILE[1]  # of a tile: most heads have a multiple of 4 features
COLUMN_ROWS = 8  # of a tile that is one vector wide
STRIP = 64  # keys that a block of queries meets at a time, at least as many as it has queries


# ---- Products of matrices ------------------------------------------------------------------------


def _product(start, masked=False):
    """c = start + a b, as `simd.tile` says, for any number of rows, and VECTORS vectors or one.

    `others` are the last arguments of such a tile.
    """
    wide, wide_row = tile(ROWS, VECTORS, start, masked), tile(1, VECTORS, start, masked)
    column, column_row = tile(COLUMN_ROWS, 1, start, masked), tile(1, 1, start, masked)

    @inlined
    def run(a, ai, a_row, a_k, b, bi, b_row, c, ci, c_row, k, rows, vectors, *others):
        if vectors == VECTORS:
            while rows >= ROWS:
                wide(a, ai, a_row, a_k, b, bi, b_row, c, ci, c_row, k, *others)
                ai, ci, rows = ai + ROWS * a_row, ci + ROWS * c_row, rows - ROWS
            while rows > 0:
                wide_row(a, ai, a_row, a_k, b, bi, b_row, c, ci, c_row, k, *others)
                ai, ci, rows = ai + a_row, ci + c_row, rows - 1
        while rows >= COLUMN_ROWS:
            column(a, ai, a_row, a_k, b, bi, b_row, c, ci, c_row, k, *others)
            ai, ci, rows = ai + COLUMN_ROWS * a_row, ci + COLUMN_ROWS * c_row, rows - COLUMN_ROWS
        while rows > 0:
            column_row(a, ai, a_row, a_k, b, bi, b_row, c, ci, c_row, k, *others)
            ai, ci, rows = ai + a_row, ci + c_row, rows - 1

    return run


_multiply = _product("zero")
_add_product = _product("add")
_scale_and_add_product = _product("scale")
_add_product_to_first = _product("add", masked=True)


# ---- Heads, as they lie and turned ---------------------------------------------------------------

# One head of each array, in place: (array, where the head starts, how far apart its rows are).
Heads = namedtuple("Heads", "q k v o")
BackwardHeads = namedtuple("BackwardHeads", "q k v o g dq dk dv")


@inlined
def _head(x, b, h):
    """Head h of example b in x (b, h, t, d)"""
    start = b * x.strides[0] + h * x.strides[1]
    return x, start // x.itemsize, x.strides[2] // x.itemsize


@inlined
def _width(x):
    """The queries in a block: how long a row of a turned matrix is."""
    return VECTORS * lanes(x)


@inlined
def _turn(head, i, n, d, y):
    """y (d, width) = xᵀ for the rows i .. i + n - 1 of a head x, and zeros in what is left."""
    x, start, row = head
    for r in range(0, _width(y), lanes(y)):
        for c in range(0, d, lanes(y)):
            source, target = start + (i + r) * row + c, c * _width(y) + r
            if r + lanes(y) <= n and c + lanes(y) <= d:
                transpose(x, source, row, y, target, _width(y))
            else:
                transpose_first(x, source, row, y, target, _width(y), n - r, d - c)


@inlined
def _turn_back(y, n, d, head, i, square):
    """The rows i .. i + n - 1 of a head x = yᵀ,  y (d, width)"""
    x, start, row = head
    for r in range(0, n, lanes(y)):
        for c in range(0, d, lanes(y)):
            source, target = c * _width(y) + r, start + (i + r) * row + c
            if r + lanes(y) <= n and c + lanes(y) <= d:
                transpose(y, source, _width(y), x, target, row)
                continue
            transpose(y, source, _width(y), square, 0, lanes(y))
            for k in range(min(lanes(y), n - r)):
                store_first(x, target + k * row, load(square, k * lanes(y)), d - c)


# ---- A strip of keys -----------------------------------------------------------------------------

# A block of queries: number i of head h of example b, and those after it, n together. There are s
# keys; q and k have d features, v has e. `last` is the key of number i itself: where queries see no
# later keys, query i + 1 sees one more. `place` is the number of pᵢ₀ among all p (b, h, t, s).
Block = namedtuple("Block", "b h i n s d e last place")
Options = namedtuple("Options", "mask scale causal rate key")


@inlined
def _block(q, k, v, b, h, i, causal):
    (_, heads, t, d), s, e = q.shape, k.shape[2], v.shape[3]
    place = ((b * heads + h) * t + i) * s
    return Block(b, h, i, min(_width(q), t - i), s, d, e, i + s - t if causal else s, place)


@inlined
def _seen(block, x, begin, end):
    """Which keys the query before column x sees: those from `begin` up to this one, or `end`."""
    return min(max(block.last + x, begin), end)


@inlined
def _vectors_at_once(block, z):
    """How many vectors of queries to treat together: all, unless nothing is in the last one."""
    return VECTORS if block.n > _width(z) - lanes(z) else 1


@inlined
def _is_any_there(block, j, rows, options):
    """Whether the mask leaves any of the keys j .. j + rows - 1."""
    return not options.mask.size or np.any(options.mask[block.b, j : j + rows])


@inlined
def _hide(z, x, rows, j, block, options):
    """Scores become -inf where a key is missing or comes after the query.   One column, at x

    Row r is about key j + r. The query in lane i does not see it if r > last + x + i - j.
    """
    last = block.last + x - j
    for r in range(max(0, last + 1), rows):
        place = r * _width(z) + x
        store(z, place, where(first(z, r - last), -np.inf, load(z, place)))
    if options.mask.size:
        for r in range(rows):
            if not options.mask[block.b, j + r]:
                store(z, r * _width(z) + x, broadcast(z, -np.inf))


@inlined
def _draw(dice, x, rows, j, block, options, square):
    """The random numbers that decide which p are dropped.   One column, at x

    Those of a query lie side by side, and are turned as all else.
    """
    for r in range(0, rows, lanes(dice)):
        for i in range(lanes(dice)):
            index = block.place + (x + i) * block.s + j + r
            store(square, i * lanes(dice), uniform(dice, options.key, index))
        place = r * _width(dice) + x
        transpose(square, 0, lanes(dice), dice, place, _width(dice))


@inlined
def _drop(p, dice, place, rate):
    """p / (1 - rate), or 0 where the dice say so, even for a NaN"""
    return where(load(dice, place) >= rate, p / (1 - rate), 0)


@inlined
def _turn_queries(head, block, scale, y):
    """y = scale qᵀ, so that products with keys are scores."""
    _turn(head, block.i, block.n, block.d, y)
    for x in range(0, block.d * _width(y), lanes(y)):
        store(y, x, load(y, x) * scale)


# ---- Forward -------------------------------------------------------------------------------------

# What a thread needs for a block of queries: qᵀ, oᵀ, the scores of a strip and random numbers for
# them; m, l and α of the formulas above; and the memory of a square of vectors.
Scratch = namedtuple("Scratch", "q o z dice m l alpha square")


@inlined
def _soften(own, x, rows):
    """z <- p = exp(z - m') in the column at x, with m', l' and α of the formulas above.   rows > 0

    Where all is hidden from a query so far, m = -inf, and p = exp(-inf) = 0.
    """
    before, width = load(own.m, x), _width(own.z)
    last = x + (rows - 1) * width
    m, other = before, load(own.z, last)
    for place in range(x, last, 2 * width):  # two at a time: one maximum would wait for another
        m = maximum(m, load(own.z, place))
        other = maximum(other, load(own.z, place + width))
    m = maximum(m, other)
    store(own.m, x, m)
    m = where(m == -np.inf, 0, m)
    alpha = exp2((before - m) * LOG2_E)
    store(own.alpha, x, alpha)

    l = alpha * load(own.l, x)
    for r in range(rows):
        p = exp2((load(own.z, r * width + x) - m) * LOG2_E)
        store(own.z, r * width + x, p)
        l = l + p
    store(own.l, x, l)


@inlined
def _forward_strip(heads, j, rows, x, vectors, block, options, own):
    """What the queries in `vectors` vectors from x on learn from the keys j .. j + rows - 1."""
    k, ki, k_row = heads.k
    v, vi, v_row = heads.v
    ki, vi, width = ki + j * k_row, vi + j * v_row, _width(k)
    _multiply(k, ki, k_row, 1, own.q, x, width, own.z, x, width, block.d, rows, vectors)
    for y in range(x, x + vectors * lanes(k), lanes(k)):
        _hide(own.z, y, rows, j, block, options)
        _soften(own, y, rows)
        if options.rate > 0:
            _draw(own.dice, y, rows, j, block, options, own.square)
            for place in range(y, y + rows * width, width):
                p = load(own.z, place)
                store(own.z, place, _drop(p, own.dice, place, options.rate))
    _scale_and_add_product(
        v, vi, 1, v_row, own.z, x, width, own.o, x, width, rows, block.e, vectors, own.alpha, x
    )


@inlined
def _forward_block(heads, norms, block, options, own):
    """o and norms for a block of queries."""
    size, width, n = lanes(own.q), _width(own.q), block.n
    _turn_queries(heads.q, block, options.scale, own.q)
    own.o[:] = 0
    own.m[:] = -np.inf
    own.l[:] = 0

    full = _seen(block, 0, 0, block.s)  # all queries of the block see the keys before this one
    vectors = _vectors_at_once(block, own.z)
    for j in range(0, full, STRIP):
        rows = min(STRIP, full - j)
        if _is_any_there(block, j, rows, options):
            for x in range(0, n, vectors * size):
                _forward_strip(heads, j, rows, x, vectors, block, options, own)
    if options.causal:  # a triangle is left, in which each vector of queries sees some more keys
        for x in range(0, n, size):
            rows = _seen(block, x + size, full, block.s) - full
            if rows > 0:
                _forward_strip(heads, full, rows, x, 1, block, options, own)

    for x in range(0, n, size):
        sums = load(own.l, x)
        inverse = where(sums == 0, 0, 1 / sums)
        for place in range(x, x + block.e * width, width):
            store(own.o, place, load(own.o, place) * inverse)
    _turn_back(own.o, n, block.e, heads.o, block.i, own.square)
    for x in range(n):
        # The maximum may have missed a NaN, which the sum has not.
        norms[block.b, block.h, block.i + x, 0] = own.m[x] + 0 * own.l[x]
        norms[block.b, block.h, block.i + x, 1] = np.log(own.l[x])


@inlined
def _forward_blocks(q, k, v, o, norms, options, queue):
    """o and norms for one block of queries after another, as long as the queue has any."""
    (examples, heads, t, d), e = q.shape, v.shape[3]
    width, size, group = _width(q), lanes(q), heads // k.shape[1]
    own = Scratch(
        q=room((d + size) * width, q),
        o=room((e + size) * width, q),
        z=room(STRIP * width, q),
        dice=room(STRIP * width if options.rate > 0 else 0, q),
        m=room(width, q),
        l=room(width, q),
        alpha=room(width, q),
        square=room(size * size, q),
    )
    blocks = (t + width - 1) // width
    turn = take(queue)
    while turn < examples * heads * blocks:
        b, h = turn // blocks // heads, turn // blocks % heads
        i = (blocks - 1 - turn % blocks) * width  # those that see most keys come first
        places = Heads(
            _head(q, b, h), _head(k, b, h // group), _head(v, b, h // group), _head(o, b, h)
        )
        block = _block(q, k, v, b, h, i, options.causal)
        _forward_block(places, norms, block, options, own)
        turn = take(queue)


@threaded
def _forward(
    q: read(4), k: read(4), v: read(4), o: write(4), norms: write(4),
    mask: read_booleans(2), scale: number, causal: integer, rate: number, key: unsigned,
    queue: counter,
):  # fmt: skip
    """o and norms, by threads that take blocks of queries from one queue"""
    _forward_blocks(q, k, v, o, norms, Options(mask, scale, causal, rate, key), queue)


# ---- Backward ------------------------------------------------------------------------------------

# What a thread needs for a block of queries: qᵀ, gᵀ, dqᵀ; for a strip of keys p, dz and random
# numbers; for each query m and log l of the way there, log l in units of log 2, and g·o.
BackwardScratch = namedtuple("BackwardScratch", "q g dq p dz dice m log inner square")


@inlined
def _differentiate(own, x, rows, options):
    """p <- dropout(p),  dz <- scale p (dropout(dp) - g·o)   One column, at x

    There are z in own.p and dp = V gᵀ in own.dz to begin with; p = exp(z - m - log l). A z is above
    m only if m was made by other code than this, NumPy's, which rounds products in another way.
    """
    m, log, inner = load(own.m, x), load(own.log, x), load(own.inner, x)
    for place in range(x, x + rows * _width(own.p), _width(own.p)):
        below = minimum(0, load(own.p, place) - m)
        p, dp = exp2(fma(below, LOG2_E, -log)), load(own.dz, place)
        kept = p
        if options.rate > 0:
            kept = _drop(p, own.dice, place, options.rate)
            dp = _drop(dp, own.dice, place, options.rate)
        store(own.p, place, kept)
        store(own.dz, place, p * (dp - inner) * options.scale)


@inlined
def _backward_strip(heads, j, rows, x, vectors, block, options, own):
    """p and dz of keys j .. j + rows - 1 and `vectors` vectors of queries; what they add to dq."""
    k, ki, k_row = heads.k
    v, vi, v_row = heads.v
    ki, vi, width = ki + j * k_row, vi + j * v_row, _width(k)
    _multiply(k, ki, k_row, 1, own.q, x, width, own.p, x, width, block.d, rows, vectors)
    _multiply(v, vi, v_row, 1, own.g, x, width, own.dz, x, width, block.e, rows, vectors)
    for y in range(x, x + vectors * lanes(k), lanes(k)):
        _hide(own.p, y, rows, j, block, options)
        if options.rate > 0:
            _draw(own.dice, y, rows, j, block, options, own.square)
        _differentiate(own, y, rows, options)
    _add_product(k, ki, 1, k_row, own.dz, x, width, own.dq, x, width, rows, block.d, vectors)


@inlined
def _add_rows(a, r, x, rows, n, source, i, target, j, d):
    """yⱼ₊ᵣ += Σᵢ aᵣᵢ xᵢ   for `rows` rows of a turned matrix a, and n rows of a head x, d features

    The first are row r of a and column x, row i of the head x, `source`, and row j of y, `target`.
    """
    b, bi, b_row = source
    c, ci, c_row = target
    ai, bi, ci, width = r * _width(a) + x, bi + i * b_row, ci + j * c_row, _width(a)
    f = 0
    while f + width <= d:
        _add_product(a, ai, width, 1, b, bi + f, b_row, c, ci + f, c_row, n, rows, VECTORS)
        f += width
    while f < d:
        _add_product_to_first(
            a, ai, width, 1, b, bi + f, b_row, c, ci + f, c_row, n, rows, 1, d - f
        )
        f += lanes(a)


@inlined
def _add_to_keys(heads, j, r, rows, x, block, own):
    """dv += pᵀ g,  dk += dzᵀ q   for keys j + r .. j + rows - 1 and queries from column x on"""
    i, n = block.i + x, block.n - x
    _add_rows(own.p, r, x, rows - r, n, heads.g, i, heads.dv, j + r, block.e)
    _add_rows(own.dz, r, x, rows - r, n, heads.q, i, heads.dk, j + r, block.d)


@inlined
def _product_of_rows(x, y, i, n):
    """xᵢ·yᵢ for two heads with n features."""
    a, ai, a_row = x
    b, bi, b_row = y
    ai, bi, sums = ai + i * a_row, bi + i * b_row, broadcast(a, 0)
    for c in range(0, n, lanes(a)):
        sums = fma(load_first(a, ai + c, n - c), load_first(b, bi + c, n - c), sums)
    return total(sums)


@inlined
def _backward_block(heads, norms, begin, end, block, options, own):
    """dq for a block of queries and the keys begin .. end - 1, and what it adds to their dk, dv."""
    size, n = lanes(own.q), block.n
    _turn_queries(heads.q, block, options.scale, own.q)
    _turn(heads.g, block.i, n, block.e, own.g)
    own.dq[:] = 0
    own.m[:] = 0
    own.log[:] = np.inf  # so that p = 2^-inf = 0 where there is no query, or where it sees nothing
    own.inner[:] = 0
    for x in range(n):
        log = norms[block.b, block.h, block.i + x, 1]
        if log != -np.inf:
            own.m[x] = norms[block.b, block.h, block.i + x, 0]
            own.log[x] = log * LOG2_E
        own.inner[x] = _product_of_rows(heads.g, heads.o, block.i + x, block.e)

    full = _seen(block, 0, begin, end)
    vectors = _vectors_at_once(block, own.p)
    for j in range(begin, full, STRIP):
        rows = min(STRIP, full - j)
        if _is_any_there(block, j, rows, options):
            for x in range(0, n, vectors * size):
                _backward_strip(heads, j, rows, x, vectors, block, options, own)
            _add_to_keys(heads, j, 0, rows, 0, block, own)
    if options.causal:
        for x in range(0, n, size):
            rows = _seen(block, x + size, full, end) - full
            _backward_strip(heads, full, rows, x, 1, block, options, own)
        r = 0
        for x in range(0, n, size):  # the keys that queries from x on see, but none before them
            rows = _seen(block, x + size, full, end) - full
            _add_to_keys(heads, full, r, rows, x, block, own)
            r = rows
    _turn_back(own.dq, n, block.d, heads.dq, block.i, own.square)


@inlined
def _backward_chunks(g, q, k, v, o, norms, dq, slots, dk, dv, edges, options, queue):
    """One chunk of the keys of one head after another, as long as the queue has any.

    What the first chunk adds to dq goes there, and of the others each has a dq of its own in
    `slots`: so no thread waits, and the sum is made in one order.
    """
    (examples, heads, t, d), (_, key_heads, s, e) = q.shape, v.shape
    width, size, group = _width(q), lanes(q), heads // key_heads
    own = BackwardScratch(
        q=room((d + size) * width, q),
        g=room((e + size) * width, q),
        dq=room((d + size) * width, q),
        p=room(STRIP * width, q),
        dz=room(STRIP * width, q),
        dice=room(STRIP * width if options.rate > 0 else 0, q),
        m=room(width, q),
        log=room(width, q),
        inner=room(width, q),
        square=room(size * size, q),
    )
    chunks = len(edges) - 1
    turn = take(queue)
    while turn < examples * key_heads * chunks:
        head, chunk = turn // chunks, turn % chunks
        b, shared_head = head // key_heads, head % key_heads
        begin, end = edges[chunk], edges[chunk + 1]
        first_query = max(0, begin - (s - t)) // width * width if options.causal else 0
        for h in range(shared_head * group, (shared_head + 1) * group):
            slot = _head(dq, b, h)
            if chunk > 0:
                slot = _head(slots, (chunk - 1) * examples + b, h)
            places = BackwardHeads(
                _head(q, b, h), _head(k, b, shared_head), _head(v, b, shared_head),
                _head(o, b, h), _head(g, b, h),
                slot, _head(dk, b, shared_head), _head(dv, b, shared_head),
            )  # fmt: skip
            for i in range(first_query, t, width):
                block = _block(q, k, v, b, h, i, options.causal)
                _backward_block(places, norms, begin, end, block, options, own)
        turn = take(queue)


@threaded
def _backward(
    g: read(4), q: read(4), k: read(4), v: read(4), o: read(4), norms: read(4),
    dq: write(4), slots: write(4), dk: write(4), dv: write(4), edges: read_integers(1),
    mask: read_booleans(2), scale: number, causal: integer, rate: number, key: unsigned,
    queue: counter,
):  # fmt: skip
    """dq, dk and dv, which are zeros before, by threads that take chunks of keys from one queue"""
    options = Options(mask, scale, causal, rate, key)
    _backward_chunks(g, q, k, v, o, norms, dq, slots, dk, dv, edges, options, queue)


# ---- What the dispatcher calls -------------------------------------------------------------------
#
# Results lie in memory as q, k and v do: heads that were cut out of one array (b, t, h d) go back
# into such a one without a copy.

_NO_MASK = np.empty((0, 0), bool)
_PIECES = 8  # that the way back is cut into, where it has fewer heads of keys,
_CHUNKS = 4  # but not more for a head: all but one need an array as large as q


@leaves_to_numpy("no features, several dtypes, shapes that do not fit")
def attention(q, k, v, scale=None, causal=False, mask=None, rate=0.0, key=0):
    """oᵢ = Σⱼ pᵢⱼ vⱼ,  p = softmax(scale q kᵀ)   (b, h, t, d) -> o (b, h, t, e), norms (b, h, t, 2)

    Threads share the blocks of queries. The rows of q, k and v may lie anywhere.
    """
    if not _fits(q, k, v, mask):
        return NotImplemented
    q, k, v = map(_with_rows_together, (q, k, v))
    (b, h, t, d), s, e = q.shape, k.shape[2], v.shape[3]
    o, norms = _laid_out_like(q, e, np.empty), np.empty((b, h, t, 2), q.dtype)
    options = _options(d, scale, causal, mask, rate, key)
    queries = max(t, lanes_of(q.dtype.name))  # what a block costs that has one query
    _forward(q.dtype, b * h * queries * s * (d + e), q, k, v, o, norms, *options)
    return o, norms


@leaves_to_numpy("no features, several dtypes, shapes that do not fit")
def attention_backward(
    g, q, k, v, o, norms, scale=None, causal=False, mask=None, rate=0.0, key=0, out=None
):
    """dL/dv = p̃ᵀ g,  dL/dq = scale dz k,  dL/dk = scale dzᵀ q   -> dq, dk, dv

    Threads share the keys, as `_edges` cuts them: then each owns its part of dk and dv. What pieces
    of the same keys add to dq they keep apart, and that is summed at the end, always in one order.
    """
    if not (_fits(q, k, v, mask) and g.shape == o.shape == (*q.shape[:3], v.shape[3])):
        return NotImplemented
    if not (norms.shape == (*q.shape[:3], 2) and all(_is_plain(x, q.dtype) for x in (g, o, norms))):
        return NotImplemented
    if out is not None and not all(map(_can_be_filled, out, (q, k, v))):
        return NotImplemented
    g, q, k, v, o = map(_with_rows_together, (g, q, k, v, o))
    (b, h, t, d), (_, key_heads, s, e) = q.shape, v.shape
    edges = _edges(b * key_heads, t, s, causal)
    if out is None:
        out = [_laid_out_like(x, x.shape[3], np.empty) for x in (q, k, v)]
    dq, dk, dv = out
    for sums in out:
        sums[...] = 0
    more = np.zeros((len(edges) - 2, *q.shape), q.dtype)
    slots = more.reshape(len(more) * b, h, t, d)
    arrays = g, q, k, v, o, norms, dq, slots, dk, dv, edges
    options = _options(d, scale, causal, mask, rate, key)
    _backward(q.dtype, b * h * t * s * (3 * d + 2 * e), *arrays, *options)
    for part in more:  # always in this order
        dq += part
    return dq, dk, dv


def _fits(q, k, v, mask):
    """Whether these are arrays that the kernels are made for."""
    if not all(_is_plain(x, q.dtype) and x.ndim == 4 for x in (q, k, v)):
        return False
    (b, h, _, d), (_, key_heads, s, e) = q.shape, v.shape
    is_masked = mask is None or (_is_plain(mask, bool) and mask.shape == (b, s))
    shapes_fit = k.shape == (b, key_heads, s, d) and key_heads and h % key_heads == 0
    return is_masked and shapes_fit and d > 0 and e > 0


def _is_plain(x, dtype):
    return type(x) is np.ndarray and x.dtype == dtype and x.flags.aligned


def _can_be_filled(x, like):
    """Whether a kernel can write to x, whose rows may lie anywhere, what is like another array."""
    fits = _is_plain(x, like.dtype) and x.shape == like.shape and x.flags.writeable
    return fits and x.strides[3] == x.itemsize


def _with_rows_together(x):
    """x, copied if the features of a row do not lie side by side. Rows may lie anywhere."""
    return x if x.strides[3] == x.itemsize else np.array(x, order="C")


def _laid_out_like(x, features, make):
    """A new array (b, h, t, features), of which b, h and t follow each other in memory as in x.

    The features of a row always lie side by side: kernels rely on that. NumPy's own `empty_like`
    may put others innermost, where an axis of x has length 1, or repeats the same numbers.
    """
    outermost_first = sorted(range(3), key=lambda axis: -abs(x.strides[axis]))
    y = make([*(x.shape[axis] for axis in outermost_first), features], x.dtype)
    return y.transpose(*map(outermost_first.index, range(3)), 3)


def _options(d, scale, causal, mask, rate, key):
    scale = 1 / math.sqrt(d) if scale is None else scale
    return _NO_MASK if mask is None else mask, scale, bool(causal), rate, key


def _edges(heads, t, s, causal):
    """Where the keys of a head are cut into chunks of equal work, a function of the shape alone.

    Query i sees the keys j <= i + s - t, so all but j - (s - t) queries see key j.
    """
    chunks = max(1, min(_CHUNKS, _PIECES // heads, s // (2 * STRIP))) if heads else 1
    edges = np.zeros(chunks + 1, np.int64)
    edges[chunks] = s
    if chunks > 1:
        queries = t - np.clip(np.arange(s) - (s - t), 0, t) if causal else np.ones(s)
        work = np.cumsum(queries)
        shares = np.arange(1, chunks) / chunks * work[-1]
        edges[1:chunks] = np.searchsorted(work, shares) // STRIP * STRIP
    return edges
