"""Weights that another model has learned."""

from dataclasses import dataclass

import numpy as np

from .. import checkpoint
from ..models.model import OPTIMIZER
from .paths import as_patterns, check_built, matching, parents, suggest


@dataclass(frozen=True)
class PretrainedReport:
    """What became of each weight: four dicts {name: how many numbers it holds}.

    loaded       in the model and in the file: the model has the file's numbers
    skipped      in both, and left as it was
    initialized  in the model alone, and left as it was initialized
    unused       in the file alone

    str(report) is a table of them.
    """

    loaded: dict
    skipped: dict
    initialized: dict
    unused: dict

    def __str__(self):
        rows = [("", "weights", "numbers", "")]
        for what, weights in {
            "loaded from the file": self.loaded,
            "skipped": self.skipped,
            "left as initialized": self.initialized,
            "in the file alone": self.unused,
        }.items():
            names = [] if weights is self.loaded else list(weights)
            listed = ", ".join([*names[:4], *(["..."] if len(names) > 4 else [])])
            rows.append((what, f"{len(weights)}", f"{sum(weights.values()):,}", listed))
        a, b, c = (max(map(len, column)) for column in list(zip(*rows))[:3])
        return "\n".join(f"{w:<{a}}  {x:>{b}}  {y:>{c}}  {z}".rstrip() for w, x, y, z in rows)


def load_pretrained_weights(model, path, skip=(), rename=None):
    """Give a model the weights of another that was saved, by name. Returns a PretrainedReport.

    model   a Model, or a layer of one, that is built
    path    a safetensors file that `Model.save` or `save_weights` wrote; of its contents nothing
            but weights counts, no optimizer's state and not what was frozen
    skip    a pattern of the weights that stay as they are, or a list of patterns: in the model,
            whatever the file says, or in the file, if the model has no use for them; a layer stands
            for all that is in it
    rename  {path in the file: path in the model}, if they differ; a layer stands for all that is
            in it, and of two that fit a name the longer counts; `skip` means the new names

    All or nothing: every weight of the model has one of that name, shape and dtype in the file, or
    is skipped, and the same the other way round; else a ValueError lists all that do not fit, and
    the model is as it was. ValueError also for a model that is not built and for a pattern that
    matches nothing.
    """
    check_built(model, "load_pretrained_weights")
    arrays, _ = checkpoint.load(path)
    arrays = {name: array for name, array in arrays.items() if not name.startswith(OPTIMIZER)}
    arrays = _rename(arrays, rename)
    weights = model.weights()
    skipped = _matching_weights([*weights, *arrays], skip)
    if skipped.issuperset(weights):
        raise ValueError(f"there is nothing to load: all is skipped. Received: skip={skip!r}")

    expected = {name: (w.shape, w.dtype) for name, w in weights.items() if name not in skipped}
    chosen = {name: array for name, array in arrays.items() if name not in skipped}
    try:
        checkpoint.compare(expected, chosen)
    except ValueError as error:
        raise ValueError(
            f"{path}: {error}\nWhat skip= names may differ, and stays as it is. "
            f"Received: skip={skip!r}"
        ) from error
    unusable = [name for name in expected if not np.isfinite(chosen[name]).all()]
    if unusable:
        raise ValueError(f"{path} has NaN or infinite numbers in {', '.join(unusable)}")
    for name in expected:
        weights[name].assign(chosen[name])
    return PretrainedReport(
        loaded={name: weights[name].size for name in expected},
        skipped={name: w.size for name, w in weights.items() if name in skipped & arrays.keys()},
        initialized={name: w.size for name, w in weights.items() if name not in arrays},
        unused={name: array.size for name, array in arrays.items() if name not in weights},
    )


def _matching_weights(names, skip):
    """The set of those of the names that `skip` means, by themselves or by a layer they are in."""
    paths = [path for name in names for path in parents(name)]
    matched = matching("skip", as_patterns("skip", skip, may_be_none=True), paths)
    return {name for name in names if not matched.isdisjoint(parents(name))}


def _rename(arrays, rename):
    """{name: array} with the names that the model has for them."""
    if rename is None:
        return arrays
    if not isinstance(rename, dict) or not all(
        isinstance(path, str) and path for pair in rename.items() for path in pair
    ):
        raise ValueError(
            f"rename is a dict {{path in the file: path in the model}}. Received: rename={rename!r}"
        )
    renamed, used = {}, set()
    for name, array in arrays.items():
        old = max((path for path in parents(name) if path in rename), key=len, default="")
        new = rename[old] + name.removeprefix(old) if old else name
        if new in renamed:
            raise ValueError(f"two weights of the file become {new!r}. Received: rename={rename!r}")
        renamed[new] = array
        used.add(old)
    paths = [path for name in arrays for path in parents(name)]
    for old in rename:
        if old not in used:
            raise ValueError(f"rename: {old!r} is no weight of the file. {suggest(old, paths)}")
    return renamed
