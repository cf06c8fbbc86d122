"""The hole that an exercise is: the signature and the docstring of the solution, and no body.

Nothing of the body gets out of here but its length.
"""

import ast

RAISES = 'raise NotImplementedError("exercise {number}")'


def skeleton(exercise):
    """The text of the function, its body left open."""
    return "\n".join([*head(exercise), f"    {RAISES.format(number=exercise.number)}"]) + "\n"


def head(exercise):
    """The lines of signature and docstring, the latter without its doctests."""
    function = parse(exercise)
    lines = exercise.source.rstrip().splitlines()
    signature = lines[: _last_line_of_signature(function)]
    return [*signature, *(f"    {line}".rstrip() for line in _docstring(function))]


def length(exercise):
    """About how many lines the body of a solution has."""
    if exercise.lines:
        return exercise.lines
    return len(body(exercise))


def body(exercise):
    """The lines of the solution's body, which no student's file may contain."""
    function = parse(exercise)
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    lines = exercise.source.splitlines()
    return lines[statements[0].lineno - 1 : statements[-1].end_lineno]


def parse(exercise):
    """The syntax tree of the solution."""
    functions = [n for n in ast.parse(exercise.source).body if isinstance(n, ast.FunctionDef)]
    return functions[-1]


def _last_line_of_signature(function):
    return function.body[0].lineno - 1


def _docstring(function):
    """The docstring in triple quotes, without its doctests, line by line."""
    lines, in_doctest = [], False
    for line in (ast.get_docstring(function) or "").splitlines():
        in_doctest = bool(line.strip()) and (in_doctest or line.lstrip().startswith(">>>"))
        if not in_doctest:
            lines.append(line)
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) < 2:
        return [f'"""{"".join(lines)}"""'] if lines else []
    return [f'"""{lines[0]}', *lines[1:], '"""']
