"""The picture of `generate_digits`: what was drawn, and what lies between two digits."""

import numpy as np

from ..plots import style

SIDE = 8  # pixels
GAP = 1


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
    left.set_yticks([_middle(i) for i in middles], [_broken(kind) for kind in shown])
    left.set_xticks([_middle(i) for i in range(10)], range(10))
    left.set_xlabel("digit that was asked for")
    left.set_ylabel("where it comes from")
    left.set_title("Some of each digit, the first that came")
    _draw_rows(right, ways)
    right.set_yticks([_middle(i) for i in range(len(ways))], range(len(ways)))
    right.set_xticks([])
    right.set_ylabel("digit")
    right.set_xlabel("from one held-out digit, encoded and decoded, to another")
    right.set_title("On a straight line through z")
    return style.finish(figure, path)


def _draw_rows(panel, rows):
    """Rows of images, with white between them, ink dark."""
    n = max(map(len, rows))
    paper = np.zeros((len(rows) * (SIDE + GAP) - GAP, n * (SIDE + GAP) - GAP))
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (SIDE + GAP), j * (SIDE + GAP)
            paper[top : top + SIDE, left : left + SIDE] = image.reshape(SIDE, SIDE)
    panel.imshow(paper, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


def _middle(i):
    """Where the middle of image i of a row or a column is."""
    return i * (SIDE + GAP) + (SIDE - 1) / 2


def _broken(text):
    """The text in two lines at most, broken at the space nearest to its middle."""
    spaces = [i for i, letter in enumerate(text) if letter == " "]
    if len(text) < 14 or not spaces:
        return text
    place = min(spaces, key=lambda i: abs(i - len(text) / 2))
    return f"{text[:place]}\n{text[place + 1 :]}"
