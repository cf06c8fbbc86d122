"""Attention in one pass, and its gradients."""

import math

import numpy as np

from .. import attention as of_heads
from ..launch import MOST_BLOCKS, of_width
from .arguments import covered, each_row, matrix, start_all
from .registry import call


def _heads_fit(q, k, v):
    """Whether a kernel can do it; what does not fit together, the specification names."""
    return (
        covered(q, k, v)
        and q.ndim == k.ndim == v.ndim == 4
        and q.size
        and k.size
        and max(q.shape[-1], v.shape[-1]) <= max(of_heads.WIDTHS)
        and (q.shape[0], q.shape[-1]) == (k.shape[0], k.shape[-1])
        and q.shape[1] % k.shape[1] == 0
        and v.shape[:3] == k.shape[:3]
        and max(q.shape[:2]) <= MOST_BLOCKS[1]  # for examples and heads are axes of a grid
    )


def _attention_options(q, scale, causal, mask, rate, key):
    """The options as the kernels take them; a mask of no numbers stands for none."""
    mask = np.empty_like(q, shape=(0, 0), dtype=bool) if mask is None else mask.aligned()
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    return np.float32(scale), int(causal), mask, np.float32(rate), np.uint64(key)


@call
def attention(q, k, v, scale=None, causal=False, mask=None, rate=0.0, key=0):
    """oᵢ = Σⱼ pᵢⱼ vⱼ,  p = softmax(scale q kᵀ)   (b, h, t, d) -> o (b, h, t, e), norms (b, h, t, 2)

    Heads of more features than there are kernels for are left to the specification, and so are
    those of float64, those without a query or a key, and more examples or heads than a grid has.
    """
    if not _heads_fit(q, k, v):
        return NotImplemented
    _check_mask(mask, q, k)
    o = np.empty_like(q, shape=(*q.shape[:3], v.shape[-1]))
    norms = np.empty_like(q, shape=(*q.shape[:3], 2))
    given = (
        *(x.aligned() for x in (q, k, v)),
        *_attention_options(q, scale, causal, mask, rate, key),
    )
    launch = of_width(of_heads.LAUNCHES, "forward", max(q.shape[-1], v.shape[-1]))
    start_all(launch, *given, o, matrix(norms))
    return o, norms


@call
def attention_backward(
    g, q, k, v, o, norms, scale=None, causal=False, mask=None, rate=0.0, key=0, out=None
):
    """dL/dv = p̃ᵀ g,  dL/dq = scale dz k,  dL/dk = scale dzᵀ q   -> dq, dk, dv"""
    if not (_heads_fit(q, k, v) and covered(g, o, norms)):
        return NotImplemented
    if not (each_row(q, v.shape[-1], g, o) and each_row(q, 2, norms)):
        return NotImplemented
    _check_mask(mask, q, k)
    inner = np.empty_like(g, shape=(math.prod(g.shape[:3]),))
    start_all(of_heads.LAUNCHES["inner_products"], matrix(g), matrix(o), inner)
    dq, dk, dv = gradients = [np.empty_like(x) for x in (q, k, v)]
    given = *(x.aligned() for x in (g, q, k, v)), matrix(norms), inner
    given = *given, *_attention_options(q, scale, causal, mask, rate, key)
    width = max(q.shape[-1], v.shape[-1])
    start_all(of_width(of_heads.LAUNCHES, "queries", width), *given, dq)
    start_all(of_width(of_heads.LAUNCHES, "keys", width), *given, dk, dv)
    if out is None:
        return tuple(gradients)
    for place, gradient in zip(out, gradients):
        place[...] = gradient
    return out


def _check_mask(mask, q, k):
    shape = q.shape[0], k.shape[2]
    if mask is not None and (mask.dtype != bool or mask.shape != shape):
        received = f"dtype {mask.dtype}, shape {mask.shape}"
        error = ValueError if mask.dtype == bool else TypeError
        raise error(f"mask must be booleans (b, s) = {shape}. Received: {received}")
