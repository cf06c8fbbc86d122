"""Layers, in Keras's words."""

from .attention import KeyValueCache, MultiHeadAttention
from .core import Activation, Dense, Dropout, Embedding, Flatten, Input, Masking, Reshape
from .layer import Layer, Parameter
from .normalization import BatchNormalization, LayerNormalization
from .positions import PositionEmbedding, RotaryEmbedding, SinePositionEncoding

__all__ = [
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "KeyValueCache",
    "Layer",
    "LayerNormalization",
    "Masking",
    "MultiHeadAttention",
    "Parameter",
    "PositionEmbedding",
    "Reshape",
    "RotaryEmbedding",
    "SinePositionEncoding",
]
