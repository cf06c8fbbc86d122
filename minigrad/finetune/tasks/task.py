"""What all tasks share: rows of text become arrays, and predictions become what a reader expects.

A row is a dict {column: text}, as a line of a table is; rows are counted from 0.
"""

from numbers import Integral

import numpy as np

from ...bounded_json import shorten
from ...layers.core import positive_integer
from ...losses import IGNORED
from ...models import BERT
from ...registry import Configurable
from ...text import pad

PAD = ("[PAD]", "<pad>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>")


class Task(Configurable):
    """A task: what is read and what is wanted. A subclass is a file here; see `classify`.

    loss, metrics  what `Model.compile` is to be given for it
    columns        those that are read to predict
    base_head      the head that a BERT must have to be the base: `from_pretrained(folder, head)`
    max_length     a text is cut to so many tokens, the special ones among them

    task.model(base)                           a Model with the base and a new head
    task.inputs(rows, tokenizer)               x for `predict`: a dict of arrays
    task.examples(rows, tokenizer)             x and y for `fit` and `evaluate`
    task.answers(predictions, rows, tokenizer) what `predict` gave, as a reader expects it
    task.predict(model, rows, tokenizer)       these from the first to the last
    """

    loss = None
    metrics = ()
    base_head = None
    architecture = None  # what transformers' models with such a head are for, by their names
    head_name = "classifier"  # of a BERT's head there
    head_settings = {}  # what config.json says of the head
    peft_type = None  # PEFT's word for the task

    def __init__(self, max_length=128, **texts):
        """Keep max_length, and `texts`, names of columns above all, each under its own name.

        ValueError unless each of those is a text, or None.
        """
        kind = type(self).__name__
        self.max_length = positive_integer(kind, "max_length", max_length)
        for name, value in texts.items():
            if value is not None and not isinstance(value, str):
                raise ValueError(f"{kind} needs {name} to be text. Received: {shorten(value)}")
            setattr(self, name, value)

    @property
    def columns(self):
        """The columns that are read to predict. Each task has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a property columns")

    def predict(self, model, rows, tokenizer, batch_size=32, verbose=0):
        """The answers of a model of this task for some rows, which need no column of truths."""
        x = self.inputs(rows, tokenizer)
        predictions = model.predict(x, batch_size=batch_size, verbose=verbose)
        return self.answers(predictions, rows, tokenizer)


def check_rows(rows, tokenizer):
    """The rows as a list. ValueError if there are none, or other things, or no tokenizer."""
    rows = list(rows)
    if not rows:
        raise ValueError("there are no rows")
    for i, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ValueError(
                f"row {i} (counted from 0): a row is a dict {{column: text}}. "
                f"Received: {shorten(row)}"
            )
    if tokenizer is None:
        raise ValueError("a tokenizer is needed to read texts. Received: tokenizer=None")
    return rows


def text_in(row, name, i):
    """The text of a column of row i. ValueError if it has none."""
    if name not in row:
        raise bad_row(i, name, f"there is no such column, but {', '.join(row) or 'none'}")
    text = row[name]
    if not isinstance(text, str) or not text.strip():
        raise bad_row(i, name, f"a text is needed. Received: {text!r}")
    return text


def label_in(row, name, i):
    """The label in a column of row i, as text; an integer may be one, too."""
    given = row.get(name)
    return str(given) if isinstance(given, Integral) else text_in(row, name, i)


def words_in(row, name, i):
    """The words of a column of row i: a list of texts, or a text with spaces between them."""
    given = row.get(name)
    if isinstance(given, (list, tuple)) and given and all(isinstance(w, str) and w for w in given):
        return list(given)
    return text_in(row, name, i).split()


def bad_row(i, name, what):
    """A ValueError that names a row, counted from 0, and a column."""
    return ValueError(f"row {i} (counted from 0), column {name!r}: {what}")


def number_in(row, name, i):
    """The number of a column of row i. ValueError if it is none."""
    if name not in row:
        raise bad_row(i, name, f"there is no such column, but {', '.join(row) or 'none'}")
    try:
        number = float(row[name])
    except (TypeError, ValueError):
        number = float("nan")
    if not abs(number) < float("inf"):
        raise bad_row(i, name, f"a finite number is needed. Received: {row[name]!r}")
    return number


def check_labels(task, labels):
    """The labels as a list of texts. ValueError unless there are two or more, no two alike."""
    names = [] if isinstance(labels, (str, dict)) else [str(name) for name in labels]
    if len(names) < 2 or len(set(names)) < len(names):
        kind = type(task).__name__
        raise ValueError(
            f"{kind} needs two labels or more, no two alike. Received: labels={shorten(labels)}"
        )
    return names


def named_outputs(labels):
    """The names of a head's outputs, as config.json has them."""
    return {
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
    }


def reads_both_ways(task, base):
    """The base, if each of its tokens knows those after it too; else a ValueError."""
    if not isinstance(base, BERT):
        raise ValueError(
            f"{type(task).__name__} says something of each token, for which that must know what "
            f"comes after it, as in BERT. Received: {base!r}"
        )
    return base


def encode(rows, columns, tokenizer, max_length):
    """x of one column of texts, or of two as pairs: ids and a mask (n, t), for pairs segments too.

    t is the length of the longest, and not more than max_length.
    """
    encoded = []
    for i, row in enumerate(check_rows(rows, tokenizer)):
        texts = [text_in(row, name, i) for name in columns]
        try:
            if len(texts) == 1:
                encoded.append((tokenizer.encode(texts[0], max_length=max_length), None))
            else:
                encoded.append(tokenizer.encode_pair(*texts, max_length=max_length))
        except ValueError as error:
            raise bad_row(i, " and ".join(columns), error) from error
        if not encoded[-1][0]:
            raise bad_row(i, " and ".join(columns), f"no token is left of it. Received: {texts!r}")
    return as_arrays(tokenizer, *zip(*encoded))


def as_arrays(tokenizer, ids, segments=None, side="right"):
    """x of lists of ids, and of segments if there are any, filled up to one length."""
    array, mask = pad(ids, fill=padding(tokenizer), side=side)
    x = {"ids": array, "mask": mask}
    if segments is not None and segments[0] is not None:
        x["segments"] = pad(segments, side=side)[0]
    return x


def where_labels_count(x, y):
    """x with the m places where labels count, and their labels.   y (n, t) -> places, y (n, m)

    To compare a place with all words is dear, and the loss hears nothing of the others. Of a row
    with fewer than m, other places fill it up, whose labels are IGNORED.
    """
    counts = y != IGNORED
    m = max(1, np.count_nonzero(counts, axis=1).max())
    if m == y.shape[1]:
        return x, y
    places = np.argsort(~counts, axis=1, kind="stable")[:, :m]  # first those that count, in order
    return {**x, "places": places}, np.take_along_axis(y, places, axis=1)


def padding(tokenizer):
    """The id to fill up with: that of a special token for it, or 0. The mask hides it."""
    known = tokenizer.special_tokens
    return next((known[name] for name in PAD if name in known), 0)
