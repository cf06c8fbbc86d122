"""Blocks of a Transformer: attention between the steps, then a network on each step alone.

Both add to what they are given, so that many of them can follow one another (Vaswani et al., 2017).
BERT is made of encoders; GPT and Llama of decoders, without an encoder.

n examples, t steps, s steps of the encoder's sequence, d features.
"""

import numpy as np

from .. import initializers
from ..registry import check_number, look_up
from . import activations
from .attention import MultiHeadAttention
from .core import Dropout, dense_inside, positive_integer
from .layer import Layer
from .normalization import LayerNormalization, RMSNormalization
from .positions import check_sequence

_NORMALIZATIONS = {"layer": LayerNormalization, "rms": RMSNormalization}


class FeedForward(Layer):
    """y = f(x U) D: two Dense layers, the first one wide   (..., d) -> (..., d)

    up.weight U (d, intermediate_dim), down.weight D (intermediate_dim, d), f the activation.

    gated  y = (f(x G) * (x U)) D with a third Dense layer `gate`; with activation="silu" this is
           the SwiGLU of Llama (Shazeer, 2020)
    """

    keeps_mask = True

    def __init__(
        self,
        intermediate_dim,
        activation="relu",
        gated=False,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **options,
    ):
        super().__init__(**options)
        self.intermediate_dim = positive_integer(
            "FeedForward", "intermediate_dim", intermediate_dim
        )
        self.activation = activations.get(activation)
        self.gated = gated
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape):
        if self.gated:
            self.gate = dense_inside(self, self.intermediate_dim, self.activation)
        activation = None if self.gated else self.activation
        self.up = dense_inside(self, self.intermediate_dim, activation)
        self.down = dense_inside(self, input_shape[-1])

    def call(self, x):
        h = self.up(x)  # (..., intermediate_dim)
        if self.gated:
            h = self.gate(x) * h  # (..., intermediate_dim)
        return self.down(h)  # (..., d)


class _Block(Layer):
    """What encoder and decoder share: their arguments, and how a layer is added to what came in.

    A step is (n, t, d) -> (n, t, d): x + f(norm(x)), or norm(x + f(x)) as it was at first.
    """

    def __init__(
        self,
        intermediate_dim,
        num_heads,
        dropout=0.0,
        activation="relu",
        layer_norm_epsilon=1e-5,
        normalize_first=False,
        num_key_value_heads=None,
        rope_max_wavelength=None,
        normalization="layer",
        gated=False,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **options,
    ):
        super().__init__(**options)
        kind = type(self).__name__
        self.intermediate_dim = positive_integer(kind, "intermediate_dim", intermediate_dim)
        self.num_heads = positive_integer(kind, "num_heads", num_heads)
        self.dropout = check_number("dropout", dropout, below=1)
        self.activation = activations.get(activation)
        self.layer_norm_epsilon = check_number("layer_norm_epsilon", layer_norm_epsilon)
        self.normalize_first = normalize_first
        self.num_key_value_heads = num_key_value_heads
        self.rope_max_wavelength = rope_max_wavelength
        look_up("normalization", normalization, _NORMALIZATIONS)
        self.normalization = normalization
        self.gated = gated
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape):
        check_sequence(self, input_shape)
        if input_shape[-1] % self.num_heads:
            raise ValueError(
                f"{type(self).__name__} gives each head an equal share of the features. "
                f"Received: num_heads={self.num_heads}, input of shape {tuple(input_shape)}"
            )
        self._compute_dtype = np.dtype(self.dtype)  # all that is added to x has it
        self.drop = Dropout(self.dropout)
        self.attention_norm = self._norm()
        self.attention = self._attention(
            input_shape[-1], rope_max_wavelength=self.rope_max_wavelength
        )
        self.feed_forward_norm = self._norm()
        self.feed_forward = FeedForward(
            self.intermediate_dim, self.activation, self.gated, **self._dense_options()
        )

    def _norm(self):
        kind = _NORMALIZATIONS[self.normalization]
        return kind(epsilon=self.layer_norm_epsilon, dtype=self.dtype)

    def _dense_options(self):
        names = "use_bias", "kernel_initializer", "bias_initializer", "dtype"
        return {name: getattr(self, name) for name in names}

    def _attention(self, d, **options):
        return MultiHeadAttention(
            self.num_heads,
            d // self.num_heads,
            num_key_value_heads=self.num_key_value_heads,
            dropout=self.dropout,
            **options,
            **self._dense_options(),
        )

    def _add(self, x, norm, layer, **options):
        """x + layer(norm(x)), or norm(x + layer(x))   (n, t, d) -> (n, t, d)"""
        if self.normalize_first:
            return x + self.drop(layer(norm(x), **options))
        return norm(x + self.drop(layer(x, **options)))


class TransformerEncoder(_Block):
    """Every step asks all steps, and then thinks about it alone.   (n, t, d) -> (n, t, d)

    intermediate_dim     the units of the FeedForward
    num_heads            of the MultiHeadAttention; d must be a multiple of it
    dropout              the share of what is set to 0 in training: of the weights of attention, and
                         of all that is added
    activation           of the FeedForward
    layer_norm_epsilon   of both normalizations, be they layer or RMS normalizations
    normalize_first      whether the normalizations are before attention and FeedForward, where
                         gradients pass by them (GPT-2, Llama), or behind (the paper, BERT)
    num_key_value_heads  see MultiHeadAttention, as for rope_max_wavelength
    normalization        "layer" or "rms"
    gated                see FeedForward

    The parameters are those of `attention`, `attention_norm`, `feed_forward`, `feed_forward_norm`.
    PyTorch's nn.TransformerEncoderLayer calls these self_attn, norm1, linear1 and linear2, norm2.

    A mask (n, t) hides steps from all others. What such a step holds itself has no meaning.
    """

    def call(self, x, mask=None):
        x = self._add(x, self.attention_norm, self.attention, mask=mask)  # (n, t, d)
        return self._add(x, self.feed_forward_norm, self.feed_forward)  # (n, t, d)


class TransformerDecoder(_Block):
    """Every step asks itself and those before it, and perhaps an encoder.   (n, t, d) -> (n, t, d)

    Its arguments are those of a TransformerEncoder, and

    use_cross_attention  whether each step asks the steps of an encoder's result, `encoder_sequence`
                         (n, s, e), as well

    Its parameters are those of an encoder, and of `cross_attention` and `cross_attention_norm`.
    """

    def __init__(
        self,
        intermediate_dim,
        num_heads,
        dropout=0.0,
        activation="relu",
        layer_norm_epsilon=1e-5,
        normalize_first=False,
        num_key_value_heads=None,
        rope_max_wavelength=None,
        normalization="layer",
        gated=False,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        use_cross_attention=False,
        **options,
    ):
        super().__init__(
            *(intermediate_dim, num_heads, dropout, activation, layer_norm_epsilon),
            *(normalize_first, num_key_value_heads, rope_max_wavelength, normalization, gated),
            *(use_bias, kernel_initializer, bias_initializer),
            **options,
        )
        self.use_cross_attention = use_cross_attention

    def build(self, input_shape):
        super().build(input_shape)
        if self.use_cross_attention:
            self.cross_attention_norm = self._norm()
            self.cross_attention = self._attention(input_shape[-1])

    def call(self, x, encoder_sequence=None, mask=None, encoder_mask=None, cache=None):
        """mask (n, t) and encoder_mask (n, s) are True where a step of x or the encoder's counts.

        cache  a KeyValueCache with the keys and values of the steps before these
        """
        is_there = encoder_sequence is not None
        if self.use_cross_attention != is_there or (encoder_mask is not None and not is_there):
            raise ValueError(
                "TransformerDecoder takes an encoder_sequence, and perhaps an encoder_mask, if and "
                "only if it was made with use_cross_attention. Received: "
                f"use_cross_attention={self.use_cross_attention}, encoder_sequence of shape "
                f"{getattr(encoder_sequence, 'shape', None)}"
            )
        itself = {"mask": mask, "use_causal_mask": True, "cache": cache}
        other = {"value": encoder_sequence, "mask": mask, "value_mask": encoder_mask}
        x = self._add(x, self.attention_norm, self.attention, **itself)  # (n, t, d)
        if self.use_cross_attention:
            x = self._add(x, self.cross_attention_norm, self.cross_attention, **other)  # (n, t, d)
        return self._add(x, self.feed_forward_norm, self.feed_forward)  # (n, t, d)
