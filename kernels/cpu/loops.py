"""Loops over memory, in steps of a vector, and what kernels check of their arguments."""

import numpy as np

from .compilation import inlined, integer, jit, read_integers

LINE = 64  # bytes of memory that a processor fetches at a time


@inlined
def share(size, part, parts, step):
    """range's arguments for one of equal parts of 0 .. size, cut at multiples of `step`."""
    steps = (size + step - 1) // step
    return steps * part // parts * step, min(size, steps * (part + 1) // parts * step), step


@inlined
def room(size, x):
    """New memory for numbers of the dtype of x, from the beginning of a line on   (size,)

    A vector of it that lies in two lines would take two loads.
    """
    memory = np.empty(size + LINE // x.itemsize, x.dtype)
    first = -np.int64(memory.ctypes.data) % LINE // x.itemsize
    return memory[first : first + size]


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
