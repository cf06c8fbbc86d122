"""What besides the program decides the last digits of a result: versions, libraries, threads."""

import os
import platform
from importlib import metadata

import numpy as np


def environment():
    """{name: text} of what may round differently elsewhere: the same numbers want the same text."""
    return {
        "minigrad": _version(),
        "backend": "numpy",  # which implementation of `kernels` runs
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": blas(),
        "threads of BLAS": threads(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _version():
    try:
        return metadata.version("minigrad")
    except metadata.PackageNotFoundError:
        return "not installed"


def blas():
    """The library of matrix products, and the kind of processor that it works for."""
    build = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    kinds = {pool.get("architecture") for pool in _pools()} - {None}
    return " ".join([build.get("name", "unknown"), build.get("version", ""), *sorted(kinds)])


def threads():
    """How many threads that library uses, as text: "2"."""
    counts = {str(pool["num_threads"]) for pool in _pools()}
    return " or ".join(sorted(counts)) or str(os.cpu_count())


def _pools():
    from threadpoolctl import threadpool_info

    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
