"""A kernel is launched: its names are bound to the simulated device, and its blocks run."""

import contextvars
import enum
import functools
import inspect
import math

import numpy as np

from .block import Block, Index, indices, ordering
from .device import Device
from .faults import KernelError
from .integers import whole
from .log import GLOBAL, Log, Places
from .memory import Recorded, compare_by_parts, recorded, unchecked
from .names import bind
from .races import Past, judge, judge_together
from .traffic import Traffic

MOST_THREADS, MOST_LAYERS = 1024, 64  # of a block, all axes together, and along z
MOST_BLOCKS = Index(2**31 - 1, 65535, 65535)  # of a grid, along each axis
_PAGE = 256  # bytes: where memory begins that a GPU has given out


def launch(
    kernel,
    grid,
    block,
    *arguments,
    order="forward",
    seed=0,
    check=True,
    shared=0,
    keeps_last_bits=False,
    **named,
):
    """Run a kernel on NumPy arrays, which it reads and writes in place.

    kernel   a Python function, or what numba.cuda.jit has made of one
    grid     how many blocks: a number, or up to three of them, x first
    block    how many threads in each of them, likewise
    order    in which the threads and the blocks have their turns: one of ORDERS. A right kernel
             gives the same in each.
    seed     of the order "shuffled"
    check    whether to look for faults; without, it takes about a third of the time
    shared   how many bytes of shared memory `cuda.shared.array(0, dtype)` has: what numba.cuda
             takes as the fourth, in kernel[grid, block, stream, shared]
    keeps_last_bits   whether a sum of elements that an array with a sign has no room for is meant
             to be cut, as NumPy does it; else it is told

    Returns the Traffic, if it was to be checked. Raises KernelError, also for arguments that are
    given by name, which numba.cuda does not take.
    """
    function = getattr(kernel, "py_func", kernel)
    order = ordering(order, seed)
    _check_arguments(function, arguments, named)
    grid, shape = _shape(function, "a grid", grid), _shape(function, "blocks", block)
    _check_shapes(function, grid, shape)
    places = Places()
    log = Log(places, keeps_last_bits) if check else None
    device = Device(grid, shape, places, log, shared)
    bound = bind(function, device)
    if check:
        arguments = _recorded(function, arguments, log)
        device.given = [value for value in arguments if isinstance(value, Recorded)]
    else:
        arguments = [unchecked(x) if isinstance(x, np.ndarray) else _number(x) for x in arguments]
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


def _shape(function, what, numbers):
    """A number or several, of which there must be up to three, as an Index."""
    several = tuple(numbers) if isinstance(numbers, (tuple, list)) else (numbers,)
    if 1 <= len(several) <= 3 and all(isinstance(n, (int, np.integer)) for n in several):
        return Index(*several)
    raise KernelError(
        "impossible launch",
        f"{function.__name__} is to have {what} of {numbers!r}.",
        "That takes one to three integers, x first, as in 128 or (16, 16). How often 128 threads "
        "go into n, rounded up, is -(-n // 128): n / 128 is no integer.",
    )


def _check_shapes(function, grid, block):
    """A KernelError if a GPU would refuse to start as many blocks or threads."""
    threads = math.prod(block)
    if not 0 < threads <= MOST_THREADS or min(block) < 1 or block.z > MOST_LAYERS:
        raise KernelError(
            "impossible launch",
            f"{function.__name__} is to have blocks of {block} = {threads} threads.",
            f"A block has 1 to {MOST_THREADS} threads, all axes together, and up to {MOST_LAYERS} "
            "along z. Take smaller blocks, and more of them.",
        )
    if min(grid) < 1 or any(n > most for n, most in zip(grid, MOST_BLOCKS)):
        raise KernelError(
            "impossible launch",
            f"{function.__name__} is to have a grid of {grid} blocks.",
            f"A grid has at least one block along each axis, and at most {MOST_BLOCKS}. Let the "
            "longest axis be x; where there is nothing to do, launch nothing.",
        )


# ---- Its arguments -------------------------------------------------------------------------------


def _check_arguments(function, arguments, named):
    """A KernelError if Numba would not launch a kernel with these arguments."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    takes = f"{function.__name__} takes ({', '.join(names)})"
    if named:
        raise KernelError(
            "impossible launch",
            f"{takes}, and {', '.join(f'{name}=' for name in named)} is given by name.",
            "A kernel is given all arguments by their places, in the order of its parameters. "
            "(What the launch itself takes by name is order, seed, check, shared and "
            "keeps_last_bits.)",
        )
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS) or code.co_kwonlyargcount:
        raise KernelError(
            "does not compile",
            f"{function.__name__} is a kernel, and takes {inspect.signature(function)}.",
            "Numba must know how many arguments there are: let each have a name of its own, "
            "without a * before it.",
        )
    if len(arguments) != len(names):
        came = ", ".join(map(_described, arguments))
        lacking = ", ".join(names[len(arguments) :])
        raise KernelError(
            "impossible launch",
            f"{takes}, {len(names)} in all, and {len(arguments)} are given: ({came}).",
            f"Nothing is left for {lacking}. (A launch asks for no value that stands in `def`.)"
            if lacking
            else f"There is no parameter for the last {len(arguments) - len(names)}.",
        )
    for name, value in zip(names, arguments):
        if not _is_argument(value):
            raise KernelError(
                "impossible launch",
                f"{takes}, and {_described(value)} is given for {name}.",
                "A kernel takes arrays, numbers and tuples of these. Several numbers go into an "
                "array, as in np.array([1, 2, 3], np.float32); for what may be missing give a "
                "number, or an array of no elements.",
                name,
            )


def _is_argument(value):
    if isinstance(value, tuple):
        return all(map(_is_argument, value))
    return isinstance(value, (np.ndarray, np.generic, int, float, complex, enum.Enum))


def _number(value):
    """A number, or a tuple of them, as a kernel computes with it."""
    return tuple(map(_number, value)) if type(value) is tuple else whole(value)


def _described(value):
    """What an argument is, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {value.shape}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) < 40 else text[:36] + ' ...'}"


def _recorded(function, arguments, log):
    """The arguments with arrays whose accesses are checked, and entered into the log.

    Two arguments that lie in the same memory do so on the simulated device as well. Where in memory
    that is follows from the order of the arguments, so that it is the same each time.
    """
    names = dict(zip(function.__code__.co_varnames, arguments))
    memories, end, given = {}, GLOBAL, []
    in_memory = {}  # {where a memory begins: the arrays in it}
    for name, value in names.items():
        if not isinstance(value, np.ndarray):
            given.append(_number(value))
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
        memory, number = memories[id(owner)], sum(map(len, in_memory.values()))
        address = memory + start_of(value) - start_of(owner)
        given.append(recorded(value, name, "global", address, number, log))
        in_memory.setdefault(memory, []).append(given[-1])
    for arrays in in_memory.values():
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
