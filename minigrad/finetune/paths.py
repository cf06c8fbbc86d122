"""Paths of layers and weights, and the patterns that choose among them."""

import difflib
from fnmatch import fnmatchcase
from itertools import accumulate

from ..layers import Layer


def check_built(model, purpose):
    """ValueError unless `model` is a Layer, such as a Model, whose weights are all made."""
    if not isinstance(model, Layer):
        raise ValueError(f"{purpose} needs a model or a layer. Received: {model!r}")
    if not all(inner.built for _, inner in model.walk() if isinstance(inner, Layer)):
        raise ValueError(
            f"{purpose} needs a model that is built, since the others have no weights yet: call it "
            f"once on data, or model.build(input_shape). Received: {model!r}"
        )


def as_patterns(name, patterns, may_be_none=False):
    """One pattern or several, as a tuple of texts. ValueError calls the argument `name`."""
    several = (patterns,) if isinstance(patterns, str) else patterns
    fits = isinstance(several, (list, tuple)) and all(
        isinstance(pattern, str) and pattern for pattern in several
    )
    if not fits or not (several or may_be_none):
        raise ValueError(f"{name} is a pattern or a list of them. Received: {name}={patterns!r}")
    return tuple(several)


def parents(path):
    """The paths of the layers that a weight is in, and its own: a, a.b and a.b.weight."""
    return accumulate(path.split("."), "{}.{}".format)


def matching(name, patterns, paths):
    """The set of all `paths` that one of the patterns matches.

    ValueError for a pattern that matches none, with the paths that look like it; it calls the
    argument `name`.
    """
    for pattern in patterns:
        if not any(fnmatchcase(path, pattern) for path in paths):
            raise ValueError(f"{name}={pattern!r} matches nothing. {suggest(pattern, paths)}")
    return {path for path in paths if any(fnmatchcase(path, p) for p in patterns)}


def suggest(pattern, paths):
    """A sentence with the paths that look like the pattern; if none does, with the first ones."""
    paths = [path for path in dict.fromkeys(paths) if path]  # the model's own path is empty
    near = difflib.get_close_matches(pattern, paths, n=3)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return f"There are: {', '.join(paths[:10])}{', ...' if len(paths) > 10 else ''}"
