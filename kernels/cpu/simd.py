"""Vectors: as many numbers as one instruction of this processor holds, as a type of Numba's.

A kernel that says `load`, `fma`, `store` leaves nothing to the mood of a compiler: these become one
instruction each, on AVX-512 of 16 float32, on AVX2 of 8, on NEON of 4, and of a single one on a
processor that none of these names fits.

    x = load(a, i)                as many numbers as fit, from a[i] on
    x = load_first(a, i, n)       the first n of them, then zeros; nothing beyond is touched
    y = fma(x, x, 0.5) / (x + 1)  elementwise; a number stands for a vector of its copies
    store_first(a, i, y, n)

`a` is an array of any shape and `i` counts its elements from the first in memory, so that a kernel
may walk with strides of its own. Nothing checks a bound: that is the caller's duty.

From top to bottom: the processor; `Lanes`, which writes LLVM's instructions for the formulas below;
the type; memory; functions of lanes; the tile, the inner loop of every product of matrices.
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

# (what a processor calls it, the features that it needs, bits of a vector, tile: rows, vectors)
_KINDS = [
    ("avx512", {"avx512f", "avx512dq"}, 512, (4, 4)),
    ("avx2", {"avx2", "fma"}, 256, (4, 3)),
    ("neon", {"neon"}, 128, (4, 4)),
]
_SCALAR = ("scalar", set(), 0, (4, 2))


def _features():
    """What Numba compiles for: this processor, or what NUMBA_CPU_FEATURES says."""
    listed = config.CPU_FEATURES
    listed = codegen.get_host_cpu_features() if listed is None else listed
    return {name[1:] for name in listed.split(",") if name.startswith("+")}


# The sums of a tile, rows x vectors, fit the registers beside a row of b and one number of a.
KIND, _, BITS, TILE = next((k for k in _KINDS if k[1] <= _features()), _SCALAR)
HAS_FMA = KIND != "scalar"


def lanes_of(dtype):
    """How many numbers of a dtype a vector holds."""
    return max(1, BITS // (8 * np.dtype(dtype).itemsize))


# ---- Lanes: LLVM's instructions, with Python's operators -----------------------------------------

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_FLOAT = {"float32": ir.FloatType(), "float64": ir.DoubleType()}
_BITS = {"float32": _I32, "float64": _I64}  # the integers of the same size
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
        return Lanes(self.builder, value, self.dtype)

    def constant(self, number):
        """A vector of copies of a Python number."""
        number = float(np.dtype(self.dtype).type(number))
        return self.like(ir.Constant(_vector(self.dtype), [number] * lanes_of(self.dtype)))

    def _with(self, other):
        return other if isinstance(other, Lanes) else self.constant(other)

    def __add__(self, other):
        return self.like(self.builder.fadd(self.value, self._with(other).value))

    def __sub__(self, other):
        return self.like(self.builder.fsub(self.value, self._with(other).value))

    def __rsub__(self, other):
        return self._with(other) - self

    def __mul__(self, other):
        return self.like(self.builder.fmul(self.value, self._with(other).value))

    def __truediv__(self, other):
        return self.like(self.builder.fdiv(self.value, self._with(other).value))

    def __rtruediv__(self, other):
        return self._with(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self.like(self.builder.fneg(self.value))

    def compare(self, relation, other):
        """A mask, True where x `relation` y. A NaN is in no relation, but for "!="."""
        compare = self.builder.fcmp_unordered if relation == "!=" else self.builder.fcmp_ordered
        return compare(relation, self.value, self._with(other).value)

    def where(self, mask, other):
        """x where the mask is True, else `other`."""
        return self.like(self.builder.select(mask, self.value, self._with(other).value))

    def intrinsic(self, name, *others):
        """An instruction that LLVM has as a function: llvm.name(x, ...)."""
        values = [self.value, *(self._with(other).value for other in others)]
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
        return self._with(bound).where(self.compare("<", bound), self)

    def at_most(self, bound):
        """min(x, bound), NaN where x is."""
        return self._with(bound).where(self.compare(">", bound), self)

    def power_of_two(self):
        """2ˣ for integers x as large as an exponent: -127 (which gives 0) to 127, or -1023 to 1023.

        Adding 3/2 2²³ leaves an integer in the low bits; shifted up they are an exponent.
        """
        fraction, bits = _FRACTION[self.dtype], _BITS[self.dtype]
        integers = ir.VectorType(bits, lanes_of(self.dtype))
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


def _broadcast(builder, number, dtype):
    """A vector of copies of one number."""
    nothing = ir.Constant(_vector(dtype), ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(_I32, 0))
    return Lanes(builder, _shuffle(builder, first, nothing, [0] * lanes_of(dtype)), dtype)


def _first(builder, n, lanes):
    """A mask of the first n lanes, n an integer of 64 bits."""
    nothing = ir.Constant(ir.VectorType(_I64, lanes), ir.Undefined)
    one = builder.insert_element(nothing, n, ir.Constant(_I32, 0))
    counts = ir.Constant(ir.VectorType(_I64, lanes), list(range(lanes)))
    return builder.icmp_signed("<", counts, _shuffle(builder, one, nothing, [0] * lanes))


# ---- The type ------------------------------------------------------------------------------------


class Vector(types.Type):
    """As many numbers of a dtype as one instruction takes."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"{lanes_of(str(dtype))} x {dtype}")


class Mask(types.Type):
    """A boolean for each lane of a vector."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"mask of {lanes_of(str(dtype))} x {dtype}")


@register_model(Vector)
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
    """Teach Numba a formula on Lanes, as a function of vectors and numbers (decorator)."""
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


def _address(context, builder, kind, array, i):
    """Where element i of an array lies, counted from its first in memory."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [i])


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
        return _load(builder, address, dtype, _first(builder, n, lanes_of(dtype))).value

    return Vector(a.dtype)(a, types.intp, types.intp), generate


@intrinsic
def load_first_or(context, a, i, n, other):
    """The first n <= lanes of a[i], a[i + 1], ... in a vector, and copies of the number `other`."""

    def generate(context, builder, signature, values):
        array, i, n, number = values
        address, dtype = _address(context, builder, a, array, i), str(a.dtype)
        number = _broadcast(builder, context.cast(builder, number, other, a.dtype), dtype)
        return _load(builder, address, dtype, _first(builder, n, lanes_of(dtype)), number).value

    return Vector(a.dtype)(a, types.intp, types.intp, other), generate


@intrinsic
def first(context, a, n):
    """A mask of the first n lanes, for vectors of the dtype of the array a; n may be anything."""

    def generate(context, builder, signature, values):
        return _first(builder, values[1], lanes_of(str(a.dtype)))

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
        mask = _first(builder, n, lanes_of(dtype))
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


@intrinsic
def transpose(context, a, i, a_row, b, j, b_row, scale):
    """b[j + c b_row + r] = scale a[i + r a_row + c] for r, c < lanes: a square, turned."""

    def generate(context, builder, signature, values):
        dtype, n = str(a.dtype), lanes_of(str(a.dtype))
        a_value, i, a_row, b_value, j, b_row, scale = values
        source = _address(context, builder, a, a_value, i)
        target = _address(context, builder, b, b_value, j)
        factor = _broadcast(builder, scale, dtype)
        rows = [factor * _load(builder, _step(builder, source, a_row, r), dtype) for r in range(n)]
        for c, row in enumerate(_turned(rows)):
            _store(_step(builder, target, b_row, c), row)
        return context.get_dummy_value()

    ints = types.intp, types.intp
    return types.void(a, *ints, b, *ints, a.dtype), generate


@intrinsic
def transpose_first(context, a, i, a_row, b, j, b_row, rows, columns):
    """b[j + c b_row + r] = a[i + r a_row + c] if r < rows and c < columns, else 0, for c, r < lanes

    Nothing else of a is touched; of b the whole square is written.
    """

    def generate(context, builder, signature, values):
        dtype, n = str(a.dtype), lanes_of(str(a.dtype))
        a_value, i, a_row, b_value, j, b_row, count, columns = values
        source = _address(context, builder, a, a_value, i)
        target = _address(context, builder, b, b_value, j)
        nothing = ir.Constant(_I64, 0)
        loaded = []
        for r in range(n):
            is_there = builder.icmp_signed("<", ir.Constant(_I64, r), count)
            mask = _first(builder, builder.select(is_there, columns, nothing), n)
            loaded.append(_load(builder, _step(builder, source, a_row, r), dtype, mask))
        for c, row in enumerate(_turned(loaded)):
            _store(_step(builder, target, b_row, c), row)
        return context.get_dummy_value()

    ints = types.intp, types.intp
    return types.void(a, *ints, b, *ints, *ints), generate


def _turned(rows):
    """Rows of a square as its columns: in rounds, pairs exchange blocks of 1, 2, 4 ... lanes."""
    rows, n, size = list(rows), len(rows), 1
    while size < n:
        even = [c if not c & size else n + c - size for c in range(n)]
        odd = [c + size if not c & size else n + c for c in range(n)]
        for r in range(n):
            if not r & size:
                upper, lower = rows[r], rows[r + size]
                pair = upper.builder, upper.value, lower.value
                rows[r] = upper.like(_shuffle(*pair, even))
                rows[r + size] = upper.like(_shuffle(*pair, odd))
        size *= 2
    return rows


def _step(builder, address, stride, count):
    """The address `count` strides on, for a Python integer `count`."""
    return builder.gep(address, [builder.mul(stride, ir.Constant(_I64, count))])


@intrinsic
def uniform(context, a, key, i):
    """Numbers i, i + 1, ... of `kernels.reference.random_uniform`, in the dtype of the array a."""

    def generate(context, builder, signature, values):
        _, key, i = values
        dtype, n = str(a.dtype), lanes_of(str(a.dtype))
        start = builder.add(
            _split_mix(builder, key), builder.mul(i, ir.Constant(_I64, _GOLDEN_RATIO))
        )
        nothing = ir.Constant(ir.VectorType(_I64, n), ir.Undefined)
        first = builder.insert_element(nothing, start, ir.Constant(_I32, 0))
        steps = [(lane + 1) * _GOLDEN_RATIO % 2**64 for lane in range(n)]
        z = builder.add(
            _shuffle(builder, first, nothing, [0] * n), ir.Constant(nothing.type, steps)
        )
        z = _split_mix(builder, z)
        high = builder.lshr(z, _constant_like(z, 40))  # 24 bits, as many as float32 holds
        high = builder.trunc(high, ir.VectorType(_I32, n))
        return (Lanes(builder, builder.sitofp(high, _vector(dtype)), dtype) * 2.0**-24).value

    return Vector(a.dtype)(a, types.uint64, types.int64), generate


_GOLDEN_RATIO = 0x9E3779B97F4A7C15


def _split_mix(builder, z):
    """The hash of SplitMix64, of an integer or of each in a vector."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = builder.xor(z, builder.lshr(z, _constant_like(z, shift)))
        z = builder.mul(z, _constant_like(z, factor))
    return builder.xor(z, builder.lshr(z, _constant_like(z, 31)))


def _constant_like(z, number):
    is_vector = isinstance(z.type, ir.VectorType)
    return ir.Constant(z.type, [number] * z.type.count if is_vector else number)


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


@elementwise
def absolute(x):
    """|x|"""
    return x.intrinsic("fabs")


def polynomial_through(function, degree, bound):
    """The coefficients of a polynomial that meets a function at the Chebyshev nodes of ±bound.

    Its largest error there is nearly the least that one of this degree can have.
    """
    fit = np.polynomial.Chebyshev.interpolate(function, degree, domain=[-bound, bound])
    return fit.convert(kind=np.polynomial.Polynomial).coef.tolist()


# float64 wants the power series, of more terms than a fit would need: its coefficients are exact.
_EXP = {
    "float32": polynomial_through(np.exp, 6, math.log(2) / 2),
    "float64": [1 / math.factorial(n) for n in range(14)],
}
_EXP2 = {
    "float32": polynomial_through(np.exp2, 6, 0.5),
    "float64": [math.log(2) ** n / math.factorial(n) for n in range(14)],
}
_LOG2_E = 1.4426950408889634
# ln 2 in two numbers: the first so short that its multiples are exact.
_LN_2_HIGH = {"float32": 0.693359375, "float64": 0.6931471803691238}
_LN_2_LOW = {"float32": -2.1219444005469057e-4, "float64": 1.9082149292705877e-10}


@elementwise
def exp(x):
    """eˣ = 2ᵏ eʳ,  k = x log₂e rounded to an integer,  r = x - k ln 2, so that |r| < 0.35

    eʳ is a polynomial. 2ᵏ is an exponent: in two factors, lest it overflow too early.
    """
    limit = 1.5 * _BIAS[x.dtype]  # beyond it everything is 0 or infinite
    k = (x * _LOG2_E).at_most(limit).at_least(-limit).intrinsic("rint")
    r = k.fma(-_LN_2_LOW[x.dtype], k.fma(-_LN_2_HIGH[x.dtype], x))
    half = (k * 0.5).intrinsic("floor")
    y = r.polynomial(_EXP[x.dtype]) * half.power_of_two() * (k - half).power_of_two()
    y = x.constant(0).where(x.compare("<", -limit), y)
    return x.constant(np.inf).where(x.compare(">", limit), y)


@elementwise
def exp2(x):
    """2ˣ = 2ᵏ 2ʳ for x < 127,  k = x rounded to an integer,  r = x - k

    Half the work of `exp`, for where no power is large and one below the normal numbers may be 0.
    """
    x = x.at_least(-_BIAS[x.dtype])
    k = x.intrinsic("rint")
    return (x - k).polynomial(_EXP2[x.dtype]) * k.power_of_two()


def total(x):
    """Σ of the lanes of x: a number."""
    return x.fold(operator.add)


def largest(x):
    """The largest lane of x: a number."""
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


# ---- The tile ------------------------------------------------------------------------------------


def tile(rows, vectors, start="zero", masked=False):
    """A kernel function for the inner loop of a product of matrices, in which nothing is stored.

        run(a, ai, a_row, a_k, b, bi, b_row, c, ci, c_row, k)
        c[ci + r c_row + j] = start + Σ a[ai + r a_row + p a_k] b[bi + p b_row + j] over p < k

    for r < rows and j < vectors lanes. The rows x vectors sums stay in registers: a step loads
    `vectors` vectors of b and `rows` numbers of a, and multiplies each with each.

    start   "zero"; "add", what c held; "scale", what c held times s[si + j], and the call goes on
            with ..., k, s, si
    masked  the last vector has but j < n, and the call ends with ..., n
    """

    name = f"tile_{rows}x{vectors}_{start}" + "_masked" * masked

    def call(builder, dtype, arguments):
        builder.call(
            _write_tile(builder.module, name, dtype, rows, vectors, start, masked), arguments
        )

    return _kernel_function(name, call)


def narrow_tile(rows, vectors, start="zero"):
    """A masked tile with as few vectors as n columns need, n from 1 to `vectors` times lanes."""
    name = f"tile_{rows}x{vectors}_{start}_masked"

    def call(builder, dtype, arguments):
        *others, n = arguments
        lanes = ir.Constant(_I64, lanes_of(dtype))
        before_last = builder.udiv(builder.sub(n, ir.Constant(_I64, 1)), lanes)
        others.append(builder.sub(n, builder.mul(before_last, lanes)))
        end = builder.append_basic_block()
        switch = builder.switch(before_last, end)
        for count in range(1, vectors + 1):
            name = f"tile_{rows}x{count}_{start}_masked"
            block = builder.append_basic_block()
            switch.add_case(ir.Constant(_I64, count - 1), block)
            with builder.goto_block(block):
                tile = _write_tile(builder.module, name, dtype, rows, count, start, masked=True)
                builder.call(tile, others)
                builder.branch(end)
        builder.position_at_end(end)

    return _kernel_function(f"narrow_{name}", call)


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
        kinds, addresses, numbers = list(signature.args), [], []
        values = list(values)
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


def _write_tile(module, name, dtype, rows, vectors, start, masked):
    """The tile as a function of LLVM's, one in a module: its copies would triple compile times."""
    name = f"minigrad_{name}_{dtype}"
    if name in module.globals:
        return module.globals[name]
    pointers = [_FLOAT[dtype].as_pointer()] * (4 if start == "scale" else 3)
    integers = [_I64] * (6 if masked else 5)
    kind = ir.FunctionType(ir.VoidType(), pointers + integers)
    function = ir.Function(module, kind, name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    builder = ir.IRBuilder(function.append_basic_block())
    a, b, c, *s = function.args[: len(pointers)]
    a_row, a_k, b_row, c_row, k, *n = function.args[len(pointers) :]

    mask = _first(builder, n[0], lanes_of(dtype)) if masked else None
    masks = [None] * (vectors - 1) + [mask]
    places = range(vectors)
    a_rows = [_step(builder, a, a_row, r) for r in range(rows)]
    c_rows = [_step(builder, c, c_row, r) for r in range(rows)]

    def at(address, v):
        """The address of vector v from there on."""
        return builder.gep(address, [ir.Constant(_I64, v * lanes_of(dtype))])

    def load_row(address):
        return [_load(builder, at(address, v), dtype, masks[v]) for v in places]

    scales = load_row(s[0]) if s else None
    sums = []  # rows x vectors registers
    for row in c_rows:
        begin = [Lanes(builder, None, dtype).constant(0)] * vectors
        if start != "zero":
            begin = load_row(row)
        if start == "scale":
            begin = [x * scale for x, scale in zip(begin, scales)]
        sums.append([cgutils.alloca_once_value(builder, x.value) for x in begin])

    with cgutils.for_range(builder, k) as loop:
        b_vectors = load_row(builder.gep(b, [builder.mul(loop.index, b_row)]))
        for row, a_address in zip(sums, a_rows):
            number = builder.load(builder.gep(a_address, [builder.mul(loop.index, a_k)]))
            x = _broadcast(builder, number, dtype)
            for register, y in zip(row, b_vectors):
                builder.store(x.fma(y, x.like(builder.load(register))).value, register)

    for row, address in zip(sums, c_rows):
        for v, register in enumerate(row):
            _store(at(address, v), Lanes(builder, builder.load(register), dtype), masks[v])
    builder.ret_void()
    return function
