"""Activation functions by name.

A name is looked up in `ops` at each call, so that a changed `ops.relu` is used.
"""

from .. import ops
from ..registry import look_up

_ELEMENTWISE = ("relu", "leaky_relu", "elu", "silu", "gelu", "softplus", "sigmoid", "tanh")
_NAMES = {name: name for name in (*_ELEMENTWISE, "gelu_tanh", "softmax", "log_softmax")}
_NAMES |= {"swish": "silu", "exponential": "exp", "linear": None}
_VARIANTS = {"gelu_tanh": ("gelu", {"approximate": True})}  # of operations with options


def get(activation):
    """None, the name of an operation, or a function of a Tensor as it is."""
    if activation is None or callable(activation):
        return activation
    return look_up("activation", activation, _NAMES)


def activate(activation, z):
    """activation(z); z itself if there is none."""
    if activation is None:
        return z
    if callable(activation):
        return activation(z)
    operation, options = _VARIANTS.get(activation, (activation, {}))
    return getattr(ops, operation)(z, **options)


# Those that ops.dense has inside, with their operations as they are when nobody has changed them.
_FUSED = {name: getattr(ops, name) for name in ("relu", "silu", "gelu")}
_FUSED["gelu_tanh"] = ops.gelu


def fused(activation):
    """Whether ops.dense may run an activation, by its name, together with the product."""
    if activation is None or not isinstance(activation, str):
        return activation is None
    operation, _ = _VARIANTS.get(activation, (activation, {}))
    return activation in _FUSED and getattr(ops, operation) is _FUSED[activation]
