"""What fit and evaluate are given, made into batches: looked at once, cast, and weighted.

Examples are a tuple of host arrays (x, y) or (x, y, sample_weight), with n rows each.
"""

import itertools

import numpy as np

from ..data.checks import check_array, check_labels, check_lengths
from ..tensor import Tensor, no_grad


def examples(model, x, y, sample_weight=None, prefix=""):
    """(x, y) or (x, y, sample_weight) as the model and its loss want them; else a ValueError.

    Floating x and y are cast to the dtype of the model's parameters, once and not in each step.
    """
    given = {"x": x, "y": y, "sample_weight": sample_weight}
    rows = {
        name: check_array(prefix + name, values.numpy() if isinstance(values, Tensor) else values)
        for name, values in given.items()
        if values is not None
    }
    check_lengths({prefix + name: array for name, array in rows.items()})
    if sample_weight is not None and rows["sample_weight"].size != len(rows["y"]):
        shape = rows["sample_weight"].shape
        raise ValueError(
            f"{prefix}sample_weight must have shape ({len(rows['y'])},). Received: shape {shape}"
        )
    if sample_weight is not None:
        check_weights(f"{prefix}sample_weight", rows["sample_weight"])
    _build(model, rows["x"])
    rows["y"] = check_labels(f"{prefix}y", rows["y"], model.loss.labels, model.output_shape)
    for parameter in model.parameters()[:1]:
        for name in ("x", "y"):
            if rows[name].dtype.kind == "f" and rows[name].dtype != parameter.dtype:
                with np.errstate(over="ignore"):
                    rows[name] = rows[name].astype(parameter.dtype)
                check_array(f"{prefix}{name}, as {parameter.dtype},", rows[name])
    return tuple(rows.values())


def check_weights(name, weights):
    """The weights, if none is below 0; else a ValueError."""
    if (weights < 0).any():
        raise ValueError(f"{name} must not be below 0. Received: {weights.min()}")
    return weights


def _build(model, x):
    """Build a model on the first example, if its input shape is not known to the last length."""
    if not model.built and (model.input_shape is None or None in model.input_shape):
        with no_grad():
            model(x[:1], training=False)
    model.ensure_built()


def split_end(rows, share):
    """The examples before and in the last `share` of them: two tuples."""
    if not (isinstance(share, (int, float)) and 0 < share < 1):
        raise ValueError(f"validation_split is a share between 0 and 1. Received: {share!r}")
    n = len(rows[0])
    kept = int(n * (1 - share))
    if kept in (0, n):
        raise ValueError(f"validation_split={share} of {n} examples leaves one part empty")
    return tuple(a[:kept] for a in rows), tuple(a[kept:] for a in rows)


def weigh_classes(rows, class_weight):
    """The examples, sample_weight multiplied by the weight of each one's class, {label: weight}.

    y holds labels (n,), (n, 1), or is one-hot (n, c).
    """
    if class_weight is None:
        return rows
    if not isinstance(class_weight, dict):
        raise ValueError(f"class_weight is a dict {{label: weight}}. Received: {class_weight!r}")
    x, y, *sample_weight = rows
    labels = np.argmax(y, axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
    known = np.array(list(class_weight))
    missing = np.setdiff1d(labels, known)
    if len(missing):
        raise ValueError(
            f"class_weight has no weight for the labels {missing.tolist()}. "
            f"Received: {class_weight}"
        )
    weights = check_weights("class_weight", check_array("class_weight", [*class_weight.values()]))
    order = np.argsort(known)
    weight = weights[order][np.searchsorted(known[order], labels)]
    for other in sample_weight:
        weight = weight * other.reshape(len(y))
    return x, y, weight


class Stream:
    """An iterable of batches (x, y) or (x, y, sample_weight); arrays are checked as they come."""

    def __init__(self, model, batches, class_weight=None):
        if not hasattr(batches, "__iter__") or hasattr(batches, "shape"):
            kind = type(batches).__name__
            raise ValueError(
                f"without y, x must be an iterable of batches (x, y). Received: x of type {kind}"
            )
        self.model = model
        self.batches = batches
        self.class_weight = class_weight

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return self.iterate()

    def iterate(self, start=0):
        """The batches from number `start` on."""
        if hasattr(self.batches, "iterate"):
            return self._checked(self.batches.iterate(start))
        return self._checked(itertools.islice(iter(self.batches), start, None))

    def describe(self):
        """What would make other batches, as {name: text}, as far as it can be known."""
        source = self.batches
        about = (
            source.describe() if hasattr(source, "describe") else {"data": type(source).__name__}
        )
        return {**about, "class_weight": str(self.class_weight)}

    def _checked(self, batches):
        for batch in batches:
            kind = type(batch).__name__
            if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
                raise ValueError(f"a batch is (x, y) or (x, y, sample_weight). Received: {kind}")
            if isinstance(batch[0], (np.ndarray, list)):
                rows = examples(self.model, *batch, prefix="batch ")
                batch = weigh_classes(rows, self.class_weight)
            elif self.class_weight is not None:
                kind = type(batch[0]).__name__
                raise ValueError(f"class_weight goes with arrays. Received: a batch of {kind}s")
            yield tuple(batch)


def source_of(batches):
    """What iterables made of iterables, such as Prefetch, are made of in the end."""
    while hasattr(batches, "batches"):
        batches = batches.batches
    return batches
