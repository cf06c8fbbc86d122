"""Loops over memory, in steps of a vector, and what kernels check of their arguments."""

import numpy as np

from .compilation import inlined, integer, jit, read_integers
from .simd import lanes, load, load_first_or, store, store_first


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


@jit
def are_within(numbers: read_integers(1), first: integer, last: integer):
    """Whether all numbers are from first to last - 1."""
    for x in numbers:  # noqa: SIM110 (Numba knows no generators)
        if not first <= x < last:
            return False
    return True


def alike(x, *others, shape=True):
    """Whether the others are arrays of the dtype of x, and of its shape."""
    for other in others:
        if type(other) is not np.ndarray or other.dtype != x.dtype:
            return False
        if shape and other.shape != x.shape:
            return False
    return True
