"""The picture of a pretraining: its loss, step by step, and the looks at the validation part."""

import numpy as np

from ..plots import style

MEANS = 100  # points of the smooth curve


def draw(progress, path):
    """A Figure, written to `path`."""
    figure = style.figure(6, 3.8)
    panel = figure.add_subplot()
    steps, losses = np.arange(1, progress.step + 1), np.array(progress.losses)
    panel.plot(steps, losses, color=style.SKY, linewidth=0.6, alpha=0.6, label="each batch")
    parts = np.array_split(np.arange(len(steps)), min(MEANS, len(steps)))
    means = [[steps[part].mean(), losses[part].mean()] for part in parts]
    panel.plot(*np.transpose(means), color=style.BLUE, label="mean of some batches")
    if progress.validated:
        looks = {"color": style.VERMILLION, "linestyle": "--", "marker": "s", "markersize": 5}
        panel.plot(*np.transpose(progress.validated), **looks, label="validation")
    panel.set_xlabel("step")
    panel.set_ylabel("loss, nats per token")
    panel.set_title("Loss of a pretraining")
    panel.grid(alpha=0.3)
    panel.legend(frameon=False)
    style.open_frame(panel)
    return style.finish(figure, path)
