"""Spectrograms: how loud each pitch is at each time."""

import numpy as np

from ..data.checks import check_array
from ..registry import check_integer
from . import style, words

_MOST = 40  # spectrograms in one picture


def spectrograms(x, titles, seconds, hertz, columns=4, path=None):
    """A Figure with a panel for each of n spectrograms: time to the right, pitch upwards.

    x        (n, t, bands) how loud each band is in each frame, in decibels
    titles   n texts, one above each panel
    seconds  the time from a frame to the next
    hertz    (bands,) the frequencies of the bands, rising
    columns  how many panels stand in a row at most
    path     where to write the picture as a PNG, if anywhere
    """
    x, hertz = check_array("x", x), check_array("hertz", hertz)
    if x.ndim != 3 or len(x) > _MOST:
        raise ValueError(f"x must be (n, t, bands), n up to {_MOST}. Received: shape {x.shape}")
    if hertz.shape != x.shape[2:] or (np.diff(hertz) <= 0).any():
        raise ValueError(
            f"hertz must be {x.shape[2]} rising numbers, one for each band. Received: {hertz}"
        )
    if isinstance(titles, str) or len(titles) != len(x):
        raise ValueError(f"titles must be {len(x)} texts. Received: {titles!r}")
    if not seconds > 0:
        raise ValueError(f"seconds must be above 0. Received: {seconds=}")
    columns = check_integer("columns", columns)

    figure = style.figure()
    (titles,) = words.legible({"title": titles}, limit=24)
    panels, rows, columns = style.grid(figure, len(x), columns)
    figure.set_size_inches(2.4 * columns + 1.2, 2.1 * rows + 0.5)
    looks = {"cmap": style.shades("white", style.SKY, style.BLUE, "black"), "aspect": "auto"}
    frames, bands = x.shape[1:]
    extent = (-seconds / 2, (frames - 0.5) * seconds, -0.5, bands - 0.5)
    for number, (panel, spectrogram, title) in enumerate(zip(panels, x, titles)):
        image = panel.imshow(
            spectrogram.T, origin="lower", extent=extent, vmin=x.min(), vmax=x.max(), **looks
        )
        panel.set_title(title)
        _scale(panel, hertz, left=number % columns == 0, below=number + columns >= len(x))
    figure.colorbar(image, ax=panels, label="loudness (dB)", shrink=0.8, pad=0.02)
    return style.finish(figure, path)


def _scale(panel, hertz, left, below):
    """Numbers at the left and below the outer panels alone, for all have the same scales."""
    round_ones = [f for f in (125, 250, 500, 1000, 2000, 4000, 8000) if hertz[0] < f < hertz[-1]]
    panel.set_yticks(np.interp(round_ones, hertz, np.arange(len(hertz))), round_ones)
    panel.locator_params(axis="x", nbins=3)
    panel.tick_params(labelleft=left, labelbottom=below)
    if left:
        panel.set_ylabel("pitch (Hz)")
    if below:
        panel.set_xlabel("time (s)")
