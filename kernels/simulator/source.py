"""The source of a kernel, and what Numba leaves out of it as it compiles.

Numba decides some conditions as it compiles, and does not look at what then never runs: at what is
below `if DEBUG:` with a global DEBUG that is False, behind a `return`, or in a function inside of
the kernel that nobody calls. So what stands there may be anything.
"""

import ast
import functools
import inspect
import linecache
import operator
import re
import tokenize
from typing import NamedTuple

from .faults import Site

UNSURE = "unsure"  # of a condition that Numba may have decided, nobody knows how
_ENDS = ast.Return, ast.Raise, ast.Break, ast.Continue
_DEAD = {  # {what a condition is: which of its two branches Numba may leave out}
    True: slice(1, 2),
    False: slice(0, 1),
    UNSURE: slice(0, 2),
    None: slice(0, 0),
}
_COMPARISONS = {  # those that Numba decides as it compiles
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Part(Site):
    """A place in a source as `ast` knows it: its offset is the position itself."""

    @property
    def position(self):
        """(line, last line, column, last column)"""
        return self.offset


class Source:
    """The source of a function, without what Numba may leave out.

    names   ((name, value), ...) of what has a name outside of the function, as far as it is known
    parts   [(part, the part that it is in)] as `ast` has them, none where no source can be read
    stored  the names that are given values, as often as they are
    is_for_itself   whether it is compiled for itself, so that Numba knows nothing of its caller
    """

    def __init__(self, code, is_kernel, names=()):
        self.code, self.is_kernel = code, is_kernel
        function = _function(code)
        every = list(_parts(function)) if function else []
        every_name = [part for part, _ in every if isinstance(part, ast.Name)]
        self.stored = [name.id for name in every_name if isinstance(name.ctx, ast.Store)]
        self.is_for_itself = is_kernel or bool(function and _is_for_itself(function))
        self._left_out = _left_out(function, every, is_kernel, names) if function else []
        self.parts = [
            (part, around)
            for part, around in every
            if not (hasattr(part, "lineno") and self.leaves_out(self.site(part)))
        ]

    def site(self, part):
        """Where a part is."""
        position = part.lineno, part.end_lineno, part.col_offset, part.end_col_offset
        return Part(self.code, position)

    def leaves_out(self, site):
        """Whether Numba may leave out what is there."""
        line, _, column, _ = site.position
        return any(
            (part.lineno, part.col_offset)
            <= (line, column)
            < (part.end_lineno, part.end_col_offset)
            for part in self._left_out
        )


source_of = functools.cache(Source)


def source_of_function(function, is_kernel):
    """The Source of a function, for which the names around it stand for what they do by now."""
    code = function.__code__
    cells = dict(zip(code.co_freevars, function.__closure__ or ()))
    found = function.__globals__
    around = {name: found[name] for name in code.co_names if name in found}
    own = {*code.co_varnames, *code.co_cellvars}
    around = {name: value for name, value in around.items() if name not in own}
    around |= {name: cell.cell_contents for name, cell in cells.items()}
    simple = bool, int, float, str, type(None)  # as Numba takes them for constants
    names = [(name, value) for name, value in around.items() if type(value) in simple]
    return source_of(code, is_kernel, tuple(names))


def _function(code):
    """The function of a code object, as `ast` has it, or None where its source is not known."""
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    try:
        source = "".join(inspect.getblock(lines))
        is_inside = source[:1].isspace()  # of a function, and so further to the right
        tree = ast.parse("if True:\n" + source if is_inside else source)
    except (SyntaxError, tokenize.TokenError):
        return None
    ast.increment_lineno(tree, code.co_firstlineno - 1 - is_inside)
    names = list(code.co_varnames[: code.co_argcount])
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef) and part.name == code.co_name:
            return part if _arguments(part) == names else None  # the file is another by now
    return None


@functools.cache  # each thread asks for it anew
def name_given(site):
    """The name that an assignment gives to what is made at a site, or None where it has none."""
    line, last, start, stop = site.position
    function = _function(site.code)
    for part in ast.walk(function) if function and start is not None else ():
        for name, value in _assigned(part):
            begins = (value.lineno, value.col_offset) <= (line, start)
            if begins and (last, stop) <= (value.end_lineno, value.end_col_offset):
                return name
    return None


def _assigned(part):
    """(name, value) of each name to which an assignment gives a value."""
    targets = getattr(part, "targets", None) or [getattr(part, "target", None)]
    is_assignment = isinstance(part, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and part.value
    pairs = [(target, part.value) for target in targets] if is_assignment else []
    while pairs:
        target, value = pairs.pop(0)
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):  # a, b = 1, 2
            pairs += zip(target.elts, value.elts)


def _arguments(function):
    return [argument.arg for argument in function.args.posonlyargs + function.args.args]


def _parts(around):
    """(part, the part that it is in), in the order of the source"""
    for part in ast.iter_child_nodes(around):
        if part not in getattr(around, "decorator_list", ()):
            yield part, around
            yield from _parts(part)


# ---- What Numba leaves out -----------------------------------------------------------------------


def _left_out(function, every, is_kernel, names):
    """The parts that Numba may leave out."""
    parts = [part for part, _ in every]
    called = {getattr(part.func, "id", "") for part in parts if isinstance(part, ast.Call)}
    known = _Known({**dict(names), **_constants(parts)}, *_changing(function, parts, is_kernel))
    out = []
    for part in [function, *parts]:
        bodies = [getattr(part, name, []) for name in ("body", "orelse")]
        bodies = [body if isinstance(body, list) else [body] for body in bodies]
        if isinstance(part, (ast.If, ast.IfExp, ast.While)):
            out += sum(bodies[_DEAD[known.decide(part.test)]], [])
        elif isinstance(part, ast.FunctionDef) and part is not function:
            out += [part] * (part.name not in called)
        elif isinstance(part, ast.Assign) and isinstance(part.value, ast.Lambda):
            out += [part] * (getattr(part.targets[0], "id", "") not in called)
        for body in bodies:
            ends = [number for number, inner in enumerate(body) if _is_end(inner, known)]
            out += body[ends[0] + 1 :] if ends else []
    return out


def _is_end(part, known):
    """Whether Numba may know that nothing goes on behind a statement."""
    if not isinstance(part, ast.If):
        return isinstance(part, _ENDS)
    decided = known.decide(part.test)
    ends = [any(_is_end(inner, known) for inner in body) for body in (part.body, part.orelse)]
    return {True: ends[0], False: ends[1], UNSURE: any(ends), None: all(ends)}[decided]


def _changing(function, parts, is_kernel):
    """(the names of which Numba does not know the values, those that it may know to be None)

    The latter are arguments of a function. It may know the values of all of them, if it is told to
    write the function into its caller: no name is among either then.
    """
    constant = {
        target
        for part in parts
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant)
        for target in part.targets
    }
    names = [part for part in parts if isinstance(part, ast.Name)]
    stored = {name.id for name in names if isinstance(name.ctx, ast.Store) and name not in constant}
    arguments = set(_arguments(function))
    if is_kernel:
        return stored | arguments, set()
    return stored, arguments - stored if _is_for_itself(function) else set()


def _is_for_itself(function):
    """Whether Numba compiles a function for itself, and does not write it into its caller."""
    decorators = " ".join(map(ast.unparse, function.decorator_list))
    return "jit" in decorators and not re.search(r"\binline='always'", decorators)


def _constants(parts):
    """{name: value} of the names to which one constant is given, and nothing else"""
    stored = [
        part.id
        for part in parts
        if getattr(part, "ctx", None).__class__ is ast.Store and isinstance(part, ast.Name)
    ]
    return {
        target.id: part.value.value
        for part in parts
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant)
        for target in part.targets
        if isinstance(target, ast.Name) and stored.count(target.id) == 1
    }


class _Known(NamedTuple):
    """What Numba knows of names as it compiles.

    values     {name: value}
    changing   names of which it does not know the values
    optional   names of which it knows only whether they are None
    """

    values: dict
    changing: set
    optional: set

    def decide(self, test):
        """What a condition is: True, False, UNSURE, or None if that is found as the kernel runs."""
        if isinstance(test, ast.BoolOp):
            parts = [self.decide(part) for part in test.values]
            alone = isinstance(test.op, ast.Or)  # the value of a part that decides alone
            if alone in parts:
                return alone
            return UNSURE if UNSURE in parts else None if None in parts else not alone
        names = _names(test)
        if any(map(_is_found, ast.walk(test))) or self.changing & names:
            return None
        if self.optional & names:
            return UNSURE if _is_about_none(test) else None
        try:
            return bool(self._value(test))
        except (KeyError, TypeError):
            return UNSURE

    def _value(self, part):
        """The value of a part, a KeyError where Numba may not know it."""
        if isinstance(part, ast.Constant):
            return part.value
        if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.Not):
            return not self._value(part.operand)
        if isinstance(part, ast.Compare) and len(part.ops) == 1:
            compare = _COMPARISONS[type(part.ops[0])]
            return compare(self._value(part.left), self._value(part.comparators[0]))
        return self.values[getattr(part, "id", None)]


def _is_about_none(test):
    """Whether a condition asks for a name alone, or compares one with None."""
    while isinstance(test, ast.UnaryOp):
        test = test.operand
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else []
    return isinstance(test, ast.Name) or any(
        isinstance(side, ast.Constant) and side.value is None for side in sides
    )


def _is_found(part):
    """Whether a part of a condition is found as the kernel runs."""
    is_attribute = isinstance(part, ast.Attribute) and part.attr != "ndim"  # Numba knows that one
    return is_attribute or isinstance(part, (ast.Call, ast.Subscript, ast.NamedExpr))


def _names(part):
    """The names in a condition, but for an array that is only asked for its ndim."""
    if isinstance(part, ast.Attribute):
        return set()
    inner = [_names(each) for each in ast.iter_child_nodes(part)]
    return {part.id} if isinstance(part, ast.Name) else set().union(*inner)
