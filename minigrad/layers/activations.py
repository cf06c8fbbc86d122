"""Activation functions by name.

A name is looked up in `ops` at each call, so that a changed `ops.relu` is used.
"""

from .. import ops
from ..registry import look_up

_ELEMENTWISE = ("relu", "leaky_relu", "elu", "silu", "gelu", "softplus", "sigmoid", "tanh")
_NAMES = {name: name for name in (*_ELEMENTWISE, "softmax", "log_softmax")}
_NAMES |= {"swish": "silu", "exponential": "exp", "linear": None}


def get(activation):
    """None, the name of an operation, or a function of a Tensor as it is."""
    if activation is None or callable(activation):
        return activation
    return look_up("activation", activation, _NAMES)


def activate(activation, z):
    """activation(z); z itself if there is none."""
    if activation is None:
        return z
    return activation(z) if callable(activation) else getattr(ops, activation)(z)


# Those that ops.dense has inside, as they are in `ops` when nobody has changed them.
_FUSED = {name: getattr(ops, name) for name in ("relu", "silu", "gelu")}


def fused(activation):
    """Whether ops.dense may run an activation, by its name, together with the product."""
    return activation is None or (
        isinstance(activation, str)
        and activation in _FUSED
        and getattr(ops, activation) is _FUSED[activation]
    )
