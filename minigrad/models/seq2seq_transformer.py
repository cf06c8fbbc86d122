"""The Transformer as it was at first: it reads one sequence and writes another.

A. Vaswani and others, "Attention is all you need", 2017.

The encoder reads the source, every token knowing all others. The decoder writes the target token by
token: each one asks those before it, and then, by cross-attention, the source.

n examples, s tokens of the source, t of the target, d features, h heads with e = d / h features
each, i features inside, v tokens of a vocabulary.
"""

import math

import numpy as np

from .. import ops, random, text
from ..initializers import RandomNormal
from ..layers import (
    Dense,
    Dropout,
    Embedding,
    FeedForward,
    KeyValueCache,
    Layer,
    LayerNormalization,
    MultiHeadAttention,
    SinePositionEncoding,
)
from ..layers.attention import attention_scores
from ..tensor import no_grad
from .token_model import TokenModel


class Seq2SeqTransformer(TokenModel):
    """source (n, s), target (n, t) -> logits (n, t, v): which token comes after each of the target.

    vocabulary_size      v. Source and target share one vocabulary, and one table of embeddings,
                         which is the weight of the output too
    num_layers           how many blocks there are, in the encoder and in the decoder
    num_heads            h
    hidden_dim           d
    intermediate_dim     i; 4 d if left out
    dropout              the share that is set to 0 in training: of the embeddings, of the weights
                         of attention, and of all that is added to x
    max_sequence_length  so long a source or a target may be
    layer_norm_epsilon   of all normalizations

    All is as in the paper, but the normalizations: they come before what they are for, and once
    more at the end, with which a model learns at once and needs no warm-up. It is PyTorch's
    nn.Transformer with norm_first=True. Biases and normalizations are not decayed by an optimizer.

    In training the target is known: logits = model(source, target[:, :-1], mask=mask) are compared
    with target[:, 1:]. Where a target is filled up, at its end, no token sees it, and so only the
    loss has to leave it out. Afterwards `translate` writes it, token by token.
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
        layer_norm_epsilon=1e-5,
        **options,
    ):
        shape = vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim
        super().__init__(*shape, max_sequence_length, layer_norm_epsilon, dropout, **options)

        self.tokens = Embedding(
            self.vocabulary_size,
            self.hidden_dim,
            RandomNormal(stddev=1 / math.sqrt(self.hidden_dim)),
            name="Seq2SeqTransformer's embedding of tokens",
            dtype=self.dtype,
        )
        self.positions = SinePositionEncoding(dtype=self.dtype)
        self.drop = Dropout(self.dropout)
        self.encoder = [_EncoderBlock(self) for _ in range(self.num_layers)]
        self.encoder_norm = _norm(self)
        self.decoder = [_DecoderBlock(self) for _ in range(self.num_layers)]
        self.decoder_norm = _norm(self)
        self._make_parameters()

    def ensure_built(self):
        """Make the parameters, by a call on one token of each sequence."""
        if not self.built:
            example = np.zeros((1, 1), dtype=self.input_dtype)
            with no_grad():
                self(example, example, training=False)

    def call(self, source, target, mask=None):
        """Logits of what comes after each token of the target.   (n, s), (n, t) -> (n, t, v)

        mask  (n, s), True where a token of the source counts: the others fill it up
        """
        return self.logits(self.decode(target, self.read(source, mask), mask))

    def encode(self, source, mask=None):
        """What the encoder makes of each token of the source.   (n, s) -> (n, s, d)"""
        self._check_ids(source, mask)
        x = self._embed(source)  # (n, s, d)
        for block in self.encoder:
            x = block(x, mask=mask)  # (n, s, d)
        return self.encoder_norm(x)

    def read(self, source, mask=None):
        """Keys and values of the source for each block of the decoder: pairs of (n, h, s, e)"""
        memory = self.encode(source, mask)  # (n, s, d)
        return [block.cross_attention.keys_and_values(memory) for block in self.decoder]

    def decode(self, target, source, mask=None, cache=None, scores=None):
        """What the decoder makes of each token of the target, (n, t) -> (n, t, d)

        source  what `read` gave, whose mask is the same
        cache   a KeyValueCache for each block, with the tokens before these
        scores  a list: each block appends the weights of its cross-attention, (n, h, t, s)
        """
        start = cache[0].size if cache else 0
        self._check_ids(target, None, start)
        if len(target) != source[0][0].shape[0]:
            raise ValueError(
                "Seq2SeqTransformer needs as many targets as sources. "
                f"Received: {len(target)} and {source[0][0].shape[0]}"
            )
        x = self._embed(target, start)  # (n, t, d)
        for block, (k, v), kept in zip(self.decoder, source, cache or [None] * self.num_layers):
            x = block(x, k=k, v=v, source_mask=mask, cache=kept, scores=scores)  # (n, t, d)
        return self.decoder_norm(x)

    def logits(self, features):
        """How likely each token of the vocabulary is to come next.   (..., d) -> (..., v)"""
        return ops.inner(features, self.tokens.weight)

    def make_cache(self, length):
        """Room for `length` tokens of the targets: a KeyValueCache for each block."""
        return [KeyValueCache(length) for _ in self.decoder]

    def translate(self, source, start, end, max_new_tokens, mask=None, beams=1):
        """The target that each source (n, s) leads to: n lists of ids, without `start` and `end`.

        start, end  the ids that every target begins and ends with
        beams       1 takes the most likely token, always; with more, the search of text.generate
                    looks for the most likely target

        ValueError for more new tokens than the model has positions.
        """
        if max_new_tokens > self.max_sequence_length:
            raise ValueError(
                f"Seq2SeqTransformer writes at most {self.max_sequence_length} tokens, "
                f"max_sequence_length. Received: max_new_tokens={max_new_tokens}"
            )
        with no_grad():
            pairs = self.read(source, mask)  # once for all tokens of the targets
        if beams == 1:
            decoder, prompts = _Decoder(self, pairs, mask), [[start]] * len(source)
            return text.generate(decoder, prompts, max_new_tokens, temperature=0, end_token=end)
        found = []
        for i in range(len(source)):
            row = slice(i, i + 1)
            pair = [(k[row], v[row]) for k, v in pairs]
            decoder = _Decoder(self, pair, None if mask is None else mask[row])
            found += text.generate(decoder, [[start]], max_new_tokens, beams=beams, end_token=end)
        return found

    def _embed(self, ids, start=0):
        x = self.tokens(ids) * math.sqrt(self.hidden_dim)  # (n, t, d), of variance 1 at first
        return self.drop(self.positions(x, start=start))


class _Decoder:
    """The decoder with sources that are read: what text.generate takes for a language model."""

    def __init__(self, model, pairs, mask):
        self.model, self.pairs, self.mask = model, pairs, mask
        self.vocabulary_size, self.device = model.vocabulary_size, model.device
        self.max_sequence_length = model.max_sequence_length
        self.logits, self.make_cache = model.logits, model.make_cache

    def features(self, ids, mask=None, cache=None):
        """ids (n, t) of the targets of n sources, or of n beams of one -> (n, t, d)"""
        pairs, mask, n = self.pairs, self.mask, len(ids)
        if pairs[0][0].shape[0] != n:
            pairs = [[ops.repeat(x, n, axis=0) for x in pair] for pair in pairs]
            mask = None if mask is None else np.repeat(mask, n, axis=0)
        return self.model.decode(ids, pairs, mask, cache)


class _EncoderBlock(Layer):
    """x + attention(norm(x)), and that + feed_forward(norm(that))   (n, s, d) -> (n, s, d)"""

    def __init__(self, model):
        super().__init__(dtype=model.dtype)
        self.attention_norm, self.attention = _norm(model), _attention(model)
        self.feed_forward_norm, self.feed_forward = _norm(model), _feed_forward(model)
        self.drop = Dropout(model.dropout)

    def call(self, x, mask=None):
        x = x + self.drop(self.attention(self.attention_norm(x), mask=mask))  # (n, s, d)
        return x + self.drop(self.feed_forward(self.feed_forward_norm(x)))  # (n, s, d)


class _DecoderBlock(Layer):
    """The same, but no token sees a later one, and between the two it asks the source.

    (n, t, d) -> (n, t, d)
    """

    def __init__(self, model):
        super().__init__(dtype=model.dtype)
        self.attention_norm, self.attention = _norm(model), _attention(model)
        self.cross_attention_norm, self.cross_attention = _norm(model), _CrossAttention(model)
        self.feed_forward_norm, self.feed_forward = _norm(model), _feed_forward(model)
        self.drop = Dropout(model.dropout)

    def call(self, x, cache=None, **source):
        y = self.attention(self.attention_norm(x), use_causal_mask=True, cache=cache)
        x = x + self.drop(y)  # (n, t, d)
        x = x + self.drop(self.cross_attention(self.cross_attention_norm(x), **source))  # (n, t, d)
        return x + self.drop(self.feed_forward(self.feed_forward_norm(x)))  # (n, t, d)


class _CrossAttention(Layer):
    """Each token of the target asks all of the source.   (n, t, d) -> (n, t, d)

    The source stays as it is while the target grows, so its keys and values are found once.
    """

    def __init__(self, model):
        super().__init__(dtype=model.dtype)
        self.num_heads, self.dropout = model.num_heads, model.dropout
        self.query, self.key = _dense(model, model.hidden_dim), _dense(model, model.hidden_dim)
        self.value, self.output = _dense(model, model.hidden_dim), _dense(model, model.hidden_dim)

    def keys_and_values(self, memory):
        """(n, s, d) -> two of (n, h, s, e)"""
        return self._heads(self.key(memory)), self._heads(self.value(memory))

    def call(self, x, k, v, source_mask, scores, training=False):
        q = self._heads(self.query(x))  # (n, h, t, e)
        dice = {"rate": self.dropout, "key": random.key()} if training and self.dropout else {}
        o = ops.attention(q, k, v, mask=source_mask, **dice)  # (n, h, t, e)
        if scores is not None:
            scores.append(attention_scores(q, k, mask=source_mask))  # (n, h, t, s)
        return self.output(ops.reshape(ops.swapaxes(o, 1, 2), x.shape))  # (n, t, d)

    def _heads(self, x):
        """(n, t, d) -> (n, h, t, e)"""
        n, t, d = x.shape
        return ops.swapaxes(ops.reshape(x, (n, t, self.num_heads, d // self.num_heads)), 1, 2)


def _attention(model):
    return MultiHeadAttention(
        model.num_heads,
        model.head_dim,
        dropout=model.dropout,
        dtype=model.dtype,
    )


def _feed_forward(model):
    return FeedForward(model.intermediate_dim, "relu", dtype=model.dtype)


def _dense(model, units):
    return Dense(units, dtype=model.dtype)


def _norm(model):
    return LayerNormalization(epsilon=model.layer_norm_epsilon, dtype=model.dtype)
