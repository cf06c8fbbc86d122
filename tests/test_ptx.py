"""The GPU that runs PTX does what NVIDIA's manual says of each instruction.

Programs are written by hand here, so that no compiler is asked for. Numbers that stand beside an
instruction are computed by hand, or by what Python has for it.
"""

import math
import struct

import numpy as np
import pytest

from tests import ptx

WARP = 32
HEAD = """
.visible .entry kernel(
    .param .u64 kernel_param_0
)
.maxntid 64, 1, 1
{
    .reg .pred %p<9>;
    .reg .b16 %rs<9>;
    .reg .f32 %f<19>;
    .reg .f64 %fd<9>;
    .reg .b32 %r<19>;
    .reg .b64 %rd<19>;
    .shared .align 16 .b8 tile[512];
    .local .align 8 .b8 depot[16];
    ld.param.u64 %rd1, [kernel_param_0];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd2, %r1, 8;
    add.u64 %rd3, %rd1, %rd2;
"""


def run(lines, threads=WARP, blocks=1, out=None, **how):
    """Run lines of PTX, in which %r1 is the thread and %rd3 where its 8 bytes of `out` are."""
    out = np.zeros(threads, np.uint64) if out is None else out
    code = ptx.parsed(f"{HEAD}\n{lines}\n    ret;\n}}\n")
    start = out.__array_interface__["data"][0]
    ptx.run(code, (blocks,), (threads,), [out], [start], **how)
    return out


def assert_told(kind, words, lines, told):
    """Lines end in an error of a kind, in these words, which tells the line where it is."""
    with pytest.raises(kind, match=words) as caught:
        run(lines)
    assert told in caught.value.__notes__[0]


def result(instruction, **registers):
    """What an instruction makes of numbers in registers, in %rd9: all its bits."""
    moves = "\n".join(f"mov.b64 %{name}, {value};" for name, value in registers.items())
    return int(run(f"{moves}\n{instruction}\nst.global.u64 [%rd3], %rd9;", 1)[0])


def bits(x):
    """A float32 as its 32 bits"""
    return struct.unpack("<I", struct.pack("<f", x))[0]


def constant(x):
    """A float32 as PTX writes it"""
    return f"0f{bits(x):08X}"


# ---- Integers ------------------------------------------------------------------------------------

INTEGERS = {
    "add.s64 %rd9, %rd5, %rd6;": (2**63 - 1, 2, 2**63 + 1),
    "sub.s64 %rd9, %rd5, %rd6;": (1, 2, 2**64 - 1),
    "mul.lo.s64 %rd9, %rd5, %rd6;": (2**40 + 3, 2**40 + 5, (2**40 + 3) * (2**40 + 5) % 2**64),
    "mul.hi.s64 %rd9, %rd5, %rd6;": (-(2**40), 2**40, -(2**16)),
    "mul.hi.u64 %rd9, %rd5, %rd6;": (2**40, 2**40, 2**16),
    "div.s64 %rd9, %rd5, %rd6;": (-7, 2, -3),
    "rem.s64 %rd9, %rd5, %rd6;": (-7, 2, -1),
    "div.u64 %rd9, %rd5, %rd6;": (2**64 - 7, 2, (2**64 - 7) // 2),
    "min.s64 %rd9, %rd5, %rd6;": (-1, 1, -1),
    "min.u64 %rd9, %rd5, %rd6;": (-1, 1, 1),
    "max.s64 %rd9, %rd5, %rd6;": (-1, 1, 1),
    "shl.b64 %rd9, %rd5, 3;": (-1, 0, -8),
    "shl.b64 %rd9, %rd5, 64;": (-1, 0, 0),
    "shr.s64 %rd9, %rd5, 3;": (-9, 0, -2),
    "shr.s64 %rd9, %rd5, 70;": (-9, 0, -1),
    "shr.u64 %rd9, %rd5, 3;": (-8, 0, 2**61 - 1),
    "shr.u64 %rd9, %rd5, 64;": (-8, 0, 0),
    "and.b64 %rd9, %rd5, %rd6;": (12, 10, 8),
    "or.b64 %rd9, %rd5, %rd6;": (12, 10, 14),
    "xor.b64 %rd9, %rd5, %rd6;": (12, 10, 6),
    "not.b64 %rd9, %rd5;": (12, 0, -13),
    "bfi.b64 %rd9, %rd5, %rd6, 4, 8;": (0x123, 0xFFFFF, 0xFF23F),
    "bfi.b64 %rd9, %rd5, %rd6, 32, 32;": (-1, 5, 5 - 2**32),
    "bfi.b64 %rd9, %rd5, %rd6, 8, 56;": (7, 9, 7 << 8 | 9),
    "bfi.b64 %rd9, %rd5, %rd6, 0, 64;": (7, 9, 7),
    "bfi.b64 %rd9, %rd5, %rd6, 64, 8;": (7, 9, 9),
    "neg.s64 %rd9, %rd5;": (12, 0, -12),
    "abs.s64 %rd9, %rd5;": (-12, 0, 12),
    "mov.u64 %rd9, -2;": (0, 0, -2),
    "cvt.u32.u64 %r5, %rd5; cvt.u64.u32 %rd9, %r5;": (-1, 0, 2**32 - 1),
    "cvt.u32.u64 %r5, %rd5; cvt.s64.s32 %rd9, %r5;": (2**32 - 1, 0, -1),
    "cvt.u32.u64 %r5, %rd5; mul.wide.s32 %rd9, %r5, 4;": (2**31, 0, -(2**33)),
    "cvt.u32.u64 %r5, %rd5; mul.wide.u32 %rd9, %r5, 4;": (2**31, 0, 2**33),
    "mov.b64 {%r5, %r6}, %rd5; mov.b64 %rd9, {%r6, %r5};": (2**32 + 7, 0, 7 * 2**32 + 1),
    "mov.b64 {%rs1, %rs2, %rs3, %rs4}, %rd5; mov.b64 %rd9, {%rs4, %rs1, %rs2, %rs3};": (
        *(4 << 48 | 3 << 32 | 2 << 16 | 1, 0),
        3 << 48 | 2 << 32 | 1 << 16 | 4,
    ),
    "mov.b64 {%r5, _}, %rd5; mov.b32 {%rs1, %rs2}, %r5; mov.b32 %r6, {%rs2, %rs1}; "
    "mov.b64 %rd9, {%r6, 0};": (2**16 + 7, 0, 7 * 2**16 + 1),
}


@pytest.mark.parametrize("lines", INTEGERS)
def test_integers(lines):
    a, b, right = INTEGERS[lines]
    assert result(lines.replace("; ", ";\n"), rd5=a, rd6=b) == right % 2**64


COMPARED = {"lt.s64": True, "lt.u64": False, "gt.s64": False, "le.s64": True, "ne.s64": True}


@pytest.mark.parametrize("order", COMPARED)
def test_integers_are_compared(order):
    lines = f"setp.{order} %p1, %rd5, %rd6;\nselp.u64 %rd9, 1, 0, %p1;"
    assert result(lines, rd5=-1, rd6=1) == COMPARED[order]


# ---- Floats --------------------------------------------------------------------------------------

NAN, TINY = math.nan, 2.0**-24
FLOATS = [
    ("add.f32 %f9, %f5, %f6;", 1, TINY, 1),
    ("add.rz.f32 %f9, %f5, %f6;", 1, -TINY / 4, 1 - TINY),
    ("add.rm.f32 %f9, %f5, %f6;", 1, -TINY / 4, 1 - TINY),
    ("sub.f32 %f9, %f5, %f6;", 1, 3, -2),
    ("mul.f32 %f9, %f5, %f6;", 1.5, -3, -4.5),
    ("div.rn.f32 %f9, %f5, %f6;", 1, 4, 0.25),
    ("fma.rn.f32 %f9, %f5, %f6, %f6;", 1 + 6 * TINY, 1, 2 + 8 * TINY),
    ("fma.rn.f32 %f9, %f5, %f5, %f6;", 1 + 2.0**-12, -1 - 2.0**-11, TINY),
    ("fma.rm.f32 %f9, %f5, %f6, %f6;", 1 + 6 * TINY, 1, 2 + 4 * TINY),
    ("max.f32 %f9, %f5, %f6;", NAN, 2, 2),
    ("min.f32 %f9, %f5, %f6;", 3, NAN, 3),
    ("max.f32 %f9, %f5, %f6;", 0.0, -0.0, 0.0),
    ("max.f32 %f9, %f5, %f6;", -0.0, 0.0, 0.0),
    ("min.f32 %f9, %f5, %f6;", 0.0, -0.0, -0.0),
    ("min.f32 %f9, %f5, %f6;", -0.0, 0.0, -0.0),
    ("neg.f32 %f9, %f5;", 3, 0, -3),
    ("abs.f32 %f9, %f5;", -3, 0, 3),
    ("sqrt.rn.f32 %f9, %f5;", 6.25, 0, 2.5),
    ("rcp.approx.ftz.f32 %f9, %f5;", 4, 0, 0.25),
    ("ex2.approx.ftz.f32 %f9, %f5;", -3, 0, 0.125),
    ("copysign.f32 %f9, %f5, %f6;", -1, 3, -3),
    ("cvt.sat.f32.f32 %f9, %f5;", NAN, 0, 0),
    ("cvt.rni.f32.f32 %f9, %f5;", 2.5, 0, 2),
    ("cvt.rzi.f32.f32 %f9, %f5;", -2.5, 0, -2),
    ("cvt.rmi.f32.f32 %f9, %f5;", -2.5, 0, -3),
    ("cvt.rpi.f32.f32 %f9, %f5;", -2.5, 0, -2),
    ("cvt.rzi.s32.f32 %r5, %f5; cvt.rn.f32.s32 %f9, %r5;", -2.5, 0, -2),
    ("cvt.rzi.s32.f32 %r5, %f5; cvt.rn.f32.s32 %f9, %r5;", 1e20, 0, 2.0**31),
    ("cvt.rzi.u32.f32 %r5, %f5; cvt.rn.f32.u32 %f9, %r5;", -7, 0, 0),
    ("cvt.rzi.s32.f32 %r5, %f5; cvt.rn.f32.s32 %f9, %r5;", NAN, 0, 0),
    # NaN becomes 0, but where 64 bits are read or written the first bit alone: so says the manual.
    ("cvt.rzi.s64.f32 %rd5, %f5; cvt.rn.f32.s64 %f9, %rd5;", NAN, 0, -(2.0**63)),
    ("cvt.rzi.u64.f32 %rd5, %f5; cvt.rn.f32.u64 %f9, %rd5;", NAN, 0, 2.0**63),
    (
        "cvt.f64.f32 %fd5, %f5; cvt.rzi.s32.f64 %r5, %fd5; cvt.rn.f32.s32 %f9, %r5;",
        NAN,
        0,
        -(2.0**31),
    ),
    ("mul.rz.f32 %f9, %f5, %f5;", 1 + 2 * TINY, 0, 1 + 4 * TINY),
    ("mul.rp.f32 %f9, %f5, %f5;", 1 + 2 * TINY, 0, 1 + 6 * TINY),
    ("setp.lt.f32 %p1, %f5, %f6; selp.f32 %f9, %f5, %f6, %p1;", NAN, 2, 2),
    ("setp.ltu.f32 %p1, %f6, %f5; selp.f32 %f9, %f6, 0f00000000, %p1;", NAN, 2, 2),
    ("setp.neu.f32 %p1, %f6, %f5; selp.f32 %f9, %f6, 0f00000000, %p1;", NAN, 2, 2),
    ("setp.ne.f32 %p1, %f6, %f5; selp.f32 %f9, 0f00000000, %f6, %p1;", NAN, 2, 2),
    ("setp.nan.f32 %p1, %f6, %f5; selp.f32 %f9, %f6, 0f00000000, %p1;", NAN, 2, 2),
    ("setp.num.f32 %p1, %f6, %f5; selp.f32 %f9, 0f00000000, %f6, %p1;", NAN, 2, 2),
]


@pytest.mark.parametrize("lines, a, b, right", FLOATS)
def test_floats(lines, a, b, right):
    lines = f"mov.f32 %f5, {constant(a)};\nmov.f32 %f6, {constant(b)};\n{lines}"
    stored = "mov.b32 %r9, %f9;\ncvt.u64.u32 %rd9, %r9;"
    assert result(f"{lines}\n{stored}".replace("; ", ";\n")) == bits(right)


# ---- Threads -------------------------------------------------------------------------------------

STORE = "cvt.u64.u32 %rd9, %r9;\nst.global.u64 [%rd3], %rd9;"
LOOP = """
    mov.u32 %r9, 0;
$L__1:
    setp.ge.u32 %p1, %r9, %r1;
    @%p1 bra $L__2;
    add.u32 %r9, %r9, 1;
    bra.uni $L__1;
$L__2:
    @!%p1 mov.u32 %r9, 77;
"""


@pytest.mark.parametrize("apart", [False, True])
def test_each_thread_has_its_own_turns_of_a_loop(apart):
    found = run(LOOP + STORE, 64, apart=apart)
    np.testing.assert_array_equal(found, np.arange(64))


SHUFFLES = {
    "bfly.b32 %r9|%p1, %r1, 1, 31": lambda lane: lane ^ 1,
    "bfly.b32 %r9|%p1, %r1, 9, 31": lambda lane: lane ^ 9,
    "down.b32 %r9|%p1, %r1, 2, 31": lambda lane: np.where(lane < 30, lane + 2, lane),
    "up.b32 %r9|%p1, %r1, 2, 0": lambda lane: np.where(lane < 2, lane, lane - 2),
    "idx.b32 %r9|%p1, %r1, 5, 31": lambda lane: 0 * lane + 5,
    "idx.b32 %r9|%p1, %r1, 5, 6175": lambda lane: lane // 8 * 8 + 5,  # 24 << 8 | 31: by eights
    # Of how far, or which, the five last bits count.
    "bfly.b32 %r9|%p1, %r1, 33, 31": lambda lane: lane ^ 1,
    "down.b32 %r9|%p1, %r1, 34, 31": lambda lane: np.where(lane < 30, lane + 2, lane),
    "up.b32 %r9|%p1, %r1, -30, 0": lambda lane: np.where(lane < 2, lane, lane - 2),
    "idx.b32 %r9|%p1, %r1, 37, 31": lambda lane: 0 * lane + 5,
}


@pytest.mark.parametrize("way", SHUFFLES)
def test_lanes_exchange_numbers(way):
    found = run(f"shfl.sync.{way}, -1;\n{STORE}")
    np.testing.assert_array_equal(found, SHUFFLES[way](np.arange(WARP)))


def test_a_ballot_has_a_bit_for_each_lane():
    lines = "setp.lt.u32 %p1, %r1, 3;\nvote.sync.ballot.b32 %r9, %p1, -1;\n"
    np.testing.assert_array_equal(run(lines + STORE), np.full(WARP, 7))


HALVES = """
    setp.lt.u32 %p1, %r1, 16;
    selp.b32 %r2, 65535, -65536, %p1;
    {}
"""


def test_each_half_of_a_warp_votes_for_itself():
    """Lanes with different masks may come to an instruction at once: each group is on its own."""
    lines = HALVES.format("setp.ne.u32 %p2, %r1, 3;\nvote.sync.ballot.b32 %r9, %p2, %r2;\n")
    found = run(lines + STORE)
    np.testing.assert_array_equal(found, np.where(np.arange(WARP) < 16, 0xFFF7, 0xFFFF0000))


MASKS = {
    "shfl.sync.bfly.b32 %r9|%p2, %r1, 1, 31, 65535": "not in its mask",
    "vote.sync.ballot.b32 %r9, %p1, 65535": "not in its mask",
    "bar.warp.sync 65535": "not in its mask",
    "shfl.sync.bfly.b32 %r9|%p2, %r1, 16, 31, %r2": "elsewhere, or not in the mask",
    "shfl.sync.bfly.b32 %r9|%p2, %r1, 1, 31, %r3": "or their masks differ",
}


@pytest.mark.parametrize("line", MASKS)
def test_a_mask_that_is_wrong_is_told(line):
    lines = HALVES.format(f"selp.b32 %r3, 65535, -1, %p1;\n{line};")
    assert_told(ptx.WarpError, MASKS[line], lines, line)


BRANCH = "setp.lt.u32 %p1, %r1, 9;\n@%p1 bra $L__1;\n{};\n$L__1:\nmov.u32 %r9, 0;\n"


@pytest.mark.parametrize("line", ["shfl.sync.bfly.b32 %r9|%p2, %r1, 1, 31, -1", "bar.warp.sync -1"])
def test_a_lane_that_is_elsewhere_is_told(line):
    assert_told(ptx.WarpError, "not all lanes come", BRANCH.format(line), line)


@pytest.mark.parametrize("apart", [False, True])
def test_a_barrier_that_some_never_come_to_is_told(apart):
    with pytest.raises(ptx.BarrierError, match="their ends, some wait at line 22 of"):
        run(BRANCH.format("bar.sync 0"), apart=apart)


# ---- Memory --------------------------------------------------------------------------------------

TURNED = """
    shl.b32 %r2, %r1, 2;
    cvt.u64.u32 %rd5, %r2;
    mov.u64 %rd6, tile;
    add.u64 %rd7, %rd6, %rd5;
    sub.u32 %r4, 63, %r1;
    shl.b32 %r4, %r4, 2;
    cvt.u64.u32 %rd5, %r4;
    add.u64 %rd8, %rd6, %rd5;
    st.shared.u32 [%rd7], %r1;
    {}
    ld.shared.u32 %r9, [%rd8];
"""


def test_threads_of_a_block_share_memory():
    found = run(TURNED.format("bar.sync 0;") + STORE, 64, apart=True)
    np.testing.assert_array_equal(found, 63 - np.arange(64))


def test_apart_a_missing_barrier_shows():
    """The last warp reads before the first has written: it finds what nobody has set."""
    found = run(TURNED.format("") + STORE, 64, apart=True)
    np.testing.assert_array_equal(found[:32], 63 - np.arange(32))
    np.testing.assert_array_equal(found[32:], 0xFFFFFFFF)


def test_each_thread_has_memory_of_its_own():
    found = run(
        f"mov.u64 %rd5, depot;\nst.local.u32 [%rd5+8], %r1;\nld.local.u32 %r9, [%rd5+8];\n{STORE}"
    )
    np.testing.assert_array_equal(found, np.arange(WARP))


def test_four_numbers_are_moved_at_once():
    out = np.arange(4, dtype=np.uint64)
    lines = """
    ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+16];
    st.global.v4.u32 [%rd1], {%r5, %r4, %r3, %r2};
    """
    run(lines, 1, out=out)
    np.testing.assert_array_equal(out.view(np.uint32), [0, 3, 0, 2, 2, 0, 3, 0])


def test_updates_are_added_one_by_one():
    out = np.zeros(WARP, np.uint64)
    run(
        f"atom.global.add.u32 %r9, [%rd1+8], 2;\nbar.sync 0;\n{STORE}",
        out=out,
    )
    assert sorted(out.tolist()) == [2 * i for i in range(WARP)]


def test_parameters_are_numbers_of_their_types():
    types = {"u8": -3, "u16": 65535, "u32": -(2**31), "f32": -0.5}
    head = HEAD.replace(
        "kernel_param_0\n)",
        "kernel_param_0,\n"
        + ",\n".join(f".param .{kind} kernel_param_{i}" for i, kind in enumerate(types, 1))
        + "\n)",
    )
    lines = """
    ld.param.s8 %rs1, [kernel_param_1];
    cvt.s64.s16 %rd5, %rs1;
    ld.param.s16 %rs1, [kernel_param_2];
    cvt.s64.s16 %rd6, %rs1;
    ld.param.s32 %rd7, [kernel_param_3];
    ld.param.b32 %r5, [kernel_param_4];
    cvt.u64.u32 %rd8, %r5;
    st.global.v2.u64 [%rd1], {%rd5, %rd6};
    st.global.v2.u64 [%rd1+16], {%rd7, %rd8};
    """
    out = np.zeros(4, np.int64)
    start = out.__array_interface__["data"][0]
    code = ptx.parsed(f"{head}\n{lines}\n    ret;\n}}\n")
    ptx.run(code, (1,), (1,), [out], [start, *types.values()])
    assert out.tolist() == [-3, -1, -(2**31), bits(-0.5)]


def test_a_register_that_a_lane_has_not_set_is_no_number():
    lines = "setp.lt.u32 %p1, %r1, 9;\n@%p1 mov.f32 %f1, 0f3F800000;\nmov.b32 %r9, %f1;\n"
    found = run(lines + STORE).astype(np.uint32).view(np.float32)
    np.testing.assert_array_equal(found, np.where(np.arange(WARP) < 9, 1, np.nan))


ACCESSES = {
    "st.global.u64 [%rd3+8], %rd1;": "no array has 8 bytes",
    "ld.global.u64 %rd5, [%rd3+-8];": "no array has 8 bytes",
    "ld.global.u64 %rd5, [%rd3+4];": "multiple of 8",
    "ld.global.v2.u64 {%rd5, %rd6}, [%rd3];": "multiple of 16",
    "mov.u64 %rd5, tile;\nld.u32 %r2, [%rd5];": "no array has 4 bytes",
    "mov.u64 %rd5, tile;\nst.shared.u32 [%rd5+512], %r1;": "no 4 bytes at 512 of 512",
    "mov.u64 %rd5, depot;\nld.local.u64 %rd6, [%rd5+16];": "no 8 bytes at 16 of 16",
}


@pytest.mark.parametrize("lines", ACCESSES)
def test_an_access_that_must_not_be_is_told(lines):
    assert_told(ptx.AccessError, ACCESSES[lines], lines, lines.splitlines()[-1])


COPY = """
    mov.u64 %rd5, tile;
    cvt.u32.u64 %r2, %rd5;
    cp.async.cg.shared.global [%r2], [%rd1], 16;
    cp.async.commit_group;
    cp.async.cg.shared.global [%r2+16], [%rd1], 16;
    {}
    ld.shared.u32 %r9, [%rd5+{}];
"""
WAITS = {
    "cp.async.wait_group 1;": (0xFFFFFFFF, 0xFFFFFFFF),
    "cp.async.wait_group 0;": (5, 0xFFFFFFFF),  # the second is in no group yet
    "cp.async.commit_group;\ncp.async.wait_group 1;": (5, 0xFFFFFFFF),
    "cp.async.commit_group;\ncp.async.wait_group 0;": (5, 5),
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_copy_is_there_once_it_was_waited_for(wait):
    for place, right in zip((0, 16), WAITS[wait]):
        out = np.full(2, 5, np.uint64)
        run(COPY.format(wait, place) + STORE, 1, out=out)
        assert out[0] == right


# ---- Launches ------------------------------------------------------------------------------------

LAUNCHES = {
    "as many as there may be": ((1, 2, 3), (32, 2, 1), None),
    "no block": ((0,), (32,), "a grid has from 1"),
    "no thread": ((1,), (32, 0), "a block has from 1"),
    "a fourth axis": ((1, 1, 1, 1), (32,), "a grid has from 1"),
    "too many blocks along y": ((1, 65536), (32,), "a grid has from 1 to .*65535"),
    "too many threads along z": ((1,), (1, 1, 65), "a block has from 1 to .*64"),
    "more threads than it is compiled for": ((1,), (65,), "at most 64 threads. Received: 65"),
}


@pytest.mark.parametrize("name", LAUNCHES)
def test_a_launch_that_no_gpu_starts_is_told(name):
    grid, block, words = LAUNCHES[name]
    code = ptx.parsed(f"{HEAD}\n    ret;\n}}\n")
    if words is None:
        ptx.run(code, grid, block, [], [0])
        return
    with pytest.raises(ValueError, match=words):
        ptx.run(code, grid, block, [], [0])


def test_more_than_a_gpu_has_is_told():
    large = HEAD.replace("maxntid 64", "maxntid 2048").replace("tile[512]", "tile[49168]")
    code = ptx.parsed(f"{large}\n    ret;\n}}\n")
    with pytest.raises(ValueError, match="at most 1024 threads"):
        ptx.run(code, (1,), (32, 64), [], [0])
    with pytest.raises(ValueError, match="at most 49152 bytes of shared memory. Received: 49168"):
        ptx.run(code, (1,), (32,), [], [0])


# ---- Small matrices ------------------------------------------------------------------------------


def test_a_product_of_small_matrices():
    """Where the manual has the numbers of lane 4 g + t: g and t begin a row or a column."""
    a, b, c = (np.random.default_rng(0).integers(-9, 9, n) for n in ((16, 8), (8, 8), (16, 8)))
    g, t = np.divmod(np.arange(WARP), 4)

    def of_c(c):
        return c[g, 2 * t], c[g, 2 * t + 1], c[g + 8, 2 * t], c[g + 8, 2 * t + 1]

    registers = a[g, t], a[g + 8, t], a[g, t + 4], a[g + 8, t + 4], b[t, g], b[t + 4, g], *of_c(c)
    out = np.zeros((WARP, 10), np.float32)
    for i, numbers in enumerate(registers):
        out[:, i] = numbers
    lines = "mad.lo.u32 %r2, %r1, 40, 0;\ncvt.u64.u32 %rd4, %r2;\nadd.u64 %rd4, %rd1, %rd4;\n"
    lines += "".join(f"ld.global.b32 %r{i + 3}, [%rd4+{4 * i}];\n" for i in range(6))
    lines += "".join(f"ld.global.f32 %f{i}, [%rd4+{4 * i + 24}];\n" for i in range(4))
    lines += "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
    lines += "{%f5, %f6, %f7, %f8}, {%r3, %r4, %r5, %r6}, {%r7, %r8}, {%f0, %f1, %f2, %f3};\n"
    lines += "".join(f"st.global.f32 [%rd4+{4 * i}], %f{i + 5};\n" for i in range(4))
    run(lines, out=out)
    np.testing.assert_array_equal(out[:, :4].T, of_c(c + a @ b))


UNKNOWN = [
    *("popc.b32 %r2, %r1", "mad.hi.s32 %r2, %r1, %r1, %r1", "add.sat.s32 %r2, %r1, %r1"),
    *("min.NaN.f32 %f1, %f1, %f1", "div.rz.f32 %f1, %f1, %f1", "add.rz.f64 %fd1, %fd1, %fd1"),
    *("setp.lt.and.s32 %p1, %r1, %r1, %p1", "cvt.sat.s8.s32 %r2, %r1", "cvt.rz.f32.f64 %f1, %fd1"),
    *(
        "cvt.rn.f16.f32 %rs1, %f1",
        "cvt.rna.tf32.f32 %r2, %f1",
        "atom.global.inc.u32 %r2, [%rd1], 3",
    ),
]


@pytest.mark.parametrize("line", UNKNOWN)
def test_an_instruction_that_is_not_known_is_told(line):
    assert_told(NotImplementedError, line.partition(" ")[0], f"{line};", line)


def test_what_is_not_known_is_told():
    for line in ("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16", "mma.sync.aligned.m16n8k4.row"):
        with pytest.raises(AssertionError, match=line):
            run(f"{line} {{%r2, %r3, %r4, %r5}}, [%r2];")
    assert_told(NotImplementedError, "some warps", "bar.sync 1, 32;", "bar.sync 1, 32")
    with pytest.raises(NotImplementedError, match="line 20 .*nonsense"):
        ptx.parsed(f"{HEAD}\n.nonsense 1\n")
    with pytest.raises(ptx.CallsError, match="__internal_pow"):
        ptx.parsed(f".func (.param .b64 func_retval0) __internal_pow\n{HEAD}")
