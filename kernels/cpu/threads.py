"""How a kernel is shared by threads, so that their number never changes a bit of the result.

    @threaded
    def double(x: read(1), y: write(1), part: integer, parts: integer):
        for i in range(*share(x.size, part, parts, lanes(x))):
            store_until(y, i, x.size, 2 * load_until(x, i, x.size, 0))

    double(x.dtype, x.size, x, y)     # the dtype, the work, the arguments but for the last two

The kernel does one of equal parts of the work: part 0 of 1, where one thread does all. That is for
loops whose turns do not depend on each other: then it does not matter where the parts begin. Where
the work is cut into blocks that take longer or shorter, by its shape alone, each thread takes the
next block that nobody has:

    @threaded
    def double_blocks(x: read(2), y: write(2), queue: counter):
        block = take(queue)
        while block < blocks:
            ...
            block = take(queue)

Of Numba's layers of threads TBB is the one to have: there a call never waits for a thread that the
system has not let run yet, as it does for many milliseconds under OpenMP when another process
wants the core.
"""

import contextlib
import ctypes
import os
import threading
from importlib import metadata
from types import FunctionType

import numba
import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from .compilation import address, call, integer, jit, write_integers

# Below so many multiplications or their like, waking another thread takes longer than it saves.
WORTH_SHARING = 2_000_000

_one_at_a_time = threading.RLock()
_known_layer = None
_is_forked = False  # from a process that had a pool of threads


def _load_tbb():
    """Load the library of TBB from where pip has put it, in which the system does not look."""
    with contextlib.suppress(metadata.PackageNotFoundError, OSError):
        for file in metadata.distribution("tbb").files or ():
            if file.name == "libtbb.so.12":
                ctypes.CDLL(str(file.locate().resolve()), mode=ctypes.RTLD_GLOBAL)


_load_tbb()


@intrinsic
def take(context, queue):
    """queue[0] before it was increased by 1, for one thread at a time."""

    def generate(context, builder, signature, values):
        address = context.make_array(queue)(context, builder, values[0]).data
        return builder.atomic_rmw("add", address, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(queue), generate


def counter(dtype):
    """The annotation of a queue: how many blocks the threads of a kernel have taken."""
    return write_integers(1)(dtype)


class threaded:
    """A kernel that does one part of its work, or blocks from a queue (decorator).

    It is compiled once. What several threads run is a loop of its own, which calls it.
    """

    def __init__(self, function):
        self.__doc__ = function.__doc__
        self.has_queue = "queue" in function.__annotations__
        self.kernel = jit(function)
        self.loop = jit(_loop(function, _by_queue if self.has_queue else _in_parts), parallel=True)

    def __call__(self, dtype, work, *arguments):
        """Run it with as many threads as the work, counted in multiplications, is worth."""
        if self.has_queue:
            arguments = *arguments, np.zeros(1, np.int64)
        parts = count(work)
        if parts > 1:
            if shared(self.loop[dtype], self.kernel.addresses[dtype], arguments, parts):
                raise MemoryError(f"a thread of {self.kernel.function.__name__} found no memory")
        elif self.has_queue:
            self.kernel[dtype](*arguments)
        else:
            self.kernel[dtype](*arguments, 0, 1)


def _in_parts(kernel, arguments, parts):
    failed = 0
    for part in prange(parts):
        failed += call(kernel, (*arguments, np.int64(part), parts))
    return failed


def _by_queue(kernel, arguments, parts):
    failed = 0
    for _ in prange(parts):
        failed += call(kernel, arguments)
    return failed


def _loop(kernel, body):
    """The loop over threads for one kernel, under a name of its own: Numba keeps it by that."""
    kinds = [kind for name, kind in kernel.__annotations__.items() if name not in ("part", "parts")]
    module = kernel.__module__.rpartition(".")[2]
    loop = FunctionType(body.__code__, body.__globals__, f"{module}_{kernel.__name__}_shared")
    loop.__qualname__ = loop.__name__
    loop.__annotations__ = {
        "kernel": address,
        "arguments": lambda dtype: types.Tuple([kind(dtype) for kind in kinds]),
        "parts": integer,
    }
    return loop


def count(work):
    """How many threads are to share some work: 1, or as many as numba.set_num_threads allows."""
    return 1 if work < WORTH_SHARING or _is_forked else numba.get_num_threads()


def shared(kernel, *arguments):
    """Call a parallel kernel. Of Python threads that Numba cannot serve at once, all but one wait.

    Its own pool of threads ("workqueue") ends the process when two call it; which pool there is, is
    known after the first call.
    """
    if _layer() in ("tbb", "omp"):
        return kernel(*arguments)
    with _one_at_a_time:
        return kernel(*arguments)


def _layer():
    """The name of the pool of threads, or None before it is there."""
    global _known_layer
    if _known_layer is None:
        with contextlib.suppress(ValueError):  # no parallel kernel has run
            _known_layer = numba.threading_layer()
    return _known_layer


def _forked():
    """A forked child has none of its parent's threads, and GNU's pool would end it: it uses one."""
    global _is_forked
    _is_forked = _layer() is not None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


_blas = None  # the limit in force


def limit_blas(to_one):
    """Let NumPy's library for products of matrices use one thread, or again as many as before.

    Its idle threads would go on spinning for a while, on the cores that a kernel's threads want.
    """
    from threadpoolctl import threadpool_limits

    global _blas
    if to_one and _blas is None:
        _blas = threadpool_limits(1, user_api="blas")
    elif not to_one and _blas is not None:
        _blas.restore_original_limits()
        _blas = None
