"""Predicted numbers against true ones: how far, and in which direction, a regression errs."""

import numpy as np

from ..data.checks import check_array, check_lengths
from . import style, words


def predictions(y_true, y_pred, name="y", path=None):
    """A Figure with a point for each example: how high it was predicted, above its true value.

    On the diagonal are perfect predictions, above it those too high, below it those too low.

    y_true  (n,) or (n, 1) true numbers
    y_pred  (n,) or (n, 1) predicted ones
    name    what they are, with their unit
    path    where to write the picture as a PNG, if anywhere
    """
    true, predicted = _column("y_true", y_true), _column("y_pred", y_pred)
    check_lengths({"y_true": true, "y_pred": predicted})
    both = np.concatenate([true, predicted])
    low, high = both.min(), both.max()
    margin = 0.05 * (high - low) or max(abs(high), 1.0)
    limits = low - margin, high + margin

    figure = style.figure(4.6, 5.0)
    ((name,),) = words.legible({"name": [name]}, limit=30)
    panel = figure.add_subplot()
    panel.plot(limits, limits, "--", color=style.GREY, label="perfect prediction")
    looks = {"markersize": 5, "alpha": max(0.1, min(0.7, 100 / len(true))), "markeredgewidth": 0}
    panel.plot(true, predicted, "o", color=style.BLUE, label="an example", **looks)
    panel.set_title(f"Predicted against true: {len(true):,} example{'s' * (len(true) > 1)}")
    panel.set_xlabel(f"true {name}")
    panel.set_ylabel(f"predicted {name}")
    panel.set_xlim(limits)
    panel.set_ylim(limits)
    panel.set_aspect("equal")
    panel.locator_params(nbins=6)
    panel.grid(alpha=0.3)
    style.open_frame(panel)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return style.finish(figure, path)


def _column(name, values):
    array = check_array(name, values)
    if array.shape[1:] not in ((), (1,)):
        raise ValueError(f"{name} must have one number per example. Received: {array.shape}")
    return array.reshape(-1).astype(np.float64)
