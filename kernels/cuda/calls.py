"""What the kernels that minigrad calls by name do with arrays on a device.

Those in CALLS start a kernel that was written for them. A call that such a kernel does not cover
is left, as are those in COMPOSED, to the specification: it is written in NumPy's words, each of
which is a kernel of the device. All others raise an error: nothing is done on the host instead.
"""

import math

import numpy as np

from . import cross_entropy as losses
from . import elementwise, normalization, optimizers, scatter
from . import softmax as of_rows
from .elementwise import FUNCTIONS
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
    *("gru_step_backward", "sgd", "rmsprop", "adagrad", "adam"),
}
OWN, IN_WORDS, NOTHING = "a kernel", "kernels for NumPy's words", "nothing"


def run(name, specification, arguments, options):
    """The result of a kernel for arrays on a device."""
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
        launch(first.device.launch, first, *arguments)


# ---- Linear algebra ------------------------------------------------------------------------------


@_call
def matmul(a, b, out=None):
    return product(a, b, out)


@_call
def dense(x, weight, bias, activation=None):
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
    if not _covered(g, z, x, weight):
        return NotImplemented
    h = g if activation is None else _pull(activation, g, z)
    rows, h_rows = x.reshape(-1, x.shape[-1]), h.reshape(-1, h.shape[-1])
    return (
        product(h, weight.T) if needs[0] else None,
        product(rows.T, h_rows) if needs[1] else None,
        np.sum(h_rows, axis=0) if needs[2] else None,
    )


@_call
def scatter_add(x, index, g):
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
    if not _covered(x):
        return NotImplemented
    y = np.empty_like(x)
    _start(elementwise.LAUNCHES["value"], _flat(x), FUNCTIONS[name], y.reshape(-1))
    return y


def _pull(name, g, x):
    if not _covered(g, x):
        return NotImplemented
    dx = np.empty_like(g)
    _start(elementwise.LAUNCHES["pull"], _flat(g), _flat(x), FUNCTIONS[name], dx.reshape(-1))
    return dx


@_call
def relu(x):
    return _value("relu", x)


@_call
def relu_backward(g, y):
    return _pull("relu", g, y)


@_call
def sigmoid(x):
    return _value("sigmoid", x)


@_call
def sigmoid_backward(g, y):
    return _pull("sigmoid", g, y)


@_call
def silu(x):
    return _value("silu", x)


@_call
def silu_backward(g, x):
    return _pull("silu", g, x)


@_call
def gelu(x, approximate=False):
    return _value("gelu_tanh" if approximate else "gelu", x)


@_call
def gelu_backward(g, x, approximate=False):
    return _pull("gelu_tanh" if approximate else "gelu", g, x)


@_call
def erf(x):
    return x.device.apply(math.erf, (x.dtype,), x.dtype, (x,), None)


# ---- Softmax and cross-entropy -------------------------------------------------------------------


def _is_last(axis, x):
    return axis in (-1, x.ndim - 1)


@_call
def softmax(x, axis=-1):
    if not (_covered(x) and _is_last(axis, x)):
        return NotImplemented
    p = np.empty_like(x)
    _start(of_rows.LAUNCHES["online"], _matrix(x), _matrix(p))
    return p


@_call
def softmax_backward(g, p, axis=-1):
    if not (_covered(g, p) and _is_last(axis, p)):
        return NotImplemented
    dx = np.empty_like(p)
    _start(of_rows.LAUNCHES["backward"], _matrix(g), _matrix(p), _matrix(dx))
    return dx


@_call
def cross_entropy(logits, labels):
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
    if not _covered(x, scale, offset):
        return NotImplemented
    y, mean, r = np.empty_like(x), _one_for_each_row(x), _one_for_each_row(x)
    given = _matrix(x), _flat(scale), _flat(offset), np.float32(epsilon)
    _start(normalization.LAUNCHES["layer_norm"], *given, *map(_matrix, (y, mean, r)))
    return y, mean, r


@_call
def layer_norm_backward(g, x, mean, r, scale):
    if not _covered(g, x, mean, r, scale):
        return NotImplemented
    dx, dscale, doffset = np.empty_like(x), np.zeros_like(scale), np.zeros_like(scale)
    given = [_matrix(array) for array in (g, x, mean, r)]
    _start(normalization.LAUNCHES["layer_norm_backward"], *given, _flat(scale), _matrix(dx))
    _start(normalization.LAUNCHES["layer_norm_parameters"], *given, dscale, doffset)
    return dx, dscale, doffset


@_call
def rms_norm(x, scale, epsilon):
    if not _covered(x, scale):
        return NotImplemented
    y, r = np.empty_like(x), _one_for_each_row(x)
    given = _matrix(x), _flat(scale), np.float32(epsilon)
    _start(normalization.LAUNCHES["rms_norm"], *given, _matrix(y), _matrix(r))
    return y, r


@_call
def rms_norm_backward(g, x, r, scale):
    if not _covered(g, x, r, scale):
        return NotImplemented
    dx, dscale = np.empty_like(x), np.zeros_like(scale)
    given = [_matrix(array) for array in (g, x, r)]
    _start(normalization.LAUNCHES["rms_norm_backward"], *given, _flat(scale), _matrix(dx))
    _start(normalization.LAUNCHES["rms_norm_parameters"], *given, dscale)
    return dx, dscale


def _one_for_each_row(x):
    return np.empty_like(x, shape=(*x.shape[:-1], 1))


# ---- Randomness ----------------------------------------------------------------------------------


@_call
def random_uniform(x, key):
    y = np.empty_like(x, dtype=np.float32)
    if y.size:
        launch = elementwise.LAUNCHES["random_uniform"]
        launch(x.device.launch, np.uint64(key), y.reshape(-1))
    return y.astype(x.dtype, copy=False)


@_call
def dropout(x, rate, key):
    if not _covered(x):
        return np.where(random_uniform(x, key) >= rate, x / (1 - rate), 0)
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
    velocity = velocity if momentum else parameter[:0]
    if not _is_row(parameter, gradient, velocity):
        return NotImplemented
    numbers = np.float32(rate), np.float32(momentum), int(nesterov), _shrink(rate, decay)
    arrays = map(_flat, (parameter, gradient, velocity))
    return _update("sgd", *arrays, *numbers)


@_call
def rmsprop(parameter, gradient, v, m, velocity, rate, rho, momentum, epsilon, decay=0.0):
    arrays = parameter, gradient, v, *(parameter[:0] if x is None else x for x in (m, velocity))
    if not _is_row(*arrays):
        return NotImplemented
    numbers = map(np.float32, (rate, rho, 1 - rho, momentum, epsilon))
    return _update("rmsprop", *map(_flat, arrays), *numbers, _shrink(rate, decay))


@_call
def adagrad(parameter, gradient, accumulator, rate, epsilon, decay=0.0):
    arrays = parameter, gradient, accumulator
    if not _is_row(*arrays):
        return NotImplemented
    numbers = np.float32(rate), np.float32(epsilon), _shrink(rate, decay)
    return _update("adagrad", *map(_flat, arrays), *numbers)


@_call
def adam(parameter, gradient, m, v, rate, beta_1, beta_2, epsilon, step, decay=0.0, scale=None):
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
