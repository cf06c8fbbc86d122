"""What is looked at of a function: nothing but arrays, numbers and texts.

A view calls the function and returns what is compared. Views, and nothing else of the checks, run
where a student's function runs, when it is graded in a process of its own.
"""

import numpy as np


def call(function, *arguments):
    """What the function returns."""
    return function(*arguments)


def rule(function, *arguments):
    """The value of a rule, and dL/d(argument) of L = Σ w · value for every floating argument."""
    value, pullbacks = function(*arguments)
    pullbacks = pullbacks if isinstance(pullbacks, tuple) else (pullbacks,)
    w = weights(value)
    gradients = [
        unbroadcast(pullback(w), x.shape)
        for x, pullback in zip(arguments, pullbacks)
        if is_floating(x)
    ]
    return value, *gradients


def weights(value):
    """Fixed numbers of the shape and dtype of a value, no two of them alike."""
    value = np.asarray(value)
    return np.random.default_rng(0).uniform(0.5, 1.5, value.shape).astype(value.dtype)


def is_floating(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def unbroadcast(d, shape):
    """Sum over the axes along which an input of this shape was repeated, as the engine does."""
    d = np.asarray(d)
    if d.shape == shape or d.ndim < len(shape):
        return d
    d = d.sum(axis=tuple(range(d.ndim - len(shape))))
    repeated = tuple(i for i, n in enumerate(shape) if n == 1)
    return d.sum(axis=repeated, keepdims=True) if repeated else d
