"""Layers, in Keras's words."""

from .attention import KeyValueCache, MultiHeadAttention
from .convolution import Conv1D, Conv2D, Conv2DTranspose
from .core import Activation, Dense, Dropout, Embedding, Flatten, Input, Masking, Reshape
from .layer import Layer, Parameter
from .low_rank import LowRank
from .normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
)
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from .positions import PositionEmbedding, RotaryEmbedding, SinePositionEncoding
from .recurrent import GRU, LSTM, Bidirectional, SimpleRNN
from .resizing import UpSampling1D, UpSampling2D, ZeroPadding1D, ZeroPadding2D
from .transformer import FeedForward, TransformerDecoder, TransformerEncoder

__all__ = [
    "Activation",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "FeedForward",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "GRU",
    "Input",
    "KeyValueCache",
    "LSTM",
    "Layer",
    "LayerNormalization",
    "LowRank",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "MultiHeadAttention",
    "Parameter",
    "PositionEmbedding",
    "RMSNormalization",
    "Reshape",
    "RotaryEmbedding",
    "SimpleRNN",
    "SinePositionEncoding",
    "TransformerDecoder",
    "TransformerEncoder",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
]
