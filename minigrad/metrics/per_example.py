"""One value for each example: whether the prediction is right. The losses, too, are of this kind.

These run in a training step: arrays stay where they are.
"""

import numpy as np

from .. import losses
from ..registry import is_integer
from ..tensor import Tensor


def accuracy(y_true, y_pred):
    """[ŷ is y]   by the shapes: binary_, sparse_categorical_ or categorical_accuracy, as in Keras

    binary if ŷ has one number per example, a probability; sparse if y lacks the class axis of ŷ, or
    has length 1 there; else categorical. One integer or text per example is a label: [ŷ = y].
    """
    y_true, y_pred = array_of(y_true), array_of(y_pred)
    if y_pred.ndim == 1 or y_pred.shape[-1] == 1:
        if y_pred.dtype.kind != "f":
            return mean_of_each(np.equal(fit(y_true, y_pred.shape), y_pred))
        return binary_accuracy(y_true, y_pred)
    if y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1:
        return sparse_categorical_accuracy(y_true, y_pred)
    return categorical_accuracy(y_true, y_pred)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1/d Σⱼ [yⱼ = [ŷⱼ > threshold]]   (n, d), (n, d) -> (n,)"""
    y_true, y_pred = array_of(y_true), array_of(y_pred)
    return mean_of_each(np.equal(fit(y_true, y_pred.shape), y_pred > threshold))


def categorical_accuracy(y_true, y_pred):
    """[argmax y = argmax ŷ]   (n, c), (n, c) -> (n,)"""
    y_true, y_pred = array_of(y_true), array_of(y_pred)
    labels = fit(y_true, y_pred.shape).argmax(axis=-1)
    return mean_of_each(np.equal(labels, y_pred.argmax(axis=-1)))


def sparse_categorical_accuracy(y_true, y_pred):
    """[y = argmax ŷ]   labels (n,) or (n, 1), (n, c) -> (n,)"""
    y_true, y_pred = array_of(y_true), array_of(y_pred)
    labels = fit(y_true, y_pred.shape[:-1])
    return mean_of_each(np.equal(labels, y_pred.argmax(axis=-1)))


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """[fewer than k classes have more than ŷ of the class argmax y]   (n, c), (n, c) -> (n,)"""
    y_true, y_pred = array_of(y_true), array_of(y_pred)
    labels = fit(y_true, y_pred.shape).argmax(axis=-1)
    return sparse_top_k_categorical_accuracy(labels, y_pred, k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5):
    """[fewer than k classes have more than ŷ of the class y]   (n,) or (n, 1), (n, c) -> (n,)

    So classes that are equally likely count as in, and NaN as out. ValueError unless 1 <= k <= c.
    """
    y_true, y_pred = array_of(y_true), array_of(y_pred)
    classes = y_pred.shape[-1]
    if not is_integer(k, most=classes):
        raise ValueError(
            f"k must be an integer from 1 to {classes}, the number of classes. Received: {k=}"
        )
    labels = fit(y_true, y_pred.shape[:-1])
    own = np.take_along_axis(y_pred, np.expand_dims(labels, -1), axis=-1)
    ahead = np.sum(np.logical_not(y_pred <= own), axis=-1)
    return mean_of_each(ahead < k)


_ACCURACIES = (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    top_k_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
)
FUNCTIONS = {"acc": accuracy, **{f.__name__: f for f in _ACCURACIES}, **losses.FUNCTIONS}


# ---- What they share -----------------------------------------------------------------------------


def array_of(x):
    """The array of a Tensor, an array, or a list of numbers."""
    if isinstance(x, Tensor):
        return x.data
    return x if hasattr(x, "dtype") else np.asarray(x)


def fit(x, shape, name="y_true"):
    """x in a shape that differs from its own by a last axis of length 1 at most."""
    if x.shape == shape:
        return x
    if x.shape != (*shape, 1) and (*x.shape, 1) != shape:
        raise ValueError(f"{name} must have shape {shape}. Received: {x.shape}")
    return np.reshape(x, shape)


def mean_of_each(values):
    """The mean over all axes but the first.   (n, ...) -> (n,)"""
    n = values.shape[0]
    if values.size == n:
        return values if values.ndim == 1 else np.reshape(values, (n,))
    return np.mean(values, axis=tuple(range(1, values.ndim)))
