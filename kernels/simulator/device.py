"""What stands for `cuda` while a kernel is simulated: the part of numba.cuda that kernels use."""

from functools import cache
from sys import _getframe

from greenlet import getcurrent

from .atomics import Atomic
from .block import WARP, Wait
from .faults import KernelError
from .log import GRID, place
from .spaces import Const, Local, Shared


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
        self.shared, self.local, self.const = Shared(self, shared), Local(self), Const()
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
        places = []
        while frame is not None:  # up to the kernel, with which the greenlet begins
            places.append(self.places[place(frame)])
            frame = frame.f_back
        return self._hub.switch(Wait(what, lanes, value, tuple(places)))

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
