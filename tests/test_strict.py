"""Nothing leaks to the host: every operation, both ways, on arrays that refuse to be read."""

import inspect

import numpy as np
import pytest

import kernels
from minigrad import Tensor, by_definition, ops
from tests.golden.make_ops import CASES, operation_of
from tests.strict_array import HostCopyError, StrictArray, public_kernels, strict, unwrap
from tests.test_ops import DEFINED, INPUTS, TWINS, differentiate, public

EXPRESSIONS = [
    *CASES,
    "dropout(cube, 0.5, key=7)",
    "rotary(cube, angles=integers[:, None])",
    "convolution(keys, queries, groups=2, activation='relu')",
    "transposed_convolution(values, batch, None, (3, 5))",
    "max_pool(queries, (2, 2), (1, 1))",
    "average_pool(queries, (2, 2), (1, 1))",
    "repeat(cube, 2, axis=1)",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
def test_operation_stays_on_the_device(expression, strict_kernels):
    assert_same_on_both_sides(expression, vars(ops))


@pytest.mark.parametrize("expression", DEFINED)
def test_definition_stays_on_the_device(expression, strict_kernels):
    assert_same_on_both_sides(expression, {**vars(ops), **TWINS})


def assert_same_on_both_sides(expression, functions):
    values, gradients = differentiate(expression, INPUTS, functions=functions)
    reads = StrictArray.reads
    on_device = differentiate(expression, strict(INPUTS), strict, functions)
    assert StrictArray.reads == reads
    for ours, theirs in zip(values, on_device[0], strict=True):
        np.testing.assert_array_equal(unwrap(theirs), ours)
    for name, ours in gradients.items():
        np.testing.assert_array_equal(unwrap(on_device[1][name]), ours)


def test_every_operation_and_definition_has_a_strict_case():
    assert set(map(operation_of, EXPRESSIONS)) == set(public(ops))
    assert set(map(operation_of, DEFINED)) == set(public(by_definition))


# ---- The strict array keeps its word -------------------------------------------------------------

COPIES = {
    "float(x)": float,
    "int(x)": int,
    "bool(x)": bool,
    "complex(x)": complex,
    "list(x)": list,
    "x.tolist()": lambda x: x.tolist(),
    "1.0 in x": lambda x: 1.0 in x,
    "[7, 8, 9][x]": lambda x: [7, 8, 9][x],
    "np.asarray(x)": np.asarray,
    "np.array(x)": np.array,
    "np.asarray([x])": lambda x: np.asarray([x]),
    "host + x": lambda x: np.ones(1) + x,
    "x + host": lambda x: x + np.ones(1),
    "x += host": lambda x: x.__iadd__(np.ones(1)),
    "host += x": lambda x: np.ones(1).__iadd__(x),
    "np.matmul(x, host)": lambda x: np.matmul(x, np.ones(1)),
    "np.concatenate([x, host])": lambda x: np.concatenate([x, np.ones(1)]),
    "x[host]": lambda x: x[np.array([0])],
    "x[:] = host": lambda x: x.__setitem__(slice(None), np.ones(1)),
    "host[:] = x": lambda x: np.ones(1).__setitem__(slice(None), x),
    "max of Python": lambda x: max(x, x + 1),
    "kernel(x, host)": lambda x: kernels.matmul(x, np.ones(1)),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_to_or_from_the_host_is_noticed(copy, strict_kernels):
    with pytest.raises(HostCopyError):
        copy(strict(np.array([1.0])))


def test_numbers_may_come_from_the_host():
    x = strict(np.array([1.0, 2.0]))
    y = np.where(x > 1, x, 0) * 2 + np.float64(1) + np.array(0.5)
    np.testing.assert_array_equal(unwrap(y), [1.5, 5.5])


def test_results_are_strict_down_to_the_scalar():
    x = strict(np.arange(6.0).reshape(2, 3))
    for y in (x + 1, np.sum(x), x[0, 0], x.T, x.reshape(-1), np.split(x, 2)[0], np.ones_like(x)):
        assert isinstance(y, StrictArray)


def test_out_is_written_in_place():
    x = strict(np.array([1.0, 2.0]))
    assert np.multiply(x, 2, out=x) is x
    x -= 1
    np.testing.assert_array_equal(unwrap(x), [1.0, 3.0])


def test_item_is_the_one_read_and_is_counted():
    before = StrictArray.reads
    assert Tensor(strict(np.array([2.5]))).item() == 2.5
    assert StrictArray.reads == before + 1


def test_every_public_kernel_takes_strict_arrays(strict_kernels):
    assert public_kernels()
    assert all(inspect.unwrap(kernel) is not kernel for kernel in public_kernels().values())
    assert isinstance(kernels.erf(strict(np.ones(2))), StrictArray)


def test_a_training_step_by_hand_stays_on_the_device(strict_kernels):
    x, y = strict(np.array([[1.0, 2.0], [3.0, -1.0]])), strict(np.array([0, 1]))
    weight = Tensor(strict(np.ones((2, 3))), requires_grad=True)
    ops.mean(ops.sparse_softmax_cross_entropy(x @ weight, y)).backward()
    weight.assign(weight.data - 0.1 * weight.grad)
    assert isinstance(weight.data, StrictArray) and weight.version == 1
