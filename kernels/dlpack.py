"""DLPack: one array, seen by two libraries, without a copy.

A producer puts the address, the shape and the dtype into a structure of C, and that into a capsule
of Python; a consumer takes it out, and calls the structure's `deleter` when it needs the memory no
longer. dmlc.github.io/dlpack has the structures and the rules.
"""

import ctypes
from typing import NamedTuple
from weakref import finalize

import numpy as np

HOST, GPU = 1, 2  # the numbers that DLPack has for where memory is
_NAME, _VERSIONED = b"dltensor", b"dltensor_versioned"  # of a capsule
_USED = {_NAME: b"used_dltensor", _VERSIONED: b"used_dltensor_versioned"}
_VERSION = 1, 0  # from which on a structure says its version, and may be read-only
_READ_ONLY, _COPIED = 1, 2
_CODES = {"i": 0, "u": 1, "f": 2, "b": 6}
_KINDS = {code: kind for kind, code in _CODES.items()}


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),  # in elements; null: without gaps
        ("byte_offset", ctypes.c_uint64),
    ]


_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32 * 2),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    ]


_api = ctypes.pythonapi
_function = ctypes.PYFUNCTYPE
_new_capsule = _function(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", _api)
)
# A capsule is named by its address, for one that is being destroyed must not be referred to.
_is_capsule, _rename = (
    _function(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)((name, _api))
    for name in ("PyCapsule_IsValid", "PyCapsule_SetName")
)
_content = _function(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", _api)
)

# ---- Given ---------------------------------------------------------------------------------------

_given = {}  # {address of a structure: the structure, its shape and strides, whose memory it is}


@_Deleter
def _forget(address):
    """The consumer needs it no longer."""
    _given.pop(address, None)


@_Deleter
def _drop(capsule):
    """A capsule is gone: if nobody has taken what was in it, nobody ever will."""
    name = _name(capsule)
    if name:
        _given.pop(_content(capsule, name), None)


def _name(capsule):
    """The name of a capsule, given by its address, that nobody has taken yet; else None"""
    return next((name for name in (_NAME, _VERSIONED) if _is_capsule(capsule, name)), None)


def capsule(x, place, max_version=None, is_copied=False):
    """A capsule for an array that has pointer, shape, strides, dtype and is_writeable.

    place        where its memory is: HOST or GPU, and the number of the device
    max_version  the newest version of DLPack that the consumer knows
    is_copied    whether the memory is the consumer's alone

    BufferError if the array is read-only, and the consumer does not know that this may be.
    """
    knows_versions = max_version is not None and tuple(max_version) >= _VERSION
    if not (knows_versions or x.is_writeable):
        raise BufferError(f"{x!r} is read-only, which this version of DLPack cannot say")
    size, n = x.dtype.itemsize, len(x.shape)
    axes = ctypes.c_int64 * n
    shape, strides = axes(*x.shape), axes(*(stride // size for stride in x.strides))
    managed = _Versioned(_VERSION) if knows_versions else _Managed()
    managed.tensor = _Tensor(
        x.pointer, *place, n, _CODES[x.dtype.kind], 8 * size, 1, shape, strides, 0
    )
    managed.deleter = ctypes.cast(_forget, ctypes.c_void_p)
    if knows_versions:
        managed.flags = _READ_ONLY * (not x.is_writeable) | _COPIED * is_copied
    address = ctypes.addressof(managed)
    _given[address] = managed, shape, strides, x
    name = _VERSIONED if knows_versions else _NAME
    return _new_capsule(address, name, ctypes.cast(_drop, ctypes.c_void_p))


# ---- Taken ---------------------------------------------------------------------------------------


class Owner:
    """Keeps the memory of a capsule for as long as this object lives."""

    __slots__ = ("__weakref__",)


class Taken(NamedTuple):
    """An array of another library. `owner` is an object that keeps its memory while it lives."""

    pointer: int
    shape: tuple
    dtype: np.dtype
    strides: tuple
    is_writeable: bool
    owner: object


def taken(x, **options):
    """What an array that speaks DLPack says of itself.

    options   of its `__dlpack__`: stream
    """
    try:
        capsule = x.__dlpack__(max_version=_VERSION, **options)
    except TypeError:  # it is older than versions are
        capsule = x.__dlpack__(**options)
    name = _name(id(capsule))
    if name is None:
        raise ValueError(f"__dlpack__ of {type(x).__name__} has given no new capsule: {capsule!r}")
    address = _content(id(capsule), name)
    managed = (_Versioned if name == _VERSIONED else _Managed).from_address(address)
    if name == _VERSIONED and managed.version[0] != _VERSION[0]:
        raise BufferError(f"DLPack {managed.version[0]} is newer than what is known here: 1")
    tensor = managed.tensor
    dtype = _dtype(tensor)
    shape = tuple(tensor.shape[: tensor.ndim])
    strides = tensor.strides[: tensor.ndim] if tensor.strides else _without_gaps(shape)
    is_writeable = not (name == _VERSIONED and managed.flags & _READ_ONLY)
    _rename(id(capsule), _USED[name])
    owner = Owner()
    if managed.deleter:
        finalize(owner, _Deleter(managed.deleter), address).atexit = False
    pointer = (tensor.data or 0) + tensor.byte_offset
    strides = tuple(stride * dtype.itemsize for stride in strides)
    return Taken(pointer, shape, dtype, strides, is_writeable, owner)


def _dtype(tensor):
    if tensor.code not in _KINDS or tensor.lanes != 1 or tensor.bits % 8:
        raise TypeError(
            "a device has no arrays of this dtype of DLPack. "
            f"Received: code {tensor.code}, {tensor.bits} bits, {tensor.lanes} lanes"
        )
    return np.dtype(f"{_KINDS[tensor.code]}{tensor.bits // 8}")


def _without_gaps(shape):
    """Strides in elements"""
    steps = [1]
    for n in shape[:0:-1]:
        steps.append(steps[-1] * n)
    return steps[: len(shape)][::-1]
