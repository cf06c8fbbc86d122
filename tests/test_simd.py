"""The vectors of `kernels.cpu.simd`: each of its functions against NumPy, float32 and float64.

`check_processors.py` runs this file again, compiled for processors with other vectors.
"""

import inspect
import math
import os

import numpy as np
import pytest
from numba import njit

from kernels.cpu import simd
from kernels.cpu.activations import erf_value, sigmoid_value
from kernels.cpu.compilation import inlined
from kernels.cpu.simd import (
    broadcast,
    exp,
    exp2,
    fma,
    lanes,
    largest,
    load,
    load_first,
    load_until,
    maximum,
    minimum,
    sqrt,
    store,
    store_first,
    store_until,
    tile,
    total,
    transpose,
    where,
)

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
RANDOM = np.random.default_rng(0)
compiled = njit(error_model="numpy")


def test_the_processor_is_the_one_that_was_asked_for():
    assert os.environ.get("MINIGRAD_TEST_KIND", simd.KIND) == simd.KIND
    assert simd.lanes_of("float32") == max(1, simd.BITS // 32)


def applied(function):
    """A kernel y = function(x, ...) over whole arrays, with a masked end."""
    count = len(inspect.signature(function).parameters)
    function = compiled(function) if function.__name__ == "<lambda>" else function
    if count == 1:

        @compiled
        def run(x, y):
            for i in range(0, x.size, lanes(x)):
                n = min(lanes(x), x.size - i)
                store_first(y, i, function(load_first(x, i, n)), n)
    else:

        @compiled
        def run(x, z, y):
            for i in range(0, x.size, lanes(x)):
                n = min(lanes(x), x.size - i)
                store_first(y, i, function(load_first(x, i, n), load_first(z, i, n)), n)

    def apply(*arrays):
        y = np.empty_like(arrays[0])
        run(*arrays, y)
        return y

    return apply


# ---- Functions -----------------------------------------------------------------------------------

RANGES = {
    "exp": (exp, np.exp, {"float32": (-104, 89), "float64": (-746, 710)}, 1.5),
    "exp2": (exp2, np.exp2, {"float32": (-125.5, 126.5), "float64": (-1021, 1023)}, 1.5),
    "sigmoid": (sigmoid_value, lambda x: 1 / (1 + np.exp(-x)), (-80, 80), 3),
    "erf": (erf_value, np.vectorize(math.erf), (-7, 7), {"float32": 4, "float64": 70}),
    "sqrt": (sqrt, np.sqrt, (0, 1e30), 0.51),
}


@DTYPES
@pytest.mark.parametrize("name", RANGES)
def test_functions_to_a_few_units_in_the_last_place(name, dtype):
    function, expected, interval, units = RANGES[name]
    low, high = interval[dtype] if isinstance(interval, dict) else interval
    units = units[dtype] if isinstance(units, dict) else units
    x = np.linspace(low, high, 20_001).astype(dtype)
    y = applied(function)(x)
    with np.errstate(over="ignore"):
        exact = expected(x.astype(np.float64))
        in_range = np.isfinite(exact.astype(dtype))
        y, exact, beyond = y[in_range], exact[in_range], y[~in_range]
        error = np.abs(y - exact) / np.spacing(np.abs(exact).astype(dtype))
    assert np.max(error) <= units
    assert np.all(np.isinf(beyond))


SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 800.0, -800.0]


@DTYPES
@pytest.mark.parametrize("name", ["exp", "sigmoid", "erf"])
def test_functions_of_special_values(name, dtype):
    function, expected, *_ = RANGES[name]
    x = np.array(SPECIAL, dtype)
    with np.errstate(over="ignore"):
        exact = expected(x.astype(np.float64))
        rounded = exact.astype(dtype)
    y = applied(function)(x)
    tiny = 2 * np.finfo(dtype).smallest_subnormal
    np.testing.assert_allclose(y, rounded, rtol=1e-6 if dtype == "float32" else 1e-14, atol=tiny)


@DTYPES
def test_exp2_keeps_nan_and_is_0_far_below(dtype):
    y = applied(exp2)(np.array([np.nan, -np.inf, -2000, 0, 1], dtype))
    np.testing.assert_array_equal(y, [np.nan, 0, 0, 1, 2])


OPERATORS = {
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x * y": lambda x, y: x * y,
    "x / y": lambda x, y: x / y,
    "-x": lambda x, y: -x,
    "2 + x * 3 - y / 4": lambda x, y: 2 + x * 3 - y / 4,
    "1 - (1 / x)": lambda x, y: 1 - (1 / x),
}
CHOICES = {
    "where(x < y, x, y)": (lambda x, y: where(x < y, x, y), lambda x, y: np.where(x < y, x, y)),
    "where(x <= y, 1, y)": (lambda x, y: where(x <= y, 1, y), lambda x, y: np.where(x <= y, 1, y)),
    "where(x > 0, x, 0)": (lambda x, y: where(x > 0, x, 0), lambda x, y: np.where(x > 0, x, 0)),
    "where(x >= y, x, y)": (lambda x, y: where(x >= y, x, y), lambda x, y: np.where(x >= y, x, y)),
    "where(x == y, 1, x)": (lambda x, y: where(x == y, 1, x), lambda x, y: np.where(x == y, 1, x)),
    "maximum": (maximum, np.maximum),
    "minimum": (minimum, np.minimum),
}


@DTYPES
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_mix_vectors_and_numbers_and_round_as_numpy_does(name, dtype):
    x, y = RANDOM.standard_normal((2, 100)).astype(dtype)
    np.testing.assert_array_equal(applied(OPERATORS[name])(x, y), OPERATORS[name](x, y))


@DTYPES
@pytest.mark.parametrize("name", CHOICES)
def test_comparisons_choose_lane_by_lane(name, dtype):
    ours, expected = CHOICES[name]
    x, y = RANDOM.integers(-2, 3, (2, 100)).astype(dtype)
    np.testing.assert_array_equal(applied(ours)(x, y), expected(x, y))


@DTYPES
def test_the_maximum_is_the_second_where_one_is_nan(dtype):
    x, y = np.array([[np.nan, 1, np.nan], [2, np.nan, np.nan]], dtype)
    np.testing.assert_array_equal(applied(maximum)(x, y), [2, np.nan, np.nan])


@DTYPES
def test_fma_is_x_y_plus_z(dtype):
    x, y = RANDOM.standard_normal((2, 100)).astype(dtype)
    found = applied(lambda x, y: fma(x, y, 0.5))(x, y)
    np.testing.assert_allclose(found, x * y + 0.5, rtol=0, atol=4 * np.finfo(dtype).eps)


@DTYPES
def test_lanes_fold_to_their_sum_and_their_largest(dtype):
    n = simd.lanes_of(dtype)

    @compiled
    def fold(x, y):
        y[0], y[1] = total(load(x, 0)), largest(load(x, 0))

    for i in range(n):  # the largest in each lane once
        x, y = RANDOM.standard_normal(n).astype(dtype), np.empty(2, dtype)
        x[i] += 10
        fold(x, y)
        np.testing.assert_allclose(y, [x.sum(), x.max()], rtol=1e-5)


# ---- Memory --------------------------------------------------------------------------------------


@DTYPES
def test_load_and_store_touch_the_lanes_that_they_name_alone(dtype):
    width = simd.lanes_of(dtype)

    @compiled
    def copy_first(x, y, i, n):
        store_first(y, i, load_first(x, i, n) + 1, n)

    @compiled
    def copy(x, y, i):
        store(y, i, load(x, i) + 1)

    for n in range(width + 1):
        x = np.arange(3 * width, dtype=dtype)
        y = np.full_like(x, -7)
        copy_first(x, y, 3 % width, n)
        start = 3 % width
        np.testing.assert_array_equal(y[start : start + n], x[start : start + n] + 1)
        assert np.all(np.delete(y, slice(start, start + n)) == -7)
    y = np.full_like(x, -7)
    copy(x, y, 1)
    assert np.array_equal(y[1 : 1 + width], x[1 : 1 + width] + 1) and np.sum(y != -7) == width


@DTYPES
def test_up_to_an_end_nothing_beyond_it_is_read_or_written(dtype):
    @compiled
    def copy_until(x, y, i, end):
        store_until(y, i, end, load_until(x, i, end, 5))

    @compiled
    def load_all(x, y, i, end):
        store(y, 0, load_until(x, i, end, 5))

    width = simd.lanes_of(dtype)
    x = np.arange(3 * width, dtype=dtype)
    for n in range(2 * width):
        y, z = np.full_like(x, -7), np.empty(width, dtype)
        start, count = 3 % width, min(n, width)
        copy_until(x, y, start, start + n)
        load_all(x, z, start, start + n)
        written = slice(start, start + count)
        np.testing.assert_array_equal(y[written], x[written])
        assert np.all(np.delete(y, written) == -7)
        np.testing.assert_array_equal(z, [*x[written], *[5] * (width - count)])


@DTYPES
def test_masked_out_lanes_are_zeros(dtype):
    @compiled
    def spread(x, y, n):
        store(y, 0, load_first(x, 0, n))

    width = simd.lanes_of(dtype)
    for n in range(width + 1):
        y = np.full(width, -7, dtype)
        spread(np.ones(width, dtype), y, n)
        np.testing.assert_array_equal(y, np.arange(width) < n)


@DTYPES
def test_broadcast_copies_a_number_to_all_lanes(dtype):
    @compiled
    def fill(y, number):
        store(y, 0, broadcast(y, number))

    y = np.zeros(simd.lanes_of(dtype), dtype)
    fill(y, 2.5)
    assert np.all(y == 2.5)


@DTYPES
def test_transpose_turns_a_square_of_memory(dtype):
    n = simd.lanes_of(dtype)
    a, b = RANDOM.standard_normal((n + 2, n + 5)).astype(dtype), np.zeros((n + 1, n + 3), dtype)

    @compiled
    def turn(a, b, i, j):
        transpose(a, i, a.shape[1], b, j, b.shape[1])

    turn(a, b, a.shape[1] + 2, 3)
    np.testing.assert_array_equal(b[:n, 3:], a[1 : n + 1, 2 : n + 2].T)
    assert not b[:, :3].any() and not b[n:].any()


# ---- The tile ------------------------------------------------------------------------------------


@DTYPES
@pytest.mark.parametrize("start", ["zero", "add", "added", "not added", "scale"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("k", [0, 1, 5])
def test_a_tile_is_a_product_and_touches_nothing_else(dtype, start, masked, k):
    rows, vectors = simd.TILE
    width = simd.lanes_of(dtype)
    columns = vectors * width - (width // 2 if masked else 0)
    a, b, c, s = (
        RANDOM.standard_normal(shape).astype(dtype)
        for shape in [(rows, k), (k, columns), (rows + 1, columns + 2), vectors * width]
    )
    if start == "not added":
        c[:rows, 1 : columns + 1] = np.nan  # what is not read
    expected = np.nan_to_num(c)
    begin = {"add": 1, "added": 1, "scale": s[:columns]}.get(start, 0)
    product = a.astype("float64") @ b + begin * expected[:rows, 1 : columns + 1]
    expected[:rows, 1 : columns + 1] = product
    call_tile(rows, vectors, start, masked)(a, b, c, s, columns - (vectors - 1) * width)
    np.testing.assert_allclose(c, expected, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)
    outside = np.ones(c.shape, bool)
    outside[:rows, 1 : columns + 1] = False
    np.testing.assert_array_equal(c[outside], expected[outside])


def call_tile(rows, vectors, start, masked):
    """A compiled call of a tile with what comes behind k, as `start` and `masked` ask for it."""
    is_added = int(start == "added")
    run_tile = tile(rows, vectors, "either" if "added" in start else start, masked)

    @inlined
    def run(a, b, c, *rest):
        run_tile(a, 0, b.shape[0], 1, b, 0, b.shape[1], c, 1, c.shape[1], b.shape[0], *rest)

    if start == "scale" and masked:
        return compiled(lambda a, b, c, s, n: run(a, b, c, s, 0, n))
    if start == "scale":
        return compiled(lambda a, b, c, s, n: run(a, b, c, s, 0))
    if "added" in start and masked:
        return compiled(lambda a, b, c, s, n: run(a, b, c, is_added, n))
    if "added" in start:
        return compiled(lambda a, b, c, s, n: run(a, b, c, is_added))
    if masked:
        return compiled(lambda a, b, c, s, n: run(a, b, c, n))
    return compiled(lambda a, b, c, s, n: run(a, b, c))


@DTYPES
def test_a_tile_reads_a_by_strides_of_its_own(dtype):
    rows, vectors = simd.TILE
    columns, k = vectors * simd.lanes_of(dtype), 3
    run_tile = tile(rows, vectors)
    a = RANDOM.standard_normal((k, rows)).astype(dtype)
    b, c = RANDOM.standard_normal((k, columns)).astype(dtype), np.empty((rows, columns), dtype)
    compiled(lambda a, b, c: run_tile(a, 0, 1, rows, b, 0, columns, c, 0, columns, k))(a, b, c)
    np.testing.assert_allclose(c, a.T.astype("float64") @ b, rtol=0, atol=1e-5)
