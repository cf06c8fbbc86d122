"""Convolution and pooling."""

import numpy as np

from ... import reference, windows
from .. import convolution as of_images
from .. import pooling
from ..elementwise import FUNCTIONS
from .activations import pull
from .arguments import covered, flat, matrix, same_shape, start, start_all
from .registry import call


def _windows(shape, size, strides, padding, dilation=(1, 1)):
    """How many windows images of a shape have, and where they lie."""
    count = windows.counts(shape[1:3], size, strides, padding, dilation)
    before = padding[0][0], padding[1][0]
    return count, of_images.Windows(*count, size[1], *strides, *before, *dilation)


def _images_fit(x, weight, groups, activation, *others):
    """Whether a kernel can do it; what does not fit together, the specification names."""
    return (
        covered(x, weight, *others)
        and x.ndim == weight.ndim == 4
        and x.shape[-1] == weight.shape[2] * groups
        and weight.shape[3] % groups == 0
        and all(other.size for other in (x, weight, *others))
        and activation in reference.ACTIVATIONS
    )


def _each_window(y, shape, count, channels):
    """Whether y has a number for each channel of each window, of images of a shape."""
    return y.shape == (shape[0], *count, channels)


@call
def convolution(
    x,
    weight,
    bias=None,
    strides=(1, 1),
    padding=((0, 0), (0, 0)),
    dilation=(1, 1),
    groups=1,
    activation=None,
):
    """y = f(z),  z = A W + b  (n, h, w, c), (kh, kw, c / groups, u), (u,) -> y, z (n, ho, wo, u)"""
    if not _images_fit(x, weight, groups, activation, *([] if bias is None else [bias])):
        return NotImplemented
    if bias is not None and bias.shape != weight.shape[3:]:
        return NotImplemented
    count, places = _windows(x.shape, weight.shape[:2], strides, padding, dilation)
    y = np.empty_like(x, shape=(x.shape[0], *count, weight.shape[-1]))
    z = y if activation in (None, "relu") else np.empty_like(y)
    bias = np.empty_like(x, shape=(0,)) if bias is None else bias
    given = x.aligned(), matrix(weight), flat(bias), places, groups, FUNCTIONS[activation]
    start_all(of_images.LAUNCHES["convolution"], *given, matrix(z), matrix(y))
    return y, z


@call
def convolution_backward(
    g,
    z,
    x,
    weight,
    strides=(1, 1),
    padding=((0, 0), (0, 0)),
    dilation=(1, 1),
    groups=1,
    activation=None,
    needs=(True, True, True),
):
    """dL/dx from dA = h Wᵀ,  dL/dW = Aᵀ h,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db"""
    if not _images_fit(x, weight, groups, activation, g, z):
        return NotImplemented
    count, places = _windows(x.shape, weight.shape[:2], strides, padding, dilation)
    is_alike = activation is None or same_shape(g, z)
    if not (is_alike and _each_window(g, x.shape, count, weight.shape[-1])):
        return NotImplemented
    h = matrix(g if activation is None else pull(activation, g, z))
    dx = dw = None
    if needs[0]:
        dx = np.empty_like(x)
        given = h, matrix(weight), places, groups
        start_all(of_images.LAUNCHES["convolution_images"], *given, dx)
    if needs[1]:
        dw = np.empty_like(weight)
        given = h, x.aligned(), places, groups
        start_all(of_images.LAUNCHES["convolution_weights"], *given, matrix(dw))
    return dx, dw, np.sum(h, axis=0) if needs[2] else None


# ---- Pooling -------------------------------------------------------------------------------------


def _pool(name, x, size, strides, padding):
    """One number for each window of x"""
    if not (covered(x) and x.ndim == 4):
        return NotImplemented
    count, places = _windows(x.shape, size, strides, padding)
    y = np.empty_like(x, shape=(len(x), *count, x.shape[-1]))
    start(pooling.LAUNCHES[name], x.aligned(), places, size[0], y)
    return y


@call
def max_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the largest of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)"""
    return _pool("max_pool", x, size, strides, padding)


@call
def max_pool_backward(g, x, y, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes to the first place of window (i, j) that has the value yᵢⱼ   -> like x"""
    if not (covered(g, x, y) and x.ndim == 4):
        return NotImplemented
    count, places = _windows(x.shape, size, strides, padding)
    if not (_each_window(g, x.shape, count, x.shape[-1]) and same_shape(g, y)):
        return NotImplemented
    given, dx = [array.aligned() for array in (g, x, y)], np.empty_like(x)
    start(pooling.LAUNCHES["max_pool_backward"], *given, places, size[0], dx)
    return dx


@call
def average_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the mean of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)"""
    return _pool("average_pool", x, size, strides, padding)


@call
def average_pool_backward(g, shape, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes in equal shares to all places of window (i, j) that count   -> `shape`"""
    if not (covered(g) and len(shape) == 4):
        return NotImplemented
    count, places = _windows(shape, size, strides, padding)
    if not _each_window(g, shape, count, shape[-1]):
        return NotImplemented
    dx = np.empty_like(g, shape=tuple(shape))
    start(pooling.LAUNCHES["average_pool_backward"], g.aligned(), places, size[0], dx)
    return dx
