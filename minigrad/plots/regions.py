"""What a model says everywhere in the plane of two features."""

import numpy as np

from ..data.checks import check_array, check_lengths
from . import inputs, style, words

_STEPS = 300  # of the grid along each axis
_MOST = len(style.PALETTE) * len(style.MARKERS)  # classes that look different
_PREDICTED = "what the model predicts"


def decision_boundary(
    model_or_function, x, y, classes=None, features=("feature 0", "feature 1"), path=None
):
    """A Figure of the plane: what is predicted where, the boundary, and the points x.   (n, 2)

    model_or_function  a model, or a function of points (m, 2). It gives scores of all classes
                       (m, c), of which the largest wins; or classes (m,), integers; or one score
                       (m,) or (m, 1), for class 1 where it is above 0.5 if all are probabilities
                       from 0 to 1, else above 0
    x                  (n, 2)
    y                  (n,) the classes of the points, 0 to c - 1; or -1 and 1
    classes            c names; their numbers if left out
    features           names of the two axes
    path               where to write the picture as a PNG, if anywhere
    """
    x = check_array("x", x)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x must be points with two features, (n, 2). Received: shape {x.shape}")
    x = x.astype(np.float32) if x.dtype.kind != "f" else x
    y = check_array("y", y)
    signs = (y == -1).any() and ((y == -1) | (y == 1)).all()
    y = inputs.labels("y", (y + 1) // 2 if signs else y, len(x))
    _check_number(y.max() + 1)
    features = inputs.different("features", features)
    if len(features) != 2:
        raise ValueError(f"features must be two names. Received: {features}")

    lowest, highest = x.min(axis=0), x.max(axis=0)
    margin = np.where(highest > lowest, 0.08 * (highest - lowest), 1 + 0.08 * abs(lowest))
    across, up = np.linspace(lowest - margin, highest + margin, _STEPS, dtype=x.dtype).T
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    given = _predict(model_or_function, np.concatenate([points, x]))
    lead = _lead(_scores(given, at_least=y.max() + 1))
    c = lead.shape[1]
    plane, predicted = lead[: len(points)], lead[len(points) :].argmax(axis=1)

    figure = style.figure()
    if classes is None and signs:
        classes = ["-1", "1"]
    names = {"class": inputs.class_names(classes, c), "feature": features}
    names, features = words.legible(names, limit=30)
    names = names[:c]
    columns = -(-c // 16)  # of the legend, beside a plane 5 inches wide
    figure.set_size_inches(5.3 + columns * (style.width_of(names) + 0.65), 4.6)
    panel = figure.add_subplot()
    _draw(panel, across, up, plane, x, y, names)
    panel.set_title(f"Decision boundary: {np.sum(predicted == y):,} of {len(x):,} points right")
    panel.set_xlabel(features[0])
    panel.set_ylabel(features[1])
    figure.legend(loc="outside right upper", frameon=False, title="class", ncols=columns)
    return style.finish(figure, path)


def _draw(panel, across, up, lead, x, y, names):
    """Regions in pale colours, the lines where no class leads, and the points of each class."""
    from matplotlib.colors import to_rgb

    c = len(names)
    colours = [style.PALETTE[k % len(style.PALETTE)] for k in range(c)]
    pale = np.array([to_rgb(colour) for colour in colours]) * 0.25 + 0.75
    picture = pale[lead.argmax(axis=1)].reshape(_STEPS, _STEPS, 3)
    extent = (across[0], across[-1], up[0], up[-1])
    panel.imshow(picture, extent=extent, origin="lower", aspect="auto", interpolation="nearest")
    for k in range(c):
        own = lead[:, k].reshape(_STEPS, _STEPS)
        if own.min() < 0 < own.max():
            panel.contour(across, up, own, levels=[0], colors="black", linewidths=1.2)
        marker = style.MARKERS[k % len(style.MARKERS)]
        edge = {"markeredgecolor": "black", "markeredgewidth": 0.6}
        panel.plot(*x[y == k].T, marker, color=colours[k], markersize=6, label=names[k], **edge)


def _predict(model_or_function, points):
    """What is said of each point.   (m, 2) -> (m,) or (m, c)"""
    if hasattr(model_or_function, "predict"):
        given = model_or_function.predict(points, verbose=0)
    elif callable(model_or_function):
        given = model_or_function(points)
    else:
        raise ValueError(
            "decision_boundary needs a model or a function of points (m, 2). "
            f"Received: {model_or_function!r}"
        )
    given = check_array(_PREDICTED, given)
    check_lengths({"points": points, "predictions": given})
    return given


def _scores(given, at_least):
    """A score for each of `at_least` classes or more, from any kind of prediction.   -> (m, c)"""
    if given.ndim == 1 and given.dtype.kind in "iub" and given.min() >= 0:
        given = inputs.labels(_PREDICTED, given, len(given))
        _check_number(given.max() + 1)
        scores = np.eye(max(given.max() + 1, at_least))[given]
    elif given.ndim == 1 or given.shape[1:] == (1,):
        given = given.reshape(-1, 1).astype(np.float64)
        threshold = 0.5 if given.min() >= 0 and given.max() <= 1 else 0
        scores = np.concatenate([threshold - given, given - threshold], axis=1)
    elif given.ndim == 2:
        scores = given
    else:
        raise ValueError(
            f"a prediction is a class, a score, or a score of each class. Received: {given.shape}"
        )
    if scores.shape[1] < at_least:
        raise ValueError(
            f"the model knows {scores.shape[1]} classes. Received: y up to {at_least - 1}"
        )
    _check_number(scores.shape[1])
    return scores


def _check_number(c):
    if c > _MOST:
        raise ValueError(f"decision_boundary tells {_MOST} classes apart. Received: {c}")


def _lead(scores):
    """How far each score is above the best of the others.   (m, c) -> (m, c)

    Positive in the region of the class, 0 on its boundary.
    """
    if scores.shape[1] == 1:
        return scores
    best = np.sort(scores, axis=1)[:, -2:]
    others = np.where(scores == best[:, 1:], best[:, :1], best[:, 1:])
    return scores - others
