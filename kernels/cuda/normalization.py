"""Normalisation on a GPU: a warp for each row, and columns of warps for sums over rows.

    layer_norm                y = scale x̂ + offset,  x̂ = (x - mean) r,  r = 1/√(variance + epsilon)
    layer_norm_backward       dL/dx
    layer_norm_parameters     dL/dscale and dL/doffset, which are sums over all rows
    rms_norm                  y = scale x̂,  x̂ = x r,  r = 1/√(mean x² + epsilon)
    rms_norm_backward         dL/dx
    rms_norm_parameters       dL/dscale
    residual_layer_norm       s = x + residual, and the layer norm of s
    residual_rms_norm         s = x + residual, and the RMS norm of s

x, residual, s, y, g, dx (n, d); scale, offset (d,); mean, r (n, 1); epsilon a number. Gradients of
scale and offset come in parts (p, d), each of some of the rows, whose sum they are: for all rows
there would be too few blocks to keep a GPU busy. `LAUNCHES` says how each is started. A gradient of
s is one of x and of the residual.
"""

import math

from numba import cuda, float32

from .launch import MATRIX, NUMBER, VECTOR, Launch, named, rows
from .reduction import WARP, WARPS, warp_sum

HEIGHT = 8  # rows of threads in a block that adds columns


# ---- Layer norm ----------------------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def normalise(row, x, scale, offset, epsilon, y, mean, r):
    """A row of the layer norm, by the lanes of a warp."""
    lane, count = cuda.threadIdx.x, float32(x.shape[1])
    total = float32(0)
    for i in range(lane, x.shape[1], WARP):
        total += x[row, i]
    centre = warp_sum(total) / count
    squares = float32(0)
    for i in range(lane, x.shape[1], WARP):
        squares += (x[row, i] - centre) * (x[row, i] - centre)
    factor = float32(1) / math.sqrt(warp_sum(squares) / count + epsilon)
    for i in range(lane, x.shape[1], WARP):
        y[row, i] = scale[i] * ((x[row, i] - centre) * factor) + offset[i]
    if lane == 0:
        mean[row, 0] = centre
        r[row, 0] = factor


def layer_norm(x, scale, offset, epsilon, y, mean, r):
    """Mean and variance are those over each row."""
    row = cuda.blockIdx.x * WARPS + cuda.threadIdx.y
    is_inside = row < x.shape[0]  # for all lanes of a warp, or for none
    if is_inside:
        normalise(row, x, scale, offset, epsilon, y, mean, r)


def layer_norm_backward(g, x, mean, r, scale, dx):
    """dL/dx = r (h - mean h - x̂ mean(h x̂)),  h = g scale"""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < x.shape[0]
    if is_inside:
        count = float32(x.shape[1])
        total, inner = float32(0), float32(0)
        for i in range(lane, x.shape[1], WARP):
            h = g[row, i] * scale[i]
            total += h
            inner += h * ((x[row, i] - mean[row, 0]) * r[row, 0])
        total = warp_sum(total) / count
        inner = warp_sum(inner) / count
        for i in range(lane, x.shape[1], WARP):
            normal = (x[row, i] - mean[row, 0]) * r[row, 0]
            dx[row, i] = r[row, 0] * (g[row, i] * scale[i] - total - normal * inner)


def layer_norm_parameters(g, x, mean, r, dscale, doffset):
    """dL/dscale = Σ g x̂,  dL/doffset = Σ g, over the rows of each part.

    A warp reads 32 columns of a row, HEIGHT warps read different rows, and what these have added
    is added in the end: always in the same order, so that no bit changes from run to run. Part p of
    P has every P-th group of HEIGHT rows.
    """
    of_scale = cuda.shared.array((HEIGHT, WARP), float32)
    of_offset = cuda.shared.array((HEIGHT, WARP), float32)
    x_thread, y_thread, part = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockIdx.y
    column = cuda.blockIdx.x * WARP + x_thread
    is_inside = column < x.shape[1]
    scale, offset = float32(0), float32(0)
    if is_inside:
        for row in range(part * HEIGHT + y_thread, x.shape[0], cuda.gridDim.y * HEIGHT):
            scale += g[row, column] * ((x[row, column] - mean[row, 0]) * r[row, 0])
            offset += g[row, column]
    of_scale[y_thread, x_thread] = scale
    of_offset[y_thread, x_thread] = offset
    cuda.syncthreads()
    if is_inside and y_thread == 0:
        dscale[part, column] = column_sum(of_scale)
        doffset[part, column] = column_sum(of_offset)


@cuda.jit(device=True, inline="always")
def column_sum(parts):
    """Σ parts[i, x],  x the number of the thread in its row"""
    total = float32(0)
    for i in range(HEIGHT):
        total += parts[i, cuda.threadIdx.x]
    return total


# ---- RMS norm ------------------------------------------------------------------------------------


@cuda.jit(device=True, inline="always")
def scale_to_one(row, x, scale, epsilon, y, r):
    """A row of the RMS norm, by the lanes of a warp."""
    lane, count = cuda.threadIdx.x, float32(x.shape[1])
    squares = float32(0)
    for i in range(lane, x.shape[1], WARP):
        squares += x[row, i] * x[row, i]
    factor = float32(1) / math.sqrt(warp_sum(squares) / count + epsilon)
    for i in range(lane, x.shape[1], WARP):
        y[row, i] = scale[i] * (x[row, i] * factor)
    if lane == 0:
        r[row, 0] = factor


def rms_norm(x, scale, epsilon, y, r):
    """The mean of x² is that over each row."""
    row = cuda.blockIdx.x * WARPS + cuda.threadIdx.y
    is_inside = row < x.shape[0]
    if is_inside:
        scale_to_one(row, x, scale, epsilon, y, r)


def rms_norm_backward(g, x, r, scale, dx):
    """dL/dx = r (h - x̂ mean(h x̂)),  h = g scale"""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < x.shape[0]
    if is_inside:
        inner = float32(0)
        for i in range(lane, x.shape[1], WARP):
            inner += g[row, i] * scale[i] * (x[row, i] * r[row, 0])
        inner = warp_sum(inner) / float32(x.shape[1])
        for i in range(lane, x.shape[1], WARP):
            normal = x[row, i] * r[row, 0]
            dx[row, i] = r[row, 0] * (g[row, i] * scale[i] - normal * inner)


def rms_norm_parameters(g, x, r, dscale):
    """dL/dscale = Σ g x̂ over the rows of each part, as in `layer_norm_parameters`."""
    of_scale = cuda.shared.array((HEIGHT, WARP), float32)
    x_thread, y_thread, part = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockIdx.y
    column = cuda.blockIdx.x * WARP + x_thread
    is_inside = column < x.shape[1]
    scale = float32(0)
    if is_inside:
        for row in range(part * HEIGHT + y_thread, x.shape[0], cuda.gridDim.y * HEIGHT):
            scale += g[row, column] * (x[row, column] * r[row, 0])
    of_scale[y_thread, x_thread] = scale
    cuda.syncthreads()
    if is_inside and y_thread == 0:
        dscale[part, column] = column_sum(of_scale)


# ---- Of a sum, as it stands between two parts of a transformer -----------------------------------


@cuda.jit(device=True, inline="always")
def add_row(row, x, residual, total):
    """total = x + residual in one row; each lane reads only what it has written itself."""
    for i in range(cuda.threadIdx.x, x.shape[1], WARP):
        total[row, i] = x[row, i] + residual[row, i]


def residual_layer_norm(x, residual, scale, offset, epsilon, total, y, mean, r):
    """One kernel where there were two: the sum is still in the cache when it is normalised."""
    row = cuda.blockIdx.x * WARPS + cuda.threadIdx.y
    is_inside = row < x.shape[0]
    if is_inside:
        add_row(row, x, residual, total)
        normalise(row, total, scale, offset, epsilon, y, mean, r)


def residual_rms_norm(x, residual, scale, epsilon, total, y, r):
    """The same with the RMS norm."""
    row = cuda.blockIdx.x * WARPS + cuda.threadIdx.y
    is_inside = row < x.shape[0]
    if is_inside:
        add_row(row, x, residual, total)
        scale_to_one(row, total, scale, epsilon, y, r)


def _row_by_row(kernel, *signature):
    return Launch(kernel, (WARP, WARPS), rows(WARPS), signature)


def _column_by_column(kernel, *signature):
    def grid(*arguments):
        parts, width = arguments[-1].shape
        return -(-width // WARP), parts

    return Launch(kernel, (WARP, HEIGHT), grid, signature)


_AFFINE = VECTOR, VECTOR, NUMBER
LAUNCHES = named(
    _row_by_row(layer_norm, MATRIX, *_AFFINE, MATRIX, MATRIX, MATRIX),
    _row_by_row(layer_norm_backward, *(MATRIX,) * 4, VECTOR, MATRIX),
    _column_by_column(layer_norm_parameters, *(MATRIX,) * 6),
    _row_by_row(rms_norm, MATRIX, VECTOR, NUMBER, MATRIX, MATRIX),
    _row_by_row(rms_norm_backward, *(MATRIX,) * 3, VECTOR, MATRIX),
    _column_by_column(rms_norm_parameters, *(MATRIX,) * 4),
    _row_by_row(residual_layer_norm, MATRIX, MATRIX, *_AFFINE, *(MATRIX,) * 4),
    _row_by_row(residual_rms_norm, MATRIX, MATRIX, VECTOR, NUMBER, *(MATRIX,) * 3),
)
