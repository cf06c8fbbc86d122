"""Activations f and their gradients g f'(x), as functions of vectors.

Kernels of whole arrays apply them (`elementwise`), and so do the products of matrices, to a result
that has just been made. Three are x times a curve that rises from 0 to 1:

    silu       x σ(x)
    gelu_tanh  x σ(2u),  u = √(2/π) (x + 0.044715 x³),  since (1 + tanh u) / 2 = σ(2u)
    gelu       x Φ(x),  Φ the normal distribution function
"""

import math

import numpy as np

from .. import reference
from .simd import LOG2_E, elementwise, exp, exp2, polynomial_through


@elementwise
def relu_value(x):
    """max(x, 0), NaN where x is"""
    return x.at_least(0)


@elementwise
def relu_pull(g, y):
    """g where y > 0, else 0,  y = max(x, 0)"""
    return g.where(y.compare(">", 0), 0)


@elementwise
def sigmoid_value(x):
    """σ(x) = 1 / (1 + e⁻ˣ)"""
    return 1 / (1 + exp(-x))


@elementwise
def sigmoid_pull(g, y):
    """g y (1 - y),  y = σ(x)"""
    return g * y * (1 - y)


@elementwise
def gate_value(x):
    """σ(x), but 2⁻¹²⁰ where it would be less: two thirds of the work"""
    return 1 / (1 + exp2((x * -LOG2_E).at_most(120)))


_NEAR = 0.35  # up to there the formula with an exponential loses digits


def _tanh_over_x(square):
    """tanh(x) / x, as a function of x², which may be negative here"""
    x = np.sqrt(square + 0j)
    return (np.tanh(x) / x).real


_TANH_DEGREE = {"float32": 5, "float64": 11}
_TANH = {d: polynomial_through(_tanh_over_x, n, _NEAR**2) for d, n in _TANH_DEGREE.items()}


@elementwise
def tanh_value(x):
    """tanh x = (1 - e) / (1 + e),  e = e⁻²ˣ for x > 0;  x times a polynomial in x² near 0"""
    size = x.intrinsic("fabs")
    e = exp2(size * (-2 * LOG2_E))
    near = size * (x * x).polynomial(_TANH[x.dtype])
    return near.where(size.compare("<", _NEAR), (1 - e) / (1 + e)).intrinsic("copysign", x)


@elementwise
def silu_value(x):
    """x σ(x)"""
    return x * sigmoid_value(x)


@elementwise
def silu_pull(g, x):
    """g σ(x) (1 + x (1 - σ(x)))"""
    s = sigmoid_value(x)
    return g * s * (x * (1 - s) + 1)


_TANH_SCALE = 2 * math.sqrt(2 / math.pi)


@elementwise
def gelu_tanh_value(x):
    """x σ(2u),  2u = 2 √(2/π) (x + 0.044715 x³)"""
    return x * sigmoid_value(x * (x * x).polynomial([_TANH_SCALE, 0.044715 * _TANH_SCALE]))


@elementwise
def gelu_tanh_pull(g, x):
    """g s (1 + x (1 - s) 2u'),  s = σ(2u)"""
    square = x * x
    s = sigmoid_value(x * square.polynomial([_TANH_SCALE, 0.044715 * _TANH_SCALE]))
    slope = square.polynomial([_TANH_SCALE, 3 * 0.044715 * _TANH_SCALE])
    return g * s * (x * slope * (1 - s) + 1)


_NEARNESS = 0.4  # with it the function below is so smooth that few coefficients do


def _scaled_tail(s):
    """exp(y²) erfc(y) / (2t) at t = (s + 1) / 2 = 1 / (1 + 0.4 y):  t e^(-x²/2) times it is Φ(-x)

    for x = √2 y.
    """
    t = (s + 1) / 2
    y = (1 / t - 1) / _NEARNESS
    near, far = np.minimum(y, 0.5), 1 / (1 + np.maximum(y, 0.5) / 2)
    below = np.exp(near * near) * (1 - reference.erf(near))
    beyond = far * np.polynomial.Polynomial(reference.ERFC_POLYNOMIAL)(2.5 * far - 1)
    return np.where(y < 0.5, below, beyond) / (2 * t)


_TAIL_DEGREE = {"float32": 8, "float64": 20}
_TAIL = {d: polynomial_through(_scaled_tail, degree, 1) for d, degree in _TAIL_DEGREE.items()}


def _normal_distribution(x):
    """Φ(x), and e^(-x²/2), which is √(2π) times the density φ(x).

    Φ(-|x|) is found first: so it stays exact where it is tiny, as 1 + erf(x/√2) would not.
    """
    bell = exp2(x * x * (-0.5 * LOG2_E))
    t = 1 / x.intrinsic("fabs").fma(_NEARNESS * math.sqrt(0.5), 1)
    tail = t * bell * t.fma(2, -1).polynomial(_TAIL[x.dtype])
    return tail.where(x.compare("<", 0), 1 - tail), bell


@elementwise
def gelu_value(x):
    """x Φ(x)"""
    return x * _normal_distribution(x)[0]


@elementwise
def gelu_pull(g, x):
    """g (Φ(x) + x φ(x))"""
    p, bell = _normal_distribution(x)
    return g * (x * bell).fma(1 / math.sqrt(2 * math.pi), p)


_ERF = {"float32": reference.ERF_SERIES[:6], "float64": reference.ERF_SERIES}
_ERFC = {
    "float32": polynomial_through(np.polynomial.Polynomial(reference.ERFC_POLYNOMIAL), 9, 1),
    "float64": reference.ERFC_POLYNOMIAL,
}


@elementwise
def erf_value(x):
    """2/√π ∫₀ˣ exp(-t²) dt as in `kernels.reference.erf`, with fewer terms in float32"""
    size = x.intrinsic("fabs")
    near, far = size.at_most(0.5), size.at_least(0.5).at_most(28)
    series = near * (near * near).polynomial(_ERF[x.dtype]) * (2 / math.sqrt(math.pi))
    t = 1 / far.fma(0.5, 1)
    tail = 1 - t * exp(-far * far) * t.fma(2.5, -1).polynomial(_ERFC[x.dtype])
    return series.where(size.compare("<", 0.5), tail).intrinsic("copysign", x)
