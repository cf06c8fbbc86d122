"""Sums and maxima over the threads of a warp or a block, and how kernels that work by rows start.

A warp needs no memory for it: in five steps each lane takes what the lane 16, 8, 4, 2, 1 numbers
away has, and then all have the same. A block puts one number for each thread into shared memory,
and halves their count in each step, with a barrier after it.
"""

from typing import NamedTuple

from numba import cuda

WARP = 32
ALL_LANES = 0xFFFFFFFF
THREADS = 128  # of a block whose threads reduce together
WARPS = 4  # of a block in which each warp has a row of its own


@cuda.jit(device=True, inline="always")
def warp_sum(x):
    """Σ x over the lanes of a warp, for all of them"""
    distance = WARP // 2
    while distance > 0:
        x += cuda.shfl_xor_sync(ALL_LANES, x, distance)
        distance //= 2
    return x


@cuda.jit(device=True, inline="always")
def warp_max(x):
    """max x over the lanes of a warp, for all of them"""
    distance = WARP // 2
    while distance > 0:
        x = max(x, cuda.shfl_xor_sync(ALL_LANES, x, distance))
        distance //= 2
    return x


@cuda.jit(device=True, inline="always")
def block_sum(x, shared):
    """Σ x over the threads of a block, for all of them;  shared (THREADS,)"""
    i = cuda.threadIdx.x
    cuda.syncthreads()  # whatever was there, all have read it
    shared[i] = x
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if i < half:
            shared[i] += shared[i + half]
        cuda.syncthreads()
        half //= 2
    return shared[0]


@cuda.jit(device=True, inline="always")
def block_max(x, shared):
    """max x over the threads of a block, for all of them;  shared (THREADS,)"""
    i = cuda.threadIdx.x
    cuda.syncthreads()
    shared[i] = x
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if i < half:
            shared[i] = max(shared[i], shared[i + half])
        cuda.syncthreads()
        half //= 2
    return shared[0]


class OfRows(NamedTuple):
    """A kernel for rows: how many threads a block of it has, and how many rows it takes."""

    kernel: object
    block: tuple
    rows: int

    def grid(self, n):
        """How many blocks n rows take."""
        return (-(-n // self.rows),)
