"""One vector for a text, made of the features of its tokens.

n texts, t tokens, d features.
"""

from dataclasses import dataclass

import numpy as np

from ..layers.core import positive_integer
from ..registry import look_up
from ..tensor import no_grad
from ..text import pad

_POOLINGS = ("mean", "cls", "max")


@dataclass(frozen=True)
class Pooling:
    """How a text's vector is made of its tokens' features.

    kind        "mean" of the tokens that count, "max" of each feature, or "cls", the first token
    normalize   whether a vector is divided by its length: then products of two are cosines
    max_length  tokens of a text beyond so many are not read; None for all that the model can
    """

    kind: str = "mean"
    normalize: bool = False
    max_length: int | None = None

    def __post_init__(self):
        look_up("pooling", self.kind, {kind: kind for kind in _POOLINGS})

    def __call__(self, features, mask):
        """(n, t, d), mask (n, t) -> (n, d), all of them arrays"""
        if self.kind == "cls":
            vectors = features[:, 0]
        elif self.kind == "max":
            vectors = np.max(features, axis=1, initial=-np.inf, where=mask[:, :, None])
        else:
            total = np.sum(features, axis=1, where=mask[:, :, None])
            vectors = total / np.maximum(np.sum(mask, axis=1, keepdims=True), 1, dtype=total.dtype)
        if self.normalize:
            lengths = np.sqrt(np.sum(vectors * vectors, axis=1, keepdims=True))
            vectors = vectors / np.maximum(lengths, 1e-12)
        return vectors


@no_grad()
def embed(model, texts, batch_size=32):
    """A vector for each text (n, d), by a model with a `tokenizer` and a `pooling`."""
    pooling, tokenizer = model.pooling or Pooling(), model.tokenizer
    if tokenizer is None:
        raise ValueError("a model embeds texts by its tokenizer, and this one has none")
    positive_integer("embed", "batch_size", batch_size)
    most = pooling.max_length or model.max_sequence_length
    encoded = tokenizer.encode_batch(texts, max_length=most)
    # Texts of like lengths side by side leave little to be filled up.
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    vectors = np.empty((len(encoded), model.hidden_dim), model.dtype)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        ids, mask = pad([encoded[i] for i in rows])
        features = model.features(ids, mask=None if mask.all() else mask)
        vectors[rows] = pooling(features.numpy(), mask)
    return vectors
