"""The kernels that DeviceArrays start, made for each function and dtype when it is first needed.

Here they are for float32, and for the other dtypes that go with it: so `kernels.cuda.compile` knows
them all. `LAUNCHES` says how each is started; the numbers of threads and blocks are free.
"""

import math

import numpy as np
from numba import boolean, float32, int32, int64

from . import axes, indexing, products, ufuncs
from .launch import Launch, named, numbers
from .matmul import SIDE
from .reduction import THREADS

FLOAT, INTEGER, TRUTH = np.dtype(np.float32), np.dtype(np.int64), np.dtype(bool)
_KINDS = {FLOAT: float32, INTEGER: int64, TRUTH: boolean}
_OF_INTEGERS = {np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift}
_OF_INTEGERS |= {np.invert}
_EXTREMES = np.maximum, np.minimum
_MARKS = int32[::1]


def _array(dtype, ndim):
    """The type of an array in which any strides are right."""
    return _KINDS[dtype][(slice(None),) * ndim if ndim > 1 else slice(None)]


def _operands_and_result(ufunc):
    """The dtypes of what a ufunc takes, and of what it gives."""
    if ufunc is np.where:
        return (TRUTH, FLOAT, FLOAT), FLOAT
    if ufunc in (np.copyto, math.erf):
        return (FLOAT,), FLOAT
    dtype = INTEGER if ufunc in _OF_INTEGERS else FLOAT
    *operands, result = ufunc.resolve_dtypes((*[dtype] * ufunc.nin, None))
    return tuple(operands), result


def _elementwise():
    for ufunc in ufuncs.KNOWN:
        operands, result = _operands_and_result(ufunc)
        for kernel, ndim in zip(ufuncs.kernels_of(ufunc, operands), (1, ufuncs.AXES)):
            signature = tuple(_array(dtype, ndim) for dtype in (result, *operands))
            yield Launch(kernel, (THREADS,), numbers(THREADS), signature)


def _along_axes():
    for ufunc in (np.add, np.multiply, *_EXTREMES):
        by_thread, by_block, running = axes.kernels_of(ufunc, FLOAT, FLOAT)
        vector, four = _array(FLOAT, 1), _array(FLOAT, 4)
        yield Launch(by_thread, (THREADS,), numbers(THREADS), (vector, four))
        yield Launch(by_block, (THREADS,), numbers(1), (vector, four))
        yield Launch(running, (THREADS,), numbers(THREADS), (four, four))
    for ufunc in (np.logical_and, np.logical_or):
        by_thread, by_block, _ = axes.kernels_of(ufunc, TRUTH, FLOAT)
        signature = _array(TRUTH, 1), _array(FLOAT, 4)
        yield Launch(by_thread, (THREADS,), numbers(THREADS), signature)
        yield Launch(by_block, (THREADS,), numbers(1), signature)
    for ufunc in _EXTREMES:
        signature = _array(INTEGER, 1), _array(FLOAT, 4)
        yield Launch(axes.place_of(ufunc, FLOAT), (THREADS,), numbers(THREADS), signature)


def _indexed():
    index, matrix = _array(INTEGER, 1), _array(FLOAT, 2)
    block = (THREADS,)
    yield Launch(indexing.take, block, numbers(THREADS), (matrix, matrix, index, _MARKS))
    yield Launch(indexing.add, block, numbers(THREADS, 2), (matrix, index, matrix, _MARKS))
    yield Launch(indexing.put, block, numbers(THREADS, 2), (matrix, index, matrix, _MARKS))
    mask = _array(TRUTH, 1)
    yield Launch(indexing.where_true, block, numbers(THREADS, 1), (index, mask, index))
    yield Launch(indexing.fold, block, numbers(THREADS), (index, index, int64))


LAUNCHES = named(
    *_elementwise(),
    Launch(ufuncs.negative_powers, (THREADS,), numbers(THREADS), (_array(INTEGER, 1), _MARKS)),
    *_along_axes(),
    *_indexed(),
    Launch(products.kernel_of(FLOAT), (SIDE, SIDE), products.blocks, (_array(FLOAT, 3),) * 3),
)
