"""What fine-tuning is worth: learning 7, 8, 9 from ten examples each, knowing 0 to 6 or nothing.

Weights help where the new task needs something that the old one taught and few examples cannot.
Here it is the light: each image gets a brightness and a slope of its own, as in a photograph of a
page in the shade. Who has seen a thousand of them knows what to disregard.

On the clean digits of 8 x 8 pixels there is nothing to gain: a network that starts from nothing
recognizes 0.94 of the new digits, and one that knows 0 to 6 recognizes 0.93.
"""

import math

import numpy as np

from .. import finetune, layers, models, optimizers, random
from .report import spread

FEW = 10  # examples of each new digit
MANY = 2000  # examples of the old ones, at most: of MNIST's 43,000 that is enough, and quick
SEEDS = range(6)  # each is a repetition with other light, examples, initial weights and order

# Chosen with seeds from 100 on, and with digits of the training part in the place of the test: of
# five settings, 100 or 300 epochs with rates from 0.001 to 0.01, the best for each of the three.
EPOCHS = 300
RATE = 0.003
STARTS = ("fine-tuned", "from nothing", "on a random layer")


def finetuning(train, test, file, report):
    """Compare networks that are fine-tuned with others that start from nothing.

    A third kind is fine-tuned likewise, on a lower layer with random weights: what a frozen layer
    does by itself.

    train, test  images (n, d) from 0 to 1, and labels (n,): the digits to learn from, and others
    file         where the weights are kept between the two tasks

    Returns {name: accuracy on the new digits of `test` for each of SEEDS}.
    """
    report.say("each image in a light of its own, simulated: a brightness and a slope are added")
    report.say(f"a network learns 0 to 6 and is saved; then 7, 8, 9 from {FEW} examples of each")
    trials = []
    for seed in SEEDS:
        loaded, accuracies = trial(train, test, file, seed)
        if not trials:
            report.say(f"\n{loaded}\n")
        trials.append(accuracies)
    results = {name: np.array([trial[name] for trial in trials]) for name in STARTS}

    n = np.count_nonzero(test[1] >= 7)
    report.say(f"accuracy on {n:,} other images of 7, 8, 9: mean and standard deviation of")
    report.say(f"{len(SEEDS)} repetitions, with other light, examples, initial weights and order")
    for name, accuracies in results.items():
        report.say(f"  {name:18}  {spread(accuracies)}")
    gain = results["fine-tuned"] - results["from nothing"]
    report.say(f"  {'what was gained':18}  {spread(gain)}")
    report.say(f"fine-tuning was better in {(gain > 0).sum()} of {len(SEEDS)} repetitions")
    return results


def trial(train, test, file, seed):
    """One repetition: what was loaded, and {name: accuracy on the new digits of `test`}."""
    generator = np.random.default_rng(seed)
    x, y = train
    order = generator.permutation(len(x))
    old = order[y[order] < 7][:MANY]
    new = np.concatenate([order[y[order] == digit][:FEW] for digit in (7, 8, 9)])
    others = test[1] >= 7
    x_old, x_new, x_test = (
        in_some_light(images, generator) for images in (x[old], x[new], test[0][others])
    )

    random.seed(seed)
    pretrained = network(x.shape[1], 7)
    fit(pretrained, x_old, y[old], epochs=20, rate=0.001, batch_size=32)
    pretrained.save(file)

    accuracies = {}
    for start in STARTS:
        random.seed(seed)  # the same initial weights and order for each
        model = network(x.shape[1], 3)
        if start == "fine-tuned":
            loaded = finetune.load_pretrained_weights(model, file, skip="2")
        if start != "from nothing":
            finetune.freeze(model, "0")
        fit(model, x_new, y[new] - 7, EPOCHS, RATE, batch_size=10)
        accuracies[start] = model.evaluate(x_test, test[1][others] - 7, verbose=0)[1]
    return loaded, accuracies


def network(pixels, classes):
    """The network of the quickstart, for any number of pixels and classes."""
    return models.Sequential(
        [
            layers.Dense(64, activation="relu", input_shape=(pixels,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def fit(model, x, y, epochs, rate, batch_size):
    """Train `model` with Adam to recognize the labels y (n,) of the images x (n, d)."""
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0)


def in_some_light(images, generator):
    """x + a + b row + c column, with a, b, c ~ N(0, 1) for each image.   (n, d) -> (n, d)

    row and column go from -1 to 1; an image has as many rows as columns.
    """
    n, d = images.shape
    line = np.linspace(-1, 1, math.isqrt(d))
    row, column = np.repeat(line, len(line)), np.tile(line, len(line))
    planes = generator.normal(size=(n, 3)) @ np.stack([np.ones(d), row, column])
    return (images + planes).astype(images.dtype)
