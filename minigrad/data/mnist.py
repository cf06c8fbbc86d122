"""MNIST: 70,000 handwritten digits, each 28x28 pixels, from four files of your own.

Y. LeCun, C. Cortes and C. Burges made the data set and the file format, IDX, which others, such as
Fashion-MNIST, have taken up together with the names of the files.
"""

import gzip
import math
import struct
import zlib

import numpy as np

from .files import find

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def load_data(path=None):
    """((x_train, y_train), (x_test, y_test)): 60,000 images with labels, and 10,000 to test on.

    path  the folder in or below which the four files lie, gzipped or not; by default MINIGRAD_DATA

    x: uint8 (n, 28, 28), from 0 (paper) to 255 (ink).   y: uint8 (n,), 0 to 9.
    FileNotFoundError names the missing files.
    """
    spellings = [(name, name.replace("-idx", ".idx")) for name in FILES]
    train_images, train_labels, test_images, test_labels = find(spellings, path)
    return _pair(train_images, train_labels), _pair(test_images, test_labels)


def _pair(images_file, labels_file):
    images, labels = read_idx(images_file), read_idx(labels_file)
    for file, array, ndim in ((images_file, images, 3), (labels_file, labels, 1)):
        if array.ndim != ndim or array.dtype != np.uint8:
            raise ValueError(
                f"{file} must hold uint8 in {ndim} axes. Received: {array.dtype} {array.shape}"
            )
    if len(images) != len(labels):
        raise ValueError(
            f"{images_file} has {len(images)} images, but {labels_file} has {len(labels)} labels"
        )
    return images, labels


# An IDX file: two zero bytes, the code of a dtype, the number of axes; the length of each axis in
# four bytes; then the values. All numbers have their most significant byte first.
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(file):
    """The array in an IDX file, gzipped or not, in the byte order of this machine.

    A ValueError names the file and what is wrong with it. What the header announces is believed
    only as far as the bytes come, so a false header does not fill the memory.
    """
    with open(file, "rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        try:
            return _parse(gzip.open(stream) if zipped else stream)
        except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            kind = "gzipped IDX" if zipped else "IDX"
            raise ValueError(f"{file} is not an intact {kind} file: {error}") from error


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
