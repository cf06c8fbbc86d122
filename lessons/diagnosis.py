"""Which of the known mistakes a function makes: it does the same as the wrong answer named for it.

A function is called with some fixed arguments, the probes, and so are the solution and all wrong
answers. The wrong answer that gives the same results, errors included, is the likely reason. How a
mistake is written down makes no difference to that.

Two functions with one mistake can still differ at the edge: one raises an error on no data, say,
where the other returns nothing. So the wrong answer that is most like the function is taken, if it
does the same in most of the probes in which either of the two is wrong, and no other one is as
like.
"""

import functools
import itertools
import warnings

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from . import answers
from .limit import TooLongError
from .observation import difference, observe

DRAWN = 25
MOST = 2 / 3  # of the probes that tell, in which two functions with one mistake agree


def reason(exercise, function):
    """The sentence of the wrong answer that does what the function does; None if there is none."""
    seen = _observations(exercise, function)
    if any(isinstance(observation.error, TooLongError) for observation in seen):
        return None
    known = answers.wrong_answers(exercise.number)
    if not known:
        return None
    truth = _known(exercise, exercise.solution)
    likeness = [_likeness(seen, _known(exercise, a.function), truth) for a in known]
    nearest = max(likeness)
    if nearest < MOST or likeness.count(nearest) > 1:
        return None
    return known[likeness.index(nearest)].sentence


def _likeness(these, those, truth):
    """In which share of the probes two functions agree, of those where either is wrong."""
    triples = zip(these, those, truth, strict=True)
    telling = [(a, b) for a, b, t in triples if not (_agree(a, t) and _agree(b, t))]
    return sum(_agree(a, b) for a, b in telling) / max(1, len(telling))


def twins(exercise):
    """Pairs of wrong answers that no probe tells apart."""
    pairs = itertools.combinations(answers.wrong_answers(exercise.number), 2)
    for one, other in pairs:
        if _alike(_known(exercise, one.function), _known(exercise, other.function)):
            yield one, other


@functools.cache
def _known(exercise, function):
    return _observations(exercise, function)


def _observations(exercise, function):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = []
        for arguments in probes(exercise):
            found.append(observe(function, arguments, exercise.view))
            if isinstance(found[-1].error, TooLongError):
                break  # the others might take as long
        return found


def _alike(these, those):
    return all(_agree(a, b) for a, b in zip(these, those, strict=True))


def _agree(a, b):
    if a.error is not None or b.error is not None:
        return type(a.error) is type(b.error)
    return a.changed == b.changed and difference(a.result, b.result, 1e-6) is None


@functools.cache
def probes(exercise):
    """Arguments by which mistakes are told apart: of all cases, and the same drawn ones always."""
    found = [case.arguments for case in (*exercise.by_hand, *exercise.edges)]
    if exercise.drawn is None:
        return found

    @st.composite
    def arguments(draw):
        return exercise.drawn(draw)

    @settings(
        max_examples=DRAWN,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(arguments())
    def collect(drawn):
        found.append(tuple(drawn))

    collect()
    return found
