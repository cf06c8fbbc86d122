"""Runs a Program: all threads of some blocks at once, each instruction by those that come to it.

Threads that have come to different places go on from the first of these, until they meet again: so
a branch is run by those that take it, and what follows by all. Who has come to a barrier waits for
all others of the block.
"""

import math

import numpy as np

from . import memory, warps
from .arithmetic import TYPES, meaning
from .warps import WARP

MOST_THREADS = 4096  # of the blocks that run at once
ALL, ENDED = slice(None), -1


class BarrierError(AssertionError):
    """Threads of a block wait at a barrier that others never come to."""


def run(code, grid, block, spans, values, apart=False):
    """Run a kernel to its end.

    code         its Program
    grid, block  how many blocks and threads: x, y, z
    spans        [(first byte, the byte after the last), …] of the memory that it may use
    values       of its parameters, integers and floats
    apart        whether each warp runs alone until it waits at a barrier, or all run together
    """
    threads, blocks = math.prod(block), math.prod(grid)
    if threads > code.most:
        raise ValueError(f"a block has at most {code.most} threads. Received: {threads}")
    if len(values) != len(code.parameters):
        raise ValueError(
            f"the kernel has {len(code.parameters)} parameters. Received: {len(values)}"
        )
    together = max(1, MOST_THREADS // threads)
    arrays = memory.Global(spans)
    with np.errstate(all="ignore"):
        for first in range(0, blocks, together):
            numbers = np.arange(first, min(first + together, blocks))
            Threads(code, grid, block, numbers, arrays, values).run(apart)


class Threads:
    """The threads of some blocks.   t = 0, 1, …: all of the first block, then of the next

    numbers  of the blocks, as if they were in one row
    """

    def __init__(self, code, grid, block, numbers, arrays, values):
        self.code, self.arrays, self.each = code, arrays, math.prod(block)
        self.count = len(numbers) * self.each
        self.shared = memory.Shared(len(numbers), code.shared_size)
        self.local = memory.Shared(self.count, code.local_size)
        self.copies = warps.Copies(self.count)
        self.parameters = dict(zip(code.parameters, values))
        self.block = np.repeat(np.arange(len(numbers)), self.each)
        inside = np.tile(np.arange(self.each), len(numbers))
        self.lane = inside % WARP
        in_block = -(-self.each // WARP)
        self.warp = self.block * in_block + inside // WARP
        self.registers = self._special(grid, block, np.repeat(numbers, self.each), inside)
        self.everyone = np.arange(self.count)

    def _special(self, grid, block, numbers, inside):
        """{name: numbers of all threads} of what a kernel asks for its place by"""
        registers = {"%laneid": inside % WARP}
        for name, index, extents in (("tid", inside, block), ("ctaid", numbers, grid)):
            for axis, extent in zip("xyz", (*extents, 1, 1)):
                registers[f"%{name}.{axis}"] = index % extent
                registers[f"%n{name}.{axis}"] = np.full(self.count, extent)
                index = index // extent
        return {name: numbers.astype(np.uint32) for name, numbers in registers.items()}

    # ---- Which threads go on -----------------------------------------------------------------

    def run(self, apart=False):
        """All threads to their ends: together, or `apart`, one warp after the other, last first."""
        self.waiting = [(0, self.everyone)]
        teams = self._warps() if apart else [self.everyone]
        while self.waiting:
            starts = self._released()
            for team in teams:
                its = starts[team]
                self.ready = {n: [team[its == n]] for n in np.unique(its) if n != ENDED}
                self._run_to_barrier()

    def _warps(self):
        return [np.flatnonzero(self.warp == warp) for warp in range(self.warp[-1], -1, -1)]

    def _run_to_barrier(self):
        while self.ready:
            number = min(self.ready)
            lanes = np.sort(np.concatenate(self.ready.pop(number)))
            self._run_block(number, ALL if len(lanes) == self.count else lanes)

    def _released(self):
        """Where each thread goes on, once all wait or have come to their ends: at one barrier"""
        place = np.full(self.count, ENDED)
        for number, lanes in self.waiting:
            place[lanes] = number
        blocks = place.reshape(-1, self.each)
        if (blocks != blocks[:, :1]).any():
            raise BarrierError("threads of a block wait at a barrier that others never come to")
        self.waiting = []
        return place

    def _run_block(self, number, lanes):
        for instruction in self.code.blocks[number]:
            try:
                if (lanes := self._step(instruction, number, lanes)) is None:
                    return
            except Exception as error:
                error.add_note(f"line {instruction.line} of the PTX: {instruction.text}")
                raise
        self._go_on(number + 1, lanes)

    def _go_on(self, number, lanes):
        lanes = self.everyone[lanes]
        if len(lanes):
            self.ready.setdefault(number, []).append(lanes)

    def _step(self, instruction, number, lanes):
        """Run an instruction   -> the lanes that go on in this block, or None"""
        its, rest = lanes, ()
        if instruction.guard:
            name, is_negated = instruction.guard
            is_its = self.get(name, TYPES["pred"], lanes) ^ is_negated
            its, rest = self.everyone[lanes][is_its], self.everyone[lanes][~is_its]
        if instruction.words[0] == "bra":
            self._go_on(self.code.labels[instruction.operands[0]], its)
        elif instruction.words[:2] == ["bar", "sync"]:
            self.waiting.append((number + 1, self.everyone[its]))
        elif instruction.words[0] != "ret":
            getattr(self, f"_{instruction.words[0]}", self._compute)(instruction, its)
            return lanes
        if len(rest):
            self._go_on(number + 1, rest)
        return None

    # Below is a method for each instruction that does more than to compute, by its first word.

    # ---- Registers ---------------------------------------------------------------------------

    def get(self, operand, dtype, lanes):
        """An operand as numbers of a type: of a register for the lanes, or the one that it says"""
        if operand in self.registers:
            return _as(self.registers[operand][lanes], dtype)
        if operand in self.code.registers:
            raise AssertionError(f"{operand} is read before it is written")
        if operand in self.code.places:
            return dtype.type(self.code.places[operand])
        return _constant(operand, dtype)

    def put(self, operand, numbers, lanes):
        """Write numbers to a register."""
        if operand == "_":
            return
        if operand not in self.registers:
            self.registers[operand] = np.full(self.count, -1).astype(self.code.registers[operand])
        register = self.registers[operand]
        register[lanes] = _as(numbers, register.dtype)

    def _compute(self, instruction, lanes):
        function, types, result = meaning(instruction.words)
        target, *sources = instruction.operands
        numbers = function(*(self.get(*each, lanes) for each in zip(sources, types)))
        self.put(target, np.asarray(numbers, result), lanes)

    def _mov(self, instruction, lanes):
        """A register of 64 bits may be moved to two of 32, or be put together of them."""
        target, source = instruction.operands
        if isinstance(target, tuple):
            whole = np.broadcast_to(self.get(source, TYPES["u64"], lanes), self._count(lanes))
            halves = np.ascontiguousarray(whole).view(np.uint32).reshape(-1, 2)
            for i, each in enumerate(target):
                self.put(each, halves[:, i], lanes)
        elif isinstance(source, tuple):
            halves = [self.get(each, TYPES["u32"], lanes).astype(np.uint64) for each in source]
            self.put(target, halves[0] | halves[1] << np.uint64(32), lanes)
        else:
            self._compute(instruction, lanes)

    def _cvta(self, instruction, lanes):
        """An address is the same among all addresses. Only one of global memory is used there."""
        target, source = instruction.operands
        self.put(target, self.get(source, TYPES["u64"], lanes), lanes)

    def _count(self, lanes):
        return len(self.everyone[lanes])

    # ---- Memory ------------------------------------------------------------------------------

    def _places(self, words, address, size, lanes):
        """Where the numbers of an instruction are, as `memory` has it"""
        numbers = self.get(address.base, TYPES["u64"], lanes)
        numbers = np.broadcast_to(numbers, self._count(lanes)) + np.uint64(address.offset % 2**64)
        if "shared" in words:
            return self.shared.where(numbers, size, self.block[lanes])
        if "local" in words:
            return self.local.where(numbers, size, self.everyone[lanes])
        return self.arrays.where(numbers, size)

    def _ld(self, instruction, lanes):
        words, (target, address) = instruction.words, instruction.operands
        dtype = TYPES[words[-1]]
        if "param" in words:
            value = self.parameters[address.base]
            if dtype.kind in "iu":
                value = int(value) % 2 ** (8 * dtype.itemsize)
            self.put(target, np.asarray(value, dtype), lanes)
            return
        targets = target if isinstance(target, tuple) else (target,)
        places = self._places(words, address, dtype.itemsize * len(targets), lanes)
        numbers = memory.read(places, dtype, self._count(lanes), len(targets))
        for i, each in enumerate(targets):
            self.put(each, numbers[:, i], lanes)

    def _st(self, instruction, lanes):
        words, (address, source) = instruction.words, instruction.operands
        dtype = TYPES[words[-1]]
        sources = source if isinstance(source, tuple) else (source,)
        numbers = np.empty((self._count(lanes), len(sources)), dtype)
        for i, each in enumerate(sources):
            numbers[:, i] = self.get(each, dtype, lanes)
        places = self._places(words, address, dtype.itemsize * len(sources), lanes)
        memory.write(places, numbers)

    def _atom(self, instruction, lanes):
        """One thread after the other, as they come"""
        words, (target, address, *sources) = instruction.words, instruction.operands
        dtype = TYPES[words[-1]]
        change = _ATOMIC[next(word for word in words if word in _ATOMIC)]
        count = self._count(lanes)
        given = [np.broadcast_to(self.get(each, dtype, lanes), count) for each in sources]
        old = np.empty(count, dtype)
        for bytes_of, offsets, which in self._places(words, address, dtype.itemsize, lanes):
            numbers = bytes_of.view(dtype)
            for i, place in zip(np.arange(count)[which], offsets // dtype.itemsize):
                old[i] = numbers[place]
                numbers[place] = change(old[i], *(each[i] for each in given))
        self.put(target, old, lanes)

    def _cp(self, instruction, lanes):
        """cp.async: 16 bytes of global memory to shared, or which of these to wait for"""
        words, lanes = instruction.words, self.everyone[lanes]
        if words[2] == "commit_group":
            self.copies.commit(lanes)
        elif words[2] == "wait_group":
            self.copies.wait(lanes, int(instruction.operands[0]))
        else:
            target, source, size = instruction.operands
            assert int(size) == memory.LINE, instruction.text
            numbers = memory.read(
                self._places(["global"], source, 16, lanes), TYPES["b32"], len(lanes), 4
            )
            ((bytes_of, offsets, _),) = self._places(["shared"], target, 16, lanes)
            self.copies.start(lanes, (bytes_of, offsets), numbers)

    # ---- Warps -------------------------------------------------------------------------------

    def _bar(self, instruction, lanes):
        """bar.warp.sync: the lanes of a mask have come here together."""
        assert instruction.words == ["bar", "warp", "sync"], instruction.text
        self._together(lanes, self.get(instruction.operands[0], TYPES["u32"], lanes))

    def _together(self, lanes, mask):
        """Where warps have their lanes: (number among those of the instruction, lane) of each

        WarpError unless all lanes of the masks are here.
        """
        lanes = self.everyone[lanes]
        found, number = np.unique(self.warp[lanes], return_inverse=True)
        at = number, self.lane[lanes]
        exists = np.zeros((len(found), WARP), np.bool_)
        exists[at] = True
        everywhere = np.zeros((self.warp[-1] + 1, WARP), np.bool_)
        everywhere[self.warp, self.lane] = True
        asked = np.broadcast_to(mask, len(lanes))[:, None] >> np.arange(WARP, dtype=np.uint32) & 1
        if (asked.astype(np.bool_) & everywhere[found][number] & ~exists[number]).any():
            raise warps.WarpError("not all lanes come to it that it is for")
        return at, exists

    def _spread(self, numbers, at, exists, dtype):
        """Numbers of lanes   (count,) -> (warps, 32)"""
        spread = np.zeros(exists.shape, dtype)
        spread[at] = numbers
        return spread

    def _shfl(self, instruction, lanes):
        target, value, *how, mask = instruction.operands
        u32 = TYPES["u32"]
        at, exists = self._together(lanes, self.get(mask, u32, lanes))
        value, b, c = (
            self._spread(self.get(each, u32, lanes), at, exists, np.int64) for each in (value, *how)
        )
        lane = np.broadcast_to(warps.NUMBERS, exists.shape)
        numbers, is_inside = warps.shuffle(instruction.words[2], value, b, c, lane, exists)
        target, _, inside = target.partition("|")
        self.put(target, numbers[at].astype(np.uint32), lanes)
        if inside:
            self.put(inside, is_inside[at], lanes)

    def _vote(self, instruction, lanes):
        assert instruction.words == ["vote", "sync", "ballot", "b32"], instruction.text
        target, condition, mask = instruction.operands
        at, exists = self._together(lanes, self.get(mask, TYPES["u32"], lanes))
        is_true = self._spread(self.get(condition, TYPES["pred"], lanes), at, exists, np.bool_)
        self.put(target, warps.ballot(is_true, exists)[at], lanes)

    def _ldmatrix(self, instruction, lanes):
        assert instruction.words[3:5] == ["m8n8", "x4"], instruction.text
        targets, address = instruction.operands
        at, exists = self._together(lanes, np.uint32(0xFFFFFFFF))
        rows = np.zeros((*exists.shape, 4), np.uint32)
        places = self._places(["shared"], address, memory.LINE, lanes)
        rows[at] = memory.read(places, TYPES["b32"], self._count(lanes), 4)
        for target, numbers in zip(targets, warps.matrices(rows), strict=True):
            self.put(target, numbers[at], lanes)

    def _mma(self, instruction, lanes):
        assert instruction.words[3] == "m16n8k8" and "tf32" in instruction.words, instruction.text
        at, exists = self._together(lanes, np.uint32(0xFFFFFFFF))
        targets, *sources = instruction.operands
        a, b, c = (
            [
                self._spread(self.get(each, TYPES[kind], lanes), at, exists, TYPES[kind])
                for each in matrix
            ]
            for matrix, kind in zip(sources, ("u32", "u32", "f32"))
        )
        for target, numbers in zip(targets, warps.product(a, b, c), strict=True):
            self.put(target, numbers[at], lanes)


_ATOMIC = {
    **{"add": lambda old, a: old + a, "max": max, "min": min, "exch": lambda old, a: a},
    **{"and": lambda old, a: old & a, "or": lambda old, a: old | a, "xor": lambda old, a: old ^ a},
    "cas": lambda old, a, b: b if old == a else old,
}


def _as(numbers, dtype):
    """Numbers in a register of another type: its last bits, or all with the sign before them"""
    if numbers.dtype == dtype:
        return numbers
    if numbers.dtype.itemsize == dtype.itemsize and dtype.kind != "b":
        return numbers.view(dtype)
    assert numbers.dtype.kind in "iu" and dtype.kind in "iu", (numbers.dtype, dtype)
    return numbers.astype(dtype)


def _constant(text, dtype):
    """0f3F800000 is 1 in the bits of a float32; -1 are all bits of any integer."""
    if text[:2] in ("0f", "0d"):
        bits = np.uint32 if text[1] == "f" else np.uint64
        return bits(int(text[2:], 16)).view(dtype)
    if dtype.kind == "b":
        return np.bool_(int(text) != 0)
    if dtype.kind == "f":
        raise AssertionError(f"{text} is no constant of {dtype}")
    return np.uint64(int(text) % 2**64).astype(dtype)
