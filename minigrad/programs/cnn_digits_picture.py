"""The picture of `cnn_digits`: the filters of the first layer, and what each layer answers."""

import numpy as np

from ..plots import mosaics, style

COLUMNS = 16  # maps of a layer that are drawn


def draw(filters, maps, path):
    """A Figure of a digit, the filters of the first layer, and a row of maps for each layer.

    filters  (k, k, u)
    maps     {name of a layer: (h, w, channels)}, the first of which is the digit itself
    """
    (_, digit), *layers = maps.items()
    figure = style.figure(11.5, 4.8)
    left, top, bottom = figure.subplot_mosaic(
        [["digit", "filters"], ["digit", "maps"]],
        width_ratios=[2, COLUMNS],
        height_ratios=[1, len(layers)],
    ).values()

    left.imshow(digit[..., 0], cmap="gray_r", vmin=0, vmax=1)
    left.set_title("A digit")
    style.bare(left)

    limit = np.abs(filters).max()
    shades = style.shades(style.VERMILLION, "white", style.BLUE)
    top.imshow(mosaics.mosaic([_channels(filters)]), cmap=shades, vmin=-limit, vmax=limit)
    top.set_title("Filters of the first layer: ink on blue counts for, on orange against")

    rows = [_channels(answers / answers.max()) for _, answers in layers]
    bottom.imshow(mosaics.mosaic(rows), cmap="gray_r", vmin=0, vmax=1)
    bottom.set_title(f"What the first {COLUMNS} maps of each layer answer")
    bottom.set_ylabel("layer")
    bottom.set_xlabel("map")
    for panel in (top, bottom):
        style.bare(panel)
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
    names = [name.replace(" ", "\n") for name, _ in layers]
    bottom.set_yticks([mosaics.middle(i) for i in range(len(names))], names)
    bottom.set_xticks([mosaics.middle(i) for i in range(COLUMNS)], range(COLUMNS))
    return style.finish(figure, path)


def _channels(images):
    """The first channels of (h, w, channels), as a list."""
    return list(np.moveaxis(images, -1, 0)[:COLUMNS])
