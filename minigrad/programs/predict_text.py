"""A model that `minigrad finetune` left in a folder, used on the texts of another file."""

from pathlib import Path

import numpy as np

from .. import finetune
from ..environment import one_blas_thread
from . import predict_table
from .finetuned_folder import model_folder
from .finetuning_rows import read_rows
from .finetuning_settings import inputs_of, label_of


@one_blas_thread
def predict_text(folder, source, out, delimiter=",", encoding="utf-8-sig"):
    """Write a CSV file with a prediction for each row of `source`; returns the sentence to print.

    folder  what `finetune_text` wrote to, or the folder of the model alone
    source  a CSV file with the columns that the task reads; others are ignored, and so is the label
    out     the file to write
    """
    if Path(out).is_file() and Path(out).samefile(source):
        raise ValueError(f"predictions must not replace the data. Received: {str(out)!r} for both")
    model, task = finetune.load_finetuned(model_folder(folder))
    rows = read_rows(source, inputs_of(task), delimiter, encoding)
    tokenizer = model.base.tokenizer
    outputs = model.predict(task.inputs(rows.rows, tokenizer))
    columns = {"line": np.array(rows.lines)}
    predict_table.write(out, columns | answers_of(task, outputs, rows.rows, tokenizer))
    count = "1 prediction" if len(rows.rows) == 1 else f"{len(rows.rows):,} predictions"
    return f"{count} in {out}"


def answers_of(task, outputs, rows, tokenizer):
    """{name of a column: (n,)} of the predictions and, for classes, their probabilities."""
    label = label_of(task) or "answer"
    answers = [_text(answer) for answer in task.answers(outputs, rows, tokenizer)]
    columns = {f"predicted {label}": np.array(answers, dtype=object)}
    if isinstance(task, finetune.tasks.Classify):
        for name, p in zip(task.labels, softmax(outputs).T):
            columns[f"probability of {name}"] = p
    return columns


def _text(answer):
    """An answer as it stands in a field: text, a number, or several with spaces between them."""
    if isinstance(answer, list):
        return " ".join("?" if part is None else part for part in answer)
    return getattr(answer, "text", answer)


def softmax(logits):
    """Probabilities (n, c) in float64."""
    x = np.exp((logits - logits.max(axis=-1, keepdims=True)).astype(np.float64))
    return x / x.sum(axis=-1, keepdims=True)
