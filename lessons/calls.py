"""How a function is called that is looked at: it returns nothing but arrays, numbers and texts.

When a student's function is graded in a process of its own, this runs there, beside it. So nothing
here may be of help with an exercise.
"""

import numpy as np


def call(function, *arguments):
    """What the function returns."""
    return function(*arguments)


def pull(function, *arguments):
    """The value of a rule, and what its pullbacks give for every floating argument, with g = w."""
    value, pullbacks = function(*arguments)
    pullbacks = pullbacks if isinstance(pullbacks, tuple) else (pullbacks,)
    w = weights(value)
    pairs = zip(arguments, pullbacks)
    return value, *(np.asarray(pullback(w)) for x, pullback in pairs if is_floating(x))


def weights(value):
    """Fixed numbers of the shape and dtype of a value, no two of them alike."""
    value = np.asarray(value)
    return np.random.default_rng(0).uniform(0.5, 1.5, value.shape).astype(value.dtype)


def is_floating(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"
