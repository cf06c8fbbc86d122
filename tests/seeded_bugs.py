"""Mistakes that are made on purpose in right kernels, and how the simulator must name each."""

import functools
import inspect
import linecache
from typing import NamedTuple

import numpy as np

from kernels import simulator
from kernels.cuda import matmul, normalization, softmax


class Bug(NamedTuple):
    """A mistake that is made in a right kernel, and how the simulator must name it."""

    function: str  # in which it is made
    old: str  # what stands there, once
    new: str  # what takes its place
    kind: str
    array: str | None
    lines: tuple  # a part of each line that is named, in any order
    shape: tuple = (18, 19, 20)  # m, k, n, or n, d
    kernel: str = ""  # that is launched, if it is another function
    module: object = matmul


BARRIER = "        cuda.syncthreads()\n"
RACE, BOUNDS, UNWRITTEN = "data race", "out of bounds", "uninitialised"
DIVERGENT, MISALIGNED, WAIT = "divergent barrier", "misaligned", "missing wait"
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
    # Copies on their way, and tensor cores
    "no wait for a copy": Bug(
        *("tensor_cores", "        wait_for_copies(1)", "        pass", WAIT, "a_tile"),
        *(["copy_async4(tile", "a_tile[stage, row, column],"], (18, 20, 20)),
    ),
    "the wait is for older copies": Bug(
        *("tensor_cores", "wait_for_copies(1)", "wait_for_copies(2)", WAIT, "a_tile"),
        *(["copy_async4(tile", "a_tile[stage, row, column],"], (18, 20, 20)),
    ),
    "copies are in no group": Bug(
        *("fetch_tiles", "    commit_copies()", "    pass", WAIT, "a_tile"),
        *(["copy_async4(tile", "a_tile[stage, row, column],"], (18, 20, 20), "tensor_cores"),
    ),
    "a wait that no barrier follows": Bug(
        *("tensor_cores", f"{BARRIER}        for inner", "        for inner", RACE, "a_tile"),
        *(["copy_async4(tile", "a_tile[stage, row, column],"], (18, 20, 20)),
    ),
    "a barrier that comes before the wait": Bug(
        *(
            "tensor_cores",
            f"        wait_for_copies(1)  # for all but those ordered last\n{BARRIER}",
        ),
        *(f"{BARRIER}        wait_for_copies(1)\n", RACE, "a_tile"),
        *(["wait_for_copies(1)", "a_tile[stage, row, column],"], (18, 20, 20)),
    ),
    "copies to a tile that is in use": Bug(
        *("tensor_cores", "a_tile, b_tile, 1 - stage,", "a_tile, b_tile, stage,", WAIT, "a_tile"),
        *(["copy_async4(tile", "a_tile[stage, row, column],"], (18, 72, 20)),
    ),
    "no barrier before a tile is used again": Bug(
        *("tensor_cores", f"sums[part]\n{BARRIER}", "sums[part]\n", RACE, "a_tile"),
        *(["copy_async4(tile", "a_tile[stage, row, column],"], (18, 72, 20)),
    ),
    "a tile whose rows are not aligned": Bug(
        *("tensor_cores", "(2, TENSOR_EDGE, A_ROW)", "(2, TENSOR_EDGE, DEEP + 3)", MISALIGNED),
        *("a_tile", ["copy_async4(tile"], (64, 64, 20)),
    ),
    "a warp that leaves the others": Bug(
        *("tensor_cores", "            for y in range(2):\n                row, column = warp_row"),
        "            for y in range(2 - lane // 31):\n                row, column = warp_row",
        *(DIVERGENT, None, ["sums = multiply_tf32", "cuda.syncthreads()"], (18, 20, 20)),
    ),
    # Reductions
    "a row too many": Bug(
        *("by_thread", "row < x.shape[0]", "row <= x.shape[0]", BOUNDS, "x"),
        *(["most = max(most, x[row, i])"], (3, 40), "", softmax),
    ),
    "a maximum without a barrier": Bug(
        *("by_block", "most = block_max(most, shared)", "shared[0] = most\n    most = shared[0]"),
        *(RACE, "shared", ["shared[0] = most", "shared[0] = most"], (3, 40), "", softmax),
    ),
    "too little shared memory": Bug(
        *("by_block", "shared.array(THREADS", "shared.array(THREADS // 2", BOUNDS, "shared"),
        *(["shared[i] = x"], (3, 40), "", softmax),
    ),
    "threads without a number leave": Bug(
        *(
            "by_block",
            "    most = LOWEST\n",
            "    most = LOWEST\n    if first >= x.shape[1]: return\n",
        ),
        *(DIVERGENT, None, ["cuda.syncthreads()"], (3, 40), "", softmax),
    ),
    "lanes without a number leave": Bug(
        *("by_warp", "row < x.shape[0]", "row < x.shape[0] and lane < x.shape[1]"),
        *("undefined lane", None, ["cuda.shfl_xor_sync"], (3, 20), "", softmax),
    ),
    "an exchange in a loop that lanes leave": Bug(
        *("by_warp", "most = max(most, x[row, i])", "most = warp_max(max(most, x[row, i]))"),
        *(DIVERGENT, None, ["cuda.shfl_xor_sync"] * 2, (3, 40), "", softmax),
    ),
    "all rows are written to the first": Bug(
        *("by_warp", "p[row, i] =", "p[0, i] =", RACE, "p"),
        *(["p[0, i] ="] * 2, (3, 40), "", softmax),
    ),
    "blocks have rows in common": Bug(
        *("online", "blockIdx.x * WARPS", "blockIdx.x * (WARPS - 1)", RACE, "p"),
        *(["p[row, i] ="] * 2, (7, 40), "", softmax),
    ),
    "all lanes write a mean": Bug(
        *("normalise", "if lane == 0", "if lane < 2", RACE, "mean"),
        *(["mean[row, 0] ="] * 2, (3, 40), "layer_norm", normalization),
    ),
    "sums of columns without a barrier": Bug(
        *("layer_norm_parameters", "    cuda.syncthreads()\n", "", RACE, "of_scale"),
        *(["of_scale[y_thread, x_thread] =", "total += parts[i"], (9, 40)),
        *("", normalization),
    ),
    "a row of warps too many": Bug(
        *("column_sum", "range(HEIGHT)", "range(HEIGHT + 1)", BOUNDS, "of_scale"),
        *(["total += parts[i"], (9, 40), "layer_norm_parameters", normalization),
    ),
    "warps without rows write nothing": Bug(
        *(
            "layer_norm_parameters",
            "    of_scale[y_thread",
            "    if y_thread < x.shape[0]:\n        of_scale[y_thread",
        ),
        *(UNWRITTEN, "of_scale", ["total += parts[i"], (3, 40), "", normalization),
    ),
}


def with_bug(bug):
    """What is in a module of kernels with a mistake in it, whose lines can be read."""
    module = bug.module
    function = getattr(module, bug.function)
    right = inspect.getsource(getattr(function, "py_func", function))
    assert right.count(bug.old) == 1, f"{bug.old!r} is there {right.count(bug.old)} times"
    text = inspect.getsource(module).replace(right, right.replace(bug.old, bug.new))
    file = f"<{bug.function}: {bug.new}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    names = {"__name__": module.__name__, "__package__": module.__package__}
    exec(compile(text, file, "exec"), names)
    return names


def launch(name, order="forward"):
    """Run a kernel with a mistake in it."""
    bug = BUGS[name]
    names, kernel = with_bug(bug), bug.kernel or bug.function
    run = functools.partial(simulator.launch, order=order)
    names["LAUNCHES"][kernel](run, *ARGUMENTS[bug.module](kernel, bug.shape))


def _normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def _product(kernel, shape):
    m, k, n = shape
    return _normal(m, k), _normal(k, n), _normal(m, n)


def _softmax(kernel, shape):
    return _normal(*shape), _normal(*shape)


def _normalization(kernel, shape):
    n, d = shape
    x, row, column = _normal(n, d), _normal(d), _normal(n, 1)
    if kernel == "layer_norm":
        return x, row, _normal(d), np.float32(1e-3), _normal(n, d), column, _normal(n, 1)
    return x, _normal(n, d), column, _normal(n, 1), row, _normal(d)


ARGUMENTS = {matmul: _product, softmax: _softmax, normalization: _normalization}
