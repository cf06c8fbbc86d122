"""Saving: a model comes back bit for bit, and goes on training as if it had stayed."""

import errno
import itertools
import os

import numpy as np
import pytest

from minigrad import (
    checkpoint,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    registry,
    regularizers,
    schedules,
)
from minigrad.layers import Dense


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def flowers(n=40):
    generator = np.random.default_rng(1)
    y = generator.integers(3, size=n)
    return generator.normal(size=(n, 4)).astype(np.float32) + y[:, None], y


def classifier(optimizer="adam", **options):
    model = models.Sequential(
        [
            Dense(8, activation="relu", input_shape=(4,), kernel_regularizer="l2", **options),
            layers.BatchNormalization(**options),
            layers.Dropout(0.3),
            Dense(3, activation="softmax", **options),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def weights_of(model):
    return {path: parameter.numpy() for path, parameter in model.weights().items()}


def assert_same_bits(ours, theirs):
    assert ours.keys() == theirs.keys()
    for path, array in ours.items():
        np.testing.assert_array_equal(array, theirs[path], err_msg=path, strict=True)


def assert_same_model(ours, theirs):
    """Equal in configuration, weights, training and predictions."""
    assert registry.serialize(ours) == registry.serialize(theirs)
    assert_same_bits(weights_of(ours), weights_of(theirs))
    for one, other in (
        (ours.optimizer, theirs.optimizer),
        (ours.loss, theirs.loss),
        (list(ours.metrics), list(theirs.metrics)),
    ):
        assert registry.serialize(one) == registry.serialize(other)


def there_and_back(model, path, **options):
    model.save(path)
    return models.load_model(path, **options)


# ---- The whole model -----------------------------------------------------------------------------


def test_a_trained_model_comes_back_bit_for_bit(path):
    x, y = flowers()
    model = classifier()
    model.fit(x, y, epochs=2)
    loaded = there_and_back(model, path)
    assert_same_model(loaded, model)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert loaded.evaluate(x, y) == model.evaluate(x, y)


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.01),
    "momentum": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True, clipvalue=0.1),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: optimizers.Adagrad(0.01),
    "adam": lambda: optimizers.Adam(schedules.CosineDecay(0.01, 25), clipnorm=0.5),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.5),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_three_epochs_then_a_file_then_two_more_equal_five(optimizer, path):
    x, y = flowers()
    straight = classifier(optimizer())
    straight.build((None, 4))
    start, random_state = weights_of(straight), random.get_state()
    five = straight.fit(x, y, batch_size=8, epochs=5).history

    model = classifier(optimizer())
    model.set_weights(start)
    random.set_state(random_state)
    three = model.fit(x, y, batch_size=8, epochs=3).history
    random_state = random.get_state()
    loaded = there_and_back(model, path)
    random.set_state(random_state)
    two = loaded.fit(x, y, batch_size=8, epochs=5, initial_epoch=3).history

    assert {name: three[name] + two[name] for name in two} == five
    assert_same_bits(weights_of(loaded), weights_of(straight))
    assert loaded.optimizer.iterations == straight.optimizer.iterations == 25


def test_how_a_model_was_compiled_comes_back(path):
    model = classifier()
    model.compile(
        optimizers.Adam(
            schedules.CosineDecay(0.1, 50, warmup_target=0.2, warmup_steps=5),
            beta_1=0.8,
            global_clipnorm=2.0,
        ),
        losses.Huber(delta=0.5, reduction="sum"),
        [metrics.Metric("top_k_categorical_accuracy", name="top 2", k=2), "mae"],
    )
    loaded = there_and_back(model, path)
    assert_same_model(loaded, model)
    assert loaded.optimizer.rate == model.optimizer.rate == 0.1
    assert isinstance(loaded.optimizer.learning_rate, schedules.CosineDecay)
    assert [metric.name for metric in loaded.metrics] == ["top 2", "mae"]
    assert loaded.loss.delta == 0.5 and loaded.metrics[0].options == {"k": 2}


def test_a_model_that_was_not_compiled_comes_back_so(path):
    loaded = there_and_back(models.Sequential([Dense(2, input_dim=3)]), path)
    assert loaded.optimizer is None


def test_moving_averages_come_back(path):
    x, y = flowers()
    model = classifier()
    model.fit(x, y, epochs=3)
    loaded = there_and_back(model, path)
    for name in ("moving_mean", "moving_variance"):
        average = getattr(loaded.layers[1], name)
        np.testing.assert_array_equal(average.numpy(), getattr(model.layers[1], name).numpy())
        assert np.all(average.numpy() != np.round(average.numpy())) and not average.requires_grad


LAYERS = {
    "Dense with everything": lambda: [
        Dense(
            5,
            activation="gelu",
            use_bias=True,
            kernel_initializer=initializers.VarianceScaling(2.0, "fan_out", seed=3),
            bias_initializer=initializers.Constant(0.5),
            kernel_regularizer=regularizers.L1L2(0.1, 0.2),
            bias_regularizer="l1",
            name="the first",
            input_shape=(4,),
        )
    ],
    "Dense without bias": lambda: [Dense(5, use_bias=False, input_dim=4)],
    "an operation as activation": lambda: [Dense(5, activation=ops.tanh, input_dim=4)],
    "a layer as activation": lambda: [
        Dense(5, activation=layers.LayerNormalization(), input_dim=4)
    ],
    "Input": lambda: [layers.Input((4,)), Dense(5)],
    "Embedding": lambda: [layers.Embedding(9, 2, input_shape=(4,)), layers.Flatten(), Dense(3)],
    "unknown length": lambda: [layers.Embedding(9, 2, input_shape=(None,)), Dense(3)],
    "images of unknown sizes": lambda: [
        layers.Conv2D(3, (3, 2), dilation_rate=2, input_shape=(None, None, 4)),
        layers.AveragePooling2D(2, padding="same"),
        layers.GlobalMaxPooling2D(),
    ],
    "sequences that convolution makes much shorter": lambda: [
        layers.Conv1D(3, 8, strides=3, input_shape=(None, 4)),
        layers.MaxPooling1D(5),
        layers.Conv1D(2, 2),
    ],
    "shapes": lambda: [
        layers.Reshape((2, -1), input_shape=(4,)),
        layers.LayerNormalization(axis=1, epsilon=1e-5),
        layers.Flatten(),
        layers.Activation("softmax"),
    ],
    "nested": lambda: [
        models.Sequential([Dense(3, input_dim=4), Dense(2)], name="inner"),
        Dense(1),
    ],
    "float64": lambda: [Dense(3, input_dim=4, dtype="float64")],
    "a model of language": lambda: [
        layers.Embedding(9, 8, mask_zero=True, input_shape=(6,)),
        layers.PositionEmbedding(6),
        layers.SinePositionEncoding(),
        layers.MultiHeadAttention(4, 2, 3, 2, rope_max_wavelength=100.0),
        layers.TransformerEncoder(5, 2, 0.1, "gelu", use_bias=False),
        layers.TransformerDecoder(5, 2, normalization="rms", gated=True, num_key_value_heads=1),
        layers.FeedForward(5, "silu", gated=True),
        layers.RMSNormalization(),
    ],
    "groups of features": lambda: [
        layers.GroupNormalization(2, input_shape=(3, 4)),
        layers.RotaryEmbedding(),
    ],
    "nothing to learn": lambda: [layers.Flatten(input_shape=(2, 2))],
}


@pytest.mark.parametrize("inside", LAYERS.values(), ids=LAYERS)
def test_each_layer_comes_back_with_its_arguments(inside, path):
    model = models.Sequential(inside())
    loaded = there_and_back(model, path)
    assert_same_model(loaded, model)
    x = np.ones((2, *(n or 60 for n in model.input_shape)), model.input_dtype)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


@pytest.mark.parametrize("last", [layers.GlobalAveragePooling1D, layers.Flatten])
def test_a_model_of_an_unknown_length_that_saw_data_comes_back(last, path):
    """The layers inside have been made for what came of the length of these data."""
    model = models.Sequential([layers.Conv1D(2, 3, input_shape=(None, 4)), last(), Dense(3)])
    x = np.ones((2, 9, 4), "float32")
    expected = model.predict(x)
    loaded = there_and_back(model, path)
    np.testing.assert_array_equal(loaded.predict(x), expected)
    assert loaded.input_shape == (None, 4)


def test_what_was_frozen_comes_back_frozen_and_nothing_else(path):
    model = models.Sequential([classifier(), Dense(3, name="head")])
    model.build((None, 4))
    model.trainable = False
    model.layers[1].trainable = True
    model.layers[1].bias.requires_grad = False
    model.layers[0].layers[3].trainable = True
    loaded = there_and_back(model, path)

    def learning(model):
        return {path for path, weight in model.weights().items() if weight.requires_grad}

    assert learning(loaded) == learning(model) == {"0.3.weight", "0.3.bias", "1.weight"}
    assert not loaded.layers[0].layers[1].trainable  # so its averages stay


def test_a_layer_inside_a_model_of_your_own_comes_back_frozen(path):
    class Normalized(models.Model):
        def __init__(self):
            super().__init__()
            self.inner = layers.BatchNormalization()
            self.outer = Dense(1)

        def call(self, x):
            return self.outer(self.inner(x))

    model = Normalized()
    model.build((None, 4))
    model.inner.trainable = False
    loaded = there_and_back(model, path, custom_objects={"Normalized": Normalized})
    assert [loaded.trainable, loaded.inner.trainable, loaded.outer.trainable] == [True, False, True]
    assert not loaded.inner.gamma.requires_grad and loaded.outer.weight.requires_grad


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_a_path_may_be_text_or_a_path(kind, path):
    assert there_and_back(classifier(), kind(path)).built
    assert path.exists()


def test_saving_changes_nothing(path):
    x, y = flowers()
    saved, other = classifier(), classifier()
    other.set_weights(weights_of(saved))
    for model in (saved, other):
        random.seed(5)
        model.fit(x, y)
        if model is saved:
            model.save(path)
            model.save_weights(path)
        model.fit(x, y)
    assert_same_bits(weights_of(saved), weights_of(other))


# ---- Classes and functions of your own -----------------------------------------------------------


class Scale(layers.Layer):
    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "uniform")

    def call(self, x):
        return x * self.scale * self.factor


class Residual(models.Model):
    def __init__(self, units, blocks=2):
        super().__init__()
        self.units = units
        self.blocks = blocks
        self.inner = {"first": [Dense(units, activation="relu") for _ in range(blocks)]}

    def call(self, x):
        for layer in self.inner["first"]:
            x = x + layer(x)
        return x


class HalfSGD(optimizers.SGD):
    def update(self, parameter, gradient, state, rate, step):
        super().update(parameter, gradient, state, rate / 2, step)


def bump(x):
    return ops.exp(-x * x)


def cubic(y_true, y_pred):
    return ops.mean(ops.absolute(y_pred - y_true) ** 3, axis=-1)


def worst(y_true, y_pred):
    return np.max(np.abs(y_true - y_pred), axis=-1)


def with_layer():
    return models.Sequential([Scale(2.0, input_shape=(4,)), Dense(1)])


def with_activation():
    return models.Sequential([Dense(2, activation=bump, input_shape=(4,))])


def compiled(optimizer="sgd", loss="mse", metrics=()):
    model = models.Sequential([Dense(2, input_shape=(4,))])
    model.compile(optimizer, loss, list(metrics))
    return model


OWN = {
    "a layer": (with_layer, Scale),
    "an activation": (with_activation, bump),
    "an optimizer": (lambda: compiled(optimizer=HalfSGD(0.5)), HalfSGD),
    "a loss": (lambda: compiled(loss=cubic), cubic),
    "a metric": (lambda: compiled(metrics=[worst]), worst),
}


@pytest.mark.parametrize("make, own", OWN.values(), ids=OWN)
def test_what_is_your_own_comes_back_when_it_is_named(make, own, path):
    model = make()
    loaded = there_and_back(model, path, custom_objects={own.__name__: own})
    assert_same_model(loaded, model)
    x = flowers()[0]
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    if model.optimizer:
        for each in (model, loaded):
            random.seed(1)
            each.fit(x, x[:, :2])
        assert_same_bits(weights_of(loaded), weights_of(model))


@pytest.mark.parametrize("make, own", OWN.values(), ids=OWN)
def test_what_is_your_own_and_not_named_is_an_error_that_says_the_cure(make, own, path):
    make().save(path)
    with pytest.raises(ValueError, match=f"model.safetensors.*{own.__name__}.*custom_objects={{"):
        models.load_model(path)


def test_a_model_of_your_own_comes_back_with_its_arguments(path):
    x, _ = flowers()
    model = Residual(4, blocks=3)
    model.compile("adam", "mse")
    model.fit(x, -x, epochs=2)
    loaded = there_and_back(model, path, custom_objects={"Residual": Residual})
    assert (loaded.units, loaded.blocks) == (4, 3)
    assert_same_model(loaded, model)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_a_lambda_cannot_be_saved_and_the_old_file_survives(path):
    classifier().save(path)
    before = path.read_bytes()
    model = models.Sequential([Dense(2, activation=lambda z: z * 2, input_shape=(4,))])
    with pytest.raises(ValueError, match="lambda.* cannot be saved: use .*a function with a name"):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


# ---- Weights alone -------------------------------------------------------------------------------


@pytest.mark.parametrize("save", ["save", "save_weights"])
def test_weights_go_into_another_model_of_the_same_shape(save, path):
    x, y = flowers()
    model = classifier()
    model.fit(x, y)
    getattr(model, save)(path)
    other = classifier()
    other.load_weights(path)
    assert_same_bits(weights_of(other), weights_of(model))
    assert other.optimizer.iterations == 0


def test_weights_go_into_an_unbuilt_model_whose_shape_is_known(path):
    classifier().save_weights(path)
    arrays, _ = checkpoint.load(path)
    other = models.Sequential(classifier().layers)
    other.input_shape, other.built = classifier().input_shape, False
    other.load_weights(path)
    assert_same_bits(weights_of(other), arrays)


def test_weights_for_a_model_of_unknown_shape_are_refused_with_the_cure(path):
    model = models.Sequential([Dense(3)])
    model.build((None, 4))
    model.save_weights(path)
    with pytest.raises(ValueError, match="not built.* input_shape=.*call it once on data"):
        models.Sequential([Dense(3)]).load_weights(path)


def test_training_goes_on_from_loaded_weights(path):
    """Though the optimizer had them in a buffer of its own."""
    x, y = flowers()
    model = classifier(optimizers.SGD(0.1))
    model.fit(x, y)
    model.save_weights(path)
    model.fit(x, y, epochs=3)

    fresh = classifier(optimizers.SGD(0.1))
    for each in (model, fresh):
        each.load_weights(path)
        random.seed(9)
        each.fit(x, y)
    assert_same_bits(weights_of(fresh), weights_of(model))


def test_all_that_does_not_fit_is_listed_and_nothing_is_loaded(path):
    model = models.Sequential([Dense(8, input_shape=(4,)), Dense(3), layers.LayerNormalization()])
    model.save_weights(path)
    other = models.Sequential([Dense(8, input_shape=(4,)), Dense(2), Dense(2, use_bias=False)])
    before = weights_of(other)
    with pytest.raises(ValueError) as raised:
        other.load_weights(path)
    assert str(raised.value).splitlines() == [
        "the weights do not fit the model:",
        "  1 missing: 2.weight",
        "  2 unexpected: 2.gamma; 2.beta",
        "  2 mismatched: 1.weight: wanted (8, 2) float32, got (8, 3) float32; "
        "1.bias: wanted (2,) float32, got (3,) float32",
    ]
    assert_same_bits(weights_of(other), before)


def test_weights_of_another_dtype_are_refused(path):
    classifier(dtype="float64").save_weights(path)
    with pytest.raises(
        ValueError, match=r"0.weight: wanted \(4, 8\) float32, got \(4, 8\) float64"
    ):
        classifier().load_weights(path)


def test_a_file_of_weights_is_no_model_and_the_error_says_what_to_do(path):
    classifier().save_weights(path)
    with pytest.raises(ValueError, match=r"holds weights and no model.*model.load_weights\("):
        models.load_model(path)


# ---- When saving fails ---------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["replace", "fsync"])
@pytest.mark.parametrize("save", ["save", "save_weights"])
def test_a_full_disk_leaves_the_old_model(moment, save, path, monkeypatch):
    model = classifier()
    getattr(model, save)(path)
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    model.fit(*flowers())
    with monkeypatch.context() as patch:
        patch.setattr(os, moment, full)
        with pytest.raises(OSError, match="No space left.*model.safetensors"):
            getattr(model, save)(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_model_of_unknown_shape_cannot_be_saved(path):
    with pytest.raises(ValueError, match="not built.*input_shape="):
        models.Sequential([Dense(3)]).save(path)
    assert not path.exists()


# ---- Configurations that make no model -----------------------------------------------------------

DENSE = {"module": "minigrad.layers.core", "class_name": "Dense", "config": {"units": 2}}


def sequential(**config):
    return {"module": "minigrad.models.sequential", "class_name": "Sequential", "config": config}


WRONG = {
    "an unknown class of minigrad": (
        {"model": {**DENSE, "class_name": "Dens"}, "input_shape": [4]},
        "Dens",
    ),
    "an unknown layer": ({"model": sequential(layers=[{**DENSE, "class_name": "Dens"}])}, "Dens"),
    "an unknown argument": ({"model": sequential(layers=[], depth=3)}, "depth"),
    "a bad argument": ({"model": sequential(layers=[{**DENSE, "config": {"units": -1}}])}, "-1"),
    "no input shape": ({"model": sequential(layers=[DENSE])}, "input_shape"),
    "no configuration": ({"model": {"module": "minigrad.models", "class_name": "Model"}}, "config"),
    "no model but a layer": ({"model": DENSE, "input_shape": [4]}, "Dense"),
    "no model but text": ({"model": "Sequential"}, "Sequential"),
}


@pytest.mark.parametrize("configuration, culprit", WRONG.values(), ids=WRONG)
def test_a_configuration_that_makes_no_model_is_named(configuration, culprit, path):
    checkpoint.save(path, {}, configuration)
    with pytest.raises(ValueError, match=rf"model.safetensors: .*{culprit}"):
        models.load_model(path)


def changed(data):
    """Every copy of plain data in which one value is another."""
    yield from (None, 3, "x", [], {})
    if isinstance(data, (dict, list)):
        for key in data if isinstance(data, dict) else range(len(data)):
            for value in changed(data[key]):
                copy = data.copy()
                copy[key] = value
                yield copy


def test_a_configuration_with_one_value_changed_makes_a_model_or_a_clear_error(path):
    """Whatever stands in a file: a model that was made, or a ValueError that names the file."""
    model = classifier()
    model.fit(*flowers())
    model.save(path)
    arrays, configuration = checkpoint.load(path)
    refused = 0
    for damaged in itertools.islice(changed(configuration), 0, None, 5):
        checkpoint.save(path, arrays, damaged)
        try:
            models.load_model(path)
        except ValueError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("name, dtype", [("0.bias.m", "float64"), ("0.bias.step", "float32")])
def test_the_dtypes_of_the_optimizer_are_checked(path, name, dtype):
    model = classifier()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*flowers())
    model.save(path)
    arrays, configuration = checkpoint.load(path)
    arrays[f"optimizer.{name}"] = arrays[f"optimizer.{name}"].astype(dtype)
    checkpoint.save(path, arrays, configuration)
    with pytest.raises(ValueError, match=f"{name} must have dtype .* Received: {dtype}"):
        models.load_model(path)


class TwoLayers(models.Sequential):
    def __init__(self, units):
        super().__init__()
        self.units = units
        self.add(Dense(units, input_shape=(4,)))
        self.add(Dense(2))


def test_a_sequential_that_makes_its_own_layers_is_made_again(path):
    model = TwoLayers(3)
    model.save(path)
    again = models.load_model(path, custom_objects={"TwoLayers": TwoLayers})
    assert_same_bits(weights_of(again), weights_of(model))
