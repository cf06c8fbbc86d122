"""The simulator as a device: its memory is the host's, and its kernels run on the CPU.

With it, whatever runs on a GPU runs without one, slowly: `kernels.cuda.device` says what a machine
has to do.
"""

import numpy as np

from ..dlpack import HOST, Described
from .launch import launch

_PAGE = 256  # bytes: where memory begins that a GPU has given out


class Machine:
    """A simulated GPU.

    order, check   as of `launch`: the order of threads, and whether to look for faults
    launches       how many kernels it has run
    """

    name, place = "simulator", (HOST, 0)

    def __init__(self, order="forward", check=False):
        self.order, self.check, self.launches = order, check, 0

    def reserve(self, nbytes):
        """New memory, full of NaN: what stands there at first means nothing."""
        memory = np.full(nbytes + _PAGE, 0xFF, np.uint8)
        start = -self._start(memory) % _PAGE
        return memory[start : start + nbytes]

    def address(self, memory):
        """Where memory begins."""
        return self._start(memory)

    def write(self, memory, offset, array):
        """Copy an array to the device."""
        self.view(memory, offset, array.shape, array.dtype, array.strides)[...] = array

    def read(self, memory, offset, array):
        """Copy from the device to an array."""
        array[...] = self.view(memory, offset, array.shape, array.dtype, array.strides)

    def view(self, memory, offset, shape, dtype, strides):
        """A part of the memory, as a kernel takes it."""
        return np.ndarray(shape, dtype, memory, offset, strides)

    def adopt(self, address, nbytes, owner):
        """Memory of the host that another library has, which lives as long as its owner."""
        interface = {"data": (address, False), "shape": (nbytes,), "typestr": "|u1"}
        return np.asarray(Described(interface, owner))

    def hand_over(self, stream):
        """Nothing to wait for: each kernel has run to its end before the next begins."""

    def blocks_for(self, n):
        """Few threads, each with many elements: a thread takes longer to start than to go on."""
        return (2 if n > 32 else 1,), (8 if n > 8 else 1,)

    def launch(self, kernel, grid, block, arguments):
        """Run a kernel to its end."""
        self.launches += 1
        how = {"order": self.order, "check": self.check, "keeps_last_bits": True}
        launch(kernel, grid, block, *arguments, **how)

    @staticmethod
    def _start(memory):
        return memory.__array_interface__["data"][0]
