"""The most that one core can do: the tile of `simd`, over and over, on what its cache holds."""

from .compilation import integer, jit, read, write
from .simd import TILE, lanes, tile

_tile = tile(*TILE)


@jit
def repeat_tile(a: read(2), b: read(2), c: write(2), times: integer):
    """C = A B, `times` times   (rows, k), (k, columns), (rows, columns), in the size of the tile"""
    k = a.shape[1]
    columns = TILE[1] * lanes(a)
    for _ in range(times):
        _tile(a, 0, k, 1, b, 0, columns, c, 0, columns, k)
