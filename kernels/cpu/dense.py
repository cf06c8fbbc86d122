"""Dense layers: products of matrices, with bias and activation at no pass over memory of their own.

Forward, each block of the result begins as the bias, and the activation is applied to it while it
is in the cache. Backward, one call finds h = g f'(z) and its sums, and with it both products.
"""

import math

import numpy as np
from numba import prange

from . import elementwise, leaves_to_numpy
from .compilation import inlined, integer, read, write
from .elementwise import pull, value
from .loops import alike, load_until, store_until, threaded
from .matmul import add_product, bounds, cut, multiply_block, steps
from .simd import lanes
from .threads import take

NO_ACTIVATION = -1
_NUMBERS = {
    None: NO_ACTIVATION,
    "relu": elementwise.RELU,
    "silu": elementwise.SILU,
    "gelu": elementwise.GELU,
    "gelu_tanh": elementwise.GELU_TANH,
}
_TOLD_BY_Y = NO_ACTIVATION, elementwise.RELU  # their slopes need no z
SUMMED_AT_ONCE = 32  # vectors of columns in a block of h


# ---- Forward -------------------------------------------------------------------------------------


@inlined
def fill_rows(c, ci, c_row, m, n, x):
    """Every row of C becomes the vector x   (m, n), (n,)"""
    for j in range(0, n, lanes(c)):
        vector = load_until(x, j, n, 0)
        for i in range(m):
            store_until(c, ci + i * c_row + j, ci + i * c_row + n, vector)


@threaded
def forward(
    x: read(2),
    weight: read(2),
    bias: read(1),
    z: write(2),
    y: write(2),
    activation: integer,
    parts: integer,
):
    """y = f(z),  z = x W + b   (n, d), (d, u), (u,), (n, u), (n, u);  z may be y"""
    (m, k), n = x.shape, weight.shape[1]
    (x_row, x_k), (w_k, w_column) = steps(x), steps(weight)
    rows, columns, blocks = cut(z, m, n, w_k, w_column, 1)
    queue = np.zeros(1, np.int64)
    for _ in prange(parts):
        block = take(queue)
        while block < blocks:
            i, j, height, width = bounds(block, rows, columns, m, n)
            start = i * n + j
            fill_rows(z, start, n, height, width, bias[j : j + width])
            first, strip = i * x_row, j * w_column
            add_product(
                *(x, first, x_row, x_k, weight, strip, w_k, w_column),
                *(z, start, n, height, width, k),
            )
            if activation != NO_ACTIVATION:
                for row in range(start, start + height * n, n):
                    for place in range(row, row + width, lanes(z)):
                        vector = load_until(z, place, row + width, 0)
                        store_until(y, place, row + width, value(activation, vector))
            block = take(queue)


@leaves_to_numpy("several dtypes, unaligned arrays, a bias that is no row")
def dense(x, weight, bias, activation=None):
    number = _NUMBERS.get(activation)
    if number is None or not (_fits(x, weight, x) and alike(x, bias, shape=False)):
        return NotImplemented
    d, u = weight.shape
    if bias.shape != (u,):
        return NotImplemented
    y = np.empty((*x.shape[:-1], u), x.dtype)
    z = y if number in _TOLD_BY_Y else np.empty(y.shape, x.dtype)
    rows = _rows(x)
    arrays = rows, weight, np.ascontiguousarray(bias), _rows(z), _rows(y)
    forward(x.dtype, rows.size * u, *arrays, number)
    return y, z


# ---- Backward ------------------------------------------------------------------------------------


@inlined
def pull_block(g, z, h, db, j, columns, activation):
    """h = g f'(z) and db = Σ h, in so many columns from j on   (n, u), (n, u), (n, u), (u,)"""
    n, end = g.shape[1], j + columns
    if db.size:
        db[j:end] = 0
    for row in range(0, g.size, n):
        for place in range(j, end, lanes(g)):
            x = load_until(g, row + place, row + end, 0)
            if activation != NO_ACTIVATION:
                x = pull(activation, x, load_until(z, row + place, row + end, 0))
                store_until(h, row + place, row + end, x)
            if db.size:
                store_until(db, place, end, load_until(db, place, end, 0) + x)


@threaded
def backward(
    g: read(2),
    z: read(2),
    x: read(2),
    weight: read(2),
    dx: write(2),
    dw: write(2),
    db: write(1),
    activation: integer,
    parts: integer,
):
    """dx = h Wᵀ,  dw = xᵀ h,  db = Σ h,  h = g f'(z);  one that is empty is left out

    (n, u), (n, u), (n, d), (d, u), (n, d), (d, u), (u,)
    """
    (m, u), d = g.shape, x.shape[1]
    h = np.empty((m, 0 if activation == NO_ACTIVATION else u), g.dtype)
    if activation != NO_ACTIVATION or db.size:
        columns = SUMMED_AT_ONCE * lanes(g)
        blocks = (u + columns - 1) // columns
        queue = np.zeros(1, np.int64)
        for _ in prange(parts):
            block = take(queue)
            while block < blocks:
                j = block * columns
                pull_block(g, z, h, db, j, min(columns, u - j), activation)
                block = take(queue)

    slope = g if activation == NO_ACTIVATION else h
    (x_row, x_column), (w_row, w_column) = steps(x), steps(weight)
    x_rows, x_columns, x_blocks = cut(dx, len(dx), d, w_column, w_row, 1)
    w_rows, w_columns, w_blocks = cut(dw, len(dw), u, u, 1, 1)
    queue = np.zeros(1, np.int64)
    for _ in prange(parts):
        block = take(queue)
        while block < x_blocks + w_blocks:
            if block < x_blocks:
                multiply_block(
                    *(block, x_rows, x_columns, slope, 0, u, 1),
                    *(weight, 0, w_column, w_row, dx, 0, m, d, u),
                )
            else:
                multiply_block(
                    *(block - x_blocks, w_rows, w_columns, x, 0, x_column, x_row),
                    *(slope, 0, u, 1, dw, 0, d, u, m),
                )
            block = take(queue)


@leaves_to_numpy("several dtypes, unaligned arrays, a bias that is no row")
def dense_backward(g, z, x, weight, activation=None, needs=(True, True, True)):
    number = _NUMBERS.get(activation)
    if number is None or not (alike(g, z) and _fits(x, weight, g)):
        return NotImplemented
    d, u = weight.shape
    if g.shape != (*x.shape[:-1], u):
        return NotImplemented
    dx = np.empty(x.shape if needs[0] else (0, 0), g.dtype)
    dw = np.empty((d, u) if needs[1] else (0, 0), g.dtype)
    db = np.empty(u if needs[2] else 0, g.dtype)
    rows = _rows(x)
    work = rows.size * u * max(1, needs[0] + needs[1])
    slopes = _rows(np.ascontiguousarray(g)), _rows(np.ascontiguousarray(z))
    backward(g.dtype, work, *slopes, rows, weight, _rows(dx), dw, db, number)
    return dx if needs[0] else None, dw if needs[1] else None, db if needs[2] else None


def _fits(x, weight, g):
    """Whether x (..., d) and weight (d, u) are aligned arrays of the dtype of g, and fit."""
    return (
        alike(g, x, weight, shape=False)
        and weight.ndim == 2
        and x.ndim > 0
        and x.shape[-1] == weight.shape[0]
        and x.flags.aligned
        and weight.flags.aligned
    )


def _rows(x):
    """(..., d) -> (n, d)"""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
