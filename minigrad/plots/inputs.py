"""What a picture is made of, looked at before it is drawn: errors name the culprit and what came.

n examples, c classes, d features.
"""

import math

import numpy as np

from ..data.checks import check_array
from ..registry import check_integer

_CLASSES = 100_000  # more are not classes but something else, such as numbers of houses


def class_names(classes, c, more=True):
    """The names of `c` classes, or `more`, all different; their numbers if `classes` is None."""
    if classes is None:
        return [str(k) for k in range(c)]
    names = different("classes", classes)
    if len(names) < c or len(names) > c and not more:
        raise ValueError(
            f"classes must have a name for each of the {c} classes. Received: {len(names)} names"
        )
    return names


def different(name, texts):
    """A list of texts as such, no two of them alike."""
    if isinstance(texts, str) or not hasattr(texts, "__iter__"):
        raise ValueError(f"{name} must be a list of names. Received: {name}={texts!r}")
    texts = [str(text) for text in texts]
    twice = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
    if twice is not None:
        raise ValueError(f"{name} must differ from each other. Received: {twice!r} twice")
    return texts


def labels(name, y, n):
    """Labels of n examples as integers (n,), from (n,) or (n, 1)."""
    y = check_array(name, y)
    if y.shape not in ((n,), (n, 1)):
        raise ValueError(f"{name} must be one label for each of the {n} x. Received: {y.shape}")
    y = y.reshape(n)
    wrong = (y != np.rint(y)) | (y < 0) | (y >= _CLASSES)
    if wrong.any():
        raise ValueError(
            f"{name} must be classes, integers from 0 to {_CLASSES - 1:,}. Received: {y[wrong][0]}"
        )
    return y.astype(np.int64)


def predictions(predictions, n):
    """Predicted classes (n,) and their probabilities (n,), or None where only classes are given.

    From classes (n,), probabilities of all classes (n, c), or of class 1 (n, 1).
    """
    p = check_array("predictions", predictions)
    if p.ndim == 1:
        return labels("predictions", p, n), None
    if p.ndim != 2 or len(p) != n:
        raise ValueError(
            f"predictions must be ({n},) or ({n}, classes), as there are {n} x. Received: {p.shape}"
        )
    p = np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
    if (p < 0).any() or (np.abs(p.sum(axis=1) - 1) > 1e-3).any():
        raise ValueError(
            "predictions of all classes must be probabilities, which add up to 1; ops.softmax "
            f"makes them of logits. Received: {p[np.argmax(np.abs(p.sum(axis=1) - 1))]}"
        )
    return p.argmax(axis=1), p.max(axis=1)


def as_images(name, x, image_shape=None):
    """x as images (n, h, w) or (n, h, w, 3).

    From those, (n, h, w, 1), or rows (n, d) with `image_shape`; without, an image is square.
    """
    x = np.asarray(x)
    n = len(x) if x.ndim else 0
    if image_shape is not None:
        if not isinstance(image_shape, (tuple, list)):
            raise ValueError(f"image_shape must be (height, width). Received: {image_shape=}")
        size = math.prod(check_integer("image_shape", length) for length in image_shape)
        if x.ndim < 2 or size != math.prod(x.shape[1:]):
            raise ValueError(
                f"image_shape must have as many pixels as a row of {name}. "
                f"Received: image_shape={tuple(image_shape)}, {name} of shape {x.shape}"
            )
        x = x.reshape(n, *image_shape)
    elif x.ndim == 2:
        side = math.isqrt(x.shape[1])
        if side**2 != x.shape[1]:
            raise ValueError(
                f"rows of {x.shape[1]} pixels are no square: give image_shape=(height, width). "
                f"Received: {name} of shape {x.shape}"
            )
        x = x.reshape(n, side, side)
    if x.ndim == 4 and x.shape[3] == 1:
        x = x[..., 0]
    if x.ndim != 3 and not (x.ndim == 4 and x.shape[3] == 3):
        raise ValueError(
            f"{name} must be images (n, h, w), (n, h, w, 1 or 3) or rows (n, d). "
            f"Received: shape {x.shape}"
        )
    return x
