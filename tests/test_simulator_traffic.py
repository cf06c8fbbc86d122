"""What the simulator counts of a launch: sectors of global memory, turns of shared memory."""

import numpy as np
import pytest
from numba import cuda, float32, float64

from kernels import simulator
from kernels.cuda import gemm, matmul
from kernels.cuda.ptx import load4, store4
from tests.simulated import copies_two_groups, normal, zeros

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad


def copies(x, out, stride):
    i = cuda.threadIdx.x * stride
    out[cuda.grid(1)] = x[i]


@pytest.mark.parametrize("stride, sectors", [(0, 1), (1, 4), (2, 8), (8, 32), (9, 32)])
def test_sectors_are_counted(stride, sectors):
    traffic = simulator.launch(copies, 1, 64, zeros(600), zeros(64), stride)
    x, out = traffic.lines
    assert (x.verb, x.array.name, x.requests, x.transactions / 2) == ("read", "x", 2, sectors)
    assert (x.least / 2, x.bytes) == (1 if stride == 0 else 4, 64 * 4)
    assert (out.verb, out.array.name, out.transactions, out.least) == ("write", "out", 8, 8)


def reads_a_tile(x, stride):
    tile = cuda.shared.array(1056, float32)
    i = cuda.threadIdx.x
    for k in range(i, 1056, 32):
        tile[k] = x[k]
    cuda.syncthreads()
    x[i] = tile[i * stride]


@pytest.mark.parametrize("stride, turns", [(0, 1), (1, 1), (2, 2), (32, 32), (33, 1), (4, 4)])
def test_bank_conflicts_are_counted(stride, turns):
    traffic = simulator.launch(reads_a_tile, 1, 32, zeros(1056), stride)
    (line,) = (line for line in traffic.lines if (line.array.name, line.verb) == ("tile", "read"))
    assert (line.requests, line.transactions, line.least, line.bytes) == (1, turns, 1, 128)


def four_of_a_tile(x, stride):
    tile = cuda.shared.array((32, 36), float32)
    i = cuda.threadIdx.x
    store4(tile, (i, 0), load4(x, i * stride))


def test_four_numbers_at_once_are_one_request():
    traffic = simulator.launch(four_of_a_tile, 1, 32, zeros(32 * 8), 8)
    x, tile = traffic.lines
    assert (x.requests, x.transactions, x.least, x.bytes) == (1, 32, 16, 512)
    assert (tile.requests, tile.transactions, tile.least, tile.bytes) == (1, 4, 4, 512)


def test_a_line_of_the_source_is_one_line_of_the_table():
    """Though Python makes a faster instruction of one that has run a few times."""
    traffic = simulator.launch(copies, 6, 64, zeros(64), zeros(384), 1, order="shuffled")
    assert [line.requests for line in traffic.lines] == [12, 12]


def test_a_copy_is_counted_when_it_is_ordered():
    traffic = simulator.launch(copies_two_groups(0), 1, 8, normal(64), zeros(64))
    found = [line for line in traffic.lines if "copy_async4" in line.site.text]
    kinds = [(line.verb, line.array.name, line.requests, line.bytes) for line in found]
    assert kinds == [("read", "x", 1, 128), ("write", "tile", 1, 128)] * 2
    assert len(traffic.lines) == 4 + 4


def test_the_ladder_needs_less_at_each_step():
    """Of sectors of global memory; and no bank of shared memory has to be waited for."""
    a, b, c = normal(64, 16), normal(16, 64), zeros(64, 64)
    sectors = {}
    for name, rung in matmul.LAUNCHES.items():
        traffic = rung(simulator.launch, a, b, c)
        sectors[name] = sum(x.transactions for x in traffic.lines if x.array.space == "global")
        shared = [line for line in traffic.lines if line.array.space == "shared"]
        assert all(line.transactions == line.least for line in shared), f"{name}\n{traffic}"
    naive, coalesced, tiled, registers, vectors, double_buffered, tensor_cores = sectors.values()
    assert naive > 4 * coalesced > 20 * tiled == 40 * registers == 40 * vectors
    assert tiled > tensor_cores and vectors == double_buffered


@pytest.mark.parametrize("name", ["product_64", "transposed_a_64", "transposed_b_64", "dense_64"])
def test_no_bank_has_to_be_waited_for_in_small_blocks(name):
    a, b, c = normal(64, 64), normal(64, 64), zeros(64, 64)
    more = (zeros(64), 0, c) if name.startswith("dense") else ()
    traffic = gemm.LAUNCHES[name](simulator.launch, a, b, *more, c)
    shared = [line for line in traffic.lines if line.array.space == "shared"]
    assert shared and all(line.transactions == line.least for line in shared), str(traffic)


def test_a_table_and_a_picture_of_traffic():
    line = copies.__code__.co_firstlineno + 2
    traffic = simulator.launch(copies, 1, 6, zeros(48), zeros(6), 4)
    assert (
        str(traffic)
        == f"""\
                                memory  requests  bytes  per request  at best
line {line}, in copies: out[cuda.grid(1)] = x[i]
  read x: x[i]                  global         1     24  3.0 sectors      1.0
  write out: out[cuda.grid(1)]  global         1     24  1.0 sectors      1.0
A sector: 32 bytes of global memory, which are moved together."""
    )
    told = f"line {line}, in copies: out[cuda.grid(1)] = x[i]"
    assert (
        traffic.draw("= x[i]", "x")
        == traffic.draw(line, "x")
        == f"""\
{told}
{" " * told.index("x[i]")}^^^^

24 bytes in 3 sectors, where 1 would do
sector of 32 bytes: who uses its 8 words
     0 | 0  .  .  .  1  .  .  .|
     1 | 2  .  .  .  3  .  .  .|
     2 | 4  .  .  .  5  .  .  .|
(numbers of lanes; . for none, * for several)"""
    )
    with pytest.raises(ValueError, match="no line 'x' reads or writes 'y'"):
        traffic.draw("x", "y")


def adds_three(x, out):
    tile = cuda.shared.array(8, float64)
    i = cuda.threadIdx.x
    tile[i] = x[i]
    out[i] = x[i] + x[7 - i] * x[i] + tile[i]


def test_reads_in_one_line_are_told_apart():
    traffic = simulator.launch(adds_three, 1, 8, np.zeros(8), zeros(8))
    line = adds_three.__code__.co_firstlineno + 3
    assert str(traffic).splitlines() == [
        "                              memory  requests  bytes  per request  at best",
        f"line {line}, in adds_three: tile[i] = x[i]",
        "  read x: x[i]                global         1     64  2.0 sectors      2.0",
        "  write tile: tile[i]         shared         1     64    1.0 turns      1.0",
        f"line {line + 1}, in adds_three: out[i] = x[i] + x[7 - i] * x[i] + tile[i]",
        "  read x: x[i], in column 14  global         1     64  2.0 sectors      2.0",
        "  read x: x[7 - i]            global         1     64  2.0 sectors      2.0",
        "  read x: x[i], in column 32  global         1     64  2.0 sectors      2.0",
        "  read tile: tile[i]          shared         1     64    1.0 turns      1.0",
        "  write out: out[i]           global         1     32  1.0 sectors      1.0",
        "A sector: 32 bytes of global memory, which are moved together.",
        "A turn: each of the 32 banks of shared memory serves one word of 4 bytes.",
    ]
    picture = traffic.draw("x[7 - i]", "x").splitlines()
    assert picture[1].index("^") == picture[0].index("x[7 - i]")
    # Each lane has two of the words, since a float64 has 8 bytes.
    assert picture[5:7] == ["     0 | 7  7  6  6  5  5  4  4|", "     1 | 3  3  2  2  1  1  0  0|"]
    banks = traffic.draw("tile[i]", "tile").splitlines()[5]
    assert banks.startswith("turn 1| 0  0  1  1  2  2 ") and banks.count(".") == 16


def long_index(x, out):
    i = cuda.threadIdx.x
    out[i] = x[(i + 1) * (x.shape[0] + 1) % x.shape[0] + 0 * cuda.blockDim.x]


def test_a_long_access_is_cut():
    table = str(simulator.launch(long_index, 1, 8, zeros(8), zeros(8)))
    assert "  read x: x[(i + 1) * (x.shape[0] + 1) % x.sha ...  global" in table


def copies_some(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        out[i] = x[i]


@pytest.mark.parametrize("n, lines", [(6, 2), (0, 0)])
def test_blocks_that_move_nothing_are_no_lines(n, lines):
    traffic = simulator.launch(copies_some, 3, 8, zeros(6), zeros(n))
    assert len(traffic.lines) == lines
    assert len(str(traffic).splitlines()) == 1 + (3 + lines - 1 if lines else 0)


def test_a_picture_of_banks():
    traffic = simulator.launch(reads_a_tile, 1, 32, zeros(1056), 16)
    _, _, _, asked, *rows, _ = traffic.draw("tile[i * stride]", "tile").splitlines()
    assert asked == "128 bytes in 16 turns, where 1 would do"
    assert len(rows) == 1 + 16
    assert rows[1].split("|")[1].split() == ["0", *"." * 15, "1", *"." * 15]


def test_one_transaction_is_said_as_one():
    traffic = simulator.launch(reads_a_tile, 1, 32, zeros(1056), 1)
    assert "128 bytes in 1 turn, where 1 would do" in traffic.draw("tile[i * stride]", "tile")
    traffic = simulator.launch(copies_some, 1, 8, zeros(8), zeros(8))
    assert "32 bytes in 1 sector, where 1 would do" in traffic.draw("x[i]", "x")
