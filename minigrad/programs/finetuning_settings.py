"""What a fine-tuning is told: the data, the task, the method, and when to end."""

from inspect import signature
from typing import NamedTuple

import kernels

from .. import finetune
from ..finetune.tasks.chat_templates import placeholders
from ..registry import check_number, look_up

# What is new may take large steps, and what was learned before only small ones.
RATES = {
    **{"full": 1e-4, "frozen": 1e-4, "last_blocks": 2e-4, "gradual": 2e-4, "layerwise": 2e-4},
    **{"head": 3e-3, "bitfit": 2e-3, "lora": 1e-3},
}
LENGTH = 128  # tokens of a text, unless the model reads fewer


class Settings(NamedTuple):
    """What decides how a fine-tuning ends.

    base           the folder of a pretrained model, or "minilm"
    data           a CSV file, with the names of its columns in the first line
    task, method   of finetune.tasks.TASKS and finetune.METHODS
    text, pair, question, label    the columns: what is read, a second text, a question about it,
                   and what is wanted; COLUMNS says which a task has, and the task what their names
                   are if left out
    pooling        how one vector is made of a text: "pooler", "cls", "mean" or "last"
    template       of "instruct": how a row is written down
    validation     the share of the rows that decides when to end; or another file with such rows
    test           the share of the rows that the model is tested on; or another file
    max_length     texts are cut to so many tokens; LENGTH, or as many as the model reads
    epochs         how often to learn from all rows at most
    patience       after so many epochs without a better validation loss training ends
    minutes        when to end at the latest
    batch          rows that a step learns from
    learning_rate  that of RATES if left out
    folds          from 2 up: cross-validation in so many parts, beside the rest
    seed           of the parts, the new weights and the order
    rank, alpha, dropout, rslora, targets    of LoRA
    blocks         how many learn, with "last_blocks"
    decay          from block to block, with "layerwise"
    pattern        what does not learn, with "frozen"
    device         where it learns: "cpu", "cuda" (a GPU of NVIDIA) or "simulator"
    """

    base: str
    data: str
    task: str = "classify"
    method: str = "lora"
    text: str = None
    pair: str = None
    question: str = None
    label: str = None
    pooling: str = None
    template: str = None
    validation: str = "0.15"
    test: str = "0.2"
    max_length: int = None
    epochs: int = 10
    patience: int = 3
    minutes: float = None
    batch: int = 16
    learning_rate: float = None
    folds: int = None
    seed: int = 0
    rank: int = None
    alpha: float = None
    dropout: float = None
    rslora: bool = None
    targets: list = None
    blocks: int = None
    decay: float = None
    pattern: list = None
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    device: str = "cpu"


LEAST = {"epochs": 1, "patience": 1, "batch": 1, "max_length": 3, "folds": 2}
# {option: the argument of the methods that have it}
OF_METHODS = {
    **{"rank": "r", "alpha": "alpha", "dropout": "dropout", "rslora": "use_rslora"},
    **{"targets": "targets", "blocks": "blocks", "decay": "decay", "pattern": "pattern"},
}
# {task: {argument of the task: the option that names its column}}
COLUMNS = {
    "classify": {"text": "text", "pair": "pair", "label": "label"},
    "regress": {"text": "text", "pair": "pair", "target": "label"},
    "tag": {"words": "text", "tags": "label"},
    "answer": {"context": "text", "question": "question", "answer": "label"},
    "match": {"first": "text", "second": "pair", "score": "label"},
    "mask": {"text": "text"},
    "continue": {"text": "text"},
    "instruct": {"instruction": "text", "response": "label"},
}
_OF_SOME_TASKS = ("text", "pair", "question", "label", "pooling", "template")


def choose(options, saved=None):
    """The Settings that options, a dict, and defaults give; or those of a training that goes on.

    saved  the settings of that training, a dict: options are to be the same. Where base and files
           lie may have changed
    """
    if saved is None:
        return check(Settings(**options))
    for name, value in options.items():
        if value != saved[name] and not _are_places(name, value, saved[name]):
            raise ValueError(
                f"a fine-tuning goes on with the settings that it was begun with: {name} was "
                f"{saved[name]}. Received: {value}"
            )
    return Settings(**{**saved, **options})


def _are_places(name, *values):
    """Whether both values of a setting say where something lies."""
    is_part = name in ("validation", "test")
    return name in ("base", "data") or (is_part and {share_of(name, x) for x in values} == {None})


def check(settings):
    """The Settings, with a learning rate. ValueError for the first one that cannot be."""
    look_up("task", settings.task, finetune.tasks.TASKS)
    look_up("method", settings.method, finetune.METHODS)
    for name, least in LEAST.items():
        value = getattr(settings, name)
        if value is not None and value < least:
            raise ValueError(f"{name} is an integer from {least} up. Received: {name}={value}")
    for name in ("minutes", "learning_rate"):
        if getattr(settings, name) is not None:
            check_number(name, getattr(settings, name), positive=True)
    if settings.device != "cpu":
        kernels.device(settings.device)  # or an error, before anything is done
    if settings.seed < 0:
        raise ValueError(f"seed is an integer from 0 up. Received: seed={settings.seed}")
    for name in ("validation", "test"):
        share_of(name, getattr(settings, name))
    method_of(settings)
    _check_task_options(settings)
    if settings.learning_rate is None:
        settings = settings._replace(learning_rate=RATES[settings.method])
    return settings


def columns_of(settings):
    """{argument of the task: the name of its column} of the columns that there are."""
    kind = finetune.tasks.TASKS[settings.task]
    known = signature(kind).parameters
    if settings.template is not None and "{" in settings.template:
        *read, wanted = placeholders(settings.template)
        return {**{name: name for name in read}, wanted: wanted}
    given = {
        argument: getattr(settings, option) or known[argument].default
        for argument, option in COLUMNS[settings.task].items()
    }
    columns = {argument: name for argument, name in given.items() if name is not None}
    if len(set(columns.values())) < len(columns):
        raise ValueError(f"each column has another name. Received: {', '.join(columns.values())}")
    return columns


def label_of(task):
    """The name of the column of what is wanted; None if the task has none."""
    [name] = [name for name, kind in finetune.tasks.TASKS.items() if type(task) is kind]
    wanted = [argument for argument, o in COLUMNS[name].items() if o == "label"]
    return getattr(task, wanted[0]) if wanted else None


def _check_task_options(settings):
    """ValueError for an option that the task does not have."""
    known = [*COLUMNS[settings.task].values()]
    parameters = signature(finetune.tasks.TASKS[settings.task]).parameters
    known += [name for name in ("pooling", "template") if name in parameters]
    for option in _OF_SOME_TASKS:
        value = getattr(settings, option)
        if value is not None and option not in known:
            raise ValueError(
                f"--{option} is none of {settings.task}'s options. Received: {option}={value}"
            )


def share_of(name, value):
    """The share of the rows that is meant, a float; None if it is a file."""
    try:
        share = float(value)
    except ValueError:
        return None
    if not 0 < share <= 0.5:
        raise ValueError(
            f"{name} is a share above 0 and at most 0.5, or a file. Received: {name}={value}"
        )
    return share


def own_files(settings):
    """{part: its file} of validation and test, where they are files and no shares."""
    values = {name: getattr(settings, name) for name in ("validation", "test")}
    return {name: value for name, value in values.items() if share_of(name, value) is None}


def method_of(settings, head=None):
    """The Method, with those of its options that were given."""
    kind = finetune.METHODS[settings.method]
    known = signature(kind).parameters
    given = {option: getattr(settings, option) for option in OF_METHODS}
    chosen = {}
    for option, value in given.items():
        if value is None:
            continue
        if OF_METHODS[option] not in known:
            raise ValueError(
                f"--{option} is none of {settings.method}'s options. Received: {option}={value}"
            )
        chosen[OF_METHODS[option]] = value
    if settings.method == "frozen" and "pattern" not in chosen:
        raise ValueError("--method frozen needs a --pattern of what is not to learn")
    return kind(**chosen, head=head)
