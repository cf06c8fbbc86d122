"""Batches: the rows of several arrays, a few at a time."""

import math
import zlib

import numpy as np

from .. import random
from ..registry import check_integer, describe
from .columns import rectangular
from .named import arrays_in, map_arrays, with_names


class Batches:
    """Iterates over batches (x, y, ...) of rows.   arrays (n, ...) -> tuples of (b, ...)

    arrays      each an array, or a dict of arrays by name, of which batches are dicts too
    batch_size  b; the last batch may have fewer rows
    shuffle     a new order in every iteration, from minigrad.random
    augment     a function of (x, generator) that gives another x of that shape, such as
                data.ImageAugmentation: the first array of each batch passes through it, with a
                NumPy generator made for that batch
    """

    def __init__(self, *arrays, batch_size=32, shuffle=False, augment=None):
        batch_size = check_integer("batch_size", batch_size)
        if augment is not None and not callable(augment):
            raise ValueError(f"augment is a function of (x, generator). Received: {augment=}")
        arrays = tuple(map_arrays(_as_array, given, f"array {i}") for i, given in enumerate(arrays))
        if any(len(a.shape) == 0 for a in arrays_in(arrays)):
            raise ValueError(f"arrays to be batched have one row per example. Received: {arrays}")
        lengths = [len(a) for a in arrays_in(arrays)]
        if len(set(lengths)) != 1:
            raise ValueError(f"arrays to be batched differ in their number of rows: {lengths}")
        self.arrays = arrays
        self.n = lengths[0]
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.augment = augment

    def __len__(self):
        return math.ceil(self.n / self.batch_size)

    def __iter__(self):
        return self.iterate()

    def iterate(self, start=0):
        """The batches of one iteration from number `start` on.

        Whatever is random is drawn in this call, so with minigrad.random as it was before an
        iteration, the rest of that iteration comes again, in whatever thread it is used.
        """
        order = random.generator().permutation(self.n) if self.shuffle else None
        key = random.key() if self.augment is not None else None
        return self._batches(start, order, key)

    def _batches(self, start, order, key):
        for i in range(start, len(self)):
            rows = slice(i * self.batch_size, (i + 1) * self.batch_size)
            if order is not None:
                rows = order[rows]
            x, *others = [map_arrays(_take, given, rows) for given in self.arrays]
            if self.augment is not None:
                x = self.augment(x, np.random.Generator(np.random.Philox(key=[key, i])))
            yield (x, *others)

    def describe(self):
        """What would make other batches, as {name: text}: a checksum of the arrays among it."""
        checksum = 0
        for a in arrays_in(self.arrays):
            checksum = zlib.crc32(np.ascontiguousarray(a).data.cast("B"), checksum)
        described = [
            f"{name} {a.dtype} {a.shape}".lstrip()
            for given in self.arrays
            for name, a in with_names("", given).items()
        ]
        return {
            "arrays": ", ".join(described),
            "checksum of the data": f"{checksum:08x}",
            "batch_size": str(self.batch_size),
            "shuffle": str(self.shuffle),
            "augment": describe(self.augment),
        }


def _as_array(a, name):
    return a if hasattr(a, "shape") else rectangular(name, a)


def _take(a, rows):
    """a[rows], a slice or an array of indices.   (n, ...) -> (b, ...)"""
    if isinstance(a, np.ndarray) and isinstance(rows, np.ndarray):
        return a.take(rows, axis=0)  # a quarter faster than a[rows]
    return a[rows]
