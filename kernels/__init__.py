"""Arrays in, arrays out: the compute kernels that minigrad calls by name.

Every function of `kernels.reference` is here, as a kernel of the same name: the reference specifies
it in plain NumPy, and `kernels.cpu` may have a faster implementation. `kernels.dispatch` picks.
Apart from these, `kernels.cuda` has kernels for GPUs, which `kernels.simulator` runs on a CPU.
"""

from . import memory
from .devices import device, device_of, from_dlpack, move
from .dispatch import backend, compile_all, kernel, peak, specifications, table, use, versions

memory.keep()

# PyPI has another package named `kernels`: by this minigrad knows which one Python has found.
__project__ = "minigrad"

_KERNELS = {name: kernel(function) for name, function in specifications().items()}
globals().update(_KERNELS)
__all__ = [
    "backend",
    "compile_all",
    "device",
    "device_of",
    "from_dlpack",
    "move",
    "peak",
    "table",
    "use",
    "versions",
    *_KERNELS,
]
