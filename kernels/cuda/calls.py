"""What the kernels that minigrad calls by name do with arrays on a device.

Those in CALLS have a kernel of their own. For those in COMPOSED the specification itself runs: it
is written in NumPy's words, each of which is a kernel here. The others raise an error: nothing is
done on the host instead.
"""

import math

import numpy as np

from .products import product

CALLS = {}

# Kernels whose specification speaks NumPy and reads no array.
COMPOSED = {
    *("dense", "dense_backward", "scatter_add", "relu", "relu_backward", "sigmoid"),
    *("sigmoid_backward", "silu", "silu_backward", "gelu_backward", "gelu", "softmax"),
    *("softmax_backward", "log_softmax", "log_softmax_backward", "layer_norm"),
    *("layer_norm_backward", "rms_norm", "rms_norm_backward", "attention", "attention_backward"),
    *("max_pool", "max_pool_backward", "lstm_step", "lstm_step_backward", "gru_step"),
    *("gru_step_backward", "sgd", "rmsprop", "adagrad", "adam"),
}


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


def _call(function):
    CALLS[function.__name__] = function
    return function


@_call
def matmul(a, b, out=None):
    return product(a, b, out)


@_call
def erf(x):
    return x.device.apply(math.erf, (x.dtype,), x.dtype, (x,), None)


@_call
def cross_entropy(logits, labels):
    largest = np.max(logits, axis=-1)
    z = logits - largest[:, None]
    log = np.log(np.sum(np.exp(z), axis=-1))
    own = np.take_along_axis(z, labels[:, None], axis=-1)[:, 0]
    return log - own, np.stack([largest, log], axis=-1)


@_call
def cross_entropy_backward(g, logits, norms, labels):
    d = np.exp(logits - norms[:, :1] - norms[:, 1:])
    classes = np.cumsum(np.ones_like(labels, shape=(1, logits.shape[1])), axis=1) - 1
    return g[:, None] * (d - (classes == labels[:, None]))
