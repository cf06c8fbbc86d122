"""Every operation on arrays of a GPU, both ways, without a copy to the host.

On a simulated GPU, and on a real one if there is any: the same expressions as those that PyTorch is
asked for, and that run on arrays which refuse to be read.
"""

import numpy as np
import pytest

import kernels
from minigrad import ops
from tests.orders import DEVICES
from tests.test_ops import INPUTS, assert_close, cast, differentiate
from tests.test_strict import EXPRESSIONS

# The result has as many elements as the mask says: the host reads that, and makes room for them.
BY_NUMBERS = ["getitem(matrix, mask)"]


@pytest.fixture(autouse=True)
def specification():
    """The CPU's side runs by NumPy."""
    with kernels.use("numpy"):
        yield


# Of these, tests/test_cuda_kernels.py runs the kernel for float32: blocks of 64 queries take long.
LONG = [e for e in EXPRESSIONS if "attention(" in e and "begun" not in e]


CASES = [
    (expression, dtype)
    for expression in EXPRESSIONS
    for dtype in ("float64", "float32")
    if not (dtype == "float32" and expression in LONG)
]
TOLERANCES = {"float64": 1e-10, "float32": 2e-5}


@DEVICES
@pytest.mark.parametrize("expression, dtype", CASES)
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
def test_operation_on_the_device_is_that_on_the_cpu(expression, dtype, where):
    device, inputs, tolerance = kernels.device(where), cast(INPUTS, dtype), TOLERANCES[dtype]
    right = differentiate(expression, inputs)
    given = {name: device.put(array) for name, array in inputs.items()}
    before = device.copies_to_host
    ours = differentiate(expression, given, device.put, vars(ops))
    assert bool(device.copies_to_host - before) == (expression in BY_NUMBERS)
    for value, expected in zip(ours[0], right[0], strict=True):
        assert_close(value.numpy(), np.asarray(expected), tolerance)
        assert value.dtype == expected.dtype
    for name, expected in right[1].items():
        gradient = ours[1][name]
        assert_close(None if gradient is None else gradient.numpy(), expected, tolerance)
