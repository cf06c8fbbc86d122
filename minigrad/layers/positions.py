"""Where in its sequence a step is: attention alone cannot tell, as it sums over all steps alike.

Positions are added to the features of a step, learned (`PositionEmbedding`) or as sines and cosines
(`SinePositionEncoding`); or they turn its queries and keys (`RotaryEmbedding`).

n examples, t steps, d features. All take `start`, the position of the first step: where sequences
are made step by step, it is the number of steps that were there before.
"""

import numpy as np

from .. import initializers, ops
from ..registry import check_number
from .core import positive_integer
from .layer import Layer


class PositionEmbedding(Layer):
    """yᵢ = xᵢ + weightᵢ   (n, t, d), weight (sequence_length, d) -> (n, t, d)

    A vector is learned for each position up to `sequence_length`, the length of the longest
    sequence that there will be. KerasHub's layer of this name gives the vectors alone, which its
    user adds to x.
    """

    keeps_mask = True

    def __init__(self, sequence_length, initializer="glorot_uniform", **options):
        super().__init__(**options)
        self.sequence_length = positive_integer(
            "PositionEmbedding", "sequence_length", sequence_length
        )
        self.initializer = initializers.get(initializer)

    def build(self, input_shape):
        check_sequence(self, input_shape)
        self.weight = self.add_weight((self.sequence_length, input_shape[-1]), self.initializer)

    def call(self, x, start=0):
        check_sequence(self, x.shape, self.weight.shape[-1])
        end = start + x.shape[1]
        if not 0 <= start <= end <= self.sequence_length:
            raise ValueError(
                f"PositionEmbedding has {self.sequence_length} positions, sequence_length. "
                f"Received: shape {x.shape}, that is steps {start} to {end - 1}"
            )
        return x + self.weight[start:end]


class SinePositionEncoding(Layer):
    """yᵢ = xᵢ + (sin θᵢ₀, cos θᵢ₀, sin θᵢ₁, cos θᵢ₁, ...)   (n, t, d) -> (n, t, d)

    θᵢⱼ = i / max_wavelength^(2j/d) turns fast for small j and slowly for large ones, as the last
    and the first digit of a number that is counted up (Vaswani et al., 2017). Nothing is learned.
    """

    keeps_mask = True

    def __init__(self, max_wavelength=10000.0, **options):
        super().__init__(**options)
        self.max_wavelength = check_number("max_wavelength", max_wavelength, positive=True)

    def build(self, input_shape):
        check_sequence(self, input_shape)
        check_pairs(self, input_shape)

    def call(self, x, start=0):
        check_sequence(self, x.shape)
        pairs = frequencies(x, x.shape[-1], self.max_wavelength)  # (d/2,)
        theta = angles(x, start, pairs)  # (t, d/2)
        waves = np.stack([np.sin(theta), np.cos(theta)], axis=-1)  # (t, d/2, 2)
        return x + waves.reshape(x.shape[1:]).astype(x.dtype)


class RotaryEmbedding(Layer):
    """Turns each pair of features by an angle that grows with the position.   (..., t, d) -> same

    Position i turns pair j by θᵢⱼ = i / max_wavelength^(2j/d). The product of a turned query and a
    turned key depends on how far they are apart, and not on where they are (Su et al., 2021).

    A pair is made of features j and j + d/2, the two halves, as in Llama and KerasHub. The paper
    pairs neighbours, 2j and 2j + 1: weights that were trained so, Meta's own files of Llama among
    them, need the columns of their query and key reordered, 0, 2, 4, ..., 1, 3, 5, ... in each
    head; then both give the same attention.

    The queries and keys of a MultiHeadAttention are turned inside it: `rope_max_wavelength`.
    """

    keeps_mask = True

    def __init__(self, max_wavelength=10000.0, **options):
        super().__init__(**options)
        self.max_wavelength = check_number("max_wavelength", max_wavelength, positive=True)

    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                "RotaryEmbedding needs sequences (..., t, d) behind the axis of examples. "
                f"Received: shape {tuple(input_shape)}"
            )
        check_pairs(self, input_shape)

    def call(self, x, start=0):
        pairs = frequencies(x, x.shape[-1], self.max_wavelength)  # (d/2,)
        return ops.rotary(x, angles(x, start, pairs))


def frequencies(x, features, max_wavelength):
    """1 / max_wavelength^(2j/d) of each pair j of d features -> (d/2,), in float64, where x is"""
    ones = np.ones_like(x.data, shape=(features // 2,), dtype="float64")
    j = np.cumsum(ones) - 1
    return 1 / max_wavelength ** (2 * j / features)


def angles(x, start, frequencies):
    """θᵢⱼ = (start + i) frequencyⱼ   for x (..., t, d), frequencies (d/2,) -> (t, d/2)"""
    ones = np.ones_like(x.data, shape=(x.shape[-2], 1), dtype="float64")
    i = np.cumsum(ones, axis=0) - 1
    return (start + i) * frequencies


def check_sequence(layer, shape, features=None):
    """ValueError unless the shape is one of sequences (n, t, d), where d = features if given."""
    if len(shape) != 3 or features not in (None, shape[2]):
        expected = "(n, t, d)" if features is None else f"(n, t, {features})"
        raise ValueError(
            f"{type(layer).__name__} needs sequences {expected}. Received: shape {tuple(shape)}"
        )


def check_pairs(layer, shape):
    """ValueError unless the features, on the last axis, are an even number."""
    if shape[-1] % 2:
        raise ValueError(
            f"{type(layer).__name__} needs an even number of features, since it pairs them. "
            f"Received: shape {tuple(shape)}"
        )
