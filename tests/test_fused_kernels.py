"""Promises of the fused kernels beyond agreement with the reference (`test_kernels_agree.py`)."""

import math

import numba
import numpy as np
import pytest

import kernels
from kernels import dispatch, reference
from kernels.cpu import matmul
from tests.kernel_cases import CASES, Draw, with_dtype

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

RANDOM = np.random.default_rng(0)
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
EPSILON = {"float32": 1.2e-7, "float64": 2.2e-16}


@pytest.fixture(autouse=True)
def numba_backend():
    with kernels.use("numba"):
        yield


# ---- Accuracy, of each number by itself ----------------------------------------------------------


def relative_error(y, expected):
    return np.max(np.abs(y - expected) / np.abs(expected))


@DTYPES
def test_gelu_is_exact_where_it_is_tiny(dtype):
    x = np.linspace(-12, 12, 5000).astype(dtype)
    expected = [v * math.erfc(-v / math.sqrt(2)) / 2 for v in map(float, x)]
    assert relative_error(kernels.gelu(x), expected) < {"float32": 1e-5, "float64": 1e-12}[dtype]


@DTYPES
@pytest.mark.parametrize("name", ["sigmoid", "silu", "erf"])
def test_every_number_is_exact(name, dtype):
    x = np.concatenate([np.linspace(-30, 30, 5000), 10.0 ** np.arange(-30, 1)]).astype(dtype)
    expected = getattr(reference, name)(x.astype("float64"))
    tolerance = {"float32": 1e-6, "float64": 1e-12}[dtype]
    assert relative_error(getattr(kernels, name)(x), expected) < tolerance


@DTYPES
def test_probabilities_are_exact_where_they_are_tiny(dtype):
    x = np.array([[0.0, -10.0, -30.0, -60.0, -80.0]], dtype)
    p = np.exp(x.astype("float64")) / np.exp(x.astype("float64")).sum()
    assert relative_error(kernels.softmax(x), p) < {"float32": 1e-5, "float64": 1e-13}[dtype]


@DTYPES
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shift", [-4096, 4096])
def test_a_shift_of_all_logits_changes_nothing(name, shift, dtype):
    x = RANDOM.integers(-9, 9, (5, 37)).astype(dtype)  # so that x + shift is exact
    kernel = getattr(kernels, name)
    np.testing.assert_array_equal(kernel(x + shift), kernel(x))


@DTYPES
def test_the_loss_of_a_sure_answer_is_exact_though_logits_are_large(dtype):
    logits = np.array([[1000.0, 1000.0 - 5, 1000.0 - 5]], dtype)
    loss, _ = kernels.cross_entropy(logits, np.array([0]))
    np.testing.assert_allclose(loss, [math.log1p(2 * math.exp(-5))], rtol=100 * EPSILON[dtype])


# ---- Threads -------------------------------------------------------------------------------------

PARALLEL = sorted(
    {"sigmoid", "gelu_backward", "softmax", "softmax_backward", "log_softmax", "cross_entropy"}
    | {"log_softmax_backward", "cross_entropy_backward", "layer_norm", "layer_norm_backward"}
    | {"rms_norm_backward", "random_uniform", "dropout", "scatter_add"}
    | {"sgd", "rmsprop", "adagrad", "adam"}
)


@DTYPES
@pytest.mark.parametrize("name", PARALLEL)
def test_the_number_of_threads_does_not_change_a_bit(name, dtype, monkeypatch):
    monkeypatch.setattr("kernels.cpu.threads.WORTH_SHARING", 0)
    sizes = {"scatter_add": (50, 20, 70)}.get(name, (257, 33) if _sizes(name) == 2 else (1001,))
    before, found = numba.get_num_threads(), []
    try:
        for threads in {1, 2, numba.config.NUMBA_NUM_THREADS}:
            numba.set_num_threads(threads)
            arguments, options = with_dtype(CASES[name](Draw(3), *sizes), dtype)
            results = getattr(kernels, name)(*arguments, **options)
            results = results if isinstance(results, tuple) else (results,)
            found.append([a for a in (*results, *arguments) if isinstance(a, np.ndarray)])
    finally:
        numba.set_num_threads(before)
    for other in found[1:]:
        assert [_differences(a, b) for a, b in zip(found[0], other)] == [{}] * len(other)


def _differences(a, b):
    """{place: the two numbers}, wherever two arrays differ in a bit."""
    bits = f"u{a.itemsize}"
    places = np.argwhere(a.view(bits) != b.view(bits)).tolist()
    return {tuple(place): (a[tuple(place)], b[tuple(place)]) for place in places}


def _sizes(name):
    return CASES[name].__code__.co_argcount - 1


# ---- Labels, indices, random numbers -------------------------------------------------------------


@pytest.mark.parametrize("label", [-1, 3, 2**40])
def test_a_label_that_is_no_class_is_refused(label):
    labels = np.array([0, label])
    with pytest.raises(ValueError, match=f"labels are 0 to 2. Received: .*{label}"):
        kernels.cross_entropy(np.ones((2, 3)), labels)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint64"])
def test_labels_may_be_integers_of_any_size(dtype):
    logits, labels = RANDOM.standard_normal((3, 4)), np.array([3, 0, 2])
    loss, norms = kernels.cross_entropy(logits, labels.astype(dtype))
    np.testing.assert_allclose(loss, reference.cross_entropy(logits, labels)[0], rtol=1e-12)
    d = kernels.cross_entropy_backward(loss, logits, norms, labels.astype(dtype))
    expected = reference.cross_entropy_backward(loss, logits, norms, labels)
    np.testing.assert_allclose(d, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("index", [-6, 5])
def test_an_index_outside_is_an_error(index):
    with pytest.raises(IndexError, match="out of bounds"):
        kernels.scatter_add(np.zeros((5, 2)), np.array([0, index]), np.ones((2, 2)))


@DTYPES
def test_scatter_add_adds_in_the_order_of_the_indices(dtype):
    index = RANDOM.integers(-7, 7, 500)
    g = (10.0 ** RANDOM.integers(-6, 6, (500, 19))).astype(dtype)
    x = np.zeros((7, 19), dtype)
    np.testing.assert_array_equal(
        kernels.scatter_add(x, index, g), reference.scatter_add(x, index, g)
    )


@DTYPES
@pytest.mark.parametrize("key", [0, 7, 2**32 - 1])
def test_random_numbers_and_dropout_are_the_same_bits(key, dtype):
    x = RANDOM.standard_normal((7, 31)).astype(dtype)
    for name, options in (("random_uniform", (key,)), ("dropout", (0.3, key))):
        found, expected = (getattr(m, name)(x, *options) for m in (kernels, reference))
        np.testing.assert_array_equal(found, expected)


# ---- Optimizers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [1e-7, 1e-3])
def test_the_first_step_of_adam_is_exact_in_float32(epsilon):
    """There 1 - β₂, rounded, would show."""
    arrays = [np.zeros(40), np.exp(RANDOM.standard_normal(40)), np.zeros(40), np.zeros(40)]
    exact, rounded = [[a.astype(d) for a in arrays] for d in ("float64", "float32")]
    for module, (parameter, g, m, v) in ((reference, exact), (kernels, rounded)):
        module.adam(parameter, g, m, v, 0.001, 0.9, 0.999, epsilon, 1)
    for found, expected in zip(rounded, exact, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "adam"])
def test_arrays_with_gaps_are_updated_too(name):
    arguments, options = with_dtype(CASES[name](Draw(0), 12), "float64")
    wide = [np.repeat(a, 2) if isinstance(a, np.ndarray) else a for a in arguments]
    given = [a[::2] if isinstance(a, np.ndarray) else a for a in wide]
    getattr(kernels, name)(*given, **options)
    getattr(reference, name)(*arguments, **options)
    np.testing.assert_allclose(given[0], arguments[0], rtol=1e-12)


# ---- Layouts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, -2, -3])
def test_softmax_along_another_axis_is_left_to_numpy(axis):
    x = RANDOM.standard_normal((3, 4, 5))
    assert dispatch._compiled["softmax"](x, axis) is NotImplemented
    np.testing.assert_array_equal(kernels.softmax(x, axis), reference.softmax(x, axis))


@pytest.mark.parametrize("scale, offset", [(1.0, 0.0), (np.ones(5), 0.0)])
def test_layer_norm_with_numbers_for_scale_or_offset(scale, offset):
    x = RANDOM.standard_normal((3, 5))
    y, mean, r = kernels.layer_norm(x, scale, offset, 1e-5)
    np.testing.assert_allclose(y, (x - mean) * r, rtol=1e-12)


# ---- What an implementation does not take, NumPy does or refuses ---------------------------------


@pytest.mark.parametrize("label", [-1, 7])
def test_labels_that_were_changed_before_the_way_back_are_an_error(label):
    labels = np.array([0, 1])
    with kernels.use("numba"):
        losses, norms = kernels.cross_entropy(np.ones((2, 3)), labels)
        labels[1] = label
        with pytest.raises(ValueError, match="labels are 0 to 2. Received: "):
            kernels.cross_entropy_backward(losses, np.ones((2, 3)), norms, labels)


HOSTILE = {
    "fewer gradients than rows": lambda: kernels.cross_entropy_backward(
        np.ones(2), np.ones((5, 3)), np.ones((2, 2)), np.zeros(2, int)
    ),
    "statistics of other rows": lambda: kernels.layer_norm_backward(
        np.ones((4, 3)), np.ones((4, 3)), np.ones((2, 1)), np.ones((2, 1)), np.ones(3)
    ),
    "too few r": lambda: kernels.rms_norm_backward(
        np.ones((4, 3)), np.ones((4, 3)), np.ones((3, 1)), np.ones(3)
    ),
    "no velocity": lambda: kernels.sgd(np.ones(3), np.ones(3), None, 0.1, momentum=0.9),
}


@pytest.mark.parametrize("call", HOSTILE.values(), ids=HOSTILE)
def test_arguments_that_do_not_fit_are_errors(call):
    with kernels.use("numba"), pytest.raises((ValueError, TypeError)):
        call()


@DTYPES
def test_a_rate_for_each_parameter_is_left_to_numpy(dtype):
    rates, gradient = np.array([0.1, 0.5, 2.0], dtype), np.array([1.0, -2.0, 3.0], dtype)
    parameter = np.zeros(3, dtype)
    kernels.sgd(parameter, gradient, None, rates)
    np.testing.assert_allclose(parameter, -rates * gradient, rtol=1e-6)


@DTYPES
def test_a_gradient_that_overlaps_its_parameter_is_read_before_it_changes(dtype):
    memory = np.arange(41, dtype=dtype)
    expected = memory.copy()
    reference.sgd(expected[1:], expected[:-1], None, 0.5)
    kernels.sgd(memory[1:], memory[:-1], None, 0.5)
    np.testing.assert_array_equal(memory, expected)


# ---- One row -------------------------------------------------------------------------------------


@DTYPES
@pytest.mark.parametrize("activation", [None, "relu", "silu", "gelu", "gelu_tanh"])
@pytest.mark.parametrize("d, u", [(256, 1000), (700, 515), (1030, 300)])
def test_a_dense_layer_of_one_row_reads_its_weight_in_parts(d, u, activation, dtype):
    assert matmul.in_parts(np.ones((1, d), dtype), np.ones((d, u), dtype)) is not None
    x, weight, bias = (RANDOM.standard_normal(shape).astype(dtype) for shape in [(1, d), (d, u), u])
    found = kernels.dense(x[None], weight, bias, activation)
    expected = reference.dense(x[None].astype(float), weight.astype(float), bias, activation)
    for ours, theirs in zip(found, expected):
        np.testing.assert_allclose(ours, theirs, atol=200 * EPSILON[dtype] * math.sqrt(d))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("step", ["sgd", "rmsprop", "adam"])
def test_what_an_optimizer_remembers_fades_to_nothing(backend, step):
    """Without the rule the numbers end at some of the least there are, and each step is slow."""
    theta, zero = np.ones(40, "float32"), np.zeros(40, "float32")
    memories = np.full((3, 40), 1e-37, "float32")
    memories[:, 7] = np.nan  # which must not vanish
    a, b, c = memories
    with kernels.use(backend):
        for t in range(1, 60):
            if step == "sgd":
                kernels.sgd(theta, zero, a, 0.1, momentum=0.9)
            elif step == "rmsprop":
                kernels.rmsprop(theta, zero, a, b, c, 0.1, 0.9, 0.9, 1e-7)
            else:
                kernels.adam(theta, zero, a, b, 0.1, 0.9, 0.9, 1e-7, t)
    for memory in memories[: {"sgd": 1, "rmsprop": 3, "adam": 2}[step]]:
        assert np.isnan(memory[7])
        assert not np.delete(memory, 7).any()
