"""Table: rows of several columns, some of them numbers and some of them text."""

import numpy as np

from ..registry import look_up
from .checks import check_lengths
from .columns import as_column, first_not_number, missing, rectangular


class Table:
    """Columns of n values each, by name: Table({"height": [1.8, 1.6], "eyes": ["blue", None]})

    columns  {name: (n,)}, n > 0, all numbers or all text; each becomes a read-only array

    Numbers are float64, and NaN is a missing one; text is Python's str in an array of objects, and
    None is a missing one. Everything that selects or replaces gives a new Table. ValueError for a
    column of another kind, and for columns of different lengths.
    """

    __iter__ = None  # over rows or over columns? `columns` and `len` say which is meant

    def __init__(self, columns):
        if not isinstance(columns, dict) or not columns:
            raise ValueError(f"a Table is made of {{name: values}}. Received: {columns!r}")
        for name in columns:
            if not isinstance(name, str) or not name.strip():
                raise ValueError(f"a column's name is text, and not empty. Received: {name!r}")
        self._columns = {name: as_column(name, values) for name, values in columns.items()}
        check_lengths(self._columns)
        if len(self) == 0:
            raise ValueError(f"a Table has at least one row. Received: none in {self.columns}")

    @property
    def columns(self):
        """The names of the columns, in order."""
        return list(self._columns)

    def __len__(self):
        """n, the number of rows."""
        return len(next(iter(self._columns.values())))

    def __contains__(self, name):
        return name in self._columns

    def __array__(self, dtype=None, copy=None):
        raise ValueError("a Table is no array of numbers; its .matrix() is one")

    def __getitem__(self, name):
        """The column of that name, (n,) and read-only; an unknown name is told its neighbours."""
        _check_name(name)
        return look_up("column", name, self._columns)

    def select(self, *names):
        """The Table of these columns, in this order."""
        _check_unique(names)
        return Table({name: self[name] for name in names})

    def drop(self, *names):
        """The Table of all other columns."""
        left_out = {name: self[name] for name in names}
        return Table({name: self[name] for name in self.columns if name not in left_out})

    def replace(self, columns):
        """The Table with the values of {name: (n,)} in these columns; new names come last."""
        return Table({**self._columns, **columns})

    def take(self, rows):
        """The Table of the rows that a mask (n,) of bool, or indices (m,) of integers, choose."""
        rows = np.asarray(rows)
        if rows.dtype.kind not in "biu" or rows.ndim != 1 or rows.size == 0:
            raise ValueError(
                "rows are chosen by a mask (n,) of bool or by indices (m,) of integers. "
                f"Received: {rows.dtype} of shape {rows.shape}"
            )
        if rows.dtype == bool and len(rows) != len(self):
            raise ValueError(f"a mask needs {len(self)} values. Received: {len(rows)}")
        if rows.dtype != bool and (rows.min() < -len(self) or rows.max() >= len(self)):
            raise ValueError(
                f"the table has rows 0 to {len(self) - 1}. Received: {rows.min()} to {rows.max()}"
            )
        if rows.dtype == bool and not rows.any():
            raise ValueError(
                f"a Table has at least one row. Received: a mask that chooses none of {len(self)}"
            )
        return Table({name: column[rows] for name, column in self._columns.items()})

    def matrix(self, *names):
        """The columns of these names, or all, side by side.   -> float64 (n, d)

        ValueError if one of them is text.
        """
        _check_unique(names)
        return np.stack([self._numbers(name) for name in names or self.columns], axis=1)

    def _numbers(self, name):
        column = self[name]
        if column.dtype == object:
            row, text = first_not_number(column) or (0, column[0])
            raise ValueError(
                f"column {name!r} must hold numbers, and is text. Received: {text!r} in row {row}"
            )
        return column

    def __repr__(self, most=20, examples=3):
        names = [_shown(name) for name in self.columns]
        width = max(map(len, names[:most]))
        lines = [f"Table of {len(self):,} rows and {len(self.columns):,} columns"]
        for name, column in zip(names[:most], self._columns.values()):
            kind = "text   " if column.dtype == object else "numbers"
            first = ", ".join(_shown(value) for value in column[:examples])
            more = ", ..." if len(self) > examples else ""
            absent = missing(column).sum()
            note = f" ({absent:,} missing)" if absent else ""
            lines.append(f"  {name:<{width}}  {kind}  {first}{more}{note}")
        if len(self.columns) > most:
            lines.append(f"  and {len(self.columns) - most:,} more columns")
        return "\n".join(lines)


def columns_of(x):
    """{name: (n,)} of a Table, or {0: (n,), 1: ...} of an array (n, d), n > 0."""
    if isinstance(x, Table):
        return {name: x[name] for name in x.columns}
    array = rectangular("x", x)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"x must be a Table or of shape (n, d), n > 0. Received: {array.shape}")
    return dict(enumerate(array.T))


def _check_name(name):
    if not isinstance(name, str):
        raise ValueError(
            'a column is chosen by its name, several by select("a", "b"), rows by take(rows). '
            f"Received: {name if isinstance(name, int) else type(name).__name__}"
        )


def _check_unique(names):
    for name in names:
        _check_name(name)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"each column can be chosen once. Received: {twice!r} twice")


def _shown(value):
    if isinstance(value, str):
        return repr(value if len(value) <= 20 else f"{value[:17]}...")
    return "missing" if value is None or value != value else f"{value:.6g}"
