"""What the kernels that minigrad calls by name do with arrays on a device.

Those in CALLS start a kernel that was written for them; each family of these has a file here. A
call that such a kernel does not cover is left, as are those in COMPOSED, to the specification: it
is written in NumPy's words, each of which is a kernel of the device. All others raise an error:
nothing is done on the host instead.

    registry      CALLS, {name: function}, which the files below fill
    arguments     arrays as kernels want them, and how these are started
    linear        products of matrices, dense layers, rows of a table
    activations   relu, gelu and the like
    softmax       softmax, cross-entropy
    normalization, attention, images, randomness, optimizers   what their names say
"""

import numpy as np

from ..errors import HostCopyError
from . import (  # noqa: F401  each fills CALLS
    activations,
    attention,
    images,
    linear,
    normalization,
    optimizers,
    randomness,
    softmax,
)
from .registry import CALLS

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
