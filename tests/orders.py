"""Where kernels run in tests: in the simulator, in each order of threads, and on a GPU.

`make test` takes one order: a fault of a kernel is found in whichever order its threads run, so
that one tells most of it. `make test-gpu` takes all, and the GPU if there is one; else what is for
it is skipped, and says why.
"""

import functools

import pytest

from kernels import simulator
from kernels.cuda.compile import KERNELS
from tests import compiled, on_card

QUICK, COMPILED, CARD = "shuffled", "compiled", "card"


def slow(value):
    """What `make test-gpu` alone does."""
    return pytest.param(value, marks=pytest.mark.slow)


EACH = [QUICK, *(slow(order) for order in simulator.ORDERS if order != QUICK)]
ORDERS = pytest.mark.parametrize("order", EACH)  # of what is about the simulator

# Tests of kernels take `run`, which starts one, as in LAUNCHES["online"](run, x, p).
ON_CARD = pytest.param(CARD, marks=[pytest.mark.slow, pytest.mark.gpu])
ELSEWHERE = [slow(COMPILED), ON_CARD]
RUNS = pytest.mark.parametrize("run", [*EACH, *ELSEWHERE], indirect=True)
ALL_RUNS = pytest.mark.parametrize("run", [*simulator.ORDERS, *ELSEWHERE], indirect=True)
ONE_RUN = pytest.mark.parametrize("run", [QUICK, *ELSEWHERE], indirect=True)

# What moves whole arrays takes the name of a device.
ON_CUDA = pytest.param("cuda", marks=[pytest.mark.slow, pytest.mark.gpu])
DEVICES = pytest.mark.parametrize("where", ["simulator", slow(COMPILED), ON_CUDA], indirect=True)


class Run:
    """Starts kernels, and keeps what it has started."""

    def __init__(self, launch):
        self.launch, self.started = launch, set()

    def __call__(self, kernel, *arguments):
        self.started.add(kernel)
        return self.launch(kernel, *arguments)

    @property
    def names(self):
        """The kernels that it has started, as kernels/cuda/REGISTERS.md calls them."""
        return sorted(name for name, launch in KERNELS.items() if launch.kernel in self.started)


def run_of(name):
    """A Run in an order of threads, of what the compiler makes of kernels, or on the card."""
    if name in simulator.ORDERS:
        return Run(functools.partial(simulator.launch, order=name))
    return Run(functools.partial(on_card.launch, machine_of(name, apart=True)))


def machine_of(name, apart=False):
    """What is behind a device: a GPU that is simulated, and looks for faults; compiled; or real

    apart   of one that is compiled: whether each warp runs alone
    """
    if name in simulator.ORDERS:
        return simulator.Machine(order=name, check=True)
    return compiled.Machine(apart) if name == COMPILED else needed_card()


def needed_card():
    """The GPU. Without one the test is skipped."""
    try:
        return on_card.found()
    except OSError as error:
        pytest.skip(str(error))


def needed_device(name, monkeypatch):
    """The name of a device that there is. Without a GPU, a test of one is skipped."""
    if name == "cuda":
        needed_card()
    if name == COMPILED:
        compiled.name_device(monkeypatch)
    return name
