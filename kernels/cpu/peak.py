"""The most that this machine can do: the tile of `simd`, a copy and a look, over and over."""

from functools import cache
from time import perf_counter

import numpy as np

from .compilation import integer, jit, read, write
from .loops import share
from .simd import (
    TILE,
    broadcast,
    lanes,
    lanes_of,
    load,
    load_until,
    store,
    store_until,
    tile,
)
from .threads import threaded

_tile = tile(*TILE)


@jit
def repeat_tile(a: read(2), b: read(2), c: write(2), times: integer):
    """C = A B, `times` times   (rows, k), (k, columns), (rows, columns), in the size of the tile"""
    k = a.shape[1]
    columns = TILE[1] * lanes(a)
    for _ in range(times):
        _tile(a, 0, k, 1, b, 0, columns, c, 0, columns, k)


@threaded
def repeat_copy(x: read(1), y: write(1), times: integer, part: integer, parts: integer):
    """y = x, `times` times   (n,), (n,)"""
    for _ in range(times):
        for i in range(*share(x.size, part, parts, lanes(x))):
            store_until(y, i, x.size, load_until(x, i, x.size, 0))


@threaded
def repeat_read(x: read(1), y: write(2), times: integer, part: integer, parts: integer):
    """Add up all of x, `times` times   (n,), (parts, lanes);  four stretches of it side by side"""
    step = lanes(x)
    first, end, _ = share(x.size // 4, part, parts, step)
    quarter = x.size // 4 // step * step
    for _ in range(times):
        sums = broadcast(x, 0)
        for i in range(first, end - step + 1, step):
            near = load(x, i) + load(x, i + quarter)
            sums = sums + (near + (load(x, i + 2 * quarter) + load(x, i + 3 * quarter)))
        store(y, part * step, sums)


@cache
def of_one_core(tries=20, products=2000, k=128):
    """GFLOP/s of one core with float32 from its first cache, the best of some tries."""
    rows, columns = TILE[0], TILE[1] * lanes_of("float32")
    a, b, c = (np.ones(shape, np.float32) for shape in [(rows, k), (k, columns), (rows, columns)])
    kernel = repeat_tile["float32"]
    seconds = fastest(tries, lambda: kernel(a, b, c, products))
    return 2 * rows * columns * k * products / seconds / 1e9


def fastest(tries, call):
    """The seconds of the fastest of some calls, after one that does not count."""
    call()
    seconds = []
    for _ in range(tries):
        start = perf_counter()
        call()
        seconds.append(perf_counter() - start)
    return min(seconds)
