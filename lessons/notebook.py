"""The course inside a notebook: check("6.3") in the cell after the one that defines the function.

It says what the terminal says, and shows a picture where one says more.
"""

import inspect
import os
import sys
from pathlib import Path

from . import lesson as lessons
from . import messages
from .work import FOLDER, StudentError, Work

_latest = {}  # {exercise's number: the student's function that was checked last, whether passed}


def check(number, seed=0):
    """Say whether the function of an exercise is right. What is drawn depends on the seed.

    Under nbgrader, which gives points for a cell without an error, what is not right is an error.
    """
    from .checking import check as verdict_on

    exercise = lessons.find(number)
    function = _written(exercise, _names(sys._getframe(1)))
    if function is None:
        text = f"there is no function {exercise.name} yet. Run the cell that defines it, then this."
        print(f"{number} {exercise.title}: {text}")
        return _fail_if_graded(text)
    verdict = verdict_on(exercise, function, seed)
    _latest[number] = function, verdict.passed
    if not _is_graded():
        _work().note(number, passed=verdict.passed)
    text = messages.verdict(verdict)
    print(text)
    if not verdict.passed:
        _show_difference(exercise, verdict.failure)
        _fail_if_graded(text)


def working(number):
    """The student's function, if it was checked and passed; until then the course's own."""
    function, passed = _latest.get(number, (None, False))
    if passed:
        return function
    exercise = lessons.find(number)
    print(f"Until yours passes, the cells below use the course's own {exercise.name}.")
    return exercise.solution


def hint(number):
    """Print a hint for an exercise; each time one that says more."""
    print(_work().hint(lessons.find(number)))


def solution(number, give_up=False):
    """Print the solution of an exercise that is passed, or given up, which is recorded."""
    try:
        print(_work().solution(lessons.find(number), give_up))
    except StudentError:
        print(
            f"The solution opens when {number} is passed. To see it now, which is recorded: "
            f'solution("{number}", give_up=True)'
        )


def _work():
    """The student's folder: where the notebook lies in it, or beside it in `notebooks`."""
    here = Path.cwd()
    within = here.name in ("work", "notebooks") and FOLDER not in os.environ
    return Work(here.parent / "work" if within else None)


def _names(frame):
    return {**frame.f_globals, **frame.f_locals}


def _written(exercise, names):
    """The student's function: where `working` has put the course's own, the one checked before."""
    function = names.get(exercise.name)
    if function is not None and inspect.unwrap(function) is exercise.solution:
        return _latest.get(exercise.number, (None, False))[0]
    return function


def _fail_if_graded(text):
    if _is_graded():
        raise AssertionError(text.splitlines()[0])


def _is_graded():
    """Whether nbgrader runs the notebook."""
    return "NBGRADER_EXECUTION" in os.environ


# ---- Pictures ------------------------------------------------------------------------------------


def _show_difference(exercise, failure):
    """In a notebook, a picture of two arrays that differ."""
    if _shell() is None or failure.seen.error is not None or failure.seen.changed:
        return
    from IPython.display import display

    from .pictures import beside, embedded

    figure = beside(*messages.compared(exercise, failure))
    if figure is not None:
        alt = "The two arrays as shades of blue, the elements that differ framed in orange."
        display({"text/html": embedded(figure, alt), "text/plain": alt}, raw=True)


def _shell():
    """The IPython that runs here, if one does."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _show_figures(shell):
    """Let a cell that ends with a Figure show it, also one that was made without pyplot."""
    from .pictures import png

    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type_by_name("matplotlib.figure", "Figure", png)


if _shell() is not None:
    _show_figures(_shell())
