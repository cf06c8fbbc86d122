"""Every implementation of a kernel against the reference, in float64, on many sizes and layouts.

The cases are in `kernel_cases.py`; a kernel without one fails here.
"""

import functools
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernels
from kernels import dispatch, reference
from kernels.cpu import compilation
from tests.kernel_cases import CASES, UPDATING, Draw, is_float, number_of_sizes, with_dtype

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}  # of max|a - b| / max|b|
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 97, 128, 130]
COUNT = 48  # of the sizes that each kernel is tried with

with dispatch.use("numba"):
    dispatch._load()
COMPILED = dict(dispatch._compiled)


def some_sizes(name):
    """COUNT tuples of sizes: each size alone with ones, all alike, and mixed."""
    mixed = np.random.default_rng(len(name))
    n = number_of_sizes(name)
    chosen = [(0,) * n, (1,) * n, *(tuple(np.roll([0] + [3] * (n - 1), i)) for i in range(n))]
    while len(chosen) < COUNT:
        chosen.append(tuple(mixed.choice(SIZES, n)))
    return [tuple(map(int, sizes)) for sizes in chosen]


# ---- Layouts: the same numbers, in other places of memory, between NaNs that nobody may read -----


def plain(x):
    return around(x, np.s_[...])


def read_only(x):
    x = plain(x)
    x.setflags(write=False)
    return x


def fortran(x):
    return plain(x.T).T


def every_other(x):
    """Along each axis every second place of a larger array."""
    wide = np.full([2 * n + 1 for n in x.shape], filler(x.dtype), x.dtype)
    places = wide[tuple(slice(1, None, 2) for _ in x.shape)]
    places[...] = x
    return places


def reverse(x):
    return plain(x[tuple(slice(None, None, -1) for _ in x.shape)])[
        tuple(slice(None, None, -1) for _ in x.shape)
    ]


def far_apart(x):
    """Rows that lie a page of memory apart."""
    if x.ndim < 2:
        return every_other(x)
    wide = np.full((*x.shape[:-1], 1024), filler(x.dtype), x.dtype)
    wide[..., 5 : 5 + x.shape[-1]] = x
    return wide[..., 5 : 5 + x.shape[-1]]


LAYOUTS = [read_only, fortran, every_other, reverse, far_apart]
GUARD = 64


def filler(dtype):
    return {"f": np.nan, "i": np.iinfo(np.int64).min, "b": True}[np.dtype(dtype).kind]


def around(x, index):
    """A copy of x[index] between guards of NaN, or of the smallest integer."""
    x = np.ascontiguousarray(x[index]).reshape(x.shape)
    flat = np.full(x.size + 2 * GUARD, filler(x.dtype), x.dtype)
    inner = flat[GUARD : GUARD + x.size]
    inner[...] = x.ravel()
    return inner.reshape(x.shape)


class GuardedResults:
    """Inside this `with`, arrays that kernels allocate lie between guards, which `check` reads."""

    def __enter__(self):
        self.flats = []
        self.patches = [
            mock.patch.object(np, "empty", self.empty),
            mock.patch.object(np, "empty_like", self.empty_like),
        ]
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *error):
        for patch in self.patches:
            patch.stop()

    def empty(self, shape, dtype=float, **options):
        shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
        size = int(np.prod(shape, dtype=int))
        flat = np.full(size + 2 * GUARD, 77, dtype)
        self.flats.append(flat)
        return flat[GUARD : GUARD + size].reshape(shape)

    def empty_like(self, x, dtype=None, shape=None, **options):
        return self.empty(x.shape if shape is None else shape, dtype or x.dtype)

    def check(self):
        for flat in self.flats:
            assert np.all(flat[:GUARD] == 77) and np.all(flat[-GUARD:] == 77), "wrote outside"


# ---- Comparing -----------------------------------------------------------------------------------


def compare(name, arguments, dtype, layout, covered=False):
    """Run a kernel on arguments in a layout, and assert that results and arguments are right."""
    compile_module_of(name, dtype)
    layout = plain if name in UPDATING and layout is read_only else layout
    arguments, options = with_dtype(arguments, dtype)
    given, option_arrays = copies(arguments, layout), copies(options.values(), layout)
    options_given = dict(zip(options, option_arrays))
    wide, _ = with_dtype([*copies(arguments, np.copy), {}], "float64")
    with np.errstate(all="ignore"):
        expected = getattr(reference, name)(*wide, **options)
        with kernels.use("numba"), GuardedResults() as results:
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
        if is_float(b):
            assert_close(a, b, dtype)


@functools.cache
def compile_module_of(name, dtype):
    """Compile all that the kernel may call, while np.empty is NumPy's, which is all Numba knows."""
    for kernel in compilation.KERNELS:
        if kernel.function.__module__ == COMPILED[name].__module__:
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

KERNELS = pytest.mark.parametrize("name", sorted(COMPILED))
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE)


def test_every_implementation_has_cases():
    assert COMPILED.keys() == CASES.keys()


@KERNELS
@DTYPES
def test_results_are_those_of_the_reference(name, dtype):
    for i, sizes in enumerate(some_sizes(name)):
        arguments = CASES[name](Draw(i), *sizes)
        for layout in (plain, LAYOUTS[i % len(LAYOUTS)]):
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


@KERNELS
@DTYPES
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_do_not_vanish(name, dtype, special):
    for seed in range(6):
        r = Draw(seed)
        arguments = CASES[name](
            r, *(SIZES[3 + (5 * seed + i) % 17] for i in range(number_of_sizes(name)))
        )
        floats = [a for a in arguments if is_float(a) and a.size]
        for a in floats[:1]:
            a.ravel()[r.integers(a.size, 2)] = special
        compare(name, arguments, dtype, plain)


@KERNELS
@DTYPES
def test_numbers_below_the_normal_ones_are_no_zeros(name, dtype):
    for seed in range(4):
        sizes = (SIZES[4 + 5 * seed],) * number_of_sizes(name)
        arguments = CASES[name](Draw(seed), *sizes)
        first = next(a for a in arguments if is_float(a))
        largest = max(np.abs(first).max(), 1e-300)
        first *= 1000 * float(np.finfo(dtype).smallest_subnormal) / largest
        compare(name, arguments, dtype, plain)
