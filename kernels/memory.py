"""Memory of arrays that are gone is kept for those to come.

An array of some megabytes is gone when its step of the training is over, and the C library of Linux
gives such memory back to the system. The next array gets new memory, which the system fills with
zeros, page by page, when each is touched first. For 4 MB that takes as long as a convolution.
"""

import ctypes
import os

MOST = 1 << 30  # bytes that are kept, at the end of all memory in use
LARGEST = 1 << 25  # bytes of one array, beyond which the C library lets nobody keep it

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_... in malloc.h
_BY_USER = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep():
    """Tell the C library, unless the user has told it something. Returns whether it will."""
    if any(name in os.environ for name in _BY_USER):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False  # another C library
    return bool(mallopt(_TRIM_THRESHOLD, MOST) and mallopt(_MMAP_THRESHOLD, LARGEST))
