"""Vectors of sentences that lie near each other where the sentences mean the same.

n pairs, d features of a vector.
"""

import numpy as np

from ... import ops
from ...losses import Loss
from ...metrics.per_example import array_of
from ...registry import check_number
from .pooling import check_pooling
from .task import Task, as_arrays, check_rows, number_in, text_in
from .task_models import SentencesModel

FAR = -1e9  # a score whose share is 0


class InBatchContrast(Loss):
    """l = -log softmax(s uᵢ·V)ᵢ: of all second sentences of a batch, the own one is the nearest.

    y numbers the second sentences (n,), so that one that comes twice in a batch is no wrong answer;
    vectors u, v of length 1 (n, 2, d). (Henderson et al., 2017)

    scale  s: how much nearer counts, 1 / temperature
    """

    def __init__(self, scale=20.0, reduction="sum_over_batch_size"):
        super().__init__(reduction)
        self.scale = check_number("scale", scale, positive=True)

    def call(self, y_true, y_pred):
        y = array_of(y_true)
        scores = ops.inner(y_pred[:, 0], y_pred[:, 1]) * self.scale  # (n, n)
        own = np.cumsum(np.ones_like(y, dtype="int64")) - 1
        same = np.logical_and(y[:, None] == y, own[:, None] != own)
        return ops.sparse_softmax_cross_entropy(ops.where(same, FAR, scores), own)


class CosineSimilarity(Loss):
    """l = (u·v - y)²: the cosine of two sentences is y.   y (n,), u, v of length 1 (n, 2, d)"""

    def call(self, y_true, y_pred):
        cosine = ops.sum(y_pred[:, 0] * y_pred[:, 1], axis=-1)
        return ops.square(cosine - ops.reshape(ops.astype(y_true, cosine.dtype), cosine.shape))


def nearest_is_own(y_true, y_pred):
    """[the nearest of a batch's second sentences is the own one]   (n,), (n, 2, d) -> (n,)"""
    y, v = array_of(y_true), array_of(y_pred)
    nearest = ops.inner(v[:, 0], v[:, 1]).data.argmax(axis=-1)
    return y[nearest] == y


def cosine_error(y_true, y_pred):
    """|u·v - y|   (n,), (n, 2, d) -> (n,)"""
    v = array_of(y_pred)
    return np.absolute(np.sum(v[:, 0] * v[:, 1], axis=-1) - array_of(y_true))


class MatchSentences(Task):
    """Two sentences that belong together.   A row: {"first": ..., "second": ..., "score": ...}

    first, second  the columns of the sentences
    score          the column with the cosine that they shall have, from -1 to 1; None if there is
                   no such column: then all pairs belong together, and of the second sentences of
                   the others in a batch each is a wrong one, so that large batches teach more
    pooling        how one vector is made of a text: "mean" unless the base says otherwise
    max_length     a sentence is cut to so many tokens
    """

    def __init__(self, first="first", second="second", score=None, pooling=None, max_length=128):
        super().__init__(max_length, first=first, second=second, score=score, pooling=pooling)

    @property
    def loss(self):
        """The loss of pairs that belong together, or of pairs with a score each."""
        return InBatchContrast() if self.score is None else CosineSimilarity()

    @property
    def metrics(self):
        """The share of sentences whose own partner is the nearest, or how far scores are off."""
        return [nearest_is_own if self.score is None else cosine_error]

    @property
    def columns(self):
        return [self.first, self.second]

    def model(self, base):
        """Vectors (n, 2, d) of ids (n, 2, t)."""
        usual = "mean" if getattr(base, "pooling", None) is None else None
        return SentencesModel(base, check_pooling(base, self.pooling or usual))

    def inputs(self, rows, tokenizer, max_length=None):
        """x: ids and a mask (n, 2, t)"""
        encoded = []
        for i, row in enumerate(check_rows(rows, tokenizer)):
            for name in (self.first, self.second):
                text = text_in(row, name, i)
                encoded.append(tokenizer.encode(text, max_length=max_length or self.max_length))
        x = as_arrays(tokenizer, encoded)
        return {name: array.reshape(-1, 2, array.shape[1]) for name, array in x.items()}

    def examples(self, rows, tokenizer, max_length=None):
        """x, and y (n,): scores; or numbers of the second sentences, equal for equal ones"""
        rows = check_rows(rows, tokenizer)
        x = self.inputs(rows, tokenizer, max_length)
        if self.score is None:
            number = {}
            return x, np.array([number.setdefault(row[self.second], len(number)) for row in rows])
        return x, np.array([number_in(row, self.score, i) for i, row in enumerate(rows)])

    def answers(self, predictions, rows=None, tokenizer=None):
        """The cosine of each pair."""
        return np.sum(predictions[:, 0] * predictions[:, 1], axis=-1).tolist()
