"""Where Numba computes in float64 though a kernel has float32: the result is right, the GPU slow.

    for remark in simulator.float64_in(kernel, x, out, n):
        print(remark)

A run in the simulator does not show it, for NumPy keeps float32 beside an integer or a plain 0.5.
So Numba is asked for the types of all that a kernel computes. It takes from a tenth of a second to
ten, for which nobody should wait at each launch, and no GPU. (Without the package numba-cuda, the
CUDA that Numba itself brings is asked. Of late it does not know max and min, and then says so.)
"""

import linecache
import operator
from types import CellType, CodeType, FunctionType
from typing import NamedTuple

import numba
import numpy as np
from numba import cuda, types
from numba.core.utils import OPERATORS_TO_BUILTINS
from numba.cuda.compiler import compile_cuda

from ..any_gpu import KIND, any_gpu
from .faults import KernelError


class Remark(NamedTuple):
    """An operation that Numba does in float64, and what to write instead."""

    file: str
    line: int
    function: str
    operation: str
    instead: str

    @property
    def text(self):
        """The line of the source."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self):
        return (
            f"line {self.line}, in {self.function}: {self.text}\n"
            f"  {self.operation} is computed in float64. {self.instead}"
        )


def float64_in(kernel, *arguments):
    """Where a kernel with these arguments computes in float64 what could stay in float32.

    Returns a Remark for each operation that has a float32 and takes it for a float64, or makes one
    of integers. What is float64 all along, or by name as in float64(x), is meant so. Not told is
    what Numba's own functions do inside, as round, and the sine and the cosine of large angles.
    Raises KernelError if Numba does not find out all types, in its words.
    """
    return float64_of_types(kernel, tuple(map(numba.typeof, arguments)))


def float64_of_types(kernel, given):
    """The same for arguments of which Numba's types are given."""
    function, copies = getattr(kernel, "py_func", kernel), {}
    try:
        copy = _with_all_inside(function, copies)
        with any_gpu():
            # Types are the same for all kinds.
            found = compile_cuda(copy, types.void, given, cc=KIND).type_annotation
    except Exception as error:  # Numba raises errors of many kinds
        raise KernelError(
            "does not compile",
            f"Numba does not compile {function.__name__} for these arguments:",
            "\n".join(line for line in str(error).splitlines() if line.strip()),
        ) from error
    steps = [step for block in found.blocks.values() for step in block.body]
    values = {step.target.name: step.value for step in steps if _is_assignment(step)}
    remarks = set()
    for step in filter(_is_assignment, steps):
        operands = _operands(step.value)
        of_types = [types.unliteral(found.typemap[operand.name]) for operand in operands]
        if not operands or not _is_widened(step.value, of_types, found):
            continue
        numbers = [_number(values.get(operand.name)) for operand in operands]
        if not _is_taken_back(step, of_types, numbers, steps, found.typemap):
            place = step.loc.filename, step.loc.line
            words = _in_words(step.value, of_types, numbers)
            remarks.add(Remark(*place, _name_of(place, copies), *words))
    return sorted(remarks)


# ---- The kernel as Numba sees it -----------------------------------------------------------------


def _with_all_inside(function, copies):
    """The same function, into which Numba compiles all that it calls: it asks no GPU for that.

    copies   {function: the same so}, which it fills
    """
    if function in copies:
        return copies[function]
    names = dict(function.__globals__)
    cells = [CellType() for _ in function.__closure__ or ()]
    copy = copies[function] = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, tuple(cells)
    )
    for name in {name for code in _codes(function.__code__) for name in code.co_names}:
        if name in names:
            names[name] = _inside(names[name], copies)
    for cell, own in zip(cells, function.__closure__ or ()):
        cell.cell_contents = _inside(own.cell_contents, copies)
    return copy


def _inside(value, copies):
    """What a name stands for; where that is a function, Numba is to compile it into its caller."""
    if not isinstance(getattr(value, "py_func", None), FunctionType):
        return value
    function = cuda.jit(device=True)(_with_all_inside(value.py_func, copies))
    function.targetoptions["inline"] = "always"  # as an argument of jit some versions forget it
    return function


def _codes(code):
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return [code, *(deeper for part in inner for deeper in _codes(part))]


def _name_of(place, copies):
    """The name of the function that has a line of a file."""
    file, line = place
    codes = [code for function in copies for code in _codes(function.__code__)]
    lines = {
        code.co_name: {number for _, _, number in code.co_lines()}
        for code in codes
        if code.co_filename == file
    }
    return next((name for name, numbers in lines.items() if line in numbers), "a function")


# ---- Its operations ------------------------------------------------------------------------------

_NARROWED = {operator.add, operator.sub, operator.mul, operator.truediv}
_COMPARED = {operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne}


def _is_assignment(step):
    return type(step).__name__ == "Assign"  # Numba has two such classes, one for each of its CUDAs


def _operands(value):
    """What an operation takes, nothing if it is none: Numba's names for it."""
    kind = getattr(value, "op", None)
    if kind in ("binop", "inplace_binop"):
        return [value.lhs, value.rhs]
    return list(value.args) if kind == "call" else []


def _number(value):
    """A number that stands in the source, or else None."""
    number = value.value if type(value).__name__ in ("Const", "Global", "FreeVar") else None
    return number if type(number) in (int, float) else None


def _is_widened(value, of_types, found):
    """Whether an operation takes a float32 for a float64, or makes one of integers."""
    if value.op == "call":
        function = found.typemap[value.func.name]
        if isinstance(function, types.NumberClass) or getattr(function, "typing_key", 0) is float:
            return False  # as float64(x), which says so
    signature = found.calltypes[value]
    has_float64 = types.float64 in (signature.return_type, *signature.args)
    has_integers = all(isinstance(of_type, types.Integer) for of_type in of_types)
    return has_float64 and (types.float32 in of_types or has_integers)


def _is_taken_back(step, of_types, numbers, steps, typemap):
    """Whether the compiler goes back to float32, since nobody could tell the results apart.

    It does so for one operation with a number of the source that float32 has as well, as 0.5 and
    unlike 0.3, if the result is a condition or becomes a float32 at once.
    """
    value, known = step.value, [number for number in numbers if number is not None]
    is_exact = any(float(np.float32(number)) == number for number in known)
    if value.op == "call" or types.float32 not in of_types or not is_exact:
        return False
    function = value.immutable_fn if value.op == "inplace_binop" else value.fn
    uses = [each for each in steps if each is not step and _uses(each, step.target.name)]
    return function in _COMPARED or (
        function in _NARROWED and all(_keeps_float32(use, typemap) for use in uses)
    )


def _uses(step, name):
    return any(variable.name == name for variable in step.list_vars())


def _keeps_float32(step, typemap):
    """Whether a step is to write to an array of float32, or to call float32()."""
    if type(step).__name__ in ("SetItem", "StaticSetItem"):
        return getattr(typemap[step.target.name], "dtype", None) == types.float32
    value = getattr(step, "value", None)
    is_call = getattr(value, "op", None) == "call"
    return is_call and getattr(typemap[value.func.name], "dtype", None) == types.float32


def _in_words(value, of_types, numbers):
    """An operation, as in "float32 * 0.5", and what to write instead."""
    names = [
        str(of_type) if number is None else repr(number)
        for of_type, number in zip(of_types, numbers)
    ]
    if value.op == "call":
        operation = f"A function of {', '.join(names)}"
    else:
        operation = f" {OPERATORS_TO_BUILTINS[value.fn]} ".join(names)
    others = [name for name, of_type in zip(names, of_types) if of_type != types.float32]
    if types.float32 not in of_types:
        instead = "Write // for an integer; or make each a float32 before, as in float32(n)."
    elif any(number is not None for number in numbers):
        instead = f"Write float32({others[0]})."
    elif types.float64 in of_types:
        instead = "Look where the float64 begins: a sum at float32(0), not at 0 or 0.0."
    else:
        instead = "Make a float32 of the integer before, as in float32(n)."
    return operation, instead
