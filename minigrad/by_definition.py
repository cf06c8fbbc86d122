"""The fused operations of `ops` once more, each as its textbook definition.

These are made of primitive operations and differentiated by the chain rule alone. The rules in
`ops` are faster, and right where these overflow (e¹⁰⁰⁰) or cancel (1 - 1 + 10⁻²⁰). For moderate
numbers both agree, in value and in gradient: the tests hold every function here to that. So the
formulas in the docstrings of `ops` are proved by numbers, and who doubts one finds here what it was
derived from. Arguments and shapes are those of `ops`.
"""

import math

import numpy as np

from . import ops
from .tensor import Tensor

# ---- Reductions ----------------------------------------------------------------------------------


def mean(x, axis=None, keepdims=False):
    """1/n Σᵢ xᵢ"""
    n = ops.sum(np.ones_like(_array(x)), axis=axis, keepdims=keepdims)
    return ops.sum(x, axis=axis, keepdims=keepdims) / n


def var(x, axis=None, ddof=0, keepdims=False):
    """1/(n - ddof) Σᵢ (xᵢ - mean)²"""
    n = ops.sum(np.ones_like(_array(x)), axis=axis, keepdims=keepdims)
    squares = (x - mean(x, axis, keepdims=True)) ** 2
    return ops.sum(squares, axis=axis, keepdims=keepdims) / (n - ddof)


def std(x, axis=None, ddof=0, keepdims=False):
    """√var"""
    return var(x, axis, ddof, keepdims) ** 0.5


def logsumexp(x, axis=None, keepdims=False):
    """log Σᵢ exp xᵢ"""
    return ops.log(ops.sum(ops.exp(x), axis=axis, keepdims=keepdims))


# ---- Linear algebra ------------------------------------------------------------------------------


def dense(x, weight, bias, activation=None):
    """f(x W + b)"""
    z = ops.matmul(x, weight) + bias
    return z if activation is None else _DENSE_ACTIVATIONS[activation](z)


# ---- Activations ---------------------------------------------------------------------------------


def sigmoid(x):
    """1 / (1 + e⁻ˣ)"""
    return 1 / (1 + ops.exp(-x))


def tanh(x):
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)"""
    return (ops.exp(x) - ops.exp(-x)) / (ops.exp(x) + ops.exp(-x))


def leaky_relu(x, negative_slope=0.2):
    """x where x > 0, else negative_slope x"""
    return ops.where(x > 0, x, negative_slope * x)


def elu(x, alpha=1.0):
    """x where x > 0, else alpha (eˣ - 1)"""
    return ops.where(x > 0, x, alpha * (ops.exp(x) - 1))


def silu(x):
    """x σ(x)"""
    return x * sigmoid(x)


def gelu(x, approximate=False):
    """x (1 + tanh u) / 2,   u = √(2/π) (x + 0.044715 x³)

    Only with `approximate`: the exact x Φ(x) is an integral, which no primitive operations make.
    """
    if not approximate:
        raise ValueError(
            "by definition there is only gelu(x, approximate=True). Received: approximate=False"
        )
    return x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def softplus(x):
    """ln (1 + eˣ)"""
    return ops.log(1 + ops.exp(x))


_DENSE_ACTIVATIONS = {
    "relu": lambda z: ops.relu(z),
    "silu": silu,
    "gelu": lambda z: ops.gelu(z),  # the exact one, which has no definition here
    "gelu_tanh": lambda z: gelu(z, approximate=True),
}


# ---- Softmax and its losses ----------------------------------------------------------------------


def softmax(x, axis=-1):
    """pᵢ = exp xᵢ / Σⱼ exp xⱼ"""
    return ops.exp(x) / ops.sum(ops.exp(x), axis=axis, keepdims=True)


def log_softmax(x, axis=-1):
    """log pᵢ"""
    return ops.log(softmax(x, axis))


def sparse_softmax_cross_entropy(logits, labels):
    """lᵢ = -log pᵢ[yᵢ]   (n, c), (n,) -> (n,)"""
    return softmax_cross_entropy(logits, _one_hot(labels, logits))


def softmax_cross_entropy(logits, targets):
    """lᵢ = -Σⱼ tᵢⱼ log pᵢⱼ   (n, c), (n, c) -> (n,)"""
    return -ops.sum(targets * log_softmax(logits), axis=-1)


def sigmoid_cross_entropy(logits, targets):
    """l = -t log σ(z) - (1 - t) log(1 - σ(z))"""
    return -targets * ops.log(sigmoid(logits)) - (1 - targets) * ops.log(1 - sigmoid(logits))


# ---- Normalization -------------------------------------------------------------------------------


def layer_norm(x, scale, offset, epsilon=1e-5):
    """scale (x - mean) / √(var + epsilon) + offset"""
    normal = (x - mean(x, -1, keepdims=True)) / (var(x, -1, keepdims=True) + epsilon) ** 0.5
    return scale * normal + offset


def rms_norm(x, scale, epsilon=1e-5):
    """scale x / √(mean x² + epsilon)"""
    return scale * x / (mean(x * x, -1, keepdims=True) + epsilon) ** 0.5


# ---- Attention -----------------------------------------------------------------------------------


def attention(q, k, v, scale=None, causal=False, mask=None, rate=0.0, key=0):
    """dropout(softmax(scale q kᵀ)) v"""
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    k, v = _repeat_heads(k, q), _repeat_heads(v, q)
    z = scale * ops.matmul(q, ops.swapaxes(k, -1, -2))
    if causal:  # query i sees the keys j <= i + s - t
        ones = np.ones_like(_array(z))
        i, j = np.cumsum(ones, axis=-2), np.cumsum(ones, axis=-1)
        z = ops.where(j > i + (z.shape[-1] - z.shape[-2]), -np.inf, z)
    if mask is not None:
        z = ops.where(_array(mask)[:, None, None, :], z, -np.inf)
    return ops.matmul(ops.dropout(softmax(z), rate, key), v)


def self_attention(x, heads, scale=None, causal=False, mask=None, rate=0.0, key=0, cache=None):
    """attention of the three parts of x"""
    b, t, width = x.shape
    parts = ops.reshape(x, (b, t, 3, heads, width // (3 * heads)))
    q, k, v = (ops.swapaxes(ops.getitem(parts, np.s_[:, :, i]), 1, 2) for i in range(3))
    if cache is not None:
        k, v, mask = cache.append(k, v, mask)
    o = attention(q, k, v, scale, causal, mask, rate, key)
    return ops.reshape(ops.swapaxes(o, 1, 2), (b, t, width // 3))


# ---- Recurrence ----------------------------------------------------------------------------------


def simple_rnn(x, h, weight, recurrent_weight, bias, mask=None, activation="tanh"):
    """h' = f(x W + h U + b), one step after the other"""
    f = {"tanh": tanh, "relu": lambda z: ops.relu(z)}[activation]
    outputs = []
    for s in range(x.shape[1]):
        z = ops.matmul(x[:, s], weight) + ops.matmul(h, recurrent_weight) + bias
        h = _where_counted(mask, s, f(z), h)
        outputs.append(h)
    return ops.stack(outputs, axis=1)


def lstm(x, h, c, weight, recurrent_weight, bias, mask=None, cells=False):
    """h' = o tanh c',  c' = f c + i g,  one step after the other"""
    outputs = []
    for s in range(x.shape[1]):
        z = ops.matmul(x[:, s], weight) + ops.matmul(h, recurrent_weight) + bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        k = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = _where_counted(mask, s, sigmoid(o) * tanh(k), h)
        c = _where_counted(mask, s, k, c)
        outputs.append(ops.concatenate([h, c], axis=-1) if cells else h)
    return ops.stack(outputs, axis=1)


def gru(x, h, weight, recurrent_weight, bias, recurrent_bias, mask=None):
    """h' = p h + (1 - p) q,  p, r = σ(z + a),  q = tanh(z + r a),  one step after the other"""
    outputs = []
    for s in range(x.shape[1]):
        z = ops.split(ops.matmul(x[:, s], weight) + bias, 3, axis=-1)
        a = ops.split(ops.matmul(h, recurrent_weight) + recurrent_bias, 3, axis=-1)
        p, r = sigmoid(z[0] + a[0]), sigmoid(z[1] + a[1])
        q = tanh(z[2] + r * a[2])
        h = _where_counted(mask, s, p * h + (1 - p) * q, h)
        outputs.append(h)
    return ops.stack(outputs, axis=1)


def _where_counted(mask, s, after, before):
    """The state after step s, or that before it in sequences where the step does not count."""
    return after if mask is None else ops.where(_array(mask)[:, s, None], after, before)


# ---- Helpers -------------------------------------------------------------------------------------


def _array(x):
    return x.data if isinstance(x, Tensor) else x


def _repeat_heads(x, q):
    """Each head of x as often as it serves heads of q.   (b, hₖ, s, d) -> (b, h, s, d)"""
    b, heads, s, d = x.shape
    group = q.shape[1] // heads
    repeated = ops.broadcast_to(ops.expand_dims(x, 2), (b, heads, group, s, d))
    return ops.reshape(repeated, (b, heads * group, s, d))


def _one_hot(labels, logits):
    """tᵢⱼ = [j = yᵢ]   (n,), like (n, c) -> (n, c)"""
    ones = np.ones_like(_array(logits))
    return (np.cumsum(ones, axis=-1) - 1 == _array(labels)[:, None]).astype(ones.dtype)


# ---- What they are made of -----------------------------------------------------------------------

# {fused operation: the operations of `ops` that its definition above calls}. Where one of these has
# been replaced, by a student's, the definition must run instead of the fused operation: for that
# does not call it. gelu is not among them, since its exact form has no definition.
_SIGMOID_AND_TANH = "add", "divide", "exp", "negative", "subtract"
_OF_STEPS = *_SIGMOID_AND_TANH, "getitem", "matmul", "stack", "where"
_OF_ATTENTION = "broadcast_to", "divide", "dropout", "exp", "expand_dims", "matmul", "multiply"
_OF_ATTENTION += "reshape", "sum", "swapaxes", "where"
PARTS = {
    "mean": ("divide", "sum"),
    "var": ("divide", "power", "subtract", "sum"),
    "std": ("divide", "power", "subtract", "sum"),
    "logsumexp": ("exp", "log", "sum"),
    "dense": (  # with its activations
        "add",
        "divide",
        "exp",
        "matmul",
        "multiply",
        "negative",
        "power",
        "relu",
        "subtract",
    ),
    "sigmoid": ("add", "divide", "exp", "negative"),
    "tanh": ("add", "divide", "exp", "negative", "subtract"),
    "leaky_relu": ("greater", "multiply", "where"),
    "elu": ("exp", "greater", "multiply", "subtract", "where"),
    "silu": ("add", "divide", "exp", "multiply", "negative"),
    "softplus": ("add", "exp", "log"),
    "softmax": ("divide", "exp", "sum"),
    "log_softmax": ("divide", "exp", "log", "sum"),
    "sparse_softmax_cross_entropy": ("divide", "exp", "log", "multiply", "negative", "sum"),
    "softmax_cross_entropy": ("divide", "exp", "log", "multiply", "negative", "sum"),
    "sigmoid_cross_entropy": ("add", "divide", "exp", "log", "multiply", "negative", "subtract"),
    "layer_norm": ("add", "divide", "multiply", "power", "subtract", "sum"),
    "rms_norm": ("add", "divide", "multiply", "power", "sum"),
    "attention": _OF_ATTENTION,
    "self_attention": (*_OF_ATTENTION, "getitem"),
    "simple_rnn": (*_OF_STEPS, "relu"),  # which is one of its activations
    "lstm": (*_OF_STEPS, "concatenate", "multiply", "split"),
    "gru": (*_OF_STEPS, "multiply", "split"),
}
