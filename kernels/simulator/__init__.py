"""A GPU that one can look into: it runs a kernel's own Python on a CPU, thread by thread.

    from kernels import simulator

    simulator.launch(kernel, grid, block, a, b, c)

The kernel is the plain function that numba.cuda would compile, and finds a `cuda` that does the
same. What a GPU would not tell is told: two threads that race for an element, a barrier that not
all threads reach, an index beyond the end, memory that nobody has written to, a copy that nobody
waits for; with the name of the array, the line of the source and the threads. What `launch` returns
shows, when printed, what memory is moved. From the inside out:

    faults        how a mistake is told: what happened, where, and why that matters
    source        the text of a kernel; `syntax` finds what Numba does not compile in it
    log           what threads do to memory, two numbers for each access, and a table of it
    memory        arrays that check each access and enter it into the log
    block         threads that take turns, wait at barriers, and exchange numbers
    device        what a kernel sees as `cuda`; `spaces`, what as `cuda.shared` and the like;
                  `atomics`, what as `cuda.atomic`
    mathematics   what it sees as `math`, `np` and `int32`; `names` says what stands for what
    integers      numbers of arrays of integers, with which Numba computes in 64 bits
    instructions  what it sees of `kernels.cuda.ptx`
    races         what should not have happened, found in the table
    traffic       what it costs: how much is moved, in how many transactions
    launch        all of that together
    machine       a whole device of it, for `kernels.cuda.device`
    precision     where Numba makes float64 of float32, which it is asked

What is left out: barriers of a whole grid, textures, and code of a GPU that Python does not run.
A thread that waits for another in a loop of its own waits for ever. Numba makes float64 of a
float32 beside an index or a plain 0.3; here it stays float32, as with float32(0.3), and
`float64_in(kernel, *arguments)` says where. Integers of arrays, of int32(...) and the like, and
large ones in the source have 64 bits, as in Numba. An index has as many as it needs, so it differs
where it grows beyond them, as in h = h * 31 + i again and again: begin with h = int64(0) there.
Conditions of floating numbers are NumPy's, and those of indices Python's: write int(x > 1) +
int(x > 2) where they are to be counted, and `not` for ~.
"""

from .block import ORDERS
from .faults import KernelError
from .launch import launch
from .machine import Machine
from .precision import float64_in

__all__ = ["ORDERS", "KernelError", "Machine", "float64_in", "launch"]
