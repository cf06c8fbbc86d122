"""Layers that bring activations to mean 0 and variance 1, or to a mean square of 1.

Then they scale by gamma and shift by beta, which they learn. n examples, d features.
"""

import math

import numpy as np

from .. import initializers, ops
from ..registry import check_number
from .core import positive_integer
from .layer import Layer


class _Normalization(Layer):
    """What all share: learned scale gamma and shift beta, one of each per feature along `axis`."""

    _cast_kinds = "fiub"

    def __init__(self, axis, epsilon, center, scale, beta_initializer, gamma_initializer, options):
        super().__init__(**options)
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ValueError(
                f"{type(self).__name__} works along one axis, an integer. Received: axis={axis!r}"
            )
        self.axis = axis
        self.epsilon = check_number("epsilon", epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)

    def build(self, input_shape):
        n = len(input_shape)
        if not -n <= self.axis < n or self.axis % n == 0:
            raise ValueError(
                f"{type(self).__name__} needs an axis of features, not that of examples. "
                f"Received: axis={self.axis}, input of shape {tuple(input_shape)}"
            )
        self.features = input_shape[self.axis]
        d = (self.features,)
        self.gamma = self.add_weight(d, self.gamma_initializer) if self.scale else 1.0
        self.beta = self.add_weight(d, self.beta_initializer) if self.center else 0.0

    def _with_features_last(self, x):
        """x with its features on the last axis; a second call brings them back."""
        return x if self.axis % x.ndim == x.ndim - 1 else ops.swapaxes(x, self.axis, -1)

    def _check_features(self, x):
        if x.shape[self.axis] != self.features:
            raise ValueError(
                f"{type(self).__name__} was built for {self.features} features along axis "
                f"{self.axis}. Received: shape {x.shape}"
            )


class _FeatureNormalization(_Normalization):
    """Over the features alone: on the last axis, they are those of one step of a sequence."""

    def build(self, input_shape):
        super().build(input_shape)
        self.keeps_mask = self.axis % len(input_shape) == len(input_shape) - 1


class LayerNormalization(_FeatureNormalization):
    """y = gamma (x - mean) / √(variance + epsilon) + beta   (n, ..., d), (d,), (d,) -> (n, ..., d)

    Ba, Kiros & Hinton, 2016. Mean and variance are those of each example over `axis`. PyTorch's
    epsilon is 1e-5; Keras's, 1e-3, is the default here.
    """

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        **options,
    ):
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, options)

    def call(self, x):
        self._check_features(x)
        rows = self._with_features_last(x)
        y = ops.layer_norm(rows, self.gamma, self.beta, self.epsilon)
        return self._with_features_last(y)


class RMSNormalization(_FeatureNormalization):
    """y = gamma x / √(mean x² + epsilon)   (n, ..., d), gamma (d,) -> (n, ..., d)

    Zhang & Sennrich, 2019. The mean is that of each example over `axis`: a layer normalization that
    subtracts no mean, as Llama has it. Keras calls gamma scale, PyTorch weight.
    """

    def __init__(self, axis=-1, epsilon=1e-6, gamma_initializer="ones", **options):
        super().__init__(axis, epsilon, False, True, "zeros", gamma_initializer, options)

    def call(self, x):
        self._check_features(x)
        y = ops.rms_norm(self._with_features_last(x), self.gamma, self.epsilon)
        return self._with_features_last(y)


class GroupNormalization(_Normalization):
    """y = gamma (x - mean) / √(variance + epsilon) + beta   (n, ..., d), (d,), (d,) -> (n, ..., d)

    Wu & He, 2018. The features along `axis` are cut into `groups`. Mean and variance are those of
    each example over one group of features, and over all places: all axes but those of examples and
    features. Keras's epsilon, 1e-3, is the default; PyTorch's is 1e-5, and its axis is 1, before
    the places.
    """

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        **options,
    ):
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, options)
        self.groups = positive_integer("GroupNormalization", "groups", groups)

    def build(self, input_shape):
        super().build(input_shape)
        if self.features % self.groups:
            raise ValueError(
                "GroupNormalization cuts the features into groups of one size. Received: "
                f"{self.features} features, groups={self.groups}"
            )

    def call(self, x):
        self._check_features(x)
        x = self._with_features_last(x)  # (n, ..., d)
        n, places, size = x.shape[0], math.prod(x.shape[1:-1]), self.features // self.groups
        groups = ops.reshape(x, (n, places, self.groups, size))
        rows = ops.reshape(ops.swapaxes(groups, 1, 2), (n, self.groups, places * size))
        # gamma and beta, one for each feature, differ from group to group: they come at the end.
        ones = np.ones_like(x.data, shape=(places * size,))
        rows = ops.layer_norm(rows, ones, np.zeros_like(ones), self.epsilon)
        groups = ops.swapaxes(ops.reshape(rows, (n, self.groups, places, size)), 1, 2)
        y = ops.reshape(groups, x.shape) * self.gamma + self.beta
        return self._with_features_last(y)


class BatchNormalization(_Normalization):
    """y = gamma (x - mean) / √(variance + epsilon) + beta   (n, ..., d), (d,), (d,) -> (n, ..., d)

    Ioffe & Szegedy, 2015. In training, mean and variance are those of each feature over the batch,
    and moving averages follow them: average ← momentum average + (1 - momentum) value. The variance
    is the mean square, as in Keras, not PyTorch's n - 1. Otherwise, and when the layer is frozen,
    the moving averages take their place.
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        **options,
    ):
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, options)
        self.momentum = check_number("momentum", momentum, below=1)

    def build(self, input_shape):
        super().build(input_shape)
        self.moving_mean = self.add_weight((self.features,), "zeros", trainable=False)
        self.moving_variance = self.add_weight((self.features,), "ones", trainable=False)

    def call(self, x, training=False):
        self._check_features(x)
        axis = self.axis % x.ndim
        others = tuple(i for i in range(x.ndim) if i != axis)
        mean, variance = self.moving_mean, self.moving_variance
        if training and self.trainable:
            mean, variance = ops.mean(x, others), ops.var(x, others)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))  # (1, ..., d, ..., 1)
        deviation = ops.sqrt(variance + self.epsilon)
        y = (x - ops.reshape(mean, shape)) / ops.reshape(deviation, shape)
        if self.scale:
            y = y * ops.reshape(self.gamma, shape)
        return y + ops.reshape(self.beta, shape) if self.center else y

    def _follow(self, average, value):
        average.assign(self.momentum * average.data + (1 - self.momentum) * value.data)
