"""The specification of every kernel, in plain NumPy: slow, obvious, right.

A kernel takes arrays and returns new arrays of the same dtype. `*_backward` takes g = dL/d(value)
first and returns dL/d(input). Letters: n examples, c classes, d features, k the inner size of a
product.
"""

import math

import numpy as np

from . import windows

# ---- Linear algebra ------------------------------------------------------------------------------


def matmul(a, b, out=None):
    """Σₖ aᵢₖ bₖⱼ   (..., m, k), (..., k, n) -> (..., m, n)

    1-d arrays and batches are treated as in NumPy. `out` is an array to write the result to.
    """
    return np.matmul(a, b, out=out)


def dense(x, weight, bias, activation=None):
    """y = f(z),  z = x W + b   (..., d), (d, u), (u,) -> y (..., u), z (..., u)

    activation  f: one of ACTIVATIONS. With None and "relu" z is y itself, which tells the slope
                as well.
    """
    z = np.matmul(x, weight)
    z += bias
    if activation is None:
        return z, z
    y = _activation(activation)[0](z)
    return y, y if activation == "relu" else z


def dense_backward(g, z, x, weight, activation=None, needs=(True, True, True)):
    """dL/dx = h Wᵀ,  dL/dW = xᵀ h,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db

    `needs` says which are wanted; None stands for the others.
    """
    h = g if activation is None else _activation(activation)[1](g, z)
    rows, h_rows = _rows(x), _rows(h)
    return (
        np.matmul(h, weight.T) if needs[0] else None,
        np.matmul(rows.T, h_rows) if needs[1] else None,
        np.sum(h_rows, axis=0) if needs[2] else None,
    )


def _rows(x):
    """(..., d) -> (n, d)"""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def scatter_add(x, index, g):
    """Zeros like x with g added at [index]; an index that comes twice is added twice."""
    total = np.zeros_like(x)
    np.add.at(total, index, g)
    return total


# ---- The error function --------------------------------------------------------------------------

# Maclaurin's series: erf x = 2/√π x Σₙ aₙ x²ⁿ,  aₙ = (-1)ⁿ / (n! (2n + 1))
ERF_SERIES = [(-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(11)]

# erfc x = t exp(-x²) Σₙ bₙ sⁿ,  t = 1 / (1 + x/2),  s = 5/2 t - 1:  the polynomial through
# eˣ² erfc(x) / t at the 19 Chebyshev nodes of -1 < s < 1, that is of x > 1/2. Its relative error is
# below 1e-13.
ERFC_POLYNOMIAL = [
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
    series = 2 / math.sqrt(math.pi) * near * _horner(ERF_SERIES, near * near)
    far = np.clip(np.abs(x), 0.5, 28)  # erfc(28) is below the smallest float64
    t = 1 / (1 + far / 2)
    tail = 1 - t * np.exp(-far * far) * _horner(ERFC_POLYNOMIAL, 2.5 * t - 1)
    return np.copysign(np.where(np.abs(x) < 0.5, series, tail), x)


# ---- Activations ---------------------------------------------------------------------------------


def relu(x):
    """max(x, 0), elementwise."""
    return np.maximum(x, 0)


def relu_backward(g, y):
    """dL/dx = g where x > 0, that is where y > 0, else 0"""
    return np.where(y > 0, g, 0)


def sigmoid(x):
    """σ(x) = 1 / (1 + e⁻ˣ), elementwise."""
    with np.errstate(over="ignore"):  # far below 0, e⁻ˣ is infinite and its reciprocal rightly 0
        return 1 / (1 + np.exp(-x))


def sigmoid_backward(g, y):
    """dL/dx = g y (1 - y)"""
    return g * y * (1 - y)


def silu(x):
    """x σ(x), elementwise."""
    return x * sigmoid(x)


def silu_backward(g, x):
    """dL/dx = g σ(x) (1 + x (1 - σ(x)))"""
    s = sigmoid(x)
    return g * s * (1 + x * (1 - s))


def gelu(x, approximate=False):
    """x Φ(x), elementwise; Φ is the normal distribution function (Hendrycks & Gimpel, 2016).

    With `approximate`, x (1 + tanh u) / 2, u = √(2/π) (x + 0.044715 x³), as GPT-2 has it.
    """
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return x * 0.5 * (1 + erf(x * math.sqrt(0.5)))


def gelu_backward(g, x, approximate=False):
    """dL/dx = g (Φ(x) + x φ(x)),  φ the density;   or g ((1 + tanh u) + x (1 - tanh² u) u') / 2"""
    if approximate:
        t = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        return g * 0.5 * (1 + t + x * (1 - t * t) * slope)
    p = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return g * (p + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


# {name: (f, its backward)} of the activations that `dense` and `convolution` have
_FUNCTIONS = {
    "relu": (relu, relu_backward),
    "silu": (silu, silu_backward),
    "gelu": (gelu, gelu_backward),
    "gelu_tanh": (
        lambda x: gelu(x, approximate=True),
        lambda g, x: gelu_backward(g, x, approximate=True),
    ),
}
ACTIVATIONS = None, *_FUNCTIONS


def _activation(name):
    """f and its backward. ValueError if there is none of this name."""
    if name not in _FUNCTIONS:
        names = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"the activation of a layer is one of {names}. Received: {name!r}")
    return _FUNCTIONS[name]


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
    """lᵢ = -log softmax(zᵢ)[yᵢ]   (n, c), integers (n,) -> losses (n,), norms (n, 2)

    The norms are maxⱼ zᵢⱼ and log Σⱼ exp(zᵢⱼ - maxⱼ zᵢⱼ): z without both of them is log softmax(z).
    ValueError for a label that is not one of 0 .. c-1.
    """
    _check_labels(logits, labels)
    largest = logits.max(axis=-1, initial=-np.inf)
    z = logits - largest[:, None]
    log = np.log(np.exp(z).sum(axis=-1))
    losses = log - z[np.arange(len(labels)), labels]
    return losses, np.stack([largest, log], axis=-1)


def cross_entropy_backward(g, logits, norms, labels):
    """dL/dzᵢⱼ = gᵢ (pᵢⱼ - [j = yᵢ])   (n,), (n, c), (n, 2), (n,) -> (n, c)"""
    _check_labels(logits, labels)
    if norms.shape != (len(labels), 2):
        raise ValueError(f"norms must be (n, 2) = ({len(labels)}, 2). Received: {norms.shape}")
    d = np.exp(logits - norms[:, :1] - norms[:, 1:])
    d[np.arange(len(labels)), labels] -= 1
    return g[:, None] * d


def _check_labels(logits, labels):
    """ValueError unless there is a label from 0 to c - 1 for each row of the logits (n, c)."""
    n, c = logits.shape
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{n} rows of logits need as many integer labels. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}"
        )
    low, high = labels.min(initial=0), labels.max(initial=0)
    if low < 0 or high >= max(c, 1):
        raise ValueError(f"labels are 0 to {c - 1}. Received: {low} to {high}")


# ---- Normalization -------------------------------------------------------------------------------


def layer_norm(x, scale, offset, epsilon):
    """y = scale x̂ + offset,  x̂ = (x - mean) r,  r = 1/√(variance + epsilon)

    (..., d), (d,), (d,) -> y (..., d), mean (..., 1), r (..., 1).   Mean and variance, which is the
    mean square deviation, are those over the last axis (Ba et al., 2016).
    """
    mean = np.mean(x, axis=-1, keepdims=True)
    centred = x - mean
    r = 1 / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + epsilon)
    return scale * (centred * r) + offset, mean, r


def layer_norm_backward(g, x, mean, r, scale):
    """dL/dx = r (h - mean h - x̂ mean(h x̂)),  dL/dscale = Σ g x̂,  dL/doffset = Σ g,  h = g scale

    -> dx (..., d), dscale (d,), doffset (d,)
    """
    h, normal = g * scale, (x - mean) * r
    inner = np.mean(h * normal, axis=-1, keepdims=True)
    dx = r * (h - np.mean(h, axis=-1, keepdims=True) - normal * inner)
    return dx, _sum_rows(g * normal), _sum_rows(g)


def _sum_rows(x):
    """(..., d) -> (d,)"""
    return np.sum(_rows(x), axis=0)


def rms_norm(x, scale, epsilon):
    """y = scale x r,  r = 1/√(mean x² + epsilon)   (..., d), (d,) -> y (..., d), r (..., 1)

    The mean is over the last axis (Zhang & Sennrich, 2019).
    """
    r = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon)
    return scale * (x * r), r


def rms_norm_backward(g, x, r, scale):
    """dL/dx = r (h - x̂ mean(h x̂)),  dL/dscale = Σ g x̂,  h = g scale,  x̂ = x r   -> dx, dscale"""
    h, normal = g * scale, x * r
    dx = r * (h - normal * np.mean(h * normal, axis=-1, keepdims=True))
    return dx, _sum_rows(g * normal)


# ---- Attention -----------------------------------------------------------------------------------


def attention(q, k, v, scale=None, causal=False, mask=None, rate=0.0, key=0):
    """oᵢ = Σⱼ pᵢⱼ vⱼ,  p = softmax(scale q kᵀ)   (b, h, t, d) -> o (b, h, t, e), norms (b, h, t, 2)

    k (b, hₖ, s, d) and v (b, hₖ, s, e) may have fewer heads, of which each serves h / hₖ of q's
    (Ainslie et al., 2023). The norms are maxⱼ zᵢⱼ and log Σⱼ exp(zᵢⱼ - maxⱼ zᵢⱼ) of z = scale q kᵀ:
    z without both of them is log p. They are NaN where a score is NaN or inf, and -inf for a query
    that sees no key, which gets zeros.

    scale   1/√d if left out
    causal  query i sees the keys j <= i + s - t alone: the last one sees all
    mask    booleans (b, s): which keys there are. A hidden key counts for nothing; whether it is
            read all the same, so that a NaN in it comes through, is left open
    rate    the share of p that is dropped, by the random numbers of `key`
    """
    weights, norms = _attention_weights(q, k, scale, causal, mask)
    return np.matmul(dropout(weights, rate, key), _repeat_heads(v, q)), norms


def attention_backward(
    g, q, k, v, o, norms, scale=None, causal=False, mask=None, rate=0.0, key=0, out=None
):
    """dL/dv = p̃ᵀ g,  dL/dq = scale dz k,  dL/dk = scale dzᵀ q   -> dq, dk, dv

    dz = p (dp - Σⱼ pⱼ dpⱼ) is the gradient of the softmax's input, dp = dropout(g vᵀ), and
    Σⱼ pⱼ dpⱼ = g·o, without a sum over the keys (Dao et al., 2022). p̃ = dropout(p).
    `out` are three arrays to write the results to.
    """
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    weights, _ = _attention_weights(q, k, scale, causal, mask)
    dp = dropout(np.matmul(g, np.swapaxes(_repeat_heads(v, q), -1, -2)), rate, key)
    dz = scale * weights * (dp - np.sum(g * o, axis=-1, keepdims=True))
    dq = np.matmul(dz, _repeat_heads(k, q))
    dk = np.matmul(np.swapaxes(dz, -1, -2), q)
    dv = np.matmul(np.swapaxes(dropout(weights, rate, key), -1, -2), g)
    results = dq, _sum_groups(dk, k), _sum_groups(dv, v)
    if out is None:
        return results
    for place, result in zip(out, results):
        place[...] = result
    return out


def _attention_weights(q, k, scale, causal, mask):
    """p (b, h, t, s) and norms (b, h, t, 2)"""
    _check_heads(q, k)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    z = scale * np.matmul(q, np.swapaxes(_repeat_heads(k, q), -1, -2))
    if causal:
        ones = np.ones_like(z[:1, :1], dtype="int64")  # counted along an axis, they tell places
        i, j = np.cumsum(ones, axis=-2), np.cumsum(ones, axis=-1)
        z = np.where(j > i + (z.shape[-1] - z.shape[-2]), -np.inf, z)
    if mask is not None:
        _check_mask(mask, q, k)
        z = np.where(mask[:, None, None, :], z, -np.inf)
    largest = np.max(z, axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(z - np.where(largest == -np.inf, 0, largest))
    total = np.sum(e, axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        norms = np.concatenate([largest + 0 * total, np.log(total)], axis=-1)
    return e / np.where(total == 0, 1, total), norms


def _check_heads(q, k):
    """ValueError unless each head of k serves as many of q."""
    if not q.ndim == k.ndim == 4 or k.shape[1] == 0 or q.shape[1] % k.shape[1]:
        raise ValueError(
            "attention takes q (b, h, t, d) and k (b, hₖ, s, d), where h is a multiple of hₖ. "
            f"Received: {q.shape} and {k.shape}"
        )


def _check_mask(mask, q, k):
    shape = q.shape[0], k.shape[2]
    if mask.dtype != bool or mask.shape != shape:
        received = f"dtype {mask.dtype}, shape {mask.shape}"
        error = ValueError if mask.dtype == bool else TypeError
        raise error(f"mask must be booleans (b, s) = {shape}. Received: {received}")


def _repeat_heads(k, q):
    """k with each head as often as it serves heads of q.   (b, hₖ, s, d) -> (b, h, s, d)"""
    return np.repeat(k, q.shape[1] // k.shape[1], axis=1)


def _sum_groups(d, k):
    """The sum of d over the heads of q that share a head of k.   (b, h, s, d) -> (b, hₖ, s, d)"""
    group = d.shape[1] // k.shape[1]
    return np.sum(np.reshape(d, (*k.shape[:2], group, *k.shape[2:])), axis=2)


# ---- Convolution and pooling ---------------------------------------------------------------------
#
# Images have their channels last, x (n, h, w, c). `windows` says where windows lie in them, given
# strides, padding and dilation.


def convolution(
    x,
    weight,
    bias=None,
    strides=(1, 1),
    padding=((0, 0), (0, 0)),
    dilation=(1, 1),
    groups=1,
    activation=None,
):
    """y = f(z),  zᵢⱼ = b + Σₚ xᵢⱼₚ Wₚ over the places p of window (i, j)   -> y, z (n, ho, wo, u)

    x (n, h, w, c), weight (kh, kw, c / groups, u), bias (u,) or None. Channels and units are cut
    into as many groups, each with a convolution of its own. f and z as in `dense`.
    """
    _check_convolution(x, weight, bias, groups)
    count = windows.counts(x.shape[1:3], weight.shape[:2], strides, padding, dilation)
    padded = _padded(x, padding)
    z = np.zeros_like(x, shape=(len(x), *count, weight.shape[-1]))
    for place, inside in _places(weight.shape[:2], strides, count, dilation):
        for channels, units in _groups(weight, groups):
            z[..., units] += np.matmul(padded[*inside, channels], weight[*place, :, units])
    if bias is not None:
        z += bias
    if activation is None:
        return z, z
    y = _activation(activation)[0](z)
    return y, y if activation == "relu" else z


def convolution_backward(
    g,
    z,
    x,
    weight,
    strides=(1, 1),
    padding=((0, 0), (0, 0)),
    dilation=(1, 1),
    groups=1,
    activation=None,
    needs=(True, True, True),
):
    """dL/dxₚ = Σᵢⱼ hᵢⱼ Wₚᵀ,  dL/dWₚ = Σᵢⱼ xᵢⱼₚᵀ hᵢⱼ,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db

    `needs` says which are wanted; None stands for the others. For dx alone, only the shape of x
    counts.
    """
    _check_convolution(x, weight, None, groups)
    count = windows.counts(x.shape[1:3], weight.shape[:2], strides, padding, dilation)
    _check_windows(g, x.shape, count, weight.shape[-1])
    h = g if activation is None else _activation(activation)[1](g, z)
    padded = _padded(x, padding)
    dx, dw = np.zeros_like(padded), np.zeros_like(weight)
    for place, inside in _places(weight.shape[:2], strides, count, dilation):
        for channels, units in _groups(weight, groups):
            if needs[0]:
                dx[*inside, channels] += np.matmul(h[..., units], weight[*place, :, units].T)
            if needs[1]:
                rows = _rows(padded[*inside, channels])
                dw[*place, :, units] = np.matmul(rows.T, _rows(h[..., units]))
    return (
        _without_padding(dx, padding) if needs[0] else None,
        dw if needs[1] else None,
        _sum_rows(h) if needs[2] else None,
    )


def _check_convolution(x, weight, bias, groups):
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(
            "a convolution needs images (n, h, w, c) and a weight (kh, kw, c / groups, u). "
            f"Received: {x.shape} and {weight.shape}"
        )
    c, (*_, depth, units) = x.shape[-1], weight.shape
    if depth * groups != c or units % groups:
        raise ValueError(
            f"{c} channels and {units} units in {groups} groups need a weight "
            f"(kh, kw, {c} / {groups}, {units}), without a rest. Received: {weight.shape}"
        )
    if bias is not None and bias.shape != (units,):
        raise ValueError(f"{units} units need a bias ({units},). Received: {bias.shape}")


def _check_windows(g, shape, count, channels):
    """ValueError unless g has a number for each channel of each window, of images of a shape."""
    right = shape[0], *count, channels
    if g.shape != right:
        raise ValueError(f"windows of images {tuple(shape)} are {right}. Received: {g.shape}")


def _places(size, strides, count, dilation=(1, 1)):
    """(p, q), and where the padded images have what lies at this place of their windows."""
    for place in np.ndindex(*size):
        inside = [slice(None)]
        for p, step, n, gap in zip(place, strides, count, dilation):
            inside.append(slice(p * gap, p * gap + (n - 1) * step + 1, step))
        yield place, inside


def _groups(weight, groups):
    """The channels and the units of each group."""
    depth, units = weight.shape[2], weight.shape[3] // groups
    for i in range(groups):
        yield slice(i * depth, (i + 1) * depth), slice(i * units, (i + 1) * units)


def _padded(x, padding, value=0):
    """Images with so many rows and columns around them.   (n, h, w, c)"""
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)


def _without_padding(padded, padding):
    """The images inside."""
    (top, bottom), (left, right) = padding
    return padded[:, top : padded.shape[1] - bottom, left : padded.shape[2] - right].copy()


def max_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the largest of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)

    Padding does not count. A NaN is the largest of all.
    """
    count = windows.counts(x.shape[1:3], size, strides, padding)
    padded = _padded(x, padding, -np.inf)
    y = np.full_like(x, -np.inf, shape=(len(x), *count, x.shape[-1]))
    for _, inside in _places(size, strides, count):
        y = np.maximum(y, padded[*inside])
    return y


def max_pool_backward(g, x, y, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes to the first place of window (i, j) that has the value yᵢⱼ"""
    count = windows.counts(x.shape[1:3], size, strides, padding)
    for array in (g, y):
        _check_windows(array, x.shape, count, x.shape[-1])
    padded = _padded(x, padding, np.nan)  # which equals nothing
    dx = np.zeros_like(padded)
    for _, inside in _places(size, strides, count):
        is_largest = padded[*inside] == y
        dx[*inside] += np.where(is_largest, g, 0)
        g = np.where(is_largest, 0, g)  # nothing is left for later places
    return _without_padding(dx, padding)


def average_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the mean of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)

    Padding does not count.
    """
    count = windows.counts(x.shape[1:3], size, strides, padding)
    padded = _padded(x, padding)
    y = np.zeros_like(x, shape=(len(x), *count, x.shape[-1]))
    for _, inside in _places(size, strides, count):
        y += padded[*inside]
    return y / _window_sizes(x, x.shape, size, strides, count, padding)


def average_pool_backward(g, shape, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes in equal shares to all places of window (i, j) that are no padding

    shape  that of x, (n, h, w, c)
    """
    n, h, w, c = shape
    count = windows.counts((h, w), size, strides, padding)
    _check_windows(g, shape, count, c)
    (top, bottom), (left, right) = padding
    share = g / _window_sizes(g, shape, size, strides, count, padding)
    dx = np.zeros_like(g, shape=(n, top + h + bottom, left + w + right, c))
    for _, inside in _places(size, strides, count):
        dx[*inside] += share
    return _without_padding(dx, padding)


def _window_sizes(like, shape, size, strides, count, padding):
    """How many places of each window are no padding, in the dtype of `like`.   (ho, wo, 1)"""
    ones = _padded(np.ones_like(like, shape=(1, *shape[1:3], 1)), padding)
    return sum(ones[*inside] for _, inside in _places(size, strides, count))[0]


# ---- Recurrence ----------------------------------------------------------------------------------
#
# One step in time of n sequences with u units. z (n, k u) holds what the input adds to each of the
# k gates, which lie side by side. Like optimizers, these write to arrays that they are given: a
# caller keeps one array for all steps, and each step has its part of it.


def lstm_step(z, h, c, weight, h_next, c_next):
    """h' = o tanh c',  c' = f c + i g,  with i, f, o = σ(z + h U) and g = tanh(z + h U)

    z (n, 4 u), h (n, u), c (n, u), U (u, 4 u) -> h' (n, u), c' (n, u)

    The new state is written to h_next and c_next, and z becomes the gates i, f, g, o (Gers et al.,
    2000).
    """
    z += np.matmul(h, weight)
    i, f, g, o = np.split(z, 4, axis=-1)
    for gate in (i, f, o):
        gate[...] = sigmoid(gate)
    np.tanh(g, out=g)
    c_next[...] = f * c + i * g
    h_next[...] = o * np.tanh(c_next)


def lstm_step_backward(dh, dc, gates, c, c_next, weight, dz):
    """From dL/dh', dL/dc' to dL/dh = dz Uᵀ, dL/dc = f dk, in their places, and to dz (n, 4 u)

    With dk = dL/dc' + o (1 - tanh² c') dL/dh':   dz = dk g i (1 - i),  dk c f (1 - f),
    dk i (1 - g²),  tanh c' dL/dh' o (1 - o)
    """
    i, f, g, o = np.split(gates, 4, axis=-1)
    y = np.tanh(c_next)
    dk = dc + dh * o * (1 - y * y)
    di, df, dg, do = np.split(dz, 4, axis=-1)
    di[...] = sigmoid_backward(dk * g, i)
    df[...] = sigmoid_backward(dk * c, f)
    dg[...] = dk * i * (1 - g * g)
    do[...] = sigmoid_backward(dh * y, o)
    dc[...] = dk * f
    np.matmul(dz, weight.T, out=dh)


def gru_step(z, h, weight, bias, h_next, inner):
    """h' = p h + (1 - p) q,  with p, r = σ(z + a),  q = tanh(z + r a),  a = h U + b

    z (n, 3 u), h (n, u), U (u, 3 u), b (3 u,) -> h' (n, u)

    The new state is written to h_next, the last third of a to `inner` (n, u), and z becomes the
    gates p, r, q (Cho et al., 2014, with the reset r after the product).
    """
    a = np.matmul(h, weight) + bias
    p, r, q = np.split(z, 3, axis=-1)
    p_inner, r_inner, inner[...] = np.split(a, 3, axis=-1)
    p[...] = sigmoid(p + p_inner)
    r[...] = sigmoid(r + r_inner)
    q[...] = np.tanh(q + r * inner)
    h_next[...] = p * h + (1 - p) * q


def gru_step_backward(dh, gates, h, inner, weight, dz, da):
    """From dL/dh' to dL/dh = p dL/dh' + da Uᵀ, in its place, and to dz and da (n, 3 u)

    With dq = dL/dh' (1 - p) (1 - q²):   dz = dL/dh' (h - q) p (1 - p),  dq inner r (1 - r),  dq
    and da is the same but for its last third, r dq
    """
    p, r, q = np.split(gates, 3, axis=-1)
    dp, dr, dq = np.split(dz, 3, axis=-1)
    dq[...] = dh * (1 - p) * (1 - q * q)
    dp[...] = sigmoid_backward(dh * (h - q), p)
    dr[...] = sigmoid_backward(dq * inner, r)
    da[...] = dz
    da[:, -dh.shape[1] :] *= r
    dh *= p
    dh += np.matmul(da, weight.T)


# ---- Randomness ----------------------------------------------------------------------------------


def random_uniform(x, key):
    """Uniform numbers in [0, 1) in the shape and floating dtype of x, that depend on `key` alone.

    Number i is a hash of key and i (SplitMix64: Steele, Lea & Flood, 2014), so that every machine
    and any number of threads make the same ones, in any order.
    """
    if hasattr(x, "__kernel__"):  # a device makes them itself: what follows counts on the host
        return x.__kernel__("random_uniform", random_uniform, (x, key), {})
    z = np.arange(1, x.size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = _mix(z + np.uint64(int(_mix(np.array([key], dtype=np.uint64))[0])))
    numbers = (z >> np.uint64(40)).astype("float32") * np.float32(2.0**-24)  # exact: 24 bits
    return numbers.astype(x.dtype).reshape(x.shape)


def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def dropout(x, rate, key):
    """yᵢ = xᵢ / (1 - rate) with probability 1 - rate, else 0.   Equal keys drop the same places."""
    if rate == 0:
        return x.copy()
    return np.where(random_uniform(x, key) >= rate, x / (1 - rate), x.dtype.type(0))


# ---- Optimizers ----------------------------------------------------------------------------------
#
# These change their arrays in place: θ (`parameter`) and what the method remembers of earlier
# steps. All arrays of a call have the same shape; many parameters may lie in them end to end.
# `decay` is λ: θ ← (1 - rate λ) θ comes before everything else.

FADED = 2.0**-126  # the least number that float32 holds with all its bits


def _shrink(parameter, rate, decay):
    if decay:
        parameter *= 1 - rate * decay


def _remember(memory, ratio, news):
    """m ← ratio m + news, and 0 where that is less than 2⁻¹²⁶

    The gradients of a unit that never fires again are 0, and its m fades: 0.9 m, 0.81 m, ... It
    would end not at 0 but at the last few numbers above it, for 0.9 of these is rounded up again.
    Many processors compute with such numbers twenty times more slowly than with others.
    """
    memory *= ratio
    memory += news
    memory *= np.abs(memory) >= FADED


def sgd(parameter, gradient, velocity, rate, momentum=0.0, nesterov=False, decay=0.0):
    """v ← μ v + g,   θ ← θ - rate v;   with nesterov θ ← θ - rate (g + μ v)

    Without momentum v is g, and velocity may be None.
    """
    _shrink(parameter, rate, decay)
    direction = gradient
    if momentum:
        _remember(velocity, momentum, gradient)
        direction = gradient + momentum * velocity if nesterov else velocity
    parameter -= rate * direction


def rmsprop(parameter, gradient, v, m, velocity, rate, rho, momentum, epsilon, decay=0.0):
    """v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√v + ε),   θ ← θ - rate u

    With an array m, √(v - m²) with m ← ρ m + (1 - ρ) g stands in for √v ("centered"). u is
    velocity; None stands for no momentum.
    """
    _shrink(parameter, rate, decay)
    _remember(v, rho, (1 - rho) * np.square(gradient))
    variance = v
    if m is not None:
        _remember(m, rho, (1 - rho) * gradient)
        variance = np.maximum(v - np.square(m), 0)  # rounding can make it less than 0
    change = gradient / (np.sqrt(variance) + epsilon)
    if velocity is not None:
        _remember(velocity, momentum, change)
        change = velocity
    parameter -= rate * change


def adagrad(parameter, gradient, accumulator, rate, epsilon, decay=0.0):
    """a ← a + g²,   θ ← θ - rate g / (√a + ε)"""
    _shrink(parameter, rate, decay)
    accumulator += np.square(gradient)
    parameter -= rate * gradient / (np.sqrt(accumulator) + epsilon)


def adam(parameter, gradient, m, v, rate, beta_1, beta_2, epsilon, step, decay=0.0, scale=None):
    """m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m̂ / (√v̂ + ε)

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) undo the pull of the zeros that m and v start from, at
    step t = 1, 2, ... The fraction is expanded by √(1 - β₂ᵗ), which saves two passes over arrays.
    `scale` (1,) multiplies g first, where gradients are clipped.
    """
    gradient = gradient if scale is None else gradient * scale
    _shrink(parameter, rate, decay)
    _remember(m, beta_1, (1 - beta_1) * gradient)
    _remember(v, beta_2, (1 - beta_2) * np.square(gradient))
    root = math.sqrt(1 - beta_2**step)
    change = np.sqrt(v)
    change += epsilon * root
    np.divide(m, change, out=change)
    change *= rate * root / (1 - beta_1**step)
    parameter -= change
