"""Initializers: shapes, dtypes, moments, limits, seeds and names."""

import json
import math

import numpy as np
import pytest

from minigrad import initializers, random

SHAPE = (300, 500)
NAMES = [
    "zeros", "ones", "constant", "uniform", "normal", "random_uniform", "random_normal",
    "truncated_normal", "variance_scaling", "glorot_uniform", "glorot_normal", "he_uniform",
    "he_normal", "lecun_uniform", "lecun_normal", "orthogonal",
]  # fmt: skip
EVERY = pytest.mark.parametrize("name", NAMES)


@EVERY
@pytest.mark.parametrize("shape", [(), (3,), (0, 4), (3, 3, 2, 4)])
def test_values_have_the_shape_and_dtype_asked_for(name, shape):
    for dtype in ("float32", "float64"):
        values = initializers.get(name)(shape, dtype)
        assert (values.shape, values.dtype) == (shape, dtype)


@EVERY
def test_the_dtype_is_float32_unless_asked_otherwise(name):
    assert initializers.get(name)((2, 3)).dtype == "float32"


@EVERY
def test_the_global_seed_fixes_the_values(name):
    first, second = ((random.seed(3), initializers.get(name)((4, 5)))[1] for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", [name for name in NAMES if "uniform" in name or "normal" in name])
def test_two_calls_differ(name):
    initializer = initializers.get(name)
    assert (initializer((4, 5)) != initializer((4, 5))).all()


@pytest.mark.parametrize("name", ["RandomNormal", "TruncatedNormal", "GlorotUniform", "HeNormal"])
def test_a_seed_of_its_own_gives_the_same_values_each_time(name):
    initializer = getattr(initializers, name)(seed=7)
    before = random.get_state()
    np.testing.assert_array_equal(initializer((4, 5)), initializer((4, 5)))
    assert random.get_state() == before


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 800),
        ("glorot_normal", 2 / 800),
        ("he_uniform", 2 / 300),
        ("he_normal", 2 / 300),
        ("lecun_uniform", 1 / 300),
        ("lecun_normal", 1 / 300),
        ("uniform", 0.1**2 / 12),
        ("normal", 0.05**2),
    ],
)
def test_the_variance_is_that_of_the_formula(name, variance):
    values = initializers.get(name)(SHAPE, "float64")
    assert values.mean() == pytest.approx(0, abs=5 * math.sqrt(variance / values.size))
    assert values.var() == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("glorot_uniform", math.sqrt(6 / 800)),
        ("he_uniform", math.sqrt(6 / 300)),
        ("lecun_uniform", math.sqrt(3 / 300)),
        ("uniform", 0.05),
        ("truncated_normal", 0.1),
        ("he_normal", 2 * math.sqrt(2 / 300) / 0.87962566),
    ],
)
def test_values_fill_the_range_up_to_the_limit_and_no_more(name, limit):
    largest = np.abs(initializers.get(name)(SHAPE, "float64")).max()
    assert 0.99 * limit < largest <= limit


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (1, 1)), ((5,), (5, 5)), ((2, 3), (2, 3)), ((3, 4, 2, 7), (24, 84))],
)
def test_fans_count_inputs_and_outputs(shape, expected):
    assert initializers.fans(shape) == expected


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (2, 3, 4)])
def test_fewer_rows_or_columns_are_orthonormal(shape):
    w = initializers.Orthogonal(gain=2.0)(shape, "float64").reshape(-1, shape[-1])
    w = w if len(w) <= shape[-1] else w.T
    np.testing.assert_allclose(w @ w.T, 4 * np.eye(len(w)), atol=1e-12)


def test_orthogonal_matrices_lean_to_no_side():
    initializer = initializers.Orthogonal()
    traces = [np.trace(initializer((3, 3), "float64")) for _ in range(2000)]
    assert np.mean(traces) == pytest.approx(0, abs=5 / math.sqrt(2000))
    assert np.var(traces) == pytest.approx(1, rel=0.15)  # as that of random rotations is


def test_constants_are_constant():
    assert (initializers.Constant(2.5)((2, 3)) == 2.5).all()
    assert (initializers.get("zeros")((2, 3)) == 0).all()
    assert (initializers.get("ones")((2, 3)) == 1).all()


def test_normal_has_its_mean_and_deviation():
    values = initializers.RandomNormal(3.0, 0.5)(SHAPE)
    assert (values.mean(), values.std()) == pytest.approx((3.0, 0.5), rel=0.01)


@EVERY
def test_a_configuration_makes_the_same_initializer_again(name):
    initializer = initializers.get(name)
    config = json.loads(json.dumps(initializer.get_config()))
    again = initializers.get({"class_name": type(initializer).__name__, "config": config})
    assert again.get_config() == initializer.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("glorto"), "unknown initializer 'glorto'; did you mean"),
        (lambda: initializers.get(3), "Received: 3"),
        (lambda: initializers.RandomNormal(stddev=-1), "stddev=-1"),
        (lambda: initializers.RandomUniform(1, -1), "Received: 1 and -1"),
        (lambda: initializers.VarianceScaling(mode="fan"), "unknown mode 'fan'"),
        (lambda: initializers.VarianceScaling(distribution="beta"), "unknown distribution 'beta'"),
        (lambda: initializers.VarianceScaling(scale=0), "scale=0"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_class_stands_for_its_object_and_none_for_nothing():
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)
    with pytest.raises(ValueError, match="Received: None"):
        initializers.get(None)
