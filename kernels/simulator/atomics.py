"""What stands for `cuda.atomic`: updates of an element that other threads cannot come between."""

from sys import _getframe

import numpy as np

from .faults import KernelError
from .integers import Whole, whole
from .memory import Recorded

UNSIGNED = {np.dtype(name) for name in ("uint32", "uint64")}
INTEGERS = UNSIGNED | {np.dtype(name) for name in ("int32", "int64")}
NUMBERS = INTEGERS | {np.dtype(name) for name in ("float32", "float64")}


class Atomic:
    """Updates of single elements that come one after the other, in an order that nobody knows.

    Each returns what was there before.
    """

    called = "cuda.atomic"

    def add(self, array, index, value):
        """array[index] += value"""
        return _update(array, index, lambda before: before + _beside(before, value))

    def sub(self, array, index, value):
        """array[index] -= value"""
        return _update(array, index, lambda before: before - _beside(before, value))

    def max(self, array, index, value):
        """array[index] = max(array[index], value)"""
        return _update(array, index, lambda before: max(before, _beside(before, value)))

    def min(self, array, index, value):
        """array[index] = min(array[index], value)"""
        return _update(array, index, lambda before: min(before, _beside(before, value)))

    def nanmax(self, array, index, value):
        """array[index] = max(array[index], value), where a number comes before NaN"""
        return _update(array, index, lambda before: np.fmax(before, value))

    def nanmin(self, array, index, value):
        """array[index] = min(array[index], value), where a number comes before NaN"""
        return _update(array, index, lambda before: np.fmin(before, value))

    def and_(self, array, index, value):
        """array[index] &= value"""
        return _update(array, index, lambda before: before & _like(before, value), INTEGERS)

    def or_(self, array, index, value):
        """array[index] |= value"""
        return _update(array, index, lambda before: before | _like(before, value), INTEGERS)

    def xor(self, array, index, value):
        """array[index] ^= value"""
        return _update(array, index, lambda before: before ^ _like(before, value), INTEGERS)

    def inc(self, array, index, most):
        """array[index] += 1, and 0 after `most`"""
        return _update(array, index, lambda before: 0 if before >= most else before + 1, UNSIGNED)

    def dec(self, array, index, most):
        """array[index] -= 1, and `most` after 0"""
        return _update(
            array, index, lambda before: before - 1 if 0 < before <= most else most, UNSIGNED
        )

    def exch(self, array, index, value):
        """array[index] = value"""
        return _update(array, index, lambda before: _like(before, value), INTEGERS)

    def cas(self, array, index, expected, value):
        """array[index] = value, if the expected value is there"""
        return _update(array, index, _swapping(expected, value), INTEGERS)

    def compare_and_swap(self, array, expected, value):
        """array[0] = value, if the expected value is there"""
        return _update(array, 0, _swapping(expected, value), INTEGERS)


def _swapping(expected, value):
    """A function that puts a value where the expected one is."""

    def swap(before):
        return _like(before, value) if before == _like(before, expected) else before

    return swap


def _like(number, value):
    """A value with the bits that a number has: ~1 for an unsigned one has ones above."""
    return np.asarray(value).astype(number.dtype)


def _beside(number, value):
    """A value as NumPy computes with it: an integer of 64 bits is cut for one that has fewer."""
    return _like(number, value)[()] if isinstance(value, Whole) and _is_whole(number) else value


def _is_whole(number):
    return isinstance(number, (int, np.integer))


def _update(array, index, function, types=NUMBERS):
    dtype = getattr(array, "dtype", None)  # none of a local array, which needs no update either
    if dtype is not None and dtype not in types:
        raise KernelError(
            "does not compile",
            f"{_getframe(1).f_code.co_name} of cuda.atomic is called for an array of {dtype}.",
            f"Numba has it for {', '.join(sorted(map(str, types)))}. Give an array of these.",
            getattr(array, "name", None),
        )
    if isinstance(index, tuple) and len(index) == 1:
        called = _getframe(1).f_code.co_name
        raise KernelError(
            "does not compile",
            f"{called} of cuda.atomic is given the index {index}, a tuple of one number.",
            f"For one axis Numba takes the number itself, as in cuda.atomic.{called}(x, i, value), "
            "and a tuple for several.",
            getattr(array, "name", None),
        )
    if isinstance(array, Recorded):
        return whole(array.update(index, function, _getframe(2)))
    if isinstance(array, np.ndarray):
        array = array.view(np.ndarray)  # which computes with the bits that its elements have
    before = array[index]
    array[index] = function(before)
    return whole(before)
