"""Mistakes that are made on purpose in right kernels, and how the simulator must name each."""

import functools
import inspect
import linecache
import math
from typing import NamedTuple

import numpy as np

from kernels import simulator
from kernels import windows as counting
from kernels.cuda import (
    attention,
    attention_ladder,
    convolution,
    cross_entropy,
    elementwise,
    gemm,
    matmul,
    normalization,
    optimizers,
    pooling,
    scatter,
    softmax,
)


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
        *("a_tile = cuda.shared.array((SIDE, 15)", BOUNDS, "a_tile", ["a_tile[y, x] ="]),
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
    "a barrier of each warp alone": Bug(
        *("tiled", f"{BARRIER}        for i", "        cuda.syncwarp()\n        for i", RACE),
        *("b_tile", ["b_tile[y, x] =", "total +="]),
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
        *("register_tiled", "    clear(total, EACH, EACH)\n", ""),
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
        *("register_tiled", f"{BARRIER}        add", "        add", RACE, "a_tile"),
        ["a_tile[y + i * SIDE, x] =", "a_part[i] ="],
    ),
    "rows of B for columns": Bug(
        *("add_products", "b_tile[inner, x + i * SIDE]", "b_tile[x + i * SIDE, inner]"),
        *(BOUNDS, "b_tile", ["b_part[i] ="], (18, 19, 20), "register_tiled"),
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
        *("in_straight", "four = 4 *", "four = 2 *", MISALIGNED, "b_tile"),
        *(["store4(tile"], (18, 7, 19), "vectorised"),
    ),
    "rows of four collide": Bug(
        *("in_turned", "thread // 2 % edge", "thread // 4 % edge", RACE, "a_tile"),
        *(["tile[place, column + i, row] ="] * 2, (18, 7, 20), "vectorised"),
    ),
    "four too far": Bug(
        *("add_wide_products", "group * EDGE + y * 4", "group * EDGE + y * 8", BOUNDS, "a_tile"),
        *(["a_four = load4"], (18, 19, 20), "vectorised"),
    ),
    "four without a barrier": Bug(
        *("vectorised", f"{BARRIER}        add", "        add", RACE, "a_tile"),
        *(["tile[place, column + i, row] =", "a_four = load4"], (18, 7, 20)),
    ),
    "a tile of four is used again too early": Bug(
        *("vectorised", f"0, WIDE)\n{BARRIER}", "0, WIDE)\n", RACE, "a_tile"),
        *(["tile[place, column + i, row] =", "a_four = load4"], (18, 19, 20)),
    ),
    # Two places for each tile
    "the first tiles without a barrier": Bug(
        *("multiply_ahead", "    cuda.syncthreads()\n    for k", "    for k", RACE, "a_tile"),
        *(["tile[place, column + i, row] =", "a_four = load4"], (18, 7, 20), "double_buffered"),
    ),
    "the next tiles without a barrier": Bug(
        *("multiply_ahead", f"b_four, edge)\n{BARRIER}", "b_four, edge)\n", RACE, "a_tile"),
        *(["tile[place, column + i, row] =", "a_four = load4"], (18, 19, 20), "double_buffered"),
    ),
    "the next tile takes the place of this one": Bug(
        *("multiply_ahead", "(a_tile, 1 - place,", "(a_tile, place,", RACE, "a_tile"),
        *(["tile[place, column + i, row] =", "a_four = load4"], (18, 19, 20), "double_buffered"),
    ),
    "the other place is never filled": Bug(
        *("multiply_ahead", "        put_in_tile(b_tile, 1 - place, of_b, b_four, edge)\n", ""),
        *(UNWRITTEN, "b_tile", ["b_four = load4"], (18, 19, 20), "double_buffered"),
    ),
    "a tile of three places in two": Bug(
        *("multiply_ahead", "k // thin % 2", "k // thin % 3", BOUNDS, "a_tile"),
        *(["a_four = load4"], (18, 27, 20), "double_buffered"),
    ),
    # Batches, and layers
    "a part of a sum that does not stop": Bug(
        *("share_of_batch", "min(start + each, rows)", "start + each", BOUNDS, "a"),
        *(["load4(x, (row, column))"], (5, 8, 7), "transposed_a_64", gemm),
    ),
    "parts of a sum in one place": Bug(
        *("_product", "start + row, column, total", "row, column, total", RACE, "c"),
        *(["store4(x, (row, column)"] * 2, (5, 8, 20), "transposed_a_64", gemm),
    ),
    "a layer that reads what others write": Bug(
        *("apply", "cuda.threadIdx.x * 4", "cuda.threadIdx.x // 2 * 4", RACE, "z"),
        *(["store4(x, (row, column)", "load4(x, (row, column))"], (18, 19, 20), "dense_64", gemm),
    ),
    "a bias for more columns than there are": Bug(
        *("add_bias", "four = take4(bias, first_column + group * EDGE + cuda.threadIdx.x * 4)"),
        "at = first_column + group * EDGE + cuda.threadIdx.x * 4\n"
        "        four = bias[at], bias[at + 1], bias[at + 2], bias[at + 3]",
        *(BOUNDS, "bias", ["four = bias[at]"], (18, 19, 20), "dense_64", gemm),
    ),
    # Copies on their way, and tensor cores
    "no wait for a copy": Bug(
        *("tensor_cores", "        wait_for_copies(1)", "        pass", WAIT, "a_tile"),
        *(["copy_async4(tile", "load_matrices(a_tile"], (18, 20, 20)),
    ),
    "the wait is for older copies": Bug(
        *("tensor_cores", "wait_for_copies(1)", "wait_for_copies(2)", WAIT, "a_tile"),
        *(["copy_async4(tile", "load_matrices(a_tile"], (18, 20, 20)),
    ),
    "copies are in no group": Bug(
        *("fetch_tiles", "    commit_copies()", "    pass", WAIT, "a_tile"),
        *(["copy_async4(tile", "load_matrices(a_tile"], (18, 20, 20), "tensor_cores"),
    ),
    "copies that make no group": Bug(
        *("fetch_tiles", "    commit_copies()\n", "", WAIT, "a_tile"),
        *(["copy_async4(tile", "load_matrices(a_tile"], (18, 20, 20), "tensor_cores"),
    ),
    "a number that a copy will replace": Bug(
        *("fetch_four", "copy_async4(tile, index, x, (row, column))"),
        "copy_async4(tile, index, x, (row, column))\n        tile[index] = x[0, 0]",
        *(WAIT, "a_tile", ["copy_async4(tile", "tile[index] ="], (18, 20, 20), "tensor_cores"),
    ),
    "a wait that no barrier follows": Bug(
        *("tensor_cores", f"{BARRIER}        add", "        add", RACE, "a_tile"),
        *(["copy_async4(tile", "load_matrices(a_tile"], (18, 20, 20)),
    ),
    "a barrier that comes before the wait": Bug(
        *(
            "tensor_cores",
            f"        wait_for_copies(1)  # for all but those ordered last\n{BARRIER}",
        ),
        *(f"{BARRIER}        wait_for_copies(1)\n", RACE, "a_tile"),
        *(["wait_for_copies(1)", "load_matrices(a_tile"], (18, 20, 20)),
    ),
    "copies to a tile that is in use": Bug(
        *("tensor_cores", "a_tile, b_tile, 1 - place,", "a_tile, b_tile, place,", WAIT, "a_tile"),
        *(["copy_async4(tile", "load_matrices(a_tile"], (18, 72, 20)),
    ),
    "no barrier before a tile is used again": Bug(
        *("tensor_cores", f"warp_column)\n{BARRIER}", "warp_column)\n", RACE, "a_tile"),
        *(["copy_async4(tile", "load_matrices(a_tile"], (18, 72, 20)),
    ),
    "a tile whose rows are not aligned": Bug(
        *("tensor_cores", "(2, TENSOR_EDGE, A_ROW)", "(2, TENSOR_EDGE, 19)", MISALIGNED),
        *("a_tile", ["copy_async4(tile"], (64, 64, 20)),
    ),
    "rows of small matrices that are not aligned": Bug(
        *("add_small_products", "lane // 16 * 4", "lane // 16 * 2", MISALIGNED, "a_tile"),
        *(["load_matrices(a_tile"], (18, 20, 20), "tensor_cores"),
    ),
    "small matrices beyond a tile": Bug(
        *("add_small_products", "y * 16 + lane % 16", "y * 32 + lane % 16", BOUNDS, "a_tile"),
        *(["load_matrices(a_tile"], (18, 20, 20), "tensor_cores"),
    ),
    "small matrices without the last lane": Bug(
        *("add_small_products", "a_part = load_matrices(a_tile, (place, row, column))"),
        "a_part = float32(0), float32(0), float32(0), float32(0)\n"
        "            if lane < 31: a_part = load_matrices(a_tile, (place, row, column))",
        *(
            DIVERGENT,
            None,
            ["load_matrices(a_tile", "sums = multiply_tf32"],
            (18, 20, 20),
            "tensor_cores",
        ),
    ),
    "a warp that leaves the others": Bug(
        *("add_small_products", "for y in range(4):", "for y in range(4 - lane // 31):"),
        *(
            DIVERGENT,
            None,
            ["load_matrices(a_tile", "cuda.syncthreads()"],
            (18, 20, 20),
            "tensor_cores",
        ),
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
        *("by_block", "shared.array(THREADS", "shared.array(64", BOUNDS, "shared"),
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
    "a sum that other lanes have made": Bug(
        *("add_row", "range(cuda.threadIdx.x", "range(31 - cuda.threadIdx.x", RACE, "total"),
        *(["total[row, i] =", "squares += x[row, i]"], (3, 40), "residual_rms_norm"),
        normalization,
    ),
    "a row of an RMS norm too many": Bug(
        *("rms_norm", "row < x.shape[0]", "row <= x.shape[0]", BOUNDS, "x"),
        *(["squares += x[row, i]"], (3, 40), "", normalization),
    ),
    # Cross-entropy
    "a label is trusted": Bug(
        *("cross_entropy", "label >= 0 and label < logits.shape[1]", "label >= 0", BOUNDS),
        *("logits", ["losses[row] = "], (3, 2), "", cross_entropy),
    ),
    "two lanes write a loss": Bug(
        *("cross_entropy", "if lane == 0", "if lane < 2", RACE, "losses"),
        *(["losses[row] = "] * 2, (3, 40), "", cross_entropy),
    ),
    "all gradients are those of the first row": Bug(
        *("cross_entropy_backward", "dlogits[row, i] =", "dlogits[0, i] =", RACE, "dlogits"),
        *(["dlogits[0, i] ="] * 2, (3, 40), "", cross_entropy),
    ),
    # Four numbers of each array
    "four where three are left": Bug(
        *("take4", "i + 4 <= x.size", "i + 4 <= x.size + 1", BOUNDS, "x"),
        *(["return load4(x, i)"], (1, 7), "value", elementwise),
    ),
    "the end is written past": Bug(
        *("put4", "i + k < x.size", "i + k <= x.size", BOUNDS, "y"),
        *(["x[i + k] ="], (1, 7), "value", elementwise),
    ),
    "threads are one number apart": Bug(
        *("value", "EACH * cuda.grid(1)", "cuda.grid(1)", MISALIGNED, "x"),
        *(["return load4(x, i)"], (1, 12), "", elementwise),
    ),
    "a bias that does not repeat": Bug(
        *("biased", "bias[i % width]", "bias[i]", BOUNDS, "bias"),
        *(["a + bias[i]"], (2, 4), "", elementwise),
    ),
    "blocks of dropout overlap": Bug(
        *("dropout", "EACH * cuda.grid(1)", "EACH * cuda.threadIdx.x", RACE, "y"),
        *(["store4(x, i, four)"] * 2, (9, 120), "", elementwise),
    ),
    # Rows that are added up
    "rows are added without atomic updates": Bug(
        *("by_update", "cuda.atomic.add(total, (row, column), g[i, column])"),
        *("total[row, column] += g[i, column]", RACE, "total"),
        *(["total[row, column] += g"] * 2, (9, 5), "", scatter),
    ),
    "an index counts from 1": Bug(
        *("by_update", "row < total.shape[0]", "row <= total.shape[0]", BOUNDS, "total"),
        *(["cuda.atomic.add(total"], (9, 5), "", scatter),
    ),
    "an owner too many": Bug(
        *("by_owner", "row < total.shape[0]", "row <= total.shape[0]", BOUNDS, "total"),
        *(["total[row, column] = float32(0)"], (10, 5), "", scatter),
    ),
    # Steps of optimizers
    "all threads write the same four": Bug(
        *("adam", "put4(v, i,", "put4(v, 0,", RACE, "v"),
        *(["store4(x, i, four)"] * 2, (1, 12), "", optimizers),
    ),
    "no factor for clipped gradients": Bug(
        *("adam", "scale[0]", "scale[1]", BOUNDS, "scale", ["factor = EACH"], (1, 12), ""),
        optimizers,
    ),
    # Attention
    "no barrier before features are used": Bug(
        *("row_products", f"{BARRIER}        for inner", "        for inner", RACE, "q_tile"),
        *(["store4(tile, (row, column), four)", "four = load4(a_tile"], (1, 1, 5, 7, 4)),
        *("forward_64", attention),
    ),
    "features are fetched while they are used": Bug(
        *("row_products", f"four, b_3)\n{BARRIER}", "four, b_3)\n", RACE, "q_tile"),
        *(["store4(tile, (row, column), four)", "four = load4(a_tile"], (1, 1, 5, 7, 20)),
        *("forward_64", attention),
    ),
    "weights without a barrier": Bug(
        *("add_weighted_rows", f"{BARRIER}        for turn", "        for turn", RACE, "weights"),
        *(["weights[y + i * SIDE", "four = load4(weights"], (1, 1, 5, 7, 4)),
        *("forward_64", attention),
    ),
    "weights change while they are used": Bug(
        *("add_weighted_rows", f"four, numbers)\n{BARRIER}", "four, numbers)\n", RACE, "weights"),
        *(["four = load4(weights", "] = z[i, j]"], (1, 1, 5, 7, 4), "keys_64", attention),
    ),
    "a part of the values is not fetched": Bug(
        *("fetch_rows", "// (4 * SIDE * SIDE)):", "// (4 * SIDE * SIDE) - 1):", UNWRITTEN),
        *("v_tile", ["row_0"], (1, 1, 5, 7, 4), "forward_64", attention),
    ),
    "two teams read as far as one": Bug(
        *("place_in_row", "(cuda.threadIdx.x - size * team)", "cuda.threadIdx.x", BOUNDS, "v_tile"),
        *(["row_0, row_1 = load4(tile"], (1, 1, 5, 7, 32), "forward_32", attention),
    ),
    "a team begins too far down": Bug(
        *("add_weighted_rows", "turn + 4 * team", "turn + 4 * teams * team", BOUNDS, "k_tile"),
        *(["row_0, row_1 = load4(tile"], (1, 1, 5, 7, 32), "queries_32", attention),
    ),
    "each warp goes on to the next values alone": Bug(
        *("add_weighted_rows", f"numbers)\n{BARRIER}", "numbers)\n        cuda.syncwarp()\n"),
        *(RACE, "v_tile", ["store4(tile, (row, column), four_", "row_0"], (1, 1, 5, 7, 32)),
        *("forward_32", attention),
    ),
    "each team writes its sums": Bug(
        *("put_rows", "if team == 0", "if team < 2", RACE, "dk", ["store4(x"] * 2),
        *((1, 1, 5, 7, 32), "keys_32", attention),
    ),
    "a mask is read past its end": Bug(
        *("sees", "key < s", "key <= s", BOUNDS, "mask", ["mask[example, key]"]),
        *((1, 1, 5, 7, 4), "forward_64", attention),
    ),
    "a query too many": Bug(
        *("feature", "row < x.shape[2]", "row <= x.shape[2]", BOUNDS, "q"),
        *(["return x[example, head"], (1, 1, 5, 5, 3), "forward_64", attention),
    ),
    "two threads write the norms of a query": Bug(
        *("_forward", "cuda.threadIdx.x == 0", "cuda.threadIdx.x < 2", RACE, "norms"),
        *(["norms[row + i * SIDE, 0] ="] * 2, (1, 1, 5, 7, 4), "forward_64", attention),
    ),
    "as many heads of keys as of queries": Bug(
        *("_forward", "head // (q.shape[1] // k.shape[1])", "head", BOUNDS, "k"),
        *(["return load4(x"], (2, 1, 5, 7, 4), "forward_64", attention),
    ),
    "threads without a query leave": Bug(
        *(
            "_queries",
            "        clear(sums",
            "        if query >= t:\n            return\n        clear(sums",
        ),
        *(DIVERGENT, None, ["cuda.syncthreads()"], (1, 1, 5, 7, 4), "queries_64", attention),
    ),
    # The ladder to it
    "scores of all queries in one row": Bug(
        *("by_definition", "head, query, key] = z", "head, 0, key] = z", RACE, "scores"),
        *(["head, 0, key] = z"] * 2, (2, 1, 7, 18, 6), "", attention_ladder),
    ),
    "norms of one head for all": Bug(
        *("tiled", "(example * q.shape[1] + head) * t", "example * t", RACE, "norms"),
        *(["norms[row, 0] ="] * 2, (2, 1, 7, 18, 6), "", attention_ladder),
    ),
    "values take the place of keys in use": Bug(
        *("tiled", f"else float32(0)\n{BARRIER}", "else float32(0)\n", RACE, "tile"),
        *(["tile[cuda.threadIdx.y, column] =", "z += q_tile"], (2, 1, 7, 18, 6), ""),
        attention_ladder,
    ),
    "keys take the place of values in use": Bug(
        *("tiled", f"i * SIDE + x]\n{BARRIER}", "i * SIDE + x]\n", RACE, "tile"),
        *(["tile[cuda.threadIdx.y, column] =", "sums[i] += weights"], (2, 1, 7, 33, 6), ""),
        attention_ladder,
    ),
    # Convolution
    "a barrier for those who have a place": Bug(
        *("convolution", f"= number\n{BARRIER}", f"= number\n        if is_place:\n    {BARRIER}"),
        *(DIVERGENT, None, ["cuda.syncthreads()"] * 2, (1, 4, 3, 2, 5), "", convolution),
    ),
    "no barrier before windows are used": Bug(
        *("convolution", f"{BARRIER}        add", "        add", RACE, "a_tile"),
        *(["a_tile[y_thread + i", "a_part[i] ="], (1, 4, 3, 2, 5), "", convolution),
    ),
    "a window looks over the edge": Bug(
        *("pixel", "row < x.shape[1]", "row <= x.shape[1]", BOUNDS, "x"),
        *(["return x[image, row"], (1, 4, 3, 2, 5), "convolution", convolution),
    ),
    "padding before the image is forgotten": Bug(
        *("pixel", "row >= 0 and ", "", BOUNDS, "x"),
        *(["return x[image, row"], (1, 4, 3, 2, 5), "convolution", convolution),
    ),
    "units of a group too many": Bug(
        *("convolution_weights", "unit < units\n            if", "True\n            if", BOUNDS),
        *("dweight", ["dweight[place"], (1, 4, 3, 2, 5), "", convolution),
    ),
    "gradients of tiles without a barrier": Bug(
        *("convolution_images", f"b_tile)\n{BARRIER}", "b_tile)\n", RACE, "a_tile"),
        *(["a_tile[y_thread + i", "a_part[i] ="], (1, 4, 3, 2, 5), "", convolution),
    ),
    "all images are the first": Bug(
        *("convolution_images", "dx[image, row,", "dx[0, row,", RACE, "dx"),
        *(["dx[0, row"] * 2, (2, 4, 3, 2, 5), "", convolution),
    ),
    # Pooling
    "a window looks behind the image": Bug(
        *("behind_last", "min(window * step - before + length, size)"),
        *("window * step - before + length", BOUNDS, "x", ["number = x[image, row"]),
        *((1, 4, 3, 2), "max_pool", pooling),
    ),
    "padding before a window counts": Bug(
        *("first_inside", "max(window * step - before, int64(0))", "window * step - before"),
        *(BOUNDS, "x", ["total += x[image, row"], (1, 4, 3, 2), "average_pool", pooling),
    ),
    "a window too many": Bug(
        *("number_of_thread", "i < x.size", "i <= x.size", BOUNDS, "x"),
        *(["number = x[image, row"], (1, 4, 3, 2), "max_pool", pooling),
    ),
    "means of all images in the first": Bug(
        *("average_pool", "y[image, i, j, channel] =", "y[0, i, j, channel] =", RACE, "y"),
        *(["y[0, i, j, channel] ="] * 2, (2, 4, 3, 2), "", pooling),
    ),
    "channels have a gradient in common": Bug(
        *("max_pool_backward", "dx[image, row, column, channel] ="),
        *("dx[image, row, column, 0] =", RACE, "dx", ["dx[image, row, column, 0] ="] * 2),
        *((1, 4, 3, 2), "", pooling),
    ),
    "a mean of what is not set": Bug(
        *("average_pool", "        total = float32(0)\n"),
        *("        sums = cuda.local.array(1, float32)\n        total = sums[0]\n",),
        *(UNWRITTEN, "sums", ["total = sums[0]"], (1, 4, 3, 2), "", pooling),
    ),
    "a barrier for those who have a pixel": Bug(
        *("average_pool_backward", "        total = float32(0)\n"),
        *("        cuda.syncthreads()\n        total = float32(0)\n", DIVERGENT, None),
        *(["cuda.syncthreads()"], (1, 4, 3, 2), "", pooling),
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


def prepared(name):
    """The Launch of a kernel with a mistake in it."""
    bug = BUGS[name]
    return with_bug(bug)["LAUNCHES"][bug.kernel or bug.function]


def right(name):
    """That of the same kernel without the mistake."""
    bug = BUGS[name]
    return bug.module.LAUNCHES[bug.kernel or bug.function]


def arguments(name):
    """What either of them is given, new each time: a kernel writes to it."""
    bug = BUGS[name]
    return ARGUMENTS[bug.module](bug.kernel or bug.function, bug.shape)


def launch(name, order="forward"):
    """Run a kernel with a mistake in it, in the simulator."""
    prepared(name)(functools.partial(simulator.launch, order=order), *arguments(name))


def _normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def _product(kernel, shape):
    m, k, n = shape
    return _normal(m, k), _normal(k, n), _normal(m, n)


def _gemm(kernel, shape):
    """A layer, or a sum in four parts"""
    if kernel.startswith("dense"):
        x, weight, z = _product(kernel, shape)
        return x, weight, _normal(shape[2]), elementwise.GELU, z, z.copy()
    k, m, n = shape
    return _normal(k, m), _normal(k, n), _normal(4 * m, n)


def _softmax(kernel, shape):
    return _normal(*shape), _normal(*shape)


def _normalization(kernel, shape):
    n, d = shape
    x, row, column = _normal(n, d), _normal(d), _normal(n, 1)
    if kernel == "layer_norm":
        return x, row, _normal(d), np.float32(1e-3), _normal(n, d), column, _normal(n, 1)
    if kernel == "rms_norm":
        return x, row, np.float32(1e-3), _normal(n, d), column
    if kernel == "residual_rms_norm":
        return x, _normal(n, d), row, np.float32(1e-3), _normal(n, d), _normal(n, d), column
    return x, _normal(n, d), column, _normal(n, 1), _normal(1, d), _normal(1, d)


def _cross_entropy(kernel, shape):
    n, c = shape
    logits, labels, losses, norms = _normal(n, c), np.arange(n), _normal(n), _normal(n, 2)
    if kernel == "cross_entropy":
        return logits, labels, losses, norms
    return losses, logits, norms, labels, _normal(n, c)


def _elementwise(kernel, shape):
    x, y = _normal(math.prod(shape)), _normal(math.prod(shape))
    if kernel == "biased":
        return x, _normal(shape[1]), elementwise.RELU, _normal(x.size), y
    if kernel == "dropout":
        return x, np.float32(0.5), np.uint64(1), y
    return x, elementwise.RELU, y


def _scatter(kernel, shape):
    n, d = shape
    return np.arange(n) // 2, _normal(n, d), np.zeros((n // 2, d), np.float32)


def _optimizer(kernel, shape):
    arrays = [_normal(size) for size in (shape[1], shape[1], 1, shape[1], shape[1])]
    return *arrays, *(np.float32(0.5) for _ in range(7))


def _attention(kernel, shape):
    h, heads, t, s, d = shape
    q, k, v, o = _normal(1, h, t, d), *(_normal(1, heads, s, d) for _ in "kv"), _normal(1, h, t, d)
    options = np.float32(0.5), 0, np.ones((1, s), bool), np.float32(0), np.uint64(0)
    norms, inner = np.ones((h * t, 2), np.float32), _normal(h * t)
    if kernel.startswith("forward"):
        return q, k, v, *options, o, norms
    made = [o.copy()] if kernel.startswith("queries") else [k.copy(), v.copy()]
    return o, q, k, v, norms, inner, *options, *made


def _ladder(kernel, shape):
    h, heads, t, s, d = shape
    q, k, v, o = _normal(1, h, t, d), *(_normal(1, heads, s, d) for _ in "kv"), _normal(1, h, t, d)
    given = q, k, v, np.float32(0.5), 1, np.ones((1, s), bool)
    scores = [_normal(1, h, t, s)] * (kernel == "by_definition")
    return *given, *scores, o, np.ones((h * t, 2), np.float32)


def _convolution(kernel, shape):
    """Windows of 3 x 3 with a padding of 1 around images (n, h, w, c), and so many units"""
    *images, u = shape
    n, h, w, c = images
    x, weight, y = _normal(*images), _normal(9 * c, u), _normal(n * h * w, u)
    windows = convolution.Windows(h, w, 3, 1, 1, 1, 1, 1, 1)
    if kernel == "convolution":
        return x, weight, _normal(u), windows, 1, elementwise.RELU, y, y
    if kernel == "convolution_images":
        return y, weight, windows, 1, x
    return y, x, windows, 1, weight


def _pooling(kernel, shape):
    """Windows of 3 x 3, two apart, with a padding of 1 around images (n, h, w, c)"""
    given = (3, 3), (2, 2), ((1, 1), (1, 1))
    count = counting.counts(shape[1:3], *given)
    windows = convolution.Windows(*count, 3, 2, 2, 1, 1, 1, 1)
    x, y = _normal(*shape), _normal(shape[0], *count, shape[3])
    if kernel.endswith("backward"):
        return *((y, x, y) if kernel.startswith("max") else (y,)), windows, 3, x.copy()
    return x, windows, 3, y


ARGUMENTS = {
    matmul: _product,
    gemm: _gemm,
    softmax: _softmax,
    normalization: _normalization,
    cross_entropy: _cross_entropy,
    elementwise: _elementwise,
    scatter: _scatter,
    optimizers: _optimizer,
    attention: _attention,
    attention_ladder: _ladder,
    convolution: _convolution,
    pooling: _pooling,
}
