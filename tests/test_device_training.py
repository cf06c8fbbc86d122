"""Training on a simulated GPU is training on the CPU: the same losses, gradients and parameters."""

import numpy as np
import pytest

import kernels
from kernels import simulator
from minigrad import layers, losses, models, optimizers, random


@pytest.fixture(autouse=True)
def specification():
    """The CPU's side runs by NumPy."""
    with kernels.use("numpy"):
        yield


@pytest.fixture
def device(monkeypatch):
    """A simulated GPU that looks for faults."""
    device = kernels.device("simulator")
    monkeypatch.setattr(device.machine, "check", True)
    return device


def multilayer_perceptron():
    model = models.Sequential([layers.Dense(6, "relu", input_dim=5), layers.Dense(3)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.01), loss, ["accuracy"])
    model.build((None, 5))
    x = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    return model, x, np.array([0, 2, 1, 1, 0, 2, 2])


def language_model(dropout=0.0):
    model = models.GPT(5, 1, 2, 8, dropout=dropout, max_sequence_length=4)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.AdamW(0.01, global_clipnorm=0.5), loss)
    ids = np.random.default_rng(0).integers(0, 5, (1, 4))
    return model, ids, np.roll(ids, -1, axis=1)


def step(make, where):
    """The loss of a step, all gradients, and the parameters after it."""
    random.seed(0)
    model, *data = make()
    x, y = (kernels.move(array, where) for array in data)
    model.to(where)
    parameters = model.parameters()
    loss = model.objective(y, model(x, training=True), None, parameters)
    loss.backward()
    gradients = [kernels.move(parameter.grad, "cpu") for parameter in parameters]
    model.optimizer.step(parameters)
    return [loss.numpy(), *gradients, *(parameter.numpy() for parameter in parameters)]


# Attention works in blocks of 64 queries, which take the simulator long: one order does for it.
STEPS = [(multilayer_perceptron, order) for order in simulator.ORDERS]
STEPS += [(language_model, "shuffled")]


@pytest.mark.parametrize("make, order", STEPS)
def test_a_step_on_the_device_is_that_on_the_cpu(make, order, device, monkeypatch):
    monkeypatch.setattr(device.machine, "order", order)
    for ours, right in zip(step(make, "simulator"), step(make, "cpu"), strict=True):
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", [multilayer_perceptron, language_model])
def test_fit_on_the_device_is_that_on_the_cpu(make):
    results = []
    for where in ("simulator", "cpu"):
        random.seed(0)
        model, x, y = make()
        history = model.to(where).fit(x, y, batch_size=3, epochs=2, verbose=0).history
        results.append([*history.values(), model.predict(x)])
    for ours, right in zip(*results):
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", [multilayer_perceptron, language_model])
def test_only_what_is_asked_for_comes_to_the_host(make):
    device = kernels.device("simulator")

    def reads(batch_size):
        random.seed(0)
        model, x, y = make()
        x, y = (np.concatenate([array, array]) for array in (x, y))
        model.to("simulator")
        before = device.copies_to_host
        model.fit(x, y, batch_size=batch_size, verbose=0)
        return device.copies_to_host - before, 1 + len(model.metrics)

    few, numbers = reads(batch_size=8)
    assert few == reads(batch_size=1)[0] == numbers  # the mean loss and each metric, once an epoch
