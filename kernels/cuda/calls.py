"""What the kernels that minigrad calls by name do with arrays on a device.

Those in CALLS start a kernel that was written for them. A call that such a kernel does not cover
is left, as are those in COMPOSED, to the specification: it is written in NumPy's words, each of
which is a kernel of the device. All others raise an error: nothing is done on the host instead.
"""

import math

import numpy as np

from .. import windows
from . import attention as of_heads
from . import convolution as of_images
from . import cross_entropy as losses
from . import elementwise, normalization, optimizers, pooling, scatter
from . import softmax as of_rows
from .elementwise import FUNCTIONS
from .errors import HostCopyError
from .launch import of_width
from .products import product

CALLS = {}

# Kernels whose specification can run on any device: it speaks NumPy, and reads no number.
COMPOSED = {
    *("dense", "dense_backward", "scatter_add", "relu", "relu_backward", "sigmoid"),
    *("sigmoid_backward", "silu", "silu_backward", "gelu", "gelu_backward", "softmax"),
    *("softmax_backward", "log_softmax", "log_softmax_backward", "layer_norm"),
    *("layer_norm_backward", "rms_norm", "rms_norm_backward", "attention", "attention_backward"),
    *("convolution", "convolution_backward", "max_pool", "max_pool_backward", "average_pool"),
    *("average_pool_backward", "lstm_step", "lstm_step_backward", "gru_step"),
    *("gru_step_backward", "dropout", "sgd", "rmsprop", "adagrad", "adam"),
}
OWN, IN_WORDS, NOTHING = "a kernel", "kernels for NumPy's words", "nothing"


def run(name, specification, arguments, options):
    """The result of a kernel for arrays on a device."""
    for x in (*arguments, *options.values()):
        if isinstance(x, np.ndarray) and x.ndim:
            raise HostCopyError(
                f"an array of shape {x.shape} on the host came to kernels.{name} with one on a "
                "device"
            )
    if name in CALLS:
        result = CALLS[name](*arguments, **options)
        if result is not NotImplemented:
            return result
    if name in COMPOSED:
        return specification(*arguments, **options)
    given = ", ".join(f"{x.dtype}{x.shape}" for x in arguments if hasattr(x, "shape"))
    raise NotImplementedError(f"kernels.{name} has no version for a device. Received: {given}")


def who_runs(name, dtype):
    """What runs on a device if a kernel is called with numbers of a dtype, in words."""
    if name in COMPOSED and (dtype != np.float32 or name not in CALLS):
        return IN_WORDS
    return OWN if name in CALLS else NOTHING


def _call(function):
    CALLS[function.__name__] = function
    return function


# ---- Arrays as kernels want them -----------------------------------------------------------------


def _covered(*arrays):
    """Whether all are arrays of float32 on a device."""
    return all(hasattr(x, "block") and x.dtype == np.float32 for x in arrays)


def _flat(x):
    return x.aligned().reshape(-1)


def _matrix(x):
    """(..., d) -> (n, d)"""
    return x.aligned().reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _integers(x):
    return x.astype(np.int64, copy=False).aligned().reshape(-1)


def _start(launch, first, *arguments):
    """Start a kernel on the device of its first argument, unless there is nothing to do."""
    if all(getattr(x, "size", 1) for x in (first, *arguments)):
        _start_all(launch, first, *arguments)


def _start_all(launch, first, *arguments):
    """Start a kernel, also if some of its arguments have no numbers."""
    launch(first.device.launch, first, *arguments)


# ---- Linear algebra ------------------------------------------------------------------------------


@_call
def matmul(a, b, out=None):
    """Σₖ aᵢₖ bₖⱼ   (..., m, k), (..., k, n) -> (..., m, n), of numbers of any dtype"""
    return product(a, b, out)


@_call
def dense(x, weight, bias, activation=None):
    """y = f(z),  z = x W + b   (..., d), (d, u), (u,) -> y (..., u), z (..., u)"""
    if not _covered(x, weight, bias):
        return NotImplemented
    z = product(x, weight)
    y = z if activation is None else np.empty_like(z)
    kept = y if activation in (None, "relu") else z
    flat = (_flat(array) for array in (z, bias))
    _start(elementwise.LAUNCHES["biased"], *flat, FUNCTIONS[activation], kept.reshape(-1), _flat(y))
    return y, kept


@_call
def dense_backward(g, z, x, weight, activation=None, needs=(True, True, True)):
    """dL/dx = h Wᵀ,  dL/dW = xᵀ h,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db, None if unneeded"""
    if not _covered(g, z, x, weight):
        return NotImplemented
    h = g if activation is None else _pull(activation, g, z)
    rows, h_rows = (array.reshape(math.prod(array.shape[:-1]), array.shape[-1]) for array in (x, h))
    return (
        product(h, weight.T) if needs[0] else None,
        product(rows.T, h_rows) if needs[1] else None,
        np.sum(h_rows, axis=0) if needs[2] else None,
    )


@_call
def scatter_add(x, index, g):
    """Zeros like x (n, ...) with g added at [index], by the thread that owns a number"""
    rows = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    is_look_up = hasattr(rows, "block") and rows.dtype.kind in "iu" and x.ndim > 1 and x.size
    total = np.zeros_like(x)
    if _covered(x, g) and is_look_up:
        if g.size:
            wide = math.prod(x.shape[1:])
            parts = _integers(rows), _flat(g).reshape(-1, wide), total.reshape(len(x), wide)
            _start(scatter.LAUNCHES["by_owner"], *parts)
    else:
        np.add.at(total, index, g)
    return total


# ---- Activations ---------------------------------------------------------------------------------


def _value(name, x):
    """f(x) of each number"""
    if not _covered(x):
        return NotImplemented
    y = np.empty_like(x)
    _start(elementwise.LAUNCHES["value"], _flat(x), FUNCTIONS[name], y.reshape(-1))
    return y


def _pull(name, g, x):
    """g f'(x) of each number, from what the forward pass keeps: y for relu and sigmoid, else x"""
    if not _covered(g, x):
        return NotImplemented
    dx = np.empty_like(g)
    _start(elementwise.LAUNCHES["pull"], _flat(g), _flat(x), FUNCTIONS[name], dx.reshape(-1))
    return dx


def _gelu(approximate):
    return "gelu_tanh" if approximate else "gelu"


CALLS |= {
    "relu": lambda x: _value("relu", x),
    "relu_backward": lambda g, y: _pull("relu", g, y),
    "sigmoid": lambda x: _value("sigmoid", x),
    "sigmoid_backward": lambda g, y: _pull("sigmoid", g, y),
    "silu": lambda x: _value("silu", x),
    "silu_backward": lambda g, x: _pull("silu", g, x),
    "gelu": lambda x, approximate=False: _value(_gelu(approximate), x),
    "gelu_backward": lambda g, x, approximate=False: _pull(_gelu(approximate), g, x),
    "erf": lambda x: x.device.apply(math.erf, (x.dtype,), x.dtype, (x,), None),
}


# ---- Softmax and cross-entropy -------------------------------------------------------------------


def _is_last(axis, x):
    return axis in (-1, x.ndim - 1)


@_call
def softmax(x, axis=-1):
    """pᵢ = exp xᵢ / Σⱼ exp xⱼ along the last axis   (..., c) -> (..., c)"""
    if not (_covered(x) and _is_last(axis, x)):
        return NotImplemented
    p = np.empty_like(x)
    _start(of_rows.LAUNCHES["online"], _matrix(x), _matrix(p))
    return p


@_call
def softmax_backward(g, p, axis=-1):
    """dL/dxᵢ = pᵢ (gᵢ - Σⱼ gⱼ pⱼ)   (..., c), (..., c) -> (..., c)"""
    if not (_covered(g, p) and _is_last(axis, p)):
        return NotImplemented
    dx = np.empty_like(p)
    _start(of_rows.LAUNCHES["backward"], _matrix(g), _matrix(p), _matrix(dx))
    return dx


@_call
def cross_entropy(logits, labels):
    """lᵢ = -log softmax(zᵢ)[yᵢ]   (n, c), integers (n,) -> losses (n,), norms (n, 2)

    A label that is none of 0 .. c-1 makes NaN, since nobody waits for a kernel to raise an error.
    """
    _check_labels(logits, labels)
    n, _ = logits.shape
    if not _covered(logits):
        return _cross_entropy_in_words(logits, labels)
    loss, norms = np.empty_like(logits, shape=(n,)), np.empty_like(logits, shape=(n, 2))
    parts = _matrix(logits), _integers(labels), loss, norms
    _start(losses.LAUNCHES["cross_entropy"], *parts)
    return loss, norms


def _cross_entropy_in_words(logits, labels):
    """The same of numbers that the kernel does not take."""
    largest = np.max(logits, axis=-1, initial=-np.inf)
    z = logits - largest[:, None]
    log = np.log(np.sum(np.exp(z), axis=-1))
    own = np.take_along_axis(z, labels[:, None], axis=-1)[:, 0]
    return log - own, np.stack([largest, log], axis=-1)


@_call
def cross_entropy_backward(g, logits, norms, labels):
    """dL/dzᵢⱼ = gᵢ (pᵢⱼ - [j = yᵢ])   (n,), (n, c), (n, 2), (n,) -> (n, c)"""
    _check_labels(logits, labels)
    if not _covered(g, logits, norms):
        classes = np.cumsum(np.ones_like(labels, shape=(1, logits.shape[1])), axis=1) - 1
        p = np.exp(logits - norms[:, :1] - norms[:, 1:])
        return g[:, None] * (p - (classes == labels[:, None]))
    d = np.empty_like(logits)
    parts = _flat(g), _matrix(logits), _matrix(norms), _integers(labels), d
    _start(losses.LAUNCHES["cross_entropy_backward"], *parts)
    return d


def _check_labels(logits, labels):
    """ValueError unless there is an integer for each row. What they are, only the device knows."""
    if labels.shape != logits.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{len(logits)} rows of logits need as many integer labels. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}"
        )


# ---- Normalization -------------------------------------------------------------------------------


@_call
def layer_norm(x, scale, offset, epsilon):
    """y = scale (x - mean) r + offset   (..., d), (d,), (d,) -> y (..., d), mean, r (..., 1)"""
    if not (x.size and _covered(x, scale, offset)):
        return NotImplemented
    y, mean, r = np.empty_like(x), _one_for_each_row(x), _one_for_each_row(x)
    given = _matrix(x), _flat(scale), _flat(offset), np.float32(epsilon)
    _start(normalization.LAUNCHES["layer_norm"], *given, *map(_matrix, (y, mean, r)))
    return y, mean, r


@_call
def layer_norm_backward(g, x, mean, r, scale):
    """dL/dx = r (h - mean h - x̂ mean(h x̂)),  h = g scale   -> dx (..., d), dscale, doffset (d,)"""
    if not (x.size and _covered(g, x, mean, r, scale)):
        return NotImplemented
    dx, dscale, doffset = np.empty_like(x), np.zeros_like(scale), np.zeros_like(scale)
    given = [_matrix(array) for array in (g, x, mean, r)]
    _start(normalization.LAUNCHES["layer_norm_backward"], *given, _flat(scale), _matrix(dx))
    _start(normalization.LAUNCHES["layer_norm_parameters"], *given, dscale, doffset)
    return dx, dscale, doffset


@_call
def rms_norm(x, scale, epsilon):
    """y = scale x r,  r = 1/√(mean x² + epsilon)   (..., d), (d,) -> y (..., d), r (..., 1)"""
    if not (x.size and _covered(x, scale)):
        return NotImplemented
    y, r = np.empty_like(x), _one_for_each_row(x)
    given = _matrix(x), _flat(scale), np.float32(epsilon)
    _start(normalization.LAUNCHES["rms_norm"], *given, _matrix(y), _matrix(r))
    return y, r


@_call
def rms_norm_backward(g, x, r, scale):
    """dL/dx = r (h - x̂ mean(h x̂)),  h = g scale   -> dx (..., d), dscale (d,)"""
    if not (x.size and _covered(g, x, r, scale)):
        return NotImplemented
    dx, dscale = np.empty_like(x), np.zeros_like(scale)
    given = [_matrix(array) for array in (g, x, r)]
    _start(normalization.LAUNCHES["rms_norm_backward"], *given, _flat(scale), _matrix(dx))
    _start(normalization.LAUNCHES["rms_norm_parameters"], *given, dscale)
    return dx, dscale


def _one_for_each_row(x):
    return np.empty_like(x, shape=(*x.shape[:-1], 1))


# ---- Attention -----------------------------------------------------------------------------------


def _heads_fit(q, k, v, *others):
    """Whether a kernel can do it; what does not fit together, the specification names."""
    return (
        _covered(q, k, v, *others)
        and q.ndim == k.ndim == v.ndim == 4
        and q.size
        and k.size
        and max(q.shape[-1], v.shape[-1]) <= max(of_heads.WIDTHS)
        and (q.shape[0], q.shape[-1]) == (k.shape[0], k.shape[-1])
        and q.shape[1] % k.shape[1] == 0
        and v.shape[:3] == k.shape[:3]
    )


def _attention_options(q, scale, causal, mask, rate, key):
    """The options as the kernels take them; a mask of no numbers stands for none."""
    mask = np.empty_like(q, shape=(0, 0), dtype=bool) if mask is None else mask.aligned()
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    return np.float32(scale), int(causal), mask, np.float32(rate), np.uint64(key)


@_call
def attention(q, k, v, scale=None, causal=False, mask=None, rate=0.0, key=0):
    """oᵢ = Σⱼ pᵢⱼ vⱼ,  p = softmax(scale q kᵀ)   (b, h, t, d) -> o (b, h, t, e), norms (b, h, t, 2)

    Heads of more features than there are kernels for are left to the specification, and so are
    those of float64, and those without a query or a key.
    """
    if not _heads_fit(q, k, v):
        return NotImplemented
    _check_mask(mask, q, k)
    o = np.empty_like(q, shape=(*q.shape[:3], v.shape[-1]))
    norms = np.empty_like(q, shape=(*q.shape[:3], 2))
    given = (
        *(x.aligned() for x in (q, k, v)),
        *_attention_options(q, scale, causal, mask, rate, key),
    )
    launch = of_width(of_heads.LAUNCHES, "forward", max(q.shape[-1], v.shape[-1]))
    _start_all(launch, *given, o, _matrix(norms))
    return o, norms


@_call
def attention_backward(
    g, q, k, v, o, norms, scale=None, causal=False, mask=None, rate=0.0, key=0, out=None
):
    """dL/dv = p̃ᵀ g,  dL/dq = scale dz k,  dL/dk = scale dzᵀ q   -> dq, dk, dv"""
    if not _heads_fit(q, k, v, g, o, norms):
        return NotImplemented
    _check_mask(mask, q, k)
    inner = np.empty_like(g, shape=(math.prod(g.shape[:3]),))
    _start_all(of_heads.LAUNCHES["inner_products"], _matrix(g), _matrix(o), inner)
    dq, dk, dv = gradients = [np.empty_like(x) for x in (q, k, v)]
    given = *(x.aligned() for x in (g, q, k, v)), _matrix(norms), inner
    given = *given, *_attention_options(q, scale, causal, mask, rate, key)
    width = max(q.shape[-1], v.shape[-1])
    _start_all(of_width(of_heads.LAUNCHES, "queries", width), *given, dq)
    _start_all(of_width(of_heads.LAUNCHES, "keys", width), *given, dk, dv)
    if out is None:
        return tuple(gradients)
    for place, gradient in zip(out, gradients):
        place[...] = gradient
    return out


def _check_mask(mask, q, k):
    shape = q.shape[0], k.shape[2]
    if mask is not None and (mask.dtype != bool or mask.shape != shape):
        received = f"dtype {mask.dtype}, shape {mask.shape}"
        error = ValueError if mask.dtype == bool else TypeError
        raise error(f"mask must be booleans (b, s) = {shape}. Received: {received}")


# ---- Convolution ---------------------------------------------------------------------------------


def _windows(shape, size, strides, padding, dilation=(1, 1)):
    """How many windows images of a shape have, and where they lie."""
    count = windows.counts(shape[1:3], size, strides, padding, dilation)
    before = padding[0][0], padding[1][0]
    return count, of_images.Windows(*count, size[1], *strides, *before, *dilation)


def _images_fit(x, weight, groups, *others):
    """Whether a kernel can do it; what does not fit together, the specification names."""
    return (
        _covered(x, weight, *others)
        and x.ndim == weight.ndim == 4
        and x.shape[-1] == weight.shape[2] * groups
        and weight.shape[3] % groups == 0
        and all(other.size for other in (x, weight, *others))
    )


@_call
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
    """y = f(z),  z = A W + b  (n, h, w, c), (kh, kw, c / groups, u), (u,) -> y, z (n, ho, wo, u)"""
    if not _images_fit(x, weight, groups, *([] if bias is None else [bias])):
        return NotImplemented
    count, places = _windows(x.shape, weight.shape[:2], strides, padding, dilation)
    y = np.empty_like(x, shape=(x.shape[0], *count, weight.shape[-1]))
    z = y if activation in (None, "relu") else np.empty_like(y)
    bias = np.empty_like(x, shape=(0,)) if bias is None else bias
    given = x.aligned(), _matrix(weight), _flat(bias), places, groups, FUNCTIONS[activation]
    _start_all(of_images.LAUNCHES["convolution"], *given, _matrix(z), _matrix(y))
    return y, z


@_call
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
    """dL/dx from dA = h Wᵀ,  dL/dW = Aᵀ h,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db"""
    if not _images_fit(x, weight, groups, g, z):
        return NotImplemented
    h = _matrix(g if activation is None else _pull(activation, g, z))
    _, places = _windows(x.shape, weight.shape[:2], strides, padding, dilation)
    dx = dw = None
    if needs[0]:
        dx = np.empty_like(x)
        given = h, _matrix(weight), places, groups
        _start_all(of_images.LAUNCHES["convolution_images"], *given, dx)
    if needs[1]:
        dw = np.empty_like(weight)
        given = h, x.aligned(), places, groups
        _start_all(of_images.LAUNCHES["convolution_weights"], *given, _matrix(dw))
    return dx, dw, np.sum(h, axis=0) if needs[2] else None


# ---- Pooling -------------------------------------------------------------------------------------


def _pool(name, x, size, strides, padding):
    """One number for each window of x"""
    if not (_covered(x) and x.ndim == 4):
        return NotImplemented
    count, places = _windows(x.shape, size, strides, padding)
    y = np.empty_like(x, shape=(len(x), *count, x.shape[-1]))
    _start(pooling.LAUNCHES[name], x.aligned(), places, size[0], y)
    return y


@_call
def max_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the largest of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)"""
    return _pool("max_pool", x, size, strides, padding)


@_call
def max_pool_backward(g, x, y, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes to the first place of window (i, j) that has the value yᵢⱼ   -> like x"""
    if not (_covered(g, x, y) and x.ndim == 4):
        return NotImplemented
    _, places = _windows(x.shape, size, strides, padding)
    given, dx = [array.aligned() for array in (g, x, y)], np.empty_like(x)
    _start(pooling.LAUNCHES["max_pool_backward"], *given, places, size[0], dx)
    return dx


@_call
def average_pool(x, size, strides, padding=((0, 0), (0, 0))):
    """yᵢⱼ = the mean of window (i, j), for each channel   (n, h, w, c) -> (n, ho, wo, c)"""
    return _pool("average_pool", x, size, strides, padding)


@_call
def average_pool_backward(g, shape, size, strides, padding=((0, 0), (0, 0))):
    """dL/dx: gᵢⱼ goes in equal shares to all places of window (i, j) that count   -> `shape`"""
    if not (_covered(g) and g.ndim == 4):
        return NotImplemented
    _, places = _windows(shape, size, strides, padding)
    dx = np.empty_like(g, shape=tuple(shape))
    _start(pooling.LAUNCHES["average_pool_backward"], g.aligned(), places, size[0], dx)
    return dx


# ---- Randomness ----------------------------------------------------------------------------------


@_call
def random_uniform(x, key):
    """Uniform numbers in [0, 1) in the shape and dtype of x, that depend on `key` alone."""
    y = np.empty_like(x, dtype=np.float32)
    if y.size:
        launch = elementwise.LAUNCHES["random_uniform"]
        launch(x.device.launch, np.uint64(key), y.reshape(-1))
    return y.astype(x.dtype, copy=False)


@_call
def dropout(x, rate, key):
    """yᵢ = xᵢ / (1 - rate) with probability 1 - rate, else 0, by the random numbers of `key`"""
    if not _covered(x):
        return NotImplemented
    y = np.empty_like(x)
    given = _flat(x), np.float32(rate), np.uint64(key)
    _start(elementwise.LAUNCHES["dropout"], *given, y.reshape(-1))
    return y


# ---- Optimizers ----------------------------------------------------------------------------------


def _is_row(*arrays):
    """Whether a kernel can change all of these in their places."""
    return _covered(*arrays) and all(x.aligned() is x for x in arrays)


def _shrink(rate, decay):
    return np.float32(1 - rate * decay)


@_call
def sgd(parameter, gradient, velocity, rate, momentum=0.0, nesterov=False, decay=0.0):
    """v ← μ v + g,   θ ← θ - rate v;   with nesterov θ ← θ - rate (g + μ v)   in place"""
    velocity = velocity if momentum else parameter[:0]
    if not _is_row(parameter, gradient, velocity):
        return NotImplemented
    numbers = np.float32(rate), np.float32(momentum), int(nesterov), _shrink(rate, decay)
    arrays = map(_flat, (parameter, gradient, velocity))
    return _update("sgd", *arrays, *numbers)


@_call
def rmsprop(parameter, gradient, v, m, velocity, rate, rho, momentum, epsilon, decay=0.0):
    """v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√v + ε),   θ ← θ - rate u   in place"""
    arrays = parameter, gradient, v, *(parameter[:0] if x is None else x for x in (m, velocity))
    if not _is_row(*arrays):
        return NotImplemented
    numbers = map(np.float32, (rate, rho, 1 - rho, momentum, epsilon))
    return _update("rmsprop", *map(_flat, arrays), *numbers, _shrink(rate, decay))


@_call
def adagrad(parameter, gradient, accumulator, rate, epsilon, decay=0.0):
    """a ← a + g²,   θ ← θ - rate g / (√a + ε)   in place"""
    arrays = parameter, gradient, accumulator
    if not _is_row(*arrays):
        return NotImplemented
    numbers = np.float32(rate), np.float32(epsilon), _shrink(rate, decay)
    return _update("adagrad", *map(_flat, arrays), *numbers)


@_call
def adam(parameter, gradient, m, v, rate, beta_1, beta_2, epsilon, step, decay=0.0, scale=None):
    """m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m̂ / (√v̂ + ε)   in place"""
    scale = parameter.device.operand(1, parameter.dtype).reshape(1) if scale is None else scale
    if not _is_row(parameter, gradient, m, v, scale):
        return NotImplemented
    root = math.sqrt(1 - beta_2**step)
    numbers = rate * root / (1 - beta_1**step), beta_1, 1 - beta_1, beta_2, 1 - beta_2
    arrays = map(_flat, (parameter, gradient, scale, m, v))
    numbers = map(np.float32, (*numbers, epsilon * root))
    return _update("adam", *arrays, *numbers, _shrink(rate, decay))


def _update(name, parameter, *arguments):
    parameter.check_writeable()
    if parameter.size:
        optimizers.LAUNCHES[name](parameter.device.launch, parameter, *arguments)
