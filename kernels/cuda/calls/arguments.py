"""Arrays as kernels want them, and how kernels are started."""

import math

import numpy as np


def covered(*arrays):
    """Whether all are arrays of float32 on a device."""
    return all(hasattr(x, "block") and x.dtype == np.float32 for x in arrays)


# No kernel looks at shapes: of an array that is too short it would read what lies behind it. So a
# call asks first, and leaves what does not fit to the specification, which names it.


def same_shape(x, *others):
    """Whether all have the shape of the first."""
    return all(other.shape == x.shape for other in others)


def each_feature(x, *vectors):
    """Whether vectors have one number for each feature of x.   (..., d), (d,)"""
    return x.ndim > 0 and all(vector.shape == x.shape[-1:] for vector in vectors)


def each_row(x, n, *arrays):
    """Whether arrays have n numbers for each row of x.   (..., d), (..., n)"""
    return x.ndim > 0 and all(array.shape == (*x.shape[:-1], n) for array in arrays)


def flat(x):
    """(...) -> (n,)"""
    return x.aligned().reshape(-1)


def matrix(x):
    """(..., d) -> (n, d)"""
    return x.aligned().reshape(math.prod(x.shape[:-1]), x.shape[-1])


def integers(x):
    """(...) -> (n,), of int64"""
    return x.astype(np.int64, copy=False).aligned().reshape(-1)


def start(launch, first, *arguments):
    """Start a kernel on the device of its first argument, unless there is nothing to do."""
    if all(getattr(x, "size", 1) for x in (first, *arguments)):
        start_all(launch, first, *arguments)


def start_all(launch, first, *arguments):
    """Start a kernel, also if some of its arguments have no numbers."""
    launch(first.device.launch, first, *arguments)
