"""The simulator does what a GPU does, finds what is wrong with a kernel, and says it plainly."""

import functools
import math
import time

import numpy as np
import pytest
from numba import cuda, float32, float64, int32

from kernels import simulator
from kernels.cuda import array_kernels, attention, matmul
from kernels.cuda.compile import MODULES
from kernels.cuda.ptx import (
    ALIGNED,
    commit_copies,
    copy_async4,
    load4,
    load_matrices,
    multiply_tf32,
    store4,
    wait_for_copies,
)
from kernels.simulator.instructions import tf32
from tests import seeded_bugs
from tests.orders import ORDERS
from tests.seeded_bugs import BUGS
from tests.simulated import ALL, copies_two_groups, fault, normal, texts, zeros

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad


# ---- Seeded bugs ---------------------------------------------------------------------------------


@ORDERS
@pytest.mark.parametrize("name", BUGS)
def test_a_seeded_bug_is_named(name, order):
    bug = BUGS[name]
    with pytest.raises(simulator.KernelError) as caught:
        seeded_bugs.launch(name, order)
    found = caught.value
    assert (found.kind, found.array) == (bug.kind, bug.array), str(found)
    lines = texts(found)
    assert len(lines) == len(bug.lines), str(found)
    for part in bug.lines:
        lines.remove(next((line for line in lines if part in line), f"no line has {part}"))


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_without_the_mistake_there_is_no_alarm(name):
    seeded_bugs.right(name)(simulator.launch, *seeded_bugs.arguments(name))


def test_there_are_many_seeded_bugs():
    """In all modules of kernels but the one whose kernels are made of formulas of NumPy's."""
    assert len(BUGS) >= 30
    assert {bug.module for bug in BUGS.values()} == {*MODULES} - {array_kernels}
    assert len({(bug.module, bug.function, bug.new) for bug in BUGS.values()}) == len(BUGS)


# ---- What a kernel can do ------------------------------------------------------------------------


def where(out):
    x, y = cuda.grid(2)
    columns, _ = cuda.gridsize(2)
    out[y, x] = y * columns + x


@ORDERS
def test_threads_know_where_they_are(order):
    out = zeros(6, 8)
    simulator.launch(where, (2, 3), (4, 2), out, order=order)
    np.testing.assert_array_equal(out, np.arange(48).reshape(6, 8))


def three_axes(out):
    z = cuda.blockIdx.z * cuda.blockDim.z + cuda.threadIdx.z
    out[z, cuda.blockIdx.y, cuda.threadIdx.x] += cuda.gridDim.z * 10 + cuda.laneid


def test_grids_have_three_axes():
    out = zeros(4, 3, 2)
    simulator.launch(three_axes, (1, 3, 2), (2, 1, 2), out)
    np.testing.assert_array_equal(out[:2], 20 + np.arange(4).reshape(2, 1, 2) + zeros(2, 3, 2))


def exchanges(x, out):
    lane = cuda.threadIdx.x
    out[0, lane] = cuda.shfl_sync(ALL, x[lane], 5)
    out[1, lane] = cuda.shfl_xor_sync(ALL, x[lane], 3)
    out[2, lane] = cuda.shfl_down_sync(ALL, x[lane], 4)
    out[3, lane] = cuda.shfl_up_sync(ALL, x[lane], 4)
    out[4, lane] = cuda.shfl_sync(ALL, x[lane], 32 + lane // 8)
    out[5, lane] = cuda.ballot_sync(ALL, x[lane] < 3)
    out[6, lane] = cuda.any_sync(ALL, lane == 7)
    out[7, lane] = cuda.all_sync(ALL, lane < 31)
    out[8, lane] = cuda.popc(cuda.match_any_sync(ALL, lane // 12))
    out[9, lane] = cuda.ballot_sync(ALL, lane > 0)
    out[10, lane] = cuda.popc(cuda.ballot_sync(ALL, lane > 0))


@ORDERS
def test_lanes_exchange_numbers(order):
    lane, out = np.arange(32), zeros(11, 32)
    simulator.launch(exchanges, 1, 32, lane.astype(np.float32), out, order=order)
    np.testing.assert_array_equal(
        out,
        [
            np.full(32, 5),
            lane ^ 3,
            np.where(lane < 28, lane + 4, lane),
            np.where(lane < 4, lane, lane - 4),
            lane // 8,
            np.full(32, 7),
            np.ones(32),
            np.zeros(32),
            np.where(lane < 24, 12, 8),
            np.full(32, -2),  # Numba's bits of lanes have a sign, which is lane 31
            np.full(32, 31),
        ],
    )


def votes_of_the_block(x, out):
    i = cuda.threadIdx.x
    out[0, i] = cuda.syncthreads_count(x[i] > 0)
    out[1, i] = cuda.syncthreads_and(x[i] > 0)
    out[2, i] = cuda.syncthreads_or(x[i] > 0)


def test_barriers_count():
    out = zeros(3, 40)
    x = normal(40)
    simulator.launch(votes_of_the_block, 1, 40, x, out)
    np.testing.assert_array_equal(out[:, 7], [np.sum(x > 0), 0, 1])
    np.testing.assert_array_equal(out, np.repeat(out[:, :1], 40, axis=1))


def atomics(total, before):
    i = cuda.grid(1)
    before[i] = cuda.atomic.add(total, 0, 1)
    cuda.atomic.max(total, 1, i)
    cuda.atomic.min(total, 2, -i)
    cuda.atomic.sub(total, 3, 2)
    cuda.atomic.cas(total, 4, 0, i + 1)
    cuda.atomic.exch(total, 5, 9)


@ORDERS
def test_atomic_updates_need_no_barrier(order):
    total, before = zeros(6, dtype=np.int32), zeros(80)
    simulator.launch(atomics, 2, 40, total, before, order=order)
    np.testing.assert_array_equal(np.sort(before), np.arange(80))
    np.testing.assert_array_equal(total[[0, 1, 2, 3, 5]], [80, 79, -79, -160, 9])
    assert total[4] == (80 if order == "backward" else total[4]) > 0


def rounds(x, out):
    total = float32(0)
    for i in range(x.shape[0]):
        total += x[i]
    out[0] = total
    out[1] = int32(7) // int32(2)


def test_numbers_are_rounded_as_on_a_gpu():
    x, out = np.array([1, 2**-24, 2**-24], np.float32), zeros(2)
    simulator.launch(rounds, 1, 1, x, out)
    assert out.tolist() == [1, 3]


def four_at_once(x, out):
    i = cuda.threadIdx.x * 4
    a, b, c, d = load4(x, i)
    store4(out, (0, i), (d, c, b, a))


@pytest.mark.parametrize("check", [True, False])
def test_four_numbers_at_once(check):
    x, out = normal(32), zeros(1, 32)
    simulator.launch(four_at_once, 1, 8, x, out, check=check)
    np.testing.assert_array_equal(out[0].reshape(8, 4), x.reshape(8, 4)[:, ::-1])


def divides(x, out):
    i = cuda.threadIdx.x
    out[i] = x[i] / x[i - i]


def test_infinity_is_no_warning():
    out = zeros(2)
    simulator.launch(divides, 1, 2, np.array([0, 1], np.float32), out)
    assert np.isnan(out[0]) and np.isinf(out[1])


def takes_functions(x, out):
    out[0] = math.exp(x[0]) - float32(1)
    out[1] = math.log(x[1])
    out[2] = math.sqrt(x[2])
    out[3] = math.exp(x[3])
    out[4] = math.cos(math.pi)
    out[5], exponent = math.frexp(x[0])
    out[6] = x[13 + exponent]  # for an exponent is an integer


def test_functions_give_float32_and_no_error():
    out = zeros(7)
    simulator.launch(takes_functions, 1, 1, np.array([1e-4, 0, -1, 1000], np.float32), out)
    small = np.float32(1e-4)
    right = np.exp(small) - 1, -np.inf, np.nan, np.inf, -1, small * 2**13, small
    np.testing.assert_array_equal(out, np.array(right, np.float32))


@cuda.jit
def decorated(x):
    x[cuda.grid(1)] = doubled(cuda.grid(1))


@cuda.jit(device=True)
def doubled(x):
    return x * float32(2)


def test_what_numba_has_decorated_is_simulated():
    x = zeros(5)
    simulator.launch(decorated, 1, 5, x)
    np.testing.assert_array_equal(x, 2 * np.arange(5))


def made_with(factor):
    def scales(x):
        if cuda.grid(1) < x.shape[0]:
            x[cuda.grid(1)] *= factor * doubled(3)

    return scales


def test_kernels_may_be_made_by_functions():
    x = zeros(5) + 1
    simulator.launch(made_with(2), 2, 4, x)
    assert x.tolist() == [12] * 5


# ---- Races ---------------------------------------------------------------------------------------


def shifts(x, out):
    tile = cuda.shared.array(64, float32)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    out[i] = tile[(i + 1) % 64]


def test_a_race_is_told_to_a_student():
    found = fault(shifts, 1, 64, normal(64), zeros(64))
    line = shifts.__code__.co_firstlineno
    assert (
        str(found)
        == f"""\
data race. Two threads meet at tile[0], in shared memory:
  thread (0, 0, 0) of block (0, 0, 0) writes tile[0]
      line {line + 3}, in shifts: tile[i] = x[i]
                           ^^^^^^^
  thread (63, 0, 0) of block (0, 0, 0) reads tile[0]
      line {line + 4}, in shifts: out[i] = tile[(i + 1) % 64]
                                    ^^^^^^^^^^^^^^^^^^
Nothing orders the two, so a GPU may do either first, and the result changes from run to run. \
A cuda.syncthreads() that all threads of the block pass must stand between these lines, also on \
the way from one turn of a loop to the next."""
    )
    assert (found.kind, found.array) == ("data race", "tile")
    assert found.lines == [line + 3, line + 4]
    assert found.threads == [(0, 0, 0), (63, 0, 0)]


def neighbours(x, out):
    tile = cuda.shared.array(64, float32)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    cuda.syncwarp()
    out[i] = tile[i ^ 1]


def neighbours_by_vote(x, out):
    tile = cuda.shared.array(64, float32)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    cuda.any_sync(ALL, True)
    out[i] = tile[i ^ 1]


def neighbours_by_halves(x, out):
    tile = cuda.shared.array(64, float32)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    cuda.syncwarp(0xFFFF if i % 32 < 16 else 0xFFFF0000)
    out[i] = tile[i ^ 1]


def other_half(x, out):
    tile = cuda.shared.array(64, float32)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    cuda.syncwarp(0xFFFF if i % 32 < 16 else 0xFFFF0000)
    out[i] = tile[i ^ 16]


def other_warp(x, out):
    tile = cuda.shared.array(64, float32)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    cuda.syncwarp()
    out[i] = tile[i ^ 32]


@ORDERS
@pytest.mark.parametrize("kernel", [neighbours, neighbours_by_halves])
def test_a_barrier_of_a_warp_orders_its_lanes(kernel, order):
    x, out = normal(64), zeros(64)
    simulator.launch(kernel, 1, 64, x, out, order=order)
    np.testing.assert_array_equal(out, x.reshape(32, 2)[:, ::-1].ravel())


@ORDERS
@pytest.mark.parametrize("kernel", [neighbours_by_vote, other_half, other_warp])
def test_no_other_barrier_orders_them(kernel, order):
    found = fault(kernel, 1, 64, normal(64), zeros(64), order=order)
    assert (found.kind, found.array) == ("data race", "tile")
    assert sorted(texts(found))[1] == "tile[i] = x[i]"


def counts(x, counted):
    i = cuda.grid(1)
    cuda.atomic.add(counted, x[i], 1)


def counts_and_looks(x, counted):
    i = cuda.grid(1)
    cuda.atomic.add(counted, x[i], 1)
    if counted[0] > 5:
        cuda.atomic.add(counted, 1, 1)


@ORDERS
def test_an_update_and_a_plain_read_race(order):
    x = np.zeros(32, np.int64)
    simulator.launch(counts, 1, 32, x, zeros(2), order=order)
    found = fault(counts_and_looks, 1, 32, x, zeros(2), order=order)
    assert (found.kind, found.array) == ("data race", "counted")
    assert {text[:6] for text in texts(found)} == {"cuda.a", "if cou"}


def clears_and_counts(x, counted):
    i = cuda.grid(1)
    if i == 0:
        counted[0] = 0
    cuda.atomic.add(counted, 0, x[i])


@ORDERS
@pytest.mark.parametrize("grid, block", [(1, 40), (40, 1), (2, 20)])
def test_a_plain_write_races_with_updates_of_others(grid, block, order):
    """Though its own thread makes an update after it, which does not race with theirs."""
    found = fault(clears_and_counts, grid, block, zeros(40), zeros(1), order=order)
    assert (found.kind, found.array) == ("data race", "counted")
    assert set(texts(found)) == {"counted[0] = 0", "cuda.atomic.add(counted, 0, x[i])"}


@ORDERS
def test_blocks_race_though_each_alone_is_right(order):
    found = fault(shifts_in_place, 2, 32, normal(64), order=order)
    assert (found.kind, found.array) == ("data race", "x")
    assert len({access.block for access in found.accesses}) == 2
    assert "Blocks run in any order" in str(found)


def shifts_in_place(x):
    i = cuda.grid(1)
    value = x[(i + 1) % x.shape[0]]
    cuda.syncthreads()
    x[i] = value


def adds_to_the_left(x, out):
    i = cuda.grid(1)
    if i + 1 < x.shape[0]:
        out[i] = x[i + 1]


@pytest.mark.parametrize("part", [slice(None), slice(0, 20)])
def test_arguments_may_lie_in_the_same_memory(part):
    x = normal(32)
    simulator.launch(adds_to_the_left, 1, 32, x.copy(), x)
    found = fault(adds_to_the_left, 1, 20, x, x[part])
    assert (found.kind, len(set(found.threads))) == ("data race", 2)


def adds_up(x, total):
    i = cuda.grid(1)
    total[2, 1] += x[i, 0]


def test_elements_of_a_view_have_their_own_index():
    """Transposed, turned round, and beginning in the middle of an array."""
    found = fault(adds_up, 1, 6, normal(1, 6).T, zeros(8, 9)[2:, ::-1].T)
    assert "meet at total[2, 1], in global memory" in str(found)


def writes_to_one(q, k, v):
    v[1, 0] = cuda.threadIdx.x


def test_views_that_lie_between_each_other_are_told_apart():
    """As queries, keys and values do in one array; and where one of no elements begins."""
    q, k, v = zeros(4, 3, 5).swapaxes(0, 1)
    for given in (q, k, v), (zeros(0, 5), zeros(0, 5), zeros(4, 5)):
        found = fault(writes_to_one, 1, 2, *given)
        assert found.array == "v" and "meet at v[1, 0], in global memory" in str(found)


# ---- Barriers that not all reach -----------------------------------------------------------------


def two_barriers(x):
    if cuda.threadIdx.x < 3:
        x[0] = 1
        cuda.syncthreads()
    else:
        cuda.syncthreads()


@ORDERS
def test_two_calls_are_two_barriers(order):
    found = fault(two_barriers, 1, 8, zeros(4), order=order)
    assert (found.kind, found.array) == ("divergent barrier", None)
    assert texts(found) == ["cuda.syncthreads()"] * 2 and len(set(found.lines)) == 2
    assert "which waits elsewhere" in str(found)


@cuda.jit(device=True)
def wait():
    cuda.syncthreads()


@cuda.jit(device=True)
def sum_of_warp(v):
    for bits in (16, 8, 4, 2, 1):
        v += cuda.shfl_xor_sync(ALL, v, bits)
    return v


def waits_in_both_branches(x):
    if cuda.threadIdx.x < 16:
        wait()
    else:
        wait()


def sums_in_both_branches(x):
    i = cuda.threadIdx.x
    if i < 16:
        x[i] = sum_of_warp(x[i])
    else:
        x[i] = sum_of_warp(2 * x[i])


@ORDERS
@pytest.mark.parametrize(
    "kernel, inner, calls",
    [
        (waits_in_both_branches, "cuda.syncthreads()", ["wait()", "wait()"]),
        (
            sums_in_both_branches,
            "v += cuda.shfl_xor_sync(ALL, v, bits)",
            ["sum_of_warp(2 * x[i])", "sum_of_warp(x[i])"],
        ),
    ],
)
def test_two_calls_of_a_function_that_waits_are_two_barriers(kernel, inner, calls, order):
    found = fault(kernel, 1, 32, zeros(32), order=order)
    assert found.kind == "divergent barrier" and texts(found) == [inner] * 2
    callers = [access.callers for access in found.accesses]
    assert sorted(caller.expression for (caller,) in callers) == calls
    for (caller,) in callers:
        assert f"      called in line {caller.line}, in {kernel.__name__}: " in str(found)
    assert "compiled into each place that calls it" in str(found)


def test_a_barrier_in_a_function_says_from_where_it_is_called():
    first = waits_in_both_branches.__code__.co_firstlineno
    inner = wait.py_func.__code__.co_firstlineno + 2
    told = f"      line {inner}, in wait: cuda.syncthreads()"
    called = f"      called in line {first + 2}, in waits_in_both_branches: wait()"
    access = str(fault(waits_in_both_branches, 1, 32, zeros(4)).accesses[0])
    marks = (" " * told.index("cuda") + "^" * 18, " " * called.index("wait()") + "^" * 6)
    assert access.split("\n")[1:] == [told, marks[0], called, marks[1]]


def waits_in_a_loop(x):
    tile = cuda.shared.array(32, float32)
    i = cuda.threadIdx.x
    for _ in range(20):  # so often that Python has made its calls faster in between
        tile[i] = x[i]
        wait()
        x[i] = sum_of_warp(tile[31 - i])
        wait()


@ORDERS
@pytest.mark.parametrize("check", [True, False])
def test_what_all_threads_call_in_one_place_is_one_barrier(check, order):
    simulator.launch(waits_in_a_loop, 1, 32, zeros(32), order=order, check=check)


def vote_of_three(x):
    if cuda.threadIdx.x < 3:
        x[cuda.threadIdx.x] = cuda.ballot_sync(0b111, True)


def vote_of_those_left(x):
    if cuda.threadIdx.x >= 3:
        return
    x[cuda.threadIdx.x] = cuda.ballot_sync(ALL, True)


@ORDERS
@pytest.mark.parametrize("kernel", [vote_of_three, vote_of_those_left])
def test_lanes_that_are_not_named_or_have_ended_are_not_waited_for(kernel, order):
    x = zeros(4)
    simulator.launch(kernel, 1, 8, x, order=order)
    assert x.tolist() == [7, 7, 7, 0]


def vote_of_some(x):
    if cuda.threadIdx.x < 3:
        cuda.any_sync(ALL, True)
    cuda.syncthreads()


def vote_without_oneself(x):
    cuda.all_sync(0b111, True)


@ORDERS
@pytest.mark.parametrize("kernel", [vote_of_some, vote_without_oneself])
def test_the_mask_names_those_who_call(kernel, order):
    found = fault(kernel, 1, 8, zeros(4), order=order)
    assert found.kind == "divergent barrier" and "_sync(" in texts(found)[0]


def asks_nobody(x):
    if cuda.threadIdx.x < 3:
        x[0] = cuda.shfl_sync(0b111, x[0], 5)


def test_nobody_is_asked_who_does_not_take_part():
    found = fault(asks_nobody, 1, 8, zeros(4))
    assert found.kind == "undefined lane" and "lane 5" in str(found)


# ---- Memory --------------------------------------------------------------------------------------


def remembers(out):
    tile = cuda.shared.array(8, float32)
    i = cuda.threadIdx.x
    if cuda.blockIdx.x == 0:
        tile[i] = 1
    out[cuda.grid(1)] = tile[i]


def test_a_block_finds_nothing_of_the_block_before():
    found = fault(remembers, 2, 8, zeros(16))
    assert (found.kind, found.array) == ("uninitialised", "tile")
    assert found.accesses[0].block == (1, 0, 0)
    assert texts(found) == ["out[cuda.grid(1)] = tile[i]"]


def test_without_checks_it_reads_nan():
    out = zeros(16)
    simulator.launch(remembers, 2, 8, out, check=False)
    assert np.all(out[:8] == 1) and np.all(np.isnan(out[8:]))


def counts_in_a_tile(out):
    tile = cuda.shared.array(1, int32)
    cuda.atomic.add(tile, 0, 1)
    cuda.syncthreads()
    out[0] = tile[0]


def test_an_update_reads():
    found = fault(counts_in_a_tile, 1, 1, zeros(1))
    assert (found.kind, found.array) == ("uninitialised", "tile")
    assert texts(found) == ["cuda.atomic.add(tile, 0, 1)"]


def private(x, column):
    mine = cuda.local.array((2, 3), float32)
    mine[1, 2] = cuda.threadIdx.x
    cuda.syncthreads()
    x[cuda.threadIdx.x] = mine[1, 2 - column]


def test_a_local_array_is_that_of_one_thread():
    x = zeros(4)
    simulator.launch(private, 1, 4, x, 0)
    assert x.tolist() == [0, 1, 2, 3]
    for column, kind in ((1, "uninitialised"), (-1, "out of bounds")):
        found = fault(private, 1, 4, x, column)
        assert (found.kind, found.array) == (kind, "mine")


def fills(x, first):
    x[cuda.grid(1) + first] = 1


@pytest.mark.parametrize("first", [-1, 1])
def test_an_index_beyond_either_end_is_out_of_bounds(first):
    found = fault(fills, 2, 4, zeros(8), first)
    assert (found.kind, found.array) == ("out of bounds", "x")
    assert f"x[{-1 if first < 0 else 8}] is meant, but x, in global memory, has the shape (8,)" in (
        str(found)
    )
    assert texts(found) == ["x[cuda.grid(1) + first] = 1"]


def takes_much(x):
    cuda.shared.array((100, 100), float32)
    much = cuda.shared.array((100, 100), float32)
    much[0, 0] = x[0]


def test_shared_memory_is_small():
    found = fault(takes_much, 1, 1, zeros(1))
    assert (found.kind, found.array) == ("too much shared memory", "much")
    assert "80000 bytes" in str(found)


def four_from(x, first):
    load4(x, first)


def four_behind_five(x):
    more = cuda.shared.array(5, float32)
    tile = cuda.shared.array(8, float32)
    more[0] = x[0]
    store4(tile, 0, (x[0], x[1], x[2], x[3]))


def four_behind_five_aligned(x):
    more = cuda.shared.array(5, float32)
    tile = cuda.shared.array(8, float32, ALIGNED)
    more[0] = x[0]
    store4(tile, 0, (x[0], x[1], x[2], x[3]))


def test_a_shared_array_is_aligned_as_it_says():
    simulator.launch(four_behind_five_aligned, 1, 1, normal(4))
    found = fault(four_behind_five, 1, 1, normal(4))
    assert (found.kind, found.array) == ("misaligned", "tile")
    assert "cuda.shared.array(shape, dtype, 16)" in str(found)


def test_four_numbers_begin_at_a_multiple_of_16_bytes():
    simulator.launch(four_from, 1, 1, normal(9), 4)
    for x, first in ((normal(9), 1), (normal(9)[1:], 0), (normal(18)[::2], 4)):
        assert fault(four_from, 1, 1, x, first).kind == "misaligned"
    assert fault(four_from, 1, 1, normal(9), 8).kind == "out of bounds"


def named_behind_another(x):
    i = cuda.threadIdx.x; tile = cuda.shared.array(4, float32)  # fmt: skip  # noqa: E702
    x[i] = tile[i]


def named_beside_another(x):
    other, tile = cuda.shared.array(4, float32), cuda.shared.array(4, float32)
    other[cuda.threadIdx.x] = 1
    x[0] = tile[0]


def named_with_a_type(x):
    tile: object = cuda.shared.array(4, float32)
    x[0] = tile[0]


def named_on_another_line(x):
    tile = (
        # 16 bytes
        cuda.shared.array(4, float32)
    )
    x[0] = tile[0]


def named_by_an_expression(x):
    if (tile := cuda.shared.array(4, float32)).size > 3:
        x[0] = tile[0]


def named_under_a_condition(x):
    tile = cuda.shared.array(4, float32) if float32 is not None else None
    x[0] = tile[0]


def named_twice(x):
    tile = other = cuda.shared.array(4, float32)
    x[0] = tile[0] + other[0]


@pytest.mark.parametrize(
    "kernel",
    [
        *(named_behind_another, named_beside_another, named_with_a_type, named_on_another_line),
        *(named_by_an_expression, named_under_a_condition, named_twice),
    ],
)
def test_an_array_has_the_name_that_it_is_given(kernel):
    assert fault(kernel, 1, 1, zeros(4)).array == "tile"


def fills_one_of_two(x):
    first = cuda.shared.array(4, float32)
    first[cuda.threadIdx.x] = max(cuda.shared.array(4, float32)[0], 1)


def test_an_array_without_a_name_has_a_number():
    assert fault(fills_one_of_two, 1, 1, zeros(4)).array == "shared array 2"


def three_stored(x):
    store4(x, 0, (x[0], x[1], x[2]))


def four_loaded(x):
    load4(x, 0)


def four_booleans_stored(x):
    store4(x, 0, (True, True, True, False))


def test_four_numbers_are_four_numbers():
    found = fault(three_stored, 1, 1, normal(4))
    assert found.kind == "wrong memory" and "a tuple of 3 numbers" in str(found)
    for kernel in (four_loaded, four_booleans_stored):
        found = fault(kernel, 1, 1, zeros(4, dtype=bool))
        assert (found.kind, found.array) == ("does not compile", "x"), str(found)
        assert "an array of bool" in str(found)


# ---- Copies and tensor cores ---------------------------------------------------------------------


def test_a_copy_arrives_when_it_is_waited_for():
    x, out = normal(64), zeros(64)
    simulator.launch(copies_two_groups(0), 1, 8, x, out)
    np.testing.assert_array_equal(out[::4], x[::4])
    found = fault(copies_two_groups(1), 1, 8, x, out)
    assert (found.kind, found.array) == ("missing wait", "tile")
    assert texts(found) == ["copy_async4(tile, 32 + i, x, 32 + i)", "out[32 + i] = tile[32 + i]"]
    out = zeros(64)
    simulator.launch(copies_two_groups(1), 1, 8, x, out, check=False)
    assert np.all(out[:32:4] == x[:32:4]) and np.all(np.isnan(out[32::4]))


def stores_on_a_copy(x, again):
    tile = cuda.shared.array(64, float32)
    i = cuda.threadIdx.x * 4
    copy_async4(tile, i, x, i)
    commit_copies()
    if again:
        copy_async4(tile, i, x, i)
    else:
        tile[i] = 0
    commit_copies()
    wait_for_copies(0)


@pytest.mark.parametrize("again", [True, False])
def test_nothing_is_put_where_a_copy_will_arrive(again):
    found = fault(stores_on_a_copy, 1, 8, normal(64), again)
    assert (found.kind, found.array) == ("missing wait", "tile")
    assert texts(found) == [
        "copy_async4(tile, i, x, i)",
        texts(found)[0] if again else "tile[i] = 0",
    ]
    assert f"is {'copied to once more' if again else 'written'} while a copy" in str(found)


def small_product(a, b, c):
    lane = cuda.laneid
    i, j = lane // 4, lane % 4
    part = multiply_tf32(
        (c[i, 2 * j], c[i, 2 * j + 1], c[i + 8, 2 * j], c[i + 8, 2 * j + 1]),
        (a[i, j], a[i + 8, j], a[i, j + 4], a[i + 8, j + 4]),
        (b[j, i], b[j + 4, i]),
    )
    c[i, 2 * j], c[i, 2 * j + 1], c[i + 8, 2 * j], c[i + 8, 2 * j + 1] = part


@ORDERS
def test_a_warp_multiplies_small_matrices(order):
    a, b, c = normal(16, 8), normal(8, 8, seed=1), normal(16, 8, seed=2)
    right = c + tf32(a) @ tf32(b)
    simulator.launch(small_product, 1, 32, a, b, c, order=order)
    np.testing.assert_allclose(c, right, rtol=1e-6, atol=1e-6)


def product_of_some(x):
    zero, i = float32(0), cuda.threadIdx.x
    if i < x.size:
        multiply_tf32((zero, zero, zero, zero), (zero, zero, zero, zero), (zero, zero))


def matrices_of_some(x):
    tile = cuda.shared.array((16, 8), float32, ALIGNED)
    i = cuda.threadIdx.x
    if i < 4:
        for row in range(16):
            tile[row, i] = tile[row, i + 4] = 0
    cuda.syncthreads()
    if i >= x.size:
        return
    load_matrices(tile, (i % 16, i % 32 // 16 * 4))


@ORDERS
@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "kernel, called", [(product_of_some, "multiply_tf32("), (matrices_of_some, "load_matrices(")]
)
def test_small_matrices_need_all_lanes_of_a_warp(kernel, called, check, order):
    simulator.launch(kernel, 1, 64, zeros(64), order=order, check=check)
    simulator.launch(kernel, 1, 64, zeros(32), order=order, check=check)  # a warp or none of it
    for threads, size, words in [
        (64, 48, "by 16 lanes of a warp, and the others have ended"),
        (16, 16, "A block of 16 threads has a warp of 16 lanes:"),
        (40, 40, "A block of 40 threads has a warp of 8 lanes:"),
    ]:
        with pytest.raises(simulator.KernelError) as caught:
            simulator.launch(kernel, 1, threads, zeros(size), order=order, check=check)
        assert caught.value.kind == "divergent barrier" and words in str(caught.value)
        assert texts(caught.value)[0].startswith(called)


def small_matrices(x, out, row_length):
    """Of a tile with rows (row_length,): four matrices (8, 4) that lie beside each other"""
    tile = cuda.shared.array(640, float32, ALIGNED)
    lane = cuda.laneid
    for i in range(lane, x.size, 32):
        tile[i] = x[i]
    cuda.syncwarp()
    four = load_matrices(tile, lane % 8 * row_length + lane // 8 * 4)
    for matrix in range(4):
        out[lane // 4, matrix * 4 + lane % 4] = four[matrix]


@ORDERS
@pytest.mark.parametrize("check", [True, False])
def test_a_warp_loads_small_matrices(order, check):
    x, out = normal(8, 20), zeros(8, 16)
    simulator.launch(small_matrices, 1, 32, x.ravel(), out, 20, order=order, check=check)
    np.testing.assert_array_equal(out, x[:, :16])


def test_rows_of_small_matrices_begin_at_16_bytes_and_are_written():
    found = fault(small_matrices, 1, 32, normal(160), zeros(8, 16), 19)
    assert (found.kind, found.array) == ("misaligned", "tile")
    found = fault(small_matrices, 1, 32, normal(150), zeros(8, 16), 20)
    assert (found.kind, found.array) == ("uninitialised", "tile")
    found = fault(small_matrices, 1, 32, normal(640), zeros(8, 16), 120)
    assert (found.kind, found.array) == ("out of bounds", "tile")


def test_banks_are_counted_for_small_matrices():
    """Eight rows of 16 bytes are one turn, if they lie in different banks."""
    for row_length, turns in ((20, 4), (32, 32)):
        traffic = simulator.launch(small_matrices, 1, 32, normal(640), zeros(8, 16), row_length)
        (line,) = [line for line in traffic.lines if "load_matrices" in line.site.text]
        assert (line.requests, line.transactions, line.least) == (1, turns, 4)


def small_matrices_of_global_memory(x, out):
    out[cuda.laneid] = load_matrices(x, 4 * cuda.laneid)[0]


def copies_to_global_memory(x, out):
    copy_async4(out, 0, x, 0)


def copies_from_shared_memory(x, out):
    tile = cuda.shared.array(8, float32, ALIGNED)
    copy_async4(tile, 0, tile, 4)


def copies_of_large_numbers(x, out):
    tile = cuda.shared.array(4, float64, 32)
    copy_async4(tile, 0, x, 0)


@pytest.mark.parametrize(
    "kernel, words",
    [
        (small_matrices_of_global_memory, "load_matrices is given x: float32 in global memory"),
        (copies_to_global_memory, "copy_async4 is given out: float32 in global memory"),
        (copies_from_shared_memory, "copy_async4 is given tile: float32 in shared memory"),
        (copies_of_large_numbers, "copy_async4 is given tile: float64 in shared memory"),
    ],
)
def test_an_instruction_takes_numbers_of_one_memory_and_size(kernel, words):
    found = fault(kernel, 1, 32, normal(128), zeros(32))
    assert found.kind == "wrong memory" and found.array in ("x", "out", "tile")
    assert words in str(found)


def test_tf32_keeps_ten_bits_behind_the_point():
    x = np.array([1 + 2**-10, 1 + 2**-11, -3], np.float32)
    assert tf32(x).tolist() == [1 + 2**-10, 1, -3]


# ---- What a GPU would not start, or not tell -----------------------------------------------------


@pytest.mark.parametrize(
    "grid, block, words",
    [
        (1, 1025, r"blocks of \(1025, 1, 1\) = 1025 threads"),
        (1, (32, 33), r"blocks of \(32, 33, 1\) = 1056 threads"),
        (1, 0, r"blocks of \(0, 1, 1\) = 0 threads"),
        (0, 32, r"a grid of \(0, 1, 1\) blocks"),
        ((1, 65536), 1, r"a grid of \(1, 65536, 1\) blocks.*\n.* Let the longest axis be x"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_launch_that_a_gpu_refuses(grid, block, words, check):
    words = f"impossible launch. breaks is to have {words}"
    with pytest.raises(simulator.KernelError, match=words):
        simulator.launch(breaks, grid, block, zeros(1), check=check)


def narrow(x, n):
    total = cuda.local.array(1, int32)
    total[0] = int32(cuda.grid(1) * n)
    x[total[0] // n] = int32(7) - int32(8)


def test_an_integer_that_has_too_few_bits_is_told():
    x = zeros(4)
    simulator.launch(narrow, 1, 4, x, 2**29)
    assert x.tolist() == [-1] * 4
    found = fault(narrow, 1, 4, x, 2**30)
    assert (found.kind, texts(found)) == ("overflow", ["total[0] = int32(cuda.grid(1) * n)"])
    assert "int32(2147483648) is meant" in str(found) and found.threads == [(2, 0, 0)]


# ---- What is no fault of the simulated kernel's memory -------------------------------------------


def breaks(x):
    x[0] = 1 // (cuda.threadIdx.x - 3)


def raises(x):
    if cuda.threadIdx.x == 3:
        raise ValueError("three")


def test_other_errors_say_which_thread():
    with pytest.raises(ValueError, match="three") as caught:
        simulator.launch(raises, 1, 4, zeros(4))
    assert caught.value.__notes__ == ["in thread (3, 0, 0) of block (0, 0, 0) of the simulation"]


# ---- Always the same, and fast -------------------------------------------------------------------


def writes_where_it_likes(out):
    out[cuda.atomic.add(out, 0, 1) + 1] = cuda.threadIdx.x


def test_the_order_of_threads_is_known():
    def order(name, seed=0):
        out = zeros(9, dtype=np.int64)
        simulator.launch(writes_where_it_likes, 1, 8, out, order=name, seed=seed, check=False)
        return out[1:].tolist()

    assert order("forward") == list(range(8)) == order("backward")[::-1]
    assert order("shuffled") == order("shuffled") != order("forward")
    assert order("shuffled", seed=1) != order("shuffled")
    assert sorted(order("shuffled")) == list(range(8))


def test_a_message_is_the_same_each_time():
    first, second = (str(fault(shifts, 2, 64, normal(64), zeros(128))) for _ in "12")
    assert first == second


LOOP = 0.04  # seconds of the processor that the loop below takes where the limits are meant


def seconds_of_loop():
    """What a fixed loop takes, of what the simulator does most: numbers of NumPy, one by one."""
    start = time.process_time()
    x, kept = np.ones(64, np.float32), {}
    total = x[0]
    for i in range(120_000):
        total = total * x[i % 64] + x[0]
        kept[i % 64, 1] = total
    return time.process_time() - start


def seconds_of_launch(check, launch, *arguments):
    start = time.process_time()
    launch(functools.partial(simulator.launch, check=check), *arguments)
    return time.process_time() - start


def assert_fast(limit, launch, *arguments):
    """Less than `limit` seconds without checks, at most five times as long with them.

    Of the processor, where the loop takes at most LOOP seconds; where that takes twice as long, so
    may the launch. The best of a few runs counts, each beside one of the loop.
    """
    loop, unchecked = np.min(
        [(seconds_of_loop(), seconds_of_launch(False, launch, *arguments)) for _ in range(5)], 0
    )
    limit *= max(1, loop / LOOP)
    assert unchecked < limit, f"{unchecked:.3f} s, where a loop takes {loop:.4f} s"
    assert min(seconds_of_launch(True, launch, *arguments) for _ in range(2)) < 5 * unchecked


@pytest.mark.slow  # beside what measures coverage, each of the simulator's calls takes longer
def test_a_product_of_64_by_64_matrices_takes_less_than_300_ms():
    assert_fast(0.3, matmul.LAUNCHES["tiled"], normal(64, 64), normal(64, 64), zeros(64, 64))


@pytest.mark.slow
def test_attention_of_128_queries_takes_less_than_1500_ms():
    q, k, v, o = (normal(1, 1, 128, 64) for _ in range(4))
    options = np.float32(0.125), 0, np.zeros((0, 0), bool), np.float32(0), np.uint64(0)
    arguments = q, k, v, *options, o, zeros(128, 2)
    assert_fast(1.5, attention.LAUNCHES["forward_64"], *arguments)
