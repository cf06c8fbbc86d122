"""Dense layers: products of matrices, with bias and activation at no pass over memory of their own.

Forward, each block of the result begins as the bias, and the activation is applied to it while it
is in the cache. Backward, one call finds h = g f'(z) and its sums, and with it both products.
"""

import math

import numpy as np

from . import elementwise, leaves_to_numpy
from .compilation import address, inlined, integer, jit, read, write
from .elementwise import pull, value
from .loops import alike, share
from .matmul import (
    Matrix,
    add_product,
    are_for_one_thread,
    beyond,
    bounds,
    call_add_product,
    cut,
    in_parts,
    matrix,
    multiply_block,
    transposed,
)
from .simd import lanes, load_until, store_until
from .threads import counter, take, threaded

NO_ACTIVATION = -1
NUMBERS = {
    None: NO_ACTIVATION,
    "relu": elementwise.RELU,
    "silu": elementwise.SILU,
    "gelu": elementwise.GELU,
    "gelu_tanh": elementwise.GELU_TANH,
}
TOLD_BY_Y = NO_ACTIVATION, elementwise.RELU  # their slopes need no z


# ---- Forward -------------------------------------------------------------------------------------


@inlined
def fill_rows(c, m, n, x):
    """Every row of C becomes the vector x   (m, n), (n,)"""
    for j in range(0, n, lanes(x)):
        vector = load_until(x, j, n, 0)
        for row in range(c.start, c.start + m * c.row, c.row):
            store_until(c.data, row + j, row + n, vector)


@inlined
def activate(z, y, m, n, activation):
    """y = f(z)   (m, n), (m, n);  z and y lie alike"""
    for row in range(z.start, z.start + m * z.row, z.row):
        for place in range(row, row + n, lanes(z.data)):
            vector = load_until(z.data, place, row + n, 0)
            store_until(y, place, row + n, value(activation, vector))


@inlined
def forward_block(i, j, height, width, x, weight, bias, z, y, activation, product):
    """y = f(z),  z = x W + b   for `height` rows from i on, and `width` columns from j on"""
    k, n = weight.shape
    a, b, c = matrix(x, 0), matrix(weight, 0), Matrix(z, i * n + j, n, 1)
    fill_rows(c, height, width, bias[j : j + width])
    call_add_product(product, beyond(a, i, 0), beyond(b, 0, j), c, height, width, k)
    if activation != NO_ACTIVATION:
        activate(c, y, height, width, activation)


@jit
def forward_alone(
    x: read(2),
    weight: read(2),
    bias: read(1),
    z: write(2),
    y: write(2),
    activation: integer,
    product: address,
):
    """What `forward` does, by one thread.   -> whether it was done, as by `matmul.multiply`"""
    (m, k), n = x.shape, weight.shape[1]
    if len(weight) != k or len(bias) != n or bias.strides[0] != bias.itemsize:
        return False
    if not are_for_one_thread(x, weight, m, n, k):
        return False
    if m > 0 and n > 0:
        forward_block(0, 0, m, n, x, weight, bias, z, y, activation, product)
    return True


@threaded
def forward(
    x: read(2),
    weight: read(2),
    bias: read(1),
    z: write(2),
    y: write(2),
    activation: integer,
    product: address,
    queue: counter,
):
    """y = f(z),  z = x W + b   (n, d), (d, u), (u,), (n, u), (n, u);  z may be y"""
    m, n = z.shape
    rows, columns, blocks = cut(z, m, n, matrix(weight, 0), 1)
    block = take(queue)
    while block < blocks:
        i, j, height, width = bounds(block, rows, columns, m, n)
        forward_block(i, j, height, width, x, weight, bias, z, y, activation, product)
        block = take(queue)


@jit
def finish_row(sums: read(2), bias: read(1), z: write(2), y: write(2), activation: integer):
    """y = f(z),  z = Σ sums + b   (parts, u), (u,), (1, u), (1, u);  z may be y"""
    u = len(bias)
    for j in range(0, u, lanes(z)):
        vector = load_until(bias, j, u, 0)
        for i in range(len(sums)):
            vector = vector + load_until(sums, i * u + j, (i + 1) * u, 0)
        store_until(z, j, u, vector)
        if activation != NO_ACTIVATION:
            store_until(y, j, u, value(activation, vector))


@leaves_to_numpy("several dtypes, unaligned arrays, a bias that is no row")
def dense(x, weight, bias, activation=None):
    """y = f(z),  z = x W + b   (..., d), (d, u), (u,) -> y (..., u), z (..., u)

    Where z would say no more than y does, it is y itself.
    """
    number = NUMBERS.get(activation)
    if number is None or not _are_layer(x, weight, bias):
        return NotImplemented
    dtype, u = x.dtype, weight.shape[1]
    shape = (*x.shape[:-1], u)
    y = np.empty(shape, dtype)
    z = y if number in TOLD_BY_Y else np.empty(shape, dtype)
    arrays = _rows(x), weight, bias, _rows(z), _rows(y)
    product = add_product.addresses[dtype]
    if forward_alone[dtype](*arrays, number, product):
        return y, z
    if bias.shape != (u,) or not _fits(x, weight, x):
        return NotImplemented
    rows, _, _, *results = arrays
    bias = np.ascontiguousarray(bias)
    sums = in_parts(rows, weight)
    if sums is not None:
        finish_row[dtype](sums, bias, *results, number)
    else:
        forward(dtype, rows.size * u, rows, weight, bias, *results, number, product)
    return y, z


def _are_layer(x, weight, bias):
    """Whether they are arrays of one dtype with axes as a layer has them."""
    return alike(x, weight, bias, shape=False) and x.ndim and weight.ndim == 2 and bias.ndim == 1


# ---- Backward ------------------------------------------------------------------------------------


@threaded
def pull_all(
    g: read(2),
    z: read(2),
    h: write(2),
    db: write(1),
    activation: integer,
    part: integer,
    parts: integer,
):
    """h = g f'(z) and db = Σ h   (n, u), (n, u), (n, u), (u,);  one that is empty is left out"""
    u = g.shape[1]
    first, end, step = share(u, part, parts, lanes(g))
    if db.size:
        db[first:end] = 0
    for i in range(len(g)):
        row = i * u
        for j in range(first, end, step):
            x = load_until(g, row + j, row + end, 0)
            if activation != NO_ACTIVATION:
                x = pull(activation, x, load_until(z, row + j, row + end, 0))
                store_until(h, row + j, row + end, x)
            if db.size:
                store_until(db, j, end, load_until(db, j, end, 0) + x)


@threaded
def backward(
    h: read(2),
    x: read(2),
    weight: read(2),
    dx: write(2),
    dw: write(2),
    product: address,
    queue: counter,
):
    """dx = h Wᵀ,  dw = xᵀ h   (n, u), (n, d), (d, u), (n, d), (d, u);  what is empty is left out"""
    (m, u), d = h.shape, x.shape[1]
    slopes, a, w = Matrix(h, 0, u, 1), transposed(matrix(x, 0)), transposed(matrix(weight, 0))
    x_rows, x_columns, x_blocks = cut(dx, len(dx), d, w, 1)
    w_rows, w_columns, w_blocks = cut(dw, len(dw), u, slopes, 1)
    block = take(queue)
    while block < x_blocks + w_blocks:
        if block < x_blocks:
            c = Matrix(dx, 0, d, 1)
            multiply_block(block, x_rows, x_columns, product, slopes, w, c, m, d, u)
        else:
            c = Matrix(dw, 0, u, 1)
            multiply_block(block - x_blocks, w_rows, w_columns, product, a, slopes, c, d, u, m)
        block = take(queue)


@leaves_to_numpy("several dtypes, unaligned arrays, a bias that is no row")
def dense_backward(g, z, x, weight, activation=None, needs=(True, True, True)):
    """dL/dx = h Wᵀ,  dL/dW = xᵀ h,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db

    None stands for what `needs` does not ask for.
    """
    number = NUMBERS.get(activation)
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
    g, z = _rows(np.ascontiguousarray(g)), _rows(np.ascontiguousarray(z))
    is_pulled = number != NO_ACTIVATION
    h = np.empty(g.shape if is_pulled else (0, 0), g.dtype)
    if is_pulled or needs[2]:
        pull_all(g.dtype, elementwise.WORK * g.size, g, z, h, db, number)
    arrays = h if is_pulled else g, rows, weight, _rows(dx), dw
    backward(g.dtype, work, *arrays, add_product.addresses[g.dtype])
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
