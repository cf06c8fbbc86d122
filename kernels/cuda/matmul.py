"""Products of matrices on a GPU: a ladder, on which each kernel mends what slows the one before.

    naive            each thread computes one element of C, and reads all that it needs itself
    coalesced        the same, but threads that are neighbours read numbers that are neighbours
    tiled            a block fetches tiles of A and B once, for all of its threads
    register_tiled   a thread computes 4 x 4 elements: each number that it fetches serves 4 times
    vectorised       8 x 8 elements, and four numbers are fetched by one instruction
    double_buffered  while a tile is multiplied, the next one is on its way: there are two places
    tensor_cores     the same, and a warp multiplies small matrices at once, in TF32

All compute C = A B,  (m, k), (k, n) -> (m, n), of float32, in rows without gaps that begin at a
multiple of 16 bytes, of any size. `LAUNCHES` says how each is started. What layers need, Aᵀ B,
A Bᵀ, batches, a bias and an activation, is made of the same parts in `gemm`.
"""

from typing import NamedTuple

from numba import cuda, float32

from .launch import MATRIX, TARGETS, Launch, named
from .ptx import (
    ALIGNED,
    commit_copies,
    copy_async4,
    load4,
    load_matrices,
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

WIDE = 8  # rows and columns of C that a thread computes, in groups of four
WIDE_EDGE = SIDE * WIDE
TILE = 1024  # numbers: four for each thread
THIN = TILE // WIDE_EDGE  # columns of a tile of A, rows of one of B
GAP = WIDE_EDGE + 4  # numbers from one row of a tile to the next, which puts them in other banks


class Operand(NamedTuple):
    """What tiles are fetched from: A or B, as it lies."""

    matrix: object  # (rows, columns)
    is_turned: bool  # it has a column for each k, not a row, so that its tile is turned over
    stop: int  # the row before which it ends
    first_k: int  # where its k begin
    first: int  # row or column of the tile that is not of a k


@cuda.jit(device=True, inline="always")
def four_elements(x, stop, row, column):
    """x[row, column : column + 4], with 0 beyond the edge and from row `stop` on

    By one instruction, where that can be.
    """
    is_inside = row < stop and column < x.shape[1]
    is_aligned = x.shape[1] % 4 == 0  # so that four are inside, or none
    if is_inside and is_aligned:
        return load4(x, (row, column))
    row = row if is_inside else x.shape[0]  # which is beyond the edge
    return (
        element(x, row, column),
        element(x, row, column + 1),
        element(x, row, column + 2),
        element(x, row, column + 3),
    )


@cuda.jit(device=True, inline="always")
def put_element(x, row, column, number):
    """x[row, column] = number, unless the column is beyond the edge"""
    if column < x.shape[1]:
        x[row, column] = number


@cuda.jit(device=True, inline="always")
def put_four(x, stop, row, column, four):
    """x[row, column : column + 4] = four, as far as x goes, and if the row is before `stop`"""
    is_inside = row < stop and column < x.shape[1]
    is_aligned = x.shape[1] % 4 == 0
    if is_inside and is_aligned:
        store4(x, (row, column), four)
    elif is_inside:
        put_element(x, row, column, four[0])
        put_element(x, row, column + 1, four[1])
        put_element(x, row, column + 2, four[2])
        put_element(x, row, column + 3, four[3])


@cuda.jit(device=True, inline="always")
def in_turned(edge):
    """The row of x, and the first of four columns, that a thread has in a tile of columns

    A warp has two groups of four in each of 16 rows: so no two lanes use a bank of a tile.
    """
    thread = cuda.threadIdx.y * SIDE + cuda.threadIdx.x
    return thread // 2 % edge, (thread // (2 * edge) * 2 + thread % 2) * 4


@cuda.jit(device=True, inline="always")
def in_straight(edge):
    """The row of x, and the first of four columns, that a thread has in a tile of rows"""
    four = 4 * (cuda.threadIdx.y * SIDE + cuda.threadIdx.x)
    return four // edge, four % edge


@cuda.jit(device=True, forceinline=True)
def fetch(of, k, edge):
    """Four numbers of an Operand, for a tile of TILE / edge k, from k on, with `edge` of each"""
    if of.is_turned:
        row, column = in_turned(edge)
        return four_elements(of.matrix, of.stop, of.first + row, of.first_k + k + column)
    row, column = in_straight(edge)
    return four_elements(of.matrix, of.stop, of.first_k + k + row, of.first + column)


@cuda.jit(device=True, forceinline=True)
def put_in_tile(tile, place, of, four, edge):
    """What `fetch` has brought, to a place of a tile (places, k, edge): a row for each k"""
    if of.is_turned:
        row, column = in_turned(edge)
        for i in range(4):
            tile[place, column + i, row] = four[i]
    else:
        row, column = in_straight(edge)
        store4(tile, (place, row, column), four)


@cuda.jit(device=True, forceinline=True)
def add_wide_products(total, a_tile, b_tile, place, wide):
    """total += the products of two tiles, for the wide x wide elements of a thread"""
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    a_part = cuda.local.array(wide, float32)
    b_part = cuda.local.array(wide, float32)
    for inner in range(TILE // (SIDE * wide)):
        for group in range(wide // 4):
            a_four = load4(a_tile, (place, inner, group * EDGE + y * 4))
            b_four = load4(b_tile, (place, inner, group * EDGE + x * 4))
            for i in range(4):
                a_part[group * 4 + i] = a_four[i]
                b_part[group * 4 + i] = b_four[i]
        for i in range(wide):
            for j in range(wide):
                total[i, j] += a_part[i] * b_part[j]


@cuda.jit(device=True, forceinline=True)
def put_wide(c, stop, first_row, first_column, total, wide):
    """The sums of a thread, to where they belong in C"""
    row, column = first_row + cuda.threadIdx.y * 4, first_column + cuda.threadIdx.x * 4
    for i in range(wide):
        at_row = row + i // 4 * EDGE + i % 4
        for group in range(wide // 4):
            j = group * 4
            four = total[i, j], total[i, j + 1], total[i, j + 2], total[i, j + 3]
            put_four(c, stop, at_row, column + group * EDGE, four)


def vectorised(a, b, c):
    """A thread holds WIDE x WIDE sums, and takes four numbers by one instruction wherever it can.

    What it needs of one k lies in a row of B, but in a column of A, whose tile is turned over.
    """
    a_tile = cuda.shared.array((1, THIN, GAP), float32, ALIGNED)
    b_tile = cuda.shared.array((1, THIN, GAP), float32, ALIGNED)
    total = cuda.local.array((WIDE, WIDE), float32)
    row, column = cuda.blockIdx.y * WIDE_EDGE, cuda.blockIdx.x * WIDE_EDGE
    of_a = Operand(a, True, a.shape[0], 0, row)
    of_b = Operand(b, False, b.shape[0], 0, column)
    clear(total, WIDE, WIDE)
    for k in range(0, a.shape[1], THIN):
        put_in_tile(a_tile, 0, of_a, fetch(of_a, k, WIDE_EDGE), WIDE_EDGE)
        put_in_tile(b_tile, 0, of_b, fetch(of_b, k, WIDE_EDGE), WIDE_EDGE)
        cuda.syncthreads()
        add_wide_products(total, a_tile, b_tile, 0, WIDE)
        cuda.syncthreads()
    put_wide(c, c.shape[0], row, column, total, WIDE)


# ---- The next tile, meanwhile --------------------------------------------------------------------


@cuda.jit(device=True, forceinline=True)
def multiply_ahead(total, of_a, of_b, count, wide, thin, gap):
    """total = Σₖ aᵢₖ bₖⱼ,  k < count,  for the wide x wide elements of a thread

    Numbers of the next tiles are asked for before these are multiplied, and go to the other place
    of a tile after that. So nobody waits for memory, and one barrier is enough: at it the next
    tiles are complete, and all have done with these.
    """
    a_tile = cuda.shared.array((2, thin, gap), float32, ALIGNED)
    b_tile = cuda.shared.array((2, thin, gap), float32, ALIGNED)
    edge = SIDE * wide
    clear(total, wide, wide)
    put_in_tile(a_tile, 0, of_a, fetch(of_a, 0, edge), edge)
    put_in_tile(b_tile, 0, of_b, fetch(of_b, 0, edge), edge)
    cuda.syncthreads()
    for k in range(0, count, thin):
        place = k // thin % 2
        a_four, b_four = fetch(of_a, k + thin, edge), fetch(of_b, k + thin, edge)
        add_wide_products(total, a_tile, b_tile, place, wide)
        put_in_tile(a_tile, 1 - place, of_a, a_four, edge)
        put_in_tile(b_tile, 1 - place, of_b, b_four, edge)
        cuda.syncthreads()


def double_buffered(a, b, c):
    """Tiles have two places, which take turns: one is multiplied, and one is filled meanwhile."""
    total = cuda.local.array((WIDE, WIDE), float32)
    row, column = cuda.blockIdx.y * WIDE_EDGE, cuda.blockIdx.x * WIDE_EDGE
    of_a = Operand(a, True, a.shape[0], 0, row)
    of_b = Operand(b, False, b.shape[0], 0, column)
    multiply_ahead(total, of_a, of_b, a.shape[1], WIDE, THIN, GAP)
    put_wide(c, c.shape[0], row, column, total, WIDE)


# ---- Tensor cores --------------------------------------------------------------------------------

TENSOR_EDGE = 128  # rows and columns that a block computes; each of its 4 warps has a quarter
TENSOR_THREADS = 128
DEEP = 16  # columns of a tile of A, rows of one of B
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
        store4(tile, index, four_elements(x, x.shape[0], row, column))


@cuda.jit(device=True, forceinline=True)
def fetch_tiles(a_tile, b_tile, place, a, b, first_row, k, first_column):
    """Order tiles of A, 128 rows with 4 groups of four, and of B, 16 rows with 32 of them"""
    warp, lane = cuda.threadIdx.x // 32, cuda.threadIdx.x % 32
    for part in range(4):
        row, column = part * 32 + warp * 8 + lane % 8, lane // 8 * 4
        fetch_four(a_tile, (place, row, column), a, first_row + row, k + column)
        row, column = part * 4 + warp, lane * 4
        fetch_four(b_tile, (place, row, column), b, k + row, first_column + column)
    commit_copies()


@cuda.jit(device=True, forceinline=True)
def add_small_products(total, a_tile, b_tile, place, first_row, first_column):
    """total += the products of two tiles, for the 64 rows and columns of a warp

    Each step takes 8 k: 4 matrices (16, 8) of A, and 8 matrices (8, 8) of B.
    """
    lane = cuda.threadIdx.x % 32
    i, j = lane // 4, lane % 4
    b_part = cuda.local.array((8, 2), float32)
    for k in range(0, DEEP, 8):
        for x in range(8):
            column = first_column + x * 8 + i
            b_part[x, 0] = b_tile[place, k + j, column]
            b_part[x, 1] = b_tile[place, k + j + 4, column]
        for y in range(4):
            row, column = first_row + y * 16 + lane % 16, k + lane // 16 * 4
            a_part = load_matrices(a_tile, (place, row, column))
            for x in range(8):
                sums = total[y, x, 0], total[y, x, 1], total[y, x, 2], total[y, x, 3]
                sums = multiply_tf32(sums, a_part, (b_part[x, 0], b_part[x, 1]))
                for part in range(4):
                    total[y, x, part] = sums[part]


def tensor_cores(a, b, c):
    """The lanes of a warp multiply small matrices together, by one instruction: `multiply_tf32`.

    Copies are on their way to the other places of the tiles meanwhile, and no register holds them.
    Only the first 10 bits behind the point count in A and B; sums are float32.
    """
    a_tile = cuda.shared.array((2, TENSOR_EDGE, A_ROW), float32, ALIGNED)
    b_tile = cuda.shared.array((2, DEEP, B_ROW), float32, ALIGNED)
    total = cuda.local.array((4, 8, 4), float32)  # of 4 x 8 products of (16, 8) and (8, 8)
    first_row, first_column = cuda.blockIdx.y * TENSOR_EDGE, cuda.blockIdx.x * TENSOR_EDGE
    warp, lane = cuda.threadIdx.x // 32, cuda.threadIdx.x % 32
    warp_row, warp_column = warp // 2 * 64, warp % 2 * 64
    for y in range(4):
        for x in range(8):
            for part in range(4):
                total[y, x, part] = float32(0)
    fetch_tiles(a_tile, b_tile, 0, a, b, first_row, 0, first_column)
    for k in range(0, a.shape[1], DEEP):
        place = k // DEEP % 2
        fetch_tiles(a_tile, b_tile, 1 - place, a, b, first_row, k + DEEP, first_column)
        wait_for_copies(1)  # for all but those ordered last
        cuda.syncthreads()
        add_small_products(total, a_tile, b_tile, place, warp_row, warp_column)
        cuda.syncthreads()
    for y in range(4):
        for x in range(8):
            for part in range(4):
                row = first_row + warp_row + y * 16 + lane // 4 + part // 2 * 8
                column = first_column + warp_column + x * 8 + lane % 4 * 2 + part % 2
                is_inside = row < c.shape[0] and column < c.shape[1]
                if is_inside:
                    c[row, column] = total[y, x, part]


# ---- How they are started ------------------------------------------------------------------------


def _edges(edge):
    """Blocks that compute `edge` rows and columns of C each."""
    return lambda a, b, c: (-(-c.shape[1] // edge), -(-c.shape[0] // edge))


LAUNCHES = named(
    *(
        Launch(kernel, block, _edges(edge), (MATRIX, MATRIX, MATRIX), targets)
        for kernel, block, edge, targets in (
            (naive, (SIDE, SIDE), SIDE, TARGETS),
            (coalesced, (SIDE, SIDE), SIDE, TARGETS),
            (tiled, (SIDE, SIDE), SIDE, TARGETS),
            (register_tiled, (SIDE, SIDE), EDGE, TARGETS),
            (vectorised, (SIDE, SIDE), WIDE_EDGE, TARGETS),
            (double_buffered, (SIDE, SIDE), WIDE_EDGE, TARGETS),
            (tensor_cores, (TENSOR_THREADS,), TENSOR_EDGE, TARGETS[1:]),  # for copy_async4
        )
    )
)
