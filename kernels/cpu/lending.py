"""How a compiled kernel gets an array of its caller: lent, for as long as the call takes.

Numba's own way to take an array costs 60 ns, since compiled code might keep it. Ours never does. So
here it looks where NumPy has what it needs, which costs 6 ns: the address of the numbers, shape and
strides. They stand in two structures of NumPy's C API, on which programs in C rely, too.

What is no array of the kernel's dtype and number of axes, or is only to be read where the kernel
writes, is a TypeError before any of its numbers is touched.
"""

import ctypes
import sys

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import ArrayModel
from numba.extending import NativeValue, register_model, unbox
from numba.np.numpy_support import as_dtype

WRITEABLE = 0x400  # a bit of an array's flags
FOREIGN = ">" if sys.byteorder == "little" else "<"  # the order of bytes that is not this machine's
NDARRAY = "numpy.ndarray"  # by this name compiled code finds that type
WORD, BYTE, INT = ctypes.c_ssize_t, ctypes.c_uint8, ctypes.c_int


class ArrayFields(ctypes.Structure):
    """What an array is in memory: `PyArrayObject_fields` of NumPy's C API."""

    _fields_ = [("references", WORD), ("type", WORD), ("data", WORD), ("ndim", INT)]
    _fields_ += [("shape", WORD), ("strides", WORD), ("base", WORD), ("dtype", WORD)]
    _fields_ += [("flags", INT)]


class DtypeFields(ctypes.Structure):
    """How a dtype begins in memory: `PyArray_Descr`."""

    _fields_ = [("references", WORD), ("type", WORD), ("scalar", WORD)]
    _fields_ += [("kind", BYTE), ("letter", BYTE), ("order", BYTE), ("unused", BYTE)]
    _fields_ += [("number", INT)]


def _is_known():
    """Whether arrays that we know lie in memory as it is said above."""
    x = np.zeros((2, 3), np.float32)[:, ::2]
    y = np.zeros(3, FOREIGN + "f8")
    y.flags.writeable = False
    return _is_as_said(x) and _is_as_said(y)


def _is_as_said(x):
    seen, axes = ArrayFields.from_address(id(x)), WORD * x.ndim
    places = id(np.ndarray), id(x.dtype), x.ctypes.data, x.ndim
    if (seen.type, seen.dtype, seen.data, seen.ndim) != places:
        return False
    dtype = DtypeFields.from_address(seen.dtype)
    return (
        tuple(axes.from_address(seen.shape)) == x.shape
        and tuple(axes.from_address(seen.strides)) == x.strides
        and seen.flags == x.flags.num
        and dtype.number == x.dtype.num
        and (dtype.order != ord(FOREIGN)) == x.dtype.isnative
    )


IS_KNOWN = _is_known()  # if not, kernels are called in Numba's way


class Lent(types.Array):
    """The type of an array that a caller lends. Compiled code treats it like any array."""


register_model(Lent)(ArrayModel)
llvmlite.binding.add_symbol(NDARRAY, id(np.ndarray))


@unbox(Lent)
def borrow(kind, array, c):
    """Generate what makes an array of compiled code out of one of Python, or sets a TypeError."""
    builder = c.builder
    lent = c.context.make_array(kind)(c.context, builder)  # all 0: with no owner, nobody counts
    failed = cgutils.alloca_once_value(builder, cgutils.true_bit)
    ndarray = c.pyapi.get_c_object(NDARRAY)
    is_there = cgutils.is_not_null(builder, array)  # in a tuple that is too short it is not
    with builder.if_then(is_there):
        place = builder.ptrtoint(array, cgutils.intp_t)
        is_array = _equals(builder, _field(builder, place, ArrayFields, "type"), ndarray)
        with builder.if_then(is_array), builder.if_then(_has_kind(builder, place, kind)):
            _fill(builder, lent, place, kind)
            builder.store(cgutils.false_bit, failed)
    failed = builder.load(failed)
    with builder.if_then(builder.and_(failed, is_there), likely=False):
        use = "writes to" if kind.mutable else "reads"
        wanted = f"an array of {kind.dtype} with {kind.ndim} axes that it {use}"
        c.pyapi.err_format("PyExc_TypeError", f"a kernel needs {wanted}. Received: %.200R", array)
    return NativeValue(lent._getvalue(), is_error=failed)


def _has_kind(builder, place, kind):
    """Whether the array at a place has the dtype and the axes, and may be written to if need be."""
    dtype = _field(builder, place, ArrayFields, "dtype")
    number = _field(builder, dtype, DtypeFields, "number")
    order = _field(builder, dtype, DtypeFields, "order")
    has_number = cgutils.false_bit
    for name in np.typecodes["All"]:  # C has several names for an integer of 64 bits
        if np.dtype(name) == as_dtype(kind.dtype):
            is_this = _equals(builder, number, np.dtype(name).num)
            has_number = builder.or_(has_number, is_this)
    is_native = builder.not_(_equals(builder, order, ord(FOREIGN)))
    fits = builder.and_(has_number, is_native)
    ndim = _field(builder, place, ArrayFields, "ndim")
    fits = builder.and_(fits, _equals(builder, ndim, kind.ndim))
    if kind.mutable:
        flags = _field(builder, place, ArrayFields, "flags")
        bit = builder.and_(flags, flags.type(WRITEABLE))
        fits = builder.and_(fits, _equals(builder, bit, WRITEABLE))
    return fits


def _fill(builder, lent, place, kind):
    """Write into compiled code's array what the one at a place is."""
    lent.itemsize = cgutils.intp_t(as_dtype(kind.dtype).itemsize)
    lent.nitems = cgutils.intp_t(1)
    data = _field(builder, place, ArrayFields, "data")
    lent.data = builder.inttoptr(data, lent.data.type)
    for name in "shape", "strides":
        start = _field(builder, place, ArrayFields, name)
        steps = (cgutils.intp_t(axis * ctypes.sizeof(WORD)) for axis in range(kind.ndim))
        numbers = [_load(builder, builder.add(start, step), WORD) for step in steps]
        setattr(lent, name, cgutils.pack_array(builder, numbers, cgutils.intp_t))
        if name == "shape":
            for number in numbers:
                lent.nitems = builder.mul(lent.nitems, number)


def _field(builder, place, fields, name):
    """The number in a field of what is at a place in memory."""
    start = builder.add(place, cgutils.intp_t(getattr(fields, name).offset))
    return _load(builder, start, dict(fields._fields_)[name])


def _load(builder, place, kind):
    """The number of a kind of `ctypes` at a place in memory."""
    pointer = ir.IntType(8 * ctypes.sizeof(kind)).as_pointer()
    return builder.load(builder.inttoptr(place, pointer))


def _equals(builder, number, other):
    """Whether a number is another: one of Python, or the address of an object."""
    if isinstance(other, int):
        return builder.icmp_signed("==", number, number.type(other))
    return builder.icmp_signed("==", number, builder.ptrtoint(other, number.type))
