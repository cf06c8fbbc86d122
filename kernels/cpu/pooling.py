"""Pooling: the largest or the mean of what lies in a window, for a vector of channels at a time."""

import math

import numpy as np

from . import leaves_to_numpy
from .compilation import integer, read, read_integers, write
from .loops import alike
from .simd import broadcast, lanes, load_until, store_until, where
from .threads import counter, take, threaded
from .windows import as_array, inside, of, windows_from


@threaded
def forward(x: read(4), y: write(4), numbers: read_integers(1), is_max: integer, queue: counter):
    """yᵢⱼ = the largest, or the mean, of window (i, j)   (n, h, w, c), (n, rows, columns, c)

    A block is a row of windows.
    """
    win = windows_from(numbers)
    c = win.channels
    block = take(queue)
    while block < len(x) * win.rows:
        image, i = block // win.rows, block % win.rows
        y0 = i * win.down - win.top
        top, bottom = inside(y0, 1, win.kh, 0, win.h)
        for j in range(win.columns):
            x0 = j * win.across - win.left
            left, right = inside(x0, 1, win.kw, 0, win.w)
            number = (bottom - top) * (right - left)
            target = (block * win.columns + j) * c
            for channel in range(0, c, lanes(x)):
                result = broadcast(x, -math.inf if is_max else 0)
                for row in range(y0 + top, y0 + bottom):
                    for column in range(x0 + left, x0 + right):
                        place = ((image * win.h + row) * win.w + column) * c
                        value = load_until(x, place + channel, place + c, 0)
                        if is_max:  # a NaN is not equal to itself, and stays
                            larger = where(value > result, value, result)
                            result = where(value == value, larger, value)  # noqa: PLR0124
                        else:
                            result = result + value
                if not is_max:
                    result = result / number
                store_until(y, target + channel, target + c, result)
        block = take(queue)


@threaded
def backward(
    g: read(4),
    x: read(4),
    y: read(4),
    dx: write(4),
    numbers: read_integers(1),
    is_max: integer,
    queue: counter,
):
    """dx: gᵢⱼ goes to the first of window (i, j) that is yᵢⱼ, or in equal shares to all of it

    A block is an image.
    """
    win = windows_from(numbers)
    c = win.channels
    size = win.h * win.w * c
    image = take(queue)
    while image < len(dx):
        for place in range(image * size, (image + 1) * size, lanes(dx)):
            store_until(dx, place, (image + 1) * size, broadcast(dx, 0))
        for window in range(win.rows * win.columns):
            y0 = window // win.columns * win.down - win.top
            x0 = window % win.columns * win.across - win.left
            top, bottom = inside(y0, 1, win.kh, 0, win.h)
            left, right = inside(x0, 1, win.kw, 0, win.w)
            number = (bottom - top) * (right - left)
            source = (image * win.rows * win.columns + window) * c
            for channel in range(0, c, lanes(dx)):
                rest = load_until(g, source + channel, source + c, 0)
                if is_max:
                    largest = load_until(y, source + channel, source + c, 0)
                else:
                    largest = rest
                    rest = rest / number
                for row in range(y0 + top, y0 + bottom):
                    for column in range(x0 + left, x0 + right):
                        place = ((image * win.h + row) * win.w + column) * c
                        sums = load_until(dx, place + channel, place + c, 0)
                        if is_max:
                            is_it = load_until(x, place + channel, place + c, 0) == largest
                            sums = where(is_it, sums + rest, sums)
                            rest = where(is_it, broadcast(dx, 0), rest)
                        else:
                            sums = sums + rest
                        store_until(dx, place + channel, place + c, sums)
        image = take(queue)


def _pool(x, size, strides, padding, is_max):
    if x.ndim != 4:
        return NotImplemented
    win = of(x.shape, size, strides, padding)
    y = np.empty((len(x), win.rows, win.columns, win.channels), x.dtype)
    forward(x.dtype, y.size * math.prod(size), np.ascontiguousarray(x), y, as_array(win), is_max)
    return y


def _pool_backward(g, x, y, shape, size, strides, padding, is_max):
    win = of(shape, size, strides, padding)
    if g.shape != (shape[0], win.rows, win.columns, win.channels):
        return NotImplemented
    dx = np.empty(shape, g.dtype)
    arrays = map(np.ascontiguousarray, (g, x, y))
    backward(g.dtype, g.size * math.prod(size), *arrays, dx, as_array(win), is_max)
    return dx


_NOT_COVERED = "several dtypes, and what the reference refuses"


@leaves_to_numpy(_NOT_COVERED)
def max_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the largest of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)"""
    return _pool(x, size, strides, padding, True)


@leaves_to_numpy(_NOT_COVERED)
def max_pool_backward(g, x, y, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes to the first place of window (i, j) that has the value yᵢⱼ"""
    if x.ndim != 4 or not (alike(g, x, shape=False) and alike(g, y)):
        return NotImplemented
    return _pool_backward(g, x, y, x.shape, size, strides, padding, True)


@leaves_to_numpy(_NOT_COVERED)
def average_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the mean of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)"""
    return _pool(x, size, strides, padding, False)


@leaves_to_numpy(_NOT_COVERED)
def average_pool_backward(g, shape, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes in equal shares to all places of window (i, j) that are no padding"""
    return _pool_backward(g, g, g, shape, size, strides, padding, False)
