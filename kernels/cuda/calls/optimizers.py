"""Steps of optimizers, in place."""

import math

import numpy as np

from .. import optimizers
from .arguments import covered, flat, same_shape
from .registry import call


def _fit(*arrays):
    """Whether a kernel can change all of these in their places. None is no array."""
    arrays = [x for x in arrays if x is not None]
    return covered(*arrays) and same_shape(*arrays) and all(x.aligned() is x for x in arrays)


def _flat(parameter, *others):
    """The same, each in one row; one of no numbers stands for None."""
    parameter = flat(parameter)
    return parameter, *(parameter[:0] if x is None else flat(x) for x in others)


def _shrink(rate, decay):
    return np.float32(1 - rate * decay)


@call
def sgd(parameter, gradient, velocity, rate, momentum=0.0, nesterov=False, decay=0.0):
    """v ← μ v + g,   θ ← θ - rate v;   with nesterov θ ← θ - rate (g + μ v)   in place"""
    arrays = parameter, gradient, velocity if momentum else None
    if not _fit(*arrays):
        return NotImplemented
    numbers = np.float32(rate), np.float32(momentum), int(nesterov), _shrink(rate, decay)
    return _update("sgd", *_flat(*arrays), *numbers)


@call
def rmsprop(parameter, gradient, v, m, velocity, rate, rho, momentum, epsilon, decay=0.0):
    """v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√v + ε),   θ ← θ - rate u   in place"""
    arrays = parameter, gradient, v, m, velocity
    if not _fit(*arrays):
        return NotImplemented
    numbers = map(np.float32, (rate, rho, 1 - rho, momentum, epsilon))
    return _update("rmsprop", *_flat(*arrays), *numbers, _shrink(rate, decay))


@call
def adagrad(parameter, gradient, accumulator, rate, epsilon, decay=0.0):
    """a ← a + g²,   θ ← θ - rate g / (√a + ε)   in place"""
    arrays = parameter, gradient, accumulator
    if not _fit(*arrays):
        return NotImplemented
    numbers = np.float32(rate), np.float32(epsilon), _shrink(rate, decay)
    return _update("adagrad", *map(flat, arrays), *numbers)


@call
def adam(parameter, gradient, m, v, rate, beta_1, beta_2, epsilon, step, decay=0.0, scale=None):
    """m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m̂ / (√v̂ + ε)   in place"""
    scale = parameter.device.operand(1, parameter.dtype).reshape(1) if scale is None else scale
    if not (_fit(parameter, gradient, m, v) and _fit(scale) and scale.shape == (1,)):
        return NotImplemented
    root = math.sqrt(1 - beta_2**step)
    numbers = rate * root / (1 - beta_1**step), beta_1, 1 - beta_1, beta_2, 1 - beta_2
    arrays = map(flat, (parameter, gradient, scale, m, v))
    numbers = map(np.float32, (*numbers, epsilon * root))
    return _update("adam", *arrays, *numbers, _shrink(rate, decay))


def _update(name, parameter, *arguments):
    parameter.check_writeable()
    if parameter.size:
        optimizers.LAUNCHES[name](parameter.device.launch, parameter, *arguments)
