"""What a fine-tuning learns from: the task that its settings mean, and the rows of each part."""

import numpy as np

from .. import finetune
from .finetuning_rows import (
    PARTS,
    check_folds,
    check_labels,
    check_numbers,
    divide,
    labels_of,
    read_rows,
    without_repeats,
)
from .finetuning_settings import LENGTH, columns_of, own_files

LABELS = {"classify": "label", "tag": "tags"}  # {task: its argument for the column of labels}
NUMBERS = {"regress": "target", "match": "score"}  # and of numbers


def examine(settings, base):
    """(task, {"train": Rows, ...}, what there is to say) of the files that the settings name.

    base  the model, which has a tokenizer. ValueError that names what cannot be learned from
    """
    if base.tokenizer is None:
        raise ValueError(f"{settings.base} has no tokenizer, by which a model reads texts")
    length, columns = _length(settings, base), columns_of(settings)
    rows, others, notes = _read(settings, columns)
    options = _labels(settings, columns, rows, others)
    if options:
        notes.append(f"labels: {', '.join(options['labels'])}")
    is_classes = settings.task == "classify"
    stratified = columns["label"] if is_classes else None
    parts = divide(rows, settings, others, stratified)
    if settings.folds is not None:
        check_folds(settings.folds, parts, stratified)
    if settings.task == "regress":
        numbers = np.array(parts["train"].column(columns["target"]), float)
        options |= {"offset": float(numbers.mean()), "scale": float(numbers.std()) or 1.0}
    given = {name: getattr(settings, name) for name in ("pooling", "template")}
    options |= {name: value for name, value in given.items() if value is not None}
    task = _task(settings, columns, max_length=length, **options)

    sizes = ", ".join(f"{name} {len(part.rows):,}" for name, part in parts.items())
    how = "with the same share of every label in each" if is_classes else "at random"
    how = "each from a file of its own" if len(others) == 2 else f"{how} (--seed {settings.seed})"
    notes.append(f"parts: {sizes}, {how}")
    notes += _leaks(parts)
    notes.append("validation decides when to stop the training; the test is kept for the end")
    notes.append(_lengths(settings, task, rows, base.tokenizer))
    return task, parts, notes


def _length(settings, base):
    """How many tokens of a text are read."""
    most = base.max_sequence_length
    length = min(LENGTH, most) if settings.max_length is None else settings.max_length
    if length > most:
        raise ValueError(f"the model reads {most} tokens at once. Received: max_length={length}")
    return length


def _read(settings, columns):
    """The Rows of the data, {part: Rows} of those with a file of their own, and notes."""

    def read(source):
        names = list(columns.values())
        try:
            return read_rows(source, names, settings.delimiter, settings.encoding)
        except ValueError as error:
            if "unknown column" not in str(error):
                raise
            raise ValueError(f"{error}. --text, --label and others name your columns") from error

    rows, repeated = without_repeats(read(settings.data))
    others = {name: read(file) for name, file in own_files(settings).items()}
    notes = [f"{settings.data}: {len(rows.rows) + repeated:,} rows"]
    if repeated:
        notes.append(f"rows left out for they repeat another: {repeated:,}")
    return rows, others, notes


def _labels(settings, columns, rows, others):
    """{"labels": all of them} for a task that has some. Looks at labels and numbers of all rows."""
    found = {}
    if settings.task in LABELS:
        column, several = columns[LABELS[settings.task]], settings.task == "tag"
        found["labels"] = labels_of(rows, column, several)
        for part in others.values():
            check_labels(part, column, found["labels"], several)
    if NUMBERS.get(settings.task) in columns:
        for part in (rows, *others.values()):
            check_numbers(part, columns[NUMBERS[settings.task]])
    return found


def _task(settings, columns, **options):
    """The Task; what a template of one's own names are columns, and no arguments of it."""
    kind = finetune.tasks.TASKS[settings.task]
    if settings.template is None or "{" not in settings.template:
        options |= columns
    return kind(**options)


def _leaks(parts):
    """A sentence for each part that has rows of the training part."""
    seen = {tuple(row.values()) for row in parts["train"].rows}
    found = []
    for name in PARTS[1:]:
        count = sum(tuple(row.values()) in seen for row in parts[name].rows)
        if count:
            found.append(f"note: {count:,} rows of {name} are in training too")
    return found


def _lengths(settings, task, rows, tokenizer):
    """How long the texts are, in a sentence."""
    counts = np.array(
        [sum(len(tokenizer.encode(row[name])) for name in task.columns) for row in rows.rows]
    )
    said = f"tokens of a row: {np.median(counts):.0f} in the middle, {counts.max():,} at most"
    longer = np.count_nonzero(counts > task.max_length)
    if not longer:
        return said
    what = "become several examples of" if settings.task == "continue" else "are cut to"
    return f"{said}; {longer:,} {what} {task.max_length} (--max-length)"
