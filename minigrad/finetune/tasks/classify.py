"""Which of some classes a text belongs to, or a pair of texts."""

import numpy as np

from ...losses import SparseCategoricalCrossentropy
from .pooling import check_pooling
from .task import Task, bad_row, check_labels, encode, label_in, named_outputs
from .task_models import TextModel


class Classify(Task):
    """One of some labels for each text.   A row: {"text": ..., "label": ...}

    labels      the names of the classes, in the order of the model's outputs
    text, pair  the column of the text; and that of the second one, where texts are judged by pairs,
                such as a question and an answer
    label       the column of the labels
    pooling     how one vector is made of a text: "pooler", as BERT does, "cls", "mean" or "last"
    max_length  a text, or a pair, is cut to so many tokens
    """

    loss = SparseCategoricalCrossentropy(from_logits=True)
    metrics = ("accuracy",)
    architecture, peft_type = "SequenceClassification", "SEQ_CLS"

    def __init__(self, labels, text="text", pair=None, label="label", pooling=None, max_length=128):
        super().__init__(max_length, text=text, pair=pair, label=label, pooling=pooling)
        self.labels = check_labels(self, labels)

    @property
    def columns(self):
        return [self.text] if self.pair is None else [self.text, self.pair]

    @property
    def head_settings(self):
        """The labels and their numbers, as config.json has them."""
        return named_outputs(self.labels)

    def model(self, base):
        """Logits (n, c) of ids (n, t)."""
        return TextModel(base, len(self.labels), check_pooling(base, self.pooling))

    def inputs(self, rows, tokenizer, max_length=None):
        """x of texts, or of pairs: ids and a mask (n, t), for pairs segments too"""
        return encode(rows, self.columns, tokenizer, max_length or self.max_length)

    def examples(self, rows, tokenizer, max_length=None):
        """x, and y integers (n,)"""
        rows = list(rows)
        return self.inputs(rows, tokenizer, max_length), self.targets(rows)

    def targets(self, rows):
        """The number of each row's label.   -> integers (n,)"""
        number = {name: i for i, name in enumerate(self.labels)}
        found = []
        for i, row in enumerate(rows):
            name = label_in(row, self.label, i)
            if name not in number:
                known = ", ".join(self.labels)
                raise bad_row(i, self.label, f"one of {known} is needed. Received: {name!r}")
            found.append(number[name])
        return np.array(found)

    def answers(self, predictions, rows=None, tokenizer=None):
        """The label of each text."""
        return [self.labels[i] for i in np.argmax(predictions, axis=-1)]
