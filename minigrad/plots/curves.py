"""The curves of a training: loss and metrics after each epoch."""

from itertools import count
from textwrap import fill

import numpy as np

from . import style, words

_TRAINING = {"label": "training", "color": style.BLUE, "linestyle": "-", "marker": "o"}
_VALIDATION = {"label": "validation", "color": style.VERMILLION, "linestyle": "--", "marker": "s"}


def history(history, path=None):
    """A Figure with a panel for each metric: its values after each epoch, training and validation.

    history  what `fit` returns, or a dict {"loss": [...], "val_loss": [...], "accuracy": [...]}
             with one value per epoch
    path     where to write the picture as a PNG, if anywhere
    """
    curves = getattr(history, "history", history)
    if not isinstance(curves, dict):
        raise ValueError(f"a history is a dict or has one in .history. Received: {history!r}")
    curves = {name: _curve(name, values) for name, values in curves.items()}
    curves = {name: values for name, values in curves.items() if values.size}
    if not curves:
        raise ValueError(f"there is no epoch to draw. Received: {history!r}")

    figure = style.figure()
    metrics = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    (names,) = words.legible({"metric": [m.replace("_", " ") for m in metrics]}, limit=36)
    panels, rows, columns = style.grid(figure, len(metrics), columns=3)
    figure.set_size_inches(4.5 * columns, 3.4 * rows)
    for panel, metric, name in zip(panels, metrics, names):
        _draw(panel, name, curves.get(metric), curves.get(f"val_{metric}"))
    return style.finish(figure, path)


def _curve(name, values):
    try:
        curve = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers. Received: {values!r}") from error
    if curve.ndim != 1:
        raise ValueError(f"{name} must have one value per epoch. Received: shape {curve.shape}")
    return curve


def _draw(panel, name, training, validation):
    both = [(training, _TRAINING), (validation, _VALIDATION)]
    drawn = [(values, looks) for values, looks in both if values is not None]
    epochs = max(len(values) for values, _ in drawn)
    every = -(-epochs // 20)  # about 20 markers leave the dashes between them visible
    for values, looks in drawn:
        panel.plot(np.arange(1, len(values) + 1), values, markersize=5, markevery=every, **looks)

    lost = sum(np.count_nonzero(~np.isfinite(values)) for values, _ in drawn)
    title = fill(f"{name} after each epoch", 40)
    panel.set_title(title + (f"\n{lost} values not finite" if lost else ""))
    panel.set_xlabel("epoch")
    panel.set_ylabel(name)
    panel.set_xticks(_epoch_ticks(epochs))
    panel.set_xlim(0.5, epochs + 0.5)
    panel.grid(alpha=0.3)
    style.open_frame(panel)
    if validation is not None:
        panel.legend(frameon=False)


def _epoch_ticks(epochs):
    """1 and about five round numbers after it."""
    round_numbers = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(step for step in round_numbers if 6 * step >= epochs)
    return sorted({1, *range(step, epochs + 1, step)})
