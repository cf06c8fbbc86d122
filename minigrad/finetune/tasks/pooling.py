"""One vector for a text, made of those of its tokens.

n texts, t tokens, d features; a mask (n, t) is True where a token counts, or None if all do.
"""

import numpy as np

from ... import ops
from ...models import BERT
from ...registry import look_up


def pooler(base, features, mask):
    """What BERT's pooler makes of the first token, [CLS].   (n, t, d) -> (n, d)"""
    return base.pool(features)


def cls(base, features, mask):
    """The first token as it is.   (n, t, d) -> (n, d)"""
    return features[:, 0]


def mean(base, features, mask):
    """The mean of the tokens that count, as in sentence-transformers.   (n, t, d) -> (n, d)"""
    if mask is None:
        return ops.mean(features, axis=1)
    weight = mask[..., None].astype(features.dtype)  # (n, t, 1)
    return ops.sum(features * weight, axis=1) / np.maximum(np.sum(weight, axis=1), 1)


def last(base, features, mask):
    """The last token that counts, which has seen all others.   (n, t, d) -> (n, d)"""
    if mask is None:
        return features[:, -1]
    number = np.cumsum(np.ones_like(mask, dtype="int64"), axis=1)  # (n, t), from 1 up
    column = np.maximum(np.max(number * mask, axis=1) - 1, 0)
    row = np.cumsum(np.ones_like(column)) - 1
    return features[row, column]


POOLINGS = {"pooler": pooler, "cls": cls, "mean": mean, "last": last}


def check_pooling(base, pooling):
    """The name of a pooling that the base has; of its usual one for None. Else a ValueError.

    That is what the folder of the base says, if it was read from one of sentence-transformers; else
    "pooler" for a BERT that has one, as in transformers, and "last" for GPT and Llama.
    """
    if pooling is None:
        of_folder = getattr(base, "pooling", None)
        pooling = _usual(base) if of_folder is None else of_folder.kind
    look_up("pooling", pooling, POOLINGS)
    if pooling == "pooler" and not _has_pooler(base):
        raise ValueError(
            "pooling='pooler' is what BERT's pooler makes of [CLS], with head=None; others take "
            f"'mean' or 'last'. Received: {base!r}"
        )
    return pooling


def _has_pooler(base):
    return isinstance(base, BERT) and base.head != "tokens" and base.use_pooler


def _usual(base):
    if isinstance(base, BERT):
        return "pooler" if _has_pooler(base) else "mean"
    return "last"
