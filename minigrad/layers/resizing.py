"""Layers that make images and sequences larger, without parameters: ZeroPadding and UpSampling."""

from .. import ops
from ..registry import look_up
from .layer import Layer
from .windows import check_rank, per_axis


class _ZeroPadding(Layer):
    """What both share. `padding` is kept as (before, after) for each axis."""

    axes = 2

    def __init__(self, padding=1, **options):
        super().__init__(**options)
        self.padding = self._pairs(padding)

    def _pairs(self, padding):
        pairs = padding if isinstance(padding, (tuple, list)) else (padding,) * self.axes
        pairs = tuple(tuple(p) if isinstance(p, (tuple, list)) else (p, p) for p in pairs)
        is_right = len(pairs) == self.axes and all(
            len(pair) == 2 and all(type(n) is int and n >= 0 for n in pair) for pair in pairs
        )
        if not is_right:
            raise ValueError(
                f"{type(self).__name__} needs padding to be integers from 0 up. "
                f"Received: padding={padding!r}"
            )
        return pairs

    def call(self, x):
        check_rank(type(self).__name__, x.shape, self.axes)
        return ops.pad(x, ((0, 0), *self.padding, (0, 0)))


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after a sequence   (n, t, c) -> (n, before + t + after, c)

    padding  a number for both ends, or (before, after)
    """

    axes = 1

    def _pairs(self, padding):
        if isinstance(padding, (tuple, list)) and len(padding) == 2:
            padding = [padding]
        return super()._pairs(padding)


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images   (n, h, w, c) -> (n, top + h + bottom, left + w + right, c)

    padding  a number for all sides, (rows, columns), or ((top, bottom), (left, right))
    """


def _nearest(x, factor, axis):
    """Each slice so many times in a row."""
    return ops.repeat(x, factor, axis)


def _bilinear(x, factor, axis):
    """Each slice becomes so many, on straight lines between its middle and those of its neighbours.

    Beyond the first and the last middle values stay as they are there. Slice j of the new ones lies
    o = (j + 1/2) / factor - 1/2 from the middle of the old one: y = (1 - |o|) x + |o| neighbour.
    """
    n = x.shape[axis]
    widths = [(1, 1) if i == axis else (0, 0) for i in range(x.ndim)]
    wide = ops.pad(x, widths, mode="edge")
    before = (slice(None),) * axis
    neighbours = [wide[(*before, slice(start, start + n))] for start in (0, 2)]
    offsets = [(j + 0.5) / factor - 0.5 for j in range(factor)]
    parts = [(1 - abs(o)) * x + abs(o) * neighbours[o > 0] for o in offsets]
    shape = (*x.shape[:axis], n * factor, *x.shape[axis + 1 :])
    return ops.reshape(ops.stack(parts, axis + 1), shape)


_INTERPOLATIONS = {"nearest": _nearest, "bilinear": _bilinear}


class _UpSampling(Layer):
    """What both share."""

    axes, interpolation = 2, "nearest"

    def call(self, x):
        check_rank(type(self).__name__, x.shape, self.axes)
        for axis, factor in enumerate(self.size, start=1):
            if factor > 1:
                x = _INTERPOLATIONS[self.interpolation](x, factor, axis)
        return x


class UpSampling1D(_UpSampling):
    """Each step `size` times in a row   (n, t, c) -> (n, size t, c)"""

    axes = 1

    def __init__(self, size=2, **options):
        super().__init__(**options)
        self.size = per_axis("UpSampling1D", "size", size, self.axes)


class UpSampling2D(_UpSampling):
    """Each pixel becomes a block of size (a, b)   (n, h, w, c) -> (n, a h, b w, c)

    interpolation  "nearest": of its copies; "bilinear": of values on straight lines between the
                   middles of pixels, as PyTorch has it with align_corners=False
    """

    def __init__(self, size=2, interpolation="nearest", **options):
        super().__init__(**options)
        self.size = per_axis("UpSampling2D", "size", size, self.axes)
        known = {name: name for name in _INTERPOLATIONS}
        self.interpolation = look_up("interpolation", interpolation, known)
