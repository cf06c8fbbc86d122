"""The instructions of kernels/cuda/ptx.py, as the simulated device carries them out.

Each takes the device first, then what the kernel has given.
"""

import math
from sys import _getframe

import numpy as np

from .block import WARP
from .faults import KernelError
from .log import COPY, LANDED, READ, WRITE
from .memory import Recorded

ALL_LANES = 0xFFFFFFFF


# ---- Four numbers at once ------------------------------------------------------------------------


def load4(device, array, index):
    """The numbers at an index and at the three that follow."""
    if isinstance(array, Recorded):
        _check_numbers("load4", array)
        array.enter(index, 4, READ, _getframe(1))
        array = array.values
    return tuple(array[_four(index)].flat)  # which NumPy runs through faster than through itself


def store4(device, array, index, numbers):
    """Write four numbers to an index and the three that follow."""
    if not isinstance(numbers, tuple) or len(numbers) != 4:
        raise _other_than_four(numbers)
    if isinstance(array, Recorded):
        _check_numbers("store4", array)
        array.enter(index, 4, WRITE, _getframe(1))
        array = array.values
    array[_four(index)] = numbers


def _check_numbers(name, array):
    """A KernelError if an array is one of booleans."""
    if array.dtype == bool:
        raise KernelError(
            "does not compile",
            f"{name} is given {array.name}, an array of bool.",
            "It takes numbers. Read and write booleans one by one, or keep them as uint8.",
            array.name,
        )


def _other_than_four(numbers):
    """The fault that store4 is given something else than four numbers."""
    if not isinstance(numbers, tuple):
        came, then = f"{numbers}, which is no tuple", "Numba compiles nothing else."
    else:
        came = f"a tuple of {len(numbers)} numbers"
        then = "With fewer, what is written for the rest is undefined; with more, all may be."
    return KernelError(
        "wrong memory" if isinstance(numbers, tuple) else "does not compile",
        f"store4 is given {came}.",
        f"It writes four at once, as in store4(x, i, (a, b, c, d)). {then}",
    )


def _four(index):
    """The index of four elements, of which the first has a given one"""
    if isinstance(index, tuple):
        first = index[-1]
        return *index[:-1], slice(first, first + 4)
    return slice(index, index + 4)


def _neighbours(array, index, kind, frame):
    """The part of an array that one instruction takes: four elements from an index on."""
    if isinstance(array, Recorded):
        array.enter(index, 4, kind, frame)
        array = array.values
    return array[_four(index)]


def _check_memory(name, array, space):
    """A KernelError if an instruction cannot take numbers of an array, as it is or lies."""
    if isinstance(array, Recorded) and (array.space, array.itemsize) != (space, 4):
        raise KernelError(
            "wrong memory",
            f"{name} is given {array.name}: {array.dtype} in {array.space} memory.",
            f"It takes numbers of 4 bytes in {space} memory there: what is at the same address of "
            "another memory would come instead, or other bytes of this one.",
            array.name,
        )


# ---- Copies that the threads do not wait for -----------------------------------------------------


def copy_async4(device, target, target_index, source, source_index):
    """Order a copy of four numbers from global to shared memory.

    It arrives when the thread waits for it: as late as it can, so that nothing is right by chance.
    """
    frame = _getframe(1)
    _check_memory("copy_async4", source, "global")
    _check_memory("copy_async4", target, "shared")
    numbers = _neighbours(source, source_index, READ, frame).copy()
    place = _neighbours(target, target_index, COPY, frame)
    device.thread.copies[-1].append((target, target_index, place, numbers))


def commit_copies(device):
    """All copies that this thread has ordered since the last time make a group."""
    device.thread.copies.append([])


def wait_for_copies(device, count):
    """All groups of this thread but the last `count` arrive."""
    *groups, ordered = device.thread.copies
    arrived = len(groups) - count
    for target, index, place, numbers in (
        copy for group in groups[: max(arrived, 0)] for copy in group
    ):
        place[:] = numbers
        if isinstance(target, Recorded):
            target.enter(index, 4, LANDED, _getframe(1))
    device.thread.copies = [*groups[max(arrived, 0) :], ordered]


# ---- Tensor cores --------------------------------------------------------------------------------


def load_matrices(device, array, index):
    """Four matrices (8, 4) in shared memory: each lane brings a row, and gets a number of each."""
    frame = _getframe(1)
    _check_memory("load_matrices", array, "shared")
    row = tuple(_neighbours(array, index, READ, frame).flat)
    rows = _of_warp(device, "load_matrices", row, frame)
    i, j = divmod(device.thread.lane, 4)
    return tuple(rows[8 * matrix + i][j] for matrix in range(4))


def multiply_tf32(device, c, a, b):
    """C + A B by the lanes of a warp together, of which each has a part of each matrix."""
    lanes = _of_warp(device, "multiply_tf32", (c, a, b), _getframe(1))
    if "result" not in lanes:  # the first lane that goes on computes for all
        lanes["result"] = _multiplied(lanes)
    return _of_lane(lanes["result"], device.thread.lane)


def _of_warp(device, what, value, frame):
    """What all lanes of a warp bring, none of which may be missing.   -> {lane: what it brings}"""
    lanes = device.exchange(what, ALL_LANES, value, frame)
    if len(lanes) < WARP:
        raise _lacking_lanes(what, len(lanes), device.thread.number, math.prod(device.blockDim))
    return lanes


def _lacking_lanes(what, count, number, threads):
    """The fault that only so many lanes make a call, one of them the thread with this number."""
    if number // WARP == threads // WARP:  # the last warp, which is not full
        happened = f"A block of {threads} threads has a warp of {threads % WARP} lanes:"
        cure = f"Launch blocks of a multiple of {WARP} threads."
    else:
        happened = f"{what}() is called by {count} lanes of a warp, and the others have ended:"
        cure = "Move the call out of the condition that not all of them run."
    why = f"{what}() is undefined unless all {WARP} lanes of a warp call it together. {cure}"
    return KernelError("divergent barrier", happened, why)


def _multiplied(lanes):
    c, a, b = (np.array([lanes[lane][part] for lane in range(WARP)]) for part in range(3))
    for name, numbers, count in (("c", c, 4), ("a", a, 4), ("b", b, 2)):
        if numbers.shape != (WARP, count) or numbers.dtype in (np.float64, np.int64):
            raise KernelError(
                "does not compile",
                f"multiply_tf32 is given {numbers.dtype} {numbers.shape[1:]} for {name}.",
                "It takes tuples of float32: four for c, four for a and two for b. A number that "
                "stands in the source is float64 or int64: write float32(0) for 0.",
            )
    C, A, B = np.empty((16, 8), np.float32), np.empty((16, 8)), np.empty((8, 8))
    i, j = np.divmod(np.arange(WARP), 4)
    A[i, j], A[i + 8, j], A[i, j + 4], A[i + 8, j + 4] = tf32(a).T
    B[j, i], B[j + 4, i] = tf32(b).T
    C[i, 2 * j], C[i, 2 * j + 1], C[i + 8, 2 * j], C[i + 8, 2 * j + 1] = c.T
    return (C + A @ B).astype(np.float32)


def _of_lane(matrix, lane):
    i, j = divmod(lane, 4)
    return (*matrix[i, 2 * j : 2 * j + 2], *matrix[i + 8, 2 * j : 2 * j + 2])


def tf32(x):
    """The numbers that tensor cores see: 10 bits behind the point, the others are cut off"""
    return (np.asarray(x, np.float32).view(np.uint32) & 0xFFFFE000).view(np.float32)
