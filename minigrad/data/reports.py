"""A report on a data set before a model learns from it: what is there, and what is wrong."""

from collections import Counter
from itertools import combinations

import numpy as np

from ..registry import serialize
from . import report_text
from .checks import check_lengths
from .columns import first_not_number, is_number, looks_like, missing
from .rows import as_rows, row_keys
from .table import Table

MOST_CLASSES = 100  # more different labels than these are numbers to predict
MOST_ROWS = 20  # more rows than these are counted, not listed


def report(table=None, /, **parts):
    """What is in a data set and wrong with it: print(data.report(train=(x, y), test=(u, v)))

    table  one Table, array x (n, ...) or pair (x, y); or
    parts  several by name, with the same columns

    x is numbers or text, y labels (n,), one-hot rows (n, c) or numbers to predict. The result is a
    DataReport. ValueError for parts that are empty, or cannot be compared.
    """
    if (table is None) == (not parts):
        raise ValueError(
            "give one table, or parts by name such as train=(x, y). "
            f"Received: {'both' if parts else 'nothing'}"
        )
    parts = [_Part(name, given) for name, given in (parts or {"data": table}).items()]
    for part in parts[1:]:
        if part.layout != parts[0].layout:
            raise ValueError(
                f"all parts must have the same columns. Received: {parts[0].name} with "
                f"{parts[0].layout}, {part.name} with {part.layout}"
            )
    return DataReport(
        {
            "parts": {part.name: part.describe() for part in parts},
            "leaks": [_leak(a, b) for a, b in combinations(parts, 2)],
            "contradictions": _contradictions(parts),
        }
    )


class DataReport:
    """The numbers of a report, and their words.

    numbers   plain data (JSON):
              {"parts": {name: {"examples", "columns", "labels", "duplicates"}},
               "leaks": [{"parts", "examples", "rows"}],
               "contradictions": {"examples", "groups", "rows"}}
    findings  a sentence for everything that asks for a look; empty if there is nothing

    A duplicate has the x and y of an earlier example of its part, a leak the x of an example of an
    earlier part, and a contradiction the x of another example, but not its y, where y are classes.
    `str` is plain text.
    """

    def __init__(self, numbers):
        self.numbers = numbers
        self.findings = report_text.findings(numbers)

    def __str__(self):
        return report_text.page(self.numbers, self.findings)

    def __repr__(self):
        parts = self.numbers["parts"].items()
        listed = ", ".join(f"{name}: {part['examples']} examples" for name, part in parts)
        return f"<DataReport of {listed}; {len(self.findings)} findings>"


class _Part:
    """x and y of one part, with a key for each of their rows."""

    def __init__(self, name, given):
        x, y = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
        self.name = name
        self.x = x if isinstance(x, Table) else as_rows(f"x of {name}", x)
        self.y = None if y is None else as_rows(f"y of {name}", y)
        self.n = len(self.x)
        if y is not None:
            check_lengths({f"x of {name}": self.x, f"y of {name}": self.y})
        self.labels = None if y is None else _labels(self.y)
        self.x_keys = row_keys(self.x)
        self.y_keys = [None] * self.n if y is None else row_keys(self.y)

    @property
    def layout(self):
        """What parts must have in common to be compared."""
        if isinstance(self.x, Table):
            return f"the columns {self.x.columns}"
        return f"rows of shape {self.x.shape[1:]}"

    def describe(self):
        if isinstance(self.x, Table):
            columns = {name: self.x[name] for name in self.x.columns}
        else:
            columns = dict(enumerate(np.ascontiguousarray(self.x.reshape(self.n, -1).T)))
        return {
            "examples": self.n,
            "columns": {str(name): _describe(column) for name, column in columns.items()},
            "labels": self.labels,
            "duplicates": self.n - len(set(zip(self.x_keys, self.y_keys))),
        }


# ---- One column ----------------------------------------------------------------------------------


def _describe(column):
    """The numbers on a column (n,): of its missing values, its range or its categories."""
    absent = missing(column)
    count = {"missing": int(absent.sum())}
    if column.dtype.kind in "biuf":
        return count | _range(column[~absent].astype(np.float64))
    return count | _categories(column, absent)


def _range(present):
    finite = present[np.isfinite(present)]
    return {
        "kind": "numbers",
        "infinite": len(present) - len(finite),
        "min": float(finite.min()) if len(finite) else None,
        "mean": float(finite.mean()) if len(finite) else None,
        "max": float(finite.max()) if len(finite) else None,
        "constant": len(present) > 0 and bool((present == present[0]).all()),
    }


def _categories(column, absent):
    counts = Counter(column[~absent])
    numbers = sum(times for value, times in counts.items() if is_number(value))
    return {
        "kind": "text",
        "different": len(counts),
        "most_frequent": [list(pair) for pair in counts.most_common(5)],
        "numbers": numbers,
        "not_numbers": counts.total() - numbers,
        "first_not_number": serialize(first_not_number(column)),
        "looks_like": looks_like(counts),
        "constant": len(counts) == 1,
    }


def _labels(y):
    """The counts of classes, if y is text, one-hot or few different whole numbers; else a range."""
    if y.ndim == 2 and y.shape[1] > 1 and _is_one_hot(y):
        y = np.argmax(y, axis=1)
    absent = missing(y)
    count = {"missing": int(absent.sum())}
    distinct, counts = np.unique(y[~absent], return_counts=True)
    if y.dtype != object:
        are_whole = np.isfinite(distinct).all() and (distinct == np.floor(distinct)).all()
        if not are_whole or len(distinct) > MOST_CLASSES or y.size > len(y):
            return count | _range(y[~absent].astype(np.float64))
        distinct = [int(label) for label in distinct]
    classes = {str(label): int(times) for label, times in zip(distinct, counts)}
    return count | {"kind": "classes", "classes": classes}


def _is_one_hot(y):
    if y.dtype == object:
        return False
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


# ---- Between examples ----------------------------------------------------------------------------


def _leak(earlier, later):
    """The examples of one part whose x occurs in an earlier part, as [earlier row, later row]."""
    first = {}
    for i, key in enumerate(earlier.x_keys):
        first.setdefault(key, i)
    rows = [[first[key], i] for i, key in enumerate(later.x_keys) if key in first]
    names = [earlier.name, later.name]
    return {"parts": names, "examples": len(rows), "rows": rows[:MOST_ROWS]}


def _contradictions(parts):
    """The examples whose x has several y, and pairs of such: [[part, row], [part, row]]."""
    alike = {}
    with_classes = (part for part in parts if part.labels and part.labels["kind"] == "classes")
    for part in with_classes:
        for i, (x, y) in enumerate(zip(part.x_keys, part.y_keys)):
            alike.setdefault(x, []).append((y, [part.name, i]))
    count, rows = 0, []
    for group in alike.values():
        y, place = group[0]
        others = [other for other_y, other in group if other_y != y]
        if others:
            count += len(group)
            rows.append([place, others[0]])
    return {"examples": count, "groups": len(rows), "rows": rows[:MOST_ROWS]}
