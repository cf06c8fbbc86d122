"""What fine-tuning buys: ways to learn one task from few examples, side by side.

A pretrained model learns from a few hundred sentences of Python's documentation what each is about,
by each method of `finetune`. Beside them stand the same network with random weights, which has not
been pretrained, and a logistic regression on counted words, which knows no English at all.

Each run is a process of its own, so that its memory can be measured. All ways learn from the same
examples, and a seed decides which they are. The test part has files of its own.
"""

import json
import math
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import numpy as np

from .. import data, finetune, models
from ..atomic import alone_in, remove_leftovers, replacing
from ..bounded_json import parse_json
from ..environment import differences
from ..registry import is_integer, look_up
from . import ablation_picture
from .ablation_run import ABOUT, PENALTY, RANDOM, WAYS, WORDS
from .report import Report, check_seeds, spread
from .text_base import base_folder, fingerprint

EPOCHS = 6
EXAMPLES = 320
MAX_LENGTH = 24  # tokens of a sentence
VALIDATION = 200  # sentences, of which the accuracy is taken after each epoch
SCORES = {"accuracy": "accuracy", "precision": "precision", "recall": "recall"}
SCORES["f1_score"] = "macro-F1"
RUNS, TABLE, PICTURE = "runs.json", "ablation.md", "ablation.png"


def ablation(base="minilm", methods=None, seeds=3, examples=EXAMPLES, out="runs/ablation"):
    """Compare ways to learn a task; write a table, a picture, and what each run has found.

    base      the folder of a pretrained BERT, or "minilm"
    methods   some of ABOUT, with commas between them (default: all)
    seeds     how often each is repeated, with other examples, new weights and order
    examples  sentences to learn from
    out       the folder for all of it. Runs that are there already, with the same settings, are
              not repeated: what was interrupted goes on

    Returns {way: [figures of each seed]}.
    """
    check_seeds(seeds)
    ways = check_ways(methods)
    source = base_folder(base)
    check_base(source)
    parts = data.docstring_topics()
    labels = sorted({row["label"] for row in parts["train"]})
    check_examples(examples, len(labels), len(parts["train"]))
    parts["validation"] = parts["validation"][:VALIDATION]
    settings = settings_of(source, parts, examples)

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        remove_leftovers(folder)
        runs = Runs(folder / RUNS, settings)
        report = Report(folder / "report.txt")
        say_task(report, parts, labels, examples)
        report.stage("Training")
        for seed in range(seeds):
            rows = parts | {"train": draw(parts["train"], examples, seed)}
            for way in ways:
                order = {"base": str(source), "rows": rows, "labels": labels, "seed": seed}
                order |= {"way": way, "epochs": EPOCHS, "max_length": MAX_LENGTH}
                report.say(f"  {ABOUT[way]}, seed {seed}: {describe(runs.get(order))}")
        results = {way: [runs.of(way, seed) for seed in range(seeds)] for way in ways}
        write(report, folder, results)
    return results


# ---- What is asked for ---------------------------------------------------------------------------


def check_ways(methods):
    """The names of the ways that are meant, in the order of ABOUT."""
    if methods is None:
        return list(ABOUT)
    chosen = [name.strip() for name in methods.split(",")]
    for name in chosen:
        look_up("method", name, ABOUT)
    return [name for name in ABOUT if name in chosen]


def check_base(folder):
    """ValueError unless the folder has a model that all ways can start from."""
    base = finetune.from_pretrained(folder)
    if not isinstance(base, models.BERT) or base.num_layers < 2:
        raise ValueError(f"an ablation needs a BERT of 2 blocks or more. Received: {base!r}")


def check_examples(examples, least, most):
    """ValueError for a number of examples that there are not."""
    if not is_integer(examples, least, most):
        raise ValueError(
            f"examples is an integer from {least} to {most}, as many as there are. "
            f"Received: {examples=}"
        )


def settings_of(source, parts, examples):
    """{name: text} of all that decides what a run finds, but for its way and seed."""
    return {
        "base": fingerprint(source),
        "sentences": sha256(json.dumps(parts).encode()).hexdigest(),
        "examples": str(examples),
        "epochs": str(EPOCHS),
        "tokens": str(MAX_LENGTH),
        "ways": json.dumps(WAYS),
        "penalty": str(PENALTY),
    }


def draw(rows, examples, seed):
    """So many of the rows, which the seed decides."""
    chosen = np.random.default_rng(seed).permutation(len(rows))[:examples]
    return [rows[i] for i in chosen]


# ---- Runs ----------------------------------------------------------------------------------------


class Runs:
    """What the runs have found, kept in a file, so that none is done twice.

    ValueError if the file has runs of other settings, or is damaged.
    """

    def __init__(self, path, settings):
        self.path, self.settings, self.found = path, settings, {}
        if path.exists():
            self.found = self._read()

    def _read(self):
        try:
            content = parse_json(self.path.read_bytes())
            settings, found = content["settings"], content["runs"]
            others = differences(settings, self.settings)
            complete = all({"seconds", "curve", *SCORES} <= run.keys() for run in found.values())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path} is damaged: delete it. {error}") from error
        if not complete:
            raise ValueError(f"{self.path} is damaged: delete it. A run lacks some figures")
        if others:
            raise ValueError(
                f"{self.path} has runs of other settings: {'; '.join(others)}. Choose another "
                "--out, or delete it"
            )
        return found

    def of(self, way, seed):
        """What a run has found; None if it was not done."""
        return self.found.get(f"{way} {seed}")

    def get(self, order):
        """The same; it is done now if need be, and the file written anew."""
        way, seed = order["way"], order["seed"]
        if self.of(way, seed) is None:
            self.found[f"{way} {seed}"] = in_a_process(order)
            content = {"settings": self.settings, "runs": self.found}
            with replacing(self.path) as file:
                file.write(json.dumps(content, indent=1).encode())
        return self.of(way, seed)


def in_a_process(order):
    """What `ablation_run.run` finds, in a process of its own. ChildProcessError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "order.json"
        file.write_text(json.dumps(order), encoding="utf-8")
        command = [sys.executable, "-m", "minigrad.programs.ablation_run", str(file)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ChildProcessError(
            f"{ABOUT[order['way']]}, seed {order['seed']}: the process ended with status "
            f"{done.returncode}, and said why above. The same command goes on from here"
        )
    return json.loads(done.stdout.splitlines()[-1])


# ---- What is said --------------------------------------------------------------------------------


def say_task(report, parts, labels, examples):
    """What there is to learn, and from what."""
    report.stage("Task")
    report.say(f"which of {len(labels)} topics is a sentence about? {', '.join(labels)}")
    report.say("the sentences are those that Python's own modules are documented with")
    report.say(
        f"{examples} examples, {EPOCHS} times; {len(parts['validation'])} sentences to watch it, "
        f"and {len(parts['test'])} of other modules to test it"
    )


def write(report, folder, results):
    """The table, the picture, and what they show."""
    report.stage("On the test part: mean ± standard deviation over the seeds")
    text = markdown(*rows_of(results))
    with replacing(folder / TABLE) as file:
        file.write(f"{text}\n".encode())
    report.say(text)
    ablation_picture.draw(results, ABOUT, folder / PICTURE)
    report.say(f"\nin {folder}: {TABLE}, {PICTURE}, {RUNS}\n")
    report.say(conclusion(results))


def describe(run):
    """A run in a few words."""
    return f"{run['seconds']:.1f} s, accuracy {run['accuracy']:.3f}"


def rows_of(results):
    """Head and rows of the table: the mean of each figure over the seeds, and its spread."""
    head = ["method", "trainable", "seconds", "memory, MB", "kept, bytes", *SCORES.values()]
    rows = []
    for way, runs in results.items():
        megabytes = [math.nan if run["megabytes"] is None else run["megabytes"] for run in runs]
        means = [
            f"{np.mean([run['share'] for run in runs]):.2%}",
            f"{np.mean([run['seconds'] for run in runs]):.1f}",
            f"{np.mean(megabytes):.0f}",
            f"{np.mean([run['bytes'] for run in runs]):,.0f}",
        ]
        rows.append([ABOUT[way], *means, *(spread([r[name] for r in runs]) for name in SCORES)])
    return head, rows


def markdown(head, rows):
    """A table in Markdown, its columns aligned for those who read it as it is."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [[head[0].ljust(widths[0]), *map(str.rjust, head[1:], widths[1:])], rule]
    lines += [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def conclusion(results):
    """The best method, and what it is better than."""
    means = {way: np.mean([run["f1_score"] for run in runs]) for way, runs in results.items()}
    best = max(means, key=means.get)
    others = [f"{ABOUT[way]} {means[way]:.3f}" for way in (RANDOM, WORDS) if way in means]
    return f"best macro-F1 {means[best]:.3f}: {ABOUT[best]}" + "".join(f"; {o}" for o in others)
