"""Sums and maxima over the threads of a warp or a block.

A warp needs no memory for it: in five steps each lane takes what the lane 16, 8, 4, 2, 1 numbers
away has, and then all have the same. A block puts one number for each thread into shared memory,
and halves their count in each step, with a barrier after it.
"""

import math

from numba import cuda, float32

WARP = 32
ALL_LANES = 0xFFFFFFFF
THREADS = 128  # of a block whose threads reduce together
WARPS = 4  # of a block in which each warp has a row of its own
LOWEST = float32(-3.4028235e38)  # below all numbers but -∞, and its difference to itself is 0


@cuda.jit(device=True, forceinline=True)
def warp_sum(x, lanes=WARP, apart=1):
    """Σ x over the lanes of a warp, or over each `lanes` neighbours of it, for all of them

    apart  a power of 2: over those lanes alone that are so many, or a multiple, away
    """
    distance = lanes // 2
    while distance >= apart:
        x += cuda.shfl_xor_sync(ALL_LANES, x, distance)
        distance //= 2
    return x


@cuda.jit(device=True, forceinline=True)
def warp_max(x, lanes=WARP):
    """max x over them, likewise"""
    distance = lanes // 2
    while distance > 0:
        x = max(x, cuda.shfl_xor_sync(ALL_LANES, x, distance))
        distance //= 2
    return x


def over_block(combine):
    """The device function by which the threads of a block combine their numbers."""

    @cuda.jit(device=True, forceinline=True)
    def combined(x, shared):
        """What all threads of a block have together, for all of them;  shared (THREADS,)"""
        i = cuda.threadIdx.x
        cuda.syncthreads()  # whatever was there, all have read it
        shared[i] = x
        cuda.syncthreads()
        half = THREADS // 2
        while half > 0:
            if i < half:
                shared[i] = combine(shared[i], shared[i + half])
            cuda.syncthreads()
            half //= 2
        return shared[0]

    return combined


@cuda.jit(device=True, inline="always")
def _sum(a, b):
    return a + b


@cuda.jit(device=True, inline="always")
def _larger(a, b):
    return max(a, b)


block_sum, block_max = over_block(_sum), over_block(_larger)


@cuda.jit(device=True, inline="always")
def add_exponential(most, total, x):
    """(m', Σ e^(. - m')) with x among them, m' = max(m, x), from (m, Σ e^(. - m))"""
    larger = max(most, x)
    return larger, total * math.exp(most - larger) + math.exp(x - larger)


@cuda.jit(device=True, forceinline=True)
def warp_sum_of_exponentials(most, total):
    """The same of all lanes of a warp together, for all of them.

    Two lanes bring what they have to the larger of their maxima (Milakov and Gimelshein, 2018).
    """
    distance = WARP // 2
    while distance > 0:
        other = cuda.shfl_xor_sync(ALL_LANES, most, distance)
        other_total = cuda.shfl_xor_sync(ALL_LANES, total, distance)
        larger = max(most, other)
        total = total * math.exp(most - larger) + other_total * math.exp(other - larger)
        most = larger
        distance //= 2
    return most, total
