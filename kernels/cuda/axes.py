"""Sums, extremes and running totals along axes of arrays of any shape.

    by_thread   a thread has an element of the result, and goes through all that belong to it
    by_block    a block has one: its threads share what belongs to it, and meet in shared memory
    place_of    where along the axis the extreme is, by a thread as above
    running     the totals so far, of a line by a thread

A result is found in the same order each time, so that no bit changes from run to run. The arrays
that kernels read have four axes: two that stay and two that go, joined from all there are.
"""

import functools
import math

import numpy as np
from numba import cuda, int64
from numba.np.numpy_support import from_dtype

from .reduction import THREADS, over_block
from .ufuncs import function_of, joined

LONG = 512  # from so many summands on, the threads of a block share them


def start_of(ufunc, dtype):
    """The number that changes no other: 0 for a sum, -∞ for the larger of two."""
    if ufunc is np.add:
        return dtype.type(0)
    if ufunc is np.multiply:
        return dtype.type(1)
    if ufunc in (np.logical_and, np.logical_or):
        return dtype.type(ufunc is np.logical_and)
    if dtype.kind == "b":
        return dtype.type(ufunc is np.minimum)
    sign = -1 if ufunc is np.maximum else 1
    if dtype.kind == "f":
        return dtype.type(sign * math.inf)
    limits = np.iinfo(dtype)
    return dtype.type(limits.min if sign < 0 else limits.max)


@functools.cache
def kernels_of(ufunc, dtype, source):
    """by_thread, by_block and running, for a ufunc of two numbers of a dtype.

    source  the dtype of the numbers that are read
    """
    kind, start = from_dtype(dtype), start_of(ufunc, dtype)
    f = function_of(ufunc, kind)
    of_block = over_block(f)
    cast = _cast(kind, from_dtype(source))

    def by_thread(y, x):
        for row in range(cuda.grid(1), y.shape[0], cuda.gridsize(1)):
            i, j = row // x.shape[1], row % x.shape[1]
            total = start
            for k in range(x.shape[2]):
                for m in range(x.shape[3]):
                    total = f(total, cast(x[i, j, k, m]))
            y[row] = total

    def by_block(y, x):
        shared = cuda.shared.array(THREADS, kind)
        thread, row = cuda.threadIdx.x, cuda.blockIdx.x
        i, j = row // x.shape[1], row % x.shape[1]
        total = start
        for n in range(thread, x.shape[2] * x.shape[3], THREADS):
            total = f(total, cast(x[i, j, n // x.shape[3], n % x.shape[3]]))
        total = of_block(total, shared)
        if thread == 0:
            y[row] = total

    def running(y, x):
        for row in range(cuda.grid(1), x.shape[0] * x.shape[1] * x.shape[2], cuda.gridsize(1)):
            k, rest = row % x.shape[2], row // x.shape[2]
            i, j = rest // x.shape[1], rest % x.shape[1]
            total = start
            for n in range(x.shape[3]):
                total = f(total, cast(x[i, j, k, n]))
                y[i, j, k, n] = total

    for kernel in (by_thread, by_block, running):
        kinds = dict.fromkeys([source.name, dtype.name])
        kernel.__name__ = "_".join([ufunc.__name__, *kinds, kernel.__name__])
    return by_thread, by_block, running


@functools.cache
def _cast(kind, source):
    """The change from one kind of numbers to another."""
    if kind == source:
        change = _same
    elif kind == from_dtype(np.dtype(bool)):
        change = _truth
    else:
        return kind
    return cuda.jit(device=True, inline="always")(change)


def _same(x):
    return x


def _truth(x):
    return bool(x)


@functools.cache
def place_of(ufunc, dtype):
    """The kernel that finds where the first of the largest is, or of the smallest."""
    beats = function_of(np.greater if ufunc is np.maximum else np.less, from_dtype(dtype))

    def place(y, x):
        for row in range(cuda.grid(1), y.shape[0], cuda.gridsize(1)):
            i, j = row // x.shape[1], row % x.shape[1]
            best, where = x[i, j, 0, 0], int64(0)
            for k in range(x.shape[2]):
                for m in range(x.shape[3]):
                    number = x[i, j, k, m]
                    is_first_nan = number != number and best == best
                    if beats(number, best) or is_first_nan:
                        best, where = number, int64(k * x.shape[3] + m)
            y[row] = where

    place.__name__ = f"{ufunc.__name__}_{dtype.name}_place"
    return place


# ---- How they are launched -----------------------------------------------------------------------


def _two_and_two(x, axes):
    """x with two axes that stay, and two, the last, that go; and the shape of what stays."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    parts = []
    for group in (kept, list(axes)):
        shape, (strides,) = joined(
            [x.shape[axis] for axis in group], [[x.strides[axis] for axis in group]]
        )
        if len(shape) > 2:
            return _two_and_two(x.transposed([*kept, *axes]).copy(), range(len(kept), x.ndim))
        parts.append(((1,) * (2 - len(shape)) + shape, (0,) * (2 - len(shape)) + strides))
    (shape, strides), (more, more_strides) = parts
    return x.window(shape + more, strides + more_strides)


def normal_axes(axis, ndim):
    """None, a number or several, as a sorted list of numbers from 0 up."""
    if axis is None:
        return list(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return sorted(np.lib.array_utils.normalize_axis_tuple(tuple(axes), ndim))


def shape_without(x, axes, keepdims):
    """The shape of a reduction of x over axes."""
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    return tuple(n for i, n in enumerate(x.shape) if i not in axes)


def reduce(ufunc, x, axis=None, dtype=None, keepdims=False, initial=None):
    """ufunc.reduce of a DeviceArray over axes, in a new one."""
    axes, dtype = normal_axes(axis, x.ndim), _total_dtype(ufunc, x, dtype)
    x = _that_fits(x, dtype)
    y = x.device.empty(shape_without(x, axes, keepdims), dtype)
    count = math.prod(x.shape[i] for i in axes)
    if count == 0 and ufunc in (np.maximum, np.minimum) and initial is None:
        raise ValueError(f"{ufunc.__name__} of no elements has no value. Received: {x.shape}")
    if count == 0:
        y[...] = start_of(ufunc, dtype)
    elif y.size and (step := _rows_at_once(x, axes, count)):
        parts = reduce(ufunc, x.reshape(count // step, step, -1), 1, dtype)
        y = reduce(ufunc, parts, 0, dtype).reshape(y.shape)
    elif y.size:
        by_thread, by_block, _ = kernels_of(ufunc, dtype, x.dtype)
        rows = y.window((y.size,), (dtype.itemsize,))
        if count >= LONG:
            x.device.launch(by_block, (y.size,), (THREADS,), rows, _two_and_two(x, axes))
        else:
            launched = x.device.blocks_for(y.size)
            x.device.launch(by_thread, *launched, rows, _two_and_two(x, axes))
    if initial is not None and initial != start_of(ufunc, dtype):
        ufunc(y, initial, out=y)
    return y


def _rows_at_once(x, axes, count):
    """How many rows a thread adds at first, where many short rows are added, and else 0.

    So neighbours read neighbours; the threads of a block would be a row from each other.
    """
    step = math.gcd(count, LONG // 2)
    are_rows = x.is_contiguous and axes == list(range(len(axes))) and len(axes) < x.ndim
    return step if are_rows and count >= LONG and step >= 16 else 0


def _total_dtype(ufunc, x, dtype):
    """The dtype of a reduction, as NumPy has it: sums of small integers are large integers."""
    if dtype is not None:
        return np.dtype(dtype)
    if ufunc in (np.logical_and, np.logical_or):
        return np.dtype(bool)
    if ufunc in (np.add, np.multiply) and x.dtype.kind in "bi" and x.dtype.itemsize < 8:
        return np.dtype(np.int64)
    if ufunc in (np.add, np.multiply) and x.dtype.kind == "u" and x.dtype.itemsize < 8:
        return np.dtype(np.uint64)
    return x.dtype


def _that_fits(x, dtype):
    """x, or integers that a dtype may not have as that: their last bits are kept"""
    fits = dtype.kind != "i" or x.dtype.kind not in "iu" or np.can_cast(x.dtype, dtype)
    return x if fits else x.astype(dtype)


def place(ufunc, x, axis=None, keepdims=False):
    """argmax or argmin of a DeviceArray along an axis, or of all elements in order."""
    if axis is None:
        y = place(ufunc, x.reshape(-1), 0)
        return y.reshape((1,) * x.ndim) if keepdims else y
    axes = normal_axes(axis, x.ndim)
    if x.shape[axes[0]] == 0:
        raise ValueError(f"there is no extreme of no elements. Received: shape {x.shape}")
    y = x.device.empty(shape_without(x, axes, keepdims), np.int64)
    if y.size:
        rows, four = y.window((y.size,), (8,)), _two_and_two(x, axes)
        x.device.launch(place_of(ufunc, x.dtype), *x.device.blocks_for(y.size), rows, four)
    return y


def accumulate(ufunc, x, axis=0, dtype=None):
    """ufunc.accumulate of a DeviceArray along an axis, in a new one."""
    (axis,), dtype = normal_axes(axis, x.ndim), _total_dtype(ufunc, x, dtype)
    x = _that_fits(x, dtype)
    order = [*(i for i in range(x.ndim) if i != axis), axis]
    last = x.transposed(order)
    y = x.device.empty(last.shape, dtype)
    if y.size:
        lines = last.shape[:-1]
        shape, strides = joined(lines, [last.strides[:-1], y.strides[:-1]])
        if len(shape) > 3:
            return accumulate(ufunc, last.copy(), -1, dtype).transposed(np.argsort(order))
        more = 3 - len(shape)
        views = [
            array.window(
                (1,) * more + shape + last.shape[-1:], (0,) * more + own + array.strides[-1:]
            )
            for array, own in zip((y, last), (strides[1], strides[0]))
        ]
        *_, running = kernels_of(ufunc, dtype, x.dtype)
        x.device.launch(running, *x.device.blocks_for(math.prod(lines)), *views)
    return y.transposed(np.argsort(order))
