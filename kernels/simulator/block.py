"""The threads of a block, which take turns on the one processor that there is.

A thread is a greenlet: a Python function that can stop in its middle and go on later. It runs until
it waits for others, at a barrier or in an exchange between the lanes of its warp, or has ended;
then the next one has its turn. So nothing happens at the same time, everything happens in an order
that is known, and the order can be turned round to see whether a kernel depends on it.
"""

import random
from typing import NamedTuple

from greenlet import greenlet

from . import syntax
from .faults import (
    Access,
    KernelError,
    Site,
    floating_index,
    lost_bits,
    of_numbers,
    part_of_array,
    unknown,
)
from .source import source_of

WARP = 32
ORDERS = ("forward", "backward", "shuffled")


class Index(NamedTuple):
    """Where a thread is in its block, or a block in the grid; or the shape of either."""

    x: int
    y: int = 1
    z: int = 1

    def __str__(self):
        return f"({self.x}, {self.y}, {self.z})"


def indices(shape):
    """All indices of a grid or a block; x runs first, so threads in a warp differ in x."""
    return [Index(x, y, z) for z in range(shape.z) for y in range(shape.y) for x in range(shape.x)]


class Wait(NamedTuple):
    """What a thread waits for.

    what    "syncthreads", or the name of a function that the lanes of a warp call together
    lanes   the numbers of the lanes that are to call it, or None: all threads of the block
    value   what it brings for the others
    places  where in the source it waits, and from where what waits there was called, up to the
            kernel: a function is compiled into each place that calls it, so these differ
    """

    what: str
    lanes: frozenset | None
    value: object
    places: tuple


class Thread(greenlet):
    """One thread of a block.

    clock   how far each lane of its warp had come, in barriers of the warp, when this thread was
            last in step with it: what the lane did until then happened before
    known   the moments, of any thread, that it has learnt of by an update or a barrier
    fenced  {scope: the moments that its next update tells to those who are in the scope}
    """

    def __init__(self, run, number, index, hub, context):
        super().__init__(run, hub)
        self.number, self.index, self.lane = number, index, number % WARP
        self.gr_context = context  # NumPy's settings for overflow and division by zero
        self.wait, self.answer = None, None
        self.copies = [[]]  # groups of asynchronous copies, of which the last is not complete
        self.clock = (0,) * WARP
        self.known, self.fenced = frozenset(), {}

    def take_turn(self):
        """Run until it waits or has ended.   -> what its function returns, if it has ended"""
        wait = self.switch(self.answer) if self else self.switch()  # the first time it begins
        self.wait = None if self.dead else wait
        return wait if self.dead else None


class Block:
    """A block of threads that run a function."""

    def __init__(self, index, shape, run, device, context):
        self.index, self.device, self.epoch = index, device, 0
        self.threads = [
            Thread(run, number, thread, greenlet.getcurrent(), context)
            for number, thread in enumerate(indices(shape))
        ]
        self.warps = [self.threads[i : i + WARP] for i in range(0, len(self.threads), WARP)]

    def run(self, order):
        """Run all threads to their end."""
        ready = self.threads
        while ready:
            for thread in order(ready):
                self._let_run(thread)
            ready = self._released()
        for thread in self.threads:
            if thread.wait:
                raise self._divergence(thread)

    def _let_run(self, thread):
        self.device.begin_turn(thread, self.epoch)
        try:
            returned = thread.take_turn()
        except Exception as error:
            fault = _as_fault(error)
            if not fault:
                error.add_note(f"in thread {thread.index} of block {self.index} of the simulation")
                raise
            site = _site_of(error, self.device.places)
            deed = site.deed if site else "does what goes wrong"
            fault.accesses = [Access(deed, thread.index, self.index, site)]
            raise fault from None
        if returned is not None:
            raise syntax.returned(source_of(self.device.places.kernel, is_kernel=True))

    def _released(self):
        """The threads that need not wait any longer: all that they wait for are there."""
        free = [thread for warp in self.warps for thread in _in_step(warp)]
        if not free and self._all_are_at_one_barrier():
            values = [thread.wait.value for thread in self.threads]
            self.epoch += 1
            for thread in self.threads:
                thread.answer = values
            if self.device.log and self.device.log.has_fences:
                _share_what_is_known(self.threads)
            free = self.threads
        return free

    def _all_are_at_one_barrier(self):
        waits = [thread.wait for thread in self.threads]
        return all(waits) and waits[0].lanes is None and len({wait.places for wait in waits}) == 1

    def _divergence(self, first):
        """The fault that a thread waits in vain."""
        what, lanes = first.wait.what, first.wait.lanes
        expected = self.threads if lanes is None else self.warps[first.number // WARP]
        other = next(
            thread
            for thread in expected
            if (lanes is None or thread.lane in lanes)
            and (thread.wait is None or thread.wait.places != first.wait.places)
        )
        at_one_line = other.wait and other.wait.places[0] == first.wait.places[0]
        those = "threads of the block" if lanes is None else "lanes that the mask names"
        return KernelError(
            "divergent barrier",
            f"Thread {first.index} waits for thread {other.index}, which "
            f"{'waits elsewhere' if other.wait else 'has ended'}:",
            f"All {those} must come to the same call of {what}(), equally often: on a GPU some may "
            "wait for ever, or go on too early. Move the call out of the condition or loop that "
            "not all of them run, and let none return before it."
            + " A function is compiled into each place that calls it, so what it calls there are "
            "calls of their own." * bool(at_one_line),
            accesses=[self._waiting(thread) for thread in (first, other) if thread.wait],
        )

    def _waiting(self, thread):
        """That a thread waits, and where."""
        site, *callers = map(self.device.places.site, thread.wait.places)
        verb = f"waits in {thread.wait.what}()"
        return Access(verb, thread.index, self.index, site, tuple(callers))


def ordering(name, seed):
    """A function that puts threads or blocks in the order in which they have their turn."""
    if name not in ORDERS:
        raise ValueError(f"order is one of {', '.join(ORDERS)}. Received: {name!r}")
    chance = random.Random(seed)
    return {
        "forward": lambda threads: threads,
        "backward": lambda threads: threads[::-1],
        "shuffled": lambda threads: chance.sample(threads, len(threads)),
    }[name]


def _in_step(warp):
    """Threads of a warp whose lanes are all in the same call; each is given the others' values."""
    groups = {}
    for thread in warp:
        if thread.wait and thread.wait.lanes is not None:
            groups.setdefault((thread.wait.places, thread.wait.lanes), []).append(thread)
    released = []
    for (_, lanes), group in groups.items():
        expected = {thread.lane for thread in warp if not thread.dead} & lanes
        if expected <= {thread.lane for thread in group}:
            values = {thread.lane: thread.wait.value for thread in group}
            if group[0].wait.what == "syncwarp":
                _order(group)
            for thread in group:
                thread.answer = values
            released += group
    return released


def _order(group):
    """Whatever these threads did so far happens before whatever they do from now on."""
    seen = tuple(map(max, zip(*(thread.clock for thread in group))))
    lanes = {thread.lane for thread in group}
    clock = tuple(time + (lane in lanes) for lane, time in enumerate(seen))
    for thread in group:
        thread.clock = clock
    _share_what_is_known(group)


def _share_what_is_known(threads):
    known = frozenset().union(*{thread.known for thread in threads})
    for thread in threads:
        thread.known = known


def _as_fault(error):
    """The fault that an error of Python's is, or None."""
    if "unhashable type: 'slice'" in str(error):  # of an index; from Python 3.12 on it is no error
        return part_of_array()
    if isinstance(error, IndexError) and str(error).startswith("only integers"):  # of NumPy
        return floating_index()
    if isinstance(error, OverflowError) and "integer" in str(error):
        return lost_bits(error)
    if isinstance(error, AttributeError) and hasattr(error.obj, "called"):  # cuda or a part of it
        return unknown(error.obj, error.name)
    return error if isinstance(error, KernelError) else of_numbers(error)


def _site_of(error, places):
    """The innermost place in the kernel, or in what it calls, that an error has come through."""
    sites = [
        Site(trace.tb_frame.f_code, trace.tb_lasti)
        for trace in _traces(error.__traceback__)
        if places.site(id(trace.tb_frame.f_code)) is not None
    ]
    return sites[-1] if sites else None


def _traces(trace):
    while trace:
        yield trace
        trace = trace.tb_next
