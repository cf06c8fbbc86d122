"""check, hint, solution and working, as a notebook calls them."""

import json
import subprocess
import sys

import numpy as np
import pytest

from lessons import check, hint, messages, notebook, pictures, solution, working
from lessons.checking import check as verdict_on
from tests import figures, sample_lesson


@pytest.fixture
def sample(monkeypatch, tmp_path):
    lesson = sample_lesson.only_lesson(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebook, "_latest", {})
    monkeypatch.delenv("MINIGRAD_WORK", raising=False)
    yield lesson
    sample_lesson.forget()


def run(cell, namespace=None):
    """Run the text of a cell, as a kernel does. Returns its names."""
    names = {"np": np, "check": check, "working": working} if namespace is None else namespace
    exec(cell, names)
    return names


WRONG, RIGHT = sample_lesson.WRONG["91.1"], sample_lesson.RIGHT["91.1"]


def test_the_message_is_that_of_the_terminal(sample, capsys):
    names = run(WRONG + 'check("91.1")')
    exercise = sample.exercises["91.1"]
    wanted = messages.verdict(verdict_on(exercise, names["totals"]))
    assert capsys.readouterr().out.strip() == wanted
    assert sample_lesson.SENTENCE in wanted


def test_a_function_that_is_not_there_yet_is_told(sample, capsys):
    run('check("91.1")')
    assert "there is no function totals yet" in capsys.readouterr().out


def test_progress_is_noted(sample, tmp_path):
    run(RIGHT + 'check("91.1")')
    progress = json.loads((tmp_path / "work" / "progress.json").read_text(encoding="utf-8"))
    assert progress["91.1"]["passed"]


@pytest.mark.parametrize("folder", ["notebooks", "work"])
def test_beside_or_around_a_notebook_is_the_students_folder(sample, tmp_path, monkeypatch, folder):
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    run(RIGHT + 'check("91.1")')
    assert (tmp_path / "work" / "progress.json").is_file()


def test_later_cells_get_the_students_function_once_it_passes(sample, capsys):
    names = run(RIGHT + 'check("91.1")\nmine = totals\ntotals = working("91.1")')
    assert names["totals"] is names["mine"]
    assert "the course's own" not in capsys.readouterr().out


def test_until_then_they_get_the_courses_own(sample, capsys):
    names = run(WRONG + 'check("91.1")\ntotals = working("91.1")')
    assert names["totals"] is sample.exercises["91.1"].solution
    assert "the cells below use the course's own totals" in capsys.readouterr().out


def test_a_second_check_is_of_the_students_function_and_not_of_the_courses(sample, capsys):
    cell = 'check("91.1")\ntotals = working("91.1")'
    names = run(WRONG + cell)
    run(cell, names)
    assert capsys.readouterr().out.count("not yet") == 2


def test_another_seed_draws_other_arguments(sample, monkeypatch):
    seeds = []
    monkeypatch.setattr("lessons.checking.check", lambda *a: seeds.append(a[2]) or verdict_on(*a))
    run(RIGHT + 'check("91.1")\ncheck("91.1", seed=5)')
    assert seeds == [0, 5]


def test_hints_say_more_each_time(sample, capsys):
    hint("91.1")
    assert capsys.readouterr().out == "Hint 1 of 3: Begin with zeros.\n"
    hint("91.1")
    assert capsys.readouterr().out.count("\n") == 2


def test_the_solution_opens_when_the_exercise_is_passed(sample, capsys):
    solution("91.1")
    closed = capsys.readouterr().out
    assert 'solution("91.1", give_up=True)' in closed and "np.zeros_like" not in closed
    run(RIGHT + 'check("91.1")')
    solution("91.1")
    assert "np.zeros_like" in capsys.readouterr().out


def test_under_nbgrader_what_is_not_right_is_an_error(sample, monkeypatch, tmp_path):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(AssertionError, match="91.1 Totals: not yet"):
        run(WRONG + 'check("91.1")')
    with pytest.raises(AssertionError, match="no function totals"):
        run('check("91.1")')
    run(RIGHT + 'check("91.1")')
    assert not (tmp_path / "work").exists()


def test_a_passed_check_writes_no_errors_for_they_would_cost_the_points(sample, capsys):
    run(RIGHT + 'check("91.1")')
    assert not capsys.readouterr().err


def test_to_import_lessons_is_light():
    program = "import lessons, sys; print(*(m for m in sys.modules if '.' not in m))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    heavy = {"numpy", "hypothesis", "minigrad", "kernels", "matplotlib", "numba", "IPython"}
    assert not heavy & set(run.stdout.split())


# ---- Pictures ------------------------------------------------------------------------------------


def test_two_arrays_stand_beside_each_other_and_what_differs_is_framed():
    expected, got = np.eye(3), np.eye(3)
    got[0, 2] = 7
    figure = pictures.beside(expected, got)
    figures.check(figure)
    left, right = figure.axes
    assert len(left.patches) == 0
    assert [patch.get_xy() for patch in right.patches] == [(1.54, -0.46)]


@pytest.mark.parametrize(
    "expected, got",
    [
        (1.0, 2.0),
        (np.ones(3), np.zeros(3)),
        (np.ones((2, 3)), np.ones((3, 2))),
        (np.ones((2, 2, 2)), np.zeros((2, 2, 2))),
        (np.array(list("abcde")), np.array(list("abcdf"))),
    ],
    ids=["numbers", "few", "other shapes", "three axes", "letters"],
)
def test_where_a_picture_says_no_more_there_is_none(expected, got):
    assert pictures.beside(expected, got) is None


@pytest.mark.filterwarnings("error")
def test_numbers_that_cannot_be_drawn_leave_the_others():
    got = np.array([[np.nan, np.inf], [1.0, 2.0]])
    figures.check(pictures.beside(np.ones((2, 2)), got))
