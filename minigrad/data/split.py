"""Dividing a data set into examples to train on, to validate with and to test on."""

from numbers import Integral, Real

import numpy as np

from ..registry import Configurable, check_integer, check_number
from .columns import as_column, missing, rectangular

# ---- Once ----------------------------------------------------------------------------------------


def stratified_split(labels, test_fraction, seed):
    """Shuffled (train_indices, test_indices), with each class divided in the same fraction.

    labels         (n,) the class of each example: integers or any other values that can be sorted
    test_fraction  the share to test on, between 0 and 1
    seed           equal seeds give equal splits; minigrad.random plays no part

    round(n test_fraction) examples are held out. A class of m examples should give m test_fraction
    of them, which is seldom a whole number: every class gives the whole part, and those with the
    largest remainders give one more until the total is right (the largest-remainder method).
    ValueError if a class would be absent from one of the two sides.
    """
    _check_one("test_fraction", test_fraction)
    labels = _check_labels(labels)
    if not isinstance(test_fraction, Real) or not 0 < test_fraction < 1:
        raise ValueError(
            f"test_fraction must be between 0 and 1. Received: test_fraction={test_fraction!r}"
        )
    total = round(len(labels) * test_fraction)
    received = f"test_fraction={test_fraction}"
    return _divide(labels, test_fraction, total, _generator(seed), received)


def train_validation_test_split(labels, validation=0.2, test=0.2, stratify=True, seed=0):
    """Shuffled (train_indices, validation_indices, test_indices), which are all n together.

    labels      (n,) the class of each example; or just n, where examples have no classes
    validation  the share to validate with, from 0 up; the indices of a share of 0 are empty
    test        the share to test on, from 0 up; validation + test < 1
    stratify    divide each class in the same shares, as `stratified_split` does; False is for
                numbers to predict, which are no classes
    seed        equal seeds give equal splits; minigrad.random plays no part

    round(n validation) and round(n test) examples are held out. ValueError if a class, or without
    classes all there is, would be absent from one of the parts.
    """
    _check_one("validation", validation)
    _check_one("test", test)
    validation = check_number("validation", validation, below=1)
    test = check_number("test", test, below=1)
    if validation + test >= 1:
        raise ValueError(f"validation + test must be below 1. Received: {validation=}, {test=}")
    if isinstance(labels, Integral):
        if labels < 1 or isinstance(labels, bool):
            raise ValueError(f"labels must be (n,), or n from 1 up. Received: {labels!r}")
        labels, stratify = np.zeros(labels), False
    labels = _check_labels(labels)

    received = f"{validation=}, {test=}, stratify={bool(stratify)}"
    generator = _generator(seed)
    train, parts = generator.permutation(len(labels)), []
    for share in (test, validation):
        total = round(len(labels) * share)
        if share == 0:
            held_out = train[:0]
        elif stratify:
            fraction = total / len(train)
            kept, rows = _divide(labels[train], fraction, total, generator, received)
            train, held_out = train[kept], train[rows]
        else:
            _check_part("the whole", len(train), total, received)
            train, held_out = train[total:], train[:total]
        parts.insert(0, held_out)
    return train, *parts


def _check_one(name, share):
    if np.ndim(share) != 0:
        raise ValueError(
            f"{name} must be a number: the labels alone are split, and x[rows] follows. "
            f"Received: {name} of shape {np.shape(share)}"
        )


def _generator(seed):
    return np.random.default_rng(check_integer("seed", seed, least=0))


def _check_labels(labels):
    labels = rectangular("labels", labels)
    if labels.ndim != 1 or labels.size == 0:
        hint = ": are these the examples x, not their labels?" if labels.ndim > 1 else ""
        raise ValueError(
            f"labels must be of shape (n,), n > 0. Received: shape {labels.shape}{hint}"
        )
    if labels.dtype == object:
        labels = as_column("labels", labels)
    absent = missing(labels)
    if absent.any():
        raise ValueError(
            f"labels must have no missing values. Received: {absent.sum()} missing, "
            f"the first at {np.argmax(absent)}"
        )
    return labels


def _divide(labels, fraction, total, generator, received):
    """Shuffled (kept, held out): `total` indices held out, `fraction` of each class."""
    classes, class_of, counts = np.unique(labels, return_inverse=True, return_counts=True)

    exact = counts * fraction
    held_out = np.floor(exact).astype(int)
    left_over = total - held_out.sum()
    largest_remainders = np.argsort(held_out - exact, kind="stable")[:left_over]
    held_out[largest_remainders] += 1
    for label, count, out in zip(classes, counts, held_out, strict=True):
        _check_part(f"class {label}", count, out, received)

    order = generator.permutation(len(labels))
    is_out = np.zeros(len(labels), dtype=bool)  # along `order`
    for number, out in enumerate(held_out):
        is_out[np.flatnonzero(class_of[order] == number)[:out]] = True
    return order[~is_out], order[is_out]


def _check_part(name, count, held_out, received):
    if held_out in (0, count):
        raise ValueError(
            f"{name} has too few examples to be divided: {held_out} of its {count} would be "
            f"held out. Received: {received}"
        )


# ---- In folds ------------------------------------------------------------------------------------


class KFold(Configurable):
    """n examples dealt to k folds of n/k each; each fold is once the part to test on.

    n_splits  k, from 2 up
    shuffle   deal in random order; else each fold is a stretch of neighbours
    seed      of the random order: equal seeds give equal folds, and minigrad.random plays no part

    The first n mod k folds have one example more. Without shuffle, the indices are those of
    scikit-learn's class of the same name.
    """

    def __init__(self, n_splits=5, shuffle=False, seed=0):
        self.n_splits = check_integer("n_splits", n_splits, least=2)
        self.shuffle = bool(shuffle)
        _generator(seed)
        self.seed = seed

    def split(self, y, *others):
        """(train_indices, test_indices) of each fold, ascending.   y: (n,), or n rows of any kind

        ValueError if there are fewer examples than folds, or if more than y is given.
        """
        if others:
            raise ValueError(
                "split takes the labels alone: split(y). "
                f"Received: {1 + len(others)} arguments, as in split(x, y)"
            )
        fold_of = self.folds(y)
        folds = range(self.n_splits)
        return ((np.flatnonzero(fold_of != k), np.flatnonzero(fold_of == k)) for k in folds)

    def folds(self, y):
        """The number of the fold in which each example is tested.   (n, ...) -> integers (n,)"""
        if not hasattr(y, "__len__"):
            raise ValueError(f"y must have one row per example. Received: {y!r}")
        n = len(y)
        if n < self.n_splits:
            raise ValueError(f"{self.n_splits} folds need as many examples. Received: {n}")
        turns = np.sort(np.arange(n) % self.n_splits)
        return self._in_order(turns, _generator(self.seed))

    def _in_order(self, folds, generator):
        return generator.permutation(folds) if self.shuffle else folds


class StratifiedKFold(KFold):
    """As KFold, with the same share of each class in every fold, as far as whole numbers allow.

    All examples, class after class in order of appearance, are dealt in turn, which says how many
    of each class a fold gets. Then the first of a class go to the first fold that gets any, and so
    on; with shuffle, which of them go where is random.
    """

    def folds(self, y):
        """The number of the fold in which each example is tested.   (n,) -> integers (n,)

        ValueError if a class has fewer examples than there are folds, so that one would lack it.
        """
        labels = _check_labels(y)
        classes, first, class_of, counts = np.unique(
            labels, return_index=True, return_inverse=True, return_counts=True
        )
        if counts.min() < self.n_splits:
            raise ValueError(
                f"class {classes[counts.argmin()]} must have an example for each of the "
                f"{self.n_splits} folds. Received: {counts.min()}"
            )
        generator = _generator(self.seed)
        fold_of, dealt = np.empty(len(labels), dtype=np.int64), 0
        for number in np.argsort(first):
            turns = np.arange(dealt, dealt + counts[number]) % self.n_splits
            fold_of[class_of == number] = self._in_order(np.sort(turns), generator)
            dealt += counts[number]
        return fold_of
