"""Numbers as a GPU has them: functions of float32 give float32, and integers have so many bits.

What Python refuses is what NumPy says of it: exp(1000) is ∞, log(-1) is NaN, floor(-∞) is -∞.
"""

import math

import numpy as np

from .faults import KernelError


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
        if type(numbers[0]) is not np.float32:
            return result
        if isinstance(result, tuple):  # of frexp: a fraction and an exponent
            return np.float32(result[0]), result[1]
        return np.float32(result)

    return compute


class Integer:
    """What stands for int32 and the like while a kernel is simulated: a number must fit.

    dtype   of NumPy
    """

    def __init__(self, dtype):
        self.dtype, self._limits = dtype, np.iinfo(dtype)

    def __call__(self, number):
        least, most = self._limits.min, self._limits.max
        if isinstance(number, (int, np.integer)) and not least <= number <= most:
            raise KernelError(
                "overflow",
                f"{self.dtype.name}({number}) is meant, and goes only from {least} to {most}.",
                f"A GPU keeps the last {self._limits.bits} bits, which are another number, often "
                "a negative one. Indices that are left alone have 64 bits.",
            )
        return self.dtype.type(number)
