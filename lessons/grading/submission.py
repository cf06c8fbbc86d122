"""What a student handed in: of a file or a notebook, the function asked for and what it needs.

Read where the function will run, since even reading may take forever with a text made for that.
Statements at the top of the file that the function does not need are left out: they do not run.
"""

import ast
import json
import re
import symtable
from contextlib import suppress

_MAGIC = re.compile(r"^\s*[%!?].*$", flags=re.MULTILINE)  # commands of notebooks
_BLOCK = re.compile(r"^(?=def |class |import |from )", flags=re.MULTILINE)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError)


class UnreadableError(ValueError):
    """What was handed in has no such function; the message says what is wrong, to the student."""


def extract(data, name, is_notebook):
    """The text of the function of this name, with the functions, imports and values that it uses.

    data  the bytes of the file
    """
    return cut(_cells(data) if is_notebook else [_decoded(data)], name)


def cut(texts, name):
    """The statements of these texts, in their order, without which a name has no meaning.

    Of several definitions of a name the last one counts.
    """
    statements = [statement for text in texts for statement in _parsed(text)]
    if not statements:
        raise UnreadableError("nothing in it can be read as Python")
    places = _places(statements)
    if name not in places:
        raise UnreadableError(f"there is no function {name} that can be read")
    needed, names = set(), {name}
    while names:  # what comes by `from x import *` may stand for any name
        found = set().union(*(places.get(n, places.get("*", ())) for n in names)) - needed
        needed |= found
        names = set().union(*(_read_by(statements[place]) for place in found))
    return "\n\n".join(_written(statements[place]) for place in sorted(needed)) + "\n"


def _places(statements):
    """{name: places of the statements that give it a meaning}

    That is the last definition of a function or class, or else everything that is assigned to it.
    What fills it later, such as `TABLE[key] = 1` and `TABLE.append(1)`, belongs to it as well.
    """
    places, definitions, imported = {}, {}, set()
    for place, statement in enumerate(statements):
        nodes = [] if isinstance(statement, _DEFINITIONS) else ast.walk(statement)
        imported |= {name for node in nodes for name in _imported(node)}
        if isinstance(statement, _DEFINITIONS):
            definitions[statement.name] = {place}
        for name in _bound(statement):
            places.setdefault(name, set()).add(place)
    for place, statement in enumerate(statements):
        for name in _filled(statement) & places.keys() - definitions.keys() - imported:
            places[name].add(place)
    return places | definitions


def _bound(statement):
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, _DEFINITIONS):
            yield node.name
        else:
            yield from _imported(node)


def _imported(node):
    if isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]


def _filled(statement):
    """The names of what a statement puts something into: x of `x[i] = 1`, `x.y = 1`, `x.add(1)`."""
    if isinstance(statement, _DEFINITIONS):
        return set()
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            inner = node.value.func
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            inner = node
        else:
            continue
        is_part = isinstance(inner, (ast.Subscript, ast.Attribute))
        while isinstance(inner, (ast.Subscript, ast.Attribute)):
            inner = inner.value
        if is_part and isinstance(inner, ast.Name):
            found.add(inner.id)
    return found


def _read_by(statement):
    """The names that a statement takes from the file around it, in whatever function of it."""
    try:
        tables = [symtable.symtable(_written(statement), "", "exec")]
    except SyntaxError:
        return set()
    names = set()
    while tables:
        table = tables.pop()
        is_file = table.get_type() == "module"
        names |= {s.get_name() for s in table.get_symbols() if is_file or s.is_global()}
        tables += table.get_children()
    return names


# ---- Texts ---------------------------------------------------------------------------------------


def _decoded(data):
    return data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def _parsed(text):
    """The statements of a text. If it has a mistake, those of its blocks that have none."""
    for readable in (text, _MAGIC.sub("", text)):
        with suppress(*_UNREADABLE):
            return _statements(readable)
    found = []
    for block in _BLOCK.split(text):
        with suppress(*_UNREADABLE):
            found += _statements(block)
    return found


def _statements(text):
    """The statements of a text without a mistake, which remember the text."""
    statements = ast.parse(text).body
    for statement in statements:
        statement.text = text
    return statements


def _written(statement):
    """A statement as it stands in its text, with its decorators."""
    written = ast.get_source_segment(statement.text, statement)
    decorators = getattr(statement, "decorator_list", None)
    if not decorators:
        return written
    first = min(decorator.lineno for decorator in decorators)
    lines = statement.text.split("\n")[first - 1 : statement.lineno - 1]
    return "\n".join([*lines, written])


def _cells(data):
    """The code of a notebook, cell by cell."""
    try:
        cells = json.loads(data)["cells"]
        codes = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        return ["".join(code) for code in codes]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UnreadableError("this is no notebook") from None
