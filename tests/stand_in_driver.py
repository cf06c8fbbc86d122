"""A driver that stands in for NVIDIA's, so that `kernels.cuda.card` runs where there is no GPU.

numba.cuda itself finds the types of arguments, compiles a kernel for them as for an H100, and takes
arrays and tuples apart into the words that a GPU is handed. What follows is done here: memory is
that of the host, and a launch puts the words together again, and runs the kernel in the simulator;
or, if that is asked for, it runs what was compiled on the words as they are, by tests/ptx.
What NVIDIA's driver refuses is refused here as well: grids and blocks that are too large or empty,
and memory that it has not given out.

A kernel that goes wrong is told as a GPU tells it: later. Once it has meant an element beyond the
end of an array, whatever the driver is asked is answered with an error; once some threads wait for
others in vain, the host waits for ever.
"""

import contextlib
import ctypes
import math
import time
from types import SimpleNamespace
from unittest import mock

import numpy as np
from numba.cuda import codegen, dispatcher, types
from numba.cuda.cudadrv import devices, driver
from numba.cuda.np.numpy_support import as_dtype

from kernels import simulator
from kernels.cuda import driver as whether
from tests import ptx

MEMORY = 2**24  # bytes that this GPU has
DIVERGENT = "divergent barrier"


class Context:
    """What numba.cuda calls a context: memory, and the device that it is in."""

    def __init__(self, capability):
        self.device = SimpleNamespace(
            id=0, name="a stand-in", compute_capability=capability, MULTIPROCESSOR_COUNT=1
        )
        self.given = []  # [memory]
        self.waits = 0  # how often the host has waited for all kernels
        self.fault = None  # of a kernel that went wrong
        self.programs = {}  # {kernel: what of it runs}, if that is PTX

    def memalloc(self, nbytes):
        """Memory of the host, as if it were that of a GPU."""
        if sum(memory.nbytes for memory in self.given) + nbytes > MEMORY:
            code = driver.binding.CUresult.CUDA_ERROR_OUT_OF_MEMORY
            raise driver.CudaAPIError(code, f"Call to cuMemAlloc results in {code.name}")
        memory = np.full(nbytes + 256, 0xFF, np.uint8)
        start = -memory.__array_interface__["data"][0] % 256
        memory = memory[start : start + nbytes]
        self.given.append(memory)
        address = driver.binding.CUdeviceptr(memory.__array_interface__["data"][0])
        return driver.MemoryPointer(self, address, nbytes, finalizer=lambda: self._free(memory))

    def _free(self, memory):
        self.given = [other for other in self.given if other is not memory]

    def synchronize(self):
        """Wait for all kernels, which have run."""
        self.waits += 1
        self.answer()

    def answer(self):
        """Whatever the driver is asked, it answers so if a kernel went wrong."""
        while _waits_for_ever(self.fault):
            time.sleep(1)
        if self.fault:
            code = driver.binding.CUresult.CUDA_ERROR_ILLEGAL_ADDRESS
            raise driver.CudaAPIError(code, f"Call to it results in {code.name}") from self.fault

    def check(self, address, nbytes):
        """That a piece of memory was given out."""
        for memory in self.given:
            start = memory.__array_interface__["data"][0]
            if start <= address and address + nbytes <= start + memory.nbytes:
                return
        raise AssertionError(f"{nbytes} bytes at {address:#x} are no memory of this GPU")


def _waits_for_ever(fault):
    if isinstance(fault, simulator.KernelError):
        return fault.kind == DIVERGENT
    return isinstance(fault, ptx.BarrierError)


@contextlib.contextmanager
def stand_in(capability=(9, 0), runs_ptx=False):
    """Inside this `with`, numba.cuda finds a GPU.   -> its Context

    runs_ptx  whether it runs what was compiled for it, or the kernel's Python, in the simulator
    """
    context = Context(capability)
    kernels = {}  # {code: what numba.cuda made of a function}

    def bind(kernel):
        kernels[id(kernel._codelibrary)] = kernel

    def launch(stream, config, code, *words):
        context.answer()
        start(context, kernels[id(code)], config, list(words), run_ptx if runs_ptx else simulate)

    def to_device(address, host, nbytes):
        context.answer()
        context.check(int(address), nbytes)
        ctypes.memmove(int(address), int(host), nbytes)

    def to_host(host, address, nbytes):
        context.answer()
        context.check(int(address), nbytes)
        ctypes.memmove(int(host), int(address), nbytes)

    def function_of(code):
        return SimpleNamespace(kernel=code, name=code.name)

    with contextlib.ExitStack() as stack:
        for place, name, stands_in in (
            (whether, "lacking", lambda: None),
            (devices._runtime, "get_or_create_context", lambda number=None: context),
            (driver, "_ActiveContext", contextlib.nullcontext),
            (codegen.CUDACodeLibrary, "get_cufunc", function_of),
            (dispatcher._Kernel, "bind", bind),
            (dispatcher, "launch", launch),
        ):
            stack.enter_context(mock.patch.object(place, name, stands_in))
        functions = {"cuMemcpyHtoD": to_device, "cuMemcpyDtoH": to_host}
        stack.enter_context(mock.patch.dict(vars(driver.driver), functions))
        yield context


def start(context, kernel, config, words, run):
    """Run a kernel on the words that a GPU would be handed."""
    grid, block = tuple(config.grid), tuple(config.block)
    ptx.check_launch(grid, block, kernel.launch_bounds)
    run(context, kernel, grid, block, words)


def run_ptx(context, kernel, grid, block, words):
    """Run what was compiled. All memory that was given out may be used."""
    values = [getattr(word, "value", word) for word in words]
    try:
        ptx.run(program(kernel, context), grid, block, context.given, values)
    except ptx.FAULTS as fault:
        context.fault = fault


def program(kernel, context):
    """The Program of a kernel, for the kind of GPU that there is"""
    if kernel not in context.programs:
        text = kernel._codelibrary.get_asm_str(context.device.compute_capability)
        context.programs[kernel] = ptx.parsed(text)
    return context.programs[kernel]


def simulate(context, kernel, grid, block, words):
    """Run the kernel's Python on the arguments that the words stand for."""
    arguments = [_argument(context, kind, words) for kind in kernel.argument_types]
    assert not words
    try:
        simulator.launch(kernel.py_func, grid, block, *arguments, check=False)
    except (simulator.KernelError, IndexError, ValueError) as fault:  # of NumPy, beyond the end
        context.fault = fault


def _argument(context, kind, words):
    """The next argument, of a type of Numba, taken from the front of the words."""
    if isinstance(kind, types.Array):
        return _array(context, kind, words)
    if isinstance(kind, types.BaseTuple):
        parts = [_argument(context, part, words) for part in kind]
        return kind.instance_class(*parts) if hasattr(kind, "instance_class") else tuple(parts)
    return as_dtype(kind).type(getattr(words.pop(0), "value", None))


def _array(context, kind, words):
    """An array: two words for Numba alone, its size, item size, address, shape and strides"""
    dtype, n = as_dtype(kind.dtype), kind.ndim
    _, _, size, itemsize, address, *rest = (words.pop(0) for _ in range(5 + 2 * n))
    shape, strides = tuple(rest[:n]), tuple(rest[n:])
    assert (size, itemsize) == (math.prod(shape), dtype.itemsize)
    if not size:
        return np.empty(shape, dtype)
    ends = [(count - 1) * stride for count, stride in zip(shape, strides)]
    low, high = (sum(end(step, 0) for step in ends) for end in (min, max))
    context.check(address + low, high - low + itemsize)
    interface = {"data": (address, False), "shape": shape, "strides": strides, "version": 3}
    interface["typestr"] = dtype.str
    array = np.asarray(SimpleNamespace(__array_interface__=interface))
    if kind.layout == "C":  # then the compiler works out the strides itself
        assert array.flags.c_contiguous
    if kind.layout == "F":
        assert array.flags.f_contiguous
    return array
