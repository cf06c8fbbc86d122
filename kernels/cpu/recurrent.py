"""Steps of recurrent networks: the product with the state, and all gates, in one call.

Sequences do not know of each other, so that each thread takes a part of them: it adds its rows of
h U to z, and then goes through them once for all gates. On the way back it finds its rows of dz
first, and with them those of dz Uᵀ.
"""

import numpy as np

from . import leaves_to_numpy
from .activations import gate_value, sigmoid_pull, sigmoid_value, tanh_value
from .compilation import address, inlined, integer, read, write
from .dense import fill_rows
from .loops import alike, share
from .matmul import (
    ROWS,
    Matrix,
    add_product,
    call_add_product,
    call_put_product,
    matrix,
    transposed,
)
from .simd import lanes, load_until, store_until
from .threads import threaded

_NOT_COVERED = "several dtypes, arrays that are not contiguous"


@inlined
def rows_of(n, part, parts):
    """The first of n rows in one of equal parts, and where it ends: whole tiles.

    A row that is left over goes with others: alone, it would be summed in another order, and its
    bits would depend on the number of parts.
    """
    first, end, _ = share(max(0, n - 1), part, parts, ROWS)
    return first, n if part == parts - 1 else end


# ---- Long short-term memory ----------------------------------------------------------------------


@threaded
def _lstm_step(
    z: write(2),
    h: read(2),
    c: read(2),
    weight: read(2),
    h_next: write(2),
    c_next: write(2),
    product: address,
    part: integer,
    parts: integer,
):
    """z += h U, and then its gates;  h_next, c_next   (n, 4 u), (n, u), (n, u), (u, 4 u)"""
    n, u = c.shape
    first, end = rows_of(n, part, parts)
    height = end - first
    sums = Matrix(z, first * 4 * u, 4 * u, 1)
    left, right = Matrix(h, first * u, u, 1), matrix(weight, 0)
    call_add_product(product, left, right, sums, height, 4 * u, u)
    for row in range(first, end):
        ci = row * u
        zi, zf = 4 * ci, 4 * ci + u
        zg, zo, stop = zf + u, zf + 2 * u, ci + u
        for j in range(0, u, lanes(z)):
            i = gate_value(load_until(z, zi + j, zf, 0))
            f = gate_value(load_until(z, zf + j, zg, 0))
            g = tanh_value(load_until(z, zg + j, zo, 0))
            o = gate_value(load_until(z, zo + j, zo + u, 0))
            k = f * load_until(c, ci + j, stop, 0) + i * g
            store_until(z, zi + j, zf, i)
            store_until(z, zf + j, zg, f)
            store_until(z, zg + j, zo, g)
            store_until(z, zo + j, zo + u, o)
            store_until(c_next, ci + j, stop, k)
            store_until(h_next, ci + j, stop, o * tanh_value(k))


@threaded
def _lstm_step_pull(
    dh: write(2),
    dc: write(2),
    gates: read(2),
    c: read(2),
    c_next: read(2),
    weight: read(2),
    dz: write(2),
    product: address,
    part: integer,
    parts: integer,
):
    """dz, and with it dh = dz Uᵀ and dc   (n, u), (n, u), (n, 4 u), (n, u), (n, u), (u, 4 u)"""
    n, u = c.shape
    first, end = rows_of(n, part, parts)
    height = end - first
    for row in range(first, end):
        ci = row * u
        zi, zf = 4 * ci, 4 * ci + u
        zg, zo, stop = zf + u, zf + 2 * u, ci + u
        for j in range(0, u, lanes(dz)):
            i, f = load_until(gates, zi + j, zf, 0), load_until(gates, zf + j, zg, 0)
            g, o = load_until(gates, zg + j, zo, 0), load_until(gates, zo + j, zo + u, 0)
            y = tanh_value(load_until(c_next, ci + j, stop, 0))
            slope = load_until(dh, ci + j, stop, 0)
            dk = load_until(dc, ci + j, stop, 0) + slope * o * (1 - y * y)
            store_until(dz, zi + j, zf, sigmoid_pull(dk * g, i))
            store_until(dz, zf + j, zg, sigmoid_pull(dk * load_until(c, ci + j, stop, 0), f))
            store_until(dz, zg + j, zo, dk * i * (1 - g * g))
            store_until(dz, zo + j, zo + u, sigmoid_pull(slope * y, o))
            store_until(dc, ci + j, stop, dk * f)
    slopes, right = Matrix(dz, first * 4 * u, 4 * u, 1), transposed(matrix(weight, 0))
    sums = Matrix(dh, first * u, u, 1)
    call_put_product(product, slopes, right, sums, height, u, 4 * u)


@leaves_to_numpy(_NOT_COVERED)
def lstm_step(z, h, c, weight, h_next, c_next):
    """h' = o tanh c',  c' = f c + i g   z (n, 4 u), h, c (n, u), U (u, 4 u);  z becomes i f g o"""
    if not _fit(4, weight, wide=(z,), narrow=(h, c, h_next, c_next)):
        return NotImplemented
    work, product = h.size * z.shape[1], add_product.addresses[z.dtype]
    _lstm_step(z.dtype, work, z, h, c, weight, h_next, c_next, product)
    return None


@leaves_to_numpy(_NOT_COVERED)
def lstm_step_backward(dh, dc, gates, c, c_next, weight, dz):
    """dL/dh = dz Uᵀ and dL/dc in their places, and dz (n, 4 u), from dL/dh' and dL/dc'"""
    if not _fit(4, weight, wide=(gates, dz), narrow=(dh, dc, c, c_next)):
        return NotImplemented
    work, product = dz.size * dh.shape[1], add_product.addresses[dh.dtype]
    _lstm_step_pull(dh.dtype, work, dh, dc, gates, c, c_next, weight, dz, product)
    return None


# ---- Gated recurrent unit ------------------------------------------------------------------------


@threaded
def _gru_step(
    z: write(2),
    h: read(2),
    weight: read(2),
    bias: read(1),
    h_next: write(2),
    inner: write(2),
    product: address,
    part: integer,
    parts: integer,
):
    """a = h U + b, and then the gates of z and a;  h_next, inner   (n, 3 u), (n, u), (u, 3 u)"""
    n, u = h.shape
    first, end = rows_of(n, part, parts)
    height = end - first
    a = np.empty((height, 3 * u), z.dtype)
    sums = Matrix(a, 0, 3 * u, 1)
    left, right = Matrix(h, first * u, u, 1), matrix(weight, 0)
    fill_rows(sums, height, 3 * u, bias)
    call_add_product(product, left, right, sums, height, 3 * u, u)
    for row in range(first, end):
        hi, ai, zp = row * u, (row - first) * 3 * u, row * 3 * u
        zr, zq, stop = zp + u, zp + 2 * u, hi + u
        for j in range(0, u, lanes(z)):
            p = load_until(z, zp + j, zr, 0) + load_until(a, ai + j, ai + u, 0)
            r = load_until(z, zr + j, zq, 0) + load_until(a, ai + u + j, ai + 2 * u, 0)
            y = load_until(a, ai + 2 * u + j, ai + 3 * u, 0)
            p, r = sigmoid_value(p), sigmoid_value(r)
            q = tanh_value(load_until(z, zq + j, zq + u, 0) + r * y)
            store_until(z, zp + j, zr, p)
            store_until(z, zr + j, zq, r)
            store_until(z, zq + j, zq + u, q)
            store_until(inner, hi + j, stop, y)
            store_until(h_next, hi + j, stop, p * load_until(h, hi + j, stop, 0) + (1 - p) * q)


@threaded
def _gru_step_pull(
    dh: write(2),
    gates: read(2),
    h: read(2),
    inner: read(2),
    weight: read(2),
    dz: write(2),
    da: write(2),
    product: address,
    part: integer,
    parts: integer,
):
    """dz and da, and with it dh = p dh + da Uᵀ   (n, u), (n, 3 u), (n, u), (n, u), (u, 3 u)"""
    n, u = h.shape
    first, end = rows_of(n, part, parts)
    height = end - first
    for row in range(first, end):
        hi, zp = row * u, row * 3 * u
        zr, zq, stop = zp + u, zp + 2 * u, hi + u
        for j in range(0, u, lanes(dz)):
            p, r = load_until(gates, zp + j, zr, 0), load_until(gates, zr + j, zq, 0)
            q, slope = load_until(gates, zq + j, zq + u, 0), load_until(dh, hi + j, stop, 0)
            dq = slope * (1 - p) * (1 - q * q)
            dp = sigmoid_pull(slope * (load_until(h, hi + j, stop, 0) - q), p)
            dr = sigmoid_pull(dq * load_until(inner, hi + j, stop, 0), r)
            for d, last in ((dz, dq), (da, dq * r)):
                store_until(d, zp + j, zr, dp)
                store_until(d, zr + j, zq, dr)
                store_until(d, zq + j, zq + u, last)
            store_until(dh, hi + j, stop, slope * p)
    slopes, right = Matrix(da, first * 3 * u, 3 * u, 1), transposed(matrix(weight, 0))
    sums = Matrix(dh, first * u, u, 1)
    call_add_product(product, slopes, right, sums, height, u, 3 * u)


@leaves_to_numpy(_NOT_COVERED)
def gru_step(z, h, weight, bias, h_next, inner):
    """h' = p h + (1 - p) q   z (n, 3 u), h (n, u), U (u, 3 u), b (3 u,);  z becomes p r q"""
    if not _fit(3, weight, wide=(z,), narrow=(h, h_next, inner)):
        return NotImplemented
    if not alike(weight, bias, shape=False) or bias.shape != weight.shape[1:]:
        return NotImplemented
    work, bias = h.size * z.shape[1], np.ascontiguousarray(bias)
    product = add_product.addresses[z.dtype]
    _gru_step(z.dtype, work, z, h, weight, bias, h_next, inner, product)
    return None


@leaves_to_numpy(_NOT_COVERED)
def gru_step_backward(dh, gates, h, inner, weight, dz, da):
    """dL/dh = p dL/dh' + da Uᵀ in its place, and dz, da (n, 3 u), from dL/dh'"""
    if not _fit(3, weight, wide=(gates, dz, da), narrow=(dh, h, inner)):
        return NotImplemented
    work, product = dz.size * dh.shape[1], add_product.addresses[dh.dtype]
    _gru_step_pull(dh.dtype, work, dh, gates, h, inner, weight, dz, da, product)
    return None


# ---- What the arrays must be ---------------------------------------------------------------------


def _fit(gates, weight, wide, narrow):
    """Whether arrays are (n, gates u) and (n, u), contiguous, and the weight (u, gates u)."""
    first = narrow[0]
    if not alike(first, weight, shape=False) or first.ndim != 2 or not weight.flags.aligned:
        return False
    dtype, (n, u) = first.dtype, first.shape
    if weight.shape != (u, gates * u):
        return False
    for arrays, shape in ((narrow, (n, u)), (wide, (n, gates * u))):
        for x in arrays:  # without a call for each: a step of a small layer takes little longer
            if type(x) is not np.ndarray or x.dtype != dtype or x.shape != shape:
                return False
            flags = x.flags
            if not (flags.c_contiguous and flags.aligned):
                return False
    return True
