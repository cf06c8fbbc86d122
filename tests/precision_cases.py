"""Kernels of float32, some of which Numba computes in float64, and the operations in which it does.

tests/test_simulator_precision.py asks the simulator, tests/check_gpu_compilation.py a compiler.
"""

import math

import numpy as np
from numba import cuda, float32, float64, int32

TYPES = float32[::1], int32[::1], int32  # of x, counts, and n
CASES = {}  # {name: (kernel, the operations that are told)}
LACKING = {"takes_the_larger", "takes_the_largest"}  # in the CUDA that Numba brings itself


def operations(*told):
    """Remember a kernel of which these operations are told."""

    def remember(kernel):
        CASES[kernel.__name__] = kernel, told
        return kernel

    return remember


@cuda.jit(device=True)
def third(v):
    return v * 0.3


@operations()
def stays_float32(x, counts, n):
    total = float32(0)
    for i in range(x.shape[0]):
        total += x[i] * float32(0.3)
    x[0] = total / float32(n) + np.float32(math.pi) * math.exp(-abs(x[1])) + x[2] ** 2
    counts[n // 2] = 1


@operations()
def goes_back_to_float32(x, counts, n):
    x[0] = x[1] * 2
    x[1] = x[2] / 3
    x[2] += 0.5
    if x[3] > 0 and x[4] != 0.25:
        x[3] = 1 / x[4]
    x[4] = float32(x[5] - 1) * x[6]


@operations()
def asks_for_float64(x, counts, n):
    x[0] = float64(x[1])


@operations("float32 * 0.3")
def multiplies_by_a_number(x, counts, n):
    x[0] = x[1] * 0.3


@operations("float32 * 0.5")
def goes_on_with_it(x, counts, n):
    x[0] = x[1] * 0.5 + 1


@operations("float32 + 1")
def gives_it_to_a_function(x, counts, n):
    x[0] = math.sqrt(x[1] + 1)


@operations("float32 * int32")
def multiplies_by_an_argument(x, counts, n):
    x[0] = x[1] * n


@operations("float32 / int32")
def divides_by_an_element(x, counts, n):
    x[0] = x[1] / counts[0]


@operations("float32 * int32")
def multiplies_by_an_index(x, counts, n):
    x[0] = x[1] * cuda.threadIdx.x


@operations("float64 += float32")
def begins_at_a_float(x, counts, n):
    total = 0.0
    for i in range(n):
        total += x[i]
    x[0] = total


@operations("float64 += float32")
def begins_at_an_integer(x, counts, n):
    total = 0
    for i in range(n):
        total += x[i]
    x[0] = total


@operations("float32 > 0.3")
def compares_with_a_number(x, counts, n):
    if x[0] > 0.3:
        x[1] = 1


@operations("int32 / 2")
def halves_an_integer(x, counts, n):
    counts[int(n / 2)] = 1


@operations("A function of int32")
def takes_the_logarithm_of_an_integer(x, counts, n):
    x[0] = math.log(n)


@operations("float64 * float32")
def multiplies_by_a_root(x, counts, n):
    x[0] = math.sqrt(2.0) * x[1]


@operations("A function of float32, 2.0")
def takes_a_power(x, counts, n):
    x[0] = math.pow(x[1], 2.0)


@operations("float32 * 0.3")
def calls_a_function(x, counts, n):
    x[0] = third(x[1])


@operations("A function of float32, 0")
def takes_the_larger(x, counts, n):
    x[0] = max(x[1], 0)


@operations("A function of float64, float32")
def takes_the_largest(x, counts, n):
    most = -math.inf
    for i in range(n):
        most = max(most, x[i])
    x[0] = most
