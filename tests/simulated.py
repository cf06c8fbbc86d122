"""What tests of the simulator have in common: arrays, and the fault that it finds."""

import numpy as np
import pytest

from kernels import simulator

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
