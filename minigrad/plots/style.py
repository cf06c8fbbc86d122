"""What all pictures share: how a Figure is made and saved, its colours, its fonts."""

from . import words

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
NAVY = "#00395A"  # BLUE, half as light, for the end of a scale of shades
GREY = "#767676"  # the palest grey that is still easy to read on white
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, YELLOW)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "*")  # with 7 colours, 63 different points


def figure(width=4.5, height=3.4):
    """An empty Figure, in inches. ImportError says what to install where there is no matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a picture needs matplotlib: pip install matplotlib") from error
    return Figure(figsize=(width, height), layout="constrained")


def grid(figure, count, columns):
    """`count` empty panels, at most `columns` in a row; how many rows; how many in a row."""
    rows = -(-count // columns)
    columns = -(-count // rows)  # 9 stand as 5 and 4, not as 8 and 1
    panels = [figure.add_subplot(rows, columns, position) for position in range(1, count + 1)]
    return panels, rows, columns


def place(figure, left, bottom, width, height):
    """An empty panel in a place of its own, in inches from the lower left corner of the figure."""
    figure.set_layout_engine("none")
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def open_frame(panel):
    """Leave out the two sides of the frame that carry no scale."""
    panel.spines[["top", "right"]].set_visible(False)


def bare(panel):
    """Leave out all ticks: an image has no scale."""
    panel.set_xticks([])
    panel.set_yticks([])


def shades(*colours):
    """A colour map that runs evenly through these colours."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("minigrad", colours)


def ink_on(colour):
    """Black or white, whichever can be read on this colour.

    The luminance and the contrast ratio are those of the Web Content Accessibility Guidelines 2.1.
    """
    from matplotlib.colors import to_rgb

    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def width_of(texts, size=10):
    """The width in inches of the longest line of these texts, set in `size` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=size, family=words.families("".join(texts)))
    lines = {line for text in texts for line in text.split("\n")}
    measure = TextToPath().get_text_width_height_descent
    return max((measure(line, font, False)[0] for line in lines), default=0) / 72


def finish(figure, path):
    """The Figure, with a font for every letter in it; written to `path` as a PNG, if not None."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if not text.get_text().isascii():
            text.set_fontfamily(words.families(text.get_text()))
    if path is not None:
        try:
            figure.savefig(path, format="png", dpi=150)
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    return figure
