"""Every layer, loss, optimizer, regularizer and metric on arrays of a simulated GPU is the CPU's.

The same tables as those of arrays that refuse to be read; here the kernels of a GPU compute. They
take the simulator minutes: `make test-gpu` runs them.
"""

import numpy as np
import pytest

import kernels
from minigrad import losses, metrics
from tests import test_strict_training as tables
from tests.test_device_training import specification  # noqa: F401 - a fixture
from tests.test_layers import TRIED

DEVICE = kernels.device("simulator")
TOLERANCES = {"float64": 1e-10, "float32": 2e-5}

# Of these, tests/test_cuda_kernels.py runs the kernel for float32: blocks of 64 queries take long.
LONG = "Attention", "Transformer"


def assert_same(run, tolerance):
    """run(place) gives the same arrays on both sides, and reads none but those it gives as read."""
    before = DEVICE.copies_to_host
    ours = run(DEVICE.put)
    read = [value for value in ours if isinstance(value, np.ndarray)]
    assert DEVICE.copies_to_host - before == len(read)
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
def test_layer_on_the_device_is_that_on_the_cpu(case, dtype):
    assert_same(tables.run_of_layer(case, dtype), TOLERANCES[dtype])


@pytest.mark.parametrize("name", losses.FUNCTIONS)
@pytest.mark.parametrize("from_layer", [True, False])
def test_loss_function_on_the_device_is_that_on_the_cpu(name, from_layer):
    assert_same(tables.run_of_loss_function(name, from_layer), 1e-10)


@pytest.mark.parametrize("expression", tables.OBJECTS)
@tables.WEIGHTS
def test_loss_on_the_device_is_that_on_the_cpu(expression, weight):
    assert_same(tables.run_of_loss(expression, weight), 1e-10)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("expression", tables.OPTIMIZERS)
def test_optimizer_on_the_device_is_that_on_the_cpu(expression, dtype):
    assert_same(tables.run_of_optimizer(expression, dtype), TOLERANCES[dtype])


@pytest.mark.parametrize("expression", tables.REGULARIZERS)
def test_regularizer_on_the_device_is_that_on_the_cpu(expression):
    assert_same(tables.run_of_regularizer(expression), 1e-10)


@pytest.mark.parametrize("name", metrics._FUNCTIONS)
@tables.WEIGHTS
def test_metric_on_the_device_is_that_on_the_cpu(name, weight):
    right, _ = tables.result_of_metric(name, weight, np.asarray, lambda: 0)
    ours, reads = tables.result_of_metric(name, weight, DEVICE.put, lambda: DEVICE.copies_to_host)
    assert reads <= 2  # Σ w v and Σ w
    assert ours == pytest.approx(right, rel=1e-10)
