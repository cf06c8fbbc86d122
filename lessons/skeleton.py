"""The hole that an exercise is: the signature and the docstring of the solution, and no body.

Nothing of the body gets out of here but its length.
"""

import ast
import doctest

RAISES = 'raise NotImplementedError("exercise {number}")'


def skeleton(exercise):
    """The text of the function, its body left open."""
    function = parse(exercise)
    lines = exercise.source.rstrip().splitlines()
    signature = lines[: _last_line_of_signature(function)]
    docstring = [f"    {line}".rstrip() for line in _docstring(function)]
    return (
        "\n".join([*signature, *docstring, f"    {RAISES.format(number=exercise.number)}"]) + "\n"
    )


def length(exercise):
    """About how many lines the body of a solution has."""
    if exercise.lines:
        return exercise.lines
    function = parse(exercise)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1


def body(exercise):
    """The lines of the solution's body, which no student's file may contain."""
    function = parse(exercise)
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    lines = exercise.source.splitlines()
    return [line.strip() for line in lines[statements[0].lineno - 1 : statements[-1].end_lineno]]


def parse(exercise):
    """The syntax tree of the solution."""
    functions = [n for n in ast.parse(exercise.source).body if isinstance(n, ast.FunctionDef)]
    return functions[-1]


def _last_line_of_signature(function):
    return function.body[0].lineno - 1


def _docstring(function):
    """The docstring in triple quotes, without its doctests, line by line."""
    text = ast.get_docstring(function) or ""
    parts = doctest.DocTestParser().parse(text)
    lines = "".join(part for part in parts if isinstance(part, str)).splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) < 2:
        return [f'"""{"".join(lines)}"""'] if lines else []
    return [f'"""{lines[0]}', *lines[1:], '"""']
