"""One training step of two small classifiers, beside PyTorch in eager mode and Keras 3.

All sides do the same work: float32 data, shuffled afresh in every epoch, the same batches, network,
loss and optimizer, and the mean loss and accuracy of every epoch. Each is taken at its best.
minigrad runs `fit`, with the number of threads that suits it. PyTorch has a hand-written loop
with fused updates, which reads loss and accuracy once an epoch, and the number of threads that
suits it; subnormal numbers count as 0, which fill the memory of its Adam where units rest,
and many processors are slow at them. Keras runs `fit` with or without XLA (`jit_compile`),
whichever is faster, and a second time with several steps in one call of TensorFlow
(`steps_per_execution`), which its users must ask for.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from minigrad import layers, models
from tests.benchmarks.contestants import (
    numba_threads,
    repeated,
    torch_threads,
    torch_without_subnormals,
)
from tests.benchmarks.harness import Case
from tests.benchmarks.machine import cores

TARGETS = {"PyTorch": 2.5, "Keras": 15, "Keras, grouped steps": 15}


@dataclass
class Program:
    """A classifier and its training, in Keras's words. `units` starts with the number of inputs."""

    units: tuple[int, ...]
    activation: str
    loss: str
    optimizer: str
    examples: int
    batch_size: int

    def data(self):
        """Random x (n, inputs) in 0..1; y (n,) holds classes, or y (n, 1) probabilities."""
        generator = np.random.default_rng(seed=0)
        x = generator.random((self.examples, self.units[0]), dtype=np.float32)
        if self.activation == "softmax":
            return x, generator.integers(self.units[-1], size=self.examples)
        return x, generator.random((self.examples, 1), dtype=np.float32)

    def work(self):
        """The operations of the products of matrices in one epoch: one way there, two ways back.

        Back from the first layer there is but one, for data needs no gradient. So few products are
        the work of one core.
        """
        first, *others = (a * b for a, b in pairwise(self.units))
        return 2.0 * self.examples * (2 * first + 3 * sum(others))


PROGRAMS = {
    "784-64-64-10 adam": Program(
        units=(784, 64, 64, 10),
        activation="softmax",
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        examples=8000,
        batch_size=32,
    ),
    "2-3-1 sgd": Program(
        units=(2, 3, 1),
        activation="sigmoid",
        loss="binary_crossentropy",
        optimizer="sgd",
        examples=1000,
        batch_size=10,
    ),
}


def cases():
    for name, program in PROGRAMS.items():
        peers = {
            "PyTorch": partial(pytorch, program),
            "Keras": partial(keras, program, steps_per_execution=[1]),
            "Keras, grouped steps": partial(keras, program, steps_per_execution=[10, 25]),
        }
        yield Case(
            name,
            unit="µs per step",
            ours=partial(minigrad, program),
            peers=peers,
            count=program.examples // program.batch_size,
            targets=TARGETS,
            work=program.work(),
        )


def minigrad(program):
    train = fit(models, layers, program)
    for threads in range(1, cores() + 1):
        yield f"threads={threads}", numba_threads(threads, backend="auto")(train)


def keras(program, steps_per_execution):
    keras = import_keras()
    for steps in steps_per_execution:
        for jit in ("auto", False):
            options = {"steps_per_execution": steps, "jit_compile": jit}
            settings = ", ".join(f"{name}={value}" for name, value in options.items())
            yield settings, fit(keras.models, keras.layers, program, **options)


def fit(models, layers, program, **options):
    """Training for a number of epochs, as minigrad and Keras both spell it."""
    inputs, *hidden, outputs = program.units
    model = models.Sequential()
    model.add(layers.Input((inputs,)))
    for units in hidden:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(outputs, activation=program.activation))
    model.compile(program.optimizer, program.loss, metrics=["accuracy"], **options)

    x, y = program.data()
    return lambda epochs: model.fit(x, y, batch_size=program.batch_size, epochs=epochs, verbose=0)


def pytorch(program):
    import torch
    from torch.nn import functional

    is_softmax = program.activation == "softmax"
    loss = functional.cross_entropy if is_softmax else functional.binary_cross_entropy_with_logits
    optimizer_class, learning_rate = {
        "adam": (torch.optim.Adam, 0.001),
        "sgd": (torch.optim.SGD, 0.01),
    }[program.optimizer]

    modules = []
    for inputs, outputs in pairwise(program.units):
        modules += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = optimizer_class(model.parameters(), lr=learning_rate, fused=True)
    x, y = map(torch.from_numpy, program.data())

    epoch = partial(pytorch_epoch, model, loss, optimizer, x, y, program.batch_size)
    for threads in range(1, cores() + 1):
        settings = f"fused {program.optimizer}, threads={threads}"
        yield settings, repeated(epoch, torch_threads(threads), torch_without_subnormals())


def pytorch_epoch(model, loss, optimizer, x, y, batch_size):
    """One epoch as one writes it by hand.   -> the sum of the batches' losses, hits"""
    import torch

    total_loss, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    order = torch.randperm(len(x))
    x_batches, y_batches = (a[order].split(batch_size) for a in (x, y))
    for x_batch, y_batch in zip(x_batches, y_batches, strict=True):
        logits = model(x_batch)
        batch_loss = loss(logits, y_batch)
        optimizer.zero_grad(set_to_none=True)
        batch_loss.backward()
        optimizer.step()
        total_loss += batch_loss.detach()
        predicted = logits.argmax(1) if y.ndim == 1 else logits > 0
        hits += (predicted == y_batch).sum()
    return total_loss.item(), hits.item()


def import_keras():
    """Keras on TensorFlow, without the messages that TensorFlow writes while it is imported."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silent():
        import keras
    return keras


@contextmanager
def silent():
    """Drop what anyone, and C++ too, writes to the error stream of the process."""
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
