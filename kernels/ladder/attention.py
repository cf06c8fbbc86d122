"""Six programs for causal attention, from its definition to the kernel that minigrad uses.

Every rung takes q (b, h, t, d), k (b, h, s, d) and v (b, h, s, e) and returns o (b, h, t, e). RUNGS
says of each why it is faster than the one before. There are no fewer keys than queries.
"""

import math

import numba
import numpy as np

from ..cpu.attention import attention
from ..cpu.compilation import inlined, integer, jit, number, read, write
from ..cpu.simd import broadcast, exp, first, fma, lanes, load, maximum, store, where

BLOCK = 128  # queries, so many that the loops over them are worth their vectors
STRIP = 64  # keys


def rung(kernel):
    """A kernel of heads as a function of q, k, v and causal."""

    def run(q, k, v, causal=False):
        o = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
        heads = [x.reshape(-1, *x.shape[2:]) for x in (q, k, v, o)]
        kernel[q.dtype](*heads, 1 / math.sqrt(q.shape[-1]), causal)
        return o

    run.__name__, run.__doc__ = kernel.function.__name__, kernel.function.__doc__
    return run


@inlined
def _seen(i, t, s, causal):
    """How many keys query i sees: with causal, the last query sees all."""
    return min(max(i + s - t + 1, 0), s) if causal else s


@rung
@jit
def by_definition(
    q: read(3), k: read(3), v: read(3), o: write(3), scale: number, causal: integer
):  # fmt: skip
    """z = scale q kᵀ,  p = exp z / Σ exp z,  o = p v"""
    (heads, t, d), s, e = q.shape, k.shape[1], v.shape[2]
    z = np.empty((t, s), q.dtype)
    for h in range(heads):
        for i in range(t):
            for j in range(s):
                z[i, j] = 0
                for c in range(d):
                    z[i, j] += scale * q[h, i, c] * k[h, j, c]
                if j >= _seen(i, t, s, causal):
                    z[i, j] = -np.inf
        for i in range(t):
            z[i] = np.exp(z[i] - np.max(z[i]))
            z[i] /= np.sum(z[i])
        for i in range(t):
            for c in range(e):
                o[h, i, c] = 0
                for j in range(s):
                    o[h, i, c] += z[i, j] * v[h, j, c]


@rung
@jit
def row_by_row(
    q: read(3), k: read(3), v: read(3), o: write(3), scale: number, causal: integer
):  # fmt: skip
    """The same, one query after another: its scores are all that is kept."""
    (heads, t, d), s, e = q.shape, k.shape[1], v.shape[2]
    z = np.empty(s, q.dtype)
    for h in range(heads):
        for i in range(t):
            seen = _seen(i, t, s, causal)
            largest = q.dtype.type(-np.inf)
            for j in range(seen):
                z[j] = 0
                for c in range(d):
                    z[j] += scale * q[h, i, c] * k[h, j, c]
                largest = max(largest, z[j])
            total = q.dtype.type(0)
            o[h, i] = 0
            for j in range(seen):
                p = np.exp(z[j] - largest)
                total += p
                for c in range(e):
                    o[h, i, c] += p * v[h, j, c]
            for c in range(e):
                o[h, i, c] /= total


@rung
@jit
def online(
    q: read(3), k: read(3), v: read(3), o: write(3), scale: number, causal: integer
):  # fmt: skip
    """m' = max(m, max z),  α = exp(m - m'),  p = exp(z - m'),  l' = α l + Σ p,  o' = α o + p v

    for a block of queries, which lie side by side, and a strip of keys; o / l in the end.
    """
    (heads, t, d), s, e = q.shape, k.shape[1], v.shape[2]
    turned_q, turned_o = np.zeros((d, BLOCK), q.dtype), np.empty((e, BLOCK), q.dtype)
    z, m = np.empty((STRIP, BLOCK), q.dtype), np.empty(BLOCK, q.dtype)
    l, alpha = np.empty(BLOCK, q.dtype), np.empty(BLOCK, q.dtype)
    for h in range(heads):
        for i in range(0, t, BLOCK):
            n = min(BLOCK, t - i)
            turned_q[:, :n] = q[h, i : i + n].T
            m[:], l[:], turned_o[:] = -np.inf, 0, 0
            for strip in range(0, _seen(i + n - 1, t, s, causal), STRIP):
                rows = min(STRIP, s - strip)
                for j in range(rows):
                    z[j] = 0
                    for c in range(d):
                        factor = scale * k[h, strip + j, c]
                        for r in range(BLOCK):
                            z[j, r] += factor * turned_q[c, r]
                for r in range(BLOCK):
                    before = m[r]
                    seen = min(rows, _seen(i + r, t, s, causal) - strip)
                    for j in range(seen):
                        m[r] = max(m[r], z[j, r])
                    alpha[r] = np.exp(before - m[r])
                    l[r] *= alpha[r]
                    for j in range(rows):
                        z[j, r] = np.exp(z[j, r] - m[r]) if j < seen else 0
                        l[r] += z[j, r]
                for c in range(e):
                    for r in range(BLOCK):
                        turned_o[c, r] *= alpha[r]
                    for j in range(rows):
                        factor = v[h, strip + j, c]
                        for r in range(BLOCK):
                            turned_o[c, r] += factor * z[j, r]
            o[h, i : i + n] = (turned_o / l)[:, :n].T


@rung
@jit
def vectors(
    q: read(3), k: read(3), v: read(3), o: write(3), scale: number, causal: integer
):  # fmt: skip
    """The same for as many queries as a vector has lanes, in all its instructions."""
    (heads, t, d), s, e, size = q.shape, k.shape[1], v.shape[2], lanes(q)
    turned_q, turned_o = np.zeros((d, size), q.dtype), np.empty((e, size), q.dtype)
    z = np.empty(STRIP * size, q.dtype)
    for h in range(heads):
        for i in range(0, t, size):
            n = min(size, t - i)
            turned_q[:, :n] = q[h, i : i + n].T
            turned_o[:] = 0
            m, l = broadcast(q, -np.inf), broadcast(q, 0)
            for strip in range(0, _seen(i + n - 1, t, s, causal), STRIP):
                rows, largest = min(STRIP, s - strip), m
                for r in range(rows):
                    sums = broadcast(q, 0)
                    for c in range(d):
                        sums = fma(load(turned_q, c * size), k[h, strip + r, c], sums)
                    sums = sums * scale
                    if causal:  # lanes that stand for queries before this key
                        sums = where(first(q, strip + r - (i + s - t)), -np.inf, sums)
                    store(z, r * size, sums)
                    largest = maximum(largest, sums)
                alpha = exp(m - largest)
                m, l = largest, l * alpha
                for r in range(rows):
                    p = exp(load(z, r * size) - m)
                    store(z, r * size, p)
                    l = l + p
                for c in range(e):
                    sums = load(turned_o, c * size) * alpha
                    for r in range(rows):
                        sums = fma(load(z, r * size), v[h, strip + r, c], sums)
                    store(turned_o, c * size, sums)
            for c in range(e):
                store(turned_o, c * size, load(turned_o, c * size) / l)
            o[h, i : i + n] = turned_o[:, :n].T


def tiles(q, k, v, causal=False):
    """`kernels.cpu.attention` with one thread."""
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        return attention(q, k, v, causal=causal)[0]
    finally:
        numba.set_num_threads(threads)


def threads(q, k, v, causal=False):
    """`kernels.cpu.attention` with all threads."""
    return attention(q, k, v, causal=causal)[0]


RUNGS = [
    (
        "by definition",
        by_definition,
        "Three passes over a matrix of t x s scores, which for long texts no cache holds.",
    ),
    (
        "row by row",
        row_by_row,
        "The scores of one query stay in the nearest cache, V is read in the order of memory, and "
        "keys that are hidden cost nothing.",
    ),
    (
        "online softmax",
        online,
        "A strip of K and V serves a block of queries while it is in the cache, for what was "
        "summed under an old maximum can be scaled to the new one; and the queries lie side by "
        "side, so that the compiler can make vectors of the innermost loops.",
    ),
    (
        "vectors",
        vectors,
        "All instructions work on vectors, the exponentials too, and sums stay in registers.",
    ),
    (
        "tiles",
        tiles,
        "A number of K or V that has been loaded meets several vectors of queries, and a vector "
        "several numbers, so that the sums wait neither for memory nor for each other.",
    ),
    (
        "threads",
        threads,
        "Every core takes the next block of queries that nobody has.",
    ),
]
