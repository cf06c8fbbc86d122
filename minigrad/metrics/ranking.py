"""Whether scores put the examples of a class before the others: the ROC curve, and its area.

Functions of whole arrays on the host. Labels y_true (n,) are integers or text.
"""

import numpy as np

from .classification import check_average
from .labels import events, weight_array

AVERAGES = ("macro", "weighted")


def roc_curve(y_true, scores, positive=1, sample_weight=None):
    """(false positive rates, true positive rates, thresholds), (k,) each   labels (n,), scores (n,)

    An example is taken for `positive`, one of two classes, if its score is at least the threshold.
    The thresholds are infinity, which takes none, and then the different scores, from the highest
    down to the lowest, which takes all. ValueError if there is one class only.
    """
    if np.ndim(scores) == 2 and np.shape(scores)[1] > 1:
        raise ValueError(f"roc_curve takes the scores of one class. Received: {np.shape(scores)}")
    happened, scores, classes = events(y_true, scores, positive=positive)
    weights = weight_array(sample_weight, len(scores))
    _check_both(happened, weights, classes)
    return curve(happened[:, 0], scores[:, 0], weights)


def roc_auc(y_true, scores, average="macro", classes=None, positive=1, sample_weight=None):
    """The area below the ROC curve   labels (n,), scores (n,) or (n, c) -> a number

    It is the probability that an example of the class has a higher score than one of the others, a
    tie counting half: 1 for a perfect order, 0.5 for a random one.

    scores   (n,): of the class `positive`, one of two; (n, c): of each class against all others
    average  over the c classes: "macro", their mean; "weighted", by their number of examples; None
             for all of them, (c,)
    classes  the labels of the columns; by default 0 to c - 1, or text in alphabetical order

    ValueError if a class has no example, or all of them.
    """
    if average is not None:
        check_average(average, AVERAGES)
    happened, scores, classes = events(y_true, scores, classes, positive)
    weights = weight_array(sample_weight, len(scores))
    _check_both(happened, weights, classes)
    return average_area(happened, scores, weights, average)


def curve(happened, scores, weights):
    """The ROC curve of events (n,), which must be both True and False: see `roc_curve`."""
    counted = weights > 0
    happened, scores, weights = happened[counted], scores[counted], weights[counted]
    order = np.argsort(-scores, kind="stable")
    scores, hits, alarms = scores[order], *_cumulated(happened[order], weights[order])
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))  # of each run of equal scores
    hits, alarms = np.append(0, hits[last]), np.append(0, alarms[last])
    return alarms / alarms[-1], hits / hits[-1], np.append(np.inf, scores[last])


def _cumulated(happened, weights):
    return np.cumsum(weights * happened), np.cumsum(weights * ~happened)


def average_area(happened, scores, weights, average):
    """The areas of all columns, averaged.   (n, c) bool, (n, c), (n,) -> a number, or (c,)"""
    columns = zip(happened.T, scores.T)
    areas = []
    for event, score in columns:
        false_positives, true_positives, _ = curve(event, score, weights)
        areas.append(np.trapezoid(true_positives, false_positives))
    if average is None:
        return np.array(areas)
    sizes = weights @ happened if average == "weighted" else None
    return float(np.average(areas, weights=sizes))


def both_occur(happened, weights):
    """Whether each event happens, and does not, to examples of weight above 0.   (n, c) -> (c,)"""
    happened = happened[weights > 0]
    return happened.any(axis=0) & ~happened.all(axis=0)


def _check_both(happened, weights, classes):
    lacking = classes[~both_occur(happened, weights)]
    if len(lacking):
        raise ValueError(
            f"a ROC curve needs examples of its class and of others. Received: all or none of the "
            f"examples are of class {lacking[0]}"
        )
