"""What convolution and pooling share: windows on sequences (n, t, c) or images (n, h, w, c).

A sequence is treated as an image of height 1.
"""

from .. import ops
from ..registry import look_up
from .core import positive_integer

_SHAPES = {1: "(n, t, c)", 2: "(n, h, w, c)"}


def per_axis(layer, name, value, axes):
    """A positive integer for each axis; a single one stands for all."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes:
        raise ValueError(
            f"{layer} needs {name} to be an integer or {axes} of them. Received: {name}={value!r}"
        )
    return tuple(positive_integer(layer, name, n) for n in values)


def check_padding(padding, axes):
    """The name of a padding, if there is one: "causal" for sequences alone."""
    known = ("valid", "same", "causal") if axes == 1 else ("valid", "same")
    return look_up("padding", padding, {name: name for name in known})


def check_rank(layer, shape, axes):
    """ValueError unless a shape is that of sequences, or of images, whichever the layer takes."""
    if len(shape) != axes + 2:
        raise ValueError(f"{layer} needs x {_SHAPES[axes]}. Received: shape {tuple(shape)}")


def span(size, dilation):
    """The length of a window with so many places, so far apart."""
    return (size - 1) * dilation + 1


def amounts(layer, shape, sizes, strides, padding, dilation):
    """(before, after) for each axis of x between the first and the last, as a padding's name says.

    "valid"   none
    "same"    such that there are length / stride windows, rounded up; where the two sides cannot be
              equal the second is the larger, as in Keras
    "causal"  all in front, so that a window ends at its own step

    ValueError if no window fits in.
    """
    found = []
    for n, size, stride, gap in zip(shape[1:-1], sizes, strides, dilation):
        missing = span(size, gap) - n
        if padding == "valid" and missing > 0:
            raise ValueError(
                f"{layer} moves windows of {sizes} with dilation {dilation}, none of which fits. "
                f"Received: shape {tuple(shape)}"
            )
        if padding == "same":
            total = max((-(-n // stride) - 1) * stride + missing, 0)
            found.append((total // 2, total - total // 2))
        else:
            found.append((missing + n - 1 if padding == "causal" else 0, 0))
    return tuple(found)


def for_images(values, missing):
    """What there is for each axis of a sequence, with what is `missing` for the height of 1."""
    return (missing, *values)[-2:]


def as_images(x):
    """(n, t, c) -> (n, 1, t, c);  images as they are"""
    return ops.expand_dims(x, 1) if x.ndim == 3 else x


def as_before(y, x):
    """What was made of as_images(x), without the height of 1 if x is a sequence."""
    return ops.squeeze(y, 1) if x.ndim == 3 else y
