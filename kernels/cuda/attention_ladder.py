"""Attention on a GPU before it became one pass: two steps of a ladder, each for a lesson.

    by_definition   a thread has a query, and keeps all of its scores in global memory: a matrix of
                    t s numbers for each head, written once and read three times
    tiled           a block of 16 queries meets the keys 16 by 16 in shared memory; the scores are
                    computed twice, once for maximum and sum and once for the result, and not kept

`attention.forward` is the third: it computes the scores once and does not keep them either, since
what was summed too early can be made smaller later. Arguments are those of `attention.forward`
without dropout; heads have at most 128 features. `LAUNCHES` says how each is started.
"""

import math

from numba import cuda, float32

from .attention import NOTHING, feature, seen_by_block, sees
from .launch import HEADS, INTEGER, MASK, MATRIX, NUMBER, Launch, named, rows_of_heads
from .reduction import LOWEST, add_exponential, warp_max, warp_sum

THREADS = 128  # of a block whose threads have a query each
SIDE = 16  # queries of a block, and keys of a tile
WIDTH = 128  # features of a tile,
EACH = WIDTH // SIDE  # of which a thread has so many
ROW = WIDTH + 4  # numbers from one row of a tile to the next, so that they use other banks


@cuda.jit(device=True, inline="always")
def put_norms(norms, row, most, total):
    """The largest score of a query and log Σ exp of the others less it; NaN where a score is"""
    norms[row, 0] = most + float32(0) * total if total != 0 else NOTHING
    norms[row, 1] = math.log(total)


def by_definition(q, k, v, scale, causal, mask, scores, o, norms):
    """z = scale q kᵀ,  p = exp(z - max z) / Σ exp(z - max z),  o = p v;   scores (b, h, t, s)"""
    query = cuda.blockIdx.x * THREADS + cuda.threadIdx.x
    head, example = cuda.blockIdx.y, cuda.blockIdx.z
    kv_head = head // (q.shape[1] // k.shape[1])
    t, s = q.shape[2], k.shape[2]
    is_inside = query < t
    if is_inside:
        most, total = LOWEST, float32(0)
        for key in range(s):
            z = LOWEST
            is_seen = sees(query, key, t, s, causal, mask, example)
            if is_seen:
                z = float32(0)
                for i in range(q.shape[3]):
                    z += q[example, head, query, i] * k[example, kv_head, key, i]
                z *= scale
                most = max(most, z)
            scores[example, head, query, key] = z
        for key in range(s):
            z = scores[example, head, query, key]
            p = float32(0) if z == LOWEST else math.exp(z - most)
            total += p
            scores[example, head, query, key] = p
        for i in range(v.shape[3]):
            weighed = float32(0)
            for key in range(s):
                weighed += scores[example, head, query, key] * v[example, kv_head, key, i]
            o[example, head, query, i] = weighed / total if total != 0 else float32(0)
        put_norms(norms, (example * q.shape[1] + head) * t + query, most, total)


@cuda.jit(device=True, inline="always")
def fetch(tile, x, example, head, first):
    """SIDE rows of a head, with 0 beyond the edge"""
    for i in range(0, WIDTH, SIDE):
        column = i + cuda.threadIdx.x
        row = first + cuda.threadIdx.y
        tile[cuda.threadIdx.y, column] = feature(x, example, head, row, column)


@cuda.jit(device=True, inline="always")
def score(q_tile, k_tile, features):
    """The product of row y of the queries and row x of the keys"""
    z = float32(0)
    for i in range(features):
        z += q_tile[cuda.threadIdx.y, i] * k_tile[cuda.threadIdx.x, i]
    return z


def tiled(q, k, v, scale, causal, mask, o, norms):
    """Thread (x, y) has query y, and of each tile key x; of the result every SIDE-th number."""
    q_tile = cuda.shared.array((SIDE, ROW), float32)
    tile = cuda.shared.array((SIDE, ROW), float32)
    weights = cuda.shared.array((SIDE, SIDE), float32)
    sums = cuda.local.array(EACH, float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    first, head, example = cuda.blockIdx.x * SIDE, cuda.blockIdx.y, cuda.blockIdx.z
    kv_head, query = head // (q.shape[1] // k.shape[1]), first + y
    t, s = q.shape[2], k.shape[2]
    end = seen_by_block(first + SIDE, t, s, causal)
    fetch(q_tile, q, example, head, first)
    most, total = LOWEST, float32(0)
    for strip in range(0, end, SIDE):
        fetch(tile, k, example, kv_head, strip)
        cuda.syncthreads()
        is_seen = sees(query, strip + x, t, s, causal, mask, example)
        if is_seen:
            most, total = add_exponential(most, total, scale * score(q_tile, tile, q.shape[3]))
        cuda.syncthreads()
    larger = warp_max(most, SIDE)
    total = warp_sum(total * math.exp(most - larger), SIDE)
    for i in range(EACH):
        sums[i] = float32(0)
    for strip in range(0, end, SIDE):
        fetch(tile, k, example, kv_head, strip)
        cuda.syncthreads()
        is_seen = sees(query, strip + x, t, s, causal, mask, example)
        z = scale * score(q_tile, tile, q.shape[3])
        weights[y, x] = math.exp(z - larger) if is_seen else float32(0)
        cuda.syncthreads()
        fetch(tile, v, example, kv_head, strip)
        cuda.syncthreads()
        for key in range(SIDE):
            for i in range(EACH):
                sums[i] += weights[y, key] * tile[key, i * SIDE + x]
        cuda.syncthreads()
    for i in range(EACH):
        column = i * SIDE + x
        is_inside = query < t and column < v.shape[3]
        if is_inside:
            o[example, head, query, column] = sums[i] / total if total != 0 else float32(0)
    is_first = x == 0 and query < t
    if is_first:
        put_norms(norms, (example * q.shape[1] + head) * t + query, larger, total)


_GIVEN = HEADS, HEADS, HEADS, NUMBER, INTEGER, MASK
LAUNCHES = named(
    Launch(by_definition, (THREADS,), rows_of_heads(THREADS), (*_GIVEN, HEADS, HEADS, MATRIX)),
    Launch(tiled, (SIDE, SIDE), rows_of_heads(SIDE), (*_GIVEN, HEADS, MATRIX)),
)
