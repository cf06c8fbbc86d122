"""Scalers: values by hand, ways back, dtypes, constant columns, state and errors."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minigrad.data import MinMaxScaler, RobustScaler, StandardScaler, Table

SCALERS = [StandardScaler(), MinMaxScaler(), MinMaxScaler((-1, 3)), RobustScaler()]
EVERY = pytest.mark.parametrize("scaler", SCALERS, ids=repr)
X = np.array([[1.0, 10.0], [2.0, 10.0], [3.0, 40.0], [6.0, 40.0], [8.0, 50.0]])


@pytest.mark.parametrize(
    ("scaler", "expected"),
    [
        (StandardScaler(), (np.array([4, 8]) - 4) / np.sqrt(34 / 5)),
        (MinMaxScaler(), [3 / 7, 1]),
        (MinMaxScaler((-1, 1)), [-1 / 7, 1]),
        (RobustScaler(), [1 / 4, 5 / 4]),
    ],
)
def test_a_column_is_scaled_by_what_was_learned_from_others(scaler, expected):
    found = scaler.fit(X[:, :1]).transform([[4.0], [8.0]])
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-15)


@EVERY
def test_fitting_and_transforming_at_once_is_the_same(scaler):
    assert np.array_equal(scaler.fit_transform(X), scaler.fit(X).transform(X))


@EVERY
@pytest.mark.parametrize("value", [0.1, -1e9 / 3, 0.0, 1e-300])
def test_a_constant_column_keeps_its_unit(scaler, value):
    x = np.full((10, 1), value)
    low = getattr(scaler, "feature_range", (0, 1))[0]
    scaler.fit(x)
    np.testing.assert_allclose(scaler.transform(x), np.full((10, 1), low), atol=1e-6)
    width = np.diff(getattr(scaler, "feature_range", (0, 1)))[0]
    np.testing.assert_allclose(
        scaler.transform(x + 4), low + np.full((10, 1), 4) * width, atol=1e-6
    )


@EVERY
def test_a_tiny_range_is_still_a_range(scaler):
    x = np.array([[1e-20], [2e-20], [3e-20]])
    assert np.ptp(scaler.fit_transform(x)) > 0.5


@EVERY
@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 8), st.integers(1, 3)),
        elements=st.floats(-1e6, 1e6).map(lambda v: round(v, 3)),
    )
)
def test_the_way_back_leads_to_the_same_values(scaler, x):
    again = scaler.inverse_transform(scaler.fit_transform(x))
    np.testing.assert_allclose(again, x, rtol=1e-9, atol=1e-9)


@EVERY
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_dtypes_stay(scaler, dtype):
    found = scaler.fit_transform(X.astype(dtype))
    assert found.dtype == dtype
    assert scaler.inverse_transform(found).dtype == dtype
    tolerance = {"float16": 2e-3, "float32": 1e-6, "float64": 0}[dtype]
    np.testing.assert_allclose(found, scaler.fit_transform(X), atol=tolerance)


@EVERY
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool"])
def test_integers_are_scaled_in_float64(scaler, dtype):
    x = (X * 2).astype(dtype)
    x[0, 0] = np.iinfo(dtype).min if dtype != "bool" else False
    x[1, 0] = np.iinfo(dtype).max // 3 if dtype != "bool" else False
    found = scaler.fit_transform(x)
    assert found.dtype == np.float64
    assert np.array_equal(found, scaler.fit_transform(x.astype(np.float64)))


@EVERY
def test_small_dtypes_are_measured_in_float64(scaler):
    x = np.array([[-120], [-120], [120], [120], [127]], dtype=np.int8)  # the width overflows int8
    assert np.array_equal(scaler.fit_transform(x), scaler.fit_transform(x.astype(np.float64)))
    x = np.full((5, 1), 60000, dtype=np.float16)  # their sum overflows float16
    assert np.isfinite(scaler.fit_transform(x)).all()


@EVERY
def test_a_table_gives_a_matrix(scaler):
    table = Table({"a": X[:, 0], "b": X[:, 1]})
    assert np.array_equal(scaler.fit_transform(table), scaler.fit_transform(X))


@EVERY
def test_configuration_and_state_make_the_same_scaler_again(scaler):
    scaler.fit(Table({"a": X[:, 0] / 3, "b": X[:, 1] / 7}))
    saved = json.loads(json.dumps([scaler.get_config(), scaler.get_state()]))
    again = type(scaler).from_config(saved[0]).set_state(saved[1])
    new = Table({"a": [0.1], "b": [0.7]})
    assert repr(again) == repr(scaler)
    assert np.array_equal(again.transform(new), scaler.transform(new))


@EVERY
def test_a_failed_fit_leaves_what_was_learned(scaler):
    expected = scaler.fit_transform(X)
    with pytest.raises(ValueError, match="NaN"):
        scaler.fit([[np.nan]])
    assert np.array_equal(scaler.transform(X), expected)


@EVERY
def test_the_input_is_left_alone(scaler):
    x = X.copy()
    scaler.inverse_transform(scaler.fit_transform(x))
    assert np.array_equal(x, X)


def fitted():
    return StandardScaler().fit(X)


WITH_TEXT = Table({"a": [1, 2], "b": ["x", "y"]})
WITH_GAP = Table({"a": [1, None]})


def state(columns=(0, 1), center=(0.0, 1.0), scale=(1.0, 2.0)):
    return {"columns": columns, "center": center, "scale": scale}


BAD_STATES = [
    (state(columns="ab"), "columns must be a list. Received: 'ab'"),
    (state(columns=[1, 0]), "columns must be text, or 0, 1, .... Received: 1 at 0"),
    (state(columns=["a", "a"]), "columns must be all different. Received: 'a' at 0"),
    (state(columns=[["a"], "b"]), r"columns must be text.* Received: \['a'\] at 0"),
    (state(center=[0.0, np.nan]), "center must be finite numbers. Received: nan at 1"),
    (state(center=[10**400, 0.0]), "center must be finite numbers. Received: 1000"),
    (state(center=["1", 0.0]), "center must be finite numbers. Received: '1' at 0"),
    (state(center=[[1.0], [2.0]]), r"center must be finite numbers. Received: \[1.0\] at 0"),
    (state(scale=[1.0, 0.0]), "scale must be numbers above 0. Received: 0.0 at 1"),
    (state(scale=[-1.0, 1.0]), "scale must be numbers above 0. Received: -1.0 at 0"),
    (state(scale=[1.0, np.inf]), "scale must be finite numbers. Received: inf at 1"),
]


def test_a_refused_state_leaves_what_was_learned():
    scaler = fitted()
    before = scaler.get_state()
    with pytest.raises(ValueError, match="scale"):
        scaler.set_state(state(scale=[1.0, 0.0]))
    assert scaler.get_state() == before


@pytest.mark.parametrize(("dtype", "far"), [("float16", 6e4), ("float32", 3e38)])
def test_a_result_that_the_dtype_cannot_hold_is_refused(dtype, far):
    scaler = StandardScaler().fit([[0.0, 0.0], [0.0, 1e-3]])
    x = np.array([[1.0, far]], dtype=dtype)
    with pytest.raises(ValueError, match=f"column 1 would have values too large.*{dtype}"):
        scaler.transform(x)
    wide = MinMaxScaler().fit([[0.0], [1e300]])
    with pytest.raises(ValueError, match=f"column 0 would have values too large.*{dtype}"):
        wide.inverse_transform(np.ones((1, 1), dtype=dtype))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: StandardScaler().transform(X), "StandardScaler has learned nothing: call fit"),
        (lambda: RobustScaler().inverse_transform(X), "call fit before inverse_transform"),
        (lambda: MinMaxScaler().get_state(), "call fit before get_state"),
        (lambda: fitted().transform(X[:, :1]), "fitted to 2 columns. Received: 1 column"),
        (lambda: fitted().inverse_transform(X.T), "fitted to 2 columns. Received: 5 columns"),
        (
            lambda: fitted().transform(WITH_GAP),
            r"fitted to 2 columns. Received: the columns \['a'\]",
        ),
        (lambda: fitted().fit(X[:, 0]), r"shape \(n, d\), n > 0. Received: \(5,\)"),
        (lambda: fitted().fit([[]]), r"Received: \(1, 0\)"),
        (lambda: fitted().fit([["a"]]), "x must hold numbers. Received: dtype <U1"),
        (lambda: fitted().fit(WITH_TEXT), "column 'b' must hold numbers, .* 'x' in row 0"),
        (lambda: fitted().fit(WITH_GAP), r"column 'a' has 1 values .* first at \(1,\): nan"),
        (lambda: fitted().fit([[1.0], [np.inf]]), r"x has 1 values .* the first at \(1, 0\): inf"),
        (lambda: fitted().transform([[1.0, np.nan]]), r"x has 1 values .* at \(0, 1\): nan"),
        (lambda: StandardScaler().fit([[1.7e308], [-1.7e308]]), "column 0 has values too large"),
        (lambda: MinMaxScaler().fit([[1.7e308], [-1.7e308]]), "column 0 has values too large"),
        (lambda: RobustScaler().fit([[1.7e308]] * 2 + [[-1.7e308]] * 2), "column 0 has values too"),
        (lambda: MinMaxScaler((1, 1)), r"low < high. Received: feature_range=\(1, 1\)"),
        (lambda: MinMaxScaler((0, np.inf)), r"Received: feature_range=\(0, inf\)"),
        (lambda: MinMaxScaler((0, 1, 2)), r"Received: feature_range=\(0, 1, 2\)"),
        (lambda: MinMaxScaler("01x"), "Received: feature_range='01x'"),
        (lambda: MinMaxScaler(1), "Received: feature_range=1"),
        (lambda: fitted().set_state({"mean": [1]}), r"\['center', .* Received: \['mean'\]"),
        (
            lambda: fitted().set_state({"columns": [0], "center": [1, 2], "scale": [1]}),
            "lists of one length, not 0. Received: {.*'center': 2",
        ),
        (
            lambda: fitted().set_state({"columns": [0], "center": ["x"], "scale": [1]}),
            "no state of StandardScaler: center must be finite numbers. Received: 'x' at 0",
        ),
        *((lambda state=state: fitted().set_state(state), text) for state, text in BAD_STATES),
    ],
)
def test_bad_input_is_named(use, message):
    with pytest.raises(ValueError, match=message):
        use()
