"""Layers, in Keras's words."""

from .attention import KeyValueCache, MultiHeadAttention
from .core import Activation, Dense, Dropout, Embedding, Flatten, Input, Masking, Reshape
from .layer import Layer, Parameter
from .normalization import BatchNormalization, LayerNormalization
from .positions import PositionEmbedding, RotaryEmbedding, SinePositionEncoding
from .recurrent import GRU, LSTM, Bidirectional, SimpleRNN

__all__ = [
    "Activation",
    "BatchNormalization",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRU",
    "Input",
    "KeyValueCache",
    "LSTM",
    "Layer",
    "LayerNormalization",
    "Masking",
    "MultiHeadAttention",
    "Parameter",
    "PositionEmbedding",
    "Reshape",
    "RotaryEmbedding",
    "SimpleRNN",
    "SinePositionEncoding",
]
