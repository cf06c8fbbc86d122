"""The picture of `recommend`: how much each prediction errs, why, and what tastes were found."""

import numpy as np

from ..plots import style

LOOKS = {
    "factorization": {"color": style.BLUE, "marker": "o", "linestyle": "-"},
    "network": {"color": style.VERMILLION, "marker": "s", "linestyle": "--"},
}
OTHERS = {"color": style.GREY, "marker": "^", "linestyle": "-."}
DRAWN = 60  # items: more would hide each other
NOISE = {"color": "black", "linestyle": ":", "label": "noise"}


def draw(errors, sizes, groups, tastes, noise, path):
    """A Figure of four panels, written to `path`.

    errors  {name of a prediction: test RMSE of each seed}
    sizes   {kind of model: {numbers per user and item: validation RMSE of each seed}}
    groups  {name of a prediction: {how many ratings of a user were learned from: test RMSE}}
    tastes  true and found ones, (items, 2) each
    noise   the RMSE below which no prediction can be expected
    """
    figure = style.figure(10.5, 8.6)
    panels = figure.subplots(2, 2).ravel()
    _draw_errors(panels[0], errors, noise)
    _draw_sizes(panels[1], sizes, noise)
    _draw_groups(panels[2], groups, noise)
    _draw_tastes(panels[3], *tastes)
    for panel in panels:
        style.open_frame(panel)
        panel.grid(alpha=0.3)
    return style.finish(figure, path)


def _draw_errors(panel, errors, noise):
    """A row for each prediction: a small mark for each seed above a large one for their mean."""
    for height, (name, values) in enumerate(errors.items()):
        looks = LOOKS.get(name, OTHERS) | {"linestyle": "none"}
        panel.plot(values, np.full(len(values), height - 0.28), **looks, markersize=4, alpha=0.6)
        panel.plot(np.mean(values), height, **looks, markersize=9, markeredgecolor="black")
        panel.annotate(
            f"{np.mean(values):.3f}",
            (np.mean(values), height),
            (9, 0),
            textcoords="offset points",
            va="center",
        )
    panel.axvline(noise, **NOISE)
    panel.set_yticks(range(len(errors)), errors)
    panel.set_ylim(len(errors) - 0.5, -0.6)
    panel.set_xlim(0, 1.15 * max(max(values) for values in errors.values()))
    panel.set_xlabel("RMSE of the test ratings")
    panel.set_ylabel("prediction")
    panel.set_title("Tastes are worth more than means")
    panel.legend(frameon=False, loc="lower right")


def _draw_sizes(panel, sizes, noise):
    for kind, errors in sizes.items():
        means = [np.mean(values) for values in errors.values()]
        panel.plot([str(size) for size in errors], means, **LOOKS[kind], label=kind)
    panel.axhline(noise, **NOISE)
    panel.set_xlabel("numbers learned for each user and item")
    panel.set_ylabel("RMSE of the validation ratings")
    panel.set_title("Too few numbers miss tastes, too many\nlearn the noise as well")
    panel.legend(frameon=False)


def _draw_groups(panel, groups, noise):
    for name, errors in groups.items():
        panel.plot(list(errors), list(errors.values()), **LOOKS.get(name, OTHERS), label=name)
    panel.axhline(noise, **NOISE)
    panel.set_xlabel("ratings of the user that were learned from")
    panel.set_ylabel("RMSE of other ratings")
    panel.set_title("Of a new user no taste is known")
    panel.legend(frameon=False)


def _draw_tastes(panel, true, found):
    """An item is a ring where it is and a point where it was found, with a line between them."""
    title = f"Tastes of {DRAWN} items, which nobody has told"
    true, found = true[:DRAWN], found[:DRAWN]
    ends = np.stack([true, found])  # (2, items, 2 axes)
    panel.plot(*ends.transpose(2, 0, 1), color=style.SKY, linewidth=1.5, zorder=1)
    ring = {"markerfacecolor": "none", "color": style.GREY, "label": "true"}
    panel.plot(*true.T, "o", **ring, markersize=5)
    panel.plot(*found.T, "o", color=style.BLUE, label="found", markersize=4)
    panel.set_aspect("equal", adjustable="datalim")
    panel.set_xlabel("first taste")
    panel.set_ylabel("second taste")
    panel.set_title(title)
    panel.legend(frameon=False)
