"""Rows of a Table as what a network takes, and what it says in the words of the table.

n examples, d inputs, c classes.
"""

import json
from pathlib import Path

import numpy as np

from .. import data
from ..atomic import replacing
from ..registry import look_up
from .table_columns import TASKS, WrongValue, check_finite, name_of

VERSION = 2  # of the file
MISSING = "missing"  # a category of its own, for that a text is missing may well say something


class Preparation:
    """Fill, scale and encode the columns of a Table: learned from the examples to train on alone.

    target   the name of the column to predict
    task     "classification" or "regression"
    numbers  names of columns of numbers: the median fills gaps, then x' = (x - mean) / deviation
    text     names of columns of text: one input for each category, and one for a missing text
    delimiter, encoding  of the file of the training, so that others are read alike
    weights  the SHA-256 of the model's file that goes with it, in hexadecimal digits

    The target of a regression is scaled like the numbers; of a classification it is 0 to c - 1.
    """

    def __init__(
        self,
        target,
        task,
        numbers=(),
        text=(),
        delimiter=",",
        encoding="utf-8-sig",
        weights="",
    ):
        self.target = target
        self.task = look_up("task", task, {name: name for name in TASKS})
        self.numbers = list(numbers)
        self.text = list(text)
        self.delimiter, self.encoding = delimiter, encoding
        self.weights = weights
        steps = [
            (self.numbers, data.Imputer("median"), data.StandardScaler()),
            (self.text, data.Imputer("constant", MISSING), data.OneHotEncoder(unknown="zeros")),
        ]
        self.steps = [step for step in steps if step[0]]
        is_classes = task == "classification"
        self.of_target = data.LabelEncoder() if is_classes else data.StandardScaler()

    @classmethod
    def of(cls, x, target, task, delimiter=",", encoding="utf-8-sig"):
        """The Preparation for the columns of a Table x, without having learned anything."""
        text = [name for name in x.columns if x[name].dtype == object]
        numbers = [name for name in x.columns if name not in text]
        return cls(target, task, numbers, text, delimiter, encoding)

    @property
    def columns(self):
        """The names of the columns that it takes, in order."""
        return self.numbers + self.text

    @property
    def classes(self):
        """The names of the c classes, in order."""
        return [name_of(value) for value in self.of_target.classes]

    @property
    def width(self):
        """d, the number of inputs of the network."""
        return sum(
            len(transformer.names if names is self.text else names)
            for names, _, transformer in self.steps
        )

    def fit(self, table):
        """Learn from the examples to train on; returns the object itself."""
        for names, imputer, transformer in self.steps:
            transformer.fit(imputer.fit_transform(table.select(*names)))
        self.of_target.fit(self._target(table))
        return self

    def inputs(self, table):
        """What the network takes.   n rows -> float32 (n, d)

        A category that is not known gives zeros; see `unknown`. ValueError for a number that is
        infinite, or so far from those of the training that its input would be.
        """
        check_finite(table.select(*self.columns))
        blocks = [
            transformer.transform(imputer.transform(table.select(*names)))
            for names, imputer, transformer in self.steps
        ]
        with np.errstate(over="ignore"):  # checked in the next line
            inputs = np.concatenate(blocks, axis=1).astype(np.float32)
        self._check_range(inputs, table)
        return inputs

    def _check_range(self, inputs, table):
        infinite = np.argwhere(~np.isfinite(inputs))
        if len(infinite):
            row, place = infinite[0]
            name = self.numbers[place]  # they come first, and text gives 0 or 1
            raise WrongValue(
                f"column {name!r} must hold numbers of the size that the model was trained with. "
                f"Received: {table[name][row]}",
                row,
            )

    def targets(self, table):
        """What the network learns.   n rows -> int64 (n,), or float32 (n, 1)"""
        y = self.of_target.transform(self._target(table))
        return y if self.task == "classification" else y.astype(np.float32)

    def answers(self, outputs):
        """Outputs (n, c) as names of classes, or outputs (n, 1) as numbers of the target: (n,)"""
        if self.task == "classification":
            return np.array(self.classes, dtype=object)[np.argmax(outputs, axis=1)]
        scaled = data.Table({self.target: outputs[:, 0]})
        return self.of_target.inverse_transform(scaled)[:, 0]

    def unknown(self, table):
        """{column: [categories that training did not have]}, where there are any."""
        found = {}
        for names, imputer, encoder in self.steps:
            if names is self.text:
                filled = imputer.transform(table.select(*names))
                for name, known in zip(names, encoder.categories):
                    found[name] = sorted(set(filled[name]) - set(known))
        return {name: strangers for name, strangers in found.items() if strangers}

    def _target(self, table):
        """The column to predict, as the encoder or the scaler takes it."""
        is_classes = self.task == "classification"
        return table[self.target] if is_classes else table.select(self.target)

    # ---- The file --------------------------------------------------------------------------------

    def save(self, path):
        """Write all to a JSON file."""
        content = {
            "version": VERSION,
            "target": self.target,
            "task": self.task,
            "numbers": self.numbers,
            "text": self.text,
            "delimiter": self.delimiter,
            "encoding": self.encoding,
            "weights": self.weights,
            "learned": [part.get_state() for part in self._parts()],
        }
        with replacing(Path(path)) as file:
            file.write(json.dumps(content, indent=1, ensure_ascii=False).encode())

    @classmethod
    def load(cls, path):
        """The Preparation that `save` wrote. ValueError for a file that is damaged, or another."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            version, learned = content.pop("version"), content.pop("learned")
            preparation = cls(**content)
            for part, state in zip(preparation._parts(), learned, strict=True):
                part.set_state(state)
            preparation._try_out()
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(f"{path} holds no preparation of a table: {error!r}") from error
        if version != VERSION:
            raise ValueError(f"{path} must be of version {VERSION}. Received: {version!r}")
        return preparation

    def _try_out(self):
        """ValueError if what the steps have learned does not belong to the columns and the task."""
        gaps = dict.fromkeys(self.numbers, [np.nan]) | dict.fromkeys(self.text, [None])
        self.inputs(data.Table(gaps))
        outputs = len(self.classes) if self.task == "classification" else 1
        self.answers(np.zeros((1, outputs)))

    def _parts(self):
        """All that learns, in the order of the file."""
        return [part for _, *pair in self.steps for part in pair] + [self.of_target]
