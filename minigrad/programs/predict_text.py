"""A model that `minigrad finetune` left in a folder, used on the texts of another file."""

from pathlib import Path

import numpy as np

from .. import finetune
from ..callbacks import progress
from ..environment import one_blas_thread
from . import predict_table
from .finetuned_folder import model_folder
from .finetuning_rows import read_rows
from .finetuning_settings import label_of

NAMES = {  # of what is no prediction of a label
    finetune.tasks.MatchSentences: "cosine",
    finetune.tasks.MaskedLanguage: "what is behind [MASK]",
    finetune.tasks.ContinueText: "what follows",
}
AT_ONCE = 64  # rows: what a model of language says of a text is large
WRITING = finetune.tasks.ContinueText, finetune.tasks.FollowInstructions


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
    rows = read_rows(source, task.columns, delimiter, encoding)
    columns = {"line": np.array(rows.lines)}
    predict_table.write(out, columns | answers_of(task, model, rows.rows))
    count = "1 prediction" if len(rows.rows) == 1 else f"{len(rows.rows):,} predictions"
    return f"{count} in {out}"


def answers_of(task, model, rows):
    """{name of a column: (n,)} of the predictions and, for classes, their probabilities."""
    answers, shares = [], []
    tokenizer = model.base.tokenizer
    parts = [rows[i : i + AT_ONCE] for i in range(0, len(rows), AT_ONCE)]
    for part in progress(parts, "Predicting", "auto" if len(parts) > 1 else 0):
        if isinstance(task, WRITING):
            answers += task.predict(model, part, tokenizer)
            continue
        outputs = model.predict(task.inputs(part, tokenizer), verbose=0)
        answers += task.answers(outputs, part, tokenizer)
        if isinstance(task, finetune.tasks.Classify):
            shares.append(softmax(outputs))
    name = NAMES.get(type(task)) or f"predicted {label_of(task)}"
    columns = {name: np.array([_text(answer) for answer in answers], object)}
    if shares:
        for name, p in zip(task.labels, np.concatenate(shares).T):
            columns[f"probability of {name}"] = p
    return columns


def _text(answer):
    """An answer as it stands in a field: text, a number, or several with spaces between them."""
    if isinstance(answer, list):
        return " ".join("?" if part is None else part.strip() for part in answer)
    return getattr(answer, "text", answer)


def softmax(logits):
    """Probabilities (n, c) in float64."""
    x = np.exp((logits - logits.max(axis=-1, keepdims=True)).astype(np.float64))
    return x / x.sum(axis=-1, keepdims=True)
