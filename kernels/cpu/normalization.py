"""Layer norm and RMS norm, which is layer norm with the mean taken for 0 and without an offset.

The gradients of scale and offset are sums over all rows. They are summed in blocks of rows that
depend on the shape alone, so that no number of threads changes a bit.
"""

import math

import numpy as np

from . import leaves_to_numpy
from .compilation import inlined, integer, number, read, write
from .loops import alike, share
from .simd import broadcast, fma, lanes, load_until, store_until, total
from .threads import threaded

WORK = 6  # multiplications that take as long as a number of a row
BLOCKS = 64  # of rows, at most,
BLOCK = 16  # and the rows of one, at least


@inlined
def _mean(x, start, end):
    """1/d Σᵢ xᵢ for start <= i < end

    In two sums, for one would make each addition wait for the one before.
    """
    n = lanes(x)
    sums = others = broadcast(x, 0)
    for i in range(start, end, 2 * n):
        sums = sums + load_until(x, i, end, 0)
        others = others + load_until(x, i + n, end, 0)
    return total(sums + others) / (end - start)


@inlined
def _mean_square(x, start, end, mean):
    """1/d Σᵢ (xᵢ - mean)² for start <= i < end"""
    n = lanes(x)
    sums = others = broadcast(x, 0)
    for i in range(start, end, 2 * n):
        centred = load_until(x, i, end, mean) - mean
        sums = fma(centred, centred, sums)
        centred = load_until(x, i + n, end, mean) - mean
        others = fma(centred, centred, others)
    return total(sums + others) / (end - start)


@threaded
def _normalize(
    x: read(1),
    scale: read(1),
    offset: read(1),
    y: write(1),
    means: write(1),
    r: write(1),
    epsilon: number,
    is_centred: integer,
    part: integer,
    parts: integer,
):
    """y = scale (x - mean) r + offset,  r = 1 / √(mean (x - mean)² + epsilon), in each row"""
    d = scale.size
    for start in range(*share(x.size, part, parts, d)):
        row, end = start // d, start + d
        mean = _mean(x, start, end) if is_centred else 0
        factor = 1 / math.sqrt(_mean_square(x, start, end, mean) + epsilon)
        means[row] = mean
        r[row] = factor
        for i in range(0, d, lanes(x)):
            normal = (load_until(x, start + i, end, 0) - mean) * factor
            value = fma(normal, load_until(scale, i, d, 0), load_until(offset, i, d, 0))
            store_until(y, start + i, end, value)


@threaded
def _normalize_pull(
    g: read(1),
    x: read(1),
    means: read(1),
    r: read(1),
    scale: read(1),
    dx: write(1),
    sums: write(3),
    is_centred: integer,
    part: integer,
    parts: integer,
):
    """dx = r (h - mean h - x̂ mean(h x̂)),  h = g scale, in each row;  Σ g x̂ and Σ g of each block

    sums (2, blocks, d)
    """
    d, blocks = scale.size, sums.shape[1]
    rows = x.size // d
    for block in range(*share(blocks, part, parts, 1)):
        scale_sums, offset_sums = block * d, (blocks + block) * d
        for i in range(0, d, lanes(g)):
            store_until(sums, scale_sums + i, scale_sums + d, broadcast(g, 0))
            store_until(sums, offset_sums + i, offset_sums + d, broadcast(g, 0))
        for row in range(*share(rows, block, blocks, 1)):
            start, end = row * d, row * d + d
            mean, factor = means[row] if is_centred else 0, r[row]
            inner = outer = broadcast(g, 0)
            for i in range(0, d, lanes(g)):
                vector = load_until(g, start + i, end, 0)
                normal = (load_until(x, start + i, end, mean) - mean) * factor
                h = vector * load_until(scale, i, d, 0)
                outer = outer + h
                inner = fma(h, normal, inner)
                before = load_until(sums, scale_sums + i, scale_sums + d, 0)
                store_until(sums, scale_sums + i, scale_sums + d, fma(vector, normal, before))
                before = load_until(sums, offset_sums + i, offset_sums + d, 0)
                store_until(sums, offset_sums + i, offset_sums + d, before + vector)
            mean_h = total(outer) / d if is_centred else 0
            mean_product = total(inner) / d
            for i in range(0, d, lanes(g)):
                normal = (load_until(x, start + i, end, mean) - mean) * factor
                h = load_until(g, start + i, end, 0) * load_until(scale, i, d, 0)
                store_until(dx, start + i, end, (h - mean_h - normal * mean_product) * factor)


def _forward(x, scale, offset, epsilon, is_centred):
    """y, means and r"""
    y = np.empty(x.shape, x.dtype)
    means, r = np.empty((2, *x.shape[:-1], 1), x.dtype)
    arrays = [array.ravel() for array in (x, scale, offset, y, means, r)]
    _normalize(x.dtype, WORK * x.size, *arrays, epsilon, is_centred)
    return y, means, r


def _backward(g, x, means, r, scale, is_centred):
    """dx, dscale and doffset"""
    blocks = min(BLOCKS, (r.size + BLOCK - 1) // BLOCK)
    sums = np.empty((2, blocks, scale.size), x.dtype)
    dx = np.empty(x.shape, x.dtype)
    arrays = [array.ravel() for array in (g, x, means, r, scale, dx)]
    _normalize_pull(x.dtype, WORK * x.size, *arrays, sums, is_centred)
    return dx, np.sum(sums[0], axis=0), np.sum(sums[1], axis=0)


def _has_rows(x, *rows):
    """Whether x is (..., d), d > 0, and the others are (d,) and of its dtype."""
    for row in rows:
        if type(row) is not np.ndarray or row.dtype != x.dtype or row.shape != x.shape[-1:]:
            return False
    return x.ndim > 0 and x.shape[-1] > 0


def _are_statistics(x, *arrays):
    """Whether the arrays are (..., 1) for x (..., d), and of its dtype."""
    return alike(x, *arrays, shape=False) and all(
        [array.shape == (*x.shape[:-1], 1) for array in arrays]
    )


_NOT_COVERED = "several dtypes, scales that are no row of numbers"


@leaves_to_numpy(_NOT_COVERED)
def layer_norm(x, scale, offset, epsilon):
    """y = scale (x - mean) r + offset   (..., d), (d,), (d,) -> y (..., d), mean, r (..., 1)"""
    if not _has_rows(x, scale, offset):
        return NotImplemented
    return _forward(x, scale, offset, epsilon, True)


@leaves_to_numpy(_NOT_COVERED)
def layer_norm_backward(g, x, mean, r, scale):
    """dL/dx = r (h - mean h - x̂ mean(h x̂)),  h = g scale   -> dx (..., d), dscale, doffset (d,)"""
    if not (_has_rows(x, scale) and alike(g, x) and _are_statistics(x, mean, r)):
        return NotImplemented
    return _backward(g, x, mean, r, scale, True)


@leaves_to_numpy(_NOT_COVERED)
def rms_norm(x, scale, epsilon):
    """y = scale x r,  r = 1/√(mean x² + epsilon)   (..., d), (d,) -> y (..., d), r (..., 1)"""
    if not _has_rows(x, scale):
        return NotImplemented
    y, _, r = _forward(x, scale, np.zeros_like(scale), epsilon, False)
    return y, r


@leaves_to_numpy(_NOT_COVERED)
def rms_norm_backward(g, x, r, scale):
    """dL/dx = r (h - x̂ mean(h x̂)),  h = g scale   -> dx (..., d), dscale (d,)"""
    if not (_has_rows(x, scale) and alike(g, x) and _are_statistics(x, r)):
        return NotImplemented
    return _backward(g, x, r, r, scale, False)[:2]
