"""What the functions of whole arrays are given: labels, scores and weights, checked and in order.

n examples, c classes.
"""

import numpy as np

from ..data.checks import check_array, check_lengths
from ..tensor import Tensor


def label_array(name, values):
    """Labels (n,), or (n, 1): integers as int64, or text. ValueError for anything else."""
    array = np.asarray(values.numpy() if isinstance(values, Tensor) else values)
    array = _text(name, array) if array.dtype.kind in "OTU" else _integers(name, array)
    if array.shape[1:] not in ((), (1,)):
        raise ValueError(f"{name} must be one label per example. Received: shape {array.shape}")
    return array.reshape(-1)


def _text(name, array):
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must have one row per example. Received: shape {array.shape}")
    for place, label in np.ndenumerate(array):
        if not isinstance(label, str):
            raise ValueError(
                f"{name} must hold labels that are all integers or all text. "
                f"Received: {label!r} at {place}"
            )
    return np.array(array.tolist(), dtype=str)


def _integers(name, array):
    array = check_array(name, array)
    if array.dtype.kind == "f":
        wrong = (array != np.rint(array)) | (abs(array) > 2**53)
        if wrong.any():
            first = array[wrong][0]
            raise ValueError(
                f"{name} must hold labels, integers or text. Of the probability of class 1 you "
                f"make labels by p > 0.5, and of scores with a column per class the arg max is "
                f"taken. Received: {first}"
            )
    return array.astype(np.int64)


def encode(y_true, y_pred, classes=None, sample_weight=None):
    """(classes (c,), true (n,), predicted (n,), weights (n,)): labels as places in `classes`.

    y_pred  labels (n,), or scores (n, c), of which the arg max is taken; column j is of classes[j]
    """
    true = label_array("y_true", y_true)
    if np.ndim(y_pred) == 2 and np.shape(y_pred)[1] > 1:
        scores = check_array("y_pred", y_pred)
        classes = _classes_of_columns(true, scores.shape[1], classes)
        places = np.argmax(scores, axis=1)
    else:
        predicted = label_array("y_pred", y_pred)
        _check_kind(true, y_pred=predicted)
        if classes is None:
            classes = np.unique(np.concatenate([true, predicted]))
        else:
            classes = distinct_labels(classes, true)
        places = places_of("y_pred", predicted, classes)
    check_lengths({"y_true": true, "y_pred": places})
    weights = weight_array(sample_weight, len(true))
    return classes, places_of("y_true", true, classes), places, weights


def events(y_true, scores, classes=None, positive=1, name="scores"):
    """([y is the class] (n, c), scores (n, c), classes (c,)): each column as a question of its own.

    Scores (n,) or (n, 1) are those of the one class `positive`.
    """
    true, scores = label_array("y_true", y_true), check_array(name, scores)
    check_lengths({"y_true": true, name: scores})
    if scores.ndim == 1 or scores.shape[1:] == (1,):
        two_classes(np.unique(true), positive)
        classes, scores = np.array([positive]), scores.reshape(-1, 1)
    elif scores.ndim == 2:
        classes = _classes_of_columns(true, scores.shape[1], classes)
        places_of("y_true", true, classes)
    else:
        raise ValueError(f"{name} must have shape (n,) or (n, c). Received: {scores.shape}")
    return true[:, None] == classes, scores.astype(np.float64), classes


def probability_events(y_true, probabilities, classes=None, positive=1):
    """`events`, where scores must be from 0 to 1, and those of several classes have the sum 1."""
    happened, p, _ = events(y_true, probabilities, classes, positive, "probabilities")
    outside = (p < 0) | (p > 1)
    if outside.any():
        raise ValueError(f"probabilities must be between 0 and 1. Received: {p[outside][0]}")
    sums = p.sum(axis=1)
    if p.shape[1] > 1 and (wrong := abs(sums - 1) > 1e-3).any():
        raise ValueError(
            f"the probabilities of an example must add up to 1. Received: the sum {sums[wrong][0]}"
        )
    return happened, p


def two_classes(classes, positive):
    """The classes with `positive` among them. ValueError if they are more than two then."""
    classes = np.asarray(classes)
    if isinstance(positive, str) == (classes.dtype.kind == "U"):
        classes = np.union1d(classes, [positive])
        if len(classes) <= 2:
            return classes
    raise ValueError(
        f"one of two classes is to be `positive`. Received: {positive=}, and the classes "
        f"{classes.tolist()}"
    )


def _classes_of_columns(true, columns, classes):
    """The class of each column of scores (n, columns)."""
    if classes is not None:
        classes = distinct_labels(classes, true)
    elif true.dtype.kind == "U":
        classes = np.unique(true)
    else:
        return np.arange(columns)
    if len(classes) != columns:
        raise ValueError(
            f"scores of {columns} columns need a list `classes` of as many labels. "
            f"Received: {classes.tolist()}"
        )
    return classes


def distinct_labels(classes, true):
    """`classes` as an array of different labels, of the same kind as the labels `true`."""
    classes = label_array("classes", classes)
    if len(np.unique(classes)) < len(classes):
        raise ValueError(f"classes must all differ. Received: {classes.tolist()}")
    _check_kind(true, classes=classes)
    return classes


def _check_kind(true, **others):
    for name, labels in others.items():
        if (labels.dtype.kind == "U") != (true.dtype.kind == "U"):
            raise ValueError(
                f"y_true and {name} must be labels of one kind, integers or text. "
                f"Received: {true[0].item()!r} and {labels[0].item()!r}"
            )


def places_of(name, labels, classes):
    """i such that labels = classes[i]   (n,). ValueError for labels that are no classes."""
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise ValueError(
            f"{name} has the labels {unknown.tolist()}, which are not among the classes "
            f"{classes.tolist()}"
        )
    order = np.argsort(classes)
    return order[np.searchsorted(classes, labels, sorter=order)]


def weight_array(sample_weight, n):
    """Weights (n,) in float64: ones by default, never negative, not all zero."""
    if sample_weight is None:
        return np.ones(n)
    weights = check_array("sample_weight", sample_weight)
    if weights.shape not in ((n,), (n, 1)):
        raise ValueError(f"sample_weight must have shape ({n},). Received: {weights.shape}")
    if (weights < 0).any() or not weights.any():
        raise ValueError(
            f"sample_weight must be from 0 up, and not 0 for all. Received: {weights.min()}"
        )
    return weights.reshape(n).astype(np.float64)
