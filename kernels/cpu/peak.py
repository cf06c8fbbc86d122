"""The most that this machine can do: the tile of `simd`, and a copy, over and over."""

from .compilation import integer, jit, read, write
from .loops import share
from .simd import TILE, lanes, load_until, store_until, tile
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
