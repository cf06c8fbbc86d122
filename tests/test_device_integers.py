"""Integers on a GPU are those of NumPy to the last bit, and beyond 2⁵³, which float64 is not."""

import functools

import numba
import numpy as np
import pytest

from kernels.cuda import ufuncs
from kernels.cuda.device import Device
from tests import orders

pytestmark = [
    pytest.mark.no_cover,  # what runs here is no line of minigrad
    pytest.mark.filterwarnings("ignore:divide by zero"),
    pytest.mark.filterwarnings("ignore:overflow encountered"),
]

DTYPES = ["int8", "uint8", "int32", "int64", "uint64"]


def of_integers(ufunc, dtype):
    """Whether NumPy computes this of integers as integers."""
    try:
        loop = ufunc.resolve_dtypes((*[np.dtype(dtype)] * ufunc.nin, None))
    except TypeError:
        return False
    return all(kind.kind in "iub" for kind in loop)


UFUNCS = [ufunc for ufunc in ufuncs.KNOWN if isinstance(ufunc, np.ufunc)]
WORK = [(ufunc, dtype) for ufunc in UFUNCS for dtype in DTYPES if of_integers(ufunc, dtype)]
EACH = pytest.mark.parametrize(
    "ufunc, dtype", WORK, ids=[f"{ufunc.__name__}-{dtype}" for ufunc, dtype in WORK]
)


def integers(dtype):
    """Those at the ends of a dtype, those that no float64 is, and some small ones"""
    limits = np.iinfo(dtype)
    numbers = {-7, -2, -1, 0, 1, 2, 3, 7, 8, 63, 64, 2**53 + 1, -(2**53) - 1, 3037000501}
    numbers |= {limits.min, limits.min + 1, limits.max - 1, limits.max}
    return np.array(sorted(n for n in numbers if limits.min <= n <= limits.max), dtype)


def operands(ufunc, dtype):
    """All integers, or all pairs of them, that NumPy has a result for"""
    x = integers(dtype)
    if ufunc is np.reciprocal:
        x = x[x != 0]  # of which NumPy says inf, as an integer
    if ufunc.nin == 1:
        return [x]
    a, b = np.repeat(x, x.size), np.tile(x, x.size)
    return [a[b >= 0], b[b >= 0]] if ufunc is np.power else [a, b]


def same(ours, right):
    assert ours.dtype == right.dtype
    np.testing.assert_array_equal(ours, right)


@pytest.fixture(params=[*orders.EACH, *orders.ELSEWHERE])
def device(request):
    return Device(orders.machine_of(request.param))


@EACH
def test_integers_are_those_of_numpy(ufunc, dtype, device):
    given = operands(ufunc, dtype)
    same(ufunc(*map(device.put, given)).numpy(), ufunc(*given))


@EACH
def test_what_numba_compiles_is_that_as_well(ufunc, dtype):
    """For the host: in the simulator integers are NumPy's own, and wrap around as these do."""
    given = operands(ufunc, dtype)
    right = ufunc(*given)
    *loop, _ = ufunc.resolve_dtypes((*[np.dtype(dtype)] * ufunc.nin, None))
    y = np.empty_like(right)
    compiled(ufunc, loop[-1])(y, *(x.astype(kind) for x, kind in zip(given, loop)))
    same(y, right)


@functools.cache
def compiled(ufunc, dtype):
    """y = f(x) or f(a, b) of arrays, where division by 0 is what it is on a GPU"""
    kind = numba.from_dtype(dtype)
    f = numba.njit(error_model="numpy")(ufuncs.function_of(ufunc, kind).py_func)

    def of_one(y, x):
        for i in range(y.size):
            y[i] = f(x[i])

    def of_two(y, a, b):
        for i in range(y.size):
            y[i] = f(a[i], b[i])

    return numba.njit(error_model="numpy")(of_one if ufunc.nin == 1 else of_two)


# ---- From one dtype to another -------------------------------------------------------------------

EVERY = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


@pytest.mark.parametrize("dtype", EVERY)
def test_an_integer_that_does_not_fit_wraps_around(dtype, device):
    for other in EVERY[1:]:
        x = integers(other)
        same(device.put(x).astype(dtype).numpy(), x.astype(dtype))


def test_what_is_written_wraps_around(device):
    x, large = np.zeros((2, 3, 2), np.int8), np.array([300, -129, 2**40 + 5])
    for array, numbers in ((x, large), (y := device.put(x), device.put(large))):
        array[0, :, 1] = numbers
        np.add(numbers, 1000, out=array[1, :, 0])
        np.copyto(array[1, :, 1], numbers)
    same(y.numpy(), x)


@pytest.mark.parametrize("total", [np.sum, np.prod, np.cumsum], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_totals_of_a_smaller_dtype_wrap_around(total, dtype, device):
    x = np.array([[300, 7, -5], [2**33 + 9, 130, 1]])
    same(total(device.put(x), axis=1, dtype=dtype).numpy(), total(x, axis=1, dtype=dtype))


@pytest.mark.parametrize("dtype", [*EVERY, "float32", "float64"])
def test_a_place_that_is_named_twice_is_added_to_twice(dtype, device):
    """Numbers of less than 4 bytes no GPU adds in one step."""
    x, values = np.array([[100, 1], [0, 7]]).astype(dtype), np.array([[1, 0], [99, 5], [98, 1]])
    places, values = np.array([0, 1, 0]), values.astype(dtype)
    y = device.put(x)
    np.add.at(y, device.put(places), device.put(values))
    np.add.at(x, places, values)
    same(y.numpy(), x)


# ---- Powers below 0 ------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [-1, np.int64(-2)], ids=["int", "np.int64"])
def test_integers_have_no_power_of_a_number_below_0(power, device):
    x = np.array([1, 2, 3])
    with pytest.raises(ValueError, match="negative integer powers"):
        x**power
    with pytest.raises(ValueError, match=f"no power of {power} that is an integer"):
        device.put(x) ** power


@pytest.mark.parametrize("shape", [(3,), (3, 3)])
def test_a_power_below_0_in_an_array_is_told_when_the_host_reads_next(shape, device):
    powers = np.broadcast_to(np.array([2, 0, -1], np.int32), shape)
    y = device.put(np.array([5, 5, 5])) ** device.put(powers).T
    with pytest.raises(ValueError, match="raised to a power below 0 on Device.*last read"):
        y.numpy()
    assert y.numpy().T[..., :2].tolist() == np.broadcast_to([25, 1], (*shape[:-1], 2)).tolist()


def test_other_numbers_have_powers_below_0(device):
    x, powers = np.array([1.0, 2, 4]), np.array([-1, -2, 0])
    same((device.put(x) ** device.put(powers)).numpy(), x**powers)
    same((device.put(np.array([2, 3], np.uint8)) ** 3).numpy(), np.array([8, 27], np.uint8))


def test_an_index_and_a_power_are_told_apart(device):
    x = device.put(np.array([1, 2, 3]))
    x[device.put(np.array([3]))]
    with pytest.raises(IndexError, match="beyond the end"):
        x.numpy()
    assert x.numpy().tolist() == [1, 2, 3]
