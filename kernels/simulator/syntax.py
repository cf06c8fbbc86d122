"""What Python can say and Numba does not compile for a GPU, found in the source of a kernel.

It is found before the kernel runs, so also in lines to which none of its threads comes.
"""

import ast
import functools
from types import FunctionType

from numba.core.typing import templates

from .faults import Access, KernelError

_REGISTRIES = [templates.builtin_registry]  # of functions that Numba knows
try:  # The package numba-cuda has one of its own.
    from numba.cuda.typing import templates as of_cuda

    _REGISTRIES.append(of_cuda.builtin_registry)
except ImportError:
    pass

_NO_MEMORY = (
    "That would take new memory while the kernel runs, and Numba gives a thread none. Take an "
    "array, an argument or a cuda.local.array, or a tuple of a few numbers, as in (0, 1, 2)."
)
_NO_TEXT = (
    "A thread does not put a text together. print() takes texts and numbers one after the other, "
    'and nothing else, as in print("x is", x[i]).'
)
_NO_ERRORS = (
    "Nothing is caught on a GPU: a thread that goes wrong ends the whole program, or goes on with "
    "a wrong number. Ask before, as in `if i < x.shape[0]:`."
)
_OUTSIDE = "Do it once, outside of the kernel, which finds there whatever has a name."
_ONE_BY_ONE = "Compare one number at a time, by `if` or by a case that is a number."
_LACKING = {  # {kind of part: (what it is called, why it is not there)}
    ast.Dict: ("a dict", _NO_MEMORY),
    ast.DictComp: ("a dict", _NO_MEMORY),
    ast.Set: ("a set", _NO_MEMORY),
    ast.SetComp: ("a set", _NO_MEMORY),
    ast.ListComp: ("a list", _NO_MEMORY),
    ast.GeneratorExp: ("a generator", "Write it as a loop, `for i in range(...):`."),
    ast.Yield: ("a `yield`", "A kernel writes to an array whatever it finds."),
    ast.YieldFrom: ("a `yield`", "A kernel writes to an array whatever it finds."),
    ast.Try: ("a `try`", _NO_ERRORS),
    ast.TryStar: ("a `try`", _NO_ERRORS),
    ast.With: ("a `with`", "A thread has nothing that it could open or close."),
    ast.Import: ("an `import`", _OUTSIDE),
    ast.ImportFrom: ("an `import`", _OUTSIDE),
    ast.ClassDef: ("a `class`", _OUTSIDE),
    ast.Delete: ("a `del`", "Leave it out: what a thread has for itself is gone when it ends."),
    ast.MatchSequence: ("a case that is a sequence", _ONE_BY_ONE),
    ast.MatchMapping: ("a case that is a dict", _ONE_BY_ONE),
    ast.MatchClass: ("a case that is a class", _ONE_BY_ONE),
}
_LACKING_NAMES = {  # of Python's own functions and classes
    *("all", "any", "ascii", "bin", "bytearray", "callable", "compile", "delattr", "dict", "dir"),
    *("eval", "exec", "filter", "format", "frozenset", "globals", "hex", "id", "input", "list"),
    *("locals", "map", "memoryview", "object", "oct", "open", "property", "reversed", "set"),
    *("setattr", "sorted", "super", "vars"),
}
_PRANGE = (
    "a loop over prange()",
    "That shares a loop among the cores of a CPU. On a GPU the threads are there already: let each "
    "take its part, as in `for i in range(cuda.grid(1), n, cuda.gridsize(1)):`.",
)
_GLOBAL = (
    "a global name that it changes",
    "Numba keeps what such a name stands for as it compiles. Let the kernel write to an array, of "
    "one element if need be.",
)
_STAR = "a name with a *", "Give each number a name of its own, as in a, b, c = numbers."
_RETURNS = (
    "A kernel returns nothing, for it has many threads: let each write what it has found to an "
    "element of its own, as in out[i] = value. Only a function that a kernel calls returns a "
    "value, one with @cuda.jit(device=True) above it."
)


@functools.cache  # of a source in which nothing is found
def check(source):
    """A KernelError if there is something that Numba does not compile."""
    for part, around in source.parts:
        lacking = _lacking(source, part, around)
        if lacking:
            what, why = lacking
            happened = f"{source.code.co_name} has {what}, which Numba does not compile:"
            raise told(source.site(part), happened, why)
    for part in _returns(source):
        if not isinstance(part.value, (ast.Name, ast.Call, ast.IfExp)):  # which may be None
            raise returned(source, [part])


def returned(source, parts=None):
    """The fault that a kernel returns a value, in one of these parts."""
    parts = _returns(source) if parts is None else parts
    return KernelError(
        "does not compile",
        f"{source.code.co_name} is a kernel, and returns a value:",
        _RETURNS,
        accesses=[Access("", None, None, source.site(part)) for part in parts],
    )


def lacking_value(name, value, callers):
    """What is wrong and why, if a kernel cannot use what a name stands for; else None.

    callers   the functions through which the kernel has come to the name
    """
    if isinstance(value, (list, dict, set)):
        return (
            f"{name} is a {type(value).__name__} of the program, which a kernel cannot read:",
            "Numba keeps numbers, tuples and arrays that it finds outside of a kernel. Make it one "
            f"of these there, as in {name} = np.array([1, 2, 3], np.float32).",
        )
    if isinstance(value, FunctionType) and not _is_known(value):
        return (
            f"{name} is a function for the host, and a kernel calls it:",
            "Numba compiles for a GPU only what it is told to: write @cuda.jit(device=True) above "
            f"`def {value.__name__}`.",
        )
    has_types = not getattr(value, "_can_compile", True)  # it was compiled as it was decorated
    if getattr(value, "py_func", None) in callers and not has_types:
        return (
            f"{name} calls itself, or what calls it:",
            "Numba does not compile that for a GPU, unless it is told the types, as in "
            '@cuda.jit("int64(int64)", device=True). Write it as a loop.',
        )
    return None


def _is_known(function):
    """Whether Numba compiles a function as it is, since numba.extending has told it so."""
    return (function.__module__ or "").startswith("numba") or any(
        function is known for registry in _REGISTRIES for known, _ in registry.globals
    )


def lacking_name(name):
    """What is wrong and why, if Python has a name and Numba lacks it; else None."""
    if name not in _LACKING_NAMES:
        return None
    return (
        f"{name}() is one of Python's own functions, and Numba does not compile it for a GPU:",
        "A thread has numbers, tuples and arrays, the operators, `math`, and abs, min, max, round, "
        "range, len and the like. Write it as a loop over indices.",
    )


def told(site, happened, why):
    """The fault that Numba does not compile what is at a site."""
    accesses = [Access("", None, None, site)]
    return KernelError("does not compile", happened, why, accesses=accesses)


def _returns(source):
    """Where a kernel, not a function in it, returns what is not None as it stands there."""
    inner = [part for part, _ in source.parts if isinstance(part, (ast.FunctionDef, ast.Lambda))]
    others = {part for function in inner for part in ast.walk(function)}
    return [
        part
        for part, _ in source.parts
        if source.is_kernel and isinstance(part, ast.Return) and part not in others
        if not (part.value is None or getattr(part.value, "value", part) is None)
    ]


def _lacking(source, part, around):
    """(what it is called, why it is not there) of a part that Numba does not compile, or None"""
    if type(part) in _LACKING:
        return _LACKING[type(part)]
    if isinstance(part, ast.Global) and not set(part.names).isdisjoint(source.stored):
        return _GLOBAL
    if isinstance(part, ast.Starred) and isinstance(part.ctx, ast.Store):
        return _STAR
    if isinstance(part, ast.List) and _is_kept(source, part, around):
        return "a list", _NO_MEMORY
    if isinstance(part, ast.For) and _is_prange(source, part.iter):
        return _PRANGE
    if _is_format(part, around):
        return "a text with numbers in it", _NO_TEXT
    if isinstance(part, ast.Call) and _name(part.func) == "print" and part.keywords:
        return f"print() with {part.keywords[0].arg}=", _NO_TEXT
    return None


def _is_kept(source, part, around):
    """Whether a list is needed as such.

    Numba makes a tuple of one that a loop runs over, or that is asked whether it has a number, and
    leaves out one that nobody uses.
    """
    if not isinstance(part.ctx, ast.Load):
        return False
    if isinstance(around, ast.For):
        return part is not around.iter
    if isinstance(around, ast.Compare):
        return not isinstance(around.ops[0], (ast.In, ast.NotIn))
    if isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
        name = around.targets[0].id
        return not part.elts or (source.stored.count(name) == 1 and _is_used(source, name))
    return not isinstance(around, ast.Expr)


def _is_prange(source, part):
    """Whether a loop runs over prange(n), or numba.prange(n)."""
    function = part.func if isinstance(part, ast.Call) else None
    return getattr(function, "attr", _name(function)) == "prange" and "prange" not in source.stored


def _is_used(source, name):
    return any(
        _name(part) == name
        and isinstance(part.ctx, ast.Load)
        and not isinstance(around, ast.Assign)
        for part, around in source.parts
    )


def _is_format(part, around):
    """Whether numbers are put into a text."""
    if isinstance(part, ast.JoinedStr):
        holes = [hole for hole in part.values if isinstance(hole, ast.FormattedValue)]
        is_given = isinstance(around, ast.Call)
        return bool(holes) and (is_given or len(part.values) > 1 or bool(holes[0].format_spec))
    if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mod):
        return _is_text(part.left)
    return isinstance(part, ast.Attribute) and part.attr == "format" and _is_text(part.value)


def _is_text(part):
    return isinstance(part, ast.Constant) and isinstance(part.value, str)


def _name(part):
    return part.id if isinstance(part, ast.Name) else None
