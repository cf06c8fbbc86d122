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
