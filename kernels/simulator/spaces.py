"""What stands for `cuda.shared`, `cuda.local` and `cuda.const`: arrays that a kernel makes."""

import ast
from functools import cache
from sys import _getframe

import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from .faults import KernelError, Site
from .log import place
from .memory import Constant, Private, compare_by_parts, recorded, unchecked
from .source import name_given

SHARED_LIMIT = 48 * 1024  # bytes that a block may have without asking for more


def _dtype(dtype):
    return as_dtype(dtype) if isinstance(dtype, types.Type) else np.dtype(dtype)


def _name(frame, otherwise):
    """The name that a kernel gives to what it makes there."""
    return name_given(Site(frame.f_code, frame.f_lasti)) or otherwise


def _check_shape(device, frame, name):
    """A KernelError if Numba would not know the shape of a new array as it compiles."""
    shape, what = _shape_in_words(frame.f_code, frame.f_lasti)
    if what == "computed" or (what == "given" and frame.f_code is device.places.kernel):
        raise KernelError(
            "does not compile",
            f"The shape of {name} is {what}: {shape}",
            "Numba makes room for an array as it compiles, and takes a number there, or a name for "
            "one, or several of them: no argument of the kernel, no blockDim, and no arithmetic. "
            "Compute it outside of the kernel, as in ROW = WIDTH + 1, and say ROW. Shared memory "
            "whose size the launch says is cuda.shared.array(0, dtype).",
            name,
        )


@cache
def _shape_in_words(code, offset):
    """The shape in a call that makes an array, and whether it is "computed", "given" or neither.

    Given are arguments: a function may have constants of what it is compiled into for them.
    """
    try:
        call = ast.parse(f"({Site(code, offset).expression})", mode="eval").body
    except SyntaxError:  # the file is another by now
        return "", ""
    named = {keyword.arg: keyword.value for keyword in getattr(call, "keywords", ())}
    shape = [*getattr(call, "args", ()), named.get("shape", ast.Constant(0))][0]
    parts = list(ast.walk(shape))
    arguments = code.co_varnames[: code.co_argcount]
    what = ""
    if any(getattr(part, "id", None) in arguments for part in parts):
        what = "given"
    if any(
        isinstance(part, (ast.BinOp, ast.Call, ast.Subscript))
        or getattr(part, "attr", None) in ("blockDim", "gridDim")
        for part in parts
    ):
        what = "computed"
    return ast.unparse(shape), what


class Shared:
    """Arrays that all threads of a block have in common.

    dynamic   how many bytes the launch gives; all arrays of 0 elements begin there
    """

    def __init__(self, device, dynamic):
        self._device, self._dynamic = device, dynamic
        self.clear()

    called = "cuda.shared"

    def clear(self):
        """Begin another block."""
        self.arrays = {}  # {place in the source: array}, which each thread comes by
        self.size, self._given = self._dynamic, np.full(self._dynamic, 0xFF, np.uint8)

    def array(self, shape, dtype, alignment=None):
        """The array that this line of the kernel makes, the same for all threads of the block."""
        frame = _getframe(1)
        where = self._device.places[place(frame)]
        if where not in self.arrays:
            _check_shape(self._device, frame, _name(frame, "a shared array"))
            dtype = _dtype(dtype)
            self.arrays[where] = self._make(shape, dtype, alignment or dtype.itemsize, frame)
        return self.arrays[where]

    def _make(self, shape, dtype, alignment, frame):
        name = _name(frame, f"shared array {len(self.arrays) + 1}")
        if shape in (0, (0,)):
            return self._part_of_given(name, dtype)
        start = -(-self.size // alignment) * alignment
        values = np.empty(shape, dtype)
        values.view(np.uint8).fill(0xFF)  # NaN: what stands there at first means nothing
        self.size = start + values.nbytes
        self._check_size(name)
        return self._recorded(values, name, start)

    def _part_of_given(self, name, dtype):
        """What the launch gives, as an array of this type: several see the same memory."""
        if not self._dynamic:
            raise KernelError(
                "too much shared memory",
                f"{name} has 0 elements, so it is as long as the launch says, and that gives none.",
                "Let it give bytes, by simulator.launch(..., shared=bytes) or "
                "kernel[grid, block, stream, bytes]; or say here how many elements there are.",
                name,
            )
        self._check_size(name)
        count = self._dynamic // dtype.itemsize
        array = self._recorded(self._given[: count * dtype.itemsize].view(dtype), name, 0)
        if self._device.log:
            others = (other for other in self.arrays.values() if other.address == 0)
            compare_by_parts([*others, array])
        return array

    def _check_size(self, name):
        if self.size > SHARED_LIMIT:
            raise KernelError(
                "too much shared memory",
                f"With {name} a block needs {self.size} bytes of shared memory.",
                f"A kernel that needs more than {SHARED_LIMIT} does not start. Take smaller tiles.",
                name,
            )

    def _recorded(self, values, name, start):
        log, number = self._device.log, len(self._device.arrays)
        if not log:
            return unchecked(values)
        return recorded(values, name, "shared", start, number, log)


class Local:
    """Arrays that a thread has alone."""

    called = "cuda.local"

    def __init__(self, device):
        self._device = device

    def array(self, shape, dtype, alignment=None):
        """A new array: in registers, if the compiler knows all indices."""
        frame = _getframe(1)
        name = _name(frame, "a local array")
        _check_shape(self._device, frame, name)
        return Private(shape, _dtype(dtype), name)


class Const:
    """Arrays that no thread writes to."""

    called = "cuda.const"

    def array_like(self, array):
        """An array that is known when the kernel is compiled, a copy of it."""
        if isinstance(array, Constant):
            return array
        raise KernelError(
            "does not compile",
            "cuda.const.array_like() is called for what is no global array of NumPy.",
            "Constant memory is filled as the kernel is compiled: give it an array that has a name "
            "outside of the kernel, not an argument of it.",
        )
