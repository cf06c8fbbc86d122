"""Products of matrices on a GPU: a ladder, on which each kernel mends what slows the one before.

    naive            each thread computes one element of C, and reads all that it needs itself
    coalesced        the same, but threads that are neighbours read numbers that are neighbours
    tiled            a block fetches tiles of A and B once, for all of its threads
    register_tiled   a thread computes 4 x 4 elements: each number that it fetches serves 4 times
    vectorised       8 x 8 elements, and four numbers are fetched by one instruction
    tensor_cores     a warp multiplies small matrices at once, in TF32, while the next are fetched

All compute C = A B,  (m, k), (k, n) -> (m, n), of float32, in rows without gaps that begin at a
multiple of 16 bytes, of any size. Beside `vectorised` stand two for matrices that lie in columns:

    transposed_a     C = Aᵀ B, of rows of Aᵀ: what a gradient of weights is made of
    transposed_b     C = A Bᵀ, of rows of Bᵀ: the logits of tokens, by their embedding

`LAUNCHES` says how each is started.
"""

from numba import cuda, float32

from .launch import MATRIX, Launch, named
from .ptx import (
    ALIGNED,
    commit_copies,
    copy_async4,
    load4,
    multiply_tf32,
    store4,
    wait_for_copies,
)

SIDE = 16  # a block has SIDE x SIDE threads, in all but the last of these


# ---- One element for each thread -----------------------------------------------------------------


def naive(a, b, c):
    """Σₖ aᵢₖ bₖⱼ by the definition.

    Neighbours in x compute elements that stand below each other: 32 of them, a warp, read A and
    write C in 32 rows at once, and of each piece of memory that comes they use one number.
    """
    row = cuda.blockIdx.y * SIDE + cuda.threadIdx.x
    column = cuda.blockIdx.x * SIDE + cuda.threadIdx.y
    is_inside = row < c.shape[0] and column < c.shape[1]
    if is_inside:
        total = float32(0)
        for k in range(a.shape[1]):
            total += a[row, k] * b[k, column]
        c[row, column] = total


def coalesced(a, b, c):
    """x runs along the rows, as memory does: neighbours use neighbours of the same piece."""
    row = cuda.blockIdx.y * SIDE + cuda.threadIdx.y
    column = cuda.blockIdx.x * SIDE + cuda.threadIdx.x
    is_inside = row < c.shape[0] and column < c.shape[1]
    if is_inside:
        total = float32(0)
        for k in range(a.shape[1]):
            total += a[row, k] * b[k, column]
        c[row, column] = total


# ---- Tiles in shared memory ----------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def element(x, row, column):
    """x[row, column], or 0 beyond the edge, which adds nothing to a sum of products"""
    is_inside = row < x.shape[0] and column < x.shape[1]
    return x[row, column] if is_inside else float32(0)


def tiled(a, b, c):
    """The threads of a block fetch a tile of A and one of B together, one element each.

    Each element is fetched once, and serves SIDE threads. The first barrier: the tiles are
    complete. The second: nobody needs them any longer, and the next ones may take their place.
    """
    a_tile = cuda.shared.array((SIDE, SIDE), float32)
    b_tile = cuda.shared.array((SIDE, SIDE), float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    column, row = cuda.grid(2)
    total = float32(0)
    for k in range(0, a.shape[1], SIDE):
        a_tile[y, x] = element(a, row, k + x)
        b_tile[y, x] = element(b, k + y, column)
        cuda.syncthreads()
        for i in range(SIDE):
            total += a_tile[y, i] * b_tile[i, x]
        cuda.syncthreads()
    is_inside = row < c.shape[0] and column < c.shape[1]
    if is_inside:
        c[row, column] = total


# ---- Tiles in registers --------------------------------------------------------------------------

EACH = 4  # rows and columns of C that a thread computes
EDGE = SIDE * EACH  # rows and columns that a block computes
ROW = EDGE + SIDE  # numbers from one row of a tile to the next: so two rows use different banks


@cuda.jit(device=True, inline="always")
def clear(sums, rows, columns):
    """Sums of a thread begin at 0."""
    for i in range(rows):
        for j in range(columns):
            sums[i, j] = float32(0)


@cuda.jit(device=True, inline="always")
def add_products(total, a_tile, b_tile):
    """total += A B of two tiles, for the rows and columns of a thread"""
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    a_part = cuda.local.array(EACH, float32)
    b_part = cuda.local.array(EACH, float32)
    for inner in range(SIDE):
        for i in range(EACH):
            a_part[i] = a_tile[y + i * SIDE, inner]
            b_part[i] = b_tile[inner, x + i * SIDE]
        for i in range(EACH):
            for j in range(EACH):
                total[i, j] += a_part[i] * b_part[j]


def register_tiled(a, b, c):
    """A thread holds EACH x EACH sums in registers: for 16 products it fetches 8 numbers, not 32.

    Its rows and columns lie SIDE apart, so that neighbours still use neighbours.
    """
    a_tile = cuda.shared.array((EDGE, SIDE), float32)
    b_tile = cuda.shared.array((SIDE, ROW), float32)
    total = cuda.local.array((EACH, EACH), float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    row, column = cuda.blockIdx.y * EDGE + y, cuda.blockIdx.x * EDGE + x
    clear(total, EACH, EACH)
    for k in range(0, a.shape[1], SIDE):
        for i in range(EACH):
            a_tile[y + i * SIDE, x] = element(a, row + i * SIDE, k + x)
            b_tile[y, x + i * SIDE] = element(b, k + y, column + i * SIDE)
        cuda.syncthreads()
        add_products(total, a_tile, b_tile)
        cuda.syncthreads()
    for i in range(EACH):
        for j in range(EACH):
            is_inside = row + i * SIDE < c.shape[0] and column + j * SIDE < c.shape[1]
            if is_inside:
                c[row + i * SIDE, column + j * SIDE] = total[i, j]


# ---- Four numbers at once ------------------------------------------------------------------------

WIDE = 8  # rows and columns of C that a thread computes: two groups of four each
WIDE_EDGE = SIDE * WIDE
THIN = 8  # columns of a tile of A, rows of one of B
GAP = WIDE_EDGE + 4  # numbers from one row of a tile to the next, which puts them in other banks


@cuda.jit(device=True, inline="always")
def four_elements(x, row, column):
    """x[row, column : column + 4] with 0 beyond the edge: by one instruction, where that can be"""
    is_inside = row < x.shape[0] and column < x.shape[1]
    is_aligned = x.shape[1] % 4 == 0  # so that four are inside, or none
    if is_inside and is_aligned:
        return load4(x, (row, column))
    return (
        element(x, row, column),
        element(x, row, column + 1),
        element(x, row, column + 2),
        element(x, row, column + 3),
    )


@cuda.jit(device=True, inline="always")
def fetch_tile(x, k, first, tile):
    """THIN rows of x from k on, and WIDE_EDGE columns: each of 256 threads has a group of four"""
    thread = cuda.threadIdx.y * SIDE + cuda.threadIdx.x
    row, column = thread // 32, thread % 32 * 4
    store4(tile, (row, column), four_elements(x, k + row, first + column))


@cuda.jit(device=True, inline="always")
def fetch_turned(x, k, first, tile):
    """WIDE_EDGE rows of x, and THIN columns from k on, turned over: a column of x is a row there"""
    thread = cuda.threadIdx.y * SIDE + cuda.threadIdx.x
    row, column = thread // 2, thread % 2 * 4
    four = four_elements(x, first + row, k + column)
    for i in range(4):
        tile[column + i, row] = four[i]


@cuda.jit(device=True, inline="always")
def add_wide_products(total, a_tile, b_tile):
    """total += the products of two tiles, for the WIDE rows and columns of a thread"""
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    a_part = cuda.local.array(WIDE, float32)
    b_part = cuda.local.array(WIDE, float32)
    for inner in range(THIN):
        for group in range(2):
            a_four = load4(a_tile, (inner, group * EDGE + y * 4))
            b_four = load4(b_tile, (inner, group * EDGE + x * 4))
            for i in range(4):
                a_part[group * 4 + i] = a_four[i]
                b_part[group * 4 + i] = b_four[i]
        for i in range(WIDE):
            for j in range(WIDE):
                total[i, j] += a_part[i] * b_part[j]


@cuda.jit(device=True, inline="always")
def put_wide(c, first_row, first_column, total):
    """The sums of a thread, to where they belong in C"""
    row, column = first_row + cuda.threadIdx.y * 4, first_column + cuda.threadIdx.x * 4
    is_aligned = c.shape[1] % 4 == 0
    for i in range(WIDE):
        at_row = row + i // 4 * EDGE + i % 4
        for group in range(2):
            at_column = column + group * EDGE
            if is_aligned:
                is_inside = at_row < c.shape[0] and at_column < c.shape[1]
                if is_inside:
                    j = group * 4
                    four = total[i, j], total[i, j + 1], total[i, j + 2], total[i, j + 3]
                    store4(c, (at_row, at_column), four)
            else:
                for j in range(4):
                    is_inside = at_row < c.shape[0] and at_column + j < c.shape[1]
                    if is_inside:
                        c[at_row, at_column + j] = total[i, group * 4 + j]


@cuda.jit(device=True, inline="always")
def multiply_wide(a, fetch_a, b, fetch_b, count, c):
    """Σₖ aᵢₖ bₖⱼ,  k < count,  from tiles of A and B that have THIN of the k each

    A row of a tile has what is needed of one k, so that a thread finds four numbers side by side.
    How to fetch such a tile depends on how the matrix lies: that is what the callers say.
    """
    a_tile = cuda.shared.array((THIN, GAP), float32, ALIGNED)
    b_tile = cuda.shared.array((THIN, GAP), float32, ALIGNED)
    total = cuda.local.array((WIDE, WIDE), float32)
    row, column = cuda.blockIdx.y * WIDE_EDGE, cuda.blockIdx.x * WIDE_EDGE
    clear(total, WIDE, WIDE)
    for k in range(0, count, THIN):
        fetch_a(a, k, row, a_tile)
        fetch_b(b, k, column, b_tile)
        cuda.syncthreads()
        add_wide_products(total, a_tile, b_tile)
        cuda.syncthreads()
    put_wide(c, row, column, total)


def vectorised(a, b, c):
    """A thread holds WIDE x WIDE sums, and takes four numbers by one instruction wherever it can.

    What it needs of one k lies in a row of B, but in a column of A, whose tile is turned over.
    """
    multiply_wide(a, fetch_turned, b, fetch_tile, a.shape[1], c)


def transposed_a(a, b, c):
    """C = Aᵀ B  (k, m), (k, n) -> (m, n), where A lies: its tile needs no turning over"""
    multiply_wide(a, fetch_tile, b, fetch_tile, a.shape[0], c)


def transposed_b(a, b, c):
    """C = A Bᵀ  (m, k), (n, k) -> (m, n), where B lies: both tiles are turned over"""
    multiply_wide(a, fetch_turned, b, fetch_turned, a.shape[1], c)


# ---- Tensor cores --------------------------------------------------------------------------------

TENSOR_EDGE = 64  # rows and columns that a block computes; each of its 4 warps has a quarter
DEEP = 32  # columns of a tile of A, rows of one of B
A_ROW = DEEP + 4  # numbers from one row of a tile to the next, with which
B_ROW = TENSOR_EDGE + 8  # no two lanes want the same bank


@cuda.jit(device=True, inline="always")
def fetch_four(tile, index, x, row, column):
    """Order x[row, column : column + 4], with 0 beyond the edge, for a place in a tile"""
    is_inside = row < x.shape[0] and column < x.shape[1]
    is_aligned = x.shape[1] % 4 == 0
    if is_inside and is_aligned:
        copy_async4(tile, index, x, (row, column))
    else:
        store4(tile, index, four_elements(x, row, column))


@cuda.jit(device=True, inline="always")
def fetch_tiles(a_tile, b_tile, stage, a, b, first_row, k, first_column):
    """Order tiles of A and B: 128 threads, 64 rows with 8 groups of four, 32 rows with 16"""
    thread = cuda.threadIdx.x
    for part in range(4):
        row, column = part * 16 + thread // 8, thread % 8 * 4
        fetch_four(a_tile, (stage, row, column), a, first_row + row, k + column)
        row, column = part * 8 + thread // 16, thread % 16 * 4
        fetch_four(b_tile, (stage, row, column), b, k + row, first_column + column)
    commit_copies()


def tensor_cores(a, b, c):
    """The lanes of a warp multiply small matrices together, by one instruction: `multiply_tf32`.

    Meanwhile the next tiles are on their way: there are two places for each, which take turns. Only
    the first 10 bits behind the point count in A and B; sums are float32.
    """
    a_tile = cuda.shared.array((2, TENSOR_EDGE, A_ROW), float32, ALIGNED)
    b_tile = cuda.shared.array((2, DEEP, B_ROW), float32, ALIGNED)
    total = cuda.local.array((2, 4, 4), float32)  # of 2 x 4 products of (16, 8) and (8, 8)
    first_row, first_column = cuda.blockIdx.y * TENSOR_EDGE, cuda.blockIdx.x * TENSOR_EDGE
    warp, lane = cuda.threadIdx.x // 32, cuda.threadIdx.x % 32
    i, j = lane // 4, lane % 4
    warp_row, warp_column = warp // 2 * 32, warp % 2 * 32
    for y in range(2):
        for x in range(4):
            for part in range(4):
                total[y, x, part] = float32(0)
    fetch_tiles(a_tile, b_tile, 0, a, b, first_row, 0, first_column)
    for k in range(0, a.shape[1], DEEP):
        stage = k // DEEP % 2
        fetch_tiles(a_tile, b_tile, 1 - stage, a, b, first_row, k + DEEP, first_column)
        wait_for_copies(1)  # for all but those ordered last
        cuda.syncthreads()
        for inner in range(0, DEEP, 8):
            for y in range(2):
                row, column = warp_row + y * 16 + i, inner + j
                a_part = (
                    a_tile[stage, row, column],
                    a_tile[stage, row + 8, column],
                    a_tile[stage, row, column + 4],
                    a_tile[stage, row + 8, column + 4],
                )
                for x in range(4):
                    row, column = inner + j, warp_column + x * 8 + i
                    b_part = b_tile[stage, row, column], b_tile[stage, row + 4, column]
                    sums = total[y, x, 0], total[y, x, 1], total[y, x, 2], total[y, x, 3]
                    sums = multiply_tf32(sums, a_part, b_part)
                    for part in range(4):
                        total[y, x, part] = sums[part]
        cuda.syncthreads()
    for y in range(2):
        for x in range(4):
            for part in range(4):
                row = first_row + warp_row + y * 16 + i + part // 2 * 8
                column = first_column + warp_column + x * 8 + j * 2 + part % 2
                is_inside = row < c.shape[0] and column < c.shape[1]
                if is_inside:
                    c[row, column] = total[y, x, part]


# ---- How they are started ------------------------------------------------------------------------


def _edges(edge):
    """Blocks that compute `edge` rows and columns of C each."""
    return lambda a, b, c: (-(-c.shape[1] // edge), -(-c.shape[0] // edge))


LAUNCHES = named(
    *(
        Launch(kernel, block, _edges(edge), (MATRIX, MATRIX, MATRIX))
        for kernel, block, edge in (
            (naive, (SIDE, SIDE), SIDE),
            (coalesced, (SIDE, SIDE), SIDE),
            (tiled, (SIDE, SIDE), SIDE),
            (register_tiled, (SIDE, SIDE), EDGE),
            (vectorised, (SIDE, SIDE), WIDE_EDGE),
            (tensor_cores, (128,), TENSOR_EDGE),
            (transposed_a, (SIDE, SIDE), WIDE_EDGE),
            (transposed_b, (SIDE, SIDE), WIDE_EDGE),
        )
    )
)
LADDER = {name: launch for name, launch in LAUNCHES.items() if "transposed" not in name}
