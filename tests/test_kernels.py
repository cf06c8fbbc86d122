"""The reference kernels, each against its definition. Other implementations must agree."""

import inspect
import math

import numpy as np
import pytest

from kernels import reference

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((2, 3, 4))
G = RANDOM.standard_normal((2, 3, 4))


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def slope(function, x, g, step=1e-6):
    """dL/dx of L = Σ g function(x), by central differences."""
    d = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        there = np.zeros_like(x)
        there[place] = step
        d[place] = np.sum(g * (function(x + there) - function(x - there))) / (2 * step)
    return d


# Kernels that are tested somewhere else: where. In test_ops.py, as parts of operations, beside
# PyTorch, by whoever runs them; and who runs them makes no difference (test_kernels_agree.py).
FORWARD = ["convolution", "max_pool", "average_pool", "lstm_step", "gru_step"]
ELSEWHERE = {
    **dict.fromkeys(["sgd", "rmsprop", "adagrad", "adam"], "test_optimizers.py"),
    **dict.fromkeys([*FORWARD, *(f"{name}_backward" for name in FORWARD)], "test_ops.py"),
}


def test_every_kernel_is_tested():
    kernels = {
        name
        for name, thing in vars(reference).items()
        if inspect.isfunction(thing) and not name.startswith("_")
    }
    tests = [f for name, f in globals().items() if name.startswith("test_")]
    here = "".join(map(inspect.getsource, tests))
    assert {name for name in kernels if f"reference.{name}(" not in here} == set(ELSEWHERE)


# ---- The error function --------------------------------------------------------------------------

ERF_AT = {
    "middle": np.linspace(-1, 1, 2001),
    "shoulders": np.linspace(-7, 7, 5001),
    "tails": np.array([8.0, 20, 26, 27, 28, 29, 40, 1e3, 1e10, 1e300, 1.8e308]),
    "small": 10.0 ** np.arange(-307, 1),
    "subnormal": np.array([5e-324, 1e-323, 1e-320, 2.2e-308]),
    "where the two formulas meet": 0.5 + np.arange(-50, 51) * 2.0**-52,
}


@pytest.mark.parametrize("x", ERF_AT.values(), ids=ERF_AT)
@pytest.mark.parametrize("sign", [1, -1])
def test_erf_is_that_of_the_standard_library(x, sign):
    expected = np.array([math.erf(v) for v in sign * x])
    np.testing.assert_allclose(reference.erf(sign * x), expected, rtol=1e-12, atol=5e-324)


@pytest.mark.parametrize(
    "x, expected", [(np.inf, 1), (-np.inf, -1), (np.nan, np.nan), (0.0, 0.0), (-0.0, -0.0)]
)
def test_erf_of_special_values(x, expected):
    y = reference.erf(np.array([x]))[0]
    np.testing.assert_array_equal(y, expected)
    assert math.copysign(1, y) == math.copysign(1, expected) or math.isnan(expected)


def test_erf_never_leaves_its_range_and_never_falls():
    y = reference.erf(np.linspace(-8, 8, 100_001))
    assert np.all(np.abs(y) <= 1) and np.all(np.diff(y) >= -1e-15)


def test_erf_of_float32_is_float32():
    x = np.linspace(-5, 5, 1001, dtype=np.float32)
    y = reference.erf(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, [math.erf(v) for v in x], rtol=3e-7)


def test_erf_neither_overflows_nor_divides_by_zero():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        reference.erf(np.concatenate([*ERF_AT.values(), [np.inf, -np.inf, 0.0]]))


# ---- Linear algebra ------------------------------------------------------------------------------


def test_matmul_is_the_sum_of_products():
    a, b = X[0], RANDOM.standard_normal((4, 2))
    expected = [[sum(a[i, k] * b[k, j] for k in range(4)) for j in range(2)] for i in range(3)]
    close(reference.matmul(a, b), expected)


def test_scatter_add_adds_twice_where_an_index_comes_twice():
    g = np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    total = reference.scatter_add(np.full((4, 2), 7.0), np.array([3, 0, 3]), g)
    np.testing.assert_array_equal(total, [[10, 20], [0, 0], [0, 0], [101, 202]])


def test_scatter_add_undoes_a_look_up_with_several_indices():
    places = np.array([[0, 1], [1, 1]])
    total = reference.scatter_add(X, (places, slice(None), places), np.ones((2, 2, 3)))
    expected = np.zeros_like(X)
    expected[0, :, 0] += 1
    expected[1, :, 1] += 3
    np.testing.assert_array_equal(total, expected)


@pytest.mark.parametrize("activation", [None, "relu", "silu", "gelu", "gelu_tanh"])
def test_dense_is_a_product_a_bias_and_an_activation(activation):
    weight, bias = RANDOM.standard_normal((4, 5)), RANDOM.standard_normal(5)
    y, z = reference.dense(X, weight, bias, activation)
    product = X @ weight + bias
    close(y, ACTIVATION[activation](product))
    close(z, y if activation == "relu" else product)


@pytest.mark.parametrize("activation", [None, "relu", "silu", "gelu", "gelu_tanh"])
def test_dense_backward_is_its_slope(activation):
    inputs = [X, RANDOM.standard_normal((4, 5)), RANDOM.standard_normal(5)]
    g = RANDOM.standard_normal((2, 3, 5))
    _, z = reference.dense(*inputs, activation)
    gradients = reference.dense_backward(g, z, X, inputs[1], activation)
    for i, d in enumerate(gradients):

        def value(x, i=i):
            return reference.dense(*inputs[:i], x, *inputs[i + 1 :], activation)[0]

        close(d, slope(value, inputs[i], g), 1e-8)
    dx, dw, db = reference.dense_backward(g, z, X, inputs[1], activation, (False, True, False))
    assert dx is None and db is None
    close(dw, gradients[1])


# ---- Activations ---------------------------------------------------------------------------------

PHI = np.vectorize(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))))
ACTIVATION = {
    None: lambda x: x,
    "relu": lambda x: np.where(x > 0, x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * PHI(x),
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}


def test_activations_by_definition():
    close(reference.relu(X), ACTIVATION["relu"](X))
    close(reference.sigmoid(X), 1 / (1 + np.exp(-X)))
    close(reference.silu(X), ACTIVATION["silu"](X))
    close(reference.gelu(X), ACTIVATION["gelu"](X))
    close(reference.gelu(X, approximate=True), ACTIVATION["gelu_tanh"](X))


def test_backward_of_activations_is_their_slope():
    close(reference.relu_backward(G, reference.relu(X)), slope(reference.relu, X, G), 1e-8)
    y = reference.sigmoid(X)
    close(reference.sigmoid_backward(G, y), slope(reference.sigmoid, X, G), 1e-8)
    close(reference.silu_backward(G, X), slope(reference.silu, X, G), 1e-8)
    close(reference.gelu_backward(G, X), slope(reference.gelu, X, G), 1e-8)
    expected = slope(lambda x: reference.gelu(x, approximate=True), X, G)
    close(reference.gelu_backward(G, X, approximate=True), expected, 1e-8)


# ---- Softmax and cross-entropy -------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_softmax_by_definition(axis):
    p = np.exp(X) / np.sum(np.exp(X), axis=axis, keepdims=True)
    close(reference.softmax(X, axis), p)
    close(reference.log_softmax(X, axis), np.log(p))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_backward_is_its_slope(axis):
    p, y = reference.softmax(X, axis), reference.log_softmax(X, axis)
    close(
        reference.softmax_backward(G, p, axis),
        slope(lambda x: reference.softmax(x, axis), X, G),
        1e-8,
    )
    close(
        reference.log_softmax_backward(G, y, axis),
        slope(lambda x: reference.log_softmax(x, axis), X, G),
        1e-8,
    )


@pytest.mark.parametrize("shift", [-1e4, 1e4, 1e300])
def test_softmax_does_not_see_a_shift(shift):
    x = np.array([0.0, 1.0, 3.0])
    close(reference.softmax(x + 1e4), reference.softmax(x))
    assert np.all(np.isfinite(reference.log_softmax(np.array([shift, 0.0, -shift]))))


def test_cross_entropy_by_definition():
    logits, labels, g = X[0], np.array([3, 0, 1]), G[0, :, 0]
    loss, norms = reference.cross_entropy(logits, labels)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    close(loss, [-math.log(p[i, label]) for i, label in enumerate(labels)])
    close(logits - norms.sum(axis=1, keepdims=True), np.log(p))
    expected = slope(lambda z: reference.cross_entropy(z, labels)[0], logits, g)
    close(reference.cross_entropy_backward(g, logits, norms, labels), expected, 1e-8)


@pytest.mark.parametrize(
    "labels, received",
    [
        (np.array([0, 4, 1]), "labels are 0 to 3. Received: 0 to 4"),
        (np.array([0, -1, 1]), "labels are 0 to 3. Received: -1 to 1"),
        (np.array([0, 1]), r"3 rows of logits need as many integer labels. Received: shape \(2,\)"),
        (np.array([0.0, 1, 2]), "integer labels. Received: shape .*, dtype float64"),
    ],
)
def test_wrong_labels_are_named_both_ways(labels, received):
    with pytest.raises(ValueError, match=received):
        reference.cross_entropy(X[0], labels)
    with pytest.raises(ValueError, match=received):
        reference.cross_entropy_backward(G[0, :, 0], X[0], np.ones((3, 2)), labels)


# ---- Normalization -------------------------------------------------------------------------------


def test_layer_norm_has_mean_0_and_variance_1_before_scale_and_offset():
    scale, offset = RANDOM.standard_normal((2, 4))
    y, mean, r = reference.layer_norm(X, scale, offset, 0.0)
    normal = (y - offset) / scale
    close(np.mean(normal, axis=-1), 0)
    close(np.var(normal, axis=-1), 1)
    close(mean, np.mean(X, axis=-1, keepdims=True))
    close(r, 1 / np.std(X, axis=-1, keepdims=True))


def test_layer_norm_backward_is_its_slope():
    scale, offset = RANDOM.standard_normal((2, 4))
    inputs = X, scale, offset
    _, mean, r = reference.layer_norm(*inputs, 0.01)
    gradients = reference.layer_norm_backward(G, X, mean, r, scale)
    for i, gradient in enumerate(gradients):

        def value(x, i=i):
            return reference.layer_norm(*inputs[:i], x, *inputs[i + 1 :], 0.01)[0]

        close(gradient, slope(value, inputs[i], G), 1e-8)


def test_rms_norm_divides_by_the_root_of_the_mean_square():
    scale = RANDOM.standard_normal(4)
    y, r = reference.rms_norm(X, scale, 0.01)
    close(r, 1 / np.sqrt(np.mean(X**2, axis=-1, keepdims=True) + 0.01))
    close(y, scale * X * r)


def test_rms_norm_backward_is_its_slope():
    scale = RANDOM.standard_normal(4)
    dx, dscale = reference.rms_norm_backward(G, X, reference.rms_norm(X, scale, 0.01)[1], scale)
    close(dx, slope(lambda x: reference.rms_norm(x, scale, 0.01)[0], X, G), 1e-8)
    close(dscale, slope(lambda s: reference.rms_norm(X, s, 0.01)[0], scale, G), 1e-8)


# ---- Attention -----------------------------------------------------------------------------------

Q, K, V = (RANDOM.standard_normal(shape) for shape in [(2, 4, 3, 5), (2, 2, 6, 5), (2, 2, 6, 7)])
GO = RANDOM.standard_normal((2, 4, 3, 7))
MASK = np.array([[True, False, True, True, True, False], [False] * 6])
ATTENTION = [{}, {"causal": True}, {"mask": MASK}, {"causal": True, "mask": MASK, "scale": 0.3}]


@pytest.mark.parametrize("options", ATTENTION)
def test_attention_by_definition(options):
    o, norms = reference.attention(Q, K, V, **options)
    for b, h, i in np.ndindex(2, 4, 3):
        seen = [j for j in range(6) if not options.get("causal") or j <= i + 3]
        seen = [j for j in seen if MASK[b, j] or options.get("mask") is None]
        scale = options.get("scale", 1 / math.sqrt(5))
        z = np.array([scale * Q[b, h, i] @ K[b, h // 2, j] for j in seen])
        e = np.exp(z)
        expected = sum((e[a] / e.sum() * V[b, h // 2, j] for a, j in enumerate(seen)), np.zeros(7))
        close(o[b, h, i], expected)
        largest = z.max(initial=-np.inf)
        log = math.log(e.sum()) - largest if seen else -np.inf
        close(norms[b, h, i], [largest, log])


@pytest.mark.parametrize("options", [*ATTENTION, {"rate": 0.4, "key": 3, "causal": True}])
def test_attention_backward_is_its_slope(options):
    results = reference.attention(Q, K, V, **options)
    gradients = reference.attention_backward(GO, Q, K, V, *results, **options)
    inputs = [Q, K, V]
    for i, d in enumerate(gradients):

        def value(x, i=i):
            return reference.attention(*inputs[:i], x, *inputs[i + 1 :], **options)[0]

        close(d, slope(value, inputs[i], GO), 1e-8)


def test_attention_drops_by_the_random_numbers_of_its_key():
    o, norms = reference.attention(Q, K, np.ones_like(V), rate=0.4, key=3)
    z = np.einsum("bhtd,bhsd->bhts", Q, np.repeat(K, 2, 1)) / math.sqrt(5)
    p = np.exp(z - np.sum(norms, axis=-1, keepdims=True))
    close(p.sum(-1), 1)
    kept = reference.random_uniform(p, 3) >= 0.4
    close(o[..., 0], np.sum(p * kept / 0.6, axis=-1))


# ---- Randomness ----------------------------------------------------------------------------------

# random_uniform(x, key) 2²⁴ for the first elements of x: what every machine must make.
# Those of key 0 are the published ones of SplitMix64 with seed 0: 0xE220A8 = 14819496 and so on.
FIRST_NUMBERS = {
    0: [14819496, 7239838, 443485, 16288696, 1784201, 5491615],
    1: [12578688, 6247724, 7353183, 16007422, 3389999, 9995327],
    2: [4265000, 15010964, 6272803, 12534426, 9011819, 15267182],
    2**32 - 1: [8349125, 5467949, 2878657, 4704204, 158553, 8976911],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("key", FIRST_NUMBERS)
def test_random_numbers_are_the_same_on_every_machine(key, dtype):
    u = reference.random_uniform(np.empty((2, 3), dtype), key)
    assert u.dtype == dtype
    np.testing.assert_array_equal(u.ravel() * 2**24, FIRST_NUMBERS[key])


def uniform(key, n=100_000):
    return reference.random_uniform(np.empty(n), key)


@pytest.mark.parametrize("key", [0, 1, 2, 12345, 2**32 - 1])
def test_random_numbers_are_uniform(key):
    u = uniform(key)
    assert u.min() >= 0 and u.max() < 1
    counts = np.histogram(u, bins=100, range=(0, 1))[0]
    chi_squared = np.sum((counts - 1000) ** 2 / 1000)
    assert 60 < chi_squared < 150  # 99 degrees of freedom: 99 ± 14


@pytest.mark.parametrize("low_bits", [1, 2, 4, 8])
def test_low_bits_are_uniform_too(low_bits):
    counts = np.bincount((uniform(3) * 2**24).astype(int) % 2**low_bits)
    n = 100_000 / 2**low_bits
    assert np.sum((counts - n) ** 2 / n) < 2**low_bits + 5 * math.sqrt(2 * 2**low_bits)


@pytest.mark.parametrize("distance", [1, 2, 3, 1 << 16, 1 << 31])
@pytest.mark.parametrize("lag", [-1, 0, 1, 2])
def test_keys_that_are_neighbours_give_independent_numbers(distance, lag):
    one, other = uniform(7), np.roll(uniform(7 + distance), lag)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.015  # 1/√n is 0.003


@pytest.mark.parametrize("lag", [1, 2, 64, 1000])
def test_numbers_of_one_key_are_independent(lag):
    u = uniform(7)
    assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 0.015


def test_random_numbers_depend_on_place_and_key_alone():
    x = RANDOM.standard_normal((4, 6))
    expected = reference.random_uniform(np.empty(24), 5)
    np.testing.assert_array_equal(reference.random_uniform(x, 5).ravel(), expected)
    np.testing.assert_array_equal(reference.random_uniform(x[:2], 5).ravel(), expected[:12])


@pytest.mark.parametrize("shape", [(), (0,), (0, 3)])
def test_random_numbers_of_any_shape(shape):
    assert reference.random_uniform(np.empty(shape), 1).shape == shape


def test_dropout_keeps_where_the_random_number_reaches_the_rate():
    u = reference.random_uniform(X, 9)
    y = reference.dropout(X, 0.25, 9)
    np.testing.assert_array_equal(y, np.where(u >= 0.25, X / 0.75, 0))
    assert reference.dropout(X.astype(np.float32), 0.25, 9).dtype == np.float32
