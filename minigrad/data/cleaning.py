"""Cleaning: missing values, rows that occur twice, and values far from all others.

x is a Table or an array (n, d); NaN and None are missing values.
"""

from numbers import Real

import numpy as np

from ..registry import check_number, look_up
from .checks import check_lengths
from .columns import as_column, missing
from .fitted import Fitted, column_names, finite, is_finite
from .rows import as_rows, row_keys, take_rows
from .table import Table, columns_of

# ---- Rows ----------------------------------------------------------------------------------------


def count_missing(x):
    """How many values are missing in each column: {name: count}, or {0: count, 1: ...}"""
    return {name: int(missing(column).sum()) for name, column in columns_of(x).items()}


def drop_missing(*arrays):
    """The rows in which no array lacks a value: `x, y = drop_missing(x, y)`.

    arrays  Tables or arrays (n, ...); one comes back alone, several as a tuple

    ValueError if no row would be left.
    """
    _check_rows(arrays)
    absent = np.any([_lacks(x) for x in arrays], axis=0)
    if absent.all():
        raise ValueError(f"every row has a missing value. Received: {len(absent)} rows")
    return _take(arrays, ~absent)


def duplicates(*arrays):
    """[an earlier row has the same values], for x alone or x with y.   -> bool (n,)

    `duplicates(x).sum()` is their number. Missing values equal each other.
    """
    _check_rows(arrays)
    first = {}
    keys = zip(*map(row_keys, arrays))
    return np.array([first.setdefault(key, i) != i for i, key in enumerate(keys)])


def drop_duplicates(*arrays):
    """The rows without `duplicates`, each where it occurs first: `x, y = drop_duplicates(x, y)`."""
    return _take(arrays, ~duplicates(*arrays))


def _check_rows(arrays):
    if not arrays:
        raise ValueError("give one array or Table, or several. Received: none")
    names = ["x"] if len(arrays) == 1 else [f"array {i}" for i in range(len(arrays))]
    check_lengths({n: x if isinstance(x, Table) else as_rows(n, x) for n, x in zip(names, arrays)})


def _lacks(x):
    """Which rows of a Table or an array have a missing value.   -> bool (n,)"""
    if isinstance(x, Table):
        return np.any([missing(x[name]) for name in x.columns], axis=0)
    absent = missing(x)
    return absent.reshape(len(absent), -1).any(axis=1)


def _take(arrays, mask):
    taken = tuple(take_rows(x, mask) for x in arrays)
    return taken if len(taken) > 1 else taken[0]


# ---- Values --------------------------------------------------------------------------------------


def _fillings(name, values):
    """What an Imputer fills in: for each column a text or a finite number."""
    for i, value in enumerate(values):
        if not isinstance(value, str) and not is_finite(value):
            raise ValueError(f"{name} must be texts or finite numbers. Received: {value!r} at {i}")
    return values


class Imputer(Fitted):
    """Fills in missing values: with one value per column, of the examples that are fitted.

    strategy    "mean" or "median" for numbers; "most_frequent", of several the smallest, or
                "constant" for numbers and text
    fill_value  the constant

    Of an array the result has its dtype, float64 for integers; a Table gives a Table. ValueError
    for a column without any value to learn from.
    """

    learned = {"columns": column_names, "fill": _fillings}

    def __init__(self, strategy="mean", fill_value=None):
        look_up("strategy", strategy, _STATISTICS)
        if (strategy == "constant") != (fill_value is not None):
            raise ValueError(
                "fill_value belongs to the strategy 'constant'. "
                f"Received: strategy={strategy!r}, fill_value={fill_value!r}"
            )
        self.strategy = strategy
        self.fill_value = fill_value

    def fit(self, x):
        columns = columns_of(x)
        fill = [self._fill(name, column) for name, column in columns.items()]
        self._learn(columns=list(columns), fill=fill)
        return self

    def _fill(self, name, column):
        column = _typed(name, column)
        if self.strategy == "constant":
            return _constant(name, column, self.fill_value)
        if self.strategy != "most_frequent":
            column = _numbers(name, column)
        with np.errstate(over="ignore"):  # checked in the next line
            value = _STATISTICS[self.strategy](_present(name, column))
        return _constant(name, column, value)

    def _check_learned(self, columns, fill):
        for i, value in enumerate(fill):
            if self.strategy in ("mean", "median") and isinstance(value, str):
                raise ValueError(
                    f"fill must be numbers for the strategy {self.strategy!r}. "
                    f"Received: {value!r} at {i}"
                )
            if self.strategy == "constant" and value != self.fill_value:
                raise ValueError(
                    f"fill must be the constant {self.fill_value!r}. Received: {value!r} at {i}"
                )

    def transform(self, x):
        """x, with the learned value of its column in the place of each missing one."""
        filled = {}
        for (name, column), value in zip(self._same_columns(x).items(), self.fill):
            column = _typed(name, column)
            filled[name] = np.where(missing(column), _constant(name, column, value), column)
        return _like(x, filled)


def _most_frequent(values):
    distinct, counts = np.unique(values, return_counts=True)
    return distinct.tolist()[counts.argmax()]


_STATISTICS = {
    "mean": lambda values: float(np.mean(values)),
    "median": lambda values: float(np.median(values)),
    "most_frequent": _most_frequent,
    "constant": None,
}


def _constant(name, column, value):
    """`value`, if it is of the column's kind."""
    is_text = column.dtype == object
    fits = isinstance(value, str) if is_text else isinstance(value, Real) and np.isfinite(value)
    if not fits:
        kind = "text" if is_text else "a finite number"
        raise ValueError(f"column {name!r} must be filled with {kind}. Received: {value!r}")
    return value


class OutlierClipper(Fitted):
    """low <= x' <= high: values far from the others in their column moved to the nearest bound.

    method  "interquartile_range": low = q₁ - factor (q₃ - q₁), high = q₃ + factor (q₃ - q₁), where
            a quarter of the values lies below q₁, and above q₃ (J. W. Tukey, Exploratory Data
            Analysis, 1977); "z_score": low, high = mean ∓ factor deviation
    factor  by default 1.5 for the interquartile range and 3 for the z-score

    The bounds `low` and `high` (d,) come from the examples that are fitted. Columns are numbers;
    missing values stay missing.
    """

    learned = {"columns": column_names, "low": finite, "high": finite}

    def __init__(self, method="interquartile_range", factor=None):
        default = look_up("method", method, {"interquartile_range": 1.5, "z_score": 3.0})
        self.method = method
        self.factor = default if factor is None else check_number("factor", factor)

    def fit(self, x):
        columns = columns_of(x)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            bounds = {name: self._bounds(name, column) for name, column in columns.items()}
        for name, pair in bounds.items():
            if not np.isfinite(pair).all():
                raise ValueError(
                    f"column {name!r} has values too large for bounds in float64. "
                    f"Received: low {pair[0]}, high {pair[1]}"
                )
        low, high = np.transpose(list(bounds.values()))
        self._learn(columns=list(bounds), low=low, high=high)
        return self

    def _check_learned(self, columns, low, high):
        wrong = np.flatnonzero(low > high)
        if len(wrong):
            i = wrong[0]
            raise ValueError(f"low must not exceed high. Received: {low[i]} > {high[i]} at {i}")

    def _bounds(self, name, column):
        """(low, high) of one column."""
        present = _present(name, _numbers(name, column))
        if self.method == "interquartile_range":
            first, third = np.quantile(present, [0.25, 0.75])
            margin = self.factor * (third - first)
            return first - margin, third + margin
        mean, margin = np.mean(present), self.factor * np.std(present)
        # Of equal values, the mean may be off by a rounding; none of them is far from the others.
        rounding = len(present) * np.finfo(np.float64).eps * abs(mean)
        return mean - margin - rounding, mean + margin + rounding

    def outliers(self, x):
        """[x < low or x > high]   -> bool (n, d)"""
        columns = self._same_columns(x, "outliers")
        x = np.stack([_numbers(name, column) for name, column in columns.items()], axis=1)
        return (x < self.low) | (x > self.high)

    def transform(self, x):
        """x, with low in the place of smaller values and high in that of larger ones."""
        clipped = {}
        for (name, column), *bounds in zip(self._same_columns(x).items(), self.low, self.high):
            clipped[name] = np.clip(_numbers(name, column), *bounds)
        return _like(x, clipped)


def _typed(name, column):
    """A column as text with None, or as float64 in which NaN alone is not finite."""
    column = as_column(name, column)
    if column.dtype != object and np.isinf(column).any():
        row = np.flatnonzero(np.isinf(column))[0]
        raise ValueError(
            f"column {name!r} must hold finite numbers. Received: {column[row]} in row {row}"
        )
    return column


def _numbers(name, column):
    column = _typed(name, column)
    if column.dtype == object:
        raise ValueError(f"column {name!r} must hold numbers. Received: text")
    return column


def _present(name, column):
    """The values that are not missing, one at least."""
    present = column[~missing(column)]
    if len(present) == 0:
        raise ValueError(
            f"column {name!r} has no value to learn from. Received: {len(column)} missing"
        )
    return present


def _like(x, columns):
    """Columns together: a Table if x is one, else an array, of the dtype of x if that floats."""
    if isinstance(x, Table):
        return Table(columns)
    matrix, dtype = np.stack(list(columns.values()), axis=1), np.asarray(x).dtype
    return matrix.astype(dtype) if dtype.kind == "f" else matrix
