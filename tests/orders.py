"""Orders of threads in which kernels are simulated: one in `make test`, each in `make test-gpu`.

A fault of a kernel is found in whichever order its threads run, so that one tells most of it.
"""

import pytest

from kernels import simulator

QUICK = "shuffled"
EACH = [QUICK] + [
    pytest.param(order, marks=pytest.mark.slow) for order in simulator.ORDERS if order != QUICK
]
ORDERS = pytest.mark.parametrize("order", EACH)
