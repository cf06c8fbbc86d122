"""The models that a student's functions train: `minigrad-learn run mlp --mine`."""

from dataclasses import dataclass

from minigrad import data, layers, models, random
from minigrad.callbacks import LambdaCallback

from .swapping import swapped


@dataclass
class Run:
    """What a training gave: the loss of its first step, the accuracy in the test, the calls.

    calls  {number of an exercise: how often its function was called}
    """

    loss: float
    accuracy: float
    calls: dict


def run(program, functions, seed=0):
    """The Run of a program with {exercise: function} in the framework."""
    with swapped(functions) as calls:
        loss, accuracy = PROGRAMS[program](seed)
    return Run(loss, accuracy, dict(calls))


def mlp(seed=0, epochs=10):
    """A network of three Dense layers learns to read digits.   -> loss of step 1, test accuracy"""
    random.seed(seed)
    (x_train, y_train), (x_test, y_test) = data.digits.load_data()
    model = models.Sequential(
        [
            layers.Dense(64, activation="relu", input_shape=(64,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    losses = []
    note = LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))
    model.fit(x_train, y_train, epochs=epochs, verbose=0, callbacks=[note])
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    return losses[0], accuracy


PROGRAMS = {"mlp": mlp}
