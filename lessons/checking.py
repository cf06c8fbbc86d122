"""Does a function do what an exercise asks for?  If not: with what, what came, and why probably.

The cases are gone through in the order in which a student can follow them: those worked out by
hand, those at the edge, then arguments that hypothesis draws; for these the laws must hold as well.
In all of them a rule's gradients are compared too. What is drawn is the same for every function,
until one fails: then hypothesis looks for the smallest arguments with which it does.
"""

import functools
import warnings
from contextlib import suppress
from dataclasses import dataclass, field

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import kernels

from . import calls, cases, diagnosis, slopes, views
from .limit import TooLongError
from .observation import Observation, difference, look, observe, plain

EXAMPLES = 40  # drawn of each kind
REMEMBERED = 2000  # cases of which it is remembered what is right


@dataclass(frozen=True)
class Failure:
    """What was asked, with which arguments, what was expected, and what was seen."""

    kind: str  # "by hand", "edge", "drawn", "law", "gradient"
    asked: str
    arguments: tuple
    expected: object
    seen: Observation
    what: str  # differs: "values", "shape", "dtype", "type", "length", "error", "changed"
    place: str = ""  # in the result: "value", "gradient of x"


@dataclass
class Verdict:
    """counts  {kind: how many cases were passed}; failure is None if all were"""

    exercise: object
    counts: dict = field(default_factory=dict)
    failure: Failure | None = None
    reason: str | None = None  # the sentence of the wrong answer that does the same

    @property
    def passed(self):
        return self.failure is None


def check(exercise, function, seed=0):
    """The Verdict on a function. What is drawn depends on the seed alone.

    The framework's part runs in NumPy meanwhile: to compile kernels would take longer.
    """
    verdict = Verdict(exercise)
    with np.errstate(all="ignore"), warnings.catch_warnings(), kernels.use("numpy"):
        warnings.simplefilter("ignore")
        for kind, find in _KINDS.items():
            verdict.counts[kind], verdict.failure = find(exercise, function, seed)
            if verdict.failure:
                if isinstance(verdict.failure.seen.error, TooLongError):
                    break
                verdict.reason = diagnosis.reason(exercise, function)
                break
    return verdict


# ---- One case ------------------------------------------------------------------------------------


@functools.lru_cache(REMEMBERED)
def expected(exercise, case):
    """What a view of the right function shows, and what it shows of the solution.

    Values come from the definition, and dtypes from the solution; of a rule, the gradients are
    central differences of the definition.
    """
    value = plain(case.expected(exercise.definition))
    solved = observe(exercise.solution, case.arguments, exercise.view)
    if not _is_seen_as_rule(exercise):
        return value, solved.result
    w = calls.weights(solved.result[0]) if solved.error is None else np.ones(np.shape(value))
    return [value, *slopes.central(exercise.definition, case.arguments, w)], solved.result


def _is_seen_as_rule(exercise):
    return exercise.is_rule and exercise.view is views.RULE


def examine(exercise, function, kind, case):
    """The Failure of a function in a case, or None."""
    seen = observe(function, case.arguments, exercise.view)
    wanted, solved = expected(exercise, case)
    what, place = _compare(exercise, case, seen, wanted, solved)
    if what is None:
        return None
    return Failure(kind, case.asked, case.arguments, wanted, seen, what, place)


def _compare(exercise, case, seen, wanted, solved):
    if seen.error is not None:
        return "error", ""
    if seen.changed:
        return "changed", ""
    if not _is_seen_as_rule(exercise):
        return difference(seen.result, _with_dtypes(wanted, solved)), ""
    names = ["value", *_floating_names(exercise, case.arguments)]
    if not isinstance(seen.result, list) or len(seen.result) != len(wanted):
        return "length", ""
    for name, got, want, right in zip(names, seen.result, wanted, solved, strict=True):
        tolerance = None if name == "value" else _slope_tolerance(right)
        what = difference(got, _with_dtypes(want, right), tolerance)
        if what:
            return what, name if name == "value" else f"dL/d{name}"
    return None, ""


def _with_dtypes(wanted, solved):
    """What is wanted, in the dtypes of what the solution gives."""
    if isinstance(wanted, list) and isinstance(solved, list) and len(wanted) == len(solved):
        return [_with_dtypes(w, s) for w, s in zip(wanted, solved, strict=True)]
    if isinstance(wanted, dict) and isinstance(solved, dict) and wanted.keys() == solved.keys():
        return {key: _with_dtypes(wanted[key], solved[key]) for key in wanted}
    if isinstance(wanted, np.ndarray) and isinstance(solved, np.ndarray):
        return wanted.astype(solved.dtype) if wanted.dtype.kind in "biuf" else wanted
    if isinstance(wanted, (int, float)) and isinstance(solved, np.ndarray) and solved.ndim == 0:
        return np.asarray(wanted, solved.dtype)
    return wanted


def _slope_tolerance(right):
    return slopes.TOLERANCE if right.dtype == np.float64 else 1e-4


def _floating_names(exercise, arguments):
    return [n for n, a in zip(exercise.names, arguments) if calls.is_floating(a)]


# ---- Many ----------------------------------------------------------------------------------------


def _listed(kind, listed):
    def find(exercise, function, seed):
        for count, case in enumerate(listed(exercise)):
            failure = examine(exercise, function, kind, case)
            if failure:
                return count, failure
        return len(listed(exercise)), None

    return find


def _drawn(exercise, function, seed):
    def look(case):
        return examine(exercise, function, "drawn", case)

    return _search(exercise, look, seed)


def _lawful(exercise, function, seed):
    passed = 0
    for law in exercise.laws:

        def look(case, law=law):
            pair = observe(value_of(exercise, function), case.arguments, law)
            asked = law.__doc__.strip()
            if pair.error is not None:
                return Failure("law", asked, case.arguments, None, pair, "error")
            got, want = pair.result
            what = difference(got, want, dtypes=False)
            seen = Observation(got)
            return Failure("law", asked, case.arguments, want, seen, what) if what else None

        count, failure = _search(exercise, look, seed)
        if failure:
            return passed, failure
        passed += count
    return passed, None


def value_of(exercise, function):
    """The function as a law calls it: what its view shows; of a rule, the value alone."""
    if exercise.view is views.RULE:
        return lambda *arguments: function(*arguments)[0]
    return lambda *arguments: look(function, arguments, exercise.view)


# ---- What is drawn -------------------------------------------------------------------------------


def _search(exercise, look, seed):
    """How many drawn cases pass, and the Failure of the smallest that does not."""
    drawn = drawn_cases(exercise, seed)
    for count, case in enumerate(drawn):
        failure = look(case)
        if failure:
            return count, _smallest(exercise, look, seed, failure)
    return len(drawn), None


@functools.lru_cache(REMEMBERED // EXAMPLES)
def drawn_cases(exercise, seed):
    """The cases that hypothesis draws, of which the first is the simplest."""
    found = []
    _draw(exercise, seed, found.append, [Phase.generate])
    return found


def _smallest(exercise, look, seed, failure):
    """The Failure in the smallest case that hypothesis finds, beginning with a Failure."""
    smallest = [failure]

    def fail_again(case):
        found = look(case)
        if found:
            smallest[:] = [found]
            raise _LongSearchError if _takes_too_long(found) else _FoundError

    if not _takes_too_long(failure):
        # Of a function that answers one way now and another way later, any Failure will do.
        with suppress(_FoundError, _LongSearchError, hypothesis.errors.Flaky):
            _draw(exercise, seed, fail_again, [Phase.generate, Phase.shrink])
    return smallest[0]


def _takes_too_long(failure):
    return isinstance(failure.seen.error, TooLongError)


def _draw(exercise, seed, look, phases):
    """Let hypothesis draw cases to look at."""
    if exercise.drawn is None:
        return

    @st.composite
    def arguments(draw):
        return exercise.drawn(draw)

    @hypothesis.seed(seed)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(arguments())
    def look_at(drawn):
        look(cases.Case(tuple(drawn)))

    look_at()


class _FoundError(Exception):
    pass


class _LongSearchError(BaseException):
    """Ends the search at once: to look for smaller arguments would take too long."""


_KINDS = {
    "by hand": _listed("by hand", lambda exercise: exercise.by_hand),
    "edge": _listed("edge", lambda exercise: exercise.edges),
    "drawn": _drawn,
    "law": _lawful,
}
