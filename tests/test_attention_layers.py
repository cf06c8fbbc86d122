"""Attention, positions and blocks: what is hidden counts for nothing, and steps may come singly."""

import functools

import numpy as np
import pytest

from minigrad import Tensor, layers, losses, models, no_grad, ops, random
from minigrad.layers import (
    KeyValueCache,
    MultiHeadAttention,
    TransformerDecoder,
    TransformerEncoder,
)

N, T, D = 2, 6, 8
X = np.random.default_rng(0).standard_normal((N, T, D))
G = np.random.default_rng(2).standard_normal((N, T, D))  # dL/dy
MEMORY = np.random.default_rng(1).standard_normal((N, 5, 4))
MASK = np.array([[True, True, True, True, False, False], [True, False, True, True, True, False]])
MEMORY_MASK = np.array([[True, False, True, True, False], [False, True, True, True, True]])

DOUBLE = {"dtype": "float64"}
LLAMA = {
    "activation": "silu",
    "gated": True,
    "normalization": "rms",
    "normalize_first": True,
    "num_key_value_heads": 2,
    "rope_max_wavelength": 100,
    "use_bias": False,
}
SELF = {
    "attention": lambda **options: MultiHeadAttention(2, 3, **options),
    "grouped rotary attention": lambda **options: MultiHeadAttention(
        4, 2, num_key_value_heads=2, rope_max_wavelength=100, **options
    ),
    "encoder": lambda **options: TransformerEncoder(5, 2, **options),
    "encoder, normalized first": lambda **options: TransformerEncoder(
        5, 2, normalize_first=True, **options
    ),
    "decoder": lambda **options: TransformerDecoder(5, 2, **options),
    "decoder of Llama": lambda **options: TransformerDecoder(5, 4, **LLAMA, **options),
}
CROSS = {
    "attention": (lambda **options: MultiHeadAttention(2, 3, **options), "value", "value_mask"),
    "decoder": (
        lambda **options: TransformerDecoder(5, 2, use_cross_attention=True, **options),
        "encoder_sequence",
        "encoder_mask",
    ),
}
CAUSAL = {name: make for name, make in SELF.items() if not name.startswith("encoder")}
EVERY_CAUSAL = pytest.mark.parametrize("make", CAUSAL.values(), ids=CAUSAL)
EVERY_SELF = pytest.mark.parametrize("make", SELF.values(), ids=SELF)
EVERY_CROSS = pytest.mark.parametrize("make, value, value_mask", CROSS.values(), ids=CROSS)


@pytest.fixture(autouse=True)
def same_parameters_in_every_run():
    random.seed(0)


def causal(layer):
    """The call of a layer in which no step sees a later one."""
    if isinstance(layer, MultiHeadAttention):
        return functools.partial(layer, use_causal_mask=True)
    return layer


# ---- Masks ---------------------------------------------------------------------------------------


@EVERY_SELF
def test_no_gradient_comes_to_a_hidden_step(make):
    x = Tensor(X, requires_grad=True)
    make(**DOUBLE)(x, mask=MASK).backward(np.where(MASK[..., None], G, 0))
    assert (x.grad[~MASK] == 0).all() and (x.grad[MASK] != 0).any(axis=-1).all()


@EVERY_CROSS
def test_no_gradient_comes_to_a_hidden_value(make, value, value_mask):
    memory = Tensor(MEMORY, requires_grad=True)
    make(**DOUBLE)(X, **{value: memory, value_mask: MEMORY_MASK}).backward(G)
    assert (memory.grad[~MEMORY_MASK] == 0).all()
    assert (memory.grad[MEMORY_MASK] != 0).any(axis=-1).all()


@EVERY_SELF
def test_what_a_hidden_step_holds_changes_no_other(make):
    layer, other = make(**DOUBLE), np.where(MASK[..., None], X, 100 * X[:, ::-1])
    y, same = layer(X, mask=MASK).data, layer(other, mask=MASK).data
    np.testing.assert_array_equal(same[MASK], y[MASK])
    assert (layer(other).data[MASK] != y[MASK]).any()


@EVERY_CROSS
def test_what_a_hidden_value_holds_changes_nothing(make, value, value_mask):
    layer, other = make(**DOUBLE), np.where(MEMORY_MASK[..., None], MEMORY, 100)
    y = layer(X, **{value: MEMORY, value_mask: MEMORY_MASK}).data
    np.testing.assert_array_equal(layer(X, **{value: other, value_mask: MEMORY_MASK}).data, y)


@EVERY_SELF
def test_a_sequence_that_is_filled_up_is_as_it_is_alone(make):
    layer = make(**DOUBLE)
    y = layer(X, mask=MASK).data
    np.testing.assert_allclose(layer(X[:1, :4]).data, y[:1, :4], rtol=0, atol=1e-12)


@EVERY_SELF
def test_a_mask_that_hides_nothing_changes_nothing(make):
    layer = make(**DOUBLE)
    np.testing.assert_array_equal(layer(X, mask=np.ones((N, T), bool)).data, layer(X).data)


def test_a_mask_goes_through_blocks_to_what_comes_after():
    model = models.Sequential(
        [
            layers.Embedding(9, D, mask_zero=True),
            layers.PositionEmbedding(T),
            layers.SinePositionEncoding(),
            layers.RMSNormalization(),
            layers.FeedForward(5),
            *(make() for make in SELF.values()),
        ]
    )
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]])
    y, mask = model(ids).data, model.compute_mask(ids)
    np.testing.assert_array_equal(mask, ids != 0)
    np.testing.assert_allclose(model(ids[:1, :3]).data, y[:1, :3], rtol=0, atol=1e-5)


def test_a_query_that_sees_no_key_gets_the_bias():
    layer = MultiHeadAttention(2, 3, bias_initializer="ones")
    y = layer(X, mask=np.zeros((N, T), bool))
    np.testing.assert_array_equal(y.data, np.ones((N, T, D)))


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "some"])
@EVERY_CAUSAL
def test_no_step_sees_a_later_one(make, mask):
    layer = make(**DOUBLE)
    later = np.concatenate([X[:, :3], 10 * X[:, 3:]], axis=1)
    y, other = (causal(layer)(x, mask=mask).data for x in (X, later))
    np.testing.assert_array_equal(other[:, :3], y[:, :3])
    assert (other[:, 3:] != y[:, 3:]).any(axis=(0, 2)).all()


# ---- The weights of attention --------------------------------------------------------------------


def test_attention_scores_are_the_weights_of_the_values():
    layer = MultiHeadAttention(4, 3, num_key_value_heads=2, **DOUBLE)
    y, p = layer(X, mask=MASK, use_causal_mask=True, return_attention_scores=True)
    p = p.data  # (n, h, t, s)
    assert p.shape == (N, 4, T, T)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-12)
    assert (p[:, :, np.triu(np.ones((T, T), bool), 1)] == 0).all()
    assert all((p[n][:, :, ~MASK[n]] == 0).all() for n in range(N))

    v = layer.value(X).data.reshape(N, T, 2, 3).repeat(2, axis=2)  # (n, s, h, d)
    o = np.einsum("nhts,nshd->nthd", p, v).reshape(N, T, 12)
    np.testing.assert_allclose(layer.output(o).data, y.data, rtol=0, atol=1e-12)


def test_attention_scores_do_not_change_the_result():
    layer = MultiHeadAttention(2, 3)
    y, _ = layer(X, return_attention_scores=True)
    np.testing.assert_array_equal(y.data, layer(X).data)


# ---- Positions -----------------------------------------------------------------------------------


def test_rotary_attention_depends_on_distances_and_not_on_places():
    layer, far = MultiHeadAttention(2, 4, rope_max_wavelength=50, **DOUBLE), KeyValueCache(40)
    y = layer(X).data
    with no_grad():
        layer(np.ones((N, 30, D)), mask=np.zeros((N, 30), bool), cache=far)
        np.testing.assert_allclose(layer(X, cache=far).data, y, rtol=0, atol=1e-12)
    assert np.abs(layer(X[:, ::-1]).data[:, ::-1] - y).max() > 0.01


def test_pairs_of_neighbours_are_halves_in_another_order():
    layer = MultiHeadAttention(2, 6, rope_max_wavelength=50, use_bias=False, **DOUBLE)
    _, p = layer(X, return_attention_scores=True)
    order = np.array([0, 2, 4, 1, 3, 5])
    theirs = {}  # weights whose columns are such that neighbours are pairs
    for name in ("query", "key"):
        ours = vars(layer)[name].weight.data.reshape(D, 2, 6)
        theirs[name] = np.empty_like(ours)
        theirs[name][..., order] = ours
        np.testing.assert_array_equal(theirs[name][..., order], ours)

    theta = np.arange(T)[:, None] / 50 ** (np.arange(3) / 3)
    turned = {}
    for name, weight in theirs.items():
        x = np.einsum("ntd,dhk->nhtk", X, weight)
        z = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * theta)
        turned[name] = np.stack([z.real, z.imag], axis=-1).reshape(x.shape)
    z = np.einsum("nhtk,nhsk->nhts", turned["query"], turned["key"]) / np.sqrt(6)
    np.testing.assert_allclose(p.data, ops.softmax(z).data, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "layer",
    [layers.PositionEmbedding(9), layers.SinePositionEncoding(), layers.RotaryEmbedding()],
    ids=repr,
)
def test_steps_may_come_in_two_parts(layer):
    whole = layer(X).data
    parts = [layer(X[:, :2]).data, layer(X[:, 2:], start=2).data]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-12)


# ---- Keys and values that are kept ---------------------------------------------------------------


def by_steps(call, caches, x, mask=None, first=3):
    """The results for the first steps together, and then for one after another."""
    cuts = [0, first, *range(first + 1, x.shape[1] + 1)]
    results = []
    with no_grad():
        for start, end in zip(cuts, cuts[1:]):
            now = None if mask is None else mask[:, start:end]
            results.append(call(x[:, start:end], now, caches, start).data)
    return np.concatenate(results, axis=1)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("mask", [None, MASK[:, ::-1]], ids=["all", "some"])
@EVERY_CAUSAL
def test_steps_that_come_singly_get_the_same_result(make, mask, dtype, tolerance):
    layer, x = make(dtype=dtype), X.astype(dtype)

    def call(x, mask, cache, start):
        return causal(layer)(x, mask=mask, cache=cache)

    whole = causal(layer)(x, mask=mask).data
    np.testing.assert_allclose(
        by_steps(call, KeyValueCache(T), x, mask), whole, rtol=0, atol=tolerance
    )


def test_a_stack_of_decoders_with_an_encoder_gets_the_same_result_by_steps():
    embed = layers.PositionEmbedding(T, **DOUBLE)
    stack = [TransformerDecoder(5, 2, use_cross_attention=True, **DOUBLE) for _ in range(3)]

    def call(x, mask, caches, start):
        x = embed(x, start=start)
        for block, cache in zip(stack, caches, strict=True):
            x = block(x, MEMORY, encoder_mask=MEMORY_MASK, mask=mask, cache=cache)
        return x

    whole = call(X, None, [None] * 3, 0).data
    steps = by_steps(call, [KeyValueCache(9) for _ in stack], X)
    np.testing.assert_allclose(steps, whole, rtol=0, atol=1e-12)


def test_a_mask_that_comes_later_hides_its_steps_alone():
    layer, cache = MultiHeadAttention(2, 3, **DOUBLE), KeyValueCache(T)
    later = np.ones((N, T), bool)
    later[:, 3] = False
    with no_grad():
        layer(X[:, :2], cache=cache)
        layer(X[:, 2:4], mask=later[:, 2:4], cache=cache)
        y = layer(X[:, 4:], cache=cache)
    expected = layer(X, mask=later).data[:, 4:]
    np.testing.assert_allclose(y.data, expected, rtol=0, atol=1e-12)


def test_a_cache_goes_back_to_a_step():
    layer, cache = MultiHeadAttention(2, 4, rope_max_wavelength=50, **DOUBLE), KeyValueCache(T)
    with no_grad():
        layer(X[:, :3], cache=cache)
        expected = layer(X[:, 3:], cache=cache).data
        cache.size = 3
        np.testing.assert_array_equal(layer(X[:, 3:], cache=cache).data, expected)


def test_a_cache_that_went_back_hides_nothing_of_what_is_written_anew():
    layer, cache = MultiHeadAttention(2, 3, **DOUBLE), KeyValueCache(T)
    with no_grad():
        layer(X, mask=np.zeros((N, T), bool), cache=cache)
        cache.size = 0
        y = layer(X, cache=cache)
    np.testing.assert_allclose(y.data, layer(X).data, rtol=0, atol=1e-12)


def test_a_cache_takes_its_memory_once():
    layer, cache = MultiHeadAttention(2, 3), KeyValueCache(T)
    with no_grad():
        layer(X[:, :3], cache=cache)
        memory = cache._keys, cache._values
        layer(X[:, 3:], cache=cache)
    assert all(after is before for after, before in zip((cache._keys, cache._values), memory))
    assert cache._keys.dtype == "float32" and cache._keys.shape == (N, 2, T, 3)


# ---- Dropout -------------------------------------------------------------------------------------


@EVERY_SELF
def test_dropout_is_fixed_by_the_seed_in_training_and_off_otherwise(make):
    layer, sure = make(dropout=0.3), make()
    runs = []
    for seed in (1, 1, 2):
        random.seed(0)
        layer(X)  # which builds it, and draws its parameters
        random.seed(seed)
        runs.append(layer(X, training=True).data)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()

    sure(X)
    for path, weight in sure.weights().items():
        weight.assign(layer.weights()[path])
    np.testing.assert_array_equal(layer(X).data, sure(X).data)
    assert (runs[0] != sure(X).data).any()


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_a_block_drops_all_that_it_adds(first, cross):
    options = {"normalize_first": first, "use_cross_attention": cross, "dropout": 0.3}
    inputs = [X, MEMORY] if cross else [X]
    block = TransformerDecoder(5, 2, **options, **DOUBLE)
    block(*inputs)
    assert block.drop.rate == 0.3
    block.drop = lambda x: 0 * x
    norms = [block.attention_norm, block.feed_forward_norm]
    if cross:
        norms.insert(1, block.cross_attention_norm)
    expected = X if first else functools.reduce(lambda x, norm: norm(x), norms, X).data
    np.testing.assert_array_equal(block(*inputs).data, expected)


# ---- Learning ------------------------------------------------------------------------------------


def test_a_small_transformer_learns_what_is_a_matter_of_order():
    """Does 1 come before 2?   Among other numbers, in sequences of different lengths"""
    random.seed(0)
    numbers = np.random.default_rng(0)
    ids = np.zeros((600, 8), dtype="int64")
    for row in ids:
        length = numbers.integers(3, 9)
        row[:length] = numbers.integers(3, 9, length)
        row[numbers.choice(length, 2, replace=False)] = 1, 2
    labels = (np.argmax(ids == 1, axis=1) < np.argmax(ids == 2, axis=1)).astype("float32")[:, None]
    model = models.Sequential(
        [
            layers.Embedding(9, 16, mask_zero=True),
            layers.PositionEmbedding(8),
            TransformerEncoder(32, 2, normalize_first=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile("adam", losses.BinaryCrossentropy(), ["accuracy"])
    model.optimizer.learning_rate = 0.01
    model.fit(ids[:500], labels[:500], epochs=12, verbose=0)
    _, accuracy = model.evaluate(ids[500:], labels[500:], verbose=0)
    assert accuracy > 0.9


# ---- Errors --------------------------------------------------------------------------------------


def with_cache(*shapes, length=4, key_dims=(3, 3)):
    """Attention to sequences of these shapes, one after another, with one cache."""
    cache = KeyValueCache(length)
    with no_grad():
        for (n, t), key_dim in zip(shapes, key_dims):
            MultiHeadAttention(2, key_dim)(np.ones((n, t, D)), cache=cache)


ERRORS = {
    "no heads": (lambda: MultiHeadAttention(0, 3), "MultiHeadAttention needs num_heads .*=0"),
    "key_dim as a string": (lambda: MultiHeadAttention(2, "3"), "key_dim .*key_dim='3'"),
    "value_dim below 1": (lambda: MultiHeadAttention(2, 3, -1), "value_dim .*value_dim=-1"),
    "heads that do not divide": (
        lambda: MultiHeadAttention(4, 3, num_key_value_heads=3),
        "multiple of num_key_value_heads.*num_heads=4, num_key_value_heads=3",
    ),
    "more heads of keys than of queries": (
        lambda: MultiHeadAttention(2, 3, num_key_value_heads=4),
        "num_heads=2, num_key_value_heads=4",
    ),
    "dropout of all": (lambda: MultiHeadAttention(2, 3, dropout=1), "dropout .*dropout=1"),
    "rotary pairs of three": (
        lambda: MultiHeadAttention(2, 3, rope_max_wavelength=10),
        "key_dim must be even. Received: key_dim=3",
    ),
    "a wavelength of nothing": (
        lambda: MultiHeadAttention(2, 4, rope_max_wavelength=0),
        "rope_max_wavelength .*=0",
    ),
    "attention of rows": (
        lambda: MultiHeadAttention(2, 3)(np.ones((3, 4))),
        r"MultiHeadAttention needs sequences \(n, t, d\). Received: shape \(3, 4\)",
    ),
    "a value of rows": (
        lambda: MultiHeadAttention(2, 3)(X, np.ones((N, 4))),
        r"needs sequences \(n, t, d\). Received: shape \(2, 4\)",
    ),
    "a key of rows": (
        lambda: MultiHeadAttention(2, 3)(X, MEMORY, np.ones((N, 5))),
        r"needs sequences \(n, t, d\). Received: shape \(2, 5\)",
    ),
    "a value of other examples": (
        lambda: MultiHeadAttention(2, 3)(X, MEMORY[:1]),
        r"\(n, s, ...\). Received: shapes \(2, 6, 8\), \(1, 5, 4\) and \(1, 5, 4\)",
    ),
    "a key of other steps": (
        lambda: MultiHeadAttention(2, 3)(X, MEMORY, X),
        r"Received: shapes \(2, 6, 8\), \(2, 5, 4\) and \(2, 6, 8\)",
    ),
    "a key without a value": (
        lambda: MultiHeadAttention(2, 3)(X, key=MEMORY),
        "a key and a value_mask together with a value. Received: value=None",
    ),
    "a value_mask without a value": (
        lambda: MultiHeadAttention(2, 3)(X, value_mask=MASK),
        "a key and a value_mask together with a value. Received: value=None",
    ),
    "other features": (
        lambda: build(MultiHeadAttention(2, 3))(np.ones((N, T, 7))),
        r"8 features.*Received: shape \(2, 6, 7\)",
    ),
    "a mask of other steps": (
        lambda: MultiHeadAttention(2, 3)(X, mask=MASK[:, 1:]),
        r"MultiHeadAttention needs a mask.*shape \(2, 6\). Received: bool of shape \(2, 5\)",
    ),
    "a mask of numbers": (
        lambda: TransformerEncoder(5, 2)(X, mask=MASK.astype("float32")),
        r"needs a mask of booleans.*Received: float32 of shape \(2, 6\)",
    ),
    "a mask in a list": (
        lambda: MultiHeadAttention(2, 3)(X, mask=MASK.tolist()),
        r"needs a mask of booleans.*Received: list of shape \(2, 6\)",
    ),
    "a mask of the queries for the values": (
        lambda: MultiHeadAttention(2, 3)(X, MEMORY, value_mask=MASK),
        r"shape \(2, 5\). Received: bool of shape \(2, 6\)",
    ),
    "a mask of the values for the queries": (
        lambda: MultiHeadAttention(2, 3)(X, MEMORY, mask=MEMORY_MASK),
        r"shape \(2, 6\). Received: bool of shape \(2, 5\)",
    ),
    "a mask of weights (t, s)": (
        lambda: MultiHeadAttention(2, 3)(X, mask=np.ones((T, T), bool)),
        r"shape \(2, 6\). Received: bool of shape \(6, 6\)",
    ),
    "rotary positions in two sequences": (
        lambda: MultiHeadAttention(2, 4, rope_max_wavelength=10)(X, MEMORY),
        r"within one sequence alone. Received: a value .* \(2, 5, 4\)",
    ),
    "a cache of another sequence": (
        lambda: MultiHeadAttention(2, 4)(X, MEMORY, cache=KeyValueCache(9)),
        r"within one sequence alone. Received: a value .* \(2, 5, 4\)",
    ),
    "a cache that is full": (
        lambda: with_cache((2, 3), (2, 2)),
        "room for 4 steps. Received: steps 3 to 4",
    ),
    "a cache of other examples": (
        lambda: with_cache((2, 3), (1, 1)),
        r"made for n, h, d, e = \(2, 2, 3, 3\). Received: \(1, 2, 3, 3\)",
    ),
    "a cache of another layer": (
        lambda: with_cache((2, 1), (2, 1), key_dims=(3, 1)),
        r"with one layer.*made for n, h, d, e = \(2, 2, 3, 3\). Received: \(2, 2, 1, 1\)",
    ),
    "a cache of no steps": (lambda: KeyValueCache(0), "KeyValueCache needs length .*length=0"),
    "a cache that goes ahead": (
        lambda: setattr(KeyValueCache(4), "size", 2),
        "a KeyValueCache of 0 steps goes back to one of them, or to 0. Received: size=2",
    ),
    "a cache that goes back too far": (
        lambda: setattr(KeyValueCache(4), "size", -1),
        "goes back to one of them, or to 0. Received: size=-1",
    ),
    "a cache in training": (
        lambda: MultiHeadAttention(2, 3)(X, cache=KeyValueCache(T)),
        r"holds no gradients: call the layer in no_grad\(\)",
    ),
    "more steps than positions": (
        lambda: layers.PositionEmbedding(4)(X),
        r"PositionEmbedding has 4 positions.*shape \(2, 6, 8\), that is steps 0 to 5",
    ),
    "later steps than positions": (
        lambda: layers.PositionEmbedding(9)(X, start=4),
        "has 9 positions.*steps 4 to 9",
    ),
    "steps before the first": (
        lambda: layers.PositionEmbedding(9)(X, start=-1),
        "has 9 positions.*steps -1 to 4",
    ),
    "no positions": (lambda: layers.PositionEmbedding(0), "sequence_length .*sequence_length=0"),
    "positions of rows": (
        lambda: layers.PositionEmbedding(4)(X[0]),
        r"PositionEmbedding needs sequences \(n, t, d\). Received: shape \(6, 8\)",
    ),
    "positions of other features": (
        lambda: build(layers.PositionEmbedding(9))(np.ones((N, T, 1))),
        r"PositionEmbedding needs sequences \(n, t, 8\). Received: shape \(2, 6, 1\)",
    ),
    "sines in odd features": (
        lambda: layers.SinePositionEncoding()(X[:, :, :7]),
        r"SinePositionEncoding needs an even number of features.*\(2, 6, 7\)",
    ),
    "turns of odd features": (
        lambda: layers.RotaryEmbedding()(X[:, :, :7]),
        r"RotaryEmbedding needs an even number of features.*\(2, 6, 7\)",
    ),
    "turns of rows": (
        lambda: layers.RotaryEmbedding()(X[0]),
        r"RotaryEmbedding needs sequences \(..., t, d\).*\(6, 8\)",
    ),
    "groups that do not divide": (
        lambda: layers.GroupNormalization(3)(X),
        "groups of one size. Received: 8 features, groups=3",
    ),
    "a block of rows": (
        lambda: TransformerEncoder(5, 2)(X[0]),
        r"TransformerEncoder needs sequences \(n, t, d\). Received: shape \(6, 8\)",
    ),
    "features that heads cannot share": (
        lambda: TransformerDecoder(5, 3)(X),
        r"TransformerDecoder gives each head.*num_heads=3, input of shape \(2, 6, 8\)",
    ),
    "an unknown normalization": (
        lambda: TransformerEncoder(5, 2, normalization="batch"),
        "unknown normalization 'batch'.*layer, rms",
    ),
    "a network of no units": (
        lambda: TransformerEncoder(0, 2),
        "TransformerEncoder needs intermediate_dim .*intermediate_dim=0",
    ),
    "an encoder that was not announced": (
        lambda: TransformerDecoder(5, 2)(X, MEMORY),
        r"use_cross_attention=False, encoder_sequence of shape \(2, 5, 4\)",
    ),
    "a mask of no encoder": (
        lambda: TransformerDecoder(5, 2)(X, encoder_mask=MEMORY_MASK),
        "use_cross_attention=False, encoder_sequence of shape None",
    ),
    "an encoder that is missing": (
        lambda: TransformerDecoder(5, 2, use_cross_attention=True)(X),
        "use_cross_attention=True, encoder_sequence of shape None",
    ),
    "a mask for groups of all steps": (
        lambda: layers.GroupNormalization(2)(X, mask=MASK),
        r"GroupNormalization takes no mask.*\(2, 6\)",
    ),
}


def build(layer):
    layer(X)
    return layer


@pytest.mark.parametrize("call, message", ERRORS.values(), ids=ERRORS)
def test_error_names_the_culprit_and_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
