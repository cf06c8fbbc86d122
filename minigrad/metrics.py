"""Metrics: how good predictions are, in terms that people care for.

A metric is a function of the truth y and the predictions ŷ that gives one value for each example;
every loss is one too. `Mean` averages values over batches, and `Metric` does both. Batches are
added up where the arrays are; `result()` reads the numbers.
"""

import math

import numpy as np

from . import losses
from .registry import Configurable, look_up, resolve, serialize
from .tensor import Tensor, no_grad

# ---- One value for each example ------------------------------------------------------------------


def accuracy(y_true, y_pred):
    """[ŷ is y]   by the shapes: binary_, sparse_categorical_ or categorical_accuracy, as in Keras

    binary if ŷ has one number per example; sparse if y lacks the class axis of ŷ, or has length 1
    there; else categorical.
    """
    y_true, y_pred = _array(y_true), _array(y_pred)
    if y_pred.ndim == 1 or y_pred.shape[-1] == 1:
        return binary_accuracy(y_true, y_pred)
    if y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1:
        return sparse_categorical_accuracy(y_true, y_pred)
    return categorical_accuracy(y_true, y_pred)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1/d Σⱼ [yⱼ = [ŷⱼ > threshold]]   (n, d), (n, d) -> (n,)"""
    y_true, y_pred = _array(y_true), _array(y_pred)
    return _per_example(np.equal(_fit(y_true, y_pred.shape), y_pred > threshold))


def categorical_accuracy(y_true, y_pred):
    """[argmax y = argmax ŷ]   (n, c), (n, c) -> (n,)"""
    y_true, y_pred = _array(y_true), _array(y_pred)
    labels = np.argmax(_fit(y_true, y_pred.shape), axis=-1)
    return _per_example(np.equal(labels, np.argmax(y_pred, axis=-1)))


def sparse_categorical_accuracy(y_true, y_pred):
    """[y = argmax ŷ]   labels (n,) or (n, 1), (n, c) -> (n,)"""
    y_true, y_pred = _array(y_true), _array(y_pred)
    labels = _fit(y_true, y_pred.shape[:-1])
    return _per_example(np.equal(labels, np.argmax(y_pred, axis=-1)))


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """[fewer than k classes have more than ŷ of the class argmax y]   (n, c), (n, c) -> (n,)"""
    y_true, y_pred = _array(y_true), _array(y_pred)
    labels = np.argmax(_fit(y_true, y_pred.shape), axis=-1)
    return sparse_top_k_categorical_accuracy(labels, y_pred, k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5):
    """[fewer than k classes have more than ŷ of the class y]   (n,) or (n, 1), (n, c) -> (n,)

    So classes that are equally likely count as in, and NaN as out.
    """
    y_true, y_pred = _array(y_true), _array(y_pred)
    labels = _fit(y_true, y_pred.shape[:-1])
    own = np.take_along_axis(y_pred, np.expand_dims(labels, -1), axis=-1)
    ahead = np.sum(np.logical_not(y_pred <= own), axis=-1)
    return _per_example(ahead < k)


def _array(x):
    if isinstance(x, Tensor):
        return x.data
    return x if hasattr(x, "dtype") else np.asarray(x)


def _fit(x, shape, name="y_true"):
    """x in a shape that differs from its own by a last axis of length 1 at most."""
    if x.shape == shape:
        return x
    if x.shape != (*shape, 1) and (*x.shape, 1) != shape:
        raise ValueError(f"{name} must have shape {shape}. Received: {x.shape}")
    return np.reshape(x, shape)


def _per_example(values):
    """The mean over all axes but the first.   (n, ...) -> (n,)"""
    n = values.shape[0]
    if values.size == n:
        return values if values.ndim == 1 else np.reshape(values, (n,))
    return np.mean(values, axis=tuple(range(1, values.ndim)))


# ---- Over many batches ---------------------------------------------------------------------------


class Mean:
    """Σᵢ wᵢ vᵢ / Σᵢ wᵢ over all values v since the last reset."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.total = self.weight = 0

    def update(self, values, weights=None):
        """Add values (n,), with weights (n,) or none."""
        if weights is None:
            self.add(np.sum(values, dtype="float64"), values.shape[0])
        else:
            self.add(np.sum(values * weights, dtype="float64"), np.sum(weights))

    def add(self, total, weight):
        """Add the sum of some values, given the sum of their weights."""
        self.total = self.total + total
        self.weight = self.weight + weight

    def result(self):
        """The mean as a Python float, read from wherever it is; NaN if there was nothing."""
        total, weight = _read(self.total), _read(self.weight)
        return total / weight if weight else math.nan


def _read(x):
    return x.item() if hasattr(x, "item") else x


class Metric(Configurable, Mean):
    """The mean of function(y_true, y_pred) over the examples of many batches.

    function  a function of two arrays that gives one value for each example (n,), or its name; the
              functions of `losses` are given Tensors, which know their logits
    name      what to call it in histories; the name that was given, or the function's
    options   passed on to the function: Metric("top_k_categorical_accuracy", k=3)
    """

    def __init__(self, function, name=None, **options):
        super().__init__()
        by_name = isinstance(function, str)
        self.name = name or (function if by_name else getattr(function, "__name__", "metric"))
        self.function = look_up("metric", function, _FUNCTIONS) if by_name else function
        if not callable(self.function):
            raise ValueError(f"a metric is a function or its name. Received: {function!r}")
        self.options = options
        self.is_loss = self.function in losses.FUNCTIONS.values()

    def update(self, y_true, y_pred, sample_weight=None):
        """Add a batch: (n, ...), (n, ...), weights (n,)"""
        if self.is_loss:
            with no_grad():
                values = self.function(y_true, y_pred, **self.options).data
        else:
            values = _array(self.function(_array(y_true), _array(y_pred), **self.options))
        if values.shape[:1] != (len(y_pred),):
            raise ValueError(
                f"the metric {self.name} must give one value for each of the {len(y_pred)} "
                f"examples. Received: shape {values.shape}"
            )
        values = _per_example(values)
        if sample_weight is not None:
            sample_weight = _fit(_array(sample_weight), values.shape, "sample_weight")
        super().update(values, sample_weight)

    def get_config(self):
        return {**super().get_config(), **{k: serialize(v) for k, v in self.options.items()}}


_ACCURACIES = (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    top_k_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
)
_FUNCTIONS = {"acc": accuracy, **{f.__name__: f for f in _ACCURACIES}, **losses.FUNCTIONS}


def get(metric):
    """The metric that is meant: an object, a name, a function, or its configuration."""
    if isinstance(metric, str):
        return Metric(metric)
    metric = resolve("metric", metric, {"Metric": Metric})
    if metric is None:
        raise ValueError("a metric must be a name, a function or an object. Received: None")
    return metric if isinstance(metric, Mean) else Metric(metric)
