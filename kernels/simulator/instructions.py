"""The instructions of kernels/cuda/ptx.py, as the simulated device carries them out.

Each takes the device first, then what the kernel has given.
"""

from sys import _getframe

from .log import READ, WRITE
from .memory import Recorded


def load4(device, array, index):
    """The numbers at an index and at the three that follow."""
    return tuple(_neighbours(array, index, 4, READ, _getframe(1)))


def store4(device, array, index, numbers):
    """Write four numbers to an index and the three that follow."""
    _neighbours(array, index, 4, WRITE, _getframe(1))[:] = numbers


def _neighbours(array, index, count, kind, frame):
    """The part of an array that one instruction takes: `count` elements from an index on."""
    if isinstance(array, Recorded):
        array.enter(index, count, kind, frame)
        array = array.values
    *rest, first = index if isinstance(index, tuple) else (index,)
    return array[(*rest, slice(first, first + count))]
