"""PyTorch's words for layers of sequences, which `make_attention` writes down the results of.

p is {path: tensor} of our layer's parameters, x its input (n, t, d), `present` our mask of it,
True where a step counts; PyTorch's masks of padding are True where it does not.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.func import functional_call


def part(p, name):
    """The parameters of the layer inside that has this name."""
    return {k.removeprefix(f"{name}."): x for k, x in p.items() if k.startswith(f"{name}.")}


def linear(p, name, x):
    return F.linear(x, p[f"{name}.weight"].T, p.get(f"{name}.bias"))


# ---- Attention -----------------------------------------------------------------------------------


def attention(p, x, heads, value=None, key=None, present=None, causal=False, wavelength=None):
    """From F.scaled_dot_product_attention; so many heads of queries, and of keys and values."""
    value = x if value is None else value
    key = value if key is None else key
    h, key_heads = heads
    q = linear(p, "query", x).unflatten(-1, (h, -1)).transpose(1, 2)
    k = linear(p, "key", key).unflatten(-1, (key_heads, -1)).transpose(1, 2)
    v = linear(p, "value", value).unflatten(-1, (key_heads, -1)).transpose(1, 2)
    if wavelength is not None:
        q, k = rotated(q, wavelength), rotated(k, wavelength)
    seen = None if present is None else present[:, None, None, :].expand(-1, h, q.shape[2], -1)
    if causal and seen is not None:
        seen, causal = seen & torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(), False
    y = F.scaled_dot_product_attention(q, k, v, seen, is_causal=causal, enable_gqa=True)
    return linear(p, "output", y.transpose(1, 2).flatten(2))


def in_projection(p, x, value, key):
    """The weights of q, k and v, as nn.MultiheadAttention names them."""
    names = "query", "key", "value"
    weights = [p[f"{name}.weight"].T for name in names]
    if value is x and key is x:
        found = {"in_proj_weight": torch.cat(weights)}
    else:
        found = {f"{name[0]}_proj_weight": w for name, w in zip(names, weights, strict=True)}
    found["out_proj.weight"] = p["output.weight"].T
    if "query.bias" in p:
        found["in_proj_bias"] = torch.cat([p[f"{name}.bias"] for name in names])
        found["out_proj.bias"] = p["output.bias"]
    return found


def multihead(p, x, heads, value=None, key=None, present=None, causal=False):
    """By nn.MultiheadAttention."""
    value = x if value is None else value
    key = value if key is None else key
    size = {} if value is x and key is x else {"kdim": key.shape[2], "vdim": value.shape[2]}
    bias = "query.bias" in p
    module = nn.MultiheadAttention(x.shape[2], heads, bias=bias, batch_first=True, **size).double()
    later = torch.ones(x.shape[1], key.shape[1], dtype=torch.bool).triu(1) if causal else None
    hidden = None if present is None else ~present
    options = {"key_padding_mask": hidden, "attn_mask": later, "need_weights": False}
    return functional_call(module, in_projection(p, x, value, key), (x, key, value), options)[0]


# ---- Normalization -------------------------------------------------------------------------------


def group_norm(p, x, groups, axis=-1, epsilon=1e-3):
    one = torch.ones(x.shape[axis], dtype=x.dtype)  # None beside a weight is too much for PyTorch
    gamma, beta = p.get("gamma", one), p.get("beta", 0 * one)
    return F.group_norm(x.movedim(axis, 1), groups, gamma, beta, epsilon).movedim(1, axis)


def norm(p, name, x, kind="layer", epsilon=1e-5):
    own = part(p, name)
    if kind == "rms":
        return F.rms_norm(x, x.shape[-1:], own["gamma"], epsilon)
    return F.layer_norm(x, x.shape[-1:], own["gamma"], own["beta"], epsilon)


# ---- Blocks --------------------------------------------------------------------------------------


def feed_forward(p, x, activation):
    if "gate.weight" in p:
        return linear(p, "down", activation(linear(p, "gate", x)) * linear(p, "up", x))
    return linear(p, "down", activation(linear(p, "up", x)))


def in_words_of_torch(p, x, encoded):
    """The parameters of our block as those of PyTorch's."""
    own = part(p, "attention")
    found = {f"self_attn.{k}": w for k, w in in_projection(own, x, x, x).items()}
    norms = ["attention_norm", "feed_forward_norm"]
    if encoded is not None:
        cross = in_projection(part(p, "cross_attention"), x, x, x)
        found |= {f"multihead_attn.{k}": w for k, w in cross.items()}
        norms.insert(1, "cross_attention_norm")
    for i, name in enumerate(norms, 1):
        found |= {f"norm{i}.weight": p[f"{name}.gamma"], f"norm{i}.bias": p[f"{name}.beta"]}
    for i, name in enumerate(["up", "down"], 1):
        found[f"linear{i}.weight"] = p[f"feed_forward.{name}.weight"].T
        if f"feed_forward.{name}.bias" in p:
            found[f"linear{i}.bias"] = p[f"feed_forward.{name}.bias"]
    return found


def encoder(p, x, heads, units, present=None, **options):
    """By nn.TransformerEncoderLayer."""
    options = {"dropout": 0.0, "batch_first": True, "dtype": torch.float64} | options
    module = nn.TransformerEncoderLayer(x.shape[2], heads, units, **options)
    hidden = {} if present is None else {"src_key_padding_mask": ~present}
    return functional_call(module, in_words_of_torch(p, x, None), (x,), hidden)


def decoder(p, x, heads, units, memory, present=None, remembered=None, **options):
    """By nn.TransformerDecoderLayer."""
    options = {"dropout": 0.0, "batch_first": True, "dtype": torch.float64} | options
    module = nn.TransformerDecoderLayer(x.shape[2], heads, units, **options)
    seen = {"tgt_mask": torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)}
    if present is not None:
        seen["tgt_key_padding_mask"] = ~present
    if remembered is not None:
        seen["memory_key_padding_mask"] = ~remembered
    return functional_call(module, in_words_of_torch(p, x, memory), (x, memory), seen)


def block(p, x, heads, kind, activation, first=True, epsilon=1e-5, **options):
    """A block without cross-attention that PyTorch has no layer for, step by step."""

    def add(x, name, layer):
        own = part(p, name)
        if first:
            return x + layer(own, norm(p, f"{name}_norm", x, kind, epsilon))
        return norm(p, f"{name}_norm", x + layer(own, x), kind, epsilon)

    x = add(x, "attention", lambda own, x: attention(own, x, heads, **options))
    return add(x, "feed_forward", lambda own, x: feed_forward(own, x, activation))


# ---- Positions -----------------------------------------------------------------------------------


def angles(x, wavelength, start=0):
    """The angles by which the positions of x (..., t, d) turn the pairs of its features."""
    t, d = x.shape[-2:]
    i = torch.arange(start, start + t, dtype=torch.float64)
    return torch.outer(i, wavelength ** (-torch.arange(0, d, 2, dtype=torch.float64) / d))


def rotated(x, wavelength, start=0):
    """Rotary positions, by products of complex numbers."""
    a, b = x.chunk(2, -1)
    theta = angles(x, wavelength, start)
    z = torch.complex(a, b) * torch.polar(torch.ones_like(theta), theta)
    return torch.cat([z.real, z.imag], -1)


def with_sines(x, wavelength, start=0):
    z = torch.polar(torch.ones(()).double(), angles(x, wavelength, start))
    return x + torch.stack([z.imag, z.real], -1).flatten(-2)
