"""IDX, the file format of MNIST: an array of any number of axes.

Described by its authors, Y. LeCun, C. Cortes and C. Burges, with "The MNIST database of handwritten
digits": two zero bytes, the code of a dtype, the number of axes; the length of each axis in four
bytes; then the values. All numbers have their most significant byte first.
"""

import math
import struct

import numpy as np

from .files import unzipped

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(file):
    """The array in an IDX file, gzipped or not, in the byte order of this machine.

    A ValueError names the file and what is wrong with it. What the header announces is believed
    only as far as the bytes come, so a false header does not fill the memory.
    """
    with unzipped(file, "IDX file") as stream:
        return _parse(stream)


def _parse(stream):
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise ValueError(f"it should begin with two zero bytes and two more. Received: {magic}")
    code, ndim = magic[2:]
    if code not in _DTYPES:
        known = ", ".join(f"0x{known:02x}" for known in _DTYPES)
        raise ValueError(f"its dtype should be one of {known}. Received: 0x{code:02x}")
    lengths = stream.read(4 * ndim)
    if len(lengths) < 4 * ndim:
        raise ValueError(f"{4 * ndim} bytes of axis lengths expected. Received: {len(lengths)}")
    shape = struct.unpack(f">{ndim}I", lengths)

    dtype = np.dtype(_DTYPES[code])
    expected = math.prod(shape) * dtype.itemsize
    data = _read(stream, expected + 1)
    if len(data) != expected:
        came = f"{len(data)}" if len(data) < expected else "more"
        raise ValueError(f"shape {shape} of {dtype} needs {expected} bytes. Received: {came}")
    return np.frombuffer(data, dtype).astype(dtype.newbyteorder("="), copy=False).reshape(shape)


def _read(stream, size):
    """`size` bytes, or as many as there are, in memory that grows with what has come."""
    data = bytearray()
    while len(data) < size and (piece := stream.read(min(size - len(data), 2**20))):
        data += piece
    return data
