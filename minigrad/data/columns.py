"""One column of values: numbers as float64 with NaN where missing, or text with None."""

import math
import numbers
import re

import numpy as np

WHOLE = 2**53  # from here up, float64 skips integers

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)


def as_column(name, values):
    """`values` (n,) as a new read-only array: float64, or Python's str in an array of objects.

    None and NaN are missing values; a column of None alone is text. ValueError, which calls the
    column `name`, for a mixture of numbers and text, for anything else, and for integers that
    float64 would round.
    """
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    if array.ndim != 1:
        raise ValueError(f"column {name!r} must be of shape (n,). Received: shape {array.shape}")
    if array.dtype.kind in "biuf":
        column = as_float64(f"column {name!r}", array)
    else:
        column = _numbers_or_text(name, array.astype(object))
    column.flags.writeable = False
    return column


def _numbers_or_text(name, array):
    absent = missing(array)
    present = array[~absent]
    only_none = all(value is None for value in array)
    if only_none or (len(present) and all(isinstance(value, str) for value in present)):
        array[absent] = None
        return array
    for value in present:
        if not isinstance(value, (numbers.Real, np.bool_)):
            raise ValueError(
                f"column {name!r} must be all numbers or all text. "
                f"Received: {value!r}, of type {type(value).__name__}"
            )
    return _from_numbers(name, array, absent)


def _from_numbers(name, array, absent):
    column = np.full(len(array), np.nan)
    for i in np.flatnonzero(~absent):
        if isinstance(array[i], numbers.Integral) and abs(array[i]) >= WHOLE:
            raise _rounded(f"column {name!r}", array[i])
        column[i] = array[i]
    return column


def rectangular(name, values):
    """`values` as an array; a ValueError that calls them `name` if their rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from error


def as_float64(name, array):
    """An array of numbers as a new one in float64; ValueError for integers that it would round."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        large = (array >= WHOLE) | (array <= -WHOLE)
        if large.any():
            raise _rounded(name, array[large][0])
    return array.astype(np.float64)


def _rounded(name, value):
    return ValueError(
        f"{name} must hold integers below 2**53, for float64 rounds larger ones; text keeps them. "
        f"Received: {value}"
    )


def missing(values):
    """[value is NaN or None], elementwise.   (...) -> bool (...)

    >>> missing(["red", None]).tolist(), missing([[1.5, np.nan]]).tolist()
    ([False, True], [[False, True]])
    """
    array = np.asarray(values)
    if array.dtype.kind in "fc":
        return np.isnan(array)
    if array.dtype.kind != "O":
        return np.zeros(array.shape, dtype=bool)
    absent = [value is None or value != value for value in array.flat]  # NaN differs from itself
    return np.array(absent, dtype=bool).reshape(array.shape)


def is_number(text):
    """Whether the text is a decimal number that float64 can hold, if perhaps rounded, or infinity.

    >>> [is_number(text) for text in ("-2.5e3", " 7 ", "inf", "1e999", "1_000", "seven")]
    [True, True, True, False, False, False]
    """
    text = text.strip()
    if _DECIMAL.fullmatch(text):
        return math.isfinite(float(text))
    return _INFINITE.fullmatch(text) is not None


_ALMOST_NUMBERS = {
    "percent": r"[+-]?[\d.,]*\d ?%",
    "an amount of money": r"[+-]?([$€£¥] ?[+-]?[\d.,]*\d|[\d.,]*\d ?[$€£¥])",
    "a number with commas between thousands": r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?",
    "a number with a decimal comma": r"[+-]?\d+(,\d+)?",
}


def looks_like(values):
    """What all of these texts, not all of them numbers, seem to be; None if nothing known.

    >>> looks_like(["1,5", "2"]), looks_like(["45%", "7 %"]), looks_like(["$1,000"])
    ('a number with a decimal comma', 'percent', 'an amount of money')
    """
    if all(map(is_number, values)):
        return None
    for kind, pattern in _ALMOST_NUMBERS.items():
        if all(re.fullmatch(pattern, text.strip(), re.ASCII) for text in values):
            return kind
    return None


def first_not_number(column):
    """(row, text) of the first entry of a column of text that is no number; None if there is none.

    A missing entry counts as a number.
    """
    strays = ((i, text) for i, text in enumerate(column) if text is not None)
    return next(((i, text) for i, text in strays if not is_number(text)), None)
