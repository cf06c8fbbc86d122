"""The code of a lesson, run from top to bottom in one namespace, and what it prints and draws.

Where an exercise stands, its function is the solution from there on.
"""

import ast
import contextlib
import functools
import io
from dataclasses import dataclass

import numpy as np

from ..exercise import Exercise
from ..lesson import Code


@dataclass
class Shown:
    """What a reader sees below a block of code: printed lines, and Figures of matplotlib."""

    text: str
    figures: list


@functools.cache
def run(lesson):
    """Run all code of a lesson, once.   -> {number of a block's first line in the text: Shown}"""
    namespace = {"np": np}
    shown = {}
    for part in lesson.parts:
        if isinstance(part, Exercise):
            namespace[part.name] = part.solution
        elif isinstance(part, Code):
            shown[part.line] = run_block(part, namespace, lesson.path)
    return shown


def run_block(code, namespace, path):
    """Run a block as a notebook does: the value of a last expression is shown as well."""
    tree = ast.parse("\n" * (code.line - 1) + code.source, str(path))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value, printed = None, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(path), "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), str(path), "eval"), namespace)
    figures = [value] if hasattr(value, "savefig") else []
    if value is not None and not figures:
        printed.write(f"{value!r}\n")
    return Shown(printed.getvalue(), figures)
