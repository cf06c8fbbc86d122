"""DeviceArray: an array in the memory of a device, which speaks NumPy.

`np.exp(x)`, `x + 1`, `np.sum(x, axis=0)` and `x[:, 2:]` of a DeviceArray `x` run on its device and
give another one: NumPy hands its ufuncs (NEP 13) and functions (NEP 18) over to arrays that know
better. So what is written in NumPy's words need not know where its arrays are.

Nothing goes to the host unasked, for the host would have to wait until all kernels so far have run.
What would read an array behind one's back, such as `float(x)`, `if x:` or `np.asarray(x)`, raises
HostCopyError, and so does an array of the host among those of a device. `x.item()` and `x.numpy()`
read, and are counted. Numbers may come from anywhere.

Views, such as slices and transposes, are worked out by NumPy itself, on a stand-in: an array of the
host that has the address, the shape and the strides, and whose numbers nobody looks at.
"""

import inspect
from functools import partial

import numpy as np

from .. import dlpack
from . import axes, calls, functions, indexing, ufuncs
from .errors import HostCopyError
from .products import product


def _forbidden(name):
    def method(self, *arguments, **options):
        raise HostCopyError(
            f"{name} of an array on a device would copy it to the host. "
            "x.item() or x.numpy() does so on purpose"
        )

    return method


class DeviceArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on a device.

    device   the Device that it is on
    block    the memory that it lies in, and `offset` the byte of it where its first element is
    shape, dtype, strides, base   as in NumPy

    The order of threads, which nobody knows, shows in two things. After x[index] = values with a
    place that is named twice, any of its values stays there, where NumPy has the last; of values
    that are rows, some numbers may be of one row and some of another. And np.add.at adds all values
    of such a place, but in any order, so that floats may differ in their last bits from run to run.
    `kernels.scatter_add` adds rows of float32 in the order of their index.
    """

    __slots__ = ("device", "block", "offset", "shape", "dtype", "strides", "base", "_is_writeable")

    def __init__(self, device, block, shape, dtype, strides=None, offset=0, base=None):
        self.device, self.block, self.offset = device, block, offset
        self.shape, self.dtype, self.base = shape, dtype, base
        self.strides = _contiguous(shape, dtype.itemsize) if strides is None else strides
        self._is_writeable = True

    ndim = property(lambda self: len(self.shape))
    nbytes = property(lambda self: self.size * self.dtype.itemsize)
    itemsize = property(lambda self: self.dtype.itemsize)
    pointer = property(lambda self: self.block.address + self.offset)
    T = property(lambda self: self.transposed(range(self.ndim)[::-1]))

    @property
    def size(self):
        """How many elements it has."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    def __len__(self):
        if not self.shape:
            raise TypeError("an array of shape () has no length")
        return self.shape[0]

    def __repr__(self):
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype}, device={self.device.name!r})"

    # ---- Read by the host ------------------------------------------------------------------------

    def numpy(self):
        """A copy on the host."""
        return self.device.read(self)

    def item(self):
        """The value of an array of one element, as a Python number."""
        if self.size != 1:
            raise ValueError(f"item() reads an array of one element. Received: {self.shape}")
        return self.device.read(self).item()

    @property
    def __cuda_array_interface__(self):
        """For other libraries on the same GPU, which then see the same memory."""
        if self.device.machine.place[0] != dlpack.GPU:
            raise AttributeError(f"{self!r} is not in the memory of a GPU")
        return {
            "data": (self.pointer, not self._is_writeable),
            "shape": self.shape,
            "strides": self.strides,
            "typestr": self.dtype.str,
            "stream": 1,  # the default one: what is still to be done to the array is ordered there
            "version": 3,
        }

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """The same for those that speak DLPack: a capsule. BufferError if it cannot be shared."""
        place = self.__dlpack_device__()
        if dl_device not in (None, place):
            raise BufferError(f"{self!r} cannot be shared with a device that it is not on")
        shared = self.copy() if copy else self
        self.device.machine.hand_over(stream)
        stand_in = dlpack.stand_in(shared, shared.pointer, shared._is_writeable)
        return dlpack.given(stand_in, place, max_version)

    def __dlpack_device__(self):
        """Where its memory is, in the numbers of DLPack."""
        return self.device.machine.place

    __array__, __float__, __int__ = map(_forbidden, ["__array__", "__float__", "__int__"])
    __bool__, __index__, __iter__ = map(_forbidden, ["__bool__", "__index__", "__iter__"])
    __complex__, __contains__, tolist = map(_forbidden, ["__complex__", "__contains__", "tolist"])
    __reduce__ = _forbidden("__reduce__")

    def __format__(self, how):
        return _forbidden(f"format {how!r}")(self) if how else repr(self)

    # ---- Views -----------------------------------------------------------------------------------

    def window(self, shape, strides, dtype=None):
        """The same memory from the first element on, in another shape and with other strides.

        dtype   another, for which its bits are taken
        """
        dtype = self.dtype if dtype is None else dtype
        return DeviceArray(self.device, self.block, shape, dtype, strides, self.offset, self.base)

    def seen(self, make):
        """A view that make(array) gives of an array of NumPy; or several of them, in a list."""
        made = make(dlpack.stand_in(self, self.pointer))
        return [self._view(part) for part in made] if type(made) is list else self._view(made)

    def _view(self, stand_in):
        if stand_in.flags.owndata and stand_in.size:
            raise HostCopyError("NumPy makes a copy for this, which an array on a device cannot be")
        start = stand_in.__array_interface__["data"][0]
        offset = self.offset + (start - self.pointer if stand_in.size else 0)
        shape, strides = stand_in.shape, stand_in.strides
        view = DeviceArray(self.device, self.block, shape, self.dtype, strides, offset, self)
        # One number in many places, as broadcast_to makes it, is not to be written to.
        view._is_writeable = self._is_writeable and stand_in.flags.writeable
        return view

    def transposed(self, order):
        """The axes in another order, a view."""
        order = tuple(order)
        shape, strides = (tuple(of[i] for i in order) for of in (self.shape, self.strides))
        view = self.window(shape, strides)
        view.base, view._is_writeable = self, self._is_writeable
        return view

    def view(self):
        """All of it, as another array."""
        return self.transposed(range(self.ndim))

    def setflags(self, write):
        """Whether it may be written to."""
        self._is_writeable = bool(write)

    def reshape(self, *shape, order="C"):
        """The same elements in another shape: a view where that can be, else a copy."""
        shape = shape[0] if len(shape) == 1 else shape
        if order != "C":
            raise NotImplementedError(f"reshape on a device has order='C'. Received: {order!r}")
        try:
            return self.seen(lambda x: x.reshape(shape, copy=False))
        except ValueError:
            if self.is_contiguous:
                raise  # the shape is at fault
            return self.copy().reshape(shape)

    @property
    def is_contiguous(self):
        """Whether its elements lie one after the other, in order."""
        step = self.dtype.itemsize
        for n, stride in zip(self.shape[::-1], self.strides[::-1]):
            if n != 1 and stride != step:
                return self.size == 0
            step *= n
        return True

    @property
    def extent(self):
        """The first byte of its block that it reaches, and the one after the last."""
        ends = [(n - 1) * stride for n, stride in zip(self.shape, self.strides) if self.size]
        low, high = (sum(end(step, 0) for step in ends) for end in (min, max))
        return self.offset + low, self.offset + high + (self.itemsize if self.size else 0)

    def contiguous(self):
        """Itself, if its elements lie one after the other, else a copy."""
        return self if self.is_contiguous else self.copy()

    def aligned(self):
        """The same, which also begins at a multiple of 16 bytes, for loads of four numbers."""
        return self if self.is_contiguous and self.pointer % 16 == 0 else self.copy()

    # ---- Copies ----------------------------------------------------------------------------------

    def copy(self, order="C"):
        """A new array with the same elements."""
        return self.astype(self.dtype)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def astype(self, dtype, copy=True):
        """A new array with the same numbers in another dtype."""
        if not copy and self.dtype == dtype:
            return self
        changed = self.device.empty(self.shape, check_dtype(np.dtype(dtype)))
        ufuncs.run(self.device, np.copyto, (self.dtype,), changed, [self])
        return changed

    def __getitem__(self, index):
        return indexing.get(self, index)

    def __setitem__(self, index, value):
        """x[index] = value; of a place that is named twice, any of its values stays."""
        self.check_writeable()
        indexing.set(self, index, value)

    def write(self, value):
        """Take the numbers of another array, or a number, in every element."""
        value = self.device.operand(value, self.dtype)
        if value.ndim > self.ndim and all(n == 1 for n in value.shape[: -self.ndim or None]):
            value = value.reshape(value.shape[value.ndim - self.ndim :])
        try:
            value = functions.broadcast(value, self.shape)
        except ValueError:
            raise ValueError(
                f"an array of shape {value.shape} does not fit into one of {self.shape}"
            ) from None
        if overlap(self, value):
            value = value.copy()
        ufuncs.run(self.device, np.copyto, (value.dtype,), self, [value])

    def check_writeable(self):
        """ValueError if it is not to be written to."""
        if not self._is_writeable:
            raise ValueError("assignment destination is read-only")

    # ---- NumPy's protocols -----------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        """What NumPy calls for a ufunc one of whose arguments this is."""
        out = out[0] if isinstance(out, tuple) else out
        if out is not None:
            self.device.check_own(out)
        if ufunc is np.matmul and method == "__call__" and not options:
            return product(*map(self.device.check_own, inputs), out=out)
        if method == "__call__" and not options:
            return self._call(ufunc, inputs, out)
        if method == "reduce" and ufunc in functions.REDUCTIONS:
            run = partial(functions.reduce, ufunc)
            result = _called(f"{ufunc.__name__}.reduce", run, inputs, options)
            return result if out is None else _written(out, result)
        if method == "accumulate" and ufunc in functions.REDUCTIONS and out is None:
            return axes.accumulate(ufunc, *inputs, **options)
        if method == "at" and ufunc is np.add:
            self.device.check_own(inputs[0])
            return indexing.add_at(*inputs)
        given = f"np.{ufunc.__name__}" + (f".{method}" if method != "__call__" else "")
        with_options = f" with {', '.join(options)}" if options else ""
        raise HostCopyError(f"{given}{with_options} does not run on a device")

    def _call(self, ufunc, inputs, out):
        if ufunc not in ufuncs.KNOWN:
            raise HostCopyError(f"np.{ufunc.__name__} does not run on a device")
        kinds = tuple(_kind(ufunc, x) for x in inputs)
        *loop, result = ufunc.resolve_dtypes((*kinds, None))
        if result.char == "e":  # float16, as NumPy has it of integers of one byte, and booleans
            raise TypeError(
                f"np.{ufunc.__name__} of {' and '.join(map(str, kinds))} takes float16, and a "
                'device has no arrays of float16. Give it x.astype("float32")'
            )
        return self.device.apply(ufunc, tuple(loop), result, inputs, out)

    def __array_function__(self, function, types, arguments, options):
        """What NumPy calls for a function one of whose arguments this is."""
        run = functions.FUNCTIONS.get(function)
        if run is None:
            raise HostCopyError(f"np.{function.__name__} does not run on a device")
        if function not in functions.VIEWS:
            functions.check_no_host(arguments, options)
        return _called(function.__name__, run, arguments, options)

    def __kernel__(self, name, specification, arguments, options):
        """What kernels.NAME calls if this is its first argument."""
        return calls.run(name, specification, arguments, options)

    # ---- NumPy's methods -------------------------------------------------------------------------

    def flatten(self, order="C"):
        """A copy with one axis."""
        return self.copy().reshape(-1, order=order)

    def transpose(self, *order):
        """The same array with its axes in another order, the reverse if none is given: a view."""
        order = order[0] if len(order) == 1 else order or None
        return np.transpose(self, order)


def _method(function):
    def method(self, *arguments, **options):
        return function(self, *arguments, **options)

    return method


for _function in (
    *(np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.any, np.all, np.argmax),
    *(np.argmin, np.cumsum, np.cumprod, np.clip, np.take, np.repeat, np.ravel, np.squeeze),
    *(np.swapaxes, np.diagonal, np.trace, np.dot),
):
    setattr(DeviceArray, _function.__name__, _method(_function))


def _kind(ufunc, x):
    """What NumPy's promotion sees of an operand: a dtype, or Python's int or float."""
    if isinstance(x, bool):
        return np.dtype(bool)
    if isinstance(x, (int, float)) and not isinstance(x, np.generic):
        return type(x)
    if not hasattr(x, "dtype"):
        raise TypeError(
            f"np.{ufunc.__name__} on a device takes numbers, and arrays of the device. "
            f"Received: {x!r}"
        )
    return x.dtype


def _called(name, run, arguments, options):
    """run(*arguments, **options), which may not have all the options that NumPy has."""
    try:
        return run(*arguments, **options)
    except TypeError:
        try:
            inspect.signature(run).bind(*arguments, **options)
        except TypeError as error:
            raise HostCopyError(f"np.{name} on a device: {error}") from None
        raise


def _written(out, result):
    out.check_writeable()
    if out.shape != result.shape:
        raise ValueError(f"out must have the shape {result.shape}. Received: {out.shape}")
    out.write(result)
    return out


def _contiguous(shape, itemsize):
    strides, step = [], itemsize
    for n in shape[::-1]:
        strides.append(step)
        step *= n
    return tuple(strides[::-1])


def check_dtype(dtype):
    """The dtype, if a device has it."""
    if dtype.kind not in "fiub" or dtype.itemsize > 8 or dtype == np.float16:
        raise TypeError(f"a device has no arrays of {dtype}")
    return dtype


def overlap(x, y):
    """Whether a kernel that writes to x could change what it has yet to read of y."""
    if x.block is not y.block or (x.offset, x.strides) == (y.offset, y.strides):
        return False
    (start, end), (low, high) = x.extent, y.extent
    return start < high and low < end
