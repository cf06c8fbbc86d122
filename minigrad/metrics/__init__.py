"""Metrics: how good predictions are, in terms that people care for. There are three kinds.

Values of each example   functions of (y_true, y_pred) that give one value for each example (n,), as
                         every loss does: `accuracy` and its kind, top-k. They run in a training
                         step, on any machine.
Numbers of whole arrays  functions for the evaluation afterwards, on the host, of labels (integers
                         or text), scores, or numbers: `confusion_matrix`, `precision`, `roc_auc`,
                         `r2_score`, ... `by_group` compares such a number between groups.
Over many batches        objects for `model.compile(metrics=[...])`, which add up batch by batch
                         where the arrays are and read the number at the end: `Precision`, `AUC`,
                         `R2Score`, ...; `Metric` averages a function of the first kind.

The second and the third kind give equal numbers for equal data, and share their formulas. `get`
finds the object that a name ("accuracy", "mse", "f1_score"), a configuration, or a function of
either kind means.
"""

from ..registry import resolve
from .calibration import brier_score, calibration_curve, expected_calibration_error
from .classification import confusion_matrix, f1_score, precision, recall
from .groups import GroupReport, by_group
from .per_example import FUNCTIONS as _FUNCTIONS
from .per_example import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .ranking import roc_auc, roc_curve
from .regression import mean_absolute_error, mean_squared_error, r2_score, root_mean_squared_error
from .report import ClassificationReport, classification_report
from .retrieval import nearest_neighbours, recall_at_k
from .streaming import Accumulator, Mean, Metric
from .streaming_classes import ConfusionMatrix, F1Score, Precision, Recall
from .streaming_ranking import AUC
from .streaming_regression import R2Score, RootMeanSquaredError
from .streaming_tokens import TokenAccuracy

__all__ = [
    "AUC",
    "Accumulator",
    "ClassificationReport",
    "ConfusionMatrix",
    "F1Score",
    "GroupReport",
    "Mean",
    "Metric",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "TokenAccuracy",
    "accuracy",
    "binary_accuracy",
    "brier_score",
    "by_group",
    "calibration_curve",
    "categorical_accuracy",
    "classification_report",
    "confusion_matrix",
    "expected_calibration_error",
    "f1_score",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "nearest_neighbours",
    "precision",
    "r2_score",
    "recall",
    "recall_at_k",
    "roc_auc",
    "roc_curve",
    "root_mean_squared_error",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]

_TABLE = {  # the name of the object that does over batches what the function does for whole arrays
    confusion_matrix: "confusion_matrix",
    precision: "precision",
    recall: "recall",
    f1_score: "f1_score",
    roc_auc: "auc",
    mean_squared_error: "mean_squared_error",
    mean_absolute_error: "mean_absolute_error",
    root_mean_squared_error: "root_mean_squared_error",
    r2_score: "r2_score",
}
_OBJECTS = {
    "auc": AUC,
    "confusion_matrix": ConfusionMatrix,
    "f1_score": F1Score,
    "precision": Precision,
    "r2_score": R2Score,
    "recall": Recall,
    "root_mean_squared_error": RootMeanSquaredError,
    "token_accuracy": TokenAccuracy,
}
_CLASSES = {kind.__name__: kind for kind in (Metric, *_OBJECTS.values())}


def get(metric):
    """The object that is meant: itself, a name, a function, or its configuration.

    A function that gives one value for each example becomes a Metric.
    """
    if callable(metric):
        metric = _TABLE.get(metric, metric)
    if isinstance(metric, str) and metric in _FUNCTIONS:
        return Metric(metric)
    metric = resolve("metric", metric, {**_OBJECTS, **_CLASSES}, _FUNCTIONS)
    if metric is None:
        raise ValueError("a metric must be a name, a function or an object. Received: None")
    return metric if isinstance(metric, Accumulator) else Metric(metric)
