"""Integers as Numba computes with them: in 64 bits, whatever the array has that they come from.

200 + 100 of a uint8 array is 300, where NumPy says 44; only what is kept in the array has 8 bits.
A result that has a sign is an int64, and is one if either number has a sign; else it is a uint64.
Beyond 64 bits it begins anew at the other end. Conditions are numbers, too: True + True is 2.

What a kernel counts by range() or finds in threadIdx is a plain int of Python's, which has no end:
it computes as fast as it can, and with so few digits the result is the same.
"""

import dis
import functools
import operator
from types import CodeType

import numpy as np

from .faults import shifted

BITS = 64
_LIMIT = 1 << BITS - 1
_MASK = (1 << BITS) - 1
_ARITHMETIC = "add", "sub", "mul", "floordiv", "mod", "pow", "and_", "or_", "xor"
_SHIFTS = "lshift", "rshift"
_COMPARISONS = "eq", "ne", "lt", "le", "gt", "ge"
_make = int.__new__


class FromEnd(int):
    """A negative number that stands in the source: as an index, it is meant to count from the end.

    What is computed with it is a plain int, which is not meant so.
    """

    __slots__ = ()


class Whole(int):
    """An integer of an array, or what int32(...) and the like make.

    dtype, itemsize   as of NumPy: what a floating number makes of it depends on them
    """

    __slots__ = ()
    __array_priority__ = 1.0  # so that NumPy, where it stands on the left, leaves it to this class
    __hash__ = int.__hash__

    @property
    def of_numpy(self):
        """The same number, for an operation with a floating one."""
        return self.dtype.type(int(self))

    def __truediv__(self, other):
        return _divided(self, other)

    def __rtruediv__(self, other):
        return _divided(other, self)

    def __divmod__(self, other):
        return self // other, self % other

    def __rdivmod__(self, other):
        return other // self, other % self


class Signed(Whole):
    """One that has a sign."""

    __slots__ = ()

    def __neg__(self):  # Numba keeps the bits here: of -128, an int8, it makes -128
        number, end = -int(self), 1 << 8 * self.itemsize - 1
        return _make(Int64, number if number < end else -end)

    def __pos__(self):
        return wrapped(int(self))

    def __invert__(self):
        return _make(Int64, ~int(self))

    def __abs__(self):
        return type(self)(-self if self < 0 else self)


class Unsigned(Whole):
    """One that has none."""

    __slots__ = ()

    def __neg__(self):  # Numba keeps the bits here: of 3, a uint8, it makes 253
        return _make(UInt64, -int(self) & (1 << 8 * self.itemsize) - 1)

    def __pos__(self):
        return _make(UInt64, self)

    def __invert__(self):
        return _make(UInt64, ~int(self) & (1 << 8 * self.itemsize) - 1)

    def __abs__(self):
        return self


def _named(name, kind, dtype):
    dtype = np.dtype(dtype)
    return type(name, (kind,), {"__slots__": (), "dtype": dtype, "itemsize": dtype.itemsize})


Int8, Int16 = _named("Int8", Signed, "int8"), _named("Int16", Signed, "int16")
Int32, Int64 = _named("Int32", Signed, "int32"), _named("Int64", Signed, "int64")
UInt8, UInt16 = _named("UInt8", Unsigned, "uint8"), _named("UInt16", Unsigned, "uint16")
UInt32, UInt64 = _named("UInt32", Unsigned, "uint32"), _named("UInt64", Unsigned, "uint64")
_KINDS = {kind.dtype: kind for kind in (Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64)}


UInt16.of_numpy = property(lambda self: np.int32(int(self)))  # beside a float32: float64 in Numba


class Condition(_named("Bool", Signed, "bool")):
    """True or False: a number, of which `~`, `&`, `|` and `^` make conditions again."""

    __slots__ = ()

    def __invert__(self):
        return FALSE if self else TRUE

    def __neg__(self):
        return wrapped(-int(self))

    def __abs__(self):
        return wrapped(int(self))

    def __repr__(self):
        return str(bool(self))

    __str__ = __repr__


TRUE, FALSE = _make(Condition, 1), _make(Condition, 0)


def kind_of(dtype):
    """What makes a number of the elements of an array of this type; None where it can be NumPy's"""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return condition
    return _KINDS.get(dtype.newbyteorder("=")) if dtype.kind in "iu" else None


def condition(number):
    """TRUE or FALSE"""
    return TRUE if number else FALSE


def is_instance(value, kinds):
    """What stands for `isinstance`, which Numba knows, too: an int is any whole number."""
    if isinstance(kinds, tuple):
        return any(is_instance(value, kind) for kind in kinds)
    kind = getattr(kinds, "make", kinds)
    if kind is int:
        return _is_integer(value) and not isinstance(value, (bool, np.bool_, Condition))
    if kind is bool:
        return isinstance(value, (bool, np.bool_, Condition))
    return isinstance(value, kind)


def whole(number):
    """A number with the bits that Numba gives it; a floating one as it is.

    A plain int has too few digits to matter, or is an int64, or a uint64 if it is as large.
    """
    if isinstance(number, (bool, np.bool_)):
        return condition(number)
    if isinstance(number, np.integer):
        return _KINDS[np.dtype(type(number))](number)
    if type(number) is int and not -(2**31) <= number < 2**31:
        return wrapped(number) if number < _LIMIT else _make(UInt64, number & _MASK)
    return number


def wrapped(number):
    """An int64 with the last 64 bits of a number"""
    if not -_LIMIT <= number < _LIMIT:
        number = (number + _LIMIT & _MASK) - _LIMIT
    return _make(Int64, number)


@functools.cache  # so that a kernel is the same code each time
def with_whole_literals(code):
    """The code of a function, in which large numbers have 64 bits, and what is to be shifted.

    A product with a large number, or 1 << n, is what may go beyond 64 bits.
    """
    steps = list(dis.get_instructions(code))
    starts = {
        (step.positions.lineno, step.positions.col_offset)
        for step in steps
        if step.opname == "BINARY_OP" and step.argrepr.rstrip("=") in ("<<", "**")
    }
    bases = {
        step.argval
        for step in steps
        if step.opname == "LOAD_CONST" and type(step.argval) is int
        if (step.positions.lineno, step.positions.col_offset) in starts
    }
    return code.replace(co_consts=tuple(_literal(value, bases) for value in code.co_consts))


def _literal(value, bases):
    if isinstance(value, CodeType):
        return with_whole_literals(value)
    if type(value) is tuple:
        return tuple(_literal(each, bases) for each in value)
    if type(value) is int and value in bases:
        return wrapped(value)
    value = whole(value) if type(value) is int else value
    return FromEnd(value) if type(value) is int and value < 0 else value


# ---- Operators -----------------------------------------------------------------------------------


def _operator(compute, a, b):
    """a and b, by an operator that makes an integer of two"""
    if isinstance(a, Unsigned) and isinstance(b, Unsigned):
        return _make(UInt64, compute(int(a), int(b)) & _MASK)
    return wrapped(compute(_signed(a), _signed(b)))


def _signed(number):
    """As an int64: with the same bits, of which the last one is the sign"""
    number = int(number)
    return number if number < _LIMIT else number - (1 << BITS)


def _power(a, b):
    if b >= 0:
        return pow(a, b, 1 << BITS)
    return a ** (b & 1) if a in (1, -1) else 0  # what is left of 1 / a²


# Integers by 0 are 0 in Numba, on a GPU.
_OWN = {
    "pow": _power,
    "floordiv": lambda a, b: a // b if b else 0,
    "mod": lambda a, b: a % b if b else 0,
}


def _shift(compute, a, b):
    """a << b or a >> b, which is of a's type"""
    count = _signed(b)
    if not 0 <= count < BITS:
        raise shifted(count)
    if isinstance(a, Unsigned):
        return _make(UInt64, compute(int(a), count) & _MASK)
    return wrapped(compute(_signed(a), count))


def _divided(a, b):
    """a / b, a floating number, infinite or NaN where b is 0"""
    if _is_integer(a) and _is_integer(b):
        with np.errstate(all="ignore"):
            return np.float64(int(a)) / np.float64(int(b))
    return _of_floating(operator.truediv, a, b)


def _is_integer(number):
    return isinstance(number, (int, np.integer, np.bool_))


def _of_floating(compute, a, b):
    """As NumPy does it, which gives float32 beside an int16, and float64 beside an int32."""
    if not all(isinstance(number, (int, float, np.generic)) for number in (a, b)):
        return NotImplemented
    a, b = (number.of_numpy if isinstance(number, Whole) else number for number in (a, b))
    return compute(a, b)


def _add_operators():
    """Give the class Whole its operators, each for both sides."""
    for name in (*_ARITHMETIC, *_SHIFTS):
        compute = _OWN.get(name) or getattr(operator, name)
        forward, backward = _methods(compute, getattr(operator, name), name in _SHIFTS)
        setattr(Whole, f"__{name.strip('_')}__", forward)
        setattr(Whole, f"__r{name.strip('_')}__", backward)
    for name in _COMPARISONS:
        setattr(Whole, f"__{name}__", _comparison(name))
    for name in ("and_", "or_", "xor"):
        forward = _of_conditions(getattr(operator, name), getattr(Whole, f"__{name.strip('_')}__"))
        setattr(Condition, f"__{name.strip('_')}__", forward)
        setattr(Condition, f"__r{name.strip('_')}__", forward)


def _methods(compute, plain, is_shift):
    """A method for a number on the left, and one for a number on the right."""
    with_bits = _shift if is_shift else _operator

    def forward(self, other):
        if not _is_integer(other):
            return _of_floating(plain, self, other)
        return with_bits(compute, self, whole(other))

    def backward(self, other):
        if not _is_integer(other):
            return _of_floating(plain, other, self)
        return with_bits(compute, whole(other), self)

    return forward, backward


def _comparison(name):
    compare, plain = getattr(int, f"__{name}__"), getattr(operator, name)

    def method(self, other):
        result = compare(self, other)
        if result is NotImplemented:
            return _of_floating(plain, self, other)
        return TRUE if result else FALSE

    return method


def _of_conditions(compute, otherwise):
    def method(self, other):
        if isinstance(other, (Condition, bool, np.bool_)):
            return condition(compute(bool(self), bool(other)))
        return otherwise(self, other)

    return method


_add_operators()
