"""Softmax on a GPU: a ladder, on which each kernel mends what slows the one before.

    by_thread   a thread has a row: neighbours read numbers that lie a row apart
    by_block    a block has a row: neighbours read neighbours, and meet in shared memory
    by_warp     a warp has a row: its lanes exchange numbers without memory and without barriers
    online      maximum and sum are found in the same pass: the row is read twice, not three times

All compute p = softmax(x) along the rows,  x (n, c) -> p (n, c), of float32. `backward` computes
dL/dx. `LAUNCHES` says how each is started.
"""

import math

from numba import cuda, float32

from .launch import MATRIX, Launch, named, rows
from .reduction import (
    LOWEST,
    THREADS,
    WARP,
    WARPS,
    add_exponential,
    block_max,
    block_sum,
    warp_max,
    warp_sum,
    warp_sum_of_exponentials,
)


def by_thread(x, p):
    """pᵢ = exp(xᵢ - m) / Σⱼ exp(xⱼ - m),  m = maxⱼ xⱼ, by the definition."""
    row = cuda.grid(1)
    is_inside = row < x.shape[0]
    if is_inside:
        most = LOWEST
        for i in range(x.shape[1]):
            most = max(most, x[row, i])
        total = float32(0)
        for i in range(x.shape[1]):
            total += math.exp(x[row, i] - most)
        for i in range(x.shape[1]):
            p[row, i] = math.exp(x[row, i] - most) / total


def by_block(x, p):
    """Each thread of a block takes every THREADS-th number of a row."""
    shared = cuda.shared.array(THREADS, float32)
    row, first = cuda.blockIdx.x, cuda.threadIdx.x
    most = LOWEST
    for i in range(first, x.shape[1], THREADS):
        most = max(most, x[row, i])
    most = block_max(most, shared)
    total = float32(0)
    for i in range(first, x.shape[1], THREADS):
        total += math.exp(x[row, i] - most)
    total = block_sum(total, shared)
    for i in range(first, x.shape[1], THREADS):
        p[row, i] = math.exp(x[row, i] - most) / total


def by_warp(x, p):
    """Each lane of a warp takes every 32nd number of a row; WARPS rows make a block."""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < x.shape[0]  # for all lanes of a warp, or for none
    if is_inside:
        most = LOWEST
        for i in range(lane, x.shape[1], WARP):
            most = max(most, x[row, i])
        most = warp_max(most)
        total = float32(0)
        for i in range(lane, x.shape[1], WARP):
            total += math.exp(x[row, i] - most)
        total = warp_sum(total)
        for i in range(lane, x.shape[1], WARP):
            p[row, i] = math.exp(x[row, i] - most) / total


def online(x, p):
    """Whenever the maximum grows, the sum so far is brought to the new one:  Σ e^(m - m')."""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < x.shape[0]
    if is_inside:
        most, total = LOWEST, float32(0)
        for i in range(lane, x.shape[1], WARP):
            most, total = add_exponential(most, total, x[row, i])
        most, total = warp_sum_of_exponentials(most, total)
        for i in range(lane, x.shape[1], WARP):
            p[row, i] = math.exp(x[row, i] - most) / total


def backward(g, p, dx):
    """dL/dxᵢ = pᵢ (gᵢ - Σⱼ gⱼ pⱼ)"""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < p.shape[0]
    if is_inside:
        inner = float32(0)
        for i in range(lane, p.shape[1], WARP):
            inner += g[row, i] * p[row, i]
        inner = warp_sum(inner)
        for i in range(lane, p.shape[1], WARP):
            dx[row, i] = p[row, i] * (g[row, i] - inner)


LAUNCHES = named(
    Launch(by_thread, (THREADS,), rows(THREADS), (MATRIX, MATRIX)),
    Launch(by_block, (THREADS,), rows(1), (MATRIX, MATRIX)),
    Launch(by_warp, (WARP, WARPS), rows(WARPS), (MATRIX, MATRIX)),
    Launch(online, (WARP, WARPS), rows(WARPS), (MATRIX, MATRIX)),
    Launch(backward, (WARP, WARPS), rows(WARPS), (MATRIX, MATRIX, MATRIX)),
)
LADDER = {name: launch for name, launch in LAUNCHES.items() if name != "backward"}
