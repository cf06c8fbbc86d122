"""The confusion matrix: which classes are taken for which."""

import numpy as np

from ..data.checks import check_array
from . import inputs, style, words

_MOST = 60  # classes in one picture


def confusion_matrix(matrix, classes=None, path=None):
    """A Figure of counts[i, j], how many examples of class i were predicted as j.   (c, c)

    Numbers in the cells are the counts, shades the share of the row: of all examples of that class.

    matrix   (c, c), rows true and columns predicted, as `metrics.confusion_matrix` gives it
    classes  c names; 0 to c - 1 if left out
    path     where to write the picture as a PNG, if anywhere
    """
    counts = check_array("matrix", matrix) + 0  # which makes 0 of -0.0
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"matrix must be square, (c, c). Received: shape {counts.shape}")
    if len(counts) > _MOST:
        raise ValueError(f"confusion_matrix draws {_MOST} classes at most. Received: {len(counts)}")
    if (counts < 0).any():
        raise ValueError(f"matrix must hold counts, from 0 up. Received: {counts.min()}")
    whole = np.array_equal(counts, np.round(counts))
    texts = [[f"{count:,.0f}" if whole else f"{count:.2f}" for count in row] for row in counts]
    right, total = np.trace(counts), counts.sum()
    share_right = f"{right:,.0f} of {total:,.0f}" if whole else f"{right:.2f} of {total:.2f}"
    title = f"Confusion matrix: {share_right} right"
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(totals == 0, 1, totals)

    figure = style.figure()
    (names,) = words.legible({"class": inputs.class_names(classes, len(counts), more=False)})
    panel, bar = _panels(figure, names, texts, title)
    shade = style.shades("white", style.BLUE, style.NAVY)
    image = panel.imshow(shares, cmap=shade, vmin=0, vmax=1)
    for (i, j), share in np.ndenumerate(shares):
        colour = style.ink_on(shade(share)) if counts[i, j] else style.GREY
        weight = "bold" if i == j else "normal"
        looks = {"ha": "center", "va": "center", "size": 9, "color": colour, "weight": weight}
        panel.text(j, i, texts[i][j], **looks)
    panel.set_xlabel("predicted class")
    panel.set_ylabel("true class")
    figure.colorbar(image, cax=bar, label="share of the true class")
    bar.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    return style.finish(figure, path)


def _panels(figure, names, texts, title):
    """The panels of the matrix and of the scale of shades, as large as names and numbers need."""
    c = len(names)
    cell = max(0.36, 1.7 / c, 0.14 + style.width_of(np.ravel(texts), size=9))  # inches, as all here
    long = style.width_of(names)
    sideways = long > cell - 0.08
    side, half_title = c * cell, style.width_of([title], size=12) / 2 + 0.1
    left = max(0.45 + long, half_title - side / 2)
    right = max(1.35, half_title - side / 2)
    bottom = 0.42 + (long if sideways else 0.2)
    figure.set_size_inches(left + side + right, bottom + side + 0.5)

    panel = style.place(figure, left, bottom, side, side)
    panel.set_title(title, size=12, pad=12)  # above the numbers of the scale
    panel.set_xticks(range(c), names, rotation=90 if sideways else 0)
    panel.set_yticks(range(c), names)
    panel.set_xticks(np.arange(0.5, c - 1), minor=True)
    panel.set_yticks(np.arange(0.5, c - 1), minor=True)
    panel.grid(which="minor", color="lightgrey", linewidth=0.5)
    panel.tick_params(which="both", length=0)
    return panel, style.place(figure, left + side + 0.2, bottom, 0.18, side)
