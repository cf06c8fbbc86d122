"""Nothing that a submission finds in its room is an answer to the exercise.

`reach.py` calls all that is there, in many ways, beside the room; here it is compared.
"""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import kernels
from lessons import lesson as lessons
from lessons.checking import examine
from lessons.grading import room
from lessons.observation import Elsewhere, Observation, plain

ALL = [e for number in lessons.numbers() for e in lessons.load(number).exercises.values()]


class Seen(Elsewhere):
    """A function of which nothing is left but what it gave once."""

    def __init__(self, result):
        self.result = result

    def observe(self, arguments, view):
        try:
            return Observation(plain(view.read(self.result, *arguments)))
        except Exception as error:
            return Observation(error=error)


def answers_within_reach(exercise, folder):
    """The names of the functions in a room that pass all cases worked out by hand."""
    (folder / "room").mkdir()
    told = room.furnish(folder / "room", exercise, b"", is_notebook=False)
    cases = [case.arguments for case in exercise.by_hand]
    asked = {"view": told["view"], "is_rule": exercise.is_rule, "cases": cases}
    program = [sys.executable, "-I", "-S", "-B", Path(__file__).with_name("reach.py")]
    command = [*program, told["packages"], folder / "found"]
    subprocess.run(command, input=pickle.dumps(asked), check=True, capture_output=True, cwd=folder)
    found = pickle.loads((folder / "found").read_bytes())
    assert len(found) >= 5  # so many take such arguments at all
    with kernels.use("numpy"):
        return {name for name, results in found.items() if passes(exercise, results)}


def passes(exercise, results):
    pairs = zip(exercise.by_hand, results, strict=True)
    return not any(examine(exercise, Seen(result), "by hand", case) for case, result in pairs)


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.number)
def test_nothing_in_the_room_is_an_answer(exercise, tmp_path):
    assert answers_within_reach(exercise, tmp_path) == set()


GIVEN_AWAY = {
    "1.5": {"minigrad.data.StandardScaler.measure as it is"},
    "3.1": {"minigrad.ops.sigmoid.__wrapped__ as it is"},
    "5.4": {"minigrad.Tensor.__rtruediv__ of Tensors in order 1"},
    "5.6": {"minigrad.tensor._unbroadcast as it is"},
    "6.3": {"minigrad.by_definition.softmax of Tensors in order 0"},
}


@pytest.mark.parametrize("number", GIVEN_AWAY)
def test_answers_would_be_found_if_they_were_not_left_out(number, tmp_path, monkeypatch):
    monkeypatch.setattr(room.GivenAway, "cut_from", lambda self, text, module: text)
    room.framework_without.cache_clear()
    found = answers_within_reach(lessons.find(number), tmp_path)
    room.framework_without.cache_clear()
    assert found >= GIVEN_AWAY[number]
