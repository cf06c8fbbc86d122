"""The examples in a Table that a program has never seen: their rows, columns, task and parts."""

from typing import NamedTuple

import numpy as np

from .. import data
from . import table_columns

VALIDATION = 0.15  # the share of the rows that decides when to stop
MOST_GROUPS = 20


class Examples(NamedTuple):
    """What is left of a table to learn from, and why.

    table     the rows that are used, with all columns but those of --drop
    rows      (n,) the numbers of these rows in the file
    features  the names of the columns to learn from
    notes     sentences on everything that was left out, or asks for a look
    alike     whether rows that repeat another are still there
    """

    table: data.Table
    rows: np.ndarray
    features: list
    target: str
    task: str
    why: str
    notes: list
    alike: bool


def examine(table, target, task="auto", drop=(), group=None, keep=()):
    """The Examples in a Table. ValueError that names the culprit if it has none."""
    _check_columns(table, target, drop, group, keep)
    notes = [f"{name!r} is left out, as --drop asks" for name in dict.fromkeys(drop)]
    given = [name for name in table.columns if name not in drop and name != target]
    beside = [target] if group is None else [target, group]
    table = table.select(*dict.fromkeys([*given, *beside]))

    table_columns.check_finite(table)
    rows = np.flatnonzero(~data.missing(table[target]))
    if len(rows) < len(table):
        notes.append(f"rows left out for they have no target: {len(table) - len(rows):,}")
    _check_rows(rows, target)
    task, why = table_columns.choose_task(target, table[target], task)

    reasons = table_columns.left_out(table.select(*given), keep)
    notes += [f"{name!r} is left out: {reason}" for name, reason in reasons.items()]
    features = [name for name in given if name not in reasons]
    if not features:
        raise ValueError(f"no column says anything about {target!r}. Received: {'; '.join(notes)}")

    notes += [
        f"{name!r} has another whole number in every row, and stays; --drop it if they mean nothing"
        for name in features
        if table_columns.all_differ(table[name])
    ]

    table = table.take(rows)
    repeated = data.duplicates(table.select(*features, target))
    special = np.any([table_columns.tells_apart(table[name]) for name in features], axis=0)
    alike, repeated = bool((repeated & ~special).any()), repeated & special
    if alike:
        notes.append(
            "rows that repeat another stay where no number is special: the columns have few "
            "different values, so that examples are alike by chance"
        )
    if repeated.any():
        notes.append(f"rows left out for they repeat another: {repeated.sum():,}")
        table, rows = table.take(~repeated), rows[~repeated]
    _check_rows(rows, target)
    if task == "classification":
        table_columns.check_classes(target, table[target])
    return Examples(table, rows, features, target, task, why, notes, alike)


def _check_columns(table, target, drop, group, keep):
    """ValueError for names that no column has, or that contradict each other."""
    table.select(target, *dict.fromkeys(name for name in drop if name != target))
    table.select(target, *dict.fromkeys(name for name in keep if name != target))
    if set(keep) & {target, *drop}:
        raise ValueError(
            "--keep must not name the target, nor a column of --drop. "
            f"Received: {sorted(set(keep) & {target, *drop})[0]!r}"
        )
    if target in drop:
        raise ValueError(f"--drop must not name the target. Received: {target!r}")
    if set(table.columns) == {target, *drop}:
        raise ValueError(f"no column is left to predict {target!r} from. Received: {table.columns}")
    if group is not None:
        _check_group(table, target, group)


def _check_rows(rows, target):
    fewest = table_columns.FEWEST_ROWS
    if len(rows) < fewest:
        raise ValueError(
            f"at least {fewest} different rows with a {target!r} are needed to learn and to test. "
            f"Received: {len(rows)}"
        )


def _check_group(table, target, group):
    if group == target:
        raise ValueError(f"--group must be another column than the target. Received: {group!r}")
    different = len(np.unique(groups_of(table[group])))
    if different > MOST_GROUPS:
        raise ValueError(
            f"--group must be a column of at most {MOST_GROUPS} different values. "
            f"Received: {group!r} with {different:,}"
        )


def groups_of(column):
    """The values of a column as names of groups: text (n,)"""
    absent = data.missing(column)
    names = ["missing" if no else table_columns.name_of(v) for v, no in zip(column, absent)]
    return np.array(names)


def divide(examples, test, seed):
    """{"train": indices, "validation": ..., "test": ...} of the rows, classes in equal shares."""
    is_classes = examples.task == "classification"
    labels = examples.table[examples.target] if is_classes else len(examples.table)
    parts = data.train_validation_test_split(labels, VALIDATION, test, is_classes, seed)
    return dict(zip(("train", "validation", "test"), parts))
