"""`math` as a GPU has it: float32 gives float32, and what Python refuses is what NumPy says of it.

exp(1000) is infinite, log(-1) is NaN, floor(-∞) is -∞; Python raises an error for each.
"""

import math

import numpy as np


class Mathematics:
    """Stands for the module `math` while a kernel is simulated."""

    def __getattr__(self, name):
        thing = getattr(math, name)
        if callable(thing):
            thing = _without_errors(thing)
        setattr(self, name, thing)  # found at once the next time
        return thing


def _without_errors(function):
    def compute(*numbers):
        try:
            result = function(*numbers)
        except (OverflowError, ValueError):
            of_numpy = getattr(np, function.__name__, None)
            result = of_numpy(*map(float, numbers)) if of_numpy else math.nan
        return np.float32(result) if type(numbers[0]) is np.float32 else result

    return compute
