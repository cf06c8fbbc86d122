"""What should not have happened, found in the table of what did.

Two accesses race if they meet at one element, not both are reads nor both atomic, different threads
make them, and nothing orders them. Barriers of the block order its threads: accesses in different
epochs never race. Barriers of a warp order its lanes: those that the clock of the later access has
counted. Nothing orders blocks.
"""

import itertools
from typing import NamedTuple

import numpy as np

from .block import WARP, Block
from .faults import Access, KernelError
from .log import ATOMIC, COPY, GLOBAL, LANDED, READ, WRITE, Table, runs

_VERBS = {
    READ: "reads",
    WRITE: "writes",
    ATOMIC: "updates, as one step,",
    COPY: "orders a copy to",
    LANDED: "has waited for the copy to",
}
_BY_BARRIER = (
    "Nothing orders the two, so a GPU may do either first, and the result changes from run to run. "
    "A cuda.syncthreads() that all threads of the block pass must stand between these lines, also "
    "on the way from one turn of a loop to the next."
)
_BY_BLOCK = (
    "Blocks run in any order or at once, and no barrier makes one wait for another, so the result "
    "changes from run to run. Let one thread alone own each element, or let all use cuda.atomic."
)


class Past(NamedTuple):
    """What a block did, and the arrays that it could reach."""

    block: Block
    table: Table
    arrays: list

    def arrays_at(self, addresses):
        """The number of the array that an address belongs to, for each of them."""
        numbers = np.zeros(len(addresses), dtype=int)
        for number, array in reversed(list(enumerate(self.arrays))):
            numbers[array.has(addresses)] = number
        return numbers

    def array(self, row):
        """The array that a row of the table is about."""
        return self.arrays[self.arrays_at(self.table.address[[row]])[0]]

    def element(self, row):
        """The name of the element that a row of the table is about."""
        return self.array(row).element_at(self.table.address[row])

    def site(self, row):
        """Where in the source a row of the table was made."""
        return self.block.device.places.site(self.table.place[row])

    def access(self, row):
        """A row of the table in words."""
        thread = self.block.threads[self.table.thread[row]].index
        verb = f"{_VERBS[self.table.kind[row]]} {self.element(row)}"
        return Access(verb, thread, self.block.index, self.site(row))


def judge(past):
    """Raise the fault of a block that explains most, if there is one."""
    table = past.table
    is_shared = table.address < GLOBAL
    for rows in np.flatnonzero(is_shared), np.flatnonzero(~is_shared):
        order, starts = runs(table.address[rows], table.epoch[rows])
        race = _first_race(rows[order], starts, table.thread, table.kind, table)
        if race:
            raise _race(*((past, row) for row in race), _BY_BARRIER)
    _judge_copies_and_reads(past, np.flatnonzero(is_shared))


def judge_together(pasts):
    """Raise a fault if two blocks race for an element of global memory."""
    rows = [_global_elements(past.table) for past in pasts]
    block = np.repeat(range(len(pasts)), list(map(len, rows)))
    address = np.concatenate([past.table.address[own] for past, own in zip(pasts, rows)])
    kind = np.concatenate([past.table.kind[own] for past, own in zip(pasts, rows)])
    order, starts = runs(address)
    race = _first_race(order, starts, block, kind)
    if race:
        row = np.concatenate(rows)
        raise _race(*((pasts[block[i]], row[i]) for i in race), _BY_BLOCK)


def _first_race(order, starts, actor, kind, table=None):
    """The two rows of the race at the lowest address, whatever the order of the threads; or None.

    order, starts   rows sorted into groups that meet at an element, and where each group begins
    actor           who made the access
    table           in which barriers of a warp may order two rows, if there are threads in it
    """
    if not len(order):
        return None
    actors, kinds = actor[order], kind[order]
    several = np.minimum.reduceat(actors, starts) != np.maximum.reduceat(actors, starts)
    written = np.logical_or.reduceat(kinds != READ, starts)
    not_atomic = np.logical_or.reduceat(kinds != ATOMIC, starts)
    stops = np.append(starts[1:], len(order))
    for group in np.flatnonzero(several & written & not_atomic):
        rows = order[starts[group] : stops[group]]
        accesses = list(zip(rows.tolist(), actor[rows].tolist(), kind[rows].tolist()))
        writes = [access for access in accesses if access[2] != READ]
        for (row, who, how), (other, whom, with_what) in itertools.product(writes, accesses):
            if who != whom and not how == with_what == ATOMIC:
                race = min(row, other), max(row, other)
                if not (table and _ordered(table, *race)):
                    return race
    return None


def _ordered(table, first, second):
    """Whether a barrier of a warp stands between two accesses."""
    one, other = table.thread[first], table.thread[second]
    before, after = (table.clocks[table.turn[row]] for row in (first, second))
    return one // WARP == other // WARP and after[one % WARP] > before[one % WARP]


def _race(first, second, why):
    past, row = first
    array = past.array(row)
    return KernelError(
        "data race",
        f"Two threads meet at {past.element(row)}, in {array.space} memory:",
        why,
        array.name,
        [past.access(row) for past, row in (first, second)],
    )


def _global_elements(table):
    """One row for each element of global memory and each kind of access to it."""
    rows = np.flatnonzero(table.address >= GLOBAL)
    _, firsts = np.unique(table.address[rows] * 8 + table.kind[rows], return_index=True)
    return rows[firsts]


def _judge_copies_and_reads(past, rows):
    """Raise the fault at the lowest address where a number in shared memory is not yet there.

    Or where another is put while it is still on its way, so that it arrives on top of that.

    rows   of the table, that are about shared memory
    """
    table = past.table
    order, starts = runs(table.address[rows])
    order = rows[order]
    kind = table.kind[order]
    reads = (kind == READ) | (kind == ATOMIC)
    in_flight = _count_within(starts, kind == COPY) - _count_within(starts, kind == LANDED)
    written = _count_within(starts, (kind == WRITE) | (kind == LANDED))
    overtakes = (kind == WRITE) & (in_flight > 0) | (kind == COPY) & (in_flight > 1)
    for rows, fault in (
        (order[reads & (in_flight > 0)], _missing_wait),
        (order[reads & (written == 0)], _unwritten),
        (order[overtakes], _missing_wait),
    ):
        if len(rows):
            raise fault(past, rows[0])


def _count_within(starts, condition):
    """How often a condition held so far, counted anew in each group"""
    if not len(starts):
        return np.zeros(0, int)
    count = np.cumsum(condition)
    lengths = np.diff(starts, append=len(condition))
    return count - np.repeat(count[starts] - condition[starts], lengths)


def _unwritten(past, row):
    return KernelError(
        "uninitialised",
        f"No thread has written to {past.element(row)}, in shared memory, and it is read:",
        "Shared memory begins with whatever the block before left there, so the number means "
        "nothing. Let a thread write the element first, zero where there are no data.",
        past.array(row).name,
        [past.access(row)],
    )


def _missing_wait(past, row):
    table = past.table
    copies = np.flatnonzero((table.address == table.address[row]) & (table.kind == COPY))
    done = {READ: "read", ATOMIC: "updated", WRITE: "written", COPY: "copied to once more"}
    return KernelError(
        "missing wait",
        f"{past.element(row)} is {done[table.kind[row]]} while a copy to it is still under way:",
        "An asynchronous copy arrives some time later: until then the old number is there, and "
        "then it replaces whatever is. Let the thread that ordered it call wait_for_copies(), and "
        "let a barrier follow, before any thread reads or writes there.",
        past.array(row).name,
        [past.access(at) for at in (copies[copies < row].max(), row)],
    )
