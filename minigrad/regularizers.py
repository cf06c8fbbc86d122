"""Regularizers: a price for large weights, added to the loss that training minimizes."""

from . import ops
from .registry import Configurable, check_number, resolve


class Regularizer(Configurable):
    """R(w), a scalar Tensor for a Tensor of any shape.   The base of all regularizers."""

    def __call__(self, weight):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(weight)")


class L1(Regularizer):
    """R(w) = λ Σ |w|.   λ is l1; it makes weights exactly 0 (Tibshirani, 1996, the lasso)"""

    def __init__(self, l1=0.01):
        self.l1 = check_number("l1", l1)

    def __call__(self, weight):
        return self.l1 * ops.sum(ops.absolute(weight))


class L2(Regularizer):
    """R(w) = λ Σ w².   λ is l2, as in Keras without a factor 1/2"""

    def __init__(self, l2=0.01):
        self.l2 = check_number("l2", l2)

    def __call__(self, weight):
        return self.l2 * ops.sum(ops.square(weight))


class L1L2(Regularizer):
    """R(w) = λ₁ Σ |w| + λ₂ Σ w².   λ₁ is l1, λ₂ is l2 (Zou & Hastie, 2005, the elastic net)"""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = check_number("l1", l1)
        self.l2 = check_number("l2", l2)

    def __call__(self, weight):
        return self.l1 * ops.sum(ops.absolute(weight)) + self.l2 * ops.sum(ops.square(weight))


_CLASSES = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2}
_OBJECTS = {"l1_l2": L1L2(l1=0.01, l2=0.01)}  # the name alone means both, at their usual strength


def get(regularizer):
    """The regularizer that is meant: an object, a function, a name, or its configuration."""
    return resolve("regularizer", regularizer, _CLASSES, _OBJECTS)
