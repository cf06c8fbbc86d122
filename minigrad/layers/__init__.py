"""Layers, in Keras's words.

    layer          Layer, Parameter        what all share: here is where to start reading
    core           Dense, Embedding, ...   the basic ones
    activations                            functions by name, which a layer ends in
    convolution    Conv2D, ...             the same small Dense layer at every place of an image
    pooling        MaxPooling2D, ...       the largest or the mean of each window
    resizing       UpSampling2D, ...       images and sequences made larger
    recurrent      LSTM, GRU, ...          a state that is carried through a sequence
    attention      MultiHeadAttention      every step of a sequence asks all others
    positions      RotaryEmbedding, ...    where in its sequence a step is
    normalization  LayerNormalization, ... activations brought to one scale
    transformer    TransformerEncoder, ... blocks of attention and of Dense layers
    low_rank       LowRank                 a change of a Dense layer, for fine-tuning (LoRA)

`windows` has what convolution and pooling share. Arguments and shapes that do not fit raise a
ValueError that names the layer and says what came.
"""

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
