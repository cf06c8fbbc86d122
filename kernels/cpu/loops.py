"""Loops over memory: in steps of a vector, and shared by threads.

    @threaded
    def double(x: read(1), y: write(1), parts: integer):
        for part in prange(parts):
            for i in range(*share(x.size, part, parts, lanes(x))):
                store_until(y, i, x.size, 2 * load_until(x, i, x.size, 0))

    double(x.dtype, x.size, x, y)     # the dtype, the work, the arguments but for `parts`

This is for loops whose turns do not depend on each other: then it does not matter for the bits of
a result where the parts begin, and each thread gets one part.
"""

from types import FunctionType

import numpy as np

from . import threads
from .compilation import inlined, jit
from .simd import lanes, load, load_first_or, store, store_first


class threaded:
    """A kernel whose last parameter is a number of parts, compiled for one thread and for many."""

    def __init__(self, function):
        self.__doc__ = function.__doc__
        self.alone = jit(function)
        # Numba keeps what it has compiled by name, and would take one of the two for the other.
        name = f"{function.__name__}_shared"
        twin = FunctionType(function.__code__, function.__globals__, name)
        twin.__qualname__, twin.__annotations__ = name, function.__annotations__
        self.together = jit(twin, parallel=True)

    def __call__(self, dtype, work, *arguments):
        """Run it with as many threads as the work, counted in multiplications, is worth."""
        parts = threads.count(work)
        if parts == 1:
            return self.alone[dtype](*arguments, 1)
        return threads.shared(self.together[dtype], *arguments, parts)


@inlined
def share(size, part, parts, step):
    """range's arguments for one of equal parts of 0 .. size, cut at multiples of `step`."""
    steps = (size + step - 1) // step
    return steps * part // parts * step, min(size, steps * (part + 1) // parts * step), step


@inlined
def load_until(a, i, end, other):
    """a[i], a[i + 1], ... as a vector; from a[end] on nothing is read, and lanes are `other`"""
    n = end - i
    return load(a, i) if n >= lanes(a) else load_first_or(a, i, n, other)


@inlined
def store_until(a, i, end, x):
    """a[i], a[i + 1], ... = the lanes of x, but nothing from a[end] on"""
    n = end - i
    if n >= lanes(a):
        store(a, i, x)
    else:
        store_first(a, i, x, n)


def alike(x, *others, shape=True):
    """Whether the others are arrays of the dtype of x, and of its shape."""
    for other in others:
        if type(other) is not np.ndarray or other.dtype != x.dtype:
            return False
        if shape and other.shape != x.shape:
            return False
    return True
