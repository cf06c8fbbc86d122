"""Llama from top to bottom, and with it Qwen: a GPT of later years (Touvron et al., 2023).

Positions turn queries and keys instead of being added to the tokens; normalizations divide and do
not subtract; the networks inside are gated; and several heads of queries share their keys and
values, which are what a long text costs.

n examples, t tokens, s tokens that are there so far, d features, i features inside, v tokens of a
vocabulary; h heads of queries with e features each, hₖ of keys and values.
"""

import numpy as np

from .. import ops
from ..initializers import RandomNormal
from ..layers import Dense, Embedding, KeyValueCache, Layer, RMSNormalization
from ..layers.positions import angles, frequencies
from ..registry import check_number
from .token_model import TokenModel

_INITIAL = RandomNormal(stddev=0.02)
_SCALING = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")


class Llama(TokenModel):
    """ids (n, t) -> logits (n, t, v): how likely each token is to come after each of these.

    vocabulary_size      v
    num_layers           how many blocks there are, one after the other
    num_heads            h
    hidden_dim           d
    intermediate_dim     i
    num_key_value_heads  hₖ, of which each serves h / hₖ heads of queries; h if left out
    head_dim             e; d / h if left out
    max_sequence_length  the context: so many tokens it is made for
    rope_max_wavelength  θ₀: position p turns pair j of a head's features by p / θ₀^(2j/e)
    rope_scaling         None, or how those angles are made smaller for texts longer than the model
                         was trained on, in the words of Llama 3's own config.json: a dict of
                         "factor", "low_freq_factor", "high_freq_factor" and
                         "original_max_position_embeddings"
    layer_norm_epsilon   of all normalizations
    use_qkv_bias         whether query, key and value have biases (Qwen2)
    use_qk_norm          whether the queries and keys of each head are normalized (Qwen3)
    tie_embeddings       whether the output's weight is that of the embedding of tokens

    The shape of Llama 3.2 1B is Llama(128256, 16, 32, 2048, 8192, 8, rope_max_wavelength=500000,
    tie_embeddings=True, ...). Normalizations and biases are not decayed by an optimizer.
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        hidden_dim,
        intermediate_dim,
        num_key_value_heads=None,
        head_dim=None,
        max_sequence_length=4096,
        rope_max_wavelength=10000.0,
        rope_scaling=None,
        layer_norm_epsilon=1e-5,
        use_qkv_bias=False,
        use_qk_norm=False,
        tie_embeddings=False,
        **options,
    ):
        shape = vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim
        super().__init__(
            *shape, max_sequence_length, layer_norm_epsilon, head_dim=head_dim, **options
        )
        self._keep_sizes(
            num_key_value_heads=num_heads if num_key_value_heads is None else num_key_value_heads
        )
        if self.num_heads % self.num_key_value_heads or self.head_dim % 2:
            raise ValueError(
                "Llama needs num_heads to be a multiple of num_key_value_heads, and an even "
                f"head_dim, whose features are turned in pairs. Received: num_heads={num_heads}, "
                f"num_key_value_heads={self.num_key_value_heads}, head_dim={self.head_dim}"
            )
        self.rope_max_wavelength = check_number(
            "rope_max_wavelength", rope_max_wavelength, positive=True
        )
        self.rope_scaling = _check_scaling(rope_scaling)
        self.use_qkv_bias = use_qkv_bias
        self.use_qk_norm = use_qk_norm
        self.tie_embeddings = tie_embeddings

        self.tokens = Embedding(
            self.vocabulary_size,
            self.hidden_dim,
            _INITIAL,
            name="Llama's embedding of tokens",
            dtype=self.dtype,
        )
        self.blocks = [_Block(self) for _ in range(self.num_layers)]
        self.final_norm = _norm(self)
        if not tie_embeddings:
            self.output = _dense(self, self.vocabulary_size)
        self._make_parameters()

    def call(self, ids, mask=None, cache=None):
        """Logits of what comes after each token.   ids (n, t) -> (n, t, v)

        mask   (n, t), True where a token counts. The others are hidden from all. A batch may be
               filled up on the left, since nothing but the distance of two tokens matters
        cache  what `make_cache` gave, with the keys and values of the tokens before these
        """
        return self.logits(self.features(ids, mask, cache))

    def features(self, ids, mask=None, cache=None):
        """What all blocks together make of each token.   ids (n, t) -> (n, t, d)"""
        start = cache[0].size if cache else 0
        self._check_ids(ids, mask, start)
        x = self.tokens(ids)  # (n, t, d)
        theta = angles(x, start, self._frequencies(x))  # (t, e / 2)
        for block, kept in zip(self.blocks, cache or [None] * self.num_layers):
            x = block(x, theta=theta, mask=mask, cache=kept)  # (n, t, d)
        return self.final_norm(x)

    def logits(self, features):
        """How likely each token of the vocabulary is to come next.   (..., d) -> (..., v)"""
        if self.tie_embeddings:
            return ops.inner(features, self.tokens.weight)
        return self.output(features)

    def make_cache(self, length):
        """Room for the keys and values of `length` tokens: a KeyValueCache for each block."""
        return [KeyValueCache(length) for _ in range(self.num_layers)]

    def _frequencies(self, x):
        """By how much one position turns each pair of features.   -> (e / 2,)

        With rope_scaling, pairs that turn often within the original length stay as they are: they
        tell neighbours apart. Those that seldom turn are slowed down by `factor`, since they would
        come to angles never seen in training; those in between, in part.
        """
        usual = frequencies(x, self.head_dim, self.rope_max_wavelength)
        if self.rope_scaling is None:
            return usual
        factor, low, high, length = (self.rope_scaling[name] for name in _SCALING)
        turns = usual * (length / (2 * np.pi))  # of each pair within the original length
        kept = np.clip((turns - low) / (high - low), 0, 1)
        return usual * (kept + (1 - kept) / factor)


class _Block(Layer):
    """x + attention(norm(x)), and that + feed_forward(norm(that))   (n, t, d) -> (n, t, d)"""

    def __init__(self, model):
        super().__init__(dtype=model.dtype)
        self.num_heads, self.num_key_value_heads = model.num_heads, model.num_key_value_heads
        e, bias = model.head_dim, model.use_qkv_bias
        self.attention_norm = _norm(model)
        self.query = _dense(model, self.num_heads * e, use_bias=bias)
        self.key = _dense(model, self.num_key_value_heads * e, use_bias=bias)
        self.value = _dense(model, self.num_key_value_heads * e, use_bias=bias)
        self.use_qk_norm = model.use_qk_norm
        if self.use_qk_norm:
            self.query_norm = _norm(model)
            self.key_norm = _norm(model)
        self.output = _dense(model, model.hidden_dim)
        self.feed_forward_norm = _norm(model)
        self.gate = _dense(model, model.intermediate_dim, "silu")
        self.up = _dense(model, model.intermediate_dim)
        self.down = _dense(model, model.hidden_dim)

    def call(self, x, theta, mask=None, cache=None):
        x = x + self.attend(self.attention_norm(x), theta, mask, cache)  # (n, t, d)
        h = self.feed_forward_norm(x)  # (n, t, d)
        h = self.gate(h) * self.up(h)  # (n, t, i)
        return x + self.down(h)  # (n, t, d)

    def attend(self, x, theta, mask, cache):
        """Every token asks itself and those before it.   (n, t, d) -> (n, t, d)"""
        q = _split(self.query(x), self.num_heads)  # (n, t, h, e)
        k = _split(self.key(x), self.num_key_value_heads)  # (n, t, hₖ, e)
        v = _split(self.value(x), self.num_key_value_heads)  # (n, t, hₖ, e)
        if self.use_qk_norm:
            q, k = self.query_norm(q), self.key_norm(k)
        q, k, v = (ops.swapaxes(heads, 1, 2) for heads in (q, k, v))  # (n, h or hₖ, t, e)
        q, k = ops.rotary(q, theta), ops.rotary(k, theta)
        if cache is not None:
            k, v, mask = cache.append(k, v, mask)  # (n, hₖ, s, e), (n, s)
        o = ops.attention(q, k, v, causal=True, mask=mask)  # (n, h, t, e)
        o = ops.swapaxes(o, 1, 2)  # (n, t, h, e)
        o = ops.reshape(o, (*x.shape[:2], o.shape[2] * o.shape[3]))  # (n, t, h e)
        return self.output(o)  # (n, t, d)


def _split(x, heads):
    """(n, t, h e) -> (n, t, h, e)"""
    return ops.reshape(x, (*x.shape[:2], heads, x.shape[2] // heads))


def _dense(model, units, activation=None, use_bias=False):
    return Dense(
        units, activation, use_bias=use_bias, kernel_initializer=_INITIAL, dtype=model.dtype
    )


def _norm(model):
    return RMSNormalization(epsilon=model.layer_norm_epsilon, dtype=model.dtype)


def _check_scaling(scaling):
    """rope_scaling, if it is None or has all of its numbers; else a ValueError."""
    if scaling is None:
        return None
    kind = scaling.get("rope_type", "llama3") if isinstance(scaling, dict) else None
    if kind != "llama3" or not scaling.keys() >= set(_SCALING):
        raise ValueError(
            f"Llama's rope_scaling is None, or of the rope_type 'llama3': a dict of {_SCALING}. "
            f"Received: rope_scaling={scaling!r}"
        )
    for name in _SCALING:
        check_number(f"rope_scaling {name}", scaling[name], positive=True)
    if scaling["low_freq_factor"] >= scaling["high_freq_factor"]:
        raise ValueError(
            "Llama's rope_scaling needs low_freq_factor below high_freq_factor. "
            f"Received: {scaling['low_freq_factor']} and {scaling['high_freq_factor']}"
        )
    return dict(scaling)
