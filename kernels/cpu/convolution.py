"""Convolutions as products of matrices: what lies in a window is a row of a matrix A.

    z = A W,   dW = Aᵀ h,   dA = h Wᵀ    A (windows, places), W (places, units), h (windows, units)

with places = kh kw c. All of A would hold every number of the images kh kw times. It is never made:
a block of its rows at a time is gathered in a buffer that stays in the cache, and used there. On
the way back a block of dA is made in the buffer, and each number added to where it came from.

In a window of few channels little lies side by side, but much does in neighbouring windows: then
images have their channels first, and A is gathered column by column (`gather_columns`).
"""

import math

import numpy as np

from . import dense as dense_layers
from . import elementwise, leaves_to_numpy
from .compilation import address, inlined, integer, read, read_integers, write
from .dense import NO_ACTIVATION, NUMBERS, TOLD_BY_Y, activate, fill_rows
from .elementwise import pull
from .loops import alike
from .matmul import (
    DEPTH,
    Matrix,
    add_product,
    beyond,
    call_add_product,
    call_put_product,
    fill,
    transposed,
)
from .simd import broadcast, lanes, load_until, store_until
from .threads import counter, take, threaded
from .windows import as_array, inside, of, windows_from

BUFFER = 2**16  # numbers of A that are gathered at once, more or less,
FEWEST, MOST = 32, 256  # and the rows that these are
FEW_CHANNELS = 4  # with which channels come first
PIECES = 16  # into which the windows are cut for dW and db, at most, whose sums are added,
PIECE = 256  # and the windows of one, at least
BANDS = 8  # of all images, at least, for dx: an image is cut into several if there are fewer


# ---- Between images and rows of A ----------------------------------------------------------------


@inlined
def clear(a, i, n):
    """a[i], ..., a[i + n - 1] = 0"""
    for k in range(i, i + n, lanes(a)):
        store_until(a, k, i + n, broadcast(a, 0))


@inlined
def copy(x, i, y, j, n):
    """y[j], ..., y[j + n - 1] = x[i], ..., x[i + n - 1]"""
    for k in range(0, n, lanes(x)):
        store_until(y, j + k, j + n, load_until(x, i + k, i + n, 0))


@inlined
def add(x, i, y, j, n):
    """y[j], ..., y[j + n - 1] += x[i], ..., x[i + n - 1]"""
    for k in range(0, n, lanes(x)):
        sums = load_until(y, j + k, j + n, 0) + load_until(x, i + k, i + n, 0)
        store_until(y, j + k, j + n, sums)


@inlined
def gather_row(x, i, a, j, left, right, win, depth):
    """A row of a window from x[i] to a[j]: zeros, but for its places from `left` to `right`"""
    step = win.column_gap * win.channels
    clear(a, j, left * depth)
    if step == depth:  # it is one piece of memory
        copy(x, i + left * step, a, j + left * depth, (right - left) * depth)
    else:
        for q in range(left, right):
            copy(x, i + q * step, a, j + q * depth, depth)
    clear(a, j + right * depth, (win.kw - right) * depth)


@inlined
def gather(x, a, win, channel, depth, window, count):
    """Rows of A: what lies in `count` windows of the images x from one on, in channels from one on

    x (n, h, w, c), a (count, kh, kw, depth);  zeros where it is padding
    """
    run, line = win.kw * depth, win.row_gap * win.w * win.channels
    j = window % win.columns
    i = window // win.columns % win.rows
    image = window // (win.columns * win.rows)
    to = 0
    for _ in range(count):
        y, x0 = i * win.down - win.top, j * win.across - win.left
        top, bottom = inside(y, win.row_gap, win.kh, 0, win.h)
        left, right = inside(x0, win.column_gap, win.kw, 0, win.w)
        is_whole = right - left == win.kw and win.column_gap * win.channels == depth
        place = ((image * win.h + y) * win.w + x0) * win.channels + channel
        clear(a, to, top * run)
        for p in range(top, bottom):
            if is_whole:  # as nearly everywhere
                copy(x, place + p * line, a, to + p * run, run)
            else:
                gather_row(x, place + p * line, a, to + p * run, left, right, win, depth)
        clear(a, to + bottom * run, (win.kh - bottom) * run)
        to += win.kh * run
        j += 1
        if j == win.columns:
            j, i = 0, i + 1
            if i == win.rows:
                i, image = 0, image + 1


@inlined
def scatter(a, x, win, channel, depth, window, count, first, end):
    """Add rows of A to where `gather` takes them from, but only to rows first .. end of an image"""
    run, line = win.kw * depth, win.row_gap * win.w * win.channels
    step = win.column_gap * win.channels
    is_one_run = step == depth
    j = window % win.columns
    i = window // win.columns % win.rows
    image = window // (win.columns * win.rows)
    start = 0
    for _ in range(count):
        y, x0 = i * win.down - win.top, j * win.across - win.left
        top, bottom = inside(y, win.row_gap, win.kh, first, end)
        left, right = inside(x0, win.column_gap, win.kw, 0, win.w)
        place = ((image * win.h + y) * win.w + x0) * win.channels + channel
        for p in range(top, bottom):
            row, to = start + p * run, place + p * line
            if is_one_run:
                add(a, row + left * depth, x, to + left * depth, (right - left) * depth)
            else:
                for q in range(left, right):
                    add(a, row + q * depth, x, to + q * step, depth)
        start += win.kh * run
        j += 1
        if j == win.columns:
            j, i = 0, i + 1


@inlined
def gather_columns(planes, a, win, window, count):
    """The same with A turned, from images that have their channels first and their padding around

    planes (n, c, h, w), a (kh, kw, c, rows);  windows side by side, in steps of one column, are
    copied together
    """
    (_, channels, h, w), rows = planes.shape, a.shape[1]
    done = 0
    while done < count:
        j, i = window % win.columns, window // win.columns % win.rows
        image = window // (win.columns * win.rows)
        beside = min(win.columns - j, count - done)
        to = done
        for p in range(win.kh):
            for q in range(win.kw):
                for channel in range(channels):
                    y, x = i * win.down + p * win.row_gap, j + q * win.column_gap
                    place = ((image * channels + channel) * h + y) * w + x
                    copy(planes, place, a, to, beside)
                    to += rows
        done += beside
        window += beside


@inlined
def rows_of(x, a, win, group, depth, window, count, is_turned):
    """Rows of A as a Matrix, gathered in a one way or the other"""
    if is_turned:
        gather_columns(x, a, win, window, count)
        return Matrix(a, 0, 1, a.shape[1])
    gather(x, a, win, group * depth, depth, window, count)
    return Matrix(a, 0, a.shape[1], 1)


@inlined
def buffer(x, places, is_turned):
    """Room for as many rows of A as are gathered at once, and how many these are"""
    rows = max(FEWEST, min(MOST, BUFFER // max(1, places)))
    return np.empty((places, rows) if is_turned else (rows, places), x.dtype), rows


# ---- The three products --------------------------------------------------------------------------


@threaded
def forward(
    x: read(4),
    weight: read(2),
    bias: read(1),
    z: write(2),
    y: write(2),
    numbers: read_integers(1),
    groups: integer,
    is_turned: integer,
    activation: integer,
    product: address,
    queue: counter,
):
    """y = f(z),  z = A W + b   (n, h, w, c), (places, units), (units,), (windows, units)

    z may be y.
    """
    win = windows_from(numbers)
    (windows, units), places = z.shape, len(weight)
    depth, share_of_units = win.channels // groups, units // groups
    a, rows = buffer(x, places, is_turned)
    window = take(queue) * rows
    while window < windows:
        count = min(rows, windows - window)
        c = Matrix(z, window * units, units, 1)
        fill_rows(c, count, units, bias)
        for group in range(groups):
            unit = group * share_of_units
            left = rows_of(x, a, win, group, depth, window, count, is_turned)
            right = Matrix(weight, unit, units, 1)
            part = beyond(c, 0, unit)
            call_add_product(product, left, right, part, count, share_of_units, places)
        if activation != NO_ACTIVATION:
            activate(c, y, count, units, activation)
        window = take(queue) * rows


@threaded
def weight_gradient(
    x: read(4),
    h: read(2),
    sums: write(2),
    numbers: read_integers(1),
    groups: integer,
    is_turned: integer,
    pieces: integer,
    product: address,
    queue: counter,
):
    """Aᵀ h of each piece of the windows   (n, h, w, c), (windows, units), (pieces places, units)"""
    win = windows_from(numbers)
    (windows, units), places = h.shape, len(sums) // pieces
    depth, share_of_units = win.channels // groups, units // groups
    a, rows = buffer(x, places, is_turned)
    piece = take(queue)
    while piece < pieces:
        c = Matrix(sums, piece * places * units, units, 1)
        fill(c, places, units, 0)
        last = windows * (piece + 1) // pieces
        for window in range(windows * piece // pieces, last, rows):
            count = min(rows, last - window)
            for group in range(groups):
                unit = group * share_of_units
                left = transposed(rows_of(x, a, win, group, depth, window, count, is_turned))
                right = Matrix(h, window * units + unit, units, 1)
                part = beyond(c, 0, unit)
                call_add_product(product, left, right, part, places, share_of_units, count)
        piece = take(queue)


@threaded
def input_gradient(
    h: read(2),
    weight: read(2),
    dx: write(4),
    numbers: read_integers(1),
    groups: integer,
    bands: integer,
    product: address,
    queue: counter,
):
    """dx: h Wᵀ, each number added to where A has it from   (windows, units), (places, units)

    A block is a band of rows of an image. Windows that reach into two bands are computed twice.
    """
    win = windows_from(numbers)
    units, places = h.shape[1], len(weight)
    depth, share_of_units = win.channels // groups, units // groups
    (a, rows), row = buffer(h, places, False), win.w * win.channels
    block = take(queue)
    while block < len(dx) * bands:
        image, band = block // bands, block % bands
        first, end = win.h * band // bands, win.h * (band + 1) // bands
        clear(dx, (image * win.h + first) * row, (end - first) * row)
        height = (win.kh - 1) * win.row_gap
        top, bottom = inside(-win.top, win.down, win.rows, first - height, end)
        last = (image * win.rows + bottom) * win.columns
        for window in range((image * win.rows + top) * win.columns, last, rows):
            count = min(rows, last - window)
            for group in range(groups):
                unit = group * share_of_units
                c = Matrix(a, 0, places, 1)
                left = Matrix(h, window * units + unit, units, 1)
                right = transposed(Matrix(weight, unit, units, 1))
                call_put_product(product, left, right, c, count, places, share_of_units)
                scatter(a, dx, win, group * depth, depth, window, count, first, end)
        block = take(queue)


@threaded
def pull_all(
    g: read(2),
    z: read(2),
    h: write(2),
    sums: write(2),
    activation: integer,
    queue: counter,
):
    """h = g f'(z), and the sums of h over each piece of the windows   (windows, u), (pieces, u)

    Without activation h is left out.
    """
    (windows, units), pieces = g.shape, len(sums)
    piece = take(queue)
    while piece < pieces:
        clear(sums, piece * units, units)
        last = windows * (piece + 1) // pieces
        for first in range(windows * piece // pieces, last, DEPTH):
            for j in range(0, units, lanes(g)):
                total = broadcast(g, 0)
                for window in range(first, min(first + DEPTH, last)):
                    place, end = window * units + j, (window + 1) * units
                    x = load_until(g, place, end, 0)
                    if activation != NO_ACTIVATION:
                        x = pull(activation, x, load_until(z, place, end, 0))
                        store_until(h, place, end, x)
                    total = total + x
                place, end = piece * units + j, (piece + 1) * units
                store_until(sums, place, end, load_until(sums, place, end, 0) + total)
        piece = take(queue)


# ---- As specified --------------------------------------------------------------------------------

_NOT_COVERED = "several dtypes, and what the reference refuses"


@leaves_to_numpy(_NOT_COVERED)
def convolution(
    x,
    weight,
    bias=None,
    strides=(1, 1),
    padding=((0, 0), (0, 0)),
    dilation=(1, 1),
    groups=1,
    activation=None,
):
    """y = f(z),  z = A W + b   (n, h, w, c), (kh, kw, c / groups, u), (u,) -> y, z (n, ho, wo, u)

    Windows of one pixel that lie side by side make a dense layer.
    """
    number = NUMBERS.get(activation)
    if number is None or not _fits(x, weight, groups):
        return NotImplemented
    units = weight.shape[3]
    bias = np.zeros(units, x.dtype) if bias is None else bias
    if not alike(x, bias, shape=False) or bias.shape != (units,):
        return NotImplemented
    win = of(x.shape, weight.shape[:2], strides, padding, dilation)
    if _is_dense(win, groups):
        return dense_layers.dense(x, weight[0, 0], bias, activation)
    is_turned, images = _images(x, win, padding, groups)
    bias, weight = np.ascontiguousarray(bias), _rows(weight)
    y = np.empty((len(x), win.rows, win.columns, units), x.dtype)
    z = y if number in TOLD_BY_Y else np.empty(y.shape, x.dtype)
    arrays = images, weight, bias, _rows(z), _rows(y), as_array(win)
    work, product = y.size * len(weight), add_product.addresses[x.dtype]
    forward(x.dtype, work, *arrays, groups, is_turned, number, product)
    return y, z


@leaves_to_numpy(_NOT_COVERED)
def convolution_backward(
    g,
    z,
    x,
    weight,
    strides=(1, 1),
    padding=((0, 0), (0, 0)),
    dilation=(1, 1),
    groups=1,
    activation=None,
    needs=(True, True, True),
):
    """dL/dx from dA = h Wᵀ,  dL/dW = Aᵀ h,  dL/db = Σ h,  h = g f'(z)   -> dx, dW, db

    Sums over windows are cut into pieces that follow from the shapes, so that no number of threads
    changes a bit. None stands for what `needs` does not ask for.
    """
    number = NUMBERS.get(activation)
    if number is None or not _fits(x, weight, groups) or not alike(g, z):
        return NotImplemented
    win = of(x.shape, weight.shape[:2], strides, padding, dilation)
    if g.shape != (len(x), win.rows, win.columns, weight.shape[3]) or g.dtype != x.dtype:
        return NotImplemented
    if _is_dense(win, groups):
        return _of_dense(dense_layers.dense_backward(g, z, x, weight[0, 0], activation, needs))
    rows = _rows(weight)
    h, db = _pull(_rows(g), _rows(z), number, needs[2])
    work, product = h.size * len(rows), add_product.addresses[x.dtype]
    dx = dw = None
    if needs[0]:
        dx = np.empty(x.shape, x.dtype)
        bands = min(win.h, -(-BANDS // max(1, len(x))))
        input_gradient(x.dtype, work, h, rows, dx, as_array(win), groups, bands, product)
    if needs[1]:
        is_turned, images = _images(x, win, padding, groups)
        pieces = _pieces(h)
        sums = np.empty((pieces * len(rows), weight.shape[3]), x.dtype)
        arrays = images, h, sums, as_array(win)
        weight_gradient(x.dtype, work, *arrays, groups, is_turned, pieces, product)
        dw = np.add.reduce(sums.reshape(pieces, *weight.shape), axis=0)
    return dx, dw, db


def _images(x, win, padding, groups):
    """Images as they are gathered: by columns, (n, c, h, w) with their padding, or (n, h, w, c)

    -> whether it is by columns, images
    """
    if win.channels > FEW_CHANNELS or win.across > 1 or groups > 1:
        return False, np.ascontiguousarray(x)
    (top, bottom), (left, right) = padding
    planes = np.zeros((len(x), win.channels, top + win.h + bottom, left + win.w + right), x.dtype)
    planes[:, :, top : top + win.h, left : left + win.w] = x.transpose(0, 3, 1, 2)
    return True, planes


def _pull(g, z, number, needs_sums):
    """h = g f'(z), and the sum of its rows, or None"""
    is_pulled = number != NO_ACTIVATION
    if not is_pulled and not needs_sums:
        return g, None
    h = np.empty(g.shape if is_pulled else (0, 0), g.dtype)
    sums = np.empty((_pieces(g), g.shape[1]), g.dtype)
    pull_all(g.dtype, elementwise.WORK * g.size, g, z, h, sums, number)
    return h if is_pulled else g, np.add.reduce(sums, axis=0) if needs_sums else None


def _pieces(h):
    """Into how many pieces the windows are cut, whose sums are added in the end."""
    return max(1, min(PIECES, len(h) // PIECE))


def _fits(x, weight, groups):
    """Whether images and weight are arrays of one dtype, and what the reference does not refuse."""
    return (
        alike(x, weight, shape=False)
        and x.ndim == weight.ndim == 4
        and x.shape[3] == weight.shape[2] * groups
        and weight.shape[3] % groups == 0
        and weight.shape[3] > 0
    )


def _is_dense(win, groups):
    """Whether each pixel is a window, so that A is the images themselves."""
    return groups == 1 and win[:3] == (*win[3:5], win.channels) and win[5:11] == (1, 1, 1, 1, 0, 0)


def _of_dense(gradients):
    dx, dw, db = gradients
    return dx, None if dw is None else dw[None, None], db


def _rows(x):
    """(..., c) -> (n, c), contiguous"""
    return np.ascontiguousarray(x).reshape(math.prod(x.shape[:-1]), x.shape[-1])
