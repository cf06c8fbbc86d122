"""What besides the program decides the last digits of a result: versions, libraries, threads."""

import functools
import os
import platform
import textwrap
import warnings

import numpy as np

import kernels

from .version import __version__


def environment():
    """{name: text} of what may round differently elsewhere: the same numbers want the same text.

    Only "threads of Numba" stands there for the record.
    """
    return {
        "minigrad": __version__,
        **kernels.versions(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": blas(),
        "threads of BLAS": blas_threads(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def differences(then, now):
    """["name was this and is that", ...] of two {name: text}, such as two environments.

    Not of the threads of Numba, which change no digit.
    """
    names = [name for name in dict.fromkeys([*then, *now]) if then.get(name) != now.get(name)]
    return [
        _difference(name, then.get(name, "absent"), now.get(name, "absent"))
        for name in names
        if name != "threads of Numba"
    ]


def _difference(name, then, now):
    """How two texts differ; long ones are shown from a little before that place."""
    start = max(0, len(os.path.commonprefix([then, now])) - 40)
    then, now = (f"...{x[start:]}" if start and len(x) > 200 else x for x in (then, now))
    return f"{name} was {textwrap.shorten(then, 200)} and is {textwrap.shorten(now, 200)}"


def warn_if_made_elsewhere(path, then):
    """Warn where the environment in which a training was backed up is not that of today."""
    if others := differences(then, environment()):
        warnings.warn(
            f"{path} was made elsewhere, and the last digits of what follows may differ "
            f"from a run without interruption: {'; '.join(others)}",
            stacklevel=2,
        )


def blas():
    """The library of matrix products, and the kind of processor that it works for."""
    build = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    kinds = {pool.get("architecture") for pool in _pools()} - {None}
    return " ".join([build.get("name", "unknown"), build.get("version", ""), *sorted(kinds)])


def blas_threads():
    """How many threads that library uses, as text: "2"."""
    counts = {str(pool["num_threads"]) for pool in _pools()}
    return " or ".join(sorted(counts)) or str(os.cpu_count())


def _pools():
    from threadpoolctl import threadpool_info

    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]


def one_blas_thread(function):
    """The function, with one thread for matrix products as long as it runs (decorator).

    For matrices as small as those of the programs that come with minigrad, one is faster than two,
    and much steadier where other processes want the processor too.
    """

    @functools.wraps(function)
    def limited(*arguments, **options):
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return function(*arguments, **options)

    return limited
