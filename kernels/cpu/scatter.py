"""The gradient of a look-up: rows of g are added to the rows that they were copies of."""

import math

import numpy as np

from . import leaves_to_numpy
from .compilation import integer, read, read_integers, write
from .loops import alike, are_within, share
from .simd import lanes, load_until, store_until
from .threads import threaded


@threaded
def _scatter_add(
    index: read_integers(1), g: read(2), total: write(2), part: integer, parts: integer
):
    """total[indexᵢ] += gᵢ in the order of i   (n,), (n, d), (rows, d)

    The parts are columns. A negative index counts from the end.
    """
    rows, d = total.shape
    first, end, step = share(d, part, parts, lanes(g))
    for i in range(index.size):
        row = index[i] if index[i] >= 0 else index[i] + rows
        for column in range(first, end, step):
            sums = load_until(total, row * d + column, row * d + end, 0)
            term = load_until(g, i * d + column, i * d + end, 0)
            store_until(total, row * d + column, row * d + end, sums + term)


@leaves_to_numpy("other indices than integers along the first axis, or outside")
def scatter_add(x, index, g):
    """Zeros like x (n, ...) with g added at [index]; an index that comes twice is added twice.

    index  integers of any shape, or a tuple of one such array, within x
    """
    index = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    if not _is_look_up(x, index, g):
        return NotImplemented
    index = index.astype(np.int64, copy=False).ravel()
    if not are_within[x.dtype](index, -len(x), len(x)):
        return NotImplemented
    total = np.zeros(x.shape, x.dtype)
    d = math.prod(x.shape[1:])
    g = np.ascontiguousarray(g).reshape(-1, d)
    _scatter_add(x.dtype, g.size, index, g, total.reshape(-1, d))
    return total


def _is_look_up(x, index, g):
    """Whether g has the shape of x[index], and index is an array of integers."""
    if type(index) is not np.ndarray or index.dtype.kind not in "iu" or x.ndim == 0:
        return False
    return alike(x, g, shape=False) and g.shape == index.shape + x.shape[1:] and x.size > 0
