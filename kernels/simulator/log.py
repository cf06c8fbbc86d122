"""What the threads of a block did to memory, in the order in which it was simulated.

An array enters two numbers for each access, and nothing else, since there are hundreds of thousands
of them: what and where in memory, and where in the source. Who did it follows from the times at
which the scheduler let another thread run.
"""

from array import array
from dataclasses import dataclass
from dis import opmap
from types import CodeType

import numpy as np

from .faults import Site

READ, WRITE, ATOMIC = range(3)
COPY, LANDED = 3, 4  # a write that has been ordered, and its arrival
GLOBAL = 1 << 32  # the address at which global memory begins; shared memory lies below


class Log:
    """The accesses of one block at a time."""

    def __init__(self, places):
        self.places = places
        self.entries = array("q")  # 8 address + kind, place in the source, and so on
        self.turns = []  # (number of the first entry, thread, epoch, clock)
        self.widths = {}  # {place: how many elements it takes at once}, if more than one

    def begin_turn(self, thread, epoch):
        """What is entered from here on is done by another thread."""
        self.turns.append((len(self.entries) // 2, thread.number, epoch, thread.clock))

    def take(self):
        """The table of what has been entered; then the log is empty."""
        entries = np.array(self.entries).reshape(-1, 2)
        firsts, threads, epochs, clocks = zip(*self.turns)
        turn = np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(entries)))
        places, place = np.unique(entries[:, 1], return_inverse=True)
        del self.entries[:], self.turns[:]
        return Table(
            address=entries[:, 0] >> 3,
            kind=entries[:, 0] & 7,
            place=np.array([self.places[each] for each in places.tolist()], dtype=int)[place],
            thread=np.array(threads)[turn],
            epoch=np.array(epochs)[turn],
            turn=turn,
            clocks=clocks,
        )


@dataclass
class Table:
    """Accesses in the order in which they were simulated, a row of each column for each.

    address   in bytes; shared memory lies below SHARED_BYTES
    kind      READ, WRITE, ATOMIC, COPY or LANDED
    place     of the instruction in the source, for `Places`
    thread    its number in the block
    epoch     how many barriers the block had passed
    turn      the number of the turn, which tells the clock of the thread
    """

    address: np.ndarray
    kind: np.ndarray
    place: np.ndarray
    thread: np.ndarray
    epoch: np.ndarray
    turn: np.ndarray
    clocks: tuple  # of the turns

    def __len__(self):
        return len(self.address)


def runs(*columns):
    """Rows sorted by these columns, in order of time where they are equal, and where runs begin."""
    order = np.lexsort(columns[::-1])
    starts = np.zeros(len(order), dtype=bool)
    starts[:1] = True
    for column in columns:
        column = column[order]
        starts[1:] |= column[1:] != column[:-1]
    return order, np.flatnonzero(starts)


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
