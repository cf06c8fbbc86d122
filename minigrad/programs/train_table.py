"""From a CSV file to a trained, tested and saved network, without a line of Python.

n examples, c classes.
"""

import time
from pathlib import Path

import numpy as np

from .. import callbacks, data, layers, models, optimizers, plots, random
from ..environment import one_blas_thread
from ..registry import check_integer
from . import predict_table, table_file
from .preparation import Preparation
from .report import Report, of_epoch
from .table_evaluation import evaluate, say_groups
from .table_examples import divide, examine

REPORT = "report.txt"
MOST_UNITS = 10_000
PATIENCE = 20  # epochs without a better loss on them


@one_blas_thread
def train_table(
    source,
    target,
    out="runs/table",
    delimiter=",",
    task="auto",
    epochs=200,
    seed=0,
    test=0.2,
    hidden="64,64",
    drop=(),
    group=None,
    keep=(),
    encoding="utf-8-sig",
    device="cpu",
):
    """Learn to predict one column of a CSV file from the others; returns (test, baseline).

    source     the file; `data.read_csv` says what it may look like
    target     the name of the column to predict
    out        the folder that the report, the pictures and the model are written to
    delimiter  the character between two fields; "tab" is one too
    task       "classification", "regression", or "auto", which the target decides
    epochs     how often to learn from all examples at most; a validation part ends it earlier
    seed       of the parts, the first weights and the order
    test       the share of the rows that the model is tested on
    hidden     the units of the hidden layers, "64,64"; "" for none, a linear model
    drop       names of columns to leave out, such as an identifier
    group      the name of a column: the test is also reported for each of its values
    keep       names of columns to use that would be left out, such as text with many values
    encoding   of the file, such as "latin-1"
    device     where it learns: "cpu", "cuda" (a GPU of NVIDIA) or "simulator"

    The two numbers are the accuracy of the model and of always the most frequent class; or the root
    mean squared error of the model and of always the mean. ValueError, with nothing written, for
    options and files from which nothing can be learned.
    """
    units = _check_options(epochs, test, hidden)
    _check_out(source, out)
    random.seed(seed)
    file = source, table_file.as_delimiter(delimiter), encoding
    table = table_file.read(*file)
    with table_file.naming_lines(*file):
        examples = examine(table, target, task, list(drop), group, list(keep))
    rows = divide(examples, test, seed)
    parts = {name: examples.table.take(indices) for name, indices in rows.items()}
    preparation = _prepare(file, examples, parts["train"])

    folder = Path(out)
    with table_file.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        report = Report(folder / REPORT)
    report.stage("Data")
    _say_data(report, file, table, drop, examples)
    report.stage("Parts")
    _say_parts(report, examples, parts, seed)
    report.stage("Preparation, learned from the training part alone")
    _say_preparation(report, preparation, parts)

    report.stage("Model")
    model = make_model(preparation, units)
    model.summary(report.say)
    report.stage("Training")
    _train(report, model, preparation, parts, epochs, device, folder)

    report.stage("Evaluation on the test part, which played no part until now")
    outputs = model.predict(preparation.inputs(parts["test"]), verbose=0)
    with table_file.writing(folder):
        evaluation = evaluate(report, preparation, parts, outputs, folder)
    if group is not None:
        say_groups(report, preparation, parts["test"], outputs, group)

    report.stage("Files")
    with table_file.writing(folder):
        _save(report, folder, model, preparation, examples, rows["test"], outputs)
    report.say("")
    report.say(evaluation.sentence)
    return evaluation.test, evaluation.baseline


def _check_options(epochs, test, hidden):
    """The units of the hidden layers, if all three options are what they should be."""
    check_integer("epochs", epochs)
    if not 0 < test <= 0.5:
        raise ValueError(f"test must be a share above 0 and at most 0.5. Received: {test=}")
    units = [part.strip() for part in hidden.split(",")] if hidden.strip() else []
    if not all(part.isdecimal() and 0 < int(part) <= MOST_UNITS for part in units):
        raise ValueError(
            f"hidden must be integers from 1 to {MOST_UNITS:,} with commas between them, such as "
            f"64,64. Received: {hidden=}"
        )
    return [int(part) for part in units]


def _check_out(source, out):
    """An error if the folder is a file, or the training would write over its own data."""
    if Path(out).exists() and not Path(out).is_dir():
        raise NotADirectoryError(f"--out has to be a folder. Received: {out}, which is a file")
    written = (REPORT, predict_table.TEST)
    if Path(source).name in written and Path(source).resolve().parent == Path(out).resolve():
        raise ValueError(f"--out has to be another folder than that of the data. Received: {out}")


# ---- Data, parts and preparation -----------------------------------------------------------------


def _prepare(file, examples, train):
    """What turns rows into numbers, learned from the training part.

    It has tried all rows, so that what is too large is found before anything is written.
    """
    features = examples.table.select(*examples.features)
    preparation = Preparation.of(features, examples.target, examples.task, *file[1:])
    preparation.fit(train)
    with table_file.naming_lines(*file, examples.rows):
        preparation.inputs(features)
    return preparation


def _say_data(report, file, table, drop, examples):
    target = examples.target
    report.say(f"{file[0]}: {len(table):,} rows, {len(table.columns)} columns")
    report.say(f"{examples.task} of {target!r}: {examples.why}")
    report.say(f"\n{data.report((table.drop(*drop, target), table[target]))}")
    report.say("\nWhat is done about it")
    found = [f"{m or 'an empty field'!r} {n:,}" for m, n in table_file.markers(*file).items()]
    if found:
        report.say(f"  taken as missing, and how often: {', '.join(found)}")
    for note in examples.notes or ["nothing is left out"]:
        report.say(f"  {note}")


def _say_parts(report, examples, parts, seed):
    is_classes = examples.task == "classification"
    how = "with the same share of every class in each" if is_classes else "at random"
    sizes = ", ".join(f"{name} {len(part):,}" for name, part in parts.items())
    report.say(f"rows: {sizes}, {how} (--seed {seed})")
    report.say("validation decides when to stop the training; the test is kept for the end")
    given = {
        name: (part.select(*examples.features), part[examples.target])
        for name, part in parts.items()
    }
    for leak in data.report(**given).numbers["leaks"]:
        if leak["examples"]:
            earlier, later = leak["parts"]
            why = "the columns have few different values" if examples.alike else "another target"
            report.say(
                f"note: {leak['examples']:,} rows of {later} have the columns of one of {earlier}: "
                f"{why}"
            )


def _say_preparation(report, preparation, parts):
    if preparation.numbers:
        report.say(f"numbers: {', '.join(preparation.numbers)}")
        report.say("  gaps get the median; then x' = (x - mean) / deviation")
    if preparation.text:
        report.say(f"text: {', '.join(preparation.text)}")
        report.say('  gaps get the category "missing"; then one input of 0 or 1 per category')
    if preparation.task == "regression":
        report.say("the target is scaled like the numbers, and predictions are scaled back")
    for name in ("validation", "test"):
        for column, strangers in preparation.unknown(parts[name]).items():
            report.say(
                f"{name}: {column!r} has {len(strangers)} categories that training lacks, such as "
                f"{strangers[0]!r}; they are taken as none of the known"
            )


# ---- Model and training --------------------------------------------------------------------------


def make_model(preparation, units):
    """A compiled network with hidden layers of these units, for what the preparation gives."""
    model = models.Sequential([layers.Input((preparation.width,))])
    for count in units:
        model.add(layers.Dense(count, activation="relu"))
    if preparation.task == "classification":
        model.add(layers.Dense(len(preparation.classes), activation="softmax"))
        model.compile(optimizers.Adam(0.001), "sparse_categorical_crossentropy", ["accuracy"])
    else:
        model.add(layers.Dense(1))
        model.compile(optimizers.Adam(0.001), "mean_squared_error")
    return model


def _train(report, model, preparation, parts, epochs, device, folder):
    """Train on the device until the validation part stops gaining, and draw how that went."""
    pairs = {name: (preparation.inputs(t), preparation.targets(t)) for name, t in parts.items()}

    def say(epoch, logs):
        if epoch == 0 or (epoch + 1) % max(10, epochs // 20) == 0:
            report.say(f"  epoch {epoch + 1}: {of_epoch(logs)}")

    stop = callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)
    began = time.perf_counter()
    history = model.to(device).fit(
        *pairs["train"],
        epochs=epochs,
        verbose=0,
        validation_data=pairs["validation"],
        callbacks=[stop, callbacks.LambdaCallback(on_epoch_end=say)],
    )
    ran, best = len(history.epoch), stop.best_epoch + 1
    report.say(f"{ran} epochs in {time.perf_counter() - began:.1f} s")
    report.say(f"the weights kept are those of epoch {best}, with the least validation loss")
    if best == epochs:
        report.say("the last epoch was the best: more --epochs may do better")
    model.to("cpu")
    with table_file.writing(folder):
        plots.history(history, folder / "history.png")


# ---- Files ---------------------------------------------------------------------------------------


def _save(report, folder, model, preparation, examples, rows, outputs):
    """Write the model, its preparation and what it says of the test part; read them again."""
    target, table = examples.target, examples.table.take(rows)
    model.save(folder / predict_table.MODEL)
    preparation.weights = predict_table.digest(folder)
    preparation.save(folder / predict_table.PREPARATION)
    answers = predict_table.answers_of(preparation, outputs)
    true = table[target]
    if examples.task == "classification":
        true = np.array(preparation.classes, dtype=object)[preparation.targets(table)]
    truth = {"row": examples.rows[rows], f"true {target}": true}
    predict_table.write(folder / predict_table.TEST, truth | answers)

    same_preparation, same_model = predict_table.load(folder)
    again = same_model.predict(same_preparation.inputs(table), verbose=0)
    if not np.array_equal(again, outputs):
        raise ValueError(f"the model in {folder} predicts otherwise than the one that was saved")
    report.say(f"in {folder}: {', '.join(sorted(file.name for file in folder.iterdir()))}")
    report.say(f"{predict_table.TEST} has the prediction for each row of the test, counted from 0")
    report.say("the model, read again, gives the same predictions, bit by bit; for other rows:")
    report.say(f"minigrad predict {folder} --data FILE --out predictions.csv")
