"""Metrics: each value by hand, the choice of accuracy by shape, and means over batches."""

import json
import math

import numpy as np
import pytest

from minigrad import losses, metrics, ops
from minigrad.metrics import per_example
from minigrad.tensor import Tensor
from tests.strict_array import StrictArray, strict

P = np.array([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]])
LABELS = np.array([1, 2, 0])
ONEHOT = np.eye(3)[LABELS]


@pytest.mark.parametrize(
    ("name", "options", "y_true", "y_pred", "expected"),
    [
        ("binary_accuracy", {}, [[0], [1], [1]], [[0.4], [0.5], [0.6]], [1, 0, 1]),
        ("binary_accuracy", {"threshold": 0.3}, [0, 1, 1], [0.4, 0.2, 0.6], [0, 0, 1]),
        ("binary_accuracy", {}, [[0, 1], [1, 1]], [[0.4, 0.6], [0.1, 0.9]], [1, 0.5]),
        ("categorical_accuracy", {}, ONEHOT, P, [1, 0, 0]),
        ("sparse_categorical_accuracy", {}, LABELS, P, [1, 0, 0]),
        ("sparse_categorical_accuracy", {}, LABELS[:, None], P, [1, 0, 0]),
        ("sparse_categorical_accuracy", {}, [[1, 0]], P[None, :2], [1]),
        ("top_k_categorical_accuracy", {"k": 2}, ONEHOT, P, [1, 1, 1]),
        ("sparse_top_k_categorical_accuracy", {"k": 1}, LABELS, P, [1, 0, 0]),
        ("sparse_top_k_categorical_accuracy", {"k": 2}, LABELS, P, [1, 1, 1]),
        ("sparse_top_k_categorical_accuracy", {"k": 2}, [0, 1, 1], P, [0, 0, 1]),
        ("sparse_top_k_categorical_accuracy", {"k": 1}, [0], [[math.nan, 0.2]], [0]),
    ],
)
def test_each_example_has_its_value(name, options, y_true, y_pred, expected):
    found = getattr(metrics, name)(np.array(y_true), np.array(y_pred), **options)
    np.testing.assert_allclose(np.asarray(found, dtype=float), expected)


@pytest.mark.parametrize(
    ("true", "predicted", "chosen"),
    [
        ((4,), (4,), "binary_accuracy"),
        ((4, 1), (4, 1), "binary_accuracy"),
        ((4,), (4, 1), "binary_accuracy"),
        ((4,), (4, 3), "sparse_categorical_accuracy"),
        ((4, 1), (4, 3), "sparse_categorical_accuracy"),
        ((4, 3), (4, 3), "categorical_accuracy"),
        ((4, 2), (4, 2, 3), "sparse_categorical_accuracy"),
    ],
)
def test_accuracy_is_chosen_by_the_shapes(true, predicted, chosen, monkeypatch):
    monkeypatch.setattr(per_example, chosen, lambda y_true, y_pred: chosen)
    assert metrics.accuracy(np.zeros(true), np.zeros(predicted)) == chosen


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ([0, 1, 2, 2], [0, 1, 2, 1]),
        ([[0], [1], [2], [2]], [0, 1, 2, 1]),
        (["a", "b", "c", "c"], ["a", "b", "c", "b"]),
    ],
)
def test_predictions_may_be_labels(y_true, y_pred):
    found = metrics.accuracy(np.array(y_true), np.array(y_pred))
    assert found.tolist() == [True, True, True, False]


def test_a_metric_averages_over_batches_of_different_sizes():
    metric = metrics.get("accuracy")
    metric.update(LABELS[:1], P[:1])
    metric.update(LABELS[1:], P[1:])
    assert metric.result() == pytest.approx(1 / 3)


def test_a_weighted_metric_divides_by_the_sum_of_weights():
    metric = metrics.get("accuracy")
    metric.update(LABELS, P, np.array([3.0, 1.0, 0.0]))
    assert metric.result() == pytest.approx(0.75)


def test_weights_in_a_column_are_weights():
    metric = metrics.get("accuracy")
    metric.update(LABELS, P, np.array([[3.0], [1.0], [0.0]]))
    assert metric.result() == pytest.approx(0.75)


def test_reset_forgets():
    metric = metrics.get("accuracy")
    metric.update(LABELS, P)
    metric.reset()
    assert math.isnan(metric.result())


def test_a_mean_takes_one_value_that_stands_for_many():
    mean = metrics.Mean()
    mean.update(np.float32(2.0), 3)
    mean.update(np.array([6.0]))
    assert mean.result() == 3.0


def test_a_mean_of_many_small_numbers_keeps_its_digits():
    mean = metrics.Mean()
    for _ in range(1000):
        mean.update(np.full(1000, 0.1, dtype="float32"))
    assert mean.result() == pytest.approx(np.float32(0.1), rel=1e-12)


def test_a_result_is_a_python_float():
    metric = metrics.get("accuracy")
    metric.update(LABELS, P)
    assert type(metric.result()) is float


def test_nothing_is_read_before_the_result(strict_kernels):
    top_2 = metrics.Metric("sparse_top_k_categorical_accuracy", k=2)
    for name in ("accuracy", top_2, "sparse_categorical_crossentropy"):
        metric = metrics.get(name)
        before = StrictArray.reads
        for _ in range(2):
            metric.update(strict(LABELS), strict(P), strict(np.ones(3)))
        assert StrictArray.reads == before
        metric.result()
        assert StrictArray.reads > before


# ---- Losses as metrics ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mse", "mean_absolute_error", "huber", "hinge"])
def test_a_loss_is_a_metric(name):
    metric = metrics.get(name)
    metric.update(ONEHOT, P)
    assert metric.name == name
    assert metric.result() == pytest.approx(losses.get(name)(ONEHOT, Tensor(P)).item())


def test_a_loss_as_a_metric_uses_the_logits():
    z = Tensor(np.array([[500.0, 0.0]]), requires_grad=True)
    prediction = ops.softmax(z)
    prediction.logits = ("softmax", z, z.version)
    metric = metrics.get("sparse_categorical_crossentropy")
    metric.update(np.array([1]), prediction)
    assert metric.result() == pytest.approx(500.0)


# ---- By name -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["accuracy", "acc", "mse", "binary_accuracy"])
def test_a_metric_keeps_the_name_that_it_was_given(name):
    assert metrics.get(name).name == name


def test_a_function_of_your_own_is_a_metric_of_arrays():
    def largest_error(y_true, y_pred):
        return np.max(np.abs(y_true - y_pred), axis=-1)

    metric = metrics.get(largest_error)
    metric.update(ONEHOT, Tensor(P))
    assert metric.name == "largest_error"
    assert metric.result() == pytest.approx((0.4 + 0.7 + 0.8) / 3)


def test_a_configuration_makes_the_same_metric_again():
    metric = metrics.Metric("sparse_top_k_categorical_accuracy", name="top 2", k=2)
    config = json.loads(json.dumps(metric.get_config()))
    again = metrics.get({"class_name": "Metric", "config": config})
    again.update(LABELS, P)
    assert (again.name, again.result()) == ("top 2", 1.0)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: metrics.get("acuracy"), "unknown metric 'acuracy'; did you mean 'accuracy'"),
        (lambda: metrics.get(None), "Received: None"),
        (lambda: metrics.get(3), "Received: 3"),
        (lambda: metrics.binary_accuracy(np.ones(3), np.ones((4, 1))), r"\(4, 1\). Rec.*\(3,\)"),
        (lambda: metrics.get("accuracy").update(LABELS[:2], P), r"\(3,\). Received: \(2,\)"),
        (lambda: metrics.get("mse").update(ONEHOT, P, np.ones(2)), r"sample_weight .*\(2,\)"),
        (lambda: metrics.get(np.vdot).update(ONEHOT, P), "vdot must give one value for each"),
    ],
)
def test_bad_arguments_are_named(use, message):
    with pytest.raises(ValueError, match=message):
        use()
