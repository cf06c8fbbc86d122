"""Recurrent layers beyond one input and one output: states, masks, directions, what is refused.

That values and gradients are PyTorch's is tested in `test_layers.py`, with all other layers.
"""

import numpy as np
import pytest

import kernels
from kernels import dispatch
from kernels.cpu import recurrent
from minigrad import Tensor, gradcheck, layers, losses, models, ops, random
from tests.golden.make_layers import weights

X = np.random.default_rng(0).standard_normal((3, 5, 2))
MASK = np.array([[True] * 5, [True, True, True, False, False], [False, True, False, True, True]])
KINDS = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}  # and how many states each carries along
EVERY = pytest.mark.parametrize("kind", KINDS)


def make(kind, units=4, **options):
    random.seed(0)
    return getattr(layers, kind)(units, bias_initializer="normal", dtype="float64", **options)


def twin(layer, **options):
    """A layer of the same kind with the same parameters, and other options."""
    other = type(layer)(layer.units, dtype="float64", input_shape=(None, 2), **options)
    for name, parameter in layer.weights().items():
        other.weights()[name].assign(parameter)
    return other


def both(kind, **options):
    """The same layer, returning its last output, and all of them with its states."""
    layer = make(kind, **options)
    layer(X)
    return layer, twin(layer, return_sequences=True, return_state=True, **options)


# ---- States --------------------------------------------------------------------------------------


@EVERY
def test_the_states_returned_go_on_where_the_sequence_was_cut(kind):
    _, layer = both(kind)
    whole, *last = layer(X)
    first, *between = layer(X[:, :2])
    second, *after = layer(X[:, 2:], initial_state=between)
    np.testing.assert_allclose(whole.data, np.concatenate([first.data, second.data], axis=1))
    assert len(last) == KINDS[kind]
    for a, b in zip(last, after, strict=True):
        np.testing.assert_allclose(a.data, b.data)


@EVERY
@pytest.mark.parametrize("mask", [None, MASK], ids=["all steps", "some steps"])
def test_the_last_output_is_the_first_of_the_last_states(kind, mask):
    layer, all_of_it = both(kind)
    y, h, *_ = all_of_it(X, mask=mask)
    np.testing.assert_array_equal(y.data[:, -1], h.data)
    np.testing.assert_array_equal(layer(X, mask=mask).data, h.data)


@EVERY
def test_gradients_of_states_equal_central_differences(kind):
    layer = twin(make_and_call(kind), return_state=True)
    states = [np.ones((3, 4)) / (i + 2) for i in range(KINDS[kind])]

    def call(x, *states):
        return list(layer(x, mask=MASK, initial_state=states))

    gradcheck(call, X, *states)


def make_and_call(kind, **options):
    layer = make(kind, **options)
    layer(X)
    return layer


@EVERY
def test_a_first_state_is_cast_and_may_be_a_list_or_not(kind):
    layer = make_and_call(kind)
    states = [np.ones((3, 4), "float32")] * KINDS[kind]
    expected = layer(X, initial_state=[s.astype("float64") for s in states])
    given = states if kind == "LSTM" else states[0]
    np.testing.assert_array_equal(layer(X, initial_state=given).data, expected.data)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_first_state_that_all_sequences_share_is_left_to_no_other_kernel(kind, monkeypatch):
    name = f"{kind.lower()}_step_backward"
    backward, results = getattr(recurrent, name), []
    monkeypatch.setitem(
        dispatch._compiled, name, lambda *given: results.append(backward(*given)) or results[-1]
    )
    layer = make_and_call(kind)
    state = ops.broadcast_to(Tensor(np.ones(4), requires_grad=True), (3, 4))
    with kernels.use("numba"):
        y = layer(X, initial_state=[state] * KINDS[kind])
        y.backward(np.ones(y.shape))
    assert results == [None] * X.shape[1]


def test_the_states_of_both_directions_are_returned_and_taken_in_order():
    layer = layers.Bidirectional(make("LSTM", return_state=True, return_sequences=True), None)
    (forward, backward), *states = layer(X)
    np.testing.assert_array_equal(states[0].data, forward.data[:, -1])
    np.testing.assert_array_equal(states[2].data, backward.data[:, 0])
    _, *others = layer(X, initial_state=[*states[:2], *[np.zeros((3, 4))] * 2])
    assert np.all(others[0].data != states[0].data)
    np.testing.assert_array_equal(others[2].data, states[2].data)


# ---- Masks ---------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("wrapped", [False, True], ids=["one direction", "both directions"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_what_is_masked_gets_exactly_no_gradient_and_changes_nothing(kind, wrapped, backwards):
    layer = make(kind, return_sequences=True, go_backwards=backwards and not wrapped)
    layer = layers.Bidirectional(layer) if wrapped else layer
    x = Tensor(X, requires_grad=True)
    y = layer(x, mask=MASK)
    y.backward(weights(y.shape))
    assert np.all(x.grad[~MASK] == 0) and np.all(x.grad[MASK] != 0)
    other = layer(np.where(MASK[..., None], X, 7.0), mask=MASK)
    np.testing.assert_array_equal(y.data, other.data)


@EVERY
@pytest.mark.parametrize("filler", [np.nan, np.inf])
def test_what_is_masked_may_be_no_number(kind, filler):
    layer = make(kind, return_sequences=True)
    results = []
    for value in (0.0, filler):
        x = Tensor(np.where(MASK[..., None], X, value), requires_grad=True)
        y = layer(x, mask=MASK)
        layer.zero_grad()
        y.backward(weights(y.shape))
        results.append([y.data, x.grad, *(p.grad for p in layer.parameters())])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@EVERY
def test_a_masked_step_repeats_the_output_before_it(kind):
    y = make(kind, return_sequences=True)(X, mask=MASK).data
    np.testing.assert_array_equal(y[1, 3:], [y[1, 2]] * 2)
    np.testing.assert_array_equal(y[2, 0], np.zeros(4))
    np.testing.assert_array_equal(y[2, 2], y[2, 1])


@EVERY
def test_a_sequence_without_steps_that_count_keeps_its_first_state(kind):
    layer = make_and_call(kind)
    states = [np.full((3, 4), 0.5)] * KINDS[kind]
    y = layer(X, mask=np.zeros((3, 5), bool), initial_state=states)
    np.testing.assert_array_equal(y.data, states[0])


@EVERY
def test_filling_up_changes_no_result(kind):
    model = models.Sequential(
        [
            layers.Embedding(9, 2, mask_zero=True),
            layers.Bidirectional(getattr(layers, kind)(3, return_sequences=True)),
            getattr(layers, kind)(4),
            layers.Dense(1),
        ]
    )
    short, long = np.array([[3, 1, 4]]), np.array([[3, 1, 4, 0, 0, 0]])
    np.testing.assert_allclose(model(short).data, model(long).data, rtol=1e-5)


@EVERY
def test_the_mask_goes_on_with_a_sequence_alone(kind):
    for layer in (make(kind), layers.Bidirectional(make(kind))):
        assert layer.compute_mask(X, MASK) is None
    sequences = make(kind, return_sequences=True)
    for layer in (sequences, layers.Bidirectional(sequences)):
        assert layer.compute_mask(X, MASK) is MASK


# ---- Layers --------------------------------------------------------------------------------------


@EVERY
def test_dropout_drops_the_same_features_at_all_steps(kind):
    layer = twin(make_and_call(kind), return_sequences=True, dropout=0.5)
    x = np.ones((64, 6, 2))
    x[:, 1:] = 0  # with one step alone, what matters is whether its features were dropped
    dropped = layer(x, training=True).data[:, 0]
    assert 3 <= len(np.unique(dropped.round(12), axis=0)) <= 4
    g = Tensor(np.ones((64, 6, 2)), requires_grad=True)
    y = layer(g, training=True)
    y.backward(np.ones(y.shape))
    assert np.all((g.grad == 0) == (g.grad[:, :1] == 0)) and np.any(g.grad == 0)


def test_the_bias_of_the_forget_gate_starts_from_one():
    bias = layers.LSTM(3, input_shape=(None, 2)).weights()["bias"].data
    np.testing.assert_array_equal(bias, [0] * 3 + [1] * 3 + [0] * 6)
    layer = layers.LSTM(3, unit_forget_bias=False, input_shape=(None, 2))
    np.testing.assert_array_equal(layer.weights()["bias"].data, np.zeros(12))


def test_a_constant_initializer_of_the_bias_is_used_again_for_other_layers():
    ones = layers.LSTM(2, bias_initializer="ones").bias_initializer
    layers.LSTM(2, bias_initializer=ones, input_shape=(None, 2)).weights()
    np.testing.assert_array_equal(ones((8,)), np.ones(8))


def test_the_recurrent_weight_starts_orthogonal():
    weight = layers.GRU(4, input_shape=(None, 2)).weights()["recurrent_weight"].data
    np.testing.assert_allclose(weight @ weight.T, np.eye(4), atol=1e-6)


@EVERY
def test_a_frozen_layer_passes_the_gradient_on(kind):
    layer = make_and_call(kind)
    x, same = (Tensor(X, requires_grad=True) for _ in range(2))
    layer(x).backward(np.ones((3, 4)))
    layer.zero_grad()
    layer.trainable = False
    layer(same).backward(np.ones((3, 4)))
    np.testing.assert_array_equal(same.grad, x.grad)
    assert all(p.grad is None for p in layer.parameters())


@EVERY
def test_a_saved_model_gives_the_same_results(kind, tmp_path):
    inner = getattr(layers, kind)(3, return_sequences=True, use_bias=False)
    model = models.Sequential(
        [
            layers.Masking(input_shape=(5, 2)),
            layers.Bidirectional(inner, merge_mode="sum"),
            getattr(layers, kind)(4, go_backwards=True),
        ]
    )
    model.save(tmp_path / "model.safetensors")
    again = models.load_model(tmp_path / "model.safetensors")
    x = np.where(MASK[..., None], X, 0)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@EVERY
def test_a_recurrent_network_learns_what_came_long_ago(kind):
    random.seed(0)
    numbers = np.random.default_rng(0)
    x = numbers.standard_normal((256, 12, 1)).astype("float32")
    y = (x[:, 0, 0] > 0).astype("float32")
    model = models.Sequential([getattr(layers, kind)(8), layers.Dense(1, "sigmoid")])
    model.compile("adam", losses.BinaryCrossentropy(), metrics=["accuracy"])
    model.optimizer.learning_rate = 0.02
    history = model.fit(x, y, epochs=25, batch_size=32, verbose=0)
    assert max(history.history["accuracy"]) > 0.85


@EVERY
def test_a_batch_of_nothing_has_a_result_and_gradients_of_zero(kind):
    layer = make_and_call(kind)
    y = layer(np.ones((0, 5, 2)))
    assert y.shape == (0, 4)
    y.backward(np.ones((0, 4)))
    assert all(np.all(p.grad == 0) for p in layer.parameters())


@pytest.mark.parametrize("name", ["simple_rnn", "lstm", "gru"])
def test_a_sequence_of_no_steps_has_no_outputs(name):
    gates, count = {"simple_rnn": (1, 1), "lstm": (4, 2), "gru": (3, 1)}[name]
    states = [Tensor(np.ones((3, 4)), requires_grad=True) for _ in range(count)]
    biases = [np.ones(gates * 4)] * (2 if name == "gru" else 1)
    arguments = np.ones((2, gates * 4)), np.ones((4, gates * 4)), *biases
    y = getattr(ops, name)(X[:, :0], *states, *arguments)
    y.backward(np.ones(y.shape))
    assert y.shape == (3, 0, 4) and np.all(states[0].grad == 0)


# ---- Errors --------------------------------------------------------------------------------------


def built(kind="LSTM", **options):
    return make_and_call(kind, **options)


ZEROS = np.zeros((3, 4))
ERRORS = {
    "units below 1": (lambda: layers.LSTM(0), "LSTM needs units .* units=0"),
    "a row of numbers": (lambda: layers.GRU(2)(np.ones((3, 5))), r"GRU needs sequences.*\(3, 5\)"),
    "images": (lambda: layers.SimpleRNN(2)(np.ones((1, 2, 3, 4))), r"SimpleRNN.*\(1, 2, 3, 4\)"),
    "other features": (
        lambda: built()(np.ones((3, 5, 3))),
        r"LSTM needs sequences \(n, t, 2\).*\(3, 5, 3\)",
    ),
    "no steps": (lambda: built("GRU")(X[:, :0]), r"GRU needs at least one step.*\(3, 0, 2\)"),
    "a mask of another length": (
        lambda: built()(X, mask=MASK[:, :3]),
        r"LSTM needs a mask of booleans.*\(3, 5\).*\(3, 3\)",
    ),
    "a mask of numbers": (
        lambda: built("GRU")(X, mask=np.ones((3, 5))),
        "GRU needs a mask of booleans.*float64",
    ),
    "a mask in both directions": (
        lambda: layers.Bidirectional(make("LSTM"))(X, mask=MASK[:2]),
        r"LSTM needs a mask of booleans.*\(2, 5\)",
    ),
    "one state of two": (
        lambda: built()(X, initial_state=ZEROS),
        r"LSTM needs an initial_state of 2 arrays of shape \(3, 4\).*: \(3, 4\)$",
    ),
    "two states of one": (
        lambda: built("GRU")(X, initial_state=[ZEROS, ZEROS]),
        r"GRU needs an initial_state of 1 arrays.*: \(3, 4\), \(3, 4\)",
    ),
    "no states": (lambda: built()(X, initial_state=[]), "initial_state of 2.*: none"),
    "states of another batch": (
        lambda: built("SimpleRNN")(X, initial_state=ZEROS[:1]),
        r"shape \(3, 4\).*: \(1, 4\)",
    ),
    "the states of one direction": (
        lambda: layers.Bidirectional(make("LSTM"))(X, initial_state=[ZEROS, ZEROS]),
        "Bidirectional needs an initial_state of 4 arrays.*: 2",
    ),
    "one array for both directions": (
        lambda: layers.Bidirectional(make("GRU"))(X, initial_state=ZEROS),
        "Bidirectional needs an initial_state of 2 arrays.*: 1",
    ),
    "another activation of an LSTM": (
        lambda: layers.LSTM(2, activation="relu"),
        "LSTM needs activation to be 'tanh'.*'relu'",
    ),
    "another activation of gates": (
        lambda: layers.GRU(2, recurrent_activation="tanh"),
        "GRU needs recurrent_activation to be 'sigmoid'.*'tanh'",
    ),
    "another activation of a SimpleRNN": (
        lambda: layers.SimpleRNN(2, activation="gelu"),
        "SimpleRNN needs activation to be 'tanh' or 'relu'.*'gelu'",
    ),
    "the other form of a GRU": (
        lambda: layers.GRU(2, reset_after=False),
        "GRU needs reset_after to be True.*False",
    ),
    "dropout of all": (lambda: layers.GRU(2, dropout=1.0), "dropout.*dropout=1.0"),
    "both directions of a Dense": (
        lambda: layers.Bidirectional(layers.Dense(2)),
        "Bidirectional needs an LSTM.*Dense",
    ),
    "both directions backwards": (
        lambda: layers.Bidirectional(layers.GRU(2, go_backwards=True)),
        "Bidirectional needs.*reads forwards.*go_backwards=True",
    ),
    "an unknown merge_mode": (
        lambda: layers.Bidirectional(layers.GRU(2), merge_mode="mean"),
        "Bidirectional needs merge_mode to be 'concat' or .* or None.*'mean'",
    ),
}


@pytest.mark.parametrize("function, message", ERRORS.values(), ids=ERRORS)
def test_error_names_the_culprit_and_what_came(function, message):
    with pytest.raises(ValueError, match=message):
        function()
