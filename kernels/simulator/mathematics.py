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


def check_is_integer(number, dtype, text):
    """A KernelError if a floating number, as an integer of this type, is none that is meant.

    text   what the kernel says
    """
    limits = np.iinfo(dtype)
    if not limits.min - 1 < float(number) < limits.max + 1:
        raise KernelError(
            "overflow",
            f"{text} is meant, but {dtype.name} has no such number.",
            "A GPU says nothing: it makes 0 or the least integer of NaN, depending on the types, "
            "and the last integer of the range of what lies beyond that. Ask before: only NaN is "
            "not x == x; or keep x in bounds by min and max.",
        )


class Integer:
    """What stands for int32 and the like while a kernel is simulated: a number must fit.

    dtype   of NumPy
    make    what makes such a number
    """

    def __init__(self, dtype, make=None):
        self.dtype, self._limits, self._make = dtype, np.iinfo(dtype), make or dtype.type

    def __call__(self, number):
        least, most = self._limits.min, self._limits.max
        if isinstance(number, (int, np.integer)) and not least <= number <= most:
            raise KernelError(
                "overflow",
                f"{self.dtype.name}({number}) is meant, and goes only from {least} to {most}.",
                f"A GPU keeps the last {self._limits.bits} bits, which are another number, often "
                "a negative one. Indices that are left alone have 64 bits.",
            )
        if isinstance(number, (float, np.floating)):
            check_is_integer(number, self.dtype, f"{self.dtype.name}({number})")
        return self._make(number)
