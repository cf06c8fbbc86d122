"""What should not have happened, found in the table of what did.

Two accesses race if they meet at one element, not both are reads nor both atomic updates of as many
bytes, different threads make them, and nothing orders them. Barriers of the block order its
threads: accesses in different epochs never race. Barriers of a warp order its lanes: those that the
clock of the later access has counted. No barrier orders blocks. A fence does, with an atomic update
after it: another thread that updates the same element later, and so learns of the first update,
learns of all before the fence.
"""

import itertools
from typing import NamedTuple

import numpy as np

from .block import WARP, Block
from .faults import Access, KernelError
from .log import ATOMIC, COPY, GLOBAL, LANDED, READ, WRITE, Table, code_of, runs

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
_IN_ONE_WARP = (
    " Both are lanes of one warp: for these cuda.syncwarp() is enough, also where the other warps "
    "do not come."
)
_IN_ONE_LINE = (
    " In the same line there is no room for it: read, pass the barrier, and write in a line after "
    "it. Or, where many threads add to one element, as in a sum or a count, use cuda.atomic.add()."
)
_OF_FENCES = (
    " A fence tells other blocks what its own thread did before; what the other threads of the "
    "block did, only if a cuda.syncthreads() stands before the fence."
)


_SIZE = 3  # bits of a kind; above them is the size of an update


class Past(NamedTuple):
    """What a block did, the number of which in order of time is given, and what it could reach."""

    number: int
    block: Block
    table: Table
    arrays: list

    def parts(self, rows):
        """Rows of the table, each as often as its element has parts, and the addresses of these."""
        table, addresses = self.table, self.table.address[rows]
        units = np.array([array.unit for array in self.arrays], dtype=int)
        sizes = np.array([array.itemsize for array in self.arrays], dtype=int)
        if np.array_equal(units, sizes):  # as it is unless arrays of several kinds share memory
            return rows, addresses
        counts = (sizes // units)[table.array[rows]]
        part = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = np.repeat(rows, counts)
        return rows, np.repeat(addresses, counts) + part * units[table.array[rows]]

    @property
    def kinds(self):
        """The kinds of all rows; those of updates tell how many bytes each has, where that differs.

        That is where arrays of several types share memory: so their elements have several parts.
        """
        sizes = np.array([x.itemsize * (x.unit < x.itemsize) for x in self.arrays], dtype=int)
        if not sizes.any():
            return self.table.kind
        is_update = self.table.kind == ATOMIC
        return self.table.kind + is_update * (sizes[self.table.array] << _SIZE)

    def array(self, row):
        """The array that a row of the table is about."""
        return self.arrays[self.table.array[row]]

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
    table, kinds = past.table, past.kinds
    is_shared = table.address < GLOBAL
    for rows in np.flatnonzero(is_shared), np.flatnonzero(~is_shared):
        rows, address = past.parts(rows)
        order, starts = runs(address, table.epoch[rows])
        race = _first_race(
            rows[order],
            starts,
            table.thread,
            kinds,
            lambda first, second: _is_ordered((past, first), (past, second)),
        )
        if race:
            raise _race(*((past, row) for row in race), _BY_BARRIER + _of_barriers(past, *race))
    _judge_copies_and_reads(past, np.flatnonzero(is_shared))


def judge_together(pasts, has_fences):
    """Raise a fault if two blocks race for an element of global memory."""
    parts = [past.parts(_global_elements(past.table, has_fences)) for past in pasts]
    rows, addresses = zip(*parts)
    block = np.repeat(range(len(pasts)), list(map(len, rows)))
    kind = np.concatenate([past.kinds[own] for past, own in zip(pasts, rows)])
    row = np.concatenate(rows)
    order, starts = runs(np.concatenate(addresses))
    race = _first_race(
        order,
        starts,
        block,
        kind,
        lambda *pair: _is_ordered(*((pasts[block[i]], row[i]) for i in pair)),
    )
    if race:
        why = _BY_BLOCK + _OF_FENCES * has_fences
        raise _race(*((pasts[block[i]], row[i]) for i in race), why)


def _first_race(order, starts, actor, kind, is_ordered):
    """The two rows of the race at the lowest address, whatever the order of the threads; or None.

    order, starts   rows sorted into groups that meet at an element, and where each group begins
    actor           who made the access
    kind            of the access, as `Past.kinds` has it
    is_ordered      a function of two rows of different actors, of which the first ran first
    """
    if not len(order):
        return None
    actors, kinds = actor[order], kind[order]
    several = np.minimum.reduceat(actors, starts) != np.maximum.reduceat(actors, starts)
    written = np.logical_or.reduceat(kinds != READ, starts)
    least, most = np.minimum.reduceat(kinds, starts), np.maximum.reduceat(kinds, starts)
    are_like_updates = (least == most) & _is_update(least)
    stops = np.append(starts[1:], len(order))
    for group in np.flatnonzero(several & written & ~are_like_updates):
        rows = order[starts[group] : stops[group]]
        if _have_race(rows.tolist(), actor, kind, is_ordered):
            return _race_of_first_write(rows.tolist(), actor, kind, is_ordered)
    return None


def _is_update(kind):
    return kind & (1 << _SIZE) - 1 == ATOMIC


def _have_race(rows, actor, kind, is_ordered):
    """Whether there is a race among rows that meet at an element, in order of time.

    What is ordered before a plain write needs no second look: it comes before whatever that does.
    """
    writes, updates, reads = [], {}, []  # of updates {kind: rows}
    for row in rows:
        is_read, is_update = kind[row] == READ, _is_update(kind[row])
        unlike = [other for like, those in updates.items() if like != kind[row] for other in those]
        for other in writes + unlike + reads * (not is_read):
            if actor[other] != actor[row] and not is_ordered(other, row):
                return True
        if is_read:
            reads.append(row)
        elif is_update:
            updates.setdefault(kind[row], []).append(
                row
            )  # it orders nothing: other updates need not come after it
        else:
            writes, updates, reads = [row], {}, []
    return False


def _race_of_first_write(rows, actor, kind, is_ordered):
    """The rows of the race of which the write comes first: that tells most."""
    writes = [row for row in rows if kind[row] != READ]
    for row, other in itertools.product(writes, rows):
        race = min(row, other), max(row, other)
        are_like_updates = kind[row] == kind[other] and _is_update(kind[row])
        if actor[row] != actor[other] and not are_like_updates and not is_ordered(*race):
            return race
    return None


def _is_ordered(first, second):
    """Whether an access happens before another: (past, row) each, in the order in which they ran.

    The turn of the first comes before that of the second, or before a moment that the second has
    learnt of.
    """
    (past, row), (later, other) = first, second
    turn, after = past.table.turn[row], later.table.turn[other]
    turns, known = past.table.turns, later.table.turns[after].known
    return (past is later and _comes_before(turns, turn, after)) or any(
        turn == moment.turn or (not moment.is_alone and _comes_before(turns, turn, moment.turn))
        for moment in known
        if moment.block == past.number
    )


def _comes_before(turns, one, other):
    """Whether a turn ends before another of its block begins, in whatever order threads run."""
    before, after = turns[one], turns[other]
    lane, is_same_warp = before.thread % WARP, before.thread // WARP == after.thread // WARP
    return one < other and (
        before.thread == after.thread
        or before.epoch < after.epoch  # a barrier of the block stands between them, or one of
        or (is_same_warp and before.clock[lane] < after.clock[lane])  # their warp
    )


def _of_barriers(past, first, second):
    """What else there is to say of two rows of a block between which no barrier stands."""
    site, other = past.site(first), past.site(second)
    if site and other and (site.code, site.line) == (other.code, other.line):
        return _IN_ONE_LINE
    first, second = past.table.thread[first], past.table.thread[second]
    return _IN_ONE_WARP if first // WARP == second // WARP else ""


def _race(first, second, why):
    past, row = first
    array = past.array(row)
    is_same = second[0].array(second[1]).number == array.number
    also = "" if is_same else f", where {second[0].element(second[1])} lies as well"
    update = _unfenced_update(first, second)
    kinds = [past.table.kind[row] for past, row in (first, second)]
    if kinds == [ATOMIC, ATOMIC]:
        why = (
            "An update is one step only beside updates of elements with as many bytes; the two "
            "have different ones here. Let all use cuda.atomic on arrays of the same type."
        )
    if update is not None:
        what = past.site(update)
        why += (
            f" Or is the update in line {what.line}, `{what.text.strip()}`, to tell others that "
            "this has been done? A GPU may let them see it first: then cuda.threadfence() must "
            "stand after what is to be seen and before the update. (cuda.threadfence_block() is "
            "for threads of the same block only.)"
        )
    return KernelError(
        "data race",
        f"Two threads meet at {past.element(row)}{also}, in {array.space} memory:",
        why,
        array.name,
        [past.access(row) for past, row in (first, second)],
    )


def _unfenced_update(first, second):
    """The row of an update by which the second thread could have learnt of the first access.

    None if the two threads, or threads in step with them, did not meet at such an element.
    """
    (past, row), (later, other) = first, second
    if ATOMIC in (past.table.kind[row], later.table.kind[other]):
        return None  # it is this update that races, which a fence does not change
    tells = _updates(past.table, row, after=True)
    learns = _updates(later.table, other, after=False)
    meets = np.isin(past.table.address[tells], later.table.address[learns])
    return tells[meets][0] if meets.any() else None


def _updates(table, row, after):
    """The rows of updates that are ordered after, or before, an access in the same block."""
    is_update = table.kind == ATOMIC
    later, epochs = np.arange(len(table)) > row, table.epoch - table.epoch[row]
    in_order = (later if after else ~later) & (table.thread == table.thread[row])
    return np.flatnonzero(is_update & (in_order | ((epochs > 0) if after else (epochs < 0))))


def _global_elements(table, has_fences):
    """One row for each element of an array in global memory and each kind of access to it.

    With fences one for each turn as well, since of two accesses one may be ordered, one not.
    """
    rows = np.flatnonzero(table.address >= GLOBAL)
    code = code_of(table.address[rows], table.array[rows]) + table.kind[rows]
    if has_fences:
        order, starts = runs(code, table.turn[rows])
        return np.sort(rows[order[starts]])
    _, firsts = np.unique(code, return_index=True)
    return rows[firsts]


def _judge_copies_and_reads(past, rows):
    """Raise the fault at the lowest address where a number in shared memory is not yet there.

    Or where another is put while it is still on its way, so that it arrives on top of that.

    rows   of the table, that are about shared memory
    """
    table = past.table
    rows, address = past.parts(rows)
    order, starts = runs(address)
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
    sizes = np.array([array.itemsize for array in past.arrays])[table.array]
    start, stop = table.address, table.address + sizes
    meets = (start < stop[row]) & (start[row] < stop)
    copies = np.flatnonzero(meets & (table.kind == COPY))
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
