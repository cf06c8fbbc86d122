"""A tag for each word of a text, such as "person" or "verb"."""

import numpy as np

from ...losses import IGNORED, TokenCrossentropy
from .task import (
    Task,
    as_arrays,
    bad_row,
    check_labels,
    check_rows,
    named_outputs,
    reads_both_ways,
    words_in,
)
from .task_models import EachTokenModel

NO_WORD = -1  # the word of a special token


class TagTokens(Task):
    """A tag for each word.   A row: {"words": "Ada lives in Rome", "tags": "person O O place"}

    labels      all tags, in the order of the model's outputs
    words       the column of the words, with spaces between them, or a list
    tags        the column of their tags, likewise
    max_length  a text is cut to so many tokens; words behind that have no tag

    A word may be several tokens: the first of them has the tag, and the others do not count.
    """

    loss = TokenCrossentropy()
    metrics = ("token_accuracy",)
    architecture, peft_type = "TokenClassification", "TOKEN_CLS"

    def __init__(self, labels, words="words", tags="tags", max_length=128):
        super().__init__(max_length, words=words, tags=tags)
        self.labels = check_labels(self, labels)

    @property
    def columns(self):
        return [self.words]

    @property
    def head_settings(self):
        """The labels and their numbers, as config.json has them."""
        return named_outputs(self.labels)

    def model(self, base):
        """Logits (n, t, c) of ids (n, t)."""
        return EachTokenModel(reads_both_ways(self, base), len(self.labels))

    def inputs(self, rows, tokenizer, max_length=None):
        """x of the words of each row: ids and a mask (n, t)"""
        return as_arrays(tokenizer, [ids for ids, _ in self._encoded(rows, tokenizer, max_length)])

    def examples(self, rows, tokenizer, max_length=None):
        """x, and y integers (n, t), IGNORED where a token does not begin a word"""
        rows = check_rows(rows, tokenizer)
        number = {name: i for i, name in enumerate(self.labels)}
        encoded = self._encoded(rows, tokenizer, max_length)
        x = as_arrays(tokenizer, [ids for ids, _ in encoded])
        y = np.full(x["ids"].shape, IGNORED)
        for i, (row, (_, first)) in enumerate(zip(rows, encoded)):
            words, tags = words_in(row, self.words, i), words_in(row, self.tags, i)
            if len(tags) != len(words):
                what = f"{len(words)} words need as many tags. Received: {len(tags)}"
                raise bad_row(i, self.tags, what)
            for tag in tags:
                if tag not in number:
                    known = ", ".join(self.labels)
                    raise bad_row(i, self.tags, f"tags are {known}. Received: {tag!r}")
            for word, place in first.items():
                y[i, place] = number[tags[word]]
        return x, y

    def answers(self, predictions, rows, tokenizer, max_length=None):
        """For each text the tags of its words: a list, with None for a word that was cut off."""
        encoded = self._encoded(rows, tokenizer, max_length)
        best = np.argmax(predictions, axis=-1)
        return [
            [
                self.labels[best[i, first[word]]] if word in first else None
                for word in range(len(words_in(row, self.words, i)))
            ]
            for i, (row, (_, first)) in enumerate(zip(rows, encoded))
        ]

    def _encoded(self, rows, tokenizer, max_length):
        """For each row its ids, and {number of a word: the place of its first token}."""
        found = []
        for i, row in enumerate(check_rows(rows, tokenizer)):
            pieces, numbers = [], []
            for number, word in enumerate(words_in(row, self.words, i)):
                new = tokenizer.encode(word, add_special_tokens=False)
                pieces += new
                numbers += [number] * len(new)
            length = max_length or self.max_length
            special = tokenizer.special_tokens
            ids, _ = tokenizer.template.fill([pieces], special, length)
            words, _ = tokenizer.template.fill([numbers], dict.fromkeys(special, NO_WORD), length)
            first = {word: place for place, word in reversed(list(enumerate(words)))}
            first.pop(NO_WORD, None)
            found.append((ids, first))
        return found
