"""What the numbers were measured on."""

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np

import kernels
from tests.benchmarks.contestants import numba_threads

PACKAGES = ("numba", "torch", "transformers", "keras", "tensorflow", "tensorflow-cpu")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def describe():
    """The processor, the system, thread limits and the versions compared: {name: text}."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    limits = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return {
        "cpu": cpu(),
        "cores": f"{cores()} usable of {os.cpu_count()}",
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": f"{np.__version__}, BLAS {blas['name']} {blas['version']}",
        "threads": ", ".join(limits) or "not limited by the environment",
        **{package: version for package in PACKAGES if (version := installed(package))},
    }


def cpu():
    """The name of the processor, as its maker writes it where the system tells."""
    if platform.system() == "Linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return platform.processor() or platform.machine()


def cores():
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def peak(threads=1):
    """GFLOP/s that so many cores reach with float32 from their first cache: the roof of all rates.

    It is that of one core, measured, times their number.
    """
    return kernels.peak(threads)


@functools.cache
def bandwidth(traffic, threads=1, tries=20, least=2**26):
    """GB/s that so many cores read and write when they copy an array, `traffic` bytes in all.

    Where the two arrays fit a cache they are there: they are copied until `least` bytes have moved.
    """
    from kernels.cpu import peak
    from kernels.cpu.threads import WORTH_SHARING

    x, y = np.ones((2, max(1, round(traffic / 8))), np.float32)
    times = max(1, round(least / traffic))
    with numba_threads(threads):
        copy = functools.partial(peak.repeat_copy, x.dtype, WORTH_SHARING, x, y, times)
        return 2 * x.nbytes * times / peak.fastest(tries, copy) / 1e9


@functools.cache
def reading(size, threads=1, tries=20):
    """GB/s that so many cores read, of an array of `size` bytes that no cache holds."""
    from kernels.cpu import peak, simd
    from kernels.cpu.threads import WORTH_SHARING

    x = np.ones(round(size / 4), np.float32)
    y = np.empty((threads, simd.lanes_of("float32")), np.float32)
    with numba_threads(threads):
        look = functools.partial(peak.repeat_read, x.dtype, WORTH_SHARING, x, y, 1)
        return x.nbytes / peak.fastest(tries, look) / 1e9


def installed(package):
    """The version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
