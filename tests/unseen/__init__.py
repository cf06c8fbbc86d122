"""Second versions of the known wrong answers, by which the naming of mistakes is measured.

Each was written from the name and the sentence of a mistake alone, without a look at the known
wrong answer or at the diagnosis, after both were finished.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """The number of an exercise, the name of a wrong answer to it, and a function like that."""

    number: str
    mistake: str
    function: object


def variant(number, mistake):
    """Note a variant of a mistake (decorator)."""
    return lambda function: Variant(number, mistake, function)
