"""The report on a data set: its numbers by hand, what it finds, and how it reads."""

import json

import numpy as np
import pytest

from minigrad import data
from minigrad.data import Table

NAN, INFINITY = float("nan"), float("inf")
X = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0], [1.0, 5.0]])
Y = [0, 1, 1, 1]
U = np.array([[9.0, 1.0], [2.0, 5.0]])


def findings(table=None, **parts):
    return data.report(*([] if table is None else [table]), **parts).findings


def table():
    return Table({"age": [39, None, 50, 39], "job": ["clerk", None, "boss", "clerk"]})


# ---- Numbers -------------------------------------------------------------------------------------


def test_numbers_of_an_array_are_counted_by_column():
    numbers = data.report(train=(X, Y), test=(U, [1, 0])).numbers
    assert numbers["parts"]["train"] == {
        "examples": 4,
        "columns": {
            "0": {"missing": 0, "kind": "numbers", "infinite": 0, "constant": False}
            | {"min": 0.0, "mean": 1.0, "max": 2.0},
            "1": {"missing": 0, "kind": "numbers", "infinite": 0, "constant": True}
            | {"min": 5.0, "mean": 5.0, "max": 5.0},
        },
        "labels": {"missing": 0, "kind": "classes", "classes": {"0": 1, "1": 3}},
        "duplicates": 1,
    }
    assert numbers["leaks"] == [{"parts": ["train", "test"], "examples": 1, "rows": [[2, 1]]}]
    assert numbers["contradictions"] == {
        "examples": 2,
        "groups": 1,
        "rows": [[["train", 2], ["test", 1]]],
    }


def test_columns_of_a_table_are_counted_by_name():
    columns = data.report(table()).numbers["parts"]["data"]["columns"]
    assert columns["age"] == {
        **{"missing": 1, "kind": "numbers", "infinite": 0, "constant": False},
        **{"min": 39.0, "mean": 128 / 3, "max": 50.0},
    }
    assert columns["job"] == {
        **{"missing": 1, "kind": "text", "different": 2, "constant": False},
        **{"most_frequent": [["clerk", 2], ["boss", 1]], "numbers": 0, "not_numbers": 3},
        "first_not_number": [0, "clerk"],
        "looks_like": None,
    }


def test_missing_and_infinite_values_stay_out_of_the_range():
    found = data.report([[NAN], [INFINITY], [1.0], [3.0]]).numbers["parts"]["data"]["columns"]["0"]
    assert (found["missing"], found["infinite"]) == (1, 1)
    assert (found["min"], found["mean"], found["max"]) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("values", [[NAN, NAN], [INFINITY, INFINITY], [NAN, INFINITY]])
def test_a_column_without_finite_values_has_no_range(values):
    report = data.report(np.array(values)[:, np.newaxis])
    assert report.numbers["parts"]["data"]["columns"]["0"]["mean"] is None
    assert "none of them finite" in str(report)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([2, 0, 2, 0], {"0": 2, "2": 2}),
        ([2.0, 0.0, NAN, 0.0], {"0": 2, "2": 1}),
        ([True, False, True, True], {"0": 1, "1": 3}),
        ([[0], [1], [1], [1]], {"0": 1, "1": 3}),
        (["a", None, "b", "a"], {"a": 2, "b": 1}),
        (np.eye(3)[[2, 0, 2, 2]], {"0": 1, "2": 3}),
    ],
)
def test_classes_are_counted(y, expected):
    labels = data.report((X, y)).numbers["parts"]["data"]["labels"]
    assert (labels["kind"], labels["classes"]) == ("classes", expected)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([0.5, 1.0, 2.0, NAN], (0.5, 2.0)),
        (np.arange(101), (0.0, 100.0)),  # too many whole numbers to be classes
        (np.eye(3)[[0, 1, 2, 0]] + 1, (1.0, 2.0)),
        ([[0, 0], [1, 0], [1, 1], [0, 1]], (0.0, 1.0)),  # several labels for one example
    ],
)
def test_numbers_to_predict_have_a_range(y, expected):
    labels = data.report((np.zeros((len(y), 1)), y)).numbers["parts"]["data"]["labels"]
    assert labels["kind"] == "numbers"
    assert (labels["min"], labels["max"]) == expected


def test_a_leak_is_a_row_with_equal_values_whatever_their_dtypes():
    x = np.array([[[0, 1], [2, 3]], [[4, 5], [6, 255]]], dtype=np.uint8)
    u = np.array([[[4, 5], [6, 255]], [[4, 5], [6, 254.5]]], dtype=np.float32)
    assert data.report(a=x, b=u).numbers["leaks"][0]["rows"] == [[1, 0]]


def test_a_leak_between_tables_is_a_row_with_equal_text_and_gaps():
    numbers = data.report(a=table(), b=table().take([1]), c=table().take([2, 3])).numbers
    found = [(leak["parts"], leak["rows"]) for leak in numbers["leaks"]]
    assert found == [(["a", "b"], [[1, 0]]), (["a", "c"], [[2, 0], [0, 1]]), (["b", "c"], [])]


def test_many_leaks_are_counted_and_a_few_listed():
    x = np.arange(500.0)[:, np.newaxis]
    leak = data.report(a=x, b=x).numbers["leaks"][0]
    assert leak["examples"] == 500 and len(leak["rows"]) == 20


def test_contradictions_are_found_within_a_part_too():
    found = data.report((X, [0, 1, 1, 0])).numbers["contradictions"]
    assert found["examples"] == 2 and found["rows"] == [[["data", 1], ["data", 3]]]


def test_a_part_without_labels_contradicts_nothing():
    assert data.report(a=(X, Y), b=X).numbers["contradictions"]["examples"] == 0


def test_numbers_are_plain_data():
    report = data.report(train=(table(), ["a", "b", None, "b"]), test=(table().take([0]), ["b"]))
    assert json.loads(json.dumps(report.numbers)) == report.numbers


# ---- Findings ------------------------------------------------------------------------------------


def test_clean_data_have_no_findings():
    (x, y), (u, v) = data.digits.load_data()
    moving = x.min(axis=0) < x.max(axis=0)
    moving &= u.min(axis=0) < u.max(axis=0)
    report = data.report(train=(x[:, moving], y), test=(u[:, moving], v))
    assert report.findings == []
    assert str(report).endswith(
        "To look at\n  nothing: no value is missing or infinite, no column constant, no example "
        "there twice"
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"a": [[NAN, 1.0], [2.0, 3.0]]}, "a: 1 missing value in 1 of 2 columns: column 0 1"),
        (
            {"a": [[NAN], [NAN], [INFINITY], [1.0]]},
            "a: 1 infinite value in 1 of 1 column: column 0 1",
        ),
        ({"a": [[1, 2], [1, 3]]}, "a: 1 constant column: column 0"),
        (
            {"a": [[1] * 5, [1] * 5]},
            "a: 5 constant columns: column 0, column 1, column 2, and 2 more",
        ),
        ({"a": [[1], [2], [1], [1]]}, "a: 2 repeated examples"),
        ({"a": ([[1], [2], [1]], [0, 1, 0])}, "a: 1 repeated example"),
        (
            {"a": Table({"n": ["1", None, "x", "3"]})},
            "a: 'n' is text, with 2 numbers in it and 1 other, the first in row 2: 'x'",
        ),
        (
            {"a": Table({"5.1": [1, 2], "setosa": ["a", "b"]})},
            "a: a column has the name '5.1': does the file begin without a header?",
        ),
        ({"a": (X[:2], ["u", None])}, "a: 1 missing label"),
        ({"a": (X[:2], [0.5, INFINITY])}, "a: 1 infinite label"),
        ({"a": (X[:2], [3, 3])}, "a: one class alone among the labels"),
        (
            {"a": (X, [0, 1, 10, 9]), "b": (U, [0, 1])},
            "b: no example of 2 classes of another part: 9, 10",
        ),
        (
            {"a": (X, Y), "b": (U, [1, 1])},
            "leak: the x of 1 example of b occurs in a: row 1 of b is row 2 of a",
        ),
        (
            {"a": (X, Y), "b": (U, [1, 0])},
            "contradiction: the x of 2 examples occurs with another label: "
            "row 2 of a and row 1 of b",
        ),
        (
            {"a": X[[0, 1, 2, 0, 1]], "b": X[[0, 1, 2, 0, 1]]},
            "leak: the x of 5 examples of b occurs in a: row 0 of b is row 0 of a, "
            "row 1 of b is row 1 of a, row 2 of b is row 2 of a, and 2 more",
        ),
    ],
)
def test_what_asks_for_a_look_is_found(parts, expected):
    assert expected in findings(**parts)


@pytest.mark.parametrize(
    "column", [["007", "008"], ["red", "blue"], ["1", "red", "blue"], [None, "1"]]
)
def test_codes_and_words_are_no_strays(column):
    assert not any("is text" in finding for finding in findings(Table({"a": column, "b": column})))


def test_columns_without_names_are_no_sign_of_a_lost_header():
    assert findings(Table({"0": [1, 2], "1": [3, 4]})) == []


# ---- Words ---------------------------------------------------------------------------------------


def test_a_report_reads_as_plain_lines():
    report = data.report(train=(table(), ["no", "yes", "no", "no"]), test=table().take([2]))
    assert str(report).splitlines() == [
        "Examples",
        "  train: 4",
        "  test: 1",
        "",
        "Columns of train",
        "  'age': numbers, 39 to 50, mean 42.67; 1 missing",
        "  'job': text, 2 different: 'clerk' 2, 'boss' 1; 1 missing",
        "",
        "Columns of test",
        "  'age': numbers, 50 to 50, mean 50",
        "  'job': text, 1 different: 'boss' 1",
        "",
        "Labels",
        "  no: train 3 (75.0%)",
        "  yes: train 1 (25.0%)",
        "",
        "To look at",
        "  train: 2 missing values in 2 of 2 columns: 'age' 1, 'job' 1",
        "  train: 1 repeated example",
        "  test: 2 constant columns: 'age', 'job'",
        "  leak: the x of 1 example of test occurs in train: row 0 of test is row 2 of train",
    ]
    assert repr(report) == "<DataReport of train: 4 examples, test: 1 examples; 4 findings>"


def test_classes_stand_in_their_order_with_the_shares_of_all_parts():
    lines = str(data.report(a=(X, [10, 9, 9, 9]), b=(U, [10, 10]))).splitlines()
    assert lines[lines.index("Labels") + 1 :][:2] == [
        "  9: a 3 (75.0%), b 0 (0.0%)",
        "  10: a 1 (25.0%), b 2 (100.0%)",
    ]


def test_many_columns_and_classes_are_summed_up():
    x = np.arange(60 * 30.0).reshape(60, 30)
    text = str(data.report((x, np.arange(60))))
    assert "  30 columns of numbers, 0 to 1799, mean 899.5\n" in text
    assert "  19: data 1 (1.7%)\n  and 40 more classes\n" in text
    assert len(text.splitlines()) < 35


def test_many_columns_of_a_table_are_summed_up_by_kind():
    table = Table({f"c{i}": [i, i + 1] if i % 3 else ["a", "b"] for i in range(24)})
    assert "  16 columns of numbers, 1 to 24, mean 12.5\n  8 columns of text\n" in str(
        data.report(table)
    )


def test_text_without_columns_is_reported():
    assert "column 0: text, 2 different: 'good' 2, 'bad' 1" in str(
        data.report(["good", "bad", "good"])
    )


# ---- Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: data.report(), "give one table, or parts .* Received: nothing"),
        (lambda: data.report(X, train=X), "Received: both"),
        (lambda: data.report(train=5), r"x of train must be of shape \(n, ...\), .* shape \(\)"),
        (lambda: data.report([]), r"x of data must be .* shape \(0,\)"),
        (lambda: data.report([[1], [1, 2]]), "x of data is not a rectangular array"),
        (lambda: data.report(a=np.array([1j])), "x of a must hold numbers or text. .* complex128"),
        (lambda: data.report(a=np.array([1, "x"], object)), "column 'x of a' .* Received: 'x'"),
        (lambda: data.report(a=(X, [1])), "Received rows: x of a 4, y of a 1"),
        (lambda: data.report(a=(X, 5)), "y of a must be of shape"),
        (
            lambda: data.report(a=X, b=X[:, :1]),
            r"same columns. Received: a with rows of shape \(2,\), b with rows of shape \(1,\)",
        ),
        (
            lambda: data.report(a=table(), b=table().drop("job")),
            r"a with the columns \['age', 'job'\], b with the columns \['age'\]",
        ),
        (lambda: data.report(a=table(), b=X), "b with rows of shape"),
        (lambda: data.report(a=[[2**60]]), "x must hold integers below"),
    ],
)
def test_bad_input_is_named(use, message):
    with pytest.raises(ValueError, match=message):
        use()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1,5", "-2,25", "3"], "a number with a decimal comma: '1,5'"),
        (["1,000", "2,500,000.5"], "a number with commas between thousands: '1,000'"),
        (["$1,000", "-$5.50"], "an amount of money: '$1,000'"),
        (["7 €", "1.200,50 €"], "an amount of money: '7 €'"),
        (["45%", None, "7.5 %"], "percent: '45%'"),
    ],
)
def test_text_that_is_almost_numbers_is_found(values, kind):
    found = findings(Table({"price": values}))
    assert f"data: 'price' is text, and each looks like {kind}" in found
    assert not any("looks like" in text for text in findings(Table({"a": [*values, "x"]})))


def test_numbers_to_predict_do_not_contradict_each_other():
    x = [[1.0], [1.0], [2.0]]
    assert not any("contradiction" in text for text in findings((x, [0.5, 1.5, 2.5])))
    for labels in ([0, 1, 1], [True, False, True], ["a", "b", "b"]):
        assert any("contradiction" in text for text in findings((x, np.array(labels))))
