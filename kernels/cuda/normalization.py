"""Layer normalisation on a GPU: a warp for each row, and columns of warps for sums over rows.

    layer_norm            y = scale x̂ + offset,  x̂ = (x - mean) r
    backward              dL/dx
    backward_parameters   dL/dscale and dL/doffset, which are sums over all rows

x, y, g, dx (n, d); scale, offset (d,); mean, r (n, 1), all of float32. `ROWS` and `COLUMNS` say how
they are launched.
"""

import math

from numba import cuda, float32

from .reduction import WARP, WARPS, OfRows, warp_sum

HEIGHT = 8  # rows of threads in a block that adds columns


def layer_norm(x, scale, offset, epsilon, y, mean, r):
    """r = 1/√(variance + epsilon), with mean and variance over each row."""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < x.shape[0]
    if is_inside:
        count = float32(x.shape[1])
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


def backward(g, x, mean, r, scale, dx):
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


def backward_parameters(g, x, mean, r, dscale, doffset):
    """dL/dscale = Σ g x̂,  dL/doffset = Σ g, over all rows.

    A warp reads 32 columns of a row, HEIGHT warps read different rows, and what these have added
    is added in the end: always in the same order, so that no bit changes from run to run.
    """
    of_scale = cuda.shared.array((HEIGHT, WARP), float32)
    of_offset = cuda.shared.array((HEIGHT, WARP), float32)
    x_thread, y_thread = cuda.threadIdx.x, cuda.threadIdx.y
    column = cuda.blockIdx.x * WARP + x_thread
    is_inside = column < x.shape[1]
    scale, offset = float32(0), float32(0)
    if is_inside:
        for row in range(y_thread, x.shape[0], HEIGHT):
            scale += g[row, column] * ((x[row, column] - mean[row, 0]) * r[row, 0])
            offset += g[row, column]
    of_scale[y_thread, x_thread] = scale
    of_offset[y_thread, x_thread] = offset
    cuda.syncthreads()
    if is_inside and y_thread == 0:
        scale, offset = float32(0), float32(0)
        for i in range(HEIGHT):
            scale += of_scale[i, x_thread]
            offset += of_offset[i, x_thread]
        dscale[column] = scale
        doffset[column] = offset


ROWS = {kernel.__name__: OfRows(kernel, (WARP, WARPS), WARPS) for kernel in (layer_norm, backward)}
COLUMNS = OfRows(backward_parameters, (WARP, HEIGHT), WARP)  # of which a block takes 32
