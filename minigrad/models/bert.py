"""BERT from top to bottom: a Transformer that reads a text both ways (Devlin et al., 2018).

Some tokens of a text are hidden, and from those on both sides it says which they were. What it
learns by that from bare text serves to tell texts apart, or pairs of texts.

n examples, t tokens, d features, h heads, i features inside, v tokens of a vocabulary, c classes.
"""

import numpy as np

from .. import ops
from ..bounded_json import shorten
from ..initializers import TruncatedNormal
from ..layers import (
    Dense,
    Dropout,
    Embedding,
    Layer,
    LayerNormalization,
    MultiHeadAttention,
    PositionEmbedding,
)
from ..tensor import Tensor
from .embedding import embed
from .token_model import TokenModel

_HEADS = ("tokens", "classes", None)
_INITIAL = TruncatedNormal(stddev=0.02)


class BERT(TokenModel):
    """ids (n, t) -> logits (n, t, v): which token stands, or stood, at each place.

    vocabulary_size      v
    num_layers           how many blocks there are, one after the other
    num_heads            h, of which each gets d / h features
    hidden_dim           d
    intermediate_dim     i; 4 d if left out
    dropout              the share that is set to 0 in training: of the embeddings, of the weights
                         of attention, of all that is added to x, and of what goes to the classes
    max_sequence_length  so many positions there are
    num_segments         so many parts a text may have: the two texts of a pair
    layer_norm_epsilon   of all normalizations
    head                 what a call gives: "tokens", the logits above; "classes", logits (n, c) for
                         each text; None, the features (n, t, d)
    num_classes          c, with head="classes"
    labels               the names of the classes, c of them, if they have names
    use_pooler           with head=None, whether there is a pooler for what is said of a whole text

    The shape of BERT base is BERT(30522, 12, 12, 768). With the three heads the parameters are
    those of Hugging Face's BertForMaskedLM, BertForSequenceClassification and BertModel, of which
    the last two have a pooler. Biases and normalizations are not decayed by an optimizer.
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        hidden_dim,
        intermediate_dim=None,
        dropout=0.0,
        max_sequence_length=512,
        num_segments=2,
        layer_norm_epsilon=1e-12,
        head="tokens",
        num_classes=None,
        use_pooler=True,
        labels=None,
        **options,
    ):
        shape = vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim
        super().__init__(*shape, max_sequence_length, layer_norm_epsilon, dropout, **options)
        self._keep_sizes(num_segments=num_segments)
        self.head, self.num_classes, self.use_pooler = head, num_classes, use_pooler
        if head not in _HEADS or (head == "classes") != (num_classes is not None):
            raise ValueError(
                f"BERT's head is one of {_HEADS}, and num_classes goes with 'classes'. "
                f"Received: head={head!r}, num_classes={num_classes!r}"
            )
        if head == "classes" and not use_pooler:
            raise ValueError("BERT's classes are told by its pooler. Received: use_pooler=False")
        if head == "classes":
            self._keep_sizes(num_classes=num_classes)
        self.labels = None if labels is None else list(labels)
        if self.labels is not None and len(self.labels) != num_classes:
            raise ValueError(
                "BERT's labels are the names of its classes, one for each. "
                f"Received: labels={shorten(labels)}, num_classes={num_classes!r}"
            )

        self.tokens = _embedding(self, "tokens", self.vocabulary_size)
        self.positions = PositionEmbedding(self.max_sequence_length, _INITIAL, dtype=self.dtype)
        self.segments = _embedding(self, "segments", self.num_segments)
        self.embedding_norm = _norm(self)
        self.drop = Dropout(self.dropout)
        self.blocks = [_Block(self) for _ in range(self.num_layers)]
        if head == "tokens":
            self.transform = _dense(self, self.hidden_dim, "gelu")
            self.transform_norm = _norm(self)
            self.output_bias = self.add_weight((self.vocabulary_size,), "zeros")
        elif use_pooler:
            self.pooler = _dense(self, self.hidden_dim, "tanh", input_dim=self.hidden_dim)
            self.pooler.ensure_built()  # features alone have no use for it, but files have it
        if head == "classes":
            self.classifier = _dense(self, self.num_classes)
        self._make_parameters()

    def call(self, ids, mask=None, segments=None):
        """What the head says of ids (n, t).

        mask      (n, t), True where a token counts: the others fill up a text that is shorter
        segments  (n, t) integers, the part of the text that each token is in; 0 if left out. In a
                  pair the first text has 0, with its [CLS] and [SEP], and the second 1
        """
        x = self.features(ids, mask, segments)  # (n, t, d)
        if self.head == "tokens":
            return self.logits(x)  # (n, t, v)
        if self.head == "classes":
            return self.classifier(self.drop(self.pool(x)))  # (n, c)
        return x

    def features(self, ids, mask=None, segments=None):
        """What the blocks make of each token, knowing all others.   (n, t) -> (n, t, d)"""
        self._check_ids(ids, mask)
        segments = self._segments(ids, segments)
        x = self.positions(self.tokens(ids)) + self.segments(segments)  # (n, t, d)
        x = self.drop(self.embedding_norm(x))
        for block in self.blocks:
            x = block(x, mask=mask)  # (n, t, d)
        return x

    def logits(self, features):
        """How likely each token of the vocabulary is at these places.   (..., d) -> (..., v)

        They may be some of all, features[rows, columns] (k, d): most work of a training step is
        here, and where no token was hidden there is nothing to be said.
        """
        self._check_head("tokens")
        x = self.transform_norm(self.transform(features))  # (..., d)
        return ops.inner(x, self.tokens.weight) + self.output_bias  # (..., v)

    def pool(self, features):
        """One vector for a text, made of its first token, [CLS].   (n, t, d) -> (n, d)"""
        self._check_head("classes", None)
        if not self.use_pooler:
            raise ValueError("this BERT was made without a pooler: use_pooler=False")
        if features.shape[1] == 0:
            raise ValueError("BERT pools a text by its first token. Received: texts without tokens")
        first = features[:, 0]  # (n, d)
        return self.pooler(first)

    def embed(self, texts, batch_size=32):
        """A vector for each text, by its `pooling`; texts with like meanings have like vectors.

        It takes a `tokenizer`, as `finetune.from_pretrained` gives it. -> an array (n, d)
        """
        return embed(self, texts, batch_size)

    def _check_head(self, *heads):
        if self.head not in heads:
            wanted = " or ".join(map(repr, heads))
            raise ValueError(f"BERT does so with head={wanted}. Received: head={self.head!r}")

    def _segments(self, ids, segments):
        if segments is None:
            return np.zeros_like(ids.data if isinstance(ids, Tensor) else ids)
        if np.shape(segments) != ids.shape:
            raise ValueError(
                f"BERT needs segments of the shape of its ids, {ids.shape}. "
                f"Received: {np.shape(segments)}"
            )
        return segments


class _Block(Layer):
    """norm(x + attention(x)), and then norm(x + feed_forward(x))   (n, t, d) -> (n, t, d)"""

    def __init__(self, model):
        super().__init__(dtype=model.dtype)
        d = model.hidden_dim
        self.attention = MultiHeadAttention(
            model.num_heads,
            model.head_dim,
            dropout=model.dropout,
            kernel_initializer=_INITIAL,
            dtype=model.dtype,
        )
        self.attention_norm = _norm(model)
        self.up = _dense(model, model.intermediate_dim, "gelu")
        self.down = _dense(model, d)
        self.feed_forward_norm = _norm(model)
        self.drop = Dropout(model.dropout)

    def call(self, x, mask=None):
        x = self.attention_norm(x + self.drop(self.attention(x, mask=mask)))  # (n, t, d)
        inner = self.up(x)  # (n, t, i)
        return self.feed_forward_norm(x + self.drop(self.down(inner)))  # (n, t, d)


def _embedding(model, name, size):
    return Embedding(
        size, model.hidden_dim, _INITIAL, name=f"BERT's embedding of {name}", dtype=model.dtype
    )


def _dense(model, units, activation=None, **options):
    return Dense(units, activation, kernel_initializer=_INITIAL, dtype=model.dtype, **options)


def _norm(model):
    return LayerNormalization(epsilon=model.layer_norm_epsilon, dtype=model.dtype)
