"""Pictures, drawn by matplotlib, which is imported only when one is asked for."""

from itertools import count

import numpy as np

# Two colours of M. Okabe and K. Ito that every reader can tell apart; line and marker differ too.
_TRAINING = {"label": "training", "color": "#0072B2", "linestyle": "-", "marker": "o"}
_VALIDATION = {"label": "validation", "color": "#D55E00", "linestyle": "--", "marker": "s"}


def history(history, path=None):
    """A Figure with a panel for each metric: its values after each epoch, training and validation.

    history  what `fit` returns, or a dict {"loss": [...], "val_loss": [...], "accuracy": [...]}
             with one value per epoch
    path     where to write the picture as a PNG, if anywhere

    A notebook shows the Figure where it ends a cell.
    """
    curves = getattr(history, "history", history)
    if not isinstance(curves, dict):
        raise ValueError(f"a history is a dict or has one in .history. Received: {history!r}")
    curves = {name: np.asarray(values, float) for name, values in curves.items() if len(values)}
    if not curves:
        raise ValueError(f"there is no epoch to draw. Received: {history!r}")

    metrics = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    columns = min(len(metrics), 3)
    rows = -(-len(metrics) // columns)
    figure = _figure(4.5 * columns, 3.4 * rows)
    for position, metric in enumerate(metrics, start=1):
        panel = figure.add_subplot(rows, columns, position)
        _draw(panel, metric, curves.get(metric), curves.get(f"val_{metric}"))
    if path is not None:
        figure.savefig(path, format="png", dpi=150)
    return figure


def _draw(panel, metric, training, validation):
    both = [(training, _TRAINING), (validation, _VALIDATION)]
    drawn = [(values, style) for values, style in both if values is not None]
    epochs = max(len(values) for values, _ in drawn)
    every = -(-epochs // 20)  # about 20 markers leave the dashes between them visible
    for values, style in drawn:
        panel.plot(np.arange(1, len(values) + 1), values, markersize=5, markevery=every, **style)

    name = metric.replace("_", " ")
    lost = sum(np.count_nonzero(~np.isfinite(values)) for values, _ in drawn)
    panel.set_title(f"{name} after each epoch" + (f"\n{lost} values not finite" if lost else ""))
    panel.set_xlabel("epoch")
    panel.set_ylabel(name)
    panel.set_xticks(_epoch_ticks(epochs))
    panel.set_xlim(0.5, epochs + 0.5)
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
    if validation is not None:
        panel.legend(frameon=False)


def _epoch_ticks(epochs):
    """1 and about five round numbers after it."""
    round_numbers = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(step for step in round_numbers if 6 * step >= epochs)
    return sorted({1, *range(step, epochs + 1, step)})


def _figure(width, height):
    """An empty Figure, in inches; without pyplot, which would keep it and might open a window."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a picture needs matplotlib: pip install matplotlib") from error
    return Figure(figsize=(width, height), layout="constrained")
