"""What a program makes of columns that it has never seen: used or left out, which task, and why.

n examples, c classes.
"""

import numpy as np

from .. import data
from ..data.columns import first_not_number, is_number
from ..registry import look_up

FEWEST_ROWS = 20  # fewer examples teach nothing that a test could confirm
FEWEST_OF_A_CLASS = 5  # so that every part has some
MOST_CATEGORIES = 50  # more different texts are names, or prose
MOST_CLASSES = 20  # more different whole numbers are a quantity
MOST_MISSING = 0.9  # of a column that is used

TASKS = ("classification", "regression")


def left_out(table):
    """{name: reason} of the columns from which nothing can be learned about other examples.

    ValueError for a column of text that would be numbers but for a few entries.
    """
    reasons = {name: _reason(name, table[name]) for name in table.columns}
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(name, column):
    present, n = column[~data.missing(column)], len(column)
    if len(present) < (1 - MOST_MISSING) * n or len(present) == 0:
        return f"{n - len(present):,} of {n:,} values are missing"
    different = len(np.unique(present))
    if different == 1:
        return f"it is always {_shown(present[0])}"
    if column.dtype == object:
        if different > min(MOST_CATEGORIES, n / 2):
            check_numbers(name, column)
            return f"text with {different:,} different values: names or prose, no categories"
    elif _counts_rows(column):
        return "it numbers the rows"


def _counts_rows(column):
    """Whether the values are n neighbouring whole numbers, in any order."""
    steps = np.diff(np.sort(column))
    return len(column) > 2 and column[0] % 1 == 0 and bool((steps == 1).all())


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
            raise ValueError(
                f"column {name!r} must hold finite numbers. Received: {column[row]} in row {row}"
            )


def check_numbers(name, column):
    """ValueError for text of which the most are numbers: the others must be mistakes."""
    stray = first_not_number(column)
    present = column[~data.missing(column)]
    numbers = sum(map(is_number, present))
    if stray and numbers > len(present) / 2:
        row, text = stray
        raise ValueError(
            f"column {name!r} has {numbers:,} numbers and {len(present) - numbers:,} other values. "
            f"Received: {text!r} in row {row}. An empty field is a missing value; --drop leaves "
            "the column out"
        )


def choose_task(name, column, task="auto"):
    """("classification" or "regression", why) for a target (n,); missing values play no part.

    ValueError if such a target cannot be learned.
    """
    look_up("task", task, dict.fromkeys(("auto", *TASKS)))
    is_text = column.dtype == object
    present = column[~data.missing(column)]
    different, counts = np.unique(present, return_counts=True)
    many = len(different) > min(MOST_CLASSES, len(present) / 2)
    if len(different) == 1:
        raise ValueError(
            f"the target {name!r} must have two different values at least. "
            f"Received: {_shown(different[0])} in all {len(present):,} rows"
        )
    if task == "auto":
        task, why = _by_itself(is_text, different, many)
    else:
        why = f"as --task {task} asks"
    if is_text and (many or task == "regression"):
        check_numbers(name, column)
    if task == "classification":
        _check_classes(name, different, counts)
    elif is_text:
        raise ValueError(
            f"the target {name!r} must hold numbers for regression. "
            f"Received: {present[0]!r}; --task classification takes text"
        )
    return task, why


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


def _check_classes(name, classes, counts):
    if counts.min() < FEWEST_OF_A_CLASS:
        hint = "" if isinstance(classes[0], str) else ", or try --task regression"
        raise ValueError(
            f"each class of {name!r} needs {FEWEST_OF_A_CLASS} rows, so that every part has some. "
            f"Received: {counts.min()} of class {_shown(classes[counts.argmin()])}. "
            f"Leave such rows out, or join classes{hint}"
        )
