"""Weights: how large they are, and what each unit looks for."""

import math

import numpy as np

from . import inputs, style, words

_MOST = 100  # panels in one picture


def weights(model_or_weight, image_shape=None, path=None):
    """A Figure of the weights of a model, or of one weight matrix.

    model_or_weight  a model or layer: a histogram of each of its weights and biases.
                     Or one weight, array or Tensor (d, u): the d numbers of each of u units as an
                     image, blue below 0, red above, all on one scale
    image_shape      (h, w) with h w = d; a square if left out
    path             where to write the picture as a PNG, if anywhere

    Values that are NaN or infinite are counted in the title, and black in an image.
    """
    if hasattr(model_or_weight, "weights"):
        if image_shape is not None:
            raise ValueError(f"image_shape is for one weight matrix. Received: {image_shape=}")
        arrays = {name: np.asarray(w) for name, w in model_or_weight.weights().items()}
        return _histograms(arrays, path)
    weight = np.asarray(model_or_weight)
    if weight.ndim != 2 or weight.size == 0 or weight.dtype.kind not in "fiub":
        raise ValueError(
            "weights needs a model, or a weight matrix (d, u) of numbers. "
            f"Received: shape {weight.shape}, dtype {weight.dtype}"
        )
    return _columns(weight, image_shape, path)


def _histograms(arrays, path):
    arrays = {name: values for name, values in arrays.items() if values.size}
    if not 0 < len(arrays) <= _MOST:
        raise ValueError(
            f"weights draws 1 to {_MOST} histograms, so give it a part of the model. "
            f"Received: {len(arrays)} weights"
        )
    figure = style.figure()
    (names,) = words.legible({"weight": arrays}, limit=26)
    panels, rows, columns = style.grid(figure, len(arrays), columns=4)
    figure.set_size_inches(max(3.2, 2.9 * columns), 2.5 * rows)
    for panel, name, values in zip(panels, names, arrays.values()):
        good = values[np.isfinite(values)].astype(float)
        lost = values.size - good.size
        if good.size:
            bins = min(40, 5 + math.isqrt(good.size))
            panel.hist(good, bins, range=_range(good), color=style.BLUE)
        panel.axvline(0, color="black", linewidth=0.8, linestyle=":")
        shape = f"{values.shape}" + (f", {lost} not finite" if lost else "")
        panel.set_title(f"{name}\n{shape}", size=10)
        panel.set_xlabel("value")
        panel.set_ylabel("count")
        panel.locator_params(axis="x", nbins=4)
        panel.locator_params(axis="y", nbins=4, integer=True)
        style.open_frame(panel)
    return style.finish(figure, path)


def _range(values):
    """From the least to the largest value; wider where they are all about the same."""
    low, high = values.min(), values.max()
    around = 0.1 * max(abs(low), abs(high)) or 0.5
    return (low, high) if high - low > 1e-6 * around else (low - around, high + around)


def _columns(weight, image_shape, path):
    d, u = weight.shape
    if u > _MOST:
        raise ValueError(
            f"weights draws {_MOST} units at most: give it a part, as weight[:, :{_MOST}]. "
            f"Received: shape {weight.shape}"
        )
    pictures = inputs.as_images("weight.T", weight.T.astype(float), image_shape)
    if pictures.ndim != 3:
        raise ValueError(f"image_shape must be (height, width). Received: {image_shape=}")
    good = np.isfinite(pictures)
    largest = np.abs(pictures[good]).max(initial=0) or 1.0
    figure = style.figure()
    panels, rows, columns = style.grid(figure, u, columns=8)
    figure.set_size_inches(max(3.6, 1.05 * columns + 1.1), max(2.0, 1.25 * rows + 0.5))
    colours = style.shades(style.BLUE, "white", style.VERMILLION).with_extremes(bad="black")
    for k, panel in enumerate(panels):
        image = panel.imshow(pictures[k], cmap=colours, vmin=-largest, vmax=largest)
        style.bare(panel)
        panel.spines[:].set_color("lightgrey")
        panel.set_title(f"unit {k}", size=9)
    lost = np.count_nonzero(~good)
    figure.suptitle(f"weight {weight.shape}" + (f", {lost} not finite (black)" if lost else ""))
    figure.colorbar(image, ax=panels, label="weight", aspect=10 * rows, shrink=0.9)
    return style.finish(figure, path)
