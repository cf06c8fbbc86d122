"""LowRank: a change of a Dense layer that takes few parameters, for fine-tuning (LoRA).

n examples, d features, u units, r the rank.
"""

import math

from .. import ops, random
from ..initializers import VarianceScaling
from ..registry import check_number
from .core import positive_integer
from .layer import Layer


class LowRank(Layer):
    """y = s (x A) B   (..., d), a (d, r), b (r, u) -> (..., u)     (Hu et al., 2021)

    What it is added to, x W + b with a W that is frozen, learns by it as if W became W + s A B: a
    change of rank r, with r (d + u) parameters for d u. B begins with zeros, so that nothing is
    changed at first, and A at random.

    units       u, those of the Dense layer
    r           the rank
    alpha       s = alpha / r; so a learning rate that is good for one r is about right for another
    dropout     the share of x that is set to 0 in training, for the change alone
    use_rslora  s = alpha / √r, for large r (Kalajdzievski, 2023)

    active  whether the Dense layer that has it adds it
    """

    keeps_mask = True
    active = True

    def __init__(self, units, r=8, alpha=16, dropout=0.0, use_rslora=False, **options):
        super().__init__(**options)
        self.units = positive_integer("LowRank", "units", units)
        self.r = positive_integer("LowRank", "r", r)
        self.alpha = check_number("alpha", alpha, positive=True)
        self.dropout = check_number("dropout", dropout, below=1)
        self.use_rslora = use_rslora

    @property
    def scale(self):
        """s"""
        return self.alpha / (math.sqrt(self.r) if self.use_rslora else self.r)

    def build(self, input_shape):
        uniform = VarianceScaling(1 / 3, "fan_in", "uniform")  # from -1/√d to 1/√d
        self.a = self.add_weight((input_shape[-1], self.r), uniform)
        self.b = self.add_weight((self.r, self.units), "zeros")

    def call(self, x, training=False):
        if training and self.dropout > 0:
            x = ops.dropout(x, self.dropout, random.key())
        return ((x @ self.a) * self.scale) @ self.b

    def change(self):
        """s A B   (d, u), what the weight of the Dense layer changes by"""
        return (self.a * self.scale) @ self.b
