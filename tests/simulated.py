"""What tests of the simulator have in common: arrays, and the fault that it finds."""

import numpy as np
import pytest
from numba import cuda, float32

from kernels import simulator
from kernels.cuda.ptx import commit_copies, copy_async4, wait_for_copies

ALL = 0xFFFFFFFF  # lanes


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


def fault(kernel, grid, block, *arguments, order="forward"):
    """The fault that a launch finds."""
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(kernel, grid, block, *arguments, order=order)
    return caught.value


def texts(found):
    return [access.site.text.strip() for access in found.accesses]


def copies_two_groups(left):
    """A kernel that orders two groups of copies, and waits for all but `left` of them."""

    def kernel(x, out):
        tile = cuda.shared.array(64, float32)
        i = cuda.threadIdx.x * 4
        copy_async4(tile, i, x, i)
        commit_copies()
        copy_async4(tile, 32 + i, x, 32 + i)
        commit_copies()
        wait_for_copies(left)
        out[i] = tile[i]
        out[32 + i] = tile[32 + i]

    return kernel
