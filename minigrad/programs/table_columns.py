"""What a program makes of columns that it has never seen: used or left out, which task, and why.

n examples, c classes.
"""

import re

import numpy as np

from .. import data
from ..data.columns import first_not_number, is_number
from ..registry import look_up

FEWEST_ROWS = 20  # fewer examples teach nothing that a test could confirm
FEWEST_OF_A_CLASS = 5  # so that every part has some
MOST_CATEGORIES = 50  # more different texts are names, or prose
MOST_CLASSES = 20  # more different whole numbers are a quantity
MOST_MISSING = 0.9  # of a column that is used
MOST_NUMBERS = 0.8  # of a column of text; in one with more, the others are mistakes

TASKS = ("classification", "regression")
IDENTIFIERS = {"id", "index", "row", "rowid", "number", "num", "nr", "no", "unnamed"}


class WrongValue(ValueError):  # noqa: N818
    """A value that cannot be used: `what` is wrong, and the `row` of the Table, from 0."""

    def __init__(self, what, row):
        super().__init__(f"{what} in row {row}")
        self.what, self.row = what, int(row)


def left_out(table, keep=()):
    """{name: reason} of the columns from which nothing can be learned about other examples.

    keep  names of columns that stay for all that, unless they have one value or none

    ValueError for a column of text that would be numbers but for a few entries.
    """
    reasons = {
        name: _no_value(table[name])
        or (None if name in keep else _reason(name, table[name], is_first=place == 0))
        for place, name in enumerate(table.columns)
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _no_value(column):
    """Why no column of this kind can say anything, if so."""
    present = column[~data.missing(column)]
    if len(present) == 0:
        return f"{len(column):,} of {len(column):,} values are missing"
    if (present == present[0]).all():
        return f"it is always {_shown(present[0])}"


def _reason(name, column, is_first):
    present, n = column[~data.missing(column)], len(column)
    if len(present) < (1 - MOST_MISSING) * n:
        return f"{n - len(present):,} of {n:,} values are missing; --keep would use it"
    if column.dtype == object:
        check_numbers(name, column, "--keep takes them as categories, --drop leaves the column out")
        different = len(np.unique(present))
        if different > min(MOST_CATEGORIES, n / 2):
            return (
                f"text with {different:,} different values: names or prose, no categories; "
                "--keep would use it"
            )
    elif (is_first or _is_identifier(name)) and _counts_rows(column):
        return "it numbers the rows; --keep would use it"


def _is_identifier(name):
    """Whether a word of the name says so: "PassengerId", "row_number", "Unnamed: 0"."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    return any(word.lower() in IDENTIFIERS for word in words)


def _counts_rows(column):
    """Whether the values are neighbouring whole numbers, in the order of the rows."""
    return len(column) > 2 and column[0] % 1 == 0 and bool((np.diff(column) == 1).all())


def all_differ(column):
    """Whether a column has another whole number in every row, as an identifier has."""
    is_whole = column.dtype != object and bool((column % 1 == 0).all())
    return is_whole and len(np.unique(column)) == len(column)


def tells_apart(column):
    """[this number is so special that hardly another example has it]   -> bool (n,)"""
    if column.dtype == object:
        return np.zeros(len(column), dtype=bool)
    present = column[~np.isnan(column)]
    most = FEWEST_ROWS if (present % 1 != 0).any() else MOST_CATEGORIES
    return ~np.isnan(column) & (len(np.unique(present)) > most)


def name_of(value):
    """A class, a group or a category as text: text as it is, 1.0 as "1", and 0.5 as "0.5"."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value % 1 == 0 else repr(float(value))


def _shown(value):
    return repr(value) if isinstance(value, str) else name_of(value)


def check_finite(table):
    """ValueError that names the first infinite value of a Table."""
    for name in table.columns:
        column = table[name]
        if column.dtype != object and np.isinf(column).any():
            row = np.flatnonzero(np.isinf(column))[0]
            raise WrongValue(
                f"column {name!r} must hold finite numbers. Received: {column[row]}", row
            )


def check_numbers(name, column, advice):
    """ValueError for text of which the most are numbers: the others must be mistakes."""
    stray = first_not_number(column)
    present = column[~data.missing(column)]
    numbers = sum(map(is_number, present))
    if stray and numbers > MOST_NUMBERS * len(present):
        row, text = stray
        raise WrongValue(
            f"column {name!r} has {_counted(numbers, 'number')} and "
            f"{_counted(len(present) - numbers, 'other value')}. "
            f"An empty field is a missing value; {advice}. Received: {text!r}",
            row,
        )


def _counted(count, name):
    return f"{count:,} {name}" if count == 1 else f"{count:,} {name}s"


def choose_task(name, column, task="auto"):
    """("classification" or "regression", why) for a target (n,); missing values play no part.

    ValueError if such a target cannot be learned.
    """
    look_up("task", task, dict.fromkeys(("auto", *TASKS)))
    is_text = column.dtype == object
    present = column[~data.missing(column)]
    different = np.unique(present)
    many = len(different) > min(MOST_CLASSES, len(present) / 2)
    if len(different) == 1:
        raise ValueError(
            f"the target {name!r} must have two different values at least. "
            f"Received: {_shown(different[0])} in all {len(present):,} rows"
        )
    if is_text and task != "classification":
        check_numbers(name, column, "--task classification takes them as classes")
    if task == "auto":
        return _by_itself(is_text, different, many)
    if is_text and task == "regression":
        raise ValueError(
            f"the target {name!r} must hold numbers for regression. "
            f"Received: {present[0]!r}; --task classification takes text"
        )
    return task, f"as --task {task} asks"


def _by_itself(is_text, different, many):
    """The task that fits a target best, and why."""
    if is_text:
        return "classification", f"the target is text with {len(different):,} different values"
    if many or (different % 1 != 0).any():
        kind = "has fractions" if (different % 1 != 0).any() else f"has {len(different):,} values"
        return "regression", f"the target {kind}; --task classification would take them as classes"
    return "classification", (
        f"the target is whole numbers, {len(different)} different ones; "
        "--task regression would take them as quantities"
    )


def check_classes(name, column):
    """ValueError for a class of the target (n,) that has too few rows."""
    classes, counts = np.unique(column, return_counts=True)
    if counts.min() < FEWEST_OF_A_CLASS:
        hint = "" if isinstance(classes[0], str) else ", or try --task regression"
        raise ValueError(
            f"each class of {name!r} needs {FEWEST_OF_A_CLASS} rows, so that every part has some. "
            f"Received: {counts.min()} of class {_shown(classes[counts.argmin()])}. "
            f"Leave such rows out, or join classes{hint}"
        )
