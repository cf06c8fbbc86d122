"""A number for a text, or for a pair of texts."""

import numpy as np

from ...losses import MeanSquaredError
from ...registry import check_number
from .pooling import check_pooling
from .task import Task, encode, named_outputs, number_in
from .task_models import TextModel


class Regress(Task):
    """A number for each text.   A row: {"text": ..., "target": ...}

    text, pair     the column of the text; and that of the second one, where a number tells how two
                   texts stand to each other
    target         the column of the numbers
    offset, scale  the model learns (number - offset) / scale: with their mean and standard
                   deviation it has to do with numbers near 1, which it learns sooner
    pooling        how one vector is made of a text: "pooler", as BERT does, "cls", "mean" or "last"
    max_length     a text, or a pair, is cut to so many tokens
    """

    loss = MeanSquaredError()
    metrics = ("mean_absolute_error",)
    architecture, peft_type = "SequenceClassification", "SEQ_CLS"

    def __init__(
        self,
        text="text",
        pair=None,
        target="target",
        offset=0.0,
        scale=1.0,
        pooling=None,
        max_length=128,
    ):
        super().__init__(max_length, text=text, pair=pair, target=target, pooling=pooling)
        self.offset, self.scale = float(offset), check_number("scale", scale, positive=True)

    @property
    def columns(self):
        return [self.text] if self.pair is None else [self.text, self.pair]

    @property
    def head_settings(self):
        """What config.json says of a head with one number, in transformers' words."""
        return {**named_outputs([self.target]), "problem_type": "regression"}

    def model(self, base):
        """Numbers (n, 1) of ids (n, t)."""
        return TextModel(base, 1, check_pooling(base, self.pooling))

    def inputs(self, rows, tokenizer, max_length=None):
        """x of texts, or of pairs: ids and a mask (n, t), for pairs segments too"""
        return encode(rows, self.columns, tokenizer, max_length or self.max_length)

    def examples(self, rows, tokenizer, max_length=None):
        """x, and y (n,)"""
        rows = list(rows)
        x = self.inputs(rows, tokenizer, max_length)
        numbers = np.array([number_in(row, self.target, i) for i, row in enumerate(rows)])
        return x, (numbers - self.offset) / self.scale

    def answers(self, predictions, rows=None, tokenizer=None):
        """The number of each text."""
        return (predictions[:, 0].astype("float64") * self.scale + self.offset).tolist()
