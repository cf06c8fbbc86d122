"""Five programs for C = A B, from its definition to the kernel that minigrad uses.

Every rung takes a (m, k) and b (k, n) and returns c (m, n). RUNGS says of each why it is faster
than the one before.
"""

import numpy as np

from ..cpu.compilation import jit, read, write
from ..cpu.matmul import matmul
from ..cpu.simd import TILE, lanes, narrow_tile

BLOCK = 128  # rows and columns of a block of B: in float32 it is 64 KiB


def rung(kernel):
    """A kernel that writes to c as a function that returns it (decorator)."""

    def run(a, b):
        c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
        kernel[a.dtype](a, np.ascontiguousarray(b), c)
        return c

    run.__name__, run.__doc__ = kernel.function.__name__, kernel.function.__doc__
    return run


@rung
@jit
def naive(a: read(2), b: read(2), c: write(2)):
    """cᵢⱼ = Σₚ aᵢₚ bₚⱼ, one after another"""
    (m, k), n = a.shape, b.shape[1]
    for i in range(m):
        for j in range(n):
            for p in range(k):
                c[i, j] += a[i, p] * b[p, j]


@rung
@jit
def reordered(a: read(2), b: read(2), c: write(2)):
    """The same sums, but a whole row of C grows at once: by aᵢₚ times row p of B."""
    (m, k), n = a.shape, b.shape[1]
    for i in range(m):
        for p in range(k):
            for j in range(n):
                c[i, j] += a[i, p] * b[p, j]


@rung
@jit
def blocked(a: read(2), b: read(2), c: write(2)):
    """The same, for a block of B at a time, with which all rows of A are multiplied."""
    (m, k), n = a.shape, b.shape[1]
    for p in range(0, k, BLOCK):
        for j in range(0, n, BLOCK):
            block = b[p : p + BLOCK, j : j + BLOCK]
            for i in range(m):
                row = c[i, j : j + BLOCK]
                for q in range(block.shape[0]):
                    factor = a[i, p + q]
                    for r in range(block.shape[1]):
                        row[r] += factor * block[q, r]


ROWS, VECTORS = TILE
_tile = narrow_tile(ROWS, VECTORS, start="add")
_row = narrow_tile(1, VECTORS, start="add")


@rung
@jit
def vectorised(a: read(2), b: read(2), c: write(2)):
    """A tile of a few rows and vectors of C after another: see `simd.tile` for its loop over k."""
    (m, k), n = a.shape, b.shape[1]
    a_row, a_k = a.strides[0] // a.itemsize, a.strides[1] // a.itemsize
    width = VECTORS * lanes(c)
    for j in range(0, n, width):
        columns = min(width, n - j)
        for i in range(0, m - ROWS + 1, ROWS):
            _tile(a, i * a_row, a_row, a_k, b, j, n, c, i * n + j, n, k, columns)
        for i in range(m // ROWS * ROWS, m):
            _row(a, i * a_row, a_row, a_k, b, j, n, c, i * n + j, n, k, columns)


def parallel(a, b):
    """The kernel of minigrad.

    It copies strips of B to lie in one piece, too. At 512 x 512 that brings nothing, at 2048 x 2048
    it is another 1.8 times: there the rows of B start so far apart, and so evenly, that all of them
    want the same few places of a cache.
    """
    return matmul(a, b)


RUNGS = [
    ("naive", naive, "The definition: each step reads B a whole row further on in memory."),
    (
        "reordered",
        reordered,
        "The inner loop walks along rows, so that it uses all of a cache line, and adds to many "
        "sums, none of which waits for another.",
    ),
    ("blocked", blocked, "A block of B stays in the cache while all rows of A pass by."),
    ("vectorised", vectorised, "Vectors are multiplied, and their sums stay in registers."),
    (
        "parallel",
        parallel,
        "All cores take blocks of C, and strips of B are copied to lie in one piece.",
    ),
]
