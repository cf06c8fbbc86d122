"""A GPU that one can look into: it runs a kernel's own Python on a CPU, thread by thread.

    from kernels import simulator

    simulator.launch(kernel, grid, block, a, b, c)

The kernel is the plain function that numba.cuda would compile, and finds a `cuda` that does the
same. What a GPU would not tell is told: two threads that race for an element, a barrier that not
all threads reach, an index beyond the end, memory that nobody has written to; with the name of the
array, the line of the source and the threads. From the inside out:

    block      threads take turns, wait at barriers, and exchange numbers
    device     what a kernel sees as `cuda`
    memory     arrays that enter each access into a log
    log        what happened, as a table
    races      what in that table should not have happened
    traffic    what it costs: how much is moved, in how many pieces
    faults     how all of that is told
"""

from .block import ORDERS
from .faults import KernelError
from .launch import launch

__all__ = ["ORDERS", "KernelError", "launch"]
