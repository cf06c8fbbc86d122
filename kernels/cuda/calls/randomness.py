"""Random numbers, which depend on a key alone."""

import numpy as np

from .. import elementwise
from .arguments import covered, flat, start
from .registry import call


@call
def random_uniform(x, key):
    """Uniform numbers in [0, 1) in the shape and dtype of x, that depend on `key` alone."""
    y = np.empty_like(x, dtype=np.float32)
    if y.size:
        launch = elementwise.LAUNCHES["random_uniform"]
        launch(x.device.launch, np.uint64(key), y.reshape(-1))
    return y.astype(x.dtype, copy=False)


@call
def dropout(x, rate, key):
    """yᵢ = xᵢ / (1 - rate) with probability 1 - rate, else 0, by the random numbers of `key`"""
    if not covered(x):
        return NotImplemented
    y = np.empty_like(x)
    given = flat(x), np.float32(rate), np.uint64(key)
    start(elementwise.LAUNCHES["dropout"], *given, y.reshape(-1))
    return y
