"""Random numbers and dropout. Number i is a hash of a key and i, so no thread waits for another."""

import numpy as np

from .compilation import integer, number, read, unsigned, write
from .loops import share
from .simd import lanes, load_until, store_until, uniform, where
from .threads import threaded

WORK = 10  # multiplications that take as long as one number


@threaded
def _random_uniform(y: write(1), key: unsigned, part: integer, parts: integer):
    """Numbers in [0, 1)"""
    for i in range(*share(y.size, part, parts, lanes(y))):
        store_until(y, i, y.size, uniform(y, key, i))


@threaded
def _dropout(
    x: read(1),
    y: write(1),
    rate: number,
    kept: number,
    key: unsigned,
    part: integer,
    parts: integer,
):
    """yᵢ = xᵢ / kept where random number i is at least rate, else 0"""
    for i in range(*share(x.size, part, parts, lanes(x))):
        vector = load_until(x, i, x.size, 0) / kept
        store_until(y, i, x.size, where(uniform(x, key, i) >= rate, vector, 0))


def random_uniform(x, key):
    """Uniform numbers in [0, 1) in the shape and dtype of x, that depend on `key` alone."""
    y = np.empty(x.shape, x.dtype)
    _random_uniform(x.dtype, WORK * x.size, y.ravel(), key)
    return y


def dropout(x, rate, key):
    """yᵢ = xᵢ / (1 - rate) with probability 1 - rate, else 0, by the random numbers of `key`"""
    y = np.empty(x.shape, x.dtype)
    _dropout(x.dtype, WORK * x.size, x.ravel(), y.ravel(), rate, 1 - rate, key)
    return y
