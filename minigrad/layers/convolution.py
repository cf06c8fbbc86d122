"""Convolutions: the same small Dense layer at every place of an image, or of a sequence.

n examples, h rows, w columns, t steps, c channels, u filters. Channels come last, as in Keras.
PyTorch has them first: its images are (n, c, h, w), its weights (u, c / groups, kh, kw), and those
of a transposed convolution (c, u, kh, kw). Ours are theirs with the axes in another order:

    x.permute(0, 2, 3, 1)      weight.permute(2, 3, 1, 0), of both kinds
"""

from .. import initializers, ops, regularizers
from . import activations
from .core import positive_integer
from .layer import Layer
from .windows import (
    amounts,
    as_before,
    as_images,
    check_padding,
    check_rank,
    for_images,
    per_axis,
    span,
)


class _Filters(Layer):
    """What all convolutions share: arguments, parameters, and checks of what comes."""

    axes = 2
    _cast_kinds = "fiub"

    def __init__(
        self,
        filters,
        kernel_size,
        strides,
        padding,
        dilation_rate,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
        kernel_regularizer,
        bias_regularizer,
        options,
    ):
        super().__init__(**options)
        name, axes = type(self).__name__, self.axes
        self.filters = positive_integer(name, "filters", filters)
        self.kernel_size = per_axis(name, "kernel_size", kernel_size, axes)
        self.strides = per_axis(name, "strides", strides, axes)
        self.padding = check_padding(padding, axes)
        self.dilation_rate = per_axis(name, "dilation_rate", dilation_rate, axes)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def build(self, input_shape):
        check_rank(type(self).__name__, input_shape, self.axes)
        self.channels = input_shape[-1]
        self.weight = self.add_weight(
            (*self.kernel_size, *self._depths()),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer
            )

    def _check(self, x):
        name = type(self).__name__
        check_rank(name, x.shape, self.axes)
        if x.shape[-1] != self.channels:
            raise ValueError(
                f"{name} was built for inputs with {self.channels} channels (last axis). "
                f"Received: shape {x.shape}"
            )


class _Convolution(_Filters):
    """Conv1D and Conv2D."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        **options,
    ):
        super().__init__(
            *(filters, kernel_size, strides, padding, dilation_rate, activation, use_bias),
            *(kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer),
            options,
        )
        self.groups = positive_integer(type(self).__name__, "groups", groups)

    def _depths(self):
        """c / groups, u"""
        if self.channels % self.groups or self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__} cuts channels and filters into groups={self.groups} equal "
                f"parts. Received: {self.channels} channels and filters={self.filters}"
            )
        return self.channels // self.groups, self.filters

    def call(self, x):
        self._check(x)
        geometry = self.kernel_size, self.strides, self.padding, self.dilation_rate
        is_fused = activations.fused(self.activation)
        z = ops.convolution(
            as_images(x),
            self.weight if self.axes == 2 else ops.expand_dims(self.weight, 0),
            self.bias,
            strides=for_images(self.strides, 1),
            padding=for_images(amounts(type(self).__name__, x.shape, *geometry), (0, 0)),
            dilation=for_images(self.dilation_rate, 1),
            groups=self.groups,
            activation=self.activation if is_fused else None,
        )
        y = as_before(z, x)
        return y if is_fused else activations.activate(self.activation, y)


class Conv1D(_Convolution):
    """yᵢ = activation(b + Σₚ x[i s + p d - before] Wₚ)   (n, t, c) -> (n, t', u)

    weight (k, c / groups, u), bias (u,)

    filters        u
    kernel_size    k, the places p of a window
    strides        s, steps from one window to the next
    padding        "valid": windows lie in the sequence alone, t' = (t - (k - 1) d - 1) / s + 1,
                   rounded down; "same": t' = t / s rounded up, with zeros around the sequence, the
                   odd one at the end; "causal": zeros in front, so that yᵢ depends on no later step
    dilation_rate  d, steps from one place to the next
    groups         into how many parts channels and filters are cut, each a convolution of its own

    `kernel_initializer` and `kernel_regularizer`, Keras's words, are those of the weight. PyTorch
    has x (n, c, t) and a weight (u, c / groups, k).
    """

    axes = 1


class Conv2D(_Convolution):
    """yᵢⱼ = activation(b + Σₚ xᵢⱼₚ Wₚ)   (n, h, w, c) -> (n, h', w', u)

    xᵢⱼₚ is what lies at place p of window (i, j). weight (kh, kw, c / groups, u), bias (u,)

    filters        u
    kernel_size    (kh, kw), the places of a window
    strides        (sh, sw), rows and columns from one window to the next
    padding        "valid": windows lie in the image alone, h' = (h - (kh - 1) dh - 1) / sh + 1,
                   rounded down; "same": h' = h / sh rounded up, with zeros around the image, the
                   odd row or column at the end
    dilation_rate  (dh, dw), rows and columns from one place to the next
    groups         into how many parts channels and filters are cut, each a convolution of its own;
                   as many as there are channels make it depthwise

    One number stands for both of a pair. `kernel_initializer` and `kernel_regularizer`, Keras's
    words, are those of the weight. PyTorch has x (n, c, h, w) and a weight (u, c / groups, kh, kw);
    with strides its padding is symmetric, and then its "same" is another.
    """


class Conv2DTranspose(_Filters):
    """yₚ = activation(b + Σᵢⱼ xᵢⱼ Wₚᵀ)   (n, h, w, c) -> (n, h', w', u)

    What a Conv2D of u channels and c filters does to gradients, as a layer: each xᵢⱼ is spread over
    window (i, j) of the result. weight (kh, kw, u, c), bias (u,)

    filters         u
    padding         "valid": h' = h sh, or m if that is more, the rows that all windows span,
                    m = (h - 1) sh + (kh - 1) dh + 1; "same": h' = h sh, and what is more of m was
                    padding, and is cut off
    output_padding  None, or rows and columns, fewer than the strides, that come at the end: then
                    h' = m + output_padding for "valid". For "same" m is cut by the rows that one
                    window spans, (kh - 1) dh + 1, or one less if they are odd

    The others are as in Conv2D. PyTorch's weight is (c, u, kh, kw).
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        **options,
    ):
        super().__init__(
            *(filters, kernel_size, strides, padding, dilation_rate, activation, use_bias),
            *(kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer),
            options,
        )
        self.output_padding = self._check_output_padding(output_padding)

    def _check_output_padding(self, output_padding):
        if output_padding is None:
            return None
        is_pair = isinstance(output_padding, (tuple, list)) and len(output_padding) == 2
        pair = tuple(output_padding) if is_pair else (output_padding,) * 2
        if not all(type(n) is int and 0 <= n < s for n, s in zip(pair, self.strides)):
            raise ValueError(
                "Conv2DTranspose needs output_padding to be integers from 0 up and below "
                f"strides={self.strides}. Received: output_padding={output_padding!r}"
            )
        return pair

    def _depths(self):
        """u, c"""
        return self.filters, self.channels

    def _size_and_padding(self, shape):
        """(h', w') and how much of the windows lies outside, before and after, for each axis."""
        size, padding = [], []
        for i, n in enumerate(shape[1:3]):
            stride, long = self.strides[i], span(self.kernel_size[i], self.dilation_rate[i])
            whole = (n - 1) * stride + long
            if self.output_padding is None:
                length = n * stride if self.padding == "same" else max(whole, n * stride)
            else:
                cut = 2 * (long // 2) if self.padding == "same" else 0
                length = whole - cut + self.output_padding[i]
            outside = max(whole - length, 0)
            size.append(length)
            padding.append((outside // 2, outside - outside // 2))
        return tuple(size), tuple(padding)

    def call(self, x):
        self._check(x)
        size, padding = self._size_and_padding(x.shape)
        if min(size) < 1:
            raise ValueError(
                f"Conv2DTranspose would make an image of {size}. Received: shape {x.shape}"
            )
        z = ops.transposed_convolution(
            *(x, self.weight, self.bias, size),
            strides=self.strides,
            padding=padding,
            dilation=self.dilation_rate,
        )
        return activations.activate(self.activation, z)
