"""Cross-validation: new models, each example held out once, nothing learned from it then."""

import numpy as np
import pytest

from minigrad import layers, models, random
from minigrad.data.split import StratifiedKFold

N = 30
Y = np.sort(np.arange(N) % 3)  # sorted: folds in this order would lack a class
X = (np.random.default_rng(0).normal(size=(N, 4)) + 2 * np.eye(4)[Y]).astype(np.float32)


def classifier():
    model = models.Sequential([layers.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def regression():
    model = models.Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    return model


def remembering(seen):
    """A `prepare` that notes what it is given."""

    def prepare(x_train, x_test):
        seen.append((x_train.copy(), x_test.copy()))
        return x_train, x_test

    return prepare


def test_the_numbers_are_those_of_a_loop_by_hand():
    folds = StratifiedKFold(3)
    random.seed(0)
    found = models.cross_validate(classifier, X, Y, folds=folds, epochs=2, batch_size=8)
    random.seed(0)
    expected = []
    for train, test in folds.split(Y):
        model = classifier()
        model.fit(X[train], Y[train], epochs=2, batch_size=8)
        expected.append(model.evaluate(X[test], Y[test], return_dict=True))
    assert found.folds == expected
    assert found.sizes == [10, 10, 10]
    assert [len(history.history["loss"]) for history in found.histories] == [2, 2, 2]


def test_mean_and_standard_deviation_are_over_the_folds():
    found = models.cross_validate(classifier, X, Y, folds=4)
    losses = [fold["loss"] for fold in found.folds]
    assert found.mean["loss"] == pytest.approx(np.mean(losses))
    deviation = np.sqrt(np.sum((losses - np.mean(losses)) ** 2) / 3)
    assert found.standard_deviation["loss"] == pytest.approx(deviation)
    assert found.mean.keys() == found.standard_deviation.keys() == {"loss", "accuracy"}


def test_every_example_is_held_out_once_and_trained_on_otherwise():
    seen = []
    models.cross_validate(regression, X, X[:, 0], folds=5, prepare=remembering(seen))
    held_out = np.concatenate([x_test for _, x_test in seen])
    np.testing.assert_array_equal(np.sort(held_out, axis=0), np.sort(X, axis=0))
    for both in map(np.concatenate, seen):
        np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(X, axis=0))


@pytest.mark.parametrize("y", [Y, Y[:, None]], ids=["(n,)", "(n, 1)"])
def test_a_number_of_folds_is_stratified_for_labels_of_classes(y):
    class_of = {x.tobytes(): label for x, label in zip(X, Y)}
    seen = []
    models.cross_validate(classifier, X, y, folds=5, prepare=remembering(seen))
    for _, x_test in seen:
        assert sorted(class_of[x.tobytes()] for x in x_test) == [0, 0, 1, 1, 2, 2]


def test_the_seed_draws_the_folds():
    def held_out(seed):
        seen = []
        models.cross_validate(regression, X, X[:, 0], prepare=remembering(seen), seed=seed)
        return np.concatenate([x_test for _, x_test in seen])

    np.testing.assert_array_equal(held_out(1), held_out(1))
    assert (held_out(1) != held_out(2)).any()


def test_what_is_prepared_is_trained_and_evaluated_on():
    def loss(prepare):
        random.seed(0)
        found = models.cross_validate(regression, X, X[:, 0], folds=2, prepare=prepare)
        return found.mean["loss"]

    plain = loss(None)
    assert loss(lambda x_train, x_test: (x_train, x_test)) == plain
    assert loss(lambda x_train, x_test: (x_train, x_test * 0)) != plain
    assert loss(lambda x_train, x_test: (x_train * 0, x_test)) != plain


def test_sample_weight_goes_with_its_examples():
    """Examples of weight 0 have targets that would spoil everything."""
    spoiled = np.arange(N) % 2 == 0
    y = np.where(spoiled, 1e6, 1.0)
    found = models.cross_validate(regression, X, y, folds=3, sample_weight=~spoiled, epochs=5)
    assert found.mean["loss"] < 100


def test_the_table():
    found = models.CrossValidation([{"loss": 0.5}, {"loss": 1.0}], [10, 9], [])
    assert str(found) == (
        "fold                examples    loss\n"
        "1                         10  0.5000\n"
        "2                          9  1.0000\n"
        "mean                          0.7500\n"
        "standard deviation            0.3536"
    )


# ---- Bad input -----------------------------------------------------------------------------------

SHARED = regression()
LAYER = layers.Dense(1, input_shape=(4,))


def same_model():
    SHARED.compile("sgd", "mse")
    return SHARED


def same_layer():
    model = models.Sequential([LAYER])
    model.compile("sgd", "mse")
    return model


def trained():
    model = regression()
    model.fit(X, X[:, 0])
    return model


class Overlapping:
    def split(self, y):
        return [(np.arange(10), np.arange(8, 20)), (np.arange(10, 20), np.arange(10))]


def uncompiled():
    return models.Sequential([layers.Dense(1, input_shape=(4,))])


BAD = {
    "folds larger than the data": (lambda: dict(folds=31), "folds .* 2 to 30 .* folds=31"),
    "one fold": (lambda: dict(folds=1), "folds .* folds=1"),
    "folds of text": (lambda: dict(folds="5"), "folds .* folds='5'"),
    "folds that overlap": (
        lambda: dict(folds=Overlapping()),
        "out of training. Received: 2 in both",
    ),
    "folds larger than a class": (
        lambda: dict(make_model=classifier, y=Y, folds=11),
        "class 0 .* 11 folds. Received: 10",
    ),
    "lengths that differ": (lambda: dict(y=X[:9, 0]), "x 30, y 9"),
    "weights of another length": (
        lambda: dict(sample_weight=np.ones(9)),
        "x 30, y 30, sample_weight 9",
    ),
    "NaN": (lambda: dict(x=X * np.nan), "x has 120 values that are NaN"),
    "a model in the place of a function": (
        lambda: dict(make_model=[1]),
        r"make_model must be a function. Received: make_model=\[1\]",
    ),
    "a prepare that is no function": (lambda: dict(prepare=3), "prepare must be a function .* =3"),
    "a model that is not compiled": (
        lambda: dict(make_model=uncompiled),
        "compiled Model. Received: Sequential that is not compiled",
    ),
    "no model": (lambda: dict(make_model=lambda: None), "compiled Model. Received: NoneType"),
    "a model that was trained": (lambda: dict(make_model=trained), "has taken 1 steps"),
    "the same model each time": (lambda: dict(make_model=same_model), "must make new layers"),
    "the same layer each time": (lambda: dict(make_model=same_layer), "must make new layers"),
}


@pytest.mark.parametrize("options, message", BAD.values(), ids=BAD)
def test_bad_input_is_named(options, message):
    arguments = {"make_model": regression, "x": X, "y": X[:, 0], **options()}
    with pytest.raises(ValueError, match=message.replace(" .* ", ".*")):
        models.cross_validate(**arguments)
