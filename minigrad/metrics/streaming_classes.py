"""Metrics of classes over many batches: counted where the arrays are.

y_pred is the output of a model: (n, c) with a column per class, of which the arg max is taken, or
(n,) or (n, 1), which is class 1 if it is above the threshold. y_true is integers (n,) or (n, 1), or
one-hot (n, c).
"""

import math

import numpy as np

import kernels

from ..registry import Configurable
from .classification import (
    Counts,
    average_of,
    check_average,
    check_threshold,
    check_zero_division,
    f1_score_of,
    precision_of,
    recall_of,
)
from .per_example import array_of, fit
from .streaming import Accumulator, read


class ClassMetric(Configurable, Accumulator):
    """What Precision, Recall and F1Score share: TP, FP and FN are counted for each class.

    average        "macro", the mean over the classes, or "micro" or "weighted", as for the function
                   `metrics.precision`. A model with one output has one class to count, the class 1.
    threshold      an output above it stands for its class. By default 0.5 for a single output (use
                   0.0 for one that is a logit), and the arg max for several. With a threshold, each
                   of several outputs decides for itself, and y_true (n, c) may have several ones.
    zero_division  what 0/0 is, the precision of a class that is never predicted
    """

    state_names = ("true_positives", "predicted", "actual", "weight", "unknown")

    def __init__(self, average="macro", threshold=None, zero_division=0.0, name=None):
        super().__init__()
        self.average = check_average(average, ("macro", "micro", "weighted"))
        self.threshold = check_threshold(threshold)
        self.zero_division = check_zero_division(zero_division)
        self.name = name or self.default_name

    def update(self, y_true, y_pred, sample_weight=None):
        """Add a batch: labels (n,) or (n, c), (n, c), weights (n,)"""
        y, p, weight, unknown = indicators(y_true, y_pred, self.threshold, sample_weight)
        self.true_positives = self.true_positives + np.sum(weight * y * p, axis=0)
        self.predicted = self.predicted + np.sum(weight * p, axis=0)
        self.actual = self.actual + np.sum(weight * y, axis=0)
        self.weight = self.weight + np.sum(weight)
        self.unknown = self.unknown + unknown

    def result(self):
        """The average over the classes as a Python float; NaN before the first batch."""
        check_known(self)
        if undefined(read(self.weight)):
            return math.nan
        counts = Counts(*map(read, (self.true_positives, self.predicted, self.actual)))
        return average_of(self.score, counts, self.average, self.zero_division)


class Precision(ClassMetric):
    """TP / (TP + FP), the share of right ones among the predictions of a class.

    `ClassMetric` explains the options.
    """

    default_name = "precision"
    score = staticmethod(precision_of)


class Recall(ClassMetric):
    """TP / (TP + FN), the share of the examples of a class that is found.

    `ClassMetric` explains the options.
    """

    default_name = "recall"
    score = staticmethod(recall_of)


class F1Score(ClassMetric):
    """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.

    `ClassMetric` explains the options.
    """

    default_name = "f1_score"
    score = staticmethod(f1_score_of)


class ConfusionMatrix(Configurable, Accumulator):
    """Cᵢⱼ = how many examples of class i are taken for class j: `matrix()`, (c, c) in float64.

    threshold  above which a single output stands for class 1; by default 0.5

    The number that it shows beside the loss is the accuracy, the share on the diagonal.
    """

    state_names = ("counts", "unknown")

    def __init__(self, threshold=None, name="confusion_matrix"):
        super().__init__()
        self.threshold = check_threshold(threshold)
        self.name = name

    def update(self, y_true, y_pred, sample_weight=None):
        """Add a batch: labels (n,) or one-hot (n, c), (n, c), weights (n,)"""
        y_pred = array_of(y_pred)
        if self.threshold is not None and y_pred.shape[1:] not in ((), (1,)):
            raise ValueError(
                f"the threshold of a ConfusionMatrix is for a single output. "
                f"Received: threshold={self.threshold}, y_pred of shape {y_pred.shape}"
            )
        y, p, weight, unknown = indicators(y_true, y_pred, self.threshold, sample_weight)
        if y.shape[1] == 1:
            y, p = (np.concatenate([1 - a, a], axis=1) for a in (y, p))
        self.counts = self.counts + kernels.matmul(y.T, weight * p)
        self.unknown = self.unknown + unknown

    def matrix(self):
        """The counts (c, c), a NumPy array. ValueError before the first batch."""
        check_known(self)
        counts = read(self.counts)
        if not hasattr(counts, "shape"):
            raise ValueError(f"{self.name} has seen no batch")
        return counts

    def result(self):
        """The share of the examples that are on the diagonal; NaN before the first batch."""
        check_known(self)
        counts = read(self.counts)
        total = read(np.sum(counts))
        return math.nan if undefined(total) else read(np.trace(counts) / total)


# ---- What they share -----------------------------------------------------------------------------


def indicators(y_true, y_pred, threshold, sample_weight):
    """y (n, c), ŷ (n, c), weight (n, 1) in float64, and the number of labels that are no class.

    y and ŷ are 1 where an example is, or is taken for, the class of the column; else 0. The weight
    of an example whose prediction is NaN is NaN: so is then all that it is counted in.
    """
    y_true, y_pred = array_of(y_true), array_of(y_pred)
    if y_pred.ndim == 1:
        y_pred = np.reshape(y_pred, (y_pred.shape[0], 1))
    if y_pred.ndim != 2:
        raise ValueError(f"y_pred must have shape (n,) or (n, c). Received: {y_pred.shape}")
    n, c = y_pred.shape
    numbers = np.cumsum(np.ones_like(y_pred[:1], dtype="float64"), axis=1) - 1  # 0, ..., c - 1
    if c == 1 or (threshold is not None and y_true.shape == y_pred.shape):
        true = fit(y_true, y_pred.shape)
        y, known = true == 1, np.all((true == 0) | (true == 1), axis=1)
    else:
        labels = np.argmax(y_true, axis=1) if y_true.shape == y_pred.shape else fit(y_true, (n,))
        y = np.reshape(labels, (n, 1)) == numbers
        known = np.any(y, axis=1)
    if c == 1 or threshold is not None:
        p = y_pred > (0.5 if threshold is None else threshold)
    else:
        p = np.reshape(np.argmax(y_pred, axis=1), (n, 1)) == numbers
    weight = np.where(np.any(np.isnan(y_pred), axis=1, keepdims=True), math.nan, 1.0)
    if sample_weight is not None:
        weight = weight * fit(array_of(sample_weight), (n, 1), "sample_weight")
    return y.astype("float64"), p.astype("float64"), weight, np.sum(np.logical_not(known))


def check_known(metric):
    """ValueError if the metric has met labels that are no class of the model."""
    unknown = read(metric.unknown)
    if unknown:
        raise ValueError(
            f"{metric.name}: y_true must be 0 to c - 1, where the model has c outputs, or 0 and 1 "
            f"where it has one. Received: {unknown} other labels"
        )


def undefined(weight):
    """Whether the sum of the weights says that nothing came, or NaN among the predictions."""
    return weight == 0 or math.isnan(weight)
