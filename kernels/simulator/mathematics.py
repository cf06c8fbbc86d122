"""Numbers as a GPU has them: functions of float32 give float32, and integers have so many bits.

What Python refuses is what NumPy says of it: exp(1000) is ∞, log(-1) is NaN, floor(-∞) is -∞. What
Numba does not compile for a GPU, of `math` and of NumPy, is told.
"""

import math

import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from .faults import KernelError
from .integers import Unsigned, Whole, kind_of, wrapped

_NO_MATH = {
    *("cbrt", "comb", "dist", "factorial", "fsum", "gcd", "isclose", "isqrt", "lcm", "perm"),
    *("prod", "sumprod", "ulp"),
}
_NO_NUMPY = {  # {function: what does the same in a kernel}
    **{
        name: f"math.{name}(x)"
        for name in ("ceil", "exp", "exp2", "expm1", "fabs", "floor", "log1p", "sqrt", "trunc")
    },
    **{name: f"math.{name}(x)" for name in ("isfinite", "isinf")},
    **dict.fromkeys(("copysign", "fmod", "nextafter"), "math.fmod(x, y) and the like"),
    **dict.fromkeys(("abs", "absolute"), "abs(x)"),
    **dict.fromkeys(("around", "rint", "round"), "round(x)"),
    **dict.fromkeys(("power", "float_power"), "x ** y"),
    **dict.fromkeys(("add", "subtract", "multiply", "negative", "positive"), "x + y and the like"),
    **dict.fromkeys(("mod", "remainder"), "x % y"),
    **dict.fromkeys(("square", "reciprocal"), "x * x, or 1 / x"),
    **dict.fromkeys(("where", "sign", "heaviside", "signbit"), "a if x > 0 else b"),
    "floor_divide": "x // y",
    **dict.fromkeys(("cbrt", "clip", "spacing"), "min(max(x, low), high) and the like"),
    **dict.fromkeys(
        (
            *("amax", "amin", "cumsum", "dot", "matmul", "max", "min", "outer", "sort"),
            *("concatenate", "reshape", "stack", "transpose", "unique"),
        ),
        "a loop over indices",
    ),
    **dict.fromkeys(
        ("arange", "array", "empty", "full", "linspace", "ones", "zeros", "zeros_like"),
        "cuda.local.array(4, float32), and write to each element",
    ),
}


_RANDOM = "an array of random numbers, which the program fills before it launches the kernel"
_NO_MODULES = {"random": _RANDOM, "time": "what is to be timed outside of the kernel"}


class Mathematics:
    """Stands for the module `math` while a kernel is simulated."""

    def __getattr__(self, name):
        if name in _NO_MATH:
            raise _lacking(f"math.{name}", "operators and loops")
        thing = getattr(math, name)
        if callable(thing):
            thing = _without_errors(thing)
        setattr(self, name, thing)  # found at once the next time
        return thing


class NumPy:
    """Stands for the module `numpy` while a kernel is simulated."""

    def __getattr__(self, name):
        if name in _NO_NUMPY or name == "random":
            raise _lacking(f"np.{name}", _NO_NUMPY.get(name, _RANDOM))
        thing = number_type(getattr(np, name))
        setattr(self, name, thing)
        return thing


class Absent:
    """Stands for a module of which a kernel can use nothing: random or time."""

    names = frozenset(_NO_MODULES)

    def __init__(self, module):
        self._name = module

    def __getattr__(self, name):
        raise _lacking(f"{self._name}.{name}", _NO_MODULES[self._name])


def _lacking(function, instead):
    return KernelError(
        "does not compile",
        f"{function} is no function for a kernel:",
        f"Numba does not compile it for a GPU. Take {instead}.",
    )


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

    An unsigned type takes all, and keeps their last bits, for there nothing else can be meant:
    uint32(-1) is 32 ones.

    dtype            of NumPy
    make             what makes such a number
    keeps_last_bits  whether a type with a sign does so as well, of a number of 64 bits
    """

    def __init__(self, dtype, make=None, keeps_last_bits=False):
        self.dtype, self.make = dtype, make or kind_of(dtype)
        self._keeps_last_bits = keeps_last_bits
        limits = np.iinfo(dtype)
        self._bits, self._least, self._most = limits.bits, int(limits.min), int(limits.max)

    def __call__(self, number):
        if self.make is int and isinstance(number, Whole):
            return +number  # of 64 bits, as it is
        if type(number) is not int or not self._least <= number <= self._most:
            number = self.fit(number, lambda: f"{self.dtype.name}({number})")
        return self.make(number)

    def fit(self, number, text):
        """A number that this type has. A KernelError if the number that is given is meant as none.

        text   a function: what the kernel says
        """
        if isinstance(number, (float, np.floating)):
            check_is_integer(number, self.dtype, text())
            return number
        if self._least <= int(number) <= self._most:
            return number
        if self.dtype.kind == "u":
            return int(number) & self._most
        if (
            isinstance(number, (Unsigned, np.uint64))
            and self._least <= wrapped(int(number)) <= self._most
        ):
            return wrapped(int(number))  # 5 - 100 of uint8 is a uint64, and means -95
        if self._keeps_last_bits and isinstance(number, Whole):
            return np.asarray(number).astype(self.dtype)
        raise KernelError(
            "overflow",
            f"{text()} is meant, and {self.dtype.name} goes only from {self._least} to "
            f"{self._most}.",
            f"A GPU keeps the last {self._bits} bits, which are another number, often a negative "
            "one. Leave an index alone, which has 64 bits then; or keep the number in bounds by "
            "min and max.",
        )


_INTEGERS = {dtype.type: Integer(dtype) for dtype in map(np.dtype, np.typecodes["AllInteger"])}
PLAIN_INT = Integer(np.dtype(np.int64), int)  # what int(x) gives


def number_type(value):
    """A type of Numba's or NumPy's as a function that makes numbers of it; any other value as is"""
    if isinstance(value, types.Type):
        value = as_dtype(value).type
    return _INTEGERS.get(value, value) if isinstance(value, type) else value
