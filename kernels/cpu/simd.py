"""Vectors: as many numbers as one instruction of this processor holds, as a type of Numba's.

A kernel that says `load`, `fma`, `store` leaves nothing to the mood of a compiler: these become one
instruction each, on AVX-512 of 16 float32, on AVX2 of 8, on NEON of 4, and of a single one on a
processor that none of these names fits.

    x = load(a, i)                as many numbers as fit, from a[i] on
    x = load_until(a, i, end, 0)  those before a[end], then zeros; nothing beyond is touched
    y = fma(x, x, 0.5) / (x + 1)  elementwise; a number stands for a vector of its copies
    store_until(a, i, end, y)     and store(a, i, y)

`a` is an array of any shape and `i` counts its elements from the first in memory, so that a kernel
may walk with strides of its own. Nothing checks a bound: that is the caller's duty.

From top to bottom: the processor; `Lanes`, which writes LLVM's instructions for the formulas below;
the types, and how a formula on Lanes becomes a function of kernels; memory; squares of it, turned;
functions of lanes; random numbers; the tile, the inner loop of every product of matrices.
"""

import math
import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, codegen, config, typing
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model

# ---- The processor -------------------------------------------------------------------------------

# (our name, the features that a processor must have, bits of a vector, tile: rows, vectors). The
# sums of a tile, rows x vectors, fit the registers beside a row of b and one number of a.
_KINDS = [
    ("avx512", {"avx512f", "avx512dq"}, 512, (6, 4)),
    ("avx2", {"avx2", "fma"}, 256, (4, 3)),
    ("neon", {"neon"}, 128, (4, 4)),
]
_SCALAR = ("scalar", set(), 0, (4, 2))


def _features():
    """What Numba compiles for: this processor, or what NUMBA_CPU_FEATURES says."""
    listed = config.CPU_FEATURES
    listed = codegen.get_host_cpu_features() if listed is None else listed
    return {name[1:] for name in listed.split(",") if name.startswith("+")}


KIND, _, BITS, TILE = next((k for k in _KINDS if k[1] <= _features()), _SCALAR)
HAS_FMA = KIND != "scalar"


def lanes_of(dtype):
    """How many numbers of a dtype a vector holds."""
    return max(1, BITS // (8 * np.dtype(dtype).itemsize))


# ---- Lanes: LLVM's instructions, with Python's operators -----------------------------------------

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_FLOAT = {"float32": ir.FloatType(), "float64": ir.DoubleType()}
_INTEGER = {"float32": _I32, "float64": _I64}  # of as many bits
_SUFFIX = {"float32": "f32", "float64": "f64"}
_FRACTION = {"float32": 23, "float64": 52}  # bits after the binary point
_BIAS = {"float32": 127, "float64": 1023}  # of the exponent


class Lanes:
    """One value while code is being written: a vector of `dtype` in an LLVM register.

    `x * y + 1` appends a multiplication and an addition to the program and returns the result.
    """

    def __init__(self, builder, value, dtype):
        self.builder = builder
        self.value = value
        self.dtype = dtype  # "float32" or "float64"

    def like(self, value):
        """A vector of the same dtype, of another value."""
        return Lanes(self.builder, value, self.dtype)

    def constant(self, number):
        """A vector of copies of a Python number."""
        number = float(np.dtype(self.dtype).type(number))
        return self.like(ir.Constant(_vector(self.dtype), [number] * lanes_of(self.dtype)))

    def _lanes(self, other):
        """Lanes as they are, and copies of a number."""
        return other if isinstance(other, Lanes) else self.constant(other)

    def __add__(self, other):
        return self.like(self.builder.fadd(self.value, self._lanes(other).value))

    def __sub__(self, other):
        return self.like(self.builder.fsub(self.value, self._lanes(other).value))

    def __rsub__(self, other):
        return self._lanes(other) - self

    def __mul__(self, other):
        return self.like(self.builder.fmul(self.value, self._lanes(other).value))

    def __truediv__(self, other):
        return self.like(self.builder.fdiv(self.value, self._lanes(other).value))

    def __rtruediv__(self, other):
        return self._lanes(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self.like(self.builder.fneg(self.value))

    def compare(self, relation, other):
        """A mask, True where x `relation` y: "<", "<=", "==", ... A NaN is in no relation."""
        return self.builder.fcmp_ordered(relation, self.value, self._lanes(other).value)

    def where(self, mask, other):
        """x where the mask is True, else `other`."""
        return self.like(self.builder.select(mask, self.value, self._lanes(other).value))

    def intrinsic(self, name, *others):
        """An instruction that LLVM has as a function: llvm.name(x, ...)."""
        values = [self.value, *(self._lanes(other).value for other in others)]
        name = f"llvm.{name}.v{lanes_of(self.dtype)}{_SUFFIX[self.dtype]}"
        return self.like(_call(self.builder, name, values, self.value.type))

    def fma(self, factor, term):
        """x factor + term, rounded once where the processor can."""
        return self.intrinsic("fma", factor, term) if HAS_FMA else self * factor + term

    def polynomial(self, coefficients):
        """c₀ + c₁ x + c₂ x² + ...   (Horner's scheme)"""
        *others, total = coefficients
        total = self.constant(total)
        for c in reversed(others):
            total = total.fma(self, c)
        return total

    def at_least(self, bound):
        """max(x, bound), NaN where x is."""
        return self._lanes(bound).where(self.compare("<", bound), self)

    def at_most(self, bound):
        """min(x, bound), NaN where x is."""
        return self._lanes(bound).where(self.compare(">", bound), self)

    def power_of_two(self):
        """2ˣ for integers x as large as an exponent: -127 (which gives 0) to 127, or -1023 to 1023.

        Numbers near 3/2 2²³ (float32) are 1 apart: added to x and the bias of exponents, it leaves
        their sum in the low bits, and shifted past the fraction these are the exponent of 2ˣ.
        """
        fraction = _FRACTION[self.dtype]
        integers = ir.VectorType(_INTEGER[self.dtype], lanes_of(self.dtype))
        low = self + (1.5 * 2**fraction + _BIAS[self.dtype])
        shift = ir.Constant(integers, [fraction] * lanes_of(self.dtype))
        shifted = self.builder.shl(self.builder.bitcast(low.value, integers), shift)
        return self.like(self.builder.bitcast(shifted, self.value.type))

    def fold(self, combine):
        """All lanes combined to one number, halves with halves: always in the same order."""
        x, n = self, lanes_of(self.dtype)
        while n > 1:
            n //= 2
            turned = [(i + n) % lanes_of(self.dtype) for i in range(lanes_of(self.dtype))]
            x = combine(x, self.like(_shuffle(self.builder, x.value, x.value, turned)))
        return self.builder.extract_element(x.value, ir.Constant(_I32, 0))


def _vector(dtype):
    return ir.VectorType(_FLOAT[dtype], lanes_of(dtype))


def _call(builder, name, values, returns):
    kind = ir.FunctionType(returns, [value.type for value in values])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)


def _shuffle(builder, x, y, places):
    """Lane i is number places[i] of x and y laid end to end."""
    mask = ir.Constant(ir.VectorType(_I32, len(places)), places)
    return builder.shuffle_vector(x, y, mask)


def _copies(builder, number, count):
    """A vector of `count` copies of a number or an integer."""
    nothing = ir.Constant(ir.VectorType(number.type, count), ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(_I32, 0))
    return _shuffle(builder, first, nothing, [0] * count)


def _broadcast(builder, number, dtype):
    """Lanes that are copies of one number."""
    return Lanes(builder, _copies(builder, number, lanes_of(dtype)), dtype)


def _first(builder, n, dtype):
    """A mask of the first n lanes of a vector of `dtype`, n an integer of 64 bits."""
    count = lanes_of(dtype)
    places = ir.Constant(ir.VectorType(_I64, count), list(range(count)))
    return builder.icmp_signed("<", places, _copies(builder, n, count))


def _lanes_if(builder, flag, dtype):
    """A mask of all lanes of a vector of `dtype` if the integer is not 0, else of none."""
    return _copies(builder, builder.icmp_signed("!=", flag, ir.Constant(_I64, 0)), lanes_of(dtype))


# ---- The types, and how Numba learns of functions ------------------------------------------------


class Vector(types.Type):
    """As many numbers of a dtype, which is Numba's, as one instruction takes."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"{lanes_of(str(dtype))} x {dtype}")


class Mask(types.Type):
    """A boolean for each lane of a vector."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"mask of {lanes_of(str(dtype))} x {dtype}")


@register_model(Vector)  # what the type is for LLVM
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, _vector(str(vector.dtype)))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, mask):
        super().__init__(manager, mask, ir.VectorType(_I1, lanes_of(str(mask.dtype))))


def _vector_among(arguments):
    """The type of the vectors in a call; None where there are none, or of two dtypes."""
    found = {argument for argument in arguments if isinstance(argument, Vector)}
    others = [argument for argument in arguments if not isinstance(argument, Vector)]
    is_fit = len(found) == 1 and all(isinstance(other, types.Number) for other in others)
    return found.pop() if is_fit else None


def _lanes_among(context, builder, kinds, values):
    """The arguments of a call as Lanes: numbers cast to the dtype and copied to all lanes."""
    vector = _vector_among(kinds)
    for kind, value in zip(kinds, values):
        if isinstance(kind, Vector):
            yield Lanes(builder, value, str(vector.dtype))
        else:
            number = context.cast(builder, value, kind, vector.dtype)
            yield _broadcast(builder, number, str(vector.dtype))


def elementwise(formula):
    """Teach Numba a formula on Lanes, as a function of vectors and numbers (decorator).

    The formula runs when a kernel that calls it is compiled: its operators write instructions.
    """
    _teach(formula, Vector)
    lower_builtin(formula, types.VarArg(types.Any))(_lowering(formula))
    return formula


def _teach(function, result):
    """Tell Numba the type of function(vectors and numbers): result(dtype of the vectors)."""
    _teach_type(function, lambda kinds: (v := _vector_among(kinds)) and result(v.dtype))


def _teach_type(function, type_of):
    """Tell Numba that a call of the function has the type type_of(types of the arguments)."""

    class Template(AbstractTemplate):
        key = function

        def generic(self, kinds, keywords):
            result = None if keywords else type_of(kinds)
            return result and typing.signature(result, *kinds)

    infer_global(function, types.Function(Template))


def _lowering(formula):
    """How Numba writes a call of the formula: what the formula returns, given Lanes."""

    def lower(context, builder, signature, values):
        returned = formula(*_lanes_among(context, builder, signature.args, values))
        return returned.value if isinstance(returned, Lanes) else returned

    return lower


def _operator(function, formula, result):
    """Teach Numba a Python operator on two vectors, or on a vector and a number."""
    _teach(function, result)
    for kinds in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(function, *kinds)(_lowering(formula))


for _function in (operator.add, operator.sub, operator.mul, operator.truediv):
    _operator(_function, _function, Vector)
for _function, _relation in {
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
}.items():
    _operator(_function, lambda x, y, relation=_relation: x.compare(relation, y), Mask)


_teach(operator.neg, Vector)
lower_builtin(operator.neg, Vector)(_lowering(operator.neg))


# ---- Memory --------------------------------------------------------------------------------------

# An @intrinsic is given the types of its arguments while a kernel is compiled. It returns the type
# of the call, written result(arguments), and `generate`, which writes the instructions for it.


def _address(context, builder, kind, array, i):
    """Where element i of an array lies, counted from its first in memory."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [i])


def _step(builder, address, stride, count):
    """The address `count` strides on, for a Python integer `count`."""
    return builder.gep(address, [builder.mul(stride, ir.Constant(_I64, count))])


def _load(builder, address, dtype, mask=None, other=None):
    """A vector from an address that need not be a multiple of anything.

    Where masked out, nothing is read; there are lanes of the vector `other`, or zeros.
    """
    kind = _vector(dtype)
    address = builder.bitcast(address, kind.as_pointer())
    size = np.dtype(dtype).itemsize
    if mask is None:
        value = builder.load(address)
        value.align = size
    else:
        name = f"llvm.masked.load.v{lanes_of(dtype)}{_SUFFIX[dtype]}.p0"
        other = ir.Constant(kind, [0.0] * lanes_of(dtype)) if other is None else other.value
        value = _call(builder, name, [address, ir.Constant(_I32, size), mask, other], kind)
    return Lanes(builder, value, dtype)


def _store(address, x, mask=None):
    """Write the lanes of x to an address, but for those that are masked out."""
    builder, size = x.builder, np.dtype(x.dtype).itemsize
    address = builder.bitcast(address, x.value.type.as_pointer())
    if mask is None:
        builder.store(x.value, address).align = size
    else:
        name = f"llvm.masked.store.v{lanes_of(x.dtype)}{_SUFFIX[x.dtype]}.p0"
        values = [x.value, address, ir.Constant(_I32, size), mask]
        _call(builder, name, values, ir.VoidType())


@intrinsic
def lanes(context, a):
    """How many numbers of the dtype of the array a a vector holds: a constant while compiling."""
    count = lanes_of(str(a.dtype))
    return types.intp(a), lambda context, builder, signature, values: ir.Constant(_I64, count)


@intrinsic
def load(context, a, i):
    """a[i], a[i + 1], ... in a vector."""

    def generate(context, builder, signature, values):
        address = _address(context, builder, a, *values)
        return _load(builder, address, str(a.dtype)).value

    return Vector(a.dtype)(a, types.intp), generate


@intrinsic
def load_first(context, a, i, n):
    """The first n <= lanes of a[i], a[i + 1], ... in a vector, and zeros."""

    def generate(context, builder, signature, values):
        array, i, n = values
        address, dtype = _address(context, builder, a, array, i), str(a.dtype)
        return _load(builder, address, dtype, _first(builder, n, dtype)).value

    return Vector(a.dtype)(a, types.intp, types.intp), generate


@intrinsic
def load_until(context, a, i, end, other):
    """a[i], a[i + 1], ... in a vector; from a[end] on nothing is read, and lanes are `other`."""

    def generate(context, builder, signature, values):
        array, i, end, number = values
        address, dtype = _address(context, builder, a, array, i), str(a.dtype)
        others = _broadcast(builder, context.cast(builder, number, other, a.dtype), dtype)
        loaded = []
        for mask in _masks_until(builder, i, end, dtype):
            loaded.append((_load(builder, address, dtype, mask, others).value, builder.block))
        result = builder.phi(_vector(dtype))
        for value, block in loaded:
            result.add_incoming(value, block)
        return result

    return Vector(a.dtype)(a, types.intp, types.intp, other), generate


@intrinsic
def store_until(context, a, i, end, x):
    """a[i], a[i + 1], ... = the lanes of x, but nothing from a[end] on."""

    def generate(context, builder, signature, values):
        array, i, end, x = values
        address, dtype = _address(context, builder, a, array, i), str(a.dtype)
        for mask in _masks_until(builder, i, end, dtype):
            _store(address, Lanes(builder, x, dtype), mask)
        return context.get_dummy_value()

    return types.void(a, types.intp, types.intp, Vector(a.dtype)), generate


def _masks_until(builder, i, end, dtype):
    """None, then the mask of the first end - i lanes, each while its branch is being written.

    The program takes the first branch if the whole vector fits.
    """
    n = builder.sub(end, i)
    is_whole = builder.icmp_signed(">=", n, ir.Constant(_I64, lanes_of(dtype)))
    with builder.if_else(is_whole) as (whole, rest):
        with whole:
            yield None
        with rest:
            yield _first(builder, n, dtype)


@intrinsic
def first(context, a, n):
    """A mask of the first n lanes, for vectors of the dtype of the array a; n may be anything."""

    def generate(context, builder, signature, values):
        return _first(builder, values[1], str(a.dtype))

    return Mask(a.dtype)(a, types.intp), generate


@intrinsic
def store(context, a, i, x):
    """a[i], a[i + 1], ... = the lanes of x"""

    def generate(context, builder, signature, values):
        array, i, x = values
        _store(_address(context, builder, a, array, i), Lanes(builder, x, str(a.dtype)))
        return context.get_dummy_value()

    return types.void(a, types.intp, Vector(a.dtype)), generate


@intrinsic
def store_first(context, a, i, x, n):
    """a[i], a[i + 1], ... = the first n <= lanes of x"""

    def generate(context, builder, signature, values):
        array, i, x, n = values
        address, dtype = _address(context, builder, a, array, i), str(a.dtype)
        mask = _first(builder, n, dtype)
        _store(address, Lanes(builder, x, dtype), mask)
        return context.get_dummy_value()

    return types.void(a, types.intp, Vector(a.dtype), types.intp), generate


@intrinsic
def broadcast(context, a, x):
    """A vector of copies of the number x, of the dtype of the array a."""

    def generate(context, builder, signature, values):
        number = context.cast(builder, values[1], x, a.dtype)
        return _broadcast(builder, number, str(a.dtype)).value

    return Vector(a.dtype)(a, x), generate


@intrinsic
def spread(context, a, i):
    """A vector of copies of a[i]."""

    def generate(context, builder, signature, values):
        address = _address(context, builder, a, *values)
        return _broadcast(builder, builder.load(address), str(a.dtype)).value

    return Vector(a.dtype)(a, types.intp), generate


# ---- Squares of memory, turned -------------------------------------------------------------------


@intrinsic
def transpose(context, a, i, a_row, b, j, b_row):
    """b[j + c b_row + r] = a[i + r a_row + c] for r, c < lanes: a square, turned."""

    def generate(context, builder, signature, values):
        a_value, i, a_row, b_value, j, b_row = values
        source = _address(context, builder, a, a_value, i)
        target = _address(context, builder, b, b_value, j)
        _turn_square(builder, str(a.dtype), source, a_row, target, b_row)
        return context.get_dummy_value()

    place = types.intp, types.intp
    return types.void(a, *place, b, *place), generate


@intrinsic
def transpose_first(context, a, i, a_row, b, j, b_row, rows, columns):
    """b[j + c b_row + r] = a[i + r a_row + c] if r < rows and c < columns, else 0, for r, c < lanes

    Nothing else of a is touched; of b the whole square is written.
    """

    def generate(context, builder, signature, values):
        a_value, i, a_row, b_value, j, b_row, rows, columns = values
        source = _address(context, builder, a, a_value, i)
        target = _address(context, builder, b, b_value, j)

        def mask_of(r):
            is_there = builder.icmp_signed("<", ir.Constant(_I64, r), rows)
            count = builder.select(is_there, columns, ir.Constant(_I64, 0))
            return _first(builder, count, str(a.dtype))

        _turn_square(builder, str(a.dtype), source, a_row, target, b_row, mask_of)
        return context.get_dummy_value()

    place = types.intp, types.intp
    return types.void(a, *place, b, *place, *place), generate


def _turn_square(builder, dtype, source, source_row, target, target_row, mask_of=None):
    """Read the rows of a square, row r with the mask mask_of(r), and write its columns as rows."""
    rows = []
    for r in range(lanes_of(dtype)):  # a mask just before its use: there are few registers for them
        mask = mask_of and mask_of(r)
        rows.append(_load(builder, _step(builder, source, source_row, r), dtype, mask))
    for c, column in enumerate(_columns(rows)):
        _store(_step(builder, target, target_row, c), column)


def _columns(rows):
    """The columns of a square, given its rows: in rounds, pairs swap blocks of 1, 2, 4 ... lanes.

    In a round with blocks of `size` lanes, rows r and r + size swap the blocks at odd places of the
    first with those at even places of the second. Place c is in the first row, n + c in the second.
    """
    rows, n, size = list(rows), len(rows), 1
    while size < n:
        even = [n + c - size if c & size else c for c in range(n)]
        odd = [n + c if c & size else c + size for c in range(n)]
        for r in range(n):
            if not r & size:
                upper, lower = rows[r], rows[r + size]
                pair = upper.builder, upper.value, lower.value
                rows[r] = upper.like(_shuffle(*pair, even))
                rows[r + size] = upper.like(_shuffle(*pair, odd))
        size *= 2
    return rows


# ---- Functions of lanes --------------------------------------------------------------------------


@elementwise
def fma(x, y, z):
    """x y + z, rounded once where the processor can."""
    return x.fma(y, z)


@elementwise
def maximum(x, y):
    """The larger of x and y: y where one of them is NaN. One instruction, unlike np.maximum."""
    return x.where(x.compare(">", y), y)


@elementwise
def minimum(x, y):
    """The smaller of x and y: y where one of them is NaN."""
    return x.where(x.compare("<", y), y)


@elementwise
def sqrt(x):
    """√x"""
    return x.intrinsic("sqrt")


def polynomial_through(function, degree, bound):
    """The coefficients of a polynomial that meets a function at the Chebyshev nodes of ±bound.

    Its largest error there is nearly the least that one of this degree can have.
    """
    fit = np.polynomial.Chebyshev.interpolate(function, degree, domain=[-bound, bound])
    return fit.convert(kind=np.polynomial.Polynomial).coef.tolist()


LOG2_E = math.log2(math.e)
# float64 wants the power series, of more terms than a fit would need: its coefficients are exact.
_EXP = {
    "float32": polynomial_through(np.exp, 6, math.log(2) / 2),
    "float64": [1 / math.factorial(n) for n in range(14)],
}
_EXP2 = {
    "float32": polynomial_through(np.exp2, 6, 0.5),
    "float64": [math.log(2) ** n / math.factorial(n) for n in range(14)],
}
# ln 2 in two numbers: the first so short that its multiples are exact.
_LN_2_HIGH = {"float32": 0.693359375, "float64": 0.6931471803691238}
_LN_2_LOW = {"float32": -2.1219444005469057e-4, "float64": 1.9082149292705877e-10}


@elementwise
def exp(x):
    """eˣ = 2ᵏ eʳ,  k = x log₂e rounded to an integer,  r = x - k ln 2, so that |r| < 0.35

    eʳ is a polynomial. 2ᵏ is an exponent: in two factors, lest it overflow too early.
    """
    limit = 1.5 * _BIAS[x.dtype]  # beyond it everything is 0 or infinite
    k = (x * LOG2_E).at_most(limit).at_least(-limit).intrinsic("rint")
    r = k.fma(-_LN_2_LOW[x.dtype], k.fma(-_LN_2_HIGH[x.dtype], x))
    half = (k * 0.5).intrinsic("floor")
    y = r.polynomial(_EXP[x.dtype]) * half.power_of_two() * (k - half).power_of_two()
    y = x.constant(0).where(x.compare("<", -limit), y)
    return x.constant(np.inf).where(x.compare(">", limit), y)


@elementwise
def exp2(x):
    """2ˣ = 2ᵏ 2ʳ for x < 127, or 1023,  k = x rounded to an integer,  r = x - k

    Half the work of `exp`, for where no power is large and one below the normal numbers may be 0.
    """
    x = x.at_least(-_BIAS[x.dtype])
    k = x.intrinsic("rint")
    return (x - k).polynomial(_EXP2[x.dtype]) * k.power_of_two()


def total(x):
    """Σ of the lanes of x: a number."""
    return x.fold(operator.add)


def largest(x):
    """The largest lane of x: a number. A NaN may be missed, as `maximum` misses it."""
    return x.fold(maximum)


for _function in (total, largest):
    _teach(_function, lambda dtype: dtype)
    lower_builtin(_function, Vector)(_lowering(_function))


def where(mask, x, y):
    """x in the lanes where the mask is True, y in the others."""
    return x.where(mask, y)


_teach_type(where, lambda kinds: isinstance(kinds[0], Mask) and _vector_among(kinds[1:]))


@lower_builtin(where, types.VarArg(types.Any))
def _lower_where(context, builder, signature, values):
    x, y = _lanes_among(context, builder, signature.args[1:], values[1:])
    return where(values[0], x, y).value


# ---- Random numbers ------------------------------------------------------------------------------

_GOLDEN_RATIO = 0x9E3779B97F4A7C15  # 2⁶⁴ (√5 - 1) / 2, rounded to an odd number


@intrinsic
def uniform(context, a, key, i):
    """Numbers i, i + 1, ... of `kernels.reference.random_uniform`, in the dtype of the array a."""

    def generate(context, builder, signature, values):
        _, key, i = values
        dtype, n = str(a.dtype), lanes_of(str(a.dtype))
        far = builder.mul(i, ir.Constant(_I64, _GOLDEN_RATIO))
        start = _copies(builder, builder.add(_split_mix(builder, key), far), n)
        steps = [(lane + 1) * _GOLDEN_RATIO % 2**64 for lane in range(n)]
        z = _split_mix(builder, builder.add(start, ir.Constant(start.type, steps)))
        high = builder.lshr(z, _constant_like(z, 40))  # 24 bits, as many as float32 holds
        high = builder.trunc(high, ir.VectorType(_I32, n))
        return (Lanes(builder, builder.sitofp(high, _vector(dtype)), dtype) * 2.0**-24).value

    return Vector(a.dtype)(a, types.uint64, types.int64), generate


def _split_mix(builder, z):
    """The hash of SplitMix64, of an integer or of each in a vector."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = builder.xor(z, builder.lshr(z, _constant_like(z, shift)))
        z = builder.mul(z, _constant_like(z, factor))
    return builder.xor(z, builder.lshr(z, _constant_like(z, 31)))


def _constant_like(z, number):
    """An integer, or as many copies of it as the vector z has lanes."""
    is_vector = isinstance(z.type, ir.VectorType)
    return ir.Constant(z.type, [number] * z.type.count if is_vector else number)


# ---- The tile ------------------------------------------------------------------------------------


def tile(rows, vectors, start="zero", masked=False):
    """A kernel function for the inner loop of a product of matrices, in which nothing is stored.

        run(a, ai, a_row, a_k, b, bi, b_row, c, ci, c_row, k)
        c[ci + r c_row + j] = start + Σ a[ai + r a_row + p a_k] b[bi + p b_row + j] over p < k

    for r < rows and j < vectors lanes. The rows x vectors sums stay in registers: a step loads
    `vectors` vectors of b and `rows` numbers of a, and multiplies each with each.

    start   "zero"; "add", what c held; "either", what c held if the integer is_added is not 0, and
            the call goes on with ..., k, is_added; "scale", what c held times s[si + j], and it
            goes on with ..., k, s, si
    masked  of the last vector only the first n lanes are there, and the call ends with ..., n
    """

    def call(builder, dtype, arguments):
        function = _write_tile(builder.module, dtype, rows, vectors, start, masked)
        builder.call(function, arguments)

    return _kernel_function(_tile_name(rows, vectors, start, masked), call)


def narrow_tile(rows, vectors, start="zero"):
    """A masked tile with as few vectors as n columns need, n from 1 to `vectors` times lanes.

    All these tiles are compiled, and a call jumps to the one that it needs.
    """

    def call(builder, dtype, arguments):
        *others, n = arguments
        size = ir.Constant(_I64, lanes_of(dtype))
        before_last = builder.udiv(builder.sub(n, ir.Constant(_I64, 1)), size)  # vectors, all full
        others.append(builder.sub(n, builder.mul(before_last, size)))
        end = builder.append_basic_block()
        switch = builder.switch(before_last, end)
        for count in range(1, vectors + 1):
            block = builder.append_basic_block()
            switch.add_case(ir.Constant(_I64, count - 1), block)
            with builder.goto_block(block):
                function = _write_tile(builder.module, dtype, rows, count, start, masked=True)
                builder.call(function, others)
                builder.branch(end)
        builder.position_at_end(end)

    return _kernel_function(f"narrow_{_tile_name(rows, vectors, start, masked=True)}", call)


def _tile_name(rows, vectors, start, masked):
    return f"tile_{rows}x{vectors}_{start}" + "_masked" * masked


def _kernel_function(name, call):
    """A function of arrays, each with an index, and of integers: call(builder, dtype, values).

    `call` writes the program, given addresses for the arrays, and then the integers.
    """

    def run(*arguments):
        raise NotImplementedError("a tile runs in compiled code")

    run.__name__ = name
    _teach_type(run, lambda kinds: types.void)

    @lower_builtin(run, types.VarArg(types.Any))
    def lower(context, builder, signature, values):
        kinds, values, addresses, numbers = list(signature.args), list(values), [], []
        while kinds:
            kind, value = kinds.pop(0), values.pop(0)
            if isinstance(kind, types.Array):
                index = context.cast(builder, values.pop(0), kinds.pop(0), types.intp)
                addresses.append(_address(context, builder, kind, value, index))
            else:
                numbers.append(context.cast(builder, value, kind, types.intp))
        call(builder, str(signature.args[0].dtype), addresses + numbers)
        return context.get_dummy_value()

    return run


def _write_tile(module, dtype, rows, vectors, start, masked):
    """The tile as a function of LLVM's, written once in a module and called from all places.

    Copies of it in each place would triple the time of compiling.
    """
    name = f"minigrad_{_tile_name(rows, vectors, start, masked)}_{dtype}"
    if name in module.globals:
        return module.globals[name]
    pointers = [_FLOAT[dtype].as_pointer()] * (4 if start == "scale" else 3)
    integers = [_I64] * (5 + masked + (start == "either"))
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), pointers + integers), name)
    function.linkage = "linkonce_odr"  # of the copies that several modules have, one is kept
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    builder = ir.IRBuilder(function.append_basic_block())
    a, b, c, *s = function.args[: len(pointers)]
    a_row, a_k, b_row, c_row, k, *others = function.args[len(pointers) :]

    mask = _first(builder, others[-1], dtype) if masked else None
    masks = [None] * (vectors - 1) + [mask]
    a_rows = [_step(builder, a, a_row, r) for r in range(rows)]
    c_rows = [_step(builder, c, c_row, r) for r in range(rows)]

    def at(address, v):
        """The address of vector v from there on."""
        return builder.gep(address, [ir.Constant(_I64, v * lanes_of(dtype))])

    def load_row(address, masks=masks):
        return [_load(builder, at(address, v), dtype, mask) for v, mask in enumerate(masks)]

    zero = Lanes(builder, None, dtype).constant(0)
    # rows x vectors: places in memory that LLVM, which sees all uses, makes registers
    sums = [[cgutils.alloca_once_value(builder, zero.value) for _ in masks] for _ in c_rows]

    with cgutils.for_range(builder, k) as loop:
        b_vectors = load_row(builder.gep(b, [builder.mul(loop.index, b_row)]))
        for row, a_address in zip(sums, a_rows):
            number = builder.load(builder.gep(a_address, [builder.mul(loop.index, a_k)]))
            x = _broadcast(builder, number, dtype)
            for register, y in zip(row, b_vectors):
                builder.store(x.fma(y, x.like(builder.load(register))).value, register)

    scales, totals = load_row(s[0]) if s else None, []
    if start == "either":  # a vector of which no lane is loaded is 0
        is_added = _lanes_if(builder, others[0], dtype)
        held = [is_added if mask is None else builder.and_(mask, is_added) for mask in masks]
    for row, address in zip(sums, c_rows):
        total = [Lanes(builder, builder.load(register), dtype) for register in row]
        if start == "add":
            total = [x + y for x, y in zip(load_row(address), total)]
        if start == "either":
            total = [x + y for x, y in zip(load_row(address, held), total)]
        if start == "scale":
            total = [x.fma(scale, y) for x, scale, y in zip(load_row(address), scales, total)]
        totals.append(total)
    for total, address in zip(totals, c_rows):  # at last: reading beside a fresh store takes long
        for v, x in enumerate(total):
            _store(at(address, v), x, masks[v])
    builder.ret_void()
    return function
