"""Whole rows: a key for each, so that equal examples are found, and rows chosen from anything."""

import hashlib

import numpy as np

from .columns import as_column, as_float64, rectangular
from .table import Table


def row_keys(x):
    """One key per row, equal where all values of two rows are equal.   (n, ...) or Table -> list

    Numbers are compared as float64, whatever their dtypes, and a missing value equals another. A
    row of numbers is stood for by 128 bits (BLAKE2b) of its bytes. ValueError for integers that
    float64 would round.
    """
    if isinstance(x, Table):
        columns = [x[name] for name in x.columns]
        numbers = [column for column in columns if column.dtype != object]
        keys = [column.tolist() for column in columns if column.dtype == object]
        return list(zip(*keys, *([_digests(np.stack(numbers, axis=1))] if numbers else [])))
    array = as_rows("x", x)
    matrix = array.reshape(len(array), -1)
    return [tuple(row) for row in matrix] if array.dtype == object else _digests(matrix)


def as_rows(name, x):
    """x as an array (n, ...) of numbers, or of text with None, n > 0; errors call it `name`."""
    array = rectangular(name, x)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must be of shape (n, ...), n > 0. Received: shape {array.shape}")
    if array.dtype.kind in "UTO":
        return as_column(name, array.ravel()).reshape(array.shape)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers or text. Received: dtype {array.dtype}")
    return array


def _digests(matrix, at_once=1024):
    digests = []
    for start in range(0, len(matrix), at_once):
        rows = as_float64("x", matrix[start : start + at_once])
        rows += 0.0  # -0.0 becomes 0.0, which has other bytes
        rows[np.isnan(rows)] = np.nan  # so does every other NaN
        digests += [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows]
    return digests


def take_rows(x, mask):
    """The rows of a Table or an array (n, ...) that a mask (n,) chooses."""
    return x.take(mask) if isinstance(x, Table) else np.asarray(x)[mask]
