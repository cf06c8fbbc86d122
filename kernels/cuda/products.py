"""Products of matrices of any shape and layout, in batches: what NumPy's matmul is on a device.

Matrices of float32 that lie in rows or in columns without gaps go to the kernels in `gemm`, unless
they are small. For all others there is `tiled`, whose operands may be repeated along a batch.
"""

import functools
import math

import numpy as np
from numba import cuda
from numba.np.numpy_support import from_dtype

from . import elementwise, gemm, ufuncs
from .launch import BUSY, of_width
from .matmul import SIDE

MOST = 65535  # blocks along z
SMALL, LARGE = gemm.EDGES  # rows and columns of a block of `gemm`
FILLED = SMALL * SMALL // 4  # elements of a product that are enough work for one
PART = 512  # terms of a sum that are enough for a block


@functools.cache
def kernel_of(dtype):
    """The kernel for products of any layout, of numbers of a dtype."""
    kind = from_dtype(dtype)
    zero = kind(0)

    def tiled(a, b, c):
        """c[z] = a[z] b[z]   (z, m, k), (z, k, n) -> (z, m, n), as `tiled` of the ladder has it"""
        a_tile = cuda.shared.array((SIDE, SIDE), kind)
        b_tile = cuda.shared.array((SIDE, SIDE), kind)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        row, column = cuda.blockIdx.x * SIDE + y, cuda.blockIdx.y * SIDE + x
        is_inside = row < c.shape[1] and column < c.shape[2]
        for z in range(cuda.blockIdx.z, c.shape[0], cuda.gridDim.z):
            total = zero
            for k in range(0, a.shape[2], SIDE):
                a_inside = row < a.shape[1] and k + x < a.shape[2]
                b_inside = k + y < b.shape[1] and column < b.shape[2]
                a_tile[y, x] = a[z, row, k + x] if a_inside else zero
                b_tile[y, x] = b[z, k + y, column] if b_inside else zero
                cuda.syncthreads()
                for i in range(SIDE):
                    total += a_tile[y, i] * b_tile[i, x]
                cuda.syncthreads()
            if is_inside:
                c[z, row, column] = total

    tiled.__name__ = f"tiled_{dtype.name}"
    return tiled


def product(a, b, out=None):
    """Σₖ aᵢₖ bₖⱼ of DeviceArrays   (..., m, k), (..., k, n) -> (..., m, n), or 1-d as in NumPy"""
    is_row, is_column = a.ndim == 1, b.ndim == 1
    a = a.reshape(1, -1) if is_row else a
    b = b.reshape(-1, 1) if is_column else b
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul cannot multiply {a.shape} and {b.shape}")
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    m, n = () if is_row else a.shape[-2:-1], () if is_column else b.shape[-1:]
    dtype = np.result_type(a.dtype, b.dtype)
    a, b = (x.astype(dtype, copy=False) for x in (a, b))
    if out is not None:
        _check_out(out, (*batch, *m, *n), dtype)
    is_direct = out is not None and out.is_contiguous and out.dtype == dtype
    is_direct = is_direct and out.pointer % 16 == 0 and out.block not in (a.block, b.block)
    c = out if is_direct else a.device.empty((*batch, *m, *n), dtype)
    if c.size:
        _multiply(a, b, c.reshape(*batch, a.shape[-2], b.shape[-1]), batch)
    if out is None or is_direct:
        return c
    out.write(c)
    return out


def _check_out(out, shape, dtype):
    out.check_writeable()
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}. Received: {out.shape}")
    if not np.can_cast(dtype, out.dtype, "same_kind"):
        raise TypeError(f"matmul gives {dtype}. Received: out of {out.dtype}")


def _multiply(a, b, c, batch):
    if a.shape[-1] == 0:
        c[...] = 0
    elif b.ndim == 2 and a.ndim > 2 and a.is_contiguous:  # all batches are rows of one matrix
        rows = math.prod(a.shape[:-1])
        _multiply(a.reshape(rows, -1), b, c.reshape(rows, b.shape[1]), ())
    elif _fills_a_block(c) and a.shape[:-2] == b.shape[:-2] and math.prod(batch) <= MOST:
        _multiply_large(a, b, c, math.prod(batch))
    else:
        three = [_with_one_batch(x, batch) for x in (a, b, c)]
        a.device.launch(kernel_of(c.dtype), blocks(*three), (SIDE, SIDE), *three)


# ---- Large matrices of float32 -------------------------------------------------------------------


def _fills_a_block(c):
    return c.dtype == np.float32 and c.shape[-2] * c.shape[-1] >= FILLED


def _multiply_large(a, b, c, batches):
    """C = A B of matrices that are read where they lie, though one of them lies in columns."""
    m, n = c.shape[-2:]
    if _lies_in_columns(b):
        name, a, b = "transposed_b", a.aligned(), _turned(b)
    elif _lies_in_columns(a):
        name, a, b = "transposed_a", _turned(a), b.aligned()
        parts = _parts(m, n, b.shape[-2]) if batches == 1 else 1
        if parts > 1:
            return _add_parts(_matrix(a), _matrix(b), c, parts)
    else:
        name, a, b = "product", a.aligned(), b.aligned()
    _start(name, _edge(m, n, batches), *map(_matrix, (a, b, c)))


def _start(name, edge, a, *arguments):
    of_width(gemm.LAUNCHES, name, edge)(a.device.launch, a, *arguments)


def _edge(m, n, batches=1):
    """Large blocks fetch less for each element, but there must be enough of them."""
    large = -(-m // LARGE) * -(-n // LARGE) * batches
    return LARGE if min(m, n) > SMALL and large >= BUSY else SMALL


def _parts(m, n, k):
    """In how many parts a sum over k is taken, so that there are enough blocks for a small C."""
    blocks = -(-m // LARGE) * -(-n // LARGE)
    return min(BUSY // blocks, k // PART)


def _add_parts(a, b, c, parts):
    """C = Aᵀ B, as a batch whose sum is C; each part is a sum over its own rows of A and B."""
    m, n = c.shape[-2:]
    products = c.device.empty((parts * m, n), c.dtype)
    _start("transposed_a", LARGE if min(m, n) > SMALL else SMALL, a, b, products)
    c[...] = np.sum(products.reshape(parts, *c.shape), axis=0)


def _matrix(x):
    """The matrices of a batch, below each other."""
    return x.reshape(-1, x.shape[-1])


def _turned(x):
    return np.swapaxes(x, -1, -2)


def _lies_in_columns(x):
    """Whether it is the transpose of what a kernel can take as it is."""
    return _turned(x).is_contiguous and x.pointer % 16 == 0 and not x.is_contiguous


def dense(x, weight, bias, activation):
    """y = f(z),  z = x W + b   (..., d), (d, u), (u,) -> y, z (..., u), or None if gemm cannot

    z is y where nobody asks for it: for no activation and "relu".
    """
    is_layer = x.ndim and weight.ndim == 2 and x.shape[-1] == len(weight) and len(weight)
    if not (is_layer and weight.is_contiguous and bias.shape == weight.shape[1:]):
        return None
    z = x.device.empty((*x.shape[:-1], weight.shape[1]), x.dtype)
    if z.size < FILLED:
        return None
    y = z if activation in (None, "relu") else x.device.empty(z.shape, z.dtype)
    given = _matrix(x.aligned()), weight.aligned(), bias.aligned()
    function = elementwise.FUNCTIONS[activation]
    edge = _edge(z.size // len(bias), len(bias))
    _start("dense", edge, *given, function, _matrix(z), _matrix(y))
    return y, z


# ---- The kernel for all others -------------------------------------------------------------------


def blocks(a, b, c):
    """The grid of `tiled`: rows come first, for there may be 2³¹ blocks along x alone."""
    batch, m, n = c.shape
    return -(-m // SIDE), -(-n // SIDE), min(batch, MOST)


def _with_one_batch(x, batch):
    """x with one axis for all batches: a view, if its batches lie evenly.   -> (z, m, n)"""
    wide = x.seen(lambda y: np.broadcast_to(y, (*batch, *x.shape[-2:])))
    shape, (strides,) = ufuncs.joined(batch, [wide.strides[:-2]])
    if len(shape) > 1:
        return wide.copy().reshape(-1, *x.shape[-2:])
    return wide.window(shape + x.shape[-2:], strides + x.strides[-2:])
