"""The same metric for each group of examples: a mean over all can hide whom a model fails."""

import math
from dataclasses import dataclass

import numpy as np

from ..data.checks import check_array, check_lengths
from ..tensor import Tensor
from .labels import label_array
from .per_example import array_of
from .tables import table


@dataclass(frozen=True)
class GroupReport:
    """What `by_group` found, as plain data; `str` makes a table of it.

    groups   {group: {"value": the metric, "count": its number of examples}}
    overall  the same dict for all examples together
    highest  the group with the highest value
    lowest   the group with the lowest value; of an error, that is the best
    gap      the highest value minus the lowest
    """

    groups: dict
    overall: dict
    highest: int | str
    lowest: int | str
    gap: float

    def __str__(self):
        rows = [*self.groups.items(), ("all", self.overall)]
        lines = [(str(name), f"{row['value']:.4f}", str(row["count"])) for name, row in rows]
        text = table([("group", "value", "count"), *lines])
        if self.gap == 0:
            return f"{text}\nno gap: the same for all groups"
        return f"{text}\ngap {self.gap:.4f}: {self.highest} is highest, {self.lowest} is lowest"


def by_group(metric, y_true, y_pred, groups):
    """metric(y_true, y_pred) for the examples of each group   (n, ...), (n, ...), (n,)

    metric  a function that gives a number, such as metrics.recall or metrics.r2_score, or one value
            per example, such as metrics.accuracy or a loss, of which the mean is taken. Options are
            fixed beforehand: functools.partial(metrics.f1_score, average="macro", classes=range(3))
    groups  integers or text: a column of the data, which the model need not have seen

    Returns a GroupReport. A ValueError names the group for which the metric is not defined.
    """
    if not callable(metric):
        raise ValueError(
            f"metric must be a function of y_true and y_pred, such as metrics.accuracy. "
            f"Received: {metric!r}"
        )
    arrays = {"y_true": _rows("y_true", y_true), "y_pred": _rows("y_pred", y_pred)}
    column = label_array("groups", groups)
    check_lengths({**arrays, "groups": column})
    y_true, y_pred = arrays.values()

    found = {}
    for group in np.unique(column):
        rows = column == group
        try:
            value = _number(metric, y_true[rows], y_pred[rows])
        except ValueError as error:
            raise ValueError(f"group {group}, of {rows.sum()} examples: {error}") from error
        found[group.item()] = {"value": value, "count": int(rows.sum())}
    values = {group: row["value"] for group, row in found.items()}
    highest, lowest = max(values, key=values.get), min(values, key=values.get)
    overall = {"value": _number(metric, y_true, y_pred), "count": len(column)}
    return GroupReport(found, overall, highest, lowest, values[highest] - values[lowest])


def _rows(name, y):
    """Labels of text (n,), or finite numbers (n, ...)."""
    array = np.asarray(y.numpy() if isinstance(y, Tensor) else y)
    return label_array(name, array) if array.dtype.kind in "OTU" else check_array(name, array)


def _number(metric, y_true, y_pred):
    """The number that the metric gives, or the mean of its values for each example."""
    values = array_of(metric(y_true, y_pred))
    if values.shape not in ((), (len(y_true),)):
        raise ValueError(
            f"the metric must give one number, or one for each of the {len(y_true)} examples. "
            f"Received: shape {values.shape}"
        )
    value = float(np.mean(values, dtype=np.float64))
    if math.isnan(value):
        raise ValueError("the metric is NaN")
    return value
