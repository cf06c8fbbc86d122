"""What a function was seen to do with some arguments, and whether that is what was expected.

Only data is compared: arrays element by element, within a tolerance, with their shapes and dtypes;
numbers, texts, tuples. What a function returns can therefore not decide for itself whether it is
equal to something.
"""

import copy
from dataclasses import dataclass

import numpy as np

from .limit import TooLongError, time_limit

TOLERANCE = {"float64": 1e-9, "float32": 1e-5, "float16": 1e-2}


@dataclass(frozen=True)
class Observation:
    """result, or the exception that was raised instead; the places of arguments that it changed"""

    result: object = None
    error: BaseException | None = None
    changed: tuple = ()


class Elsewhere:
    """A function that runs in another process, and is looked at there.

    A subclass has a method `observe`, and can be called as well: that gives the result as data.
    """

    def look(self, arguments, view):
        """What a view shows; an error if there is one."""
        seen = self.observe(arguments, view)
        if seen.error is not None:
            raise seen.error
        return seen.result


def look(function, arguments, view):
    """What a view shows of a function, wherever that is."""
    if isinstance(function, Elsewhere):
        return function.look(arguments, view)
    return view(function, *arguments)


def observe(function, arguments, view):
    """Look at a function through a view, for a limited time. The arguments are copied before."""
    if isinstance(function, Elsewhere):
        return function.observe(arguments, view)
    given = copy.deepcopy(arguments)
    try:
        with time_limit():
            result = plain(view(function, *given))
    except (Exception, SystemExit, TooLongError) as error:
        return Observation(error=error)
    pairs = enumerate(zip(arguments, given, strict=True))
    changed = tuple(i for i, (a, b) in pairs if not same(plain(a), plain(b)))
    return Observation(result, changed=changed)


def plain(thing):
    """The same as arrays, numbers, texts, lists: what is none of these becomes a text about it."""
    if type(thing) in (bool, int, float, complex, str, bytes, type(None)):
        return thing
    if isinstance(thing, (tuple, list)):
        return [plain(item) for item in thing]
    if isinstance(thing, dict):
        return {plain(key): plain(value) for key, value in dict.items(thing)}
    if isinstance(thing, np.generic):
        return np.array(thing)
    if isinstance(thing, np.ndarray) and thing.dtype.kind in "biufcUSO":
        return np.array(thing, subok=False)
    return f"an object of type {type(thing).__name__}"


def same(a, b, tolerance=None):
    """Whether two plain things agree: arrays in shape and, within a tolerance, in every element."""
    return difference(a, b, tolerance) is None


def difference(got, expected, tolerance=None, dtypes=True):
    """None if they agree, or in what they differ: "shape", "dtype", "values", "type", "length"."""
    if isinstance(expected, (np.ndarray, int, float, bool)) and not isinstance(expected, str):
        return _number_difference(got, expected, tolerance, dtypes)
    if isinstance(expected, (list, tuple)):
        if not isinstance(got, (list, tuple)):
            return "type"
        if len(got) != len(expected):
            return "length"
        pairs = zip(got, expected, strict=True)
        return next((d for a, b in pairs if (d := difference(a, b, tolerance, dtypes))), None)
    if isinstance(expected, dict):
        if not isinstance(got, dict) or got.keys() != expected.keys():
            return "type"
        pairs = ((got[key], expected[key]) for key in expected)
        return next((d for a, b in pairs if (d := difference(a, b, tolerance, dtypes))), None)
    return None if type(got) is type(expected) and got == expected else "values"


def _number_difference(got, expected, tolerance, dtypes):
    if not isinstance(got, (np.ndarray, int, float, bool)):
        return "type"
    is_array, expected_array = isinstance(expected, np.ndarray), np.asarray(expected)
    got_array = np.asarray(got)
    if got_array.shape != expected_array.shape:
        return "shape"
    if got_array.dtype.kind not in "biuf" or expected_array.dtype.kind not in "biuf":
        agree = got_array.dtype.kind == expected_array.dtype.kind
        return None if agree and np.array_equal(got_array, expected_array) else "values"
    kinds = got_array.dtype.kind, expected_array.dtype.kind
    if dtypes and is_array and expected_array.ndim and got_array.dtype != expected_array.dtype:
        differ = "f" in kinds or "b" in kinds  # integers of one size are as good as of another
        if differ:
            return "dtype"
    if tolerance is None:
        tolerance = TOLERANCE.get(str(expected_array.dtype), 1e-9)
    scale = max(1.0, _largest(expected_array))
    a, b = got_array.astype(np.float64), expected_array.astype(np.float64)
    with np.errstate(all="ignore"):
        close = (np.abs(a - b) <= tolerance * scale) | (a == b) | (np.isnan(a) & np.isnan(b))
    return None if close.all() else "values"


def _largest(x):
    """The largest finite magnitude, or 0."""
    finite = np.abs(x[np.isfinite(x)].astype(np.float64)) if x.dtype.kind == "f" else np.abs(x)
    return float(finite.max(initial=0))
