"""nbgrader itself takes an assignment and grades what students hand in."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lessons import lesson as lessons
from lessons.building import assignments
from lessons.grading import reports
from lessons.grading.grade import grade
from lessons.skeleton import body
from tests.grading import right_answer

NUMBER = lessons.numbers()[-1]
NAME = f"lesson_{NUMBER:02}"


def nbgrader(course, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    programs = Path(sys.executable).parent  # nbgrader runs alembic, which is there
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}
    run = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course whose students have the notebook that nbgrader makes for them."""
    course = tmp_path_factory.mktemp("course")
    assignments.build(course, [NUMBER], hidden_tests=True)
    nbgrader(course, "generate_assignment", NAME)
    return course


def holes(notebook):
    """{exercise: its cell}"""
    exercises = lessons.load(NUMBER).exercises
    cells = {cell.id: cell for cell in notebook.cells}
    return {n: cells[f"exercise-{n.replace('.', '-')}"] for n in exercises}


def released(course):
    return nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)


def hand_in(course, student, functions):
    """Hand in the notebook, the source of some holes replaced: {exercise: source}."""
    notebook = released(course)
    for number, source in functions.items():
        holes(notebook)[number].source = source
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NAME}.ipynb")


def test_what_it_gives_to_students_has_no_solution_and_no_hidden_test(course):
    text = "\n".join(cell.source for cell in released(course).cells)
    lines = {line.strip() for line in text.splitlines()}
    for exercise in lessons.load(NUMBER).exercises.values():
        assert not {line for b in body(exercise) if len(line := b.strip()) > 20} & lines
    assert "SOLUTION" not in text and "HIDDEN" not in text


def test_it_gives_points_for_what_is_right_and_for_nothing_else(course):
    solved = nbformat.read(course / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    right = {number: cell.source for number, cell in holes(solved).items()}
    first, *others = right
    hand_in(course, "all_right", right)
    hand_in(course, "first_right", {first: right[first]})
    hand_in(course, "one_wrong", {n: right[n] for n in others} | {first: "1 / 0"})
    hand_in(course, "nothing", {})
    nbgrader(course, "autograde", NAME)
    nbgrader(course, "export")
    with open(course / "grades.csv", newline="") as file:
        scores = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
    points = {n: e.points for n, e in lessons.load(NUMBER).exercises.items()}
    assert scores == {
        "all_right": sum(points.values()),
        "first_right": points[first],
        "one_wrong": sum(points.values()) - points[first],
        "nothing": 0,
    }


# nbgrader links a submission before it adds it, which SQLAlchemy 2 remarks upon.
@pytest.mark.filterwarnings("ignore:Object of type <Submitted")
def test_points_of_the_course_s_own_grader_are_entered_in_its_gradebook(course):
    first, *_ = lessons.load(NUMBER).exercises.values()
    hand_in(course, "graded_apart", {first.number: right_answer(first)})
    report = grade(course / "submitted", [NUMBER])
    reports.write(report, course / "gradebook.db")
    nbgrader(course, "export")
    with open(course / "grades.csv", newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores["graded_apart"] == first.points
    for student, score in scores.items():
        assert score == sum(g.points for g in report.grades if g.student == student)
