"""The layers: right against PyTorch and central differences, and what all layers promise."""

import importlib
import inspect
import json
import pkgutil
import textwrap

import numpy as np
import pytest

from minigrad import (
    Tensor,
    gradcheck,
    initializers,
    layers,
    losses,
    models,
    no_grad,
    ops,
    random,
    regularizers,
)
from minigrad.layers import activations
from minigrad.layers.layer import Layer, Parameter
from tests.golden import make_attention, make_convolution, make_layers, make_recurrence
from tests.golden.make_layers import MOMENTUM, inputs_of, key, parse, weights

GIVEN, EXPECTED = make_layers.load()
CASES = dict.fromkeys(make_layers.CASES, GIVEN)  # {case: the arrays that its file has}
for golden in (make_attention, make_convolution, make_recurrence):
    given, expected = golden.load()
    assert CASES.keys().isdisjoint(golden.CASES)
    CASES |= dict.fromkeys(golden.CASES, given)
    EXPECTED |= expected
TRIED = [*CASES, "Dropout(0.5): cube, training"]  # which draws other numbers than PyTorch
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=list(CASES))
TRIED_ALL = pytest.mark.parametrize("case", TRIED, ids=TRIED)


def every_layer():
    """{name: class} of all public layers, wherever in minigrad.layers they are defined."""
    modules = [
        importlib.import_module(f"minigrad.layers.{module.name}")
        for module in pkgutil.iter_modules(layers.__path__)
    ]
    return {
        name: thing
        for module in modules
        for name, thing in vars(module).items()
        if inspect.isclass(thing) and issubclass(thing, Layer) and thing is not Layer
        if name[0] != "_"
    }


def make(expression, dtype="float64"):
    """The layer that an expression such as "Dense(4)" describes."""
    layer = eval(expression, {**vars(layers), "ops": ops})
    for _, thing in layer.walk():
        thing.dtype = dtype
    return layer


def prepare(case, dtype="float64"):
    """The layer of a case with its stored parameters, the arrays it is given, the case's call.

    arrays  {"x": array, and the names of its other inputs}, of which call(arrays) is the result
    """
    expression, x, options = parse(case)
    given = CASES.get(case, GIVEN)
    arrays = {name: given[name] for name in inputs_of(case)}
    arrays = {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in arrays.items()}
    arrays = {"x": arrays.pop(x), **arrays}
    layer = make(expression, dtype)

    def call(arrays, **others):
        now = {name: arrays.get(value, value) for name, value in options.items()}
        y = layer(arrays["x"], **{**now, **others})
        return side_by_side(y) if isinstance(y, tuple) else y

    call(arrays, training=False)
    for name, parameter in layer.weights().items():
        parameter.assign(given[key(name, parameter.shape)])
    return layer, arrays, call


def side_by_side(results):
    """(n, ...), ... -> (n, all numbers of an example): a layer that gives its states as well"""
    return ops.concatenate([ops.reshape(y, (y.shape[0], -1)) for y in results], axis=1)


def with_gradients(arrays):
    """{name: array}, where the floating ones have become Tensors whose gradient is wanted."""
    return {
        name: Tensor(array, requires_grad=True) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }


def normalization(case):
    """The layer of a case with its stored parameters, and its input."""
    layer, arrays, _ = prepare(case)
    return layer, arrays["x"]


def put(layer, path, x):
    """Put a Tensor in the place of the parameter that has this path."""
    *inside, name = path.split(".")
    for part in inside:
        layer = getattr(layer, part)
    setattr(layer, name, x)


def leaf(values):
    return Tensor(np.array(values, dtype="float64"), requires_grad=True)


# ---- Against PyTorch -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@EVERY_CASE
def test_value_and_gradients_equal_pytorch(case, dtype, tolerance):
    layer, arrays, call = prepare(case, dtype)
    inputs = with_gradients(arrays)
    y = call(inputs)
    y.backward(weights(y.shape).astype(dtype))
    expected = EXPECTED[case]
    leaves = {name: x for name, x in inputs.items() if isinstance(x, Tensor)} | layer.weights()
    gradients = {name: x.grad for name, x in leaves.items() if x.grad is not None}

    assert y.dtype == dtype and all(g.dtype == dtype for g in gradients.values())
    assert gradients.keys() == {name for name, x in leaves.items() if x.requires_grad}
    assert_close(y.data, expected["value"], tolerance)
    largest = max(np.abs(expected[name]).max() for name in gradients)
    for name, g in gradients.items():
        assert_close(g, expected[name], tolerance, largest)


def assert_close(ours, theirs, tolerance, largest=0.0):
    """max |a - b| <= tolerance max |b|; where b is 0 up to rounding, `largest` is the measure."""
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max()
    scale = scale if scale > 1e-10 * largest else largest
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale)


def test_every_layer_is_compared_with_pytorch():
    assert {case.split("(")[0] for case in CASES} == every_layer().keys()


def test_every_layer_is_exported():
    assert every_layer().items() <= vars(layers).items()
    assert every_layer().keys() | {"Layer", "Parameter", "KeyValueCache"} == set(layers.__all__)


@pytest.mark.parametrize("layer", ["Activation({!r}): cube", "Dense(4, {!r}): matrix"])
def test_every_activation_is_compared_with_pytorch(layer):
    assert activations._NAMES
    assert {layer.format(name) for name in activations._NAMES} <= CASES.keys()


# ---- Against central differences -----------------------------------------------------------------


@TRIED_ALL
def test_gradients_equal_central_differences(case):
    layer, arrays, call = prepare(case)
    learned = {name: p for name, p in layer.weights().items() if p.requires_grad}
    floating = [name for name, a in arrays.items() if a.dtype.kind == "f"]

    def run(*leaves):
        for path, x in zip(learned, leaves):
            put(layer, path, x)
        random.seed(0)
        return call(arrays | dict(zip(floating, leaves[len(learned) :], strict=True)))

    if floating or learned:
        gradcheck(run, *(p.data for p in learned.values()), *(arrays[name] for name in floating))


# ---- dtypes --------------------------------------------------------------------------------------

WITH_PARAMETERS = ["Dense(2)", "BatchNormalization()", "LayerNormalization()"]


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("expression", WITH_PARAMETERS)
def test_input_of_any_dtype_gives_float32(expression, dtype):
    assert make(expression, "float32")(np.ones((4, 3), dtype)).dtype == "float32"


def test_input_that_was_cast_gets_a_gradient_of_its_own_dtype():
    x = leaf(np.ones((2, 3)))
    layers.Dense(4)(x).backward(np.ones((2, 4), "float32"))
    assert x.grad.dtype == "float64"


def test_integers_stay_integers_on_the_way_to_an_embedding():
    class Language(layers.Layer):
        def build(self, input_shape):
            self.table = layers.Embedding(9, 2)
            self.position = self.add_weight((input_shape[1], 2))

        def call(self, x):
            return self.table(x) + self.position

    assert Language()(np.array([[8, 0, 1]])).shape == (1, 3, 2)


def test_lists_are_input_too():
    assert layers.Dense(2)([[1.0, 2.0]]).shape == (1, 2)


# ---- Normalization -------------------------------------------------------------------------------


def test_moving_averages_follow_the_batches_as_in_keras():
    layer = layers.BatchNormalization(momentum=MOMENTUM, dtype="float64", input_shape=(3,))
    layer.weights()
    layer.moving_mean.assign(GIVEN["moving_mean"])
    layer.moving_variance.assign(GIVEN["moving_variance"])
    for step, batch in enumerate(GIVEN["batches"]):
        layer(batch, training=True)
        for name in ("mean", "variance"):
            ours = vars(layer)[f"moving_{name}"].data
            assert_close(ours, EXPECTED["moving"][name][step], 1e-10)


@pytest.mark.parametrize("mode", [{"training": False}, {}])
def test_moving_averages_rest_in_inference(mode):
    layer, x = normalization("BatchNormalization(): matrix")
    layer(x, **mode)
    np.testing.assert_array_equal(layer.moving_mean.data, GIVEN["moving_mean"])
    np.testing.assert_array_equal(layer.moving_variance.data, GIVEN["moving_variance"])


def test_moving_averages_rest_in_a_frozen_layer():
    layer, x = normalization("BatchNormalization(): matrix")
    layer.trainable = False
    layer(x, training=True)
    np.testing.assert_array_equal(layer.moving_mean.data, GIVEN["moving_mean"])


def test_a_thawed_layer_trains_again():
    layer, x = normalization("BatchNormalization(trainable=False): matrix")
    layer.trainable = True
    assert_close(
        layer(x, training=True).data,
        EXPECTED["BatchNormalization(): matrix, training"]["value"],
        1e-10,
    )


def test_moving_averages_are_kept_and_not_learned():
    layer, _ = normalization("BatchNormalization(): matrix")
    assert list(layer.weights()) == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert layer.parameters() == [layer.gamma, layer.beta]


def test_moving_averages_hold_no_graph():
    layer, x = normalization("BatchNormalization(): matrix")
    layer(leaf(x), training=True)
    assert layer.moving_mean.node is None and layer.moving_variance.node is None


def test_a_batch_normalization_may_be_used_twice_before_backward():
    layer, x = normalization("BatchNormalization(): matrix")
    ops.sum(layer(x, training=True) * layer(2 * x, training=True)).backward()
    assert np.isfinite(layer.gamma.grad).all()


# ---- Dropout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_sets_its_share_to_zero_and_scales_the_rest(rate):
    random.seed(0)
    y = layers.Dropout(rate)(np.ones((100, 500)), training=True).data
    assert abs(np.mean(y == 0) - rate) < 0.01
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate))


def test_dropout_keeps_the_expected_value():
    random.seed(0)
    x, drop = np.array([[1.0, -2.0, 3.0]]), layers.Dropout(0.3)
    mean = np.mean([drop(np.repeat(x, 100, 0), training=True).data for _ in range(200)], (0, 1))
    np.testing.assert_allclose(mean, x[0], rtol=0.03)


@pytest.mark.parametrize("mode", [{"training": False}, {}])
def test_dropout_changes_nothing_in_inference(mode):
    x = Tensor(np.ones((3, 4)))
    assert layers.Dropout(0.9)(x, **mode) is x


def test_dropout_drops_the_gradient_where_it_dropped_the_value():
    x = leaf(np.ones((20, 20)))
    y = layers.Dropout(0.4)(x, training=True)
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad, y.data)


def test_dropout_drops_other_places_in_every_call():
    x, drop = np.ones((20, 20)), layers.Dropout(0.5)
    assert np.any(drop(x, training=True).data != drop(x, training=True).data)


def test_two_dropouts_drop_different_places():
    x = np.ones((20, 20))
    random.seed(0)
    first, second = (layers.Dropout(0.5)(x, training=True).data for _ in range(2))
    assert np.any(first != second)


def test_dropout_is_reproduced_by_the_seed():
    runs = []
    for _ in range(2):
        random.seed(3)
        runs.append(layers.Dropout(0.5)(np.ones((20, 20)), training=True).data)
    np.testing.assert_array_equal(*runs)


def test_training_reaches_the_layers_inside():
    model = models.Sequential([models.Sequential([layers.Dropout(0.5)])])
    x = np.ones((20, 20))
    assert np.any(model(x, training=True).data == 0)
    np.testing.assert_array_equal(model(x, training=False).data, x)
    np.testing.assert_array_equal(model(x).data, x)


def test_training_ends_with_the_call_even_if_that_fails():
    class Broken(layers.Layer):
        def call(self, x):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        Broken()(np.ones((1, 1)), training=True)
    x = Tensor(np.ones((20, 20)))
    assert layers.Dropout(0.5)(x) is x


# ---- Logits --------------------------------------------------------------------------------------

Y = {
    "sparse_categorical_crossentropy": np.array([1, 0, 2]),
    "categorical_crossentropy": np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]]),
    "kl_divergence": np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]]),
    "binary_crossentropy": np.array([[0.0, 1, 0], [1, 0, 0], [1, 1, 1]]),
}
LAST = {name: "sigmoid" if name == "binary_crossentropy" else "softmax" for name in Y}


def identity(activation):
    """A Dense layer with y = activation(x)."""
    layer = layers.Dense(3, activation, use_bias=False, dtype="float64", input_dim=3)
    layer.weights()["weight"].assign(np.eye(3))
    return layer


@pytest.mark.parametrize("name", Y)
@pytest.mark.parametrize("last", [identity, layers.Activation])
def test_loss_of_certain_and_wrong_predictions_is_finite(name, last):
    z = leaf([[1000.0, -1000, 0], [-1000, 1000, 0], [0, 1000, -1000]])
    p = last(LAST[name])(z)
    with np.errstate(divide="ignore"):
        assert np.isinf(np.log(p.data)).any()  # where the formula with p would take log 0
    loss = losses.get(name)(Y[name], p)
    loss.backward()
    assert 300 < loss.item() < 3000 and np.isfinite(z.grad).all()
    assert np.abs(z.grad).max() > 0.1  # it shows the way back


@pytest.mark.parametrize("name", Y)
def test_loss_from_logits_equals_that_from_probabilities(name):
    z, same = leaf(GIVEN["matrix"][:3]), leaf(GIVEN["matrix"][:3])
    from_logits = losses.get(name)(Y[name], identity(LAST[name])(z))
    p = getattr(ops, LAST[name])(same) * 1.0
    assert p.logits is None  # an operation later, these are numbers as any other
    from_probabilities = losses.get(name)(Y[name], p)
    from_logits.backward()
    from_probabilities.backward()
    np.testing.assert_allclose(from_logits.item(), from_probabilities.item(), rtol=1e-12)
    np.testing.assert_allclose(z.grad, same.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", sorted({*activations._NAMES} - {"softmax", "sigmoid", "linear"}))
def test_other_activations_leave_no_logits(name):
    assert layers.Activation(name)(np.ones((2, 3))).logits is None


# ---- Building and parameters ---------------------------------------------------------------------


def within(name, **shapes):
    """The shapes of the parameters of a layer inside."""
    return {f"{name}.{parameter}": shape for parameter, shape in shapes.items()}


WITHOUT_PARAMETERS = [  # of the layers for images, 2D, and for sequences, 1D
    f"{name}{axes}D"
    for name in (
        *("MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling"),
        *("ZeroPadding", "UpSampling"),
    )
    for axes in (1, 2)
]
PARAMETERS = {
    "Input((3,))": {},
    "Dense(4)": {"weight": (3, 4), "bias": (4,)},
    "Dense(4, use_bias=False)": {"weight": (3, 4)},
    "LowRank(4, 2)": {"a": (3, 2), "b": (2, 4)},
    "Activation('relu')": {},
    "Dropout(0.5)": {},
    "Flatten()": {},
    "Masking()": {},
    "Reshape((3, 1))": {},
    "BatchNormalization()": dict.fromkeys(
        ("gamma", "beta", "moving_mean", "moving_variance"), (3,)
    ),
    "BatchNormalization(center=False)": dict.fromkeys(
        ("gamma", "moving_mean", "moving_variance"), (3,)
    ),
    "LayerNormalization()": {"gamma": (3,), "beta": (3,)},
    "LayerNormalization(scale=False)": {"beta": (3,)},
    "LayerNormalization(center=False, scale=False)": {},
    "Embedding(7, 2)": {"weight": (7, 2)},
    "MultiHeadAttention(4, 5, 2, 2)": {
        **within("query", weight=(6, 20), bias=(20,)),
        **within("key", weight=(6, 10), bias=(10,)),
        **within("value", weight=(6, 4), bias=(4,)),
        **within("output", weight=(8, 6), bias=(6,)),
    },
    "MultiHeadAttention(2, 2, use_bias=False)": {
        **within("query", weight=(6, 4)),
        **within("key", weight=(6, 4)),
        **within("value", weight=(6, 4)),
        **within("output", weight=(4, 6)),
    },
    "PositionEmbedding(7)": {"weight": (7, 6)},
    "GroupNormalization(3)": {"gamma": (3,), "beta": (3,)},
    "GroupNormalization(1, scale=False)": {"beta": (3,)},
    "RMSNormalization()": {"gamma": (3,)},
    "FeedForward(5)": {
        **within("up", weight=(3, 5), bias=(5,)),
        **within("down", weight=(5, 3), bias=(3,)),
    },
    "FeedForward(5, gated=True, use_bias=False)": {
        **within("gate", weight=(3, 5)),
        **within("up", weight=(3, 5)),
        **within("down", weight=(5, 3)),
    },
    "TransformerEncoder(5, 3, use_bias=False)": {
        **within("attention_norm", gamma=(6,), beta=(6,)),
        **within("attention.query", weight=(6, 6)),
        **within("attention.key", weight=(6, 6)),
        **within("attention.value", weight=(6, 6)),
        **within("attention.output", weight=(6, 6)),
        **within("feed_forward_norm", gamma=(6,), beta=(6,)),
        **within("feed_forward.up", weight=(6, 5)),
        **within("feed_forward.down", weight=(5, 6)),
    },
    "TransformerDecoder(5, 2, normalization='rms', use_bias=False, use_cross_attention=True)": {
        **within("attention_norm", gamma=(6,)),
        **within("attention.query", weight=(6, 6)),
        **within("attention.key", weight=(6, 6)),
        **within("attention.value", weight=(6, 6)),
        **within("attention.output", weight=(6, 6)),
        **within("cross_attention_norm", gamma=(6,)),
        **within("cross_attention.query", weight=(6, 6)),
        **within("cross_attention.key", weight=(3, 6)),
        **within("cross_attention.value", weight=(3, 6)),
        **within("cross_attention.output", weight=(6, 6)),
        **within("feed_forward_norm", gamma=(6,)),
        **within("feed_forward.up", weight=(6, 5)),
        **within("feed_forward.down", weight=(5, 6)),
    },
    "RotaryEmbedding()": {},
    "SinePositionEncoding()": {},
    "Conv1D(4, 2)": {"weight": (2, 6, 4), "bias": (4,)},
    "Conv2D(4, (3, 2), groups=2)": {"weight": (3, 2, 3, 4), "bias": (4,)},
    "Conv2D(4, 1, use_bias=False)": {"weight": (1, 1, 6, 4)},
    "Conv2DTranspose(4, (3, 2))": {"weight": (3, 2, 4, 6), "bias": (4,)},
    **dict.fromkeys(map("{}()".format, WITHOUT_PARAMETERS), {}),
    "SimpleRNN(4)": {"weight": (3, 4), "recurrent_weight": (4, 4), "bias": (4,)},
    "SimpleRNN(4, use_bias=False)": {"weight": (3, 4), "recurrent_weight": (4, 4)},
    "LSTM(4)": {"weight": (3, 16), "recurrent_weight": (4, 16), "bias": (16,)},
    "GRU(4)": {
        **{"weight": (3, 12), "recurrent_weight": (4, 12)},
        **{"bias": (12,), "recurrent_bias": (12,)},
    },
    "Bidirectional(SimpleRNN(4))": {
        **within("layer", weight=(3, 4), recurrent_weight=(4, 4), bias=(4,)),
        **within("backward_layer", weight=(3, 4), recurrent_weight=(4, 4), bias=(4,)),
    },
}
EVERY = pytest.mark.parametrize("expression", PARAMETERS)


# What layers are given that do not take numbers (1, 3).
IMAGE = np.linspace(-1, 1, 120, dtype="float32").reshape(1, 4, 5, 6)
SEQUENCE = np.linspace(-1, 1, 18, dtype="float32").reshape(1, 3, 6)
EXAMPLES = {
    "Embedding": [np.array([[0, 1, 2]])],
    "MultiHeadAttention": [SEQUENCE],
    "PositionEmbedding": [SEQUENCE],
    "RotaryEmbedding": [SEQUENCE],
    "SinePositionEncoding": [SEQUENCE],
    "TransformerEncoder": [SEQUENCE],
    "TransformerDecoder": [SEQUENCE, SEQUENCE.reshape(1, 6, 3)],
    **dict.fromkeys(["Conv1D", *(name for name in WITHOUT_PARAMETERS if "1D" in name)], [SEQUENCE]),
    **dict.fromkeys(["Conv2D", "Conv2DTranspose"], [IMAGE]),
    **dict.fromkeys([name for name in WITHOUT_PARAMETERS if "2D" in name], [IMAGE]),
    **dict.fromkeys(["SimpleRNN", "LSTM", "GRU", "Bidirectional"], [SEQUENCE.reshape(1, 6, 3)]),
}


def example(expression):
    """The inputs of a layer."""
    return EXAMPLES.get(expression.split("(")[0], [np.ones((1, 3), "float32")])


def shapes(layer):
    return {name: parameter.shape for name, parameter in layer.weights().items()}


def with_input_shape(expression):
    shape = example(expression)[0].shape[1:]
    return eval(f"{expression[:-1]}, input_shape={shape})", vars(layers))


def test_parameters_of_every_layer_are_listed():
    assert {expression.split("(")[0] for expression in PARAMETERS} == every_layer().keys()


@EVERY
def test_the_first_call_makes_the_parameters(expression):
    layer = make(expression)
    assert not layer.built
    layer(*example(expression))
    assert layer.built and shapes(layer) == PARAMETERS[expression]


@EVERY
def test_count_params_counts_every_number(expression):
    layer = make(expression)
    layer(*example(expression))
    assert layer.count_params() == sum(np.prod(shape) for shape in PARAMETERS[expression].values())


@EVERY
def test_a_second_call_keeps_the_parameters(expression):
    layer = make(expression)
    layer(*example(expression))
    before = layer.weights()
    layer(*example(expression))
    assert all(before[name] is parameter for name, parameter in layer.weights().items())


@pytest.mark.parametrize(
    "expression", [e for e in PARAMETERS if e[:5] != "Input" and "()" not in e and "cross" not in e]
)
def test_input_shape_makes_the_parameters_known(expression):
    assert shapes(with_input_shape(expression)) == PARAMETERS[expression]


def test_input_dim_is_an_input_shape_of_one_axis():
    assert shapes(layers.Dense(4, input_dim=3)) == {"weight": (3, 4), "bias": (4,)}


def test_building_early_and_at_the_first_call_draw_the_same_numbers():
    random.seed(0)
    early = layers.Dense(4, input_dim=3).weights()["weight"].data
    late = layers.Dense(4)
    random.seed(0)
    late(np.ones((2, 3)))
    np.testing.assert_array_equal(early, late.weight.data)


def test_building_for_an_unknown_length_draws_the_same_numbers():
    """Although 1, which is tried first, is too short for the windows."""
    first = [layers.Dense(2, input_shape=(None, 2)), layers.Conv1D(3, 5)]
    random.seed(0)
    early = models.Sequential(first).get_weights()
    late = models.Sequential([layers.Dense(2), layers.Conv1D(3, 5)])
    random.seed(0)
    late(np.ones((1, 7, 2)))
    for path, weight in late.get_weights().items():
        np.testing.assert_array_equal(early[path], weight)


def test_a_sequential_is_built_for_a_batch_shape():
    model = models.Sequential([layers.Dense(4), layers.BatchNormalization(), layers.Dense(1)])
    model.build((None, 3))
    assert model.count_params() == 3 * 4 + 4 + 4 * 4 + 4 + 1


def test_a_layer_that_was_built_by_hand_keeps_its_parameters():
    layer = layers.Dense(4)
    layer.build((None, 3))
    weight = layer.weight
    layer(np.ones((2, 3)))
    assert layer.weight is weight


def test_a_failed_build_may_be_repeated():
    layer = layers.Dense(4)
    with pytest.raises(ValueError):
        layer(np.ones(3))
    assert layer(np.ones((2, 3))).shape == (2, 4)


def test_a_failed_first_call_may_be_repeated_with_other_data():
    class NotTwo(layers.Dense):
        def call(self, x):
            if x.shape[-1] == 2:
                raise ValueError
            return super().call(x)

    layer = NotTwo(4)
    with pytest.raises(ValueError):
        layer(np.ones((1, 2)))
    assert layer(np.ones((1, 3))).shape == (1, 4)


def test_parameters_are_named_by_their_path():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(2)
            self.more = [layers.Dense(2, use_bias=False), {"norm": layers.LayerNormalization()}]

        def call(self, x):
            return self.more[1]["norm"](self.more[0](self.first(x)))

    model = models.Sequential([layers.Flatten(), Block(), layers.Dense(1)])
    model(np.ones((1, 3)))
    assert list(model.weights()) == [
        *("1.first.weight", "1.first.bias", "1.more.0.weight"),
        *("1.more.1.norm.gamma", "1.more.1.norm.beta", "2.weight", "2.bias"),
    ]


def test_a_shared_layer_counts_once():
    shared = layers.Dense(3)
    model = models.Sequential([shared, layers.Activation("relu"), shared])
    model(np.ones((1, 3)))
    assert list(model.weights()) == ["0.weight", "0.bias"]
    assert model.count_params() == 12


def test_a_shared_layer_adds_its_gradients_up():
    shared = layers.Dense(1, use_bias=False, dtype="float64", kernel_initializer="ones")
    shared(shared(np.array([[3.0]]))).backward()
    np.testing.assert_allclose(shared.weight.grad, [[6.0]])  # d(3 w²)/dw at 1


def test_zero_grad_forgets_all_gradients():
    layer = layers.Dense(1)
    layer(np.ones((1, 3))).backward()
    layer.zero_grad()
    assert layer.weight.grad is None and layer.bias.grad is None


# ---- trainable -----------------------------------------------------------------------------------


def wanted(layer):
    """{name: whether it requires a gradient}"""
    return {name: parameter.requires_grad for name, parameter in layer.weights().items()}


def test_a_layer_frozen_before_it_is_built_requires_no_gradient():
    assert wanted(layers.Dense(4, trainable=False, input_dim=3)) == {"weight": False, "bias": False}


def test_a_layer_frozen_later_requires_no_gradient():
    layer = layers.Dense(4, input_dim=3)
    assert wanted(layer) == {"weight": True, "bias": True}
    layer.trainable = False
    assert wanted(layer) == {"weight": False, "bias": False}


def test_a_frozen_layer_passes_gradients_on_and_takes_none():
    layer, x = layers.Dense(1, trainable=False), leaf(np.ones((1, 3)))
    layer(x).backward()
    assert x.grad is not None and layer.weight.grad is None and layer.bias.grad is None


def test_a_thawed_layer_learns_but_not_what_it_merely_keeps():
    layer = layers.BatchNormalization(trainable=False, input_dim=3)
    layer.weights()
    layer.trainable = True
    assert [name for name, grad in wanted(layer).items() if grad] == ["gamma", "beta"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_freezing_a_model_freezes_the_layers_inside(when):
    model = models.Sequential([layers.Dense(2), models.Sequential([layers.Dense(2)])])
    if when == "after":
        model.build((None, 3))
    model.trainable = False
    model.build((None, 3))
    assert len(wanted(model)) == 4 and not any(wanted(model).values())
    assert len(model.parameters()) == 4


def test_a_frozen_layer_freezes_the_layers_that_its_build_makes():
    class Block(layers.Layer):
        def build(self, input_shape):
            self.inner = layers.Dense(2)

        def call(self, x):
            return self.inner(x)

    block = Block(trainable=False)
    block(np.ones((1, 3)))
    assert not any(wanted(block).values())


def test_a_layer_thawed_inside_a_frozen_one_stays_thawed():
    class Block(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.inner = layers.Dense(2)

        def build(self, input_shape):
            self.shift = self.add_weight((input_shape[-1],), "zeros")

        def call(self, x):
            return self.inner(x + self.shift)

    block = Block(trainable=False)
    block.inner.trainable = True
    block(np.ones((1, 3)))
    assert wanted(block) == {"inner.weight": True, "inner.bias": True, "shift": False}


def test_one_layer_may_be_frozen_among_others():
    model = models.Sequential([layers.Dense(2, trainable=False), layers.Dense(2)])
    model.build((None, 3))
    assert list(wanted(model).values()) == [False, False, True, True]


# ---- Initializers and regularizers ---------------------------------------------------------------

TWOS = [
    initializers.Constant(2.0),
    {"class_name": "Constant", "config": {"value": 2.0}},
    lambda shape, dtype: np.full(shape, 2.0, dtype),
]


@pytest.mark.parametrize("twos", TWOS, ids=["object", "configuration", "function"])
@pytest.mark.parametrize(
    "kind, argument, parameter",
    [
        (layers.Dense, "kernel_initializer", "weight"),
        (layers.Dense, "bias_initializer", "bias"),
        (layers.BatchNormalization, "gamma_initializer", "gamma"),
        (layers.BatchNormalization, "beta_initializer", "beta"),
        (layers.LayerNormalization, "gamma_initializer", "gamma"),
        (layers.LayerNormalization, "beta_initializer", "beta"),
        (layers.Embedding, "embeddings_initializer", "weight"),
    ],
)
def test_initializer_is_taken_as(kind, argument, parameter, twos):
    required = {layers.Dense: (3,), layers.Embedding: (5, 2)}.get(kind, ())
    layer = kind(*required, **{argument: twos}, input_shape=(3,))
    np.testing.assert_array_equal(layer.weights()[parameter].data, 2)


def test_initializer_is_found_by_name():
    layer = layers.Dense(4, kernel_initializer="zeros", bias_initializer="ones", input_dim=3)
    assert [np.unique(p.data) for p in layer.weights().values()] == [0, 1]


def test_initializer_by_default_is_that_of_keras():
    random.seed(0)
    values = layers.Dense(300, input_dim=200).weights()
    limit = np.sqrt(6 / 500)  # Glorot & Bengio
    assert 0.99 * limit < np.abs(values["weight"].data).max() <= limit
    assert not values["bias"].data.any()
    table = layers.Embedding(99, 99, input_shape=(1,)).weights()["weight"].data
    assert 0.049 < np.abs(table).max() <= 0.05


@pytest.mark.parametrize(
    "regularizer, price",
    [
        ("l2", 0.01 * 12),
        (regularizers.L1(0.5), 6.0),
        ({"class_name": "L2", "config": {"l2": 0.5}}, 6.0),
        (lambda weight: ops.sum(weight), 12.0),
    ],
    ids=["name", "object", "configuration", "function"],
)
@pytest.mark.parametrize(
    "kind, argument, parameter",
    [
        (layers.Dense, "kernel_regularizer", "weight"),
        (layers.Dense, "bias_regularizer", "bias"),
        (layers.Embedding, "embeddings_regularizer", "weight"),
    ],
)
def test_regularizer_prices_its_parameter_alone(kind, argument, parameter, regularizer, price):
    required = {layers.Dense: (12,), layers.Embedding: (3, 4)}[kind]
    layer = kind(*required, **{argument: regularizer}, input_shape=(1,))
    for name, weight in layer.weights().items():
        if name == parameter:
            assert weight.size == 12
            weight.assign(np.ones(weight.shape))
            np.testing.assert_allclose(weight.regularizer(weight).item(), price, rtol=1e-6)
        else:
            assert weight.regularizer is None


# ---- Configurations ------------------------------------------------------------------------------

COMMON = {"name": "mine", "trainable": False, "dtype": "float64"}
NORMALIZATION = {
    "axis": 1,
    "epsilon": 0.5,
    "center": False,
    "scale": False,
    "beta_initializer": "ones",
    "gamma_initializer": "zeros",
}
BLOCK = {
    "intermediate_dim": 7,
    "num_heads": 3,
    "dropout": 0.25,
    "activation": "silu",
    "layer_norm_epsilon": 0.5,
    "normalize_first": True,
    "num_key_value_heads": 1,
    "rope_max_wavelength": 50,
    "normalization": "rms",
    "gated": True,
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "bias_initializer": "ones",
}
CONVOLUTION = {
    "filters": 4,
    "padding": "same",
    "activation": "tanh",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "bias_initializer": "ones",
    "kernel_regularizer": "l1",
    "bias_regularizer": "l2",
}
POOLING_1D = {"pool_size": [3], "strides": [1], "padding": "same"}
POOLING_2D = {"pool_size": [3, 2], "strides": [1, 2], "padding": "same"}
RECURRENT = {
    "units": 4,
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "glorot_normal",
    "bias_initializer": "ones",
    "kernel_regularizer": "l1",
    "recurrent_regularizer": "l2",
    "bias_regularizer": "l1",
    "dropout": 0.25,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
}
GATED = {**RECURRENT, "activation": "tanh", "recurrent_activation": "sigmoid"}
CONFIGURATIONS = {
    "Input": {"shape": [3], "dtype": "float64"},
    "Dense": {
        "units": 4,
        "activation": "tanh",
        "use_bias": False,
        "kernel_initializer": "he_normal",
        "bias_initializer": "ones",
        "kernel_regularizer": "l1",
        "bias_regularizer": "l2",
    },
    "LowRank": {"units": 4, "r": 2, "alpha": 5.0, "dropout": 0.25, "use_rslora": True},
    "Activation": {"activation": "softmax"},
    "Dropout": {"rate": 0.25},
    "Flatten": {},
    "Masking": {"mask_value": -1.0},
    "Reshape": {"target_shape": [3, -1]},
    "BatchNormalization": {**NORMALIZATION, "momentum": 0.5},
    "LayerNormalization": NORMALIZATION,
    "Embedding": {
        "input_dim": 7,
        "output_dim": 2,
        "embeddings_initializer": "ones",
        "embeddings_regularizer": "l1",
        "mask_zero": True,
    },
    "Conv1D": {
        **CONVOLUTION,
        "kernel_size": [3],
        "strides": [2],
        "dilation_rate": [3],
        "groups": 2,
    },
    "Conv2D": {
        **CONVOLUTION,
        "kernel_size": [3, 2],
        "strides": [2, 1],
        "dilation_rate": [1, 2],
        "groups": 2,
    },
    "Conv2DTranspose": {
        **CONVOLUTION,
        "kernel_size": [3, 2],
        "strides": [2, 1],
        "output_padding": [1, 0],
        "dilation_rate": [1, 2],
    },
    "MaxPooling1D": POOLING_1D,
    "MaxPooling2D": POOLING_2D,
    "AveragePooling1D": POOLING_1D,
    "AveragePooling2D": POOLING_2D,
    "GlobalMaxPooling1D": {"keepdims": True},
    "GlobalMaxPooling2D": {"keepdims": True},
    "GlobalAveragePooling1D": {"keepdims": True},
    "GlobalAveragePooling2D": {"keepdims": True},
    "ZeroPadding1D": {"padding": [[2, 0]]},
    "ZeroPadding2D": {"padding": [[2, 0], [1, 3]]},
    "UpSampling1D": {"size": [3]},
    "UpSampling2D": {"size": [3, 1], "interpolation": "bilinear"},
    "MultiHeadAttention": {
        "num_heads": 4,
        "key_dim": 6,
        "value_dim": 5,
        "num_key_value_heads": 2,
        "dropout": 0.25,
        "use_bias": False,
        "rope_max_wavelength": 50,
        "kernel_initializer": "he_normal",
        "bias_initializer": "ones",
    },
    "PositionEmbedding": {"sequence_length": 7, "initializer": "ones"},
    "GroupNormalization": {**NORMALIZATION, "groups": 3},
    "RMSNormalization": {"axis": 1, "epsilon": 0.5, "gamma_initializer": "zeros"},
    "FeedForward": {
        "intermediate_dim": 7,
        "activation": "silu",
        "gated": True,
        "use_bias": False,
        "kernel_initializer": "he_normal",
        "bias_initializer": "ones",
    },
    "TransformerEncoder": BLOCK,
    "TransformerDecoder": {**BLOCK, "use_cross_attention": True},
    "RotaryEmbedding": {"max_wavelength": 50.0},
    "SinePositionEncoding": {"max_wavelength": 50.0},
    "SimpleRNN": {**RECURRENT, "activation": "relu"},
    "LSTM": {**GATED, "unit_forget_bias": False},
    "GRU": {**GATED, "reset_after": True},
    "Bidirectional": {
        "layer": {"class_name": "GRU", "config": {"units": 4}},
        "merge_mode": "ave",
    },
}
# Arguments of Keras's that have one possible value here.
FIXED = {
    "LSTM": ("activation", "recurrent_activation"),
    "GRU": ("activation", "recurrent_activation", "reset_after"),
}
CONFIGURED = pytest.mark.parametrize("name", CONFIGURATIONS)


def arguments(name):
    if name == "Input":
        return CONFIGURATIONS[name]
    return {**CONFIGURATIONS[name], **COMMON, "input_shape": [*example(name)[0].shape[1:]]}


def arrays_of(y):
    """The arrays of a result, which may be several Tensors."""
    return [x.data for x in (y if isinstance(y, (list, tuple)) else [y])]


def plain(layer):
    """The configuration after a journey through a file."""
    return json.loads(json.dumps(layer.get_config()))


def test_every_layer_has_a_configuration_to_be_tested():
    assert every_layer().keys() == CONFIGURATIONS.keys()


@CONFIGURED
def test_every_argument_is_tested_away_from_its_default(name):
    signature = inspect.signature(every_layer()[name]).parameters
    named = {p.name: p.default for p in signature.values() if p.kind is not p.VAR_KEYWORD}
    if name != "Embedding":
        named.pop("input_dim", None)  # short for input_shape
    assert named.keys() <= arguments(name).keys()
    for argument, default in named.items():
        assert (arguments(name)[argument] == default) == (argument in FIXED.get(name, ()))


@CONFIGURED
def test_configuration_holds_what_was_given(name):
    config = plain(every_layer()[name](**arguments(name)))
    for argument, value in arguments(name).items():
        kept = config[argument]
        if isinstance(value, dict):  # a layer
            assert kept["class_name"] == value["class_name"]
            assert kept["config"].items() >= value["config"].items()
        elif isinstance(kept, dict):  # an object, given by its name
            assert kept["class_name"].lower() == value.replace("_", "")
        else:
            assert kept == value


@CONFIGURED
def test_a_layer_is_made_again_from_its_configuration(name):
    layer = every_layer()[name](**arguments(name))
    again = every_layer()[name](**plain(layer))
    assert plain(again) == plain(layer)
    values = []
    for one in (layer, again):
        random.seed(0)
        values.append(arrays_of(one(*example(name), training=True)))
    for ours, theirs in zip(*values, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@CONFIGURED
def test_a_layer_that_was_used_is_made_again_from_its_configuration(name):
    layer = every_layer()[name](**CONFIGURATIONS[name])
    y = arrays_of(layer(*example(name)))
    again = every_layer()[name](**plain(layer))
    assert [a.shape for a in arrays_of(again(*example(name)))] == [a.shape for a in y]
    assert plain(again) == plain(layer)


@CONFIGURED
def test_a_configuration_leaves_out_what_every_layer_has_by_default(name):
    config = every_layer()[name](**CONFIGURATIONS[name]).get_config()
    assert config.keys() == CONFIGURATIONS[name].keys()


def test_a_layer_shows_its_arguments():
    assert repr(layers.Dropout(0.5)) == "Dropout(rate=0.5)"


def test_a_function_without_a_name_cannot_be_saved():
    with pytest.raises(ValueError, match="lambda.*cannot be saved"):
        layers.Activation(lambda x: x).get_config()


# ---- Layers of your own --------------------------------------------------------------------------


def scale():
    """The class Scale that the docstring of Layer shows."""
    lines = inspect.getdoc(Layer).splitlines()
    code = "\n".join(line for line in lines if line.startswith("    ") or not line)
    names = {"layers": layers}
    exec(textwrap.dedent(code), names)
    return names["Scale"]


def test_the_example_of_the_docstring_works():
    layer, x = scale()(), leaf(np.ones((2, 3)))
    y = layer(x)
    y.backward(np.full((2, 3), 2.0))
    assert y.shape == (2, 3) and shapes(layer) == {"scale": (3,)}
    np.testing.assert_array_equal(layer.scale.grad, [4.0, 4.0, 4.0])


def test_the_example_of_the_docstring_is_made_again_from_its_configuration():
    layer = scale()(name="mine", trainable=False, input_dim=3)
    again = scale()(**plain(layer))
    assert plain(again) == plain(layer) and again.name == "mine"
    assert wanted(again) == {"scale": False}


class Plain(layers.Layer):
    """A layer whose author forgot super().__init__()."""

    def __init__(self, units):
        self.units = units
        self.inner = layers.Dense(units)

    def build(self, input_shape):
        self.shift = self.add_weight((input_shape[-1],), "ones", regularizer="l2")

    def call(self, x, training=False):
        return self.inner(x + self.shift) * (2 if training else 1)


def test_a_layer_without_the_constructor_of_layer_works():
    layer = Plain(2)
    y = layer(np.ones((1, 3)))
    assert y.dtype == "float32"
    assert shapes(layer) == {"inner.weight": (3, 2), "inner.bias": (2,), "shift": (3,)}
    np.testing.assert_allclose(layer(np.ones((1, 3)), training=True).data, 2 * y.data)
    layer.trainable = False
    assert not any(wanted(layer).values())


def test_a_layer_without_the_constructor_of_layer_can_be_saved():
    assert Plain(2).get_config() == {"units": 2}


def test_a_layer_may_take_several_inputs():
    class Sum(layers.Layer):
        def call(self, a, b):
            return a + b

    np.testing.assert_array_equal(Sum()(np.ones((1, 2)), np.ones((1, 2))).data, [[2, 2]])


def test_what_is_kept_is_saved_but_not_learned():
    class Count(layers.Layer):
        def build(self, input_shape):
            self.calls = self.add_weight((), "zeros", trainable=False)

        def call(self, x):
            self.calls.assign(self.calls.data + 1)
            return x

    layer = Count()
    layer(np.ones((1, 1)))
    assert list(layer.weights()) == ["calls"] and layer.parameters() == []
    assert layer.calls.item() == 1 and not layer.calls.requires_grad


def test_a_parameter_has_multipliers_of_one():
    parameter = Parameter(np.ones(2))
    assert parameter.learning_rate_multiplier == parameter.weight_decay_multiplier == 1.0


def test_no_grad_holds_inside_layers():
    with no_grad():
        assert not layers.Dense(2)(np.ones((1, 3))).requires_grad


# ---- Errors --------------------------------------------------------------------------------------

ONES = np.ones((2, 3), "float32")


def twice(layer, first, second):
    layer(first)
    return layer(second)


ERRORS = {
    "NaN for a filler": (lambda: layers.Masking(np.nan), "Masking compares.*mask_value=nan"),
    "units below 1": (lambda: layers.Dense(0), "Dense needs units .* units=0"),
    "units as a float": (lambda: layers.Dense(2.0), "Dense needs units .* units=2.0"),
    "units as a bool": (lambda: layers.Dense(True), "Dense needs units .* units=True"),
    "unknown activation": (lambda: layers.Dense(2, "rleu"), "unknown activation 'rleu'.*'relu'"),
    "activation as a number": (lambda: layers.Activation(5), "unknown activation 5"),
    "unknown initializer": (
        lambda: layers.Dense(2, kernel_initializer="zeroes"),
        "unknown initializer 'zeroes'; did you mean 'zeros'",
    ),
    "unknown regularizer": (
        lambda: layers.Dense(2, bias_regularizer="l3"),
        "unknown regularizer 'l3'.*l2",
    ),
    "Dense of a vector": (lambda: layers.Dense(2)(np.ones(3)), r"Dense needs a batch.*\(3,\)"),
    "Dense of other features": (
        lambda: twice(layers.Dense(2), ONES, np.ones((2, 4))),
        r"Dense was built for inputs with 3 features.*\(2, 4\)",
    ),
    "input of another shape than declared": (
        lambda: layers.Dense(2, input_shape=(4,))(ONES),
        r"Dense.*input_shape=\(4,\).*\(2, 3\)",
    ),
    "input_shape as a number": (lambda: layers.Dense(2, input_shape=3), "input_shape.*=3"),
    "input_shape below 1": (lambda: layers.Dense(2, input_shape=(-3,)), r"input_shape.*\(-3,\)"),
    "input_dim as a string": (lambda: layers.Dense(2, input_dim="3"), r"input_shape.*\('3',\)"),
    "shape as a number": (lambda: layers.Input(3), "shape must be a tuple.*shape=3"),
    "shape as a string": (lambda: layers.Input("3"), "shape must be a tuple.*shape='3'"),
    "dtype of integers": (lambda: layers.Dense(2, dtype="int32"), "floating dtype.*'int32'"),
    "rate of 1": (lambda: layers.Dropout(1.0), r"rate must be a finite number.*rate=1\.0"),
    "rate below 0": (lambda: layers.Dropout(-0.1), r"rate must be a finite number.*rate=-0\.1"),
    "rate as a string": (lambda: layers.Dropout("0.5"), "rate must be a finite number.*rate='0.5'"),
    "target_shape as a number": (lambda: layers.Reshape(3), "target_shape must be.*=3"),
    "target_shape of another size": (
        lambda: layers.Reshape((2, 2))(ONES),
        r"Reshape cannot make \(2, 2\).*\(2, 3\)",
    ),
    "target_shape that does not divide": (
        lambda: layers.Reshape((2, -1))(ONES),
        r"Reshape cannot make \(2, -1\).*\(2, 3\)",
    ),
    "axis as a tuple": (
        lambda: layers.LayerNormalization(axis=(1, 2)),
        r"LayerNormalization works along one axis.*axis=\(1, 2\)",
    ),
    "axis out of range": (
        lambda: layers.BatchNormalization(axis=2)(ONES),
        r"BatchNormalization needs an axis of features.*axis=2.*\(2, 3\)",
    ),
    "axis of examples": (
        lambda: layers.LayerNormalization(axis=0)(ONES),
        r"LayerNormalization needs an axis of features.*axis=0.*\(2, 3\)",
    ),
    "BatchNormalization of other features": (
        lambda: twice(layers.BatchNormalization(), ONES, np.ones((2, 4))),
        r"BatchNormalization was built for 3 features.*\(2, 4\)",
    ),
    "LayerNormalization of other features": (
        lambda: twice(layers.LayerNormalization(), ONES, np.ones((2, 1))),
        r"LayerNormalization was built for 3 features.*\(2, 1\)",
    ),
    "epsilon below 0": (lambda: layers.BatchNormalization(epsilon=-1), "epsilon.*epsilon=-1"),
    "momentum above 1": (lambda: layers.BatchNormalization(momentum=2), "momentum.*momentum=2"),
    "Embedding of floats": (
        lambda: layers.Embedding(3, 2)(ONES),
        "Embedding looks up integers.*float32",
    ),
    "input_dim below 1": (lambda: layers.Embedding(0, 2), "Embedding needs input_dim.*input_dim=0"),
    "output_dim as a string": (
        lambda: layers.Embedding(3, "2"),
        "Embedding needs output_dim.*output_dim='2'",
    ),
    "parameters of an unbuilt layer": (
        lambda: layers.Dense(2).parameters(),
        "Dense is not built.*input_shape",
    ),
    "words": (lambda: layers.Dense(2)(np.array([["a"]])), "floats, integers or booleans.*<U1"),
}


@pytest.mark.parametrize("function, message", ERRORS.values(), ids=ERRORS)
def test_error_names_the_culprit_and_what_came(function, message):
    with pytest.raises(ValueError, match=message):
        function()


def test_a_layer_without_a_call_says_so():
    class Empty(layers.Layer):
        pass

    with pytest.raises(NotImplementedError, match="Empty needs a method call"):
        Empty()(ONES)


@pytest.mark.parametrize(
    "index, dtype",
    [(-1, "int64"), (-1, "int8"), (300, "int64"), (2**32, "int64"), (2**64 - 1, "uint64")],
)
def test_embedding_names_an_index_out_of_range(index, dtype):
    with pytest.raises(ValueError, match=f"integers from 0 to 299. Received: .*{index}"):
        layers.Embedding(300, 2)(np.array([index, 1], dtype=dtype))
