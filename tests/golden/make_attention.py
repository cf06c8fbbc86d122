"""Makes attention.safetensors: what PyTorch says of attention and all that belongs to it.

    python -m tests.golden.make_attention    (needs torch; `make golden` makes all such files)

As `make_layers` does, but a layer's parameters may lie in layers inside. What PyTorch is asked is
in `attention_in_torch`.
"""

from pathlib import Path

import numpy as np

from tests.golden.make_layers import make, read

FILE = Path(__file__).with_name("attention.safetensors")

INPUTS = {
    "vectors": (3, 6),
    "feature_maps": (2, 3, 2, 4),
    "steps": (2, 5, 6),
    "another": (2, 4, 6),
    "memory": (2, 4, 3),
    "keys": (2, 4, 5),
    "present": np.array([[True] * 5, [True, True, True, False, False]]),
    "remembered": np.array([[False, True, True, True], [True, True, False, False]]),
}

# Our layer, its input x and options, and what PyTorch is asked, p being our layer's parameters.
CASES = {
    # Attention to itself: with biases, masks, fewer heads of keys, other features of the values
    "MultiHeadAttention(3, 2): steps": "multihead(p, x, 3)",
    "MultiHeadAttention(3, 2): steps, mask=present": "multihead(p, x, 3, present=present)",
    "MultiHeadAttention(3, 2): steps, use_causal_mask=True": "multihead(p, x, 3, causal=True)",
    "MultiHeadAttention(3, 2, use_bias=False): steps, mask=present, use_causal_mask=True": (
        "multihead(p, x, 3, present=present, causal=True)"
    ),
    "MultiHeadAttention(2, 4, value_dim=5): steps, mask=present": (
        "attention(p, x, (2, 2), present=present)"
    ),
    "MultiHeadAttention(4, 2, num_key_value_heads=2): steps, mask=present, use_causal_mask=True": (
        "attention(p, x, (4, 2), present=present, causal=True)"
    ),
    "MultiHeadAttention(4, 2, num_key_value_heads=1, use_bias=False): steps": (
        "attention(p, x, (4, 1))"
    ),
    "MultiHeadAttention(2, 4, rope_max_wavelength=100): steps, use_causal_mask=True": (
        "attention(p, x, (2, 2), causal=True, wavelength=100)"
    ),
    "MultiHeadAttention(4, 2, dropout=0.5): steps": "attention(p, x, (4, 4))",
    # Attention to another sequence
    "MultiHeadAttention(3, 2): steps, value=memory": "multihead(p, x, 3, memory)",
    "MultiHeadAttention(3, 2): steps, value=memory, mask=present, value_mask=remembered": (
        "multihead(p, x, 3, memory, present=remembered)"
    ),
    "MultiHeadAttention(3, 2, use_bias=False): steps, value=memory, key=keys": (
        "multihead(p, x, 3, memory, keys)"
    ),
    "MultiHeadAttention(4, 3, 2, 2): steps, value=memory, key=keys, value_mask=remembered": (
        "attention(p, x, (4, 2), memory, keys, present=remembered)"
    ),
    # Positions
    "PositionEmbedding(5): steps": "x + p['weight']",
    "PositionEmbedding(9): steps, start=2": "x + p['weight'][2:7]",
    "SinePositionEncoding(): steps": "with_sines(x, 10000)",
    "SinePositionEncoding(50): steps, start=3": "with_sines(x, 50, 3)",
    "RotaryEmbedding(): steps": "rotated(x, 10000)",
    "RotaryEmbedding(50): steps, start=3": "rotated(x, 50, 3)",
    # Normalization
    "RMSNormalization(): steps": "F.rms_norm(x, (6,), p['gamma'], 1e-6)",
    "RMSNormalization(epsilon=0.5): vectors": "F.rms_norm(x, (6,), p['gamma'], 0.5)",
    "RMSNormalization(axis=1): steps": "F.rms_norm(x.mT, (5,), p['gamma'], 1e-6).mT",
    "GroupNormalization(3): steps": "group_norm(p, x, 3)",
    "GroupNormalization(2): vectors": "group_norm(p, x, 2)",
    "GroupNormalization(1): feature_maps": "group_norm(p, x, 1)",
    "GroupNormalization(4, epsilon=1e-5): feature_maps": "group_norm(p, x, 4, epsilon=1e-5)",
    "GroupNormalization(3, axis=1): feature_maps": "group_norm(p, x, 3, 1)",
    "GroupNormalization(2, center=False): feature_maps": "group_norm(p, x, 2)",
    "GroupNormalization(2, scale=False): feature_maps": "group_norm(p, x, 2)",
    "GroupNormalization(2, scale=False, center=False): feature_maps": "group_norm(p, x, 2)",
    # Blocks
    "FeedForward(7): steps": "feed_forward(p, x, F.relu)",
    "FeedForward(7, 'gelu', use_bias=False): vectors": "feed_forward(p, x, F.gelu)",
    "FeedForward(7, 'silu', gated=True): steps": "feed_forward(p, x, F.silu)",
    "TransformerEncoder(7, 2): steps": "encoder(p, x, 2, 7)",
    "TransformerEncoder(7, 3, activation='gelu'): steps, mask=present": (
        "encoder(p, x, 3, 7, present, activation='gelu')"
    ),
    "TransformerEncoder(7, 2, normalize_first=True): steps, mask=present": (
        "encoder(p, x, 2, 7, present, norm_first=True)"
    ),
    "TransformerEncoder(7, 2, layer_norm_epsilon=0.1): steps, mask=present": (
        "encoder(p, x, 2, 7, present, layer_norm_eps=0.1)"
    ),
    "TransformerEncoder(7, 2, normalization='rms', use_bias=False): steps, mask=present": (
        "block(p, x, (2, 2), 'rms', F.relu, first=False, present=present)"
    ),
    "TransformerDecoder(7, 2): steps, mask=present": (
        "block(p, x, (2, 2), 'layer', F.relu, first=False, present=present, causal=True)"
    ),
    "TransformerDecoder(7, 1, 0.0, 'silu', 1e-6, True, 1, 100, 'rms', True, False): steps": (
        "block(p, x, (1, 1), 'rms', F.silu, epsilon=1e-6, causal=True, wavelength=100)"
    ),
    "TransformerDecoder(7, 3, num_key_value_heads=1, normalize_first=True): steps": (
        "block(p, x, (3, 1), 'layer', F.relu, causal=True)"
    ),
    "TransformerDecoder(7, 2, use_cross_attention=True): steps, encoder_sequence=another": (
        "decoder(p, x, 2, 7, another)"
    ),
    "TransformerDecoder(7, 2, activation='gelu', normalize_first=True, use_cross_attention=True): "
    "steps, encoder_sequence=another, mask=present, encoder_mask=remembered": (
        "decoder(p, x, 2, 7, another, present, remembered, activation='gelu', norm_first=True)"
    ),
}


def load():
    """{name: array} of all inputs and parameters, and {case: {"value", "x", parameter: array}}."""
    return read(FILE)


def main():
    from tests.golden import attention_in_torch

    make(FILE, INPUTS, CASES, vars(attention_in_torch))


if __name__ == "__main__":
    main()
