"""What every picture owes its reader: `check(figure)` draws it and lists what is missing."""

import math
import warnings

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg


def check(figure):
    """AssertionError that lists every fault of a matplotlib Figure.

    - an axes with data has no title, or an axis with numbers or names on it has no label
    - a text is cut off by the edge of the figure or of its clip box, or lies on another text
    - a letter is in no font, or matplotlib gives another warning while it draws
    """
    recorder = Recorder(*map(math.ceil, figure.bbox.size), figure.dpi)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure.draw(recorder)
    faults = [f"warning: {warning.message}" for warning in caught]
    faults += [fault for axes in figure.axes for fault in _unlabelled(axes)]
    faults += [f"cut off: {line.text!r}" for line in recorder.lines if line.is_cut(figure.bbox)]
    faults += [f"on each other: {a.text!r} and {b.text!r}" for a, b in _touching(recorder.lines)]
    assert not faults, "\n".join(faults)


def texts(figure):
    """All lines of text as they are drawn, in the order of drawing."""
    recorder = Recorder(*map(math.ceil, figure.bbox.size), figure.dpi)
    figure.draw(recorder)
    return [line.text for line in recorder.lines]


class Recorder(RendererAgg):
    """Draws as usual, and writes down where each line of text went."""

    def __init__(self, width, height, dpi):
        super().__init__(width, height, dpi)
        self.lines = []

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
        left, below = x, self.height - y  # from the lower left corner, as boxes of Matplotlib are
        box = [(0, -descent), (width, -descent), (width, height - descent), (0, height - descent)]
        if s.strip() and gc.get_alpha() > 0:
            window = gc.get_clip_rectangle()
            self.lines.append(Line(s, turn(box, angle) + [left, below], window))
        super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)


def turn(points, degrees):
    """Points (n, 2) turned about the origin, against the clock."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array(points, float) @ [[cos, sin], [-sin, cos]]


class Line:
    """A line of text and the four corners of its box, in pixels, in order around it."""

    def __init__(self, text, corners, window):
        self.text = text
        self.corners = corners
        self.window = window

    def is_cut(self, edge, tolerance=1.0):
        """Whether more than `tolerance` pixels lie outside of the figure or the clip box."""
        for box in (edge, *([self.window] if self.window is not None else [])):
            low, high = np.array([box.x0, box.y0]), np.array([box.x1, box.y1])
            if (self.corners < low - tolerance).any() or (self.corners > high + tolerance).any():
                return True
        return False

    def lies_on(self, other, tolerance=1.0):
        """Whether two boxes share more than `tolerance` pixels in every direction.

        Two convex shapes are apart if a line parallel to a side of one of them separates them.
        """
        for a, b in ((self, other), (other, self)):
            for side in (a.corners[1] - a.corners[0], a.corners[2] - a.corners[1]):
                normal = np.array([-side[1], side[0]]) / max(np.hypot(*side), 1e-9)
                own, theirs = a.corners @ normal, b.corners @ normal
                if min(own.max(), theirs.max()) - max(own.min(), theirs.min()) <= tolerance:
                    return False
        return True


def _touching(lines):
    """The pairs of lines that lie on each other."""
    if not lines:
        return []
    corners = np.stack([line.corners for line in lines])  # (n, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    near = np.triu(((low[:, None] < high) & (low < high[:, None])).all(axis=-1), k=1)
    return [(lines[i], lines[j]) for i, j in np.argwhere(near) if lines[i].lies_on(lines[j])]


def _unlabelled(axes):
    """What an axes with data lacks."""
    if not axes.has_data() or not axes.get_visible():
        return
    scales = [axes.xaxis, axes.yaxis] if axes.axison else []
    shown = [axis for axis in scales if any(t.get_text() for t in _tick_labels(axis))]
    if hasattr(axes, "_colorbar"):  # its one label says what its colours are
        if not any(axis.label.get_text() for axis in shown):
            yield "a colour bar has no label"
        return
    titles = [axes.get_title(loc) for loc in ("left", "center", "right")]
    title = " ".join(filter(None, titles))
    if not title.strip():
        yield f"no title: axes {axes.figure.axes.index(axes)}"
    for axis in shown:
        if not axis.label.get_text().strip() or not axis.label.get_visible():
            yield f"no label on the {axis.axis_name} axis of {title!r}"


def _tick_labels(axis):
    return [label for label in axis.get_ticklabels() if label.get_visible()] * axis.get_visible()
