"""Numbers of many batches: what is added up, batch by batch, and read at the end.

Batches are added up where the arrays are, so that a training step never waits for a number;
`result()` and `get_state()` read it.
"""

import math
import numbers

import numpy as np

from .. import losses
from ..registry import Configurable, look_up, serialize
from ..tensor import no_grad
from .per_example import FUNCTIONS, array_of, fit, mean_of_each


class Accumulator:
    """What is added up over batches.   The base of all metrics that `Model.compile` takes.

    A subclass names what it adds up in `state_names`: attributes that start from 0, and become
    numbers or arrays. It defines `update(y_true, y_pred, sample_weight=None)`, which must not read
    them, and `result()`, a Python float: NaN where there is none yet, as before the first batch.
    """

    state_names = ()

    def __init__(self):
        self.reset()

    def reset(self):
        """Forget all batches."""
        for name in self.state_names:
            setattr(self, name, 0)

    def get_state(self):
        """{name: a Python number or a NumPy array}: copies of all that was added up."""
        return {name: read(getattr(self, name)) for name in self.state_names}

    def set_state(self, state):
        """Go back to where `get_state` was called, bit by bit. ValueError for any other state."""
        check_state(self, state)
        for name, value in state.items():
            setattr(self, name, value.copy() if hasattr(value, "copy") else value)


def read(x):
    """x on the host: a Python number, or a NumPy array of its own."""
    if getattr(x, "ndim", 0) > 0:
        return np.array(x)
    return x.item() if hasattr(x, "item") else x


def check_state(metric, state):
    """ValueError unless `state` has the names of the metric's state, with numbers or arrays."""
    if not isinstance(state, dict) or state.keys() != {*metric.state_names}:
        came = sorted(state) if isinstance(state, dict) else state
        raise ValueError(
            f"the state of {type(metric).__name__} has the entries {sorted(metric.state_names)}. "
            f"Received: {came!r}"
        )
    for name, value in state.items():
        is_array = hasattr(value, "dtype") and value.dtype.kind in "fiub"
        if not is_array and not isinstance(value, numbers.Real):
            raise ValueError(f"{name} must be a number or an array of them. Received: {value!r}")


class Mean(Accumulator):
    """Σᵢ wᵢ vᵢ / Σᵢ wᵢ over all values v since the last reset."""

    state_names = ("total", "weight")

    def update(self, values, weights=None):
        """Add values (n,), with weights (n,) or none."""
        if weights is None:
            self.add(np.add.reduce(values, dtype="float64"), values.shape[0])
        else:
            self.add(np.sum(values * weights, dtype="float64"), np.sum(weights))

    def add(self, total, weight):
        """Add the sum of some values, given the sum of their weights."""
        self.total = self.total + total
        self.weight = self.weight + weight

    def result(self):
        """The mean as a Python float, read from wherever it is; NaN if there was nothing."""
        total, weight = read(self.total), read(self.weight)
        return total / weight if weight else math.nan


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
        self.function = look_up("metric", function, FUNCTIONS) if by_name else function
        if not callable(self.function):
            raise ValueError(f"a metric is a function or its name. Received: {function!r}")
        self.options = options
        self.is_loss = self.function in losses.FUNCTIONS.values()

    def update(self, y_true, y_pred, sample_weight=None):
        """Add a batch: (n, ...), (n, ...), weights (n,)

        ValueError if the function does not give one value for each example.
        """
        if self.is_loss:
            with no_grad():
                values = self.function(y_true, y_pred, **self.options).data
        else:
            values = self.function(array_of(y_true), array_of(y_pred), **self.options)
            values = array_of(values)
        if values.shape[:1] != (len(y_pred),):
            raise ValueError(
                f"the metric {self.name} must give one value for each of the {len(y_pred)} "
                f"examples. Received: shape {values.shape}"
            )
        values = mean_of_each(values)
        if sample_weight is not None:
            sample_weight = fit(array_of(sample_weight), values.shape, "sample_weight")
        super().update(values, sample_weight)

    def get_config(self):
        return {**super().get_config(), **{k: serialize(v) for k, v in self.options.items()}}
