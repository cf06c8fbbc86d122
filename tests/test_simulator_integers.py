"""The simulator computes with integers as Numba does: what numba.njit makes of a line, it makes."""

import linecache

import numba
import numpy as np
import pytest
from numba import cuda, float32

from kernels import simulator
from tests.orders import slow

NAMES = {"np": np, "cuda": cuda} | {
    name: getattr(numba, name)
    for name in ("boolean", "float32", "int8", "int32", "int64", "uint8", "uint32", "uint64")
}
KERNEL = """def kernel(out, a, b):
    for i in range(cuda.grid(1), out.size, 2):
        out[i] = {}
"""
HOST = KERNEL.replace("cuda.grid(1), out.size, 2", "out.size")
INT8, INT16, INT32, INT64 = np.int8, np.int16, np.int32, np.int64
UINT8, UINT16, UINT32, UINT64, BOOL = np.uint8, np.uint16, np.uint32, np.uint64, np.bool_
FLOAT32, FLOAT64 = np.float32, np.float64
VALUES = {  # {kind and bytes: numbers of a, numbers of b}
    "i1": ([100, -128, -7, 5, 0], [100, -1, 2, -3, 7]),
    "i2": ([30000, -32768, -7, 5, 0], [30000, -1, 2, -3, 7]),
    "i4": ([100000, -(2**31), -7, 5, 0], [100000, -1, 2, -3, 7]),
    "i8": ([2**62, -(2**63), -7, 5, 0], [3, -2, 2, -3, 7]),
    "u1": ([200, 255, 5, 0, 1], [100, 255, 100, 3, 2]),
    "u2": ([60000, 65535, 5, 0, 1], [60000, 65535, 100, 3, 2]),
    "u4": ([2**31 + 5, 2**32 - 1, 5, 0, 1], [2654435761, 2**32 - 1, 100, 3, 2]),
    "u8": ([2**63 + 5, 2**64 - 1, 5, 0, 1], [2654435761, 2**64 - 1, 100, 3, 2]),
    "b1": ([True, True, False, False, True], [True, False, True, False, True]),
    "f4": ([2.5, -1.5, 0, 1, 3], [2.5, -1.5, 0.1, 1, 3]),
}
INTEGERS = INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64
PAIRS = [(kind, kind) for kind in (INT8, INT32, INT64, UINT8, UINT64, BOOL)] + [(UINT8, INT32)]
LINES = (  # of any integers
    *("a[i] + b[i]", "a[i] - b[i]", "a[i] * b[i]", "(a[i] + b[i]) // 2", "(a[i] - b[i]) // 2"),
    *("(a[i] - b[i]) % 7", "a[i] & b[i]", "a[i] | 5", "a[i] ^ (a[i] >> 1)", "a[i] << 8"),
    *("a[i] * 256", "a[i] + 300", "1 - a[i]", "-a[i]", "+a[i]", "abs(a[i])", "a[i] ** 2"),
    *("a[i] // b[i]", "a[i] % b[i]", "7 // a[i]", "7 % a[i]", "a[i] == -1", "a[i] < -1"),
    *("a[i] > b[i]", "-1 <= a[i]", "not a[i]", "a[i] and b[i]", "a[i] if a[i] > b[i] else b[i]"),
    *("(a[i] > 1) + (b[i] > 1)", "-(a[i] > 1)", "(a[i] > 1) - (b[i] > 1)", "~(a[i] > 1)"),
    *("(a[i] > 1) & (b[i] > 1)", "(a[i] > 1) ^ b[i]", "(a[i] > 1) * 5", "(a[i] > 1) << 2"),
    *("int(a[i]) * 3", "int64(a[i]) + 1", "uint64(a[i]) >> 2", "bool(a[i]) + 1", "a[i] + i"),
)
CASES = [(line, pair, INT64) for line in LINES for pair in PAIRS]
CASES += [  # Of unsigned ones, LLVM takes it that there is no overflow, and does what it likes.
    (line, (kind, kind), INT64)
    for line in ("(a[i] * 6364136223846793005 + 7) >> 33", "a[i] * 2654435761 % 1000")
    for kind in (INT8, INT32, INT64)
]
CASES += [("~a[i]", (kind, kind), INT64) for kind in (*INTEGERS, BOOL)]
CASES += [("min(a[i] * 2, 255)", (kind, kind), INT64) for kind in (UINT8, UINT16, INT8, INT32)]
CASES += [("min(a[i] + b[i], 255)", (UINT8, UINT8), UINT8)]
CASES += [("(a[i] + b[i]) // 2", (UINT8, UINT8), UINT8), ("(a[i] + 300) // 2", (UINT8,) * 2, UINT8)]
CASES += [("a[i] * b[i]", (kind, FLOAT32), FLOAT64) for kind in INTEGERS]
CASES += [("b[i] - a[i]", (kind, FLOAT32), FLOAT64) for kind in INTEGERS]
CASES += [("a[i] < b[i]", (kind, FLOAT32), INT64) for kind in INTEGERS]
CASES += [("b[i] == a[i]", (kind, FLOAT32), INT64) for kind in INTEGERS]
CASES += [(line, (kind, kind), FLOAT64) for line in ("a[i] * 0.5", "a[i] / 2") for kind in INTEGERS]
CASES += [("a[i] - b[i]", (kind, kind), FLOAT64) for kind in INTEGERS]
CASES += [("a[i] / b[i]", (INT32, INT32), FLOAT64), ("(a[i] + b[i]) / 2", (UINT8,) * 2, FLOAT32)]
CASES += [("int32(a[i]) * int32(100000)", (INT32, INT32), INT64)]
CASES += [("uint32(a[i]) * uint32(2654435761)", (UINT32, UINT32), INT64)]
CASES += [("a[i] ** b[i]", (UINT8, UINT16), INT64), ("(a[i] | 2) ** -1", (INT32, INT32), INT64)]
CASES += [
    (line, (INT64, INT64), kind)
    for kind in (INT64, FLOAT64)
    for line in (
        *("((i + 1) * 6364136223846793005 + 1442695040888963407) >> 33", "1 << (i + 59)"),
        *("i * 2654435761 * 2654435761 * 2654435761 % 1000", "2 ** (i + 59)", "1 << 63"),
        *("-7 // (i + 2)", "-7 % (i + 2)", "~i & 0xFFFFFFFF", "(i > 0) + (i > 1)"),
    )
]


def kinds(case):
    line, pair, kind = case
    return f"{line}-{'-'.join(np.dtype(each).name for each in (*pair, kind))}"


def function(text, line, name):
    source = text.format(line)
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    names = dict(NAMES)
    exec(compile(source, name, "exec"), names)
    return names["kernel"]


# Numba compiles each of them, so that `make test` takes every eighth.
EACH = [case if i % 8 == 0 else slow(case) for i, case in enumerate(CASES)]


@pytest.mark.parametrize("case", EACH, ids=kinds)
def test_integers_are_those_of_numba(case):
    line, pair, kind = case
    a, b = (
        np.array(VALUES[np.dtype(each).str[1:]][place], each) for place, each in enumerate(pair)
    )
    right, out = np.zeros(a.size, kind), np.zeros(a.size, kind)
    host = function(HOST, line, f"<host {line}>")
    numba.njit(error_model="numpy")(host)(right, a, b)
    kernel = function(KERNEL, line, f"<kernel {line}>")
    for check in (True, False):
        simulator.launch(kernel, 1, 2, out, a, b, check=check)
        np.testing.assert_array_equal(out, right, f"check={check}")
        out[:] = 0


# ---- What Python and NumPy say of numbers, in the words of the simulator -------------------------


def divides(x, y):
    i = cuda.grid(1)
    y[i] = 1 / i


def takes_the_rest(x, y):
    i = cuda.grid(1)
    y[i] = 5 % i


def shifts_back(x, y):
    i = cuda.grid(1)
    y[i] = 1 << (i - 1)


def shifts_itself(x, y):
    i = cuda.grid(1)
    y[i] = i << (i - 1)


def shifts_far(x, y):
    i = cuda.grid(1)
    y[i] = x[i] << (64 - i)


def subtracts_conditions(x, y):
    i = cuda.grid(1)
    y[i] = (y[i] > 1) - (y[i] > 2)


def indexes_by_condition(x, y):
    i = cuda.grid(1)
    y[x[i] > 5] = 1


def transposes(x, y):
    y[0] = x.T[0]


def misspells(x, y):
    y[0] = x.sise


def flattens_its_own(x, y):
    mine = cuda.local.array(4, numba.int32)
    y[0] = mine.flat[0]


def looks_back(x, y):
    i = cuda.grid(1)
    y[i] = x[-1] + x[i - 1]


@pytest.mark.parametrize(
    "kernel, kind, words, deed",
    [
        (divides, "division by zero", "divided by 0", "computes 1 / i"),
        (takes_the_rest, "division by zero", "x % 0 of integers are 0", "computes 5 % i"),
        (shifts_back, "overflow", "shifted by -1", "computes 1 << (i - 1)"),
        (shifts_itself, "overflow", "shifted by less than 0", "computes i << (i - 1)"),
        (shifts_far, "overflow", "shifted by 64", "computes x[i] << (64 - i)"),
        (subtracts_conditions, "unknown to the simulator", "int(x > 1)", "computes (y[i] > 1) -"),
        (indexes_by_condition, "does not compile", "True or False", "writes y[x[i] > 5]"),
        (transposes, "unknown to the simulator", "x.T is not simulated", "asks for x.T"),
        (misspells, "does not compile", "x.sise is asked for", "asks for x.sise"),
        (flattens_its_own, "unknown to the simulator", "mine.flat is not", "asks for mine.flat"),
        (looks_back, "out of bounds", "x[-1] is meant", "reads x[i - 1]"),
    ],
)
def test_a_number_that_goes_wrong_is_told(kernel, kind, words, deed):
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(kernel, 1, 4, np.zeros(4, np.int32), np.zeros(4, np.float32))
    assert caught.value.kind == kind and words in str(caught.value)
    assert f"thread (0, 0, 0) of block (0, 0, 0) {deed}" in str(caught.value)


def says_of_itself(x, y):
    mine = cuda.local.array((2, 3), numba.int16)
    y[0], y[1], y[2] = mine.size, mine.itemsize, mine.ndim
    y[3], y[4] = mine.nbytes, x.nbytes
    y[5] = isinstance(cuda.grid(1), int) + 2 * isinstance(x[0], int) + 4 * isinstance(y[0], int)
    y[6] = isinstance(y[0], float32) + 2 * isinstance(cuda.grid(1), (float32, int))


def counts_from_the_end(x, y):
    tile, mine = cuda.shared.array((2, 2), numba.int32), cuda.local.array(3, numba.int32)
    tile[-1, 0] = x[-1]
    mine[-1] = x[-2]
    y[-1], y[-2] = tile[1, 0] + tile[-1, -2], mine[2] + mine[-1]
    y[0] = x[1 + -1]


@pytest.mark.parametrize("check", [True, False])
def test_arrays_say_what_they_are_and_count_from_the_end(check):
    x, y = np.array([1, 20, 300], np.int32), np.zeros(7, np.float32)
    simulator.launch(says_of_itself, 1, 1, x, y, check=check)
    assert y.tolist() == [6, 2, 2, 12, 12, 3, 3]
    simulator.launch(counts_from_the_end, 1, 1, x, y, check=check)
    assert y[[0, -2, -1]].tolist() == [1, 40, 600]
