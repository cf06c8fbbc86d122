"""Longer trainings on a GPU: 50 steps, language models, what the host reads.

On a simulated one, and on a real one if there is any. They take the simulator minutes: attention
works in blocks of 64 queries. `make test-gpu` runs them.
"""

import functools

import numpy as np
import pytest

import kernels
from minigrad import losses, models, optimizers, random
from tests import test_device_training as training
from tests.orders import DEVICES
from tests.test_device_training import device, specification  # noqa: F401 - fixtures

STEPS = 50


@pytest.mark.parametrize("dropout", [0.0, 0.25])
def test_a_step_without_a_fault(dropout, device):  # noqa: F811
    training.assert_same_step(functools.partial(training.language_model, dropout))


@DEVICES
def test_only_what_is_asked_for_comes_to_the_host(where):
    training.assert_few_reads(training.language_model, where)


# ---- Fifty steps ---------------------------------------------------------------------------------


def small_language_model():
    """A GPT of one head: what the simulator does in seconds a step."""
    model = models.GPT(5, 1, 1, 8, max_sequence_length=4)
    model.compile(optimizers.AdamW(0.01), losses.SparseCategoricalCrossentropy(from_logits=True))
    ids = np.random.default_rng(0).integers(0, 5, (1, 4))
    return model, ids, np.roll(ids, -1, axis=1)


def losses_of(make, where):
    """The losses of STEPS steps, each of them asked for."""
    random.seed(0)
    model, *data = make()
    x, y = (kernels.move(array, where) for array in data)
    parameters = model.to(where).parameters()
    found = []
    for _ in range(STEPS):
        loss = model.objective(y, model(x, training=True), None, parameters)
        loss.backward()
        model.optimizer.step(parameters)
        model.zero_grad()
        found.append(loss.item())
    return found


@DEVICES
@pytest.mark.parametrize("make", [training.multilayer_perceptron, small_language_model])
def test_fifty_losses_are_those_of_the_cpu_and_all_that_comes_to_the_host(make, where):
    before = kernels.device(where).copies_to_host
    ours = losses_of(make, where)
    assert kernels.device(where).copies_to_host - before == STEPS
    right = losses_of(make, "cpu")
    np.testing.assert_allclose(ours, right, rtol=0, atol=1e-4)
    assert right[-1] < right[0] / 2
