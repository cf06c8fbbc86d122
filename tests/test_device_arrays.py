"""Arrays on a GPU do what NumPy's do: a simulated one, in each order of threads, and a real one.

The simulator looks for faults in every kernel that runs here.
"""

import copy
import math
import pickle
import weakref
from unittest import mock

import numpy as np
import pytest

import kernels
from kernels import dlpack, reference, simulator
from kernels.cuda import array_kernels, calls, products, sines, ufuncs
from kernels.cuda.array import DeviceArray
from kernels.cuda.calls.normalization import number_of_parts
from kernels.cuda.device import Device
from minigrad import Tensor, ops
from tests import orders

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

NUMBERS = np.random.default_rng(0).standard_normal((3, 5, 4)).astype(np.float32)
INTEGERS = np.random.default_rng(1).integers(-9, 9, (3, 5, 4))
PLACES = np.array([[2, -1], [0, 1]])


@pytest.fixture(params=[*orders.EACH, *orders.ELSEWHERE])
def device(request, monkeypatch):
    """A device. The report of a test says which kernels it has started."""
    machine = orders.machine_of(request.param)
    run = orders.Run(machine.launch)
    monkeypatch.setattr(machine, "launch", run)
    yield Device(machine)
    request.node.user_properties.append(("kernels", run.names))


def same(ours, right, tolerance=1e-5):
    right = np.asarray(right)
    assert isinstance(ours, DeviceArray)
    assert (ours.shape, ours.dtype) == (right.shape, right.dtype)
    np.testing.assert_allclose(ours.numpy(), right, rtol=tolerance, atol=tolerance)


# ---- Elementwise ---------------------------------------------------------------------------------

UFUNCS = [ufunc for ufunc in ufuncs.KNOWN if isinstance(ufunc, np.ufunc)]
LOOKS = {"whole": None, "turned": np.s_[::-1, ::2], "one": np.s_[1:2, 3:4, 2:3]}


def operands_of(ufunc, look):
    """Arrays that a ufunc takes, and inside of what it is defined for; the second may repeat."""
    rows = slice(None) if look == "whole" else slice(1)
    if np.dtype(np.float32) not in map(np.dtype, [t[0] for t in ufunc.types]):
        return [INTEGERS, np.abs(INTEGERS[:, rows])][: ufunc.nin]
    first = np.abs(NUMBERS) if ufunc in (np.sqrt, np.log, np.log1p, np.power) else NUMBERS
    return [first, NUMBERS[::-1, rows]][: ufunc.nin]


def seen(x, look):
    return x if look == "whole" else x[LOOKS[look]].swapaxes(0, -1)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
def test_ufuncs(ufunc, look, device):
    operands = [seen(x, look) for x in operands_of(ufunc, look)]
    given = [seen(device.put(x), look) for x in operands_of(ufunc, look)]
    same(ufunc(*given), ufunc(*operands))


def many_angles(n):
    """Of each size that a float32 can have, and near to multiples of π/2"""
    numbers = np.random.default_rng(0)
    exponents = np.linspace(-149, 128, n, endpoint=False)
    sizes = np.ldexp(1 + numbers.random(n), np.floor(exponents).astype(int) - 1)
    steep = np.arange(n) * (np.pi / 2)
    near = [7.729179e28, 1.522789e12, 4.386558e33, 1.2614588e38]  # where most digits cancel
    hard = [0.0, 1e-45, 0.999999, 1, 1e5, 1e10, 3e38, *near]
    x = np.concatenate([hard, sizes, steep]).astype(np.float32)
    return np.concatenate([x, -x])


@pytest.mark.parametrize("ufunc", [np.sin, np.cos], ids=lambda ufunc: ufunc.__name__)
def test_sines_are_right_of_angles_of_any_size(ufunc, device):
    """To 3 units in the last place, of which there are 2²³ from 1 to 2."""
    x = many_angles(300)
    right = ufunc(x.astype(np.float64))
    ours = ufunc(device.put(x)).numpy()
    assert ours.dtype == np.float32
    assert np.all(np.abs(ours - right) <= 3 * np.spacing(np.abs(right).astype(np.float32)))
    zeros = x == 0
    np.testing.assert_array_equal(np.signbit(ours[zeros]), np.signbit(right[zeros]))


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("ufunc", [np.sin, np.cos], ids=lambda ufunc: ufunc.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_has_no_angle_has_no_sine(ufunc, dtype, device):
    x = np.array([np.inf, -np.inf, np.nan, 1e10], dtype)
    same(ufunc(device.put(x)), ufunc(x), 1e-6)


def test_the_digits_of_turns_are_those_of_pi():
    """2⁻³¹ / 2π, from π = 16 arctan 1/5 - 4 arctan 1/239 (Machin, 1706), in integers."""
    one = 1 << 400

    def arctan_of_one_by(n):
        terms = (one // n ** (2 * i + 1) // (2 * i + 1) for i in range(100))
        return sum(-term if i % 2 else term for i, term in enumerate(terms))

    pi = 16 * arctan_of_one_by(5) - 4 * arctan_of_one_by(239)
    assert pi / one == math.pi
    words = [sines.DIGITS[i] << 64 * (3 - i) for i in range(4)]
    assert sum(words) == (one << 256 - 32) // pi


WITH_NUMBERS = {
    "x + 1": lambda x: x + 1,
    "2.5 / x": lambda x: 2.5 / x,
    "x * np.float64(2)": lambda x: x * np.float64(2),
    "x - np.array(0.5)": lambda x: x - np.array(0.5),
    "x > True": lambda x: x > True,
    "where": lambda x: np.where(x > 0, x, 0),
    "where, turned": lambda x: np.where(x.T > 0, x.T, 1),
    "erf": lambda x: kernels.erf(x),
    "erf, turned": lambda x: kernels.erf(x.T),
    "clip": lambda x: np.clip(x, -0.5, None),
    "astype": lambda x: x.astype("int64") // 2,
    "NaN": lambda x: np.maximum(np.where(x > 1, np.nan, x), 0),
    "in place": lambda x: np.multiply(x, 2, out=x.copy()),
    "isfinite": lambda x: np.isfinite(x / 0 - np.inf),
    "of infinity": lambda x: np.floor(x / 0) + np.ceil(x / 0),
    "log1p of -1": lambda x: np.log1p(x * 0 - 1),
    "mixed": lambda x: x + (x > 0) + (x > 0).astype("int64"),
}


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("function", WITH_NUMBERS.values(), ids=WITH_NUMBERS)
def test_numbers_may_come_from_anywhere(function, device):
    same(function(device.put(NUMBERS)), function(NUMBERS))


# ---- Shapes, reductions, indexing ----------------------------------------------------------------


def _many(x):
    """As many numbers as the threads of a block add up together."""
    return np.broadcast_to(x[:1, :1], (10, 20, 4))


def _six_axes(x):
    return np.reshape(np.repeat(x[:2, :4], 2, axis=0), (2,) * 6)


def _small(x):
    """Integers whose products do not fit into their 8 bits"""
    return (30 * x).astype(np.int8)


FUNCTIONS = {
    "sum": lambda x, i: np.sum(x),
    "six axes": lambda x, i: _six_axes(x) + _six_axes(x).T,
    "sum of axes": lambda x, i: np.sum(x, axis=(0, -1), keepdims=True),
    "sum of many": lambda x, i: np.sum(_many(x), axis=(0, 1, 2)),
    "sum of many in rows": lambda x, i: np.sum(np.repeat(x[:2, :, :3], 103, axis=1), axis=1),
    "prod of many": lambda x, i: np.prod(np.sign(_many(x))),
    "max of many": lambda x, i: np.max(_many(x)),
    "min of many": lambda x, i: np.min(_many(x)),
    "any of many": lambda x, i: np.any(_many(x) * 0),
    "all of many": lambda x, i: np.all(_many(x)),
    "sum of turned": lambda x, i: np.sum(x.T[1:], axis=1),
    "sum of booleans": lambda x, i: np.sum(x > 0, axis=1),
    "sum of bytes": lambda x, i: np.sum(np.abs(60 * x).astype(np.uint8), axis=1),
    "sum of whole parts": lambda x, i: np.sum(3 * x, axis=1, dtype=np.int64),
    "sum of many whole parts": lambda x, i: np.sum(3 * _many(x), dtype=np.int64),
    "prod": lambda x, i: np.prod(x, axis=1),
    "max": lambda x, i: np.max(x, axis=1, keepdims=True),
    "max from": lambda x, i: np.max(x, axis=1, initial=2.0),
    "max of nothing": lambda x, i: np.max(x[:, :0], axis=1, initial=-np.inf),
    "min": lambda x, i: np.min(x),
    "max of integers below 0": lambda x, i: np.max(i - 9, axis=1),
    "min of integers above 0": lambda x, i: np.min(i + 9, axis=1),
    "max of booleans": lambda x, i: np.max(x > 1, axis=1),
    "min of booleans": lambda x, i: np.min(x > -1, axis=1),
    "mean": lambda x, i: np.mean(x, axis=0),
    "mean of booleans": lambda x, i: np.mean(x > 0),
    "var": lambda x, i: np.var(x, axis=1, ddof=1),
    "std": lambda x, i: np.std(x, axis=(0, 1)),
    "any": lambda x, i: np.any(x > 2, axis=0),
    "any of floats": lambda x, i: np.any(np.floor(x), axis=1),
    "all of floats": lambda x, i: np.all(np.floor(x), axis=1),
    "all": lambda x, i: np.all(x > -9),
    "argmax": lambda x, i: np.argmax(x, axis=1),
    "argmax of all": lambda x, i: np.argmax(x, keepdims=True),
    "argmin of all": lambda x, i: np.argmin(x),
    "argmax of NaN": lambda x, i: np.argmax(np.where(x > 1, np.nan, x), axis=-1),
    "argmax of ties": lambda x, i: np.argmax(x > 0, axis=0),
    "cumsum": lambda x, i: np.cumsum(x, axis=1),
    "cumsum of whole parts": lambda x, i: np.cumsum(3 * x, axis=1, dtype=np.int64),
    "cumprod of all": lambda x, i: np.cumprod(x),
    "so far the largest": lambda x, i: np.maximum.accumulate(x, axis=0),
    "so far the smallest": lambda x, i: np.minimum.accumulate(x, axis=1),
    "powers of integers": lambda x, i: (i + 5) ** np.abs(i),
    "reshape": lambda x, i: np.reshape(x.T, (4, -1)),
    "squeeze": lambda x, i: np.squeeze(x[:1], 0),
    "expand_dims": lambda x, i: np.expand_dims(x, (0, 2)) + 0,
    "flip": lambda x, i: np.flip(x, (0, 2)) * 1,
    "slices": lambda x, i: x[::2, -1, None] + x[0, 0, 0],
    "split": lambda x, i: np.split(x, [1, 3], axis=1)[1],
    "concatenate": lambda x, i: np.concatenate([x, x[:, :2]], axis=1),
    "stack": lambda x, i: np.stack([x, -x], axis=-1),
    "repeat": lambda x, i: np.repeat(x, 3, axis=1),
    "pad": lambda x, i: np.pad(x, ((1, 0), (0, 2), (3, 3)), constant_values=7),
    "reflect": lambda x, i: np.pad(x, 2, mode="reflect"),
    "take": lambda x, i: np.take(x, i, axis=1),
    "take of all": lambda x, i: np.take(x, i),
    "rows": lambda x, i: x[i],
    "two indices": lambda x, i: x[i, :, i],
    "side by side": lambda x, i: x[:, i, i],
    "an index and a number": lambda x, i: x[1, i],
    "booleans": lambda x, i: x[x > 0.5],
    "booleans for two axes": lambda x, i: x[np.max(x, axis=2) > 1],
    "booleans behind a slice": lambda x, i: x[1:, np.max(x, axis=(0, 2)) > 1.5, 1],
    "no booleans": lambda x, i: x[x > 99],
    "along an axis": lambda x, i: np.take_along_axis(x, np.argmax(x, 1, keepdims=True), axis=1),
    "dot": lambda x, i: np.dot(x[0, 0], x[1, 1]),
    "dot of matrices": lambda x, i: np.dot(x[0], x[1].T),
    "dot with several matrices": lambda x, i: np.dot(x.T, x.swapaxes(0, 1)),
    "dot of a vector with several matrices": lambda x, i: np.dot(x[0, :, 1], x),
    "dot with none of the matrices": lambda x, i: np.dot(x[0].T, x[:0]),
    "dot with a number": lambda x, i: np.dot(2.5, x),
    "einsum": lambda x, i: np.einsum("abc,dbc->ad", x, x),
    "diagonal": lambda x, i: np.einsum("iaa->i", x[:, :4]),
    "diagonal of two axes": lambda x, i: np.diagonal(x, 1, axis1=2, axis2=0) + 0,
    "trace": lambda x, i: np.trace(x, -1, 1, 2),
    "trace of integers": lambda x, i: np.trace(i.astype(np.int8)),
    "dot of small integers": lambda x, i: np.dot(_small(x)[0, 0], _small(x)[1, 1]),
    "einsum of small integers": lambda x, i: np.einsum("abc,dbc->ad", _small(x), _small(x)),
    "einsum of several dtypes": lambda x, i: np.einsum(
        "abc,bc,c->a", _small(x), _small(x[0]), i[0, [0] * 4]
    ),
    "einsum of booleans": lambda x, i: np.einsum("abc,abc->a", x > 1, x < 2),
    "sum by einsum": lambda x, i: np.einsum("abc->c", _small(x)),
    "matmul": lambda x, i: np.matmul(x, x.swapaxes(1, 2)),
    "matmul of a vector": lambda x, i: x @ x[0, 0],
    "matmul of one for all": lambda x, i: x[0].T @ x,
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(function, device):
    same(function(device.put(NUMBERS), device.put(PLACES)), function(NUMBERS, PLACES))


def _changed(change):
    def run(x, i):
        x = x.copy()
        change(x, i)
        return x

    return run


CHANGES = {
    "a slice": _changed(lambda x, i: x.__setitem__(np.s_[1:, ::2], x[:2, :3] * 2)),
    "what overlaps": _changed(lambda x, i: x.__setitem__(np.s_[1:], x[:-1])),
    "a number": _changed(lambda x, i: x.__setitem__(np.s_[..., 0], 7)),
    "rows": _changed(lambda x, i: x.__setitem__(i[1], x[2])),
    "rows that are read": _changed(lambda x, i: x.__setitem__([0, 2], x[::-1][:2])),
    "added to what is read": _changed(lambda x, i: np.add.at(x, [0, 2], x[::-1][:2])),
    "into a turned sum": _changed(lambda x, i: np.add.reduce(x, axis=2, out=x[..., 1])),
    "where booleans say so": _changed(lambda x, i: x.__setitem__(np.max(x, axis=2) > 1, 7)),
    "numbers for booleans": _changed(lambda x, i: x.__setitem__(x > 1, -x[x > 1])),
    "added twice": _changed(lambda x, i: np.add.at(x, (slice(None), i[:, :1] * 0), 1.5)),
    "a part": _changed(lambda x, i: x[:, 1].__iadd__(1)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes(change, device):
    same(change(device.put(NUMBERS), device.put(PLACES)), change(NUMBERS, PLACES))


def test_no_kernel_is_without_a_test(monkeypatch):
    """All of them are started by what these tests run through; none has to run to its end here."""
    device, started = Device(simulator.Machine()), set()
    monkeypatch.setattr(device.machine, "launch", lambda kernel, *_: started.add(kernel.__name__))
    monkeypatch.setattr(DeviceArray, "item", lambda x: 1)  # so many elements booleans name
    x, i = device.put(NUMBERS), device.put(PLACES)
    for ufunc in UFUNCS:
        for look in LOOKS:
            ufunc(*(seen(device.put(operand), look) for operand in operands_of(ufunc, look)))
    for function in WITH_NUMBERS.values():
        function(x)
    for function in (*FUNCTIONS.values(), *CHANGES.values()):
        function(x, i)
    assert array_kernels.LAUNCHES.keys() <= started


@pytest.mark.parametrize("shape", [(70, 65), (64, 3), (1, 1)])
def test_products_of_matrices(shape, device):
    a = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    x = device.put(a)
    device.machine.check = False  # the largest of these takes long enough
    same(x @ x.T, a @ a.T, 1e-4)
    same(x.T @ x, a.T @ a, 1e-4)
    same(x @ x.T[:, :5], a @ a.T[:, :5], 1e-4)  # a grid of more rows than columns


def logits(x, w):
    """Of rows x, by the embedding w that they came from, and the gradients of both"""
    x, w = (Tensor(array, requires_grad=True) for array in (x, w))
    y = ops.inner(x, w)
    y.backward(np.empty_like(y.data))


TURNED = {
    "a b": (lambda x, w: x @ w[:64], ["product_64"]),
    "a bᵀ": (lambda x, w: x @ w.T, ["transposed_b_64"]),
    "aᵀ b": (lambda x, w: x.T @ x, ["transposed_a_64"]),
    "aᵀ bᵀ": (lambda x, w: w[:64].T @ w.T, ["copyto_float32_strided", "transposed_b_64"]),
    "of a batch": (lambda x, w: np.reshape(x, (2, 40, 64)) @ w.T, ["transposed_b_64"]),
    "logits of tokens": (logits, ["transposed_b_64", "product_64", "transposed_a_64"]),
    "a batch of each": (lambda x, w: halves(x) @ halves(x).swapaxes(1, 2), ["transposed_b_64"]),
    "a batch with one matrix for all": (
        lambda x, w: x[None, :40] @ halves(x).swapaxes(1, 2),
        ["tiled_float32"],
    ),
    "columns that begin anywhere": (
        lambda x, w: x @ np.reshape(np.reshape(w, -1)[1:4097], (64, 64)).T,
        ["copyto_float32_strided", "product_64"],
    ),
    "float64": (
        lambda x, w: np.empty_like(x, dtype=float) @ np.empty_like(w, dtype=float).T,
        ["tiled_float64"],
    ),
    "long sums of a batch": (
        lambda x, w: np.swapaxes(long(x)[None], 1, 2) @ long(x)[None],
        ["transposed_a_64", "add_float32_by_thread", "copyto_float32_flat"],
    ),
    "long sums of two": (
        lambda x, w: long(x, 2).swapaxes(1, 2) @ long(x, 2),
        ["transposed_a_64"],
    ),
    "a long sum": (
        lambda x, w: long(x).T @ long(x),
        ["transposed_a_64", "add_float32_by_thread", "copyto_float32_flat"],
    ),
    "a layer": (lambda x, w: kernels.dense(x, w[:64], x[0], "gelu"), ["dense_64"]),
    "a layer in columns": (
        lambda x, w: kernels.dense(x, w[:64].T, x[0]),
        ["transposed_b_64", "biased"],
    ),
    "a layer with one bias for all": (
        lambda x, w: kernels.dense(x, w[:64], x[0, :1]),
        ["product_64", "biased"],
    ),
}


def halves(x):
    return np.reshape(x, (2, 40, 64))


def long(x, *batch):
    """Of so many rows that their products are added in two parts"""
    return np.empty_like(x, shape=(*batch, 2 * products.PART, 32))


def test_a_batch_of_large_matrices_may_be_longer_than_a_grid(monkeypatch):
    device, started = Device(simulator.Machine()), []
    x = device.put(np.ones((80, 64), np.float32))
    monkeypatch.setattr(device.machine, "launch", lambda kernel, *_: started.append(kernel))
    monkeypatch.setattr(products, "MOST", 1)
    halves(x) @ halves(x).swapaxes(1, 2)
    assert [kernel.__name__ for kernel in started] == ["tiled_float32"]


@pytest.mark.parametrize("multiply, kernels_of_it", TURNED.values(), ids=TURNED)
def test_a_matrix_that_lies_in_columns_is_not_copied(multiply, kernels_of_it, monkeypatch):
    """None of these has to run here. The embedding of GPT-2 has 50257 x 768 numbers."""
    device, started = Device(simulator.Machine()), []
    x, w = device.put(np.ones((80, 64), np.float32)), device.put(np.ones((70, 64), np.float32))
    monkeypatch.setattr(device.machine, "launch", lambda kernel, *_: started.append(kernel))
    multiply(x, w)
    assert sorted(kernel.__name__ for kernel in started) == sorted(kernels_of_it)


TALL = {
    "a sum": lambda x: np.sum(x, axis=0),
    "kept axes": lambda x: np.sum(x, axis=0, keepdims=True),
    "a largest number": lambda x: np.max(x, axis=0),
    "two axes": lambda x: np.sum(np.reshape(x, (64, 16, 3)), axis=(0, 1)),
    "two axes that stay": lambda x: np.mean(np.reshape(x, (512, 2, 3)), axis=0),
    "integers": lambda x: np.sum(x > 0, axis=0),
    "a product": lambda x: np.prod(1 + x / 1000, axis=0),
}


@pytest.mark.parametrize("function", TALL.values(), ids=TALL)
def test_many_rows_are_added_a_few_at_first(function, device):
    a = normal(1024, 3)
    same(function(device.put(a)), function(a), 1e-5)


BY_THREAD, BY_BLOCK = "add_float32_by_thread", "add_float32_by_block"


@pytest.mark.parametrize(
    "rows, step, kernels_of_it",
    [
        (1024, 1, [BY_THREAD] * 2),
        (96, 1, [BY_THREAD]),
        (1021, 1, [BY_BLOCK]),
        (1024, 2, [BY_BLOCK]),
    ],
)
def test_many_rows_are_added_by_threads_that_are_neighbours(rows, step, kernels_of_it, monkeypatch):
    """1021 is prime; and of columns that do not lie side by side no copy is made"""
    device, started = Device(simulator.Machine()), []
    x = device.put(normal(rows, 4))[:, ::step]
    monkeypatch.setattr(device.machine, "launch", lambda kernel, *_: started.append(kernel))
    np.sum(x, axis=0)
    assert [kernel.__name__ for kernel in started] == kernels_of_it


def test_gradients_of_a_norm_come_in_parts(device):
    x, g, scale = normal(130, 40), normal(130, 40, seed=1), normal(40, seed=2)
    assert number_of_parts(*x.shape) == 2 and number_of_parts(8192, 768) == 10
    _, mean, r = reference.layer_norm(x, scale, scale, 1e-3)
    given = map(device.put, (g, x, mean, r, scale))
    for ours, right in zip(
        kernels.layer_norm_backward(*given),
        reference.layer_norm_backward(g, x, mean, r, scale),
        strict=True,
    ):
        same(ours, right, 1e-5)
    _, r = reference.rms_norm(x, scale, 1e-3)
    for ours, right in zip(
        kernels.rms_norm_backward(*map(device.put, (g, x, r, scale))),
        reference.rms_norm_backward(g, x, r, scale),
        strict=True,
    ):
        same(ours, right, 1e-5)


def test_blocks_are_large_only_if_they_are_many():
    """A gradient of weights of GPT-2 has 36 large blocks: its sum has 7 parts."""
    sizes = (8192, 768), (768, 768), (8192, 64), (96, 65)
    assert [products._edge(m, n) for m, n in sizes] == [128, 64, 64, 64]
    assert products._edge(1024, 96, batches=96) == 128 and products._edge(64, 1024, 96) == 64
    sums = (768, 768, 8192), (768, 50257, 8192), (768, 768, 1000)
    assert [products._parts(*each) for each in sums] == [7, 0, 1]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_batches_of_matrices(device):
    """Of which each has a kernel that is made for it"""
    a, b = normal(2, 3, 33, 8), normal(2, 3, 8, 36, seed=1)
    x, y, right = device.put(a), device.put(b), a @ b
    turned = [device.put(z.swapaxes(2, 3).copy()).swapaxes(2, 3) for z in (a, b)]
    for ours in (x @ y, turned[0] @ y, x @ turned[1], turned[0] @ turned[1]):
        same(ours, right, 1e-5)
    same(x @ y[:1, :1], a @ b[:1, :1], 1e-5)  # and one that is repeated


def test_a_sum_of_many_rows_is_taken_in_parts(device, monkeypatch):
    monkeypatch.setattr(products, "PART", 8)
    a, b = normal(37, 33), normal(37, 36, seed=1)
    same(device.put(a).T @ device.put(b), a.T @ b, 1e-5)
    out = device.put(np.full((1, 33, 36), np.nan, np.float32))
    np.matmul(device.put(a[None]).swapaxes(1, 2), device.put(b[None]), out=out)
    same(out, (a.T @ b)[None], 1e-5)


@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
@pytest.mark.parametrize("shape", [(33, 7), (2, 17, 9)])
def test_a_layer_is_that_on_the_cpu(shape, activation, device):
    x, w, bias = normal(*shape), normal(shape[-1], 36, seed=1), normal(36, seed=2)
    ours = kernels.dense(device.put(x), device.put(w), device.put(bias), activation)
    for array, right in zip(ours, reference.dense(x, w, bias, activation), strict=True):
        same(array, right, 1e-5)


@pytest.mark.parametrize(
    "shape, dtype, error, words",
    [
        ((3, 3), "int32", TypeError, "matmul gives float32. Received: out of int32"),
        ((3, 4), "float32", ValueError, r"out must have shape \(3, 3\). Received: \(3, 4\)"),
    ],
)
def test_a_product_that_out_cannot_keep_is_an_error(shape, dtype, error, words):
    device = Device(simulator.Machine())
    x = device.put(normal(3, 3))
    with pytest.raises(error, match=words):
        np.matmul(x, x, out=device.put(np.zeros(shape, dtype)))


def test_what_does_not_fit_has_no_dot():
    x = Device(simulator.Machine()).put(NUMBERS)
    with pytest.raises(ValueError, match=r"dot cannot multiply \(3, 5, 4\) and \(3, 5, 4\)"):
        np.dot(x, x)


@pytest.mark.parametrize("which", range(3))
def test_a_layer_of_what_begins_anywhere(which, device):
    """One of x, the weights and the bias begins 4 bytes behind a multiple of 16."""
    arrays = [normal(33, 8), normal(8, 36, seed=1), normal(36, seed=2)]
    given = [device.put(array) for array in arrays]
    flat = device.put(np.concatenate([np.zeros(1, np.float32), arrays[which].ravel()]))
    given[which] = flat[1:].reshape(arrays[which].shape)
    same(kernels.dense(*given)[0], reference.dense(*arrays)[0], 1e-5)


def test_a_batch_may_be_longer_than_a_grid(monkeypatch, device):
    monkeypatch.setattr(products, "MOST", 2)
    same(np.matmul(device.put(NUMBERS), device.put(NUMBERS[0].T)[None]), NUMBERS @ NUMBERS[0].T)


WITHOUT_NUMBERS = {
    "layer_norm": lambda x: kernels.layer_norm(x, x[0], x[0], 1e-3),
    "rms_norm": lambda x: kernels.rms_norm(x, x[0], 1e-3),
    "dense_backward": lambda x: kernels.dense_backward(x, x, x, x.T @ x, "relu"),
}


@pytest.mark.filterwarnings("ignore")  # NumPy's of a mean of nothing
@pytest.mark.parametrize("kernel", WITHOUT_NUMBERS.values(), ids=WITHOUT_NUMBERS)
def test_rows_may_have_no_numbers(kernel, device):
    x = np.zeros((3, 0), np.float32)
    with kernels.use("numpy"):
        right = kernel(x)
    for ours, expected in zip(kernel(device.put(x)), right, strict=True):
        same(ours, expected)


def test_random_numbers_are_those_of_the_cpu(device):
    x = device.put(NUMBERS)
    for key in (0, 7, 2**32 - 1):
        np.testing.assert_array_equal(
            kernels.random_uniform(x, key).numpy(), reference.random_uniform(NUMBERS, key)
        )
        for given in (NUMBERS, NUMBERS.astype(np.float64)):
            ours = kernels.dropout(device.put(given), 0.3, key)
            same(ours, reference.dropout(given, 0.3, key))


# ---- Nothing happens behind one's back -----------------------------------------------------------

COPIES = {
    "float(x)": float,
    "bool(x)": bool,
    "list(x)": list,
    "x.tolist()": lambda x: x.tolist(),
    "1.0 in x": lambda x: 1.0 in x,
    "[7, 8][x]": lambda x: [7, 8][x],
    "np.asarray(x)": np.asarray,
    "host + x": lambda x: np.ones(1, np.float32) + x,
    "x + host": lambda x: x + np.ones(1, np.float32),
    "x += host": lambda x: x.__iadd__(np.ones(1)),
    "host += x": lambda x: np.ones(1).__iadd__(x),
    "x[host]": lambda x: x[np.array([0])],
    "x[:] = host": lambda x: x.__setitem__(slice(None), np.ones(1)),
    "host[:] = x": lambda x: np.ones(1).__setitem__(slice(None), x),
    "np.concatenate([x, host])": lambda x: np.concatenate([x, np.ones(1)]),
    "np.sort(x)": np.sort,
    "np.exp(x, host)": lambda x: np.exp(x, np.ones(1, np.float32)),
    "np.dot(x, host)": lambda x: np.dot(x, np.ones(1, np.float32)),
    "np.einsum(x, host)": lambda x: np.einsum("a,a->a", x, np.ones(1)),
    "np.copyto(host, x)": lambda x: np.copyto(np.ones(1), x),
    "np.exp(x) of another": lambda x: np.exp(x, kernels.device("simulator").put(np.ones(1))),
    "f'{x:.2f}'": lambda x: f"{x:.2f}",
    "pickle": pickle.dumps,
    "x + None": lambda x: x + None,
    "x[True]": lambda x: x[True],
    "np.sum(where)": lambda x: np.sum(x, where=x > 0),
    "np.add.reduce(where)": lambda x: np.add.reduce(x, where=x > 0),
    "np.cumsum(out)": lambda x: np.cumsum(x, out=x),
    "np.take(mode)": lambda x: np.take(x, [0], mode="wrap"),
    "np.add.at(host, 0, x)": lambda x: np.add.at(np.ones(1), 0, x),
    "np.arcsinh(x)": np.arcsinh,
    "x beside that of another": lambda x: x + kernels.device("simulator").put(np.ones(1)),
    "kernels.matmul(x, host)": lambda x: kernels.matmul(x, np.ones(1)),
    "kernels.matmul(host, x)": lambda x: kernels.matmul(np.ones((1, 1)), x),
    "kernels.dense(host, x, x)": lambda x: kernels.dense(np.ones((1, 1)), x[None], x),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_copy_to_or_from_the_host_is_refused(copy, backend):
    device = Device(simulator.Machine())
    x = device.put(np.ones(1, np.float32))
    with kernels.use(backend), pytest.raises((TypeError, ValueError), match=r"on a|[Dd]evice"):
        copy(x)
    assert device.copies_to_host == 0


def test_what_is_read_is_counted():
    device = Device(simulator.Machine())
    x = device.put(NUMBERS)
    assert np.sum(x).item() == pytest.approx(NUMBERS.sum(), rel=1e-5)
    np.testing.assert_array_equal(x[1:].T.numpy(), NUMBERS[1:].T)
    assert (device.copies_to_device, device.copies_to_host) == (1, 2)


def test_booleans_are_counted_by_the_host_alone_where_it_must_make_room():
    device = Device(simulator.Machine())
    x = device.put(NUMBERS)
    x[x > 0] = 0
    assert device.copies_to_host == 0
    assert x[x < 0].shape == NUMBERS[NUMBERS < 0].shape
    assert device.copies_to_host == 1
    with pytest.raises(IndexError, match="do not fit"):
        x[x[0] > 0]
    with pytest.raises(IndexError, match="do not fit"):
        x[x[0] > 0] = 1


@pytest.mark.parametrize("place", [3, -4])  # of 3 rows
def test_an_index_beyond_the_end_is_told_when_the_host_reads_next(place):
    device = Device(simulator.Machine(check=True))
    x, far = device.put(NUMBERS), device.put(np.array([0, place]))
    rows = np.take(x, far, axis=0)
    with pytest.raises(IndexError, match="beyond the end"):
        rows.numpy()
    np.testing.assert_array_equal(rows.numpy(), [NUMBERS[0], np.zeros_like(NUMBERS[0])])


@pytest.mark.parametrize("places", [(3, 0), (-4, 0), (0, 4), (0, -5)])  # of 3 rows and 4 columns
def test_an_index_beyond_one_of_several_ends_is_told(places):
    device = Device(simulator.Machine(check=True))
    row, column = (device.put(np.array([place])) for place in places)
    number = device.put(NUMBERS[:, 0])[row, column]
    with pytest.raises(IndexError, match="beyond the end"):
        number.numpy()
    assert number.item() == 0


@pytest.mark.parametrize("change", [DeviceArray.__setitem__, np.add.at], ids=["set", "add"])
def test_nothing_is_written_beyond_the_end(change):
    device = Device(simulator.Machine(check=True))
    x, far = device.put(NUMBERS), device.put(np.array([3, -4]))
    change(x, far, 7)
    with pytest.raises(IndexError, match="beyond the end"):
        x.numpy()
    np.testing.assert_array_equal(x.numpy(), NUMBERS)


def test_read_only_arrays_are_not_written_to():
    x = Device(simulator.Machine()).put(NUMBERS)
    x.setflags(False)
    view = x[0]
    for change in (
        lambda: x.__iadd__(1),
        lambda: view.__setitem__(0, 1),
        lambda: np.add.at(x, 0, 1),
    ):
        with pytest.raises(ValueError, match="read-only"):
            change()


def test_one_number_in_many_places_is_not_written_to():
    x = Device(simulator.Machine()).put(NUMBERS)
    for wide in (np.broadcast_to(x[0, 0], (3, 4)), np.broadcast_to(x[0, 0], (3, 4))[1:].T):
        with pytest.raises(ValueError, match="read-only"):
            wide += 1


MISFITS = {
    "x[0] = x": (lambda x: x.__setitem__(0, x), r"\(3, 5, 4\) does not fit into one of \(5, 4\)"),
    "concatenate": (
        lambda x: np.concatenate([x, x], out=np.empty_like(x)),
        r"out must have the shape \(6, 5, 4\). Received: \(3, 5, 4\)",
    ),
    "reduce": (
        lambda x: np.add.reduce(x, axis=0, out=x),
        r"out must have the shape \(5, 4\). Received: \(3, 5, 4\)",
    ),
    "an index of floats": (lambda x: x[x], "an index is of integers. Received: .* float32"),
}


@pytest.mark.parametrize("use, words", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_named(use, words):
    with pytest.raises((ValueError, IndexError), match=words):
        use(Device(simulator.Machine()).put(NUMBERS))


def test_a_copy_has_memory_of_its_own():
    x = Device(simulator.Machine()).put(NUMBERS)
    for other in (copy.copy(x), copy.deepcopy(x), np.copy(x)):
        assert other.device is x.device and other.block is not x.block
        same(other, NUMBERS)


METHODS = {
    "flatten": lambda x: x.T.flatten(),
    "diagonal": lambda x: x.diagonal(axis1=1, axis2=2) + x.trace()[:, None][:3],
    "dot": lambda x: x[0].dot(x[1].T),
    "mean": lambda x: x.mean(axis=1),
    "max": lambda x: x.max(axis=(0, 1), initial=0, keepdims=True),
    "argmin": lambda x: x.argmin(),
    "transpose": lambda x: x.transpose(2, 0, 1) + x.transpose().transpose((0, 2, 1)),
    "squeeze": lambda x: x[:1].squeeze(0),
    "clip": lambda x: x.clip(-1, 1),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_methods(method, device):
    same(method(device.put(NUMBERS)), method(NUMBERS))


def test_a_diagonal_is_seen_and_a_flat_array_is_new():
    x = Device(simulator.Machine()).put(NUMBERS)
    diagonal, flat = np.diagonal(x), x.flatten()
    assert diagonal.block is x.block and flat.block is not x.block
    with pytest.raises(ValueError, match="read-only"):
        diagonal[0] = 1  # as NumPy has it


@pytest.mark.parametrize("dtype", ["float16", "complex64", "U3"])
def test_a_dtype_that_a_device_does_not_have_is_named(dtype):
    with pytest.raises(TypeError, match=f"no arrays of .*{dtype[:7]}"):
        Device(simulator.Machine()).put(np.zeros(2, dtype))


BYTES = {
    "np.sqrt of int8": lambda x: np.sqrt(x),
    "np.sin of uint8": lambda x: np.sin(x.astype("uint8")),
    "np.exp of bool": lambda x: np.exp(x > 0),
    "np.copysign of int8 and int8": lambda x: np.copysign(x, x),
}


@pytest.mark.parametrize("what", BYTES)
def test_what_numpy_computes_in_float16_is_an_error_that_says_what_to_do(what):
    x = Device(simulator.Machine()).put(np.arange(3, dtype="int8"))
    with pytest.raises(TypeError, match=rf'{what} takes float16.* x.astype\("float32"\)'):
        BYTES[what](x)


def test_a_kernel_without_a_version_for_devices_is_named(monkeypatch):
    monkeypatch.delitem(calls.CALLS, "erf")
    with pytest.raises(
        NotImplementedError, match=r"kernels.erf has no version .* float32\(3, 5, 4\)"
    ):
        kernels.erf(Device(simulator.Machine()).put(NUMBERS))


def test_the_table_says_what_runs_on_a_device():
    lines = [line.split() for line in kernels.table().splitlines()]
    on_device = {(line[0], line[1]): line for line in lines if len(line) > 2}
    assert on_device["adam", "float32"][-2:] == ["a", "kernel"]
    assert on_device["adam", "float64"][-3:] == ["for", "NumPy's", "words"]


# ---- Memory --------------------------------------------------------------------------------------


def test_memory_is_used_again():
    device = Device(simulator.Machine())
    x, reserved = device.put(NUMBERS), device.pool.reserved
    for _ in range(5):
        x = x * 2
    assert device.pool.reserved <= reserved + 3 * 512
    in_use = device.pool.in_use
    view, x = x[0], None
    assert device.pool.in_use == in_use
    view = None
    assert view is None and device.pool.in_use < in_use


@pytest.mark.parametrize("nbytes", [0, 1, 512, 513, 5000, 2**20 + 1, 3 * 2**20])
def test_sizes_are_rounded_up_a_little(nbytes):
    block = Device(simulator.Machine()).pool.take(nbytes)
    assert nbytes <= block.nbytes <= max(nbytes * 1.25, nbytes + 512)
    assert block.address % 256 == 0


def test_memory_that_is_kept_is_given_back_before_there_is_none_left():
    device = Device(simulator.Machine())
    x = device.empty((1000,), np.float32)
    del x
    reserve, calls_so_far = device.machine.reserve, []

    def nearly_full(nbytes):
        calls_so_far.append(nbytes)
        if len(calls_so_far) == 1:
            raise MemoryError
        return reserve(nbytes)

    device.machine.reserve = nearly_full
    device.empty((100_000,), np.float32)
    assert len(calls_so_far) == 2 and math.fsum(map(len, device.pool.free.values())) <= 1


def test_a_device_that_is_none_is_named():
    with pytest.raises(ValueError, match="one of cpu, cuda, simulator. Received: 'tpu'"):
        kernels.device("tpu")


# ---- Other libraries -----------------------------------------------------------------------------


def test_arrays_are_shared_with_other_libraries_without_a_copy():
    device, host = Device(simulator.Machine()), NUMBERS.copy()
    ours = device.adopt(host)
    ours += 1
    np.testing.assert_array_equal(host, NUMBERS + 1)
    theirs = np.from_dlpack(ours.swapaxes(0, 1)[1:])
    theirs[...] = 7
    assert (host[:, 1:] == 7).all() and (host[:, 0] != 7).any()
    assert not hasattr(ours, "__cuda_array_interface__")  # this memory is no GPU's
    assert (device.copies_to_device, device.copies_to_host) == (0, 0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "uint16", "bool"])
@pytest.mark.parametrize("look", [*LOOKS.values(), np.s_[:0], np.s_[0, 0, 0]])
def test_an_array_of_any_layout_and_dtype_is_adopted_and_given(look, dtype):
    host = (NUMBERS * 9).astype(dtype)[look]
    ours = Device(simulator.Machine()).adopt(np.asarray(host))
    same(ours, host)
    theirs = np.from_dlpack(ours)
    np.testing.assert_array_equal(theirs, host)
    assert theirs.dtype == host.dtype


class Old:
    """An array of a library from before DLPack had versions."""

    def __init__(self, array):
        self.capsule, self.device = array.__dlpack__(), array.__dlpack_device__()

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self):
        return self.capsule


def test_libraries_that_know_no_versions_of_dlpack_share_too():
    device, host = Device(simulator.Machine()), NUMBERS.copy()
    ours = device.adopt(Old(host))
    ours += 1
    np.testing.assert_array_equal(np.from_dlpack(Old(ours)), NUMBERS + 1)


def test_a_capsule_of_dlpack_is_taken_once():
    device, old = Device(simulator.Machine()), Old(NUMBERS.copy())
    device.adopt(old)
    with pytest.raises(ValueError, match="nobody has taken"):
        device.adopt(old)


def test_what_is_read_only_stays_so():
    device = Device(simulator.Machine())
    ours = device.adopt(np.broadcast_to(NUMBERS, (2, *NUMBERS.shape)))
    same(ours, [NUMBERS, NUMBERS])
    with pytest.raises(ValueError, match="read-only"):
        ours[0] = 1
    assert not np.from_dlpack(ours).flags.writeable
    with pytest.raises(BufferError, match="readonly"):  # which the old ones cannot say
        Old(ours)


def test_memory_that_is_shared_lives_as_long_as_anybody_sees_it():
    device = Device(simulator.Machine())
    ours, before = device.put(NUMBERS), device.pool.in_use
    theirs = np.from_dlpack(ours)
    del ours
    assert device.pool.in_use == before
    np.testing.assert_array_equal(theirs, NUMBERS)
    del theirs
    assert device.pool.in_use < before
    unused = device.put(NUMBERS).__dlpack__()
    in_use = device.pool.in_use
    del unused  # a capsule that nobody took
    assert device.pool.in_use < in_use

    host = NUMBERS.copy()
    alive = weakref.ref(host)
    ours = device.adopt(host)
    view = ours[1:]
    del host, ours
    assert alive() is not None
    del view
    assert alive() is None


def test_a_copy_is_shared_if_asked_for():
    x = Device(simulator.Machine()).put(NUMBERS)
    theirs = np.from_dlpack(x, copy=True)
    theirs[...] = 0
    same(x, NUMBERS)


class Foreign:
    """An array of a library that has its memory on a GPU."""

    def __dlpack_device__(self):
        return dlpack.GPU, 0

    def __dlpack__(self, **options):
        raise AssertionError("this memory is not to be touched")


def test_what_cannot_be_shared_is_refused():
    device = Device(simulator.Machine())
    with pytest.raises(BufferError, match="not on"):
        device.put(NUMBERS).__dlpack__(dl_device=(dlpack.GPU, 0))
    with pytest.raises(TypeError, match=r"cannot be shared with Device\('simulator'\)"):
        device.adopt(Foreign())
    with pytest.raises(TypeError, match="speak DLPack.*Received: list"):
        device.adopt([1.0])
    with pytest.raises(TypeError, match="no arrays of complex64"):
        device.adopt(NUMBERS.astype("complex64"))
    with pytest.raises(TypeError, match="no arrays of float16"):
        device.adopt(NUMBERS.astype("float16"))


def test_the_host_shares_with_numpy_and_a_gpu_with_the_device_cuda(monkeypatch):
    host = NUMBERS.copy()
    theirs = kernels.from_dlpack(host)
    assert type(theirs) is np.ndarray and np.shares_memory(theirs, host)
    monkeypatch.setattr(kernels.devices, "device", {"cuda": mock.Mock()}.__getitem__)
    foreign = Foreign()
    adopt = kernels.devices.device("cuda").adopt
    assert kernels.from_dlpack(foreign) is adopt.return_value
    adopt.assert_called_once_with(foreign)


@pytest.mark.parametrize(
    "k, v", [((2, 2, 4), (2, 2, 4)), ((1, 2, 5), (1, 2, 5)), ((1, 2, 4), (1, 3, 4))]
)
def test_heads_that_do_not_fit_together_are_not_attended(k, v, device):
    """A kernel would read beyond the end, or leave out what has no partner."""
    q, k, v = (device.put(np.ones((1, *shape), np.float32)) for shape in ((3, 2, 4), k, v))
    with pytest.raises(ValueError, match="broadcast|multiply|a multiple of hₖ"):
        kernels.attention(q, k, v)


# {what: (dtype, (b, h, hₖ, t, s, d))} that no kernel is made for
LEFT_TO_WORDS = {
    "float64": ("float64", (2, 4, 2, 3, 5, 4)),
    "wide heads": ("float32", (1, 2, 1, 3, 2, 129)),
    "no query": ("float32", (2, 1, 1, 0, 3, 4)),
    "no key": ("float32", (2, 1, 1, 3, 0, 4)),
    "no example": ("float64", (0, 1, 1, 3, 2, 4)),
}


@pytest.mark.parametrize("axis", [0, 1], ids=["examples", "heads"])
def test_more_examples_or_heads_than_a_grid_has_blocks_are_left_to_words(axis, device, monkeypatch):
    shape = [2, 2, 2, 4]
    shape[axis] = 4
    q, k, v, g = np.random.default_rng(0).standard_normal((4, *shape)).astype(np.float32)
    on_device = [device.put(x) for x in (g, q, k, v)]
    rights = kernels.attention(*on_device[1:])
    more_rights = kernels.attention_backward(*on_device, *rights)
    monkeypatch.setattr(calls.attention, "MOST_BLOCKS", (9, 3, 3))
    names = []
    launch = device.machine.launch
    monkeypatch.setattr(
        device.machine, "launch", lambda f, *rest: (names.append(f.__name__), launch(f, *rest))
    )
    found = kernels.attention(*on_device[1:])
    more = kernels.attention_backward(*on_device, *found)
    assert not {"forward_32", "queries_32", "keys_32"} & {*names} and names
    for ours, right in zip((*found, *more), (*rights, *more_rights), strict=True):
        same(ours, right.numpy())


@pytest.mark.parametrize("what", LEFT_TO_WORDS)
def test_heads_without_a_kernel_are_attended_with_dropout(what, device):
    """The same weights are dropped as on the CPU, on the way forth and on the way back."""
    dtype, (b, h, heads, t, s, d) = LEFT_TO_WORDS[what]
    numbers = np.random.default_rng(0)
    shapes = (b, h, t, d), (b, heads, s, d), (b, heads, s, d), (b, h, t, d)
    q, k, v, g = (numbers.standard_normal(shape).astype(dtype) for shape in shapes)
    options = {"causal": True, "rate": 0.4, "key": 2**63 + 7}
    o, norms = reference.attention(q, k, v, **options)
    if o.size and s:  # something is dropped
        assert not np.allclose(o, reference.attention(q, k, v, causal=True)[0])
    on_device = [device.put(x) for x in (g, q, k, v)]
    found = kernels.attention(*on_device[1:], **options)
    rights = reference.attention_backward(g, q, k, v, o, norms, **options)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    for ours, right in zip(found, (o, norms), strict=True):
        same(ours, right, tolerance)
    for ours, right in zip(
        kernels.attention_backward(*on_device, *found, **options), rights, strict=True
    ):
        same(ours, right, tolerance)
