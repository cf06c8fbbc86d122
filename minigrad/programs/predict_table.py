"""The model that `minigrad train table` left in a folder, used on the rows of another file."""

import csv
import io
from pathlib import Path

import numpy as np

from .. import data, models
from ..atomic import replacing
from ..registry import look_up
from .preparation import Preparation

# In the folder of a training.
MODEL, PREPARATION, TEST = "model.safetensors", "preparation.json", "test.csv"


def predict_table(folder, source, out, delimiter=",", allow_unknown=False):
    """Write a CSV file with a prediction for each row of `source`; returns the sentence to print.

    folder         what `train_table` wrote to; the same preparation is repeated exactly
    source         a CSV file with the columns that the model takes, in any order; others are
                   ignored, and so is the target
    out            the file to write
    allow_unknown  take a category that the model has never seen as none of those that it knows

    ValueError for a column that is not there or of another kind, and for an unknown category.
    """
    preparation, model = load(folder)
    _check_out(source, out)
    table = read(source, delimiter, preparation)
    unknown = preparation.unknown(table)
    if unknown and not allow_unknown:
        raise ValueError(_strangers(unknown, table, source))
    outputs = model.predict(preparation.inputs(table), verbose=0)
    write(out, {"row": np.arange(len(table)), **answers_of(preparation, outputs)})
    return f"{len(table):,} predictions of {preparation.target!r} in {out}"


def load(folder):
    """(preparation, model) from the folder of a training."""
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"the model is the folder of a training. Received: {str(folder)!r}")
    preparation = Preparation.load(Path(folder) / PREPARATION)
    model = models.load_model(Path(folder) / MODEL)
    is_classes = preparation.task == "classification"
    wanted = (preparation.width, len(preparation.classes) if is_classes else 1)
    got = (model.input_shape[-1], getattr(model.layers[-1], "units", None))
    if got != wanted:
        raise ValueError(
            f"{MODEL} and {PREPARATION} in {folder} must be of one training. Received: a model of "
            f"(inputs, outputs) {got}, and a preparation for {wanted}"
        )
    return preparation, model


def read(source, delimiter, preparation):
    """The Table in a file, its columns of the kinds that the model was trained with."""
    delimiter = as_delimiter(delimiter)
    try:
        return data.read_csv(source, delimiter, numbers=preparation.numbers, text=preparation.text)
    except ValueError:
        given = data.read_csv(source, delimiter)  # if this fails too, it says why itself
        for name in preparation.columns:
            _check_there(name, given, source)
        raise


def as_delimiter(text):
    r"""The delimiter that was meant: "tab" and "\t" are a tab, which is hard to type in a shell."""
    return "\t" if text in ("tab", r"\t") else text


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
    with replacing(path) as file:
        file.write(text.getvalue().encode())


def _check_out(source, out):
    if Path(out).exists() and Path(out).samefile(source):
        raise ValueError(f"predictions must not replace the data. Received: {str(out)!r} for both")


def _check_there(name, table, source):
    try:
        look_up("column", name, dict.fromkeys(table.columns))
    except ValueError as error:
        raise ValueError(f"{source} must have every column of the model: {error}") from error


def _strangers(unknown, table, source):
    """The sentence on categories that the model has never seen."""
    name, strangers = next(iter(unknown.items()))
    column = np.where(data.missing(table[name]), "missing", table[name])
    row = np.flatnonzero(column == strangers[0])[0]
    count = sum(map(len, unknown.values()))
    return (
        f"{source}, column {name!r}: a category that the model has never seen. "
        f"Received: {strangers[0]!r} in row {row}, and {count - 1} other such categories. "
        "--allow-unknown takes them as none of the known"
    )
