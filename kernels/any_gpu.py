"""To compile kernels for a GPU where there is none."""

import contextlib
import threading
from types import SimpleNamespace

from numba.cuda import dispatcher

KIND = 8, 0  # its compute capability
_ONE_THREAD = threading.RLock()  # at a time, so that each puts back what it has found


@contextlib.contextmanager
def any_gpu():
    """Inside this `with`, Numba finds a GPU of some kind, to compile what kernels call.

    What it makes of these functions is the same for all kinds; a kernel is compiled for the one
    that is asked for.
    """
    with _ONE_THREAD:
        asks = dispatcher.get_current_device
        dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=KIND)
        try:
            yield
        finally:
            dispatcher.get_current_device = asks
