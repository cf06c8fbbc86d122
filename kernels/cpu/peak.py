"""The most that this machine can do: the tile of `simd`, a copy and a look, over and over."""

from .compilation import integer, jit, read, write
from .loops import share
from .simd import TILE, broadcast, lanes, load, load_until, store, store_until, tile
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
