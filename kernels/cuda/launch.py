"""How a kernel is started: how many threads and blocks, and the types of its arguments.

    softmax.LAUNCHES["online"](run, x, p)

`run(kernel, grid, block, *arguments)` starts a kernel: `simulator.launch`, or what a GPU has for
it. Arrays lie in rows without gaps, and begin at a multiple of 16 bytes.
"""

from typing import NamedTuple

from numba import boolean, float32, int64, uint64

VECTOR, MATRIX, HEADS = float32[::1], float32[:, ::1], float32[:, :, :, ::1]
INDICES, MASK = int64[::1], boolean[:, ::1]
NUMBER, INTEGER, KEY = float32, int64, uint64
BUSY = 256  # blocks that keep a GPU busy: two for each multiprocessor, of which large ones have 132
MOST_BLOCKS = 2**31 - 1, 65535, 65535  # of a grid: x, y, z
TARGETS = ((7, 5), (8, 0), (9, 0, "a"))  # T4; A100; H100 and H200


class Launch(NamedTuple):
    """A kernel, and what it takes to start it.

    kernel     a plain function
    block      how many threads a block has: x, y
    grid       how many blocks it takes: a function of the kernel's arguments
    signature  the types of these
    targets    the kinds of GPU that it is compiled for in tests, by their compute capability: one
               for (7, 5) runs on all from 7.5 on; one for (9, 0, "a") on 9.0 alone, as it has
               instructions that no other kind has
    """

    kernel: object
    block: tuple
    grid: object
    signature: tuple
    targets: tuple = TARGETS

    def __call__(self, run, *arguments):
        self.kernel.targets = self.targets  # for a card, which is handed the kernel alone
        return run(self.kernel, self.grid(*arguments), self.block, *arguments)


def named(*launches):
    """{name: Launch}"""
    return {launch.kernel.__name__: launch for launch in launches}


# ---- The kinds of GPU ----------------------------------------------------------------------------


def name_of(target):
    """What compilers call a kind of GPU: sm_80, sm_90a."""
    return "sm_" + "".join(map(str, target))


def runs_on(targets, capability):
    """Whether a kernel for these targets runs on a GPU of a compute capability, such as (9, 0)."""
    return any(
        capability == target[:2] if len(target) > 2 else capability >= target for target in targets
    )


def in_words(targets):
    """The compute capability that a kernel for these targets asks for: "8.0 or newer"."""
    plain = [target for target in targets if len(target) == 2]
    alone = [target for target in targets if len(target) > 2 and not runs_on(plain, target[:2])]
    words = [f"{major}.{minor} and no other" for major, minor, _ in alone]
    if plain:
        words.append("{}.{} or newer".format(*min(plain)))
    return ", or ".join(words)


# ---- Grids ---------------------------------------------------------------------------------------


def rows(each, argument=0):
    """Blocks that take `each` rows of an argument."""
    return lambda *arguments: (-(-arguments[argument].shape[0] // each),)


def columns(each, argument=0):
    """Blocks that take `each` columns of an argument."""
    return lambda *arguments: (-(-arguments[argument].shape[1] // each),)


def rows_of_heads(each, argument=0):
    """Blocks that take `each` rows, of all heads and examples of an argument (b, h, t, d)."""

    def grid(*arguments):
        examples, heads, count, _ = arguments[argument].shape
        return -(-count // each), heads, examples

    return grid


def numbers(each, argument=0):
    """Blocks that take `each` numbers of an argument."""
    return lambda *arguments: (-(-arguments[argument].size // each),)


def of_width(launches, name, width):
    """The least wide kernel that will do, of some made for different widths: forward_32, ..."""
    widths = [int(key.rpartition("_")[2]) for key in launches if key.startswith(f"{name}_")]
    enough = [each for each in widths if each >= width]
    if not enough:
        raise ValueError(f"{name} takes at most {max(widths)} features. Received: {width}")
    return launches[f"{name}_{min(enough)}"]
