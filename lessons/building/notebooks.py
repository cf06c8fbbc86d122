"""A lesson as a Jupyter notebook: prose, code, and for each exercise a hole and its check.

The same text gives the same bytes: cells are named by the lesson and their place in it, there are
no outputs, and JSON is written in one way. Cells carry the metadata by which nbgrader knows what a
student writes and what it grades.
"""

import ast
import builtins
import inspect
import json
import re

from ..exercise import Exercise
from ..lesson import Code
from ..skeleton import body, head, length, parse, skeleton

IMPORTS = """\
# In cells of your own: hint("{number}.1") if you are stuck, again for one that says more,
# and solution("{number}.1") when you have passed.
import numpy as np

from lessons import check, hint, solution, working
"""
INSTALLS = """# On a hosted notebook service this installs the course, which takes a minute.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("lessons") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", {address}], check=True)

"""
PICTURE = re.compile(r"^!\[(.*?)\]\(figure\)$", flags=re.MULTILINE | re.DOTALL)


def text(lesson, solved=False, hidden_seed=None, install_from=None):
    """The notebook of a lesson as a file contains it.

    solved        with the solutions, between nbgrader's marks, instead of the holes
    hidden_seed   of arguments that hidden tests draw, which only nbgrader's source contains
    install_from  the address from which a machine without the course installs it
    """
    notebook = {
        "cells": list(_cells(lesson, solved, hidden_seed, install_from)),
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": f"Lesson {lesson.number}: {lesson.title}",
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _cells(lesson, solved, hidden_seed, install_from):
    name = f"lesson-{lesson.number:02}"
    yield _code(f"{name}-start", _start(lesson.number, install_from))
    place = 0
    for part in lesson.parts:
        if isinstance(part, Exercise):
            yield _answer(part, solved)
            yield _check(part, hidden_seed)
        elif isinstance(part, Code):
            place += 1
            yield _code(f"{name}-{place}", part.source)
        else:
            for section in sections(part):
                place += 1
                yield _markdown(f"{name}-{place}", captioned(section))


def sections(prose):
    """The Markdown of a piece of prose, cut before each heading."""
    return [cut for cut in re.split(r"^(?=#+ )", prose.text, flags=re.MULTILINE) if cut.strip()]


def captioned(markdown):
    """What a picture shows, in words before the cell that draws it."""
    return PICTURE.sub(r"*The picture: \1*", markdown)


def _start(number, address):
    imports = IMPORTS.format(number=number)
    if address is None:
        return imports
    if "://" not in address:
        raise ValueError(
            f"an address to install from has :// in it; {address!r} might be any package's name"
        )
    return INSTALLS.format(address=json.dumps(address)) + imports


# ---- Exercises -----------------------------------------------------------------------------------


def _answer(exercise, solved):
    lines = length(exercise)
    about = f"# Exercise {exercise.number}, about {lines} line{'s' if lines > 1 else ''}\n"
    source = about + (marked_solution(exercise) if solved else skeleton(exercise))
    grader = _grader(_name(exercise), solution=True)
    return _code(_name(exercise), source, grader)


def _check(exercise, hidden_seed):
    checks = f'check("{exercise.number}")\n'
    hidden = f'check("{exercise.number}", seed={hidden_seed})\n'
    if hidden_seed is not None:
        checks += f"### BEGIN HIDDEN TESTS\n{hidden}### END HIDDEN TESTS\n"
    source = f'{checks}{exercise.name} = working("{exercise.number}")\n'
    name = f"{_name(exercise)}-check"
    return _code(name, source, _grader(name, grade=True, points=exercise.points))


def _name(exercise):
    return f"exercise-{exercise.number.replace('.', '-')}"


def marked_solution(exercise):
    """The solution, its body between the marks by which nbgrader takes it out."""
    imports = [f"    {line}".rstrip() for line in _imports(exercise)]
    marked = ["    ### BEGIN SOLUTION", *imports, *body(exercise), "    ### END SOLUTION"]
    return "\n".join([*head(exercise), *marked]) + "\n"


def _imports(exercise):
    """Where a function of the framework takes the names from that its module has for it."""
    if not exercise.target or exercise.is_written_out:
        return
    given = vars(inspect.getmodule(exercise.solution))
    loaded = {node.id for node in ast.walk(parse(exercise.source)) if isinstance(node, ast.Name)}
    names = sorted(loaded & given.keys() - vars(builtins).keys() - {"np", exercise.name})
    for name in names:
        thing = given[name]
        if inspect.ismodule(thing):
            package, _, module = thing.__name__.rpartition(".")
            origin = f"from {package} " if package else ""
            yield f"{origin}import {module}" + (f" as {name}" if name != module else "")
        else:
            yield f"from {exercise.solution.__module__} import {name}"
    if names:
        yield ""


# ---- Cells ---------------------------------------------------------------------------------------


def _grader(name, grade=False, solution=False, points=None):
    """What nbgrader wants to know about a cell, in version 3 of its words."""
    marks = {"grade_id": name, "grade": grade, "solution": solution, "locked": grade}
    marks |= {"task": False, "schema_version": 3}
    return {"nbgrader": marks | ({"points": points} if grade else {})}


def _code(name, source, metadata=None):
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": metadata or {},
        "outputs": [],
        "source": _lines(source),
    }


def _markdown(name, source):
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _lines(source)}


def _lines(source):
    return source.strip("\n").splitlines(keepends=True)
