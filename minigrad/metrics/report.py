"""Precision, recall and F1 of every class in one table."""

from dataclasses import dataclass

import numpy as np

from .classification import (
    average_of,
    check_zero_division,
    count_classes,
    f1_score_of,
    precision_of,
    recall_of,
)
from .labels import encode
from .tables import table

_SCORES = {"precision": precision_of, "recall": recall_of, "f1_score": f1_score_of}


@dataclass(frozen=True)
class ClassificationReport:
    """What `classification_report` found, as plain data; `str` makes a table of it.

    classes   {label: {"precision": p, "recall": r, "f1_score": f, "count": n}}, n the sum of the
              weights of the examples
    averages  {"macro": the same, "weighted": the same} over the classes
    accuracy  the share of right predictions
    """

    classes: dict
    averages: dict
    accuracy: float

    def __str__(self):
        rows = [("class", "precision", "recall", "F1", "count")]
        rows += [_row(str(label), numbers) for label, numbers in self.classes.items()]
        rows += [_row(f"{name} average", numbers) for name, numbers in self.averages.items()]
        return f"{table(rows)}\naccuracy {self.accuracy:.3f}"


def _row(title, numbers):
    *scores, count = numbers.values()
    return (title, *(f"{score:.3f}" for score in scores), f"{count:g}")


def classification_report(y_true, y_pred, classes=None, zero_division=0.0, sample_weight=None):
    """The ClassificationReport of labels (n,) and of predictions: labels (n,), or scores (n, c).

    The arguments are those of `precision`.
    """
    check_zero_division(zero_division)
    labels, true, predicted, weights = encode(y_true, y_pred, classes, sample_weight)
    counts = count_classes(true, predicted, weights, len(labels))
    per_class = {name: score(counts, zero_division) for name, score in _SCORES.items()}
    per_class["count"] = counts.actual
    averages = {
        average: {
            **{name: average_of(f, counts, average, zero_division) for name, f in _SCORES.items()},
            "count": float(weights.sum()),
        }
        for average in ("macro", "weighted")
    }
    return ClassificationReport(
        classes={
            label: {name: float(values[i]) for name, values in per_class.items()}
            for i, label in enumerate(labels.tolist())
        },
        averages=averages,
        accuracy=float(np.average(true == predicted, weights=weights)),
    )
