"""Solutions that are written out: shown instead of a function that leaves the work to a kernel."""

import ast
import inspect
import json

import pytest

from lessons import lesson as lessons
from lessons.building import notebooks
from lessons.grading import room
from lessons.prove import prove
from lessons.skeleton import filled, skeleton
from lessons.work import Work
from minigrad import ops

EXERCISES = [e for number in lessons.numbers() for e in lessons.load(number).exercises.values()]
SOFTMAX = lessons.find("6.3")
NOTE = "    # Written out; minigrad.ops.softmax itself calls a kernel or a helper.\n"


def left_out(exercise, source):
    """What a source calls that the grader leaves out of the framework."""
    given_away = room.GivenAway(exercise)
    called = [ast.unparse(n.func) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    return [name for name in called if is_left_out(name, exercise.solution, given_away)]


def is_left_out(name, solution, given_away):
    """Whether a function is left out: of any module, or of the solution's own, beside it."""
    if name.startswith("np."):
        return False
    beside = solution.__globals__.get(name)
    is_own = inspect.isfunction(beside) and beside.__module__ == solution.__module__
    is_beside = is_own and f"{solution.__module__}.{name}" in given_away.places
    return is_beside or bool(given_away.names.fullmatch(name.rpartition(".")[2]))


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
def test_solution_that_is_shown_calls_nothing_that_the_grader_leaves_out(exercise):
    assert left_out(exercise, exercise.shown_source) == []


@pytest.mark.parametrize(
    "number, names",
    [
        ("6.3", ["kernels.softmax", "kernels.softmax_backward"]),
        ("6.6", ["ops.dense", "ops.dense"]),
        ("1.3", ["_check_one", "_check_labels", "_divide", "_generator"]),
    ],
)
def test_what_the_framework_itself_calls_would_be_found(number, names):
    exercise = lessons.find(number)
    assert left_out(exercise, exercise.source) == names


def test_frameworks_function_remains_the_one_that_is_compared():
    assert SOFTMAX.solution is inspect.unwrap(ops.softmax)
    assert SOFTMAX.shown_solution is not SOFTMAX.solution


def test_command_solution_shows_the_mathematics_and_says_that_minigrad_calls_a_kernel(tmp_path):
    text = Work(tmp_path).solution(SOFTMAX, give_up=True)
    assert NOTE in text and "e.sum(" in text and "kernels." not in text


def test_notebook_with_solutions_shows_the_same_between_the_marks():
    cells = json.loads(notebooks.text(lessons.load(6), solved=True))["cells"]
    (lines,) = (cell["source"] for cell in cells if cell["id"] == "exercise-6-3")
    _, _, rest = "".join(lines).partition("    ### BEGIN SOLUTION\n")
    assert rest.startswith(f"{NOTE}    e = np.exp(")


def test_signature_and_docstring_are_the_frameworks():
    first_line = inspect.getdoc(ops.softmax).partition("\n")[0]
    for text in (skeleton(SOFTMAX), filled(SOFTMAX)):
        assert text.startswith(f'def softmax(x, axis=-1):\n    """{first_line}')


def test_where_it_is_the_frameworks_own_nothing_is_said():
    assert "Written out" not in filled(lessons.find("5.3"))


# ---- Proofs --------------------------------------------------------------------------------------

DEF, SUM = "def softmax(x, axis=-1):\n    e =", "e.sum(axis, keepdims=True)"


@pytest.mark.parametrize(
    "old, new, fault",
    [
        (SUM, "e.sum()", "its own solution is rejected"),
        (DEF, DEF.replace("-1", "0"), "its own solution is rejected"),
        (DEF, DEF.replace("axis=-1", "axis=-1, **options"), "softmax(x, axis=-1, **options), and"),
        (DEF, DEF.replace("e =", '"""p"""\n    e ='), "with a docstring"),
    ],
    ids=["wrong", "another default", "another signature", "a docstring"],
)
def test_fault_of_a_solution_that_is_written_out_is_told(tmp_path, old, new, fault):
    text = SOFTMAX.path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = tmp_path / "lesson_06.md"
    path.write_text(text.replace(old, new), encoding="utf-8")
    first = next(prove(lessons.read(path).exercises["6.3"]))
    assert fault in first


def test_exercise_without_any_solution_is_told(tmp_path):
    text = SOFTMAX.path.read_text(encoding="utf-8")
    path = tmp_path / "lesson_06.md"
    text = text.replace("python solution 6.3", "python").replace("6.3 minigrad.ops.softmax", "6.3")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="exercise 6.3 needs a block with the solution"):
        lessons.read(path)
