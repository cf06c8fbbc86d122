"""The models of tasks: a base, which may have been pretrained, and a head on it, which is new.

n texts, t tokens, d features, c outputs. The base's weights are those of `.base`, under its paths,
and the head's those of `.head`, where there is one.
"""

import numpy as np

from ... import ops
from ...initializers import RandomNormal
from ...layers import Dense, Dropout
from ...models import BERT, Model
from .pooling import POOLINGS


class TaskModel(Model):
    """What the models of tasks share: they read ids, and the other arguments of the base's call."""

    input_shape = (None,)
    input_dtype = "int64"

    def __init__(self, base, **options):
        super().__init__(dtype=base.dtype, **options)
        self.base = base

    def features(self, ids, mask, segments):
        """What the base makes of each token.   (n, t) -> (n, t, d)"""
        others = {} if segments is None else {"segments": segments}
        return self.base.features(ids, mask=mask, **others)

    def _add_head(self, units):
        """A Dense layer, and the dropout before it: as for BERT and GPT-2 in transformers."""
        self.drop = Dropout(getattr(self.base, "dropout", 0.0))
        self.head = Dense(
            units,
            use_bias=isinstance(self.base, BERT),
            kernel_initializer=RandomNormal(stddev=0.02),
            dtype=self.dtype,
        )
        self.ensure_built()
        if self.head.use_bias:
            self.head.bias.weight_decay_multiplier = 0.0  # as all biases of the base

    def get_config(self):
        return {name: x for name, x in super().get_config().items() if name != "dtype"}


class TextModel(TaskModel):
    """ids (n, t) -> (n, c): something about each text.

    units    c
    pooling  how one vector is made of a text, as in `pooling`
    """

    def __init__(self, base, units, pooling, **options):
        super().__init__(base, **options)
        self.units, self.pooling = units, pooling
        self._add_head(units)

    def call(self, ids, mask=None, segments=None):
        x = self.features(ids, mask, segments)  # (n, t, d)
        return self.head(self.drop(POOLINGS[self.pooling](self.base, x, mask)))  # (n, c)


class EachTokenModel(TaskModel):
    """ids (n, t) -> (n, t, c): something about each token.

    units       c
    token_last  whether the result is (n, c, t), with one number of each kind for each token
    """

    def __init__(self, base, units, token_last=False, **options):
        super().__init__(base, **options)
        self.units, self.token_last = units, token_last
        self._add_head(units)

    def call(self, ids, mask=None, segments=None):
        logits = self.head(self.drop(self.features(ids, mask, segments)))  # (n, t, c)
        return ops.swapaxes(logits, 1, 2) if self.token_last else logits


class SentencesModel(TaskModel):
    """ids (n, 2, t) -> (n, 2, d): a vector of length 1 for each of two texts. It has no new head.

    pooling  how one vector is made of a text, as in `pooling`
    """

    input_shape = (2, None)

    def __init__(self, base, pooling, **options):
        super().__init__(base, **options)
        self.pooling = pooling
        self.ensure_built()

    def call(self, ids, mask=None):
        n, both, t = ids.shape
        ids = ops.reshape(ids, (n * both, t))
        mask = None if mask is None else mask.reshape(n * both, t)
        x = self.features(ids, mask, segments=None)  # (2 n, t, d)
        v = POOLINGS[self.pooling](self.base, x, mask)  # (2 n, d)
        v = v / ops.sqrt(ops.sum(v * v, axis=-1, keepdims=True) + 1e-24)
        return ops.reshape(v, (n, both, -1))


class LanguageModel(TaskModel):
    """ids (n, t) -> logits (n, t, v), as the base gives them: it has its head already.

    With places (n, m), integers from 0 to t - 1, there are logits (n, m, v) of those alone.
    """

    def __init__(self, base, **options):
        super().__init__(base, **options)
        self.ensure_built()

    def call(self, ids, mask=None, places=None):
        x = self.features(ids, mask, segments=None)  # (n, t, d)
        if places is not None:
            n, t, d = x.shape
            row = np.cumsum(np.ones_like(places), axis=0) - 1  # (n, m), from 0 up
            x = ops.take(ops.reshape(x, (n * t, d)), row * t + places, axis=0)  # (n, m, d)
        return self.base.logits(x)


MODELS = {
    kind.__name__: kind for kind in (TextModel, EachTokenModel, SentencesModel, LanguageModel)
}
