"""One run of the ablation, in a process of its own: a model learns a task, and is tested.

`python -m minigrad.programs.ablation_run FILE` reads what to do from a file, in JSON, and prints
what it found, likewise.
"""

import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import finetune, metrics, models, optimizers, random, schedules
from ..environment import one_blas_thread
from ..finetune.tasks import Classify
from .peak_memory import forget_the_peak, resident
from .word_model import WordModel

BATCH = 16
DECAY = 0.01  # of weights that multiply
LARGEST = 1.0  # norm of the gradient of all parameters together
PENALTY = 100.0  # C of the logistic regression; like the rates below, by the validation part


class Way(NamedTuple):
    """A way to learn from the examples.

    about    its name in tables
    rate     the learning rate at the beginning, from which it falls to 0 along a cosine
    method   of finetune.METHODS
    options  of that method
    """

    about: str
    rate: float
    method: str
    options: dict = {}


RANDOM, WORDS = "random", "words"
_BELOW_THE_BLOCKS = ["base.tokens", "base.positions", "base.segments", "base.embedding_norm"]
WAYS = {  # with rates that tests/choose_rates.py chose by the validation part
    "full": Way("all weights", 1e-4, "full"),
    "head": Way("the head alone", 5e-3, "head"),
    "frozen": Way("all but the embeddings", 1e-4, "frozen", {"pattern": _BELOW_THE_BLOCKS}),
    "last_blocks": Way("the last 2 blocks", 2e-4, "last_blocks", {"blocks": 2}),
    "gradual": Way("gradual unfreezing", 4e-4, "gradual"),
    "layerwise": Way("a rate for each block", 2e-4, "layerwise", {"decay": 0.8}),
    "bitfit": Way("BitFit: the biases", 3e-3, "bitfit"),
    "lora": Way("LoRA: r = 8, query and value", 2e-3, "lora", {"targets": ["query", "value"]}),
    RANDOM: Way("all weights, random at first", 3e-4, "full"),
}
ABOUT = {name: way.about for name, way in WAYS.items()} | {WORDS: "TF-IDF, logistic regression"}


def main(path):
    """Do what the file says; print what was found."""
    order = json.loads(Path(path).read_text(encoding="utf-8"))
    print(json.dumps(run(**order)))


@one_blas_thread
def run(way, base, rows, labels, seed, epochs, max_length):
    """{name: figure} of one way to learn, with one seed.

    way     of WAYS, or WORDS
    base    the folder of the pretrained model, a BERT
    rows    {"train": [{"text": ..., "label": ...}, ...], "validation": ..., "test": ...}
    """
    task = Classify(labels, max_length=max_length)
    if way == WORDS:
        before, began = _memory_before(), time.perf_counter()
        found, predict = _learn_words(task, rows)
    else:
        _warm_up(way)
        before, began = _memory_before(), time.perf_counter()
        random.seed(seed)
        found, predict = _learn(way, base, task, rows, epochs)
    found["seconds"] = time.perf_counter() - began
    found["megabytes"] = None if before is None else resident("VmHWM") - before
    report = metrics.classification_report(
        task.targets(rows["test"]), predict(rows["test"]), classes=range(len(labels))
    )
    macro = report.averages["macro"]
    scores = {name: macro[name] for name in ("precision", "recall", "f1_score")}
    return found | {"accuracy": report.accuracy} | scores


def fit(way, model, task, train, validation, epochs):
    """Train a model in a Way; returns the History."""
    callbacks = finetune.prepare(model, finetune.METHODS[way.method](**way.options))
    schedule = schedules.CosineDecay(way.rate, epochs * -(-len(train[1]) // BATCH))
    optimizer = optimizers.AdamW(schedule, weight_decay=DECAY, global_clipnorm=LARGEST)
    model.compile(optimizer, task.loss, task.metrics)
    told = {"validation_data": validation, "callbacks": callbacks, "verbose": 0}
    return model.fit(*train, batch_size=BATCH, epochs=epochs, **told)


def new_model(way, folder, task):
    """A model with a new head, on the base in the folder; RANDOM has none of its weights."""
    base = finetune.from_pretrained(folder)
    if way == RANDOM:
        fresh = type(base).from_config(base.get_config())
        fresh.tokenizer, fresh.pooling = base.tokenizer, base.pooling
        base = fresh
    return task.model(base)


def _learn(way, folder, task, rows, epochs):
    """What was found, and a function that gives logits (n, c) for rows."""
    model = new_model(way, folder, task)
    tokenizer = model.base.tokenizer
    train, validation = (task.examples(rows[part], tokenizer) for part in ("train", "validation"))
    history = fit(WAYS[way], model, task, train, validation, epochs)
    learned = [p for p in model.parameters() if p.requires_grad]
    found = {
        "share": sum(p.size for p in learned) / model.count_params(),
        "bytes": sum(p.size * p.dtype.itemsize for p in learned),
        "curve": history.history["val_accuracy"],
    }
    return found, lambda rows: model.predict(task.inputs(rows, tokenizer), verbose=0)


def _learn_words(task, rows):
    """The same of TF-IDF."""
    texts = {part: [row["text"] for row in some] for part, some in rows.items()}
    model = WordModel(PENALTY).fit(texts["train"], task.targets(rows["train"]), len(task.labels))
    guesses = model.predict(texts["validation"]).argmax(axis=1)
    found = {
        "share": 1.0,
        "bytes": model.weights.nbytes + model.idf.nbytes + len("\n".join(model.column).encode()),
        "curve": [float(np.mean(guesses == task.targets(rows["validation"])))],
    }
    return found, lambda rows: model.predict([row["text"] for row in rows])


def _warm_up(way):
    """Train a tiny model in the same way: so kernels and threads are there before one measures."""
    task = Classify(["a", "b"])
    model = task.model(models.BERT(8, 3, 2, 32, dropout=0.1, max_sequence_length=8, head=None))
    ids = np.arange(8).reshape(2, 4)
    examples = {"ids": ids, "mask": ids > 0}, np.array([0, 1])
    fit(WAYS[way], model, task, examples, examples, epochs=1)


def _memory_before():
    """The MB that the process has; None where the system does not tell."""
    try:
        return forget_the_peak()
    except OSError:
        return None


if __name__ == "__main__":
    main(sys.argv[1])
