"""The names of a kernel, and what each of them stands for while it is simulated."""

import dis
import functools
import math
from types import CellType, FunctionType, ModuleType
from typing import NamedTuple

import numba
import numpy as np

from . import instructions, syntax
from .faults import Access, KernelError, Site
from .integers import is_instance, whole, with_whole_literals
from .mathematics import PLAIN_INT, Absent, Mathematics, NumPy, number_type
from .memory import Constant
from .source import source_of_function


class _Binding(NamedTuple):
    """What is the same for all names of a kernel.

    known    {function: the same with the simulated device}
    callers  those through which the kernel has come to a function, the kernel first
    """

    device: object
    known: dict
    callers: tuple


def bind(function, device):
    """The same function, with the simulated device for `cuda`; so too all functions it calls.

    Raises KernelError if there is something in them that Numba does not compile.
    """
    return _bind(function, _Binding(device, {}, ()))


def _bind(function, binding):
    """The function, with what stands for its names."""
    if function in binding.known:
        return binding.known[function]
    device, known, callers = binding
    code = with_whole_literals(function.__code__)
    source = source_of_function(function, is_kernel=not callers)
    syntax.check(source)
    names = {"int": PLAIN_INT, "isinstance": is_instance, **function.__globals__}
    cells = [CellType() for _ in function.__closure__ or ()]
    bound = known[function] = FunctionType(
        code, names, function.__name__, function.__defaults__, tuple(cells)
    )
    binding = _Binding(device, known, (*callers, function))
    for inner in device.places.add(code):
        for name, site in _asked(inner, "LOAD_GLOBAL").items():
            if name in function.__globals__:
                names[name] = _simulated(name, site, names[name], source, binding)
            else:
                _check(syntax.lacking_name(name), site, source)
    sites = _asked(code, "LOAD_DEREF", "LOAD_CLOSURE")
    free = zip(code.co_freevars, cells, function.__closure__ or ())
    for name, cell, own in free:  # names of the function around it
        value = own.cell_contents
        cell.cell_contents = _simulated(name, sites.get(name), value, source, binding)
    return bound


@functools.cache  # Python takes longer to find it than many a kernel to run
def _asked(code, *instructions):
    """{name: where the code first asks for it} by these instructions of Python's"""
    steps = [step for step in dis.get_instructions(code) if step.opname in instructions]
    return {step.argval: Site(code, step.offset) for step in reversed(steps)}


def _simulated(name, site, value, source, binding):
    """What stands for a value that a kernel finds under a name, for which it asks at a site."""
    if isinstance(value, ModuleType):
        return _module(value, binding.device)
    if _is_part_of_cuda(value):
        return _imported(name, site, value, binding.device)
    _check(syntax.lacking_value(name, value, binding.callers), site, source)
    value = getattr(value, "py_func", value)
    if isinstance(value, FunctionType):
        return _bind(value, binding)
    if isinstance(value, np.ndarray):
        return Constant(value, name)  # as numba does, which keeps what it finds as it compiles
    if type(value).__name__ == "_Intrinsic":  # Numba has two such classes, neither of them public
        return functools.partial(getattr(instructions, value.__name__), binding.device)
    return whole(number_type(value))


def _check(lacking, site, source):
    """A KernelError if there is something that Numba lacks, and does not leave out either."""
    if lacking and site and not source.leaves_out(site):
        raise syntax.told(site, *lacking)


def _module(value, device):
    if value.__name__ == "numba.cuda":
        return device
    if value is numba:
        return _Numba(device)
    if value.__name__ in Absent.names:
        return Absent(value.__name__)
    return {math: Mathematics(), np: NumPy()}.get(value, value)


class _Numba:
    """Stands for the module `numba`, for those who write numba.cuda.grid(1)."""

    def __init__(self, device):
        self.cuda = device

    def __getattr__(self, name):
        return number_type(getattr(numba, name))


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
