"""Numbers of whole arrays: labels of all kinds, values by hand, groups, tables, and bad input.

tests/test_metrics_golden.py compares the values with scikit-learn's.
"""

import functools
import json
import math

import numpy as np
import pytest

from minigrad import Tensor, losses, metrics
from minigrad.metrics.tables import table

Y = np.array([0, 0, 1, 2])
P = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
ANIMALS = np.array(["cat", "cat", "dog", "owl"])
MAIL, SUSPECTED = ["ham", "spam", "spam"], ["spam", "spam", "ham"]


# ---- Labels --------------------------------------------------------------------------------------

KINDS = {
    "text": ANIMALS,
    "a list of text": ANIMALS.tolist(),
    "objects": ANIMALS.astype(object),
    "StringDType": ANIMALS.astype(np.dtypes.StringDType()),
    "a column": ANIMALS[:, None],
}


@pytest.mark.parametrize("labels", KINDS.values(), ids=KINDS)
def test_text_is_a_label_and_columns_follow_the_alphabet(labels):
    expected = metrics.confusion_matrix(Y, P)
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, P), expected)
    assert metrics.roc_auc(labels, P) == metrics.roc_auc(Y, P)
    assert metrics.brier_score(labels, P) == metrics.brier_score(Y, P)


@pytest.mark.parametrize("kind", [np.uint8, np.float64, Tensor], ids=["uint8", "float64", "Tensor"])
def test_whole_numbers_of_any_dtype_are_labels(kind):
    labels = Tensor(Y) if kind is Tensor else Y.astype(kind)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(labels, P), [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    )


def test_the_order_of_classes_can_be_chosen():
    found = metrics.confusion_matrix(
        ANIMALS, ["cat", "dog", "dog", "owl"], classes=["owl", "dog", "cat"]
    )
    assert found.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert found.dtype == np.int64


def test_classes_that_do_not_occur_have_rows_of_zeros():
    found = metrics.confusion_matrix([0, 1], [1, 1], classes=[0, 1, 2], normalize="true")
    assert found.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_the_positive_class_can_be_text():
    assert metrics.precision(MAIL, SUSPECTED, positive="spam") == 1 / 2
    assert metrics.recall(MAIL, SUSPECTED, positive="ham") == 0
    assert metrics.roc_auc(MAIL, [0.1, 0.9, 0.05], positive="spam") == 1 / 2


def test_a_positive_class_without_examples_is_not_found():
    assert metrics.recall([0, 0], [0, 0]) == 0
    assert metrics.recall([0, 0], [0, 0], zero_division=1) == 1
    assert math.isnan(metrics.recall([0, 0], [0, 0], zero_division=math.nan))


def test_none_keeps_the_number_of_each_class():
    np.testing.assert_allclose(metrics.precision(Y, P, average=None), [1, 1 / 2, 1])


# ---- Probabilities -------------------------------------------------------------------------------


def test_calibration_of_several_classes_looks_at_the_likeliest():
    """Two examples in the bin up to 0.6, of which one is right, and two above, both right."""
    share, mean, counts = metrics.calibration_curve(Y, P, bins=5)
    np.testing.assert_allclose(share, [1 / 2, 1])
    np.testing.assert_allclose(mean, [0.55, 0.75])
    assert counts.tolist() == [2, 2]
    error = metrics.expected_calibration_error(Y, P, bins=5)
    assert error == pytest.approx((0.05 + 0.25) / 2)


def test_a_probability_at_an_edge_is_in_the_bin_below():
    _, mean, _ = metrics.calibration_curve([1, 1], [0.5, 0.75], bins=2)
    assert mean.tolist() == [0.5, 0.75]


def test_a_roc_curve_by_hand():
    curve = metrics.roc_curve([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])
    for axis, expected in zip(curve, [[0, 0, 0.5, 1], [0, 0.5, 1, 1], [math.inf, 0.9, 0.5, 0.1]]):
        assert axis.tolist() == expected


# ---- Numbers -------------------------------------------------------------------------------------


def test_the_errors_are_the_means_of_the_losses():
    y, p = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.5, 2.0], [2.0, 8.0]])
    for name in ("mean_squared_error", "mean_absolute_error"):
        mean = getattr(losses, name)(y, p).numpy().mean()
        assert getattr(metrics, name)(y, p) == pytest.approx(mean)
    assert metrics.root_mean_squared_error(y[:, :1], p[:, 0]) == pytest.approx(math.sqrt(1.25 / 2))


# ---- Groups --------------------------------------------------------------------------------------

TRUE, GUESSED = np.array([1, 0, 1, 1, 1, 0]), np.array([1, 0, 1, 0, 0, 0])
TOWNS = np.array(["A", "A", "A", "B", "B", "B"])


def test_a_metric_of_each_group_and_the_gap():
    report = metrics.by_group(metrics.recall, TRUE, GUESSED, TOWNS)
    assert report.groups == {"A": {"value": 1.0, "count": 3}, "B": {"value": 0.0, "count": 3}}
    assert report.overall == {"value": 0.5, "count": 6}
    assert (report.highest, report.lowest, report.gap) == ("A", "B", 1.0)


@pytest.mark.parametrize(
    "metric",
    [metrics.accuracy, losses.mean_absolute_error, lambda y, p: np.float32(np.mean(y == p))],
)
def test_one_value_per_example_is_averaged(metric):
    report = metrics.by_group(metric, TRUE, GUESSED.astype(float), [3, 3, 3, 8, 8, 8])
    assert abs(report.groups[3]["value"] - report.groups[8]["value"]) == pytest.approx(2 / 3)


def test_rows_of_scores_stay_together():
    metric = functools.partial(metrics.f1_score, average="macro", classes=range(3))
    report = metrics.by_group(metric, Y, P, [1, 2, 1, 2])
    assert report.groups[1]["value"] == metric(Y[::2], P[::2])


# ---- Tables --------------------------------------------------------------------------------------


def test_a_report_prints_as_a_table():
    assert str(metrics.classification_report(ANIMALS, P)) == (
        "class             precision  recall     F1  count\n"
        "cat                   1.000   0.500  0.667      2\n"
        "dog                   0.500   1.000  0.667      1\n"
        "owl                   1.000   1.000  1.000      1\n"
        "macro average         0.833   0.833  0.778      4\n"
        "weighted average      0.875   0.750  0.750      4\n"
        "accuracy 0.750"
    )


def test_counts_of_a_report_are_sums_of_weights():
    report = metrics.classification_report(Y, P, sample_weight=[0.5, 1, 2, 4])
    assert [row["count"] for row in report.classes.values()] == [1.5, 2, 4]
    assert [row["count"] for row in report.averages.values()] == [7.5, 7.5]


def test_a_report_is_plain_data():
    report = metrics.classification_report(ANIMALS, P)
    assert json.loads(json.dumps(report.classes)) == report.classes
    assert json.loads(json.dumps(report.averages)) == report.averages
    assert type(report.accuracy) is float


def test_groups_print_as_a_table():
    assert str(metrics.by_group(metrics.recall, TRUE, GUESSED, TOWNS)) == (
        "group   value  count\n"
        "A      1.0000      3\n"
        "B      0.0000      3\n"
        "all    0.5000      6\n"
        "gap 1.0000: A is highest, B is lowest"
    )


def test_equal_groups_have_no_gap():
    report = metrics.by_group(metrics.accuracy, [0, 1], [[1, 0], [0, 1]], ["A", "B"])
    assert str(report).endswith("no gap: the same for all groups")


def test_a_group_may_have_any_name():
    report = metrics.by_group(metrics.recall, TRUE, GUESSED, ["all"] * 3 + ["B"] * 3)
    assert str(report).splitlines()[1:4] == [
        "B      0.0000      3",
        "all    1.0000      3",
        "all    0.5000      6",
    ]


def test_columns_of_a_table_are_as_wide_as_their_widest_cell():
    assert table([("a", "b"), ("long", "1"), ("x", "1000")]) == "a        b\nlong     1\nx     1000"


# ---- Bad input -----------------------------------------------------------------------------------

NAN = math.nan
BAD = {
    "lengths that differ": (
        lambda: metrics.precision([0, 1, 1], [0, 1]),
        "one row per example. Received rows: y_true 3, y_pred 2",
    ),
    "scores of another length": (lambda: metrics.recall([0, 1], P), "y_true 2, y_pred 4"),
    "NaN among the scores": (
        lambda: metrics.confusion_matrix([0], [[NAN, 1.0]]),
        "y_pred .* NaN .* nan",
    ),
    "NaN among the labels": (lambda: metrics.recall([0, NAN], [0, 1]), "y_true .* NaN .* nan"),
    "empty arrays": (lambda: metrics.f1_score([], []), r"y_true is empty. Received: shape \(0,\)"),
    "no text": (
        lambda: metrics.f1_score(np.array([], str), np.array([], str)),
        r"y_true must have one row per example. Received: shape \(0,\)",
    ),
    "probabilities in the place of labels": (
        lambda: metrics.precision([0, 1], [0.3, 0.9]),
        "y_pred must hold labels .* p > 0.5 .* Received: 0.3",
    ),
    "one-hot rows in the place of labels": (
        lambda: metrics.precision(np.eye(3), P[:3]),
        r"y_true must be one label per example. Received: shape \(3, 3\)",
    ),
    "labels with something missing": (
        lambda: metrics.recall(["a", None], ["a", "b"]),
        r"y_true must hold labels .* Received: None at \(1,\)",
    ),
    "text and integers": (
        lambda: metrics.confusion_matrix(["a", "b"], [0, 1]),
        "y_true and y_pred .* of one kind .* 'a' and 0",
    ),
    "an unknown average": (
        lambda: metrics.precision([0, 1], [0, 1], average="marco"),
        "unknown average 'marco'; did you mean 'macro'",
    ),
    "an unknown normalization": (
        lambda: metrics.confusion_matrix([0, 1], [0, 1], normalize="rows"),
        "unknown normalize 'rows'",
    ),
    "a zero_division above 1": (
        lambda: metrics.recall([0, 1], [0, 1], zero_division=3),
        "zero_division must be from 0 to 1, or NaN. Received: zero_division=3",
    ),
    "three classes without an average": (
        lambda: metrics.f1_score([0, 1, 2], [0, 1, 2]),
        r"Received: positive=1, .* \[0, 1, 2\]. For more classes, average= says",
    ),
    "a positive class that is none": (
        lambda: metrics.precision(MAIL, SUSPECTED),
        r"Received: positive=1, .* \['ham', 'spam'\]",
    ),
    "a label that is no class": (
        lambda: metrics.confusion_matrix([0, 3], [0, 1], classes=[0, 1]),
        r"y_true has the labels \[3\], .* \[0, 1\]",
    ),
    "a label beyond the columns": (
        lambda: metrics.recall([0, 3], P[:2], average="macro"),
        r"y_true has the labels \[3\], .* \[0, 1, 2\]",
    ),
    "classes that come twice": (
        lambda: metrics.confusion_matrix([0], [0], classes=[0, 0]),
        r"classes must all differ. Received: \[0, 0\]",
    ),
    "columns without a class": (
        lambda: metrics.roc_auc(["a", "b"], P[:2]),
        r"3 columns need a list `classes` .* \['a', 'b'\]",
    ),
    "one class only": (
        lambda: metrics.roc_auc([1, 1], [0.2, 0.7]),
        "ROC curve needs examples .* all or none .* class 1",
    ),
    "one class only where weights count": (
        lambda: metrics.roc_curve([1, 0], [0.2, 0.7], sample_weight=[1, 0]),
        "ROC curve needs examples .* class 1",
    ),
    "a class without examples": (
        lambda: metrics.roc_auc([0, 1, 1, 0], P),
        "ROC curve needs examples .* class 2",
    ),
    "a curve of several columns": (
        lambda: metrics.roc_curve(Y, P),
        r"scores of one class. Received: \(4, 3\)",
    ),
    "micro for an area": (
        lambda: metrics.roc_auc(Y, P, average="micro"),
        "unknown average 'micro'",
    ),
    "scores with three axes": (
        lambda: metrics.roc_auc([0, 1], np.ones((2, 2, 2))),
        r"scores must have shape .* Received: \(2, 2, 2\)",
    ),
    "a probability above 1": (
        lambda: metrics.brier_score([0, 1], [0.2, 1.5]),
        "probabilities must be between 0 and 1. Received: 1.5",
    ),
    "probabilities that do not add up": (
        lambda: metrics.calibration_curve(Y, P * [1, 1, 0] / 2),
        "must add up to 1. Received: the sum 0.4",
    ),
    "no bins": (
        lambda: metrics.expected_calibration_error([0, 1], [0.2, 0.5], bins=0),
        "bins must be an integer from 1 up. Received: bins=0",
    ),
    "a negative weight": (
        lambda: metrics.recall([0, 1], [0, 1], sample_weight=[1, -2]),
        "sample_weight must be from 0 up .* Received: -2",
    ),
    "weights that are all zero": (
        lambda: metrics.mean_squared_error([1.0, 2.0], [1.0, 2.0], [0, 0]),
        "not 0 for all. Received: 0",
    ),
    "weights of another length": (
        lambda: metrics.brier_score([0, 1], [0.2, 0.5], sample_weight=[1.0]),
        r"sample_weight must have shape \(2,\). Received: \(1,\)",
    ),
    "numbers of another shape": (
        lambda: metrics.r2_score([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]),
        r"y_true must have shape \(2, 2\). Received: \(2,\)",
    ),
    "numbers of another length": (
        lambda: metrics.mean_absolute_error([1.0, 2.0], [1.0]),
        "y_true 2, y_pred 1",
    ),
    "infinity among the numbers": (
        lambda: metrics.mean_squared_error([1.0, math.inf], [1.0, 2.0]),
        "y_true .* infinite .* inf",
    ),
    "a constant truth": (
        lambda: metrics.r2_score([2.0, 2.0], [1.0, 3.0]),
        "y_true is constant .* 2.0 in all of its 2 rows",
    ),
    "groups of another length": (
        lambda: metrics.by_group(metrics.recall, TRUE, GUESSED, TOWNS[:-1]),
        "y_true 6, y_pred 6, groups 5",
    ),
    "a group for which a metric is not defined": (
        lambda: metrics.by_group(metrics.roc_auc, TRUE, GUESSED, [0, 0, 1, 1, 2, 2]),
        "group 1, of 2 examples: a ROC curve needs",
    ),
    "a name for a metric": (
        lambda: metrics.by_group("recall", TRUE, GUESSED, TOWNS),
        "metric must be a function .* Received: 'recall'",
    ),
    "a metric of several numbers": (
        lambda: metrics.by_group(metrics.confusion_matrix, TRUE, GUESSED, TOWNS),
        r"group A, of 3 examples: .* one number, .* Received: shape \(2, 2\)",
    ),
    "a group's prediction that is NaN": (
        lambda: metrics.by_group(metrics.accuracy, Y[:2], [[NAN, 1.0], [0.2, 0.8]], ["A", "B"]),
        "y_pred .* NaN .* nan",
    ),
    "a metric that is NaN": (
        lambda: metrics.by_group(lambda y, p: NAN, TRUE, GUESSED, TOWNS),
        "group A, of 3 examples: the metric is NaN",
    ),
}


@pytest.mark.parametrize("use, message", BAD.values(), ids=BAD)
def test_bad_input_is_named(use, message):
    with pytest.raises(ValueError, match=message.replace(" .* ", ".*")):
        use()
