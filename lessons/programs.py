"""The models that a student's functions train: `minigrad-learn run mlp --mine`.

All of them learn to read digits. Together they call every function of the framework that an
exercise asks for, whichever others have been replaced.
"""

from dataclasses import dataclass

import numpy as np

from minigrad import (
    Tensor,
    data,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
)
from minigrad.callbacks import LambdaCallback

from .swapping import swapped

PRICE = 1e-3  # of the square of a weight
LOST = 0.05  # the share of the pixels that `logistic` has to do without
DOUBT = 0.1  # the share of each label that `soft_labels` divides among all digits


@dataclass
class Run:
    """What a training gave: what was measured, by name, and the calls.

    figures  {"loss of the first step": number, "accuracy": that in the test, ...}
    calls    {number of an exercise: how often its function was called}
    """

    figures: dict
    calls: dict


def run(program, functions, seed=0):
    """The Run of a program with {exercise: function} in the framework."""
    with swapped(functions) as calls:
        figures = PROGRAMS[program](seed)
    return Run(figures, dict(calls))


def callers(exercise):
    """The names of the programs that call the function of an exercise."""
    alone = {exercise: exercise.solution}
    return [name for name in PROGRAMS if any(run(name, alone).calls.values())]


# ---- Programs: a seed -> figures -----------------------------------------------------------------


def mlp(seed=0, epochs=5):
    """A network of three Dense layers."""
    (x_train, y_train), (x_test, y_test) = _digits(seed)
    layered = [_dense(64, "relu"), _dense(32, "gelu"), _dense(10, "softmax")]
    p, loss = _learned(layered, "sparse_categorical_crossentropy", x_train, y_train, x_test, epochs)
    return _figures(loss, y_test, p)


def logistic(seed=0, epochs=5):
    """Ten logistic regressions, one for each digit, where some pixels were lost.

    R² says which share of the variance of the truth, 0 or 1 for each digit, they explain.
    """
    (x_train, y_train), (x_test, y_test) = _digits(seed, lost=LOST)
    truth, layered = data.one_hot(y_train, 10), [_dense(10, "sigmoid", 5 * PRICE)]
    p, loss = _learned(layered, "binary_crossentropy", x_train, truth, x_test, epochs)
    return _figures(loss, y_test, p) | {"R²": metrics.r2_score(data.one_hot(y_test, 10), p)}


def soft_labels(seed=0, steps=60):
    """A softmax regression without layers, and with labels that leave room for a doubt.

    This loop is what `fit` does, with all digits in each step.
    """
    (x_train, y_train), (x_test, y_test) = _digits(seed)
    truth = (1 - DOUBT) * data.one_hot(y_train, 10) + DOUBT / 10
    w = Tensor(initializers.GlorotUniform()((64, 10)), requires_grad=True)
    b = Tensor(np.zeros(10, np.float32), requires_grad=True)
    found = []
    for _ in range(steps):
        p = ops.softmax(x_train @ w + b)
        L = ops.mean(losses.kl_divergence(truth, p)) + PRICE * ops.sum(w * w)
        L.backward()
        for parameter in (w, b):
            parameter.assign(parameter.data - 0.5 * parameter.grad)
            parameter.grad = None
        found.append(float(L.data))
    return _figures(found[0], y_test, x_test @ w.data + b.data)


PROGRAMS = {"mlp": mlp, "logistic": logistic, "soft_labels": soft_labels}


# ---- Their parts ---------------------------------------------------------------------------------


def _digits(seed, lost=0.0):
    """((x, y) to train on, (x, y) to test with), what is missing filled in, and scaled.

    lost  the share of the pixels that are missing
    """
    random.seed(seed)
    generator = np.random.default_rng(seed)
    (x_train, y_train), (x_test, y_test) = data.digits.load_data()
    for x in (x_train, x_test):
        x[generator.random(x.shape) < lost] = np.nan
    for learned in (data.Imputer(), data.StandardScaler()):
        learned.fit(x_train)
        x_train, x_test = learned.transform(x_train), learned.transform(x_test)
    return (x_train, y_train), (x_test, y_test)


def _dense(units, activation, price=PRICE):
    """A Dense layer in which large weights have a price.

    So logits stay moderate, and the definitions that run in the place of fused operations do not
    overflow.
    """
    return layers.Dense(units, activation, kernel_regularizer=regularizers.L2(price))


def _learned(layered, loss, x_train, y_train, x_test, epochs):
    """What a model of these layers, once it has learned, predicts; and the loss of its first step.

    -> p (n, c), a number
    """
    model = models.Sequential(layered)
    model.compile(optimizers.Adam(0.01), loss)
    found = []
    note = LambdaCallback(on_train_batch_end=lambda batch, logs: found.append(logs["loss"]))
    model.fit(x_train, y_train, epochs=epochs, verbose=0, callbacks=[note])
    return model.predict(x_test), found[0]


def _figures(loss, y_test, p):
    right = np.mean(p.argmax(axis=1) == y_test)
    return {"loss of the first step": loss, "accuracy": float(right)}
