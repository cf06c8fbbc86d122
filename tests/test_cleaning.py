"""Cleaning: missing values, repeated rows, outliers; what is learned comes from one part alone."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minigrad import data
from minigrad.data import Imputer, OutlierClipper, Table

NAN = float("nan")
X = np.array([[1.0, NAN], [2.0, 5.0], [2.0, 5.0], [9.0, 7.0]])


def table():
    return Table({"size": [1, 4, None, 4], "eyes": ["b", None, "a", "b"]})


# ---- Missing values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, NAN], [False, True]),
        (["a", None, NAN, ""], [False, True, True, False]),
        ([[1, 2]], [[False, False]]),
        (np.array([1, None], dtype=object), [False, True]),
        (np.array([1 + 1j, NAN]), [False, True]),
    ],
)
def test_nan_and_none_are_missing(values, expected):
    assert data.missing(np.array(values)).tolist() == expected


def test_missing_values_are_counted_by_column():
    assert data.count_missing(table()) == {"size": 1, "eyes": 1}
    assert data.count_missing(X) == {0: 0, 1: 1}


def test_rows_with_missing_values_are_dropped_from_all_arrays_alike():
    x, y, t = data.drop_missing(X, ["a", "b", None, "d"], table().replace({"eyes": list("abcd")}))
    assert x.tolist() == [[2, 5], [9, 7]]
    assert y.tolist() == ["b", "d"]
    assert t["eyes"].tolist() == ["b", "d"]


def test_one_array_or_table_comes_back_alone():
    assert data.drop_missing(X).tolist() == X[1:].tolist()
    assert data.drop_missing(table())["eyes"].tolist() == ["b", "b"]


@pytest.mark.parametrize(
    ("strategy", "value", "expected"),
    [
        ("mean", None, [7 / 3, 7.5]),
        ("median", None, [2.0, 7.5]),
        ("most_frequent", None, [1.0, 5.0]),  # of several, the smallest
        ("constant", -1, [-1, -1]),
    ],
)
def test_an_imputer_fills_in_what_it_learned_from_other_examples(strategy, value, expected):
    train = np.array([[1.0, NAN], [2.0, 5.0], [4.0, 10.0]])
    found = Imputer(strategy, value).fit(train).transform(np.array([[NAN, NAN], [0.0, 1.0]]))
    np.testing.assert_allclose(found, [expected, [0, 1]], rtol=1e-15)


@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
def test_an_imputer_fills_text_in(strategy):
    imputer = Imputer(strategy, "b" if strategy == "constant" else None)
    found = imputer.fit_transform(table().select("eyes"))
    assert found["eyes"].tolist() == ["b", "b", "a", "b"]


def test_an_imputer_fills_numbers_and_text_of_a_table():
    found = Imputer("most_frequent").fit_transform(table())
    assert found["size"].tolist() == [1, 4, 4, 4] and found["eyes"].tolist() == ["b", "b", "a", "b"]


@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_an_imputer_keeps_floating_dtypes_and_its_input(kind):
    x = np.array([[1, 2], [3, 4]], dtype=kind)
    found = Imputer().fit_transform(x)
    assert found.dtype == (np.float64 if kind == "int64" else kind)
    assert not np.shares_memory(found, x) and np.array_equal(found, x)


# ---- Rows that occur twice -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([[1, 2], [3, 4], [1, 2], [1, 2]], [False, False, True, True]),
        ([[0.0], [-0.0], [NAN], [-NAN]], [False, True, False, True]),  # other bytes
        ([["a"], ["b"], ["a"]], [False, False, True]),
        (["a", "a", None, None], [False, True, False, True]),
        (np.zeros((3, 2, 2)), [False, True, True]),
        ([[1.0], [1.0 + 2**-52]], [False, False]),
    ],
)
def test_a_duplicate_equals_an_earlier_row(x, expected):
    assert data.duplicates(x).tolist() == expected


def test_with_labels_a_duplicate_has_the_same_label_too():
    assert data.duplicates(X[1:], [0, 1, 0]).tolist() == [False, False, False]
    assert data.duplicates(X[1:], [0, 0, 0]).tolist() == [False, True, False]


def test_a_table_is_compared_in_all_its_columns():
    t = Table({"a": [1, 1, 1, None, None], "b": ["x", "y", "x", "x", "x"]})
    assert data.duplicates(t).tolist() == [False, False, True, False, True]


def test_duplicates_are_dropped_where_they_repeat():
    x, y = data.drop_duplicates(X, [0, 1, 1, 1])
    assert x.tolist()[1:] == [[2, 5], [9, 7]] and y.tolist() == [0, 1, 1]


@given(
    arrays.arrays(
        np.int8, st.tuples(st.integers(1, 9), st.integers(1, 3)), elements=st.integers(0, 2)
    )
)
def test_dropping_duplicates_leaves_each_row_once(x):
    left = [tuple(row) for row in data.drop_duplicates(x)]
    assert len(left) == len(set(left)) and set(left) == {tuple(row) for row in x}


# ---- Outliers ------------------------------------------------------------------------------------


def test_outliers_lie_outside_of_the_interquartile_range():
    x = np.arange(1.0, 10)[:, np.newaxis]  # quartiles 3 and 7
    clipper = OutlierClipper().fit(x)
    assert (clipper.low.tolist(), clipper.high.tolist()) == ([-3], [13])
    new = np.array([[-3.0], [-3.01], [13.0], [13.01], [NAN]])
    assert clipper.outliers(new)[:, 0].tolist() == [False, True, False, True, False]
    np.testing.assert_array_equal(clipper.transform(new)[:, 0], [-3, -3, 13, 13, NAN])


def test_outliers_lie_many_deviations_from_the_mean():
    clipper = OutlierClipper("z_score", factor=2).fit([[1.0], [3.0]])  # mean 2, deviation 1
    np.testing.assert_allclose([clipper.low[0], clipper.high[0]], [0, 4], atol=1e-12)


def test_a_z_score_is_three_by_default():
    clipper = OutlierClipper("z_score").fit([[1.0], [3.0]])
    np.testing.assert_allclose([clipper.low[0], clipper.high[0]], [-1, 5], atol=1e-12)


@pytest.mark.parametrize("method", ["interquartile_range", "z_score"])
@pytest.mark.parametrize("value", [0.3, 1 / 3, -1e9 / 3, 0.0])
def test_a_constant_column_has_no_outliers(method, value):
    x = np.full((10, 1), value)
    for factor in (None, 0):
        assert not OutlierClipper(method, factor).fit(x).outliers(x).any()


def test_missing_values_do_not_move_the_bounds():
    x = np.array([[1.0, 5.0], [NAN, 6.0], [3.0, 9.0]])
    bounds = OutlierClipper().fit(x).low[0], OutlierClipper().fit(x[[0, 2]]).low[0]
    assert bounds[0] == bounds[1]


def test_a_table_stays_a_table_when_clipped():
    t = Table({"a": [1, 2, 3, 2, 90]})
    assert OutlierClipper().fit(t).transform(t)["a"].tolist() == [1, 2, 3, 2, 4.5]


# ---- State and errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fitted",
    [
        Imputer("most_frequent").fit(table()),
        Imputer("constant", 0.1).fit(X),
        OutlierClipper("z_score", 2).fit(X),
    ],
)
def test_configuration_and_state_make_the_same_again(fitted):
    config, state = json.loads(json.dumps([fitted.get_config(), fitted.get_state()]))
    again = type(fitted).from_config(config).set_state(state)
    assert repr(again) == repr(fitted) and again.get_state() == fitted.get_state()
    x = table() if fitted.columns == ["size", "eyes"] else X
    a, b = fitted.transform(x), again.transform(x)
    assert repr(a) == repr(b)


def test_a_failed_fit_leaves_what_was_learned():
    imputer = Imputer().fit([[1.0], [3.0]])
    with pytest.raises(ValueError, match="column 1 has no value"):
        imputer.fit([[5.0, NAN]])
    assert imputer.transform([[NAN]]).tolist() == [[2.0]]


HUGE = [[1.7e308], [1.7e308], [-1.7e308], [-1.7e308]]


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: Imputer("average"), "unknown strategy 'average'"),
        (lambda: Imputer("mean", 3), "strategy='mean', fill_value=3"),
        (lambda: Imputer("constant"), "strategy='constant', fill_value=None"),
        (lambda: Imputer().transform(X), "Imputer has learned nothing: call fit before transform"),
        (lambda: Imputer().get_state(), "Imputer has learned nothing: call fit before get_state"),
        (lambda: Imputer().fit([1.0, 2.0]), r"of shape \(n, d\), n > 0. Received: \(2,\)"),
        (lambda: Imputer().fit([[1.0], [1.0, 2.0]]), "x is not a rectangular array"),
        (lambda: Imputer().fit(np.zeros((0, 2))), r"Received: \(0, 2\)"),
        (lambda: Imputer().fit([[NAN], [NAN]]), "column 0 has no value .* Received: 2 missing"),
        (lambda: Imputer().fit([[1.0], [np.inf]]), "column 0 .* finite .* inf in row 1"),
        (lambda: Imputer().fit(HUGE[:2]), "column 0 must be filled with a finite .*: inf"),
        (lambda: Imputer().fit(table()), "column 'eyes' must hold numbers. Received: text"),
        (lambda: Imputer("constant", 0).fit(table()), "column 'eyes' must be filled with text"),
        (lambda: Imputer("constant", "?").fit(table()), "column 'size' .* a finite .*: '\\?'"),
        (lambda: Imputer("constant", NAN).fit(X), "column 0 must be filled .* Received: nan"),
        (lambda: Imputer().fit(X).transform(X[:, :1]), "fitted to 2 columns. Received: 1 column"),
        (
            lambda: Imputer("most_frequent").fit(table()).transform(table().select("eyes", "size")),
            r"fitted to the columns \['size', 'eyes'\]. Received: the columns \['eyes', 'size'\]",
        ),
        (
            lambda: Imputer("most_frequent").fit(table()).transform(X),
            r"fitted to the columns \['size', 'eyes'\]. Received: 2 columns",
        ),
        (lambda: Imputer().set_state({"fill": [1]}), r"has \['columns', 'fill'\]. Rec.*\['fill'\]"),
        (lambda: Imputer().set_state([1]), r"Received: \[1\]"),
        (lambda: Imputer().set_state({"columns": [0], "fill": [1, 2]}), "columns': 1, 'fill': 2"),
        (lambda: Imputer().set_state({"columns": [0], "fill": [np.inf]}), "fill must .* inf at 0"),
        (
            lambda: Imputer().set_state({"columns": [0], "fill": ["x"]}),
            "'mean'. Received: 'x' at 0",
        ),
        (
            lambda: Imputer("constant", 7).set_state({"columns": [0], "fill": [8]}),
            "fill must be the constant 7. Received: 8 at 0",
        ),
        (
            lambda: OutlierClipper().set_state({"columns": [0], "low": [2], "high": [1]}),
            "low must not exceed high. Received: 2.0 > 1.0 at 0",
        ),
        (lambda: Imputer().set_state({"columns": [0], "fill": None}), "no state of Imputer.*None"),
        (lambda: OutlierClipper("iqr"), "unknown method 'iqr'"),
        (lambda: OutlierClipper(factor=-1), "factor must be .* Received: factor=-1"),
        (lambda: OutlierClipper().fit(table()), "column 'eyes' must hold numbers"),
        (lambda: OutlierClipper().outliers(X), "call fit before outliers"),
        (lambda: OutlierClipper().fit([[NAN]]), "column 0 has no value"),
        (lambda: OutlierClipper().fit(HUGE), "column 0 has values too large .*low -?inf"),
        (lambda: OutlierClipper("z_score").fit(HUGE), "column 0 has values too large"),
        (lambda: data.drop_missing(X[:1]), "every row has a missing value. Received: 1 rows"),
        (lambda: data.drop_missing(), "Received: none"),
        (lambda: data.drop_missing(X, [1]), "array 0 4, array 1 1"),
        (lambda: data.duplicates(X, table().take([0])), "array 0 4, array 1 1"),
        (lambda: data.duplicates([]), r"x must be of shape \(n, ...\), n > 0"),
        (lambda: data.duplicates([[1], [1, 2]]), "x is not a rectangular array"),
        (lambda: data.duplicates(np.array([1j])), "x must hold numbers or text. .* complex128"),
        (lambda: data.duplicates([[2**60], [2**60 + 1]]), "x must hold integers below"),
        (lambda: data.count_missing(5), r"Received: \(\)"),
    ],
)
def test_bad_input_is_named(use, message):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        warnings.simplefilter("error")
        use()
