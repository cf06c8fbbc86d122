"""How much memory a process has, and has had at most. Linux tells; other systems do not."""

import ctypes
import gc
from pathlib import Path

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def forget_the_peak():
    """Give back what is unused, and let Linux count the peak anew. Returns the MB there are now.

    OSError on a system that cannot do so, and so below.
    """
    if not _STATUS.exists():
        raise OSError("this system does not tell how much memory a process has")
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # glibc has it, others do not
        trim(0)
    _FORGET.write_text("5")
    return resident("VmRSS")


def resident(name):
    """MB of memory: VmRSS that there are now, VmHWM that there were at most."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"this system does not tell {name}")
