"""Fine-tuning: a model that has learned one task is the start for another.

The lower layers of a network find features that serve more than the task they were learned for, and
a small data set is enough to learn what is new on top of them. So the weights of the old model are
loaded into a new one, all but those of its head, the last layer, which has other classes to tell
apart; or the head of the old model is replaced. Then `fit` goes on, with a smaller learning rate or
with the lower layers frozen, since few examples could spoil what many have taught:

    model.build((None, 64))
    report = finetune.load_pretrained_weights(model, "digits.safetensors", skip="2")
    finetune.freeze(model, "0")
    model.compile(optimizers.Adam(0.0003), "sparse_categorical_crossentropy")
    model.fit(x_few, y_few, epochs=50)

A method says what learns, and how fast: `Full`, `HeadOnly`, `LastBlocks`, `LoRA` and others, which
are all used alike:

    callbacks = finetune.prepare(model, finetune.LoRA(r=8, targets=["query", "value"]))
    model.compile(optimizers.Adam(0.001), "sparse_categorical_crossentropy")
    model.fit(x_few, y_few, epochs=10, callbacks=callbacks)
    finetune.save_adapter(model, "adapter")

A task, such as `tasks.Classify`, makes arrays of rows of text, and gives a model its head.

The folder holds the adapter and the head, as the library PEFT writes and reads them; `model.save`
writes all. `merge` makes an adapter part of the weights it changes, and `unmerge` takes it out.

Weights are named by their paths, such as "2.bias", and chosen by patterns: * stands for any text,
? for one character, [01] for one of these (Python's fnmatch, where case matters).
"""

from . import tasks
from .adapters import adapter_names, merge, remove_adapter, unmerge, use_adapters
from .finetuned import load_base, load_finetuned, save_finetuned
from .folder import PretrainedFolder
from .freezing import freeze, unfreeze
from .heads import replace_head
from .loading import from_pretrained
from .methods import (
    METHODS,
    BitFit,
    Frozen,
    Full,
    GradualUnfreezing,
    HeadOnly,
    LastBlocks,
    LayerWise,
    LoRA,
    Method,
    prepare,
)
from .minilm import minilm_folder
from .peft_folder import load_adapter, save_adapter
from .pretrained import PretrainedReport, load_pretrained_weights
from .saving import save_pretrained, their_layers
from .stages import stages

__all__ = [
    "METHODS",
    "BitFit",
    "Frozen",
    "Full",
    "GradualUnfreezing",
    "HeadOnly",
    "LastBlocks",
    "LayerWise",
    "LoRA",
    "Method",
    "PretrainedFolder",
    "PretrainedReport",
    "adapter_names",
    "freeze",
    "from_pretrained",
    "load_adapter",
    "load_base",
    "load_finetuned",
    "load_pretrained_weights",
    "merge",
    "minilm_folder",
    "prepare",
    "remove_adapter",
    "replace_head",
    "save_adapter",
    "save_finetuned",
    "save_pretrained",
    "stages",
    "tasks",
    "their_layers",
    "unfreeze",
    "unmerge",
    "use_adapters",
]
