"""A text of PTX as instructions, in blocks that threads run from their first line to the last."""

import re
from typing import NamedTuple

import numpy as np

REGISTERS = {
    "pred": np.bool_,
    "b16": np.uint16,
    "b32": np.uint32,
    "b64": np.uint64,
    "f32": np.float32,
    "f64": np.float64,
}
# What ends a block: from here on threads may be elsewhere, or have to wait.
_ENDS = ("bra", "ret", "bar")
_INSTRUCTION = re.compile(r"(?:@(!?)(%\w+)\s+)?([a-z][\w.:]*)\s*([^;]*);$")
_OPERANDS = re.compile(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+")


class CallsError(NotImplementedError):
    """A kernel calls a function of NVIDIA's, which is not written into it: that is not run here."""


class Instruction(NamedTuple):
    """One line.   @%p3 bra $L__BB0_2;   ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd7+16];

    words     of its name: ["ld", "global", "v4", "f32"]
    operands  registers, numbers and symbols as they are written; of {…} a tuple of them, of […] an
              Address
    guard     (register, whether it is negated), or None: which threads run it
    line      where it is in the text, from 1
    text      the line itself
    """

    words: list
    operands: list
    guard: tuple | None
    line: int
    text: str


class Address(NamedTuple):
    """[base+offset]"""

    base: str
    offset: int


class Program(NamedTuple):
    """A kernel.

    parameters  {name: its type, such as "u64"}, in order
    registers   {name: dtype}
    places      {name: where it begins in shared memory, or in a thread's own}, in bytes
    shared_size, local_size   of these memories, in bytes
    most        how many threads a block may have
    blocks      lists of Instructions; threads go from each to the next unless they branch
    labels      {label: number of its block}
    """

    parameters: dict
    registers: dict
    places: dict
    shared_size: int
    local_size: int
    most: int
    blocks: list
    labels: dict


def parsed(text):
    """The Program of a text in PTX that has one kernel."""
    if called := re.search(r"^\.func .*?(__internal_\w+)$", text, re.MULTILINE):
        raise CallsError(f"{called[1]} is called")
    parameters, registers, places, labels, blocks = {}, {}, {}, {}, [[]]
    ends, most = {"shared": 0, "local": 0}, 1024
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("//")[0].strip()
        if found := re.match(r"\.param \.(\w+) (\w+)", line):
            parameters[found[2]] = found[1]
        elif found := re.match(r"\.reg \.(\w+)\s+(%\w+)<(\d+)>", line):
            dtype = np.dtype(REGISTERS[found[1]])
            registers |= {f"{found[2]}{i}": dtype for i in range(int(found[3]))}
        elif found := re.match(r"\.reg \.(\w+)\s+(%\w+);", line):
            registers[found[2]] = np.dtype(REGISTERS[found[1]])
        elif found := re.search(r"\.(shared|local) \.align (\d+) \.b8\s+(\w+)\[(\d+)\]", line):
            space, align, name, size = found[1], int(found[2]), found[3], int(found[4])
            places[name] = -(-ends[space] // align) * align
            ends[space] = places[name] + size
        elif found := re.match(r"\.maxntid (\d+), (\d+), (\d+)", line):
            most = int(found[1]) * int(found[2]) * int(found[3])
        elif found := re.match(r"(\$\w+):", line):
            if blocks[-1]:
                blocks.append([])
            labels[found[1]] = len(blocks) - 1
        elif found := _INSTRUCTION.match(line):
            negated, guard, name, operands = found.groups()
            words = name.split(".")
            blocks[-1].append(
                Instruction(
                    words,
                    [_operand(each) for each in _OPERANDS.findall(operands)],
                    (guard, bool(negated)) if guard else None,
                    number,
                    line,
                )
            )
            if words[0] in _ENDS:
                blocks.append([])
        elif not _says_nothing(line):
            raise NotImplementedError(f"line {number} of the PTX is not understood: {line}")
    return Program(
        parameters, registers, places, ends["shared"], ends["local"], most, blocks, labels
    )


def _operand(text):
    if text.startswith("{"):
        return tuple(each.strip() for each in text.strip("{}").split(","))
    if text.startswith("["):
        base, _, offset = text.strip("[]").partition("+")
        return Address(base, int(offset or 0))
    return text


def _says_nothing(line):
    """Whether a line tells a thread nothing to do."""
    start = r"[{}()]*$|\.(version|target|address_size|visible \.entry|common|pragma|minnctapersm)\b"
    return re.match(start, line)
