"""Encoding: classes and categories, which are text or integers, as numbers that a model takes."""

from numbers import Integral, Real

import numpy as np

from .columns import missing
from .fitted import Fitted, column_names
from .table import Table, columns_of


def one_hot(labels, classes):
    """y[i, j] = [label i is class j]   (n,) -> float32 (n, c)

    classes  c, for integer labels from 0 to c - 1; or a list of the c classes, text or numbers

    ValueError for a label that is none of the classes.
    """
    if isinstance(classes, Integral):
        if classes < 1 or isinstance(classes, bool):
            raise ValueError(f"classes must be 1 or more, or a list. Received: classes={classes!r}")
        known = list(range(classes))
    else:
        known = _values("classes", classes)
    if len(set(known)) < len(known):
        raise ValueError(f"every class must occur once. Received: classes={known!r}")
    return _one_hot(_indices("labels", _values("labels", labels), known), known)


def _ascending(name, values):
    """Classes as `fit` learns them: all text or all numbers, each once, sorted."""
    known = _values(name, values)
    for i, (value, following) in enumerate(zip(known, known[1:])):
        if not value < following:
            raise ValueError(
                f"{name} must be sorted, each once. Received: {value!r} at {i}, then {following!r}"
            )
    return known


def _categories(name, values):
    """The classes of each column."""
    return [_ascending(f"{name}[{i}]", known) for i, known in enumerate(values)]


class LabelEncoder(Fitted):
    """Labels as integers: the index of each among the sorted classes.   (n,) -> int64 (n,)

    `classes` is the list of those that were fitted. An unknown or missing label is a ValueError.
    """

    learned = {"classes": _ascending}

    def fit(self, x):
        self._learn(classes=_sorted("labels", x))
        return self

    def transform(self, x):
        """The index of each label.   (n,) -> int64 (n,)"""
        self._check_fitted("transform")
        return _indices("labels", _values("labels", x), self.classes)

    def inverse_transform(self, indices):
        """The label at each index.   integers (n,) -> (n,), text as objects"""
        self._check_fitted("inverse_transform")
        indices = np.asarray(indices)
        if indices.ndim != 1 or indices.dtype.kind not in "iu":
            raise ValueError(
                "indices must be integers of shape (n,). "
                f"Received: {indices.dtype} of shape {indices.shape}"
            )
        outside = (indices < 0) | (indices >= len(self.classes))
        if outside.any():
            raise ValueError(
                f"indices must be from 0 to {len(self.classes) - 1}. "
                f"Received: {indices[outside][0]}"
            )
        is_text = isinstance(self.classes[0], str)
        return np.array(self.classes, dtype=object if is_text else None)[indices]


class OneHotEncoder(Fitted):
    """Each column as several, [value is category k] for its sorted categories: -> float32 (n, d')

    unknown  what a category that was not fitted gives: "error", or "zeros" in all its columns

    x is a Table, an array (n, d) or one column (n,), of text or numbers without missing values; d'
    is the number of all categories. ValueError for a value that is missing, of the other kind, or,
    unless it gives zeros, unknown.
    """

    learned = {"columns": column_names, "categories": _categories}

    def __init__(self, unknown="error"):
        if unknown not in ("error", "zeros"):
            raise ValueError(f"unknown must be 'error' or 'zeros'. Received: unknown={unknown!r}")
        self.unknown = unknown

    def fit(self, x):
        columns = columns_of(_as_columns(x))
        categories = [_sorted(f"column {name!r}", column) for name, column in columns.items()]
        self._learn(columns=list(columns), categories=categories)
        return self

    def transform(self, x):
        """The columns of 0 and 1, side by side.   -> float32 (n, d')"""
        columns = self._same_columns(_as_columns(x))
        blocks = []
        for (name, column), known in zip(columns.items(), self.categories):
            name, ignore = f"column {name!r}", self.unknown == "zeros"
            blocks.append(_one_hot(_indices(name, _values(name, column), known, ignore), known))
        return np.concatenate(blocks, axis=1)

    @property
    def names(self):
        """What each column of the result stands for, such as "colour=blue"."""
        self._check_fitted("names")
        pairs = zip(self.columns, self.categories)
        return [f"{name}={_shown(category)}" for name, known in pairs for category in known]


def _as_columns(x):
    """A Table, or an array (n, d): one of objects for a list, which may mix text and numbers."""
    if isinstance(x, Table):
        return x
    array = x if isinstance(x, np.ndarray) else np.array(x, dtype=object)
    return array[:, np.newaxis] if array.ndim == 1 else array


def _values(name, values):
    """Text alone or numbers alone, none missing, as a list of Python's values."""
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be of shape (n,), n > 0. Received: shape {array.shape}")
    if array.dtype.kind not in "biufUTO":
        raise ValueError(f"{name} must be text or numbers. Received: dtype {array.dtype}")
    absent = missing(array)
    if absent.any():
        raise ValueError(
            f"{name} must have no missing values; fill them or drop their rows first. "
            f"Received: {absent.sum()} missing, the first at {np.argmax(absent)}"
        )
    found = [v.item() if isinstance(v, np.generic) else v for v in array.tolist()]
    kind = str if isinstance(found[0], str) else Real
    for value in found:
        if not isinstance(value, kind):
            raise ValueError(f"{name} must be all text or all numbers. Received: {value!r}")
    return found


def _sorted(name, values):
    return sorted(set(_values(name, values)))


def _indices(name, values, known, ignore=False):
    """The index of each value in the list `known`; of an unknown one -1, or a ValueError."""
    index = {category: i for i, category in enumerate(known)}
    indices = np.array([index.get(value, -1) for value in values])
    unknown = np.flatnonzero(indices < 0)
    of_one_kind = isinstance(values[0], str) == isinstance(known[0], str)
    if len(unknown) and not (ignore and of_one_kind):
        first = unknown[0]
        listed = ", ".join(map(repr, known[:10])) + (", ..." if len(known) > 10 else "")
        raise ValueError(
            f"{name} must be among the {len(known)} known: {listed}. "
            f"Received: {values[first]!r} at {first}, and {len(unknown) - 1} more"
        )
    return indices


def _one_hot(indices, known):
    """A row per index, with 1 in that column; -1 gives a row of zeros.   (n,) -> float32 (n, c)"""
    return np.equal(indices[:, np.newaxis], np.arange(len(known))).astype(np.float32)


def _shown(category):
    return category if isinstance(category, str) else f"{category:.15g}"
