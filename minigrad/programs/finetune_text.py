"""`minigrad finetune`: a pretrained model learns a task from a file of texts, and is tested."""

import re
import time

from .. import callbacks, finetune, models, optimizers, plots, random
from ..atomic import alone_in
from ..environment import one_blas_thread
from . import finetuned_folder, table_file
from .finetuning_backup import Backup
from .finetuning_evaluation import WITHOUT_BASELINE, evaluate
from .finetuning_examples import examine
from .finetuning_progress import Clock, Line
from .finetuning_rows import rows_of_all
from .finetuning_settings import choose, method_of, own_files
from .report import Report
from .text_base import pretrained_folder

ROW = re.compile(r"row (\d+) \(counted from 0\), ")  # in errors of tasks
DECAY = 0.01  # of weights that multiply
LARGEST = 1.0  # norm of the gradient of all parameters together


@one_blas_thread
def finetune_text(
    base, data, out="runs/finetuned", overwrite=False, report=None, resume=False, **options
):
    """Fine-tune a model on a file of texts; returns {name: figure} of the test.

    base, data, options  as in `Settings`
    out                  the folder for report, pictures and predictions, and the model in `model`
    overwrite            replace the model that an earlier fine-tuning left there, or forget one
                         that was interrupted
    report               a Report that all is said to (default: one in the folder)
    resume               go on with the one that was interrupted there. Options may be left out, and
                         have to be the same if they are given. Unless --minutes end it, the model
                         is that of a training without interruption, bit by bit

    ValueError, with nothing written, for options and files from which nothing can be learned, and
    for a training that cannot be gone on with.
    """
    backup = Backup(out, resume)
    settings = choose({"base": base, "data": data, **options}, backup.settings)
    source = pretrained_folder(settings.base)
    sources = {"base": source, "data": settings.data, **own_files(settings)}
    folder = finetuned_folder.check(out, overwrite or resume, sources)
    base = finetune.load_base(source, finetune.tasks.TASKS[settings.task])
    task, parts, notes = examine(settings, base)
    training = Training(settings, source, task, parts)  # which finds what else is wrong
    backup.check(settings, training.model)

    with table_file.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        with table_file.writing(folder):
            finetuned_folder.clear(folder, resume)
            report = report or Report(folder / finetuned_folder.REPORT, append=resume)
        report.stage("Data")
        for note in notes:
            report.say(note)
        return _all_stages(training, folder, report, backup)


def _all_stages(training, folder, report, backup):
    """From training to the model in its folder; {name: figure} of the test."""
    report.stage("Model")
    training.say_model(report)

    report.stage("Training")
    history = training.run(report, backup)
    with table_file.writing(folder):
        plots.history(history, folder / "history.png")

    report.stage("Evaluation on the test part, which played no part until now")
    found = evaluate(report, training, training.parts, folder)
    if training.settings.folds is not None:
        report.stage(f"Cross-validation in {training.settings.folds} parts")
        training.cross_validate(report)

    report.stage("Files")
    with table_file.writing(folder):
        finetuned_folder.save(training, folder, training.source)
        backup.remove()
    finetuned_folder.say_files(report, folder)
    finetuned_folder.check_reloaded(training, folder, training.parts["test"])
    report.say("the model, read again, gives the same predictions, bit by bit; for other rows:")
    report.say(f"minigrad predict {folder} --data FILE.csv --out predictions.csv")
    report.say("")
    report.say(found.sentence)
    return found.figures


# ---- Training ------------------------------------------------------------------------------------


class Training:
    """A model of a task on its way: made, set up for a method, and trained."""

    def __init__(self, settings, source, task, parts):
        self.settings, self.source, self.task, self.parts = settings, source, task, parts
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
        """What learns, and how fast."""
        base, s = self.model.base, self.settings
        total = self.model.count_params()
        learned = sum(p.size for p in self.model.parameters() if p.requires_grad)
        report.say(f"{s.base}: a {type(base).__name__} of {base.num_layers} blocks")
        report.say(f"{s.method}: {learned:,} of {total:,} parameters learn, {learned / total:.2%}")
        report.say(f"a step learns from {s.batch} rows, at a rate of {s.learning_rate:g}")

    def run(self, report, backup):
        """Train until the validation part stops gaining; returns the History.

        Begins where the backup stands, if it has something to go on with.
        """
        s = self.settings
        stop = callbacks.EarlyStopping("val_loss", patience=s.patience, restore_best_weights=True)
        line = Line(report, s.epochs, -(-len(self.examples["train"][1]) // s.batch))
        clock = Clock(s.minutes)
        history = self.model.to(s.device).fit(
            *self.examples["train"],
            batch_size=s.batch,
            epochs=s.epochs,
            verbose=0,
            validation_data=self.examples["validation"],
            callbacks=[*self.callbacks, clock, stop, line, backup],
        )
        self.model.to("cpu")
        if stop.best_epoch is None:
            raise ValueError(
                "the loss of the validation part was NaN from the first epoch on. The usual reason "
                f"is too large a learning rate. Received: learning_rate={s.learning_rate:g}"
            )
        ran, self.best_epoch = len(history.epoch), stop.best_epoch + 1
        report.say(f"{_epochs(ran)} in {clock.seconds:.1f} s")
        report.say(
            f"the weights kept are those of epoch {self.best_epoch}, with the least validation loss"
        )
        if self.best_epoch == s.epochs:
            report.say("the last epoch was the best: more --epochs may do better")
        return history

    def cross_validate(self, report):
        """Train anew on all parts but one, for each, and say how well that does on the one."""
        s, epochs = self.settings, self.best_epoch
        x, y = self.task.examples(rows_of_all(self.parts), self.tokenizer)
        seeds = iter(range(s.seed, s.seed + s.folds))
        began = time.perf_counter()
        found = models.cross_validate(
            lambda: self._make(next(seeds))[0].to(s.device),
            x,
            y,
            s.folds,
            seed=s.seed,
            batch_size=s.batch,
            epochs=epochs,
            callbacks=self._make()[1],
        )
        report.say(f"each in {_epochs(epochs)}, as many as were best above")
        if s.task == "regress":
            report.say(f"errors are in standard deviations of {self.task.target!r}, as in training")
        report.say(f"{found}\n{time.perf_counter() - began:.1f} s")


def _epochs(count):
    return "1 epoch" if count == 1 else f"{count} epochs"
