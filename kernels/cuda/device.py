"""A device: memory of its own, which kernels alone read and write, and a way to launch them.

What differs from machine to machine is behind a small interface, which `kernels.cuda.card` has for
a GPU, and `kernels.simulator.machine` for the simulator:

    place                                  where it is, in the numbers of DLPack
    reserve(nbytes)                        new memory, an object that frees it when it is gone
    address(memory)                        where it begins
    write(memory, offset, array)           copy a contiguous NumPy array to there
    read(memory, offset, array)            copy to a contiguous NumPy array
    view(memory, offset, shape, dtype, strides)   a part of it, as a kernel takes it
    adopt(address, nbytes, owner)          memory of another library, and what keeps it
    hand_over(stream)                      wait, unless a stream of another library does so itself
    launch(kernel, grid, block, arguments)
    blocks_for(n)                          grid and block for n elements that any thread may take

Memory that arrays need no longer is kept for those to come: a GPU takes as long to give out memory
as for a kernel or two. All launches run in the order in which they are ordered, so what the kernels
before still do with such memory is done before others write there.
"""

import functools
from weakref import finalize

import numpy as np

from .. import dlpack
from . import ufuncs
from .array import DeviceArray, check_dtype, overlap
from .errors import MARKS, HostCopyError
from .functions import broadcast

PIECE = 512  # bytes: memory is given out in multiples of it


class Block:
    """A piece of memory that one array, and all views of it, lie in."""

    __slots__ = ("memory", "nbytes", "address", "__weakref__")

    def __init__(self, memory, nbytes, address):
        self.memory, self.nbytes, self.address = memory, nbytes, address


class Pool:
    """Gives out memory, and keeps what comes back, by its size.

    Sizes are rounded up to one of four between any two powers of two, so that arrays of nearly the
    same size can take each other's place, and at most a fifth of the memory is not used.
    """

    def __init__(self, machine):
        self.machine = machine
        self.free = {}  # {nbytes: [memory]}
        self.reserved = self.in_use = 0  # bytes

    def take(self, nbytes):
        """A Block of at least so many bytes, which comes back when nobody has it any longer."""
        nbytes = _rounded(nbytes)
        kept = self.free.setdefault(nbytes, [])
        if not kept:
            kept.append(self._reserve(nbytes))
        memory = kept.pop()
        block = Block(memory, nbytes, self.machine.address(memory))
        self.in_use += nbytes
        finalize(block, self._give_back, memory, nbytes).atexit = False
        return block

    def _reserve(self, nbytes):
        try:
            memory = self.machine.reserve(nbytes)
        except MemoryError:
            self.release()
            memory = self.machine.reserve(nbytes)
        self.reserved += nbytes
        return memory

    def _give_back(self, memory, nbytes):
        self.in_use -= nbytes
        self.free[nbytes].append(memory)

    def release(self):
        """Give back to the machine what no array needs now."""
        for nbytes, kept in self.free.items():
            self.reserved -= nbytes * len(kept)
            kept.clear()


def _rounded(nbytes):
    pieces = max(-(-nbytes // PIECE), 1)
    step = max(1 << (pieces.bit_length() - 3), 1) if pieces > 4 else 1
    return -(-pieces // step) * step * PIECE


class Device:
    """A machine with its memory.

    copies_to_host    how often arrays were read by the host
    copies_to_device  how often the host has sent one
    """

    def __init__(self, machine):
        self.machine, self.pool = machine, Pool(machine)
        self._constants = functools.lru_cache(4096)(self._make_constant)
        self.copies_to_device = 0
        self.marks = self.put(np.zeros(len(MARKS), np.int32))  # 1 for each that was left
        self.copies_to_host = self.copies_to_device = 0

    def __repr__(self):
        return f"Device({self.machine.name!r})"

    @property
    def name(self):
        """What the machine is called."""
        return self.machine.name

    # ---- Arrays ----------------------------------------------------------------------------------

    def empty(self, shape, dtype):
        """A new array, in which anything may stand."""
        shape, dtype = tuple(shape), np.dtype(dtype)
        return DeviceArray(self, self.pool.take(_count(shape) * dtype.itemsize), shape, dtype)

    def put(self, array):
        """A NumPy array, copied to the device."""
        array = np.asarray(array, order="C")
        check_dtype(array.dtype)
        copy = self.empty(array.shape, array.dtype)
        self.machine.write(copy.block.memory, 0, array)
        self.copies_to_device += 1
        return copy

    def adopt(self, x):
        """An array that another library has on this device, without a copy: both see one memory.

        x   one with `__cuda_array_interface__`, if this is a GPU, or with `__dlpack__`; the memory
            of the simulator is that of the host, where NumPy's arrays are
        """
        is_gpu = self.machine.place[0] == dlpack.GPU
        if is_gpu and hasattr(x, "__cuda_array_interface__"):
            stand_in = _stand_in(x, x.__cuda_array_interface__)
            self.machine.hand_over(x.__cuda_array_interface__.get("stream"))
        else:
            self._check_place(x)
            stand_in = dlpack.taken(x, **({"stream": 1} if is_gpu else {}))
        dtype = check_dtype(stand_in.dtype)
        array = DeviceArray(self, None, stand_in.shape, dtype, stand_in.strides)
        low, high = array.extent
        start, nbytes = stand_in.ctypes.data + low, high - low
        array.block = Block(self.machine.adopt(start, nbytes, stand_in), nbytes, start)
        array.offset = -low
        array.setflags(stand_in.flags.writeable)
        return array

    def _check_place(self, x):
        """That an array of another library is on this device."""
        if not hasattr(x, "__dlpack_device__"):
            raise TypeError(
                f"{self} takes arrays that speak DLPack, or, if it is a GPU, that have "
                f"__cuda_array_interface__. Received: {type(x).__name__}"
            )
        place = tuple(map(int, x.__dlpack_device__()))
        if place != self.machine.place:
            raise HostCopyError(
                f"an array on device {place}, in DLPack's numbers, cannot be shared with {self}, "
                f"which is {self.machine.place}"
            )

    def read(self, array):
        """An array of the device, copied to a new NumPy array: the host waits for it."""
        array = array.contiguous()
        copy = np.empty(array.shape, array.dtype)
        self.machine.read(array.block.memory, array.offset, copy)
        self.copies_to_host += 1
        self._check_marks()
        return copy

    def _check_marks(self):
        """The error that a kernel has left a mark of since the last time."""
        marks = np.empty(self.marks.shape, np.int32)
        self.machine.read(self.marks.block.memory, 0, marks)
        if marks.any():
            self.machine.write(self.marks.block.memory, 0, np.zeros_like(marks))
            error, text = MARKS[int(marks.argmax())]
            raise error(
                f"{text} on {self}, in one of the kernels since the host has last read from there"
            )

    def operand(self, value, dtype):
        """An array of this device as it is; a number as an array () of a dtype."""
        if isinstance(value, DeviceArray) or np.ndim(value):
            return self.check_own(value)
        return self.constant(value, dtype)

    def check_own(self, x):
        """The same array, if it is on this device, else HostCopyError."""
        if not isinstance(x, DeviceArray):
            raise HostCopyError(
                f"an array of shape {np.shape(x)} on the host came together with one on a device"
            )
        if x.device is not self:
            raise HostCopyError(f"an array on {x.device} came to one on {self}")
        return x

    def constant(self, value, dtype):
        """An array () of one number. It is kept, so that the same number comes but once."""
        value = dtype.type(value)
        return self._constants(value.tobytes(), dtype)

    def _make_constant(self, value, dtype):
        constant = self.put(np.frombuffer(value, dtype).reshape(()))
        self.copies_to_device -= 1
        return constant

    # ---- Elementwise functions -------------------------------------------------------------------

    def apply(self, ufunc, dtypes, result, inputs, out):
        """ufunc(*inputs), computed in these dtypes, in a new array or in `out`."""
        operands = [self.operand(x, dtype) for x, dtype in zip(inputs, dtypes)]
        for dtype in (*dtypes, result):
            check_dtype(dtype)
        if ufunc is np.power:
            self._check_powers(inputs[1], operands[1], dtypes[1])
        shape = np.broadcast_shapes(*(x.shape for x in operands))
        if out is None:
            out = self.empty(shape, result)
        else:
            out.check_writeable()
            if np.broadcast_shapes(shape, out.shape) != out.shape:
                raise ValueError(f"{ufunc.__name__} gives {shape}. Received: out of {out.shape}")
            if not np.can_cast(result, out.dtype, "same_kind"):
                raise TypeError(f"{ufunc.__name__} gives {result}. Received: out of {out.dtype}")
        operands = [broadcast(x, out.shape) for x in operands]
        operands = [x.copy() if overlap(out, x) else x for x in operands]
        ufuncs.run(self, ufunc, dtypes, out, operands)
        return out

    def _check_powers(self, given, power, dtype):
        """ValueError if integers are raised to a number below 0; to an array of such, a mark."""
        if dtype.kind != "i" or power.size == 0:
            return
        if isinstance(given, DeviceArray):
            flat = power.contiguous().reshape(-1)
            self.launch(ufuncs.negative_powers, *self.blocks_for(flat.size), flat, self.marks)
        elif given < 0:
            raise ValueError(f"integers have no power of {given} that is an integer")

    # ---- Kernels ---------------------------------------------------------------------------------

    def blocks_for(self, n):
        """grid, block: for kernels in which any thread may take any number of n elements."""
        return self.machine.blocks_for(n)

    def launch(self, kernel, grid, block, *arguments):
        """Run a kernel on DeviceArrays and numbers."""
        views = [
            self.machine.view(a.block.memory, a.offset, a.shape, a.dtype, a.strides)
            if isinstance(a, DeviceArray)
            else a
            for a in arguments
        ]
        self.machine.launch(kernel, grid, block, views)


def _stand_in(x, interface):
    """A stand-in for another library's array, of which `__cuda_array_interface__` says all."""
    if interface.get("mask") is not None:
        raise TypeError(f"a device has no arrays with masks. Received: {type(x).__name__}")
    return np.asarray(dlpack.Described(interface, x))


def _count(shape):
    count = 1
    for n in shape:
        count *= n
    return count
