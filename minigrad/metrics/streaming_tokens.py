"""Metrics of the places of sequences over many batches: only those count that have a label."""

import numpy as np

from ..losses import IGNORED
from ..registry import Configurable
from .per_example import array_of, fit
from .streaming import Mean


class TokenAccuracy(Configurable, Mean):
    """The share of right ones, [y = argmax ŷ], of all places whose label y is not IGNORED.

    y_true integers (n, ...), y_pred (n, ..., c).
    """

    def __init__(self, name="token_accuracy"):
        super().__init__()
        self.name = name

    def update(self, y_true, y_pred, sample_weight=None):
        """Add a batch, with weights (n,) of its examples or none."""
        y_true, y_pred = array_of(y_true), array_of(y_pred)
        labels = fit(y_true, y_pred.shape[:-1])
        counts = labels != IGNORED
        right = np.logical_and(counts, np.equal(labels, y_pred.argmax(axis=-1)))
        if sample_weight is not None:
            n = labels.shape[0]
            weight = np.reshape(fit(array_of(sample_weight), (n,), "sample_weight"), (n, 1))
            right, counts = (np.reshape(a, (n, -1)) * weight for a in (right, counts))
        self.add(np.sum(right, dtype="float64"), np.sum(counts, dtype="float64"))
