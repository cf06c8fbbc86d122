"""DLPack: one array, seen by two libraries, without a copy.

A producer puts into a capsule of Python where the array is, its shape and its dtype; a consumer
takes it out, and says when it needs the memory no longer. NumPy does both with memory of the host.
For that of a GPU it does so with a stand-in, an array that has the address and whose numbers nobody
looks at: then two numbers in the capsule, which say what kind of memory it is, are set right.
dmlc.github.io/dlpack has the structures and the rules.
"""

import ctypes

import numpy as np

HOST, GPU = 1, 2  # the numbers that DLPack has for where memory is
VERSION = 1, 0  # from which on a capsule says whether the array is read-only
_STARTS = {b"dltensor": 0, b"dltensor_versioned": 32}  # bytes before the array in a structure
_POINTER = 8  # bytes of the address, which comes first

_is_capsule, _content = (
    ctypes.PYFUNCTYPE(result, ctypes.py_object, ctypes.c_char_p)((name, ctypes.pythonapi))
    for name, result in (
        ("PyCapsule_IsValid", ctypes.c_int),
        ("PyCapsule_GetPointer", ctypes.c_void_p),
    )
)


def given(array, place, max_version=None):
    """A capsule for an array.

    array        a stand-in with the address, shape, strides, dtype and flags
    place        where its memory is: HOST or GPU, and the number of the device
    max_version  the newest version of DLPack that the consumer knows

    BufferError if the array is read-only, and the consumer does not know that this may be.
    """
    capsule = array.__dlpack__(max_version=max_version)
    _place_in(capsule)[:] = place
    return capsule


def taken(x, **options):
    """A stand-in for an array that speaks DLPack, which keeps its memory for as long as it lives.

    options   of its `__dlpack__`: stream
    """
    try:
        capsule = x.__dlpack__(max_version=VERSION, **options)
    except TypeError:  # it is older than versions are
        capsule = x.__dlpack__(**options)
    place = _place_in(capsule)
    own = tuple(place)
    is_old = _is_capsule(capsule, b"dltensor")
    place[:] = HOST, 0
    try:
        found = np.from_dlpack(_Given(capsule))
    finally:
        place[:] = own
    # One without a version is to be written to, as all were then; NumPy is more careful.
    return stand_in(found, found.ctypes.data) if is_old else found


def _place_in(capsule):
    """The kind of memory and the number of the device in a capsule, to be read and changed."""
    for name, start in _STARTS.items():
        if _is_capsule(capsule, name):
            address = _content(capsule, name) + start + _POINTER
            return (ctypes.c_int32 * 2).from_address(address)
    raise ValueError(f"DLPack needs a capsule that nobody has taken yet. Received: {capsule!r}")


class _Given:
    """What NumPy takes a capsule from."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **options):
        return self.capsule

    def __dlpack_device__(self):
        return HOST, 0


class Described:
    """What NumPy takes for memory of its own, though it may be anybody's.

    interface   that of the array, as in `__array_interface__` and `__cuda_array_interface__`
    owner       lives for as long as an array that NumPy has made of this
    """

    def __init__(self, interface, owner):
        keys = "data", "shape", "strides", "typestr"
        self.__array_interface__ = {key: interface.get(key) for key in keys} | {"version": 3}
        self.owner = owner


def stand_in(x, pointer, is_writeable=True):
    """An array of NumPy with a pointer, and the shape, strides and dtype of x, which it keeps."""
    interface = {"data": (pointer, not is_writeable), "shape": x.shape, "strides": x.strides}
    return np.asarray(Described(interface | {"typestr": x.dtype.str}, x))
