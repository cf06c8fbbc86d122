"""The largest or the mean of each window of images, on a GPU, and the way back.

    max_pool               y = the largest of a window, NaN if there is one
    average_pool           y = the mean of a window
    max_pool_backward      dL/dx: g goes to the first place of a window that has its largest
    average_pool_backward  dL/dx: g goes in equal shares to all places of a window

    x, dx (n, h, w, c)     images
    y, g (n, ho, wo, c)    a number for each window
    windows, height        where windows lie: a `convolution.Windows`, and rows of a window

Padding does not count. A thread has one number of what is written: on the way back it looks for
all windows that its pixel lies in, always in the same order. `LAUNCHES` says how each is started.
"""

import math

from numba import cuda, float32, int64

from .convolution import WINDOWS, parts
from .launch import HEADS, INTEGER, Launch, named, numbers

THREADS = 128  # of a block
LOWEST = float32(-math.inf)


@cuda.jit(device=True, inline="always")
def number_of_thread(x):
    """Which number of an array (n, h, w, c) a thread has: its index, and whether there is one"""
    i = cuda.grid(1)
    row, column, channel = parts(i, x.shape[2], x.shape[3])
    return row // x.shape[1], row % x.shape[1], column, channel, i < x.size


@cuda.jit(device=True, inline="always")
def first_inside(window, step, before):
    """The first row or column of a window that is no padding"""
    return max(window * step - before, int64(0))


@cuda.jit(device=True, inline="always")
def behind_last(window, step, before, length, size):
    """The row or column after the last one of a window that is no padding"""
    return min(window * step - before + length, size)


@cuda.jit(device=True, inline="always")
def first_window(place, step, before, length):
    """The first row or column of windows that reach a place"""
    return max((place + before - length) // step + 1, int64(0))


@cuda.jit(device=True, inline="always")
def behind_last_window(place, step, before, count):
    """The row or column after the last one of windows that begin before a place, or there"""
    return min((place + before) // step + 1, count)


@cuda.jit(device=True, inline="always")
def windows_of(row, column, windows, height):
    """The windows that a pixel lies in: first row and column, and those after the last ones"""
    top = first_window(row, windows.down, windows.top, height)
    left = first_window(column, windows.across, windows.left, windows.width)
    bottom = behind_last_window(row, windows.down, windows.top, windows.rows)
    right = behind_last_window(column, windows.across, windows.left, windows.columns)
    return top, left, bottom, right


def max_pool(x, windows, height, y):
    """yᵢⱼ"""
    image, i, j, channel, is_inside = number_of_thread(y)
    if is_inside:
        bottom = behind_last(i, windows.down, windows.top, height, x.shape[1])
        right = behind_last(j, windows.across, windows.left, windows.width, x.shape[2])
        most = LOWEST
        for row in range(first_inside(i, windows.down, windows.top), bottom):
            for column in range(first_inside(j, windows.across, windows.left), right):
                number = x[image, row, column, channel]
                if number > most or number != number:
                    most = number
        y[image, i, j, channel] = most


def average_pool(x, windows, height, y):
    """yᵢⱼ"""
    image, i, j, channel, is_inside = number_of_thread(y)
    if is_inside:
        top = first_inside(i, windows.down, windows.top)
        left = first_inside(j, windows.across, windows.left)
        bottom = behind_last(i, windows.down, windows.top, height, x.shape[1])
        right = behind_last(j, windows.across, windows.left, windows.width, x.shape[2])
        total = float32(0)
        for row in range(top, bottom):
            for column in range(left, right):
                total += x[image, row, column, channel]
        y[image, i, j, channel] = total / float32((bottom - top) * (right - left))


@cuda.jit(device=True, inline="always")
def is_first(x, y, window, pixel, windows):
    """Whether a pixel is the first place of its window that has the largest of it"""
    image, i, j, channel = window
    its_row, its_column = pixel
    most = y[image, i, j, channel]
    found = x[image, its_row, its_column, channel] == most
    top = first_inside(i, windows.down, windows.top)
    left = first_inside(j, windows.across, windows.left)
    wide = behind_last(j, windows.across, windows.left, windows.width, x.shape[2]) - left
    for n in range((its_row - top) * wide + its_column - left):
        found = found and x[image, top + n // wide, left + n % wide, channel] != most
    return found


def max_pool_backward(g, x, y, windows, height, dx):
    """dxᵢⱼ, from its last window to the first: in this order its places within them go up"""
    image, row, column, channel, is_inside = number_of_thread(dx)
    if is_inside:
        top, left, bottom, right = windows_of(row, column, windows, height)
        total = float32(0)
        for i in range(bottom - 1, top - 1, -1):
            for j in range(right - 1, left - 1, -1):
                if is_first(x, y, (image, i, j, channel), (row, column), windows):
                    total += g[image, i, j, channel]
        dx[image, row, column, channel] = total


def average_pool_backward(g, windows, height, dx):
    """dxᵢⱼ, in the same order"""
    image, row, column, channel, is_inside = number_of_thread(dx)
    if is_inside:
        top, left, bottom, right = windows_of(row, column, windows, height)
        total = float32(0)
        for i in range(bottom - 1, top - 1, -1):
            high = behind_last(i, windows.down, windows.top, height, dx.shape[1])
            rows = high - first_inside(i, windows.down, windows.top)
            for j in range(right - 1, left - 1, -1):
                far = behind_last(j, windows.across, windows.left, windows.width, dx.shape[2])
                columns = far - first_inside(j, windows.across, windows.left)
                total += g[image, i, j, channel] / float32(rows * columns)
        dx[image, row, column, channel] = total


_FORWARD = HEADS, WINDOWS, INTEGER, HEADS  # the kinds of its arguments
_OF_MAXIMA = HEADS, HEADS, *_FORWARD
LAUNCHES = named(
    Launch(max_pool, (THREADS,), numbers(THREADS, 3), _FORWARD),
    Launch(average_pool, (THREADS,), numbers(THREADS, 3), _FORWARD),
    Launch(max_pool_backward, (THREADS,), numbers(THREADS, 5), _OF_MAXIMA),
    Launch(average_pool_backward, (THREADS,), numbers(THREADS, 3), _FORWARD),
)
