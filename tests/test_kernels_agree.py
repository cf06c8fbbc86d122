"""Every implementation of a kernel against the reference, in float64, on many sizes and layouts.

The cases are in `kernel_cases.py`; a kernel without one fails here.
"""

import functools
import inspect
import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernels
from kernels import dispatch, reference
from kernels.cpu import compilation, matmul, threads
from tests.kernel_cases import CASES, UPDATING, Draw, is_float, number_of_sizes, with_dtype

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}  # of max|a - b| / max|b|
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 97, 128, 130]
COUNT = 48  # of the sizes that each kernel is tried with

with dispatch.use("numba"):
    dispatch._load()
COMPILED = dict(dispatch._compiled)


def some_sizes(name):
    """COUNT or more tuples of sizes, no two alike: all 0, all 1, one that stands out, and mixed."""
    n = number_of_sizes(name)
    if n == 1:
        return [(size,) for size in sorted({*SIZES, *range(COUNT)})]
    outstanding = [
        tuple(np.where(axis, a, b).tolist())
        for a, b in ((0, 3), (1, 33), (65, 1))
        for axis in np.eye(n, dtype=bool)
    ]
    chosen = dict.fromkeys([(0,) * n, (1,) * n, *outstanding])
    mixed = np.random.default_rng(len(name))
    while len(chosen) < COUNT:
        chosen[tuple(mixed.choice(SIZES, n).tolist())] = None
    return list(chosen)


# ---- Layouts: the same numbers, in other places of memory, between guards that nobody may touch --

GUARD = 64
# These NaNs signal: what arithmetic makes of them has other bits, so that it shows.
FILLERS = {
    "float32": np.uint32(0x7FA00000).view(np.float32),
    "float64": np.uint64(0x7FF4000000000000).view(np.float64),
    "int64": np.int64(np.iinfo(np.int64).min),
    "bool": np.bool_(True),
}


def full_of_fillers(shape, dtype):
    dtype = np.dtype(dtype)
    return np.full(shape, FILLERS[dtype.name], dtype)


def between_guards(shape, dtype):
    """A new array, and fillers before and behind it."""
    size = math.prod(shape)
    flat = full_of_fillers(size + 2 * GUARD, dtype)
    return flat[GUARD : GUARD + size].reshape(shape)


def is_filler(x):
    bits = np.dtype(f"u{x.itemsize}")
    return x.view(bits) == FILLERS[x.dtype.name].view(bits)


def assert_guards_are_whole(x):
    """All of the memory that x is a part of, except for x, is full of fillers as at first."""
    around = np.count_nonzero(is_filler(x.base)) - np.count_nonzero(is_filler(x))
    assert around == x.base.size - x.size, "wrote outside"


def plain(x):
    inner = between_guards(x.shape, x.dtype)
    inner[...] = x
    return inner


def read_only(x):
    x = plain(x)
    x.setflags(write=False)
    return x


def fortran(x):
    return plain(x.T).T


def every_other(x):
    """Along each axis every second place of a larger array."""
    wide = full_of_fillers([2 * n + 1 for n in x.shape], x.dtype)
    places = wide[tuple(slice(1, None, 2) for _ in x.shape)]
    places[...] = x
    return places


def reverse(x):
    backwards = tuple(slice(None, None, -1) for _ in x.shape)
    return plain(x[backwards])[backwards]


def far_apart(x):
    """Rows that lie a page of memory apart."""
    if x.ndim < 2:
        return every_other(x)
    wide = full_of_fillers((*x.shape[:-1], 1024), x.dtype)
    wide[..., 5 : 5 + x.shape[-1]] = x
    return wide[..., 5 : 5 + x.shape[-1]]


LAYOUTS = [read_only, fortran, every_other, reverse, far_apart]


class GuardedResults:
    """Inside this `with`, arrays that kernels allocate lie between guards, which `check` reads.

    One thread computes. That more of them change no bit is a promise of `check_threads.py`.
    """

    def __enter__(self):
        self.arrays = []
        self.patches = [
            mock.patch.object(np, name, getattr(self, name))
            for name in ("empty", "empty_like", "zeros", "zeros_like")
        ]
        self.patches.append(mock.patch.object(threads, "count", lambda work: 1))
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *error):
        for patch in self.patches:
            patch.stop()

    def filled(self, value, shape, dtype):
        x = between_guards((shape,) if np.ndim(shape) == 0 else shape, dtype)
        x[...] = value
        self.arrays.append(x)
        return x

    def empty(self, shape, dtype=float, **options):
        return self.filled(77, shape, dtype)

    def empty_like(self, x, dtype=None, shape=None, **options):
        return self.empty(x.shape if shape is None else shape, dtype or x.dtype)

    def zeros(self, shape, dtype=float, **options):
        return self.filled(0, shape, dtype)

    def zeros_like(self, x, dtype=None, shape=None, **options):
        return self.zeros(x.shape if shape is None else shape, dtype or x.dtype)

    def check(self):
        for x in self.arrays:
            assert_guards_are_whole(x)


# ---- Comparing -----------------------------------------------------------------------------------


def compare(name, arguments, dtype, layout, covered=False):
    """Run a kernel on arguments in a layout, and assert that results and arguments are right."""
    assert kernels.backend() == "numba"
    compile_module_of(name, dtype)
    layout = plain if name in UPDATING and layout is read_only else layout
    arguments, options = with_dtype(arguments, dtype)
    given, option_arrays = copies(arguments, layout), copies(options.values(), layout)
    options_given = dict(zip(options, option_arrays))
    wide, _ = with_dtype([*copies(arguments, np.copy), {}], "float64")
    with np.errstate(all="ignore"):
        expected = getattr(reference, name)(*wide, **options)
        with GuardedResults() as results:
            found = getattr(kernels, name)(*given, **options_given)
        results.check()
        if covered:
            again = COMPILED[name](*copies(arguments, layout), **options_given)
            assert again is not NotImplemented
    for a, b in zip(as_list(found), as_list(expected), strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert a.dtype == dtype
            assert_close(a, b, dtype)
    for a, b in zip(given, wide, strict=True):  # what the reference changes, and nothing else
        if is_float(b) and name in UPDATING:
            assert_close(a, b, dtype)
    for a, b in zip((*given, *option_arrays), (*arguments, *options.values()), strict=True):
        if isinstance(b, np.ndarray):
            assert_guards_are_whole(a)
            if name not in UPDATING:
                np.testing.assert_array_equal(a, b)


@functools.cache
def compile_module_of(name, dtype):
    """Compile all that the kernel may call, while np.empty is NumPy's, which is all Numba knows."""
    modules = COMPILED[name].__module__, matmul.__name__  # whose `add_product` others call
    for kernel in compilation.KERNELS:
        if kernel.function.__module__ in modules and not kernel.parallel:
            kernel[np.dtype(dtype)]


def copies(arguments, layout):
    return [layout(a) if isinstance(a, np.ndarray) else a for a in arguments]


def as_list(results):
    return list(results) if isinstance(results, tuple) else [results]


def assert_close(a, b, dtype):
    assert a.shape == b.shape
    with np.errstate(over="ignore"):
        b_rounded = b.astype(dtype)
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    infinite = np.isinf(b_rounded)
    np.testing.assert_array_equal(a[infinite], b_rounded[infinite])
    finite = np.isfinite(b_rounded)
    if np.any(finite):
        largest = np.max(np.abs(b[finite]))
        allowed = TOLERANCE[dtype] * largest + 32 * np.finfo(dtype).smallest_subnormal
        assert np.max(np.abs(a[finite] - b[finite])) <= allowed


# ---- The promises --------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="module")
def numba_backend():
    with kernels.use("numba"):
        yield


KERNELS = pytest.mark.parametrize("name", sorted(COMPILED))
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE)


def test_every_implementation_has_cases():
    assert COMPILED.keys() == CASES.keys()


@KERNELS
@DTYPES
def test_results_are_those_of_the_reference(name, dtype):
    for i, sizes in enumerate(some_sizes(name)):
        arguments = CASES[name](Draw(i), *sizes)
        for layout in (plain, *LAYOUTS):
            try:
                compare(name, arguments, dtype, layout, covered=layout is plain)
            except Exception as error:
                error.add_note(f"{name}, sizes {sizes}, {dtype}, layout {layout.__name__}")
                raise


@KERNELS
@given(data=st.data())
def test_results_are_those_of_the_reference_for_any_sizes(name, data):
    sizes = [data.draw(st.integers(0, 80)) for _ in range(number_of_sizes(name))]
    arguments = CASES[name](Draw(data.draw(st.integers(0, 999))), *sizes)
    dtype = data.draw(st.sampled_from(list(TOLERANCE)))
    compare(name, arguments, dtype, data.draw(st.sampled_from([plain, *LAYOUTS])))


BELOW_NORMAL = "below the normal numbers"
SPECIALS = np.nan, np.inf, -np.inf, BELOW_NORMAL
# Special arguments for which a kernel need not do what the reference does, and why.
EXCEPTIONS = {
    ("log_softmax_backward", "y"): ((np.inf,), "it is the logarithm of a probability"),
    ("cross_entropy_backward", "norms"): ((-np.inf,), "with one infinite, the other is NaN"),
    ("convolution_backward", "g"): ((BELOW_NORMAL,), "there, each of many terms is rounded"),
    ("attention_backward", "norms"): (SPECIALS, "the reference finds them anew from q and k"),
}


def changed_one_by_one(name, change, seeds):
    """(parameter, arguments) for each seed and each array of floating numbers, which is changed."""
    parameters = inspect.signature(getattr(reference, name)).parameters
    for seed in range(seeds):
        sizes = [SIZES[3 + (5 * seed + i) % 17] for i in range(number_of_sizes(name))]
        for place, parameter in enumerate(parameters):
            r = Draw(seed)
            arguments = list(CASES[name](r, *sizes))
            if place < len(arguments) and is_float(arguments[place]):
                change(r, arguments[place])
                with np.errstate(all="ignore"):
                    make_consistent(name, parameter, arguments)
                yield parameter, arguments


def make_consistent(name, parameter, arguments):
    """Find again what depends on a parameter that was changed."""
    if name == "attention":  # NumPy makes NaN of 0 times a NaN that is hidden
        arguments[-1].update(causal=False, mask=None)
    if name == "attention_backward":
        _, q, k, v, _, _, options = arguments
        if parameter in "qkv":
            arguments[4:6] = reference.attention(q, k, v, **options)
    if name == "cross_entropy_backward" and parameter == "logits":
        _, logits, _, labels = arguments
        arguments[2] = reference.cross_entropy(logits, labels)[1]


@KERNELS
@DTYPES
@pytest.mark.parametrize("special", SPECIALS)
def test_special_numbers_do_not_vanish(name, dtype, special):
    def change(r, array):
        if special == BELOW_NORMAL:
            array *= 1000 * float(np.finfo(dtype).smallest_subnormal) / np.abs(array).max()
        else:
            array.flat[r.integers(array.size, 2)] = special

    for parameter, arguments in changed_one_by_one(name, change, seeds=6):
        if special not in EXCEPTIONS.get((name, parameter), [()])[0]:
            try:
                compare(name, arguments, dtype, plain)
            except Exception as error:
                error.add_note(f"{parameter} of {name}, {dtype}")
                raise
