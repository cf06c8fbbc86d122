"""Attention on a GPU in one pass over the keys, without a matrix of scores (Dao, 2023).

    forward          o = softmax(scale q kᵀ) v, a block of 64 queries at a time
    inner_products   Σ g o over each row, which stands for Σⱼ pⱼ dpⱼ on the way back
    queries          dL/dq, a block of 64 queries at a time
    keys             dL/dk and dL/dv, a block of 64 keys at a time

A block of queries meets the keys 64 by 64. m is the largest score that a query has met so far, l
the sum of the exponentials of its scores less m, and o the sum of values that these weigh. When a
larger m comes, all that was summed before shrinks by exp(m - m'). At the end o / l is the result,
and m and log l are kept: with them the way back finds every p again, and needs no matrix either.
Each block there owns what it writes, so nothing is added by several: no bit changes from run to
run.

All four are made of two products. `row_products` multiplies rows by rows, A Bᵀ: queries by keys,
and g by v; 16 x 16 threads hold 4 x 4 sums each. `add_weighted_rows` adds rows weighed by what the
first has given, W X: p by v, and on the way back dz by k, dzᵀ by q and pᵀ by g. Between the two W
lies in shared memory.

A row of W X takes 16 threads, with four columns each, or eight in heads of more than 64 features.
Heads of 32 would leave two to a thread, which it would fetch by twos, and each weight for half as
many products. So eight threads have all columns of these, four each, and the other eight have the
same: two teams, of which each adds half of the rows of X. `put_rows` adds up what both have.

    q, o, g, dq (b, h, t, .)    k, v, dk, dv (b, hₖ, s, .), of which each head serves h / hₖ of q's
    norms (b h t, 2)            m and log l, as kernels.reference.attention says
    mask (b, s)                 booleans: which keys there are; one of no numbers stands for none
    scale, causal               numbers
    rate, dropout_key           numbers, with which the places drop out that the reference drops
    inner (b h t,)              of `inner_products`, for which all but the last axis of g, o are one

Kernels are made for heads of at most 32, 64 and 128 features; `launch.of_width` finds the right one
in `LAUNCHES`.
"""

import math

from numba import cuda, float32

from .elementwise import kept, mixed
from .launch import (
    HEADS,
    INTEGER,
    KEY,
    MASK,
    MATRIX,
    NUMBER,
    VECTOR,
    Launch,
    named,
    rows,
    rows_of_heads,
)
from .matmul import clear
from .ptx import ALIGNED, load4, store4
from .reduction import LOWEST, WARP, WARPS, warp_max, warp_sum

SIDE = 16  # a block has SIDE x SIDE threads,
EACH = 4  # which hold EACH x EACH scores
EDGE = SIDE * EACH  # queries, or keys, of a block
DEEP = 16  # features that are fetched at once for scores
ROW = DEEP + 4  # numbers from one row of such a tile to the next, so that they use other banks
WEIGHTS_ROW = EDGE + 4
TALL = 32  # rows that are fetched at once for weighted sums
WIDTHS = 32, 64, 128  # of heads
NOTHING = float32(-math.inf)


# ---- Heads in global memory ----------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def feature(x, example, head, row, column):
    """x[example, head, row, column], or 0 beyond the edge"""
    is_inside = row < x.shape[2] and column < x.shape[3]
    return x[example, head, row, column] if is_inside else float32(0)


@cuda.jit(device=True, inline="always")
def four_features(x, example, head, row, column):
    """The same for four columns, by one instruction where that can be"""
    is_inside = row < x.shape[2] and column < x.shape[3]
    is_aligned = x.shape[3] % 4 == 0
    if is_inside and is_aligned:
        return load4(x, (example, head, row, column))
    return (
        feature(x, example, head, row, column),
        feature(x, example, head, row, column + 1),
        feature(x, example, head, row, column + 2),
        feature(x, example, head, row, column + 3),
    )


@cuda.jit(device=True, inline="always")
def put_features(x, example, head, row, column, four):
    """Write four columns of a row, as far as x goes."""
    is_inside = row < x.shape[2] and column < x.shape[3]
    is_aligned = x.shape[3] % 4 == 0
    if is_inside and is_aligned:
        store4(x, (example, head, row, column), four)
    elif is_inside:
        for i in range(4):
            if column + i < x.shape[3]:
                x[example, head, row, column + i] = four[i]


# ---- Two products --------------------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def add_dot(total, a, b):
    """total + Σ aᵢ bᵢ of four"""
    return total + a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]


@cuda.jit(device=True, forceinline=True)
def fetch_features(tile, x, example, head, first_row, first_column):
    """EDGE rows and DEEP columns of a head: four numbers for each thread"""
    thread = cuda.threadIdx.y * SIDE + cuda.threadIdx.x
    row, column = thread // 4, thread % 4 * 4
    four = four_features(x, example, head, first_row + row, first_column + column)
    store4(tile, (row, column), four)


@cuda.jit(device=True, forceinline=True)
def row_products(z, a_tile, b_tile, example, a, a_head, a_row, b, b_head, b_row):
    """z = A Bᵀ,  A and B EDGE rows of a head each, of which a thread has every SIDE-th

    z[i, j] belongs to row y + i SIDE of A and row x + j SIDE of B.
    """
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    clear(z, EACH, EACH)
    for column in range(0, a.shape[3], DEEP):
        fetch_features(a_tile, a, example, a_head, a_row, column)
        fetch_features(b_tile, b, example, b_head, b_row, column)
        cuda.syncthreads()
        for inner in range(0, DEEP, 4):
            b_0 = load4(b_tile, (x, inner))
            b_1 = load4(b_tile, (x + SIDE, inner))
            b_2 = load4(b_tile, (x + 2 * SIDE, inner))
            b_3 = load4(b_tile, (x + 3 * SIDE, inner))
            for i in range(EACH):
                four = load4(a_tile, (y + i * SIDE, inner))
                z[i, 0] = add_dot(z[i, 0], four, b_0)
                z[i, 1] = add_dot(z[i, 1], four, b_1)
                z[i, 2] = add_dot(z[i, 2], four, b_2)
                z[i, 3] = add_dot(z[i, 3], four, b_3)
        cuda.syncthreads()


@cuda.jit(device=True, forceinline=True)
def fetch_rows(tile, x, example, head, first_row, width):
    """TALL rows of a head: four numbers for each thread, once or several times"""
    thread = cuda.threadIdx.y * SIDE + cuda.threadIdx.x
    for part in range(TALL * width // (4 * SIDE * SIDE)):
        number = 4 * (part * SIDE * SIDE + thread)
        row, column = number // width, number % width
        store4(tile, (row, column), four_features(x, example, head, first_row + row, column))


@cuda.jit(device=True, inline="always")
def place_in_row(width):
    """The first column of a thread, its team, and how many teams there are"""
    size = min(width // 4, SIDE)
    # If there is one team, x // size is 0, but the compiler does not know that x is below SIDE.
    team = cuda.threadIdx.x // size if size < SIDE else 0
    return 4 * (cuda.threadIdx.x - size * team), team, SIDE // size


@cuda.jit(device=True, forceinline=True)
def add_weighted_rows(sums, weights, tile, x, example, head, first_row, width):
    """sums += W X,  W (EDGE, EDGE) in shared memory, X EDGE rows of a head

    sums[i, 4 group + c] belongs to row y + i SIDE and to column 64 group + c, counted from the
    thread's first. The teams take four rows of X each, in turn.
    """
    first_column, team, teams = place_in_row(width)
    for part in range(0, EDGE, TALL):
        fetch_rows(tile, x, example, head, first_row + part, width)
        cuda.syncthreads()
        for turn in range(0, TALL, 4 * teams):
            j = turn + 4 * team
            for group in range(sums.shape[1] // 4):
                column = group * EDGE + first_column
                row_0, row_1 = load4(tile, (j, column)), load4(tile, (j + 1, column))
                row_2, row_3 = load4(tile, (j + 2, column)), load4(tile, (j + 3, column))
                for i in range(EACH):
                    four = load4(weights, (cuda.threadIdx.y + i * SIDE, part + j))
                    for c in range(4):
                        numbers = row_0[c], row_1[c], row_2[c], row_3[c]
                        at = 4 * group + c
                        sums[i, at] = add_dot(sums[i, at], four, numbers)
        cuda.syncthreads()


@cuda.jit(device=True, forceinline=True)
def put_rows(x, example, head, first_row, sums, width):
    """Write what the threads of a block have summed, all teams together: EDGE rows."""
    first_column, team, teams = place_in_row(width)
    apart = SIDE // teams  # are threads with the same columns
    for i in range(EACH):
        row = first_row + cuda.threadIdx.y + i * SIDE
        for j in range(0, sums.shape[1], 4):
            four = (
                warp_sum(sums[i, j], SIDE, apart),
                warp_sum(sums[i, j + 1], SIDE, apart),
                warp_sum(sums[i, j + 2], SIDE, apart),
                warp_sum(sums[i, j + 3], SIDE, apart),
            )
            if team == 0:
                put_features(x, example, head, row, first_column + j * SIDE, four)


# ---- Between the two -----------------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def sees(query, key, t, s, causal, mask, example):
    """Whether a query sees a key, and there are both."""
    is_seen = query < t and key < s and (causal == 0 or key <= query + s - t)
    if is_seen and mask.size > 0:
        is_seen = mask[example, key]
    return is_seen


@cuda.jit(device=True, inline="always")
def seen_by_block(end, t, s, causal):
    """How many keys, from the first on, the queries before `end` see."""
    last = min(end, t) - 1
    return s if causal == 0 else min(s, last + s - t + 1)


@cuda.jit(device=True, inline="always")
def share(row, key, s, rate, start):
    """What dropout multiplies p by: 1 / (1 - rate), or 0 where random number (row, key) says so"""
    return kept(float32(1), start, row * s + key, rate) if rate > 0 else float32(1)


# Loops over what the next two functions do would be too long to be unrolled, and what a thread has
# in registers would be on a stack. So each is called EACH times, once for each number i.


@cuda.jit(device=True, forceinline=True)
def meet(i, z, sums, columns, most, total, weights, query, first_key, row, mask, numbers):
    """A query meets a strip of keys: its scores become weights, and what was summed shrinks."""
    example, t, s, scale, causal, rate, start = numbers
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    larger = most[i]
    for j in range(EACH):
        key = first_key + x + j * SIDE
        is_seen = sees(query + i * SIDE, key, t, s, causal, mask, example)
        z[i, j] = scale * z[i, j] if is_seen else LOWEST
        larger = max(larger, z[i, j])
    larger = warp_max(larger, SIDE)
    strip = float32(0)
    for j in range(EACH):
        key = first_key + x + j * SIDE
        p = float32(0) if z[i, j] == LOWEST else math.exp(z[i, j] - larger)
        strip += p
        weights[y + i * SIDE, x + j * SIDE] = p * share(row + i * SIDE, key, s, rate, start)
    shrink = math.exp(most[i] - larger)
    total[i] = total[i] * shrink + warp_sum(strip, SIDE)
    most[i] = larger
    for c in range(columns):
        sums[i, c] *= shrink


@cuda.jit(device=True, forceinline=True)
def pull(z, dp, norms, inner, query, key, row, mask, numbers):
    """p̃ = dropout(p) and dz = scale p (dropout(dp) - inner) of a score"""
    example, t, s, scale, causal, rate, start = numbers
    p, dz = float32(0), float32(0)
    is_seen = sees(query, key, t, s, causal, mask, example)
    if is_seen:
        p = math.exp(scale * z - norms[row, 0] - norms[row, 1])
        factor = share(row, key, s, rate, start)
        dz = scale * p * (factor * dp - inner[row])
        p *= factor
    return p, dz


def _columns(width):
    """How many columns of a row a thread sums: four at least, as many as are fetched at once"""
    return max(width // SIDE, 4)


def _forward(width):
    columns = _columns(width)

    def forward(q, k, v, scale, causal, mask, rate, dropout_key, o, norms):
        """o = softmax(scale q kᵀ) v   (b, h, t, d), (b, hₖ, s, d), (b, hₖ, s, e) -> (b, h, t, e)

        A thread has queries y + i SIDE of the block, and keys x + j SIDE of each strip.
        """
        q_tile = cuda.shared.array((EDGE, ROW), float32, ALIGNED)
        k_tile = cuda.shared.array((EDGE, ROW), float32, ALIGNED)
        weights = cuda.shared.array((EDGE, WEIGHTS_ROW), float32, ALIGNED)
        v_tile = cuda.shared.array((TALL, width), float32, ALIGNED)
        z = cuda.local.array((EACH, EACH), float32)
        sums = cuda.local.array((EACH, columns), float32)
        most = cuda.local.array(EACH, float32)
        total = cuda.local.array(EACH, float32)
        first, head, example = cuda.blockIdx.x * EDGE, cuda.blockIdx.y, cuda.blockIdx.z
        kv_head = head // (q.shape[1] // k.shape[1])
        t, s = q.shape[2], k.shape[2]
        query = first + cuda.threadIdx.y
        row = (example * q.shape[1] + head) * t + query
        numbers = example, t, s, scale, causal, rate, mixed(dropout_key)
        clear(sums, EACH, columns)
        for i in range(EACH):
            most[i] = LOWEST
            total[i] = float32(0)
        for strip in range(0, seen_by_block(first + EDGE, t, s, causal), EDGE):
            row_products(z, q_tile, k_tile, example, q, head, first, k, kv_head, strip)
            meet(0, z, sums, columns, most, total, weights, query, strip, row, mask, numbers)
            meet(1, z, sums, columns, most, total, weights, query, strip, row, mask, numbers)
            meet(2, z, sums, columns, most, total, weights, query, strip, row, mask, numbers)
            meet(3, z, sums, columns, most, total, weights, query, strip, row, mask, numbers)
            add_weighted_rows(sums, weights, v_tile, v, example, kv_head, strip, width)
        for i in range(EACH):
            is_seeing = total[i] != 0
            for c in range(columns):
                sums[i, c] = sums[i, c] / total[i] if is_seeing else float32(0)
            is_first = cuda.threadIdx.x == 0 and query + i * SIDE < t
            if is_first:
                # A score that is NaN or infinite has made the sum NaN.
                largest = most[i] + float32(0) * total[i] if is_seeing else NOTHING
                norms[row + i * SIDE, 0] = largest
                norms[row + i * SIDE, 1] = math.log(total[i])
        put_rows(o, example, head, first, sums, width)

    return forward


# ---- The way back --------------------------------------------------------------------------------


def inner_products(g, o, inner):
    """Σ g o over each row, a warp for each"""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < g.shape[0]
    if is_inside:
        total = float32(0)
        for i in range(lane, g.shape[1], WARP):
            total += g[row, i] * o[row, i]
        total = warp_sum(total)
        if lane == 0:
            inner[row] = total


@cuda.jit(device=True, forceinline=True)
def pull_row(i, z, dp, weights, norms, inner, query, first_key, row, mask, numbers):
    """The weights dz of a query"""
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    query += i * SIDE
    row += i * SIDE
    for j in range(EACH):
        key = first_key + x + j * SIDE
        _, dz = pull(z[i, j], dp[i, j], norms, inner, query, key, row, mask, numbers)
        weights[y + i * SIDE, x + j * SIDE] = dz


@cuda.jit(device=True, forceinline=True)
def pull_column(j, z, dp, weights, norms, inner, first_query, key, rows, mask, numbers):
    """The weights p̃ of a query, and dz in place of z;  rows is the row of query 0"""
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    query = first_query + x + j * SIDE
    for i in range(EACH):
        at = key + i * SIDE
        p, dz = pull(z[i, j], dp[i, j], norms, inner, query, at, rows + query, mask, numbers)
        weights[y + i * SIDE, x + j * SIDE] = p
        z[i, j] = dz


def _queries(width):
    columns = _columns(width)

    def queries(g, q, k, v, norms, inner, scale, causal, mask, rate, dropout_key, dq):
        """dL/dq = dz k;  threads have queries and keys as in `forward`"""
        a_tile = cuda.shared.array((EDGE, ROW), float32, ALIGNED)
        b_tile = cuda.shared.array((EDGE, ROW), float32, ALIGNED)
        weights = cuda.shared.array((EDGE, WEIGHTS_ROW), float32, ALIGNED)
        k_tile = cuda.shared.array((TALL, width), float32, ALIGNED)
        z = cuda.local.array((EACH, EACH), float32)
        dp = cuda.local.array((EACH, EACH), float32)
        sums = cuda.local.array((EACH, columns), float32)
        first, head, example = cuda.blockIdx.x * EDGE, cuda.blockIdx.y, cuda.blockIdx.z
        kv_head = head // (q.shape[1] // k.shape[1])
        t, s = q.shape[2], k.shape[2]
        query = first + cuda.threadIdx.y
        row = (example * q.shape[1] + head) * t + query
        numbers = example, t, s, scale, causal, rate, mixed(dropout_key)
        clear(sums, EACH, columns)
        for strip in range(0, seen_by_block(first + EDGE, t, s, causal), EDGE):
            row_products(z, a_tile, b_tile, example, q, head, first, k, kv_head, strip)
            row_products(dp, a_tile, b_tile, example, g, head, first, v, kv_head, strip)
            pull_row(0, z, dp, weights, norms, inner, query, strip, row, mask, numbers)
            pull_row(1, z, dp, weights, norms, inner, query, strip, row, mask, numbers)
            pull_row(2, z, dp, weights, norms, inner, query, strip, row, mask, numbers)
            pull_row(3, z, dp, weights, norms, inner, query, strip, row, mask, numbers)
            add_weighted_rows(sums, weights, k_tile, k, example, kv_head, strip, width)
        put_rows(dq, example, head, first, sums, width)

    return queries


def _keys(width):
    columns = _columns(width)

    def keys(g, q, k, v, norms, inner, scale, causal, mask, rate, dropout_key, dk, dv):
        """dL/dv = p̃ᵀ g,  dL/dk = dzᵀ q;  a thread has keys y + i SIDE and queries x + j SIDE

        All heads of q that a head of k serves are summed here, one after the other.
        """
        a_tile = cuda.shared.array((EDGE, ROW), float32, ALIGNED)
        b_tile = cuda.shared.array((EDGE, ROW), float32, ALIGNED)
        weights = cuda.shared.array((EDGE, WEIGHTS_ROW), float32, ALIGNED)
        tile = cuda.shared.array((TALL, width), float32, ALIGNED)
        z = cuda.local.array((EACH, EACH), float32)
        dp = cuda.local.array((EACH, EACH), float32)
        k_sums = cuda.local.array((EACH, columns), float32)
        v_sums = cuda.local.array((EACH, columns), float32)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        first, kv_head, example = cuda.blockIdx.x * EDGE, cuda.blockIdx.y, cuda.blockIdx.z
        group, at = q.shape[1] // k.shape[1], first + y
        t, s = q.shape[2], k.shape[2]
        start = 0 if causal == 0 else max(0, first + t - s) // EDGE * EDGE  # queries that see keys
        numbers = example, t, s, scale, causal, rate, mixed(dropout_key)
        clear(k_sums, EACH, columns)
        clear(v_sums, EACH, columns)
        for head in range(kv_head * group, (kv_head + 1) * group):
            row = (example * q.shape[1] + head) * t
            for strip in range(start, t, EDGE):
                row_products(z, a_tile, b_tile, example, k, kv_head, first, q, head, strip)
                row_products(dp, a_tile, b_tile, example, v, kv_head, first, g, head, strip)
                pull_column(0, z, dp, weights, norms, inner, strip, at, row, mask, numbers)
                pull_column(1, z, dp, weights, norms, inner, strip, at, row, mask, numbers)
                pull_column(2, z, dp, weights, norms, inner, strip, at, row, mask, numbers)
                pull_column(3, z, dp, weights, norms, inner, strip, at, row, mask, numbers)
                add_weighted_rows(v_sums, weights, tile, g, example, head, strip, width)
                for i in range(EACH):
                    for j in range(EACH):
                        weights[y + i * SIDE, x + j * SIDE] = z[i, j]
                add_weighted_rows(k_sums, weights, tile, q, example, head, strip, width)
        put_rows(dk, example, kv_head, first, k_sums, width)
        put_rows(dv, example, kv_head, first, v_sums, width)

    return keys


# ---- How they are started ------------------------------------------------------------------------


_OPTIONS = NUMBER, INTEGER, MASK, NUMBER, KEY
_BACKWARD = *(HEADS,) * 4, MATRIX, VECTOR, *_OPTIONS


def _of_width(make, width, argument, signature):
    kernel = make(width)
    kernel.__name__ = f"{kernel.__name__}_{width}"
    return Launch(kernel, (SIDE, SIDE), rows_of_heads(EDGE, argument), signature)


LAUNCHES = named(
    *(
        _of_width(make, width, argument, signature)
        for width in WIDTHS
        for make, argument, signature in (
            (_forward, 0, (*(HEADS,) * 3, *_OPTIONS, HEADS, MATRIX)),
            (_queries, 1, (*_BACKWARD, HEADS)),
            (_keys, 2, (*_BACKWARD, HEADS, HEADS)),
        )
    ),
    Launch(inner_products, (WARP, WARPS), rows(WARPS), (MATRIX, MATRIX, VECTOR)),
)
