"""Answers to the exercises of lesson 1."""

import numpy as np

from . import right, wrong

# ---- 1.1 What is missing -------------------------------------------------------------------------


def _each(test, values):
    """test(value) for every value, in an array of their shape."""
    array = np.asarray(values, dtype=object)
    return np.array([test(v) for v in array.flat], dtype=bool).reshape(array.shape)


@wrong("1.1", "It never finds NaN, which equals nothing, not even itself: no comparison is true.")
def compared_with_nan(values):
    return _each(lambda v: v is None or v == np.nan, values)


@wrong("1.1", "It compares with NaN, which equals nothing, not even itself; and None goes unseen.")
def compared_with_nan_alone(values):
    return np.asarray(values) == np.nan


@wrong("1.1", "It compares with NaN, which equals nothing, not even itself; and None goes unseen.")
def compared_with_nan_at_once(values):
    return values == np.nan


@wrong("1.1", "np.isnan takes numbers alone. A text or None has to be looked at value by value.")
def asked_of_texts_too(values):
    return np.isnan(values)


@wrong("1.1", "It finds NaN alone. Among texts, a missing value is None.")
def nan_alone(values):
    return _each(lambda v: v is not None and v != v, values)


@wrong("1.1", "It takes infinity for missing. Only NaN and None are.")
def all_that_is_not_finite(values):
    return _each(lambda v: v is None or (isinstance(v, float) and not np.isfinite(v)), values)


@wrong("1.1", "It takes 0 or an empty text for missing: those are values.")
def all_that_is_false(values):
    return _each(lambda v: not v or v != v, values)


@wrong("1.1", "It looks at how a value is printed. Somebody may be called Nan.")
def by_its_text(values):
    return _each(lambda v: str(v).lower() in ("", "nan", "none"), values)


@wrong("1.1", "It marks the values that are there. Those that are missing are asked for.")
def the_present_ones(values):
    return _each(lambda v: v is not None and v == v, values)


@wrong("1.1", "It says whether anything is missing. An answer for every value is asked for.")
def one_for_all(values):
    return _each(lambda v: v is None or v != v, values).any()


@right("1.1")
def unequal_to_itself(values):
    array = np.asarray(values, dtype=object)
    return np.array((array != array) | np.equal(array, None), dtype=bool)


@right("1.1")
def by_vectorize(values):
    return np.vectorize(lambda v: v is None or v != v, otypes=[bool])(
        np.asarray(values, dtype=object)
    )


@right("1.1")
def by_dtype(values):
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return np.isnan(array)
    marks = np.full(array.shape, False)
    if array.dtype == object:
        for index, value in np.ndenumerate(array):
            marks[index] = value is None or bool(value != value)
    return marks


# ---- 1.2 One-hot labels --------------------------------------------------------------------------


def _columns(labels, classes):
    """The column of each label, and how many there are."""
    if isinstance(classes, int):
        return np.asarray(labels), classes
    known = list(classes)
    return np.array([known.index(label) for label in labels]), len(known)


def _hot(columns, count, one=1.0, zero=0.0, dtype=np.float32):
    y = np.full((len(columns), count), zero, dtype=dtype)
    y[np.arange(len(columns)), columns] = one
    return y


@wrong("1.2", "The numbers are right, and in float64. A network computes in float32.")
def in_float64(labels, classes):
    return _hot(*_columns(labels, classes), dtype=np.float64)


@wrong("1.2", "It has columns for those classes alone that occur. All classes have one.")
def classes_that_occur(labels, classes):
    known, columns = np.unique(np.asarray(labels), return_inverse=True)
    return _hot(columns, len(known))


@wrong("1.2", "It sorts the list of classes. The columns stand in the order of the list.")
def classes_sorted(labels, classes):
    return _hot(*_columns(labels, classes if isinstance(classes, int) else sorted(classes)))


@wrong("1.2", "It is one column off: the first class has column 0.")
def counted_from_one(labels, classes):
    columns, count = _columns(labels, classes)
    return _hot(columns - 1, count)


@wrong("1.2", "Rows and columns are exchanged: an example is a row.")
def an_example_in_each_column(labels, classes):
    return _hot(*_columns(labels, classes)).T


@wrong("1.2", "It writes -1 for the classes that it is not. That is another code; here it is 0.")
def minus_one_elsewhere(labels, classes):
    return _hot(*_columns(labels, classes), zero=-1.0)


@wrong("1.2", "It writes 1 for all classes up to the right one. The right one alone has it.")
def all_up_to_the_label(labels, classes):
    columns, count = _columns(labels, classes)
    return (np.arange(count) <= columns[:, np.newaxis]).astype(np.float32)


@wrong("1.2", "It knows no list of classes. There, the column is the place of the label in it.")
def integers_alone(labels, classes):
    return np.eye(classes, dtype=np.float32)[np.asarray(labels)]


@right("1.2")
def rows_of_the_identity(labels, classes):
    known = np.arange(classes) if isinstance(classes, int) else np.array(classes)
    columns = [int(np.flatnonzero(known == label)[0]) for label in labels]
    return np.eye(len(known), dtype="float32")[columns]


@right("1.2")
def by_comparison(labels, classes):
    known = range(classes) if isinstance(classes, int) else classes
    return np.array([[label == k for k in known] for label in labels]).astype(np.float32)


@right("1.2")
def put_one_by_one(labels, classes):
    known = {k: j for j, k in enumerate(range(classes) if isinstance(classes, int) else classes)}
    y = np.zeros((len(labels), len(known)), dtype=np.float32)
    for i, label in enumerate(labels):
        y[i, known[label]] += 1
    return y


# ---- 1.3 A split that is fair to every class -----------------------------------------------------


def _held_out(labels, test_fraction, total=None):
    """How many of each class are held out, by the largest remainders."""
    labels = np.asarray(labels)
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * test_fraction
    out = np.floor(exact).astype(int)
    total = round(len(labels) * test_fraction) if total is None else total
    out[np.argsort(out - exact, kind="stable")[: max(0, total - out.sum())]] += 1
    return classes, out


def _in_this_order(labels, classes, out, order):
    """(train, test): along an order, the first of each class are held out."""
    labels, left = np.asarray(labels), dict(zip(classes.tolist(), out.tolist()))
    train, test = [], []
    for i in order.tolist():
        label = labels[i].item()
        (test if left[label] else train).append(i)
        left[label] = max(0, left[label] - 1)
    return np.array(train, dtype=int), np.array(test, dtype=int)


def _shuffled(labels, seed):
    return np.random.default_rng(seed).permutation(len(labels))


@wrong("1.3", "It shuffles and cuts, so that chance decides how many of each class are held out.")
def cut_without_classes(labels, test_fraction, seed):
    order, total = _shuffled(labels, seed), round(len(labels) * test_fraction)
    return order[total:], order[:total]


@wrong("1.3", "The seed makes no difference: all seeds give the same split.")
def not_shuffled(labels, test_fraction, seed):
    return _in_this_order(labels, *_held_out(labels, test_fraction), np.arange(len(labels)))


@wrong("1.3", "The seed is not used: the same one gives another split every time.")
def never_the_same(labels, test_fraction, seed):
    return _in_this_order(labels, *_held_out(labels, test_fraction), _shuffled(labels, None))


@wrong("1.3", "Each class is rounded by itself, and then the total is not what was asked for.")
def each_class_rounded(labels, test_fraction, seed):
    classes, counts = np.unique(np.asarray(labels), return_counts=True)
    out = np.rint(counts * test_fraction).astype(int)
    return _in_this_order(labels, classes, out, _shuffled(labels, seed))


@wrong("1.3", "All classes are rounded down. Those with the largest remainders give one more.")
def each_class_rounded_down(labels, test_fraction, seed):
    return _in_this_order(labels, *_held_out(labels, test_fraction, 0), _shuffled(labels, seed))


@wrong("1.3", "The examples to test on are among those to train on. They must be held out.")
def test_examples_in_both(labels, test_fraction, seed):
    order = _shuffled(labels, seed)
    return order, _in_this_order(labels, *_held_out(labels, test_fraction), order)[1]


@wrong("1.3", "The two parts are exchanged: those to train on come first.")
def parts_exchanged(labels, test_fraction, seed):
    train, test = _in_this_order(labels, *_held_out(labels, test_fraction), _shuffled(labels, seed))
    return test, train


@wrong("1.3", "One class stands behind the other. Shuffle once more, so that they are mixed.")
def class_after_class(labels, test_fraction, seed):
    order, labels = _shuffled(labels, seed), np.asarray(labels)
    parts = _in_this_order(labels, *_held_out(labels, test_fraction), order)
    return tuple(part[np.argsort(labels[part], kind="stable")] for part in parts)


@wrong("1.3", "The remainder goes to the first classes. Those with the largest remainders have it.")
def remainder_to_the_first(labels, test_fraction, seed):
    labels = np.asarray(labels)
    classes, counts = np.unique(labels, return_counts=True)
    out = np.floor(counts * test_fraction).astype(int)
    out[: round(len(labels) * test_fraction) - out.sum()] += 1
    return _in_this_order(labels, classes, out, _shuffled(labels, seed))


@right("1.3")
def along_a_random_order(labels, test_fraction, seed):
    return _in_this_order(labels, *_held_out(labels, test_fraction), _shuffled(labels, seed))


@right("1.3")
def drawn_from_each_class(labels, test_fraction, seed):
    labels, generator = np.asarray(labels), np.random.default_rng(seed)
    test = [
        generator.choice(np.flatnonzero(labels == k), size, replace=False)
        for k, size in zip(*_held_out(labels, test_fraction))
    ]
    test = generator.permutation(np.concatenate(test))
    return generator.permutation(np.setdiff1d(np.arange(len(labels)), test)), test


@right("1.3")
def by_random_keys(labels, test_fraction, seed):
    labels, generator = np.asarray(labels), np.random.RandomState(seed)
    train, test = [], []
    for k, size in zip(*_held_out(labels, test_fraction)):
        members = sorted(np.flatnonzero(labels == k).tolist(), key=lambda i: generator.rand())
        test += members[:size]
        train += members[size:]
    generator.shuffle(train)
    generator.shuffle(test)
    return np.array(train), np.array(test)


# ---- 1.4 Fill the holes --------------------------------------------------------------------------


def _with(x, fill):
    return np.where(np.isnan(x), fill, x).astype(x.dtype)


@wrong("1.4", "One mean is taken over all columns. Each column has a mean of its own.")
def one_mean_for_all_columns(x_train, x):
    return _with(x, np.nanmean(x_train))


@wrong("1.4", "The means are those of x itself: a leak, if x is to test on. Use those of x_train.")
def means_of_the_rows_to_fill(x_train, x):
    return _with(x, np.nanmean(x, axis=0) if len(x) else 0.0)


@wrong("1.4", "The means are those of both tables: a leak. x_train alone has a say.")
def means_of_both(x_train, x):
    return _with(x, np.nanmean(np.concatenate([x_train, x]), axis=0))


@wrong("1.4", "It fills with 0, which is a value like others. Asked for is the mean of the column.")
def zeros(x_train, x):
    return _with(x, 0.0)


@wrong("1.4", "The mean of a column with NaN is NaN. Leave the holes out of the mean.")
def mean_with_the_holes(x_train, x):
    return _with(x, np.mean(x_train, axis=0))


@wrong("1.4", "It fills with the median. Asked for is the mean.")
def medians(x_train, x):
    return _with(x, np.nanmedian(x_train, axis=0))


@wrong("1.4", "Holes count as 0 in the mean. Divide by the number of values that are known.")
def divided_by_all(x_train, x):
    return _with(x, np.nansum(x_train, axis=0) / len(x_train))


@wrong("1.4", "It writes into x, which belongs to the caller. Make a new array.")
def in_place(x_train, x):
    for j in range(x.shape[1]):
        column = x_train[:, j]
        x[np.isnan(x[:, j]), j] = column[~np.isnan(column)].mean()
    return x


@right("1.4")
def into_a_copy(x_train, x):
    filled = x.copy()
    rows, columns = np.nonzero(np.isnan(x))
    filled[rows, columns] = np.nanmean(x_train, axis=0)[columns]
    return filled


@right("1.4")
def by_sums_and_counts(x_train, x):
    known = ~np.isnan(x_train)
    mean = np.where(known, x_train, 0).sum(axis=0) / known.sum(axis=0)
    return np.where(x == x, x, mean.astype(x.dtype))


@right("1.4")
def column_by_column(x_train, x):
    filled = np.array(x)
    for j, column in enumerate(x_train.T):
        filled[np.isnan(x[:, j]), j] = np.mean(column[~np.isnan(column)])
    return filled


# ---- 1.5 Mean and deviation ----------------------------------------------------------------------


def _one_for_equal(x, deviation):
    return np.where(x.max(axis=0) == x.min(axis=0), 1.0, deviation)


@wrong("1.5", "One mean and one deviation for all columns. Each column has its own.")
def all_columns_together(self, x):
    deviation = x.std(dtype=float)
    one = np.ones(x.shape[1])
    return x.mean(dtype=float) * one, (deviation or 1.0) * one


@wrong("1.5", "It measures each row. Asked for is the mean of each column: along the rows, axis 0.")
def along_the_columns(self, x):
    mean, deviation = x.mean(axis=1, dtype=float), x.std(axis=1, dtype=float)
    return mean, _one_for_equal(x.T, deviation)


@wrong("1.5", "It divides by n - 1, as for estimating. This deviation describes: divide by n.")
def divided_by_one_less(self, x):
    mean = x.mean(axis=0, dtype=float)
    return mean, _one_for_equal(x, x.std(axis=0, ddof=1, dtype=float))


@wrong("1.5", "That is the variance. The deviation is its square root, in the unit of the column.")
def variance(self, x):
    return x.mean(axis=0, dtype=float), _one_for_equal(x, x.var(axis=0, dtype=float))


@wrong(
    "1.5", "Where all values of a column are equal, the deviation is 0, and 0/0 follows. Give 1."
)
def zero_stays(self, x):
    deviation = x.std(axis=0, dtype=float)
    return x.mean(axis=0, dtype=float), np.where(x.max(axis=0) == x.min(axis=0), 0, deviation)


@wrong(
    "1.5",
    "It asks whether the deviation is 0. That of equal values may be 1e-17, by rounding: compare "
    "the largest with the smallest.",
)
def zero_before_rounding(self, x):
    deviation = x.std(axis=0, dtype=float)
    return x.mean(axis=0, dtype=float), np.where(deviation == 0, 1, deviation)


@wrong("1.5", "Of float32 it makes float32. Measure in float64: sums of many values need it.")
def in_the_dtype_of_x(self, x):
    return x.mean(axis=0), _one_for_equal(x, x.std(axis=0)).astype(x.std(axis=0).dtype)


@wrong("1.5", "That is the mean distance from the mean. The distances have to be squared first.")
def mean_distance(self, x):
    mean = x.mean(axis=0, dtype=float)
    return mean, _one_for_equal(x, np.abs(x - mean).mean(axis=0))


@right("1.5")
def by_the_formula(self, x):
    x = x.astype(np.float64)
    mean = x.sum(axis=0) / len(x)
    deviation = np.sqrt(((x - mean) ** 2).sum(axis=0) / len(x))
    deviation[(x == x[0]).all(axis=0)] = 1
    return mean, deviation


@right("1.5")
def root_of_the_variance(self, x):
    x = np.asarray(x, dtype=float)
    deviation = np.sqrt(np.var(x, axis=0))
    return np.mean(x, axis=0), np.where(np.ptp(x, axis=0) > 0, deviation, 1.0)


@right("1.5")
def one_column_after_another(self, x):
    pairs = []
    for column in x.T.astype(np.float64):
        mean = np.average(column)
        spread = np.sqrt(np.average((column - mean) ** 2))
        pairs.append((mean, spread if len(set(column.tolist())) > 1 else 1.0))
    mean, deviation = np.array(pairs).T
    return mean, deviation


# ---- 1.6 Weights that make groups equal ----------------------------------------------------------


def _group_sizes(groups):
    """(how many examples are in the group of each, how many groups occur)"""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return counts[place], len(counts)


@wrong("1.6", "The large groups get the large weights. It is the small ones that need them.")
def large_for_large(groups):
    m, k = _group_sizes(groups)
    return m * k / len(m)


@wrong("1.6", "The groups are equal, but the sum is the number of groups. It should be n.")
def not_as_many_as_before(groups):
    m, _ = _group_sizes(groups)
    return 1 / m


@wrong("1.6", "The groups are equal, but the sum is n times their number. Divide by that.")
def number_of_groups_forgotten(groups):
    m, _ = _group_sizes(groups)
    return len(m) / m


@wrong("1.6", "The groups are equal, but all weights together have the sum 1. It should be n.")
def shares(groups):
    m, k = _group_sizes(groups)
    return 1 / (k * m)


@wrong("1.6", "There is one weight for each group. Each example needs one, that of its group.")
def one_for_each_group(groups):
    _, counts = np.unique(groups, return_counts=True)
    return len(groups) / (len(counts) * counts)


@wrong("1.6", "Groups that do not occur are counted as well. Count those that do.")
def groups_up_to_the_largest(groups):
    m, k = _group_sizes(groups)
    numbers = np.asarray(groups)
    k = numbers.max() + 1 if numbers.dtype.kind == "i" else k
    return len(m) / (k * m)


@wrong("1.6", "All weights are 1, so that a large group still counts for more than a small one.")
def all_the_same(groups):
    return np.ones(len(groups))


@right("1.6")
def by_counting_each(groups):
    groups = np.asarray(groups)
    m = np.array([np.sum(groups == name) for name in groups])
    return len(groups) / (m * len(set(groups.tolist())))


@right("1.6")
def by_a_dictionary(groups):
    sizes = {}
    for name in groups:
        sizes[name] = sizes.get(name, 0) + 1
    share = len(groups) / len(sizes)  # of the total, for each group
    return np.array([share / sizes[name] for name in groups])


@right("1.6")
def scaled_in_the_end(groups):
    names, place = np.unique(groups, return_inverse=True)
    weights = 1 / np.bincount(place)[place]
    return weights * len(place) / weights.sum()
