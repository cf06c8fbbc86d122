"""The names of a kernel, and what each of them stands for while it is simulated."""

import dis
import functools
import math
from types import CellType, FunctionType, ModuleType

import numba
import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from . import instructions
from .faults import Access, KernelError, Site
from .mathematics import Integer, Mathematics
from .memory import Constant


def bind(function, device, known=None):
    """The same function, with the simulated device for `cuda`; so too all functions it calls."""
    known = {} if known is None else known  # since functions may call each other in a circle
    if function in known:
        return known[function]
    names = {"int": Integer(np.dtype(np.int64), int), **function.__globals__}
    cells = [CellType() for _ in function.__closure__ or ()]
    bound = known[function] = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, tuple(cells)
    )
    for code in device.places.add(function.__code__):
        for name, site in _asked(code, "LOAD_GLOBAL").items():
            if name in function.__globals__:
                names[name] = _simulated(name, site, names[name], device, known)
    sites = _asked(function.__code__, "LOAD_DEREF", "LOAD_CLOSURE")
    free = zip(function.__code__.co_freevars, cells, function.__closure__ or ())
    for name, cell, own in free:  # names of the function around it
        value = own.cell_contents
        cell.cell_contents = _simulated(name, sites.get(name), value, device, known)
    return bound


@functools.cache  # Python takes longer to find it than many a kernel to run
def _asked(code, *instructions):
    """{name: where the code first asks for it} by these instructions of Python's"""
    steps = [step for step in dis.get_instructions(code) if step.opname in instructions]
    return {step.argval: Site(code, step.offset) for step in reversed(steps)}


def _simulated(name, site, value, device, known):
    """What stands for a value that a kernel finds under a name, for which it asks at a site."""
    if isinstance(value, ModuleType):
        return _module(value, device)
    if _is_part_of_cuda(value):
        return _imported(name, site, value, device)
    value = getattr(value, "py_func", value)
    if isinstance(value, FunctionType):
        return bind(value, device, known)
    if isinstance(value, np.ndarray):
        return Constant(value, name)  # as numba does, which keeps what it finds as it compiles
    if type(value).__name__ == "_Intrinsic":  # Numba has two such classes, neither of them public
        return functools.partial(getattr(instructions, value.__name__), device)
    return _type(value)


def _module(value, device):
    if value.__name__ == "numba.cuda":
        return device
    if value is numba:
        return _Numba(device)
    return Mathematics() if value is math else value


def _type(value):
    """A type of Numba's as a function that makes numbers of it; what is none, as it is."""
    if isinstance(value, types.Integer) and value.signed:
        return Integer(as_dtype(value))
    return as_dtype(value).type if isinstance(value, types.Type) else value  # float32


class _Numba:
    """Stands for the module `numba`, for those who write numba.cuda.grid(1)."""

    def __init__(self, device):
        self.cuda = device

    def __getattr__(self, name):
        return _type(getattr(numba, name))


def _is_part_of_cuda(value):
    module = getattr(value, "__module__", None)
    return (
        isinstance(module, str) and module.startswith("numba.cuda") and hasattr(value, "__name__")
    )


def _imported(name, site, value, device):
    """What was imported from numba.cuda by itself. Numba takes functions, but not `threadIdx`."""
    if not isinstance(value, type) and hasattr(type(device), value.__name__):
        return getattr(device, value.__name__)
    raise KernelError(
        "does not compile",
        f"{name} has been imported from numba.cuda by itself:",
        f"Numba finds it only behind its module. Write `from numba import cuda`, and in the kernel "
        f"cuda.{value.__name__}.",
        accesses=[Access("", None, None, site)],
    )
