"""Answers to the exercises: wrong ones, each named by its mistake, and other right ones.

    @wrong("6.3", "It divides by the sum of all numbers. Each row has a sum of its own.")
    def all_rows_together(x, axis=-1): ...

    @right("6.3")
    def ...

The sentence is what a student reads whose function does the same.
"""

import ast
import functools
import importlib
import inspect
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """The number of an exercise, a function, and, if it is wrong, the sentence that says why."""

    number: str
    function: object
    sentence: str | None = None


def wrong(number, sentence):
    """Note a wrong answer to an exercise (decorator)."""
    return lambda function: Answer(number, function, sentence)


def right(number):
    """Note another right answer to an exercise (decorator)."""
    return lambda function: Answer(number, function)


def wrong_answers(number):
    """All wrong answers to an exercise, in the order of their text."""
    return [answer for answer in _answers(number) if answer.sentence is not None]


def right_answers(number):
    """All other right answers to an exercise."""
    return [answer for answer in _answers(number) if answer.sentence is None]


def _answers(number):
    lesson = int(number.partition(".")[0])
    things = vars(_module(lesson)).values()
    return [thing for thing in things if isinstance(thing, Answer) and thing.number == number]


@functools.cache
def _module(lesson):
    """The answers to a lesson. ValueError if a name is given twice: the first would be lost."""
    module = importlib.import_module(f"{__name__}.lesson_{lesson:02}")
    statements = ast.parse(inspect.getsource(module)).body
    names = [s.name for s in statements if isinstance(s, ast.FunctionDef)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{module.__file__} defines more than once: {', '.join(twice)}")
    return module
