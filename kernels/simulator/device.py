"""What stands for `cuda` while a kernel is simulated: the part of numba.cuda that kernels use."""

import ast
from functools import cache
from sys import _getframe

import numpy as np
from greenlet import getcurrent
from numba import types
from numba.np.numpy_support import as_dtype

from .atomics import Atomic
from .block import WARP, Wait
from .faults import KernelError, Site
from .log import GRID, place
from .memory import Constant, Private, compare_by_parts, recorded, unchecked

SHARED_LIMIT = 48 * 1024  # bytes that a block may have without asking for more


class Lanes(int):
    """Lanes as bits: an int32 of Numba's, of which lane 31 is the sign, as in -1 for all lanes."""

    @classmethod
    def of(cls, lanes):
        """The number that has these bits."""
        return cls(sum(-1 << lane if lane == WARP - 1 else 1 << lane for lane in lanes))


class Device:
    """A GPU as a thread sees it.

    threadIdx, blockIdx, blockDim, gridDim    where this thread is, and in how much: x, y, z
    grid(n), gridsize(n), laneid, warpsize    the same, ready for use
    shared.array, local.array                 memory of the block, and of the thread
    syncthreads, syncwarp                     barriers
    threadfence, threadfence_block            what was done before is told by the next atomic update
    shfl_sync, ballot_sync, ...               exchange between the lanes of a warp
    const.array_like                          memory that nobody writes to
    atomic.add, ...                           what other threads cannot come between
    """

    called, warpsize = "cuda", WARP

    def __init__(self, grid, block, places, log, shared=0):
        self.gridDim, self.blockDim, self.places, self.log = grid, block, places, log
        self.given = []  # the arrays in global memory
        self.shared, self.local, self.const = _Shared(self, shared), _Local(self), _Const()
        self.atomic = Atomic()
        self.thread = self.threadIdx = self.blockIdx = None
        self._hub = getcurrent()

    def begin_block(self, index):
        """A new block, with shared memory that nobody has written to."""
        self.blockIdx = index
        self.shared.clear()

    @property
    def arrays(self):
        """All arrays that the threads of this block can reach."""
        return [*self.given, *self.shared.arrays.values()]

    def begin_turn(self, thread, epoch):
        """From here on, another thread runs."""
        self.thread, self.threadIdx = thread, thread.index
        if self.log:
            self.log.begin_turn(thread, epoch)

    # ---- Where a thread is -----------------------------------------------------------------------

    @property
    def laneid(self):
        """The number of this thread in its warp."""
        return self.thread.lane

    def grid(self, ndim):
        """The index of this thread among all threads of all blocks: x, (x, y) or (x, y, z)"""
        axes = zip(self.blockIdx, self.blockDim, self.threadIdx)
        return _first(ndim, [block * size + thread for block, size, thread in axes])

    def gridsize(self, ndim):
        """How many threads there are along each axis."""
        return _first(ndim, [count * size for count, size in zip(self.gridDim, self.blockDim)])

    # ---- Barriers --------------------------------------------------------------------------------

    def _meet(self, what, lanes, value, frame):
        """Wait for the others.   -> what each of them has brought"""
        return self._hub.switch(Wait(what, lanes, value, self.places[place(frame)]))

    def syncthreads(self):
        """Wait until all threads of the block are here, and see what they have written."""
        self._meet("syncthreads", None, None, _getframe(1))

    def syncthreads_count(self, condition):
        """The same, and count the threads for which a condition holds."""
        return sum(self._meet("syncthreads_count", None, bool(condition), _getframe(1)))

    def syncthreads_and(self, condition):
        """The same, and find out whether a condition holds for all threads."""
        return all(self._meet("syncthreads_and", None, bool(condition), _getframe(1)))

    def syncthreads_or(self, condition):
        """The same, and find out whether a condition holds for any thread."""
        return any(self._meet("syncthreads_or", None, bool(condition), _getframe(1)))

    def syncwarp(self, mask=0xFFFFFFFF):
        """Wait until the lanes of the mask are here, and see what they have written."""
        self.exchange("syncwarp", mask, None, _getframe(1))

    def threadfence(self):
        """Let whoever sees a later update of this thread see what was written before, too."""
        if self.log:
            self.log.fence(GRID)

    threadfence_system = threadfence

    def threadfence_block(self):
        """The same, but only for threads of this block."""
        if self.log:
            self.log.fence(self.log.block)

    # ---- Exchange between the lanes of a warp ----------------------------------------------------

    def exchange(self, what, mask, value, frame):
        """Call a function together with other lanes.   -> {lane: what it has brought}"""
        lanes = _lanes(int(mask) & 0xFFFFFFFF)
        if self.thread.lane not in lanes:
            raise KernelError(
                "divergent barrier",
                f"Lane {self.thread.lane} calls {what}() with the mask {int(mask):#x}, which does "
                "not name this lane.",
                "The mask names all lanes that make the call together, the caller among them; "
                "without that, the result is undefined.",
            )
        return self._meet(what, lanes, value, frame)

    def _shuffle(self, what, mask, value, source, frame):
        """What a lane brings; beyond the warp, the own value."""
        values = self.exchange(what, mask, value, frame)
        if not 0 <= source < WARP:
            return value
        if source not in values:
            raise KernelError(
                "undefined lane",
                f"Lane {self.thread.lane} asks lane {source} in {what}(), which does not take "
                "part.",
                "What it receives is undefined. Let all lanes make the call, and let the mask "
                "name them, also those whose numbers do not count.",
            )
        return values[source]

    def shfl_sync(self, mask, value, source):
        """What lane `source` brings."""
        return self._shuffle("shfl_sync", mask, value, int(source) % WARP, _getframe(1))

    def shfl_xor_sync(self, mask, value, bits):
        """What the lane whose number differs in these bits brings."""
        source = self.thread.lane ^ int(bits)
        return self._shuffle("shfl_xor_sync", mask, value, source, _getframe(1))

    def shfl_down_sync(self, mask, value, distance):
        """What a lane further up brings; the last ones keep their own value."""
        source = self.thread.lane + int(distance)
        return self._shuffle("shfl_down_sync", mask, value, source, _getframe(1))

    def shfl_up_sync(self, mask, value, distance):
        """What a lane further down brings; the first ones keep their own value."""
        source = self.thread.lane - int(distance)
        return self._shuffle("shfl_up_sync", mask, value, source, _getframe(1))

    def all_sync(self, mask, condition):
        """Whether a condition holds for all lanes."""
        return all(self.exchange("all_sync", mask, bool(condition), _getframe(1)).values())

    def any_sync(self, mask, condition):
        """Whether a condition holds for any lane."""
        return any(self.exchange("any_sync", mask, bool(condition), _getframe(1)).values())

    def ballot_sync(self, mask, condition):
        """The lanes for which a condition holds, as bits."""
        votes = self.exchange("ballot_sync", mask, bool(condition), _getframe(1))
        return Lanes.of(lane for lane, vote in votes.items() if vote)

    def match_any_sync(self, mask, value):
        """The lanes that bring the same value, as bits."""
        values = self.exchange("match_any_sync", mask, value, _getframe(1))
        return Lanes.of(lane for lane, other in values.items() if other == value)

    # ---- Arithmetic ------------------------------------------------------------------------------

    def fma(self, a, b, c):
        """a b + c"""
        return a * b + c

    def popc(self, bits):
        """How many bits are 1."""
        width = 32 if isinstance(bits, Lanes) else 8 * getattr(bits, "itemsize", 8)
        return (int(bits) & (1 << width) - 1).bit_count()

    def selp(self, condition, a, b):
        """a if the condition holds, else b"""
        return a if condition else b


def _first(ndim, axes):
    return axes[0] if ndim == 1 else tuple(axes[:ndim])


@cache
def _lanes(mask):
    return frozenset(lane for lane in range(WARP) if mask >> lane & 1)


def _dtype(dtype):
    return as_dtype(dtype) if isinstance(dtype, types.Type) else np.dtype(dtype)


def _name(frame, otherwise):
    """The name to which a line of a kernel gives what it makes."""
    return _target(frame.f_code, frame.f_lasti) or otherwise


@cache
def _target(code, offset):
    """The name on the left of an assignment, or None. Each thread asks for it anew."""
    target, equals, _ = Site(code, offset).text.partition("=")
    return target.strip() if equals and target.strip().isidentifier() else None


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


class _Shared:
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


class _Local:
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


class _Const:
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
