"""A device that runs what the compiler makes of kernels: their PTX, by tests/ptx.

Numba compiles a kernel for the types of its arguments, as it does where there is a GPU.
"""

import functools
import math

import numpy as np
import pytest
from numba import typeof

import kernels
from kernels import simulator
from kernels.cuda.compile import ptx_of
from kernels.cuda.device import Device
from tests import ptx

TARGET = 8, 0
THREADS, BLOCKS = 256, 2  # where a kernel leaves them open: at most so many blocks


class Machine(simulator.Machine):
    """As the simulator has it, but that its kernels are compiled.

    apart   whether each warp runs alone until it waits at a barrier, or all run together
    """

    name = "compiled"

    def __init__(self, apart=False):
        super().__init__()
        self.apart = apart

    def blocks_for(self, n):
        return (min(-(-n // THREADS), BLOCKS),), (THREADS,)

    def launch(self, kernel, grid, block, arguments):
        """Run a kernel to its end."""
        self.launches += 1
        signature = tuple(map(typeof, arguments))
        try:
            program = compiled(kernel, signature, math.prod(block))
        except ptx.CallsError as error:  # NVIDIA's power, sine and cosine of float64
            pytest.skip(f"tests/ptx runs no functions that are called: {error}")
        given = list(one_by_one(arguments))
        arrays = [each for each in given if isinstance(each, np.ndarray)]
        values = [value for each in given for value in parameters_of(each)]
        try:
            ptx.run(program, grid, block, arrays, values, self.apart)
        except Exception as error:
            error.add_note(f"in what the compiler makes of {kernel.__name__}")
            raise


@functools.cache
def device():
    return Device(Machine())


def name_device(monkeypatch):
    """For one test, there is a device "compiled"."""
    known = kernels.device

    def found(name):
        return device() if name == Machine.name else known(name)

    monkeypatch.setattr(kernels.devices, "device", found)
    monkeypatch.setattr(kernels, "device", found)


@functools.cache
def compiled(kernel, signature, threads):
    """The Program of a kernel, for blocks of so many threads."""
    return ptx.parsed(ptx_of(kernel, signature, threads, TARGET))


def one_by_one(arguments):
    """Yields arguments, and of tuples what is in them: so a kernel of Numba takes them."""
    for each in arguments:
        if isinstance(each, tuple):
            yield from one_by_one(each)
        else:
            yield each


def parameters_of(argument):
    """What a kernel of Numba takes for an array, or a number

    Of an array it is a description, in which two parameters tell who owns it: no kernel asks.
    """
    if not isinstance(argument, np.ndarray):
        return (argument,)
    start = argument.__array_interface__["data"][0]
    return 0, 0, argument.size, argument.itemsize, start, *argument.shape, *argument.strides
