"""Attention: every step of a sequence asks all others, and takes from those that answer.

n examples, t queries, s keys and values, d features; h heads, of which hₖ have keys and values.
"""

import numpy as np

from .. import initializers, ops, random
from ..registry import check_number
from ..tensor import Tensor
from .core import dense_inside, positive_integer
from .layer import Layer, check_mask
from .positions import angles, check_sequence, frequencies


class MultiHeadAttention(Layer):
    """yᵢ = Σⱼ pᵢⱼ vⱼ in each head, and all heads together through a Dense layer.

    query x (n, t, d), value (n, s, ...) -> (n, t, d)   (Vaswani et al., 2017)

    pᵢⱼ = softmaxⱼ(qᵢ·kⱼ / √key_dim), and q, k and v are Dense layers of the inputs: `query.weight`
    (d, num_heads key_dim) and so on, and `output.weight` (num_heads value_dim, d).

    num_heads            h
    key_dim              features of a query and a key in a head
    value_dim            the same of a value; key_dim if left out
    num_key_value_heads  hₖ, of which each serves h / hₖ heads of queries (Ainslie et al., 2023);
                         num_heads if left out
    dropout              the share of all p that is set to 0 in training; the rest grows
    rope_max_wavelength  turns queries and keys by their positions, as `RotaryEmbedding` says; None
                         for no positions. 10000 is usual

    PyTorch's nn.MultiheadAttention keeps the weights of q, k and v below each other, transposed, in
    one `in_proj_weight`, and means by a mask the keys that do not count.
    """

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        num_key_value_heads=None,
        dropout=0.0,
        use_bias=True,
        rope_max_wavelength=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **options,
    ):
        super().__init__(**options)
        value_dim = key_dim if value_dim is None else value_dim
        heads = num_heads if num_key_value_heads is None else num_key_value_heads
        self.num_heads = _positive("num_heads", num_heads)
        self.key_dim = _positive("key_dim", key_dim)
        self.value_dim = _positive("value_dim", value_dim)
        self.num_key_value_heads = _positive("num_key_value_heads", heads)
        if num_heads % heads:
            raise ValueError(
                "MultiHeadAttention needs num_heads to be a multiple of num_key_value_heads. "
                f"Received: num_heads={num_heads}, num_key_value_heads={heads}"
            )
        self.dropout = check_number("dropout", dropout, below=1)
        self.use_bias = use_bias
        self.rope_max_wavelength = rope_max_wavelength
        if rope_max_wavelength is not None:
            check_number("rope_max_wavelength", rope_max_wavelength, positive=True)
            if key_dim % 2:
                raise ValueError(
                    "MultiHeadAttention turns pairs of features by their positions: key_dim must "
                    f"be even. Received: key_dim={key_dim}, with rope_max_wavelength"
                )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape):
        check_sequence(self, input_shape)
        self._compute_dtype = np.dtype(self.dtype)
        self.query = dense_inside(self, self.num_heads * self.key_dim)
        self.key = dense_inside(self, self.num_key_value_heads * self.key_dim)
        self.value = dense_inside(self, self.num_key_value_heads * self.value_dim)
        self.output = dense_inside(self, input_shape[-1])

    def call(
        self,
        query,
        value=None,
        key=None,
        mask=None,
        value_mask=None,
        use_causal_mask=False,
        return_attention_scores=False,
        cache=None,
        training=False,
    ):
        """y (n, t, d), or y and p (n, h, t, s) if `return_attention_scores`

        value            what is asked, in cross-attention; query itself if left out
        key              what decides how much each value counts; value itself if left out
        mask             (n, t), True where a step of query counts. In self-attention the others are
                         hidden as keys. As queries they get a result all the same, of no meaning:
                         whatever comes later leaves it out by the same mask. Beside a value, be it
                         query itself, it hides nothing: that is for value_mask to do
        value_mask       (n, s), the same of value; it goes with value alone
        use_causal_mask  hides from each query the keys after it. The last query is at the place of
                         the last key, however many there are of each; Keras and PyTorch have both
                         begin at one place
        cache            a KeyValueCache with the keys and values of the steps before these

        No gradient comes to a hidden step, if none comes to its own result. A query that sees no
        key finds zeros, and so gets the bias of `output`.
        """
        if value is None:
            self._check_alone(key, value_mask)
            value, value_mask = query, mask
        elif cache is not None or self.rope_max_wavelength is not None:
            raise ValueError(
                "MultiHeadAttention has cached and rotary positions within one sequence alone. "
                f"Received: a value beside the query, of shape {value.shape}"
            )
        key = value if key is None else key
        self._check(query, key, value, mask, value_mask)

        q = _split(self.query(query), self.num_heads)  # (n, h, t, key_dim)
        k = _split(self.key(key), self.num_key_value_heads)  # (n, hₖ, s, key_dim)
        v = _split(self.value(value), self.num_key_value_heads)  # (n, hₖ, s, value_dim)
        if self.rope_max_wavelength is not None:
            pairs = frequencies(q, self.key_dim, self.rope_max_wavelength)  # (key_dim / 2,)
            theta = angles(q, cache.size if cache is not None else 0, pairs)  # (t, key_dim / 2)
            q, k = ops.rotary(q, theta), ops.rotary(k, theta)
        if cache is not None:
            k, v, value_mask = cache.append(k, v, value_mask)

        rate = self.dropout if training else 0.0
        dice = {"rate": rate, "key": random.key()} if rate > 0 else {}
        seen = {"causal": use_causal_mask, "mask": value_mask}
        o = ops.attention(q, k, v, **seen, **dice)  # (n, h, t, value_dim)
        y = self.output(_join(o))  # (n, t, d)
        return (y, attention_scores(q, k, **seen)) if return_attention_scores else y

    def _check_alone(self, key, value_mask):
        if key is not None or value_mask is not None:
            raise ValueError(
                "MultiHeadAttention takes a key and a value_mask together with a value. "
                "Received: value=None"
            )

    def _check(self, query, key, value, mask, value_mask):
        for x in (query, value, key):
            check_sequence(self, x.shape)
        if not query.shape[0] == key.shape[0] == value.shape[0] or key.shape[1] != value.shape[1]:
            raise ValueError(
                "MultiHeadAttention needs query (n, t, ...), value (n, s, ...) and key (n, s, ...)."
                f" Received: shapes {query.shape}, {value.shape} and {key.shape}"
            )
        check_mask("MultiHeadAttention", mask, query.shape[:2])
        check_mask("MultiHeadAttention", value_mask, value.shape[:2])


class KeyValueCache:
    """The keys and values of all steps so far, for a sequence that is made step by step.

    A new step asks those before it, and these need not be computed again: in

        cache = layers.KeyValueCache(100)
        with no_grad():
            y = attention(x[:, :3], use_causal_mask=True, cache=cache)
            y = attention(x[:, 3:4], use_causal_mask=True, cache=cache)

    the second result is that of x[:, :4] at the last step. The memory for `length` steps is taken
    once, at the first call. Each layer needs a cache of its own.

    size  how many steps are there. To go back to a step, set it to a smaller number
    """

    def __init__(self, length):
        self.length = positive_integer("KeyValueCache", "length", length)
        self._size = 0
        self._keys = self._values = self._mask = None

    @property
    def size(self):
        """How many steps are there; a smaller number goes back to that step."""
        return self._size

    @size.setter
    def size(self, size):
        if size not in range(self._size + 1):
            raise ValueError(
                f"a KeyValueCache of {self._size} steps goes back to one of them, or to 0. "
                f"Received: size={size!r}"
            )
        self._size = int(size)

    def append(self, keys, values, mask=None):
        """Keep those of the next steps, Tensors or arrays; all that there are now, as arrays.

        keys (n, h, t, d), values (n, h, t, e), mask (n, t) or None
        -> (n, h, size, d), (n, h, size, e), (n, size) or None

        ValueError if they are more than there is room for, of other sizes than those before, or
        want a gradient.
        """
        (n, heads, t, d), e = keys.shape, values.shape[3]
        start, end = self.size, self.size + t
        tensors = [x for x in (keys, values) if isinstance(x, Tensor)]
        if any(x.requires_grad for x in tensors):
            raise ValueError("a KeyValueCache holds no gradients: call the layer in no_grad()")
        if end > self.length:
            raise ValueError(
                f"a KeyValueCache has room for {self.length} steps. "
                f"Received: steps {start} to {end - 1}"
            )
        if self._keys is None:
            self._keys = _zeros(keys, self.length)
            self._values = _zeros(values, self.length)
        made_for = *self._keys.shape[:2], self._keys.shape[3], self._values.shape[3]
        if made_for != (n, heads, d, e):
            raise ValueError(
                "a KeyValueCache goes with one layer and one batch size: it was made for "
                f"n, h, d, e = {made_for}. Received: {(n, heads, d, e)}"
            )
        self._keys[:, :, start:end] = _array(keys)
        self._values[:, :, start:end] = _array(values)
        if mask is not None:
            if self._mask is None:
                self._mask = np.ones_like(mask, shape=(n, self.length))
            self._mask[:, start:end] = mask
        elif self._mask is not None:
            self._mask[:, start:end] = True
        self._size = end
        return self._keys[:, :, :end], self._values[:, :, :end], self.mask

    def select(self, rows):
        """Example i goes on from where example rows[i] is now; there may be more or fewer then."""
        if self._keys is None:
            return
        rows = [*rows]  # a tuple would be an index of several axes
        if len(rows) != len(self._keys):
            self._keys, self._values = self._keys[rows], self._values[rows]
        else:
            for kept in (self._keys, self._values):
                kept[:, :, : self.size] = kept[rows, :, : self.size]
        if self._mask is not None:
            self._mask = self._mask[rows]

    @property
    def mask(self):
        """(n, size), True where a step counts; None if all do."""
        return None if self._mask is None else self._mask[:, : self.size]


def attention_scores(q, k, causal=False, mask=None):
    """p = softmax(q kᵀ / √d)   (n, h, t, d), (n, hₖ, s, d) -> (n, h, t, s)

    Found as what attention makes of the values (1, 0, 0, ...), (0, 1, 0, ...), and so on: a number
    of the result is the weight of one value.
    """
    s = k.shape[2]
    ones = np.ones_like(q.data, shape=(*k.shape[:2], s, s))
    identity = np.cumsum(ones, axis=-2) == np.cumsum(ones, axis=-1)
    return ops.attention(q, k, identity.astype(q.dtype), causal=causal, mask=mask)


def _split(x, heads):
    """(n, t, h d) -> (n, h, t, d)"""
    n, t, d = x.shape
    return ops.swapaxes(ops.reshape(x, (n, t, heads, d // heads)), 1, 2)


def _join(x):
    """(n, h, t, d) -> (n, t, h d)"""
    n, heads, t, d = x.shape
    return ops.reshape(ops.swapaxes(x, 1, 2), (n, t, heads * d))


def _zeros(x, length):
    """Zeros like x (n, h, t, d), with another number of steps."""
    n, heads, _, d = x.shape
    return np.zeros_like(_array(x), shape=(n, heads, length, d))


def _array(x):
    return x.data if isinstance(x, Tensor) else x


def _positive(name, value):
    return positive_integer("MultiHeadAttention", name, value)
