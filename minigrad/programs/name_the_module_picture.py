"""The picture of `name_the_module`: how often each model is right, over all and for each part."""

import numpy as np

from ..plots import style

LOOKS = (
    {"color": style.GREY, "marker": "^"},
    {"color": style.VERMILLION, "marker": "s"},
    {"color": style.BLUE, "marker": "o"},
)
BESIDE = (-0.2, 0.0, 0.2)  # the marks of one part, above each other


def draw(accuracies, recalls, names, path):
    """A Figure of two panels, written to `path`.

    accuracies  {"largest part" or name of a model: test accuracy of each seed}
    recalls     {name of a model: (c,) the share of each part that it gets right}
    names       of the parts
    """
    figure = style.figure(11, 5.2)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    _draw_accuracies(left, dict(zip(recalls, LOOKS)), accuracies)
    _draw_recalls(right, dict(zip(recalls, LOOKS)), recalls, names)
    for panel in (left, right):
        style.open_frame(panel)
        panel.grid(axis="x", alpha=0.3)
    return style.finish(figure, path)


def _draw_accuracies(panel, looks, accuracies):
    """A row for each model: a small mark for each seed above a large one for their mean."""
    for height, (name, mark) in enumerate(looks.items()):
        values, mean = accuracies[name], np.mean(accuracies[name])
        panel.plot(
            values,
            np.full(len(values), height - 0.2),
            **mark,
            linestyle="none",
            markersize=4,
            alpha=0.6,
        )
        panel.plot(mean, height, **mark, linestyle="none", markersize=9, markeredgecolor="black")
        panel.annotate(
            f"{mean:.3f}", (mean, height), (0, -16), textcoords="offset points", ha="center"
        )
    largest = np.mean(accuracies["largest part"])
    panel.axvline(largest, color="black", linestyle=":", label="always the largest part")
    panel.set_yticks(range(len(looks)), looks)
    panel.set_ylim(len(looks) - 0.4, -0.6)
    panel.set_xlim(0, 1)
    panel.set_xlabel("accuracy in the test")
    panel.set_ylabel("model")
    panel.set_title("Mean (large) of the seeds (small)")
    panel.legend(frameon=False, loc="lower right")


def _draw_recalls(panel, looks, recalls, names):
    """A row for each part, with a mark for each model."""
    for beside, (name, shares) in zip(BESIDE, recalls.items()):
        heights = np.arange(len(names)) + beside
        panel.plot(shares, heights, **looks[name], linestyle="none", markersize=6, label=name)
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.set_xlim(0, 1)
    panel.set_xlabel("share of its snippets that are named rightly")
    panel.set_ylabel("part")
    panel.set_title("Which part is known")
    panel.legend(frameon=False, loc="lower left")
