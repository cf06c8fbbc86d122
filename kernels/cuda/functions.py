"""NumPy's functions of arrays on a device: FUNCTIONS says what runs for each of them.

Those that only look at an array in another way are NumPy's own, applied to a stand-in. The others
are made of kernels: elementwise ones, reductions, copies into the parts of a new array.
"""

import math

import numpy as np

from . import axes, indexing
from .errors import HostCopyError
from .products import product

FUNCTIONS = {}
REDUCTIONS = {np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or}


def _is_on_device(x):
    return hasattr(x, "block")


def _device_of(*things):
    for thing in things:
        if isinstance(thing, (list, tuple)):
            thing = next(filter(_is_on_device, thing), None)
        if _is_on_device(thing):
            return thing.device
    raise HostCopyError("no array on a device was given")


def check_no_host(arguments, options):
    """HostCopyError if an array of the host is among arguments, or in a list of them."""
    for given in (*arguments, *options.values()):
        for x in given if isinstance(given, (list, tuple)) else (given,):
            if isinstance(x, np.ndarray) and x.ndim:
                raise HostCopyError(
                    f"an array of shape {x.shape} on the host came together with one on a device"
                )


def _implements(*numpy_functions):
    def register(function):
        FUNCTIONS.update(dict.fromkeys(numpy_functions, function))
        return function

    return register


# ---- What an array is ----------------------------------------------------------------------------


@_implements(np.shape)
def _shape(x):
    return x.shape


@_implements(np.ndim)
def _ndim(x):
    return x.ndim


@_implements(np.size)
def _size(x, axis=None):
    return x.size if axis is None else x.shape[axis]


# ---- Views ---------------------------------------------------------------------------------------

VIEWS = [
    *(np.transpose, np.swapaxes, np.moveaxis, np.squeeze, np.expand_dims, np.broadcast_to),
    *(np.flip, np.split, np.array_split, np.diagonal),
]


def _view_by(function):
    def view(x, *arguments, **options):
        return x.seen(lambda stand_in: function(stand_in, *arguments, **options))

    return view


FUNCTIONS.update({function: _view_by(function) for function in VIEWS})


def broadcast(x, shape):
    """x repeated to a larger shape, a view."""
    return x if x.shape == tuple(shape) else x.seen(lambda y: np.broadcast_to(y, shape))


@_implements(np.reshape)
def _reshape(x, shape, order="C"):
    return x.reshape(shape, order=order)


@_implements(np.ravel)
def _ravel(x, order="C"):
    return x.reshape(-1, order=order)


# ---- New arrays ----------------------------------------------------------------------------------


@_implements(np.empty_like)
def _empty_like(x, dtype=None, order="K", subok=True, shape=None):
    shape = x.shape if shape is None else shape if isinstance(shape, tuple) else (shape,)
    return x.device.empty(shape, x.dtype if dtype is None else dtype)


def _filled(x, value, options):
    y = _empty_like(x, **options)
    y[...] = value
    return y


@_implements(np.zeros_like)
def _zeros_like(x, **options):
    return _filled(x, 0, options)


@_implements(np.ones_like)
def _ones_like(x, **options):
    return _filled(x, 1, options)


@_implements(np.full_like)
def _full_like(x, fill_value, **options):
    return _filled(x, fill_value, options)


@_implements(np.copy)
def _copy(x):
    return x.copy()


@_implements(np.copyto)
def _copyto(target, source, where=True):
    target.check_writeable()
    target.write(source if where is True else _where(where, source, target))


@_implements(np.concatenate)
def _concatenate(arrays, axis=0, out=None):
    device = _device_of(arrays)
    if axis is None:
        arrays, axis = [x.reshape(-1) for x in arrays], 0
    first = arrays[0]
    axis = np.lib.array_utils.normalize_axis_index(axis, first.ndim)
    around = [(*x.shape[:axis], *x.shape[axis + 1 :]) for x in arrays]
    if len(set(around)) > 1:
        raise ValueError(f"arrays differ not only in axis {axis}: {[x.shape for x in arrays]}")
    shape = *first.shape[:axis], sum(x.shape[axis] for x in arrays), *first.shape[axis + 1 :]
    if out is None:
        out = device.empty(shape, np.result_type(*(x.dtype for x in arrays)))
    if out.shape != shape:
        raise ValueError(f"out must have the shape {shape}. Received: {out.shape}")
    start = 0
    for x in arrays:
        stop = start + x.shape[axis]
        out[(slice(None),) * axis + (slice(start, stop),)] = x
        start = stop
    return out


@_implements(np.stack)
def _stack(arrays, axis=0):
    return _concatenate([np.expand_dims(x, axis) for x in arrays], axis)


@_implements(np.repeat)
def _repeat(x, repeats, axis=None):
    if axis is None or not isinstance(repeats, (int, np.integer)):
        raise HostCopyError("np.repeat on a device takes one number of repeats, and an axis")
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    n = x.shape[axis]
    wide = np.broadcast_to(
        np.expand_dims(x, axis + 1), (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    )
    return wide.copy().reshape(*x.shape[:axis], n * repeats, *x.shape[axis + 1 :])


@_implements(np.pad)
def _pad(x, pad_width, mode="constant", constant_values=0):
    widths = np.broadcast_to(pad_width, (x.ndim, 2)).tolist()
    if mode != "constant":
        return _pad_with_own(x, widths, mode)
    y = x.device.empty([n + before + after for n, (before, after) in zip(x.shape, widths)], x.dtype)
    y[...] = constant_values
    y[tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, widths))] = x
    return y


def _pad_with_own(x, widths, mode):
    """Elements of x around it: where they come from, the host finds out, for each axis alone."""
    for axis, (n, width) in enumerate(zip(x.shape, widths)):
        places = np.pad(np.arange(n), width, mode)
        x = _take(x, x.device.put(places), axis)
    return x


# ---- Elementwise ---------------------------------------------------------------------------------


def _dtype_of(*values):
    """The dtype of all together; numbers of Python do as the others say."""
    return np.result_type(*(x.dtype if hasattr(x, "dtype") else x for x in values))


@_implements(np.where)
def _where(condition, x, y):
    device, dtype = _device_of(condition, x, y), _dtype_of(x, y)
    kinds = getattr(condition, "dtype", np.dtype(bool)), dtype, dtype
    return device.apply(np.where, kinds, dtype, (condition, x, y), None)


@_implements(np.clip)
def _clip(x, a_min=None, a_max=None, out=None):
    if a_min is None and a_max is None:
        return np.positive(x, out=out)
    if a_min is not None:
        x = np.maximum(x, a_min, out=out)
    return x if a_max is None else np.minimum(x, a_max, out=out)


# ---- Reductions ----------------------------------------------------------------------------------


def reduce(ufunc, x, axis=0, dtype=None, keepdims=False, initial=None):
    """ufunc.reduce of a DeviceArray; with axis=None over all axes."""
    return axes.reduce(ufunc, x, axis, dtype, bool(_given(keepdims)), _given(initial))


@_implements(np.trace)
def _trace(x, offset=0, axis1=0, axis2=1, dtype=None):
    return reduce(np.add, np.diagonal(x, offset, axis1, axis2), -1, dtype)


def _given(value):
    return None if value is np._NoValue else value


def _reduction(ufunc):
    def run(x, axis=None, dtype=None, *, keepdims=False, initial=None):
        return reduce(ufunc, x, axis, dtype, keepdims, initial)

    return run


def _reduction_without_dtype(ufunc):
    def run(x, axis=None, *, keepdims=False, initial=None):
        return reduce(ufunc, x, axis, None, keepdims, initial)

    return run


FUNCTIONS.update({np.sum: _reduction(np.add), np.prod: _reduction(np.multiply)})
FUNCTIONS.update(dict.fromkeys([np.max, np.amax], _reduction_without_dtype(np.maximum)))
FUNCTIONS.update(dict.fromkeys([np.min, np.amin], _reduction_without_dtype(np.minimum)))
FUNCTIONS.update({np.any: _reduction_without_dtype(np.logical_or)})
FUNCTIONS.update({np.all: _reduction_without_dtype(np.logical_and)})


def _count(x, axis):
    return math.prod(x.shape[i] for i in axes.normal_axes(axis, x.ndim))


@_implements(np.mean)
def _mean(x, axis=None, dtype=None, *, keepdims=False):
    dtype = (np.float64 if x.dtype.kind in "iub" else x.dtype) if dtype is None else dtype
    return reduce(np.add, x, axis, dtype, keepdims) / _count(x, axis)


@_implements(np.var)
def _var(x, axis=None, dtype=None, *, ddof=0, keepdims=False):
    centred = x - _mean(x, axis, dtype, keepdims=True)
    total = reduce(np.add, centred * centred, axis, dtype, keepdims)
    return total / (_count(x, axis) - ddof)


@_implements(np.std)
def _std(x, **options):
    return np.sqrt(_var(x, **options))


@_implements(np.argmax)
def _argmax(x, axis=None, *, keepdims=False):
    return axes.place(np.maximum, x, axis, bool(_given(keepdims)))


@_implements(np.argmin)
def _argmin(x, axis=None, *, keepdims=False):
    return axes.place(np.minimum, x, axis, bool(_given(keepdims)))


def _running(ufunc):
    def run(x, axis=None, dtype=None):
        x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
        return axes.accumulate(ufunc, x, axis, dtype)

    return run


FUNCTIONS.update({np.cumsum: _running(np.add), np.cumprod: _running(np.multiply)})


# ---- Indexing ------------------------------------------------------------------------------------


@_implements(np.take)
def _take(x, indices, axis=None):
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    return indexing.get(x, (slice(None),) * axis + (indices,))


@_implements(np.take_along_axis)
def _take_along_axis(x, indices, axis=-1):
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    index = []
    for i, n in enumerate(x.shape):
        own = [1] * x.ndim
        own[i] = n
        index.append(indices if i == axis else _numbers(indices, n).reshape(own))
    return indexing.get(x, tuple(index))


def _numbers(like, n):
    """0, 1, ... n - 1, on the device of an array"""
    return np.cumsum(_filled(like, 1, {"shape": (n,), "dtype": np.int64})) - 1


# ---- Products ------------------------------------------------------------------------------------


def _total(x, axis):
    """Σ x as products have it: in the dtype of x, however small, and of booleans whether any is"""
    add = np.logical_or if x.dtype == bool else np.add
    return reduce(add, x, axis, x.dtype)


@_implements(np.dot)
def _dot(a, b):
    if 0 in (np.ndim(a), np.ndim(b)):  # a number of Python is one of float64 or int64 here
        return np.multiply(*(x if _is_on_device(x) else np.asarray(x)[()] for x in (a, b)))
    if a.ndim == b.ndim == 1:
        return _total(a * b, None)
    if b.ndim <= 2:
        return product(a, b)
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"dot cannot multiply {a.shape} and {b.shape}")
    *first, n, m = b.shape  # Σⱼ aᵢⱼ bₖⱼₗ for each i, k, l: the matrices of b side by side in one
    side_by_side = np.moveaxis(b, -2, 0).reshape(n, math.prod(first) * m)
    return product(a, side_by_side).reshape(*a.shape[:-1], *first, m)


@_implements(np.einsum)
def _einsum(subscripts, *operands, optimize=False):
    """The operands' axes, brought into one order, repeat where they have none; products, sums."""
    terms, target = _spelled(subscripts, operands)
    letters = target + "".join(sorted(set("".join(terms)) - set(target)))
    dtype = _dtype_of(*operands)  # of all together, before the first two are multiplied
    operands = [x.astype(dtype, copy=False) for x in operands]
    parts = [_aligned(x, term, letters) for x, term in zip(operands, terms)]
    total = math.prod(parts[1:], start=parts[0])
    summed = tuple(range(len(target), len(letters)))
    return _total(total, summed) if summed else total.copy()


def _spelled(subscripts, operands):
    """The letters of each operand and of the result; those of an ellipsis are 0, 1, ..."""
    left, arrow, target = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        target = "..." * ("." in left) + "".join(once)
    counts = [x.ndim - len(term.replace(".", "")) for term, x in zip(terms, operands)]
    most = max((n for term, n in zip(terms, counts) if "." in term), default=0)
    numbers = "0123456789"[:most]
    terms = [term.replace("...", numbers[most - n :]) for term, n in zip(terms, counts)]
    return terms, target.replace("...", numbers)


def _aligned(x, term, letters):
    """A view of x with an axis for each of the letters; of one that it has twice, the diagonal."""
    found = {}
    for letter, n, stride in zip(term, x.shape, x.strides):
        before = found.get(letter)
        found[letter] = (n, stride) if before is None else (before[0], before[1] + stride)
    shape, strides = zip(*(found.get(letter, (1, 0)) for letter in letters)) or ((), ())
    return x.window(shape, strides)
