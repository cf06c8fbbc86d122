"""What the numbers were measured on."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np

PACKAGES = ("numba", "torch", "keras", "tensorflow", "tensorflow-cpu")
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


def installed(package):
    """The version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
