"""Train and test side by side: what each remedy does against over-fitting."""

import math

import numpy as np

from ..data.checks import check_array
from . import inputs, style, words

_TRAIN = {"marker": "o", "color": style.BLUE, "label": "train", "beside": -0.22}
_TEST = {"marker": "s", "color": style.VERMILLION, "label": "test", "beside": 0.22}
_RIGHT = ("axes fraction", "data")  # coordinates of what stands at the right of the panel


def comparison(results, xlabel="accuracy", path=None):
    """A Figure with a row for each way of training: its train and test values, and their gap.

    results  {name: {"train": [...], "test": [...]}}, a value for each seed. The first name is on
             top. Each small mark is a seed, each large one the mean, and the bar between the two
             means the gap, which stands at the right as a number
    xlabel   what the values are
    path     where to write the picture as a PNG, if anywhere
    """
    if not isinstance(results, dict) or not results:
        raise ValueError(f"results is a dict with a row for each name. Received: {results!r}")
    rows = [_row(name, values) for name, values in results.items()]
    figure = style.figure()
    shown = inputs.different("results", results)
    names, (xlabel,) = words.legible({"row": shown, "value": [xlabel]}, limit=40)
    figure.set_size_inches(4.9 + style.width_of(names), 1.6 + 0.5 * len(rows))

    panel = figure.add_subplot()
    gaps = [train.mean() - test.mean() for train, test in rows]
    for height, (both, gap) in enumerate(zip(rows, _rounded(gaps))):
        means = [values.mean() for values in both]
        panel.plot(means, [height, height], color="lightgrey", linewidth=6, zorder=1)
        for values, mean, looks in zip(both, means, (_TRAIN, _TEST)):
            beside = np.full(len(values), height + looks["beside"])
            mark = {"marker": looks["marker"], "color": looks["color"], "linestyle": "none"}
            panel.plot(values, beside, **mark, markersize=4, alpha=0.6)
            label = looks["label"] if height == 0 else None
            panel.plot(mean, height, **mark, markersize=9, markeredgecolor="black", label=label)
        panel.annotate(gap, (1.02, height), xycoords=_RIGHT, va="center")
    panel.annotate("gap", (1.02, -0.7), xycoords=_RIGHT, va="center", weight="bold")

    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_yticks(range(len(rows)), names)
    panel.tick_params(axis="y", length=0)
    panel.margins(x=0.06)
    panel.locator_params(axis="x", nbins=6)
    panel.set_xlabel(xlabel)
    panel.set_ylabel("way of training")
    panel.grid(axis="x", alpha=0.3)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.set_title(_title(rows))
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return style.finish(figure, path)


def _title(rows):
    seeds = [len(values) for both in rows for values in both]
    least, most = min(seeds), max(seeds)
    count = f"{most}" if least == most else f"{least} to {most}"
    return f"Mean (large) of {count} seed{'s' * (most > 1)} (small)"


def _rounded(gaps):
    """Numbers with their signs and as many decimals as show three digits of the largest."""
    largest = np.abs(gaps).max()
    decimals = 2 - math.floor(math.log10(largest)) if largest else 2
    return [f"{gap:+.{min(max(decimals, 0), 12)}f}".replace("-", "−") for gap in gaps]


def _row(name, values):
    """The train and the test values of one row."""
    if not isinstance(values, dict) or set(values) != {"train", "test"}:
        raise ValueError(f'{name} must be {{"train": [...], "test": [...]}}. Received: {values!r}')
    both = [check_array(f"{side} of {name}", values[side]) for side in ("train", "test")]
    for side, array in zip(("train", "test"), both):
        if array.ndim != 1:
            raise ValueError(
                f"{side} of {name} must be one value per seed. Received: {array.shape}"
            )
    return both
