"""The answer to a question: a part of a text that holds it."""

from typing import NamedTuple

import numpy as np

from ...layers.core import positive_integer
from ...losses import TokenCrossentropy
from .task import Task, as_arrays, bad_row, check_rows, number_in, reads_both_ways, text_in
from .task_models import EachTokenModel


class Answer(NamedTuple):
    """An answer: context[start:end] is its text."""

    text: str
    start: int
    end: int


class AnswerQuestions(Task):
    """Where the answer begins and ends.   A row: {"question": ..., "context": ..., "answer": ...}

    question, context, answer  the columns; an answer is a part of its context
    start       a column with the place where the answer begins, if there is one; without, the
                answer is where its text comes first
    longest     no answer is given that has more tokens
    max_length  question and context together are cut to so many tokens
    """

    loss = TokenCrossentropy()
    metrics = ("token_accuracy",)
    architecture, peft_type = "QuestionAnswering", "QUESTION_ANS"
    head_name = "qa_outputs"

    def __init__(
        self,
        question="question",
        context="context",
        answer="answer",
        start=None,
        longest=30,
        max_length=384,
    ):
        columns = {"question": question, "context": context, "answer": answer, "start": start}
        super().__init__(max_length, **columns)
        self.longest = positive_integer("AnswerQuestions", "longest", longest)

    @property
    def columns(self):
        return [self.question, self.context]

    def model(self, base):
        """Logits (n, 2, t) of ids (n, t): whether the answer begins, and ends, with each token."""
        return EachTokenModel(reads_both_ways(self, base), 2, token_last=True)

    def inputs(self, rows, tokenizer, max_length=None):
        """x of pairs of a question and a context: ids, mask and segments (n, t)"""
        return _arrays(tokenizer, self._encoded(rows, tokenizer, max_length))

    def examples(self, rows, tokenizer, max_length=None):
        """x, and y integers (n, 2): the numbers of the first and the last token of the answer"""
        rows = check_rows(rows, tokenizer)
        encoded = self._encoded(rows, tokenizer, max_length)
        y = [self._first_and_last(i, row, encoded[i][2]) for i, row in enumerate(rows)]
        return _arrays(tokenizer, encoded), np.array(y)

    def answers(self, predictions, rows, tokenizer, max_length=None):
        """The likeliest Answer of each row, as a part of its context."""
        found = []
        for logits, row, (_, _, places) in zip(
            predictions, rows, self._encoded(rows, tokenizer, max_length)
        ):
            first, last = best_span(logits, [place is not None for place in places], self.longest)
            start, end = places[first][0], places[last][1]
            found.append(Answer(row[self.context][start:end], start, end))
        return found

    def _encoded(self, rows, tokenizer, max_length):
        """For each row ids, segments, and for each token (start, end) in the context, or None."""
        if not hasattr(tokenizer, "encode_with_places"):
            raise ValueError(
                "answers are parts of a text, and this tokenizer does not say where its tokens "
                f"are in it, as BERT's does. Received: {type(tokenizer).__name__}"
            )
        found, special = [], tokenizer.special_tokens
        for i, row in enumerate(check_rows(rows, tokenizer)):
            question = tokenizer.encode(text_in(row, self.question, i), add_special_tokens=False)
            ids, places = tokenizer.encode_with_places(text_in(row, self.context, i))
            length, template = max_length or self.max_length, tokenizer.template
            ids, segments = template.fill([question, ids], special, length)
            none = [None] * len(question)
            places, _ = template.fill([none, places], dict.fromkeys(special), length)
            if not any(places):
                raise bad_row(i, self.context, f"{length} tokens leave no room for it")
            found.append((ids, segments, places))
        return found

    def _first_and_last(self, i, row, places):
        """The numbers of the first and the last token of the answer of row i."""
        context, answer = row[self.context], text_in(row, self.answer, i)
        start = context.find(answer) if self.start is None else int(number_in(row, self.start, i))
        if start < 0 or context[start : start + len(answer)] != answer:
            what = "it is not in its context"
            raise bad_row(i, self.answer, f"{what}, or not where it should be: {answer!r}")
        end = start + len(answer)
        tokens = [k for k, place in enumerate(places) if place and place[0] < end]
        tokens = [k for k in tokens if places[k][1] > start]
        if not tokens or places[tokens[-1]][1] < len(answer.rstrip()) + start:
            raise bad_row(
                i,
                self.answer,
                f"it is not in the first tokens of its context, which are all that max_length "
                f"leaves. Received: {answer!r}, at {start}",
            )
        return tokens[0], tokens[-1]


def best_span(logits, allowed, longest):
    """The first and last token of the likeliest answer.   (2, t) -> two integers

    That with the largest sum of logits, among all with first <= last < first + longest that begin
    and end where it is allowed.
    """
    begins, ends = (np.where(allowed, row[: len(allowed)], -np.inf) for row in logits)
    sums = begins[:, None].astype("float64") + ends
    too_long = ~np.tri(len(allowed), k=longest - 1, dtype=bool)
    before = np.tri(len(allowed), k=-1, dtype=bool)
    sums[too_long | before] = -np.inf
    return np.unravel_index(np.argmax(sums), sums.shape)


def _arrays(tokenizer, encoded):
    ids, segments, _ = zip(*encoded)
    return as_arrays(tokenizer, ids, segments)
