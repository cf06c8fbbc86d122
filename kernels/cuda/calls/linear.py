"""Products of matrices, dense layers, and gradients of rows that were looked up in a table."""

import math

import numpy as np

from ... import reference
from .. import elementwise, products, scatter
from ..elementwise import FUNCTIONS
from ..products import product
from .activations import pull
from .arguments import covered, each_feature, flat, integers, same_shape, start
from .registry import call


@call
def matmul(a, b, out=None):
    """Σₖ aᵢₖ bₖⱼ   (..., m, k), (..., k, n) -> (..., m, n), of numbers of any dtype"""
    return product(a, b, out)


@call
def dense(x, weight, bias, activation=None):
    """y = f(z),  z = x W + b   (..., d), (d, u), (u,) -> y (..., u), z (..., u)"""
    is_one_for_all = bias.shape == (1,)
    fits = weight.ndim > 1 and (is_one_for_all or each_feature(weight, bias))
    if not (fits and covered(x, weight, bias) and activation in reference.ACTIVATIONS):
        return NotImplemented
    if at_once := products.dense(x, weight, bias, activation):
        return at_once
    z = product(x, weight)
    y = z if activation is None else np.empty_like(z)
    kept = y if activation in (None, "relu") else z
    given = flat(z), flat(bias), FUNCTIONS[activation]
    start(elementwise.LAUNCHES["biased"], *given, kept.reshape(-1), flat(y))
    return y, kept


@call
def dense_backward(g, z, x, weight, activation=None, needs=(True, True, True)):
    """dL/dx = h Wᵀ,  dL/dW = xᵀ h,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db, None if unneeded"""
    if not (covered(g, z, x, weight) and activation in reference.ACTIVATIONS):
        return NotImplemented
    if activation is not None and not same_shape(g, z):
        return NotImplemented
    h = g if activation is None else pull(activation, g, z)
    rows, h_rows = (array.reshape(math.prod(array.shape[:-1]), array.shape[-1]) for array in (x, h))
    return (
        product(h, weight.T) if needs[0] else None,
        product(rows.T, h_rows) if needs[1] else None,
        np.sum(h_rows, axis=0) if needs[2] else None,
    )


@call
def scatter_add(x, index, g):
    """Zeros like x (n, ...) with g added at [index], by the thread that owns a number"""
    rows = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    is_look_up = hasattr(rows, "block") and rows.dtype.kind in "iu" and x.ndim > 1 and x.size
    total = np.zeros_like(x)
    if covered(x, g) and is_look_up and g.shape == (*rows.shape, *x.shape[1:]):
        if g.size:
            wide = math.prod(x.shape[1:])
            parts = integers(rows), flat(g).reshape(-1, wide), total.reshape(len(x), wide)
            start(scatter.LAUNCHES["by_owner"], *parts)
    else:
        np.add.at(total, index, g)
    return total
