"""The hole that an exercise is, and what fills it: the solution as students see it.

Of the hole's body nothing but its length is told.
"""

import ast
import doctest

RAISES = 'raise NotImplementedError("exercise {number}")'
WRITTEN_OUT = "# Written out; {target} itself calls a kernel or a helper."


def skeleton(exercise):
    """The text of the function, its body left open."""
    return "\n".join([*head(exercise), f"    {RAISES.format(number=exercise.number)}"]) + "\n"


def filled(exercise):
    """The text of the function, its body that of the solution that is shown."""
    return "\n".join([*head(exercise), *body(exercise)]) + "\n"


def head(exercise):
    """The lines of signature and docstring, the latter without its doctests."""
    function = parse(exercise.source)
    lines = exercise.source.rstrip().splitlines()
    signature = lines[: _last_line_of_signature(function)]
    return [*signature, *(f"    {line}".rstrip() for line in _docstring(function))]


def length(exercise):
    """About how many lines the body of a solution has."""
    return exercise.lines or len(body_of(exercise.shown_source))


def body(exercise):
    """The lines of the body of the solution that is shown, which no student's file may contain.

    Where the framework's function reads otherwise, the first line says so.
    """
    lines = body_of(exercise.shown_source)
    if exercise.is_written_out:
        lines.insert(0, "    " + WRITTEN_OUT.format(target=exercise.target))
    return lines


def body_of(source):
    """The lines of the body of the last function in a source."""
    function = parse(source)
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return source.splitlines()[statements[0].lineno - 1 : statements[-1].end_lineno]


def parse(source):
    """The syntax tree of the last function in a source."""
    functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
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
