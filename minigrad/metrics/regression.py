"""How far predicted numbers are from the truth: one number for whole arrays on the host.

n examples, d outputs. `losses` has functions of the same names that give one value per example,
with its gradient; averaged over the examples, they are the numbers here.
"""

import math

import numpy as np

from ..data.checks import check_array, check_lengths
from ..tensor import Tensor
from .labels import weight_array
from .per_example import fit


def mean_squared_error(y_true, y_pred, sample_weight=None):
    """Σᵢ wᵢ |ŷᵢ - yᵢ|² / (d Σᵢ wᵢ)   (n, d), (n, d), weights (n,) -> a number"""
    y_true, y_pred, weights = _columns(y_true, y_pred, sample_weight)
    return float(np.average(np.square(y_pred - y_true).mean(axis=1), weights=weights))


def root_mean_squared_error(y_true, y_pred, sample_weight=None):
    """√ of the mean squared error: in the unit of y   (n, d), (n, d), weights (n,) -> a number"""
    return math.sqrt(mean_squared_error(y_true, y_pred, sample_weight))


def mean_absolute_error(y_true, y_pred, sample_weight=None):
    """Σᵢ wᵢ Σⱼ |ŷᵢⱼ - yᵢⱼ| / (d Σᵢ wᵢ)   (n, d), (n, d), weights (n,) -> a number"""
    y_true, y_pred, weights = _columns(y_true, y_pred, sample_weight)
    return float(np.average(abs(y_pred - y_true).mean(axis=1), weights=weights))


def r2_score(y_true, y_pred, sample_weight=None):
    """1 - Σᵢ wᵢ (ŷᵢ - yᵢ)² / Σᵢ wᵢ (yᵢ - ȳ)²   (n, d), (n, d), weights (n,) -> a number

    The share of the variance that is explained: 1 for perfect predictions, 0 for those no better
    than the mean ȳ, and below 0 for worse. Of d outputs the mean is taken. ValueError if an output
    of y_true is constant, for then it has no variance.
    """
    y_true, y_pred, weights = _columns(y_true, y_pred, sample_weight)
    counted = y_true[weights > 0]
    constant = np.flatnonzero((counted == counted[0]).all(axis=0))
    if len(constant):
        raise ValueError(
            f"y_true is constant, so that R² would divide by its variance, 0. Received: "
            f"{counted[0, constant[0]]} in all of its {len(counted)} rows"
        )
    mean = np.average(y_true, axis=0, weights=weights)
    errors, spread = weights @ np.square(y_pred - y_true), weights @ np.square(y_true - mean)
    return float(np.mean(1 - errors / spread))


def _columns(y_true, y_pred, sample_weight):
    """y_true (n, d), y_pred (n, d) and weights (n,) in float64."""
    given = {"y_true": y_true, "y_pred": y_pred}
    arrays = {
        name: check_array(name, y.numpy() if isinstance(y, Tensor) else y).astype(np.float64)
        for name, y in given.items()
    }
    check_lengths(arrays)
    y_true, y_pred = arrays.values()
    n = len(y_pred)
    y_true = fit(y_true, y_pred.shape)
    return y_true.reshape(n, -1), y_pred.reshape(n, -1), weight_array(sample_weight, n)
