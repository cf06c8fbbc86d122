"""What each instruction does with threads: their registers, their memory, and each other.

    INSTRUCTIONS["ld"](threads, instruction, lanes)

`threads` are those of machine.py, `lanes` says which of them run the instruction. What only
computes is `compute`, by the words of its name.
"""

import numpy as np

from . import memory, warps
from .arithmetic import TYPES, as_type, meaning
from .warps import WARP

LDMATRIX = "ldmatrix.sync.aligned.m8n8.x4.shared.b16"  # the one that is known
MMA = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"


def compute(threads, instruction, lanes):
    """add.s64 d, a, b: a register gets what a function makes of others."""
    function, types, result = meaning(instruction.words)
    target, *sources = instruction.operands
    numbers = function(*(threads.get(*each, lanes) for each in zip(sources, types)))
    threads.put(target, np.asarray(numbers, result), lanes)


def move(threads, instruction, lanes):
    """mov.b32 d, {a, b}: a register is put together of two or four smaller ones, or taken apart.

    The first of these has the last bits.
    """
    (target, source), whole = instruction.operands, TYPES[instruction.words[-1]]
    if isinstance(target, tuple):
        part = np.dtype(f"u{whole.itemsize // len(target)}")
        numbers = np.broadcast_to(threads.get(source, whole, lanes), threads.how_many(lanes))
        parts = np.ascontiguousarray(numbers).view(part).reshape(-1, len(target))
        for i, each in enumerate(target):
            threads.put(each, parts[:, i], lanes)
    elif isinstance(source, tuple):
        part = np.dtype(f"u{whole.itemsize // len(source)}")
        parts = np.empty((threads.how_many(lanes), len(source)), part)
        for i, each in enumerate(source):
            parts[:, i] = threads.get(each, part, lanes)
        threads.put(target, parts.view(whole)[:, 0], lanes)
    else:
        compute(threads, instruction, lanes)


def convert_address(threads, instruction, lanes):
    """An address is the same among all addresses. Only one of global memory is used there."""
    target, source = instruction.operands
    threads.put(target, threads.get(source, TYPES["u64"], lanes), lanes)


# ---- Memory --------------------------------------------------------------------------------------


def _places(threads, words, address, size, lanes):
    """Where the numbers of an instruction are, as `memory` has it"""
    numbers = threads.get(address.base, TYPES["u64"], lanes)
    numbers = np.broadcast_to(numbers, threads.how_many(lanes)) + np.uint64(address.offset % 2**64)
    if "shared" in words:
        return threads.shared.where(numbers, size, threads.block[lanes])
    if "local" in words:
        return threads.local.where(numbers, size, threads.everyone[lanes])
    return threads.arrays.where(numbers, size)


def load(threads, instruction, lanes):
    """ld.global.v2.f32 {d, e}, [a]: neighbours in memory; ld.param: what all threads are given."""
    words, (target, address) = instruction.words, instruction.operands
    dtype = TYPES[words[-1]]
    if "param" in words:
        assert address.offset == 0, instruction.text
        threads.put(target, as_type(threads.parameters[address.base], dtype), lanes)
        return
    targets = target if isinstance(target, tuple) else (target,)
    places = _places(threads, words, address, dtype.itemsize * len(targets), lanes)
    numbers = memory.read(places, dtype, threads.how_many(lanes), len(targets))
    for i, each in enumerate(targets):
        threads.put(each, numbers[:, i], lanes)


def store(threads, instruction, lanes):
    """st.shared.v2.f32 [a], {b, c}: neighbours in memory."""
    words, (address, source) = instruction.words, instruction.operands
    dtype = TYPES[words[-1]]
    sources = source if isinstance(source, tuple) else (source,)
    numbers = np.empty((threads.how_many(lanes), len(sources)), dtype)
    for i, each in enumerate(sources):
        numbers[:, i] = threads.get(each, dtype, lanes)
    places = _places(threads, words, address, dtype.itemsize * len(sources), lanes)
    memory.write(places, numbers)


def update(threads, instruction, lanes):
    """atom.global.add.f32 d, [a], b: d is what was there. One thread comes after the other."""
    words, (target, address, *sources) = instruction.words, instruction.operands
    dtype = TYPES[words[-1]]
    known = [word for word in words if word in _ATOMIC]
    if not known:
        raise NotImplementedError(".".join(words))
    change = _ATOMIC[known[0]]
    count = threads.how_many(lanes)
    given = [np.broadcast_to(threads.get(each, dtype, lanes), count) for each in sources]
    old = np.empty(count, dtype)
    for bytes_of, offsets, which in _places(threads, words, address, dtype.itemsize, lanes):
        numbers = bytes_of.view(dtype)
        for i, place in zip(np.arange(count)[which], offsets // dtype.itemsize):
            old[i] = numbers[place]
            numbers[place] = change(old[i], *(each[i] for each in given))
    threads.put(target, old, lanes)


def copy(threads, instruction, lanes):
    """cp.async: 16 bytes of global memory to shared, or which of these to wait for"""
    words, lanes = instruction.words, threads.everyone[lanes]
    if words[2] == "commit_group":
        threads.copies.commit(lanes)
    elif words[2] == "wait_group":
        threads.copies.wait(lanes, int(instruction.operands[0]))
    else:
        target, source, size = instruction.operands
        assert int(size) == memory.LINE, instruction.text
        numbers = memory.read(
            _places(threads, ["global"], source, 16, lanes), TYPES["b32"], len(lanes), 4
        )
        ((bytes_of, offsets, _),) = _places(threads, ["shared"], target, 16, lanes)
        threads.copies.start(lanes, (bytes_of, offsets), numbers)


# ---- Warps ---------------------------------------------------------------------------------------


def meet(threads, instruction, lanes):
    """bar.warp.sync: the lanes of a mask have come here together."""
    assert instruction.words == ["bar", "warp", "sync"], instruction.text
    _together(threads, lanes, threads.get(instruction.operands[0], TYPES["u32"], lanes))


def _together(threads, lanes, mask):
    """Who comes to an instruction for the lanes of masks: (where they are, who is with whom)

    They are at (number among the warps that come, lane). For who is with whom: warps.groups.
    """
    lanes = threads.everyone[lanes]
    found, number = np.unique(threads.warp[lanes], return_inverse=True)
    at = number, threads.lane[lanes]
    is_here = _spread(True, at, len(found), np.bool_)
    masks = _spread(mask, at, len(found), np.uint32)
    exists = np.zeros((threads.warp[-1] + 1, WARP), np.bool_)
    exists[threads.warp, threads.lane] = True
    return at, warps.groups(masks, is_here, exists[found])


def _spread(numbers, at, count, dtype):
    """Numbers of lanes, for `count` warps   -> (count, 32)"""
    spread = np.zeros((count, WARP), dtype)
    spread[at] = numbers
    return spread


def exchange(threads, instruction, lanes):
    """shfl.sync.bfly.b32 d|p, a, b, c, mask: d is a of another lane, p whether there is one."""
    target, value, *how, mask = instruction.operands
    u32 = TYPES["u32"]
    at, asked = _together(threads, lanes, threads.get(mask, u32, lanes))
    value, b, c = (
        _spread(threads.get(each, u32, lanes), at, len(asked), np.int64) for each in (value, *how)
    )
    lane = np.broadcast_to(warps.NUMBERS, value.shape)
    numbers, is_inside = warps.shuffle(instruction.words[2], value, b, c, lane, asked)
    target, _, inside = target.partition("|")
    threads.put(target, numbers[at].astype(np.uint32), lanes)
    if inside:
        threads.put(inside, is_inside[at], lanes)


def vote(threads, instruction, lanes):
    """vote.sync.ballot.b32 d, p, mask: d has a bit for each lane, in all of them."""
    assert instruction.words == ["vote", "sync", "ballot", "b32"], instruction.text
    target, condition, mask = instruction.operands
    at, asked = _together(threads, lanes, threads.get(mask, TYPES["u32"], lanes))
    is_true = _spread(threads.get(condition, TYPES["pred"], lanes), at, len(asked), np.bool_)
    threads.put(target, warps.ballot(is_true, asked)[at], lanes)


def load_matrices(threads, instruction, lanes):
    """ldmatrix {d, e, f, g}, [a]: four small matrices. Each lane has the address of a row."""
    assert ".".join(instruction.words) == LDMATRIX, instruction.text
    targets, address = instruction.operands
    at, asked = _together(threads, lanes, np.uint32(0xFFFFFFFF))
    rows = np.zeros((len(asked), WARP, 4), np.uint32)
    places = _places(threads, ["shared"], address, memory.LINE, lanes)
    rows[at] = memory.read(places, TYPES["b32"], threads.how_many(lanes), 4)
    for target, numbers in zip(targets, warps.matrices(rows), strict=True):
        threads.put(target, numbers[at], lanes)


def multiply(threads, instruction, lanes):
    """mma d, a, b, c: D = A B + C, of which each lane has some numbers."""
    assert ".".join(instruction.words) == MMA, instruction.text
    at, asked = _together(threads, lanes, np.uint32(0xFFFFFFFF))
    targets, *sources = instruction.operands
    kinds = TYPES["u32"], TYPES["u32"], TYPES["f32"]
    a, b, c = (
        [_spread(threads.get(each, kind, lanes), at, len(asked), kind) for each in matrix]
        for matrix, kind in zip(sources, kinds)
    )
    for target, numbers in zip(targets, warps.product(a, b, c), strict=True):
        threads.put(target, numbers[at], lanes)


_ATOMIC = {  # what is written where `old` was
    **{"add": lambda old, a: old + a, "max": max, "min": min, "exch": lambda old, a: a},
    **{"and": lambda old, a: old & a, "or": lambda old, a: old | a, "xor": lambda old, a: old ^ a},
    "cas": lambda old, a, b: b if old == a else old,
}
INSTRUCTIONS = {  # by the first word of its name, each that does more than to compute
    "mov": move,
    "cvta": convert_address,
    "ld": load,
    "st": store,
    "atom": update,
    "cp": copy,
    "bar": meet,
    "shfl": exchange,
    "vote": vote,
    "ldmatrix": load_matrices,
    "mma": multiply,
}
