"""The process in which a student's function runs: it gets arguments, and answers what was seen.

Nothing here knows what is expected. What a student's code does to this process, it does to itself.
"""

import importlib

import numpy as np

from .. import calls
from ..limit import time_limit
from ..observation import observe
from . import submission, wire


def work(room, held, requests, answers):
    """Read the submission, say so, run it, and answer requests until none come.

    room  what this process is told, see `room.py`; held  the names of the protections in force
    """
    try:
        with open(room["submission"], "rb") as file:
            source = submission.extract(file.read(), room["name"], room["is_notebook"])
    except submission.UnreadableError as error:
        wire.send(answers, {"unreadable": str(error), "held": held})
        return
    wire.send(answers, {"source": source, "held": held})
    function, view = None, _view(room["view"])
    while (request := wire.receive(requests)) is not None:
        try:
            if function is None:
                with time_limit():
                    function = _run(source, "submission.py")[room["name"]]
            through = view if request["through_view"] else calls.call
            answer = _answer(observe(function, tuple(request["arguments"]), through))
        except BaseException as error:  # such as SystemExit: an answer like any other error
            answer = {"error": _described(error)}
        try:
            wire.send(answers, answer)
        except wire.MalformedError as error:
            wire.send(answers, {"error": ["ValueError", f"what it returns is too much: {error}"]})


def _run(source, place):
    namespace = {"__name__": "submission", "np": np}
    exec(compile(source, place, "exec"), namespace)
    return namespace


def _view(view):
    """How a view calls: by a function of `calls`, or else by the `view` of a text."""
    return getattr(calls, view) if view in ("call", "pull") else _run(view, "view.py")["view"]


def _answer(seen):
    if seen.error is not None:
        return {"error": _described(seen.error)}
    return {"result": seen.result, "changed": list(seen.changed)}


def _described(error):
    try:
        text = str(error.args[0] if len(error.args) == 1 else error)
    except BaseException:
        text = "its text cannot be made"
    return [type(error).__name__[:100], text[:3000]]


def ready(room):
    """Import what is needed as long as all files are within reach."""
    import kernels

    kernels.use("numpy")
    with open(room["submission"], "rb") as file:
        if b"minigrad" in file.read() or "minigrad" in room["view"]:
            importlib.import_module("minigrad")
