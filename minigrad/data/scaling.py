"""Scaling: columns of different units brought to one scale.   x' = (x - center) / scale + low

n examples, d features. Every scaler learns center (d,) and scale (d,) from the examples to train
on; low is 0, or where a range begins. x is an array (n, d) or a Table of numbers, none missing; the
result is an array (n, d) of the dtype of x, float64 for integers; a ValueError says that this dtype
cannot hold it. In a column of one value, the numerator is 0 and the divisor 1.
"""

import numpy as np

from .checks import check_array
from .fitted import Fitted, column_names, finite, positive
from .table import Table, columns_of


class Scaler(Fitted):
    """x' = (x - center) / scale + low, column by column; the base of the scalers."""

    low = 0.0
    learned = {"columns": column_names, "center": finite, "scale": positive}

    def fit(self, x):
        columns = list(columns_of(x))
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            center, scale = self.measure(_numbers(x))
        for name, *learned in zip(columns, center, scale):
            if not np.isfinite(learned).all():
                raise ValueError(
                    f"column {name!r} has values too large to be scaled in float64. "
                    f"Received: center {learned[0]}, scale {learned[1]}"
                )
        self._learn(columns=columns, center=center, scale=scale)
        return self

    def measure(self, x):
        """(center, scale) of an array, in float64.   (n, d) -> (d,), (d,)"""
        raise NotImplementedError(f"{type(self).__name__} must define measure(x)")

    def transform(self, x):
        """x' = (x - center) / scale + low   (n, d) -> (n, d)"""
        self._same_columns(x)
        x = _numbers(x)
        with np.errstate(over="ignore", invalid="ignore"):  # checked in the next line
            scaled = ((x - self.center) / self.scale + self.low).astype(_dtype(x), copy=False)
        return self._finite(scaled)

    def inverse_transform(self, x):
        """x = (x' - low) scale + center   (n, d) -> (n, d)"""
        self._same_columns(x, "inverse_transform")
        x = _numbers(x)
        with np.errstate(over="ignore", invalid="ignore"):  # checked in the next line
            original = ((x - self.low) * self.scale + self.center).astype(_dtype(x), copy=False)
        return self._finite(original)

    def _finite(self, result):
        """The result (n, d), if its dtype can hold all of its values."""
        good = np.isfinite(result).all(axis=0)
        if not good.all():
            raise ValueError(
                f"column {self.columns[np.argmin(good)]!r} would have values too large for the "
                f"dtype of x. Received: {result.dtype}; give x in a wider one"
            )
        return result


class StandardScaler(Scaler):
    """x' = (x - mean) / deviation, where deviation² = 1/n Σᵢ (xᵢ - mean)²"""

    def measure(self, x):
        """(mean, deviation), with 1 for the deviation of equal values   (n, d) -> (d,), (d,)

        Both are in float64.
        """
        mean = np.mean(x, axis=0, dtype=np.float64)
        deviation = np.std(x, axis=0, dtype=np.float64)
        # The mean of n equal values is seldom exact, and then their deviation is not quite 0.
        rounding = len(x) * np.finfo(np.float64).eps * np.abs(mean)
        return mean, np.where(deviation <= rounding, 1, deviation)


class MinMaxScaler(Scaler):
    """x' = low + (high - low) (x - min) / (max - min)

    feature_range  (low, high), the range of the examples that are fitted; others may leave it
    """

    def __init__(self, feature_range=(0.0, 1.0)):
        try:
            low, high = map(float, feature_range)
        except (TypeError, ValueError):
            low = high = np.nan
        if not -np.inf < low < high < np.inf:
            raise ValueError(
                "feature_range must be two finite numbers, low and high, with low < high. "
                f"Received: feature_range={feature_range!r}"
            )
        self.feature_range = (low, high)
        self.low = low

    def measure(self, x):
        low, high = self.feature_range
        smallest, largest = (f(x, axis=0).astype(np.float64) for f in (np.min, np.max))
        width = largest - smallest
        scale = np.where(width == 0, 1, width) / (high - low)
        return smallest, scale


class RobustScaler(Scaler):
    """x' = (x - median) / (q₃ - q₁), where a quarter of the values lies below q₁, and above q₃

    A few values far off change neither; between two values, quantiles are interpolated linearly.
    """

    def measure(self, x):
        first, median, third = np.quantile(x.astype(np.float64), [0.25, 0.5, 0.75], axis=0)
        width = third - first
        return median, np.where(width == 0, 1, width)


def _numbers(x):
    """x as an array (n, d) of finite numbers; of a Table, the column at fault is named."""
    if not isinstance(x, Table):
        return check_array("x", x)
    matrix = x.matrix()
    for name in x.columns:
        check_array(f"column {name!r}", x[name])
    return matrix


def _dtype(x):
    return x.dtype if x.dtype.kind == "f" else np.float64
