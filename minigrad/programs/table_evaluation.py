"""How good a model of a table is, beside a baseline that looks at no column.

outputs (n, c) of the classes, or (n, 1), are those of the test part.
"""

from typing import NamedTuple

import numpy as np

from .. import metrics, plots
from .table_examples import groups_of

PICTURES = "confusion_matrix.png", "calibration.png", "predictions.png"
CONFUSION, CALIBRATION, PREDICTIONS = PICTURES
NO_BETTER = "the columns say too little about the target, or the rows are too few"


class Evaluation(NamedTuple):
    """The figure of a model on the test part, that of the baseline, and both in a sentence."""

    test: float
    baseline: float
    sentence: str


def evaluate(report, preparation, parts, outputs, folder):
    """Report on the outputs for parts["test"], and draw pictures. Returns the Evaluation."""
    for name in PICTURES:  # one of an earlier training would be taken for this one's
        (folder / name).unlink(missing_ok=True)
    is_classes = preparation.task == "classification"
    kind = _evaluate_classes if is_classes else _evaluate_numbers
    evaluation = kind(report, preparation, parts, outputs, folder)
    test, baseline, _ = evaluation
    if test == baseline or (test < baseline) == is_classes:
        report.say(f"the model is no better than the baseline: {NO_BETTER}")
    return evaluation


def _evaluate_classes(report, preparation, parts, outputs, folder):
    """The accuracy, and that of always the most frequent class."""
    names, y = np.array(preparation.classes), preparation.targets(parts["test"])
    most_frequent = np.bincount(preparation.targets(parts["train"])).argmax()
    accuracy, baseline = np.mean(outputs.argmax(axis=1) == y), np.mean(y == most_frequent)

    report.say(str(metrics.classification_report(names[y], outputs, names)))
    report.say(f"\na baseline that always says {str(names[most_frequent])!r}: {baseline:.3f}")
    report.say(f"one row of {len(y):,} more or less changes the accuracy by {1 / len(y):.3f}")
    matrix = metrics.confusion_matrix(names[y], outputs, names)
    plots.confusion_matrix(matrix, names, folder / CONFUSION)
    if len(names) == 2:
        area = metrics.roc_auc(y, outputs[:, 1])
        error = metrics.expected_calibration_error(y, outputs[:, 1])
        report.say(f"class 0 is {str(names[0])!r}, and class 1 is {str(names[1])!r}:")
        report.say(f"  area below the ROC curve {area:.3f}, expected calibration error {error:.3f}")
        plots.calibration(y, outputs[:, 1], path=folder / CALIBRATION)
    words = (
        f"test accuracy {accuracy:.4f}; always {str(names[most_frequent])!r} gives {baseline:.4f}"
    )
    return Evaluation(float(accuracy), float(baseline), words)


def _evaluate_numbers(report, preparation, parts, outputs, folder):
    """The root mean squared error, and that of always the mean."""
    target = preparation.target
    y, predicted = parts["test"][target], preparation.answers(outputs)
    mean = np.full(len(y), parts["train"][target].mean())
    errors = {}
    for name, values in {"the model": predicted, "always the mean": mean}.items():
        errors[name] = metrics.root_mean_squared_error(y, values)
        absolute = metrics.mean_absolute_error(y, values)
        report.say(f"{name}: root mean squared error {errors[name]:.4g}")
        report.say(f"  mean absolute error {absolute:.4g}")
    if (y != y[0]).any():
        share = metrics.r2_score(y, predicted)
        report.say(f"R² {share:.3f}; 1 is perfect, and 0 no better than the mean of the test")
    plots.predictions(y, predicted, target, folder / PREDICTIONS)
    error, baseline = errors.values()
    words = (
        f"test root mean squared error {error:.4g}; always the mean, {mean[0]:.4g}, "
        f"gives {baseline:.4g}"
    )
    return Evaluation(error, baseline, words)


def say_groups(report, preparation, table, outputs, group):
    """The metric for each value of one column."""
    if preparation.task == "classification":
        name, metric = "accuracy", metrics.sparse_categorical_accuracy
        y, predicted = preparation.targets(table), outputs
    else:
        name, metric = "mean absolute error", metrics.mean_absolute_error
        y, predicted = table[preparation.target], preparation.answers(outputs)
    report.say(f"\n{name} by {group!r}:")
    report.say(str(metrics.by_group(metric, y, predicted, groups_of(table[group]))))
