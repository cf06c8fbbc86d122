"""The model that `minigrad train table` left in a folder, used on the rows of another file."""

import csv
import hashlib
import io
from pathlib import Path

import numpy as np

from .. import data, models
from ..atomic import replacing
from ..registry import look_up
from . import table_file
from .preparation import Preparation
from .table_columns import WrongValue

# In the folder of a training.
MODEL, PREPARATION, TEST = "model.safetensors", "preparation.json", "test.csv"


def predict_table(folder, source, out, delimiter=None, allow_unknown=False, encoding=None):
    """Write a CSV file with a prediction for each row of `source`; returns the sentence to print.

    folder         what `train_table` wrote to; the same preparation is repeated exactly
    source         a CSV file with the columns that the model takes, in any order; others are
                   ignored, and so is the target
    out            the file to write
    delimiter, encoding  of that file; by default those of the training's
    allow_unknown  take a category that the model has never seen as none of those that it knows

    ValueError for a column that is not there or of another kind, and for an unknown category.
    """
    preparation, model = load(folder)
    _check_out(source, out, folder)
    delimiter = table_file.as_delimiter(delimiter or preparation.delimiter)
    file = source, delimiter, encoding or preparation.encoding
    table = read(*file, preparation)
    unknown = preparation.unknown(table)
    if unknown and not allow_unknown:
        with table_file.naming_lines(*file):
            raise _stranger(unknown, table)
    with table_file.naming_lines(*file):
        inputs = preparation.inputs(table)
    outputs = model.predict(inputs, verbose=0)
    write(out, {"row": np.arange(len(table)), **answers_of(preparation, outputs)})
    count = "1 prediction" if len(table) == 1 else f"{len(table):,} predictions"
    return f"{count} of {preparation.target!r} in {out}"


def load(folder):
    """(preparation, model) from the folder of a training."""
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"the model is the folder of a training. Received: {str(folder)!r}")
    preparation = Preparation.load(Path(folder) / PREPARATION)
    model = models.load_model(Path(folder) / MODEL)
    if digest(folder) != preparation.weights:
        raise ValueError(
            f"{MODEL} and {PREPARATION} in {folder} must be of one training, and are of two. "
            "Was the last one interrupted? Train again"
        )
    is_classes = preparation.task == "classification"
    wanted = (preparation.width, len(preparation.classes) if is_classes else 1)
    got = (model.input_shape[-1], getattr(model.layers[-1], "units", None))
    if got != wanted:
        raise ValueError(
            f"{MODEL} and {PREPARATION} in {folder} must be of one training. Received: a model of "
            f"(inputs, outputs) {got}, and a preparation for {wanted}"
        )
    return preparation, model


def digest(folder):
    """The SHA-256 of the model's file in a folder."""
    return hashlib.sha256((Path(folder) / MODEL).read_bytes()).hexdigest()


def read(source, delimiter, encoding, preparation):
    """The Table in a file, its columns of the kinds that the model was trained with."""
    numbers, text = preparation.numbers, preparation.text
    try:
        return table_file.read(source, delimiter, encoding, numbers, text)
    except ValueError:
        # Is it for a column that is missing? If this fails too, it says why itself.
        given = table_file.read(source, delimiter, encoding)
        for name in preparation.columns:
            _check_there(name, given, source)
        raise


def answers_of(preparation, outputs):
    """{name of a column: (n,)} of the predictions and, for classes, their probabilities."""
    columns = {f"predicted {preparation.target}": preparation.answers(outputs)}
    if preparation.task == "classification":
        for name, p in zip(preparation.classes, outputs.T):
            columns[f"probability of {name}"] = p.astype(np.float64)
    return columns


def write(path, columns):
    """Write {name: (n,)} as CSV; numbers keep every bit."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} in")
    if path.is_dir():
        raise IsADirectoryError(f"predictions are written to a file, and {path} is a folder")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(values.tolist() for values in columns.values())))
    with table_file.writing(path), replacing(path) as file:
        file.write(text.getvalue().encode())


def _check_out(source, out, folder):
    if not Path(out).is_file():
        return
    if Path(out).samefile(source):
        raise ValueError(f"predictions must not replace the data. Received: {str(out)!r} for both")
    if any(Path(out).samefile(file) for file in Path(folder).iterdir()):
        raise ValueError(
            f"predictions must not replace a file of the model. Received: {str(out)!r}"
        )


def _check_there(name, table, source):
    try:
        look_up("column", name, dict.fromkeys(table.columns))
    except ValueError as error:
        raise ValueError(f"{source} must have every column of the model: {error}") from error


def _stranger(unknown, table):
    """The error for categories that the model has never seen."""
    name, strangers = next(iter(unknown.items()))
    column = np.where(data.missing(table[name]), "missing", table[name])
    row = np.flatnonzero(column == strangers[0])[0]
    is_gap = table[name][row] is None
    what = "an empty field" if is_gap else "a category"
    came = "no value" if is_gap else repr(strangers[0])
    others = sum(map(len, unknown.values())) - 1
    if others:
        came += f", and {others:,} other such {'category' if others == 1 else 'categories'}"
    return WrongValue(
        f"column {name!r} has {what} that training did not have. Received: {came}. "
        "--allow-unknown takes it as none of the known",
        row,
    )
