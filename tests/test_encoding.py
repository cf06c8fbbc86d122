"""Encoders: classes and categories as numbers, and back; what is unknown or missing is an error."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import LabelEncoder, OneHotEncoder, Table, one_hot

COLOURS = ["red", "blue", "red", "green"]


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        ([2, 0], 3, [[0, 0, 1], [1, 0, 0]]),
        (np.array([1], dtype=np.uint8), np.int64(2), [[0, 1]]),
        ([1.0], 2, [[0, 1]]),
        ([True, False], 2, [[0, 1], [1, 0]]),
        (["b", "a"], ["b", "a", "c"], [[1, 0, 0], [0, 1, 0]]),
        (np.array(["a"]), np.array(["b", "a"]), [[0, 1]]),
        ([7, -1], [-1, 7], [[0, 1], [1, 0]]),
    ],
)
def test_a_label_becomes_a_row_with_a_one(labels, classes, expected):
    found = one_hot(labels, classes)
    assert found.dtype == np.float32 and found.tolist() == expected


@pytest.mark.parametrize(
    ("labels", "classes", "indices"),
    [
        (COLOURS, ["blue", "green", "red"], [2, 0, 2, 1]),
        (np.array(COLOURS), ["blue", "green", "red"], [2, 0, 2, 1]),
        (np.array([30, 10, 20, 10]), [10, 20, 30], [2, 0, 1, 0]),
        ([True, False], [False, True], [1, 0]),
        ([0.5, -1.5], [-1.5, 0.5], [1, 0]),
        (["10", "9"], ["10", "9"], [0, 1]),
    ],
)
def test_labels_become_their_places_among_the_sorted_classes(labels, classes, indices):
    encoder = LabelEncoder()
    found = encoder.fit_transform(labels)
    assert encoder.classes == classes
    assert found.dtype == np.int64 and found.tolist() == indices
    assert encoder.inverse_transform(found).tolist() == list(labels)


LABELS = st.one_of(
    st.lists(st.text(max_size=3), min_size=1),
    st.lists(st.integers(-(2**62), 2**62), min_size=1),
    st.lists(st.floats(allow_nan=False), min_size=1),
)


@given(LABELS)
def test_labels_come_back(labels):
    encoder = LabelEncoder()
    assert encoder.inverse_transform(encoder.fit_transform(labels)).tolist() == labels


def test_each_category_becomes_a_column():
    table = Table({"colour": COLOURS, "size": [1234567, 1, 1, 2.5]})
    encoder = OneHotEncoder()
    found = encoder.fit_transform(table)
    assert encoder.names == [
        *("colour=blue", "colour=green", "colour=red"),
        *("size=1", "size=2.5", "size=1234567"),
    ]
    assert found.dtype == np.float32
    assert found.tolist() == [
        [0, 0, 1, 0, 0, 1],
        [1, 0, 0, 1, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 1, 0, 0, 1, 0],
    ]


@pytest.mark.parametrize("x", [COLOURS, np.array(COLOURS), [[c] for c in COLOURS]])
def test_one_column_may_lack_the_second_axis(x):
    encoder = OneHotEncoder()
    assert encoder.fit_transform(x).tolist() == one_hot(COLOURS, ["blue", "green", "red"]).tolist()
    assert encoder.names == ["0=blue", "0=green", "0=red"]


def test_an_unknown_category_gives_zeros_if_asked_to():
    encoder = OneHotEncoder(unknown="zeros").fit([["a", 1], ["b", 2]])
    assert encoder.transform([["c", 2], ["b", 3]]).tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]


@pytest.mark.parametrize(
    "encoder",
    [
        LabelEncoder().fit(COLOURS),
        LabelEncoder().fit(np.array([3, 1, 3], dtype=np.uint8)),
        OneHotEncoder("zeros").fit(Table({"a": ["x", "y"], "b": [1, 2]})),
        OneHotEncoder().fit([["x", 1], ["y", 1]]),
    ],
)
def test_configuration_and_state_make_the_same_encoder_again(encoder):
    config, state = json.loads(json.dumps([encoder.get_config(), encoder.get_state()]))
    again = type(encoder).from_config(config).set_state(state)
    assert repr(again) == repr(encoder) and again.get_state() == encoder.get_state()
    assert getattr(again, "names", 0) == getattr(encoder, "names", 0)


def test_a_state_is_a_copy():
    encoder = LabelEncoder().fit(COLOURS)
    encoder.get_state()["classes"].clear()
    assert encoder.classes == ["blue", "green", "red"]


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: one_hot([0, 3, 4], 3), "labels .* 3 known: 0, 1, 2. Received: 3 at 1, and 1 more"),
        (lambda: one_hot([-1], 3), "Received: -1 at 0"),
        (lambda: one_hot([0.5], 3), "Received: 0.5 at 0"),
        (lambda: one_hot(["a"], 3), "Received: 'a' at 0"),
        (lambda: one_hot(["c"], ["a", "b"]), "known: 'a', 'b'. Received: 'c' at 0"),
        (lambda: one_hot(["10"], list(range(20))), "known: 0, .*, 9, .... Received: '10'"),
        (lambda: one_hot([0], 0), "classes must be 1 or more, .* Received: classes=0"),
        (lambda: one_hot([0], True), "Received: classes=True"),
        (lambda: one_hot([0], 1.5), r"classes must be of shape \(n,\), .* shape \(\)"),
        (lambda: one_hot([0], []), r"classes must be of shape \(n,\)"),
        (lambda: one_hot([0], [0, 1, 0]), r"once. Received: classes=\[0, 1, 0\]"),
        (lambda: one_hot([[0]], 1), r"labels must be of shape \(n,\), n > 0. .* \(1, 1\)"),
        (lambda: one_hot([], 1), r"labels must be of shape \(n,\), n > 0. .* \(0,\)"),
        (lambda: one_hot([0, None], 1), "labels must have no missing .* 1 missing, the first at 1"),
        (lambda: one_hot([np.nan], 1), "1 missing, the first at 0"),
        (lambda: LabelEncoder().fit(["a", 1]), "labels must be all text or all .* Received: 1"),
        (lambda: LabelEncoder().fit([1, "a"]), "labels must be all text or all .* Received: 'a'"),
        (lambda: LabelEncoder().fit([b"a"]), "Received: b'a'"),
        (lambda: LabelEncoder().fit(np.array([1j])), "Received: dtype complex128"),
        (
            lambda: LabelEncoder().fit(np.array(["2020-01-01"], dtype="datetime64[ns]")),
            "Received: dtype datetime64",
        ),
        (lambda: LabelEncoder().transform([1]), "LabelEncoder has learned nothing: call fit"),
        (lambda: LabelEncoder().inverse_transform([1]), "call fit before inverse_transform"),
        (lambda: LabelEncoder().fit([5]).transform([6]), "labels .* known: 5. Received: 6 at 0"),
        (lambda: LabelEncoder().fit([5]).inverse_transform([0, 1]), "from 0 to 0. Received: 1"),
        (lambda: LabelEncoder().fit([5]).inverse_transform([-1]), "from 0 to 0. Received: -1"),
        (lambda: LabelEncoder().fit([5]).inverse_transform([0.0]), "must be integers .* float64"),
        (lambda: LabelEncoder().set_state({"classes": 5}), "no state of LabelEncoder"),
        (
            lambda: LabelEncoder().set_state({"classes": ["b", "a"]}),
            "sorted, .* 'b' at 0, then 'a'",
        ),
        (
            lambda: LabelEncoder().set_state({"classes": [1, 1]}),
            "classes must be sorted, each once",
        ),
        (lambda: LabelEncoder().set_state({"classes": [1, "a"]}), "all numbers. Received: 'a'"),
        (
            lambda: OneHotEncoder().set_state({"columns": ["c"], "categories": [["b", "a"]]}),
            r"categories\[0\] must be sorted, each once. Received: 'b' at 0",
        ),
        (
            lambda: OneHotEncoder().set_state({"columns": ["c"], "categories": ["ab"]}),
            r"categories\[0\] must be of shape",
        ),
        (lambda: LabelEncoder().set_state({"classes": []}), "not 0. Received: {'classes': 0}"),
        (lambda: OneHotEncoder("ignore"), "'error' or 'zeros'. Received: unknown='ignore'"),
        (lambda: OneHotEncoder().transform([["a"]]), "OneHotEncoder has learned nothing"),
        (lambda: OneHotEncoder().names, "call fit before names"),
        (lambda: OneHotEncoder().fit(["a", None]), "column 0 must have no missing values"),
        (lambda: OneHotEncoder().fit(5), r"a Table or of shape \(n, d\), n > 0"),
        (
            lambda: OneHotEncoder().fit(Table({"c": ["a"]})).transform(Table({"c": ["z"]})),
            "column 'c' must be among the 1 known: 'a'. Received: 'z' at 0",
        ),
        (
            lambda: OneHotEncoder().fit(Table({"c": ["a"]})).transform(Table({"d": ["a"]})),
            r"fitted to the columns \['c'\]. Received: the columns \['d'\]",
        ),
        (
            lambda: OneHotEncoder("zeros").fit(["1"]).transform([2, 3]),
            "column 0 must be among the 1 known: '1'. Received: 2 at 0, and 1 more",
        ),
        (
            lambda: OneHotEncoder("zeros").fit(["a"]).transform([None]),
            "column 0 must have no missing values",
        ),
    ],
)
def test_bad_input_is_named(use, message):
    with pytest.raises(ValueError, match=message):
        use()
