"""Rows of an array at places that another array names: read, added to, written.

    take   y[i] = x[index[i]]
    add    x[index[i]] += g[i], where one place may come several times
    put    x[index[i]] = value[i]
    fold   one index of several: index <- index n + i
    where_true   the places at which an array of booleans is True

An index below 0 counts from the end. One beyond the end cannot raise an error, for nobody waits for
a kernel: it leaves a mark, and the host finds it when it reads the next time. Until then a read
gives 0, and nothing is written.

x[booleans] has as many elements as are True: only the host can make room for them, so it has to
wait and to read their number, which is counted as a read. x[booleans] = number does without.
"""

import math

import numpy as np
from numba import cuda, int64

from .errors import INDEX, HostCopyError

NOWHERE = int64(-(2**62))  # an index that is wrong whatever the size


@cuda.jit(device=True, inline="always")
def counted_from_start(i, n):
    """The same place, which counts from the end if it is below 0"""
    return i + n if i < 0 else i


@cuda.jit(device=True, inline="always")
def place_of(i, n, marks):
    """Where index i is among n rows; a mark, and -1, if it is beyond the edge"""
    place = counted_from_start(int64(i), n)
    is_inside = 0 <= place < n
    if not is_inside:
        cuda.atomic.max(marks, INDEX, 1)
        place = int64(-1)
    return place


def take(y, x, index, marks):
    """y (m, d), x (n, d), index (m,)"""
    for i in range(cuda.grid(1), y.size, cuda.gridsize(1)):
        row, column = i // y.shape[1], i % y.shape[1]
        place = place_of(index[row], x.shape[0], marks)
        if place >= 0:
            y[row, column] = x[place, column]
        else:
            y[row, column] = 0


def add(x, index, g, marks):
    """x (n, d), index (m,), g (m, d);  in any order, so that floats may round in several ways"""
    for i in range(cuda.grid(1), g.size, cuda.gridsize(1)):
        row, column = i // g.shape[1], i % g.shape[1]
        place = place_of(index[row], x.shape[0], marks)
        if place >= 0:
            cuda.atomic.add(x, (place, column), g[row, column])


def put(x, index, value, marks):
    """x (n, d), index (m,), value (m, d);  of several for one place, any stays"""
    for i in range(cuda.grid(1), value.size, cuda.gridsize(1)):
        row, column = i // value.shape[1], i % value.shape[1]
        place = place_of(index[row], x.shape[0], marks)
        if place >= 0:
            x[place, column] = value[row, column]


def fold(index, more, n):
    """index (m,) of all axes so far, more (m,) of the next axis, which has the length n"""
    for i in range(cuda.grid(1), index.shape[0], cuda.gridsize(1)):
        place = counted_from_start(int64(more[i]), n)
        is_inside = 0 <= place < n and index[i] >= 0
        index[i] = index[i] * n + place if is_inside else NOWHERE


def where_true(index, mask, count):
    """index (k,) of all k that are True in mask (n,);  count (n,), so many up to each"""
    for i in range(cuda.grid(1), mask.shape[0], cuda.gridsize(1)):
        if mask[i]:
            index[count[i] - 1] = i


# ---- What NumPy's x[index] means -----------------------------------------------------------------


def _is_array(part):
    return hasattr(part, "block") or isinstance(part, (list, np.ndarray)) and np.ndim(part) > 0


def _parts(x, index):
    """The parts of an index, one for each axis, without an ellipsis; lists brought to the device"""
    parts = list(index) if isinstance(index, tuple) else [index]
    for i, part in enumerate(parts):
        if isinstance(part, list):
            parts[i] = x.device.put(np.array(part, dtype=None if part else np.int64))
        elif isinstance(part, np.ndarray) and part.ndim:
            raise HostCopyError(
                f"an index of shape {part.shape} on the host came to an array on a device"
            )
        if hasattr(parts[i], "block") and parts[i].dtype.kind == "f":
            raise IndexError(f"an index is of integers. Received: an array of {parts[i].dtype}")
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    place = next(i for i, part in enumerate(parts) if part is Ellipsis)
    named = sum(map(_axes_of, parts))
    parts[place : place + 1] = [slice(None)] * (x.ndim - named)
    return _without_booleans(x, parts)


def _axes_of(part):
    """How many axes of an array a part of an index stands for."""
    return part.ndim if _is_mask(part) else part is not None and part is not Ellipsis


def _is_mask(part):
    return hasattr(part, "block") and part.dtype.kind == "b"


def _without_booleans(x, parts):
    """The same parts with arrays of integers for those of booleans, one for each axis of them."""
    found, axis = [], 0
    for part in parts:
        if _is_mask(part):
            _check_mask(part, x.shape[axis : axis + part.ndim])
            found += true_places(part)
        else:
            found.append(part)
        axis += _axes_of(part)
    return found


def _check_mask(mask, shape):
    if mask.shape != shape or not shape:
        raise IndexError(
            f"booleans of shape {mask.shape} do not fit axes of the lengths {shape or 'of none'}"
        )


def true_places(mask):
    """Where booleans are True, an index for each axis, as of np.nonzero; the host reads how many"""
    device, flat = mask.device, mask.reshape(-1)
    count = np.cumsum(flat)
    index = device.empty((count[-1].item() if flat.size else 0,), np.int64)
    if index.size:
        device.launch(where_true, *device.blocks_for(flat.size), index, flat, count)
    places = []
    for n in mask.shape[:0:-1]:
        places.append(index % n)
        index = index // n
    return [index, *places[::-1]]


class _Places:
    """The elements that an index with arrays of integers names.

    view   the array with its slices taken, the axes of the arrays first: (n1, n2, ..., rest)
    index  one number for each element, in the order of (n1, n2, ...)
    shape  of the elements, rest behind; `order` takes them to where NumPy has them
    """

    def __init__(self, x, parts):
        arrays = [part for part in parts if hasattr(part, "block")]
        is_named = [hasattr(part, "block") or _is_number(part) for part in parts]
        view = x.seen(
            lambda y: y[tuple(slice(None) if hasattr(p, "block") else p for p in parts) + (...,)]
        )
        axes, axis = [], 0
        for part in parts:
            if hasattr(part, "block"):
                axes.append(axis)
            axis += not _is_number(part)
        rest = [i for i in range(view.ndim) if i not in axes]
        self.view = view.transposed([*axes, *rest])
        named = self.view.shape[: len(axes)]
        others = self.view.shape[len(axes) :]
        wide = np.broadcast_shapes(*(array.shape for array in arrays))
        arrays = [array.seen(lambda y: np.broadcast_to(y, wide)) for array in arrays]
        self.index = arrays[0].reshape(-1)
        if len(arrays) > 1:
            self.index = _folded([array.reshape(-1) for array in arrays], named)
        self.rows, self.shape = (math.prod(named), math.prod(others)), (*wide, *others)
        first, last = is_named.index(True), len(is_named) - is_named[::-1].index(True)
        before = 0
        if all(is_named[first:last]):
            before = sum(not _is_number(part) for part in parts[:first])
        order = list(range(len(wide), len(self.shape)))
        order[before:before] = range(len(wide))
        self.order = order
        self.back = [order.index(i) for i in range(len(order))]

    def launch(self, kernel, *arguments):
        device = self.index.device
        n = self.index.size * self.rows[1]
        if n:
            device.launch(kernel, *device.blocks_for(n), *arguments, device.marks)

    def values(self, value):
        """Values for all elements, one row for each number of the index."""
        shape = tuple(self.shape[i] for i in self.order)
        value = self.view.device.operand(value, self.view.dtype)
        wide = value.seen(lambda y: np.broadcast_to(y, shape)).transposed(self.back)
        return wide.astype(self.view.dtype, copy=False).reshape(self.index.size, self.rows[1])


def _is_number(part):
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def _folded(arrays, sizes):
    """One index of several, which count as the axes of an array of these sizes do."""
    device, m = arrays[0].device, arrays[0].size
    index = device.empty((m,), np.int64)
    index[...] = 0
    for array, n in zip(arrays, sizes):
        if m:
            device.launch(fold, *device.blocks_for(m), index, array, n)
    return index


def get(x, index):
    """x[index]: a view, or with arrays of integers a new array."""
    parts = _parts(x, index)
    if not any(hasattr(part, "block") for part in parts):
        return x.seen(lambda y: y[(*parts, ...)])
    places = _Places(x, parts)
    y = x.device.empty((places.index.size, places.rows[1]), x.dtype)
    places.launch(take, y, places.view.reshape(places.rows), places.index)
    return y.reshape(places.shape).transposed(places.order).contiguous()


def set(x, index, value):
    """x[index] = value

    Of a place that is named twice any value stays, while NumPy takes the last: threads run in any
    order, and each number of a row has one of its own.
    """
    if _is_mask(index) and not np.ndim(value):
        _check_mask(index, x.shape[: index.ndim])
        mask = index.reshape(*index.shape, *[1] * (x.ndim - index.ndim))
        x.write(np.where(mask, x.device.operand(value, x.dtype), x))
        return
    parts = _parts(x, index)
    if not any(hasattr(part, "block") for part in parts):
        part = x.seen(lambda y: y[(*parts, ...)])
        if not _is_same(part, value):
            part.write(value)
        return
    _change(put, x, parts, value)


def _is_same(x, y):
    """Whether two arrays are the same part of memory, as after x[part] += 1."""
    return hasattr(y, "block") and (x.block, x.offset, x.shape, x.strides, x.dtype) == (
        *(y.block, y.offset, y.shape, y.strides, y.dtype),
    )


def add_at(x, index, value):
    """np.add.at(x, index, value): a place that is named twice is added to twice

    In which order is left open, so that sums of floats may differ in their last bits between runs.
    """
    x.check_writeable()
    parts = _parts(x, index)
    if not any(hasattr(part, "block") for part in parts):
        part = x.seen(lambda y: y[(*parts, ...)])
        part.write(part + value)
    elif x.itemsize >= 4:
        _change(add, x, parts, value)
    else:  # a GPU adds 4 bytes at least in one step that nothing can come between
        wide = x.astype(np.int32)
        _change(add, wide, parts, value)
        x.write(wide)


def _change(kernel, x, parts, value):
    places = _Places(x, parts)
    view = places.view
    rows = view if view.is_contiguous else view.copy()
    # What a kernel changes it must not read: in which order it would do both, nobody knows.
    index, value = (
        array.copy() if array.block is view.block else array
        for array in (places.index, places.values(value))
    )
    places.launch(kernel, rows.reshape(places.rows), index, value)
    if rows is not view:
        view.write(rows)
