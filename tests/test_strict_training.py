"""Nothing leaks to the host in training: layers, losses, optimizers, metrics, regularizers, fit.

Each runs once on ndarrays and once on arrays that refuse to be read, with the same results.
"""

import inspect
import re

import numpy as np
import pytest

from minigrad import (
    Tensor,
    finetune,
    layers,
    losses,
    metrics,
    models,
    no_grad,
    optimizers,
    random,
    regularizers,
    schedules,
)
from minigrad.layers import activations
from tests.golden.make_layers import weights
from tests.strict_array import HostCopyError, StrictArray, strict, unwrap
from tests.test_layers import CASES as LAYER_CASES
from tests.test_layers import TRIED_ALL, every_layer, prepare, with_gradients

pytestmark = pytest.mark.usefixtures("strict_kernels")


def same(thing):
    return thing


def classes(module, base):
    """{name: class} of the public classes that a module derives from `base`."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if inspect.isclass(thing) and issubclass(thing, base) and thing is not base
        if name[0] != "_"
    }


def class_of(expression):
    """'Adam(0.1)' -> 'Adam'"""
    return expression.split("(")[0]


def to_device(parameters, place):
    for parameter in parameters:
        parameter.data = place(parameter.data)


def run_on_both_sides(run, reads=0):
    """run(same) on ndarrays and run(strict) on StrictArrays give equal arrays, in as many reads."""
    expected = run(same)
    before = StrictArray.reads
    found = run(strict)
    assert StrictArray.reads - before == reads
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert isinstance(ours, StrictArray) and not isinstance(theirs, StrictArray)
            np.testing.assert_array_equal(unwrap(ours), theirs)


# ---- Layers --------------------------------------------------------------------------------------


def run_of_layer(case, dtype):
    """run(place): what the layer of a case gives, its parameters, and all gradients."""

    def run(place):
        layer, arrays, call = prepare(case, dtype)
        parameters = list(layer.weights().values())
        to_device(parameters, place)
        random.seed(0)
        inputs = with_gradients({name: place(array) for name, array in arrays.items()})
        y = call(inputs)
        y.backward(place(weights(y.shape).astype(dtype)))
        leaves = [*parameters, *(x for x in inputs.values() if isinstance(x, Tensor))]
        return [y.data, *(p.data for p in parameters), *(x.grad for x in leaves)]

    return run


@TRIED_ALL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layer_stays_on_the_device(case, dtype):
    run_on_both_sides(run_of_layer(case, dtype))


@pytest.mark.parametrize("expression", ["Dense(4)", "BatchNormalization()", "LayerNormalization()"])
def test_input_is_cast_on_the_device(expression):
    def run(place):
        layer = eval(expression, vars(layers))
        to_device(layer_parameters(layer), place)
        return [layer(place(np.arange(12).reshape(4, 3)), training=True).data]

    def layer_parameters(layer):
        random.seed(0)
        layer(np.ones((1, 3)))
        return layer.weights().values()

    run_on_both_sides(run)


def test_every_layer_has_a_strict_case():
    assert set(map(class_of, LAYER_CASES)) == every_layer().keys()


# ---- Losses --------------------------------------------------------------------------------------

generator = np.random.default_rng(0)
NUMBERS = generator.standard_normal((4, 3))
PREDICTED = generator.standard_normal((4, 3))
SIGNS = np.where(NUMBERS > 0, 1.0, -1.0)
LABELS = np.array([2, 0, 1, 1])
ONEHOT = np.eye(3)[LABELS]
SHARES = np.exp(NUMBERS) / np.exp(NUMBERS).sum(axis=-1, keepdims=True)

# The truth that each loss compares with, and the activation whose values it takes for ŷ.
TRUTHS = {
    "mean_squared_error": (NUMBERS, None),
    "mse": (NUMBERS, None),
    "mean_absolute_error": (NUMBERS, None),
    "mae": (NUMBERS, None),
    "huber": (NUMBERS, None),
    "binary_crossentropy": (ONEHOT, "sigmoid"),
    "categorical_crossentropy": (SHARES, "softmax"),
    "sparse_categorical_crossentropy": (LABELS, "softmax"),
    "token_crossentropy": (np.where(LABELS == 1, losses.IGNORED, LABELS), None),
    "hinge": (SIGNS, None),
    "squared_hinge": (SIGNS > 0, None),  # 0 and 1 stand for -1 and 1
    "kl_divergence": (SHARES, "softmax"),
}
OBJECTS = {
    "MeanSquaredError()": "mse",
    "MeanSquaredError(reduction='none')": "mse",
    "MeanSquaredError(reduction='sum')": "mse",
    "MeanAbsoluteError()": "mae",
    "Huber(delta=0.5)": "huber",
    "BinaryCrossentropy()": "binary_crossentropy",
    "BinaryCrossentropy(label_smoothing=0.1)": "binary_crossentropy",
    "BinaryCrossentropy(from_logits=True)": "binary_crossentropy",
    "CategoricalCrossentropy()": "categorical_crossentropy",
    "CategoricalCrossentropy(label_smoothing=0.1)": "categorical_crossentropy",
    "CategoricalCrossentropy(from_logits=True)": "categorical_crossentropy",
    "SparseCategoricalCrossentropy()": "sparse_categorical_crossentropy",
    "SparseCategoricalCrossentropy(from_logits=True)": "sparse_categorical_crossentropy",
    "TokenCrossentropy()": "token_crossentropy",
    "Hinge()": "hinge",
    "SquaredHinge()": "squared_hinge",
    "KLDivergence()": "kl_divergence",
    "FunctionLoss(mean_squared_error)": "mse",
    "FunctionLoss('mean_squared_error')": "mse",
}


def predict(z, activation, from_layer):
    """ŷ of z; not from a layer, it has forgotten its logits."""
    if activation is None:
        return z
    y = activations.activate(activation, z)
    if not from_layer:
        y.logits = None
    return y


def run_of_loss_function(name, from_layer):
    """run(place): the losses of examples, and the gradient."""
    truth, activation = TRUTHS[name]

    def run(place):
        z = Tensor(place(PREDICTED), requires_grad=True)
        loss = losses.FUNCTIONS[name](place(truth), predict(z, activation, from_layer))
        loss.backward(place(np.ones(4)))
        return [loss.data, z.grad]

    return run


def run_of_loss(expression, weight):
    """run(place): the loss that an expression makes, and the gradient."""
    truth, activation = TRUTHS[OBJECTS[expression]]
    activation = None if "from_logits" in expression else activation

    def run(place):
        z = Tensor(place(PREDICTED), requires_grad=True)
        loss = eval(expression, vars(losses))
        weights = None if weight is None else place(weight)
        loss = loss(place(truth), predict(z, activation, True), weights)
        loss.backward(place(np.ones(loss.shape)))
        return [loss.data, z.grad]

    return run


WEIGHTS = pytest.mark.parametrize("weight", [None, np.array([1.0, 0.0, 2.0, 0.5])])


@pytest.mark.parametrize("name", losses.FUNCTIONS)
@pytest.mark.parametrize("from_layer", [True, False])
def test_loss_function_stays_on_the_device(name, from_layer):
    run_on_both_sides(run_of_loss_function(name, from_layer))


@pytest.mark.parametrize("expression", OBJECTS)
@WEIGHTS
def test_loss_stays_on_the_device(expression, weight):
    run_on_both_sides(run_of_loss(expression, weight))


def test_every_loss_has_a_strict_case():
    assert set(map(class_of, OBJECTS)) == classes(losses, losses.Loss).keys()
    functions = {
        name: thing
        for name, thing in vars(losses).items()
        if inspect.isfunction(thing) and thing.__module__ == losses.__name__ and name[0] != "_"
    }
    functions.pop("get")
    assert TRUTHS.keys() == losses.FUNCTIONS.keys() >= functions.keys()


def test_every_option_of_a_loss_has_a_strict_case():
    for name, loss in classes(losses, losses.Loss).items():
        options = set(inspect.signature(loss).parameters) - {"reduction", "function"}
        assert options <= options_of(OBJECTS, name)


def options_of(expressions, name=""):
    """The options named in all expressions of the class `name`."""
    return {
        option
        for expression in expressions
        if name in ("", class_of(expression))
        for option in re.findall(r"(\w+)=", expression)
    }


# ---- Optimizers ----------------------------------------------------------------------------------

OPTIMIZERS = [
    "SGD()",
    "SGD(learning_rate=0.1, momentum=0.8)",
    "SGD(0.1, momentum=0.8, nesterov=True)",
    "SGD(0.1, weight_decay=0.5, clipvalue=0.5)",
    "SGD(0.1, clipnorm=2.0)",
    "SGD(0.1, global_clipnorm=2.0)",
    "RMSprop(learning_rate=0.1)",
    "RMSprop(0.1, rho=0.7, momentum=0.8, epsilon=0.01, centered=True)",
    "RMSprop(0.1, clipnorm=2.0)",
    "Adagrad(learning_rate=0.1, initial_accumulator_value=0.5, epsilon=0.01)",
    "Adagrad(0.1, global_clipnorm=2.0)",
    "Adam()",
    "Adam(learning_rate=0.1, beta_1=0.8, beta_2=0.9, epsilon=0.01)",
    "Adam(0.1, weight_decay=0.5, global_clipnorm=2.0)",
    "AdamW(learning_rate=0.1)",
    "AdamW(0.1, weight_decay=0.5, beta_1=0.8, clipvalue=0.5)",
    "Adam(Constant(0.1))",
    "SGD(PiecewiseConstantDecay([1, 2], [0.1, 0.01, 0.001]))",
    "SGD(ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5), momentum=0.5)",
    "Adam(ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5, staircase=True))",
    "AdamW(StepDecay(0.1, decay_steps=2))",
    "RMSprop(CosineDecay(0.0, decay_steps=3, warmup_target=0.1, warmup_steps=2))",
    "Adagrad(lambda step: 0.1 / (step + 1))",
]


def run_of_optimizer(expression, dtype):
    """run(place): three parameters after three steps, and what the optimizer remembers."""

    def run(place):
        numbers = np.random.default_rng(0)
        optimizer = eval(expression, {**vars(optimizers), **vars(schedules)})
        parameters = [
            layers.Parameter(place(numbers.standard_normal(shape).astype(dtype)))
            for shape in [(2, 3), (4,), ()]
        ]
        parameters[1].weight_decay_multiplier = 0.0
        parameters[2].learning_rate_multiplier = 0.5
        for _ in range(3):
            for parameter in parameters:
                gradient = numbers.standard_normal(parameter.shape) * 10
                parameter.grad = place(np.asarray(gradient, dtype))
            optimizer.step(parameters)
        state = optimizer.get_state({str(i): p for i, p in enumerate(parameters)})
        state = [array for name, array in state.items() if name.split(".")[-1] not in COUNTS]
        return [*(p.data for p in parameters), *state]

    return run


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", OPTIMIZERS)
def test_optimizer_stays_on_the_device(expression, dtype):
    run_on_both_sides(run_of_optimizer(expression, dtype))


COUNTS = ("iterations", "step")  # Python's numbers, on the host


def test_every_optimizer_and_schedule_has_a_strict_case():
    assert set(map(class_of, OPTIMIZERS)) == classes(optimizers, optimizers.Optimizer).keys()
    for schedule in classes(schedules, schedules.Schedule):
        assert any(f"({schedule}(" in expression for expression in OPTIMIZERS)


def test_every_option_of_an_optimizer_has_a_strict_case():
    common = set(inspect.signature(optimizers.Optimizer).parameters)
    assert common <= options_of(OPTIMIZERS)
    for name, optimizer in classes(optimizers, optimizers.Optimizer).items():
        own = set(inspect.signature(optimizer).parameters) - {"options"}
        assert own <= options_of(OPTIMIZERS, name)


# ---- Regularizers --------------------------------------------------------------------------------

REGULARIZERS = ["L1(0.5)", "L2(0.5)", "L1L2(0.5, 0.25)", "get('l1_l2')"]


def run_of_regularizer(expression):
    """run(place): the price of a weight, and its gradient."""

    def run(place):
        weight = Tensor(place(NUMBERS), requires_grad=True)
        price = eval(expression, vars(regularizers))(weight)
        price.backward()
        return [price.data, weight.grad]

    return run


@pytest.mark.parametrize("expression", REGULARIZERS)
def test_regularizer_stays_on_the_device(expression):
    run_on_both_sides(run_of_regularizer(expression))


def test_every_regularizer_has_a_strict_case():
    known = classes(regularizers, regularizers.Regularizer).keys()
    assert known | {"get"} == set(map(class_of, REGULARIZERS))


# ---- Metrics -------------------------------------------------------------------------------------

METRICS = {
    **TRUTHS,
    "acc": (LABELS, "softmax"),
    "accuracy": (ONEHOT, "softmax"),
    "binary_accuracy": (ONEHOT, "sigmoid"),
    "categorical_accuracy": (SHARES, "softmax"),
    "sparse_categorical_accuracy": (LABELS[:, None], "softmax"),
    "top_k_categorical_accuracy": (SHARES, "softmax"),
    "sparse_top_k_categorical_accuracy": (LABELS, "softmax"),
}


def result_of_metric(name, weight, place, reads):
    """The result after two batches, and in how many reads: reads() tells how many there were."""
    metric = metrics.Metric(name, **({"k": 2} if "top_k" in name else {}))
    truth, activation = METRICS[name]
    before = reads()
    for flip in (1, -1):
        prediction = predict(Tensor(place(PREDICTED[::flip])), activation, True)
        metric.update(place(truth), prediction, *([] if weight is None else [place(weight)]))
    assert reads() == before
    result = metric.result()
    return result, reads() - before


@pytest.mark.parametrize("name", metrics._FUNCTIONS)
@WEIGHTS
def test_metric_reads_its_result_alone(name, weight):
    right, _ = result_of_metric(name, weight, same, lambda: 0)
    result, reads = result_of_metric(name, weight, strict, lambda: StrictArray.reads)
    assert reads <= 2  # Σ w v and Σ w
    assert result == right and isinstance(result, float)


def test_accuracy_of_tokens_reads_its_result_alone():
    z = np.eye(5)[[[1, 3, 0], [2, 0, 1]]]  # two right, two wrong, and two that count for nothing
    labels = np.array([[1, losses.IGNORED, 4], [losses.IGNORED, 0, 2]])
    metric, before = metrics.TokenAccuracy(), StrictArray.reads
    metric.update(strict(labels), Tensor(strict(z)), strict(np.array([1.0, 0.5])))
    assert StrictArray.reads == before
    assert metric.result() == pytest.approx((1.0 + 0.5) / (2 * 1.0 + 2 * 0.5))


def test_mean_of_values_reads_its_result_alone():
    mean, before = metrics.Mean(), StrictArray.reads
    mean.update(strict(np.array([1.0, 2.0])))
    mean.update(strict(np.array(4.5)), 2)
    assert StrictArray.reads == before
    assert mean.result() == 3.0 and StrictArray.reads == before + 1


def test_every_metric_has_a_strict_case():
    assert metrics._FUNCTIONS.keys() == METRICS.keys()
    assert classes(metrics, metrics.Mean).keys() == {"Metric", "TokenAccuracy"}
    public = {
        name
        for name, thing in vars(metrics).items()
        if inspect.isfunction(thing) and thing.__module__ == metrics.__name__ and name[0] != "_"
    }
    assert public - {"get"} <= METRICS.keys()


# ---- fit -----------------------------------------------------------------------------------------


def image_classifier():
    model = models.Sequential(
        [
            layers.Input((12,)),
            layers.Reshape((3, 4)),
            layers.BatchNormalization(axis=1),
            layers.GroupNormalization(2),
            layers.Flatten(),
            layers.Dense(8, kernel_regularizer="l2", bias_regularizer="l1"),
            layers.LayerNormalization(),
            layers.Activation("gelu"),
            layers.Dropout(0.3),
            layers.Dense(8, "relu", trainable=False),
            layers.BatchNormalization(),
            layers.Dense(3, "softmax"),
        ]
    )
    optimizer = optimizers.Adam(schedules.ExponentialDecay(0.01, 2, 0.5), global_clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    return model, lambda x, y: (x, y)


def word_classifier():
    model = models.Sequential(
        [
            layers.Embedding(5, 4, embeddings_regularizer="l1_l2", input_shape=(12,)),
            layers.Flatten(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    optimizer = optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1)
    model.compile(optimizer, "binary_crossentropy", ["accuracy", "binary_crossentropy"])
    weight = np.linspace(0, 2, 8)
    return model, lambda x, y: (np.abs(x * 2).astype("int64") % 5, y > 1, weight[: len(y)])


def regression():
    model = models.Sequential([layers.Dense(4, "tanh", input_dim=12), layers.Dense(1)])
    model.compile(optimizers.RMSprop(0.01, centered=True, clipnorm=0.1), "huber", ["mae", "mse"])
    return model, lambda x, y: (x, y.astype("float64")[:, None])


def sequence_model():
    model = models.Sequential(
        [
            layers.Reshape((4, 3), input_shape=(12,)),
            layers.Masking(),
            layers.Dense(4, "tanh"),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model, lambda x, y: (x, y.astype("float32").repeat(4).reshape(-1, 4, 1))


def attention_model():
    model, arrange = sequence_model()
    for _ in range(2):
        model.pop()
    for layer in [
        layers.Dense(4, "tanh"),
        layers.PositionEmbedding(4),
        layers.SinePositionEncoding(),
        layers.RotaryEmbedding(),
        layers.MultiHeadAttention(2, 2, dropout=0.25),
        layers.RMSNormalization(),
        layers.TransformerEncoder(5, 2, 0.25),
        layers.TransformerDecoder(5, 2, 0.25, rope_max_wavelength=100),
        layers.Dense(1),
    ]:
        model.add(layer)
    return model, arrange


def convolution_model():
    model = models.Sequential(
        [
            layers.Reshape((2, 3, 2), input_shape=(12,)),
            layers.UpSampling2D(),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2, 1),
            layers.ZeroPadding2D(),
            layers.AveragePooling2D(),
            layers.Conv2DTranspose(3, 2, 2),
            layers.Reshape((12, 6)),
            layers.Conv1D(4, 3, padding="causal"),
            layers.ZeroPadding1D(),
            layers.UpSampling1D(),
            layers.MaxPooling1D(3, 1),
            layers.AveragePooling1D(),
            layers.GlobalMaxPooling1D(keepdims=True),
            layers.GlobalAveragePooling1D(),
            layers.Reshape((2, 1, 2)),
            layers.GlobalMaxPooling2D(keepdims=True),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    return model, lambda x, y: (x, y)


def recurrent_model():
    model, arrange = sequence_model()
    for _ in range(2):
        model.pop()
    for layer in [
        layers.SimpleRNN(4, return_sequences=True, dropout=0.25),
        layers.Bidirectional(layers.GRU(2, return_sequences=True)),
        layers.LSTM(4, return_sequences=True),
        layers.Dense(1),
    ]:
        model.add(layer)
    return model, arrange


def language_model():
    model = models.GPT(5, 2, 2, 8, dropout=0.1, max_sequence_length=12)
    optimizer = optimizers.AdamW(0.01, global_clipnorm=0.1)
    model.compile(optimizer, losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, lambda x, y: (np.abs(x * 2).astype("int64") % 5,) * 2


def adapted_model():
    model, arrange = attention_model()
    model.build((None, 12))
    finetune.prepare(model, finetune.LoRA(r=2, dropout=0.25))
    return model, arrange


# Between them, with every layer
FITTED = [
    image_classifier,
    word_classifier,
    sequence_model,
    attention_model,
    convolution_model,
    recurrent_model,
    adapted_model,
]
MODELS = pytest.mark.parametrize("make", [*FITTED, regression, language_model])


def train(make, place, steps=3, epochs=2):
    """The history of a fit on batches that `place` puts somewhere, and the weights after it."""
    random.seed(0)
    numbers = np.random.default_rng(0)
    model, arrange = make()
    to_device(model.weights().values(), place)
    batches = []
    for n in [8] * (steps - 1) + [5]:
        x = numbers.standard_normal((n, 12)).astype("float32")
        batches.append(place(arrange(x, numbers.integers(0, 3, n))))
    history = model.fit(batches, epochs=epochs, validation_data=batches[:2], verbose=0)
    return history.history, {name: p.data for name, p in model.weights().items()}


@MODELS
def test_fit_stays_on_the_device(make):
    history, arrays = train(make, same)
    on_device, arrays_on_device = train(make, strict)
    assert on_device == history
    for name, array in arrays_on_device.items():
        assert isinstance(array, StrictArray)
        np.testing.assert_array_equal(unwrap(array), arrays[name])


@MODELS
def test_fit_reads_as_often_in_long_epochs_as_in_short_ones(make):
    def reads(steps, epochs):
        before = StrictArray.reads
        history, _ = train(make, strict, steps, epochs)
        return StrictArray.reads - before, len(history)

    few, numbers = reads(steps=2, epochs=1)
    many, _ = reads(steps=12, epochs=1)
    twice, _ = reads(steps=2, epochs=2)
    assert few == many == twice / 2
    assert 0 < few <= 2 * numbers  # Σ w v, and Σ w if the examples are weighted


@MODELS
def test_evaluate_stays_on_the_device(make):
    results = []
    for place in (same, strict):
        random.seed(0)
        model, arrange = make()
        to_device(model.weights().values(), place)
        x = np.random.default_rng(0).standard_normal((8, 12)).astype("float32")
        results.append(model.evaluate([place(arrange(x, np.arange(8) % 3))], verbose=0))
    assert results[0] == results[1]


def test_every_layer_is_in_a_fit():
    made = [make()[0] for make in FITTED]
    inside = {type(thing).__name__ for model in made for _, thing in model.walk()}
    assert every_layer().keys() - {"Input"} <= inside  # Sequential leaves an Input out


def test_fit_notices_arrays_on_two_sides():
    model, _ = regression()
    model.weights()
    with pytest.raises(HostCopyError), no_grad():
        model(strict(np.ones((2, 12), "float32")))
