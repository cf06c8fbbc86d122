"""What is learned from the examples to train on, and then applied to all others unchanged."""

import sys
from numbers import Real

import numpy as np

from ..registry import Configurable, serialize
from .table import columns_of


class Fitted(Configurable):
    """`fit(x)` learns from x; `transform(x)` applies that to any x with the same columns.

    Fit on the examples to train on alone: what is learned from the others as well is a leak, and a
    test then flatters the model. `get_config` and `get_state` are plain data (JSON), to be saved
    beside a model; `from_config(config)` and `set_state(state)` make the same object again.

    learned  {attribute: function of (name, list) that makes it from plain data, and refuses by a
             ValueError what `fit` could not have learned}
    """

    learned = {}

    def fit(self, x):
        """Learn from x; returns the object itself."""
        raise NotImplementedError(f"{type(self).__name__} must define fit(x)")

    def transform(self, x):
        """x, changed by what was learned."""
        raise NotImplementedError(f"{type(self).__name__} must define transform(x)")

    def fit_transform(self, x):
        """Learn from x, and change it."""
        return self.fit(x).transform(x)

    def get_state(self):
        """What was learned, as plain data: {attribute: list}."""
        self._check_fitted("get_state")
        values = {name: getattr(self, name) for name in self.learned}
        return serialize(
            {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}
        )

    def set_state(self, state):
        """Take over what another object of this kind has learned; returns the object itself.

        ValueError, which names the attribute, for what `fit` could not have learned.
        """
        kind = type(self).__name__
        if not isinstance(state, dict) or state.keys() != self.learned.keys():
            came = sorted(state) if isinstance(state, dict) else state
            raise ValueError(f"the state of {kind} has {sorted(self.learned)}. Received: {came!r}")
        for name, values in state.items():
            if not isinstance(values, (list, tuple)):
                raise ValueError(
                    f"this is no state of {kind}: {name} must be a list. Received: {values!r}"
                )
        lengths = {name: len(values) for name, values in state.items()}
        if len(set(lengths.values())) > 1 or 0 in lengths.values():
            raise ValueError(
                f"the state of {kind} has lists of one length, not 0. Received: {lengths}"
            )
        try:
            made = {name: make(name, list(state[name])) for name, make in self.learned.items()}
            self._check_learned(**made)
        except ValueError as error:
            raise ValueError(f"this is no state of {kind}: {error}") from error
        self._learn(**made)
        return self

    def _check_learned(self, **values):
        """ValueError if several attributes, or one and an argument, do not fit together."""

    def _learn(self, **values):
        for name in self.learned:
            setattr(self, name, values[name])

    def _check_fitted(self, method):
        if not all(hasattr(self, name) for name in self.learned):
            raise ValueError(f"{type(self).__name__} has learned nothing: call fit before {method}")

    def _same_columns(self, x, method="transform"):
        """The columns of x by name, which must be those that were fitted."""
        self._check_fitted(method)
        columns = columns_of(x)
        if list(columns) != self.columns:
            raise ValueError(
                f"{type(self).__name__} was fitted to {_listing(self.columns)}. "
                f"Received: {_listing(list(columns))}"
            )
        return columns


# ---- For `learned` -------------------------------------------------------------------------------


def column_names(name, values):
    """The columns of a Table, which are different texts, or those of an array: 0, 1, ..., d - 1."""
    if values == list(range(len(values))):
        return list(range(len(values)))
    _check_each(name, values, [isinstance(column, str) for column in values], "text, or 0, 1, ...")
    _check_each(name, values, [values.count(column) == 1 for column in values], "all different")
    return values


def finite(name, values):
    """Finite numbers as a float64 array."""
    _check_each(name, values, [is_finite(value) for value in values], "finite numbers")
    return np.array(values, dtype=np.float64)


def positive(name, values):
    """Finite numbers above 0 as a float64 array."""
    array = finite(name, values)
    _check_each(name, values, array > 0, "numbers above 0")
    return array


def is_finite(value):
    """Whether the value is a number, and none that float64 lacks."""
    return isinstance(value, Real) and bool(abs(value) <= sys.float_info.max)


def _check_each(name, values, good, wanted):
    for i, fits in enumerate(good):
        if not fits:
            raise ValueError(f"{name} must be {wanted}. Received: {values[i]!r} at {i}")


def _listing(names):
    """The columns of a Table by name, those of an array by their number."""
    if names == list(range(len(names))):
        return "1 column" if len(names) == 1 else f"{len(names)} columns"
    return f"the columns {names}"
