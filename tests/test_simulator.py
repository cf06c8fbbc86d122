"""The simulator finds what is wrong with a kernel, names it, and raises no false alarm."""

import inspect
import linecache
from typing import NamedTuple

import numpy as np
import pytest

from kernels import reference, simulator
from kernels.cuda import matmul

ORDERS = pytest.mark.parametrize("order", simulator.ORDERS)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def fault(kernel, grid, block, *arguments, order="forward"):
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(kernel, grid, block, *arguments, order=order)
    return caught.value


# ---- Seeded bugs ---------------------------------------------------------------------------------


class Bug(NamedTuple):
    """A mistake that is made in a right kernel, and how the simulator must name it."""

    function: str  # of the module
    old: str  # what stands there, once
    new: str  # what takes its place
    kind: str
    array: str | None
    lines: tuple  # a part of each line that is named, in any order
    shape: tuple = (18, 19, 20)  # m, k, n
    kernel: str = ""  # that is launched, if it is another function


BARRIER = "        cuda.syncthreads()\n"
RACE, BOUNDS, UNWRITTEN = "data race", "out of bounds", "uninitialised"
DIVERGENT, MISALIGNED = "divergent barrier", "misaligned"
BUGS = {
    # One element for each thread
    "no guard for columns": Bug(
        *("naive", " and column < c.shape[1]", "", BOUNDS, "b", ["b[k, column]"])
    ),
    "guard is off by one": Bug(
        *("naive", "row < c.shape[0]", "row <= c.shape[0]", BOUNDS, "a", ["a[row, k]"])
    ),
    "one product too many": Bug(
        *("naive", "range(a.shape[1])", "range(a.shape[1] + 1)", BOUNDS, "a", ["a[row, k]"])
    ),
    "A is read the wrong way round": Bug(
        *("naive", "a[row, k]", "a[k, row]", BOUNDS, "a", ["a[k, row]"])
    ),
    "C is written the wrong way round": Bug(
        *("naive", "c[row, column] =", "c[column, row] =", BOUNDS, "c", ["c[column, row] ="])
    ),
    "blocks overlap": Bug(
        *("coalesced", "blockIdx.x * SIDE", "blockIdx.x * (SIDE - 1)", RACE, "c"),
        ["c[row, column] =", "c[row, column] ="],
    ),
    "two threads, one element": Bug(
        *("coalesced", "c[row, column] =", "c[row, column // 2] =", RACE, "c"),
        ["c[row, column // 2] =", "c[row, column // 2] ="],
    ),
    "a sum in global memory": Bug(
        *("coalesced", "c[row, column] = total", "c[row, 0] += total", RACE, "c"),
        ["c[row, 0] += total", "c[row, 0] += total"],
    ),
    # Tiles in shared memory
    "no barrier before tiles are used": Bug(
        *("tiled", f"{BARRIER}        for i", "        for i", RACE, "a_tile"),
        ["a_tile[y, x] =", "total +="],
    ),
    "no barrier after tiles were used": Bug(
        *("tiled", f"b_tile[i, x]\n{BARRIER}", "b_tile[i, x]\n", RACE, "a_tile"),
        ["a_tile[y, x] =", "total +="],
    ),
    "a barrier in a condition": Bug(
        *(
            "tiled",
            f"{BARRIER}        for i",
            f"        if row < c.shape[0]:\n    {BARRIER}        for i",
        ),
        *(DIVERGENT, None, ["cuda.syncthreads()", "cuda.syncthreads()"]),
    ),
    "some threads leave early": Bug(
        *("tiled", "    for k in", "    if column >= c.shape[1]:\n        return\n    for k in"),
        *(DIVERGENT, None, ["cuda.syncthreads()"]),
    ),
    "some threads have fewer turns": Bug(
        *("tiled", "range(0, a.shape[1], SIDE)", "range(0, a.shape[1] - y // 8 * SIDE, SIDE)"),
        *(DIVERGENT, None, ["cuda.syncthreads()"]),
    ),
    "a loop leaves its tile": Bug(
        *("tiled", "for i in range(SIDE)", "for i in range(SIDE + 1)", BOUNDS, "a_tile"),
        ["total +="],
    ),
    "a tile is too narrow": Bug(
        *("tiled", "a_tile = cuda.shared.array((SIDE, SIDE)"),
        *("a_tile = cuda.shared.array((SIDE, SIDE - 1)", BOUNDS, "a_tile", ["a_tile[y, x] ="]),
    ),
    "elements beyond the edge are left out": Bug(
        *(
            "tiled",
            "        a_tile[y, x] =",
            "        if k + x < a.shape[1]:\n            a_tile[y, x] =",
        ),
        *(UNWRITTEN, "a_tile", ["total +="], (18, 7, 20)),
    ),
    "a tile is fetched without a guard": Bug(
        *("tiled", "element(b, k + y, column)", "b[k + y, column]", BOUNDS, "b"),
        ["b_tile[y, x] = b[k + y, column]"],
    ),
    "columns of a tile collide": Bug(
        *("tiled", "a_tile[y, x] =", "a_tile[y, x // 2] =", RACE, "a_tile"),
        ["a_tile[y, x // 2] =", "a_tile[y, x // 2] ="],
    ),
    "a tile that is no tile": Bug(
        *("tiled", "a_tile = cuda.shared", "a_tile = cuda.local", UNWRITTEN, "a_tile"),
        ["total +="],
    ),
    "C without a guard": Bug(
        *("tiled", "    if is_inside:\n        c", "    c", BOUNDS, "c", ["c[row, column] ="])
    ),
    "the guard of the helper is off by one": Bug(
        *("element", "row < x.shape[0]", "row <= x.shape[0]", BOUNDS, "a"),
        *(["return x[row, column]"], (5, 16, 20), "tiled"),
    ),
    # Tiles in registers
    "sums that do not begin at 0": Bug(
        *("register_tiled", "            total[i, j] = float32(0)", "            pass"),
        *(UNWRITTEN, "total", ["total[i, j] +="]),
    ),
    "a part of a tile is not fetched": Bug(
        *("register_tiled", "        for i in range(EACH):\n            a_tile"),
        *("        for i in range(EACH - 1):\n            a_tile", UNWRITTEN, "a_tile"),
        ["a_part[i] ="],
    ),
    "a stride is too small": Bug(
        *("register_tiled", "a_tile[y + i * SIDE, x] =", "a_tile[y + i * (SIDE - 1), x] ="),
        *(RACE, "a_tile", ["a_tile[y + i", "a_tile[y + i"]),
    ),
    "registers without a barrier": Bug(
        *("register_tiled", f"{BARRIER}        for inner", "        for inner", RACE, "a_tile"),
        ["a_tile[y + i * SIDE, x] =", "a_part[i] ="],
    ),
    "rows of B for columns": Bug(
        *("register_tiled", "b_tile[inner, x + i * SIDE]", "b_tile[x + i * SIDE, inner]"),
        *(BOUNDS, "b_tile", ["b_part[i] ="]),
    ),
    "one column to the right": Bug(
        *("register_tiled", "column + j * SIDE] = total", "column + j * SIDE + 1] = total"),
        *(BOUNDS, "c", ["c[row + i"]),
    ),
    # Four numbers at once
    "alignment is taken for granted": Bug(
        *("four_elements", "x.shape[1] % 4 == 0", "True", MISALIGNED, "a"),
        *(["load4(x, (row, column))"], (18, 9, 20), "vectorised"),
    ),
    "groups of four overlap": Bug(
        *("vectorised", "thread % 32 * 4", "thread % 32 * 2", MISALIGNED, "b_tile"),
        *(["store4(b_tile"], (18, 7, 19)),
    ),
    "rows of four collide": Bug(
        *("vectorised", "thread // 2, thread", "thread // 4, thread", RACE, "a_tile"),
        *(["a_tile[column + i, row] =", "a_tile[column + i, row] ="], (18, 7, 20)),
    ),
    "four too far": Bug(
        *("vectorised", "group * EDGE + y * 4", "group * EDGE + y * 8", BOUNDS, "a_tile"),
        ["a_four = load4"],
    ),
    "four without a barrier": Bug(
        *("vectorised", f"{BARRIER}        for inner", "        for inner", RACE, "a_tile"),
        *(["a_tile[column + i, row] =", "a_four = load4"], (18, 7, 20)),
    ),
}


def with_bug(name):
    """The module `kernels.cuda.matmul` with a mistake in it, whose lines can be read."""
    bug = BUGS[name]
    function = getattr(matmul, bug.function)
    right = inspect.getsource(getattr(function, "py_func", function))
    assert right.count(bug.old) == 1, f"{bug.old!r} is there {right.count(bug.old)} times"
    text = inspect.getsource(matmul).replace(right, right.replace(bug.old, bug.new))
    file = f"<{name}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    names = {"__name__": matmul.__name__, "__package__": matmul.__package__}
    exec(compile(text, file, "exec"), names)
    return names["LADDER"][bug.kernel or bug.function]


@ORDERS
@pytest.mark.parametrize("name", BUGS)
def test_a_seeded_bug_is_named(name, order):
    bug, rung = BUGS[name], with_bug(name)
    m, k, n = bug.shape
    a, b, c = normal(m, k), normal(k, n), np.zeros((m, n), np.float32)
    found = fault(rung.kernel, rung.grid(c), rung.block, a, b, c, order=order)
    assert (found.kind, found.array) == (bug.kind, bug.array), str(found)
    lines = [access.site.text for access in found.accesses]
    assert len(lines) == len(bug.lines), str(found)
    for part in bug.lines:
        lines.remove(next((line for line in lines if part in line), f"no line has {part}"))


@ORDERS
@pytest.mark.parametrize("name", matmul.LADDER)
@pytest.mark.parametrize("shape", [(1, 1, 1), (18, 19, 20), (33, 7, 35)])
def test_right_kernels_are_right_and_raise_no_alarm(name, shape, order):
    m, k, n = shape
    rung = matmul.LADDER[name]
    a, b, c = normal(m, k), normal(k, n, seed=1), np.full((m, n), np.nan, np.float32)
    simulator.launch(rung.kernel, rung.grid(c), rung.block, a, b, c, order=order)
    np.testing.assert_allclose(c, reference.matmul(a, b), rtol=1e-5, atol=1e-5)
