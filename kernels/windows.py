"""Where windows lie, which convolution and pooling move over images.

Window (i, j) of an image (h, w, c) begins at row i sh - top and column j sw - left, and its places
are dh rows and dw columns apart: strides (sh, sw), padding ((top, bottom), (left, right)), dilation
(dh, dw). Places outside the image are padding.
"""


def counts(image, size, strides, padding, dilation=(1, 1)):
    """How many windows fit, down and across.   (h, w), (kh, kw) -> ho, wo

    ValueError if none does, and for padding below 0, strides or dilation below 1.
    """
    if min(*strides, *dilation) < 1 or min(map(min, padding)) < 0:
        raise ValueError(
            "windows need strides and dilation from 1 up, and padding from 0 up. Received: "
            f"strides={strides}, dilation={dilation}, padding={padding}"
        )
    found = []
    for n, k, step, (before, after), gap in zip(image, size, strides, padding, dilation):
        found.append((n + before + after - gap * (k - 1) - 1) // step + 1)
    if min(found) < 1:
        raise ValueError(
            f"no window of {tuple(size)} fits into an image of {tuple(image)} with "
            f"padding={padding} and dilation={dilation}"
        )
    return tuple(found)
