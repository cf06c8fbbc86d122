"""A language model on a simulated GPU that looks for faults: a step, dropout, what the host reads.

It takes the simulator minutes: attention works in blocks of 64 queries. `make test-gpu` runs it.
"""

import functools

import pytest

from tests import test_device_training as training
from tests.test_device_training import device, specification  # noqa: F401 - fixtures


@pytest.mark.parametrize("dropout", [0.0, 0.25])
def test_a_step_without_a_fault(dropout, device):  # noqa: F811
    training.assert_same_step(functools.partial(training.language_model, dropout))


def test_only_what_is_asked_for_comes_to_the_host():
    training.assert_few_reads(training.language_model)
