"""Splits into three parts and into folds: each row once, each class in its share, by seed alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad.random
from minigrad.data import (
    KFold,
    StratifiedKFold,
    Table,
    stratified_split,
    train_validation_test_split,
)

LABELS = np.repeat([0, 1, 2], [50, 30, 20])


def counts(labels, indices):
    return np.bincount(labels[indices], minlength=3).tolist()


# ---- Three parts ---------------------------------------------------------------------------------


@given(st.integers(8, 60), st.floats(0.2, 0.4), st.floats(0.2, 0.4), st.integers(0, 9))
def test_three_parts_hold_every_row_once_in_their_shares(n, validation, test, seed):
    parts = train_validation_test_split(n, validation, test, seed=seed)
    assert sorted(np.concatenate(parts)) == list(range(n))
    assert [len(part) for part in parts[1:]] == [round(n * validation), round(n * test)]


@pytest.mark.parametrize(("validation", "test"), [(0.2, 0.2), (0.1, 0.3), (0.25, 0.5)])
def test_every_class_has_its_share_in_every_part(validation, test):
    parts = train_validation_test_split(LABELS, validation, test)
    for share, part in zip((1 - validation - test, validation, test), parts):
        assert np.abs(counts(LABELS, part) - share * np.array([50, 30, 20])).max() <= 1


def test_shares_are_twenty_per_cent_by_default():
    train, validation, test = train_validation_test_split(LABELS)
    assert counts(LABELS, train) == [30, 18, 12]
    assert counts(LABELS, validation) == counts(LABELS, test) == [10, 6, 4]


def test_without_stratification_classes_fall_as_they_may():
    found = {
        tuple(counts(LABELS, train_validation_test_split(LABELS, stratify=False, seed=s)[2]))
        for s in range(9)
    }
    assert len(found) > 3


def test_numbers_to_predict_are_divided_without_stratification():
    _, validation, test = train_validation_test_split(np.linspace(0, 1, 50), stratify=False)
    assert (len(validation), len(test)) == (10, 10)


@pytest.mark.parametrize("labels", [LABELS, 100])
def test_a_share_of_nothing_is_empty(labels):
    train, validation, test = train_validation_test_split(labels, validation=0, test=0.3)
    assert (len(train), len(validation), len(test)) == (70, 0, 30)
    assert np.zeros(100)[validation].shape == (0,)  # an index still
    train, validation, test = train_validation_test_split(labels, validation=0, test=0)
    assert sorted(train) == list(range(100)) and not np.array_equal(train, np.sort(train))


@pytest.mark.parametrize("labels", [LABELS, 100])
def test_the_parts_are_shuffled(labels):
    for part in train_validation_test_split(labels):
        assert not np.array_equal(part, np.sort(part))


@pytest.mark.parametrize("labels", [LABELS, 100])
def test_the_parts_depend_on_the_seed_alone(labels):
    minigrad.random.seed(1)
    first = train_validation_test_split(labels, seed=3)
    minigrad.random.seed(2)
    again = train_validation_test_split(labels, seed=3)
    other = train_validation_test_split(labels, seed=4)
    assert all(map(np.array_equal, first, again))
    assert set(first[2]) != set(other[2])


def test_labels_may_be_text():
    column = Table({"c": ["x", "y"] * 10})["c"]
    assert [len(part) for part in train_validation_test_split(column)] == [12, 4, 4]


# ---- Folds ---------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("kind", [KFold, StratifiedKFold])
SHUFFLE = pytest.mark.parametrize("shuffle", [False, True])


@BOTH
@SHUFFLE
@given(k=st.integers(2, 6), extra=st.lists(st.integers(0, 2), max_size=30), seed=st.integers(0, 9))
def test_folds_partition_the_rows(kind, shuffle, k, extra, seed):
    y = np.array([0, 1, 2] * k + extra)
    parts = list(kind(k, shuffle, seed).split(y))
    assert len(parts) == k
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(len(y)))
    for train, test in parts:
        assert sorted([*train, *test]) == list(range(len(y)))
        assert np.array_equal(train, np.sort(train)) and np.array_equal(test, np.sort(test))
    sizes = [len(test) for _, test in parts]
    assert max(sizes) - min(sizes) <= 1


@SHUFFLE
@given(k=st.integers(2, 6), extra=st.lists(st.integers(0, 2), max_size=30), seed=st.integers(0, 9))
def test_stratified_folds_have_equal_shares_of_each_class(shuffle, k, extra, seed):
    y = np.array([0, 1, 2] * k + extra)
    per_fold = [counts(y, test) for _, test in StratifiedKFold(k, shuffle, seed).split(y)]
    assert np.ptp(per_fold, axis=0).max() <= 1


def test_without_shuffle_a_fold_is_a_stretch_of_rows():
    folds = [test.tolist() for _, test in KFold(3).split(np.zeros(7))]
    assert folds == [[0, 1, 2], [3, 4], [5, 6]]


@BOTH
def test_shuffled_folds_depend_on_the_seed_alone(kind):
    minigrad.random.seed(1)
    first = kind(5, shuffle=True, seed=3).folds(LABELS)
    minigrad.random.seed(2)
    assert np.array_equal(first, kind(5, shuffle=True, seed=3).folds(LABELS))
    assert not np.array_equal(first, kind(5, shuffle=True, seed=4).folds(LABELS))
    assert not np.array_equal(first, kind(5).folds(LABELS))


def test_shuffled_stratified_folds_mix_a_class():
    fold_of = StratifiedKFold(5, shuffle=True).folds(LABELS)[:50]
    assert np.count_nonzero(np.diff(fold_of)) > 20


@pytest.mark.parametrize(
    "y", [np.zeros((6, 2, 2)), Table({"a": range(6)}), list("abcdef"), range(6)]
)
def test_folds_take_rows_of_any_kind(y):
    assert [len(test) for _, test in KFold(2).split(y)] == [3, 3]


@BOTH
def test_folds_can_be_configured_again(kind):
    fold = kind(3, shuffle=True, seed=7)
    assert repr(fold) == f"{kind.__name__}(n_splits=3, shuffle=True, seed=7)"
    assert kind.from_config(fold.get_config()).folds(LABELS).tolist() == fold.folds(LABELS).tolist()


# ---- Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: train_validation_test_split(0), r"labels must be \(n,\), or n from 1 up. .*: 0"),
        (lambda: train_validation_test_split(-3), "Received: -3"),
        (lambda: train_validation_test_split(True), "Received: True"),
        (lambda: train_validation_test_split(2.5), r"labels must be of shape \(n,\), .* \(\)"),
        (lambda: train_validation_test_split(np.zeros((4, 2))), r"Received: shape \(4, 2\)"),
        (lambda: train_validation_test_split([]), r"Received: shape \(0,\)"),
        (lambda: train_validation_test_split(["a", None]), "labels .* 1 missing, the first at 1"),
        (lambda: train_validation_test_split([1, np.nan]), "labels .* 1 missing, the first at 1"),
        (lambda: train_validation_test_split(np.array([1, "a"], object)), "'labels' .* 'a'"),
        (lambda: train_validation_test_split(9, validation=-0.1), "Received: validation=-0.1"),
        (lambda: train_validation_test_split(9, validation=1), "Received: validation=1"),
        (lambda: train_validation_test_split(9, test="0.2"), "Received: test='0.2'"),
        (lambda: train_validation_test_split(9, test=np.nan), "Received: test=nan"),
        (lambda: train_validation_test_split(9, 0.5, 0.5), "below 1. Received: validation=0.5, te"),
        (lambda: train_validation_test_split(2), "the whole has too few .*: 0 of its 2 would"),
        (
            lambda: train_validation_test_split([0] * 9 + [1]),
            "class 1 has too few .*: 0 of its 1 .* test=0.2, stratify=True",
        ),
        (lambda: train_validation_test_split(np.linspace(0, 1, 9)), "class 0.* stratify=True"),
        (lambda: stratified_split(["a", None], 0.5, 0), "labels .* 1 missing"),
        (lambda: KFold(1), "n_splits must be an integer from 2 up. Received: n_splits=1"),
        (lambda: KFold(2.0), "Received: n_splits=2.0"),
        (lambda: KFold(True), "Received: n_splits=True"),
        (lambda: StratifiedKFold("5"), "Received: n_splits='5'"),
        (lambda: KFold(5).split(range(4)), "5 folds need as many examples. Received: 4"),
        (lambda: KFold(5).split(100), "y must have one row per example. Received: 100"),
        (lambda: StratifiedKFold(3).split([0, 0, 0, 1, 1]), "class 1 must .* 3 folds. Received: 2"),
        (lambda: StratifiedKFold(2).split(np.zeros((4, 2))), r"Received: shape \(4, 2\)"),
        (lambda: StratifiedKFold(2).split(["a", "a", None]), "labels .* 1 missing"),
    ],
)
def test_bad_input_is_named(use, message):
    with pytest.raises(ValueError, match=message):
        use()


X = np.zeros((150, 4))
Y = np.arange(150) % 3


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: KFold().split(X, Y), r"labels alone: split\(y\). Received: 2 arguments"),
        (lambda: StratifiedKFold().split(X, Y), r"labels alone: split\(y\). Received: 2 arguments"),
        (lambda: StratifiedKFold().split(X), r"shape \(150, 4\): are these the examples x, not"),
        (lambda: train_validation_test_split(X, Y), r"validation must be .* of shape \(150,\)$"),
        (lambda: train_validation_test_split(Y, 0.2, Y), r"test must be a number: .* \(150,\)$"),
        (lambda: stratified_split(X, Y, 0), r"test_fraction must be .* of shape \(150,\)$"),
        (
            lambda: stratified_split(Y, 0.2, "a"),
            "seed must be .* from 0 up. Received: seed='a'",
        ),
        (lambda: train_validation_test_split(Y, seed=-1), "seed must be .* Received: seed=-1"),
        (lambda: KFold(seed=1.5), "seed must be an integer from 0 up. Received: seed=1.5"),
        (
            lambda: StratifiedKFold(seed=True),
            "seed must be an integer from 0 up. Received: seed=Tr",
        ),
        (lambda: KFold(seed=None), "seed must be an integer from 0 up. Received: seed=None"),
    ],
)
def test_what_scikit_learn_takes_and_seeds_that_are_none_get_a_line(use, message):
    with pytest.raises(ValueError, match=message):
        use()


def test_folds_need_no_more_than_rows():
    assert [len(test) for _, test in KFold(3).split(X)] == [50, 50, 50]
