"""Notebooks are built from the texts: the same text, the same bytes, and holes for solutions."""

import json
import re

import numpy as np
import pytest

from lessons import lesson as lessons
from lessons.building import notebooks, running
from lessons.building.__main__ import notebook_texts
from lessons.skeleton import body, body_of
from lessons.work import student_file
from tests import sample_lesson
from tests.test_readme import ROOT

NUMBERS = pytest.mark.parametrize("number", lessons.numbers())
PLAIN = 20  # letters: a shorter line of a solution, such as `return x`, stands elsewhere by chance


@pytest.fixture
def sample(monkeypatch, tmp_path):
    yield sample_lesson.only_lesson(monkeypatch, tmp_path)
    sample_lesson.forget()


def cells(text):
    return {cell["id"]: cell for cell in json.loads(text)["cells"]}


def source(cell):
    return "".join(cell["source"])


def test_the_notebooks_in_git_are_those_of_the_texts():
    wanted = {str(path): text for path, text in notebook_texts().items()}
    there = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in (ROOT / "notebooks").rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    }
    stale = [name for name in wanted | there if wanted.get(name) != there.get(name)]
    assert not stale, f"make lessons, for these differ from their texts: {stale}"


def test_the_same_text_gives_the_same_bytes(sample):
    assert notebooks.text(sample) == notebooks.text(lessons.read(sample.path))


@NUMBERS
def test_no_line_of_a_solution_is_in_what_students_get(number):
    lesson = lessons.load(number)
    code = [source(c) for c in cells(notebooks.text(lesson)).values()]
    given = {line.strip() for text in (*code, student_file(lesson)) for line in text.splitlines()}
    for exercise in lesson.exercises.values():
        lines = {line.strip() for line in (*body(exercise), *body_of(exercise.source))}
        assert not {line for line in lines & given if len(line) > PLAIN}, exercise.number


def test_a_line_of_a_solution_would_be_found(sample):
    given = source(cells(notebooks.text(sample, solved=True))["exercise-91-1"])
    assert all(line in given.splitlines() for line in body(sample.exercises["91.1"]))


def test_cells_are_named_by_lesson_and_place(sample):
    assert list(cells(notebooks.text(sample))) == [
        *("lesson-91-start", "lesson-91-1", "lesson-91-2", "lesson-91-3", "lesson-91-4"),
        *("lesson-91-5", "lesson-91-6", "exercise-91-1", "exercise-91-1-check"),
        *("lesson-91-7", "exercise-91-2", "exercise-91-2-check", "lesson-91-8", "lesson-91-9"),
    ]


@NUMBERS
def test_names_of_cells_are_those_that_the_format_allows(number):
    found = [cell["id"] for cell in json.loads(notebooks.text(lessons.load(number)))["cells"]]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in found)


def test_there_are_no_outputs(sample):
    for solved in (False, True):
        for cell in cells(notebooks.text(sample, solved)).values():
            assert not cell.get("outputs") and cell.get("execution_count") is None


def test_a_picture_is_told_in_words_above_the_cell_that_draws_it(sample):
    told = source(cells(notebooks.text(sample))["lesson-91-4"])
    assert told == '*The picture: A line that\nrises & "ends"*'


def test_an_exercise_is_a_hole_and_a_check(sample):
    found = cells(notebooks.text(sample))
    assert source(found["exercise-91-1"]) == (
        "# Exercise 91.1, about 4 lines\n"
        "def totals(x):\n"
        '    """Σⱼ xⱼ for j <= i   (n,) -> (n,)"""\n'
        '    raise NotImplementedError("exercise 91.1")'
    )
    assert source(found["exercise-91-1-check"]) == 'check("91.1")\ntotals = working("91.1")'


def test_nbgrader_is_told_what_to_grade(sample):
    found = cells(notebooks.text(sample))
    hole = found["exercise-91-1"]["metadata"]["nbgrader"]
    check = found["exercise-91-1-check"]["metadata"]["nbgrader"]
    assert (hole["solution"], hole["grade"], hole["locked"]) == (True, False, False)
    assert (check["solution"], check["grade"], check["locked"]) == (False, True, True)
    assert check["points"] == 2
    assert hole["schema_version"] == check["schema_version"] == 3


def test_hidden_tests_are_in_nbgraders_source_alone(sample):
    solved = notebooks.text(sample, solved=True, hidden_seed=1234)
    assert source(cells(solved)["exercise-91-1-check"]).splitlines()[1:4] == [
        "### BEGIN HIDDEN TESTS",
        'check("91.1", seed=1234)',
        "### END HIDDEN TESTS",
    ]
    assert "HIDDEN" not in notebooks.text(sample) + notebooks.text(sample, solved=True)


def test_the_first_cell_imports_and_installs_nothing_unless_told_from_where(sample):
    assert "pip" not in source(cells(notebooks.text(sample))["lesson-91-start"])
    address = "git+https://example.org/minigrad"
    first = source(cells(notebooks.text(sample, install_from=address))["lesson-91-start"])
    assert f'"install", "--quiet", "{address}"]' in first


@pytest.mark.parametrize("found", [None, object()], ids=["absent", "there"])
def test_the_course_is_installed_where_it_is_absent_alone(sample, monkeypatch, found):
    address, commands = "git+https://example.org/minigrad", []
    first = source(cells(notebooks.text(sample, install_from=address))["lesson-91-start"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found)
    monkeypatch.setattr("subprocess.run", lambda command, check: commands.append(command))
    exec(first.partition("import numpy")[0], {})
    assert [command[-1] for command in commands] == ([] if found else [address])


def test_nothing_is_installed_by_its_bare_name(sample):
    with pytest.raises(ValueError, match="any package's name"):
        notebooks.text(sample, install_from="minigrad")


# ---- The code of a lesson ------------------------------------------------------------------------


def test_what_the_code_prints_and_draws_is_kept(sample):
    first, second, last = running.run(sample).values()
    assert first.text == "the sum of [0. 1. 2. 3.]\nnp.float64(6.0)\n"
    assert len(second.figures) == 1 and not first.figures and not last.text


def test_an_error_in_the_code_names_the_line_of_the_text(sample):
    broken = sample.path.with_name("lesson_92.md")
    broken.write_text("# 92 Broken\n\n```python\nx = 1\ny = x / 0\n```\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as caught:
        running.run(lessons.read(broken))
    assert caught.traceback[-1].lineno + 1 == 5


@pytest.mark.parametrize("solved", [False, True])
def test_a_notebook_runs_from_top_to_bottom(sample, solved, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for cell in json.loads(notebooks.text(sample, solved))["cells"]:
        if cell["cell_type"] == "code":
            exec(source(cell), namespace)
    printed = capsys.readouterr().out
    assert printed.count(": passed (" if solved else "nothing yet") == 2
    assert np.array_equal(namespace["totals"](np.ones(3)), [1, 2, 3])
