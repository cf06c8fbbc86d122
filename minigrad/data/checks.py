"""What a model is given, looked at once before any work: errors name the culprit and what came."""

import numpy as np

from ..losses import IGNORED


def check_array(name, values):
    """`values` as an array of numbers, not empty, no NaN or infinity; errors call it `name`."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from error
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold numbers. Received: dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name} must have one row per example. Received: the one value {array}")
    if array.size == 0:
        raise ValueError(f"{name} is empty. Received: shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        first = tuple(bad[0].tolist())
        raise ValueError(
            f"{name} has {len(bad)} values that are NaN or infinite, the first at "
            f"{first}: {array[first]}"
        )
    return array


def check_lengths(arrays):
    """ValueError unless all arrays in {name: array} have the same number of rows."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise ValueError(f"every array needs one row per example. Received rows: {listed}")


def check_labels(name, y, kind, output_shape):
    """`y` as a loss wants it, by the kind of its `labels`.

    "classes"        integers below the number of classes, the last axis of `output_shape`
    "tokens"         the same, or IGNORED: one for each place of `output_shape` without that axis
    "probabilities"  numbers from 0 to 1
    "signs"          -1 and 1, or 0 and 1
    "numbers"        anything

    ValueError that names the first one that is something else.
    """
    if kind == "classes":
        classes, labels = output_shape[-1], y.astype(np.int64)
        if y.ndim == len(output_shape) and y.shape[-1] == classes > 1:
            raise ValueError(
                f"{name} must be one label per example; rows of {classes} numbers are for "
                f"categorical_crossentropy. Received: shape {y.shape}"
            )
        _check(name, y, labels == y, "integers")
        _check_range(name, labels, classes, labels)
        return labels
    if kind == "tokens":
        labels = y.astype(np.int64)
        _check(name, y, labels == y, "integers")
        if y.shape[1:] != tuple(output_shape[1:-1]):
            raise ValueError(
                f"{name} must have a label for each place of the model's outputs, "
                f"(n, {', '.join(map(str, output_shape[1:-1]))}). Received: shape {y.shape}"
            )
        _check_range(name, labels, output_shape[-1], np.where(labels == IGNORED, 0, labels))
        return labels
    if kind == "probabilities":
        _check(name, y, (y >= 0) & (y <= 1), "between 0 and 1")
    if kind == "signs":
        low = 0 if (y == 0).any() else -1
        _check(name, y, (y == low) | (y == 1), "-1 and 1, or 0 and 1")
    return y


def _check_range(name, y, classes, labels):
    in_range = (labels >= 0) & (labels < classes)
    _check(name, y, in_range, f"0 to {classes - 1}, for the model has {classes} outputs")


def _check(name, y, good, wanted):
    if not good.all():
        first = tuple(np.argwhere(~good)[0].tolist())
        others = (~good).sum() - 1
        raise ValueError(
            f"{name} must be {wanted}. Received: {y[first]} at {first}, and {others} more"
        )
