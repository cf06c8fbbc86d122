"""A GPU of NVIDIA as a device, by numba.cuda: what `kernels.cuda.device` asks of a machine."""

import numpy as np
from numba import cuda

from .errors import NoDeviceError

THREADS = 256  # of a block, where a kernel leaves it open
BLOCKS = 16  # for each multiprocessor: enough that none is ever idle


class Card:
    """The first GPU there is. NoDeviceError, an OSError, if there is none.

    launches   how many kernels it has been given
    """

    name = "cuda"
    dlpack_type = 2

    def __init__(self):
        if not cuda.is_available():
            raise NoDeviceError(
                "there is no GPU of NVIDIA here, or no driver for it, or numba-cuda is missing: "
                "pip install 'minigrad[cuda]'. `nvidia-smi` says which GPUs there are"
            )
        self.launches = 0
        self._compiled = {}  # {function: what numba.cuda makes of it}
        self._blocks = BLOCKS * cuda.get_current_device().MULTIPROCESSOR_COUNT

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
        return memory.__cuda_array_interface__["data"][0]

    def write(self, memory, offset, array):
        """Copy an array to the device."""
        if array.size:
            self.view(memory, offset, array.shape, array.dtype, array.strides).copy_to_device(array)

    def read(self, memory, offset, array):
        """Copy from the device to an array, once all kernels have run."""
        if array.size:
            self.view(memory, offset, array.shape, array.dtype, array.strides).copy_to_host(array)

    def view(self, memory, offset, shape, dtype, strides):
        """A part of the memory, as a kernel takes it."""
        interface = {
            "data": (self.address(memory) + offset, False),
            "shape": shape,
            "strides": strides,
            "typestr": dtype.str,
            "version": 3,
        }
        return cuda.from_cuda_array_interface(interface, owner=memory, sync=False)

    def blocks_for(self, n):
        """As many threads as elements, up to a number that keeps the GPU busy."""
        return (min(-(-n // THREADS), self._blocks),), (THREADS,)

    def launch(self, kernel, grid, block, arguments):
        """Order a kernel to run after all that were ordered before."""
        self.launches += 1
        if kernel not in self._compiled:
            self._compiled[kernel] = cuda.jit(kernel)
        self._compiled[kernel][grid, block](*arguments)
