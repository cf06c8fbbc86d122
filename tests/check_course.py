"""The whole course is proved: `make course-check`.

The exercises tell right from wrong, the grader gives all points or none, and the framework learns
as before with any of the right answers inside it.
"""

import csv
import functools
import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from lessons import answers, programs
from lessons import lesson as lessons
from lessons.building import notebooks
from lessons.prove import prove
from lessons.work import student_file
from tests.grading import right_answer

NUMBERS = lessons.numbers()
EXERCISES = [e for number in NUMBERS for e in lessons.load(number).exercises.values()]


def by_number(exercise):
    return exercise.number


def test_the_course_is_as_large_as_it_says():
    wrong = sum(len(answers.wrong_answers(e.number)) for e in EXERCISES)
    right = sum(len(answers.right_answers(e.number)) for e in EXERCISES)
    assert len(EXERCISES) >= 26 and wrong >= 140 and right >= 3 * len(EXERCISES)


# Wrong answers that the tests of other courses have let through, as far as these lessons reach.
SURVIVORS = {
    "5.4": ["no_square", "wrong_sign"],
    "5.6": ["mean_over_kept_axes", "mean_over_leading_axes"],
    "6.2": ["cubic_constant_ten_times_too_large", "no_root_of_two_over_pi"],
    "6.3": ["always_the_last_axis", "no_sum_in_the_pullback"],
    "6.4": ["log_along_the_last_axis"],
    "6.6": ["never_adds_the_bias"],
    "6.8": ["root_of_the_scale_alone"],  # whatever the fan-in
}


@pytest.mark.parametrize("number", SURVIVORS)
def test_mistakes_that_survive_elsewhere_are_among_the_wrong_answers(number):
    names = {answer.function.__name__ for answer in answers.wrong_answers(number)}
    assert names.issuperset(SURVIVORS[number])


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_number)
def test_exercise_tells_right_from_wrong(exercise):
    """Its solution first, then all answers, the right ones with 20 seeds: see lessons/prove.py."""
    assert list(prove(exercise)) == []


# ---- Grades --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="functions are graded in processes of Linux")
@pytest.mark.parametrize("number", NUMBERS)
def test_holes_get_no_points_and_solutions_all(number, tmp_path):
    lesson = lessons.load(number)
    hand_in(tmp_path / "work", lesson)
    names = ["all.json", "all.xml", "all.nbgrader.csv", "all.csv"]
    command = [sys.executable, "-m", "lessons", "grade", tmp_path / "work", "--only", str(number)]
    out = [word for name in names for word in ("--out", tmp_path / name)]
    run = subprocess.run([*command, *out], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    tests = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["tests"]
    for test in tests:
        is_hole = test["extra_data"]["student"].startswith("holes")
        assert test["extra_data"]["sha256_source"], "it was not run"
        assert test["score"] == (0 if is_hole else test["max_score"]), test
    assert len(tests) == 7 * len(lesson.exercises)
    assert [points_in(tmp_path / name) for name in names] == [[t["score"] for t in tests]] * 4


def hand_in(folder, lesson):
    """A folder for each student: holes, solutions, and the other right answers, in both forms."""
    solved = {n: notebooks.marked_solution(e) for n, e in lesson.exercises.items()}
    texts = {
        "holes_file": student_file(lesson),
        "solved_file": file_with(solved.values()),
        "holes_notebook": notebooks.text(lesson),
        "solved_notebook": notebook_with(lesson, solved),
    }
    for i in range(3):
        others = [right_answer(e, i) for e in lesson.exercises.values()]
        texts[f"answer_{i}_file"] = file_with(others)
    for student, text in texts.items():
        suffix = ".ipynb" if student.endswith("notebook") else ".py"
        path = folder / student / f"lesson_{lesson.number:02}{suffix}"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


def file_with(functions):
    return "\n\n".join(["import numpy as np", *functions])


def notebook_with(lesson, functions):
    """The notebook of a lesson with {exercise: text of its function}."""
    notebook = json.loads(notebooks.text(lesson))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    for number, text in functions.items():
        cells[f"exercise-{number.replace('.', '-')}"]["source"] = text
    return json.dumps(notebook)


def points_in(path):
    """The points in a report, one exercise after the other."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return [test["score"] for test in json.loads(text)["tests"]]
    if path.suffix == ".xml":
        properties = ElementTree.fromstring(text).iter("property")
        return [float(p.get("value")) for p in properties if p.get("name") == "points"]
    rows = csv.DictReader(text.splitlines())
    return [float(row["score"] if "score" in row else row["points"]) for row in rows]


# ---- The real models -----------------------------------------------------------------------------

TARGETS = [exercise for exercise in EXERCISES if exercise.target]
SPLIT = lessons.find("1.3")
SUBSETS, SEEDS = 50, 3
LOSS = "loss of the first step"


def test_every_right_answer_is_in_some_subset():
    drawn = {function for number in range(SUBSETS) for function in subset(number).values()}
    assert drawn == {a.function for e in TARGETS for a in answers.right_answers(e.number)}


@pytest.mark.parametrize("exercise", TARGETS, ids=by_number)
def test_a_program_calls_the_function(exercise):
    assert programs.callers(exercise)


@pytest.mark.parametrize("number", range(SUBSETS))
def test_models_learn_as_well_with_a_random_subset_of_right_answers(number):
    functions = subset(number)
    calls = dict.fromkeys((exercise.number for exercise in functions), 0)
    for program in programs.PROGRAMS:
        runs = [programs.run(program, functions, seed) for seed in range(SEEDS)]
        calls = {n: calls[n] + sum(run.calls[n] for run in runs) for n in calls}
        found = figures(run.figures for run in runs)
        wanted = figures(reference(program, functions.get(SPLIT), seed) for seed in range(SEEDS))
        assert found.pop(LOSS) == pytest.approx(wanted.pop(LOSS), rel=0, abs=1e-5), program
        for name, numbers in wanted.items():
            assert np.mean(found[name]) == pytest.approx(np.mean(numbers), rel=0.01), program
    assert [number for number, count in calls.items() if count == 0] == []


def figures(runs):
    """{name: its numbers in all runs}"""
    runs = list(runs)
    return {name: [run[name] for run in runs] for name in runs[0]}


def subset(number):
    """{exercise: one of its right answers}, for every other exercise on average."""
    generator = np.random.default_rng(number)
    chosen = [exercise for exercise in TARGETS if generator.random() < 0.5]
    right = [answers.right_answers(exercise.number) for exercise in chosen]
    return {e: a[generator.integers(len(a))].function for e, a in zip(chosen, right)}


@functools.cache
def reference(program, split, seed):
    """The figures of a program with the framework's own functions.

    A right split may hold out other digits than the framework's; then these are compared.
    """
    return programs.run(program, {SPLIT: split} if split else {}, seed).figures
