"""`minigrad warmup`: compile all kernels now, so that no training waits for one."""

from time import perf_counter

import kernels


def warmup():
    """Compile what is not kept yet. Returns a line that says what there is now, and where."""
    start = perf_counter()
    count, folder = kernels.compile_all()
    return f"{count} compiled kernels are ready after {perf_counter() - start:.0f} s, in {folder}"
