"""Rows of text for a fine-tuning or a prediction: read from a file, looked at, and divided."""

from collections import Counter
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from .. import data
from ..registry import look_up
from . import table_file
from .finetuning_settings import share_of
from .text_lines import read_lines

FEWEST_ROWS = 12  # fewer teach nothing that a test could confirm
FEWEST_OF_A_CLASS = 4  # so that every part has some
PARTS = ("train", "validation", "test")


class Rows(NamedTuple):
    """Rows of a file.

    source  the file
    rows    [{column: text}], no text empty
    lines   where each row begins in the file, whose first line is 1
    """

    source: str
    rows: list
    lines: list

    def take(self, indices):
        """The Rows with these indices, in this order."""
        return Rows(self.source, [self.rows[i] for i in indices], [self.lines[i] for i in indices])

    def error(self, i, what):
        """A ValueError about row i."""
        return ValueError(f"{self.source}, line {self.lines[i]}: {what}")

    def column(self, name):
        """The texts of a column, a list."""
        return [row[name] for row in self.rows]


def read_rows(source, columns, delimiter=",", encoding="utf-8-sig"):
    """The Rows of a CSV file with these columns; of a .txt file if one is enough: its lines.

    ValueError that names file, line and column of a text that is empty, or a column not there.
    """
    if str(source).endswith(".txt"):
        if len(columns) > 1:
            raise ValueError(
                f"a CSV file is needed, with the columns {', '.join(columns)}. Received: {source}, "
                "lines of text"
            )
        lines = read_lines(source)
        return Rows(str(source), [{columns[0]: text} for text in lines.texts], lines.numbers)
    file = str(source), table_file.as_delimiter(delimiter), encoding
    given = table_file.read(*file, missing=("",))
    for name in columns:
        try:
            look_up("column", name, dict.fromkeys(given.columns))
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
    table = table_file.read(*file, text=list(columns), missing=("",))
    texts = zip(*(table[name] for name in columns))
    rows = Rows(str(source), [dict(zip(columns, row)) for row in texts], table_file.lines(*file))
    for i, row in enumerate(rows.rows):
        for name, text in row.items():
            if text is None:
                raise rows.error(i, f"column {name!r} is empty")
    return rows


def without_repeats(rows):
    """The Rows, each of those that are alike but once, and how many that leaves out."""
    first = {}
    for i, row in enumerate(rows.rows):
        first.setdefault(tuple(row.values()), i)
    return rows.take(first.values()), len(rows.rows) - len(first)


def rows_of_all(parts):
    """The rows of {name: Rows}, a list, each of those that are alike but once."""
    return list({tuple(row.values()): row for part in parts.values() for row in part.rows}.values())


def labels_of(rows, label, several=False):
    """The different labels in a column, sorted. ValueError if there is but one.

    several  whether a row has some, with spaces between them
    """
    labels = sorted({name for text in rows.column(label) for name in _labels(text, several)})
    if len(labels) < 2:
        raise ValueError(
            f"{rows.source}: column {label!r} needs two different labels or more. "
            f"Received: {labels[0]!r} alone"
        )
    return labels


def check_labels(rows, label, labels, several=False):
    """ValueError for the first row with another label than those that training has."""
    known = dict.fromkeys(labels)
    for i, text in enumerate(rows.column(label)):
        for name in _labels(text, several):
            try:
                look_up("label", name, known)
            except ValueError as error:
                what = f"column {label!r}: training does not have it: {error}"
                raise rows.error(i, what) from error


def _labels(text, several):
    return text.split() if several else [text]


def check_numbers(rows, label):
    """ValueError for the first row whose label is no finite number."""
    for i, text in enumerate(rows.column(label)):
        try:
            is_finite = np.isfinite(float(text))
        except ValueError:
            is_finite = False
        if not is_finite:
            raise rows.error(i, f"column {label!r}: a finite number expected. Received: {text!r}")


def divide(rows, settings, others, label=None):
    """{"train": Rows, "validation": ..., "test": ...}

    others  {"validation": Rows, "test": Rows} of those that have a file of their own
    label   the column of classes, of which every part gets the same share; None for no classes
    """
    shares = {
        name: 0.0 if name in others else share_of(name, getattr(settings, name))
        for name in PARTS[1:]
    }
    if len(rows.rows) < FEWEST_ROWS:
        raise ValueError(
            f"{rows.source}: {FEWEST_ROWS} different rows are needed, to learn and to test. "
            f"Received: {len(rows.rows)}"
        )
    if label is not None and any(shares.values()):
        _check_classes(rows, label)
    labels = len(rows.rows) if label is None else np.array(rows.column(label), dtype=object)
    try:
        parts = data.train_validation_test_split(
            labels, **shares, stratify=label is not None, seed=settings.seed
        )
    except ValueError as error:
        raise ValueError(f"{rows.source}: {error}") from error
    return {name: others.get(name) or rows.take(part) for name, part in zip(PARTS, parts)}


def check_folds(folds, parts, label=None):
    """ValueError if there are too few rows in all parts, or with one of the labels, for folds."""
    rows = rows_of_all(parts)
    counts = Counter("rows" if label is None else f"rows with {row[label]!r}" for row in rows)
    what, fewest = min(counts.items(), key=itemgetter(1))
    if folds > fewest:
        raise ValueError(
            f"each fold needs some of all that are told apart, and there are {fewest} {what}. "
            f"Received: {folds=}"
        )


def _check_classes(rows, label):
    classes, counts = np.unique(rows.column(label), return_counts=True)
    if counts.min() < FEWEST_OF_A_CLASS:
        raise ValueError(
            f"{rows.source}: each label needs {FEWEST_OF_A_CLASS} different rows, so that every "
            f"part has some. Received: {counts.min()} of {str(classes[counts.argmin()])!r}"
        )
