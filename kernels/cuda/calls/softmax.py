"""Softmax, and cross-entropy with it."""

import numpy as np

from .. import cross_entropy as losses
from .. import softmax as of_rows
from .arguments import covered, flat, integers, matrix, same_shape, start
from .registry import call


def _is_last(axis, x):
    return x.ndim > 0 and axis in (-1, x.ndim - 1)


@call
def softmax(x, axis=-1):
    """pᵢ = exp xᵢ / Σⱼ exp xⱼ along the last axis   (..., c) -> (..., c)"""
    if not (covered(x) and _is_last(axis, x)):
        return NotImplemented
    p = np.empty_like(x)
    start(of_rows.LAUNCHES["online"], matrix(x), matrix(p))
    return p


@call
def softmax_backward(g, p, axis=-1):
    """dL/dxᵢ = pᵢ (gᵢ - Σⱼ gⱼ pⱼ)   (..., c), (..., c) -> (..., c)"""
    if not (covered(g, p) and same_shape(g, p) and _is_last(axis, p)):
        return NotImplemented
    dx = np.empty_like(p)
    start(of_rows.LAUNCHES["backward"], matrix(g), matrix(p), matrix(dx))
    return dx


@call
def cross_entropy(logits, labels):
    """lᵢ = -log softmax(zᵢ)[yᵢ]   (n, c), integers (n,) -> losses (n,), norms (n, 2)

    A label that is none of 0 .. c-1 makes NaN, since nobody waits for a kernel to raise an error.
    """
    _check_labels(logits, labels)
    n, _ = logits.shape
    if not covered(logits):
        return _cross_entropy_in_words(logits, labels)
    loss, norms = np.empty_like(logits, shape=(n,)), np.empty_like(logits, shape=(n, 2))
    parts = matrix(logits), integers(labels), loss, norms
    start(losses.LAUNCHES["cross_entropy"], *parts)
    return loss, norms


def _cross_entropy_in_words(logits, labels):
    """The same of numbers that the kernel does not take."""
    largest = np.max(logits, axis=-1, initial=-np.inf)
    z = logits - largest[:, None]
    log = np.log(np.sum(np.exp(z), axis=-1))
    own = np.take_along_axis(z, labels[:, None], axis=-1)[:, 0]
    return log - own, np.stack([largest, log], axis=-1)


@call
def cross_entropy_backward(g, logits, norms, labels):
    """dL/dzᵢⱼ = gᵢ (pᵢⱼ - [j = yᵢ])   (n,), (n, c), (n, 2), (n,) -> (n, c)"""
    _check_labels(logits, labels)
    if norms.shape != (len(labels), 2):
        raise ValueError(f"norms must be (n, 2) = ({len(labels)}, 2). Received: {norms.shape}")
    if not (covered(g, logits, norms) and same_shape(g, labels)):
        classes = np.cumsum(np.ones_like(labels, shape=(1, logits.shape[1])), axis=1) - 1
        p = np.exp(logits - norms[:, :1] - norms[:, 1:])
        return g[:, None] * (p - (classes == labels[:, None]))
    d = np.empty_like(logits)
    parts = flat(g), matrix(logits), matrix(norms), integers(labels), d
    start(losses.LAUNCHES["cross_entropy_backward"], *parts)
    return d


def _check_labels(logits, labels):
    """ValueError unless there is an integer for each row. What they are, only the device knows."""
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            "each row of logits (n, c) needs an integer label. "
            f"Received: logits {logits.shape}, labels {labels.shape} of {labels.dtype}"
        )
