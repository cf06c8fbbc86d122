"""What instructions do with registers: functions of arrays, by the words of an instruction's name.

Results are rounded as their names say: rn to the nearest (that is not said where it is usual), rm
down, rp up, rz towards 0. A name with a word that is not known is refused. A product and sum of
float32 is exact in float64 but for the last bits of very different numbers; one of float64 is
taken in NumPy's long double, which has but some digits more.

What a card has only nearly, `approx`, is here as near as NumPy has it, and `ftz`, which makes 0 of
numbers below 2^-126, makes none: that a kernel has too few digits on a card, this does not show.
"""

import operator

import numpy as np

TYPES = {
    f"{kind}{8 * size}": np.dtype(f"{kind.replace('s', 'i').replace('b', 'u')}{size}")
    for kind in "sub"
    for size in (1, 2, 4, 8)
}
TYPES |= {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64), "pred": np.dtype(np.bool_)}
_USUAL = {"lo", "rn", "approx", "full", "ftz"}  # words that change nothing here


def meaning(words):
    """(function, types of its operands, type of its result) by the words of its name"""
    base, how, kind = words[0], set(words[1:-1]) - _USUAL, TYPES.get(words[-1])
    if kind is None:
        raise NotImplementedError(".".join(words))
    if base == "cvt":
        return _convert(words)
    if base == "setp" and len(words) == 3:
        return _compare(words[1]), (kind, kind), TYPES["pred"]
    if base in ("mul", "mad") and how == {"wide"}:
        wide = np.dtype(f"{kind.kind}{2 * kind.itemsize}")
        return (lambda a, b, c=0: a.astype(wide) * b.astype(wide) + c), (kind, kind, wide), wide
    if base == "mul" and how == {"hi"}:
        return _high_bits, (kind, kind), kind
    if base in _IN_FLOAT64 and kind == TYPES["f32"] and len(how) == 1 and how <= set(_TOWARDS):
        return _rounded(_IN_FLOAT64[base], _TOWARDS[how.pop()]), (kind,) * 3, kind
    if how or base not in _PLAIN or (base == "mad" and kind.kind == "f"):
        raise NotImplementedError(".".join(words))
    if base == "selp":
        return _PLAIN[base], (kind, kind, TYPES["pred"]), kind
    if base in ("shl", "shr"):
        return _PLAIN[base], (kind, TYPES["u32"]), kind
    if base == "bfi":
        return _PLAIN[base], (kind, kind, TYPES["u32"], TYPES["u32"]), kind
    return _PLAIN[base], (kind,) * 3, kind


def as_type(numbers, dtype):
    """Numbers in a register of another type: its last bits, or all with the sign before them"""
    if numbers.dtype == dtype:
        return numbers
    if numbers.dtype.itemsize == dtype.itemsize and dtype.kind != "b":
        return numbers.view(dtype)
    assert numbers.dtype.kind in "iu" and dtype.kind in "iu", (numbers.dtype, dtype)
    return numbers.astype(dtype)


# ---- Integers ------------------------------------------------------------------------------------


def _quotient(a, b):
    """a/b, of integers towards 0"""
    if a.dtype.kind == "f":
        return a / b
    floor = a // b
    return floor + ((a % b != 0) & ((a < 0) != (b < 0)))


def _remainder(a, b):
    """a - b (a/b): it has the sign of a"""
    return a - b * _quotient(a, b)


def _high_bits(a, b):
    """The upper half of a product, by Python's integers"""
    product = a.astype(object) * b.astype(object)
    return np.asarray(product >> 8 * a.dtype.itemsize).astype(a.dtype)


def _left(a, n):
    bits = 8 * a.dtype.itemsize
    return np.where(n < bits, a << np.minimum(n, bits - 1).astype(a.dtype), a.dtype.type(0))


def _right(a, n):
    """What comes from the left is 0, or the sign of a signed number."""
    bits = 8 * a.dtype.itemsize
    less = a >> np.minimum(n, bits - 1).astype(a.dtype)
    return less if a.dtype.kind == "i" else np.where(n < bits, less, a.dtype.type(0))


def _inserted(a, b, first, count):
    """b, but that `count` bits from `first` on are the last ones of a"""
    every, first = ~a.dtype.type(0), first & 255
    ones = _left(every, first) & ~_left(every, first + (count & 255))
    return b & ~ones | _left(a, first) & ones


# ---- Comparisons ---------------------------------------------------------------------------------

_ORDER = {
    **{"eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le},
    **{"gt": operator.gt, "ge": operator.ge, "lo": operator.lt, "ls": operator.le},
    **{"hi": operator.gt, "hs": operator.ge},
}


def _compare(word):
    """eq, …: False if one is no number; equ, …: True then; nan and num ask for that alone."""
    if word == "nan":
        return lambda a, b: np.isnan(a) | np.isnan(b)
    if word == "num":
        return lambda a, b: ~(np.isnan(a) | np.isnan(b))
    if len(word) == 3:
        order = _ORDER[word[:2]]
        return lambda a, b: order(a, b) | np.isnan(a) | np.isnan(b)
    if word == "ne":
        return lambda a, b: (a < b) | (a > b) if a.dtype.kind == "f" else a != b
    return _ORDER[word]


# ---- Floats --------------------------------------------------------------------------------------


def _fma(a, b, c):
    """a b + c, rounded once, to the nearest"""
    wide = np.float64 if a.dtype == np.float32 else np.longdouble
    return (a.astype(wide) * b + c).astype(a.dtype)


_TOWARDS = {"rm": -np.inf, "rp": np.inf, "rz": 0}
_IN_FLOAT64 = {
    "add": lambda a, b: a.astype(np.float64) + b,
    "sub": lambda a, b: a.astype(np.float64) - b,
    "mul": lambda a, b: a.astype(np.float64) * b,
    "fma": lambda a, b, c: a.astype(np.float64) * b + c,
}


def _smaller(a, b):
    """min(a, b), of which -0 is below 0; of a number and none the number"""
    if a.dtype.kind != "f":
        return np.minimum(a, b)
    return np.where(a == b, np.where(np.signbit(a), a, b), np.fmin(a, b))


def _larger(a, b):
    """max(a, b), likewise"""
    return -_smaller(-a, -b) if a.dtype.kind == "f" else np.maximum(a, b)


def _rounded(function, towards):
    """A function that gives float64, with its result rounded `towards` ∞, -∞ or 0."""

    def rounded(*operands):
        exact, kind = function(*operands), operands[0].dtype
        near = exact.astype(kind)
        is_beyond = abs(near) > abs(exact) if towards == 0 else (near > exact) == (towards < 0)
        is_beyond &= near != exact
        return np.where(is_beyond, np.nextafter(near, kind.type(towards)), near)

    return rounded


_TO_INTEGERS = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


def _convert(words):
    """cvt.rounding.to.from: floats that an integer cannot hold become the nearest that it can."""
    how, to, start = set(words[1:-2]) - _USUAL, TYPES.get(words[-2]), TYPES[words[-1]]
    rounding = [_TO_INTEGERS[word] for word in how & {*_TO_INTEGERS}]
    is_to_float = to is not None and to.kind == "f"
    if to is None or how - {*_TO_INTEGERS} - ({"sat"} if is_to_float else set()):
        raise NotImplementedError(".".join(words))

    def convert(x):
        for function in rounding:
            x = function(x)
        if "sat" in how:  # between 0 and 1
            x = np.where(np.isnan(x), start.type(0), np.clip(x, 0, 1))
        if start.kind == "f" and not is_to_float:
            return _nearest(x, to)
        return x.astype(to)

    return convert, (start,), to


def _nearest(x, to):
    """The integer of a type that is nearest to an integral float

    What is no number becomes 0 where all has at most 32 bits, or else the first bit alone.
    """
    least, most = np.iinfo(to).min, np.iinfo(to).max
    is_less, is_more, is_none = x <= least, x >= most, np.isnan(x)
    inside = np.where(is_less | is_more | is_none, 0, x).astype(to)
    none = 0 if max(x.dtype.itemsize, to.itemsize) <= 4 else 1 << 8 * to.itemsize - 1
    cases = to.type(least), to.type(most), np.uint64(none).astype(to)
    return np.select([is_less, is_more, is_none], cases, inside)


_PLAIN = {
    **{"mov": lambda a: a, "add": np.add, "sub": np.subtract, "mul": np.multiply},
    **{"mad": lambda a, b, c: a * b + c, "fma": _fma, "neg": np.negative, "abs": np.abs},
    **{"min": _smaller, "max": _larger, "div": _quotient, "rem": _remainder},
    **{"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert},
    **{"rcp": lambda a: 1 / a, "sqrt": np.sqrt, "rsqrt": lambda a: 1 / np.sqrt(a)},
    **{"ex2": np.exp2, "lg2": np.log2, "sin": np.sin, "cos": np.cos, "tanh": np.tanh},
    **{"copysign": lambda sign, a: np.copysign(a, sign), "shl": _left, "shr": _right},
    "bfi": _inserted,
    "selp": lambda a, b, p: np.where(p, a, b),
}
