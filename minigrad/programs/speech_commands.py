"""Recognizing words: sounds become pictures of sound, and a network learns to read them.

The words are made on the spot, or come from a folder of recordings. The order of its sounds makes
a word, so the first listeners, who hear the average spectrum alone, cannot tell "ai" from "ia". The
others get the whole spectrogram. When a word begins does not matter: a network can learn that from
words that are shifted in training; a convolution, which looks for the same at all times, need not.
"""

import numpy as np

from .. import data, layers, metrics, models, optimizers, plots, random
from ..environment import one_blas_thread
from .report import Report, check_seeds, spread, table
from .spoken_words import RATE, SAMPLES, WORDS, make_clips
from .word_folder import Words, read_words

CLIPS = 200  # of each word that is made
TEST = 0.25  # the share of the clips to test on
FRAME, HOP, BANDS = 256, 128, 32  # 32 ms, one every 16 ms
QUIETEST = -60  # decibels below the loudest place of a clip: what is less counts as silence

# Chosen by clips of seeds from 100 on.
EPOCHS = 40
SHIFT = 8  # frames, 128 ms


# ---- From sounds to pictures ---------------------------------------------------------------------


def spectrograms(clips):
    """Decibels, 0 where a clip is loudest.   (n, samples) -> (n, frames, bands)

    How loud a whole clip is says nothing about the word, and is left out.
    """
    found = []
    for (some,) in data.Batches(clips, batch_size=256):  # the transforms of all would be large
        energy = data.log_mel_spectrogram(some, RATE, BANDS, FRAME, HOP)
        decibels = 10 / np.log(10) * energy
        decibels -= decibels.max(axis=(1, 2), keepdims=True)
        found.append(np.maximum(decibels, QUIETEST))
    return np.concatenate(found)


def split(words, seed):
    """Shuffled (train, test) indices; nobody who is heard in training speaks in the test."""
    speakers = np.unique(words.speakers)
    if len(speakers) == len(words.labels):
        return data.stratified_split(words.labels, TEST, seed)
    order = np.random.default_rng(seed).permutation(len(words.labels))
    _, tested = data.stratified_split(np.zeros(len(speakers)), TEST, seed)
    is_tested = np.isin(words.speakers[order], speakers[tested])
    parts = order[~is_tested], order[is_tested]
    for label, name in enumerate(words.names):
        if not all((words.labels[part] == label).any() for part in parts):
            raise ValueError(f"too few speakers say {name!r} for some to be held out for the test")
    return parts


def scaled(train, test):
    """Both with the mean 0 and deviation 1 of each band in training.   (n, ..., bands)"""
    axes = tuple(range(train.ndim - 1))
    mean, deviation = train.mean(axis=axes), train.std(axis=axes)
    deviation = np.where(deviation == 0, 1, deviation)
    return [((x - mean) / deviation).astype(np.float32) for x in (train, test)]


# ---- Listeners: (x_train, y_train, x_test, c) -> predicted classes (n,) --------------------------


def nearest_mean(x, y, x_test, c):
    """The class whose mean is closest."""
    means = np.stack([x[y == label].mean(axis=0) for label in range(c)])
    return np.square(x_test[:, None] - means).sum(axis=-1).argmin(axis=1)


def logistic_regression(x, y, x_test, c):
    """The class that a weighted sum of all numbers favours."""
    model = fit(network(x.shape[1:], c, hidden=()), x, y, rate=0.01)
    return model.predict(x_test, verbose=0).argmax(axis=1)


def dense_network(x, y, x_test, c):
    """The class that two hidden layers make out."""
    return fit(network(x.shape[1:], c), x, y).predict(x_test, verbose=0).argmax(axis=1)


def shifted_network(x, y, x_test, c):
    """The same, after training on words that begin earlier or later each time."""
    model = fit(network(x.shape[1:], c), x, y, augment=shifted)
    return model.predict(x_test, verbose=0).argmax(axis=1)


def convolution(x, y, x_test, c):
    """The class of whose patterns one is found at any time."""
    return fit(convolutional(x.shape[1:], c), x, y).predict(x_test, verbose=0).argmax(axis=1)


def network(shape, c, hidden=(256, 128)):
    """A model that takes examples of this shape for one of c classes."""
    return models.Sequential(
        [
            layers.Input(shape),
            layers.Flatten(),
            *(layers.Dense(units, activation="relu") for units in hidden),
            layers.Dense(c, activation="softmax"),
        ]
    )


def convolutional(shape, c):
    """A model that looks for patterns of 5 frames, and for patterns of these, at any time."""
    return models.Sequential(
        [
            layers.Input(shape),
            layers.Conv1D(64, 5, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(64, 5, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(c, activation="softmax"),
        ]
    )


def fit(model, x, y, augment=None, rate=0.001):
    """The model, trained with Adam."""
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy")
    batches = data.Batches(x, y, batch_size=32, shuffle=True, augment=augment)
    model.fit(batches, epochs=EPOCHS, verbose=0)
    return model


def shifted(x, generator):
    """Each spectrogram up to SHIFT frames earlier or later, its end going round to its beginning.

    (n, t, bands) -> (n, t, bands)
    """
    n, t = x.shape[:2]
    later = generator.integers(-SHIFT, SHIFT + 1, (n, 1))
    return np.take_along_axis(x, ((np.arange(t) - later) % t)[:, :, None], axis=1)


LISTENERS = {  # name: what it hears, and what it makes of it
    "nearest mean, average spectrum": ("average", nearest_mean),
    "logistic regression, average spectrum": ("average", logistic_regression),
    "logistic regression, spectrogram": ("whole", logistic_regression),
    "network, spectrogram": ("whole", dense_network),
    "network, words shifted": ("whole", shifted_network),
    "convolution, spectrogram": ("whole", convolution),
}
BASELINE, BEST = "logistic regression, average spectrum", "convolution, spectrogram"


# ---- The program ---------------------------------------------------------------------------------


@one_blas_thread
def speech_commands(out="runs/speech_commands", seeds=3, folder=None):
    """Let each of the LISTENERS learn words, `seeds` times; write a report and two pictures.

    folder  with a subfolder of WAV files for each word, in place of words that are made

    Returns {name of a listener: test accuracy of each seed}.
    """
    check_seeds(seeds)
    recorded = None if folder is None else read_words(folder, RATE, SAMPLES)
    report, results = Report.in_folder(out)

    report.stage("Words")
    words = recorded or made(0)
    n, c = len(words.labels), len(words.names)
    report.say(f"{n:,} clips of {c} words: {', '.join(words.names)}")
    if recorded is None:
        report.say("made on the spot, each by a speaker of its own, with noise and a beep")
    else:
        report.say(f"from {folder}, {len(np.unique(words.speakers)):,} speakers as far as is known")

    report.stage("Spectrograms")
    drawn = spectrograms(words.clips[[np.argmax(words.labels == label) for label in range(c)]])
    frames = drawn.shape[1]
    report.say(f"a clip is {SAMPLES:,} samples; its spectrogram, {frames} frames of {BANDS} bands")
    picture = results / "words.png"
    plots.spectrograms(drawn, words.names, HOP / RATE, data.mel_tips(BANDS, RATE), path=picture)
    report.say(f"picture of a clip of each word: {picture}")

    report.stage("Training")
    accuracies = {name: [] for name in LISTENERS}
    confusion = 0
    for seed in range(seeds):
        words = recorded or made(seed)
        truth, predictions = trial(words, seed)
        for name, predicted in predictions.items():
            accuracies[name].append(float(np.mean(predicted == truth)))
        confusion = confusion + metrics.confusion_matrix(truth, predictions[BEST], np.arange(c))
        report.say(
            f"seed {seed}: {accuracies[BEST][-1]:.3f} of {len(truth)} test clips by the last"
        )

    report.stage("Accuracy in the test: mean and standard deviation over the seeds")
    rows = [[name, spread(values)] for name, values in accuracies.items()]
    report.say(table(["listener", "accuracy"], [*rows, ["chance", f"{1 / c:.3f}"]]))
    picture = results / "confusion.png"
    plots.confusion_matrix(confusion, words.names, picture)
    report.say(f"\npicture of the convolution's mistakes: {picture}")
    best, baseline = spread(accuracies[BEST]), spread(accuracies[BASELINE])
    report.say(f"test accuracy {best}; of a logistic regression, from average spectra {baseline}")
    return accuracies


def made(seed):
    """Words that nobody has said, each clip by another speaker."""
    clips, labels = make_clips(CLIPS, seed)
    return Words(clips, labels, list(WORDS), np.arange(len(labels)))


def trial(words, seed):
    """(labels of the test (n,), {name of a listener: its predictions (n,)})"""
    train, test = split(words, seed)
    whole = spectrograms(words.clips)
    heard = {
        "average": scaled(whole[train].mean(axis=1), whole[test].mean(axis=1)),
        "whole": scaled(whole[train], whole[test]),
    }
    predictions = {}
    for name, (kind, listener) in LISTENERS.items():
        random.seed(seed)
        x, x_test = heard[kind]
        predictions[name] = listener(x, words.labels[train], x_test, len(words.names))
    return words.labels[test], predictions
