"""The picture of `retrieve_images`: photographs that were looked for, and what was found."""

import numpy as np

from ..plots import style

QUERIES = 3  # of seen digits, and as many of unseen ones


def draw(trial, path):
    """A Figure with a row for each of some queries, written to `path`.

    At the left stands the query; then, for pixels and for each embedding, the nearest neighbours,
    with a mark that says whether they show the same digit.
    """
    queries = [*chosen(trial, unseen=False), *chosen(trial, unseen=True)]
    count = len(next(iter(trial.found.values())).T)
    rows, groups = len(queries), len(trial.found)
    figure = style.figure(1.4 + 0.62 * (1 + groups * (count + 0.4)), 0.82 * rows + 0.6)
    figure.set_layout_engine("none")
    widths = [1, *([0.4, *[1] * count] * groups)]
    grid = figure.add_gridspec(
        rows,
        len(widths),
        width_ratios=widths,
        left=0.11,
        right=0.995,
        bottom=0.01,
        top=0.90,
        hspace=0.45,
    )
    for row, query in enumerate(queries):
        panel = figure.add_subplot(grid[row, 0])
        kind = "unseen" if trial.is_unseen[query] else "seen"
        _show(panel, trial.album[query], str(trial.labels[query]), "black")
        panel.set_ylabel(kind, rotation=0, ha="right", va="center")
        for group, places in enumerate(trial.found.values()):
            for rank, place in enumerate(places[query]):
                right = trial.labels[place] == trial.labels[query]
                text = f"{'✓' if right else '✗'} {trial.labels[place]}"
                panel = figure.add_subplot(grid[row, 2 + group * (count + 1) + rank])
                _show(panel, trial.album[place], text, "black" if right else style.VERMILLION)
    for group, name in enumerate(["query", *trial.found]):
        first = 0 if group == 0 else 2 + (group - 1) * (count + 1)
        left = grid[0, first].get_position(figure).x0
        right = grid[0, first + (0 if group == 0 else count - 1)].get_position(figure).x1
        title = name if group == 0 else f"nearest by {name}"
        figure.text((left + right) / 2, 0.96, title, ha="center", va="center", size=11)
    return style.finish(figure, path)


def chosen(trial, unseen):
    """Places of QUERIES photographs, each the first of another digit as far as there are others."""
    places = np.flatnonzero(trial.is_unseen == unseen)
    _, first = np.unique(trial.labels[places], return_index=True)
    rest = np.setdiff1d(np.arange(len(places)), first)
    return places[[*first, *rest][:QUERIES]]


def _show(panel, image, title, colour):
    panel.imshow(image.reshape(8, 8), cmap="Greys", interpolation="nearest")
    style.bare(panel)
    panel.set_title(title, size=9, color=colour, pad=3)
    panel.spines[:].set(color="lightgrey" if colour == "black" else colour)
    panel.spines[:].set_linewidth(0.8 if colour == "black" else 2.0)
