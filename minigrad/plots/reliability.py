"""Whether a model is right as often as it says."""

import numpy as np

from .. import metrics
from . import style
from .words import legible


def calibration(y_true, probabilities, bins=10, path=None, name="class 1"):
    """A Figure of how often what was predicted with probability p happened, and how often p came.

    On the diagonal, 80 % sure means right in 80 % of all cases; below it the model is too sure.

    y_true         (n,) labels 0 to c - 1, or 0 and 1
    probabilities  (n,) of class 1: how often it was class 1; or (n, c) of all classes: how often
                   the likeliest class was right
    bins           how many equal parts of 0 to 1 examples are gathered in; those without any are
                   left out. The point of a bin stands at the mean of its probabilities
    path           where to write the picture as a PNG, if anywhere
    name           of class 1, for probabilities (n,)

    A. H. Murphy and R. L. Winkler, "Reliability of Subjective Probability Forecasts of
    Precipitation and Temperature", 1977. `metrics.calibration_curve` has the numbers.
    """
    [[_, name]] = legible({"class": ["", name]})
    figure = style.figure(4.6, 5.8)
    share, mean, counts = metrics.calibration_curve(y_true, probabilities, bins)
    of_all_classes = np.ndim(probabilities) == 2 and np.shape(probabilities)[1] > 1
    what = "probability of the likeliest class" if of_all_classes else f"probability of {name}"

    above, below = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    above.plot([0, 1], [0, 1], "--", color=style.GREY, label="perfect calibration")
    above.plot(mean, share, "o-", color=style.BLUE, label="this model", clip_on=False)
    above.set_title("Calibration")
    above.set_ylabel("share that was right" if of_all_classes else f"share that was {name}")
    above.set_xlim(0, 1)
    above.set_ylim(0, 1)
    above.grid(alpha=0.3)

    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], mean)  # the bin of each point
    below.bar((place + 0.5) / bins, counts, width=0.94 / bins, color=style.SKY)
    below.set_title(f"{counts.sum():,} examples", size=10)
    below.set_xlabel(what)
    below.set_ylabel("count")
    below.locator_params(axis="y", nbins=4, integer=True)
    for panel in (above, below):
        style.open_frame(panel)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return style.finish(figure, path)
