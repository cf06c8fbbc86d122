"""The steps of optimizers on a GPU: all parameters of a model in one launch, four for each thread.

Parameters, gradients and what a method remembers lie end to end in flat arrays (n,). The parameter
is multiplied by `shrink` = 1 - rate decay first. As on a CPU 1 - ρ and its like are arguments of
their own, for float32 has no ρ so near to 1 that its difference from 1 would be exact.

    sgd      v ← μ v + g,   θ ← θ - rate v, or θ - rate (g + μ v);  v of no numbers stands for none
    rmsprop  v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√(v - m²) + ε),   θ ← θ - rate u
    adagrad  a ← a + g²,   θ ← θ - rate g / (√a + ε)
    adam     m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m / (√v + ε)

adam's g is the gradient times scale[0], where gradients are clipped; its rate and epsilon come as
kernels.cpu.optimizers.adam scales them at step t. `LAUNCHES` says how each is started.
"""

import math

import numpy as np
from numba import cuda, float32

from .. import reference
from .elementwise import EACH, THREADS, put4, take4
from .launch import INTEGER, NUMBER, VECTOR, Launch, named, numbers

FADED = np.float32(reference.FADED)


@cuda.jit(device=True, inline="always")
def remembered(m, ratio, news):
    """ratio m + news, and 0 where that is less than 2⁻¹²⁶: see `reference._remember`"""
    m = ratio * m + news
    return float32(0) if abs(m) < FADED else m


@cuda.jit(device=True, inline="always")
def sgd_number(theta, g, v, rate, momentum, nesterov, shrink):
    """θ and v after the step"""
    v = remembered(v, momentum, g)
    change = momentum * v + g if nesterov != 0 else v
    return shrink * theta - rate * change, v


def sgd(parameter, gradient, velocity, rate, momentum, nesterov, shrink):
    """Without momentum, v is g."""
    i = EACH * cuda.grid(1)
    t, g, v = take4(parameter, i), take4(gradient, i), take4(velocity, i)
    a = sgd_number(t[0], g[0], v[0], rate, momentum, nesterov, shrink)
    b = sgd_number(t[1], g[1], v[1], rate, momentum, nesterov, shrink)
    c = sgd_number(t[2], g[2], v[2], rate, momentum, nesterov, shrink)
    d = sgd_number(t[3], g[3], v[3], rate, momentum, nesterov, shrink)
    put4(parameter, i, (a[0], b[0], c[0], d[0]))
    put4(velocity, i, (a[1], b[1], c[1], d[1]))


@cuda.jit(device=True, inline="always")
def rmsprop_number(theta, g, v, m, u, rates, is_centred):
    """θ, v, m and u after the step"""
    rate, rho, rest, momentum, epsilon, shrink = rates
    v = remembered(v, rho, rest * g * g)
    m = remembered(m, rho, rest * g) if is_centred else float32(0)
    u = remembered(u, momentum, g / (math.sqrt(max(v - m * m, float32(0))) + epsilon))
    return shrink * theta - rate * u, v, m, u


def rmsprop(
    parameter, gradient, squares, means, velocity, rate, rho, rest, momentum, epsilon, shrink
):
    """Without arrays of means or velocities m and u are 0 before each step."""
    i, centred = EACH * cuda.grid(1), means.size > 0
    t, g = take4(parameter, i), take4(gradient, i)
    v, m, u = take4(squares, i), take4(means, i), take4(velocity, i)
    rates = rate, rho, rest, momentum, epsilon, shrink
    a = rmsprop_number(t[0], g[0], v[0], m[0], u[0], rates, centred)
    b = rmsprop_number(t[1], g[1], v[1], m[1], u[1], rates, centred)
    c = rmsprop_number(t[2], g[2], v[2], m[2], u[2], rates, centred)
    d = rmsprop_number(t[3], g[3], v[3], m[3], u[3], rates, centred)
    put4(parameter, i, (a[0], b[0], c[0], d[0]))
    put4(squares, i, (a[1], b[1], c[1], d[1]))
    put4(means, i, (a[2], b[2], c[2], d[2]))
    put4(velocity, i, (a[3], b[3], c[3], d[3]))


@cuda.jit(device=True, inline="always")
def adagrad_number(theta, g, total, rate, epsilon, shrink):
    """θ and a after the step"""
    total += g * g
    return shrink * theta - rate * g / (math.sqrt(total) + epsilon), total


def adagrad(parameter, gradient, accumulator, rate, epsilon, shrink):
    """The sum of squares only grows."""
    i = EACH * cuda.grid(1)
    t, g, s = take4(parameter, i), take4(gradient, i), take4(accumulator, i)
    a = adagrad_number(t[0], g[0], s[0], rate, epsilon, shrink)
    b = adagrad_number(t[1], g[1], s[1], rate, epsilon, shrink)
    c = adagrad_number(t[2], g[2], s[2], rate, epsilon, shrink)
    d = adagrad_number(t[3], g[3], s[3], rate, epsilon, shrink)
    put4(parameter, i, (a[0], b[0], c[0], d[0]))
    put4(accumulator, i, (a[1], b[1], c[1], d[1]))


@cuda.jit(device=True, inline="always")
def adam_number(theta, g, m, v, rates):
    """θ, m and v after the step"""
    rate, beta_1, rest_1, beta_2, rest_2, epsilon, shrink = rates
    m = remembered(m, beta_1, rest_1 * g)
    v = remembered(v, beta_2, rest_2 * g * g)
    return shrink * theta - rate * m / (math.sqrt(v) + epsilon), m, v


def adam(parameter, gradient, scale, m, v, rate, beta_1, rest_1, beta_2, rest_2, epsilon, shrink):
    """AdamW where shrink is below 1."""
    i, factor = EACH * cuda.grid(1), scale[0]
    t, g, n, s = take4(parameter, i), take4(gradient, i), take4(m, i), take4(v, i)
    rates = rate, beta_1, rest_1, beta_2, rest_2, epsilon, shrink
    a = adam_number(t[0], factor * g[0], n[0], s[0], rates)
    b = adam_number(t[1], factor * g[1], n[1], s[1], rates)
    c = adam_number(t[2], factor * g[2], n[2], s[2], rates)
    d = adam_number(t[3], factor * g[3], n[3], s[3], rates)
    put4(parameter, i, (a[0], b[0], c[0], d[0]))
    put4(m, i, (a[1], b[1], c[1], d[1]))
    put4(v, i, (a[2], b[2], c[2], d[2]))


LAUNCHES = named(
    Launch(
        sgd, (THREADS,), numbers(THREADS * EACH), (VECTOR,) * 3 + (NUMBER, NUMBER, INTEGER, NUMBER)
    ),
    Launch(rmsprop, (THREADS,), numbers(THREADS * EACH), (VECTOR,) * 5 + (NUMBER,) * 6),
    Launch(adagrad, (THREADS,), numbers(THREADS * EACH), (VECTOR,) * 3 + (NUMBER,) * 3),
    Launch(adam, (THREADS,), numbers(THREADS * EACH), (VECTOR,) * 5 + (NUMBER,) * 7),
)
