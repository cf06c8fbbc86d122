"""What a student reads: verdicts in plain sentences, one thing on a line."""

import re

import numpy as np

from .calls import is_floating
from .limit import TooLongError

LONGEST = 20  # tuples and lists with more items are shown without their middle
_KINDS = {"by hand": "by hand", "edge": "at the edges", "drawn": "drawn", "law": "laws"}
_DIFFERS = {
    "shape": "the shape is another",
    "dtype": "the dtype is another",
    "type": "the kind is another",
    "length": "the number of results is another",
    "changed": "an argument was changed, which belongs to the caller",
}


def verdict(found):
    """The text about a Verdict."""
    exercise = found.exercise
    title = f"{exercise.number} {exercise.title}"
    if found.passed:
        counts = ", ".join(f"{n} {_KINDS[kind]}" for kind, n in found.counts.items() if n)
        return f"{title}: passed ({counts})."
    lines = [f"{title}: not yet.", ""]
    lines += _described(exercise, found.failure)
    if found.reason:
        lines += ["", f"The likely reason: {found.reason}"]
    return "\n".join(lines)


def brief(found):
    """One line about a Verdict, which is enough for a function that is not written yet."""
    is_hole = found.failure and isinstance(found.failure.seen.error, NotImplementedError)
    if is_hole:
        return f"{found.exercise.number} {found.exercise.title}: not yet written."
    return verdict(found)


def _described(exercise, failure):
    if failure.kind == "law":
        yield from _item("what holds", failure.asked)
    elif failure.asked:
        yield from _item("asked", failure.asked)
    yield from _item("called", call(exercise, failure.arguments))
    if failure.seen.error is not None:
        if failure.kind != "law":
            yield from _item("expected", shown(failure.expected))
        yield from _item("got", _error(failure.seen.error))
        return
    if failure.what == "changed":
        changed = ", ".join(exercise.names[i] for i in failure.seen.changed)
        yield from _item("got", f"{_DIFFERS['changed']}: {changed}")
        return
    if failure.place not in ("", "value"):
        yield from _item("compared", f"{failure.place}, where L = Σ w · value with fixed weights w")
    expected, got = compared(exercise, failure)
    yield from _item("expected", shown(expected))
    yield from _item("got", shown(got))
    if failure.what in _DIFFERS and _kind(got) != _kind(expected):
        yield from _item(
            "that is", f"{_DIFFERS[failure.what]}: {_kind(got)}, not {_kind(expected)}"
        )


def compared(exercise, failure):
    """What was expected and what came, where the two differ: of a rule, in one of its results."""
    expected, got = failure.expected, failure.seen.result
    if not failure.place:
        return expected, got
    places = ["value", *(f"dL/d{n}" for n in _floating(exercise, failure.arguments))]
    i = places.index(failure.place)
    return expected[i], got[i]


def _item(name, text):
    """A name in a column of its own, and a text of one line or several beside it."""
    yield from _beside(f"{name:<10} ", str(text)).splitlines()


def call(exercise, arguments):
    """The call as one would write it: softmax(x=array([[1., 2.]]), axis=0)

    With an argument of many lines, each argument begins a line of its own.
    """
    inner = [_beside(f"{name}=", shown(a)) for name, a in zip(exercise.names, arguments)]
    if len(inner) == 1:
        return _beside(f"{exercise.name}(", f"{inner[0]})")
    if not any("\n" in argument for argument in inner):
        return f"{exercise.name}({', '.join(inner)})"
    lines = "".join(_beside("    ", f"{argument},") + "\n" for argument in inner)
    return f"{exercise.name}(\n{lines})"


def _beside(begin, text):
    """The text right of its beginning, all its lines below each other."""
    return begin + text.replace("\n", "\n" + " " * len(begin))


def shown(thing):
    """An array or number as one would write it, not longer than a reader wants."""
    if isinstance(thing, np.ndarray):
        with np.printoptions(precision=6, threshold=60, floatmode="maxprec"):
            text = repr(thing)
        return re.sub(r", dtype=(float64|int64)\)$", ")", text)
    if isinstance(thing, dict):
        return "\n".join(f"{name}: {shown(value)}" for name, value in thing.items())
    if isinstance(thing, (list, tuple)):
        items = list(map(shown, thing))
        if len(items) > LONGEST:
            items[3:-3] = ["..."]
        inner = ", ".join(items)
        comma = "," * (len(items) == 1)
        return f"({inner}{comma})" if isinstance(thing, tuple) else f"[{inner}]"
    return repr(thing)


def _kind(thing):
    if isinstance(thing, np.ndarray):
        return f"{thing.dtype} {thing.shape}"
    if isinstance(thing, (list, tuple)):
        kinds = list(map(_kind, thing))
        if len(kinds) > LONGEST:
            kinds[3:-3] = ["..."]
        return f"[{', '.join(kinds)}]"
    return type(thing).__name__


def _error(error):
    if isinstance(error, NotImplementedError):
        return "nothing yet: the function still has to be written"
    if isinstance(error, TooLongError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _floating(exercise, arguments):
    return [n for n, a in zip(exercise.names, arguments) if is_floating(a)]
