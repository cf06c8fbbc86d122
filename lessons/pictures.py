"""Pictures for notebooks and pages."""

import base64
import html
import io

import numpy as np

MOST = 400  # elements of an array that is drawn
FEWEST = 4


def beside(expected, got):
    """A Figure of two arrays, expected and got, elements that differ framed; None for small ones.

    Both are of numbers, of one shape, with one axis or two.
    """
    arrays = [expected, got]
    if not all(isinstance(a, np.ndarray) and a.dtype.kind in "biuf" for a in arrays):
        return None
    if expected.shape != got.shape or expected.ndim not in (1, 2):
        return None
    if not FEWEST <= expected.size <= MOST:
        return None
    from matplotlib.patches import Rectangle

    from minigrad.plots import style

    expected, got = (np.atleast_2d(a).astype(float) for a in arrays)
    rows, columns = expected.shape
    finite = np.concatenate([expected, got])[np.isfinite([expected, got]).reshape(-1, columns)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    side = min(0.5, 3 / max(rows, columns))  # of an element, in inches
    figure = style.figure(2 * (side * columns + 0.5), side * rows + 0.5)
    shades = style.shades("white", style.BLUE)
    for panel, a, title in zip(figure.subplots(1, 2), [expected, got], ["expected", "got"]):
        panel.imshow(a, cmap=shades, vmin=low, vmax=high if high > low else low + 1)
        panel.set_title(title)
        style.bare(panel)
    differs = ~np.isclose(expected, got, rtol=1e-5, atol=1e-8, equal_nan=True)
    for i, j in np.argwhere(differs):
        frame = Rectangle((j - 0.46, i - 0.46), 0.92, 0.92)
        frame.set(fill=False, edgecolor=style.VERMILLION, linewidth=4 * side)
        panel.add_patch(frame)
    return figure


def png(figure):
    """The bytes of a Figure's picture."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=144)
    return file.getvalue()


def embedded(figure, alt):
    """A Figure as an image of HTML that carries its picture, and says what it shows."""
    data = base64.b64encode(png(figure)).decode()
    width = round(figure.get_figwidth() * 96)
    image = f'<img src="data:image/png;base64,{data}" width="{width}" alt="{html.escape(alt)}"'
    return image + ' style="max-width: 100%; height: auto">'
