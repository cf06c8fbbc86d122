"""Fine-tuning: weights of another model, what is frozen stays, another head."""

import re

import numpy as np
import pytest

from minigrad import checkpoint, finetune, layers, models, optimizers, random
from minigrad.layers import BatchNormalization, Dense, Dropout

X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
Y = np.arange(24) % 3


def classifier(classes=3, seed=0):
    """0: Dense(5), 1: BatchNormalization, 2: Dropout, 3: Dense(classes); 4 features."""
    random.seed(seed)
    return models.Sequential(
        [
            Dense(5, activation="relu", input_shape=(4,)),
            BatchNormalization(momentum=0.5),
            Dropout(0.1),
            Dense(classes, activation="softmax"),
        ]
    )


def nested():
    """0: a Sequential of two Dense layers, 1: Dense."""
    inner = models.Sequential([Dense(5), Dense(5)])
    return models.Sequential([inner, Dense(3, activation="softmax")]), inner


def built_nested():
    model, _ = nested()
    model.build((None, 4))
    return model


def train(model, epochs=2):
    model.compile(optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model.fit(X, Y, epochs=epochs, batch_size=8, verbose=0)


def values(model):
    return {path: weight.numpy().copy() for path, weight in model.weights().items()}


def changed(before, after):
    """The paths of the weights with a bit that differs."""
    return {path for path in before if before[path].tobytes() != after[path].tobytes()}


def state(model):
    """All that an error must leave as it is."""
    flags = [
        (path, thing.trainable if isinstance(thing, layers.Layer) else thing.requires_grad)
        for path, thing in model.walk()
    ]
    arrays = [(path, array.tobytes()) for path, array in values(model).items()]
    return flags, arrays, list(map(id, model.layers)), model.optimizer, model.built


FIRST = {"0.weight", "0.bias"}
NORM = {"1.gamma", "1.beta", "1.moving_mean", "1.moving_variance"}
HEAD = {"3.weight", "3.bias"}


# ---- freeze and unfreeze -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern, frozen",
    [
        ("*", FIRST | NORM | HEAD),
        ("0", FIRST),
        ("1", NORM),
        ("[01]", FIRST | NORM),
        (["0", "3.bias"], FIRST | {"3.bias"}),
        ("*.bias", {"0.bias", "3.bias"}),
        ("1.*", NORM),
        ("1.gamma", {"1.gamma"}),
        (["1.gamma", "1.beta"], {"1.gamma", "1.beta"}),
    ],
)
def test_frozen_weights_keep_every_bit_and_all_others_learn(pattern, frozen):
    model = classifier()
    assert set(finetune.freeze(model, pattern)) == frozen
    everything = FIRST | NORM | HEAD
    before = values(model)
    if frozen != everything:
        train(model)
        assert changed(before, values(model)) == everything - frozen


@pytest.mark.parametrize("pattern", ["*", "0", "1", "1.*", ["*.bias", "1.gamma"]])
def test_unfreeze_undoes_freeze(pattern):
    model = classifier()
    before = state(model)
    names = finetune.freeze(model, pattern)
    assert state(model) != before
    assert finetune.unfreeze(model, pattern) == names
    assert state(model) == before


def test_what_is_frozen_already_is_not_named_again():
    model = classifier()
    finetune.freeze(model, "0.weight")
    assert finetune.freeze(model, "0") == ["0.bias"]
    assert finetune.freeze(model, "0") == []


def test_a_layer_stands_for_all_that_is_in_it():
    model, inner = nested()
    model.build((None, 4))
    names = ["0.0.weight", "0.0.bias", "0.1.weight", "0.1.bias"]
    assert finetune.freeze(model, "0") == names
    assert [inner.trainable, inner.layers[1].trainable, model.layers[1].trainable] == [
        False,
        False,
        True,
    ]


def test_one_layer_may_thaw_in_a_frozen_model():
    model = classifier()
    finetune.freeze(model)
    assert set(finetune.unfreeze(model, "3")) == HEAD
    before = values(model)
    train(model)
    assert changed(before, values(model)) == HEAD


def test_a_weight_may_thaw_in_a_frozen_normalization_whose_averages_stay():
    model = classifier()
    finetune.freeze(model)
    assert finetune.unfreeze(model, "1.gamma") == ["1.gamma"]
    before = values(model)
    train(model)
    assert changed(before, values(model)) == {"1.gamma"}


def test_frozen_normalization_goes_by_its_averages_in_training_too():
    model = classifier()
    train(model)
    finetune.freeze(model, "1")
    norm = model.layers[1]
    x = np.full((3, 5), 2.0, np.float32)
    assert np.array_equal(norm(x, training=True).numpy(), norm(x, training=False).numpy())


def test_the_gradient_of_frozen_weights_is_not_computed():
    model = classifier()
    finetune.freeze(model, ["0", "1"])
    assert not model.layers[1](model.layers[0](X), training=True).requires_grad
    model(X, training=True).sum().backward()
    assert [p.grad is None for p in model.parameters()] == [True] * 4 + [False] * 2


def test_saved_and_loaded_again_stays_frozen(tmp_path):
    model = classifier()
    finetune.freeze(model, ["1", "0.weight"])
    train(model)
    model.save(tmp_path / "model")
    loaded = models.load_model(tmp_path / "model")
    assert state(loaded)[0] == state(model)[0]
    before = values(loaded)
    loaded.fit(X, Y, epochs=1, verbose=0)
    assert changed(before, values(loaded)) == {"0.bias"} | HEAD


def test_freezing_takes_effect_on_a_model_that_has_trained():
    model = classifier()
    train(model)
    finetune.freeze(model, "0")
    before = values(model)
    model.fit(X, Y, epochs=1, verbose=0)
    assert changed(before, values(model)) == NORM | HEAD


def test_a_shared_layer_is_frozen_in_all_its_places():
    shared = Dense(4)
    model = models.Sequential([Dense(4, input_shape=(4,)), shared, shared, Dense(3, "softmax")])
    finetune.freeze(model, "1")
    before = values(model)
    train(model)
    assert changed(before, values(model)) == {"0.weight", "0.bias", "3.weight", "3.bias"}


# ---- load_pretrained_weights ---------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    """What a trained classifier of 3 classes saved, with its optimizer's state."""
    model = classifier()
    finetune.freeze(model, "0.bias")
    train(model)
    model.save(tmp_path / "pretrained.safetensors")
    return tmp_path / "pretrained.safetensors"


def pretrained(file):
    return values(models.load_model(file))


def test_all_weights_come_from_the_file_and_the_optimizer_stays_there(file):
    model = classifier(seed=1)
    model.compile("sgd", "sparse_categorical_crossentropy")
    report = finetune.load_pretrained_weights(model, file)
    assert changed(values(model), pretrained(file)) == set()
    assert set(report.loaded) == FIRST | NORM | HEAD
    assert not report.skipped and not report.initialized and not report.unused
    assert model.optimizer.iterations == 0


def test_what_was_frozen_in_the_file_does_not_count(file):
    model = classifier(seed=1)
    finetune.load_pretrained_weights(model, file)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_files_of_save_weights_will_do(file, tmp_path):
    models.load_model(file).save_weights(tmp_path / "weights")
    model = classifier(seed=1)
    finetune.load_pretrained_weights(model, tmp_path / "weights")
    assert changed(values(model), pretrained(file)) == set()


@pytest.mark.parametrize("skip", ["3", "3.*", ["3.weight", "3.bias"]])
def test_a_head_of_another_shape_is_skipped_and_keeps_every_bit(file, skip):
    model = classifier(classes=7, seed=1)
    before = values(model)
    report = finetune.load_pretrained_weights(model, file, skip=skip)
    assert changed(before, values(model)) == {*FIRST, *NORM} - {"0.bias"}
    assert changed(values(model), pretrained(file) | {p: before[p] for p in HEAD}) == set()
    assert report.skipped == {"3.weight": 35, "3.bias": 7}


def test_the_report_counts_weights_and_their_numbers(tmp_path):
    arrays = {"0.weight": np.ones((4, 5), "f"), "0.bias": np.ones(9, "f"), "9.w": np.ones(6, "f")}
    checkpoint.save(tmp_path / "file", arrays)
    model = models.Sequential([Dense(5, input_shape=(4,)), Dense(300)])
    report = finetune.load_pretrained_weights(
        model, tmp_path / "file", skip=["0.bias", "1.*", "9.*"]
    )
    assert report.loaded == {"0.weight": 20}
    assert report.skipped == {"0.bias": 5}
    assert report.initialized == {"1.weight": 1500, "1.bias": 300}
    assert report.unused == {"9.w": 6}
    assert str(report).splitlines() == [
        "                      weights  numbers",
        "loaded from the file        1       20",
        "skipped                     1        5  0.bias",
        "left as initialized         2    1,800  1.weight, 1.bias",
        "in the file alone           1        6  9.w",
    ]


def test_a_long_list_of_names_is_cut_in_the_table_alone(file):
    model = models.Sequential([Dense(5, input_shape=(4,))])
    report = finetune.load_pretrained_weights(model, file, skip=["1.*", "3.*"])
    assert set(report.unused) == NORM | HEAD
    last = str(report).splitlines()[-1]
    assert last.endswith("...") and last.count("1.") == 4 and "3." not in last


def test_renamed_weights_go_where_the_model_has_them(tmp_path):
    source = models.Sequential([Dense(5, input_shape=(4,)), Dense(5), Dense(3)])
    source.save_weights(tmp_path / "file")
    model = built_nested()
    report = finetune.load_pretrained_weights(
        model, tmp_path / "file", rename={"0": "0.0", "1": "0.1", "2": "1"}
    )
    assert list(report.loaded) == list(values(model))
    for path, array in zip(values(model), values(source).values()):
        assert np.array_equal(values(model)[path], array)


def test_of_two_names_that_fit_the_longer_counts_and_ab_is_not_in_a(tmp_path):
    names = ["a.weight", "a.b.weight", "ab.weight"]
    arrays = {name: np.full((2, 2), i, "f") for i, name in enumerate(names)}
    checkpoint.save(tmp_path / "file", arrays)
    model = models.Sequential([Dense(2, use_bias=False, input_dim=2) for _ in range(3)])
    rename = {"a": "0", "ab.weight": "2.weight", "a.b": "1"}
    finetune.load_pretrained_weights(model, tmp_path / "file", rename=rename)
    assert [weight[0, 0] for weight in values(model).values()] == [0, 1, 2]


def test_weights_may_be_loaded_into_a_layer_of_a_model(tmp_path):
    source = models.Sequential([Dense(5, input_shape=(4,)), Dense(5)])
    source.save_weights(tmp_path / "file")
    model = built_nested()
    finetune.load_pretrained_weights(model.layers[0], tmp_path / "file")
    assert np.array_equal(values(model)["0.1.weight"], values(source)["1.weight"])


# ---- replace_head --------------------------------------------------------------------------------


def test_a_new_head_is_built_at_once_and_all_else_is_kept():
    model = classifier()
    train(model)
    old, before = model.layers[-1], values(model)
    finetune.freeze(model, "0")
    flags = state(model)[0][:-3]
    head = Dense(7, activation="softmax")
    assert finetune.replace_head(model, head) is old
    assert model.layers[-1] is head and head.weight.shape == (5, 7)
    after = values(model)
    assert changed({path: before[path] for path in FIRST | NORM}, after) == set()
    assert state(model)[0][:-3] == flags
    assert model.predict(X, verbose=0).shape == (24, 7)


def test_after_another_head_the_model_is_compiled_anew():
    model = classifier()
    train(model)
    finetune.replace_head(model, Dense(3, activation="softmax"))
    with pytest.raises(ValueError, match="call compile"):
        model.fit(X, Y, verbose=0)
    train(model)


def test_a_new_head_learns_in_a_frozen_model_and_so_does_what_is_added_on_top():
    model = classifier()
    finetune.freeze(model)
    finetune.replace_head(model, Dense(6))
    model.add(Dense(3, activation="softmax"))
    before = values(model)
    train(model)
    assert changed(before, values(model)) == {*HEAD, "4.weight", "4.bias"}


def test_a_head_that_is_frozen_itself_stays_frozen():
    model = classifier()
    finetune.replace_head(model, Dense(3, activation="softmax", trainable=False))
    before = values(model)
    train(model)
    assert changed(before, values(model)) == FIRST | NORM


@pytest.mark.parametrize("trainable", [True, False])
def test_a_frozen_model_is_no_longer_frozen_as_a_whole_once_its_head_learns(trainable):
    model = classifier()
    finetune.freeze(model)
    finetune.replace_head(model, Dense(3, trainable=trainable))
    assert model.trainable == trainable
    assert not any(layer.trainable for layer in model.layers[:-1])


def test_a_model_with_another_head_is_saved_and_loaded(tmp_path):
    model = classifier()
    finetune.freeze(model)
    finetune.replace_head(model, models.Sequential([Dense(6, "relu"), Dense(2, "softmax")]))
    model.save(tmp_path / "model")
    loaded = models.load_model(tmp_path / "model")
    assert state(loaded)[:2] == state(model)[:2]


def test_a_head_may_bring_weights_along(file):
    head = models.load_model(file).pop()
    model = classifier(seed=1)
    finetune.replace_head(model, head)
    assert changed({p: pretrained(file)[p] for p in HEAD}, values(model)) == set()


# ---- Bad input: named, and nothing is changed ----------------------------------------------------


def stacked():
    """A model whose last layer comes earlier too."""
    shared = Dense(4)
    return models.Sequential([Dense(4, input_shape=(4,)), shared, shared])


def unbuilt():
    return models.Sequential([Dense(5), Dense(3)])


class Own(models.Model):
    def call(self, x):
        return x


def load(**arguments):
    return lambda model, file: finetune.load_pretrained_weights(model, file, **arguments)


def freeze(pattern):
    return lambda model, file: finetune.freeze(model, pattern)


def head(of):
    return lambda model, file: finetune.replace_head(model, of(model))


BAD = {
    "freeze what is no model": (lambda m, f: finetune.freeze("m"), "freeze needs a model 'm'"),
    "unfreeze what is no model": (lambda m, f: finetune.unfreeze(Dense), "unfreeze needs Dense"),
    "freeze an unbuilt model": (
        lambda m, f: finetune.freeze(unbuilt()),
        "freeze needs built model.build Sequential",
    ),
    "unfreeze an unbuilt layer": (lambda m, f: finetune.unfreeze(Dense(3)), "built units=3"),
    "freeze nothing": (freeze([]), "pattern is a pattern []"),
    "an empty pattern": (freeze(""), "pattern is a pattern ''"),
    "a number for a pattern": (freeze(0), "pattern is a pattern pattern=0"),
    "a number among patterns": (freeze(["0", 1]), "pattern is a pattern ['0', 1]"),
    "a misspelt weight": (freeze("0.wieght"), "'0.wieght' matches nothing mean '0.weight'"),
    "another case": (freeze("0.Bias"), "'0.Bias' matches nothing mean '0.bias'"),
    "a layer that is not there": (freeze("conv*"), "'conv*' matches nothing are: 0, 0.weight"),
    "one of two patterns in vain": (freeze(["0", "7.*"]), "pattern='7.*' matches nothing"),
    "an average without its layer": (freeze("*mean"), "1.moving_mean whole layer '1' '*mean'"),
    "load into what is no model": (
        lambda m, f: finetune.load_pretrained_weights({}, f),
        "load_pretrained_weights needs a model {}",
    ),
    "load into an unbuilt model": (
        lambda m, f: finetune.load_pretrained_weights(unbuilt(), f),
        "load_pretrained_weights needs built Sequential",
    ),
    "another head, not skipped": (
        lambda m, f: finetune.load_pretrained_weights(classifier(7), f),
        "pretrained.safetensors 2 mismatched: 3.weight: wanted (5, 7) float32, got (5, 3) 3.bias",
    ),
    "another dtype": (
        lambda m, f: finetune.load_pretrained_weights(wide(), f, skip=["1.*", "3.*"]),
        "mismatched: 0.weight: wanted (4, 5) float64, got (4, 5) float32",
    ),
    "all that does not fit at once": (
        lambda m, f: finetune.load_pretrained_weights(other(), f, skip="0.bias"),
        "2 missing: 1.weight; 1.bias 6 unexpected: 1.gamma 1 mismatched: 0.weight skip='0.bias'",
    ),
    "skip in vain": (load(skip="head.*"), "skip='head.*' matches nothing are: 0, 0.weight"),
    "skip a misspelt weight": (load(skip="3.wight"), "skip='3.wight' mean '3.weight'"),
    "skip a number": (load(skip=3), "skip is a pattern skip=3"),
    "skip all": (load(skip="*"), "nothing to load skip='*'"),
    "rename by a text": (load(rename="0"), "rename is a dict rename='0'"),
    "rename to a number": (load(rename={"0": 1}), "rename is a dict {'0': 1}"),
    "rename in vain": (load(rename={"0.wieght": "x"}), "'0.wieght' is no weight mean '0.weight'"),
    "two with one name": (load(rename={"3": "0"}), "two weights become '0. {'3': '0'}"),
    "renamed to what is not there": (load(rename={"3": "4"}), "2 missing: 3.weight 4.weight"),
    "a head for a model of one's own": (
        lambda m, f: finetune.replace_head(Own(), Dense(3)),
        "needs a Sequential Own",
    ),
    "a head for no layers": (
        lambda m, f: finetune.replace_head(models.Sequential(), Dense(3)),
        "has layers Sequential",
    ),
    "a head for an unbuilt model": (
        lambda m, f: finetune.replace_head(unbuilt(), Dense(3)),
        "replace_head needs built Sequential",
    ),
    "a head that is a name": (head(lambda m: "dense"), "a head is a Layer 'dense'"),
    "a head that is a class": (head(lambda m: Dense), "a head is a Layer Dense"),
    "an Input as head": (head(lambda m: layers.Input((5,))), "not an Input Input(shape=(5,)"),
    "the old head again": (head(lambda m: m.layers[-1]), "in the model already '3' units=3"),
    "a head that is in the model": (head(lambda m: m.layers[0]), "model already, as '0' units=5"),
    "a head with a part of the model": (
        head(lambda m: models.Sequential([m.layers[0]])),
        "model already, as '0'",
    ),
    "the model as its own head": (head(lambda m: m), "model already, as the whole"),
    "a head that does not fit": (
        head(lambda m: Dense(3, input_shape=(9,))),
        "input_shape=(9,) (1, 5)",
    ),
    "an old head with another place": (
        lambda m, f: finetune.replace_head(stacked(), Dense(3)),
        "layer 2, is in layer 1 too units=4",
    ),
}


def wide():
    return models.Sequential([Dense(5, input_shape=(4,), dtype="float64")])


def other():
    return models.Sequential([Dense(6, input_shape=(4,)), Dense(3)])


@pytest.mark.parametrize("call, words", BAD.values(), ids=BAD)
def test_bad_input_is_named_and_changes_nothing(call, words, file):
    model = classifier(seed=1)
    train(model)
    before = state(model)
    with pytest.raises(ValueError) as raised:
        call(model, file)
    pattern = ".*".join(map(re.escape, words.split()))
    assert re.search(pattern, str(raised.value), re.DOTALL), str(raised.value)
    assert state(model) == before


def test_no_file_is_an_error_of_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        finetune.load_pretrained_weights(classifier(), tmp_path / "nowhere")


def test_an_error_changes_no_weight_of_a_model_that_fits_in_part(file):
    model = classifier(classes=7, seed=1)
    before = state(model)
    with pytest.raises(ValueError, match="2 mismatched"):
        finetune.load_pretrained_weights(model, file)
    assert state(model) == before


def test_a_model_that_a_head_did_not_fit_trains_on():
    model = classifier()
    train(model)
    with pytest.raises(ValueError):
        finetune.replace_head(model, Dense(3, input_shape=(9,)))
    model.fit(X, Y, verbose=0)


def test_the_table_tries_at_least_35_cases():
    assert len(BAD) >= 35
