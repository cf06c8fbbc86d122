"""Metrics equal scikit-learn's on 200 random cases, as whole arrays and fed in random batches.

tests/golden/make_metrics.py drew the cases: ties, weights, classes without examples or predictions.
"""

import math

import numpy as np
import pytest

from minigrad import metrics
from tests.golden.make_metrics import AVERAGES, DIVISIONS, load, outputs_of, weights_of

CASES = load()
SCORES = (metrics.precision, metrics.recall, metrics.f1_score)


def agree(found, expected, case):
    np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-10, atol=1e-10, err_msg=str(case))


def binary(case):
    return case["y"].astype(int), case["scores"] / 16, weights_of(case)


def of_classes(case):
    y = case["y"].astype(int)
    return y, case["scores"].reshape(len(y), -1) / 16, weights_of(case)


def of_outputs(case):
    return *outputs_of(case), weights_of(case)


READERS = {"binary": binary, "classes": of_classes, "regression": of_outputs}


def fed(metric, y, p, weights):
    """The metric after all rows, in batches of random sizes."""
    generator = np.random.default_rng(len(y))
    ends = np.sort(generator.integers(0, len(y) + 1, 3))
    for rows in np.split(np.arange(len(y)), ends):
        metric.update(y[rows], p[rows], None if weights is None else weights[rows])
    return metric


@pytest.mark.parametrize("kind", CASES)
def test_there_are_as_many_cases_as_promised(kind):
    assert sum(map(len, CASES.values())) == 200
    weighted = sum(len(case["weights"]) > 0 for case in CASES[kind])
    assert 15 < weighted < len(CASES[kind]) - 15


# ---- Whole arrays --------------------------------------------------------------------------------


@pytest.mark.parametrize("averages, expected", [(AVERAGES, "ratios"), ([None], "ratios_of_each")])
def test_precision_recall_and_f1_of_several_classes(averages, expected):
    for case in CASES["classes"]:
        y, p, weights = of_classes(case)
        found = [
            np.ravel(
                score(y, p, average=average, zero_division=division, sample_weight=weights),
            )
            for division in DIVISIONS
            for average in averages
            for score in SCORES
        ]
        agree(np.concatenate(found), case[expected], case)


def test_precision_recall_and_f1_of_two_classes():
    for case in CASES["binary"]:
        y, p, weights = binary(case)
        found = [
            score(y, p > 0.5, zero_division=division, sample_weight=weights)
            for division in DIVISIONS
            for score in SCORES
        ]
        agree(found, case["ratios"], case)


def test_confusion_matrices():
    for case in CASES["classes"]:
        y, p, weights = of_classes(case)
        found = [
            metrics.confusion_matrix(y, p, normalize=normalize, sample_weight=weights)
            for normalize in (None, "true", "pred", "all")
        ]
        agree(found, case["matrices"], case)


def test_the_report_has_the_same_numbers():
    for case in CASES["classes"]:
        y, p, weights = of_classes(case)
        report = metrics.classification_report(y, p, sample_weight=weights)
        of_each = [list(row.values())[:3] for row in report.classes.values()]
        c = p.shape[1]
        agree(np.transpose(of_each), case["ratios_of_each"][: 3 * c], case)
        averages = [list(row.values())[:3] for row in report.averages.values()]
        agree(averages, case["ratios"][[0, 1, 2, 6, 7, 8]], case)
        assert report.accuracy == pytest.approx(case["ratios"][3])  # micro precision


def test_roc_curves_and_their_areas():
    for case in CASES["binary"]:
        y, p, weights = binary(case)
        if np.isnan(case["auc"]):
            with pytest.raises(ValueError, match="needs examples of its class and of others"):
                metrics.roc_auc(y, p, sample_weight=weights)
        else:
            agree(metrics.roc_auc(y, p, sample_weight=weights), case["auc"], case)
            curve = metrics.roc_curve(y, p, sample_weight=weights)
            assert [len(axis) for axis in curve] == [len(case["curve"]) / 3] * 3
            agree(np.concatenate(curve), case["curve"], case)


def test_roc_areas_of_several_classes():
    for case in CASES["classes"]:
        y, p, weights = of_classes(case)
        for average, expected in zip(("macro", "weighted"), case["auc"], strict=True):
            if not np.isnan(expected):
                found = metrics.roc_auc(y, p, average=average, sample_weight=weights)
                agree(found, expected, case)


@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_brier_scores(kind):
    for case in CASES[kind]:
        y, p, weights = READERS[kind](case)
        agree(metrics.brier_score(y, p, sample_weight=weights), case["brier"], case)


def test_calibration_curves_and_their_error():
    for case in CASES["binary"]:
        y, p, _ = binary(case)
        share, mean, counts = metrics.calibration_curve(y, p, bins=8)
        agree(np.concatenate([share, mean]), case["calibration"], case)
        assert counts.sum() == len(y) and counts.all()
        error = metrics.expected_calibration_error(y, p, bins=8)
        agree(error, case["calibration_error"], case)


def test_errors_of_numbers():
    for case in CASES["regression"]:
        y, p, weights = of_outputs(case)
        squared, absolute, r2 = case["errors"]
        agree(metrics.mean_squared_error(y, p, weights), squared, case)
        agree(metrics.root_mean_squared_error(y, p, weights), math.sqrt(squared), case)
        agree(metrics.mean_absolute_error(y, p, weights), absolute, case)
        agree(metrics.r2_score(y, p, weights), r2, case)


# ---- Over batches --------------------------------------------------------------------------------

CLASSES = (metrics.Precision, metrics.Recall, metrics.F1Score)


def test_batches_of_several_classes():
    for case in CASES["classes"]:
        found = [
            fed(kind(average, zero_division=division), *of_classes(case)).result()
            for division in DIVISIONS
            for average in AVERAGES
            for kind in CLASSES
        ]
        agree(found, case["ratios"], case)


def test_batches_of_a_single_output():
    for case in CASES["binary"]:
        found = [
            fed(kind(zero_division=division), *binary(case)).result()
            for division in DIVISIONS
            for kind in CLASSES
        ]
        agree(found, case["ratios"], case)


def test_a_confusion_matrix_over_batches():
    for case in CASES["classes"]:
        metric = fed(metrics.ConfusionMatrix(), *of_classes(case))
        agree(metric.matrix(), case["matrices"][: metric.matrix().size], case)
        assert metric.result() == pytest.approx(case["ratios"][3])


@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_roc_areas_over_batches_are_exact_or_nan(kind):
    averages = ["macro", "weighted"] if kind == "classes" else ["macro"]
    for case in CASES[kind]:
        found = [fed(metrics.AUC(average), *READERS[kind](case)).result() for average in averages]
        agree(found, case["auc"], case)


def test_errors_of_numbers_over_batches():
    for case in CASES["regression"]:
        squared, absolute, r2 = case["errors"]
        expected = {
            "mean_squared_error": squared,
            "mean_absolute_error": absolute,
            "root_mean_squared_error": math.sqrt(squared),
            "r2_score": r2,
        }
        for name, value in expected.items():
            agree(fed(metrics.get(name), *of_outputs(case)).result(), value, case)
