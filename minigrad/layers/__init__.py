"""Layers, in Keras's words."""

from .attention import KeyValueCache, MultiHeadAttention
from .core import Activation, Dense, Dropout, Embedding, Flatten, Input, Masking, Reshape
from .layer import Layer, Parameter
from .normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
)
from .positions import PositionEmbedding, RotaryEmbedding, SinePositionEncoding
from .transformer import FeedForward, TransformerDecoder, TransformerEncoder

__all__ = [
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Embedding",
    "FeedForward",
    "Flatten",
    "GroupNormalization",
    "Input",
    "KeyValueCache",
    "Layer",
    "LayerNormalization",
    "Masking",
    "MultiHeadAttention",
    "Parameter",
    "PositionEmbedding",
    "RMSNormalization",
    "Reshape",
    "RotaryEmbedding",
    "SinePositionEncoding",
    "TransformerDecoder",
    "TransformerEncoder",
]
