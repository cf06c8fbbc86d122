"""Folders of sentence-transformers: a model, and how vectors of texts are made of its features.

modules.json               what comes after what: Transformer, Pooling, and Normalize perhaps
1_Pooling/config.json      how the features of all tokens become one vector
sentence_bert_config.json  how many tokens of a text are read
"""

from ..bounded_json import shorten
from ..models.embedding import Pooling
from .folder import PretrainedFolder

MODULES, POOLING, LENGTH = "modules.json", "1_Pooling/config.json", "sentence_bert_config.json"
_ORDERS = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
_MODES = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}  # ours and theirs
_MODE = "pooling_mode_"


def open_folder(folder):
    """(the PretrainedFolder with the model, a Pooling) of a folder; of any other (itself, None)."""
    if not folder.has(MODULES):
        return folder, None
    modules = folder.json(MODULES)
    if not isinstance(modules, list) or not all(map(_is_module, modules)):
        raise ValueError(f"{folder.path / MODULES} must be a list of modules")
    order = [module["type"].rpartition(".")[2] for module in modules]
    if order not in _ORDERS:
        raise ValueError(
            f"{folder.path / MODULES}: minigrad has Transformer, Pooling and Normalize, in this "
            f"order. Received: {shorten(order)}"
        )
    inner, pooling = modules[0]["path"], modules[1]["path"]
    kind = _kind(folder, f"{pooling}/config.json")
    if inner:
        folder.file(f"{inner}/config.json")  # an error if it leads out of the folder
        folder = PretrainedFolder(folder.path / inner)
    return folder, Pooling(kind, "Normalize" in order, _length(folder))


def files_of(model):
    """{name: what its JSON says} of the files that make a folder one of sentence-transformers."""
    pooling = model.pooling
    if pooling is None:
        return {}
    paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    order = _ORDERS[pooling.normalize]
    modules = [
        {
            "idx": i,
            "name": str(i),
            "path": paths[name],
            "type": f"sentence_transformers.models.{name}",
        }
        for i, name in enumerate(order)
    ]
    modes = {f"{_MODE}{mode}": kind == pooling.kind for kind, mode in _MODES.items()}
    length = pooling.max_length or model.max_sequence_length
    return {
        MODULES: modules,
        POOLING: {"word_embedding_dimension": model.hidden_dim, **modes},
        LENGTH: {"max_seq_length": length, "do_lower_case": False},
    }


def _is_module(module):
    return isinstance(module, dict) and all(
        isinstance(module.get(name), str) for name in ("type", "path")
    )


def _kind(folder, file):
    settings = folder.json(file)
    items = settings.items() if isinstance(settings, dict) else ()
    modes = {name.removeprefix(_MODE): x for name, x in items if name.startswith(_MODE)}
    for mode, x in modes.items():
        if not isinstance(x, bool):
            raise ValueError(f"{folder.path / file}: {shorten(mode)} is {shorten(x)}")
    chosen = [mode for mode, x in modes.items() if x]
    for kind, mode in _MODES.items():
        if chosen == [mode]:
            return kind
    known = ", ".join(_MODES.values())
    raise ValueError(f"{folder.path / file}: one pooling of {known}. Received: {shorten(chosen)}")


def _length(folder):
    settings = folder.json(LENGTH) if folder.has(LENGTH) else {}
    if not isinstance(settings, dict) or settings.get("do_lower_case", False) is not False:
        raise ValueError(
            f"{folder.path / LENGTH}: small letters are for the tokenizer to make, and "
            f"do_lower_case must be false. Received: {shorten(settings)}"
        )
    length = settings.get("max_seq_length")
    if length is not None and (type(length) is not int or length < 1):
        raise ValueError(f"{folder.path / LENGTH}: max_seq_length={shorten(length)}")
    return length
