"""Every layer, loss, optimizer, regularizer and metric on arrays of a GPU is the CPU's.

The same tables as those of arrays that refuse to be read; here the kernels of a GPU compute, on a
simulated one, and on a real one if there is any. They take the simulator minutes: `make test-gpu`
runs them.
"""

import numpy as np
import pytest

import kernels
from minigrad import losses, metrics
from tests import test_strict_training as tables
from tests.orders import DEVICES
from tests.test_device_training import specification  # noqa: F401 - a fixture
from tests.test_layers import TRIED

pytestmark = DEVICES

TOLERANCES = {"float64": 1e-10, "float32": 2e-5}

# Of these, tests/test_cuda_kernels.py runs the kernel for float32: blocks of 64 queries take long.
LONG = "Attention", "Transformer"


def assert_same(run, tolerance, where):
    """run(place) gives the same arrays on both sides, and reads none but those it gives as read."""
    device = kernels.device(where)
    before = device.copies_to_host
    ours = run(device.put)
    read = [value for value in ours if isinstance(value, np.ndarray)]
    assert device.copies_to_host - before == len(read)
    for value, right in zip(ours, run(np.asarray), strict=True):
        if right is None:
            assert value is None
            continue
        assert (value.shape, value.dtype) == (np.shape(right), right.dtype)
        value = kernels.move(value, "cpu")
        np.testing.assert_allclose(value, right, rtol=tolerance, atol=tolerance)


CASES = [
    (case, dtype)
    for case in TRIED
    for dtype in TOLERANCES
    if not (dtype == "float32" and any(name in case for name in LONG))
]


@pytest.mark.parametrize("case, dtype", CASES)
def test_layer_on_the_device_is_that_on_the_cpu(case, dtype, where):
    assert_same(tables.run_of_layer(case, dtype), TOLERANCES[dtype], where)


@pytest.mark.parametrize("name", losses.FUNCTIONS)
@pytest.mark.parametrize("from_layer", [True, False])
def test_loss_function_on_the_device_is_that_on_the_cpu(name, from_layer, where):
    assert_same(tables.run_of_loss_function(name, from_layer), 1e-10, where)


@pytest.mark.parametrize("expression", tables.OBJECTS)
@tables.WEIGHTS
def test_loss_on_the_device_is_that_on_the_cpu(expression, weight, where):
    assert_same(tables.run_of_loss(expression, weight), 1e-10, where)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("expression", tables.OPTIMIZERS)
def test_optimizer_on_the_device_is_that_on_the_cpu(expression, dtype, where):
    assert_same(tables.run_of_optimizer(expression, dtype), TOLERANCES[dtype], where)


@pytest.mark.parametrize("expression", tables.REGULARIZERS)
def test_regularizer_on_the_device_is_that_on_the_cpu(expression, where):
    assert_same(tables.run_of_regularizer(expression), 1e-10, where)


@pytest.mark.parametrize("name", metrics._FUNCTIONS)
@tables.WEIGHTS
def test_metric_on_the_device_is_that_on_the_cpu(name, weight, where):
    device = kernels.device(where)
    right, _ = tables.result_of_metric(name, weight, np.asarray, lambda: 0)
    ours, reads = tables.result_of_metric(name, weight, device.put, lambda: device.copies_to_host)
    assert reads <= 2  # Σ w v and Σ w
    assert ours == pytest.approx(right, rel=1e-10)
