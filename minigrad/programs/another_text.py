"""LoRA on a GPT: one that has read Python's code learns the English of its docstrings in seconds.

What learns is an adapter, a few numbers beside the GPT's own, which stay as they are: with the
adapter it knows the new kind of text better and the old one worse, and without it nothing changed.
"""

import inspect
import math
import re

import numpy as np

from .. import data, finetune, models, optimizers, random, text
from . import pretrain
from .pretraining_backup import Progress
from .pretraining_report import sample
from .pretraining_settings import Settings
from .report import table

# After the line that begins a class or a function.
DOCSTRING = re.compile(r':\n\s*[rR]?"""(.+?)"""', re.DOTALL)
SHORTEST = 80  # letters of a docstring that is more than a label
MOST = 2_000_000  # letters to learn from
RATE = 0.01
BATCH = 8
MEASURED = 60_000  # letters of each kind of text
ENGLISH, PYTHON = "English of docstrings", "Python files"
PROMPT = "Return the"
WRITTEN = 60  # tokens


def another_text(gpt, folder, report, minutes):
    """Teach the GPT of a folder English; returns how many bits per byte of it that saves.

    gpt      the folder of a `pretrain("gpt", ...)`
    folder   the adapter is written to it
    minutes  of training
    """
    model = models.load_model(gpt / "model.safetensors")
    tokenizer = text.load_tokenizer(gpt)
    task = pretrain.NextToken(Settings("gpt", context=model.max_sequence_length), tokenizer)
    seen, unseen = data.python_source()
    prose = _prose(seen)[:MOST]
    kinds = {ENGLISH: _prose(unseen)[:MEASURED], PYTHON: "".join(unseen.values())[:MEASURED]}
    ids = np.array(tokenizer.encode_ordinary(prose))
    report.say(f"docstrings of Python's standard library, {len(prose):,} letters to learn from")
    report.say("both kinds of text are measured in files that no training has seen")

    before = _measure(model, task, kinds)
    written = [_written(model, tokenizer)]
    random.seed(0)
    finetune.prepare(model, finetune.LoRA(r=8, alpha=16))
    learned = sum(p.size for p in model.parameters() if p.requires_grad)
    report.say(f"LoRA: {learned:,} of {model.count_params():,} parameters learn")
    _train(model, task, ids, minutes, report)
    after = _measure(model, task, kinds)
    finetune.save_adapter(model, folder, base=str(gpt))

    model = models.load_model(gpt / "model.safetensors")
    finetune.load_adapter(model, folder)
    if _measure(model, task, kinds) != after:
        raise ValueError(f"the adapter in {folder} is otherwise than the one that was saved")
    rows = [[name, f"{before[name]:.3f}", f"{after[name]:.3f}"] for name in kinds]
    report.say(f"\n{table(['bits per byte of', 'the GPT', 'with its adapter'], rows)}\n")
    sizes = [
        (where / name).stat().st_size / 1000
        for where, name in ((folder, "adapter_model.safetensors"), (gpt, "model.safetensors"))
    ]
    report.say(f"the adapter in {folder} has {sizes[0]:,.0f} kB, and the GPT {sizes[1]:,.0f} kB")
    written.append(_written(model, tokenizer))
    for who, shown in zip(("the GPT", "the GPT with the adapter, read again,"), written):
        report.say(f"\n{who} goes on after {PROMPT!r}:\n{sample(shown)}")
    return before[ENGLISH] - after[ENGLISH]


def _prose(files):
    """The docstrings in {path: code}, in random order, as one text."""
    found = [
        inspect.cleandoc(docstring)
        for code in files.values()
        for docstring in DOCSTRING.findall(code)
        if len(docstring) >= SHORTEST
    ]
    order = np.random.default_rng(0).permutation(len(found))
    return "\n\n".join(found[i] for i in order)


def _train(model, task, ids, minutes, report):
    """Learn from random windows until the time is over, with a rate that falls to nothing."""
    objective, parameters = pretrain.Objective(model), model.parameters()
    generator = random.generator()
    optimizer = optimizers.AdamW(weight_decay=0.0, global_clipnorm=pretrain.LARGEST)
    progress, said = Progress(None, minutes), 0
    progress.begin()
    while not progress.is_over:
        optimizer.learning_rate = RATE * (1 - progress.done)
        windows = data.random_windows(ids, BATCH, task.window, generator)
        progress.count(pretrain.add_gradients(objective, *task.examples(windows, generator)))
        optimizer.step(parameters)
        pretrain.forget_gradients(parameters)
        if progress.done > (said + 1) / 5:
            said += 1
            report.say(f"step {progress.step:5,}: loss {np.mean(progress.losses[-50:]):.4f}")


def _measure(model, task, texts):
    """{name: how many bits the model needs for each byte} of {name: text}."""
    found = {}
    for name, content in texts.items():
        ids = np.array(task.tokenizer.encode_ordinary(content))
        windows = data.all_windows(ids, BATCH, task.window, task.overlap)
        loss = pretrain.evaluate(pretrain.Objective(model), task, windows)
        found[name] = loss / math.log(2) * len(ids) / len(content.encode())
    return found


def _written(model, tokenizer):
    """What a model writes after the prompt, with it."""
    pieces = text.stream(model, tokenizer, PROMPT, WRITTEN, temperature=0.7, seed=0)
    return PROMPT + "".join(pieces)
