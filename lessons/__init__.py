"""The course: holes cut out of minigrad, and what tells a right filling from a wrong one.

`texts/` has a lesson in each file: prose, formulas, code, and exercises with their checks. Most ask
for a function of the framework itself, whose own source is the solution; what a student writes is
put in its place and trains the real models. `answers/` has wrong answers, each named by its
mistake, and right ones written in other ways: by the former a check says what went wrong.

    minigrad-learn start 2        writes work/lesson_02.py, with the holes
    minigrad-learn check 2.1      says whether the first is filled rightly

In a notebook: `from lessons import check`, and check("2.1") after the cell that defines it.
"""

_IN_NOTEBOOKS = ("check", "hint", "solution", "working")


def __getattr__(name):
    """What notebooks use is imported when it is asked for: `import lessons` stays light."""
    if name not in _IN_NOTEBOOKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import notebook

    return getattr(notebook, name)
