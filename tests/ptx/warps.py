"""What the 32 threads of a warp do together: each hands the others a number."""

import numpy as np

from . import memory

WARP = 32
NUMBERS = np.arange(WARP)
ROW, COLUMN = NUMBERS // 4, NUMBERS % 4  # of a lane in a fragment of mma


class WarpError(AssertionError):
    """Threads that an instruction is for are elsewhere."""


def shuffle(way, value, b, c, lane, asked):
    """shfl.sync   value, b, c (n, 32) -> values of the lanes they come from, and whether these are

    Of b, which lane or how far away, the five last bits count. Those of c say among how many
    neighbours a lane looks, and where it stops.   asked (n, 32, 32), by `groups`
    """
    b, clamp, segment = b & 31, c & 31, c >> 8 & 31
    most, least = lane & segment | clamp & ~segment, lane & segment
    source = {
        "bfly": lambda: lane ^ b,
        "up": lambda: lane - b,
        "down": lambda: lane + b,
        "idx": lambda: least | b & ~segment,
    }[way]()
    is_inside = source >= most if way == "up" else source <= most
    source = np.where(is_inside, source, lane)
    is_asked = np.take_along_axis(asked, source[..., None], 2)[..., 0]
    if not is_asked[asked.any(axis=2)].all():
        raise WarpError("a lane is asked for its number that is elsewhere, or not in the mask")
    return np.take_along_axis(value, source, 1), is_inside


def groups(mask, is_here, exists):
    """Which lanes are together in an instruction for those of a mask   (n, 32) -> (n, 32, 32)

    mask, is_here   of each lane, and whether it has come to the instruction
    exists          whether the block has such a thread: others are not waited for
                    (those that have ended are, though the manual would go on without them)
    WarpError unless each lane is in its mask, and all lanes of a mask are here with the same.
    """
    named = (mask[..., None] >> NUMBERS.astype(np.uint32) & 1).astype(np.bool_)
    named &= is_here[..., None] & exists[:, None]
    if (named & ~(is_here[:, None] & (mask[..., None] == mask[:, None]))).any():
        raise WarpError("not all lanes come to it that it is for, or their masks differ")
    if not named[:, NUMBERS, NUMBERS][is_here].all():
        raise WarpError("a lane comes to it that is not in its mask")
    return named


def ballot(is_true, asked):
    """vote.sync.ballot   (n, 32) -> (n, 32): a bit for each lane that is asked and says yes"""
    bits = np.where(is_true[:, None] & asked, np.uint32(1) << NUMBERS.astype(np.uint32), 0)
    return np.bitwise_or.reduce(bits.astype(np.uint32), axis=2)


def matrices(rows):
    """ldmatrix.x4   the 16 bytes at each lane's address, (n, 32, 4) -> a register of each of 4

    Lanes 8 i to 8 i + 7 have the addresses of matrix i; lane l gets the number (l/4, l mod 4).
    """
    return [rows[:, 8 * i + ROW, COLUMN] for i in range(4)]


def product(a, b, c):
    """mma.m16n8k8 of tf32: C + A B   a 4, b 2, c 4 registers (n, 32) -> 4 registers

    Of a number the 13 last bits are not looked at.
    """
    n = len(c[0])
    whole_a, whole_b, whole_c = np.empty((n, 16, 8)), np.empty((n, 8, 8)), np.empty((n, 16, 8))
    for i, register in enumerate(a):  # (row, column) of A: the lane's, and 8 and 4 further
        whole_a[:, ROW + 8 * (i % 2), COLUMN + 4 * (i // 2)] = _tf32(register)
    for i, register in enumerate(b):
        whole_b[:, COLUMN + 4 * i, ROW] = _tf32(register)
    places = [(ROW + 8 * (i // 2), 2 * COLUMN + i % 2) for i in range(4)]
    for place, register in zip(places, c):
        whole_c[:, *place] = register
    whole_c += whole_a @ whole_b
    return [whole_c[:, *place].astype(np.float32) for place in places]


def _tf32(bits):
    return (bits & np.uint32(0xFFFFE000)).view(np.float32)


class Copies:
    """Copies from global to shared memory that are on their way: cp.async.

    Each thread counts its groups. What it has not waited for has not arrived, here.
    """

    def __init__(self, threads):
        self.groups, self.flying = np.zeros(threads, np.int64), []

    def start(self, lanes, places, numbers):
        """Numbers (n, 16 bytes) of lanes to places in shared memory, with their next commit."""
        self.flying.append((lanes, self.groups[lanes], places, numbers))

    def commit(self, lanes):
        """What these lanes have started is a group."""
        self.groups[lanes] += 1

    def wait(self, lanes, left):
        """All groups of these lanes arrive but the last `left`."""
        is_waiting = np.zeros(len(self.groups), np.bool_)
        is_waiting[lanes] = True
        still = []
        for its, groups, (bytes_of, offsets), numbers in self.flying:
            arrives = is_waiting[its] & (groups < self.groups[its] - left)
            memory.write([(bytes_of, offsets[arrives], slice(None))], numbers[arrives])
            if not arrives.all():
                rest = ~arrives
                still.append((its[rest], groups[rest], (bytes_of, offsets[rest]), numbers[rest]))
        self.flying = still
