"""How good a model of a table is, beside a baseline that looks at no column.

outputs (n, c) of the classes, or (n, 1), are those of the test part.
"""

from typing import NamedTuple

import numpy as np

from .. import metrics, plots
from .table_examples import groups_of

PICTURES = "confusion_matrix.png", "calibration.png", "predictions.png"
CONFUSION, CALIBRATION, PREDICTIONS = PICTURES
RARE = 10  # fewer rows of a class in the test say little
MOST_FREQUENT = 0.9  # a larger class makes any accuracy look good
NO_BETTER = "the columns say too little about the target, or the rows are too few"
ORDER = "by accuracy alone; the area below its ROC curve is above that of chance"


class Evaluation(NamedTuple):
    """The figure of a model on the test part, that of the baseline, and both in a sentence.

    finds_order  whether its probabilities tell classes apart, even if its answers do not
    """

    test: float
    baseline: float
    sentence: str
    finds_order: bool = False


def evaluate(report, preparation, parts, outputs, folder):
    """Report on the outputs for parts["test"], and draw pictures. Returns the Evaluation."""
    remove_pictures(folder)
    is_classes = preparation.task == "classification"
    train, test = parts["train"], parts["test"]
    if is_classes:
        y, y_train = preparation.targets(test), preparation.targets(train)
        evaluation = evaluate_classes(report, preparation.classes, y, y_train, outputs, folder)
    else:
        target, predicted = preparation.target, preparation.answers(outputs)
        evaluation = evaluate_numbers(
            report, target, test[target], train[target], predicted, folder
        )
    test, baseline, _, finds_order = evaluation
    if test == baseline or (test < baseline) == is_classes:
        why = ORDER if finds_order else NO_BETTER
        report.say(f"the model is no better than the baseline: {why}")
    return evaluation


def remove_pictures(folder):
    """Remove those of an earlier training, which would be taken for this one's."""
    for name in PICTURES:
        (folder / name).unlink(missing_ok=True)


def evaluate_classes(report, classes, y, y_train, outputs, folder):
    """The Evaluation by accuracy, beside that of always the most frequent class.

    classes     their names
    y, y_train  integers (m,), (n,): which class each example of the test and of the training has
    outputs     (m, c), the probabilities of the classes
    """
    names = np.array(classes)
    most_frequent = np.bincount(y_train).argmax()
    accuracy, baseline = np.mean(outputs.argmax(axis=1) == y), np.mean(y == most_frequent)

    report.say(str(metrics.classification_report(names[y], outputs, names)))
    report.say(f"\na baseline that always says {str(names[most_frequent])!r}: {baseline:.3f}")
    report.say(f"one row of {len(y):,} more or less changes the accuracy by {1 / len(y):.3f}")
    matrix = metrics.confusion_matrix(names[y], outputs, names)
    plots.confusion_matrix(matrix, names, folder / CONFUSION)
    words = (
        f"test accuracy {accuracy:.4f}; always {str(names[most_frequent])!r} gives {baseline:.4f}"
    )
    counts = np.bincount(y, minlength=len(names))
    if counts.min() == 0:  # a class that the test lacks has no area, and no order
        report.say(f"the test has no example of {str(names[counts.argmin()])!r}")
        return Evaluation(float(accuracy), float(baseline), words)
    area = metrics.roc_auc(y, outputs[:, 1] if len(names) == 2 else outputs)
    if baseline >= MOST_FREQUENT or counts.min() < RARE:
        _say_rare(report, names, counts)
        if len(names) == 2:
            words += f"; area below the ROC curve {area:.3f}"
    if len(names) == 2:
        error = metrics.expected_calibration_error(y, outputs[:, 1])
        report.say(f"class 0 is {str(names[0])!r}, and class 1 is {str(names[1])!r}:")
        report.say(f"  area below the ROC curve {area:.3f}, expected calibration error {error:.3f}")
        plots.calibration(y, outputs[:, 1], path=folder / CALIBRATION, name=str(names[1]))
    finds_order = area > 0.5 + 2 * _deviation_by_chance(counts.min(), len(y))
    return Evaluation(float(accuracy), float(baseline), words, bool(finds_order))


def _say_rare(report, names, counts):
    rarest = counts.argmin()
    report.say(
        f"{str(names[rarest])!r} has {counts[rarest]:,} of the {counts.sum():,} rows of the test: "
        "accuracy says little about it"
    )
    report.say("  look at its recall and F1 above, and at the area below the ROC curve")


def _deviation_by_chance(count, n):
    """√((n + 1) / (12 count (n - count))), of the area below the ROC curve of random scores.

    H. B. Mann and D. R. Whitney, "On a Test of Whether one of Two Random Variables is
    Stochastically Larger than the Other", 1947.
    """
    return np.sqrt((n + 1) / (12 * count * (n - count)))


def evaluate_numbers(report, target, y, y_train, predicted, folder):
    """The Evaluation by the root mean squared error, beside that of always the mean.

    target        the name of what is predicted
    y, predicted  (m,) of the test
    y_train       (n,)
    """
    mean = np.full(len(y), y_train.mean())
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
