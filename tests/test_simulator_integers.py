"""The simulator computes with integers as Numba does: what numba.njit makes of a line, it makes."""

import linecache

import numba
import numpy as np
import pytest
from numba import cuda

from kernels import simulator

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
    "i8": ([2**62, -(2**63), -7, 5, 0], [3, -1, 2, -3, 7]),
    "u1": ([200, 255, 5, 0, 1], [100, 255, 100, 3, 2]),
    "u2": ([60000, 65535, 5, 0, 1], [60000, 65535, 100, 3, 2]),
    "u4": ([2**31 + 5, 2**32 - 1, 5, 0, 1], [2654435761, 2**32 - 1, 100, 3, 2]),
    "u8": ([2**63 + 5, 2**64 - 1, 5, 0, 1], [2654435761, 2**64 - 1, 100, 3, 2]),
    "b1": ([True, True, False, False, True], [True, False, True, False, True]),
    "f4": ([2.5, -1.5, 0, 1, 3], [2.5, -1.5, 0.1, 1, 3]),
}
INTEGERS = INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64
PAIRS = [(kind, kind) for kind in (*INTEGERS, BOOL)]
PAIRS += [(UINT8, INT8), (INT32, UINT32), (UINT32, UINT64), (INT64, UINT64), (BOOL, UINT8)]
LINES = (  # of any integers
    *("a[i] + b[i]", "a[i] - b[i]", "a[i] * b[i]", "(a[i] + b[i]) // 2", "(a[i] - b[i]) // 2"),
    *("(a[i] - b[i]) % 7", "a[i] & b[i]", "a[i] | 5", "a[i] ^ (a[i] >> 1)", "a[i] << 8"),
    *("a[i] * 256", "a[i] + 300", "1 - a[i]", "-a[i]", "+a[i]", "abs(a[i])", "a[i] ** 2"),
    *("a[i] // b[i]", "a[i] % b[i]", "7 // a[i]", "7 % a[i]", "a[i] == -1", "a[i] < -1"),
    *("a[i] > b[i]", "-1 <= a[i]", "not a[i]", "a[i] and b[i]", "a[i] if a[i] > b[i] else b[i]"),
    *("(a[i] > 1) + (b[i] > 1)", "-(a[i] > 1)", "(a[i] > 1) - (b[i] > 1)", "~(a[i] > 1)"),
    *("(a[i] > 1) & (b[i] > 1)", "(a[i] > 1) ^ b[i]", "(a[i] > 1) * 5", "(a[i] > 1) << 2"),
    *("int(a[i]) * 3", "int64(a[i]) + 1", "uint64(a[i]) >> 2", "bool(a[i]) + 1", "a[i] + i"),
    *("(a[i] * 6364136223846793005 + 1442695040888963407) >> 33", "a[i] * 2654435761 % 1000"),
)
CASES = [(line, pair, INT64) for line in LINES for pair in PAIRS]
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
CASES += [("a[i] ** b[i]", (UINT8, UINT16), INT64), ("a[i] ** -1", (INT32, INT32), INT64)]
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


@pytest.mark.parametrize("case", CASES, ids=kinds)
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
