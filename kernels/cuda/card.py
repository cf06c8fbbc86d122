"""A GPU of NVIDIA as a device, by numba.cuda: what `kernels.cuda.device` asks of a machine.

No GPU was at hand when this was written: it has run with a driver that stands in for NVIDIA's,
tests/stand_in_driver.py, which runs what was compiled, by NumPy, or hands it on to the simulator.

All is ordered on CUDA's default stream, as what PyTorch does is unless one asks for another.
"""

import math
import sys
import time
from contextlib import contextmanager, nullcontext

import numpy as np
from numba import cuda

from ..dlpack import GPU
from . import driver
from .errors import NoDeviceError, WrongDeviceError
from .launch import MOST_BLOCKS, TARGETS, in_words, runs_on

THREADS = 256  # of a block, where a kernel leaves it open
BLOCKS = 16  # for each multiprocessor: enough that none is ever idle


class Card:
    """The first GPU there is. NoDeviceError, an OSError, if there is none.

    launches   how many kernels it has been given
    model, capability   what it is called, and what it can: (9, 0) of an H100
    """

    name = "cuda"

    def __init__(self):
        if problem := driver.lacking():
            raise NoDeviceError(f'there is no device "cuda" here: {problem}')
        # Numba warns of each kernel that has few blocks. Small arrays have small kernels.
        cuda.config.CUDA_LOW_OCCUPANCY_WARNINGS = 0
        gpu = cuda.get_current_device()
        self.place = GPU, gpu.id
        self.model, self.capability = gpu.name, tuple(gpu.compute_capability)
        self.launches = 0
        self._compiled = {}  # {(function, threads of a block): what numba.cuda makes of it}
        self._blocks = BLOCKS * gpu.MULTIPROCESSOR_COUNT

    def reserve(self, nbytes):
        """New memory. MemoryError if there is none left."""
        try:
            return cuda.device_array(nbytes, np.uint8)
        except cuda.cudadrv.driver.CudaAPIError as error:
            if "OUT_OF_MEMORY" not in str(error):
                raise
            raise MemoryError(f"the GPU has no {nbytes} bytes left") from error

    def address(self, memory):
        """Where memory begins."""
        return memory.device_ctypes_pointer.value

    def write(self, memory, offset, array):
        """Copy an array to the device."""
        if array.size:
            bytes_of = array.reshape(-1).view(np.uint8)
            self._bytes(memory, offset, array.nbytes).copy_to_device(bytes_of)

    def read(self, memory, offset, array):
        """Copy from the device to an array, once all kernels have run."""
        if array.size:
            bytes_of = array.reshape(-1).view(np.uint8)
            self._bytes(memory, offset, array.nbytes).copy_to_host(bytes_of)

    def _bytes(self, memory, offset, nbytes):
        return self.view(memory, offset, (nbytes,), np.dtype(np.uint8), (1,))

    def view(self, memory, offset, shape, dtype, strides):
        """A part of the memory, as a kernel takes it."""
        return _seen(self.address(memory) + offset, shape, dtype, strides, memory)

    def adopt(self, address, nbytes, owner):
        """Memory that another library has on this GPU, which lives as long as its owner."""
        return _seen(address, (nbytes,), np.dtype(np.uint8), (1,), owner)

    def hand_over(self, stream):
        """Wait for all kernels, if another library goes on in a stream that does not wait itself.

        stream  as DLPack counts: none or 1 is the default one, -1 asks for no waiting
        """
        if stream not in (None, 1, -1):
            cuda.synchronize()

    def blocks_for(self, n):
        """As many threads as elements, up to a number that keeps the GPU busy."""
        return (min(-(-n // THREADS), self._blocks),), (THREADS,)

    def launch(self, kernel, grid, block, arguments):
        """Order a kernel to run after all that were ordered before."""
        self.launches += 1
        _check_grid(kernel, grid)
        threads = math.prod(block)
        is_new = (kernel, threads) not in self._compiled
        if is_new:
            self._check_runs(kernel)
            # With its bound the compiler knows how many registers each thread may have.
            self._compiled[kernel, threads] = cuda.jit(kernel, launch_bounds=threads)
        with _notice(kernel) if is_new else nullcontext():
            self._compiled[kernel, threads][grid, block](*arguments)

    def _check_runs(self, kernel):
        """WrongDeviceError if a kernel is for other GPUs. Without a Launch it is for TARGETS."""
        targets = getattr(kernel, "targets", TARGETS)
        if not runs_on(targets, self.capability):
            raise WrongDeviceError(
                f"{kernel.__module__.rpartition('.')[2]}.{kernel.__name__} takes a GPU of compute "
                f"capability {in_words(targets)}. "
                "This one, {}, has {}.{}".format(self.model, *self.capability)
            )


@contextmanager
def _notice(kernel):
    """Say that a kernel was compiled, if that took a second. Each program does it anew."""
    started = time.perf_counter()
    yield
    seconds = time.perf_counter() - started
    if seconds >= 1:
        print(f"compiled {kernel.__name__} for the GPU in {seconds:.1f} s", file=sys.stderr)


def _check_grid(kernel, grid):
    """ValueError if a GPU would refuse to start so many blocks: the driver does not say which."""
    if min(grid) < 1 or any(n > most for n, most in zip(grid, MOST_BLOCKS)):
        raise ValueError(
            f"impossible launch. {kernel.__name__} is to have a grid of {grid} blocks. A grid has "
            f"at least one block along each axis, and at most {MOST_BLOCKS}."
        )


def _seen(address, shape, dtype, strides, owner):
    """An array of numba.cuda that lies in memory of an owner"""
    interface = {
        "data": (address, False),
        "shape": shape,
        "strides": strides,
        "typestr": dtype.str,
        "version": 3,
    }
    return cuda.from_cuda_array_interface(interface, owner=owner, sync=False)
