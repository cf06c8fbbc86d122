"""Products of matrices in kernels.cpu: layouts, batches, `out`, special values, and the ladder.

That they agree with the reference on many sizes is tested in test_kernels_agree.py.
"""

import numba
import numpy as np
import pytest

import kernels
from kernels import reference
from kernels.cpu import dense as dense_module
from kernels.cpu.matmul import in_parts, matmul
from kernels.ladder.matmul import RUNGS

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

RANDOM = np.random.default_rng(0)
DTYPES = ("float32", "float64")
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}


def draw(*shape, dtype="float32"):
    return RANDOM.standard_normal(shape).astype(dtype)


def assert_product(c, a, b):
    expected = np.matmul(a.astype("float64"), b.astype("float64"))
    assert np.shape(c) == expected.shape and c.dtype == a.dtype
    if expected.size:
        error = np.max(np.abs(c - expected)) / max(np.max(np.abs(expected)), 1e-30)
        assert error < TOLERANCE[str(a.dtype)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "left, right",
    [
        ((5,), (5,)),
        ((5,), (5, 7)),
        ((5,), (3, 5, 7)),
        ((4, 5), (5,)),
        ((3, 4, 5), (5,)),
        ((3, 4, 5), (5, 7)),
        ((4, 5), (3, 5, 7)),
        ((2, 3, 4, 5), (3, 5, 7)),
        ((2, 1, 4, 5), (1, 3, 5, 7)),
        ((2, 3, 4, 5), (2, 1, 5, 1)),
        ((0, 4, 5), (5, 7)),
        ((2, 4, 0), (2, 0, 3)),
        ((130, 300), (300, 70)),
    ],
)
def test_vectors_and_batches_are_those_of_numpy(left, right, dtype):
    a, b = draw(*left, dtype=dtype), draw(*right, dtype=dtype)
    assert_product(matmul(a, b), a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m, k, n", [(33, 70, 65), (130, 260, 129), (1, 300, 90), (90, 300, 1)])
def test_no_operand_needs_to_be_contiguous(m, k, n, dtype):
    for a in (draw(m, k, dtype=dtype), draw(k, m, dtype=dtype).T, draw(2 * m, 3 * k, dtype=dtype)):
        for b in (draw(k, n, dtype=dtype), draw(n, k, dtype=dtype).T, draw(2 * k, 3 * n)):
            a, b = a[-m:][::-1, :k], b[-k:][::-1, :n].astype(dtype, order="K", copy=False)
            assert_product(matmul(a, b), a, b)
    assert_product(matmul(a, np.broadcast_to(b[:, :1], (k, n))), a, np.tile(b[:, :1], n))


@pytest.mark.parametrize("m, n", [(8, 32), (8, 3), (1, 300), (1, 1)])
def test_a_long_sum_of_like_numbers_keeps_its_digits(m, n):
    k = 2**16
    for columns in (np.full((k, n), 0.1, "float32"), np.full((n, k), 0.1, "float32").T):
        np.testing.assert_allclose(matmul(np.ones((m, k), "float32"), columns), 0.1 * k, rtol=2e-5)


def test_heads_that_a_transformer_makes_are_read_in_place():
    q = draw(2, 50, 4, 16).transpose(0, 2, 1, 3)
    assert_product(matmul(q, q.swapaxes(-1, -2)), q, q.swapaxes(-1, -2))


def test_out_is_written_and_returned():
    a, b = draw(3, 40, 50), draw(50, 60)
    for left in (a, a[0]):
        out = np.full((*left.shape[:-1], 60), np.nan, np.float32)
        assert matmul(left, b, out=out) is out
        assert_product(out, left, b)


@pytest.mark.parametrize("place", ["strided", "overlaps", "other shape", "other dtype"])
def test_an_out_that_cannot_be_filled_is_left_to_numpy(place):
    a, b = draw(8, 8), draw(8, 8)
    out = {
        "strided": np.empty((8, 16), np.float32)[:, ::2],
        "overlaps": a,
        "other shape": np.empty((8, 7), np.float32),
        "other dtype": np.empty((8, 8)),
    }[place]
    assert matmul(a, b, out=out) is NotImplemented


def test_the_error_of_a_wrong_shape_is_that_of_numpy():
    with kernels.use("numba"), pytest.raises(ValueError, match="mismatch"):
        kernels.matmul(draw(3, 4), draw(5, 6))


def test_arrays_that_are_not_aligned_are_left_to_numpy():
    packed = np.zeros(12, np.dtype([("byte", "i1"), ("x", "f4")]))["x"].reshape(3, 4)
    assert matmul(packed, draw(4, 5)) is NotImplemented
    assert matmul(draw(5, 3), packed) is NotImplemented


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("m, n", [(5, 21), (1, 21), (21, 1), (130, 70)])
def test_zero_times_nan_or_infinity_is_nan_there_alone(value, m, n):
    a, b = np.zeros((m, 9), np.float32), np.ones((9, n), np.float32)
    a[0, 4] = value
    b[4, n - 1] = 0
    for c in (matmul(a, b), matmul(a, np.asfortranarray(b))):
        assert np.isnan(c[0, n - 1])
        assert np.all(c[1:] == 0) and not np.isfinite(c[0]).any()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("m, k, n", [(200, 300, 150), (1, 900, 900), (900, 900, 1), (16, 900, 100)])
def test_the_number_of_threads_changes_no_bit(m, k, n, order, monkeypatch):
    monkeypatch.setattr("kernels.cpu.threads.WORTH_SHARING", 0)
    a, b = draw(m, k), np.asarray(draw(k, n), order=order)
    before, results = numba.get_num_threads(), []
    try:
        for threads in range(1, numba.config.NUMBA_NUM_THREADS + 1):
            numba.set_num_threads(threads)
            results.append(matmul(a, b).tobytes())
    finally:
        numba.set_num_threads(before)
    assert len(set(results)) == 1


@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
def test_the_number_of_threads_changes_no_bit_of_a_layer(activation, monkeypatch):
    monkeypatch.setattr("kernels.cpu.threads.WORTH_SHARING", 0)
    x, weight, bias, g = draw(64, 300), draw(300, 130), draw(130), draw(64, 130)
    before, results = numba.get_num_threads(), []
    try:
        for threads in range(1, numba.config.NUMBA_NUM_THREADS + 1):
            numba.set_num_threads(threads)
            y, z = dense_module.dense(x, weight, bias, activation)
            back = dense_module.dense_backward(g, z, x, weight, activation)
            results.append(b"".join(a.tobytes() for a in (y, z, *back)))
    finally:
        numba.set_num_threads(before)
    assert len(set(results)) == 1


@pytest.mark.parametrize(
    "needs", [(True, False, False), (False, True, False), (False, False, True)]
)
@pytest.mark.parametrize("activation", [None, "silu"])
def test_a_layer_finds_the_gradients_that_are_needed_alone(needs, activation):
    g, z, x, weight = (draw(*s, dtype="float64") for s in ((2, 3, 5), (2, 3, 5), (2, 3, 4), (4, 5)))
    found = dense_module.dense_backward(g, z, x, weight, activation, needs)
    expected = reference.dense_backward(g, z, x, weight, activation, needs)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, rung", [(name, rung) for name, rung, _ in RUNGS])
def test_each_rung_of_the_ladder_is_the_product(name, rung, dtype):
    for m, k, n in ((1, 1, 1), (7, 5, 3), (33, 70, 65)):
        a, b = draw(m, k, dtype=dtype), draw(k, n, dtype=dtype)
        assert_product(rung(a, b), a, b)


@pytest.mark.parametrize("sizes", [((3, 4), (4, 5)), ((3, 4), (4, 1)), ((2, 3, 4), (4, 5))])
def test_two_dtypes_are_left_to_numpy(sizes):
    left, right = sizes
    assert matmul(draw(*left), draw(*right, dtype="float64")) is NotImplemented
    assert matmul(draw(*left), draw(*right).astype(int)) is NotImplemented


def test_bytes_in_another_order_are_left_to_numpy():
    """Also once Numba has met an unaligned array: then it takes either for its own kind."""
    a, b = draw(20, 20), draw(20, 20)
    unaligned = np.ones(1601, np.uint8)[1:].view(np.float32).reshape(20, 20)
    assert matmul(a, unaligned) is NotImplemented
    assert matmul(a, b.astype(">f4")) is NotImplemented


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_rows_times_a_large_matrix_are_no_rows(dtype):
    """Such a product was once cut like one with a single row, and wrote behind its end."""
    a, b = np.ones((0, 1024), dtype), np.ones((1024, 1024), dtype)
    assert in_parts(a, b) is None and in_parts(b[:1], b) is not None
    assert matmul(a, b).shape == (0, 1024)
    assert kernels.dense(a, b, b[0], "gelu")[0].shape == (0, 1024)
