"""Runs a Program: all threads of some blocks at once, each instruction by those that come to it.

Threads that have come to different places go on from the first of these, until they meet again: so
a branch is run by those that take it, and what follows by all. Who has come to a barrier waits for
all others of the block.
"""

import math

import numpy as np

from . import memory
from .arithmetic import TYPES, as_type
from .instructions import INSTRUCTIONS, compute
from .warps import WARP, Copies

MOST_THREADS = 4096  # of the blocks that run at once
MOST_BLOCKS, MOST_IN_BLOCK = (2**31 - 1, 65535, 65535), (1024, 1024, 64)  # along x, y, z
MOST_SHARED = 48 * 1024  # bytes that a block declares
ALL, ENDED = slice(None), -1


class BarrierError(AssertionError):
    """Threads of a block wait at a barrier that others never come to; they come to another one.

    PTX allows the second. CUDA does not: a barrier is one for all, or for none.
    """


def run(code, grid, block, arrays, values, apart=False):
    """Run a kernel to its end.

    code         its Program
    grid, block  how many blocks and threads: x, y, z
    arrays       of NumPy, whose memory it may use
    values       of its parameters, integers and floats
    apart        whether each warp runs alone until it waits at a barrier, or all run together
    """
    check_launch(grid, block, code.most)
    if code.shared_size > MOST_SHARED:
        raise ValueError(
            f"at most {MOST_SHARED} bytes of shared memory. Received: {code.shared_size}"
        )
    threads, blocks = math.prod(block), math.prod(grid)
    if len(values) != len(code.parameters):
        raise ValueError(
            f"the kernel has {len(code.parameters)} parameters. Received: {len(values)}"
        )
    together = max(1, MOST_THREADS // threads)
    arrays = memory.Global(arrays)
    with np.errstate(all="ignore"):
        for first in range(0, blocks, together):
            numbers = np.arange(first, min(first + together, blocks))
            Threads(code, grid, block, numbers, arrays, values).run(apart)


def check_launch(grid, block, most_threads):
    """ValueError if no GPU starts so many blocks of so many threads."""
    for what, given, most in (("a grid", grid, MOST_BLOCKS), ("a block", block, MOST_IN_BLOCK)):
        if len(given) > 3 or not all(0 < n <= limit for n, limit in zip(given, most)):
            raise ValueError(f"{what} has from 1 to {most} along x, y, z. Received: {given}")
    most_threads, threads = min(most_threads, MOST_IN_BLOCK[0]), math.prod(block)
    if threads > most_threads:
        raise ValueError(f"a block has at most {most_threads} threads. Received: {threads}")


class Threads:
    """The threads of some blocks.   t = 0, 1, …: all of the first block, then of the next

    numbers  of the blocks, as if they were in one row
    """

    def __init__(self, code, grid, block, numbers, arrays, values):
        self.code, self.arrays, self.each = code, arrays, math.prod(block)
        self.count = len(numbers) * self.each
        self.shared = memory.Shared(len(numbers), code.shared_size)
        self.local = memory.Shared(self.count, code.local_size)
        self.copies = Copies(self.count)
        self.parameters = {
            name: _parameter(value, TYPES[kind])
            for (name, kind), value in zip(code.parameters.items(), values)
        }
        self.block = np.repeat(np.arange(len(numbers)), self.each)
        inside = np.tile(np.arange(self.each), len(numbers))
        self.lane = inside % WARP
        in_block = -(-self.each // WARP)
        self.warp = self.block * in_block + inside // WARP
        self.registers = self._special(grid, block, np.repeat(numbers, self.each), inside)
        self.everyone = np.arange(self.count)
        self.ready = {}  # {number of a block of instructions: [lanes that go on there]}
        self.waiting = [(0, self.everyone)]  # [(where lanes go on, lanes)], all of the others

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
        for block in blocks[(blocks != blocks[:, :1]).any(axis=1)]:
            places = ", some ".join(self._in_words(number) for number in np.unique(block))
            raise BarrierError(f"of the threads of a block some {places}")
        self.waiting = []
        return place

    def _in_words(self, number):
        """Where threads are that go on at a block of instructions, behind a barrier"""
        if number == ENDED:
            return "have come to their ends"
        return f"wait at line {self.code.blocks[number - 1][-1].line} of the PTX"

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
            if instruction.operands != ["0"]:
                raise NotImplementedError("a barrier of some warps of a block")
            self.waiting.append((number + 1, self.everyone[its]))
        elif instruction.words[0] != "ret":
            INSTRUCTIONS.get(instruction.words[0], compute)(self, instruction, its)
            return lanes
        if len(rest):
            self._go_on(number + 1, rest)
        return None

    # ---- Registers ---------------------------------------------------------------------------

    def get(self, operand, dtype, lanes):
        """An operand as numbers of a type: of a register for the lanes, or the one that it says"""
        if operand in self.registers:
            return as_type(self.registers[operand][lanes], dtype)
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
            self.registers[operand] = _unset(self.count, self.code.registers[operand])
        register = self.registers[operand]
        register[lanes] = as_type(numbers, register.dtype)

    def how_many(self, lanes):
        """Of lanes, as they are written here: ALL, or their numbers"""
        return len(self.everyone[lanes])


def _unset(count, dtype):
    """Numbers that nobody has set: all their bits are 1, which is NaN in floats."""
    if dtype.kind == "b":
        return np.ones(count, dtype)
    return np.full(count * dtype.itemsize, 0xFF, np.uint8).view(dtype)


def _parameter(value, dtype):
    """What a kernel is given as a number of the type that it declares: -1 of u8 are 8 bits."""
    if dtype.kind == "f":
        return dtype.type(value)
    return np.uint64(int(value) % 2**64).astype(dtype)


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
