"""Variants of the mistakes in lesson 1, written from their names alone."""

import math
import statistics
from collections import Counter

import numpy as np

from . import variant

# ---- 1.1 What is missing? ------------------------------------------------------------------------


@variant("1.1", "compared_with_nan")
def equal_to_nan(values):
    array = np.asarray(values)
    found = np.zeros(array.shape, dtype=bool)
    for place in np.ndindex(array.shape):
        found[place] = array[place] is None or array[place] == np.nan
    return found


@variant("1.1", "nan_alone")
def unequal_to_itself(values):
    return np.vectorize(lambda value: value != value, otypes=[bool])(values)


@variant("1.1", "all_that_is_not_finite")
def without_a_finite_value(values):
    array = np.asarray(values, dtype=object)
    found = []
    for value in array.ravel():
        if isinstance(value, float):
            found.append(not math.isfinite(value))
        else:
            found.append(value is None)
    return np.array(found, dtype=bool).reshape(array.shape)


@variant("1.1", "all_that_is_false")
def without_a_truth_value(values):
    array = np.asarray(values, dtype=object)
    return ~array.astype(bool) | (array != array)


@variant("1.1", "by_its_text")
def printed_as_missing(values):
    printed = np.asarray(values).astype(str)
    return np.isin(np.char.lower(printed), ["nan", "none"])


@variant("1.1", "the_present_ones")
def known_values(values):
    is_known = np.frompyfunc(lambda value: value is not None and value == value, 1, 1)
    return np.asarray(is_known(np.asarray(values))).astype(bool)


@variant("1.1", "one_for_all")
def has_a_hole(values):
    return any(value is None or value != value for value in np.asarray(values).flat)


# ---- 1.2 One-hot labels --------------------------------------------------------------------------


def _names(classes):
    return list(range(classes)) if np.ndim(classes) == 0 else list(classes)


def _columns(labels, classes):
    names = _names(classes)
    return np.array([names.index(label) for label in labels], dtype=int)


@variant("1.2", "in_float64")
def rows_of_the_unit_matrix(labels, classes):
    return np.eye(len(_names(classes)))[_columns(labels, classes)]


@variant("1.2", "classes_that_occur")
def columns_without_empty_ones(labels, classes):
    occurring = [name for name in _names(classes) if name in labels]
    y = np.zeros((len(labels), len(occurring)), dtype=np.float32)
    for row, label in zip(y, labels):
        row[occurring.index(label)] = 1
    return y


@variant("1.2", "classes_sorted")
def columns_in_sorted_order(labels, classes):
    names = np.sort(_names(classes))
    y = np.zeros((len(labels), len(names)), dtype=np.float32)
    y[np.arange(len(labels)), np.searchsorted(names, labels)] = 1
    return y


@variant("1.2", "counted_from_one")
def first_class_is_number_one(labels, classes):
    unit = np.eye(len(_names(classes)), dtype=np.float32)
    return unit[_columns(labels, classes) - 1]


@variant("1.2", "an_example_in_each_column")
def a_row_for_each_class(labels, classes):
    rows = [[label == name for label in labels] for name in _names(classes)]
    return np.array(rows, dtype=np.float32)


@variant("1.2", "minus_one_elsewhere")
def plus_and_minus_one(labels, classes):
    is_class = _columns(labels, classes)[:, None] == np.arange(len(_names(classes)))
    return np.where(is_class, 1, -1).astype(np.float32)


@variant("1.2", "all_up_to_the_label")
def thermometer(labels, classes):
    return np.tri(len(_names(classes)), dtype=np.float32)[_columns(labels, classes)]


@variant("1.2", "integers_alone")
def labels_as_columns(labels, classes):
    return (np.asarray(labels)[:, None] == np.arange(classes)).astype(np.float32)


# ---- 1.3 A split that is fair to every class -----------------------------------------------------


def _largest_remainders(labels, test_fraction):
    """How many examples each class gives, as the exercise asks."""
    sizes = Counter(labels)
    exact = {name: sizes[name] * test_fraction for name in sorted(sizes)}
    given = {name: int(share) for name, share in exact.items()}
    left_over = round(len(labels) * test_fraction) - sum(given.values())
    for name in sorted(exact, key=lambda name: given[name] - exact[name])[:left_over]:
        given[name] += 1
    return given


def _deal(order, labels, given):
    """(train, test): along the order, those first to come of each class are to test on."""
    given = dict(given)
    train, test = [], []
    for i in order:
        if given[labels[i]] > 0:
            given[labels[i]] -= 1
            test.append(i)
        else:
            train.append(i)
    return np.array(train, dtype=int), np.array(test, dtype=int)


@variant("1.3", "cut_without_classes")
def cut_in_two(labels, test_fraction, seed):
    rows = np.arange(len(labels))
    np.random.default_rng(seed).shuffle(rows)
    end = len(rows) - round(len(rows) * test_fraction)
    return rows[:end], rows[end:]


@variant("1.3", "not_shuffled")
def first_ones_of_each_class(labels, test_fraction, seed):
    labels = np.asarray(labels).tolist()
    return _deal(range(len(labels)), labels, _largest_remainders(labels, test_fraction))


@variant("1.3", "never_the_same")
def seed_forgotten(labels, test_fraction, seed):
    labels = np.asarray(labels).tolist()
    order = np.random.permutation(len(labels))
    return _deal(order, labels, _largest_remainders(labels, test_fraction))


@variant("1.3", "each_class_rounded")
def round_for_every_class(labels, test_fraction, seed):
    labels = np.asarray(labels)
    generator = np.random.default_rng(seed)
    train, test = [], []
    for name in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == name))
        out = round(len(rows) * test_fraction)
        test.extend(rows[:out])
        train.extend(rows[out:])
    return generator.permutation(train), generator.permutation(test)


@variant("1.3", "each_class_rounded_down")
def whole_parts_only(labels, test_fraction, seed):
    labels = np.asarray(labels).tolist()
    given = {name: math.floor(size * test_fraction) for name, size in Counter(labels).items()}
    return _deal(np.random.default_rng(seed).permutation(len(labels)), labels, given)


@variant("1.3", "test_examples_in_both")
def train_on_everything(labels, test_fraction, seed):
    labels = np.asarray(labels).tolist()
    order = np.random.default_rng(seed).permutation(len(labels))
    _, test = _deal(order, labels, _largest_remainders(labels, test_fraction))
    return order, test


@variant("1.3", "parts_exchanged")
def held_out_part_first(labels, test_fraction, seed):
    labels = np.asarray(labels)
    given = _largest_remainders(labels.tolist(), test_fraction)
    order = np.random.default_rng(seed).permutation(len(labels))
    chosen = [order[labels[order] == name][:out] for name, out in given.items()]
    held_out = np.isin(order, np.concatenate(chosen))
    return order[held_out], order[~held_out]


@variant("1.3", "class_after_class")
def classes_in_a_row(labels, test_fraction, seed):
    labels = np.asarray(labels)
    generator = np.random.default_rng(seed)
    train, test = [], []
    for name, out in _largest_remainders(labels.tolist(), test_fraction).items():
        rows = np.flatnonzero(labels == name)
        generator.shuffle(rows)
        test.append(rows[:out])
        train.append(rows[out:])
    return np.concatenate(train), np.concatenate(test)


@variant("1.3", "remainder_to_the_first")
def first_classes_give_more(labels, test_fraction, seed):
    labels = np.asarray(labels).tolist()
    names = sorted(set(labels))
    given = {name: int(labels.count(name) * test_fraction) for name in names}
    for name in names:
        if sum(given.values()) < round(len(labels) * test_fraction):
            given[name] += 1
    return _deal(np.random.default_rng(seed).permutation(len(labels)), labels, given)


# ---- 1.4 Fill the holes --------------------------------------------------------------------------


def _filled_by_column(x, values):
    """A copy of x with values[j] in the holes of column j."""
    filled = np.array(x)
    rows, columns = np.nonzero(np.isnan(x))
    filled[rows, columns] = np.asarray(values)[columns]
    return filled


@variant("1.4", "one_mean_for_all_columns")
def mean_of_the_whole_table(x_train, x):
    filled = x.copy()
    filled[np.isnan(x)] = x_train[~np.isnan(x_train)].mean()
    return filled


@variant("1.4", "means_of_the_rows_to_fill")
def means_of_x_itself(x_train, x):
    filled = np.array(x)
    for column in filled.T:
        holes = np.isnan(column)
        if not holes.all():
            column[holes] = column[~holes].mean()
    return filled


@variant("1.4", "means_of_both")
def means_of_all_rows(x_train, x):
    table = np.vstack([x_train, x])
    known = ~np.isnan(table)
    return _filled_by_column(x, np.nansum(table, axis=0) / known.sum(axis=0))


@variant("1.4", "zeros")
def nothing_in_the_holes(x_train, x):
    filled = x.copy()
    filled[filled != filled] = 0
    return filled


@variant("1.4", "mean_with_the_holes")
def plain_mean(x_train, x):
    return _filled_by_column(x, x_train.sum(axis=0) / len(x_train))


@variant("1.4", "medians")
def value_in_the_middle(x_train, x):
    middle = [statistics.median(column[~np.isnan(column)].tolist()) for column in x_train.T]
    return _filled_by_column(x, middle)


@variant("1.4", "divided_by_all")
def holes_count_as_zero(x_train, x):
    return _filled_by_column(x, np.where(np.isnan(x_train), 0, x_train).mean(axis=0))


@variant("1.4", "in_place")
def written_over(x_train, x):
    np.copyto(x, np.nanmean(x_train, axis=0), where=np.isnan(x))
    return x


# ---- 1.5 Mean and deviation ----------------------------------------------------------------------


@variant("1.5", "all_columns_together")
def one_number_for_the_table(self, x):
    x = np.asarray(x, dtype=np.float64)
    mean = x.sum() / x.size
    if x.max() == x.min():
        return mean, np.float64(1)
    return mean, np.sqrt(np.square(x - mean).sum() / x.size)


@variant("1.5", "along_the_columns")
def row_by_row(self, x):
    means, deviations = [], []
    for row in np.asarray(x, dtype=np.float64):
        means.append(row.mean())
        deviations.append(row.std() if row.max() > row.min() else 1.0)
    return np.array(means), np.array(deviations)


@variant("1.5", "divided_by_one_less")
def estimated_deviation(self, x):
    columns = np.asarray(x, dtype=np.float64).T.tolist()
    mean = [statistics.fmean(column) for column in columns]
    deviation = [1.0 if len(set(column)) == 1 else statistics.stdev(column) for column in columns]
    return np.array(mean), np.array(deviation)


@variant("1.5", "variance")
def mean_squared_distance(self, x):
    x = np.asarray(x, dtype=np.float64)
    mean = x.mean(axis=0)
    squares = np.square(x - mean).mean(axis=0)
    squares[(x == x[0]).all(axis=0)] = 1
    return mean, squares


@variant("1.5", "zero_stays")
def deviation_as_it_comes(self, x):
    x = np.asarray(x, dtype=np.float64)
    mean = x.mean(axis=0)
    return mean, np.sqrt(np.mean((x - mean) ** 2, axis=0))


@variant("1.5", "zero_before_rounding")
def one_for_exactly_zero(self, x):
    x = np.asarray(x, dtype=np.float64)
    mean = x.sum(axis=0) / len(x)
    away = x - mean
    deviation = np.sqrt(np.einsum("ij,ij->j", away, away) / len(x))
    return mean, np.where(deviation == 0, 1.0, deviation)


@variant("1.5", "in_the_dtype_of_x")
def dtype_kept(self, x):
    x = np.asarray(x)
    mean = x.sum(axis=0) / len(x)
    deviation = np.sqrt(np.square(x - mean).sum(axis=0) / len(x))
    deviation[np.ptp(x, axis=0) == 0] = 1
    return mean, deviation


@variant("1.5", "mean_distance")
def absolute_deviation(self, x):
    x = np.asarray(x, dtype=np.float64)
    mean, distance = np.zeros(x.shape[1]), np.ones(x.shape[1])
    for j, column in enumerate(x.T):
        mean[j] = column.mean()
        if column.min() < column.max():
            distance[j] = np.abs(column - mean[j]).mean()
    return mean, distance


# ---- 1.6 Weights that make groups equal ----------------------------------------------------------


@variant("1.6", "large_for_large")
def upside_down(groups):
    groups = np.asarray(groups).tolist()
    sizes = Counter(groups)
    return np.array([len(sizes) * sizes[group] / len(groups) for group in groups])


@variant("1.6", "not_as_many_as_before")
def one_over_the_size(groups):
    groups = np.asarray(groups)
    weights = np.ones(len(groups))
    for group in np.unique(groups):
        weights[groups == group] /= np.sum(groups == group)
    return weights


@variant("1.6", "number_of_groups_forgotten")
def all_over_the_size(groups):
    groups = np.asarray(groups)
    sizes = (groups[:, None] == groups).sum(axis=1)
    return len(groups) / sizes


@variant("1.6", "shares")
def parts_of_one(groups):
    groups = np.asarray(groups).tolist()
    sizes = Counter(groups)
    weights = np.array([1 / sizes[group] for group in groups])
    return weights / weights.sum()


@variant("1.6", "one_for_each_group")
def weights_of_the_groups(groups):
    groups = np.asarray(groups)
    names = np.unique(groups)
    return np.array([len(groups) / (len(names) * np.sum(groups == name)) for name in names])


@variant("1.6", "groups_up_to_the_largest")
def empty_groups_count_too(groups):
    groups = np.asarray(groups)
    number = groups.max() + 1 if groups.dtype.kind in "iu" else len(set(groups.tolist()))
    sizes = np.array([np.count_nonzero(groups == group) for group in groups])
    return len(groups) / (number * sizes)


@variant("1.6", "all_the_same")
def nobody_counts_more(groups):
    return np.full(len(groups), 1.0)
