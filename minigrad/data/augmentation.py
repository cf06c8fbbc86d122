"""Image augmentation: every picture a little moved, turned, resized and noisy, anew each time.

n images, h rows, w columns, c channels.
"""

import math
from numbers import Real

import numpy as np

from ..registry import Configurable, check_number, is_integer


class ImageAugmentation(Configurable):
    """augment(x, generator): y[p] = x[A (p - m - t) + m] + ε.   x (n, h, w), (n, h, w, c) -> same

    p = (row, column). For each image one map is drawn: the image is resized by s and turned by θ
    about its middle m, then moved by t. So A = R(-θ) / s, with R(θ) = [[cos θ, -sin θ],
    [sin θ, cos θ]].

    shift        both numbers of t, in pixels, uniform in ±shift
    rotate       θ, in degrees counter-clockwise, uniform in ±rotate
    scale        s, uniform in 1 ± scale, where scale < 1
    noise        ε, normal, of this standard deviation, for each value of each pixel, in the units
                 of x; for integers at least 0.5, as rounding would undo nearly all of less
    image_shape  (h, w) or (h, w, c): then x may also be flat, (n, d)
    clip         (low, high), the range that y is brought back to; by default it may leave it

    One bilinear interpolation finds x between the pixels; outside it is 0 (`affine`). The result is
    a new array of x's shape and dtype; integers are rounded, and end at the limits of their dtype.
    Equal generators give equal results, and what one argument draws does not depend on the others.
    """

    def __init__(self, shift=0, rotate=0, scale=0, noise=0, image_shape=None, clip=None):
        self.shift = check_number("shift", shift)
        self.rotate = check_number("rotate", rotate)
        self.scale = check_number("scale", scale, below=1)
        self.noise = check_number("noise", noise)
        self.image_shape = None if image_shape is None else _check_shape(image_shape)
        self.clip = None if clip is None else _check_range(clip)

    def __call__(self, x, generator):
        x = self._check(x, generator)
        h, w, *channels = self.image_shape or x.shape[1:]
        drawn = generator.uniform(-1, 1, (len(x), 4))
        if self.shift or self.rotate or self.scale:
            matrices, offsets = _maps(
                angle=np.deg2rad(self.rotate * drawn[:, 0]),
                size=1 + self.scale * drawn[:, 1],
                shift=self.shift * drawn[:, 2:],
                middle=np.array([h - 1, w - 1]) / 2,
            )
            y = affine(x.reshape(len(x), h, w, *(channels or [1])), matrices, offsets)
            y = y.reshape(x.shape)
        else:
            y = x.astype(_work_dtype(x))
        if self.noise:
            y += y.dtype.type(self.noise) * generator.standard_normal(y.shape, y.dtype)
        if self.clip:
            np.clip(y, *self.clip, out=y)
        return _as_dtype(y, x.dtype)

    def _check(self, x, generator):
        """x as an array, if both arguments are what they should be."""
        if not isinstance(generator, np.random.Generator):
            raise ValueError(
                f"generator must be a numpy.random.Generator. Received: {type(generator).__name__}"
            )
        x = np.asarray(x)
        if x.dtype.kind not in "fiu":
            raise ValueError(f"x must hold real numbers. Received: dtype {x.dtype}")
        if x.dtype.kind in "iu" and 0 < self.noise < 0.5:
            raise ValueError(
                "noise must be at least 0.5 for integers, or rounding would undo it. "
                f"Received: noise={self.noise:g} for x of dtype {x.dtype}"
            )
        if self.image_shape is None and x.ndim not in (3, 4):
            raise ValueError(
                "x must be images (n, h, w) or (n, h, w, c), or image_shape must say how to read "
                f"flat ones. Received: shape {x.shape}"
            )
        if self.image_shape:
            flat = (math.prod(self.image_shape),)
            if x.shape[1:] not in (self.image_shape, flat):
                raise ValueError(
                    f"x must be images of shape {self.image_shape}, or the same flat. "
                    f"Received: shape {x.shape}"
                )
        return x


def affine(images, matrices, offsets):
    """yᵢ[p] = xᵢ[Aᵢ p + bᵢ]   images (n, h, w, c), A (n, 2, 2), b (n, 2) -> (n, h, w, c)

    p = (row, column). Between four pixels, x is interpolated along rows and columns (bilinear); all
    pixels outside the image are 0, so y fades to 0 within one pixel of the edge and is a continuous
    function of A and b. This is scipy.ndimage.affine_transform(order=1, mode="grid-constant");
    with mode="constant", y would jump to 0 at the middle of the outermost pixels.
    """
    n, h, w, c = images.shape
    row, column = (
        matrices[:, axis, 0, None, None] * np.arange(h)[:, None]
        + matrices[:, axis, 1, None, None] * np.arange(w)
        + offsets[:, axis, None, None]
        for axis in (0, 1)
    )  # (n, h, w): where to read
    dtype = _work_dtype(images)
    (row, down), (column, right) = _split(row, h, dtype), _split(column, w, dtype)

    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(-1, c)  # in a frame of zeros
    first = (np.arange(n)[:, None, None] * (h + 2) + row + 1) * (w + 2) + column + 1

    def pixels(step):
        return np.take(framed, first + step, axis=0)  # (n, h, w, c)

    above = pixels(0) * (1 - right) + pixels(1) * right
    below = pixels(w + 2) * (1 - right) + pixels(w + 3) * right
    return above * (1 - down) + below * down


def _split(position, length, dtype):
    """The pixel at or before each position, and the rest of the way, in 0 to 1."""
    position = np.clip(position, -1, length)  # no farther than the frame: beyond it all is 0 too
    before = np.minimum(np.floor(position), length - 1)
    return before.astype(np.intp), (position - before)[..., None].astype(dtype)


def _maps(angle, size, shift, middle):
    """A = R(-θ) / s, b = m - A (m + t).   θ (n,), s (n,), t (n, 2), m (2,) -> (n, 2, 2), (n, 2)"""
    cos, sin = np.cos(angle) / size, np.sin(angle) / size
    matrices = np.stack([cos, sin, -sin, cos], axis=1).reshape(-1, 2, 2)
    offsets = middle - np.einsum("nij,nj->ni", matrices, middle + shift)
    return matrices, offsets


def _work_dtype(x):
    return np.result_type(x.dtype, np.float32)


def _as_dtype(y, dtype):
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        y = np.clip(np.rint(y), limits.min, limits.max)
    return y.astype(dtype, copy=False)


def _check_shape(shape):
    is_list = isinstance(shape, (tuple, list)) and len(shape) in (2, 3)
    if not is_list or not all(map(is_integer, shape)):
        raise ValueError(
            "image_shape must be (h, w) or (h, w, c), integers from 1 up. "
            f"Received: image_shape={shape!r}"
        )
    return tuple(int(length) for length in shape)


def _check_range(clip):
    pair = isinstance(clip, (tuple, list)) and len(clip) == 2
    if not pair or not all(isinstance(limit, Real) for limit in clip) or not clip[0] < clip[1]:
        raise ValueError(f"clip must be (low, high), low < high. Received: clip={clip!r}")
    return tuple(clip)
