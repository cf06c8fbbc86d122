"""How the kernels of this folder are compiled: for one dtype at a time, when first used, and kept.

    @jit
    def scale_rows(x: read(2), y: write(2), factor: number, first: integer, last: integer): ...

    scale_rows["float32"](x, y, 2, 0, len(x))

The annotations say once what a call may bring, so that there is one compiled kernel per dtype,
whatever the arrays' strides, and whether they may be written to or not. `number` and the arrays
stand for the dtype. A call that does not fit is a TypeError; nothing is ever compiled by surprise.
A call goes straight to the one kernel there is, which looks at the arrays itself (`lending`), and
makes of a number what `int` or `float` would; Numba's own search for one that fits takes 100 ns.

What was compiled is kept in a folder of the user's, under a hash of the sources of all kernels,
this processor and the versions: Numba looks only at the file that a function is in, and would not
see a change in another.
"""

import hashlib
import inspect
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

import numba
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import codegen, config, errors, event
from numba.extending import intrinsic

from . import lending

# Division is NumPy's, bounds are not checked, and other Python threads may run meanwhile.
_OPTIONS = {"error_model": "numpy", "boundscheck": False, "nogil": True}
_PART = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}

DTYPES = ("float32", "float64")
MONTH = 30 * 24 * 3600  # seconds
KERNELS = []  # all that `jit` made
_RETURNED = types.NoneType, types.Boolean, types.Number
_Array = lending.Lent if lending.IS_KNOWN else types.Array
_one_at_a_time = threading.RLock()  # compiles: where it is kept, Numba knows for the whole process


# ---- What the parameters of a kernel are ---------------------------------------------------------


def read(ndim):
    """An array of the kernel's dtype with `ndim` axes and any strides, that is only read."""
    return lambda dtype: _Array(dtype, ndim, "A", readonly=True)


def write(ndim):
    """An array of the kernel's dtype with `ndim` axes and any strides, that is written to."""
    return lambda dtype: _Array(dtype, ndim, "A")


def read_integers(ndim):
    """An array of int64 with `ndim` axes and any strides, that is only read."""
    return lambda dtype: _Array(types.int64, ndim, "A", readonly=True)


def write_integers(ndim):
    """An array of int64 with `ndim` axes and any strides, that is written to."""
    return lambda dtype: _Array(types.int64, ndim, "A")


def read_booleans(ndim):
    """An array of booleans with `ndim` axes and any strides, that is only read."""
    return lambda dtype: _Array(types.boolean, ndim, "A", readonly=True)


def number(dtype):
    """A number of the kernel's dtype."""
    return dtype


def integer(dtype):
    """An integer of 64 bits."""
    return types.int64


def unsigned(dtype):
    """An integer of 64 bits from 0 up."""
    return types.uint64


def address(dtype):
    """Where another kernel is, which this one is to `call`."""
    return types.int64


# ---- Compiling -----------------------------------------------------------------------------------


def jit(function=None, *, parallel=False):
    """A kernel that Python calls, by its dtype: kernel["float32"](...) (decorator)."""
    if function is None:
        return lambda function: jit(function, parallel=parallel)
    return Kernel(function, parallel)


def inlined(function):
    """A part of kernels, compiled into each that calls it (decorator).

    LLVM would rather call the large ones, for each vector, and find all constants again each time.
    """
    return njit(**_OPTIONS, **_PART)(function)


class Kernel(dict):
    """{dtype: what Python calls}, filled when it is asked for: by the dtype, or by its name."""

    def __init__(self, function, parallel):
        self.function = function
        self.parallel = parallel
        self.compiled = {}  # {dtype: the function as Numba has it}
        self.addresses = _Addresses(self)
        KERNELS.append(self)

    def __missing__(self, dtype):
        dtype = np.dtype(dtype)
        with _one_at_a_time:
            if dtype not in self:  # another thread may have been here meanwhile
                compiled = self.compiled[dtype] = self._announced(dtype)
                (made,) = compiled.overloads.values()
                if not isinstance(made.signature.return_type, _RETURNED):
                    raise TypeError(f"{self.function.__name__} must not return what it was lent")
                call = made.entry_point if lending.IS_KNOWN else compiled
                self[dtype] = self[dtype.name] = call
        return self[dtype]

    def _announced(self, dtype):
        with _notice(f"{self.function.__name__} for {dtype}"):
            try:
                return self._compile(dtype)
            except errors.NumbaError:
                raise  # the kernel is wrong
            except Exception:  # a file that was kept is damaged
                self._forget()
                return self._compile(dtype)

    def _forget(self):
        """Remove what is kept of this kernel."""
        for file in cache_folder().rglob(f"*.{self.function.__qualname__}-*.nb[ic]"):
            file.unlink(missing_ok=True)

    def _compile(self, dtype):
        kinds = inspect.get_annotations(self.function).values()
        compiled = _cached(njit(**_OPTIONS, parallel=self.parallel)(self.function), dtype)
        compiled.compile(tuple(kind(getattr(types, str(dtype))) for kind in kinds))
        compiled.disable_compile()
        return compiled


class _Addresses(dict):
    """{dtype: where the compiled function of a kernel is}, for another one that calls it."""

    def __init__(self, kernel):
        self.kernel = kernel

    def __missing__(self, dtype):
        self.kernel[dtype]  # compiles it
        (made,) = self.kernel.compiled[np.dtype(dtype)].overloads.values()
        self[dtype] = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
        return self[dtype]


@intrinsic
def call(context, address, arguments):
    """Call the compiled function at an address with a tuple of arguments.   -> 1 if it failed

    An exception in it is lost: it could end no turn of a `prange`, which runs in another thread.
    """

    def generate(context, builder, signature, values):
        convention, kinds = context.call_conv, list(arguments)
        kind = convention.get_function_type(types.none, kinds).as_pointer()
        function = builder.inttoptr(values[0], kind)
        given = [builder.extract_value(values[1], i) for i in range(len(kinds))]
        status, _ = convention.call_function(builder, function, types.none, kinds, given)
        return builder.zext(status.is_error, ir.IntType(64))

    return types.int64(address, arguments), generate


def compile_all(dtypes=DTYPES):
    """Compile every kernel for each of these dtypes. Returns their number."""
    for kernel in KERNELS:
        for dtype in dtypes:
            kernel[dtype]
    return len(KERNELS) * len(dtypes)


# ---- What is kept --------------------------------------------------------------------------------


def _cached(dispatcher, dtype):
    """The same, which Numba is to keep in our folder, if that can be written to.

    Each dtype has a folder of its own: Numba numbers what it keeps of a function, and two programs
    that compile it at once, for two dtypes, would give both the same number.
    """
    folder = cache_folder()
    if _is_writable(folder):
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder / dtype.name)
        try:
            dispatcher.enable_caching()
        except RuntimeError:
            pass  # a function without a file, typed into Python itself
        finally:
            config.CACHE_DIR = before
    return dispatcher


@cache
def cache_folder():
    """Where compiled kernels are kept: MINIGRAD_CACHE, or the system's folder for such things."""
    return _user_folder() / f"kernels-{fingerprint()}"


def _user_folder():
    if chosen := os.environ.get("MINIGRAD_CACHE"):
        return Path(chosen).expanduser()
    if platform.system() == "Windows":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "minigrad"
    if platform.system() == "Darwin":
        return Path.home() / "Library" / "Caches" / "minigrad"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minigrad"


@cache
def fingerprint():
    """A hash of all that decides what the compiler makes of the kernels."""
    room = Path(__file__).parents[1]
    sources = sorted(path for part in (".", "cpu", "ladder") for path in room.glob(f"{part}/*.py"))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + source.read_bytes())
    features = config.CPU_FEATURES
    features = codegen.get_host_cpu_features() if features is None else features
    machine = config.CPU_NAME, features, platform.machine()
    versions = sys.version, numba.__version__, np.__version__
    digest.update(repr((machine, versions)).encode())
    return digest.hexdigest()[:16]


@cache
def _is_writable(folder):
    """Whether the folder can be used. Those that nobody has used for a month are removed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # which tells the time of use, too
        for other in folder.parent.glob("kernels-*"):
            if other.stat().st_mtime < time.time() - MONTH:
                shutil.rmtree(other, ignore_errors=True)
    except OSError as error:
        print(f"compiled kernels cannot be kept in {folder}: {error}", file=sys.stderr)
        return False
    return True


class _notice(event.Listener):
    """Say in one line what was compiled, and how long that took; nothing if it had been kept."""

    def __init__(self, what):
        self.what = what
        self.started = self.depth = self.seconds = 0

    def __enter__(self):
        event.register("numba:compile", self)

    def __exit__(self, *error):
        event.unregister("numba:compile", self)
        if self.seconds and error[0] is None:
            how_often = "once" if _is_writable(cache_folder()) else "in each program"
            said = f"compiled {self.what} in {self.seconds:.1f} s ({how_often})"
            print(said, file=sys.stderr)

    def on_start(self, compiled):
        if self.depth == 0:
            self.started = time.perf_counter()
        self.depth += 1

    def on_end(self, compiled):
        self.depth -= 1
        if self.depth == 0:
            self.seconds += time.perf_counter() - self.started
