"""A GPU that runs PTX: what the compiler has made of a kernel, instruction by instruction.

The simulator runs a kernel's Python. What a card runs is what Numba and libNVVM make of it, where
an integer may lose its sign, a float be widened and a loop be unrolled. Here that is run, with
NumPy: each register is an array with a number for each thread.

program.py       a text of PTX, as instructions in blocks
arithmetic.py    what instructions do with registers
memory.py        where memory is, and whether an access may be
warps.py         what the threads of a warp do together
instructions.py  all of these: what an instruction does with threads
machine.py       which threads go on, and where they wait for each other

Written after NVIDIA's "Parallel Thread Execution ISA", version 9.0, and nothing else: neither the
simulator nor `kernels.cuda` is asked what an instruction means.
"""

from .machine import BarrierError, check_launch, run
from .memory import AccessError
from .program import CallsError, parsed
from .warps import WarpError

FAULTS = AccessError, BarrierError, WarpError  # of a kernel

__all__ = ["FAULTS", "AccessError", "BarrierError", "CallsError", "WarpError"]
__all__ += ["check_launch", "parsed", "run"]
