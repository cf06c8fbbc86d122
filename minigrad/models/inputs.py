"""What fit and evaluate are given, made into batches: looked at once, cast, and weighted.

Examples are a tuple of host arrays (x, y) or (x, y, sample_weight), with n rows each; x may also be
a dict of such arrays, each for the argument of the model's `call` that has its name.
"""

import itertools
from inspect import signature
from operator import getitem

import numpy as np

import kernels

from ..data.checks import check_array, check_labels, check_lengths
from ..data.named import map_arrays, with_names
from ..tensor import Tensor, no_grad


def examples(model, x, y, sample_weight=None, prefix=""):
    """(x, y) or (x, y, sample_weight) as the model and its loss want them; else a ValueError.

    Floating x and y are cast to the dtype of the model's parameters, once and not in each step.
    """
    rows = check_rows(model, x, y, sample_weight, prefix)
    if sample_weight is not None and rows["sample_weight"].size != len(rows["y"]):
        shape = rows["sample_weight"].shape
        raise ValueError(
            f"{prefix}sample_weight must have shape ({len(rows['y'])},). Received: shape {shape}"
        )
    if sample_weight is not None:
        check_weights(f"{prefix}sample_weight", rows["sample_weight"])
    shape = _output_shape(model, rows["x"])
    rows["y"] = check_labels(f"{prefix}y", rows["y"], model.loss.labels, shape)
    for parameter in model.parameters()[:1]:
        for name in ("x", "y"):
            rows[name] = _cast(prefix + name, rows[name], parameter.dtype)
    return tuple(rows.values())


def check_rows(model, x, y, sample_weight=None, prefix=""):
    """{"x": ..., "y": ...}, and sample_weight if there is one: arrays with equally many rows."""
    rows = {"x": check_inputs(model, x, prefix + "x")}
    for name, values in {"y": y, "sample_weight": sample_weight}.items():
        if values is not None:
            rows[name] = _check(prefix + name, values)
    named = [with_names(prefix + name, given) for name, given in rows.items()]
    check_lengths({name: array for arrays in named for name, array in arrays.items()})
    return rows


def check_inputs(model, x, name="x"):
    """x, an array, or a dict of arrays for arguments of the model's call; errors call it `name`."""
    if not isinstance(x, dict):
        return _check(name, x)
    known = [name for name in signature(model.call).parameters if name != "training"]
    for key in x:
        if key not in known:
            raise ValueError(
                f"{name} has {key!r}, which the call of {type(model).__name__} does not take. "
                f"It takes: {', '.join(known)}"
            )
    if known[0] not in x:
        raise ValueError(
            f"{name} lacks {known[0]!r}, which {type(model).__name__} reads first. "
            f"Received: {', '.join(x) or 'nothing'}"
        )
    checked = {key: _check(f"{name}[{key!r}]", values) for key, values in x.items()}
    check_lengths(with_names(name, checked))
    return checked


def call_on(model, x, training):
    """ŷ for x: an array, or a dict of arrays, each for the argument of `call` that has its name."""
    if not isinstance(x, dict):
        return model(x, training=training)
    first = next(iter(signature(model.call).parameters))
    others = {
        name: array.astype(model.dtype) if array.dtype.kind == "f" else array
        for name, array in x.items()
        if name != first
    }
    return model(x[first], training=training, **others)


def moved(batch, device):
    """A batch whose arrays are on the device of a name, as of kernels.move."""
    return [map_arrays(kernels.move, part, device) for part in batch]


def _check(name, values):
    return check_array(name, values.numpy() if isinstance(values, Tensor) else values)


def _cast(name, x, dtype):
    """Floating arrays as arrays of this dtype, if all their numbers are finite there."""

    def cast(array):
        if array.dtype.kind != "f" or array.dtype == dtype:
            return array
        with np.errstate(over="ignore"):
            return check_array(f"{name}, as {dtype},", array.astype(dtype))

    return map_arrays(cast, x)


def check_weights(name, weights):
    """The weights, if none is below 0; else a ValueError."""
    if (weights < 0).any():
        raise ValueError(f"{name} must not be below 0. Received: {weights.min()}")
    return weights


def _output_shape(model, x):
    """The shape of what the model makes of a batch; it is built on the first example if need be.

    A loss that has a label for each place must know the length of these examples, and not of others
    that the model has seen before.
    """
    open_length = model.input_shape is None or None in model.input_shape
    if open_length and (not model.built or model.loss.labels == "tokens"):
        with no_grad():
            call_on(model, map_arrays(getitem, x, slice(1)), training=False)
    model.ensure_built()
    return model.output_shape


def split_end(rows, share):
    """The examples before the last `share` of them, and these: two tuples, of which none is empty.

    ValueError for a share that would leave one so.
    """
    if not (isinstance(share, (int, float)) and 0 < share < 1):
        raise ValueError(f"validation_split is a share between 0 and 1. Received: {share!r}")
    n = len(rows[1])
    kept = int(n * (1 - share))
    if kept in (0, n):
        raise ValueError(f"validation_split={share} of {n} examples leaves one part empty")
    parts = slice(None, kept), slice(kept, None)
    return tuple(tuple(map_arrays(getitem, x, part) for x in rows) for part in parts)


def weigh_classes(rows, class_weight):
    """The examples, sample_weight multiplied by the weight of each one's class, {label: weight}.

    y holds labels (n,), (n, 1), or is one-hot (n, c). ValueError for a label without a weight.
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
        arrays = hasattr(batches, "shape") or isinstance(batches, dict)
        if arrays or not hasattr(batches, "__iter__"):
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
            if all(isinstance(a, (np.ndarray, list)) for a in with_names("x", batch[0]).values()):
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
