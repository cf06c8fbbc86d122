"""The specification of every kernel, in plain NumPy: slow, obvious, right.

A kernel takes arrays and returns new arrays of the same dtype. `*_backward` takes g = dL/d(value)
first and returns dL/d(input). Letters: n examples, c classes, d features, k the inner size of a
product.
"""

import math

import numpy as np

# ---- Linear algebra ------------------------------------------------------------------------------


def matmul(a, b):
    """Σₖ aᵢₖ bₖⱼ   (..., m, k), (..., k, n) -> (..., m, n)

    1-d arrays and batches are treated as in NumPy.
    """
    return np.matmul(a, b)


def scatter_add(x, index, g):
    """Zeros like x with g added at [index]; an index that comes twice is added twice."""
    total = np.zeros_like(x)
    np.add.at(total, index, g)
    return total


# ---- The error function --------------------------------------------------------------------------

# Maclaurin's series: erf x = 2/√π x Σₙ aₙ x²ⁿ,  aₙ = (-1)ⁿ / (n! (2n + 1))
_ERF_SERIES = [(-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(11)]

# erfc x = t exp(-x²) Σₙ bₙ sⁿ,  t = 1 / (1 + x/2),  s = 5/2 t - 1:  the polynomial through
# eˣ² erfc(x) / t at the 19 Chebyshev nodes of -1 < s < 1, that is of x > 1/2. Its relative error is
# below 1e-13.
_ERFC_POLYNOMIAL = [
    0.44750287795347488,
    0.23215037213592504,
    0.080969575266140376,
    0.012959473096772452,
    -0.0027611910821323938,
    -0.0015084506011986451,
    0.00016394603692531807,
    0.00017818085905860467,
    -2.6823431013535749e-05,
    -2.2997122672587864e-05,
    6.877691625533833e-06,
    2.6473916688631983e-06,
    -1.7039090790323979e-06,
    -1.2304366845883805e-07,
    3.5045696375369587e-07,
    -4.290943672789242e-08,
    -5.2076216493374443e-08,
    9.4272022384825272e-09,
    4.1008289843942855e-09,
]


def _horner(coefficients, x):
    """c₀ + c₁ x + c₂ x² + ..."""
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def erf(x):
    """The error function 2/√π ∫₀ˣ exp(-t²) dt, elementwise, to 1e-13 relative (float64)."""
    near = np.minimum(np.abs(x), 0.5)
    series = 2 / math.sqrt(math.pi) * near * _horner(_ERF_SERIES, near * near)
    far = np.clip(np.abs(x), 0.5, 28)  # erfc(28) is below the smallest float64
    t = 1 / (1 + far / 2)
    tail = 1 - t * np.exp(-far * far) * _horner(_ERFC_POLYNOMIAL, 2.5 * t - 1)
    return np.copysign(np.where(np.abs(x) < 0.5, series, tail), x)


# ---- Softmax and cross-entropy -------------------------------------------------------------------


def softmax(x, axis=-1):
    """pᵢ = exp xᵢ / Σⱼ exp xⱼ along `axis`.

    The largest xⱼ is subtracted first, so that exp cannot overflow.
    """
    e = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_backward(g, p, axis=-1):
    """dL/dxᵢ = pᵢ (gᵢ - Σⱼ gⱼ pⱼ)"""
    return p * (g - np.sum(g * p, axis=axis, keepdims=True))


def log_softmax(x, axis=-1):
    """xᵢ - log Σⱼ exp xⱼ along `axis`."""
    z = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


def log_softmax_backward(g, y, axis=-1):
    """dL/dxᵢ = gᵢ - exp(yᵢ) Σⱼ gⱼ"""
    return g - np.exp(y) * np.sum(g, axis=axis, keepdims=True)


def cross_entropy(logits, labels):
    """lᵢ = -log softmax(zᵢ)[yᵢ]   (n, c), integers (n,) -> losses (n,), log-probabilities (n, c)

    ValueError for a label that is not one of 0 .. c-1.
    """
    n, c = logits.shape
    log_p = log_softmax(logits)
    try:  # -1 would count from the end
        return -log_p[np.arange(n), np.where(labels < 0, c, labels)], log_p
    except IndexError as error:
        low, high = labels.min(), labels.max()
        raise ValueError(f"labels are 0 to {c - 1}. Received: {low} to {high}") from error


def cross_entropy_backward(g, log_p, labels):
    """dL/dzᵢⱼ = gᵢ (pᵢⱼ - [j = yᵢ])   (n,), (n, c), (n,) -> (n, c)"""
    d = np.exp(log_p)
    d[np.arange(len(labels)), labels] -= 1
    return g[:, None] * d


# ---- Normalization -------------------------------------------------------------------------------


def layer_norm(x, scale, offset, epsilon, axes=(-1,)):
    """y = scale x̂ + offset,  x̂ = (x - mean) r,  r = 1/√(variance + epsilon)   -> y, x̂, r

    x (..., d); scale and offset broadcast against x. The mean, and the variance, which is the mean
    square deviation, are those over `axes`.
    """
    centred = x - np.mean(x, axis=axes, keepdims=True)
    r = 1 / np.sqrt(np.mean(centred * centred, axis=axes, keepdims=True) + epsilon)
    normal = centred * r
    return scale * normal + offset, normal, r


def layer_norm_backward(g, normal, r, scale, axes=(-1,)):
    """dL/dx = r (h - mean h - x̂ mean(h x̂)),  h = g scale   -> dL/dx

    The others are left to the caller: dL/dscale = g x̂,  dL/doffset = g.
    """
    h = g * scale
    inner = np.mean(h * normal, axis=axes, keepdims=True)
    return r * (h - np.mean(h, axis=axes, keepdims=True) - normal * inner)


# ---- Randomness ----------------------------------------------------------------------------------


def random_uniform(x, key):
    """Uniform numbers in [0, 1) in the shape and floating dtype of x, that depend on `key` alone.

    Number i is a hash of key and i (SplitMix64: Steele, Lea & Flood, 2014), so that every machine
    and any number of threads make the same ones, in any order.
    """
    z = np.arange(1, x.size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = _mix(z + np.uint64(int(_mix(np.array([key], dtype=np.uint64))[0])))
    return ((z >> np.uint64(40)).astype(x.dtype) * x.dtype.type(2.0**-24)).reshape(x.shape)


def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def dropout(x, rate, key):
    """yᵢ = xᵢ / (1 - rate) with probability 1 - rate, else 0.   Equal keys drop the same places."""
    return np.where(random_uniform(x, key) >= rate, x / (1 - rate), x.dtype.type(0))


# ---- Optimizers ----------------------------------------------------------------------------------
#
# These change their arrays in place: θ (`parameter`) and what the method remembers of earlier
# steps. All arrays of a call have the same shape; many parameters may lie in them end to end.


def sgd(parameter, gradient, velocity, rate, momentum=0.0, nesterov=False):
    """v ← μ v + g,   θ ← θ - rate v;   with nesterov θ ← θ - rate (g + μ v)

    Without momentum v is g, and velocity may be None.
    """
    direction = gradient
    if momentum:
        velocity *= momentum
        velocity += gradient
        direction = gradient + momentum * velocity if nesterov else velocity
    parameter -= rate * direction


def rmsprop(parameter, gradient, v, m, velocity, rate, rho, momentum, epsilon):
    """v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√v + ε),   θ ← θ - rate u

    With an array m, √(v - m²) with m ← ρ m + (1 - ρ) g stands in for √v ("centered"). u is
    velocity; None stands for no momentum.
    """
    v *= rho
    v += (1 - rho) * np.square(gradient)
    variance = v
    if m is not None:
        m *= rho
        m += (1 - rho) * gradient
        variance = np.maximum(v - np.square(m), 0)  # rounding can make it less than 0
    change = gradient / (np.sqrt(variance) + epsilon)
    if velocity is not None:
        velocity *= momentum
        velocity += change
        change = velocity
    parameter -= rate * change


def adagrad(parameter, gradient, accumulator, rate, epsilon):
    """a ← a + g²,   θ ← θ - rate g / (√a + ε)"""
    accumulator += np.square(gradient)
    parameter -= rate * gradient / (np.sqrt(accumulator) + epsilon)


def adam(parameter, gradient, m, v, rate, beta_1, beta_2, epsilon, step):
    """m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m̂ / (√v̂ + ε)

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) undo the pull of the zeros that m and v start from, at
    step t = 1, 2, ... The fraction is expanded by √(1 - β₂ᵗ), which saves two passes over arrays.
    """
    m *= beta_1
    m += (1 - beta_1) * gradient
    v *= beta_2
    v += (1 - beta_2) * np.square(gradient)
    root = math.sqrt(1 - beta_2**step)
    change = np.sqrt(v)
    change += epsilon * root
    np.divide(m, change, out=change)
    change *= rate * root / (1 - beta_1**step)
    parameter -= change
