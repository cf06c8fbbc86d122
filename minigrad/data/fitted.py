"""What is learned from the examples to train on, and then applied to all others unchanged."""

import numpy as np

from ..registry import Configurable, serialize
from .table import columns_of


class Fitted(Configurable):
    """`fit(x)` learns from x; `transform(x)` applies that to any x with the same columns.

    Fit on the examples to train on alone: what is learned from the others as well is a leak, and a
    test then flatters the model. `get_config` and `get_state` are plain data (JSON), to be saved
    beside a model; `from_config(config)` and `set_state(state)` make the same object again.

    learned  {attribute: function that makes it from plain data}
    """

    learned = {}

    def fit(self, x):
        """Learn from x; returns the object itself."""
        raise NotImplementedError

    def transform(self, x):
        """x, changed by what was learned."""
        raise NotImplementedError

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

        ValueError if the attributes, their kinds or their lengths do not fit.
        """
        kind = type(self).__name__
        if not isinstance(state, dict) or state.keys() != self.learned.keys():
            came = sorted(state) if isinstance(state, dict) else state
            raise ValueError(f"the state of {kind} has {sorted(self.learned)}. Received: {came!r}")
        try:
            made = {name: make(state[name]) for name, make in self.learned.items()}
            lengths = {name: len(values) for name, values in made.items()}
        except (TypeError, ValueError) as error:
            raise ValueError(f"this is no state of {kind}: {error}. Received: {state!r}") from error
        if len(set(lengths.values())) > 1 or 0 in lengths.values():
            raise ValueError(
                f"the state of {kind} has lists of one length, not 0. Received: {lengths}"
            )
        self._learn(**made)
        return self

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


def float_array(values):
    """Plain numbers as a float64 array; for `learned`."""
    return np.array(values, dtype=np.float64)


def _listing(names):
    """The columns of a Table by name, those of an array by their number."""
    if names == list(range(len(names))):
        return "1 column" if len(names) == 1 else f"{len(names)} columns"
    return f"the columns {names}"
