"""Metrics of predicted numbers over many batches: sums over the examples, where the arrays are."""

import math

import numpy as np

from ..registry import Configurable
from .per_example import array_of, fit
from .streaming import Accumulator, Mean, read


class RootMeanSquaredError(Configurable, Accumulator):
    """√ of the mean squared error over all examples and outputs: in the unit of y."""

    state_names = Mean.state_names

    def __init__(self, name="root_mean_squared_error"):
        super().__init__()
        self.name = name

    def update(self, y_true, y_pred, sample_weight=None):
        """Add a batch: (n, d), (n, d), weights (n,)"""
        y, p, weight = columns(y_true, y_pred, sample_weight)
        self.total = self.total + np.sum(weight * np.mean(np.square(p - y), axis=1, keepdims=True))
        self.weight = self.weight + np.sum(weight)

    def result(self):
        """The error as a Python float; NaN before the first batch."""
        total, weight = read(self.total), read(self.weight)
        return math.sqrt(total / weight) if weight else math.nan


class R2Score(Configurable, Accumulator):
    """1 - Σᵢ wᵢ (ŷᵢ - yᵢ)² / Σᵢ wᵢ (yᵢ - ȳ)²: the mean over the outputs, as `metrics.r2_score`.

    The second sum is Σ w (y - a)² - (Σ w (y - a))² / Σ w for any a. Near ȳ, a saves the digits that
    would cancel; here a is the first example that comes. NaN as long as an output of y is constant.
    """

    state_names = ("examples", "origin", "weight", "total", "squares", "errors")

    def __init__(self, name="r2_score"):
        super().__init__()
        self.name = name

    def update(self, y_true, y_pred, sample_weight=None):
        """Add a batch: (n, d), (n, d), weights (n,)"""
        y, p, weight = columns(y_true, y_pred, sample_weight)
        if self.examples == 0:
            self.origin = y[:1]
        self.examples += y.shape[0]
        shifted = y - self.origin
        self.weight = self.weight + np.sum(weight)
        self.total = self.total + np.sum(weight * shifted, axis=0)
        self.squares = self.squares + np.sum(weight * np.square(shifted), axis=0)
        self.errors = self.errors + np.sum(weight * np.square(p - y), axis=0)

    def result(self):
        """R² as a Python float."""
        weight, total, squares, errors = (read(getattr(self, n)) for n in self.state_names[2:])
        if not weight:
            return math.nan
        spread = squares - np.square(total) / weight
        if not np.all(spread > 1e-12 * squares):  # what is below is round-off
            return math.nan
        return read(np.mean(1 - errors / spread))


def columns(y_true, y_pred, sample_weight):
    """y (n, d), ŷ (n, d) and weights (n, 1) in float64; further axes count as outputs."""
    y_pred = array_of(y_pred)
    n = y_pred.shape[0]
    y_true = fit(array_of(y_true), y_pred.shape)
    shape = (n, math.prod(y_pred.shape[1:]))
    y, p = (np.reshape(a, shape).astype("float64") for a in (y_true, y_pred))
    if sample_weight is None:
        return y, p, np.ones_like(p[:, :1])
    return y, p, fit(array_of(sample_weight), (n, 1), "sample_weight").astype("float64")
