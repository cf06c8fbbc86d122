"""Which implementation runs a call of a kernel.

    kernels.use("numpy")     the specification, `kernels.reference`
    kernels.use("numba")     what `kernels.cpu` has compiled for this processor
    kernels.use("auto")      whichever is faster (so it is at the start)
    print(kernels.table())   who runs what

"auto" looks at the kernel, at the size and dtype of the first array (of a product: at the number of
multiplications), and at the kind of processor, in a table of measurements that comes with the
source: `choices.json`, which `python -m tests.benchmarks.choices` makes. So the same call runs the
same code every time, and rounds the same. What a compiled kernel does not cover it hands back, and
NumPy runs it. What is in use is so for the whole process: choose before other threads compute.
"""

import functools
import importlib
import json
import pkgutil
import threading
from pathlib import Path

import numpy as np

from . import reference

BACKENDS = ("numpy", "numba", "auto")
CHOICES = Path(__file__).with_name("choices.json")
_EVERY, _NONE = range(2**63 - 1), range(0)
_DTYPES = np.dtype("float32"), np.dtype("float64")

_backend = "auto"
_sizes = {}  # {kernel: {dtype: sizes that Numba runs}} with the backend in use
_compiled = {}  # {kernel: its function in kernels.cpu}
_is_loaded = False  # whether kernels.cpu, and so Numba, is imported: by the first call
_loading = threading.RLock()


def kernel(specification):
    """The kernel that a function of `kernels.reference` specifies, as its users call it."""
    name, ndarray = specification.__name__, np.ndarray
    size = size_of(name)
    sizes = _sizes[name] = dict.fromkeys(_DTYPES, _EVERY)

    def load_and_call(x, *arguments, **options):
        if not x.size:
            return NotImplemented  # nothing is computed, and that needs no compiled kernels
        _load()
        return call(x, *arguments, **options)

    _compiled[name] = load_and_call  # until the compiled kernels are there

    @functools.wraps(specification)
    def call(*arguments, **options):
        x = arguments[0] if arguments else None
        if type(x) is ndarray:
            covered = sizes.get(x.dtype, _NONE)
            if covered is _EVERY or (covered and size(*arguments) in covered):
                result = _compiled[name](*arguments, **options)
                if result is not NotImplemented:
                    return result
        elif on_device := getattr(x, "__kernel__", None):
            return on_device(name, specification, arguments, options)
        return specification(*arguments, **options)

    return _of_products(specification, call) if name == "matmul" else call


def _of_products(specification, call):
    """`call` for products: of small ones, what it does with any arguments would be a tenth."""
    sizes, ndarray = _sizes["matmul"], np.ndarray

    @functools.wraps(specification)
    def multiply(a, b, out=None):
        if type(a) is ndarray:
            covered = sizes.get(a.dtype, _NONE)
            if covered is _EVERY or (covered and _multiplications(a, b) in covered):
                result = _compiled["matmul"](a, b, out)
                if result is not NotImplemented:
                    return result
            return specification(a, b, out)
        return call(a, b) if out is None else call(a, b, out)

    return multiply


def size_of(name):
    """The function of a kernel's arguments by which "auto" chooses."""
    return _multiplications if name == "matmul" else _size_of_first


def _size_of_first(x, *others):
    return x.size


def _multiplications(a, b=None, out=None):
    """m k n   (..., m, k), (..., k, n);  the size of A says little about a product"""
    return a.size * b.shape[-1] if type(b) is np.ndarray and b.ndim > 1 else a.size


def specifications():
    """{name: function of `kernels.reference`}: all kernels that there are."""
    return {
        name: thing
        for name, thing in vars(reference).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == reference.__name__
    }


class use:
    """Choose who runs kernels from now on: "numpy", "numba" or "auto"; or only inside a `with`.

    >>> with use("numpy"):
    ...     backend()
    'numpy'
    """

    def __init__(self, backend):
        if backend not in BACKENDS:
            raise ValueError(f"use one of {', '.join(BACKENDS)}. Received: {backend!r}")
        self.backend, self.before = backend, _backend
        _choose(backend)

    def __enter__(self):
        if _backend != self.backend:  # it was in use before, and is once more
            self.before = _backend
            _choose(self.backend)
        return self

    def __exit__(self, *error):
        _choose(self.before)


def backend():
    """Who runs kernels now: "numpy", "numba" or "auto"."""
    return _backend


def compile_all(*dtypes):
    """Compile every kernel for these dtypes now, or for every dtype if none is named.

    What is kept is found.   -> how many, the folder
    """
    from .cpu import compilation

    _load()
    return compilation.compile_all(dtypes or compilation.DTYPES), compilation.cache_folder()


def peak(threads=None):
    """GFLOP/s that so many cores reach with float32 at best: by default those that kernels use.

    It is measured, once, with the inner loop of our own products of matrices and one core.
    """
    import numba

    from .cpu import peak

    _load()
    return (threads or numba.get_num_threads()) * peak.of_one_core()


def versions():
    """{name: text} of what besides NumPy decides how kernels round; and of Numba's threads."""
    if _backend == "numpy":
        return {"backend": _backend}
    import numba

    from .cpu import compilation

    _load()
    return {
        "backend": _backend,
        "compiled kernels": compilation.fingerprint(),  # of their sources, compiler and processor
        "Numba": numba.__version__,
        "threads of Numba": str(numba.get_num_threads()),  # which change no bit
    }


def _choose(backend):
    global _backend
    _backend = backend
    _put_in_force()


def _load():
    """Import the compiled kernels: nothing is compiled by that, but Numba takes half a second."""
    global _is_loaded
    with _loading:  # of several Python threads one imports, and the others wait
        if _is_loaded:
            return
        from numba import config

        from . import cpu

        found = dict.fromkeys(_sizes, _covers_nothing)
        modules = [] if config.DISABLE_JIT else pkgutil.iter_modules(cpu.__path__)
        for module in modules:
            module = importlib.import_module(f"{cpu.__name__}.{module.name}")
            for name in _sizes:
                function = getattr(module, name, None)
                if getattr(function, "__module__", None) == module.__name__:
                    found[name] = function
        _compiled.update(found)
        _is_loaded = True
        _put_in_force()


def _covers_nothing(*arguments, **options):
    """What stands for an implementation where there is none."""
    return NotImplemented


def _put_in_force():
    """Fill `_sizes` for the backend in use, and let BLAS not compete with Numba for processors."""
    for name, sizes in _sizes.items():
        for dtype in _DTYPES:
            sizes[dtype] = _range(name, dtype)
    if _is_loaded:
        from .cpu import threads

        threads.limit_blas(to_one=any(any(sizes.values()) for sizes in _sizes.values()))


def _range(name, dtype):
    """The sizes for which Numba runs a kernel, or finds out whether it does."""
    if _backend == "numpy" or _compiled[name] is _covers_nothing:
        return _NONE
    if _backend == "numba" or not _is_loaded:
        return _EVERY
    start, stop = _measured().get(name, {}).get(dtype.name, (0, 0))
    sizes = range(start, _EVERY.stop if stop is None else stop)
    return _EVERY if sizes == _EVERY else sizes  # which `call` knows without a look at the array


@functools.cache
def _measured():
    """{kernel: {dtype: [first size, where it ends or None]}} for this kind of processor.

    A kind that nobody has measured has none: there "auto" is NumPy.
    """
    from .cpu.simd import KIND

    return json.loads(CHOICES.read_text(encoding="utf-8")).get(KIND, {})


def table():
    """Who runs what with the backend in use: a text with a line for each kernel and dtype."""
    from .cpu.simd import KIND
    from .cuda import calls

    _load()
    lines = [("kernel", "dtype", "Numba runs", "but not", "on a device")]
    for name in specifications():
        for dtype in _DTYPES:
            sizes = _sizes[name][dtype]
            except_for = getattr(_compiled[name], "left_to_numpy", "") if sizes else ""
            on_device = calls.who_runs(name, dtype)
            lines.append((name, dtype.name, _in_words(sizes), except_for, on_device))
    widths = [max(map(len, column)) for column in zip(*lines)]
    rows = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    title = f'kernels.use("{_backend}") on a processor with {KIND}. NumPy runs all else.'
    return "\n".join([title, "", *rows])


def _in_words(sizes):
    if not sizes:
        return "nothing"
    if sizes.stop == _EVERY.stop:
        return f"from size {sizes.start}" if sizes.start else "everything"
    return f"size {sizes.start} to {sizes.stop - 1}"
