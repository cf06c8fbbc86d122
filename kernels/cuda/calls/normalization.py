"""Normalization of each row, and its gradients."""

import numpy as np

from .. import normalization
from ..launch import BUSY
from ..reduction import WARP
from .arguments import covered, each_feature, each_row, flat, matrix, same_shape, start
from .registry import call


@call
def layer_norm(x, scale, offset, epsilon):
    """y = scale (x - mean) r + offset   (..., d), (d,), (d,) -> y (..., d), mean, r (..., 1)"""
    if not (x.size and covered(x, scale, offset) and each_feature(x, scale, offset)):
        return NotImplemented
    y, mean, r = np.empty_like(x), _one_for_each_row(x), _one_for_each_row(x)
    given = matrix(x), flat(scale), flat(offset), np.float32(epsilon)
    start(normalization.LAUNCHES["layer_norm"], *given, *map(matrix, (y, mean, r)))
    return y, mean, r


@call
def layer_norm_backward(g, x, mean, r, scale):
    """dL/dx = r (h - mean h - x̂ mean(h x̂)),  h = g scale   -> dx (..., d), dscale, doffset (d,)"""
    if not (x.size and covered(g, x, mean, r, scale)):
        return NotImplemented
    if not (same_shape(x, g) and each_row(x, 1, mean, r) and each_feature(x, scale)):
        return NotImplemented
    dx, dscale, doffset = np.empty_like(x), _parts(x), _parts(x)
    given = [matrix(array) for array in (g, x, mean, r)]
    start(normalization.LAUNCHES["layer_norm_backward"], *given, flat(scale), matrix(dx))
    start(normalization.LAUNCHES["layer_norm_parameters"], *given, dscale, doffset)
    return dx, np.sum(dscale, axis=0), np.sum(doffset, axis=0)


@call
def rms_norm(x, scale, epsilon):
    """y = scale x r,  r = 1/√(mean x² + epsilon)   (..., d), (d,) -> y (..., d), r (..., 1)"""
    if not (x.size and covered(x, scale) and each_feature(x, scale)):
        return NotImplemented
    y, r = np.empty_like(x), _one_for_each_row(x)
    given = matrix(x), flat(scale), np.float32(epsilon)
    start(normalization.LAUNCHES["rms_norm"], *given, matrix(y), matrix(r))
    return y, r


@call
def rms_norm_backward(g, x, r, scale):
    """dL/dx = r (h - x̂ mean(h x̂)),  h = g scale   -> dx (..., d), dscale (d,)"""
    if not (x.size and covered(g, x, r, scale)):
        return NotImplemented
    if not (same_shape(x, g) and each_row(x, 1, r) and each_feature(x, scale)):
        return NotImplemented
    dx, dscale = np.empty_like(x), _parts(x)
    given = [matrix(array) for array in (g, x, r)]
    start(normalization.LAUNCHES["rms_norm_backward"], *given, flat(scale), matrix(dx))
    start(normalization.LAUNCHES["rms_norm_parameters"], *given, dscale)
    return dx, np.sum(dscale, axis=0)


def _one_for_each_row(x):
    return np.empty_like(x, shape=(*x.shape[:-1], 1))


def _parts(x):
    """Room for a gradient of scale or offset in parts, whose sum it is   (..., d) -> (p, d)"""
    d = x.shape[-1]
    return np.empty_like(x, shape=(number_of_parts(x.size // d, d), d))


def number_of_parts(n, d):
    """As many as keep a GPU busy, of 64 rows at least; each is d/32 blocks   (n, d) -> p"""
    return max(1, min(BUSY // -(-d // WARP), n // 64))
