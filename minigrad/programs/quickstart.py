"""From raw images of digits to a trained, evaluated, saved and reloaded model, stage by stage.

The last stage, fine-tuning, is in `finetuning.py`.
"""

import time
from pathlib import Path

import numpy as np

from .. import data, layers, metrics, models, plots, random
from ..callbacks import Callback
from ..environment import one_blas_thread
from .finetuning import finetuning
from .report import Report


@one_blas_thread
def quickstart(source="digits", out="runs/quickstart", seed=0):
    """Train a network on `source` and return its test accuracy.

    source  "digits", the 1,797 images that come with minigrad, or a folder with MNIST's four files
    out     the folder that a report, pictures and the model are written to
    """
    origin, (x_train, y_train), (x_test, y_test) = _load(source)
    report, folder = Report.in_folder(out)
    random.seed(seed)

    report.stage("Data")
    (n, d), m = x_train.shape, len(x_test)
    report.say(origin)
    report.say(f"{n:,} to learn from, {m:,} held out for the test, which nothing sees before it")
    report.say(f"an example is {d} numbers, the ink of its pixels from 0 to 1, and its digit")

    report.stage("Model")
    model = models.Sequential(
        [
            layers.Dense(64, activation="relu", input_shape=x_train.shape[1:]),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary(report.say)
    report.say(
        "L(θ) = Σ l(yᵢ, ŷᵢ; θ) / n,  l(y, ŷ) = -log ŷ[y]: the cross-entropy, made small by Adam"
    )

    report.stage("Training")
    epochs = 30 if len(x_train) < 10_000 else 5
    report.say(f"{epochs} epochs over 90 % of the examples; the other 10 % validate")
    began = time.perf_counter()
    history = model.fit(
        x_train,
        y_train,
        epochs=epochs,
        verbose=0,
        validation_split=0.1,
        callbacks=[_Progress(report, epochs)],
    )
    report.say(f"{epochs} epochs in {time.perf_counter() - began:.1f} s")
    picture = folder / "history.png"
    plots.history(history, picture)
    report.say(f"picture of the history: {picture}")

    report.stage("Evaluation")
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    predictions = model.predict(x_test, verbose=0)
    report.say(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
    _mistakes(predictions, y_test, report)
    matrix = metrics.confusion_matrix(y_test, predictions)
    plots.confusion_matrix(matrix, path=folder / "confusion.png")
    plots.mistakes(x_test, y_test, predictions, path=folder / "mistakes.png")
    report.say(f"pictures of the mistakes: {folder / 'confusion.png'}, {folder / 'mistakes.png'}")

    report.stage("Save and reload")
    file = folder / "model.safetensors"
    model.save(file)
    reloaded = models.load_model(file)
    same = np.array_equal(reloaded.predict(x_test, verbose=0), predictions)
    if not same:
        raise ValueError(f"the model in {file} predicts otherwise than the one that was saved")
    size = file.stat().st_size / 1000
    report.say(f"{file}, {size:.0f} kB; the reloaded model gives the same predictions, bit by bit")

    report.stage("Fine-tuning")
    finetuning((x_train, y_train), (x_test, y_test), folder / "pretrained.safetensors", report)

    report.stage("The network of stage 2, on the digits that it has not seen")
    report.say(f"test accuracy {accuracy:.4f}")
    return accuracy


def _load(source):
    """What the data are, and twice pixels in 0..1 and labels: (n, d), (n,) to train on and to test.

    ValueError for a source that is neither "digits" nor a folder.
    """
    if source == "digits":
        origin = (
            "digits: 1,797 handwritten digits of 8 x 8 pixels "
            "(UCI; E. Alpaydin, C. Kaynak, CC BY 4.0)"
        )
        return origin, *data.digits.load_data()
    if not Path(source).is_dir():
        raise ValueError(
            f"the data are 'digits', or a folder with the four files of MNIST. Received: {source!r}"
        )
    both = data.mnist.load_data(source)
    train, test = (((x.reshape(len(x), -1) / 255).astype("float32"), y) for x, y in both)
    return f"MNIST from {source}", train, test


def _mistakes(predictions, labels, report):
    """Say how many of each digit were recognized, and which mistake is the most frequent."""
    found = predictions.argmax(axis=1)
    for digit in np.unique(labels):
        own = labels == digit
        share = np.mean(found[own] == digit)
        report.say(f"  {digit}: {share:7.1%} of {own.sum()}")
    wrong = found != labels
    if wrong.any():
        mistakes = np.stack([labels[wrong], found[wrong]], axis=1)  # (truth, guess) per row
        pairs, counts = np.unique(mistakes, axis=0, return_counts=True)
        (truth, guess), times = pairs[counts.argmax()], counts.max()
        report.say(f"{wrong.sum()} mistakes, most often ({times} x) a {truth} taken for a {guess}")


class _Progress(Callback):
    """About ten lines in all, however many epochs."""

    def __init__(self, report, epochs):
        self.report = report
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs):
        if (epoch + 1) % max(1, self.epochs // 10) == 0:
            numbers = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
            numbers = numbers.replace("val_", "validation ")
            self.report.say(f"  epoch {epoch + 1:2d}: {numbers}")
