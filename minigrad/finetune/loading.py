"""Pretrained models from folders as Hugging Face lays them out.

Nothing is run that comes with a model. Its weights are mapped into memory: a model is there at
once, and its numbers are read as they are used.
"""

from contextlib import contextmanager
from fnmatch import fnmatchcase
from inspect import signature
from types import SimpleNamespace

import numpy as np

from .. import checkpoint
from ..bounded_json import shorten
from ..layers import Dense
from ..layers.layer import unfilled_weights
from ..registry import check_number
from ..text import TOKENIZER_FILES, load_tokenizer
from . import sentence_folder
from .families import Settings, family_of_config
from .folder import PretrainedFolder

CONFIG = "config.json"
_LONGEST_NAME = 200  # of a weight, in a message
_MOST_LAYERS = 256  # which is twice as many as those of the deepest model
# Each is an axis of some weight, or a part of one. To find out by making the weights of a model is
# too late where a size is absurd.
_SIZES = ("vocabulary_size", "hidden_dim", "intermediate_dim", "num_heads")
_SIZES += ("num_key_value_heads", "head_dim", "num_classes")


def from_pretrained(path, head=None, dtype="float32", dropout=None):
    """The model in a folder as Hugging Face lays it out, with its weights and its tokenizer.

    BERT, also in a folder of sentence-transformers, GPT-2, Llama, Qwen2, Qwen3: a models.BERT, GPT
    or Llama. `.tokenizer` is that of the folder, or None if it has none; a BERT has `.embed(texts)`
    too, by the folder's own pooling if there is one.

    path     a folder with config.json and model.safetensors, or its shards and their index
    head     of a BERT: None for features alone, "tokens" or "classes", if the folder has that head;
             other models have theirs, for tokens, always. With "classes", `.labels` are the names
             of the classes that the folder has
    dtype    of the model; F64, F32, F16 and BF16 in the files are converted
    dropout  the model's share, in the place of the folder's

    Weights that need no conversion stay in the mapped file until they are changed, which changes
    nothing there. While the model lives, nobody may write into the file; it may be replaced, as
    `save_pretrained` does.

    ValueError for an argument or a setting that no model here has; and if any weight is missing,
    unexpected or of another shape: one message lists them all. Heads that the model was not asked
    to have may be there.
    """
    folder, sentences = sentence_folder.open_folder(PretrainedFolder(path))
    settings = Settings(folder.json(CONFIG), folder.path / CONFIG, dropout)
    family = family_of_config(settings)
    _check_arguments(family.model, head, dtype, dropout)
    stored = _renamed(family, folder)
    with _errors_of(settings), unfilled_weights():
        options = _arguments(family, settings, head, stored)
        model = family.model(**options, dtype=dtype)
    try:
        _fill(model, family, stored)
    except ValueError as error:
        asked = "" if head is None else f"\nThe model was asked to have head={head!r}"
        raise ValueError(f"{folder.path}: {error}{asked}") from error
    model.tokenizer = read_tokenizer(folder, model)
    if sentences is not None:
        most = model.max_sequence_length
        if sentences.max_length is not None and sentences.max_length > most:
            raise ValueError(
                f"{folder.path}: texts are read to {sentences.max_length} tokens, max_seq_length, "
                f"and the model has {most} positions"
            )
        model.pooling = sentences
    return model


def _check_arguments(kind, head, dtype, dropout):
    """ValueError that names an argument of `from_pretrained` which a model of a class cannot have.

    Later it would look as if it came from the folder.
    """
    name, known = kind.__name__, signature(kind).parameters
    heads = (None, "tokens", "classes") if "head" in known else (None, "tokens")
    if not any(head == one for one in heads):
        raise ValueError(
            f"head of a {name} is one of {', '.join(map(repr, heads))}. Received: "
            f"head={shorten(head)}"
        )
    if dropout is not None and "dropout" not in known:
        raise ValueError(f"a {name} has no dropout. Received: dropout={shorten(dropout)}")
    if dropout is not None:
        check_number("dropout", dropout, below=1)
    try:
        is_floating = dtype is not None and np.dtype(dtype).kind == "f"
    except TypeError:
        is_floating = False
    if not is_floating:
        raise ValueError(
            f"dtype is that of floating numbers, as 'float32'. Received: dtype={shorten(dtype)}"
        )


def _renamed(family, folder):
    """{name: StoredArray} of the weights, by the names that today's files have."""
    stored = folder.weights()
    for name in list(stored):
        for old, new in family.renamed.items():
            if name.endswith(old):
                today = name.removesuffix(old) + new
                if today in stored:
                    raise ValueError(f"{folder.path} has {shorten(name)} and {shorten(today)} too")
                stored[today] = stored.pop(name)
    return stored


@contextmanager
def _errors_of(settings):
    """What goes wrong inside is wrong with the settings: a ValueError that says where they are."""
    try:
        yield
    except (ArithmeticError, AttributeError, MemoryError, TypeError, ValueError) as error:
        place = str(settings.place)
        known = str(error).startswith(place)
        raise ValueError(str(error) if known else f"{place}: {error}") from error


def _arguments(family, settings, head, stored):
    arguments = family.arguments(settings, head, stored)
    longest = max((max(1, *x.shape) for x in stored.values() if len(x.data)), default=0)
    for name, most in {**dict.fromkeys(_SIZES, longest), "num_layers": _MOST_LAYERS}.items():
        size = arguments.get(name)
        if isinstance(size, int) and size > most:
            raise ValueError(f"{name} may be {most} with these weights. Received: {shorten(size)}")
    return arguments


def _fill(model, family, stored):
    """Give a model its weights, {name: StoredArray}. ValueError lists all that does not fit."""
    weights = model.weights()
    has_prefix = any(name.startswith(family.prefix) for name in stored)
    begins = "" if has_prefix else family.prefix  # what the names of this file begin without

    def in_file(name):
        return name.removeprefix(begins)

    names = {path: family.name(path) for path in weights}
    expected = {}
    for path, name in names.items():
        shape = weights[path].shape
        expected[in_file(name.theirs)] = shape[::-1] if name.is_transposed else shape
    tied = {in_file(copy): in_file(name) for copy, name in family.tied.items()}
    copies = {x: tied[x] for x in stored if x not in expected and tied.get(x) in expected}
    _compare(expected, stored, _others(family, stored, expected) | copies, model.dtype)
    for copy, name in copies.items():
        _check_copy(copy, stored[copy], name, stored[name])

    owners = {path: layer for path, layer in model.walk() if isinstance(layer, Dense)}
    for path, name in names.items():
        array = stored[in_file(name.theirs)].array(model.dtype)
        if name.is_transposed:
            owners[path.rpartition(".")[0]].take_transposed(array)
        else:
            weights[path].data = array


def _others(family, stored, expected):
    """{name} of what is in the files and of no use: other heads, and what is no weight."""
    return {
        name: None
        for name in stored
        if name not in expected
        and (
            name.startswith(family.heads)
            or any(fnmatchcase(name.removeprefix(family.prefix), x) for x in family.ignored)
        )
    }


def _compare(expected, stored, left, dtype):
    """ValueError unless the files have the names and shapes that are expected, and numbers."""
    came = {
        name[:_LONGEST_NAME]: SimpleNamespace(
            shape=array.shape,
            dtype=np.dtype(dtype) if array.numpy_dtype.kind == "f" else array.numpy_dtype,
        )
        for name, array in stored.items()
        if name not in left
    }
    checkpoint.compare({name: (shape, dtype) for name, shape in expected.items()}, came)


def _check_copy(copy, copied, name, original):
    """ValueError unless two weights that are one in the model are alike."""
    if copied.shape != original.shape or not np.array_equal(copied.array(), original.array()):
        raise ValueError(
            f"{copy} is not {name}, which it is in the model, whose output has the weight of the "
            "embedding"
        )


def read_tokenizer(folder, model):
    """The folder's tokenizer, or None. ValueError if it has ids that the model does not know."""
    there = [name for name in TOKENIZER_FILES if folder.has(name)]
    for name in there:
        folder.file(name)  # an error if it leads out of the folder
    if not there:
        return None
    tokenizer = load_tokenizer(folder.path)
    if tokenizer.vocabulary_size > model.vocabulary_size:
        raise ValueError(
            f"{folder.path}: the tokenizer has {tokenizer.vocabulary_size} tokens, and the model "
            f"{model.vocabulary_size}: they do not belong together"
        )
    return tokenizer
