"""How well classes are told apart: the confusion matrix, and what is counted in it.

Functions of whole arrays on the host. Labels y_true (n,) are integers or text. y_pred is either
labels (n,), or scores (n, c) such as probabilities, of which the arg max is taken: column j is of
the class j, or of the j-th of `classes`, which for text are by default the labels in alphabetical
order. For the probability p (n,) of class 1, write p > 0.5.
"""

import math
from numbers import Real
from typing import NamedTuple

import numpy as np

from ..registry import look_up
from .labels import encode, two_classes

AVERAGES = ("binary", "macro", "micro", "weighted")


def confusion_matrix(y_true, y_pred, classes=None, normalize=None, sample_weight=None):
    """Cᵢⱼ = how many examples of class i are taken for class j   (n,), (n,) or (n, c) -> (c, c)

    classes    the labels in the order of rows and columns; by default all that occur, sorted, and
               for scores that are given with integers 0 to c - 1
    normalize  "true" divides each row by its sum, "pred" each column, "all" the whole; 0/0 is 0

    Integers, or float64 if there are weights or it is normalized.
    """
    classes, true, predicted, weights = encode(y_true, y_pred, classes, sample_weight)
    c = len(classes)
    matrix = np.bincount(true * c + predicted, weights, minlength=c * c).reshape(c, c)
    if normalize is None:
        return matrix.astype(np.int64) if sample_weight is None else matrix
    axis = look_up("normalize", normalize, {"true": 1, "pred": 0, "all": None})
    return divide(matrix, matrix.sum(axis=axis, keepdims=True), 0.0)


def precision(
    y_true,
    y_pred,
    average="binary",
    classes=None,
    positive=1,
    zero_division=0.0,
    sample_weight=None,
):
    """TP / (TP + FP), the share of right ones among the predictions of a class.

    (n,), (n,) or (n, c) -> a number, or (c,)

    TP, FP and FN count the true positives, false positives and false negatives of a class.

    average        "binary"    of the class `positive`, one of two
                   "macro"     the mean over the classes
                   "weighted"  the same, each class weighted by its number of examples
                   "micro"     of the counts added up over the classes
                   None        an array (c,): one number for each class
    classes        the labels; by default all that occur, sorted, as in `confusion_matrix`
    zero_division  what to give for 0/0, a class that is never predicted: 0 to 1, or NaN, which
                   leaves the class out of an average
    sample_weight  (n,): how often each example counts
    """
    counts = _count(y_true, y_pred, average, classes, positive, sample_weight)
    return average_of(precision_of, counts, average, zero_division)


def recall(
    y_true,
    y_pred,
    average="binary",
    classes=None,
    positive=1,
    zero_division=0.0,
    sample_weight=None,
):
    """TP / (TP + FN), the share of the examples of a class that is found.

    (n,), (n,) or (n, c) -> a number, or (c,). The arguments are those of `precision`.
    """
    counts = _count(y_true, y_pred, average, classes, positive, sample_weight)
    return average_of(recall_of, counts, average, zero_division)


def f1_score(
    y_true,
    y_pred,
    average="binary",
    classes=None,
    positive=1,
    zero_division=0.0,
    sample_weight=None,
):
    """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.

    (n,), (n,) or (n, c) -> a number, or (c,). The arguments are those of `precision`.
    """
    counts = _count(y_true, y_pred, average, classes, positive, sample_weight)
    return average_of(f1_score_of, counts, average, zero_division)


# ---- From counts to numbers ----------------------------------------------------------------------


class Counts(NamedTuple):
    """What is counted of each class, arrays (c,)."""

    true_positives: np.ndarray
    predicted: np.ndarray  # TP + FP
    actual: np.ndarray  # TP + FN


def precision_of(counts, zero_division):
    """TP / (TP + FP)"""
    return divide(counts.true_positives, counts.predicted, zero_division)


def recall_of(counts, zero_division):
    """TP / (TP + FN)"""
    return divide(counts.true_positives, counts.actual, zero_division)


def f1_score_of(counts, zero_division):
    """2 TP / (2 TP + FP + FN)"""
    return divide(2 * counts.true_positives, counts.predicted + counts.actual, zero_division)


def divide(a, b, zero_division):
    """a / b, and `zero_division` where b is 0."""
    return np.divide(a, b, out=np.full(a.shape, float(zero_division)), where=b != 0)


def count_classes(true, predicted, weights, c):
    """The Counts of places in the classes.   (n,), (n,), (n,) -> (c,) each"""
    right = true == predicted
    return Counts(
        np.bincount(true[right], weights[right], minlength=c),
        np.bincount(predicted, weights, minlength=c),
        np.bincount(true, weights, minlength=c),
    )


def average_of(score, counts, average, zero_division):
    """The number that `average` makes of score(counts, zero_division) (c,); None keeps all."""
    check_zero_division(zero_division)
    if average == "micro":
        counts = Counts(*(count.sum(keepdims=True) for count in counts))
    values = score(counts, zero_division)
    if average is None:
        return values
    defined = ~np.isnan(values)
    if not defined.any():
        return math.nan
    weights = counts.actual[defined]
    by_size = average == "weighted" and weights.any()
    return float(np.average(values[defined], weights=weights if by_size else None))


def check_average(average, known=AVERAGES):
    """`average`, if it is among those that are known; else a ValueError."""
    return look_up("average", average, {name: name for name in known})


def check_zero_division(value):
    """`value` as a float, if it is a number from 0 to 1 or NaN; else a ValueError."""
    if not isinstance(value, Real) or not (0 <= value <= 1 or math.isnan(value)):
        raise ValueError(
            f"zero_division must be from 0 to 1, or NaN. Received: zero_division={value!r}"
        )
    return float(value)


def check_threshold(value):
    """`value` as a float, if it is a finite number; None stays None; else a ValueError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(
            f"threshold must be a finite number, or None. Received: threshold={value!r}"
        )
    return float(value)


def _count(y_true, y_pred, average, classes, positive, sample_weight):
    """The Counts of all classes; for average="binary" those of `positive` alone."""
    if average is not None:
        check_average(average)
    classes, true, predicted, weights = encode(y_true, y_pred, classes, sample_weight)
    if average != "binary":
        return count_classes(true, predicted, weights, len(classes))
    try:
        two_classes(classes, positive)
    except ValueError as error:
        raise ValueError(f"{error}. For more classes, average= says how to combine them") from error
    true, predicted = classes[true] == positive, classes[predicted] == positive
    counts = count_classes(true.astype(int), predicted.astype(int), weights, 2)
    return Counts(*(count[1:] for count in counts))
