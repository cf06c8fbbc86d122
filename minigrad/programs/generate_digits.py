"""Generating digits: images that nobody has written, of the digit that one asks for.

A conditional variational autoencoder (Kingma & Welling, 2014; Sohn et al., 2015). An encoder reads
an image x with its label y, and says where in a space of a few numbers z it belongs, and how sure
it is of that: a normal distribution q with means m and deviations s. A decoder draws an image x̂
from z and y. With z drawn from q, and N the standard normal distribution, an image costs

    l = -log p(x | z, y) + KL(q ‖ N)
      = Σ (x - x̂)² / 2σ² + d log σ + Σ (m² + s² - log s² - 1) / 2 + constant

over its d pixels and the numbers of z. The first part wants the image back, up to an error σ per
pixel, which is learned as well (Rybkin et al., 2021). The second keeps all the q close to N, so
that a z drawn from N, of which no image ever came, becomes a digit all the same.

Three measures tell whether it does, beside a normal distribution of the pixels of each class: how
often a classifier that learned from the same images sees the digit that was asked for; how far the
nearest of these images is; how far two images of one digit are apart. Digits that people wrote,
and nobody learned from, show what they should be.
"""

from typing import NamedTuple

import numpy as np

from .. import data, layers, models, ops, optimizers, random
from ..environment import one_blas_thread
from ..tensor import no_grad
from . import generate_digits_picture
from .report import Report, check_seeds, spread, table

PIXELS, CLASSES = 64, 10
CODE = 8  # numbers in z
UNITS = 256
EPOCHS = 60
RATE = 0.002
SAMPLES = 100  # of each digit
STEPS = 9  # from one image to another
SHOWN = 3  # of each digit


# ---- The model -----------------------------------------------------------------------------------


class Autoencoder(models.Model):
    """x (n, 64) and labels y (n, 10), rows with a single 1 -> x̂ (n, 64), m and log s² (n, code)"""

    def __init__(self):
        super().__init__()
        self.encoder = _network(2 * CODE)
        self.decoder = _network(PIXELS, "sigmoid")

    def build(self, input_shape):
        self.log_error = self.add_weight((), "zeros")  # log σ

    def call(self, x, y):
        mean, log_variance = self.encode(x, y)
        noise = random.generator().standard_normal(mean.shape, dtype=np.float32)
        z = mean + ops.exp(log_variance / 2) * noise  # drawn from q, and yet a function of m and s
        return self.decode(z, y), mean, log_variance

    def encode(self, x, y):
        """m and log s² of q   (n, 64), (n, 10) -> (n, code), (n, code)"""
        return ops.split(self.encoder(ops.concatenate([x, y], axis=1)), 2, axis=1)

    def decode(self, z, y):
        """x̂   (n, code), (n, 10) -> (n, 64)"""
        return self.decoder(ops.concatenate([z, y], axis=1))

    def cost(self, x, decoded, mean, log_variance):
        """l of each image   (n, 64), (n, 64), (n, code), (n, code) -> (n,)"""
        squares = ops.sum((x - decoded) ** 2, axis=1)
        likelihood = squares * ops.exp(-2 * self.log_error) / 2 + PIXELS * self.log_error
        divergence = ops.sum(mean**2 + ops.exp(log_variance) - log_variance - 1, axis=1) / 2
        return likelihood + divergence


def _network(outputs, activation=None):
    hidden = [layers.Dense(UNITS, activation="relu") for _ in range(2)]
    return models.Sequential([*hidden, layers.Dense(outputs, activation=activation)])


def fit(x, y):
    """An Autoencoder, trained on images (n, 64) and labels (n,)."""
    model, optimizer = Autoencoder(), optimizers.Adam(RATE)
    for _ in range(EPOCHS):
        for batch in data.Batches(x, _one_hot(y), batch_size=32, shuffle=True):
            loss = ops.mean(model.cost(batch[0], *model(*batch)))
            loss.backward()
            optimizer.step(model.parameters())
            model.zero_grad()
    return model


def _one_hot(labels):
    return data.one_hot(labels, CLASSES).astype(np.float32)


# ---- New images ----------------------------------------------------------------------------------


def generate(model, labels):
    """An image of each of the labels (n,), decoded from a z drawn from N.   -> (n, 64)"""
    z = random.generator().standard_normal((len(labels), CODE), dtype=np.float32)
    with no_grad():
        return model.decode(z, _one_hot(labels)).numpy()


def interpolate(model, x, labels, label):
    """Images on the way from x[0] to x[1], all of them decoded as `label`.   (2, 64) -> (steps, 64)

    The way is a straight line between the two means m: every place on it is a z.
    """
    with no_grad():
        (first, last), _ = model.encode(x, _one_hot(labels))
        shares = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
        z = (1 - shares) * first + shares * last
        return model.decode(z, _one_hot(np.full(STEPS, label))).numpy()


def normal_images(x, y, labels):
    """An image of each label, from the normal distribution of all pixels that fits its class best.

    Learned from x (n, 64) and y (n,); labels (m,) -> (m, 64). What is beyond white and black is cut
    off.
    """
    images = np.empty((len(labels), PIXELS), np.float32)
    for label in np.unique(labels):
        own, wanted = x[y == label].astype(np.float64), labels == label
        mean, covariance = own.mean(axis=0), np.cov(own.T)
        drawn = random.generator().multivariate_normal(mean, covariance, wanted.sum())
        images[wanted] = np.clip(drawn, 0, 1)
    return images


# ---- How good they are ---------------------------------------------------------------------------


def judge(x, y):
    """A classifier of digits, trained on images (n, 64) and labels (n,)."""
    model = models.Sequential(
        [
            layers.Dense(128, activation="relu", input_shape=(PIXELS,)),
            layers.Dropout(0.3),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, y, epochs=40, verbose=0)
    return model


def distances(a, b):
    """The distance of every image of a from every one of b.   (n, d), (m, d) -> (n, m)"""
    a, b = a.astype(np.float64), b.astype(np.float64)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))


def measure(images, labels, judging, x):
    """{measure: number} of images that are to be digits of these labels; x was learned from."""
    apart = [
        distances(own, own).sum() / (len(own) * (len(own) - 1))
        for own in (images[labels == label] for label in np.unique(labels))
    ]
    return {
        "accuracy": float(judging.evaluate(images, labels, verbose=0)[1]),
        "nearest": float(distances(images, x).min(axis=1).mean()),
        "apart": float(np.mean(apart)),
    }


class Trial(NamedTuple):
    """What came out of one seed.

    measured  {kind of image: {measure: number}}
    shown     {kind of image: some of each digit (rows, 10, 64)}, and the training image nearest to
              each of the autoencoder's last row
    ways      [images between two of one digit (steps, 64)]
    error     σ
    """

    measured: dict
    shown: dict
    ways: list
    error: float


def trial(seed):
    """Train both models, generate images in both ways, and measure them."""
    (x, y), (x_test, y_test) = data.digits.load_data()
    random.seed(seed)
    judging = judge(x, y)
    model = fit(x, y)
    labels = np.repeat(np.arange(CLASSES), SAMPLES)
    kinds = {
        "written by people, held out": (x_test, y_test),
        "autoencoder": (generate(model, labels), labels),
        "normal distribution": (normal_images(x, y, labels), labels),
    }
    people, drawn, normal = (_some_of_each(*images) for images in kinds.values())
    nearest = distances(drawn[-1], x).argmin(axis=1)
    shown = dict(zip(kinds, (people, drawn)))
    shown["nearest of training"] = x[nearest][None]
    shown["normal distribution"] = normal
    ways = []
    for label in range(CLASSES):
        own = x_test[y_test == label]
        ends = np.unravel_index(distances(own, own).argmax(), (len(own), len(own)))
        ways.append(interpolate(model, own[list(ends)], np.array([label, label]), label))
    return Trial(
        {kind: measure(*images, judging, x) for kind, images in kinds.items()},
        shown,
        ways,
        float(np.exp(model.log_error.numpy())),
    )


def _some_of_each(images, labels):
    """The first images of each digit   -> (rows, 10, 64)"""
    own = [images[labels == label][:SHOWN] for label in range(CLASSES)]
    return np.stack(own, axis=1)


# ---- The program ---------------------------------------------------------------------------------


@one_blas_thread
def generate_digits(out="runs/generate_digits", seeds=3):
    """Learn to draw digits, `seeds` times; write a report with a table, and a picture.

    Returns {kind of image: {measure: [...]}} by seed.
    """
    check_seeds(seeds)
    report, folder = Report.in_folder(out)

    report.stage("Training")
    trials = []
    for seed in range(seeds):
        trials.append(trial(seed))
        report.say(f"seed {seed}: pixels are decoded with an error of {trials[-1].error:.3f}")

    report.stage("Measures: mean and standard deviation over the seeds")
    results = {
        kind: {name: [one.measured[kind][name] for one in trials] for name in measures}
        for kind, measures in trials[0].measured.items()
    }
    head = ["images", "accuracy", "nearest", "apart"]
    report.say(table(head, [[kind, *map(spread, row.values())] for kind, row in results.items()]))
    report.say("\naccuracy  how often a classifier sees the digit that was asked for")
    report.say("nearest   the mean distance to the nearest training image")
    report.say("apart     the mean distance of two images of one digit")

    picture = folder / "generate_digits.png"
    generate_digits_picture.draw(trials[0].shown, trials[0].ways, picture)
    report.say(f"\npicture: {picture}")
    best, normal = results["autoencoder"], results["normal distribution"]
    report.say(
        f"accuracy {spread(best['accuracy'])}, normal distribution {spread(normal['accuracy'])}; "
        f"nearest {spread(best['nearest'])}, normal distribution {spread(normal['nearest'])}"
    )
    return results
