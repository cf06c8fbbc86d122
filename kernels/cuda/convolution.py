"""Convolution on a GPU as a product of matrices that are never made ("implicit GEMM").

What lies in a window of the images is a row of a matrix A:

    convolution          z = A W + b,  y = f(z)     windows x places x units
    convolution_images   dL/dx = h Wᵀ, each number from all windows that it lies in
    convolution_weights  dL/dW = Aᵀ h

A block multiplies tiles as `matmul.register_tiled` does, and fetches them from where the numbers
lie in the images. Each block owns what it writes. Rows and columns of A are taken apart once for
each thread, or once for each tile: divisions are the slowest arithmetic that there is.

    x, dx (n, h, w, c)      images; those of one axis have h = 1
    weight, dW (places, u)  with places = kh kw c / groups: (kh, kw, c / groups, u) as it lies
    bias (u,)               of no numbers where there is none
    y, z, h (windows, u)    with windows = n ho wo; h = dL/dy f'(z), for which there is
                            `elementwise.pull`; y and z may be one array where f is none or "relu"
    windows                 a `Windows`, where windows lie
    groups, function        numbers; the second as in `elementwise.FUNCTIONS`

`LAUNCHES` says how each is started.
"""

from typing import NamedTuple

from numba import cuda, float32, int64, types

from .elementwise import activation
from .launch import HEADS, INTEGER, MATRIX, VECTOR, Launch, named
from .matmul import EACH, EDGE, ROW, SIDE, add_products, clear, element


class Windows(NamedTuple):
    """Where the windows of a convolution lie."""

    rows: int  # of windows in an image, ho
    columns: int  # wo
    width: int  # of a window, kw
    down: int  # from one window to the next
    across: int
    top: int  # rows of padding before the image
    left: int
    row_gap: int  # dilation
    column_gap: int


@cuda.jit(device=True, inline="always")
def pixel(x, image, row, column, channel):
    """x[image, row, column, channel], or 0 in the padding"""
    is_inside = row >= 0 and row < x.shape[1] and column >= 0 and column < x.shape[2]
    return x[image, row, column, channel] if is_inside else float32(0)


@cuda.jit(device=True, inline="always")
def parts(number, middle, last):
    """(i, j, k) of number = (i middle + j) last + k"""
    return number // (middle * last), number // last % middle, number % last


@cuda.jit(device=True, inline="always")
def in_window(x, window, place, windows, depth, group):
    """A[window, place], or 0 beyond the edge"""
    image, i, j = window
    p, q, channel = place
    row = i * windows.down - windows.top + p * windows.row_gap
    column = j * windows.across - windows.left + q * windows.column_gap
    is_window = image < x.shape[0]
    return pixel(x, image, row, column, group * depth + channel) if is_window else float32(0)


@cuda.jit(device=True, inline="always")
def of_unit(x, row, unit, units, group):
    """x[row, unit of a group], or 0 beyond the edge of the group or of x"""
    is_unit = unit < units
    return element(x, row, group * units + unit) if is_unit else float32(0)


def convolution(x, weight, bias, windows, groups, function, z, y):
    """A thread fetches one place of four windows at a time, and one row of four units."""
    a_tile = cuda.shared.array((EDGE, SIDE), float32)
    b_tile = cuda.shared.array((SIDE, ROW), float32)
    total = cuda.local.array((EACH, EACH), float32)
    x_thread, y_thread, group = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockIdx.z
    depth, units = x.shape[3] // groups, weight.shape[1] // groups
    first, column = cuda.blockIdx.x * EDGE + y_thread, cuda.blockIdx.y * EDGE + x_thread
    clear(total, EACH, EACH)
    for k in range(0, weight.shape[0], SIDE):
        place = parts(k + x_thread, windows.width, depth)
        is_place = k + x_thread < weight.shape[0]
        for i in range(EACH):
            window = parts(first + i * SIDE, windows.rows, windows.columns)
            number = in_window(x, window, place, windows, depth, group) if is_place else float32(0)
            a_tile[y_thread + i * SIDE, x_thread] = number
            number = of_unit(weight, k + y_thread, column + i * SIDE, units, group)
            b_tile[y_thread, x_thread + i * SIDE] = number
        cuda.syncthreads()
        add_products(total, a_tile, b_tile)
        cuda.syncthreads()
    for i in range(EACH):
        for j in range(EACH):
            row, unit = first + i * SIDE, column + j * SIDE
            is_inside = row < z.shape[0] and unit < units
            if is_inside:
                number = total[i, j]
                if bias.size > 0:
                    number += bias[group * units + unit]
                z[row, group * units + unit] = number
                y[row, group * units + unit] = activation(function, number)


@cuda.jit(device=True, inline="always")
def of_window(h, image, row, column, place, windows, units, group):
    """h of the window that has a pixel at a place, or 0 if there is none"""
    p, q, unit = place
    i = row + windows.top - p * windows.row_gap
    j = column + windows.left - q * windows.column_gap
    is_first = i % windows.down == 0 and j % windows.across == 0  # row and column of a window
    i, j = i // windows.down, j // windows.across
    is_row, is_column = i >= 0 and i < windows.rows, j >= 0 and j < windows.columns
    if is_first and is_row and is_column:
        window = (image * windows.rows + i) * windows.columns + j
        return element(h, window, group * units + unit)
    return float32(0)


def convolution_images(h, weight, windows, groups, dx):
    """The same with rows of pixels, whose places are those of windows and units."""
    a_tile = cuda.shared.array((EDGE, SIDE), float32)
    b_tile = cuda.shared.array((SIDE, ROW), float32)
    total = cuda.local.array((EACH, EACH), float32)
    x_thread, y_thread, group = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockIdx.z
    depth, units = dx.shape[3] // groups, weight.shape[1] // groups
    first, column = cuda.blockIdx.x * EDGE + y_thread, cuda.blockIdx.y * EDGE + x_thread
    inner = weight.shape[0] // depth * units
    clear(total, EACH, EACH)
    for k in range(0, inner, SIDE):
        place = parts(k + x_thread, windows.width, units)
        at = parts(k + y_thread, windows.width, units)
        for i in range(EACH):
            image, row, across = parts(first + i * SIDE, dx.shape[1], dx.shape[2])
            is_term = k + x_thread < inner and image < dx.shape[0]
            number = float32(0)
            if is_term:
                number = of_window(h, image, row, across, place, windows, units, group)
            a_tile[y_thread + i * SIDE, x_thread] = number
            p, q, unit = at
            channel = column + i * SIDE
            is_channel = channel < depth
            number = float32(0)
            if is_channel:
                row = (p * windows.width + q) * depth + channel
                number = element(weight, row, group * units + unit)
            b_tile[y_thread, x_thread + i * SIDE] = number
        cuda.syncthreads()
        add_products(total, a_tile, b_tile)
        cuda.syncthreads()
    for i in range(EACH):
        image, row, across = parts(first + i * SIDE, dx.shape[1], dx.shape[2])
        for j in range(EACH):
            channel = column + j * SIDE
            is_inside = image < dx.shape[0] and channel < depth
            if is_inside:
                dx[image, row, across, group * depth + channel] = total[i, j]


def convolution_weights(h, x, windows, groups, dweight):
    """The same with rows of places, and a sum over all windows, always in the same order."""
    a_tile = cuda.shared.array((EDGE, SIDE), float32)
    b_tile = cuda.shared.array((SIDE, ROW), float32)
    total = cuda.local.array((EACH, EACH), float32)
    x_thread, y_thread, group = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockIdx.z
    depth, units = x.shape[3] // groups, dweight.shape[1] // groups
    first, column = cuda.blockIdx.x * EDGE + y_thread, cuda.blockIdx.y * EDGE + x_thread
    clear(total, EACH, EACH)
    for k in range(0, h.shape[0], SIDE):
        window = parts(k + x_thread, windows.rows, windows.columns)
        for i in range(EACH):
            place = parts(first + i * SIDE, windows.width, depth)
            is_place = first + i * SIDE < dweight.shape[0]
            number = in_window(x, window, place, windows, depth, group) if is_place else float32(0)
            a_tile[y_thread + i * SIDE, x_thread] = number
            number = of_unit(h, k + y_thread, column + i * SIDE, units, group)
            b_tile[y_thread, x_thread + i * SIDE] = number
        cuda.syncthreads()
        add_products(total, a_tile, b_tile)
        cuda.syncthreads()
    for i in range(EACH):
        for j in range(EACH):
            place, unit = first + i * SIDE, column + j * SIDE
            is_inside = place < dweight.shape[0] and unit < units
            if is_inside:
                dweight[place, group * units + unit] = total[i, j]


def _blocks(columns, rows, groups):
    """Blocks of EDGE x EDGE results for each group, of `columns` in all groups together.

    Rows come first: there may be 2³¹ blocks along x, and 65,535 along y.
    """
    return -(-rows // EDGE), -(-columns // groups // EDGE), groups


WINDOWS = types.NamedUniTuple(int64, len(Windows._fields), Windows)
LAUNCHES = named(
    Launch(
        convolution,
        (SIDE, SIDE),
        lambda x, w, b, windows, groups, f, z, y: _blocks(z.shape[1], z.shape[0], groups),
        (HEADS, MATRIX, VECTOR, WINDOWS, INTEGER, INTEGER, MATRIX, MATRIX),
    ),
    Launch(
        convolution_images,
        (SIDE, SIDE),
        lambda h, w, windows, groups, dx: _blocks(
            dx.shape[3], dx.shape[0] * dx.shape[1] * dx.shape[2], groups
        ),
        (MATRIX, MATRIX, WINDOWS, INTEGER, HEADS),
    ),
    Launch(
        convolution_weights,
        (SIDE, SIDE),
        lambda h, x, windows, groups, dw: _blocks(dw.shape[1], dw.shape[0], groups),
        (MATRIX, HEADS, WINDOWS, INTEGER, MATRIX),
    ),
)
