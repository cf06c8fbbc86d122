"""Functions are graded in a process of their own as the student's own check judges them."""

import csv
import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from lessons import lesson as lessons
from lessons import messages
from lessons.__main__ import main
from lessons.building import notebooks
from lessons.checking import check
from lessons.grading import folders, isolation, parallel, reports, room, submission, wire
from lessons.grading.grade import grade
from lessons.grading.remote import RemoteFunction
from tests import grading
from tests.grading import DOUBLE, IMPORT, SOFTMAX, TANH, graded, notebook, right_answer, traces

RIGHT = IMPORT + DOUBLE + SOFTMAX + TANH
WRONG_AXIS = SOFTMAX.replace("axis=axis", "axis=-1")


@pytest.fixture
def lesson(tmp_path_factory):
    with grading.lesson_for_tests(tmp_path_factory.mktemp("texts")):
        yield lessons.load(6)


def points(grades):
    return {number: grade.points for number, grade in grades.items()}


# ---- The same verdict ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers",
    [isolation.LAYERS, ("namespaces",), ("landlock",), ("seccomp",), ("user",), ()],
    ids=lambda layers: "+".join(layers) or "none",
)
def test_right_functions_get_all_points_behind_any_protection(layers, lesson, tmp_path):
    grades = graded(tmp_path, RIGHT, layers=layers)
    assert points(grades) == {"6.1": 4, "6.2": 2, "6.3": 1}
    assert traces() == []


def test_message_is_that_of_the_student_s_own_check(lesson, tmp_path):
    grades = graded(tmp_path, IMPORT + WRONG_AXIS)
    namespace = {}
    exec(IMPORT + WRONG_AXIS, namespace)
    own = check(lesson.exercises["6.2"], namespace["softmax"])
    assert grades["6.2"].message == messages.verdict(own)


def test_points_are_in_part_for_the_kinds_of_cases_passed(lesson, tmp_path):
    negative = "def double(x):\n    return np.where(x < 0, 0, x + x)\n"
    grade = graded(tmp_path, IMPORT + negative)["6.1"]
    assert grade.points == 2  # of 4: by hand and at the edges, but not what is drawn, nor the law
    assert not grade.is_passed


def test_open_hole_has_no_points(lesson, tmp_path):
    from lessons.work import student_file

    assert set(points(graded(tmp_path, student_file(lesson))).values()) == {0}


def test_right_function_with_a_thread_that_never_ends_is_right(lesson, tmp_path):
    thread = "import threading, time\n\ndef double(x):\n"
    thread += "    threading.Thread(target=time.sleep, args=(1000,)).start()\n    return x + x\n"
    assert graded(tmp_path, thread)["6.1"].message.startswith("6.1 Double: not yet")  # too many
    once = thread.replace("    threading", "    if threading.active_count() < 2: threading")
    assert graded(tmp_path, once)["6.1"].is_passed
    assert traces() == []


def test_changed_argument_is_seen(lesson, tmp_path):
    changing = "def double(x):\n    x *= 2\n    return x.copy()\n"
    assert "an argument was changed" in graded(tmp_path, changing)["6.1"].message


@pytest.mark.parametrize("error", ["KeyError('a b')", "ZeroDivisionError('no')", "Exception()"])
def test_error_is_told_as_at_home(error, lesson, tmp_path):
    text = f"def double(x):\n    raise {error}\n"
    namespace = {}
    exec(text, namespace)
    own = check(lesson.exercises["6.1"], namespace["double"])
    assert graded(tmp_path, text)["6.1"].message == messages.verdict(own)


def test_function_that_is_right_now_and_then_is_wrong(lesson):
    answers = itertools.cycle([2, 2, 2, 3])
    verdicts = [check(lesson.exercises["6.1"], lambda x: next(answers) * x) for _ in range(5)]
    assert not any(verdict.passed for verdict in verdicts)


ALL = [e for number in lessons.numbers() for e in lessons.load(number).exercises.values()]


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.number)
def test_right_answer_of_the_course_is_graded_right(exercise):
    with RemoteFunction(exercise, right_answer(exercise).encode()) as function:
        verdict = check(exercise, function)
        assert verdict.passed, messages.verdict(verdict)


# ---- Many at a time ------------------------------------------------------------------------------


def square(number):
    return number * number


def square_unless_3(number):
    return os._exit(1) if number == 3 else square(number)


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_come_in_the_order_of_the_tasks(jobs):
    assert list(parallel.in_order(square, range(8), jobs, None)) == [n * n for n in range(8)]


def test_process_that_ends_costs_its_own_task_alone():
    found = list(parallel.in_order(square_unless_3, range(8), 2, lambda task: f"lost {task}"))
    assert found == [0, 1, 4, "lost 3", 16, 25, 36, 49]


def test_grades_are_the_same_and_in_the_same_order_however_many_at_a_time(tmp_path):
    exercises = lessons.load(2).exercises.values()
    right = "\n".join(map(right_answer, exercises))
    for student, text in (("anna", right), ("bo", right.replace("+", "-"))):
        (tmp_path / student).mkdir()
        (tmp_path / student / "lesson_02.py").write_text(text, encoding="utf-8")
    told = []
    one, two = (grade(tmp_path, jobs=jobs, seed=5, tell=told.append) for jobs in (1, 2))
    assert told == one.grades + two.grades
    assert [replace(g, seconds=0) for g in one.grades] == [
        replace(g, seconds=0) for g in two.grades
    ]
    assert [g.student for g in one.grades] == ["anna"] * 6 + ["bo"] * 6
    assert 6 == sum(g.is_passed for g in one.grades[:6]) > sum(g.is_passed for g in one.grades[6:])


LEARNED = """
def double(x):
    if x.tolist() == [1.0, 2.0] or not x.any():
        return 2 * x
    known = {known}
    return np.array(known[tuple(x.tolist())])
"""


def test_arguments_are_drawn_that_nobody_can_have_learned(lesson, tmp_path):
    known = {}

    def double(x):
        known[tuple(x.tolist())] = (2 * x).tolist()
        return 2 * x

    check(lesson.exercises["6.1"], double)
    text = IMPORT + LEARNED.format(known=known)
    assert graded(tmp_path, text, seed=0)["6.1"].is_passed
    assert graded(tmp_path, text, seed=None)["6.1"].points == 2


# ---- What is left behind -------------------------------------------------------------------------

# It waits while arguments are drawn, where hypothesis might keep an exception to itself.
WAITING = IMPORT + "import time\ncalls = []\n\ndef predict(x, w, b):\n    calls.append(1)\n"
WAITING += "    time.sleep(100 * (len(calls) > 10))\n    return x @ w + b\n"


def left_behind(folder):
    """What graders have left in a folder for temporary files."""
    return [path.name for path in folder.glob(f"{folders.PREFIX}*")]


@pytest.fixture(params=[1, 2], ids=["one", "two"])
def grader(request, tmp_path):
    """A grader at work on a function that waits, and its folder for temporary files."""
    for student in ("anna", "bo"):
        (tmp_path / student).mkdir()
        (tmp_path / student / "lesson_02.py").write_text(WAITING, encoding="utf-8")
    places = tmp_path / "places"
    places.mkdir()
    command = [sys.executable, "-m", "lessons", "grade", tmp_path, "--jobs", str(request.param)]
    environment = os.environ | {"TMPDIR": str(places), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stdout=-3, stderr=-3) as process:
        wait_until(lambda: len(list(places.glob("*room*/room.json"))) == request.param)
        time.sleep(1)
        yield process, places
        process.kill()


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_grader_that_is_told_to_end_leaves_nothing_behind(number, grader):
    process, places = grader
    process.send_signal(number)
    assert process.wait(timeout=10) == 128 + number
    assert left_behind(places) == []


def test_what_a_killed_grader_leaves_behind_the_next_one_removes(grader, monkeypatch):
    process, places = grader
    process.kill()
    process.wait()
    assert left_behind(places) != []
    monkeypatch.setattr(tempfile, "tempdir", str(places))

    def removed():
        folders.remove_abandoned()
        return left_behind(places) == []

    wait_until(removed)  # for its processes may need a moment to end


def test_folders_in_use_and_those_of_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / f"{folders.PREFIX}room-1-link").symlink_to(tmp_path)
    with folders.Folder("room") as used:
        folders.remove_abandoned()
        assert used.is_dir() and len(left_behind(tmp_path)) == 2
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    (tmp_path / f"{folders.PREFIX}room-1-other").mkdir()
    folders.remove_abandoned()
    assert len(left_behind(tmp_path)) == 2 and not used.exists()


# ---- What is handed in ---------------------------------------------------------------------------


def cut(text, name="f"):
    return submission.extract(text.encode(), name, is_notebook=False)


def test_function_comes_with_what_it_uses_and_nothing_else():
    text = """
import sys, math as m
from os import path; print("not needed")
sys.exit(1)
y = 3; scale = m.sqrt(4)
def unused(): return path
@decorate  # as it is written
@m.decorate(1)
def helper(x): return x * scale
def decorate(f): return f
class Kept: pass
def f(x, y=Kept()):
    sys = 1  # é
    return helper(x)
"""
    assert cut(text).split("\n\n") == [
        "import sys, math as m",
        "scale = m.sqrt(4)",
        "@decorate  # as it is written\n@m.decorate(1)\ndef helper(x): return x * scale",
        "def decorate(f): return f",
        "class Kept: pass",
        "def f(x, y=Kept()):\n    sys = 1  # é\n    return helper(x)\n",
    ]


def test_own_function_with_the_name_of_a_builtin_is_taken():
    assert cut("def sum(x): return 0\n\ndef f(): return sum([1]) + len([1])\n").count("def") == 2


def test_last_definition_counts():
    assert cut("def f(): return 1\n\ndef f(): return 2\n\nf = working('6.1')") == (
        "def f(): return 2\n"
    )


def test_values_are_taken_with_all_that_changes_them():
    text = "a = 1\na += 1\nif a: b = a\nfrom math import *\ndef f(): return b + pi\n"
    assert cut(text).count("\n\n") == 4


def test_values_are_taken_with_all_that_is_put_into_them():
    filled = "a = {}\nfor i in (1, 2): a[i] = i\na[3][0].b = 3\na.update(b=1)\n"
    assert cut(f"{filled}def f(): return a\n").count("\n\n") == 4
    others = "import a\na.b = 1\na.go()\nc = []\nc.append(a)\n"
    assert cut(f"{others}def f(): return a\n") == "import a\n\ndef f(): return a\n"


def test_mistake_elsewhere_in_the_file_costs_nothing():
    assert cut("import math\n\ndef g(:\n  pass\n\ndef f():\n    return math.pi\n\ndef h(") == (
        "import math\n\ndef f():\n    return math.pi\n"
    )


def test_cells_of_a_notebook_are_read_one_by_one():
    text = notebook("%matplotlib inline\nimport math", "f(", "!ls\ndef f():\n    return math.pi")
    assert submission.extract(text.encode(), "f", is_notebook=True) == (
        "import math\n\ndef f():\n    return math.pi\n"
    )


@pytest.mark.parametrize("text", ["", "def g(): pass", "def f(", "f(1)"])
def test_missing_function_is_said_to_be_missing(text):
    with pytest.raises(submission.UnreadableError, match="there is no|nothing in it"):
        cut(text)


def test_of_a_file_and_a_notebook_the_better_one_counts(lesson, tmp_path):
    (tmp_path / "lesson_06.ipynb").write_text(notebook(IMPORT, SOFTMAX), encoding="utf-8")
    grades = graded(tmp_path, IMPORT + DOUBLE + WRONG_AXIS)
    assert grades["6.1"].file == "lesson_06.py" and grades["6.1"].is_passed
    assert grades["6.2"].file == "lesson_06.ipynb" and grades["6.2"].is_passed


def test_folders_are_read_as_nbgrader_collects_them(lesson, tmp_path):
    graded(tmp_path / "anna" / "lesson_06", notebook(DOUBLE), "lesson_06.ipynb")
    report = grade(tmp_path, limits=grading.LIMITS)
    assert [(g.student, g.points) for g in report.grades] == [("anna", 4), ("anna", 0), ("anna", 0)]


# ---- What the other process has ------------------------------------------------------------------


def test_room_holds_nothing_of_what_is_expected(lesson, tmp_path):
    told = room.furnish(tmp_path, lesson.exercises["6.3"], b"", is_notebook=False)
    assert "scale * x" in told["view"] and "scale = 3.0" in told["view"]
    names = {path.name for path in (tmp_path / "packages" / "lessons").rglob("*.py")}
    assert names.isdisjoint({"checking.py", "diagnosis.py", "cases.py", "exercise.py"})
    text = json.dumps(told)
    for path in tmp_path.rglob("*.py"):
        text += path.read_text(encoding="utf-8")
    for secret in ("1 - y**2", "a large number", "by_hand =", "np.tanh(3 * x)"):
        assert secret in lesson.exercises["6.3"].checks and secret not in text


def test_standard_library_is_that_of_python_and_not_of_an_environment():
    places = room._standard_library()
    assert places and all((place / "os.py").is_file() for place in places)


def test_nothing_but_arguments_is_sent(lesson, tmp_path, monkeypatch):
    sent = []
    message = wire.message
    monkeypatch.setattr(wire, "message", lambda thing: sent.append(thing) or message(thing))
    graded(tmp_path, RIGHT)
    assert len(sent) > 100
    for thing in sent:
        assert thing.keys() == {"through_view", "arguments"}
        assert all(isinstance(a, (np.ndarray, int)) for a in thing["arguments"])


def test_what_is_shown_of_a_result_is_not_for_the_submission_to_decide():
    text = """
import builtins

def stratified_split(labels, test_fraction, seed):
    builtins.all = builtins.any = lambda things: True
    kinds, counts = np.unique(labels, return_counts=True)
    exact = counts * test_fraction
    out = np.floor(exact).astype(int)
    most = np.argsort(out - exact)[: round(len(labels) * test_fraction) - out.sum()]
    out[most] += 1
    rows = [np.flatnonzero(np.equal(labels, k)) for k in kinds]
    parts = [[r[n:] for r, n in zip(rows, out)], [r[:n] for r, n in zip(rows, out)]]
    return tuple(map(np.concatenate, parts))
"""
    with RemoteFunction(lessons.find("1.3"), text.encode()) as function:
        verdict = check(lessons.find("1.3"), function)
    assert "classes mixed: False" in messages.verdict(verdict)


def test_view_that_needs_what_is_expected_is_refused(tmp_path):
    text = grading.LESSON.replace("return y.data, x.grad", "return definition(x)")
    (tmp_path / "room").mkdir()
    with (
        grading.lesson_for_tests(tmp_path, text),
        pytest.raises(ValueError, match="the view of 6.3 needs what must not be seen"),
    ):
        room.furnish(tmp_path / "room", lessons.find("6.3"), b"", is_notebook=False)


def test_twins_and_kernels_are_left_out_of_the_framework(lesson):
    given_away = room.GivenAway(lesson.exercises["6.2"])
    text = """
class Layer:
    def softmax(self): return 1
def softmax(x): return 1
def softmax_backward(g, p): return 1
def log_softmax(x): return 1
def softmaximum(x): return 1
"""
    rest = given_away.cut_from(text, "kernels.reference")
    assert rest.count("raise RuntimeError") == 3
    assert "def softmaximum(x):\n    return 1" in rest
    assert "def softmax(self):\n        return 1" in rest


def cut_from_framework(number, text, module):
    """The names of the functions that are left out of a module with this text."""
    rest = room.GivenAway(lessons.find(number)).cut_from(text, module)
    return re.findall(r"RuntimeError\('(\w+) is left out", rest)


def test_method_is_left_out_of_its_class_alone():
    text = "class {}:\n    def call(self): return 1\n"
    text = text.format("Dense") + text.format("Other") + "def call(x): return 1\n"
    assert cut_from_framework("6.6", text, "minigrad.layers.core") == ["call"]
    assert cut_from_framework("6.6", text, "minigrad.layers.other") == []


@pytest.mark.parametrize("number, left_out", [("3.3", ["backward"]), ("6.6", [])])
def test_engine_is_left_out_where_the_exercise_is_not_seen_through_it(number, left_out):
    text = "class Tensor:\n    def backward(self): return 1\n"
    assert cut_from_framework(number, text, "minigrad.tensor") == left_out


def test_fused_operation_is_left_out_with_what_calls_it_and_primitive_ones_stay():
    text = "".join(f"def {name}(x): return 1\n" for name in ("exp", "dense", "add", "matmul"))
    assert cut_from_framework("6.6", text, "kernels.reference") == ["dense"]


def test_operation_that_a_rule_is_a_part_of_is_left_out():
    text = "def dense(x): return 1\ndef tanh(x): return 1\ndef relu(x): return 1\n"
    assert cut_from_framework("6.1", text, "minigrad.ops") == ["dense", "relu"]


def test_functions_that_the_solution_calls_are_left_out_where_they_are():
    text = "def _divide(labels): return 1\ndef other(x): return 1\n"
    assert cut_from_framework("1.3", text, "minigrad.data.split") == ["_divide"]
    assert cut_from_framework("1.3", text, "minigrad.data.other") == []


def test_what_is_not_prevented_is_said(lesson, tmp_path):
    (tmp_path / "lesson_06.py").write_text(DOUBLE, encoding="utf-8")
    report = grade(tmp_path, limits=grading.LIMITS, layers=())
    assert len(report.unprotected) == 6
    assert "It could use the network." in report.unprotected
    assert list(isolation.unprotected(isolation.LAYERS)) == []


# ---- Data between processes ----------------------------------------------------------------------

THINGS = [
    *(None, True, 3, 2**63, -0.5, float("inf"), 2 + 3j, "text é", b"\0\xff", [], (1, (2, [3]))),
    {"a": 1, 2: [3.0], None: True},
]


@pytest.mark.parametrize("thing", THINGS, ids=repr)
def test_things_arrive_as_they_were_sent(thing):
    assert arrived(thing) == thing and type(arrived(thing)) is type(thing)


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "u1", "?", "c16", "U3", "S2", ">f8"])
@pytest.mark.parametrize("shape", [(), (2, 3), (0, 4)])
def test_arrays_arrive_as_they_were_sent(dtype, shape):
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    y = arrived(x)
    assert y.dtype == x.dtype and y.shape == x.shape and np.array_equal(x, y)
    assert y.flags.writeable


def test_arrays_of_objects_arrive_as_they_were_sent():
    x = np.array([[1.5, None, "a"], [True, None, 3]], dtype=object)
    x[0, 1] = x[1, 1] = 1, 2
    assert arrived(x).dtype == object and arrived(x).tolist() == x.tolist()


def arrived(thing):
    text = wire.message(thing)
    assert wire.length(text[: wire.HEAD]) == len(text) - wire.HEAD
    return wire.content(text[wire.HEAD :])


NO_DATA = [object(), len, [{1}], np.array([object()]), slice(3)]


@pytest.mark.parametrize("thing", NO_DATA, ids=lambda thing: type(thing).__name__)
def test_what_is_no_data_is_not_sent(thing):
    with pytest.raises(wire.MalformedError):
        wire.message(thing)


MALFORMED = [
    *(
        str(10**30),
        "",
        "nothing",
        "[1",
        '{"a": 1}',
        '{"array": 1, "tuple": 2}',
        '{"tuple": 3}',
        "1" * 5000,
    ),
    *("[" * 100_000, "[" * 30 + "]" * 30, "[" + "0," * 100_000 + "0]"),
    *('{"array": ["|O", [1], "AAAAAAAAAAA="]}', '{"array": ["<f8", [2], "AAAAAAAAAAA="]}'),
    *('{"array": ["<f8", [-1], "AAAAAAAAAAA="]}', '{"array": ["<U0", [9], ""]}'),
    *('{"objects": [[3], [1, 2]]}', '{"objects": 1}', '{"objects": [[1], [{"a": 1}]]}'),
    *('{"array": ["<f8", [1.0], "AAAAAAAAAAA="]}', '{"array": ["<f8", "1", "AAAAAAAAAAA="]}'),
    *('{"array": ["<U1", [1], "/////w=="]}', '{"array": ["<f8", [1], "no base64"]}'),
    *('{"dict": [[[1], 2]]}', '{"dict": [[1]]}', '{"complex": [1, 2, 3]}', '{"bytes": 3}'),
    '{"dict": [' + ",".join(f"[{i * (2**61 - 1)}, 0]" for i in range(1001)) + "]}",
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:30])
def test_malformed_message_is_an_error_of_one_kind(text):
    with pytest.raises(wire.MalformedError):
        wire.content(text.encode())


def test_message_that_is_too_long_is_neither_sent_nor_read():
    with pytest.raises(wire.MalformedError):
        wire.message("x" * wire.LIMIT)
    with pytest.raises(wire.MalformedError):
        wire.length(b"\xff" * 4)


# ---- Reports -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("students")
    for student, text in (("anna", RIGHT), ("=bo()", IMPORT + WRONG_AXIS + DOUBLE)):
        (folder / student).mkdir()
        (folder / student / "lesson_06.py").write_text(text, encoding="utf-8")
    with grading.lesson_for_tests(tmp_path_factory.mktemp("texts")):
        return grade(folder, limits=grading.LIMITS, seed=0)


def test_all_reports_have_the_same_points(report, tmp_path):
    names = ["out/results.json", "out/results.xml", "out/results.csv", "out/results.nbgrader.csv"]
    for name in names:
        reports.write(report, tmp_path / name)
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in names]
    gradescope = json.loads(texts[0])
    found = [[test["score"] for test in gradescope["tests"]]]
    properties = ElementTree.fromstring(texts[1]).iter("property")
    found.append([float(p.get("value")) for p in properties if p.get("name") == "points"])
    rows = [list(csv.DictReader(text.splitlines())) for text in texts[2:]]
    found.append([float(row["points"]) for row in rows[0] if row["points"]])
    found.append([float(row["score"]) for row in rows[1]])
    assert found == [[4, 1, 0, 4, 2, 1]] * 4
    assert gradescope["score"] == sum(found[0]) == report.points


def test_points_of_nbgrader_are_those_of_its_cells(report, tmp_path):
    with grading.lesson_for_tests(tmp_path):
        notebook_of_lesson = json.loads(notebooks.text(lessons.load(6), solved=True))
    marks = [cell["metadata"].get("nbgrader", {}) for cell in notebook_of_lesson["cells"]]
    cells = {mark["grade_id"]: mark["points"] for mark in marks if mark.get("grade")}
    rows = csv.DictReader(reports.nbgrader(report).splitlines())
    found = {row["grade_id"]: int(row["max_score"]) for row in rows if row["student_id"] == "anna"}
    assert found == cells


def test_report_has_fingerprints_of_the_file_and_of_what_was_run(report):
    anna = [grade for grade in report.grades if grade.student == "anna"]
    for grade_of_one in anna:
        assert grade_of_one.sha256_file == hashlib.sha256(RIGHT.encode()).hexdigest()
        name = {"6.1": "double", "6.2": "softmax", "6.3": "tanh"}[grade_of_one.number]
        source = submission.extract(RIGHT.encode(), name, is_notebook=False)
        assert grade_of_one.sha256_source == hashlib.sha256(source.encode()).hexdigest()


def test_junit_counts_failures_and_says_what_is_wrong(report):
    suite = ElementTree.fromstring(reports.junit(report))
    failures = [case.find("failure") for case in suite if case.find("failure") is not None]
    assert suite.get("tests") == "6" and suite.get("failures") == str(len(failures)) == "2"
    assert any("nothing" not in failure.text and "called" in failure.text for failure in failures)


def test_table_has_no_formula_for_a_spreadsheet(report):
    rows = list(csv.reader(reports.table(report).splitlines()))
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_unknown_kind_of_report_is_refused_before_anything_is_graded(lesson, tmp_path, capsys):
    assert main(["grade", str(tmp_path), "--out", "results.doc"]) == 2
    assert (
        "a report is written as .json, .xml, .csv, .nbgrader.csv or .db" in capsys.readouterr().err
    )


def test_command_writes_reports_and_prints_points(lesson, tmp_path, capsys):
    (tmp_path / "lesson_06.py").write_text(RIGHT, encoding="utf-8")
    out = tmp_path / "results.json"
    assert main(["grade", str(tmp_path), "--only", "6", "--jobs", "1", "--out", str(out)]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["score"] == 7
    assert capsys.readouterr().out.splitlines()[-1] == "7 of 7 points"


def test_folder_without_files_is_told(lesson, tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 2
    assert "has no file such as lesson_01.py" in capsys.readouterr().err


def test_what_is_no_folder_is_told(lesson, tmp_path, capsys):
    assert main(["grade", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is no folder" in capsys.readouterr().err


def test_lesson_that_there_is_not_is_told_before_anything_is_graded(lesson, tmp_path, capsys):
    (tmp_path / "lesson_06.py").write_text(DOUBLE, encoding="utf-8")
    assert main(["grade", str(tmp_path), "--only", "6,99"]) == 2
    assert capsys.readouterr().out == ""


def test_lessons_that_all_count_have_no_points_where_nothing_was_handed_in(lesson, tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "lesson_06.py").write_text(DOUBLE, encoding="utf-8")
    report = grade(tmp_path, only=[6], limits=grading.LIMITS)
    assert (report.points, report.maximum) == (4, 7)
