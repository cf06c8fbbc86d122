"""Grids of images, with what they show and what a model said."""

import numpy as np

from ..data.checks import check_array
from ..registry import check_integer
from . import inputs, style, words

_MOST = 100  # images in one picture; more would be too small to see


def images(x, labels=None, predictions=None, classes=None, columns=8, image_shape=None, path=None):
    """A Figure of n images, each with its label and what was predicted for it.

    x            (n, h, w), (n, h, w, 1 or 3), or rows (n, d): then square, or of `image_shape`.
                 One number per pixel is drawn from white, the smallest of all, to black, the
                 largest; three are red, green and blue, from 0 to 1 or integers from 0 to 255
    labels       (n,) integers
    predictions  classes (n,), or probabilities (n, c), or (n, 1) of class 1
    classes      names of the classes; their numbers if left out
    columns      how many images stand in a row at most
    path         where to write the picture as a PNG, if anywhere

    An image without a label is called by its place: x[3].
    """
    x, labels, (predictions, sure) = _read(x, labels, predictions, image_shape)
    if len(x) > _MOST:
        raise ValueError(f"images draws {_MOST} images at most. Received: {len(x)}")
    return _draw(x, range(len(x)), labels, predictions, sure, classes, columns, None, path)


def mistakes(
    x, labels, predictions, classes=None, columns=8, count=16, image_shape=None, path=None
):
    """A Figure of the images that were taken for something else.

    Where `predictions` are probabilities, the most confident mistake comes first; else they come
    in order. `count` says how many are drawn at most, and the title how many there are. The other
    arguments are those of `images`.
    """
    if check_integer("count", count) > _MOST:
        raise ValueError(f"mistakes draws {_MOST} images at most. Received: count={count}")
    for name, given in {"labels": labels, "predictions": predictions}.items():
        if given is None:
            raise ValueError(f"mistakes needs labels and predictions. Received: {name}=None")
    x, labels, (predictions, sure) = _read(x, labels, predictions, image_shape)
    wrong = np.flatnonzero(labels != predictions)
    if sure is not None:
        wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    title = f"{len(wrong):,} of {len(x):,} wrong"
    if len(wrong) > count:
        title += f", the {count} {'first' if sure is None else 'most confident'} of them"
    return _draw(x, wrong[:count], labels, predictions, sure, classes, columns, title, path)


def _read(x, labels, predictions, image_shape):
    """Images, labels or None, (predicted classes, their probabilities or None)."""
    x = inputs.as_images("x", check_array("x", x), image_shape)
    if x.ndim == 4:
        limit = 255 if x.dtype.kind in "iu" else 1
        if x.min() < 0 or x.max() > limit:
            raise ValueError(
                "x must have colours from 0 to 1, or integers from 0 to 255. "
                f"Received: {x.min()} to {x.max()} ({x.dtype})"
            )
    if labels is not None:
        labels = inputs.labels("labels", labels, len(x))
    if predictions is None:
        return x, labels, (None, None)
    return x, labels, inputs.predictions(predictions, len(x))


def _draw(x, chosen, labels, predictions, sure, classes, columns, title, path):
    """A grid of x[chosen] below a title."""
    columns = check_integer("columns", columns)
    figure = style.figure()
    given = [y for y in (labels, predictions) if y is not None]
    c = 1 + max((int(y.max()) for y in given), default=-1)
    (names,) = words.legible({"class": inputs.class_names(classes, c)}, limit=16)
    captions = [_caption(i, names, labels, predictions, sure) for i in chosen]

    panels, rows, columns = style.grid(figure, len(captions), columns) if captions else ([], 0, 0)
    lines = max((text.count("\n") + 1 for text, _ in captions), default=0)
    width = max(0.95, 0.15 + style.width_of([text for text, _ in captions], size=9))
    heading = 0.4 if title else 0.05
    figure.set_size_inches(max(3, columns * width), rows * (0.95 + 0.17 * lines) + heading + 0.1)
    if title:
        figure.suptitle(title)
    for panel, i, (text, wrong) in zip(panels, chosen, captions):
        panel.imshow(x[i], cmap="Greys", vmin=x.min(), vmax=x.max(), interpolation="nearest")
        style.bare(panel)
        panel.set_title(text, size=9, color=style.VERMILLION if wrong else "black")
        panel.spines[:].set(color=style.VERMILLION if wrong else "lightgrey")
        panel.spines[:].set_linewidth(2.5 if wrong else 0.8)
    return style.finish(figure, path)


def _caption(i, names, labels, predictions, sure):
    """What stands above x[i], and whether it tells of a mistake."""
    if predictions is None:
        return (f"x[{i}]" if labels is None else names[labels[i]]), False
    said = names[predictions[i]] + ("" if sure is None else f" ({sure[i]:.0%})".replace("%", " %"))
    if labels is None:
        return f"said {said}", False
    if labels[i] == predictions[i]:
        return f"✓ {said}", False
    return f"✗ said {said}\nis {names[labels[i]]}", True
