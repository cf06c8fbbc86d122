"""Many small images as one."""

import numpy as np

PIXELS = 24  # of the side of an image in a mosaic, into which 2, 3, 4, 6, 8 and 12 go
GAP = 3


def mosaic(rows):
    """Rows of square images as one image, with NaN between them, where nothing is drawn.

    rows  lists of arrays (side, side), which may have other sides in other rows -> (h, w)
    """
    step, widest = PIXELS + GAP, max(map(len, rows))
    whole = np.full((len(rows) * step - GAP, widest * step - GAP), np.nan)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            times = PIXELS // len(image)
            large = np.asarray(image).repeat(times, axis=0).repeat(times, axis=1)
            top, left = i * step, j * step
            whole[top : top + len(large), left : left + len(large)] = large
    return whole


def middle(i):
    """Where the middle of the image number i of a row, or of a column, is."""
    return i * (PIXELS + GAP) + (PIXELS - 1) / 2
