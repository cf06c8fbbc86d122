"""Windows on images, for compiled kernels: which of their places lie in the image."""

from collections import namedtuple

import numpy as np

from .. import windows
from .compilation import inlined

# Images (h, w, channels), windows (rows, columns) of places (kh, kw): see `kernels.windows`.
Windows = namedtuple(
    "Windows", "h w channels rows columns kh kw down across top left row_gap column_gap"
)


def of(shape, size, strides, padding, dilation=(1, 1)):
    """The Windows of a size on images of a shape (n, h, w, c)."""
    count = windows.counts(shape[1:3], size, strides, padding, dilation)
    begin = [before for before, _ in padding]
    return Windows(*shape[1:], *count, *size, *strides, *begin, *dilation)


def as_array(win):
    """Windows as kernels take them."""
    return np.array(win, np.int64)


@inlined
def windows_from(n):
    """The Windows whose numbers are in an array, since threads can share no tuples"""
    return Windows(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12])


@inlined
def inside(start, gap, count, first, end):
    """The turns t from 0 to count - 1 for which first <= start + t gap < end   -> from, to"""
    if start >= first and start + (count - 1) * gap < end:
        return 0, count
    begin = max(0, (first - start + gap - 1) // gap)
    return min(begin, count), max(min(begin, count), min(count, (end - start + gap - 1) // gap))
