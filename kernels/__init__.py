"""Arrays in, arrays out: the compute kernels that minigrad calls by name.

Every kernel is specified in plain NumPy in `kernels.reference`, which is also what runs today.
"""

from .reference import (
    adagrad,
    adam,
    cross_entropy,
    cross_entropy_backward,
    dropout,
    erf,
    layer_norm,
    layer_norm_backward,
    log_softmax,
    log_softmax_backward,
    matmul,
    random_uniform,
    rmsprop,
    scatter_add,
    sgd,
    softmax,
    softmax_backward,
)

# PyPI has another package named `kernels`: by this minigrad knows which one Python has found.
__project__ = "minigrad"
__all__ = [
    "adagrad",
    "adam",
    "cross_entropy",
    "cross_entropy_backward",
    "dropout",
    "erf",
    "layer_norm",
    "layer_norm_backward",
    "log_softmax",
    "log_softmax_backward",
    "matmul",
    "random_uniform",
    "rmsprop",
    "scatter_add",
    "sgd",
    "softmax",
    "softmax_backward",
]
