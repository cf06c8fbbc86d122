"""Batches: the rows of several arrays, a few at a time."""

import math

from .. import random


class Batches:
    """Iterates over batches (x, y, ...) of rows.   arrays (n, ...) -> tuples of (b, ...)

    batch_size  b; the last batch may have fewer rows
    shuffle     a new order in every iteration, from minigrad.random
    """

    def __init__(self, *arrays, batch_size=32, shuffle=False):
        if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__") or batch_size < 1:
            raise ValueError(f"batch_size is an integer from 1 up. Received: {batch_size=}")
        lengths = [len(a) for a in arrays]
        if len(set(lengths)) != 1:
            raise ValueError(f"arrays to be batched differ in their number of rows: {lengths}")
        self.arrays = arrays
        self.n = lengths[0]
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self):
        return math.ceil(self.n / self.batch_size)

    def __iter__(self):
        order = random.generator().permutation(self.n) if self.shuffle else None
        for start in range(0, self.n, self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield tuple(a[rows if order is None else order[rows]] for a in self.arrays)
