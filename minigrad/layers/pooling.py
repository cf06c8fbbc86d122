"""Pooling: the largest or the mean of each window, or of a whole image or sequence, by channel."""

import numpy as np

from .. import ops
from .layer import Layer, check_mask
from .windows import amounts, as_before, as_images, check_padding, check_rank, for_images, per_axis


class _Pool(Layer):
    """What all pooling shares."""

    axes = 2

    def _numbers(self, x):
        """x, if it is sequences, or images; integers in the layer's dtype"""
        check_rank(type(self).__name__, x.shape, self.axes)
        return x if x.dtype.kind == "f" else ops.astype(x, self.dtype)


class _Pooling(_Pool):
    """What the layers with windows share. `operation` is the name of one in `ops`."""

    def __init__(self, pool_size=2, strides=None, padding="valid", **options):
        super().__init__(**options)
        name = type(self).__name__
        self.pool_size = per_axis(name, "pool_size", pool_size, self.axes)
        self.strides = per_axis(
            name, "strides", self.pool_size if strides is None else strides, self.axes
        )
        self.padding = check_padding(padding, 2)  # none is causal

    def call(self, x):
        x = self._numbers(x)
        geometry = self.pool_size, self.strides, self.padding, (1,) * self.axes
        y = getattr(ops, self.operation)(
            as_images(x),
            size=for_images(self.pool_size, 1),
            strides=for_images(self.strides, 1),
            padding=for_images(amounts(type(self).__name__, x.shape, *geometry), (0, 0)),
        )
        return as_before(y, x)


class MaxPooling1D(_Pooling):
    """yᵢ = the largest x of window i, for each channel   (n, t, c) -> (n, t', c)

    pool_size  steps of a window
    strides    steps from one window to the next; pool_size if left out
    padding    "valid": t' = (t - pool_size) / strides + 1 rounded down; "same": t' = t / strides
               rounded up, and what lies outside does not count

    Of equal ones the first takes the gradient, as in PyTorch, whose x is (n, c, t).
    """

    axes, operation = 1, "max_pool"


class MaxPooling2D(_Pooling):
    """yᵢⱼ = the largest x of window (i, j), for each channel   (n, h, w, c) -> (n, h', w', c)

    pool_size  (rows, columns) of a window, or a number for both; strides likewise
    strides    from one window to the next; pool_size if left out
    padding    "valid": h' = (h - rows) / stride + 1 rounded down; "same": h' = h / stride rounded
               up, and what lies outside does not count

    Of equal ones the first takes the gradient, as in PyTorch, whose x is (n, c, h, w).
    """

    operation = "max_pool"


class AveragePooling1D(_Pooling):
    """yᵢ = the mean of window i, for each channel   (n, t, c) -> (n, t', c)

    Arguments as in MaxPooling1D. What lies outside does not count: with "same", PyTorch says
    count_include_pad=False.
    """

    axes, operation = 1, "average_pool"


class AveragePooling2D(_Pooling):
    """yᵢⱼ = the mean of window (i, j), for each channel   (n, h, w, c) -> (n, h', w', c)

    Arguments as in MaxPooling2D. What lies outside does not count: with "same", PyTorch says
    count_include_pad=False.
    """

    operation = "average_pool"


class _GlobalPooling(_Pool):
    """What the layers without windows share."""

    def __init__(self, keepdims=False, **options):
        super().__init__(**options)
        self.keepdims = keepdims

    def _numbers(self, x):
        x = super()._numbers(x)
        if 0 in x.shape[1:-1]:
            what = "step" if self.axes == 1 else "pixel"
            raise ValueError(
                f"{type(self).__name__} needs at least one {what}. Received: shape {x.shape}"
            )
        return x

    def _steps(self, x, mask):
        """A mask (n, t) beside x (n, t, c): (n, t, 1)"""
        check_mask(type(self).__name__, mask, x.shape[:2])
        return mask[:, :, None]

    def compute_mask(self, x, mask=None):
        return None


class GlobalMaxPooling1D(_GlobalPooling):
    """y = maxₜ xₜ, for each channel   (n, t, c) -> (n, c), or (n, 1, c) with keepdims

    Only steps that the mask counts; an example without any gives zeros. Ties share the gradient.
    """

    axes = 1

    def call(self, x, mask=None):
        x = self._numbers(x)
        if mask is None:
            return ops.max(x, 1, self.keepdims)
        steps = self._steps(x, mask)
        y = ops.max(ops.where(steps, x, -np.inf), 1, self.keepdims)
        return ops.where(np.any(steps, 1, keepdims=self.keepdims), y, 0)


class GlobalAveragePooling1D(_GlobalPooling):
    """y = the mean of all steps, for each channel   (n, t, c) -> (n, c), or (n, 1, c) with keepdims

    Only steps that the mask counts; an example without any gives zeros.
    """

    axes = 1

    def call(self, x, mask=None):
        x = self._numbers(x)
        if mask is None:
            return ops.mean(x, 1, self.keepdims)
        steps = self._steps(x, mask)
        count = np.sum(steps, 1, dtype=x.dtype, keepdims=self.keepdims)
        return ops.sum(ops.where(steps, x, 0), 1, self.keepdims) / np.maximum(count, 1)


class GlobalMaxPooling2D(_GlobalPooling):
    """y = the largest x, for each channel   (n, h, w, c) -> (n, c), or (n, 1, 1, c) with keepdims

    Ties share the gradient.
    """

    def call(self, x):
        return ops.max(self._numbers(x), (1, 2), self.keepdims)


class GlobalAveragePooling2D(_GlobalPooling):
    """y = the mean x, for each channel   (n, h, w, c) -> (n, c), or (n, 1, 1, c) with keepdims"""

    def call(self, x):
        return ops.mean(self._numbers(x), (1, 2), self.keepdims)
