"""Functions of each number of an array by itself, on a GPU: four numbers for each thread.

    value            y = f(x)
    pull             dL/dx = g f'(x);  with RELU, SIGMOID and TANH y = f(x) takes the place of x
    biased           z = x + b,  y = f(z)
    random_uniform   number i is a hash of a key and i
    dropout          x / (1 - rate), or 0 where random number i is below the rate

Arrays are flat, (n,); a bias (u,) repeats for each u numbers. What keeps such a kernel waiting is
memory alone, so all that it does is to ask for much of it at once. Which function is meant is a
number, `FUNCTIONS[name]`, the same for all threads. `LAUNCHES` says how each is started.
"""

import math

from numba import cuda, float32, uint64

from .launch import INTEGER, KEY, NUMBER, VECTOR, Launch, named, numbers
from .ptx import load4, store4

THREADS = 256  # of a block
EACH = 4  # numbers of a thread

IDENTITY, RELU, SIGMOID, TANH, SILU, GELU_TANH, GELU = range(7)
FUNCTIONS = {
    None: IDENTITY,
    "relu": RELU,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "silu": SILU,
    "gelu_tanh": GELU_TANH,
    "gelu": GELU,
}
FROM_VALUE = RELU, SIGMOID, TANH  # whose slope is known from y


# ---- Four numbers of an array --------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def number_or_zero(x, i):
    """x[i], or 0 beyond the end"""
    return x[i] if i < x.size else float32(0)


@cuda.jit(device=True, inline="always")
def take4(x, i):
    """x[i : i + 4], with 0 beyond the end"""
    if i + 4 <= x.size:
        return load4(x, i)
    return (
        number_or_zero(x, i),
        number_or_zero(x, i + 1),
        number_or_zero(x, i + 2),
        number_or_zero(x, i + 3),
    )


@cuda.jit(device=True, inline="always")
def put4(x, i, four):
    """x[i : i + 4] = four, as far as x goes"""
    if i + 4 <= x.size:
        store4(x, i, four)
    else:
        for k in range(4):
            if i + k < x.size:
                x[i + k] = four[k]


# ---- Activations ---------------------------------------------------------------------------------

HALF, ONE = float32(0.5), float32(1)
ROOT_OF_HALF = float32(math.sqrt(0.5))
DENSITY = float32(1 / math.sqrt(2 * math.pi))  # of the normal distribution at 0
TANH_SCALE, CUBE = float32(2 * math.sqrt(2 / math.pi)), float32(0.044715)
THREE_CUBES = float32(3 * 0.044715)


@cuda.jit(device=True, inline="always")
def sigmoid(x):
    """σ(x) = 1 / (1 + e⁻ˣ)"""
    return ONE / (ONE + math.exp(-x))


@cuda.jit(device=True, inline="always")
def gate_of_gelu(x):
    """(1 + tanh u) / 2 = σ(2u),  u = √(2/π) (x + 0.044715 x³)"""
    return sigmoid(TANH_SCALE * x * (ONE + CUBE * x * x))


@cuda.jit(device=True, inline="always")
def normal_distribution(x):
    """Φ(x), by erfc, which stays exact where Φ is tiny"""
    return HALF * math.erfc(-x * ROOT_OF_HALF)


@cuda.jit(device=True, forceinline=True)
def activation(function, x):
    """f(x)"""
    if function == RELU:
        x = max(x, float32(0)) if x == x else x
    elif function == SIGMOID:
        x = sigmoid(x)
    elif function == TANH:
        x = math.tanh(x)
    elif function == SILU:
        x = x * sigmoid(x)
    elif function == GELU_TANH:
        x = x * gate_of_gelu(x)
    elif function == GELU:
        x = x * normal_distribution(x)
    return x


@cuda.jit(device=True, forceinline=True)
def slope(function, x):
    """f'(x), or from y = f(x) for those in FROM_VALUE"""
    result = ONE
    if function == RELU:
        result = ONE if x > 0 else float32(0)
    elif function == SIGMOID:
        result = x * (ONE - x)
    elif function == TANH:
        result = ONE - x * x
    elif function == SILU:
        s = sigmoid(x)
        result = s * (ONE + x * (ONE - s))
    elif function == GELU_TANH:
        s = gate_of_gelu(x)
        result = s * (ONE + x * (ONE - s) * TANH_SCALE * (ONE + THREE_CUBES * x * x))
    elif function == GELU:
        result = normal_distribution(x) + x * DENSITY * math.exp(-HALF * x * x)
    return result


@cuda.jit(device=True, forceinline=True)
def activation4(function, four):
    """f of each"""
    a, b, c, d = four
    return (
        activation(function, a),
        activation(function, b),
        activation(function, c),
        activation(function, d),
    )


def value(x, function, y):
    """yᵢ = f(xᵢ)"""
    i = EACH * cuda.grid(1)
    put4(y, i, activation4(function, take4(x, i)))


def pull(g, x, function, dx):
    """dxᵢ = gᵢ f'(xᵢ)"""
    i = EACH * cuda.grid(1)
    a, b, c, d = take4(x, i)
    p, q, r, s = take4(g, i)
    four = (
        p * slope(function, a),
        q * slope(function, b),
        r * slope(function, c),
        s * slope(function, d),
    )
    put4(dx, i, four)


def biased(x, bias, function, z, y):
    """zᵢ = xᵢ + b,  yᵢ = f(zᵢ);  b of the column that i is in"""
    i, width = EACH * cuda.grid(1), bias.size
    a, b, c, d = take4(x, i)
    four = (
        a + bias[i % width],
        b + bias[(i + 1) % width],
        c + bias[(i + 2) % width],
        d + bias[(i + 3) % width],
    )
    put4(z, i, four)
    put4(y, i, activation4(function, four))


# ---- Randomness ----------------------------------------------------------------------------------

GOLDEN_RATIO = 0x9E3779B97F4A7C15
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


@cuda.jit(device=True, inline="always")
def mixed(z):
    """The hash of SplitMix64 (Steele, Lea & Flood, 2014)"""
    z = (z ^ (z >> uint64(30))) * uint64(FIRST)
    z = (z ^ (z >> uint64(27))) * uint64(SECOND)
    return z ^ (z >> uint64(31))


@cuda.jit(device=True, inline="always")
def uniform(start, i):
    """Random number i, of 24 bits, in [0, 1);  start = mixed(key)"""
    bits = mixed(start + uint64(i + 1) * uint64(GOLDEN_RATIO)) >> uint64(40)
    return float32(bits) * float32(2.0**-24)


@cuda.jit(device=True, inline="always")
def kept(x, start, i, rate):
    """x / (1 - rate), or 0 where random number i says so"""
    return x / (ONE - rate) if uniform(start, i) >= rate else float32(0)


def random_uniform(key, y):
    """The bits of kernels.reference.random_uniform: number i asks no other number"""
    i, start = EACH * cuda.grid(1), mixed(key)
    four = uniform(start, i), uniform(start, i + 1), uniform(start, i + 2), uniform(start, i + 3)
    put4(y, i, four)


def dropout(x, rate, key, y):
    """The same with dL/dy for x is the gradient: equal keys drop the same places"""
    i, start = EACH * cuda.grid(1), mixed(key)
    a, b, c, d = take4(x, i)
    four = (
        kept(a, start, i, rate),
        kept(b, start, i + 1, rate),
        kept(c, start, i + 2, rate),
        kept(d, start, i + 3, rate),
    )
    put4(y, i, four)


# ---- How they are started ------------------------------------------------------------------------
LAUNCHES = named(
    Launch(value, (THREADS,), numbers(THREADS * EACH), (VECTOR, INTEGER, VECTOR)),
    Launch(pull, (THREADS,), numbers(THREADS * EACH), (VECTOR, VECTOR, INTEGER, VECTOR)),
    Launch(biased, (THREADS,), numbers(THREADS * EACH), (VECTOR, VECTOR, INTEGER, VECTOR, VECTOR)),
    Launch(random_uniform, (THREADS,), numbers(THREADS * EACH, 1), (KEY, VECTOR)),
    Launch(dropout, (THREADS,), numbers(THREADS * EACH), (VECTOR, NUMBER, KEY, VECTOR)),
)
