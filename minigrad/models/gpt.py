"""GPT-2 from top to bottom: a Transformer that says which token comes next (Radford et al., 2019).

n examples, t tokens, s tokens that were there before, d features, h heads, v words of a vocabulary.
"""

import math

import numpy as np

from .. import ops, random
from ..initializers import RandomNormal
from ..layers import Dense, Dropout, Embedding, KeyValueCache, Layer, LayerNormalization
from .token_model import TokenModel


class GPT(TokenModel):
    """logits = GPT(ids)   (n, t) -> (n, t, v): what comes after each token, in view of all before

    vocabulary_size      v
    num_layers           how many blocks there are, one after the other
    num_heads            h, of which each has d / h features
    hidden_dim           d
    intermediate_dim     features inside the feed-forward half of a block; 4 d if left out
    dropout              the share that is set to 0 in training: of the embeddings, of the weights
                         of attention, and of all that is added to x
    max_sequence_length  the context: there are so many positions
    layer_norm_epsilon   of all normalizations

    GPT(50257, 12, 12, 768) has the shape of GPT-2 small. The weight that makes logits of features
    is that of the embedding. No optimizer decays biases and normalizations.
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        hidden_dim,
        intermediate_dim=None,
        dropout=0.0,
        max_sequence_length=1024,
        layer_norm_epsilon=1e-5,
        **options,
    ):
        shape = vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim
        super().__init__(*shape, max_sequence_length, layer_norm_epsilon, dropout, **options)

        d, normal = self.hidden_dim, RandomNormal(stddev=0.02)
        self.tokens = Embedding(
            self.vocabulary_size, d, normal, name="GPT's embedding of tokens", dtype=self.dtype
        )
        self.positions = self.add_weight((self.max_sequence_length, d), normal)
        self.drop = Dropout(self.dropout)
        self.blocks = [_Block(self) for _ in range(self.num_layers)]
        self.final_norm = LayerNormalization(epsilon=self.layer_norm_epsilon, dtype=self.dtype)
        self._make_parameters()

    def call(self, ids, mask=None, cache=None):
        """Logits of what comes after each token.   ids (n, t) -> (n, t, v)

        mask   (n, t), True where a token counts. The others are hidden from all; positions are
               counted from the first that counts, so that a batch may be filled up on the left
        cache  what `make_cache` gave, with the keys and values of the s tokens before these
        """
        return self.logits(self.features(ids, mask, cache))

    def features(self, ids, mask=None, cache=None):
        """What all blocks together make of each token.   ids (n, t) -> (n, t, d)"""
        self._check_ids(ids, mask, cache[0].size if cache else 0)
        x = self.tokens(ids) + self._position(ids, mask, cache)  # (n, t, d)
        x = self.drop(x)
        for block, kept in zip(self.blocks, cache or [None] * self.num_layers):
            x = block(x, mask=mask, cache=kept)  # (n, t, d)
        return self.final_norm(x)

    def logits(self, features):
        """Features of any tokens beside the embeddings of all words.   (..., d) -> (..., v)"""
        return ops.inner(features, self.tokens.weight)

    def make_cache(self, length):
        """Room for the keys and values of `length` tokens: a KeyValueCache for each block."""
        return [KeyValueCache(length) for _ in range(self.num_layers)]

    def _position(self, ids, mask, cache):
        """The embedding of the position of each token.   -> (n, t, d), or (t, d) for all rows"""
        (n, t), start = ids.shape, cache[0].size if cache else 0
        before = cache[0].mask if cache else None
        if mask is None and before is None:
            return self.positions[start : start + t]
        mask = np.ones_like(before, shape=(n, t)) if mask is None else mask
        before = np.ones_like(mask, shape=(n, start)) if before is None else before
        has_begun = np.maximum.accumulate(np.concatenate([before, mask], axis=1), axis=1)
        place = np.cumsum(has_begun, axis=1)[:, start:] - 1  # (n, t)
        return ops.take(self.positions, np.maximum(place, 0), axis=0)


class _Block(Layer):
    """x + attention(norm(x)), and that + feed_forward(norm(that))   (n, t, d) -> (n, t, d)"""

    def __init__(self, gpt):
        super().__init__(dtype=gpt.dtype)
        self.num_heads, self.dropout = gpt.num_heads, gpt.dropout
        # Two layers of each block add to x. They start smaller, the more there are, so that the
        # variance of x does not grow with the number of blocks (Radford et al., 2019).
        d, places = gpt.hidden_dim, 2 * gpt.num_layers
        usual, added = (
            {"kernel_initializer": RandomNormal(stddev=stddev), "dtype": gpt.dtype}
            for stddev in (0.02, 0.02 / math.sqrt(places))
        )
        norm = {"epsilon": gpt.layer_norm_epsilon, "dtype": gpt.dtype}
        self.attention_norm = LayerNormalization(**norm)
        self.query_key_value = Dense(3 * d, **usual)
        self.output = Dense(d, **added)
        self.feed_forward_norm = LayerNormalization(**norm)
        self.up = Dense(gpt.intermediate_dim, "gelu_tanh", **usual)
        self.down = Dense(d, **added)
        self.drop = Dropout(gpt.dropout)

    def call(self, x, mask=None, cache=None, training=False):
        rate = self.dropout if training else 0.0
        dice = {"rate": rate, "key": random.key()} if rate > 0 else {}
        seen = {"causal": True, "mask": mask, "cache": cache}
        h = self.query_key_value(self.attention_norm(x))  # (n, t, 3 d)
        h = ops.self_attention(h, self.num_heads, **seen, **dice)  # (n, t, d)
        x = x + self.drop(self.output(h))  # (n, t, d)
        h = self.up(self.feed_forward_norm(x))  # (n, t, intermediate_dim)
        return x + self.drop(self.down(h))  # (n, t, d)
