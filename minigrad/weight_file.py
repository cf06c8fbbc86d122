"""Files of weights: a table of named arrays, with no code inside, in the format safetensors.

A file is 8 bytes, the length of its header; the header; and the numbers of all arrays, one after
the other. The header is JSON, and the offsets in it count from its own end:

    {"__metadata__": {"format": "pt"},
     "query.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}

Numbers are little-endian, in C order; between arrays there is no hole, and none lies on another.
(https://github.com/huggingface/safetensors)

A file is mapped into memory: the system reads of it what is looked at, when it is looked at. BF16,
bfloat16, which NumPy does not have, is the upper half of float32.
"""

import json
import math
import mmap
import os
import stat
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from .bounded_json import MOST_BYTES, check_size, parse_json, shorten

_NUMPY = {  # as it lies in the file
    **{"BOOL": "bool", "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"},
    **{"I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"},
    **{"U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8"},
}
_WRITTEN = {np.dtype(dtype).name: name for name, dtype in _NUMPY.items() if name != "BF16"}
DTYPES = tuple(_WRITTEN)  # that can be written
_MOST_AXES = 64  # of NumPy


@dataclass(frozen=True)
class StoredArray:
    """An array in a file.

    place  its file and its name, for errors
    dtype  "F32", "BF16", ..., the format's word
    shape  a tuple
    data   its bytes, mapped
    """

    place: str
    dtype: str
    shape: tuple
    data: memoryview

    @property
    def numpy_dtype(self):
        """The dtype of `array()`: the file's own, or float32 for BF16."""
        return np.dtype("f4" if self.dtype == "BF16" else _NUMPY[self.dtype]).newbyteorder("=")

    def array(self, dtype=None):
        """The numbers as a NumPy array, in another dtype if asked for.

        BF16 becomes float32, where it loses nothing. What needs no conversion lies in the mapped
        file: it costs neither time nor memory before it is looked at, and may be written to, which
        changes that memory and never the file. While such an array lives, nobody may shorten the
        file.
        """
        stored = np.frombuffer(self.data, _NUMPY[self.dtype]).reshape(self.shape)
        if self.dtype == "BOOL" and np.any(stored.view("u1") > 1):
            raise ValueError(f"{self.place} has other bytes than 0 and 1 for its booleans")
        if self.dtype == "BF16":
            stored = (stored.astype("u4") << 16).view("f4")
        wanted = stored.dtype.newbyteorder("=") if dtype is None else np.dtype(dtype)
        return np.require(stored, wanted, "A")


def open_weights(path):
    """({name: StoredArray}, {text: text}) of a safetensors file: its arrays and its metadata.

    All of the header is checked, and no number looked at. ValueError for a file that is damaged or
    of another kind, with what it looks like; OSError where there is none.
    """
    check_is_file(path)
    with open(path, "rb") as file:
        start = file.read(512)
        if not start:
            raise ValueError(f"{path} is empty")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    try:
        return _read(path, data)
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path} {_diagnose(start)}: {error}") from error


def check_is_file(path):
    """ValueError for a pipe or a device, which one may read for ever; OSError for no file at all.

    Of a folder `open` says best what it is not.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError(f"{path} is something else than a file")


def _read(path, data):
    """What `open_weights` gives. ValueError for a bad file, TypeError for what NumPy has not."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise ValueError(f"it has {len(data):,} bytes, too few for its header")
    if data[8:9] != b"{":
        raise ValueError("its header does not begin with a brace")
    if length > MOST_BYTES:
        raise ValueError(f"its header has {length:,} bytes, and may have {MOST_BYTES:,}")
    header = parse_json(bytes(data[8 : 8 + length]))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(x, str) for x in metadata.values()):
        raise ValueError("its __metadata__ is no table of text")
    for name, entry in header.items():
        _check_entry(name, entry)
    numbers = data[8 + length :]
    _check_places(header, len(numbers))
    entries = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        place = f"{path}: entry {shorten(name)}"
        entries[name] = StoredArray(
            place, entry["dtype"], tuple(entry["shape"]), numbers[start:end]
        )
    return entries, metadata


def _check_entry(name, entry):
    """ValueError unless the entry of the header is well-formed, and its size that of its shape."""
    named = f"entry {shorten(name)}"
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{named} has not a dtype, a shape and data_offsets: {shorten(entry)}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or not _are_sizes(shape):
        raise ValueError(f"{named} has no dtype and shape, but {shorten(dtype)}, {shorten(shape)}")
    if dtype not in _NUMPY:
        raise TypeError(f"{named} of dtype {shorten(dtype)[1:-1]} cannot be a NumPy array")
    if len(shape) > _MOST_AXES:
        raise TypeError(f"{named} of dtype {dtype} cannot be a NumPy array: {len(shape)} axes")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{named} has no start and end, but {shorten(offsets)}")
    size = math.prod(shape) * np.dtype(_NUMPY[dtype]).itemsize
    if offsets[1] - offsets[0] != size:
        raise ValueError(
            f"{named} of dtype {dtype} and shape {shorten(shape)} needs {shorten(size)} bytes, "
            f"and its data_offsets are {offsets}"
        )


def _are_sizes(numbers):
    """Whether this is a list of integers that an array's length or a file's place can be."""
    return isinstance(numbers, list) and all(type(n) is int and 0 <= n < 2**48 for n in numbers)


def _check_places(header, length):
    """ValueError unless the entries fill `length` bytes: no hole, and none on another."""
    position, before = 0, "the header"
    places = sorted((*entry["data_offsets"], name) for name, entry in header.items())
    for start, end, name in places:
        if start != position:
            what = "a hole" if start > position else "an overlap"
            raise ValueError(f"there is {what} between {shorten(before)} and {shorten(name)}")
        position, before = end, name
    if position != length:
        raise ValueError(f"its arrays have {position:,} bytes, and it has {length:,} for them")


_SIGNATURES = {
    b"PK\3\4": "a zip archive: PyTorch's .pt or .bin, Keras's .keras or NumPy's .npz",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file: Keras's .h5",
    b"\x93NUMPY": "NumPy's .npy",
    b"\x80": "a pickle, perhaps an old .pt; such a file can run any code, and minigrad opens none",
    b"\x1f\x8b": "a gzipped file",
    b"GGUF": "a GGUF file",
    b"version https://git-lfs": "a Git LFS pointer, in the place of a file that was not downloaded",
    b"<": "a web page, in the place of a file that was not downloaded",
}


def _diagnose(start):
    """What is wrong with a file that begins with the bytes `start` and cannot be read."""
    for signature, kind in _SIGNATURES.items():
        # A safetensors file begins with 8 bytes of any value, the length of a header in braces.
        if start.startswith(signature) and start[8:9] != b"{":
            return f"is not a safetensors file. It looks like {kind}"
    return "is damaged, incomplete, or not a safetensors file"


# ---- Writing -------------------------------------------------------------------------------------


def parts_of_file(arrays, metadata):
    """What a file of {name: array} and {text: text} is made of: its header, and the arrays.

    To be written one after the other. The header has the names in the order given; of the arrays
    the widest come first, so that each begins where its dtype may lie. ValueError for what the
    format cannot hold.
    """
    arrays = {name: _storable(name, array) for name, array in arrays.items()}
    in_file = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    ends = dict(zip(in_file, accumulate(arrays[name].nbytes for name in in_file)))
    header = {"__metadata__": metadata} if metadata else {}
    for name, array in arrays.items():
        header[name] = {
            "dtype": _WRITTEN[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [ends[name] - array.nbytes, ends[name]],
        }
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    check_size(text)
    return [len(text).to_bytes(8, "little"), text, *(arrays[name] for name in in_file)]


def _storable(name, array):
    """`array` little-endian and in C order."""
    if not isinstance(name, str) or name == "__metadata__":
        raise ValueError(f"an entry's name is text, and not '__metadata__'. Received: {name!r}")
    if not isinstance(array, np.ndarray):
        raise ValueError(f"entry {name!r} must be a NumPy array. Received: {type(array).__name__}")
    if array.dtype.name not in _WRITTEN:
        raise ValueError(
            f"entry {name!r} must have one of the dtypes {', '.join(DTYPES)}. "
            f"Received: {array.dtype}"
        )
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")
