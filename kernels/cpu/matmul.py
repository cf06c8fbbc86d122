"""Products of matrices: C = A B as sums of tiles that stay in registers.

From the inside out:

    tile           6 rows x 4 vectors of C live in registers while k runs (`simd.tile`)
    add_strips     all rows of C: the same few rows of A meet each strip of B, as wide as a tile
    add_packed     strips of B that are not neat in memory are copied first
    multiply       C is cut into blocks, which threads may take
    in_parts       where C is one row, B is cut across its rows instead

A is read where it lies, with any strides, since a tile takes single numbers of it: a transposed A
costs nothing. Of B a tile takes vectors, so that its rows must be contiguous: where they are not,
as in A Bᵀ, a few strips are packed at a time, never the whole.

What a product waits for is memory. A tile of many rows reads a number of B seldom. Strips that lie
one after another are read at full speed, and from the beginning of a line of memory on: a vector
that lies in two lines takes two loads. And six rows of A, once there, are used for all the strips.

An element of C is a sum of sums over DEPTH numbers, in a fixed order: a long sum in one would lose
digits. The way C is cut follows from the shapes alone, so that no number of threads changes a bit.
"""

import math
from collections import namedtuple

import numpy as np
from numba import types

from . import leaves_to_numpy, threads
from .compilation import address, call, inlined, integer, jit, read, write
from .loops import room
from .simd import (
    TILE,
    broadcast,
    fma,
    lanes,
    load,
    load_first,
    load_until,
    narrow_tile,
    spread,
    store,
    store_first,
    store_until,
    tile,
    total,
    transpose_first,
)
from .threads import counter, take, threaded

_ndarray, _empty = np.ndarray, np.empty  # for small products, which take as long as 20 look-ups
ROWS, VECTORS = TILE
DEPTH = 256  # rows of a packed strip: with AVX-512 it is 64 KiB, a small part of the L2 cache
PACKED_ROWS = 128  # of A, at least, for which a strip that could stay where it lies is packed
MOST_ROWS = 512  # of a block
BLOCKS = 12  # that a product is cut into, if it is large; or more
STRIPS = 8  # of B, at most, that a block has, which are packed together
PART = 128  # rows of B that a thread sums at a time, in a product with one row
WAITS = 8  # multiplications that take as long as a number of B from memory
WORTH_PARTS = threads.WORTH_SHARING // WAITS


# Element (i, j) is data[start + i row + j column].
Matrix = namedtuple("Matrix", "data start row column")


@inlined
def matrix(x, start):
    """The matrix of the shape and the strides of x (m, n) that begins `start` elements behind it"""
    return Matrix(x, start, x.strides[0] // x.itemsize, x.strides[1] // x.itemsize)


@inlined
def beyond(x, i, j):
    """The part of a matrix from row i and column j on"""
    return Matrix(x.data, x.start + i * x.row + j * x.column, x.row, x.column)


@inlined
def transposed(x):
    """The matrix whose rows are the columns of x"""
    return Matrix(x.data, x.start, x.column, x.row)


# ---- Strips of columns ---------------------------------------------------------------------------

_wide = tile(ROWS, VECTORS, start="either")
_narrow = narrow_tile(ROWS, VECTORS, start="either")
_tall = narrow_tile(2 * ROWS, 1, start="either")  # of fewer rows the sums would wait for themselves
_two_rows = narrow_tile(2, VECTORS, start="either")
_one_row = narrow_tile(1, VECTORS, start="either")


@inlined
def add_strips(a, b, b_start, b_step, b_row, c, m, n, k, is_added):
    """C += A B, or C = A B, tile by tile   (m, k), (k, n), (m, n)

    Strip s of B, as wide as a tile, has element (p, j) at b[b_start + s b_step + p b_row + j]. A
    few rows of A meet one strip after another; rows of C are contiguous, too.
    """
    width, i = VECTORS * lanes(c.data), 0
    while i < m:
        x, strip, left = beyond(a, i, 0), b_start, m - i
        is_tall = n <= lanes(c.data) and left >= 2 * ROWS
        for j in range(0, n, width):
            y, columns = beyond(c, i, j), min(width, n - j)
            given = x.data, x.start, x.row, x.column, b, strip, b_row, y.data, y.start, y.row
            if is_tall:
                _tall(*given, k, is_added, columns)
            elif left >= ROWS and columns == width:
                _wide(*given, k, is_added)
            elif left >= ROWS:
                _narrow(*given, k, is_added, columns)
            elif left > 1:
                _two_rows(*given, k, is_added, columns)
            else:
                _one_row(*given, k, is_added, columns)
            strip += b_step
        i += 2 * ROWS if is_tall else ROWS if left >= ROWS else 2


@inlined
def pack(b, panel, start, k, n):
    """panel[start:] = B   (k, n), in rows as long as a tile is wide, whatever B's strides"""
    x, step = b.data, lanes(b.data)
    width = VECTORS * step
    if b.column == 1:
        for p in range(k):
            row = b.start + p * b.row
            for j in range(0, n, step):
                store(panel, start + p * width + j, load_until(x, row + j, row + n, 0))
    elif b.row == 1:
        for p in range(0, k, step):
            for j in range(0, n, step):
                corner, place = b.start + j * b.column + p, start + p * width + j
                transpose_first(x, corner, b.column, panel, place, width, n - j, k - p)
    else:
        for p in range(k):
            for j in range(n):
                number = load_first(x, b.start + p * b.row + j * b.column, 1)
                store_first(panel, start + p * width + j, number, 1)


# ---- One row of C --------------------------------------------------------------------------------


@inlined
def add_rows(a, b, c, n, k):
    """c += a B   (k,), (k, n), (n,), rows of B contiguous

    B is read in four quarters side by side. A processor fetches a stretch of memory ahead of those
    who read it to its end, and so B comes twice as fast as in rows 0 to 3, rows 4 to 7, and so on.
    """
    x, y, z = a.data, b.data, c.data
    step, quarter = lanes(z), k // 4
    whole = n // step * step
    for p in range(quarter):
        first, far = a.start + p * a.column, quarter * a.column
        w0, w1 = spread(x, first), spread(x, first + far)
        w2, w3 = spread(x, first + 2 * far), spread(x, first + 3 * far)
        r0, far = b.start + p * b.row, quarter * b.row
        r1, r2, r3 = r0 + far, r0 + 2 * far, r0 + 3 * far
        for j in range(0, whole, step):
            sums = fma(w1, load(y, r1 + j), w0 * load(y, r0 + j))
            sums = fma(w2, load(y, r2 + j), sums)
            sums = fma(w3, load(y, r3 + j), sums)
            store(z, c.start + j, load(z, c.start + j) + sums)
    for p in range(4 * quarter, k):
        w, row = spread(x, a.start + p * a.column), b.start + p * b.row
        for j in range(0, whole, step):
            store(z, c.start + j, fma(w, load(y, row + j), load(z, c.start + j)))
    if whole < n:  # columns that fill no vector
        rest = n - whole
        sums = load_first(z, c.start + whole, rest)
        for p in range(k):
            w = spread(x, a.start + p * a.column)
            sums = fma(w, load_first(y, b.start + p * b.row + whole, rest), sums)
        store_first(z, c.start + whole, sums, rest)


@inlined
def add_dots(a, b, c, n, k):
    """c += a B   (k,), (k, n), (n,), a and the columns of B contiguous: n sums of products"""
    x, y, i = a.data, b.data, a.start
    step = lanes(x)
    whole = k // (4 * step) * (4 * step)
    for q in range(n):
        j = b.start + q * b.column
        s0 = s1 = s2 = s3 = broadcast(x, 0)  # four sums, since one would wait for itself
        for p in range(0, whole, 4 * step):
            s0 = fma(load(x, i + p), load(y, j + p), s0)
            s1 = fma(load(x, i + p + step), load(y, j + p + step), s1)
            s2 = fma(load(x, i + p + 2 * step), load(y, j + p + 2 * step), s2)
            s3 = fma(load(x, i + p + 3 * step), load(y, j + p + 3 * step), s3)
        for p in range(whole, k, step):
            vector = load_until(x, i + p, i + k, 0)
            s0 = fma(vector, load_until(y, j + p, j + k, 0), s0)
        sums = load_first(c.data, c.start + q, 1) + total((s0 + s1) + (s2 + s3))
        store_first(c.data, c.start + q, sums, 1)


# ---- A part of C ---------------------------------------------------------------------------------


@inlined
def fill(c, m, n, number):
    """Every element of C becomes the number   (m, n)"""
    x = broadcast(c.data, number)
    for i in range(m):
        row = c.start + i * c.row
        for j in range(0, n, lanes(c.data)):
            store_until(c.data, row + j, row + n, x)


@inlined
def add_row(a, b, c, n, k):
    """c += a B   (k,), (k, n), (n,), rows of B contiguous, summed DEPTH rows at a time"""
    sums = np.empty((1, n), c.data.dtype)
    part = Matrix(sums, 0, n, 1)
    for p in range(0, k, DEPTH):
        fill(part, 1, n, 0)
        add_rows(beyond(a, 0, p), beyond(b, p, 0), part, n, min(DEPTH, k - p))
        for j in range(0, n, lanes(sums)):
            i, end = c.start + j, c.start + n
            vector = load_until(c.data, i, end, 0) + load_until(sums, j, n, 0)
            store_until(c.data, i, end, vector)


@inlined
def is_worth_packing(m, b, width):
    """Whether strips of B are copied: where they must, or lie in far rows that are read often"""
    return b.column != 1 or (m >= PACKED_ROWS and b.row > width)


def _any_matrix(dtype):
    """A `Matrix` of the kernel's dtype, of any array."""
    return types.NamedTuple([write(2)(dtype), *[types.int64] * 3], Matrix)


@inlined
def add_in_place(a, b, c, m, n, k, is_added):
    """C += A B, or C = A B, with strips of B where they lie   (m, k), (k, n), (m, n)"""
    width = VECTORS * lanes(c.data)
    for p in range(0, k, DEPTH):
        for j in range(0, n, width):
            left, right, sums = beyond(a, 0, p), beyond(b, p, j), beyond(c, 0, j)
            strip = right.data, right.start, 0, right.row
            add_strips(left, *strip, sums, m, min(width, n - j), min(DEPTH, k - p), is_added + p)


@inlined
def add_packed(a, b, c, m, n, k, is_added):
    """C += A B, or C = A B, with strips of B packed, some at a time   (m, k), (k, n), (m, n)"""
    width = VECTORS * lanes(c.data)
    size, block = DEPTH * width, width * max(1, min(STRIPS, (n + width - 1) // width))
    panel = room(DEPTH * block, c.data)
    for p in range(0, k, DEPTH):
        depth = min(DEPTH, k - p)
        for j in range(0, n, block):
            columns = min(block, n - j)
            for s in range(0, columns, width):
                pack(beyond(b, p, j + s), panel, s * DEPTH, depth, min(width, columns - s))
            left, sums, strips = beyond(a, 0, p), beyond(c, 0, j), (panel, 0, size, width)
            add_strips(left, *strips, sums, m, columns, depth, is_added + p)


@jit
def add_product(
    a: _any_matrix,
    b: _any_matrix,
    c: _any_matrix,
    m: integer,
    n: integer,
    k: integer,
    is_added: integer,
):
    """C += A B, or C = A B if not is_added   (m, k), (k, n), (m, n), rows of C contiguous

    It is long, and so it is compiled once, and other kernels get its address as `product`.
    """
    is_row = m == 1 and (b.column == 1 or (b.row == 1 and a.column == 1))
    if not is_added and (is_row or k == 0):
        fill(c, m, n, 0)
    if is_row and b.column == 1:
        add_row(a, b, c, n, k)
    elif is_row:
        add_dots(a, b, c, n, k)
    elif is_worth_packing(m, b, VECTORS * lanes(c.data)):
        add_packed(a, b, c, m, n, k, is_added)
    else:
        add_in_place(a, b, c, m, n, k, is_added)


@inlined
def call_add_product(product, a, b, c, m, n, k):
    """C += A B by `add_product`, which is at the address `product`   (m, k), (k, n), (m, n)"""
    if call(product, (a, b, c, m, n, k, 1)):
        raise MemoryError("there is no room for a strip of a matrix")


@inlined
def call_put_product(product, a, b, c, m, n, k):
    """C = A B by `add_product`, which is at the address `product`   (m, k), (k, n), (m, n)"""
    if call(product, (a, b, c, m, n, k, 0)):
        raise MemoryError("there is no room for a strip of a matrix")


# ---- One row of C, in parts ----------------------------------------------------------------------
#
# Such a product takes as long as B takes to come from memory. So B is cut across its rows: each
# thread reads stretches of it from one end to the other.


@threaded
def sum_parts(a: read(2), b: read(2), sums: write(2), queue: counter):
    """sums[i] = what the rows of part i of B add to a B   (1, k), (k, n), (parts, n)"""
    k, n = b.shape
    turn = take(queue)
    while turn < len(sums):
        p, part = turn * PART, Matrix(sums, turn * n, n, 1)
        fill(part, 1, n, 0)
        add_rows(beyond(matrix(a, 0), 0, p), beyond(matrix(b, 0), p, 0), part, n, min(PART, k - p))
        turn = take(queue)


def in_parts(a, b):
    """a B as sums of its parts, where it is worth it, or None   (1, k), (k, n) -> (parts, n)"""
    k, n = b.shape
    if len(a) != 1 or k * n < WORTH_PARTS or k < 2 * PART or b.strides[1] != b.itemsize:
        return None
    sums = np.empty(((k + PART - 1) // PART, n), a.dtype)
    sum_parts(a.dtype, WAITS * k * n, a, b, sums)
    return sums


# ---- C in blocks ---------------------------------------------------------------------------------


@inlined
def cut(c, m, n, b, products):
    """The rows and columns of the blocks that C is cut into, and how many those are   (m, n)

    A block is high enough for a packed strip of B to be used often, and as many strips wide as
    leave so many blocks that all threads have work until the end.
    """
    width, is_packed = VECTORS * lanes(c), is_worth_packing(m, b, VECTORS * lanes(c))
    columns = width if m > 1 else 8 * width
    across = (n + columns - 1) // columns
    least = PACKED_ROWS if is_packed else 4 * ROWS
    wanted = max(1, BLOCKS // max(1, across * products))
    rows = min(MOST_ROWS, max(least, (m + wanted - 1) // wanted))
    rows = (rows + ROWS - 1) // ROWS * ROWS
    down = (m + rows - 1) // rows
    if is_packed:
        columns *= max(1, min(STRIPS, across * products * down // BLOCKS))
        across = (n + columns - 1) // columns
    return rows, columns, down * across


@inlined
def bounds(block, rows, columns, m, n):
    """Where block number `block` of C begins, and its size   -> i, j, rows, columns"""
    down = (m + rows - 1) // rows
    i, j = block % down * rows, block // down * columns
    return i, j, min(rows, m - i), min(columns, n - j)


@inlined
def multiply_block(block, rows, columns, product, a, b, c, m, n, k):
    """Block number `block` of C = A B   (m, k), (k, n), (m, n), C contiguous"""
    i, j, height, width = bounds(block, rows, columns, m, n)
    left, right = beyond(a, i, 0), beyond(b, 0, j)
    call_put_product(product, left, right, beyond(c, i, j), height, width, k)


@inlined
def are_steps_whole(x):
    """Whether the array x (m, n) lies where its elements may, and whole elements apart."""
    row, column = x.strides
    return (x.ctypes.data | row | column) % x.itemsize == 0


@inlined
def are_for_one_thread(a, b, m, n, k):
    """Whether a product takes no longer than it would to wake another thread."""
    worth = WORTH_PARTS if m == 1 or n == 1 else threads.WORTH_SHARING
    return m * k * n < worth and are_steps_whole(a) and are_steps_whole(b)


@jit
def multiply(a: read(2), b: read(2), c: write(2), product: address):
    """C = A B   (m, k), (k, n), (m, n), by one thread, C contiguous.   -> whether it was done

    It is not if the shapes do not fit, or the work is for other kernels. To ask that here costs
    nothing, and in Python as much as a small product.
    """
    (m, k), n = a.shape, b.shape[1]
    if len(b) != k or c.shape != (m, n) or not are_for_one_thread(a, b, m, n, k):
        return False
    x, y = matrix(a, 0), matrix(b, 0)
    if n == 1:  # Cᵀ = Bᵀ Aᵀ: a product with one column is one with one row
        x, y, m, n = transposed(y), transposed(x), 1, m
    call_put_product(product, x, y, Matrix(c, 0, n, 1), m, n, k)
    return True


class _Ready(dict):
    """{dtype: `multiply`, the address that it needs}: what a small product has to look up."""

    def __missing__(self, dtype):
        self[dtype] = multiply[dtype], add_product.addresses[dtype]
        return self[dtype]


_ready = _Ready()


@threaded
def multiply_all(
    a: read(2),
    b: read(2),
    c: write(2),
    outer: integer,
    inner: integer,
    a_outer: integer,
    a_inner: integer,
    b_outer: integer,
    b_inner: integer,
    product: address,
    queue: counter,
):
    """C = A B for outer x inner matrices, of which a, b, c are the first   (m, k), (k, n), (m, n)

    Product (x, y) has its A x a_outer + y a_inner elements on, and so on; all C are contiguous.
    """
    (m, k), n = a.shape, b.shape[1]
    rows, columns, blocks = cut(c, m, n, matrix(b, 0), outer * inner)
    turn = take(queue)
    while turn < blocks * outer * inner:
        place, block = turn // blocks, turn % blocks
        x, y = place // inner, place % inner
        multiply_block(
            *(block, rows, columns, product),
            matrix(a, x * a_outer + y * a_inner),
            matrix(b, x * b_outer + y * b_inner),
            Matrix(c, place * m * n, n, 1),
            *(m, n, k),
        )
        turn = take(queue)


# ---- NumPy's rules -------------------------------------------------------------------------------


@leaves_to_numpy("two dtypes, unaligned arrays, batches that do not merge to two axes, most out=")
def matmul(a, b, out=None):
    """Σₖ aᵢₖ bₖⱼ   (..., m, k), (..., k, n) -> (..., m, n)

    A small product is made by the thread that calls, a large one by all of them.
    """
    dtype = a.dtype
    if type(b) is not _ndarray or b.dtype != dtype:
        return NotImplemented
    if out is not None and not _can_be_filled(out, a, b):
        return NotImplemented
    if not a.ndim == b.ndim == 2:
        return _of_other_axes(a, b, out)
    c = _empty((len(a), b.shape[1]), dtype) if out is None else out
    multiply, product = _ready[dtype]
    if multiply(a, b, c, product):
        return c
    if a.shape[1] != len(b) or c.shape != (len(a), b.shape[1]):
        return NotImplemented
    return _multiply_all(a, b, c)


def _can_be_filled(out, a, b):
    """Whether a product of a and b can be written to `out` piece by piece."""
    return (
        type(out) is np.ndarray
        and out.dtype == a.dtype
        and out.flags.carray
        and not np.may_share_memory(out, a)
        and not np.may_share_memory(out, b)
    )


def _of_other_axes(a, b, out):
    """a b where they are not both matrices: vectors, or batches of matrices."""
    if a.ndim == 0 or b.ndim == 0 or (out is not None and 1 in (a.ndim, b.ndim)):
        return NotImplemented
    if a.ndim == 1 or b.ndim == 1:
        c = matmul(a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b)
        if c is NotImplemented:
            return c
        rows = 0 if a.ndim == 1 else slice(None)
        columns = 0 if b.ndim == 1 else slice(None)
        return c[rows, columns] if c.ndim == 2 else c[..., rows, columns]

    batch = _broadcast(a.shape[:-2], b.shape[:-2])
    if batch is None or a.shape[-1] != b.shape[-2]:
        return NotImplemented
    shape = (*batch, a.shape[-2], b.shape[-1])
    if out is not None and out.shape != shape:
        return NotImplemented
    c = np.empty(shape, a.dtype) if out is None else out
    if b.ndim == 2 and a.flags.c_contiguous:  # all rows of the batch in one product
        m = math.prod(shape[:-1])
        done = matmul(a.reshape(m, a.shape[-1]), b, c.reshape(m, shape[-1]))
        return done if done is NotImplemented else c
    return _multiply_all(a, b, c)


def _broadcast(left, right):
    """The shape to which two shapes are broadcast; None if they do not fit each other."""
    try:
        return np.broadcast_shapes(left, right)
    except ValueError:
        return None


def _multiply_all(a, b, c):
    """Write the product of a and b, with all their batches, to c, and return it."""
    if not (a.flags.aligned and b.flags.aligned):
        return NotImplemented
    if not c.size:
        return c
    result, k = c, a.shape[-1]
    if c.shape[-1] == 1:  # Cᵀ = Bᵀ Aᵀ: a product with one column is one with one row
        a, b, c = b.swapaxes(-1, -2), a.swapaxes(-1, -2), c.swapaxes(-1, -2)
    sums = in_parts(a, b) if c.ndim == 2 else None
    if sums is not None:
        np.add.reduce(sums, axis=0, out=c[0])
        return result
    layout = _batches(c.shape[:-2], a, b)
    if layout is None:
        return NotImplemented
    first = [x[(0,) * (x.ndim - 2)] if x.ndim > 2 else x for x in (a, b, c)]
    product = add_product.addresses[a.dtype]
    multiply_all(a.dtype, result.size * k, *first, *layout, product)
    return result


def _batches(batch, *operands):
    """Two sizes whose product is that of the batch, and for each operand the steps between them.

    Neighbouring axes through which all operands go in equal steps are taken for one. None if
    there are still more than two.
    """
    axes = []
    steps_along = [_steps_along(batch, x) for x in operands]
    for size, *near in zip(batch, *steps_along, strict=True):
        if axes and all(far == size * step for far, step in zip(axes[-1][1], near, strict=True)):
            axes[-1] = axes[-1][0] * size, near
        elif size > 1:
            axes.append((size, near))
    if len(axes) > 2:
        return None
    (outer, far), (inner, near) = [(1, [0] * len(operands))] * (2 - len(axes)) + axes
    return outer, inner, *(step for pair in zip(far, near, strict=True) for step in pair)


def _steps_along(batch, x):
    """The elements from one matrix of x to the next along each axis of the batch."""
    missing = len(batch) - (x.ndim - 2)
    pairs = zip(x.shape[:-2], x.strides[:-2], strict=True)
    return [0] * missing + [0 if size == 1 else step // x.itemsize for size, step in pairs]
