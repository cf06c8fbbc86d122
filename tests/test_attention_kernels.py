"""Attention in one pass: hidden places, layouts, threads, memory, and what all kernels promise."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernels
from kernels import reference
from kernels.cpu import attention as compiled
from kernels.cpu import threads as cpu_threads
from kernels.ladder import attention as ladder
from minigrad import Tensor, by_definition, gradcheck, ops
from tests.test_kernels_agree import LAYOUTS, assert_close, compare, plain

RANDOM = np.random.default_rng(0)
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])

# b, h, key heads, t, s, d, e: around the sizes of vectors, blocks (64, 32, ...) and strips (64)
SHAPES = [
    (1, 1, 1, 1, 2, 1, 1),
    (2, 2, 2, 1, 70, 8, 16),
    (1, 4, 2, 16, 16, 32, 32),
    (1, 2, 2, 63, 63, 16, 16),
    (1, 2, 1, 64, 64, 16, 8),
    (1, 2, 2, 65, 65, 5, 17),
    (2, 3, 3, 129, 129, 50, 37),
    (1, 1, 1, 300, 300, 64, 64),
    (1, 4, 1, 200, 450, 8, 8),  # more keys than queries
    (1, 1, 1, 70, 1000, 20, 20),
    (1, 2, 2, 100, 40, 12, 12),  # fewer: the first queries see none
    (1, 1, 1, 5, 0, 4, 4),
    (2, 2, 2, 0, 4, 4, 4),
    (0, 2, 2, 3, 4, 4, 4),
]


def draw(shape, dtype="float32", random=RANDOM):
    """q, k, v, g"""
    b, h, key_heads, t, s, d, e = shape
    shapes = (b, h, t, d), (b, key_heads, s, d), (b, key_heads, s, e), (b, h, t, e)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def forward_and_backward(q, k, v, g, **options):
    """o, norms, dq, dk, dv of the compiled kernels."""
    with kernels.use("numba"):
        o, norms = kernels.attention(q, k, v, **options)
        return o, norms, *kernels.attention_backward(g, q, k, v, o, norms, **options)


def compare_both_ways(shape, dtype, layout, random=RANDOM, **options):
    """Against the reference. At least two keys are seen, or dq and dk would be noise alone."""
    q, k, v, g = draw(shape, dtype, random)
    if options.pop("masked", False):
        options["mask"] = random.random((shape[0], shape[4])) < 0.7
        options["mask"][:, :2] = True
    results = reference.attention(*(x.astype("float64") for x in (q, k, v)), **options)
    arguments = (g, q, k, v, *results, options)
    with kernels.use("numba"):
        compare("attention", (q, k, v, options), dtype, layout, covered=layout is plain)
        compare("attention_backward", arguments, dtype, layout, covered=layout is plain)


OPTIONS = {
    "plain": {},
    "causal": {"causal": True},
    "causal, masked": {"causal": True, "masked": True},
    "causal, dropout": {"causal": True, "rate": 0.25, "key": 3},
    "everything": {"causal": True, "masked": True, "rate": 0.5, "key": 2**63, "scale": 0.3},
}


@DTYPES
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_results_are_those_of_the_reference(shape, options, dtype):
    compare_both_ways(shape, dtype, plain, **options)


@given(
    shape=st.tuples(
        *(st.integers(0, 2), st.integers(1, 2), st.integers(1, 2)),
        *(st.integers(0, 150), st.integers(2, 150), st.integers(1, 40), st.integers(1, 40)),
    ),
    layout=st.sampled_from([plain, *LAYOUTS]),
    options=st.sampled_from(list(OPTIONS.values())),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_results_are_those_of_the_reference_for_any_shape(shape, layout, options, dtype):
    b, group, key_heads, *others = shape
    shape = (b, group * key_heads, key_heads, *others)
    compare_both_ways(shape, dtype, layout, np.random.default_rng(1), **options)


# ---- Hidden places -------------------------------------------------------------------------------


def test_a_query_that_sees_no_key_gets_zeros_and_has_no_gradient():
    q, k, v, g = draw((2, 2, 2, 70, 40, 8, 8))  # causal: the first 30 see nothing
    mask = np.ones((2, 40), bool)
    mask[1] = False
    o, norms, dq, dk, dv = forward_and_backward(q, k, v, g, causal=True, mask=mask)
    for hidden in (np.s_[0, :, :30], np.s_[1]):
        assert not np.any(o[hidden]) and np.all(norms[hidden] == -np.inf)
        assert not np.any(dq[hidden])
    assert not np.any(dk[1]) and not np.any(dv[1])
    assert np.all(np.isfinite(o)) and np.all(np.isfinite(norms[0, :, 30:]))


def test_a_single_key_is_taken_whole_and_its_score_has_no_gradient():
    q, k, v, g = draw((2, 2, 2, 70, 1, 20, 20))
    o, _, dq, dk, dv = forward_and_backward(q, k, v, g)
    assert_close(o, np.broadcast_to(v, o.shape), "float32")
    assert_close(dv, np.sum(g, axis=2, keepdims=True), "float32")
    assert max(np.abs(dq).max(), np.abs(dk).max()) < 1e-4


@DTYPES
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("hidden", [(0, 70), (100, 300), (130, 300), (60, 200)], ids=str)
def test_strips_of_hidden_keys_change_nothing_else(hidden, causal, dtype):
    mask = np.ones((2, 300), bool)
    mask[0, slice(*hidden)] = False
    compare_both_ways((2, 2, 1, 300, 300, 20, 12), dtype, plain, causal=causal, mask=mask)


def test_strips_of_which_all_keys_are_hidden_are_left_out():
    """So what they hold does not matter, not even a NaN."""
    q, k, v, g = draw((1, 2, 1, 100, 300, 20, 12))
    mask = np.ones((1, 300), bool)
    hidden = slice(compiled.STRIP, 2 * compiled.STRIP)
    mask[:, hidden] = False
    expected = forward_and_backward(q, k, v, g, mask=mask)
    k[:, :, hidden], v[:, :, hidden] = np.nan, np.inf
    for a, b in zip(forward_and_backward(q, k, v, g, mask=mask), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@DTYPES
@pytest.mark.parametrize("place", [0, 3, 33, 63, 64, 95, 96])
def test_nan_reaches_all_results_that_depend_on_it(place, dtype):
    """The maximum over keys may forget a NaN; the sums must not."""
    for which in range(4):
        inputs = draw((1, 1, 1, 97, 97, 20, 20), dtype)
        inputs[which][0, 0, place, 3] = np.nan
        results = forward_and_backward(*inputs, causal=True)
        o, norms, dq, dk, dv = (np.isnan(x[0, 0]) for x in results)
        queries = np.s_[place : place + 1] if which in (0, 3) else np.s_[place:]
        keys = np.s_[: place + 1]
        assert np.all(dq[queries]) or place == 0  # of one key only, p is 1 whatever its score
        if which != 3:
            assert np.all(o[queries]) if which != 2 else np.all(o[queries, 3])
            assert np.all(norms[queries]) or which == 2
        if which in (0, 1):
            assert np.all(dv[keys])
        assert np.all(dk[keys]) if place else True


def draw_with_exact_scores(size):
    """q, k, v, g and options. Scores are multiples of `size`, and sixteenths: exact in float32.

    Some keys share a query's largest multiple, and so p is neither 0 nor 1.
    """
    q, k, v, g = draw((1, 2, 2, 80, 200, 2, 20))
    q[..., 0], k[..., 0] = 1, RANDOM.integers(-32, 33, k.shape[:-1]) / 16
    q[..., 1], k[..., 1] = size, RANDOM.integers(-2, 3, k.shape[:-1])
    return [q, k, v, g], {"scale": 1.0, "causal": True}


@DTYPES
@pytest.mark.parametrize("size", [1, 1e3, 1e4, 1e5])
def test_scores_of_any_size_are_differentiated_exactly(size, dtype):
    """The log of a row's sum is not lost beside its largest score."""
    (q, k, v, g), options = draw_with_exact_scores(size)
    with kernels.use("numba"):
        compare("attention", (q, k, v, options), dtype, plain, covered=True)
    wide = [x.astype("float64") for x in (q, k, v, g)]
    o, norms = reference.attention(*wide[:3], **options)
    expected = reference.attention_backward(wide[3], *wide[:3], o, norms, **options)
    found = forward_and_backward(*(x.astype(dtype) for x in (q, k, v, g)), **options)
    for a, b in zip(found[2:], expected, strict=True):
        assert_close(a, b, dtype)


@pytest.mark.parametrize("size", [1e4, 1e8, 1e30])
def test_large_scores_do_not_overflow(size):
    q, k, v, g = draw((1, 1, 1, 80, 80, 4, 4))
    results = forward_and_backward(q * np.float32(size), k, v, g, causal=True)
    assert all(np.all(np.isfinite(x)) for x in results)


def test_weights_are_at_most_1_whoever_made_the_norms():
    """Other code rounds q·k in other ways, and its largest score may be far below the one here."""
    q, k, v, g = draw((1, 1, 1, 80, 80, 64, 64))
    q, g = q * np.float32(1e8), np.ones_like(g)
    o, norms = reference.attention(*(x.astype("float64") for x in (q, k, v)))
    with kernels.use("numba"):
        results = o.astype("float32"), norms.astype("float32")
        dv = kernels.attention_backward(g, q, k, v, *results)[2]
    assert np.all(dv >= 0) and np.all(dv <= 80)


# ---- Layouts and threads -------------------------------------------------------------------------


def as_in_a_transformer(x):
    """The same (b, h, t, d), which lies in memory as (b, t, h, d)."""
    return np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2)


def test_heads_of_a_transformer_are_read_in_place():
    """(b, t, h, d) seen as (b, h, t, d): no copy, and the bits of a copy."""
    q, k, v, g = map(as_in_a_transformer, draw((2, 3, 3, 70, 70, 20, 20)))
    assert all(compiled._with_rows_together(x) is x for x in (q, k, v, g))
    in_place = forward_and_backward(q, k, v, g, causal=True)
    copied = forward_and_backward(*(x.copy(order="C") for x in (q, k, v, g)), causal=True)
    for a, b in zip(in_place, copied, strict=True):
        np.testing.assert_array_equal(a, b)


@DTYPES
@pytest.mark.parametrize("d, e", [(1, 19), (7, 1), (1, 1)])
def test_heads_of_one_feature_are_read_in_place(d, e, dtype):
    """Of an axis of length 1 the strides say nothing."""
    inputs = draw((1, 3, 3, 40, 40, d, e), dtype)
    expected = forward_and_backward(*inputs)
    found = forward_and_backward(*map(as_in_a_transformer, inputs))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@DTYPES
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("which", [0, 1, 2, 3])
def test_what_is_repeated_is_read_in_place(which, axis, dtype):
    """As the same queries for each example: that axis has the stride 0."""
    inputs = draw((2, 3, 3, 40, 40, 6, 5), dtype)
    one = inputs[which].take([0], axis)
    inputs[which] = np.broadcast_to(one, inputs[which].shape)
    expected = forward_and_backward(*(x.copy(order="C") for x in inputs))
    for a, b in zip(forward_and_backward(*inputs), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@DTYPES
@pytest.mark.parametrize("shape", [(1, 2, 1, 300, 520, 20, 12), (1, 1, 1, 700, 700, 16, 16)])
def test_any_number_of_threads_gives_the_same_bits(shape, dtype, monkeypatch):
    inputs = draw(shape, dtype)
    mask = np.ones((1, shape[4]), bool)
    mask[:, 100:300] = False
    options = {"causal": True, "mask": mask, "rate": 0.25, "key": 1}
    results = []
    for threads in (1, 2, 3, 8):
        monkeypatch.setattr(cpu_threads, "count", lambda work, threads=threads: threads)
        results.append(forward_and_backward(*inputs, **options))
    for others in results[1:]:
        for a, b in zip(results[0], others, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("causal", [False, True])
def test_chunks_of_keys_are_equal_work_whatever_the_threads(causal):
    t = s = 4096
    edges = compiled._edges(1, t, s, causal)
    assert edges[0] == 0 and edges[-1] == s and len(edges) == 5
    seen = t - np.arange(s) if causal else np.full(s, t)
    work = np.add.reduceat(seen, edges[:-1])
    assert work.max() / work.min() < 1.15
    assert list(compiled._edges(8, t, s, causal)) == [0, s]


HIGH_WATER, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def memory(name):
    """VmRSS, what the process occupies now, or VmHWM, the most since the last reset: bytes."""
    line = next(x for x in HIGH_WATER.read_text().splitlines() if x.startswith(name))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not RESET.exists(), reason="only Linux tells how much memory was used at most")
def test_memory_grows_with_the_length_and_not_with_its_square():
    q, k, v, g = draw((1, 1, 1, 8192, 8192, 64, 64))
    tensors = [Tensor(x, requires_grad=True) for x in (q, k, v)]
    forward_and_backward(*draw((1, 1, 1, 1024, 1024, 64, 64)), causal=True)  # compiled now
    RESET.write_text("5")
    before = memory("VmRSS")
    with kernels.use("numba"):
        ops.attention(*tensors, causal=True).backward(g)
    assert memory("VmHWM") - before < 4 * (q.nbytes + k.nbytes + v.nbytes)


# ---- What is left to NumPy -----------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 2])
def test_wrong_shapes_are_errors(place):
    inputs = draw((2, 2, 2, 5, 6, 4, 4))[:3]
    inputs[place] = inputs[place][..., :-1, :-1]
    if place == 2:
        inputs[1] = inputs[1][:1]
    assert compiled.attention(*inputs) is NotImplemented
    with kernels.use("numba"), pytest.raises(ValueError):
        kernels.attention(*inputs)


def test_two_dtypes_are_left_to_numpy():
    q, k, v, g = draw((1, 2, 2, 5, 6, 4, 4))
    with kernels.use("numba"):
        o, norms = kernels.attention(q, k.astype("float64"), v)
    assert_close(o, reference.attention(q, k, v)[0], "float32")
    assert compiled.attention_backward(g.astype("float64"), q, k, v, o, norms) is NotImplemented


MASKS = {
    "0 and -inf to be added": (np.zeros((2, 6), "float32"), TypeError, "dtype float32"),
    "integers": (np.ones((2, 6), "int64"), TypeError, "dtype int64"),
    "of queries and keys": (np.ones((5, 6), bool), ValueError, r"shape \(5, 6\)"),
}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(("mask", "error", "received"), MASKS.values(), ids=MASKS)
def test_a_mask_that_does_not_say_which_keys_there_are_is_an_error(mask, error, received, backend):
    q, k, v, _ = draw((2, 2, 2, 5, 6, 4, 4))
    assert compiled.attention(q, k, v, mask=mask) is NotImplemented
    expected = rf"mask must be booleans \(b, s\) = \(2, 6\). Received: .*{received}"
    with kernels.use(backend), pytest.raises(error, match=expected):
        kernels.attention(q, k, v, mask=mask)


# ---- The operation -------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_operation_and_its_gradients_agree_with_the_definition(backend):
    options = {"causal": True, "mask": np.arange(12).reshape(2, 6) % 5 != 3, "rate": 0.25, "key": 9}
    shapes = (2, 4, 3, 5), (2, 2, 6, 5), (2, 2, 6, 7)
    with kernels.use(backend):
        gradcheck(ops.attention, *shapes, **options)
        results = []
        for attention in (ops.attention, by_definition.attention):
            inputs = [Tensor(np.random.default_rng(2).standard_normal(x)) for x in shapes]
            for x in inputs:
                x.requires_grad = True
            o = attention(*inputs, **options)
            o.backward(np.cos(np.arange(o.size)).reshape(o.shape))
            results.append([o.data, *(x.grad for x in inputs)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


# ---- The ladder ----------------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shape", [(1, 2, 2, 70, 70, 8, 8), (2, 1, 1, 5, 130, 17, 9)], ids=str)
@pytest.mark.parametrize("rung", [function for _, function, _ in ladder.RUNGS])
def test_every_rung_of_the_ladder_is_right(rung, shape, causal):
    q, k, v, _ = draw(shape)
    o = rung(q, k, v, causal)
    wide = (x.astype("float64") for x in (q, k, v))
    assert_close(o, reference.attention(*wide, causal=causal)[0], "float32")
