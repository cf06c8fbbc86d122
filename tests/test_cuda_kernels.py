"""Every kernel for GPUs is its reference, in the simulator, in each order of threads."""

import numpy as np
import pytest

from kernels import reference, simulator
from kernels.cuda import matmul, normalization, softmax
from kernels.simulator.instructions import tf32

ORDERS = pytest.mark.parametrize("order", simulator.ORDERS)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def empty(*shape):
    """An array to be written to."""
    return np.full(shape, np.nan, np.float32)


@ORDERS
@pytest.mark.parametrize("name", matmul.LADDER)
@pytest.mark.parametrize("shape", [(1, 1, 1), (18, 19, 20), (33, 7, 35)])
def test_products_of_matrices(name, shape, order):
    m, k, n = shape
    rung = matmul.LADDER[name]
    a, b, c = normal(m, k), normal(k, n, seed=1), empty(m, n)
    simulator.launch(rung.kernel, rung.grid(c), rung.block, a, b, c, order=order)
    if name == "tensor_cores":
        a, b = tf32(a), tf32(b)
    np.testing.assert_allclose(c, reference.matmul(a, b), rtol=1e-5, atol=1e-5)


SIZES = pytest.mark.parametrize("n, d", [(1, 1), (3, 40), (7, 150)])


@ORDERS
@SIZES
@pytest.mark.parametrize("name", softmax.LADDER)
def test_softmax(name, n, d, order):
    step, x = softmax.LADDER[name], 5 * normal(n, d)
    x[0, :-1:3] = -np.inf
    p = empty(n, d)
    simulator.launch(step.kernel, step.grid(n), step.block, x, p, order=order)
    np.testing.assert_allclose(p, reference.softmax(x), rtol=1e-5, atol=1e-7)


@ORDERS
@SIZES
def test_softmax_backward(n, d, order):
    step, g, p = softmax.BACKWARD, normal(n, d), reference.softmax(normal(n, d, seed=1))
    dx = empty(n, d)
    simulator.launch(step.kernel, step.grid(n), step.block, g, p, dx, order=order)
    np.testing.assert_allclose(dx, reference.softmax_backward(g, p), rtol=1e-5, atol=1e-6)


@ORDERS
@SIZES
def test_layer_norm(n, d, order):
    step = normalization.ROWS["layer_norm"]
    given = normal(n, d), normal(d, seed=1), normal(d, seed=2), np.float32(1e-3)
    made = empty(n, d), empty(n, 1), empty(n, 1)
    simulator.launch(step.kernel, step.grid(n), step.block, *given, *made, order=order)
    for ours, right in zip(made, reference.layer_norm(*given)):
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


@ORDERS
@SIZES
def test_layer_norm_backward(n, d, order):
    x, scale, g = normal(n, d), normal(d, seed=1), normal(n, d, seed=2)
    _, mean, r = reference.layer_norm(x, scale, scale, np.float32(1e-3))
    dx, dscale, doffset = empty(n, d), empty(d), empty(d)
    step, columns = normalization.ROWS["backward"], normalization.COLUMNS
    given = g, x, mean, r
    simulator.launch(step.kernel, step.grid(n), step.block, *given, scale, dx, order=order)
    simulator.launch(
        *(columns.kernel, columns.grid(d), columns.block, *given, dscale, doffset), order=order
    )
    rights = reference.layer_norm_backward(g, x, mean, r, scale)
    for ours, right in zip((dx, dscale, doffset), rights):
        np.testing.assert_allclose(ours, right, rtol=1e-4, atol=1e-5)
