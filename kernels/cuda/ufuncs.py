"""Functions of numbers, applied to arrays of any shape: what NumPy's ufuncs are on a GPU.

A thread takes one element, then the one as far on as there are threads, and so on to the end: so
any number of threads does for any number of elements. All operands have the shape of the result,
where need be with strides of 0, along which an element repeats.

Axes that lie in all operands as one axis would are joined. Most often a single axis remains, and
the number of an element is its place. Else the number is taken apart into AXES indices; where still
more axes remain, there is a launch for each index of the shortest.
"""

import functools
import math

import numpy as np
from numba import boolean, cuda, float32
from numba.core.types import Integer
from numba.np.numpy_support import from_dtype

from .errors import POWER
from .sines import cosine, sine

AXES = 5  # that a kernel tells apart, where they cannot be joined

# ---- The functions -------------------------------------------------------------------------------


def _larger(a, b):
    return a if a > b or a != a else b  # NaN is larger than all


def _smaller(a, b):
    return a if a < b or a != a else b


FUNCTIONS = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
    np.divide: lambda a, b: a / b,
    np.remainder: lambda a, b: a % b,
    np.maximum: _larger,
    np.minimum: _smaller,
    np.copysign: lambda a, b: math.copysign(a, b),
    np.equal: lambda a, b: a == b,
    np.not_equal: lambda a, b: a != b,
    np.less: lambda a, b: a < b,
    np.less_equal: lambda a, b: a <= b,
    np.greater: lambda a, b: a > b,
    np.greater_equal: lambda a, b: a >= b,
    np.bitwise_and: lambda a, b: a & b,
    np.bitwise_or: lambda a, b: a | b,
    np.bitwise_xor: lambda a, b: a ^ b,
    np.logical_and: lambda a, b: bool(a) and bool(b),
    np.logical_or: lambda a, b: bool(a) or bool(b),
    np.logical_not: lambda x: not x,
    np.negative: lambda x: -x,
    np.positive: lambda x: x,
    np.absolute: lambda x: abs(x),
    np.square: lambda x: x * x,
    np.sqrt: lambda x: math.sqrt(x),
    np.exp: lambda x: math.exp(x),
    np.expm1: lambda x: math.expm1(x),
    np.log: lambda x: math.log(x),
    np.log1p: lambda x: math.log1p(x),
    np.tanh: lambda x: math.tanh(x),
    np.isnan: lambda x: x != x,
    np.isfinite: lambda x: math.isfinite(x),
    np.isinf: lambda x: math.isinf(x),
    np.where: lambda condition, a, b: a if condition else b,
    np.copyto: lambda x: x,
    math.erf: lambda x: math.erf(x),
}


def _sign(kind):
    zero, one = kind(0), kind(1)
    return lambda x: one if x > zero else (-one if x < zero else x)


def _is_whole(kind):
    return kind == boolean or isinstance(kind, Integer)


def _floor(kind):
    return (lambda x: x) if _is_whole(kind) else lambda x: math.floor(x)


def _ceil(kind):
    return (lambda x: x) if _is_whole(kind) else lambda x: math.ceil(x)


def _floor_divide(kind):
    if not (_is_whole(kind) and kind.signed):
        return lambda a, b: a // b
    below = kind(-1)
    # The least integer has no counterpart above 0: NumPy gives it back, and Numba 0.
    return lambda a, b: -a if b == below else a // b


def _power(kind):
    if not _is_whole(kind):
        return lambda a, b: a**b
    zero, one = kind(0), kind(1)

    def power(a, b):
        """a to the b by squares, as a¹³ = a⁸ a⁴ a. Numba's own has float64, exact to 2⁵³ alone."""
        product = one
        while b > zero:
            if b & one:
                product *= a
            a *= a
            b >>= one
        return product

    return power


def _reciprocal(kind):
    zero, one = kind(0), kind(1)
    if not _is_whole(kind):
        return lambda x: one / x
    least = kind(-1) if kind.signed else zero
    return lambda x: x if least <= x <= one else zero  # 1 / x without what is behind the point


def _left_shift(kind):
    zero, bits = kind(0), kind(kind.bitwidth)
    return lambda a, b: a << b if zero <= b < bits else zero


def _right_shift(kind):
    zero, one, last = kind(0), kind(1), kind(kind.bitwidth - 1)
    # A shift by all bits at once means nothing to a GPU.
    return lambda a, b: a >> b if zero <= b <= last else a >> last >> one


def _invert(kind):
    return (lambda x: not x) if kind == boolean else (lambda x: ~x)


def _sin(kind):
    return sine.py_func if kind == float32 else lambda x: math.sin(x)


def _cos(kind):
    return cosine.py_func if kind == float32 else lambda x: math.cos(x)


# Those that depend on the kind of their arguments: a plain 1 would make float64 of float32, and of
# integers, most functions would.
BY_KIND = {
    np.sign: _sign,
    np.floor: _floor,
    np.ceil: _ceil,
    np.floor_divide: _floor_divide,
    np.power: _power,
    np.reciprocal: _reciprocal,
    np.left_shift: _left_shift,
    np.right_shift: _right_shift,
    np.invert: _invert,
    np.sin: _sin,
    np.cos: _cos,
}
KNOWN = dict.fromkeys([*FUNCTIONS, *BY_KIND])  # in an order that stays


@functools.cache
def function_of(ufunc, kind):
    """What a ufunc does to numbers of a kind, for kernels to call."""
    function = BY_KIND[ufunc](kind) if ufunc in BY_KIND else FUNCTIONS[ufunc]
    return cuda.jit(device=True, inline="always")(function)


# ---- The kernels ---------------------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def index_of(i, shape):
    """The index of element i of an array with AXES axes"""
    e = i % shape[4]
    i //= shape[4]
    d = i % shape[3]
    i //= shape[3]
    c = i % shape[2]
    i //= shape[2]
    return i // shape[1], i % shape[1], c, d, e


def _of_one(f, kind):
    def flat(y, a):
        for i in range(cuda.grid(1), y.shape[0], cuda.gridsize(1)):
            y[i] = f(kind(a[i]))

    def strided(y, a):
        for i in range(cuda.grid(1), y.size, cuda.gridsize(1)):
            at = index_of(i, y.shape)
            y[at] = f(kind(a[at]))

    return flat, strided


def _of_two(f, kind, other):
    def flat(y, a, b):
        for i in range(cuda.grid(1), y.shape[0], cuda.gridsize(1)):
            y[i] = f(kind(a[i]), other(b[i]))

    def strided(y, a, b):
        for i in range(cuda.grid(1), y.size, cuda.gridsize(1)):
            at = index_of(i, y.shape)
            y[at] = f(kind(a[at]), other(b[at]))

    return flat, strided


def _of_three(f, kind, other, third):
    def flat(y, a, b, c):
        for i in range(cuda.grid(1), y.shape[0], cuda.gridsize(1)):
            y[i] = f(kind(a[i]), other(b[i]), third(c[i]))

    def strided(y, a, b, c):
        for i in range(cuda.grid(1), y.size, cuda.gridsize(1)):
            at = index_of(i, y.shape)
            y[at] = f(kind(a[at]), other(b[at]), third(c[at]))

    return flat, strided


@cuda.jit(device=True, inline="always")
def as_it_is(x):
    """What stands for a change of kind where none is needed: booleans stay what they are"""
    return x


@functools.cache
def kernels_of(ufunc, dtypes):
    """The kernels `flat` and `strided` of a ufunc that takes numbers of these dtypes."""
    kinds = [from_dtype(dtype) for dtype in dtypes]
    make = (_of_one, _of_two, _of_three)[len(kinds) - 1]
    casts = [as_it_is if dtype.kind == "b" else kind for dtype, kind in zip(dtypes, kinds)]
    pair = make(function_of(ufunc, kinds[-1]), *casts)
    for kernel in pair:
        names = ufunc.__name__, *dict.fromkeys(dtype.name for dtype in dtypes), kernel.__name__
        kernel.__name__ = "_".join(names)
    return pair


def negative_powers(power, marks):
    """A mark if one of power (n,) is below 0: there, power of integers has no integer to give"""
    for i in range(cuda.grid(1), power.shape[0], cuda.gridsize(1)):
        if power[i] < 0:
            cuda.atomic.max(marks, POWER, 1)


# ---- How they are launched -----------------------------------------------------------------------


def joined(shape, all_strides):
    """The same elements with as few axes as will do: a shape, and strides for each operand."""
    axes = [axis for axis in zip(shape, *all_strides) if axis[0] != 1]
    found = []
    for n, *strides in axes:
        if found and all(before == stride * n for before, stride in zip(found[-1][1:], strides)):
            found[-1] = [found[-1][0] * n, *strides]
        else:
            found.append([n, *strides])
    found = found or [[1, *(0 for _ in all_strides)]]
    new_shape, *new_strides = zip(*found)
    return new_shape, new_strides


def _without_sign(out, dtypes):
    """out, as numbers from 0 up if integers of other dtypes come there: their last bits are kept.

    So NumPy has it, and a GPU anyway. The simulator would take the others for a mistake.
    """
    are_integers = all(dtype.kind in "iub" for dtype in dtypes)
    if out.dtype.kind != "i" or out.dtype in dtypes or not are_integers:
        return out
    return out.window(out.shape, out.strides, np.dtype(f"u{out.dtype.itemsize}"))


def run(device, ufunc, dtypes, out, operands):
    """out = ufunc(*operands), where all are DeviceArrays of the same shape."""
    if out.size == 0:
        return
    arrays = [_without_sign(out, dtypes), *operands]
    shape, all_strides = joined(out.shape, [array.strides for array in arrays])
    kernel, strided = kernels_of(ufunc, dtypes)
    if 1 < len(shape) <= AXES:
        kernel, more = strided, AXES - len(shape)
        shape = (1,) * more + shape
        all_strides = [(0,) * more + strides for strides in all_strides]
    views = [array.window(shape, strides) for array, strides in zip(arrays, all_strides)]
    if len(shape) <= AXES:
        device.launch(kernel, *device.blocks_for(out.size), *views)
        return
    shortest = shape.index(min(shape))
    for i in range(shape[shortest]):
        first, *rest = (view[(slice(None),) * shortest + (i,)] for view in views)
        run(device, ufunc, dtypes, first, rest)
