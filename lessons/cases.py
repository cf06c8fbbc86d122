"""The words in which a lesson's checks are written.

case(x, gives=y)       the function called with x must give y
case(x, asked="...")   the same, and `definition` says what it must give
arrays(n, d)           draws an array of short numbers; sizes() draws n; choice(...) one of some
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies
from hypothesis.extra import numpy as drawing

_NOTHING = object()
STEP = 1 / 8  # drawn numbers are multiples of it: exact in binary, and short to read


@dataclass(frozen=True, eq=False)
class Case:
    """A call: the arguments; the result, unless the definition gives it; what is special in it.

    Each is equal to itself alone, so that what is right in it can be remembered.
    """

    arguments: tuple
    gives: object = _NOTHING
    asked: str = ""

    def expected(self, definition):
        return definition(*copies(self.arguments)) if self.gives is _NOTHING else self.gives


def case(*arguments, gives=_NOTHING, asked=""):
    """A Case. Lists of numbers become arrays: of integers, or else of float64."""
    return Case(tuple(_array(a) for a in arguments), _result(gives), asked)


def _array(thing):
    return np.array(thing) if isinstance(thing, list) else thing


def _result(thing):
    if isinstance(thing, dict):
        return {key: _result(value) for key, value in thing.items()}
    return tuple(map(_result, thing)) if isinstance(thing, tuple) else _array(thing)


def copies(arguments):
    """The arguments once more, so that whoever gets them may write to them."""
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in arguments)


def sizes(low=1, high=4):
    """Draws the length of an axis."""
    return strategies.integers(low, high)


def arrays(*shape, low=-3, high=3, dtype="float64"):
    """Draws an array of short numbers from low to high."""
    steps = strategies.integers(round(low / STEP), round(high / STEP))
    return drawing.arrays(np.dtype(dtype), shape, elements=steps.map(lambda i: i * STEP))


def integers(*shape, low=0, high=4):
    """Draws an array of integers from low to high."""
    return drawing.arrays(np.int64, shape, elements=strategies.integers(low, high))


def numbers(low=-3, high=3):
    """Draws a short number from low to high."""
    return strategies.integers(round(low / STEP), round(high / STEP)).map(lambda i: i * STEP)


def choice(*things):
    """Draws one of the things."""
    return strategies.sampled_from(things)


WORDS = {
    "np": np,
    "case": case,
    "sizes": sizes,
    "arrays": arrays,
    "integers": integers,
    "numbers": numbers,
    "choice": choice,
}
