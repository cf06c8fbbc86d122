"""Fine-tuned models in folders: the model or its adapter, and the task, to be used as it was.

minigrad_task.json names the task, with all of its settings. Beside it is either the whole model, as
Hugging Face lays it out; or, where nothing but an adapter and the head has learned, these alone, as
PEFT lays them out, and then the file names the folder of the base; that it holds the same base
still is seen by a fingerprint, as in `load_adapter`.

Where transformers has a model that gives the same logits, the head has its name there. It has none
for texts that are pooled otherwise, as by a mean: that head is called `head`, so that nobody takes
it for another.
"""

import json
import os
import re
from pathlib import Path

import numpy as np

from .. import checkpoint, models
from ..atomic import replacing
from ..bounded_json import shorten
from ..registry import look_up
from .adapters import adapter_names
from .base_fingerprint import base_differences, base_fingerprint
from .families import family_of_model
from .folder import PretrainedFolder
from .loading import CONFIG, from_pretrained, read_tokenizer
from .peft_folder import load_adapter, save_adapter
from .saving import WEIGHTS, save_pretrained, their_layers
from .tasks import TASKS
from .tasks.task import padding

TASK = "minigrad_task.json"
ADAPTER = "adapter_config.json"


def load_base(path, task):
    """The pretrained model in a folder, with its tokenizer, as a task needs it.

    path  a folder as Hugging Face lays it out, or of a `minigrad train gpt` or `train bert`
    task  a Task, or its class: MaskedLanguage needs the head that BERT was pretrained with
    """
    folder = PretrainedFolder(path)
    if folder.has(CONFIG) or not folder.has(WEIGHTS):
        return from_pretrained(path, head=task.base_head)
    model = models.load_model(folder.file(WEIGHTS))
    if not isinstance(model, (models.BERT, models.GPT, models.Llama)):
        raise ValueError(f"{path} has a {type(model).__name__}, which does not read text")
    model.tokenizer = read_tokenizer(folder, model)
    return model


def save_finetuned(model, task, path, base=None):
    """Write a model of a task into a folder, for `load_finetuned`.

    base  the folder that the base was read from: of a model with an adapter, that and the head are
          written alone, and the base is read from there again

    ValueError for a model with several adapters, or with one and no `base`, or with one that was
    learned on other weights than the folder has.
    """
    [name] = [name for name, kind in TASKS.items() if type(task) is kind]
    described = {"task": name, "settings": task.get_config(), "base": None}
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    names = adapter_names(model)
    if base is not None and len(names) == 1:
        _check_base(base, model, task)
        described["base"] = str(Path(base).resolve())
        kind = {"task_type": task.peft_type if _is_known(model) else None}
        kind["conv1d"] = isinstance(model.base, models.GPT)
        save_adapter(model, folder, names[0], _names(model, task), described["base"], **kind)
    elif names:
        raise ValueError(
            "a model with an adapter is saved beside base=, the folder of its base; or as a whole "
            "after merge(model, for_good=True). "
            f"Received: base={base}, adapters {', '.join(names)}"
        )
    else:
        save_pretrained(model.base, folder, _head(model, task), _settings(model, task))
    with replacing(folder / TASK) as file:
        file.write((json.dumps(described, indent=2) + "\n").encode())


def load_finetuned(path, base=None, any_base=False):
    """(model, task) of a folder that `save_finetuned` wrote; the tokenizer is the base's.

    base      of an adapter: where its base is now, if no longer in the folder that it names
    any_base  of an adapter: whether that may be another base than the one it was learned on

    ValueError if the folder is damaged, or no such one; and for another base.
    """
    folder = PretrainedFolder(path)
    if not folder.has(TASK):
        raise ValueError(f"{folder.path} has no {TASK}: no fine-tuned model was saved there")
    place, described = folder.path / TASK, folder.json(TASK)
    task = _task(described, place)
    base = described.get("base") if base is None else base
    if base is not None and not (isinstance(base, (str, os.PathLike)) and os.path.isdir(base)):
        raise ValueError(
            f"{place}: the base is a folder, and there is none {shorten(base)}. If it is elsewhere "
            "now, load_finetuned(..., base=FOLDER) takes it from there"
        )
    is_adapter = folder.has(ADAPTER)
    if is_adapter != (base is not None):
        raise ValueError(f"{place}: an adapter needs a base, and another model has none")
    base_model = load_base(base if is_adapter else path, task)
    try:
        model = task.model(base_model)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    if is_adapter:
        load_adapter(model, path, names=_names(model, task), any_base=any_base)
    else:
        _fill_head(model, task, folder)
    return model, task


def _task(described, place):
    """The Task that the file describes."""
    if not isinstance(described, dict) or not isinstance(described.get("settings"), dict):
        raise ValueError(f"{place} describes no task, but {shorten(described)}")
    try:
        kind = look_up("task", described.get("task"), TASKS)
        return kind.from_config(described["settings"])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{place}: {error}") from error


def _check_base(folder, model, task):
    """ValueError unless the folder has what the adapter of a model stands beside."""
    learned = [path for path, weight in model.weights().items() if weight.requires_grad]
    heads = [path.rpartition(".")[0] for path in learned]
    of_base = [path.removeprefix("base.") for path in heads]
    there = base_fingerprint(load_base(folder, task), of_base)
    if found := base_differences(there, base_fingerprint(model, heads)):
        raise ValueError(
            f"the adapter was learned on another base than that in {folder}, from where it would "
            f"be read again. What differs is {'; and '.join(found)}. merge(model, for_good=True) "
            "makes one model of both, which is saved without base="
        )


def _has_head(model):
    return hasattr(model, "head")


def _is_known(model):
    """Whether transformers pools texts as this model does, if it does so at all."""
    usual = "pooler" if isinstance(model.base, models.BERT) else "last"
    return getattr(model, "pooling", usual) == usual


def _head_name(model, task):
    """What transformers calls the head of such a task: that of BERT, or of a model that writes."""
    if not _is_known(model):
        return "head"
    return task.head_name if isinstance(model.base, models.BERT) else "score"


def _settings(model, task):
    """What config.json says of the head, so that transformers makes the same model."""
    if not (_has_head(model) and _is_known(model)):
        return {}
    [of_base] = family_of_model(model.base).config(model.base)["architectures"]
    family = re.split("LMHead|Model|For", of_base)[0]  # such as Bert, or GPT2
    settings = {"architectures": [f"{family}For{task.architecture}"], **task.head_settings}
    if model.base.tokenizer is not None:  # which tells their model where a text ends
        settings["pad_token_id"] = padding(model.base.tokenizer)
    return settings


def _head(model, task):
    """{name: array} of the head, as in transformers; the weight is (out, in) there."""
    if not _has_head(model):
        return {}
    name = _head_name(model, task)
    found = {f"{name}.weight": model.head.weight.numpy().T}
    if model.head.use_bias:
        found[f"{name}.bias"] = model.head.bias.numpy()
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def _fill_head(model, task, folder):
    """Give the head its weights. ValueError if the folder lacks them, or has other shapes."""
    stored = folder.weights()
    expected = _head(model, task)
    found = {name: stored[name].array(model.dtype) for name in expected if name in stored}
    try:
        checkpoint.compare({name: (a.shape, a.dtype) for name, a in expected.items()}, found)
    except ValueError as error:
        raise ValueError(f"{folder.path}: {error}") from error
    for name, array in found.items():
        part = name.rpartition(".")[2]
        getattr(model.head, part).assign(array.T)


def _names(model, task):
    """{path of a layer: its path in PEFT's folders}"""
    has_head = _has_head(model)
    layers = their_layers(model.base, has_head and _is_known(model))
    found = {f"base.{ours}": theirs for ours, theirs in layers.items()}
    return found | ({"head": _head_name(model, task)} if has_head else {})
