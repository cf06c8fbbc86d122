"""One vector for a text, made of those of its tokens.

n texts, t tokens, d features; a mask (n, t) is True where a token counts, or None if all do.
"""

import numpy as np

from ... import ops
from ...models import BERT
from ...registry import look_up


def first(base, features, mask):
    """What BERT's pooler makes of the first token, [CLS].   (n, t, d) -> (n, d)"""
    return base.pool(features)


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


POOLINGS = {"first": first, "mean": mean, "last": last}


def check_pooling(base, pooling):
    """The name of a pooling that the base has; of its usual one for None. Else a ValueError.

    That is the folder's that the base was read from, if this says one; "first" for BERT, which
    learned to say something of a text there, and "last" for a model that reads from left to right.
    """
    if pooling is None:
        pooling = getattr(base, "pooling", None) or ("first" if isinstance(base, BERT) else "last")
    look_up("pooling", pooling, POOLINGS)
    if pooling == "first" and (not isinstance(base, BERT) or base.head is not None):
        raise ValueError(
            "pooling='first' is what BERT's pooler makes of [CLS], with head=None; others take "
            f"'mean' or 'last'. Received: {base!r}"
        )
    return pooling
