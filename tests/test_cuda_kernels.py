"""Every kernel for GPUs is its reference, in the simulator, in each order of threads."""

import numpy as np
import pytest

from kernels import reference, simulator
from kernels.cuda import matmul

ORDERS = pytest.mark.parametrize("order", simulator.ORDERS)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@ORDERS
@pytest.mark.parametrize("name", matmul.LADDER)
@pytest.mark.parametrize("shape", [(1, 1, 1), (18, 19, 20), (33, 7, 35)])
def test_right_kernels_are_right_and_raise_no_alarm(name, shape, order):
    m, k, n = shape
    rung = matmul.LADDER[name]
    a, b, c = normal(m, k), normal(k, n, seed=1), np.full((m, n), np.nan, np.float32)
    simulator.launch(rung.kernel, rung.grid(c), rung.block, a, b, c, order=order)
    np.testing.assert_allclose(c, reference.matmul(a, b), rtol=1e-5, atol=1e-5)
