"""What the threads of a block did to memory, in the order in which it was simulated.

An array enters two numbers for each access, and nothing else, since there are hundreds of thousands
of them: what and where in memory, and where in the source. Who did it follows from the times at
which the scheduler let another thread run.
"""

from array import array
from dataclasses import dataclass
from types import CodeType

import numpy as np

from .faults import Site

READ, WRITE, ATOMIC = range(3)
COPY, LANDED = 3, 4  # a write that has been ordered, and its arrival
GLOBAL = 1 << 32  # the address at which global memory begins; shared memory lies below


class Log:
    """The accesses of one block at a time."""

    def __init__(self):
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
        del self.entries[:], self.turns[:]
        return Table(
            address=entries[:, 0] >> 3,
            kind=entries[:, 0] & 7,
            place=entries[:, 1],
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


def place(frame):
    """A number for the instruction that a frame is at: where it lies in this computer's memory.

    The instructions of a code object lie inside of it, so that no two places have the same number.
    """
    return id(frame.f_code) + frame.f_lasti


class Places:
    """From such a number back to the source."""

    def __init__(self):
        self._codes = []

    def add(self, code):
        """Know the places of a code object, and of those in it.   -> all of these"""
        inner = [part for part in code.co_consts if isinstance(part, CodeType)]
        codes = [code, *(deeper for part in inner for deeper in self.add(part))]
        self._codes += codes
        return codes

    def __getitem__(self, place):
        for code in self._codes:
            offset = int(place) - id(code)
            if 0 <= offset < len(code.co_code):
                return Site(code, offset)
        return None
