"""The memory that instructions read and write: that of arrays, and that of each block of threads.

Every access is checked: it lies in the memory of one of the kernel's arguments, or in what the
block has declared, and begins at a multiple of its size, as a GPU asks for it.
"""

import ctypes

import numpy as np
from numpy.lib.array_utils import byte_bounds

LINE = 16  # bytes: what an instruction reads or writes at most


class AccessError(AssertionError):
    """An instruction has asked for memory that it must not have."""


class Global:
    """The memory of arrays, by the addresses that they have on the host.

    spans   [(first byte, the byte after the last), …] of it: of what overlaps, one
    """

    def __init__(self, arrays):
        self.spans, self.bytes = [], []
        for start, end in sorted(byte_bounds(array) for array in arrays if array.size):
            if self.spans and start < self.spans[-1][1]:
                start, last = self.spans.pop()
                end = max(end, last)
            self.spans.append((start, end))
        for start, end in self.spans:
            begin = start // LINE * LINE  # so that numbers of any size begin at a multiple of it
            room = (ctypes.c_uint8 * (-(-end // LINE) * LINE - begin)).from_address(begin)
            self.bytes.append((begin, np.frombuffer(room, np.uint8)))

    def where(self, addresses, size):
        """Yields (bytes, offsets, which of the addresses) for each span that some are in."""
        check_alignment(addresses, size)
        left = np.ones(len(addresses), np.bool_)
        for (start, end), (begin, memory) in zip(self.spans, self.bytes):
            inside = (addresses >= start) & (addresses <= end - size)
            if inside.any():
                yield memory, (addresses[inside] - begin).astype(np.int64), inside
                left &= ~inside
        if left.any():
            raise AccessError(f"no array has {size} bytes at {int(addresses[left][0]):#x}")


class Shared:
    """What threads of a block share, or each has for itself: a row for each, at first of NaN."""

    def __init__(self, count, size):
        self.size = size
        self.row = -(-size // LINE) * LINE
        self.bytes = np.full(count * self.row, 0xFF, np.uint8)

    def where(self, addresses, size, rows):
        """Yields (bytes, offsets, all of the addresses), if they are inside."""
        check_alignment(addresses, size)
        beyond = addresses > self.size - size
        if beyond.any():
            first = int(addresses[beyond][0])
            raise AccessError(
                f"no {size} bytes at {first} of {self.size} in shared or local memory"
            )
        yield self.bytes, addresses.astype(np.int64) + rows * self.row, slice(None)


def check_alignment(addresses, size):
    """AccessError if one of the addresses is no multiple of a size."""
    if (addresses % size).any():
        raise AccessError(f"{size} bytes begin at an address that is no multiple of {size}")


def read(places, dtype, count, width=1):
    """`width` numbers from each of `count` places   -> (count, width)"""
    numbers = np.empty((count, width), dtype)
    for memory, offsets, which in places:
        first = offsets // dtype.itemsize
        numbers[which] = memory.view(dtype)[first[:, None] + np.arange(width)]
    return numbers


def write(places, numbers):
    """Numbers (count, width) to each of the places; where two are the same, either may stay."""
    for memory, offsets, which in places:
        first = offsets // numbers.itemsize
        memory.view(numbers.dtype)[first[:, None] + np.arange(numbers.shape[1])] = numbers[which]
