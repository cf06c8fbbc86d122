"""What the threads of a block did to memory, in the order in which it was simulated.

An array enters two numbers for each access, and nothing else, since there are hundreds of thousands
of them: what and where in memory, and where in the source. Who did it follows from the times at
which the scheduler let another thread run.
"""

from array import array
from dataclasses import dataclass
from dis import opmap
from types import CodeType
from typing import NamedTuple

import numpy as np

from .faults import Site

READ, WRITE, ATOMIC = range(3)
COPY, LANDED = 3, 4  # a write that has been ordered, and its arrival
_KINDS, _ARRAYS = 3, 12  # bits of a code: below the address the array, below that the kind
GLOBAL = 1 << 32  # the address at which global memory begins; shared memory lies below
GRID = "grid"  # a scope: all threads; the other scopes are numbers of blocks


class Turn(NamedTuple):
    """What a thread does from one place to another, between which nothing orders it with others.

    first    the number of the first access
    epoch    how many barriers the block had passed
    clock, known    of the thread, as it began
    """

    first: int
    thread: int
    epoch: int
    clock: tuple
    known: frozenset


class Moment(NamedTuple):
    """The end of a turn, of which other threads can learn.

    block     the number of the block, in the order in which blocks were simulated
    turn      the number of the turn in that block
    is_alone  whether they learn of this turn alone, and of nothing that happened before
    """

    block: int
    turn: int
    is_alone: bool = False


def code_of(address, array):
    """One number for an address in bytes and the number of an array; then a kind can be added."""
    return (address << _ARRAYS | array) << _KINDS


def address_of(code):
    """The address that a code is of."""
    return code >> _ARRAYS + _KINDS


class Log:
    """The accesses of one block at a time.

    How a thread tells others what it has done: it calls a fence, then updates an element by
    cuda.atomic. Who updates the same element afterwards learns of all that came before the fence.

    keeps_last_bits   as of `launch`
    """

    def __init__(self, places, keeps_last_bits=False):
        self.places, self.keeps_last_bits = places, keeps_last_bits
        self.entries = array("q")  # code + kind, place in the source, and so on
        self.turns = []
        self.widths = {}  # {place: how many elements it takes at once}, if more than one
        self.block, self.has_fences = 0, False
        self.told = {}  # {(address, scope): the moments that updates have told there}

    def begin_turn(self, thread, epoch, first=None):
        """What is entered from here on, or from the entry `first` on, is another turn."""
        self.thread, self.epoch = thread, epoch
        first = len(self.entries) // 2 if first is None else first
        self.turns.append(Turn(first, thread.number, epoch, thread.clock, thread.known))

    def fence(self, scope):
        """What the thread did so far, and what it knows, its next update will tell."""
        self.has_fences = True
        thread, now = self.thread, Moment(self.block, len(self.turns) - 1)
        thread.fenced[scope] = thread.known | {now}
        self.begin_turn(thread, self.epoch)

    def tell_and_learn(self, address, is_written):
        """What the last entry, an update of this address, tells, and what its thread learns."""
        if not self.has_fences:
            return
        thread = self.thread
        self.begin_turn(thread, self.epoch, first=len(self.entries) // 2 - 1)
        update = Moment(self.block, len(self.turns) - 1, is_alone=True)
        heard = [self.told.get((address, scope), ()) for scope in (GRID, self.block)]
        thread.known = thread.known.union(*heard)
        if is_written:
            for scope, moments in thread.fenced.items():
                self.told.setdefault((address, scope), set()).update(moments, [update])
        self.begin_turn(thread, self.epoch)

    def take(self):
        """The table of what has been entered; then the log is empty."""
        entries = np.array(self.entries).reshape(-1, 2)
        turns, self.turns = self.turns, []
        firsts, threads, epochs, _, _ = zip(*turns)
        turn = np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(entries)))
        del self.entries[:]
        self.block += 1  # and its shared memory is another
        self.told = {key: moments for key, moments in self.told.items() if key[0] >= GLOBAL}
        return Table(
            address=address_of(entries[:, 0]),
            array=entries[:, 0] >> _KINDS & (1 << _ARRAYS) - 1,
            kind=entries[:, 0] & (1 << _KINDS) - 1,
            place=entries[:, 1],
            thread=np.array(threads)[turn],
            epoch=np.array(epochs)[turn],
            turn=turn,
            turns=turns,
        )


@dataclass
class Table:
    """Accesses in the order in which they were simulated, a row of each column for each.

    address   of the element, in bytes; shared memory lies below GLOBAL
    array     the number of the array: the same memory may be seen through several
    kind      READ, WRITE, ATOMIC, COPY or LANDED
    place     in the source, for `Places`
    thread    its number in the block
    epoch     how many barriers the block had passed
    turn      the number of its Turn in `turns`
    """

    address: np.ndarray
    array: np.ndarray
    kind: np.ndarray
    place: np.ndarray
    thread: np.ndarray
    epoch: np.ndarray
    turn: np.ndarray
    turns: list

    def __len__(self):
        return len(self.address)


def runs(*columns):
    """Rows sorted by these columns, in order of time where they are equal, and where runs begin."""
    order = np.lexsort([_narrow(column) for column in columns[::-1]])
    starts = np.zeros(len(order), dtype=bool)
    starts[:1] = True
    for column in columns:
        column = column[order]
        starts[1:] |= column[1:] != column[:-1]
    return order, np.flatnonzero(starts)


def _narrow(column):
    """The same order in 16 bits, if that can be: NumPy sorts such numbers ten times as fast"""
    if not len(column) or column.max() - column.min() >= 1 << 16:
        return column
    return (column - column.min()).astype(np.uint16)


def distinct(*columns):
    """The same columns, with each combination once."""
    order, starts = runs(*columns)
    return [column[order[starts]] for column in columns]


def place(frame):
    """A number for what a frame is at: where in this computer's memory that instruction lies.

    The instructions of a code object lie inside of it, so that no two places have the same number.
    """
    return id(frame.f_code) + frame.f_lasti


class Places(dict):
    """{place: where its instruction begins}, and from there back to the source.

    Python may be past the beginning when it calls a function: behind an instruction it keeps room
    for what makes it faster next time.
    """

    def __init__(self):
        self._codes = []

    @property
    def kernel(self):
        """The code object of the kernel itself, of which those of what it calls come later."""
        return self._codes[0]

    def add(self, code):
        """Know the places of a code object, and of those in it.   -> all of these"""
        inner = [part for part in code.co_consts if isinstance(part, CodeType)]
        codes = [code, *(deeper for part in inner for deeper in self.add(part))]
        self._codes += codes
        return codes

    def site(self, place):
        """Where a place is in the source; None outside of the kernel."""
        for code in self._codes:
            if 0 <= place - id(code) < len(code.co_code):
                return Site(code, int(place) - id(code))
        return None

    def __missing__(self, place):
        beginning, site = place, self.site(place)
        while site and site.code.co_code[beginning - id(site.code)] == opmap["CACHE"]:
            beginning -= 2
        self[place] = beginning
        return beginning
