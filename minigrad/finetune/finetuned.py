"""Fine-tuned models in folders: a model of a task, made again from its base and its head.

A model without adapters is saved whole: its base as Hugging Face lays it out, and the head's
weights beside the base's, under the names that are usual there. Of one with an adapter there is a
PEFT folder, and the base stays where it is. `minigrad_task.json` says what the task is.
"""

import json
from pathlib import Path

from .. import checkpoint, models
from ..atomic import replacing
from ..bounded_json import shorten
from ..registry import look_up, serialize
from ..text import load_tokenizer
from . import tasks
from .adapters import adapter_names
from .folder import PretrainedFolder
from .loading import CONFIG, from_pretrained
from .peft_folder import load_adapter, save_adapter
from .saving import WEIGHTS, save_pretrained, their_layers

TASK = "minigrad_task.json"
_TASK_TYPES = {"Classify": "SEQ_CLS", "TagTokens": "TOKEN_CLS", "AnswerQuestions": "QUESTION_ANS"}
_TASK_TYPES |= {"ContinueText": "CAUSAL_LM", "FollowInstructions": "CAUSAL_LM"}


def load_base(path, task):
    """The pretrained model in a folder, with its tokenizer, as a task needs it.

    path  a folder as Hugging Face lays it out, or of a `minigrad train gpt` or `train bert`
    task  a Task, or its class: MaskedLanguage needs the head that BERT was pretrained with
    """
    folder = PretrainedFolder(path)
    kind = task if isinstance(task, type) else type(task)
    if folder.has(CONFIG) or not folder.has(WEIGHTS):
        return from_pretrained(path, head="tokens" if kind is tasks.MaskedLanguage else None)
    model = models.load_model(folder.file(WEIGHTS))
    if not isinstance(model, (models.BERT, models.GPT, models.Llama)):
        raise ValueError(f"{path} has a {type(model).__name__}, which does not read text")
    model.tokenizer = load_tokenizer(folder.path)
    return model


def save_finetuned(model, task, path, base):
    """Write a model that `task.model` made to a folder, as a whole or as an adapter.

    base  the folder that its base came from, where an adapter will find it again

    ValueError for an adapter beside other weights of the base that learned.
    """
    folder, head = Path(path), _head_name(model, task)
    folder.mkdir(parents=True, exist_ok=True)
    about = {"task": serialize(task), "base": None}
    if adapter_names(model):
        about["base"] = str(Path(base).resolve())
        kind = _TASK_TYPES.get(type(task).__name__)
        is_conv1d = isinstance(model.base, models.GPT)
        save_adapter(model, folder, *_adapter(model, head), about["base"], kind, is_conv1d)
    else:
        arrays = {}
        if head is not None:
            arrays[f"{head}.weight"] = model.head.weight.numpy().T
            if model.head.use_bias:
                arrays[f"{head}.bias"] = model.head.bias.numpy()
        save_pretrained(model.base, folder, arrays)
    with replacing(folder / TASK) as file:
        file.write((json.dumps(about, indent=2) + "\n").encode())


def load_finetuned(path):
    """(model, task) of a folder that `save_finetuned` wrote; the base is the model's `.base`.

    ValueError for a folder that is damaged, or whose adapter does not fit its base any more.
    """
    folder = PretrainedFolder(path)
    task, base = _read_task(folder)
    model = task.model(load_base(folder.path if base is None else base, task))
    head = _head_name(model, task)
    if base is not None:
        load_adapter(model, folder.path, *_adapter(model, head))
    elif head is not None:
        _fill_head(model.head, folder, head)
    return model, task


def _read_task(folder):
    about = folder.json(TASK)
    try:
        described, base = about["task"], about["base"]
        kinds = {kind.__name__: kind for kind in tasks.TASKS.values()}
        task = look_up("task", described["class_name"], kinds).from_config(described["config"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder.path / TASK} is damaged: {error!r}") from error
    if base is not None and not isinstance(base, str):
        raise ValueError(f"{folder.path / TASK} names no base. Received: {shorten(base)}")
    return task, base


def _head_name(model, task):
    """What the head is called in Hugging Face's files; None if the model has none of its own."""
    if not hasattr(model, "head"):
        return None
    if isinstance(task, tasks.AnswerQuestions):
        return "qa_outputs"
    is_bert = isinstance(model.base, models.BERT) or isinstance(task, tasks.TagTokens)
    return "classifier" if is_bert else "score"


def _adapter(model, head):
    """The name of the model's adapter, and PEFT's paths of its layers."""
    names = {f"base.{ours}": theirs for ours, theirs in their_layers(model.base).items()}
    return (*adapter_names(model), "default")[0], names | ({} if head is None else {"head": head})


def _fill_head(layer, folder, name):
    stored = folder.weights()
    wanted = {f"{name}.weight": layer.weight}
    if layer.use_bias:
        wanted[f"{name}.bias"] = layer.bias
    found = {key: stored[key].array(layer.dtype).T for key in wanted if key in stored}
    checkpoint.compare({key: (weight.shape, weight.dtype) for key, weight in wanted.items()}, found)
    for key, weight in wanted.items():
        weight.assign(found[key])
