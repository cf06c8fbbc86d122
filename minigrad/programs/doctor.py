"""`minigrad doctor`: what this machine has, what is missing, and how to get it."""

import importlib
import os
import platform
import sys
import textwrap
from importlib import metadata, util
from pathlib import Path

from ..data.files import data_folder
from ..environment import blas, blas_threads

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class SetupError(Exception):
    """SetupError(found, cure): something that minigrad needs is missing or broken."""


def doctor():
    """The report, as text in plain ASCII. It never raises: it says what it cannot find out."""
    findings, problems = examine()
    width = max(map(len, findings))
    lines = [f"{name:{width}}  {found}" for name, found in findings.items()]
    if problems:
        lines += ["", "To mend:"]
        lines += [f"{name:{width}}  {cure}" for name, cure in problems.items()]
    else:
        lines += ["", "Nothing is missing."]
    return "\n".join(lines).encode("ascii", "backslashreplace").decode()


def examine():
    """({name: what was found}, {name: how to mend it}), the second for what is not in order."""
    findings, problems = {}, {}
    for name, look in EXAMINATIONS.items():
        try:
            findings[name] = look()
        except SetupError as problem:
            findings[name], problems[name] = problem.args
        except ModuleNotFoundError as error:
            findings[name] = f"unknown without {error.name}"
        except Exception as error:  # broken machines break in ways that nobody foresaw
            findings[name] = f"unknown: {_one_line(error)}"
    return findings, problems


def _one_line(error):
    return textwrap.shorten(f"{type(error).__name__}: {error}", 150)


def _package(name):
    try:
        return importlib.import_module(name).__version__
    except ModuleNotFoundError as error:
        raise SetupError(f"missing: no module named {error.name}", f"pip install {name}") from error
    except Exception as error:
        cure = f"pip install --force-reinstall {name}"
        raise SetupError(f"broken: {_one_line(error)}", cure) from error


def _minigrad():
    folder = Path(__file__).parents[1]
    try:
        return f"{metadata.version('minigrad')} in {folder}"
    except metadata.PackageNotFoundError:
        return f"not installed, used from {folder}"


def _kernels():
    """The same import name belongs to a package of Hugging Face."""
    spec = util.find_spec("kernels")
    if spec is None:
        raise SetupError("missing", "install minigrad again: its package kernels was left behind")
    folders = [Path(folder) for folder in spec.submodule_search_locations or []]
    if not any((folder / "reference.py").is_file() for folder in folders):
        raise SetupError(
            f"not minigrad's: {spec.origin or folders}",
            "pip uninstall kernels, then install minigrad again; or a virtual environment for each",
        )
    return f"minigrad's own, in {folders[0]}"


def _python():
    return f"{platform.python_version()} ({platform.python_implementation()}) in {sys.prefix}"


def _cpu():
    count = os.cpu_count()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count
    return f"{platform.machine()}, {count} logical CPUs, {usable} usable"


def _blas():
    chosen = [f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ]
    return ", ".join([blas(), f"{blas_threads()} threads", *chosen])


def _threads():
    """Numba can run parallel loops on any of three libraries."""
    import numba

    usable = []
    for layer, module in {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}.items():
        try:
            importlib.import_module(f"numba.np.ufunc.{module}")
            usable.append(layer)
        except ImportError:
            pass
    return f"{numba.config.NUMBA_NUM_THREADS} threads, by {' or '.join(usable)}"


def _gpu():
    from numba import cuda

    if not cuda.is_available():
        return "none that CUDA can use; all else works without"
    device = cuda.list_devices()[0]
    name = device.name.decode() if isinstance(device.name, bytes) else device.name
    return f"{name}, compute capability {'.'.join(map(str, device.compute_capability))}"


def _data():
    if not os.environ.get("MINIGRAD_DATA"):
        return "not set; only data that do not come with minigrad, such as MNIST, need it"
    try:
        return str(data_folder())
    except FileNotFoundError as error:
        raise SetupError(str(error), "set MINIGRAD_DATA to your folder of data sets") from error


EXAMINATIONS = {
    "minigrad": _minigrad,
    "kernels": _kernels,
    "Python": _python,
    "system": platform.platform,
    "CPU": _cpu,
    "NumPy": lambda: _package("numpy"),
    "BLAS": _blas,
    "Numba": lambda: _package("numba"),
    "Numba threads": _threads,
    "GPU": _gpu,
    "greenlet": lambda: _package("greenlet"),
    "matplotlib": lambda: _package("matplotlib"),
    "threadpoolctl": lambda: _package("threadpoolctl"),
    "tqdm": lambda: _package("tqdm"),
    "MINIGRAD_DATA": _data,
}
