"""`minigrad warmup`: compile all kernels now, so that no training waits for one."""

import subprocess
import sys
from time import perf_counter

import kernels

HERE, BESIDE = "float32", "float64"  # what this process compiles, and another one meanwhile


def warmup():
    """Compile what is not kept yet. Returns a line that says what there is now, and where."""
    start = perf_counter()
    with subprocess.Popen([sys.executable, "-m", __name__, BESIDE]):
        kernels.compile_all(HERE)
    count, folder = kernels.compile_all()  # finds what the other one has compiled
    return f"{count} compiled kernels are ready after {perf_counter() - start:.0f} s, in {folder}"


if __name__ == "__main__":
    kernels.compile_all(*sys.argv[1:])
