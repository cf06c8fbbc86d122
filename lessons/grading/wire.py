"""Data between two processes, and nothing but data: JSON, in which arrays are written as bytes.

Lists, numbers, texts, true, false and nothing stand for themselves. All else is an object with one
name: {"array": [dtype, shape, base64]}, {"tuple": [...]}, {"dict": [[key, value], ...]}, and so on.
Who reads a message cannot be made to run anything by it; what does not follow these rules, or is
too large or too deep, is a MalformedError.
"""

import base64
import json
import math
import os
import re
import struct
import sys

import numpy as np

LIMIT = 8 * 2**20  # bytes of a message
DEPTH = 20
THINGS = 100_000  # in a message
LARGEST = 2**64  # whole number: greater ones can be chosen so that they take forever
NUMBERED = 1000  # numbers that are keys of one dict: many can be chosen so that they take forever
_LENGTH = struct.Struct(">I")
HEAD = _LENGTH.size
_DTYPE = re.compile(r"[<>|][biufcUS][0-9]{1,6}")


class MalformedError(ValueError):
    """This is no message, or not one that can be sent."""


# ---- Messages ------------------------------------------------------------------------------------


def message(thing):
    """The bytes of a message: their number in four bytes, then JSON."""
    try:
        text = json.dumps(_packed(thing)).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedError(str(error)) from error
    if len(text) > LIMIT:
        raise MalformedError(f"{len(text)} bytes are too many: at most {LIMIT} are sent")
    return _LENGTH.pack(len(text)) + text


def length(head):
    """The number of bytes that follow the head of a message."""
    size = _LENGTH.unpack(head)[0]
    if size > LIMIT:
        raise MalformedError(f"{size} bytes are too many: at most {LIMIT} are read")
    return size


def content(text):
    """The thing in the bytes of a message after their number."""
    try:
        return _unpacked(json.loads(text), [THINGS], DEPTH)
    except MalformedError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise MalformedError(f"{type(error).__name__} in a message") from error


def send(file, thing):
    """Write a message to an open file, and wait until it is written."""
    left = memoryview(message(thing))
    while left:
        left = left[os.write(file, left) :]


def receive(file):
    """Wait for a message in an open file. None when no more come."""
    head = _read(file, HEAD)
    return content(_read(file, length(head))) if head else None


def _read(file, size):
    parts = []
    while size:
        part = os.read(file, size)
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


# ---- Things --------------------------------------------------------------------------------------


def _packed(thing):
    if thing is None or type(thing) in (bool, int, float, str):
        return thing
    if type(thing) is list:
        return [_packed(item) for item in thing]
    if type(thing) is tuple:
        return {"tuple": [_packed(item) for item in thing]}
    if type(thing) is dict:
        return {"dict": [[_packed(key), _packed(value)] for key, value in thing.items()]}
    if type(thing) is complex:
        return {"complex": [thing.real, thing.imag]}
    if type(thing) is bytes:
        return {"bytes": _base64(thing)}
    if isinstance(thing, (np.ndarray, np.generic)) and _DTYPE.fullmatch(thing.dtype.str):
        kind = "array" if isinstance(thing, np.ndarray) else "scalar"
        return {kind: [thing.dtype.str, list(thing.shape), _base64(thing.tobytes())]}
    if isinstance(thing, np.ndarray) and thing.dtype == object:
        return {"objects": [list(thing.shape), [_packed(item) for item in thing.ravel()]]}
    raise TypeError(f"what is sent is data; this is of type {type(thing).__name__}")


def _unpacked(thing, left, depth):
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        raise MalformedError("it has too many parts, or they are nested too deeply")
    if isinstance(thing, list):
        return [_unpacked(item, left, depth - 1) for item in thing]
    if type(thing) is int and abs(thing) > LARGEST:
        raise MalformedError("it has a number of too many digits")
    if not isinstance(thing, dict):
        return thing
    ((kind, inner),) = thing.items()
    if kind == "tuple":
        return tuple(_unpacked(item, left, depth - 1) for item in inner)
    if kind == "dict":
        return _dict(inner, left, depth)
    if kind == "complex":
        return complex(*inner)
    if kind == "bytes":
        return base64.b64decode(inner, validate=True)
    if kind == "array":
        return _array(*inner)
    if kind == "objects":
        shape, items = inner
        array = np.empty(len(items), object)
        for i, item in enumerate(items):
            array[i] = _unpacked(item, left, depth - 1)
        return array.reshape(shape)
    if kind == "scalar":
        return _array(*inner)[()]
    raise MalformedError("it has an object of an unknown kind")


def _dict(pairs, left, depth):
    keys = [key for key, _ in pairs]
    if not all(key is None or type(key) in (bool, int, float, str) for key in keys):
        raise MalformedError("a key is no number and no text")
    if sum(type(key) is not str for key in keys) > NUMBERED:
        raise MalformedError(f"more than {NUMBERED} keys are numbers")
    return {key: _unpacked(value, left, depth - 1) for key, value in pairs}


def _array(dtype, shape, text):
    if not _DTYPE.fullmatch(dtype) or not all(type(n) is int and n >= 0 for n in shape):
        raise MalformedError("it has an array of no known dtype or shape")
    dtype, data = np.dtype(dtype), base64.b64decode(text, validate=True)
    if dtype.itemsize * math.prod(shape) != len(data) or not dtype.itemsize:
        raise MalformedError("it has an array whose bytes are not as many as its shape says")
    if dtype.kind == "U" and np.any(np.frombuffer(data, f"{dtype.str[0]}u4") > sys.maxunicode):
        raise MalformedError("it has a text of what are no characters")
    if dtype.kind == "b":
        data = np.frombuffer(data, np.uint8).astype(bool)  # which are 0 and 1 and nothing else
    return np.frombuffer(data, dtype).reshape(shape).copy()


def _base64(data):
    return base64.b64encode(data).decode("ascii")
