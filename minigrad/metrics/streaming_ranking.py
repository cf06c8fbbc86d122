"""The area below the ROC curve over many batches, exactly: it needs all scores at once."""

import math

import numpy as np

from ..registry import Configurable
from .classification import check_average
from .per_example import array_of, fit
from .ranking import AVERAGES, average_area, both_occur
from .streaming import Accumulator, check_state, read


class AUC(Configurable, Accumulator):
    """The area below the ROC curve, `metrics.roc_auc`, of the outputs of a model.

    average  over the classes of a model with several outputs, each against all others: "macro" or
             "weighted"

    Every score is kept until `reset`, where the arrays are, and `result` sorts them. It is NaN as
    long as a class has no example, or all of them.
    """

    state_names = ("y_true", "y_pred", "sample_weight")

    def __init__(self, average="macro", name="auc"):
        super().__init__()
        self.average = check_average(average, AVERAGES)
        self.name = name

    def reset(self):
        self.batches = []

    def update(self, y_true, y_pred, sample_weight=None):
        """Keep a batch: labels (n,), (n, 1) or (n, c) of 0 and 1; (n, c), (n, 1) or (n,); (n,)"""
        y_true, y_pred = array_of(y_true), array_of(y_pred)
        if y_pred.ndim == 1:
            y_pred = np.reshape(y_pred, (y_pred.shape[0], 1))
        if y_pred.ndim != 2:
            raise ValueError(f"y_pred must have shape (n,) or (n, c). Received: {y_pred.shape}")
        n = y_pred.shape[0]
        if y_true.shape != y_pred.shape:
            y_true = fit(y_true, (n,))
        if sample_weight is None:
            sample_weight = np.ones_like(y_pred[:, 0], dtype="float64")
        weight = fit(array_of(sample_weight), (n,), "sample_weight")
        self.batches.append(tuple(a.copy() for a in (y_true, y_pred, weight)))

    def get_state(self):
        """{name: NumPy array} of all labels, scores and weights; empty arrays if there are none."""
        batches = [[read(array) for array in batch] for batch in self.batches] or [[[]] * 3]
        return {name: np.concatenate(a) for name, a in zip(self.state_names, zip(*batches))}

    def set_state(self, state):
        check_state(self, state)
        shapes = {name: np.shape(array) for name, array in state.items()}
        if () in shapes.values() or len({shape[0] for shape in shapes.values()}) > 1:
            raise ValueError(f"the state of AUC has arrays of one length. Received: {shapes}")
        batch = tuple(state[name].copy() for name in self.state_names)
        self.batches = [batch] if len(batch[0]) else []

    def result(self):
        """The area as a Python float."""
        y_true, y_pred, weight = self.get_state().values()
        if len(y_true) == 0 or np.isnan(y_pred).any():
            return math.nan
        happened = self._events(y_true, y_pred.shape[1])
        if not both_occur(happened, weight).all():
            return math.nan
        return average_area(happened, y_pred, weight, self.average)

    def _events(self, y_true, classes):
        """Whether each example is of each class   (n, c)"""
        one_column_each = y_true.ndim == 2
        numbers = np.cumsum(np.ones_like(y_true, shape=classes, dtype=int)) - 1
        if classes > 1 and not one_column_each:
            known, happened = np.isin(y_true, numbers), y_true[:, None] == numbers
        else:
            known, happened = np.isin(y_true, (0, 1)), y_true.reshape(-1, classes) == 1
        if not known.all():
            raise ValueError(
                f"{self.name}: y_true must be 0 to {max(classes - 1, 1)}, or columns of 0 and 1. "
                f"Received: {y_true[~known][0]}"
            )
        return happened
