"""A kernel is launched: its names are bound to the simulated device, and its blocks run."""

import contextvars
import functools
import inspect
import math
from types import CellType, FunctionType, ModuleType

import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from . import instructions
from .block import Block, Index, indices, ordering
from .device import Device
from .faults import KernelError
from .log import GLOBAL, Log, Places
from .mathematics import Integer, Mathematics
from .memory import Recorded, compare_by_parts
from .races import Past, judge, judge_together
from .traffic import Traffic

MOST_THREADS = 1024  # of a block
MOST_BLOCKS = Index(2**31 - 1, 65535, 65535)  # of a grid, along each axis
_PAGE = 256  # bytes: where memory begins that a GPU has given out


def launch(kernel, grid, block, *arguments, order="forward", seed=0, check=True):
    """Run a kernel on NumPy arrays, which it reads and writes in place.

    kernel   a Python function, or what numba.cuda.jit has made of one
    grid     how many blocks: a number, or up to three of them, x first
    block    how many threads in each of them, likewise
    order    in which the threads and the blocks have their turns: one of ORDERS. A right kernel
             gives the same in each.
    seed     of the order "shuffled"
    check    whether to look for faults; without, it takes about a third of the time

    Returns the Traffic, if it was to be checked. Raises KernelError.
    """
    function = getattr(kernel, "py_func", kernel)
    grid, shape, order = _shape(grid), _shape(block), ordering(order, seed)
    _check_shapes(function, grid, shape)
    places = Places()
    log = Log(places) if check else None
    device = Device(grid, shape, places, log)
    bound = bind(function, device)
    if check:
        arguments = _recorded(function, arguments, log)
        device.given = [value for value in arguments if isinstance(value, Recorded)]
    with np.errstate(all="ignore"):  # a GPU says nothing of overflow either
        context = contextvars.copy_context()
    pasts = []
    for index in order(indices(grid)):
        device.begin_block(index)
        block = Block(index, shape, functools.partial(bound, *arguments), device, context)
        block.run(order)
        if check:
            pasts.append(Past(len(pasts), block, log.take(), device.arrays))
            judge(pasts[-1])
    if check:
        judge_together(pasts, log.has_fences)
        return Traffic(pasts)
    return None


def _shape(numbers):
    return Index(*numbers) if isinstance(numbers, (tuple, list)) else Index(numbers)


def _check_shapes(function, grid, block):
    """A KernelError if a GPU would refuse to start as many blocks or threads."""
    threads = math.prod(block)
    if not 0 < threads <= MOST_THREADS or min(block) < 1:
        raise KernelError(
            "impossible launch",
            f"{function.__name__} is to have blocks of {block} = {threads} threads.",
            f"A block has 1 to {MOST_THREADS} threads, all axes together. Take smaller blocks, and "
            "more of them.",
        )
    if min(grid) < 1 or any(n > most for n, most in zip(grid, MOST_BLOCKS)):
        raise KernelError(
            "impossible launch",
            f"{function.__name__} is to have a grid of {grid} blocks.",
            f"A grid has at least one block along each axis, and at most {MOST_BLOCKS}. Let the "
            "longest axis be x; where there is nothing to do, launch nothing.",
        )


# ---- The names of a kernel -----------------------------------------------------------------------


def bind(function, device, known=None):
    """The same function, with the simulated device for `cuda`; so too all functions it calls."""
    known = {} if known is None else known  # since functions may call each other in a circle
    if function in known:
        return known[function]
    names = dict(function.__globals__)
    cells = [CellType() for _ in function.__closure__ or ()]
    bound = known[function] = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, tuple(cells)
    )
    for cell, own in zip(cells, function.__closure__ or ()):
        cell.cell_contents = _simulated(own.cell_contents, device, known)
    for code in device.places.add(function.__code__):
        for name in names.keys() & set(code.co_names):
            names[name] = _simulated(names[name], device, known)
    return bound


def _simulated(value, device, known):
    """What stands for a value that a kernel finds under a global name."""
    value = getattr(value, "py_func", value)
    if isinstance(value, FunctionType):
        return bind(value, device, known)
    if isinstance(value, ModuleType) and value.__name__ == "numba.cuda":
        return device
    if value is math:
        return Mathematics()
    if isinstance(value, types.Integer) and value.signed:
        return Integer(as_dtype(value))
    if isinstance(value, types.Type):  # float32
        return as_dtype(value).type
    if type(value).__name__ == "_Intrinsic":  # Numba has two such classes, neither of them public
        return functools.partial(getattr(instructions, value.__name__), device)
    return value


# ---- Its arguments -------------------------------------------------------------------------------


def _recorded(function, arguments, log):
    """The arguments with arrays whose accesses are checked, and entered into the log.

    Two arguments that lie in the same memory do so on the simulated device as well. Where in memory
    that is follows from the order of the arguments, so that it is the same each time.
    """
    names = inspect.signature(function).bind(*arguments).arguments
    memories, end, given = {}, GLOBAL, []
    recorded = {}  # {memory: the arrays in it}
    for name, value in names.items():
        if not isinstance(value, np.ndarray):
            given.append(value)
            continue
        if value.dtype.names:
            raise TypeError(
                f"{name} is an array of records, {value.dtype}, and the simulator knows arrays of "
                f"numbers. Give the fields one by one, as in {name}[{value.dtype.names[0]!r}]"
            )
        owner = owner_of(value)
        if id(owner) not in memories:
            memories[id(owner)] = end
            end += -(-owner.nbytes // _PAGE) * _PAGE
        memory, number = memories[id(owner)], sum(map(len, recorded.values()))
        address = memory + start_of(value) - start_of(owner)
        given.append(Recorded(value, name, "global", address, number, log))
        recorded.setdefault(memory, []).append(given[-1])
    for arrays in recorded.values():
        compare_by_parts([array for array in arrays if array.size])
    return given


def owner_of(values):
    """The array that a view is a part of."""
    while isinstance(values.base, np.ndarray):
        values = values.base
    return values


def start_of(values):
    """Where the first element of an array lies in memory."""
    return values.__array_interface__["data"][0]
