"""The steps of optimizers in one pass over memory: every number is read and written once.

What a method does to a vector of numbers is a few lines; all around them is the same loop. The
parameter is multiplied by `shrink` = 1 - rate λ first. 1 - ρ and its like come as arguments,
since float32 has no ρ so near to 1 that its difference from 1 would be exact.

Adam reads m and v before it writes either. Large arrays begin at like places of their pages, and a
processor that compares no more than these would let a read of v wait for the write of m before it.
"""

import math

import numpy as np

from ..reference import FADED
from . import leaves_to_numpy
from .compilation import inlined, integer, number, read, write
from .loops import alike, share
from .simd import elementwise, fma, lanes, load_until, maximum, spread, sqrt, store_until
from .threads import threaded

WORK = 4  # multiplications that take as long as one number


@inlined
def _move(parameter, i, shrink, change):
    """θ ← shrink θ - change   for the vector at place i"""
    theta = load_until(parameter, i, parameter.size, 0) * shrink
    store_until(parameter, i, parameter.size, theta - change)


@elementwise
def _remembered(memory, ratio, news):
    """ratio m + news, and 0 where that is less than 2⁻¹²⁶: see `reference._remember`"""
    m = memory.fma(ratio, news)
    return m.constant(0).where(m.intrinsic("fabs").compare("<", FADED), m)


@threaded
def _sgd(
    parameter: write(1),
    gradient: read(1),
    velocity: write(1),
    rate: number,
    momentum: number,
    nesterov: integer,
    shrink: number,
    part: integer,
    parts: integer,
):
    """v ← μ v + g,   θ ← θ - rate v, or θ - rate (g + μ v)"""
    n = parameter.size
    for i in range(*share(n, part, parts, lanes(parameter))):
        change = g = load_until(gradient, i, n, 0)
        if velocity.size > 0:
            v = _remembered(load_until(velocity, i, n, 0), momentum, g)
            store_until(velocity, i, n, v)
            change = fma(v, momentum, g) if nesterov else v
        _move(parameter, i, shrink, change * rate)


@threaded
def _rmsprop(
    parameter: write(1),
    gradient: read(1),
    squares: write(1),
    means: write(1),
    velocity: write(1),
    rate: number,
    rho: number,
    rest: number,
    momentum: number,
    epsilon: number,
    shrink: number,
    part: integer,
    parts: integer,
):
    """v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√(v - m²) + ε),   θ ← θ - rate u;   rest = 1 - ρ"""
    n = parameter.size
    for i in range(*share(n, part, parts, lanes(parameter))):
        g = load_until(gradient, i, n, 0)
        v = _remembered(load_until(squares, i, n, 0), rho, g * g * rest)
        store_until(squares, i, n, v)
        if means.size > 0:
            m = _remembered(load_until(means, i, n, 0), rho, g * rest)
            store_until(means, i, n, m)
            v = maximum(0, v - m * m)
        change = g / (sqrt(v) + epsilon)
        if velocity.size > 0:
            change = _remembered(load_until(velocity, i, n, 0), momentum, change)
            store_until(velocity, i, n, change)
        _move(parameter, i, shrink, change * rate)


@threaded
def _adagrad(
    parameter: write(1),
    gradient: read(1),
    accumulator: write(1),
    rate: number,
    epsilon: number,
    shrink: number,
    part: integer,
    parts: integer,
):
    """a ← a + g²,   θ ← θ - rate g / (√a + ε)"""
    n = parameter.size
    for i in range(*share(n, part, parts, lanes(parameter))):
        g = load_until(gradient, i, n, 0)
        a = fma(g, g, load_until(accumulator, i, n, 0))
        store_until(accumulator, i, n, a)
        _move(parameter, i, shrink, g * rate / (sqrt(a) + epsilon))


@threaded
def _adam(
    parameter: write(1),
    gradient: read(1),
    scale: read(1),
    m: write(1),
    v: write(1),
    rate: number,
    beta_1: number,
    rest_1: number,
    beta_2: number,
    rest_2: number,
    epsilon: number,
    shrink: number,
    part: integer,
    parts: integer,
):
    """m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m / (√v + ε)

    g is the gradient times scale[0].
    """
    n, factor = parameter.size, spread(scale, 0)
    for i in range(*share(n, part, parts, lanes(parameter))):
        g = load_until(gradient, i, n, 0) * factor
        mean = _remembered(load_until(m, i, n, 0), beta_1, g * rest_1)
        mean_square = _remembered(load_until(v, i, n, 0), beta_2, g * g * rest_2)
        store_until(m, i, n, mean)
        store_until(v, i, n, mean_square)
        _move(parameter, i, shrink, mean * rate / (sqrt(mean_square) + epsilon))


_NOT_COVERED = "arrays that are not one row of numbers, end to end; rates that are arrays"


def _can_be_walked(rate, gradient, parameter, *state):
    """Whether all are alike, 1-d, end to end and apart, so that a kernel may walk through them."""
    if isinstance(rate, np.ndarray) or np.may_share_memory(gradient, parameter):
        return False
    written = parameter, *state
    if gradient.ndim != 1 or not gradient.flags.c_contiguous or not alike(gradient, *written):
        return False
    return all([array.flags.carray for array in written])


def _given(*arrays):
    return [array for array in arrays if array is not None]


def _or_empty(array, parameter):
    """The array, or for None, which a kernel cannot take, one without numbers."""
    return parameter[:0] if array is None else array


@leaves_to_numpy(_NOT_COVERED)
def sgd(parameter, gradient, velocity, rate, momentum=0.0, nesterov=False, decay=0.0):
    """v ← μ v + g,   θ ← θ - rate v;   with nesterov θ ← θ - rate (g + μ v)   all (n,), in place"""
    if momentum and velocity is None:
        return NotImplemented
    velocity = velocity if momentum else None
    if not _can_be_walked(rate, gradient, parameter, *_given(velocity)):
        return NotImplemented
    arrays = parameter, gradient, _or_empty(velocity, parameter)
    numbers = rate, momentum, nesterov, 1 - rate * decay
    _sgd(parameter.dtype, WORK * parameter.size, *arrays, *numbers)


@leaves_to_numpy(_NOT_COVERED)
def rmsprop(parameter, gradient, v, m, velocity, rate, rho, momentum, epsilon, decay=0.0):
    """v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√v + ε),   θ ← θ - rate u   all (n,), in place"""
    if not _can_be_walked(rate, gradient, parameter, v, *_given(m, velocity)):
        return NotImplemented
    arrays = parameter, gradient, v, _or_empty(m, parameter), _or_empty(velocity, parameter)
    numbers = rate, rho, 1 - rho, momentum, epsilon, 1 - rate * decay
    _rmsprop(parameter.dtype, WORK * parameter.size, *arrays, *numbers)


@leaves_to_numpy(_NOT_COVERED)
def adagrad(parameter, gradient, accumulator, rate, epsilon, decay=0.0):
    """a ← a + g²,   θ ← θ - rate g / (√a + ε)   all (n,), in place"""
    if not _can_be_walked(rate, gradient, parameter, accumulator):
        return NotImplemented
    arrays = parameter, gradient, accumulator
    _adagrad(parameter.dtype, WORK * parameter.size, *arrays, rate, epsilon, 1 - rate * decay)


@leaves_to_numpy(_NOT_COVERED)
def adam(parameter, gradient, m, v, rate, beta_1, beta_2, epsilon, step, decay=0.0, scale=None):
    """m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m̂ / (√v̂ + ε)   all (n,)"""
    scale = np.ones(1, parameter.dtype) if scale is None else scale
    is_one = alike(parameter, scale, shape=False) and scale.shape == (1,)
    if not (is_one and _can_be_walked(rate, gradient, parameter, m, v)):
        return NotImplemented
    root = math.sqrt(1 - beta_2**step)  # see the reference
    scaled = rate * root / (1 - beta_1**step), epsilon * root
    numbers = scaled[0], beta_1, 1 - beta_1, beta_2, 1 - beta_2, scaled[1], 1 - rate * decay
    arrays = parameter, gradient, scale, m, v
    _adam(parameter.dtype, WORK * parameter.size, *arrays, *numbers)
