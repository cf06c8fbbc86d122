"""The gradient of a look-up on a GPU: rows of g are added to the rows that they were copies of.

    by_update   a thread for each number of g, which updates the total in one step (atomic): the sum
                is right, but made in an order that nobody knows, so bits change from run to run
    by_owner    a warp owns a row of the total, looks for its number among the indices, 32 at once,
                and adds what it finds in order; no other warp comes near

total[indexᵢ] = Σ gᵢ:  index (n,) int64, g (n, d), total (rows, d). A negative index counts from the
end; one beyond either end is left out. `by_update` adds to a total of zeros, `by_owner` makes it
anew. `LAUNCHES` says how each is started.
"""

from numba import cuda, float32

from .launch import INDICES, MATRIX, Launch, named, rows
from .reduction import ALL_LANES, WARP, WARPS


@cuda.jit(device=True, inline="always")
def from_start(index, count):
    """The same index counted from the start."""
    return index if index >= 0 else index + count


def by_update(index, g, total):
    """total[indexᵢ] += gᵢ"""
    i, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = i < index.size
    if is_inside:
        row = from_start(index[i], total.shape[0])
        is_row = row >= 0 and row < total.shape[0]
        if is_row:
            for column in range(lane, total.shape[1], WARP):
                cuda.atomic.add(total, (row, column), g[i, column])


def by_owner(index, g, total):
    """The lanes that have found the number of the row are bits, which are taken one by one."""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < total.shape[0]
    if is_inside:
        for column in range(lane, total.shape[1], WARP):
            total[row, column] = float32(0)
        for first in range(0, index.size, WARP):
            i = first + lane
            is_found = i < index.size and from_start(index[i], total.shape[0]) == row
            # Lane 31 is the sign of these bits, and a negative number never shrinks to 0.
            found = cuda.ballot_sync(ALL_LANES, is_found) & ALL_LANES
            i = first
            while found != 0:
                if found & 1:
                    for column in range(lane, total.shape[1], WARP):
                        total[row, column] += g[i, column]
                found >>= 1
                i += 1


_SIGNATURE = INDICES, MATRIX, MATRIX
LAUNCHES = named(
    Launch(by_update, (WARP, WARPS), rows(WARPS), _SIGNATURE),
    Launch(by_owner, (WARP, WARPS), rows(WARPS, argument=2), _SIGNATURE),
)
