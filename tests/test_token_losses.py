"""Labels for places of a sequence, of which some do not count: the loss, the metric, and `fit`."""

import numpy as np
import pytest

from minigrad import Tensor, layers, losses, metrics, models, optimizers, random
from minigrad.losses import IGNORED, TokenCrossentropy

NUMBERS = np.random.default_rng(0)
Z = NUMBERS.standard_normal((3, 4, 5))
Y = np.array([[0, IGNORED, 4, 1], [2, IGNORED, IGNORED, IGNORED], [3, 3, 0, IGNORED]])
COUNTS = Y != IGNORED


def log_softmax(z):
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def each():
    """-log p of every place that counts, and 0 elsewhere.   (n, t)"""
    labels = np.where(COUNTS, Y, 0)[..., None]
    return -np.take_along_axis(log_softmax(Z), labels, axis=-1)[..., 0] * COUNTS


def test_the_loss_is_the_mean_over_the_places_that_count():
    assert TokenCrossentropy()(Y, Tensor(Z)).item() == pytest.approx(each().sum() / 7)
    assert TokenCrossentropy("sum")(Y, Tensor(Z)).item() == pytest.approx(each().sum())
    np.testing.assert_allclose(losses.token_crossentropy(Y, Tensor(Z)).numpy(), each().sum(axis=1))


def test_a_place_that_does_not_count_gets_no_gradient_at_all():
    z = Tensor(Z, requires_grad=True)
    TokenCrossentropy()(Y, z).backward()
    assert not z.grad[~COUNTS].any()
    p = np.exp(log_softmax(Z[COUNTS])) - np.eye(5)[Y[COUNTS]]
    np.testing.assert_allclose(z.grad[COUNTS], p / 7)


def test_a_weight_multiplies_the_places_of_its_example():
    weight = np.array([1.0, 0.0, 0.5])
    expected = (each().sum(axis=1) * weight).sum() / 7
    assert TokenCrossentropy()(Y, Tensor(Z), weight).item() == pytest.approx(expected)


def test_where_nothing_counts_the_loss_is_0():
    z = Tensor(Z, requires_grad=True)
    loss = TokenCrossentropy()(np.full_like(Y, IGNORED), z)
    loss.backward()
    assert loss.item() == 0 and not z.grad.any()


def test_the_metric_counts_the_same_places_over_batches():
    metric = metrics.get("token_accuracy")
    for i in range(3):
        metric.update(Y[i : i + 1], Z[i : i + 1])
    assert metric.result() == (Z.argmax(axis=-1) == Y)[COUNTS].mean()
    metric.reset()
    metric.update(Y, Z, np.array([1.0, 0.0, 0.0]))
    assert metric.result() == (Z[0].argmax(axis=-1) == Y[0])[COUNTS[0]].mean()


def compiled():
    random.seed(0)
    model = models.Sequential([layers.Embedding(6, 4, input_shape=(None,)), layers.Dense(5)])
    model.compile(optimizers.SGD(0.1), TokenCrossentropy(), ["token_accuracy"])
    return model


X = NUMBERS.integers(0, 6, (3, 4))


@pytest.mark.parametrize("batch_size", [1, 2])
def test_the_loss_of_an_epoch_is_that_of_all_its_places(batch_size):
    model = compiled()
    expected = model.evaluate(X, Y, verbose=0)
    found = model.evaluate(X, Y, batch_size=batch_size, verbose=0)
    assert found == pytest.approx(expected, rel=1e-6)


def test_examples_of_another_length_may_follow():
    model = compiled()
    model.fit(X, Y, verbose=0)
    model.evaluate(X[:, :2], Y[:, :2], verbose=0)
    model.fit(X, Y, validation_data=(X[:, :3], Y[:, :3]), verbose=0)


BAD = {
    "too large": (np.where(Y == 4, 5, Y), "y must be 0 to 4, for the model has 5 outputs"),
    "negative": (np.where(Y == 4, -1, Y), "y must be 0 to 4"),
    "no integer": (np.where(Y == 4, 0.5, Y), "y must be integers"),
    "other length": (Y[:, :3], r"a label for each place of the model's outputs, \(n, 4\)"),
}


@pytest.mark.parametrize("y, message", BAD.values(), ids=BAD)
def test_labels_that_cannot_be_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        compiled().fit(X, y, verbose=0)


@pytest.mark.parametrize("y", [Y[:, :3], Y.astype("float64")], ids=["shape", "dtype"])
def test_the_loss_alone_names_them_too(y):
    with pytest.raises(ValueError, match="y_true must be integers of shape"):
        TokenCrossentropy()(y, Tensor(Z))
