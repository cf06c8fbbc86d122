"""What orders threads beside barriers, and where in memory they meet, as the simulator sees it."""

import re

import numpy as np
import pytest
from numba import cuda, float32, int32

from kernels import simulator
from tests.orders import ORDERS
from tests.simulated import ALL, fault, normal, texts, zeros

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad


# ---- Fences --------------------------------------------------------------------------------------


@cuda.jit(device=True)
def fence():
    cuda.threadfence()


@cuda.jit(device=True)
def fence_of_block():
    cuda.threadfence_block()


@cuda.jit(device=True)
def barrier():
    cuda.syncthreads()


@cuda.jit(device=True)
def nothing():
    """Where one of these is missing."""


def last_block_adds(meet, before, after, first=nothing):
    """Each block leaves a row; the last one to say so adds them up. The kernel takes these steps"""

    def adds(x, rows, arrived, total):
        is_last = cuda.shared.array(1, int32)
        i, block = cuda.threadIdx.x, cuda.blockIdx.x
        first()
        rows[block, i] = 2 * x[block, i]
        meet()
        if i == 0:
            before()
            is_last[0] = cuda.atomic.add(arrived, 0, 1) == cuda.gridDim.x - 1
            after()
        cuda.syncthreads()
        if is_last[0]:
            for other in range(cuda.gridDim.x):
                total[i] += rows[other, cuda.blockDim.x - 1 - i]
            if i == 0:
                arrived[0] = 0

    return adds


def last_warp_adds(before):
    """The same with warps of a block, of which the first lane tells and learns."""

    def adds(x, arrived, total):
        rows = cuda.shared.array((3, 32), float32)
        i, warp = cuda.laneid, cuda.threadIdx.x // 32
        rows[warp, i] = 2 * x[warp, i]
        cuda.syncwarp()
        count = int32(0)
        if i == 0:
            before()
            count = cuda.atomic.add(arrived, 0, 1)
        count = cuda.shfl_sync(ALL, count, 0)
        cuda.syncwarp()
        if count == 2:
            for other in range(3):
                total[i] += rows[other, 31 - i]

    return adds


def one_by_one(before):
    """Threads that take turns with a lock."""

    def adds(x, lock, total):
        while cuda.atomic.cas(lock, 0, 0, 1) != 0:
            pass
        before()
        total[0] += x[cuda.grid(1)]
        before()
        cuda.atomic.exch(lock, 0, 0)

    return adds


@ORDERS
def test_a_fence_and_an_update_order_blocks(order):
    x, total, arrived = normal(5, 40), zeros(40), zeros(1, dtype=np.int32)
    kernel = last_block_adds(barrier, fence, nothing)
    for _ in range(2):  # the last block leaves the counter as it was
        total[:] = 0
        simulator.launch(kernel, 5, 40, x, zeros(5, 40), arrived, total, order=order)
        np.testing.assert_allclose(total[::-1], 2 * x.sum(0), rtol=1e-5)


@ORDERS
@pytest.mark.parametrize("before", [fence, fence_of_block])
def test_a_fence_and_an_update_order_warps(before, order):
    x, total = normal(3, 32), zeros(32)
    given = x, zeros(1, dtype=np.int32), total
    simulator.launch(last_warp_adds(before), 1, 96, *given, order=order)
    np.testing.assert_allclose(total[::-1], 2 * x.sum(0), rtol=1e-5)
    with pytest.raises(simulator.KernelError, match="data race. Two threads meet at rows"):
        given = x, zeros(1, dtype=np.int32), total
        simulator.launch(last_warp_adds(nothing), 1, 96, *given, order=order)


@ORDERS
def test_a_lock_with_fences_lets_threads_take_turns(order):
    x, total = normal(80), zeros(1)
    simulator.launch(one_by_one(fence), 2, 40, x, zeros(1, dtype=np.int32), total, order=order)
    np.testing.assert_allclose(total, x.sum(), rtol=1e-4)
    found = fault(one_by_one(nothing), 2, 40, x, zeros(1, dtype=np.int32), total, order=order)
    assert (found.kind, found.array) == ("data race", "total")


@ORDERS
@pytest.mark.parametrize(
    "steps",
    [
        (barrier, nothing, nothing),
        (barrier, fence_of_block, nothing),
        (barrier, nothing, fence),
        (barrier, nothing, nothing, fence),
        (nothing, fence, nothing),
    ],
)
def test_a_missing_fence_is_named(steps, order):
    given = normal(5, 40), zeros(5, 40), zeros(1, dtype=np.int32), zeros(40)
    found = fault(last_block_adds(*steps), 5, 40, *given, order=order)
    assert (found.kind, found.array) == ("data race", "rows")
    assert texts(found) == [
        "rows[block, i] = 2 * x[block, i]",
        "total[i] += rows[other, cuda.blockDim.x - 1 - i]",
    ]
    if steps[0] is nothing:
        assert "only if a cuda.syncthreads() stands before the fence." in str(found)
    else:
        update = found.lines[0] + 4
        assert f"in line {update}, `is_last[0] = cuda.atomic.add(arrived, 0, 1) ==" in str(found)
        assert "cuda.threadfence() must stand after what is to be seen and before" in str(found)


# ---- Memory that is seen through several arrays --------------------------------------------------


def writes_and_looks(wide, narrow, out, distance):
    """Each thread writes a wide element, and reads the last part of one that is further on."""
    i, parts = cuda.grid(1), narrow.shape[0] // wide.shape[0]
    wide[i] = i
    out[i] = narrow[parts * ((i + distance) % wide.shape[0]) + parts - 1]


@ORDERS
@pytest.mark.parametrize("grid, block", [(1, 8), (8, 1), (2, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_arrays_of_other_types_in_the_same_memory_race(dtype, grid, block, order):
    wide, out = zeros(8, dtype=np.float64), zeros(8)
    simulator.launch(writes_and_looks, grid, block, wide, wide.view(dtype), out, 0, order=order)
    found = fault(writes_and_looks, grid, block, wide, wide.view(dtype), out, 1, order=order)
    assert found.kind == "data race"
    assert sorted(texts(found)) == [
        "out[i] = narrow[parts * ((i + distance) % wide.shape[0]) + parts - 1]",
        "wide[i] = i",
    ]
    words = re.search(r"at (\w+)\[(\d+)\], where (\w+)\[(\d+)\] lies as well, in", str(found))
    places = {words[1]: int(words[2]), words[3]: int(words[4])}
    assert (places["narrow"] + 1) * np.dtype(dtype).itemsize == 8 * (places["wide"] + 1)


def writes_both(first, second):
    i = cuda.grid(1)
    first[i] = 1
    second[i] = 2


def test_parts_of_elements_meet_where_their_bytes_do():
    """The fields of records lie side by side; bytes of one array lie across elements of another."""
    records = np.zeros(6, [("a", np.uint8), ("b", np.float32), ("c", np.float64)])
    simulator.launch(writes_both, 2, 3, records["b"], records["c"])
    assert records["b"].tolist() == [1] * 6 and records["c"].tolist() == [2] * 6
    memory = np.zeros(64, np.uint8)
    for start in (0, 24, 32):
        found = memory[:32].view(np.float32), memory[start : start + 32].view(np.float32)[::-1]
        given = 2, 4, *found
        if start == 32:
            simulator.launch(writes_both, *given)
        else:
            assert fault(writes_both, *given).kind == "data race"
    across = np.ndarray(7, np.float32, memory, offset=2)
    assert fault(writes_both, 7, 1, memory[:28].view(np.float32), across).kind == "data race"
    with pytest.raises(TypeError, match=r"first is an array of records.* as in first\['a'\]"):
        simulator.launch(writes_both, 1, 6, records, records["b"])


def adds_through(wide, narrow):
    cuda.atomic.add(wide, 0, 1)
    if cuda.grid(1) == 0:
        narrow[1] = 0


def test_an_update_meets_all_parts_of_its_element():
    wide = zeros(2, dtype=np.int64)
    found = fault(adds_through, 1, 4, wide, wide.view(np.int32))
    assert "meet at narrow[1], where wide[0] lies as well" in str(found)


def adds_through_both(wide, narrow, place):
    cuda.atomic.add(wide, 0, 1)
    cuda.atomic.add(narrow, place, 1)


@ORDERS
@pytest.mark.parametrize("grid, block", [(1, 40), (4, 1)])
@pytest.mark.parametrize("types", ["i8 i4", "f8 f4", "i4 i8"])
def test_updates_of_elements_that_are_not_as_long_race(types, grid, block, order):
    """Not where they do not meet, nor where they are as long."""
    first, second = types.split()
    memory, given = zeros(4, dtype=np.int64), (adds_through_both, grid, block)
    views = memory.view(first), memory.view(second)
    simulator.launch(*given, *views, 2, order=order)
    simulator.launch(*given, memory, memory.view(np.uint64), 0, order=order)
    found = fault(*given, *views, 0, order=order)
    assert (found.kind, len(found.accesses)) == ("data race", 2)
    assert "An update is one step only beside updates of elements with as many bytes" in str(found)
    assert sorted(texts(found)) == [
        "cuda.atomic.add(narrow, place, 1)",
        "cuda.atomic.add(wide, 0, 1)",
    ]
