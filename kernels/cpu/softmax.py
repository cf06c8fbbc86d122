"""Softmax and its kin, row by row: a row stays in the cache from one pass over it to the next.

A row is taken in vectors. What lies beyond its end counts as -∞, whose exponential is 0, where
exponentials are summed.
"""

import math

import numpy as np

from . import leaves_to_numpy, simd
from .compilation import inlined, integer, read, read_integers, write
from .loops import alike, are_within, share
from .simd import (
    broadcast,
    elementwise,
    lanes,
    largest,
    load_until,
    maximum,
    store_first,
    store_until,
    total,
    where,
)
from .threads import threaded

WORK = 10  # multiplications that take as long as a number of a row


@elementwise
def _exp(z):
    """eᶻ for z <= 0"""
    return simd.exp2(z * simd.LOG2_E)


@inlined
def _largest(x, start, end):
    """maxᵢ xᵢ for start <= i < end, NaN where one is"""
    most = broadcast(x, -math.inf)
    missing = broadcast(x, 0)
    for i in range(start, end, lanes(x)):
        vector = load_until(x, i, end, -math.inf)
        most = maximum(vector, most)
        missing = where(vector == vector, missing, vector)
    return largest(most) + total(missing)


@inlined
def _sum_of_exponentials(x, start, end, shift):
    """Σᵢ exp(xᵢ - shift) for start <= i < end"""
    sums = broadcast(x, 0)
    for i in range(start, end, lanes(x)):
        sums = sums + _exp(load_until(x, i, end, -math.inf) - shift)
    return total(sums)


# ---- Softmax -------------------------------------------------------------------------------------


@threaded
def _softmax(x: read(1), y: write(1), c: integer, part: integer, parts: integer):
    """yᵢ = exp xᵢ / Σⱼ exp xⱼ in each row of c numbers"""
    for start in range(*share(x.size, part, parts, c)):
        end = start + c
        shift = _largest(x, start, end)
        sums = broadcast(x, 0)
        for i in range(start, end, lanes(x)):
            e = _exp(load_until(x, i, end, -math.inf) - shift)
            sums = sums + e
            store_until(y, i, end, e)
        factor = 1 / total(sums)
        for i in range(start, end, lanes(x)):
            store_until(y, i, end, load_until(y, i, end, 0) * factor)


@threaded
def _softmax_pull(g: read(1), p: read(1), d: write(1), c: integer, part: integer, parts: integer):
    """dᵢ = pᵢ (gᵢ - Σⱼ gⱼ pⱼ) in each row"""
    for start in range(*share(g.size, part, parts, c)):
        end = start + c
        sums = broadcast(g, 0)
        for i in range(start, end, lanes(g)):
            sums = simd.fma(load_until(g, i, end, 0), load_until(p, i, end, 0), sums)
        inner = total(sums)
        for i in range(start, end, lanes(g)):
            x = load_until(p, i, end, 0) * (load_until(g, i, end, 0) - inner)
            store_until(d, i, end, x)


@threaded
def _log_softmax(x: read(1), y: write(1), c: integer, part: integer, parts: integer):
    """yᵢ = xᵢ - log Σⱼ exp xⱼ in each row"""
    for start in range(*share(x.size, part, parts, c)):
        end = start + c
        shift = _largest(x, start, end)
        log = math.log(_sum_of_exponentials(x, start, end, shift))
        for i in range(start, end, lanes(x)):
            store_until(y, i, end, load_until(x, i, end, 0) - shift - log)


@threaded
def _log_softmax_pull(
    g: read(1), y: read(1), d: write(1), c: integer, part: integer, parts: integer
):
    """dᵢ = gᵢ - exp(yᵢ) Σⱼ gⱼ in each row"""
    for start in range(*share(g.size, part, parts, c)):
        end = start + c
        sums = broadcast(g, 0)
        for i in range(start, end, lanes(g)):
            sums = sums + load_until(g, i, end, 0)
        whole = total(sums)
        for i in range(start, end, lanes(g)):
            x = load_until(g, i, end, 0) - _exp(load_until(y, i, end, 0)) * whole
            store_until(d, i, end, x)


def _is_last(axis, x):
    return axis in (-1, x.ndim - 1) and x.ndim > 0


def _rowwise(kernel, x, *others):
    """Call kernel(x, *others, result, c) with all arrays flat."""
    result = np.empty(x.shape, x.dtype)
    arrays = [array.ravel() for array in (x, *others, result)]
    if x.size:
        kernel(x.dtype, WORK * x.size, *arrays, x.shape[-1])
    return result


@leaves_to_numpy("other axes than the last")
def softmax(x, axis=-1):
    """pᵢ = exp xᵢ / Σⱼ exp xⱼ along the last axis   (..., c) -> (..., c)"""
    return _rowwise(_softmax, x) if _is_last(axis, x) else NotImplemented


@leaves_to_numpy("other axes than the last")
def softmax_backward(g, p, axis=-1):
    """dL/dxᵢ = pᵢ (gᵢ - Σⱼ gⱼ pⱼ)   (..., c), (..., c) -> (..., c)"""
    if _is_last(axis, g) and alike(g, p):
        return _rowwise(_softmax_pull, g, p)
    return NotImplemented


@leaves_to_numpy("other axes than the last")
def log_softmax(x, axis=-1):
    """yᵢ = xᵢ - log Σⱼ exp xⱼ along the last axis   (..., c) -> (..., c)"""
    return _rowwise(_log_softmax, x) if _is_last(axis, x) else NotImplemented


@leaves_to_numpy("other axes than the last")
def log_softmax_backward(g, y, axis=-1):
    """dL/dxᵢ = gᵢ - exp(yᵢ) Σⱼ gⱼ   (..., c), (..., c) -> (..., c)"""
    if _is_last(axis, g) and alike(g, y):
        return _rowwise(_log_softmax_pull, g, y)
    return NotImplemented


# ---- Cross-entropy -------------------------------------------------------------------------------


@threaded
def _cross_entropy(
    logits: read(2),
    labels: read_integers(1),
    losses: write(1),
    norms: write(2),
    part: integer,
    parts: integer,
):
    """lᵢ = log Σⱼ exp zᵢⱼ - zᵢ[yᵢ]   (n, c), (n,) -> (n,)"""
    n, c = logits.shape
    for row in range(*share(n, part, parts, 1)):
        start = row * c
        shift = _largest(logits, start, start + c)
        log = math.log(_sum_of_exponentials(logits, start, start + c, shift))
        losses[row] = log - (logits[row, labels[row]] - shift)
        norms[row, 0] = shift
        norms[row, 1] = log


@threaded
def _cross_entropy_pull(
    g: read(1),
    logits: read(2),
    norms: read(2),
    labels: read_integers(1),
    d: write(2),
    part: integer,
    parts: integer,
):
    """dᵢⱼ = gᵢ (pᵢⱼ - [j = yᵢ])   (n,), (n, c), (n, 2), (n,) -> (n, c)"""
    n, c = logits.shape
    for row in range(*share(n, part, parts, 1)):
        start, end = row * c, row * c + c
        for i in range(start, end, lanes(d)):
            z = load_until(logits, i, end, 0) - norms[row, 0] - norms[row, 1]
            store_until(d, i, end, _exp(z) * g[row])
        z = logits[row, labels[row]] - norms[row, 0] - norms[row, 1]
        store_first(d, start + labels[row], (_exp(broadcast(d, z)) - 1) * g[row], 1)


@leaves_to_numpy("logits that are no matrix, labels that are wrong")
def cross_entropy(logits, labels):
    """lᵢ = -log softmax(zᵢ)[yᵢ]   (n, c), integers (n,) -> losses (n,), norms (n, 2)"""
    labels = _as_labels(labels, logits)
    if labels is None:
        return NotImplemented
    losses = np.empty(len(logits), logits.dtype)
    norms = np.empty((len(logits), 2), logits.dtype)
    arrays = np.ascontiguousarray(logits), labels, losses, norms
    _cross_entropy(logits.dtype, WORK * logits.size, *arrays)
    return losses, norms


@leaves_to_numpy("logits that are no matrix, labels that are wrong")
def cross_entropy_backward(g, logits, norms, labels):
    """dL/dzᵢⱼ = gᵢ (pᵢⱼ - [j = yᵢ])   (n,), (n, c), (n, 2), (n,) -> (n, c)"""
    if g.ndim != 1 or not alike(g, logits, norms, shape=False):
        return NotImplemented
    labels = _as_labels(labels, logits)
    if labels is None or len(logits) != len(g) or norms.shape != (len(g), 2):
        return NotImplemented
    d = np.empty(logits.shape, logits.dtype)
    arrays = g, np.ascontiguousarray(logits), norms, labels, d
    _cross_entropy_pull(g.dtype, WORK * d.size, *arrays)
    return d


def _as_labels(labels, logits):
    """The labels (n,) as int64, if each row of logits has one from 0 to c - 1; else None"""
    if logits.ndim != 2 or type(labels) is not np.ndarray or labels.dtype.kind not in "iu":
        return None
    if labels.shape != (len(logits),):
        return None
    labels = labels.astype(np.int64, copy=False)
    return labels if are_within[logits.dtype](labels, 0, logits.shape[1]) else None
