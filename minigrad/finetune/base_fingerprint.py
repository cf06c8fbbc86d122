"""The fingerprint of an adapter's base: on another model of the same shapes it would mean nothing.

    configuration  {"class": "BERT", "num_layers": "6", ...}, what decides how the base computes
    tokenizer      a digest of its tokenizer.json; None if it has none
    weights        a digest of the names, the shapes and some numbers of all its weights

Four blocks of each weight are looked at, 4 kB in all: a base that was trained on has changed there
too, and that a weight lies in a mapped file of gigabytes costs nothing.
"""

import hashlib
import json
from fnmatch import fnmatchcase

import numpy as np

import kernels

from ..environment import differences
from ..models import Model
from ..models.adapters import dense_layers
from ..registry import serialize

_BLOCKS, _NUMBERS = 4, 256  # of each weight, and in each block at most
# Settings that tell how a base was made, called or trained, and nothing of what it computes.
_OTHERS = ("module", "name", "trainable", "dtype", "input_shape", "rate", "*dropout")
_OTHERS += ("*_initializer", "*_regularizer")


def base_fingerprint(model, heads=()):
    """The fingerprint of a model without its adapters; of a task's model that of its `base`.

    heads  paths of layers in the model that are saved beside the adapter, and no part of the base
    """
    base, begins = model, ""
    if isinstance(getattr(model, "base", None), Model):
        base, begins = model.base, "base."
    weights = _weights(model, heads).items()
    weights = {p.removeprefix(begins): w for p, w in weights if p.startswith(begins)}
    return {
        "configuration": _configuration(base),
        "tokenizer": _digest_of_tokenizer(getattr(base, "tokenizer", None)),
        "weights": _digest_of_weights(weights),
    }


def base_differences(then, now):
    """What differs between the fingerprints of two bases: a list of sentences.

    Tokenizers count where both have one: to a model alone it may be given later.
    """
    found = differences(then["configuration"], now["configuration"])
    found = [f"the configuration: {'; '.join(found)}"] if found else []
    both = then["tokenizer"], now["tokenizer"]
    if None not in both and both[0] != both[1]:
        found.append("the tokenizer")
    if then["weights"] != now["weights"]:
        found.append("the weights")
    return found


def is_fingerprint(thing):
    """Whether this is what `base_fingerprint` gives, perhaps read from a file."""
    return (
        isinstance(thing, dict)
        and thing.keys() >= {"configuration", "tokenizer", "weights"}
        and isinstance(thing["configuration"], dict)
        and all(isinstance(text, str) for text in thing["configuration"].values())
        and isinstance(thing["tokenizer"], (str, type(None)))
        and isinstance(thing["weights"], str)
    )


def _configuration(base):
    """{name: text} of the class and of each setting that decides what the base computes."""
    try:
        settings = _computing(serialize(base))["config"]
    except ValueError:  # a model of somebody's own that cannot be described
        settings = {}
    settings = {name: json.dumps(value) for name, value in settings.items()}
    return {"class": type(base).__name__, **settings}


def _computing(thing):
    """The plain data without _OTHERS, however deep they are in it."""
    if isinstance(thing, list):
        return [_computing(inner) for inner in thing]
    if not isinstance(thing, dict):
        return thing
    return {
        name: _computing(inner)
        for name, inner in thing.items()
        if not any(fnmatchcase(name, pattern) for pattern in _OTHERS)
    }


def _digest_of_tokenizer(tokenizer):
    if tokenizer is None:
        return None
    return _digest([json.dumps(tokenizer.to_json(), sort_keys=True).encode()])


def _digest_of_weights(weights):
    """A digest of {name: Parameter}."""
    parts = []
    for name in sorted(weights):
        parts += [f"{name} {weights[name].shape} ".encode(), *_blocks(weights[name].data)]
    return _digest(parts)


def _digest(parts):
    """A digest of several bytes, one after the other, as text."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def _blocks(array):
    """The bytes of some numbers of an array, in float32: blocks along its diagonal, end to end.

    A block is small along every axis, since the array may lie in a file with any axis outermost.
    """
    side = round(_NUMBERS ** (1 / max(1, array.ndim)))
    for share in np.linspace(0, 1, _BLOCKS):
        starts = [round(share * max(0, size - side)) for size in array.shape]
        block = array[tuple(slice(start, start + side) for start in starts)]
        yield np.ascontiguousarray(kernels.move(block, "cpu"), "<f4").tobytes()


def _weights(model, heads):
    """{path: Parameter} of all that adapters stand beside, as it is without them.

    While adapters are merged, the weight of a Dense layer is kept as `unmerged`.
    """
    dense, found = dense_layers(model), {}
    for path, weight in model.weights().items():
        owner, _, part = path.rpartition(".")
        unmerged = getattr(dense.get(owner), "unmerged", None)
        if ".adapters." in path or weight is unmerged or owner in heads:
            continue
        found[path] = unmerged if unmerged is not None and part == "weight" else weight
    return found
