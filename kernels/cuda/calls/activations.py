"""Functions of each number, and their gradients."""

import math

import numpy as np

from .. import elementwise
from ..elementwise import FUNCTIONS
from .arguments import covered, flat, same_shape, start
from .registry import CALLS


def _value(name, x):
    """f(x) of each number"""
    if not covered(x):
        return NotImplemented
    y = np.empty_like(x)
    start(elementwise.LAUNCHES["value"], flat(x), FUNCTIONS[name], y.reshape(-1))
    return y


def pull(name, g, x):
    """g f'(x) of each number, from what the forward pass keeps: y for relu and sigmoid, else x"""
    if not (covered(g, x) and same_shape(g, x)):
        return NotImplemented
    dx = np.empty_like(g)
    start(elementwise.LAUNCHES["pull"], flat(g), flat(x), FUNCTIONS[name], dx.reshape(-1))
    return dx


def _gelu(approximate):
    return "gelu_tanh" if approximate else "gelu"


CALLS |= {
    "relu": lambda x: _value("relu", x),
    "relu_backward": lambda g, y: pull("relu", g, y),
    "sigmoid": lambda x: _value("sigmoid", x),
    "sigmoid_backward": lambda g, y: pull("sigmoid", g, y),
    "silu": lambda x: _value("silu", x),
    "silu_backward": lambda g, x: pull("silu", g, x),
    "gelu": lambda x, approximate=False: _value(_gelu(approximate), x),
    "gelu_backward": lambda g, x, approximate=False: pull(_gelu(approximate), g, x),
    "erf": lambda x: x.device.apply(math.erf, (x.dtype,), x.dtype, (x,), None),
}
