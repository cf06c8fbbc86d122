"""What instructions do with registers: functions of arrays, by the words of an instruction's name.

Results are rounded as their names say: rn to the nearest (that is not said where it is usual), rm
down, rz towards 0. A product and sum of float32 is exact in float64 but for the last bits of very
different numbers.
"""

import operator

import numpy as np

TYPES = {
    f"{kind}{8 * size}": np.dtype(f"{kind.replace('s', 'i').replace('b', 'u')}{size}")
    for kind in "sub"
    for size in (1, 2, 4, 8)
}
TYPES |= {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64), "pred": np.dtype(np.bool_)}


def meaning(words):
    """(function, types of its operands, type of its result) by the words of its name"""
    base, kind = words[0], TYPES.get(words[-1])
    if base == "cvt":
        return _convert(words)
    if base == "setp":
        return _compare(words[1]), (kind, kind), TYPES["pred"]
    if base == "selp":
        return lambda a, b, p: np.where(p, a, b), (kind, kind, TYPES["pred"]), kind
    if base in ("shl", "shr"):
        return _SHIFTS[base], (kind, TYPES["u32"]), kind
    if base in ("mul", "mad") and "wide" in words:
        wide = np.dtype(f"{kind.kind}{2 * kind.itemsize}")
        return (lambda a, b, c=0: a.astype(wide) * b.astype(wide) + c), (kind, kind, wide), wide
    if base == "mul" and "hi" in words:
        return _high_bits, (kind, kind), kind
    if base in ("fma", "mad") and kind.kind == "f":
        return _rounded(_fma, words), (kind,) * 3, kind
    if base == "add" and {"rm", "rz", "rp"} & set(words):
        return _rounded(lambda a, b: a.astype(np.float64) + b, words), (kind, kind), kind
    if base in _PLAIN and kind is not None:
        return _PLAIN[base], (kind,) * 3, kind
    raise NotImplementedError(".".join(words))


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


_SHIFTS = {"shl": _left, "shr": _right}


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
    """a b + c, rounded once"""
    wide = np.float64 if a.dtype == np.float32 else np.longdouble
    return a.astype(wide) * b + c


def _rounded(function, words):
    """The function, whose result is rounded as one of the words says."""

    def rounded(*operands):
        exact, kind = function(*operands), operands[0].dtype
        near = exact.astype(kind)
        if "rm" in words:
            return np.where(near > exact, np.nextafter(near, kind.type(-np.inf)), near)
        if "rp" in words:
            return np.where(near < exact, np.nextafter(near, kind.type(np.inf)), near)
        if "rz" in words:
            return np.where(abs(near) > abs(exact), np.nextafter(near, kind.type(0)), near)
        return near

    return rounded


_TO_INTEGERS = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


def _convert(words):
    """cvt.rounding.to.from: floats that an integer cannot hold become the nearest that it can."""
    to, start = TYPES[words[-2]], TYPES[words[-1]]
    rounding = next((_TO_INTEGERS[word] for word in words if word in _TO_INTEGERS), None)

    def convert(x):
        if rounding:
            x = rounding(x)
        if "sat" in words:
            x = np.where(np.isnan(x), start.type(0), np.clip(x, 0, 1))
        if start.kind == "f" and to.kind != "f":
            return _nearest(x, to)
        return x.astype(to)

    return convert, (start,), to


def _nearest(x, to):
    """The integer of a type that is nearest to an integral float; 0 where x is no number."""
    least, most = np.iinfo(to).min, np.iinfo(to).max
    is_less, is_more, is_none = x <= least, x >= most, np.isnan(x)
    inside = np.where(is_less | is_more | is_none, 0, x).astype(to)
    return np.select([is_less, is_more], [to.type(least), to.type(most)], inside)


_PLAIN = {
    **{"mov": lambda a: a, "add": np.add, "sub": np.subtract, "mul": np.multiply},
    **{"mad": lambda a, b, c: a * b + c, "neg": np.negative, "abs": np.abs},
    **{"min": np.fmin, "max": np.fmax, "div": _quotient, "rem": _remainder},
    **{"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert},
    **{"rcp": lambda a: 1 / a, "sqrt": np.sqrt, "rsqrt": lambda a: 1 / np.sqrt(a)},
    **{"ex2": np.exp2, "lg2": np.log2, "sin": np.sin, "cos": np.cos, "tanh": np.tanh},
    "copysign": lambda sign, a: np.copysign(a, sign),
}
