"""Kernels on a GPU, with arrays of NumPy: each goes there between sentinels, and comes back.

    launch(card, kernel, grid, block, *arguments)      as simulator.launch, on a `kernels.cuda.card`

Around each array are bytes that belong to nobody. What a kernel writes there is found afterwards,
and what it reads there is NaN, or -1.
"""

import atexit
import contextlib
import functools
import inspect
import os

import numpy as np

from kernels.cuda.card import Card
from kernels.simulator.launch import owner_of, start_of

GUARD = 4096  # bytes on either side of an array: it begins at a multiple of 256, as all memory does
SENTINEL = 0xFF
STAND_IN = "MINIGRAD_STAND_IN"  # if this is set, a driver that stands in for NVIDIA's is taken
_STANDING_IN = contextlib.ExitStack()  # to the end of this process
atexit.register(_STANDING_IN.close)


class OutsideError(AssertionError):
    """A kernel has written where no array is."""


@functools.cache
def found():
    """The GPU that there is here. NoDeviceError, an OSError, if there is none."""
    if os.environ.get(STAND_IN):
        from tests import stand_in_driver  # which takes numba-cuda

        _STANDING_IN.enter_context(stand_in_driver.stand_in())
    return Card()


def launch(card, kernel, grid, block, *arguments):
    """Run a kernel on NumPy arrays, which it reads and writes in place, or so it seems."""
    start(card, kernel, grid, block, *arguments)()


def start(card, kernel, grid, block, *arguments):
    """Order a kernel to run.   -> a function that waits, and brings the arrays back"""
    names = inspect.signature(kernel).bind(*arguments).arguments
    rooms, given = {}, []  # {id of an array that has its own memory: Room}
    for name, value in names.items():
        if isinstance(value, np.ndarray):
            owner = owner_of(value)
            if id(owner) not in rooms:
                rooms[id(owner)] = Room(card, name, owner)
            value = rooms[id(owner)].view(value)
        given.append(value)
    card.launch(kernel, grid, block, given)

    def fetch():
        for room in rooms.values():
            room.fetch()

    return fetch


class Room:
    """The memory of an array, and of all that are views of it, on the card."""

    def __init__(self, card, name, owner):
        self.card, self.name, self.owner = card, name, owner
        self.bytes = owner.ravel(order="K").view(np.uint8)  # the same memory
        sent = np.full(self.bytes.size + 2 * GUARD, SENTINEL, np.uint8)
        sent[GUARD:-GUARD] = self.bytes
        self.memory = card.reserve(sent.size)
        card.write(self.memory, 0, sent)

    def view(self, array):
        """What a kernel takes for an array that lies here."""
        offset = GUARD + start_of(array) - start_of(self.owner)
        return self.card.view(self.memory, offset, array.shape, array.dtype, array.strides)

    def fetch(self):
        """Let the array of the host have these numbers. OutsideError."""
        came = np.empty(self.bytes.size + 2 * GUARD, np.uint8)
        self.card.read(self.memory, 0, came)
        self.bytes[:] = came[GUARD:-GUARD]
        for side, guard in (("before", came[:GUARD]), ("behind", came[-GUARD:])):
            if (guard != SENTINEL).any():
                raise OutsideError(f"the kernel has written {side} {self.name}")
