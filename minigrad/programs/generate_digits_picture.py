"""The picture of `generate_digits`: what was drawn, and what lies between two digits."""

import numpy as np

from ..plots import mosaics, style

SIDE = 8  # pixels


def draw(shown, ways, path):
    """A Figure of two panels, written to `path`.

    shown  {kind: images of the ten digits (rows, 10, 64)}
    ways   [images (steps, 64)] that lead from one image to another, a row each
    """
    figure = style.figure(10.5, 5.6)
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1])
    rows = [(kind, row) for kind, images in shown.items() for row in images]
    _draw_rows(left, [row for _, row in rows])
    kinds = [kind for kind, _ in rows]
    middles = [np.mean([i for i, other in enumerate(kinds) if other == kind]) for kind in shown]
    left.set_yticks([mosaics.middle(i) for i in middles], [_broken(kind) for kind in shown])
    left.set_xticks([mosaics.middle(i) for i in range(10)], range(10))
    left.set_xlabel("digit that was asked for")
    left.set_ylabel("where it comes from")
    left.set_title("Some of each digit, the first that came")
    _draw_rows(right, ways)
    right.set_yticks([mosaics.middle(i) for i in range(len(ways))], range(len(ways)))
    right.set_xticks([])
    right.set_ylabel("digit")
    right.set_xlabel("from one held-out digit, encoded and decoded, to another")
    right.set_title("On a straight line through z")
    return style.finish(figure, path)


def _draw_rows(panel, rows):
    """Rows of images (n, 64), ink dark."""
    images = [row.reshape(-1, SIDE, SIDE) for row in map(np.asarray, rows)]
    panel.imshow(mosaics.mosaic(images), cmap="gray_r", vmin=0, vmax=1)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


def _broken(text):
    """The text in two lines at most, broken at the space nearest to its middle."""
    spaces = [i for i, letter in enumerate(text) if letter == " "]
    if len(text) < 14 or not spaces:
        return text
    place = min(spaces, key=lambda i: abs(i - len(text) / 2))
    return f"{text[:place]}\n{text[place + 1 :]}"
