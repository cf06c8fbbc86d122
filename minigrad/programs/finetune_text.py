"""`minigrad finetune`: a pretrained model learns a task from a file of texts, and is tested."""

import re
import time
from inspect import signature

import numpy as np

from .. import callbacks, finetune, models, optimizers, plots, random
from ..environment import one_blas_thread
from . import finetuned_folder, table_file
from .finetuning_evaluation import WITHOUT_BASELINE, evaluate
from .finetuning_progress import Line, StopAfter
from .finetuning_rows import (
    check_labels,
    check_numbers,
    divide,
    labels_of,
    read_rows,
    without_repeats,
)
from .finetuning_settings import (
    LENGTH,
    Settings,
    check,
    columns_of,
    method_of,
    share_of,
)
from .report import Report
from .text_base import base_folder

ROW = re.compile(r"row (\d+) \(counted from 0\), ")  # in errors of tasks
DECAY = 0.01  # of weights that multiply
LARGEST = 1.0  # norm of the gradient of all parameters together


@one_blas_thread
def finetune_text(base, data, out="runs/finetuned", overwrite=False, report=None, **options):
    """Fine-tune a model on a file of texts; returns {name: figure} of the test.

    base, data, options  as in `Settings`
    out                  the folder for report, pictures and predictions, and the model in `model`
    overwrite            replace the model that an earlier fine-tuning left there
    report               a Report that all is said to (default: one in the folder)

    ValueError, with nothing written, for options and files from which nothing can be learned.
    """
    settings = check(Settings(base, data, **options))
    folder = finetuned_folder.check(out, overwrite, settings.data)
    source = base_folder(settings.base)
    base = finetune.load_base(source, finetune.tasks.TASKS[settings.task])
    task, parts, notes = examine(settings, base)
    training = Training(settings, source, task, parts)  # which finds what else is wrong

    with table_file.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        finetuned_folder.clear(folder)
        report = report or Report(folder / finetuned_folder.REPORT)
    report.stage("Data")
    for note in notes:
        report.say(note)

    report.stage("Model")
    training.say_model(report)

    report.stage("Training")
    history = training.run(report)
    with table_file.writing(folder):
        plots.history(history, folder / "history.png")

    report.stage("Evaluation on the test part, which played no part until now")
    found = evaluate(report, training, parts, folder)
    if settings.folds is not None:
        report.stage(f"Cross-validation in {settings.folds} parts")
        training.cross_validate(report)

    report.stage("Files")
    with table_file.writing(folder):
        finetuned_folder.save(training, folder, source)
    finetuned_folder.say_files(report, folder)
    finetuned_folder.check_reloaded(training, folder, parts["test"])
    report.say("the model, read again, gives the same predictions, bit by bit; for other rows:")
    report.say(f"minigrad predict {folder} --data FILE.csv --out predictions.csv")
    report.say("")
    report.say(found.sentence)
    return found.figures


# ---- The data ------------------------------------------------------------------------------------


def examine(settings, base):
    """(task, {"train": Rows, ...}, what there is to say) of the files that the settings name."""
    kind = finetune.tasks.TASKS[settings.task]
    known = {*signature(kind).parameters} - {"system"}  # which is no column
    length = min(LENGTH, base.max_sequence_length)
    if settings.max_length is not None:
        length = settings.max_length
    if length > base.max_sequence_length:
        raise ValueError(
            f"the model reads {base.max_sequence_length} tokens at once. "
            f"Received: max_length={length}"
        )
    columns = columns_of(settings)

    def read(source):
        names = list(columns.values())
        return read_rows(source, names, settings.delimiter, settings.encoding)

    rows, repeated = without_repeats(read(settings.data))
    others = {
        name: read(getattr(settings, name))
        for name in ("validation", "test")
        if share_of(name, getattr(settings, name)) is None
    }
    notes = [f"{settings.data}: {len(rows.rows) + repeated:,} rows"]
    if repeated:
        notes.append(f"rows left out for they repeat another: {repeated:,}")
    is_classes = settings.task == "classify"
    given = {name: getattr(settings, name) for name in ("pooling", "template")}
    options = {name: value for name, value in given.items() if value is not None}
    if "labels" in known:
        wanted = columns["label" if is_classes else "tags"]
        options["labels"] = labels_of(rows, wanted, several=not is_classes)
        for part in others.values():
            check_labels(part, wanted, options["labels"], several=not is_classes)
        notes.append(f"labels: {', '.join(options['labels'])}")
    for part in (rows, *others.values()):
        for argument in columns.keys() & {"target", "score"}:
            check_numbers(part, columns[argument])
    parts = divide(rows, settings, others, columns["label"] if is_classes else None)
    if settings.task == "regress":
        numbers = np.array(parts["train"].column(columns["target"]), float)
        options |= {"offset": float(numbers.mean()), "scale": float(numbers.std()) or 1.0}
    named = {argument: name for argument, name in columns.items() if argument in known}
    task = kind(**named, **options, max_length=length)

    sizes = ", ".join(f"{name} {len(part.rows):,}" for name, part in parts.items())
    how = "with the same share of every label in each" if is_classes else "at random"
    how = "each from a file of its own" if len(others) == 2 else f"{how} (--seed {settings.seed})"
    notes.append(f"parts: {sizes}, {how}")
    notes.append("validation decides when to stop the training; the test is kept for the end")
    notes.append(_lengths(task, rows, base.tokenizer))
    return task, parts, notes


def _lengths(task, rows, tokenizer):
    """How long the texts are, in a sentence."""
    counts = np.array(
        [sum(len(tokenizer.encode(row[name])) for name in task.columns) for row in rows.rows]
    )
    said = f"tokens of a row: {np.median(counts):.0f} in the middle, {counts.max():,} at most"
    cut = np.count_nonzero(counts > task.max_length)
    return said + (f"; {cut:,} are cut to {task.max_length} (--max-length)" if cut else "")


# ---- Training ------------------------------------------------------------------------------------


class Training:
    """A model of a task on its way: made, set up for a method, and trained."""

    def __init__(self, settings, source, task, parts):
        self.settings, self.source, self.task = settings, source, task
        self.model, self.callbacks = self._make()
        self.tokenizer = self.model.base.tokenizer
        self.examples = {name: self._examples(part) for name, part in parts.items()}
        self.best_epoch = None
        self.before = {}  # what `evaluate` gives of the test part before all training
        if settings.task in WITHOUT_BASELINE:
            self.before = self.model.evaluate(*self.examples["test"], verbose=0, return_dict=True)

    def _make(self, seed=None):
        """A compiled model with a new head, and the callbacks of its method."""
        random.seed(self.settings.seed if seed is None else seed)
        model = self.task.model(finetune.load_base(self.source, self.task))
        head = "head" if hasattr(model, "head") else ()
        told = finetune.prepare(model, method_of(self.settings, head))
        optimizer = optimizers.AdamW(
            self.settings.learning_rate, weight_decay=DECAY, global_clipnorm=LARGEST
        )
        model.compile(optimizer, self.task.loss, self.task.metrics)
        return model, told

    def _examples(self, part):
        """x and y of some Rows. ValueError that names the line of one that cannot be used."""
        try:
            return self.task.examples(part.rows, self.tokenizer)
        except ValueError as error:
            if found := ROW.match(str(error)):
                raise part.error(int(found[1]), str(error)[found.end() :]) from error
            raise

    def say_model(self, report):
        base, s = self.model.base, self.settings
        total = self.model.count_params()
        learned = sum(p.size for p in self.model.parameters() if p.requires_grad)
        report.say(f"{s.base}: a {type(base).__name__} of {base.num_layers} blocks")
        report.say(f"{s.method}: {learned:,} of {total:,} parameters learn, {learned / total:.2%}")
        report.say(f"a step learns from {s.batch} rows, at a rate of {s.learning_rate:g}")

    def run(self, report):
        """Train until the validation part stops gaining; returns the History."""
        s = self.settings
        stop = callbacks.EarlyStopping("val_loss", patience=s.patience, restore_best_weights=True)
        line = Line(report, s.epochs, -(-len(self.examples["train"][1]) // s.batch))
        told = [*self.callbacks, *([StopAfter(s.minutes)] if s.minutes else []), stop, line]
        began = time.perf_counter()
        history = self.model.fit(
            *self.examples["train"],
            batch_size=s.batch,
            epochs=s.epochs,
            verbose=0,
            validation_data=self.examples["validation"],
            callbacks=told,
        )
        ran, self.best_epoch = len(history.epoch), stop.best_epoch + 1
        epochs = "1 epoch" if ran == 1 else f"{ran} epochs"
        report.say(f"{epochs} in {time.perf_counter() - began:.1f} s")
        report.say(
            f"the weights kept are those of epoch {self.best_epoch}, with the least validation loss"
        )
        if self.best_epoch == s.epochs:
            report.say("the last epoch was the best: more --epochs may do better")
        return history

    def cross_validate(self, report):
        """Train anew on all parts but one, for each, and say how well that does on the one."""
        s, epochs = self.settings, self.best_epoch
        x, y = self._all_examples()
        seeds = iter(range(s.seed, s.seed + s.folds))
        began = time.perf_counter()
        found = models.cross_validate(
            lambda: self._make(next(seeds))[0],
            x,
            y,
            s.folds,
            seed=s.seed,
            batch_size=s.batch,
            epochs=epochs,
            callbacks=self._make()[1],
        )
        report.say(f"each in {epochs} epochs, as many as were best above")
        report.say(f"{found}\n{time.perf_counter() - began:.1f} s")

    def _all_examples(self):
        x, y = zip(*self.examples.values())
        longest = max(part["ids"].shape[-1] for part in x)
        names = x[0].keys()
        padded = {
            name: np.concatenate([_widened(part[name], longest) for part in x]) for name in names
        }
        return padded, np.concatenate(y)


def _widened(array, t):
    """An array (n, ..., t), filled up with zeros, which the mask hides."""
    missing = t - array.shape[-1]
    return np.pad(array, [*[(0, 0)] * (array.ndim - 1), (0, missing)])
