"""Functions of each number of an array by itself: activations and their gradients, one pass each.

Which function is meant is a number, so that one loop has to be compiled for all of them.
"""

import numpy as np

from . import activations as f
from .compilation import inlined, integer, read, write
from .loops import alike, share
from .simd import lanes, load_until, store_until
from .threads import threaded

RELU, SIGMOID, SILU, GELU_TANH, GELU, ERF = range(6)
WORK = 10  # multiplications that take as long as one of these functions


@inlined
def value(function, x):
    """f(x)"""
    if function == RELU:
        return f.relu_value(x)
    if function == SIGMOID:
        return f.sigmoid_value(x)
    if function == SILU:
        return f.silu_value(x)
    if function == GELU_TANH:
        return f.gelu_tanh_value(x)
    if function == GELU:
        return f.gelu_value(x)
    return f.erf_value(x)


@inlined
def pull(function, g, x):
    """g f'(x); the first two need y = f(x) in the place of x"""
    if function == RELU:
        return f.relu_pull(g, x)
    if function == SIGMOID:
        return f.sigmoid_pull(g, x)
    if function == SILU:
        return f.silu_pull(g, x)
    if function == GELU_TANH:
        return f.gelu_tanh_pull(g, x)
    return f.gelu_pull(g, x)


@threaded
def _values(function: integer, x: read(1), y: write(1), part: integer, parts: integer):
    """yᵢ = f(xᵢ)"""
    for i in range(*share(x.size, part, parts, lanes(x))):
        store_until(y, i, x.size, value(function, load_until(x, i, x.size, 0)))


@threaded
def _pulls(function: integer, g: read(1), x: read(1), d: write(1), part: integer, parts: integer):
    """dᵢ = gᵢ f'(xᵢ)"""
    for i in range(*share(x.size, part, parts, lanes(x))):
        vector = load_until(g, i, x.size, 0), load_until(x, i, x.size, 0)
        store_until(d, i, x.size, pull(function, vector[0], vector[1]))


def _forward(function, x):
    y = np.empty(x.shape, x.dtype)
    _values(x.dtype, WORK * x.size, function, x.ravel(), y.ravel())
    return y


def _backward(function, g, x):
    if not alike(x, g):
        return NotImplemented
    d = np.empty(x.shape, x.dtype)
    _pulls(x.dtype, WORK * x.size, function, g.ravel(), x.ravel(), d.ravel())
    return d


def erf(x):
    """2/√π ∫₀ˣ exp(-t²) dt of each number"""
    return _forward(ERF, x)


def relu(x):
    """max(x, 0) of each number"""
    return _forward(RELU, x)


def relu_backward(g, y):
    """dL/dx = g where y > 0, else 0"""
    return _backward(RELU, g, y)


def sigmoid(x):
    """σ(x) = 1 / (1 + e⁻ˣ) of each number"""
    return _forward(SIGMOID, x)


def sigmoid_backward(g, y):
    """dL/dx = g y (1 - y)"""
    return _backward(SIGMOID, g, y)


def silu(x):
    """x σ(x) of each number"""
    return _forward(SILU, x)


def silu_backward(g, x):
    """dL/dx = g σ(x) (1 + x (1 - σ(x)))"""
    return _backward(SILU, g, x)


def gelu(x, approximate=False):
    """x Φ(x) of each number, or x (1 + tanh u) / 2, as the reference says"""
    return _forward(GELU_TANH if approximate else GELU, x)


def gelu_backward(g, x, approximate=False):
    """dL/dx = g (Φ(x) + x φ(x)), or the gradient of the approximation"""
    return _backward(GELU_TANH if approximate else GELU, g, x)
