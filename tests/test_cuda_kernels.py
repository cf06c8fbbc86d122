"""Every kernel for GPUs is its reference: in the simulator, in each order of threads, and on a GPU.

The simulator looks for faults in every kernel that runs here. On a GPU the arrays lie between
sentinels, beside which nothing may be written. `run` is what starts a kernel.
"""

import functools
import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest
from numba import cuda

from kernels import cuda as cuda_kernels
from kernels import reference, simulator
from kernels import windows as counting
from kernels.cuda import (
    attention,
    attention_ladder,
    convolution,
    cross_entropy,
    elementwise,
    gemm,
    matmul,
    normalization,
    optimizers,
    pooling,
    scatter,
    softmax,
)
from kernels.cuda.compile import KERNELS, MODULES
from kernels.cuda.elementwise import mixed, uniform
from kernels.cuda.launch import of_width
from kernels.simulator.instructions import tf32
from tests import seeded_bugs
from tests.orders import ALL_RUNS, ONE_RUN, RUNS

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def empty(*shape):
    """An array to be written to."""
    return np.full(shape, np.nan, np.float32)


def close(ours, right, rtol=1e-5, atol=1e-6):
    np.testing.assert_allclose(ours, right, rtol=rtol, atol=atol)


TABLES = {*matmul.LAUNCHES, *softmax.LADDER, *attention_ladder.LAUNCHES, *scatter.LAUNCHES}


def test_no_kernel_is_forgotten():
    """A kernel is a plain function; what kernels call is decorated, what starts them is private."""
    rooms = {path.stem for path in Path(cuda_kernels.__path__[0]).glob("*.py") if has_kernels(path)}
    assert rooms == {module.__name__.rpartition(".")[2] for module in MODULES}
    for module in MODULES:
        functions = inspect.getmembers(module, inspect.isfunction)
        own = {name for name, function in functions if function.__module__ == module.__name__}
        made = {name.rpartition("_")[0] for name in module.LAUNCHES}  # by a function, of a size
        public = {name for name in own if not name.startswith("_")}
        assert public <= module.LAUNCHES.keys() | made


def has_kernels(path):
    return "LAUNCHES = " in path.read_text(encoding="utf-8")


def test_no_kernel_is_without_a_test():
    """Each is in a table that a test runs through, or named in one."""
    text = Path(__file__).read_text("utf-8")
    for name in KERNELS:
        module, _, kernel = name.partition(".")
        if module in ("attention", "gemm"):  # a test has kernels of all widths
            kernel = kernel.rstrip("_0123456789")
        is_tested = kernel in TABLES or f'"{kernel}"' in text
        assert is_tested or module == "array_kernels", f"no test runs {name}"


# ---- Products of matrices ------------------------------------------------------------------------


@ALL_RUNS
@pytest.mark.parametrize("shape", [(1, 1, 1), (18, 19, 20), (33, 7, 35)])
@pytest.mark.parametrize("name", matmul.LAUNCHES)
def test_products_of_matrices(name, shape, run):
    assert_product(name, shape, run)


# Of small products these make several blocks as well, and the last one tiles that take turns.
LARGE = [
    ("register_tiled", (66, 3, 70)),
    ("vectorised", (130, 3, 132)),
    ("double_buffered", (130, 3, 132)),
    ("double_buffered", (5, 25, 9)),
    ("tensor_cores", (130, 5, 134)),
    ("tensor_cores", (18, 72, 20)),
]


@ONE_RUN
@pytest.mark.parametrize("name, shape", LARGE)
def test_products_of_several_blocks_and_tiles(name, shape, run):
    assert_product(name, shape, run)


def assert_product(name, shape, run):
    m, k, n = shape
    a, b, c = normal(m, k), normal(k, n, seed=1), empty(m, n)
    matmul.LAUNCHES[name](run, a, b, c)
    if name == "tensor_cores":
        a, b = tf32(a), tf32(b)
    close(c, reference.matmul(a, b), atol=1e-5)


# ---- Products for layers -------------------------------------------------------------------------

PRODUCTS = "product", "transposed_a", "transposed_b"


@RUNS
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 18, 19, 20), (2, 33, 40, 4)])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_in_batches(name, shape, run):
    assert_products(name, 64, shape, run)


@RUNS
@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("edge, shape", [(64, (2, 70, 3, 72)), (128, (1, 130, 9, 132))])
def test_products_of_several_blocks(edge, shape, name, run):
    assert_products(name, edge, shape, run)


def assert_products(name, edge, shape, run):
    """The matrices of a batch stand below each other."""
    z, m, k, n = shape
    a, b, c = normal(z, m, k), normal(z, k, n, seed=1), empty(z * m, n)
    given_a = a.swapaxes(1, 2) if name == "transposed_a" else a
    given_b = b.swapaxes(1, 2) if name == "transposed_b" else b
    given = (x.reshape(-1, x.shape[2]).copy() for x in (given_a, given_b))
    of_width(gemm.LAUNCHES, name, edge)(run, *given, c)
    close(c, reference.matmul(a, b).reshape(z * m, n), atol=1e-5)


@ONE_RUN
@pytest.mark.parametrize("name", PRODUCTS)
def test_what_is_infinite_stays_in_its_own_matrix(name, run):
    """0 times infinity is NaN: so neither operand is read beyond its own matrix of the batch."""
    for changed in range(2):
        given = [normal(2, 20, 20), normal(2, 20, 20, seed=1)]
        given[changed][1] = np.inf
        c = empty(40, 20)
        of_width(gemm.LAUNCHES, name, 64)(run, *(x.reshape(40, 20) for x in given), c)
        a, b = (x[0] for x in given)
        a, b = a.T if name == "transposed_a" else a, b.T if name == "transposed_b" else b
        close(c[:20], a @ b, atol=1e-5)


@ONE_RUN
@pytest.mark.parametrize("k, parts", [(10, 4), (5, 4), (40, 2)])
def test_a_sum_in_parts(k, parts, run):
    """Of rows that no number of parts need divide: the last parts are shorter, or have none."""
    a, b, c = normal(k, 8), normal(k, 5, seed=1), empty(parts * 8, 5)
    of_width(gemm.LAUNCHES, "transposed_a", 64)(run, a, b, c)
    each = -(-k // parts)
    for part, ours in enumerate(c.reshape(parts, 8, 5)):
        of_part = slice(part * each, (part + 1) * each)
        close(ours, a[of_part].T @ b[of_part], atol=1e-5)


@ONE_RUN
@pytest.mark.parametrize("name", [name for name in elementwise.FUNCTIONS if name])
def test_dense_with_each_activation(name, run):
    x, weight, bias = normal(18, 19), normal(19, 20, seed=1), normal(20, seed=2)
    assert_dense(64, (x, weight, bias), name, run)


@RUNS
@pytest.mark.parametrize(
    "edge, shape", [(64, (33, 7, 35)), (64, (70, 17, 68)), (128, (130, 3, 132))]
)
def test_dense(edge, shape, run):
    n, d, u = shape
    assert_dense(edge, (normal(n, d), normal(d, u, seed=1), normal(u, seed=2)), "gelu", run)


@ONE_RUN
@pytest.mark.parametrize("name", [None, "relu"], ids=str)
def test_dense_without_a_bias_in_one_array(name, run):
    """Nobody asks for z of these."""
    x, weight, y = normal(18, 19), normal(19, 20, seed=1), empty(18, 20)
    launch = of_width(gemm.LAUNCHES, "dense", 64)
    launch(run, x, weight, empty(0), elementwise.FUNCTIONS[name], y, y)
    close(y, x @ weight if name is None else reference_of(name)(x @ weight), atol=1e-5)


def assert_dense(edge, arguments, name, run):
    x, weight, bias = arguments
    z, y = empty(len(x), len(bias)), empty(len(x), len(bias))
    launch = of_width(gemm.LAUNCHES, "dense", edge)
    launch(run, *arguments, elementwise.FUNCTIONS[name], z, y)
    right = x @ weight + bias
    close(z, right, atol=1e-5)
    close(y, reference_of(name)(right), atol=1e-5)


# ---- Rows ----------------------------------------------------------------------------------------

SIZES = pytest.mark.parametrize("n, d", [(1, 1), (3, 40), (9, 150)])


@RUNS
@SIZES
@pytest.mark.parametrize("name", softmax.LADDER)
def test_softmax(name, n, d, run):
    assert_softmax(name, n, d, run)


@ONE_RUN
def test_softmax_of_more_rows_than_a_block_has_threads(run):
    assert_softmax("by_thread", 130, 2, run)


def assert_softmax(name, n, d, run):
    x = 5 * normal(n, d)
    x[0, :-1:3] = -np.inf
    p = empty(n, d)
    softmax.LADDER[name](run, x, p)
    close(p, reference.softmax(x), atol=1e-7)


@RUNS
@SIZES
def test_softmax_backward(n, d, run):
    g, p, dx = normal(n, d), reference.softmax(normal(n, d, seed=1)), empty(n, d)
    softmax.LAUNCHES["backward"](run, g, p, dx)
    close(dx, reference.softmax_backward(g, p))


@RUNS
@SIZES
def test_cross_entropy(n, d, run):
    z, labels, g = 5 * normal(n, d), np.arange(n) * 7 % d, normal(n)
    losses, norms, dz = empty(n), empty(n, 2), empty(n, d)
    cross_entropy.LAUNCHES["cross_entropy"](run, z, labels, losses, norms)
    right, right_norms = reference.cross_entropy(z, labels)
    close(losses, right)
    close(norms, right_norms)
    cross_entropy.LAUNCHES["cross_entropy_backward"](run, g, z, norms, labels, dz)
    close(dz, reference.cross_entropy_backward(g, z, norms, labels))


@ONE_RUN
@pytest.mark.parametrize("label", [-1, 5])
def test_a_label_that_is_none_makes_nan(label, run):
    z, labels = normal(2, 5), np.array([label, 1])
    losses, norms, dz = empty(2), empty(2, 2), empty(2, 5)
    cross_entropy.LAUNCHES["cross_entropy"](run, z, labels, losses, norms)
    backward = cross_entropy.LAUNCHES["cross_entropy_backward"]
    backward(run, normal(2), z, norms, labels, dz)
    assert np.isnan(losses).tolist() == [True, False]
    assert np.isnan(dz).all(axis=1).tolist() == np.isnan(dz).any(axis=1).tolist() == [True, False]


@RUNS
@SIZES
def test_layer_norm(n, d, run):
    given = normal(n, d), normal(d, seed=1), normal(d, seed=2), np.float32(1e-3)
    made = empty(n, d), empty(n, 1), empty(n, 1)
    normalization.LAUNCHES["layer_norm"](run, *given, *made)
    for ours, right in zip(made, reference.layer_norm(*given)):
        close(ours, right, atol=1e-5)


@RUNS
@SIZES
@pytest.mark.parametrize("parts", [1, 2])
def test_layer_norm_backward(parts, n, d, run):
    x, scale, g = normal(n, d), normal(d, seed=1), normal(n, d, seed=2)
    _, mean, r = reference.layer_norm(x, scale, scale, np.float32(1e-3))
    dx, *parameters = empty(n, d), empty(parts, d), empty(parts, d)
    normalization.LAUNCHES["layer_norm_backward"](run, g, x, mean, r, scale, dx)
    normalization.LAUNCHES["layer_norm_parameters"](run, g, x, mean, r, *parameters)
    rights = reference.layer_norm_backward(g, x, mean, r, scale)
    for ours, right in zip((dx, *(parts.sum(axis=0) for parts in parameters)), rights):
        close(ours, right, rtol=1e-4, atol=1e-5)


@RUNS
@SIZES
def test_rms_norm(n, d, run):
    x, scale, g, epsilon = normal(n, d), normal(d, seed=1), normal(n, d, seed=2), np.float32(1e-3)
    y, r, dx, dscale = empty(n, d), empty(n, 1), empty(n, d), empty(2, d)
    normalization.LAUNCHES["rms_norm"](run, x, scale, epsilon, y, r)
    for ours, right in zip((y, r), reference.rms_norm(x, scale, epsilon)):
        close(ours, right, atol=1e-5)
    normalization.LAUNCHES["rms_norm_backward"](run, g, x, r, scale, dx)
    normalization.LAUNCHES["rms_norm_parameters"](run, g, x, r, dscale)
    for ours, right in zip((dx, dscale.sum(axis=0)), reference.rms_norm_backward(g, x, r, scale)):
        close(ours, right, rtol=1e-4, atol=1e-5)


@RUNS
@SIZES
def test_norms_of_a_sum(n, d, run):
    x, residual, scale, offset = normal(n, d), normal(n, d, seed=1), normal(d), normal(d, seed=2)
    epsilon = np.float32(1e-3)
    total, y, mean, r = empty(n, d), empty(n, d), empty(n, 1), empty(n, 1)
    launch = normalization.LAUNCHES["residual_layer_norm"]
    launch(run, x, residual, scale, offset, epsilon, total, y, mean, r)
    assert np.array_equal(total, x + residual)
    for ours, right in zip((y, mean, r), reference.layer_norm(total, scale, offset, epsilon)):
        close(ours, right, atol=1e-5)
    launch = normalization.LAUNCHES["residual_rms_norm"]
    launch(run, x, residual, scale, epsilon, total, y, r)
    for ours, right in zip((y, r), reference.rms_norm(total, scale, epsilon)):
        close(ours, right, atol=1e-5)


# ---- Attention -----------------------------------------------------------------------------------

NO_MASK, NONE = np.zeros((0, 0), bool), np.zeros(0, np.float32)


def attend(run, q, k, v, causal=0, mask=NO_MASK, rate=0.0):
    """-> o, norms (b, h, t, 2), and the options that the way back takes as well"""
    scale = np.float32(1 / math.sqrt(q.shape[-1]))
    options = scale, causal, mask, np.float32(rate), np.uint64(KEY)
    o, norms = empty(*q.shape[:3], v.shape[-1]), empty(math.prod(q.shape[:3]), 2)
    of_width(attention.LAUNCHES, "forward", max(q.shape[-1], v.shape[-1]))(
        run, q, k, v, *options, o, norms
    )
    return o, norms.reshape(*q.shape[:3], 2), options


def attend_back(run, g, q, k, v, o, norms, options):
    """-> dq, dk, dv"""
    rows, width = math.prod(g.shape[:3]), max(q.shape[-1], v.shape[-1])
    inner, *gradients = empty(rows), *(empty(*x.shape) for x in (q, k, v))
    attention.LAUNCHES["inner_products"](run, g.reshape(rows, -1), o.reshape(rows, -1), inner)
    given = g, q, k, v, norms.reshape(rows, 2), inner, *options
    of_width(attention.LAUNCHES, "queries", width)(run, *given, gradients[0])
    of_width(attention.LAUNCHES, "keys", width)(run, *given, *gradients[1:])
    return gradients


# {what: ((b, h, hₖ, t, s, d, e), causal, share of keys that there are, rate of dropout)}
ATTENTION = {
    "fewer features than four": ((2, 1, 1, 3, 5, 3, 2), 0, 0.7, 0),
    "groups of heads, masked, dropped": ((1, 2, 1, 18, 35, 20, 31), 1, 0.7, 0.3),
    "several blocks": ((1, 1, 1, 70, 71, 8, 8), 1, 1, 0),
    "several blocks, masked, dropped": ((1, 1, 1, 66, 67, 5, 4), 0, 0.7, 0.3),
    "several groups and examples": ((2, 4, 2, 2, 3, 4, 5), 0, 0.7, 0),
    "heads of 32 features": ((1, 1, 1, 66, 67, 32, 32), 1, 0.7, 0.3),
    "heads of up to 64 features": ((1, 1, 1, 6, 7, 33, 64), 1, 0.7, 0.3),
    "heads of up to 64 features, several blocks": ((1, 1, 1, 70, 71, 61, 44), 1, 1, 0),
    "wide heads": ((1, 1, 1, 6, 3, 84, 70), 1, 1, 0),
    "wide heads, several tiles": ((1, 1, 1, 35, 37, 84, 70), 1, 1, 0),
}


QUICK = "groups of heads, masked, dropped"  # has most in it; the others take longer still


@RUNS
@pytest.mark.parametrize(
    "what",
    [QUICK, *(pytest.param(what, marks=pytest.mark.slow) for what in ATTENTION if what != QUICK)],
)
def test_attention(what, run):
    assert_attention(what, run)


@ONE_RUN
@pytest.mark.parametrize("what", ["heads of up to 64 features", "wide heads"])
def test_attention_of_more_features(what, run):
    """By the kernels for up to 64 and up to 128, which the slow cases above run in all orders"""
    assert_attention(what, run)


def assert_attention(what, run):
    (b, h, heads, t, s, d, e), causal, share, rate = ATTENTION[what]
    q, k, v = normal(b, h, t, d), normal(b, heads, s, d, seed=1), normal(b, heads, s, e, seed=2)
    mask = np.random.default_rng(4).random((b, s)) < share
    o, norms, options = attend(run, q, k, v, causal, mask, rate)
    given = {"causal": bool(causal), "mask": mask, "rate": rate, "key": KEY}
    right, right_norms = reference.attention(q, k, v, **given)
    close(o, right, atol=1e-5)
    close(norms, right_norms, atol=1e-5)
    g = normal(b, h, t, e, seed=3)
    ours = attend_back(run, g, q, k, v, o, norms, options)
    rights = reference.attention_backward(g, q, k, v, right, right_norms, **given)
    for found, expected in zip(ours, rights):
        close(found, expected, rtol=1e-4, atol=2e-5)


@ONE_RUN
def test_a_query_that_sees_nothing_gets_zeros(run):
    q, k, v = normal(1, 1, 2, 4), normal(1, 1, 3, 4), normal(1, 1, 3, 4)
    o, norms, options = attend(run, q, k, v, mask=np.zeros((1, 3), bool))
    assert not o.any() and np.all(norms == -np.inf)
    gradients = attend_back(run, normal(1, 1, 2, 4), q, k, v, o, norms, options)
    assert not any(gradient.any() for gradient in gradients)


@ONE_RUN
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_told(bad, run):
    q, k, v = normal(1, 1, 2, 4), abs(normal(1, 1, 3, 4)), normal(1, 1, 3, 4)
    q[0, 0, 1] = bad
    o, norms, _ = attend(run, q, k, v)
    assert np.isnan(norms[0, 0, 1]).all() and np.isnan(o[0, 0, 1]).all()
    assert np.isfinite(norms[0, 0, 0]).all() and np.isfinite(o[0, 0, 0]).all()


@pytest.mark.parametrize("name", ["forward", "queries", "keys"])
def test_heads_of_32_features_need_less_of_shared_memory(name):
    """Half of what those of 64 need for weighted sums; and there no bank has to be waited for."""
    weighted_sums = {}
    for width in (32, 64):
        kernel = f"{name}_{width}"
        given = seeded_bugs.ARGUMENTS[attention](kernel, (1, 1, 7, 9, 32))
        traffic = attention.LAUNCHES[kernel](simulator.launch, *given)
        lines = [x for x in traffic.lines if re.search(r"load4\((tile|weights)", x.site.text)]
        assert len({line.array.name for line in lines}) == 2
        assert all(line.transactions == line.least for line in lines), f"{width}\n{traffic}"
        weighted_sums[width] = sum(line.requests for line in lines)
    assert 2 * weighted_sums[32] == weighted_sums[64] > 0


def test_heads_that_are_too_wide_are_refused():
    with pytest.raises(ValueError, match="forward takes at most 128 features. Received: 129"):
        of_width(attention.LAUNCHES, "forward", 129)


@RUNS
@pytest.mark.parametrize(
    "name, t, s, causal",
    [("by_definition", 130, 9, 0), ("by_definition", 7, 18, 1), ("tiled", 18, 19, 1)],
)
def test_the_ladder_to_attention(name, t, s, causal, run):
    q, k, v = normal(1, 2, t, 6), normal(1, 1, s, 6, seed=1), normal(1, 1, s, 5, seed=2)
    mask = np.random.default_rng(4).random((1, s)) < 0.7
    o, norms, scores = empty(1, 2, t, 5), empty(2 * t, 2), empty(1, 2, t, s)
    buffer = [scores] * (name == "by_definition")
    scale = np.float32(1 / math.sqrt(6))
    launch = attention_ladder.LAUNCHES[name]
    launch(run, q, k, v, scale, causal, mask, *buffer, o, norms)
    right, right_norms = reference.attention(q, k, v, causal=bool(causal), mask=mask)
    close(o, right, atol=1e-5)
    close(norms, right_norms.reshape(-1, 2), atol=1e-5)


# ---- Convolution ---------------------------------------------------------------------------------

# {what: ((n, h, w, c), (kh, kw, units), groups, strides, padding, dilation)}
CONVOLUTIONS = {
    "one axis": ((2, 1, 9, 3), (1, 3, 5), 1, (1, 2), ((0, 0), (1, 0)), (1, 1)),
    "strides and gaps": ((1, 7, 6, 2), (3, 2, 4), 1, (2, 1), ((1, 2), (0, 1)), (1, 2)),
    "groups": ((2, 5, 4, 6), (2, 2, 4), 2, (1, 1), ((0, 1), (1, 0)), (2, 1)),
    "many units": ((1, 3, 2, 5), (2, 1, 70), 1, (1, 1), ((0, 0), (0, 0)), (1, 1)),
    "a row that no window has": ((2, 5, 3, 2), (2, 1, 3), 1, (2, 1), ((0, 0), (0, 0)), (1, 1)),
    "many windows and places": ((1, 9, 8, 33), (1, 2, 1), 1, (1, 1), ((0, 0), (0, 1)), (1, 1)),
}


@ALL_RUNS
@pytest.mark.parametrize("what", ["strides and gaps", "groups"])
def test_convolution(what, run):
    assert_convolution(what, run)


@ONE_RUN
@pytest.mark.parametrize("what", ["one axis", "many units", "many windows and places"])
def test_convolution_of_many(what, run):
    assert_convolution(what, run)


@ONE_RUN
def test_a_row_that_no_window_has_changes_nothing(run):
    """Though it is infinite, and infinity times 0 would be NaN."""
    assert_convolution("a row that no window has", run, last_row=np.inf)


@ONE_RUN
def test_a_row_that_no_window_has_gets_no_gradient(run):
    """Though those of all windows are infinite."""
    h, weight, dx = np.full((2, 1), np.inf, np.float32), normal(2, 1), empty(1, 5, 1, 1)
    windows = convolution.Windows(2, 1, 1, 2, 1, 0, 0, 1, 1)
    convolution.LAUNCHES["convolution_images"](run, h, weight, windows, 1, dx)
    assert np.isinf(dx.ravel()).tolist() == [True] * 4 + [False]
    assert dx[0, 4] == 0


def assert_convolution(what, run, last_row=None):
    shape, (kh, kw, u), groups, strides, padding, dilation = CONVOLUTIONS[what]
    n, _, _, c = shape
    x, weight, bias = normal(*shape), normal(kh, kw, c // groups, u, seed=1), normal(u, seed=2)
    if last_row is not None:
        x[:, -1] = last_row
    count = counting.counts(shape[1:3], (kh, kw), strides, padding, dilation)
    windows = convolution.Windows(*count, kw, *strides, padding[0][0], padding[1][0], *dilation)
    z, y = empty(n * math.prod(count), u), empty(n * math.prod(count), u)
    matrix, function = weight.reshape(-1, u), elementwise.SILU
    launches = convolution.LAUNCHES
    launches["convolution"](run, x, matrix, bias, windows, groups, function, z, y)
    given = strides, padding, dilation, groups
    right, right_z = reference.convolution(x, weight, bias, *given, "silu")
    close(y, right.reshape(-1, u), atol=1e-5)
    close(z, right_z.reshape(-1, u), atol=1e-5)
    g, dx, dw = normal(*right.shape, seed=3), empty(*shape), empty(*matrix.shape)
    h = g.reshape(-1, u)
    launches["convolution_images"](run, h, matrix, windows, groups, dx)
    launches["convolution_weights"](run, h, x, windows, groups, dw)
    rights = reference.convolution_backward(g, right_z, x, weight, *given)
    close(dx, rights[0], atol=1e-5)
    close(dw.reshape(weight.shape), rights[1], atol=1e-5)


@ONE_RUN
def test_a_convolution_may_have_no_bias_and_one_result(run):
    x, weight, y = normal(1, 3, 3, 2), normal(2, 2, 2, 3), empty(4, 3)
    windows = convolution.Windows(2, 2, 2, 1, 1, 0, 0, 1, 1)
    launch = convolution.LAUNCHES["convolution"]
    launch(run, x, weight.reshape(-1, 3), NONE, windows, 1, elementwise.RELU, y, y)
    right, _ = reference.convolution(x, weight, activation="relu")
    close(y, right.reshape(-1, 3), atol=1e-5)


# ---- Pooling -------------------------------------------------------------------------------------

POOLS = {  # images, rows and columns of a window, strides, padding
    "side by side": ((2, 5, 6, 3), (2, 3), (2, 3), ((0, 0), (0, 0))),
    "one upon the other": ((1, 5, 4, 2), (3, 2), (1, 1), ((1, 1), (0, 1))),
    "gaps": ((1, 5, 7, 5), (1, 2), (2, 3), ((0, 0), (1, 0))),
    "one for all": ((2, 3, 4, 1), (3, 4), (3, 4), ((0, 0), (0, 0))),
}


@RUNS
@pytest.mark.parametrize("what", POOLS)
def test_pooling(what, run):
    shape, size, strides, padding = POOLS[what]
    x = np.round(normal(*shape) * 2)  # so that some are equal
    x[0, 0, 0, 0] = np.nan
    count = counting.counts(shape[1:3], size, strides, padding)
    windows = convolution.Windows(*count, size[1], *strides, padding[0][0], padding[1][0], 1, 1)
    launches, given = pooling.LAUNCHES, (size, strides, padding)
    y, g, dx = (
        empty(shape[0], *count, shape[-1]),
        normal(shape[0], *count, shape[-1]),
        empty(*shape),
    )
    launches["average_pool"](run, x, windows, size[0], y)
    close(y, reference.average_pool(x, *given))
    launches["average_pool_backward"](run, g, windows, size[0], dx)
    close(dx, reference.average_pool_backward(g, shape, *given))
    launches["max_pool"](run, x, windows, size[0], y)
    np.testing.assert_array_equal(y, reference.max_pool(x, *given))
    launches["max_pool_backward"](run, g, x, y, windows, size[0], dx)
    close(dx, reference.max_pool_backward(g, x, y, *given))


@ONE_RUN
def test_the_largest_of_numbers_may_be_minus_infinity(run):
    x, y = np.full((1, 1, 4, 1), -np.inf, np.float32), empty(1, 1, 2, 1)
    x[0, 0, 3] = -3e38
    windows = convolution.Windows(1, 2, 2, 1, 2, 0, 0, 1, 1)
    pooling.LAUNCHES["max_pool"](run, x, windows, 1, y)
    assert y.ravel().tolist() == [-np.inf, np.float32(-3e38)]


# ---- Each number by itself -----------------------------------------------------------------------

COUNTS = pytest.mark.parametrize("n", [1, 8, 1031])


def reference_of(name, backward=False):
    """The reference of an activation. In float32 some of them lose more than kernels do."""
    if name == "tanh":
        return (lambda g, y: g * (1 - y * y)) if backward else np.tanh
    function = getattr(reference, name.removesuffix("_tanh") + "_backward" * backward)
    return functools.partial(function, approximate=True) if name == "gelu_tanh" else function


@RUNS
@COUNTS
@pytest.mark.parametrize("name", [name for name in elementwise.FUNCTIONS if name])
def test_activations(name, n, run):
    number = elementwise.FUNCTIONS[name]
    x, g, y, dx = 3 * normal(n), normal(n, seed=1), empty(n), empty(n)
    elementwise.LAUNCHES["value"](run, x, number, y)
    close(y, reference_of(name)(x.astype(float)))
    told = y if number in elementwise.FROM_VALUE else x
    elementwise.LAUNCHES["pull"](run, g, told, number, dx)
    close(dx, reference_of(name, backward=True)(g, told.astype(float)))


@ONE_RUN
def test_activations_far_from_0_stay_exact(run):
    """1 + erf would leave nothing of Φ(-6), and e⁻ˣ overflows at -100."""
    x, y = np.array([-6, -100, 100, np.nan], np.float32), empty(4)
    elementwise.LAUNCHES["value"](run, x, elementwise.GELU, y)
    close(y, [-6 * 9.865876e-10, 0, 100, np.nan], atol=0)
    for number, right in (
        (elementwise.RELU, [0, 0, 100]),
        (elementwise.SILU, [-0.0148357, 0, 100]),
    ):
        elementwise.LAUNCHES["value"](run, x, number, y)
        close(y, [*right, np.nan])


@RUNS
@pytest.mark.parametrize("n, u", [(1, 1), (5, 8), (7, 150)])
def test_a_bias_and_an_activation(n, u, run):
    x, bias, z, y = normal(n, u), normal(u, seed=1), empty(n, u), empty(n, u)
    launch = elementwise.LAUNCHES["biased"]
    launch(run, x.ravel(), bias, elementwise.GELU, z.ravel(), y.ravel())
    close(z, x + bias)
    close(y, reference.gelu(x + bias))


KEY = 2**63 + 12345


@RUNS
@COUNTS
def test_random_numbers_have_the_bits_of_the_reference(n, run):
    x, y, dropped = normal(n), empty(n), empty(n)
    elementwise.LAUNCHES["random_uniform"](run, np.uint64(KEY), y)
    right = reference.random_uniform(x, KEY)
    np.testing.assert_array_equal(y, right)
    rate = right[0]  # which is not below itself, so that x[0] stays
    elementwise.LAUNCHES["dropout"](run, x, rate, np.uint64(KEY), dropped)
    np.testing.assert_array_equal(dropped, reference.dropout(x, rate, KEY))


def numbers_at(key, places, y):
    i = cuda.grid(1)
    y[i] = uniform(mixed(key), places[i])


def test_random_numbers_are_others_beyond_65536_and_beyond_2_to_the_32():
    """So many threads would take long: these ask for single numbers, as `random_uniform` does."""
    places, y = np.array([2**16 - 1, 2**16, 2**17 + 3, 2**32 + 3]), empty(4)
    simulator.launch(numbers_at, 1, 4, np.uint64(KEY), places, y)
    right = reference.random_uniform(np.zeros(2**17 + 4, np.float32), KEY)
    np.testing.assert_array_equal(y[:3], right[places[:3]])
    assert y[3] != right[3]


# ---- The gradient of a look-up -------------------------------------------------------------------


@RUNS
@pytest.mark.parametrize("name", scatter.LAUNCHES)
@pytest.mark.parametrize("n, count, d", [(1, 1, 1), (70, 9, 40), (33, 50, 3)])
def test_scatter_add(name, n, count, d, run):
    index = np.random.default_rng(0).integers(-count, count, n)
    g, total = normal(n, d), np.zeros((count, d), np.float32)
    scatter.LAUNCHES[name](run, index, g, total)
    close(total, reference.scatter_add(total, index, g), atol=1e-5)


@ONE_RUN
def test_an_owner_adds_in_order(run):
    index, g, total = np.zeros(99, np.int64), 10 * normal(99, 2), empty(1, 2)
    scatter.LAUNCHES["by_owner"](run, index, g, total)
    np.testing.assert_array_equal(total, reference.scatter_add(total, index, g))


@ONE_RUN
@pytest.mark.parametrize("name", scatter.LAUNCHES)
def test_an_index_beyond_the_end_is_left_out(name, run):
    total = np.zeros((3, 2), np.float32)
    scatter.LAUNCHES[name](run, np.array([3, 1, -4]), normal(3, 2), total)
    np.testing.assert_array_equal(total[[0, 2]], 0)
    np.testing.assert_array_equal(total[1], normal(3, 2)[1])


# ---- Optimizers ----------------------------------------------------------------------------------


def numbers(*values):
    return [np.float32(value) for value in values]


def positive(n):
    return normal(n, seed=3) ** 2


def mean(n):
    """Its square is well below `positive`, as of a mean below the mean of squares."""
    return normal(n, seed=3) / 2


# {what: (name, what it remembers, arguments of the reference, numbers of the kernel)}
STEPS = {
    "sgd": ("sgd", [None], (0.1, 0.0, False, 0.5), numbers(0.1, 0) + [0] + numbers(0.95)),
    "momentum": ("sgd", [normal], (0.1, 0.9, False, 0.5), numbers(0.1, 0.9) + [0] + numbers(0.95)),
    "nesterov": ("sgd", [normal], (0.1, 0.9, True, 0.5), numbers(0.1, 0.9) + [1] + numbers(0.95)),
    "rmsprop": (
        *("rmsprop", [positive, None, None]),
        *((0.1, 0.9, 0.8, 1e-3, 0.5), numbers(0.1, 0.9, 0.1, 0, 1e-3, 0.95)),
    ),
    "centred": (
        *("rmsprop", [positive, mean, normal]),
        *((0.1, 0.9, 0.8, 1e-3, 0.5), numbers(0.1, 0.9, 0.1, 0.8, 1e-3, 0.95)),
    ),
    "adagrad": ("adagrad", [positive], (0.1, 1e-3, 0.5), numbers(0.1, 1e-3, 0.95)),
}


@RUNS
@COUNTS
@pytest.mark.parametrize("what", STEPS)
def test_steps_of_optimizers(what, n, run):
    name, kinds, options, given = STEPS[what]
    theta, g = normal(n), normal(n, seed=1)
    state = [kind(n) if kind else None for kind in kinds]
    right = [array if array is None else array.copy() for array in (theta, *state)]
    getattr(reference, name)(right[0], g, *right[1:], *options)
    ours = theta, *(NONE if array is None else array for array in state)
    optimizers.LAUNCHES[name](run, ours[0], g, *ours[1:], *given)
    for found, expected in zip(ours, right):
        if expected is not None:
            close(found, expected)


@RUNS
@COUNTS
def test_a_step_of_adam(n, run):
    theta, g, m, v = normal(n), normal(n, seed=1), normal(n, seed=2), positive(n)
    scale, step = np.array([0.5], np.float32), 3
    right = theta.copy(), m.copy(), v.copy()
    options = 0.1, 0.9, 0.999, 1e-3, step, 0.5, scale
    reference.adam(right[0], g, *right[1:], *options)
    root = np.sqrt(1 - 0.999**step)
    rates = numbers(0.1 * root / (1 - 0.9**step), 0.9, 0.1, 0.999, 0.001, 1e-3 * root, 0.95)
    optimizers.LAUNCHES["adam"](run, theta, g, scale, m, v, *rates)
    for found, expected in zip((theta, m, v), right):
        close(found, expected)


# {name: (how many arrays it remembers, numbers of the kernel by which all that is there halves)}
HALVES = {
    "sgd": (1, numbers(0.1, 0.5) + [0] + numbers(1)),
    "rmsprop": (3, numbers(0.1, 0.5, 0.5, 0.5, 1e-7, 1)),
    "adam": (2, numbers(0.1, 0.5, 0.5, 0.5, 0.5, 1e-7, 1)),
}


@ONE_RUN
@pytest.mark.parametrize("name", HALVES)
def test_what_an_optimizer_remembers_fades_to_nothing(name, run):
    """What would be less than 2⁻¹²⁶ becomes 0, on both sides of it; nothing else does."""
    count, given = HALVES[name]
    least = np.float32(2.0**-126)
    theta, g = np.ones(6, np.float32), np.array([0, 0, 0, 0, 0, 1], np.float32)
    remembered = [least * np.float32([2, 1.9, 1, -1, np.nan, 0]) for _ in range(count)]
    scale = [np.ones(1, np.float32)] * (name == "adam")
    optimizers.LAUNCHES[name](run, theta, g, *scale, *remembered, *given)
    for memory in remembered:
        np.testing.assert_array_equal(memory[:5], [least, 0, 0, 0, np.nan])
        assert memory[5] >= 0.5  # what is new
