"""Pretrained models from folders as Hugging Face lays them out.

Nothing is run that comes with a model; weights are safetensors, mapped into memory, so that a model
is there at once and its numbers are read as they are used.
"""

from fnmatch import fnmatchcase
from types import SimpleNamespace

import numpy as np

from .. import checkpoint
from ..layers import Dense
from ..layers.layer import unfilled_weights
from ..models.embedding import Pooling
from ..text import load_tokenizer
from .families import Settings, family_of_config
from .folder import PretrainedFolder

CONFIG = "config.json"
MODULES = "modules.json"  # of sentence-transformers


def from_pretrained(path, head=None, dtype="float32"):
    """The model in a folder of Hugging Face's, with its weights and its `tokenizer`."""
    folder = PretrainedFolder(path)
    settings = Settings(folder.json(CONFIG), folder.path / CONFIG)
    family = family_of_config(settings)
    with unfilled_weights():
        model = family.model(**family.arguments(settings), head=head, dtype=dtype)
    _fill(model, family, folder)
    model.tokenizer = load_tokenizer(folder.path)
    if folder.has(MODULES):
        model.pooling = _pooling(folder)
    return model


def _pooling(folder):
    """The Pooling of a folder of sentence-transformers: what follows the model there."""
    kinds = {}
    for module in folder.json(MODULES):
        kinds[module["type"].rpartition(".")[2]] = module["path"]
    if not kinds.keys() <= {"Transformer", "Pooling", "Normalize"}:
        raise ValueError(f"{folder.path / MODULES}: minigrad has no {sorted(kinds)}")
    settings = folder.json(f"{kinds['Pooling']}/{CONFIG}")
    modes = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}
    chosen = [kind for kind, mode in modes.items() if settings.get(f"pooling_mode_{mode}")]
    length = folder.json("sentence_bert_config.json").get("max_seq_length")
    return Pooling(chosen[0], "Normalize" in kinds, length)


def _fill(model, family, folder):
    """Give a model the weights of a folder. ValueError lists all that does not fit."""
    weights = model.weights()
    owners = {path: layer for path, layer in model.walk() if isinstance(layer, Dense)}
    wanted = {path: family.name(path) for path in weights}
    stored = _named(family, folder)
    expected, found = {}, {}
    for path, name in wanted.items():
        shape = weights[path].shape
        expected[name.theirs] = (shape[::-1] if name.is_transposed else shape, model.dtype)
    for name, array in stored.items():
        if name in expected or not _is_left(family, name):
            found[name] = SimpleNamespace(shape=array.shape, dtype=np.dtype(model.dtype))
    checkpoint.compare(expected, found)
    for path, name in wanted.items():
        array = stored[name.theirs].array(model.dtype)
        if name.is_transposed:
            owners[path.rpartition(".")[0]].take_transposed(array)
        else:
            weights[path].data = array


def _named(family, folder):
    """{name: StoredArray} of a folder, under the names that the family's table has."""
    stored = {}
    bare = {name.theirs for name in family.weights.values()}
    for name, array in folder.weights().items():
        full = name.replace("LayerNorm.gamma", "LayerNorm.weight")
        full = full.replace("LayerNorm.beta", "LayerNorm.bias")
        if not full.startswith((family.prefix, "cls.", "classifier.")):
            full = family.prefix + full
        stored[full] = array
    return stored


def _is_left(family, name):
    bare = name.removeprefix(family.prefix)
    return any(fnmatchcase(bare, pattern) for pattern in family.ignored + family.heads)
