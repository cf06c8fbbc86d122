"""The model that a command is given as its BASE: a folder, or a word for one that pip installs."""

import hashlib
from pathlib import Path

import numpy as np

from .. import finetune
from ..callbacks import progress
from ..finetune import PretrainedFolder
from .finetuned_folder import TASK, model_folder

MINILM = "minilm"
AT_ONCE = 256  # texts between two steps of the progress bar
WHAT_MAKES_IT = (".json", ".txt", ".safetensors")  # the files that a model comes from


def base_folder(base):
    """The folder that BASE means: that of MiniLM if it is the word "minilm".

    FileNotFoundError where there is none, ValueError for a file.
    """
    if base == MINILM:
        return finetune.minilm_folder()
    folder = Path(base)
    if not folder.exists():
        raise FileNotFoundError(
            f"there is no folder {base}: a model is a folder as Hugging Face lays it out, or the "
            f"word {MINILM}"
        )
    if not folder.is_dir():
        raise ValueError(f"a model is a folder, and {base} is a file")
    return folder


def pretrained_folder(base):
    """The folder that BASE means for a fine-tuning; of an earlier one that is its `model`.

    ValueError for an adapter, which is no model by itself.
    """
    folder = base_folder(base)
    inner = model_folder(folder)
    if inner is None:
        return folder
    if _base_of_adapter(folder):
        raise ValueError(
            f"{base} is an adapter of {_base_of_adapter(folder)[0]}: fine-tune that, or by another "
            "method than lora"
        )
    return inner


def fingerprint(folder):
    """The SHA-256 of the names and contents of all files that make a model what it is, as text.

    Of an adapter the files of its base are among them.
    """
    found = hashlib.sha256()
    for place in (Path(folder), *_base_of_adapter(folder)):
        for path in sorted(place.rglob("*")):
            if path.suffix in WHAT_MAKES_IT and path.is_file():
                found.update(f"{path.relative_to(place).as_posix()}\0".encode())
                with path.open("rb") as file:
                    found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def _base_of_adapter(folder):
    """The folder of the base in a list, if the folder has a fine-tuned model that is an adapter."""
    inner = model_folder(folder)
    base = PretrainedFolder(inner).json(TASK).get("base") if inner is not None else None
    return [] if base is None else [Path(base)]


def load_encoder(folder):
    """The model of a folder, which turns a text into a vector. ValueError if it does not.

    Of a model that was fine-tuned that is its base, with the adapter if there is one.
    """
    inner = model_folder(folder)
    if inner is not None:
        model = finetune.load_finetuned(inner)[0].base
    else:
        model = finetune.load_base(folder, finetune.tasks.Task)
    if not hasattr(model, "embed"):
        raise ValueError(
            f"{folder} has a {type(model).__name__}, which goes on with texts: a vector of a text "
            "comes from an encoder, such as BERT"
        )
    return model


def vectors_of(model, texts):
    """The vector of each text (n, d), with a progress bar in a terminal if there are many."""
    parts = [texts[i : i + AT_ONCE] for i in range(0, len(texts), AT_ONCE)]
    shown = "auto" if len(parts) > 1 else 0
    return np.concatenate([model.embed(part) for part in progress(parts, "Reading", shown)])
