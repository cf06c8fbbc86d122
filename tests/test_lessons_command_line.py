"""minigrad-learn: start, check, reset, watch, status, run, build; colours; what takes too long."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from lessons import __main__ as command_line
from lessons import limit, messages, programs, terminal, watching
from lessons.calls import call
from lessons.observation import observe
from tests import sample_lesson
from tests.test_readme import ROOT

HAS_TIMER = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="has no such timer")


@pytest.fixture
def sample(monkeypatch, tmp_path):
    lesson = sample_lesson.only_lesson(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIGRAD_WORK", raising=False)
    yield lesson
    sample_lesson.forget()


@pytest.fixture
def learn(sample, capsys):
    """learn("check", "91.1") runs a command.   -> its status, what it prints, its errors"""

    def learn(*arguments):
        status = command_line.main(list(arguments))
        return status, *capsys.readouterr()

    return learn


def write(*functions):
    """Save a file of the sample lesson with these functions."""
    text = "import numpy as np\n\n\n" + "\n\n".join(functions)
    path = command_line.Work().path(sample_lesson.NUMBER)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


BOTH = [*sample_lesson.RIGHT.values()]
WRONG = sample_lesson.WRONG["91.1"]

# ---- Files ---------------------------------------------------------------------------------------


def test_start_writes_the_holes_once(learn, tmp_path):
    _, text, _ = learn("start", "91")
    file = tmp_path / "work" / "lesson_91.py"
    assert f"wrote {os.path.join('work', 'lesson_91.py')}" in text and "check 91.1" in text
    assert file.read_text(encoding="utf-8").count("raise NotImplementedError") == 2
    file.write_text("mine", encoding="utf-8")
    assert "stays as it is" in learn("start", "91")[1]
    assert file.read_text(encoding="utf-8") == "mine"


def test_start_writes_a_notebook_once(learn, tmp_path):
    learn("start", "91", "--notebook")
    notebook = tmp_path / "work" / "lesson_91.ipynb"
    assert "exercise-91-1-check" in notebook.read_text(encoding="utf-8")
    notebook.write_text("mine", encoding="utf-8")
    learn("start", "91", "--notebook")
    assert notebook.read_text(encoding="utf-8") == "mine"


def test_reset_keeps_what_was_there_however_often(learn, tmp_path):
    write("# first")
    learn("reset", "91")
    write("# second")
    _, text, _ = learn("reset", "91")
    assert "lesson_91.old2.py" in text
    first, second = (tmp_path / "work" / f"lesson_91.old{n}.py" for n in (1, 2))
    assert "# first" in first.read_text() and "# second" in second.read_text()


def test_after_a_reset_the_exercises_are_open_again(learn):
    write(*BOTH)
    learn("check", "91")
    learn("reset", "91")
    assert learn("status")[1].startswith("0 of 2 exercises passed")


def test_reset_where_nothing_was_says_so_by_saying_nothing(learn):
    assert "old" not in learn("reset", "91")[1]


# ---- Checks --------------------------------------------------------------------------------------


def test_of_many_exercises_those_not_written_take_a_line_each(learn):
    learn("start", "91")
    assert learn("check", "91")[:2] == (
        1,
        "91.1 Totals: not yet written.\n91.2 Softmax: not yet written.\n0 of 2 passed.\n",
    )


def test_of_one_that_is_not_written_the_first_case_is_shown(learn):
    learn("start", "91")
    assert "called     totals(" in learn("check", "91.1")[1]


def test_a_function_that_ends_the_program_is_wrong_and_nothing_ends(learn):
    write(BOTH[0].partition("\n")[0] + "\n    raise SystemExit", BOTH[1])
    status, text, _ = learn("check", "91.1")
    assert status == 1 and "got        SystemExit" in text


def test_a_file_that_ends_the_program_is_told(learn):
    write(*BOTH, "raise SystemExit")
    status, _, error = learn("check", "91.1")
    assert status == 2 and "SystemExit" in error


def test_commands_are_told_as_they_can_be_typed(learn, monkeypatch):
    called = os.path.join("folder", "bin", "minigrad-learn")
    monkeypatch.setattr(sys, "argv", [called, "start", "91"])
    monkeypatch.setenv("PATH", "")
    assert f"{called} check 91.1" in learn("start", "91")[1]
    assert f"{called} hint 91.1" in command_line.Work().path(91).read_text(encoding="utf-8")


@pytest.mark.parametrize("number", ["abc", "", "²"])
@pytest.mark.parametrize("command", ["check", "hint", "solution"])
def test_what_is_no_number_is_told(learn, command, number):
    status, _, error = learn(command, number)
    assert status == 2 and error.startswith(f"{number!r} is the number of no")


def test_where_the_name_of_the_program_is_enough_it_is_told_alone(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/folder/bin/minigrad-learn"])
    monkeypatch.setattr(terminal.shutil, "which", lambda name: "/folder/bin/minigrad-learn")
    assert terminal.typed("check 1") == "minigrad-learn check 1"


@pytest.mark.skipif(os.name != "posix", reason="has no such shell")
def test_who_reads_the_first_lines_alone_gets_no_error():
    command = f"{sys.executable} -m lessons list | true"
    run = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert run.stderr == ""


# ---- How far one is ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["{", "[]", '{"91.1": 3}'])
def test_damaged_progress_is_told(learn, tmp_path, text):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "progress.json").write_text(text, encoding="utf-8")
    status, _, error = learn("status")
    assert status == 2 and "is damaged: remove it to begin anew" in error


@pytest.mark.parametrize("command", [["start", "91"], ["status"], ["hint", "91.1"]])
def test_a_folder_that_cannot_be_used_is_told(learn, tmp_path, command):
    (tmp_path / "work").write_text("", encoding="utf-8")  # a file where the folder should be
    status, _, error = learn(*command)
    assert status == 2 and error.startswith("work") and error.count("\n") == 1


def test_status_says_what_is_next(learn):
    assert learn("status") == (
        0,
        "0 of 2 exercises passed, 0 hints read.\nNext: 91.1 Totals: minigrad-learn start 91\n",
        "",
    )
    learn("start", "91")
    learn("hint", "91.1")
    write(*BOTH)
    learn("check", "91.1")
    _, text, _ = learn("status")
    assert text == (
        "1 of 2 exercises passed, 1 hint read.\nNext: 91.2 Softmax: minigrad-learn check 91.2\n"
    )


def test_status_says_when_all_is_done_and_what_was_given_up(learn):
    learn("solution", "91.2", "--give-up")
    write(*BOTH)
    learn("check", "91")
    _, text, _ = learn("status")
    assert "Solutions seen before: 91.2." in text and "All that there is to do is done." in text


# ---- Watching ------------------------------------------------------------------------------------


def on_each_look(monkeypatch, *actions):
    """While `watch` sleeps, one action after the other happens; then Ctrl-C."""
    left = list(actions)

    def sleep(seconds):
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    monkeypatch.setattr(watching.time, "sleep", sleep)


def test_watch_checks_again_when_the_file_is_saved(learn, monkeypatch):
    write(WRONG, BOTH[1])
    on_each_look(monkeypatch, lambda: write(*BOTH))
    status, text, errors = learn("watch", "91")
    assert text.index("91.1 Totals: not yet") < text.index("91.1 Totals: passed")
    assert text.count("Watching") == 2
    assert (status, errors) == (0, "")


def test_watch_shows_no_more_than_the_first_that_is_open(learn, monkeypatch):
    write(WRONG, BOTH[1])
    on_each_look(monkeypatch)
    _, text, _ = learn("watch", "91")
    assert "1 more after this one." in text and "91.2" not in text


def test_watch_checks_not_while_nothing_is_saved(learn, monkeypatch):
    write(*BOTH)
    on_each_look(monkeypatch, *[lambda: None] * 5)
    assert learn("watch", "91")[1].count("All passed.") == 1


def test_watch_goes_on_after_what_is_no_python(learn, monkeypatch):
    write("def (")
    on_each_look(monkeypatch, lambda: write(*BOTH))
    _, text, _ = learn("watch", "91.1")
    assert text.index("line 4: invalid syntax") < text.index("91.1 Totals: passed")


def test_a_file_that_is_away_for_a_moment_is_waited_for(tmp_path, monkeypatch):
    path, looks = tmp_path / "file", []
    path.write_text("")
    on_each_look(monkeypatch, path.unlink, lambda: path.write_text("new"))
    watching.watch(path, lambda: looks.append(path.exists()))
    assert looks == [True, True]


def test_watch_looks_often_enough(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    began = []

    def look():
        if began:
            raise KeyboardInterrupt
        began.append(time.perf_counter())
        path.write_text("saved")

    path.write_text("x")
    watching.watch(path, look)
    assert time.perf_counter() - began[0] < 1


# ---- The real model ------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch):
    """The model learns for one epoch alone."""
    monkeypatch.setitem(programs.PROGRAMS, "mlp", lambda seed: programs.mlp(seed, epochs=1))


def test_the_students_functions_train_the_real_model(learn, short):
    write(*BOTH)
    learn("check", "91")
    status, text, _ = learn("run", "mlp", "--mine")
    own, mine = (line.partition(": ")[2] for line in text.splitlines()[:2])
    assert own == mine and "accuracy 0." in own
    assert "91.2 softmax: called " in text and "91.1" not in text
    assert status == 0


def test_what_is_not_passed_trains_nothing(learn, short):
    write(*BOTH)
    status, _, errors = learn("run", "mlp", "--mine")
    assert status == 2 and "none of your functions" in errors


def test_what_was_passed_in_a_notebook_alone_trains_nothing(learn, short):
    command_line.Work().note("91.2", passed=True)
    status, _, errors = learn("run", "mlp", "--mine")
    assert status == 2 and "none of your functions" in errors


def test_what_passes_no_longer_trains_nothing(learn, short):
    write(*BOTH)
    learn("check", "91")
    write(BOTH[0], BOTH[1].replace("p * (g", "p + (g"))
    status, _, errors = learn("run", "mlp", "--mine")
    assert status == 2 and "91.2 does not pass" in errors


def test_a_function_that_is_never_called_is_an_error(learn, short, monkeypatch):
    write(*BOTH)
    learn("check", "91")
    monkeypatch.setitem(programs.PROGRAMS, "mlp", lambda seed: {"accuracy": 0.5})
    status, text, _ = learn("run", "mlp", "--mine")
    assert status == 1 and "None of your functions was called, which is an error." in text


def test_a_function_that_this_model_has_no_need_of_is_told_with_one_that_has(
    learn, short, monkeypatch
):
    write(*BOTH)
    learn("check", "91")
    uncalled = dict.fromkeys(("mlp", "logistic"), lambda seed: {"accuracy": 0.5})
    monkeypatch.setattr(programs, "PROGRAMS", uncalled | {"soft_labels": programs.mlp})
    _, text, _ = learn("run", "mlp", "--mine")
    assert (
        "91.2 softmax: never called: this model has no need of it. "
        "Another one has: minigrad-learn run soft_labels --mine 91.2\n"
    ) in text


def test_a_function_whose_work_another_one_does_is_an_error(learn, short, monkeypatch):
    write(*BOTH)
    learn("check", "91")
    run, others = programs.run, {"91.2": 0, "91.3": 1}

    def bypassing(program, functions):
        found = run(program, functions)
        is_own = any(e.solution is function for e, function in functions.items())
        return found if is_own else programs.Run(found.figures, others)

    monkeypatch.setattr(programs, "run", bypassing)
    status, text, _ = learn("run", "mlp", "--mine")
    assert status == 1 and "91.2 softmax: never called, which is an error: other" in text


def test_the_programs_that_the_command_knows_are_those_that_there_are():
    assert tuple(programs.PROGRAMS) == command_line.PROGRAMS


def test_what_the_framework_has_no_place_for_is_told(learn, short):
    write(*BOTH)
    status, _, errors = learn("run", "mlp", "--mine", "91.1")
    assert status == 2 and "the framework has no totals" in errors


def test_without_mine_the_framework_trains_alone(learn, short):
    status, text, _ = learn("run", "mlp")
    assert status == 0 and text.startswith("With the framework's own functions: loss")


# ---- For teachers --------------------------------------------------------------------------------


def test_an_assignment_is_written(learn, tmp_path):
    status, text, _ = learn("build", "--out", "out", "--only", "91", "--hidden-tests")
    assert status == 0 and "wrote out/students/lesson_91.py" in text.replace("\\", "/")
    assert (tmp_path / "out" / "nbgrader_config.py").is_file()


def test_a_package_that_is_missing_is_told_with_what_brings_it(learn, monkeypatch):
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    status, _, errors = learn("build", "--out", "out", "--only", "91")
    assert status == 2 and "markdown_it is missing" in errors and "make teach" in errors


@pytest.mark.parametrize("text, numbers", [("1-4", [1, 2, 3, 4]), ("1,3", [1, 3]), ("2", [2])])
def test_lessons_are_named_by_numbers(text, numbers):
    assert command_line._numbers(text) == numbers


@pytest.mark.parametrize("text", ["4-1", "1.1", "x", "", "1-", "-1"])
def test_what_names_no_lessons_is_told(learn, text, capsys):
    with pytest.raises(SystemExit):
        learn("grade", ".", f"--only={text}")
    assert "lessons are named as 1-4 or 1,3. Received" in capsys.readouterr().err


def test_an_address_to_install_from_that_is_a_bare_name_is_told(learn):
    status, _, errors = learn("build", "--out", "out", "--install-from", "minigrad")
    assert status == 2 and "any package's name" in errors


# ---- Colours -------------------------------------------------------------------------------------


class Terminal:
    def isatty(self):
        return True


@pytest.fixture
def plain_environment(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_colours_are_for_terminals_alone(plain_environment, tmp_path):
    assert terminal.has_colours(Terminal())
    with open(tmp_path / "file", "w") as file:
        assert not terminal.has_colours(file)


@pytest.mark.parametrize("name, value", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(plain_environment, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert not terminal.has_colours(Terminal())


def test_a_verdict_has_the_colour_of_what_it_says(plain_environment, monkeypatch, capsys):
    assert terminal.coloured("1.1 A: passed (2).") == "\033[32m1.1 A: passed (2).\033[0m"
    assert terminal.coloured("1.1 A: not yet.\n\nwhy") == "\033[33m1.1 A: not yet.\033[0m\n\nwhy"
    monkeypatch.setattr(terminal, "has_colours", lambda: True)
    terminal.say("1.1 A: passed.")
    assert capsys.readouterr().out.startswith("\033[32m")


# ---- What takes too long -------------------------------------------------------------------------


@pytest.fixture
def short_limit(monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.2)


LOOP = "def totals(x):\n    while len(x) > 2:\n        pass\n    return np.cumsum(x)\n"


@HAS_TIMER
def test_an_endless_loop_is_told_with_what_it_was_called(learn, short_limit):
    write(LOOP, BOTH[1])
    began = time.perf_counter()
    status, text, _ = learn("check", "91.1")
    assert time.perf_counter() - began < 5
    assert status == 1 and "called     totals(x=array([1., 2., 3., 4.]))" in text
    # 0.2 seconds of the processor; by the clock 0.6, where others keep it busy.
    assert re.search("got        no answer after 0.[26] seconds: does a loop never end[?]", text)


@HAS_TIMER
def test_an_endless_loop_for_what_is_drawn_ends_the_search(learn, short_limit, sample):
    write(LOOP.replace("len(x) > 2", "len(x) == 3"), BOTH[1])
    began = time.perf_counter()
    assert "no answer after" in learn("check", "91.1")[1]
    assert time.perf_counter() - began < 5


@HAS_TIMER
def test_an_endless_loop_around_a_bare_except_ends(short_limit):
    def stubborn():
        for _ in range(3):
            try:
                while True:
                    pass
            except BaseException:  # noqa: B036
                continue

    assert isinstance(observe(stubborn, (), call).error, limit.TooLongError | type(None))


@HAS_TIMER
def test_a_file_that_never_ends_is_told(learn, short_limit):
    write("while True:\n    pass\n")
    status, _, errors = learn("check", "91.1")
    assert status == 2 and "line 4: no answer after" in errors


@HAS_TIMER
def test_the_timer_and_its_handler_are_as_before_afterwards():
    timers = {signal.ITIMER_REAL: signal.SIGALRM, signal.ITIMER_PROF: signal.SIGPROF}
    before = [signal.getsignal(number) for number in timers.values()]
    with limit.time_limit(5):
        pass
    assert [signal.getsignal(number) for number in timers.values()] == before
    assert [signal.getitimer(timer)[0] for timer in timers] == [0, 0]


@HAS_TIMER
def test_time_that_others_take_does_not_count_but_nobody_waits_forever():
    with limit.time_limit(0.1):
        time.sleep(0.2)
    with pytest.raises(limit.TooLongError), limit.time_limit(0.1):
        time.sleep(10)


def test_without_a_timer_there_is_no_limit(monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)
    with limit.time_limit(0.01):
        time.sleep(0.05)


def test_ctrl_c_ends_a_command_quietly(learn, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "show_status", interrupted)
    assert learn("status") == (130, "", "")


# ---- Calls, as a message shows them --------------------------------------------------------------


def test_a_call_with_a_long_argument_has_a_line_for_each(sample):
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert messages.call(sample.exercises["91.2"], (x, 0)) == (
        "softmax(\n    x=array([[1., 2.],\n             [3., 4.]]),\n    axis=0,\n)"
    )


def test_the_lines_of_a_single_argument_stand_below_each_other(sample):
    assert messages.call(sample.exercises["91.1"], (np.eye(2),)) == (
        "totals(x=array([[1., 0.],\n                [0., 1.]]))"
    )
