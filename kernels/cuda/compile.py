"""What every kernel needs of a GPU, found without one.

    python -m kernels.cuda.compile > kernels/cuda/REGISTERS.md

Numba writes PTX, the language of all GPUs of NVIDIA, and ptxas makes of that the instructions of
one kind, and says what they need. Neither asks for a GPU or its driver, only for the packages of
the extra `gpu-ci`. Registers decide how many threads run at once; a stack or spills mean that
numbers which should be in registers are in memory, a hundred times further away.
"""

import math
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from numba import cuda

from ..any_gpu import any_gpu
from .launch import name_of

# The modules that have kernels; tests ask here which there are.
MODULES = [
    import_module(f"{__package__}.{name}")
    for name in (
        *("matmul", "gemm", "attention", "attention_ladder", "convolution", "pooling", "softmax"),
        *("cross_entropy", "normalization", "elementwise", "scatter", "optimizers"),
        "array_kernels",
    )
]
KERNELS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": launch
    for module in MODULES
    for name, launch in module.LAUNCHES.items()
}


class Needs(NamedTuple):
    """What a kernel needs of one kind of GPU: registers of a thread, and bytes."""

    registers: int
    shared: int
    stack: int
    spills: int


def threads(launch):
    """How many threads a block has."""
    return math.prod(launch.block)


def ptx(launch, target):
    """A kernel in PTX, a text, for a target such as (8, 0)."""
    return ptx_of(launch.kernel, launch.signature, threads(launch), target)


def ptx_of(kernel, signature, most, target):
    """The same of a function, for arguments of these types and blocks of so many threads at most"""
    with any_gpu():
        text, _ = cuda.compile_ptx(kernel, signature, cc=target, launch_bounds=most)
    return text


def needs(text, target):
    """What the assembler says of a kernel in PTX. Warnings of it are errors here."""
    architecture = name_of(target)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(text, encoding="utf-8")
        result = subprocess.run(
            [_assembler(), f"-arch={architecture}", "-v", source, "-o", source.with_suffix(".bin")],
            capture_output=True,
            text=True,
        )
    said = result.stderr
    if result.returncode or "warning" in said.lower():
        raise ValueError(f"{architecture}: {said}")
    patterns = r"Used (\d+) registers", r"(\d+) bytes smem", r"(\d+) bytes stack frame"
    found = (re.search(pattern, said) for pattern in patterns)
    spills = sum(map(int, re.findall(r"(\d+) bytes spill", said)))
    return Needs(*(int(match[1]) if match else 0 for match in found), spills)


def _assembler():
    """Where ptxas is: in the package nvidia-cuda-nvcc, or on the path."""
    nvidia = find_spec("nvidia")
    for folder in nvidia.submodule_search_locations if nvidia else []:
        if found := sorted(Path(folder).glob("cu*/bin/ptxas*")):
            return found[-1]
    if found := shutil.which("ptxas"):
        return found
    raise FileNotFoundError("no ptxas here. Install it with: pip install 'minigrad[gpu-ci]'")


def table(kernels):
    """A table in Markdown: registers and shared memory of each kernel on each of its targets."""
    every = targets_of(kernels)
    names = " | ".join(f"registers, {name_of(target)}" for target in every)
    yield f"| kernel | threads | shared memory | {names} |"
    yield "|---" * (3 + len(every)) + "|"
    for name, launch in kernels.items():
        found = {target: needs(ptx(launch, target), target) for target in launch.targets}
        registers = " | ".join(str(found[t].registers) if t in found else "-" for t in every)
        shared = max(each.shared for each in found.values())
        yield f"| {name} | {threads(launch)} | {shared} bytes | {registers} |"


def targets_of(kernels):
    """All targets of some kernels, those of the first kernel first."""
    return list(dict.fromkeys(target for launch in kernels.values() for target in launch.targets))


def page():
    """The table of all kernels, and what it says."""
    yield "# What kernels for GPUs need"
    yield ""
    yield "`python -m kernels.cuda.compile > kernels/cuda/REGISTERS.md` makes this page anew,"
    yield "without a GPU. No kernel spills registers, has a stack or computes in float64:"
    yield "`make test-gpu` holds that."
    yield ""
    yield from table(KERNELS)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in page())
