"""What a kernel asks numba.cuda for is there, or the simulator says plainly what to write."""

import math

import numba
import numba.cuda as c
import numpy as np
import pytest
from numba import cuda, float32, int16, int32, int64, uint8, uint32, uint64
from numba.cuda import syncthreads, threadIdx

from kernels import simulator
from kernels.cuda.ptx import load4
from tests.orders import ORDERS
from tests.simulated import ALL, fault, normal, texts, zeros

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad


def assert_told(found, kind, line, *words):
    """A fault of a kind in a line of the kernel, that has these words."""
    assert (found.kind, texts(found)) == (kind, [line]), str(found)
    assert all(word in str(found) for word in words), str(found)


# ---- Names ---------------------------------------------------------------------------------------


def imported_index(x):
    x[threadIdx.x] = 1


def imported_function(x):
    x[c.threadIdx.x] = 1
    syncthreads()
    x[numba.cuda.threadIdx.x] += numba.float32(cuda.blockDim.x)
    cuda.syncthreads()


def test_cuda_may_have_another_name():
    x = zeros(4)
    simulator.launch(imported_function, 1, 4, x)
    assert x.tolist() == [5] * 4


@pytest.mark.parametrize("check", [True, False])
def test_what_numba_finds_only_behind_cuda_is_told(check):
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(imported_index, 1, 4, zeros(4), check=check)
    line = imported_index.__code__.co_firstlineno + 1
    told = f"      line {line}, in imported_index: x[threadIdx.x] = 1"
    assert caught.value.lines == [line]
    assert (
        str(caught.value)
        == f"""\
does not compile. threadIdx has been imported from numba.cuda by itself:
{told}
{" " * told.index("threadIdx")}^^^^^^^^^
Numba finds it only behind its module. Write `from numba import cuda`, and in the kernel \
cuda.threadIdx."""
    )


def made_with_an_index():
    index = threadIdx

    def writes(x):
        x[index.x] = 1

    return writes


def test_a_name_of_the_function_around_a_kernel_is_told_as_well():
    found = fault(made_with_an_index(), 1, 4, zeros(4))
    assert_told(found, "does not compile", "x[index.x] = 1", "index has been imported from numba.c")


def misspelt(x):
    cuda.syncthread()


def misspelt_index(x):
    x[cuda.threadidx.x] = 1


def not_simulated(x):
    x[0] = cuda.brev(3)


def misspelt_update(x):
    cuda.atomic.plus(x, 0, 1)


def misspelt_memory(x):
    cuda.shared.zeros(4, float32)


@pytest.mark.parametrize(
    "kernel, kind, line, words",
    [
        (misspelt, "does not compile", "cuda.syncthread()", "Is cuda.syncthreads meant?"),
        (misspelt_index, "does not compile", "x[cuda.threadidx.x] = 1", "Is cuda.threadIdx meant?"),
        (
            not_simulated,
            "unknown to the simulator",
            "x[0] = cuda.brev(3)",
            "The simulator has: all_sync, any_sync, ",
        ),
        (misspelt_update, "does not compile", "cuda.atomic.plus(x, 0, 1)", "It has: add, and_, "),
        (misspelt_memory, "does not compile", "cuda.shared.zeros(4, float32)", "It has: array"),
    ],
)
def test_names_that_are_not_there_are_told(kernel, kind, line, words):
    assert_told(fault(kernel, 1, 4, zeros(4)), kind, line, words)


# ---- Constant memory -----------------------------------------------------------------------------

PRIMES = np.array([[2, 3, 5], [7, 11, 13]], np.float32)


def reads_constants(x, first):
    table = cuda.const.array_like(PRIMES)
    i = cuda.threadIdx.x
    x[i] = table[1, i + first] + PRIMES[0, i] + len(table)


def writes_constants(x):
    PRIMES[0, 0] = x[0]


def constants_of_an_argument(x):
    cuda.const.array_like(x)


@ORDERS
def test_global_arrays_are_constant(order):
    x = zeros(3)
    simulator.launch(reads_constants, 1, 3, x, 0, order=order)
    assert x.tolist() == [11, 16, 20]
    line = "x[i] = table[1, i + first] + PRIMES[0, i] + len(table)"
    found = fault(reads_constants, 1, 3, x, 1, order=order)
    assert_told(found, "out of bounds", line, "PRIMES[1, 3] is meant", "constant memory")
    found = fault(writes_constants, 1, 1, x)
    assert_told(found, "does not compile", "PRIMES[0, 0] = x[0]", "Give the kernel the array as")
    found = fault(constants_of_an_argument, 1, 1, x)
    assert_told(found, "does not compile", "cuda.const.array_like(x)", "not an argument of it")
    assert PRIMES[0, 0] == 2


# ---- Atomic updates ------------------------------------------------------------------------------


def updates_of_bits(x):
    bit = 1 << cuda.grid(1)
    cuda.atomic.and_(x, 0, ~bit)
    cuda.atomic.or_(x, 1, bit)
    cuda.atomic.xor(x, 2, bit)
    cuda.atomic.sub(x, 3, 2)
    cuda.atomic.inc(x, 4, 4)
    cuda.atomic.dec(x, 5, 4)
    cuda.atomic.exch(x, 6, 7)
    cuda.atomic.dec(x, 7, 4)
    cuda.atomic.compare_and_swap(x, 3, 8)


def updates_but_nan(x, extremes):
    cuda.atomic.nanmax(extremes, 0, x[cuda.grid(1)])
    cuda.atomic.nanmin(extremes, 1, x[cuda.grid(1)])


@ORDERS
@pytest.mark.parametrize("check", [True, False])
def test_all_atomic_updates_of_numba(check, order):
    x = np.array([0xFF, 0, 0b101, 99, 0, 0, 1, 9], np.uint32)
    simulator.launch(updates_of_bits, 3, 2, x, order=order, check=check)
    assert x.tolist() == [0xC0, 0x3F, 0x3A, 87, 1, 4, 7, 4]
    x[0] = 3
    simulator.launch(updates_of_bits, 1, 1, x, order=order, check=check)
    assert x[0] == 2
    x, extremes = np.array([np.nan, 2, -1, np.nan], np.float32), np.full(2, np.nan, np.float32)
    simulator.launch(updates_but_nan, 2, 2, x, extremes, order=order, check=check)
    assert extremes.tolist() == [2, -1]


def swaps_first(x):
    cuda.atomic.compare_and_swap(x, 3, 8)


def test_compare_and_swap_takes_the_first_element():
    x = np.array([3, 3])
    simulator.launch(swaps_first, 1, 4, x)
    assert x.tolist() == [8, 3]


def exchanges(x):
    cuda.atomic.exch(x, 0, 1)


def counts_up(x):
    cuda.atomic.inc(x, 0, 9)


def adds(x):
    cuda.atomic.add(x, 0, 1)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "kernel, dtype, words",
    [
        (exchanges, np.float32, "exch of cuda.atomic is called for an array of float32"),
        (counts_up, np.int32, "Numba has it for uint32, uint64."),
        (adds, np.int16, "Numba has it for float32, float64, int32, int64, uint32, uint64."),
    ],
)
def test_an_update_of_a_type_that_numba_does_not_take(kernel, dtype, words, check):
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(kernel, 1, 4, zeros(4, dtype=dtype), check=check)
    assert caught.value.kind == "does not compile" and words in str(caught.value)
    assert texts(caught.value)[0].startswith("cuda.atomic")


# ---- Shapes of arrays ----------------------------------------------------------------------------


WIDTH = 4


def as_long_as_a_block(x, n):
    tile = cuda.shared.array(cuda.blockDim.x, float32)
    tile[0] = x[0]


def a_little_longer(x, n):
    tile = cuda.shared.array((WIDTH, WIDTH + 1), float32)
    tile[0, 0] = x[0]


def as_long_as_an_argument(x, n):
    tile = cuda.shared.array(
        dtype=float32,
        shape=(2, x.shape[0]),
    )
    tile[0, 0] = x[0]


def as_long_as_a_number(x, n):
    mine = cuda.local.array(n, float32)
    mine[0] = x[0]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "kernel, words",
    [
        (as_long_as_a_block, "The shape of tile is computed: cuda.blockDim.x\n"),
        (a_little_longer, "The shape of tile is computed: (WIDTH, WIDTH + 1)\n"),
        (as_long_as_an_argument, "The shape of tile is computed: (2, x.shape[0])\n"),
        (as_long_as_a_number, "The shape of mine is given: n\n"),
    ],
)
def test_a_shape_that_the_compiler_does_not_know_is_told(kernel, words, check):
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(kernel, 1, 4, normal(4), 4, check=check)
    assert caught.value.kind == "does not compile" and words in str(caught.value)
    assert caught.value.lines == [kernel.__code__.co_firstlineno + 1]


@cuda.jit(device=True, inline="always")
def first_of(x, n):
    mine = cuda.local.array(n, float32)
    mine[0] = x[0]
    return mine[0]


def asks_a_function(x, n):
    length = 2
    more = cuda.local.array((WIDTH, length), float32)
    more[3, 1] = x[1]
    x[1] = first_of(x, 2) + more[3, 1]


def test_a_function_that_is_compiled_into_a_kernel_knows_what_it_is_given():
    x = normal(4)
    right = x[0] + x[1]
    simulator.launch(asks_a_function, 1, 1, x, 4)
    assert x[1] == right


# ---- Shared memory that the launch gives ---------------------------------------------------------


def reverses(x):
    tile = cuda.shared.array(0, float32)
    more = cuda.shared.array(4, float32)
    i = cuda.threadIdx.x
    tile[i], more[i % 4] = x[i], 0
    cuda.syncthreads()
    x[i] = tile[x.shape[0] - 1 - i]


def takes_two_of_nothing(x, distance):
    numbers = cuda.shared.array(0, float32)
    bits = cuda.shared.array(0, int64)
    i = cuda.threadIdx.x
    numbers[2 * i], numbers[2 * i + 1] = x[i], x[i]
    x[i] = bits[(i + distance) % x.shape[0]] & 1


@ORDERS
@pytest.mark.parametrize("check", [True, False])
def test_the_launch_gives_shared_memory(check, order):
    x = np.arange(4, dtype=np.float32)
    simulator.launch(reverses, 1, 4, x, shared=16, order=order, check=check)
    assert x.tolist() == [3, 2, 1, 0]


def test_too_little_or_too_much_shared_memory_is_told():
    x, line = normal(4), "tile[i], more[i % 4] = x[i], 0"
    found = fault(reverses, 1, 4, x)
    assert_told(found, "too much shared memory", "tile = cuda.shared.array(0, float32)", "shared=")
    with pytest.raises(simulator.KernelError, match=r"tile\[3\] is meant.*shape \(3,\)") as caught:
        simulator.launch(reverses, 1, 4, x, shared=15)
    assert texts(caught.value) == [line]
    with pytest.raises(simulator.KernelError, match="needs 49168 bytes of shared memory"):
        simulator.launch(reverses, 1, 4, x, shared=48 * 1024)


@ORDERS
def test_arrays_of_the_memory_that_is_given_lie_upon_each_other(order):
    x = normal(8)
    simulator.launch(takes_two_of_nothing, 1, 8, x, 0, shared=64, order=order)
    with pytest.raises(simulator.KernelError, match="where .* lies as well, in shared") as caught:
        simulator.launch(takes_two_of_nothing, 1, 8, x, 1, shared=64, order=order)
    assert caught.value.kind == "data race"


# ---- Indices -------------------------------------------------------------------------------------


def one_before(x, out):
    i = cuda.threadIdx.x
    out[i] = x[i - 1]


def two_before(x, out):
    i = cuda.threadIdx.x
    out[i] = x[i - 9]


def four_before(x, out):
    a, b, c, d = load4(x, cuda.threadIdx.x - 4)
    out[0] = a + b + c + d


def test_it_is_told_what_a_negative_index_means():
    x, out = normal(8), zeros(8)
    counts = "on a GPU this is x[7], the other end of the axis"
    assert_told(fault(one_before, 1, 4, x, out), "out of bounds", "out[i] = x[i - 1]", counts)
    for kernel, line in (
        (two_before, "out[i] = x[i - 9]"),
        (four_before, "a, b, c, d = load4(x, cuda.threadIdx.x - 4)"),
    ):
        found = fault(kernel, 1, 4, x, out)
        assert_told(found, "out of bounds", line, "A GPU does not look:")
        assert "from the end" not in str(found)


def copies_a_row(x, out):
    i = cuda.threadIdx.x
    out[i, :] = x[i, 1:3]


def copies_all(x, out):
    out[0, 0] = x[...]


def sets_all(x, out):
    mine = cuda.local.array(3, float32)
    mine[:] = 0


def test_parts_of_arrays_are_told():
    x, out = normal(4, 4), zeros(4, 2)
    words, kind = "`for j in range(a.shape[1])`", "unknown to the simulator"
    for kernel, line in (
        (copies_a_row, "out[i, :] = x[i, 1:3]"),
        (copies_all, "out[0, 0] = x[...]"),
        (sets_all, "mine[:] = 0"),
    ):
        assert_told(fault(kernel, 1, 4, x, out), kind, line, words)


def halves(x, out):
    out[cuda.grid(1) / 2] = 1


def reads_halves(x, out):
    for i in (1, 1.0):  # which Python takes for the same index
        out[0] += x[i]


def takes_rows(x, out):
    out[0] = x[1][2]


def takes_a_third_axis(x, out):
    out[0] = x[0, 0, 0]


def test_what_is_no_index_of_an_element_is_told():
    x, out = normal(4), zeros(4)
    words, kind = "write n // 2", "does not compile"
    assert_told(fault(halves, 1, 1, x, out), kind, "out[cuda.grid(1) / 2] = 1", words)
    assert_told(fault(reads_halves, 1, 1, x, out), kind, "out[0] += x[i]", words)
    x = normal(4, 4)
    words, kind = "give as many indices as there are axes, 2 here", "unknown to the simulator"
    assert_told(fault(takes_rows, 1, 1, x, out), kind, "out[0] = x[1][2]", words, "as in a[i, j]")
    line, kind = "out[0] = x[0, 0, 0]", "does not compile"
    assert_told(fault(takes_a_third_axis, 1, 1, x, out), kind, line, words)


def runs_over(x, out):
    for number in x:
        out[0] += number


def runs_over_its_own(x, out):
    mine = cuda.local.array(2, float32)
    mine[0] = mine[1] = 1
    for number in mine:
        out[0] += number


def sums(x, out):
    out[0] = np.sum(x)


def sums_constants(x, out):
    out[0] = sum(PRIMES)


def adds_arrays(x, out):
    total = x + out
    out[0] = total[0]


def multiplies_by_a_number(x, out):
    twice = float32(2) * x
    out[0] = twice[0]


def changes_those_above(x, out):
    out[x > 0] = 1


def negates_its_own(x, out):
    mine = cuda.local.array(4, float32)
    out[0] = (-mine)[0]


@pytest.mark.parametrize(
    "kernel, line",
    [
        (adds_arrays, "total = x + out"),
        (multiplies_by_a_number, "twice = float32(2) * x"),
        (changes_those_above, "out[x > 0] = 1"),
        (negates_its_own, "out[0] = (-mine)[0]"),
        (runs_over, "for number in x:"),
        (runs_over_its_own, "for number in mine:"),
        (sums, "out[0] = np.sum(x)"),
        (sums_constants, "out[0] = sum(PRIMES)"),
    ],
)
def test_an_array_as_a_whole_is_told(kernel, line):
    found = fault(kernel, 1, 1, normal(4), zeros(1))
    assert_told(found, "unknown to the simulator", line, "`for i in range(x.shape[0]):`")


# ---- Races ---------------------------------------------------------------------------------------


def adds_without_an_update(x, out):
    out[0] += x[cuda.threadIdx.x]


def halves_without_a_barrier(x, out):
    tile = cuda.shared.array(32, float32)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    out[i] = tile[31 - i]


def test_a_race_in_one_line_or_in_one_warp_is_told_more():
    x, out = normal(32), zeros(32)
    found = str(fault(adds_without_an_update, 1, 2, x, out))
    assert "In the same line there is no room for it" in found and "cuda.atomic.add()" in found
    assert "syncwarp" not in found
    found = str(fault(halves_without_a_barrier, 1, 32, x, out))
    assert "for these cuda.syncwarp() is enough" in found and "atomic" not in found


# ---- Numbers -------------------------------------------------------------------------------------


def to_int32(x, out):
    out[0] = int32(x[0])


def to_int(x, out):
    out[0] = int(x[0])


def stores(x, out):
    out[0] = x[0]


@pytest.mark.parametrize(
    "kernel, limit", [(to_int32, 2.0**31), (to_int, 2.0**63), (stores, 2.0**31)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_numbers_that_are_no_integer_are_told(kernel, limit, dtype):
    out = zeros(1, dtype=np.int64 if kernel is to_int else np.int32)
    for number in (-limit, -2.7, 0.0, 2.7):
        simulator.launch(kernel, 1, 1, np.array([number], dtype), out)
        assert out[0] == math.trunc(number)
    for number in (np.nan, np.inf, -np.inf, limit, -1.1 * limit):
        found = fault(kernel, 1, 1, np.array([number], dtype), out)
        assert found.kind == "overflow" and "has no such number" in str(found)
        assert texts(found)[0].startswith("out[0] = ")


def keeps_much(x, out):
    out[0] = x.size << 40
    out[0] = x[0]


@pytest.mark.parametrize("check", [True, False])
def test_an_integer_that_does_not_fit_where_it_is_kept_is_told(check):
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(keeps_much, 1, 1, normal(1), zeros(1, dtype=np.int32), check=check)
    words = "1099511627776", " int32", "A GPU keeps the last"
    assert_told(caught.value, "overflow", "out[0] = x.size << 40", *words)


def keeps_an_index(x, out):
    i = np.int64(cuda.grid(1)) * 10000
    out[cuda.grid(1)] = i


def keeps_an_index_for_itself(x, out):
    mine = cuda.local.array(1, int16)
    mine[0] = np.int64(cuda.grid(1)) * 10000


def makes_an_index(x, out):
    out[cuda.grid(1)] = np.int16(np.int64(cuda.grid(1)) * 10000)


@pytest.mark.parametrize(
    "kernel, words",
    [
        (keeps_an_index, "out[4] = 40000 is meant, and int16 goes only from -32768 to 32767"),
        (keeps_an_index_for_itself, "int16(40000) is meant"),
        (makes_an_index, "int16(40000) is meant"),
    ],
)
def test_an_index_of_16_bits_is_told(kernel, words):
    """NumPy says nothing where a longer integer of its own is cut."""
    out = zeros(8, dtype=np.int16)
    simulator.launch(kernel, 1, 4, normal(1), out)
    found = fault(kernel, 1, 5, normal(1), out)
    assert found.kind == "overflow" and found.threads == [(4, 0, 0)], str(found)
    assert words in str(found)


def takes_bits(bits, few, out):
    lane = cuda.threadIdx.x
    votes = cuda.ballot_sync(ALL, lane > 0)
    tile = cuda.shared.array(1, uint32)
    mine = cuda.local.array(1, uint8)
    if lane == 0:
        tile[0] = votes
        mine[0] = -1
        bits[0] = uint32(votes)
        bits[1] = np.uint32(-1)
        bits[2] = votes
        bits[3] = tile[0] >> 1
        bits[4] = uint32(uint64(0xABCDEF0123456789))
        few[0] = mine[0]
        few[1] = -128
        cuda.atomic.exch(bits, 5, -1)
        cuda.atomic.cas(bits, 5, -1, -3)
        out[0] = uint32(-1) + 0.0


@pytest.mark.parametrize("check", [True, False])
def test_unsigned_integers_keep_bits(check):
    """As on a card: those of negative numbers, and of lanes where lane 31 is a sign."""
    bits, few, out = zeros(6, dtype=np.uint32), zeros(2, dtype=np.uint8), zeros(1)
    simulator.launch(takes_bits, 1, 32, bits, few, out, check=check)
    first, right = 0xFFFFFFFE, 0xFFFFFFFD
    assert bits.tolist() == [first, 0xFFFFFFFF, first, first >> 1, 0x23456789, right]
    assert few.tolist() == [0xFF, 0x80] and out[0] == np.float32(0xFFFFFFFF)


def keeps_too_little(bits, number):
    bits[0] = number


def makes_too_little(bits, number):
    bits[0] = uint8(number)


SHORTENING = pytest.mark.parametrize("kernel", [keeps_too_little, makes_too_little])


@SHORTENING
@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("number", [256, -129, np.int64(1000), np.uint64(2**63 + 3), np.True_])
def test_unsigned_integers_keep_the_last_bits(kernel, number, check):
    """As a hash or a random number wants it."""
    bits = zeros(1, dtype=np.uint8)
    simulator.launch(kernel, 1, 1, bits, number, check=check)
    assert bits[0] == int(number) % 256


@SHORTENING
@pytest.mark.parametrize("number", [-1.5, np.float32(256), np.nan])
def test_numbers_that_unsigned_integers_cannot_keep_are_told(kernel, number):
    found = fault(kernel, 1, 1, zeros(1, dtype=np.uint8), number)
    assert found.kind == "overflow" and str(number) in str(found)


# ---- What a thread does --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kernel, arguments, deed",
    [
        (one_before, (normal(4), zeros(4)), "reads x[i - 1]"),
        (halves, (normal(4), zeros(4)), "writes out[cuda.grid(1) / 2]"),
        (misspelt, (zeros(4),), "asks for cuda.syncthread"),
        (exchanges, (zeros(4),), "calls cuda.atomic.exch(x, 0, 1)"),
        (to_int32, (normal(1) * np.inf, zeros(1)), "calls int32(x[0])"),
        (runs_over, (zeros(4), zeros(4)), "begins a loop"),
    ],
)
def test_it_is_told_what_a_thread_does(kernel, arguments, deed):
    told = str(fault(kernel, 1, 1, *arguments)).splitlines()[1]
    assert told == f"  thread (0, 0, 0) of block (0, 0, 0) {deed}"
