"""Which part of Python's standard library does this code come from? Two networks read it.

A snippet is 40 words of a file. All that would tell the answer by itself is taken out: import
statements, comments, and the names of the parts and of their modules. No file is both learned from
and tested on, so knowing a file by heart does not help.

The baseline is hard to beat: a logistic regression on TF-IDF, which counts words without reading
them in their order. With fewer than two hundred files to learn from, what a word speaks for is most
of what can be learned. So the networks need not learn that again: in their word vectors, one
number for each part is the weight that the regression has found. They go on from there, with other
snippets of the same files in every epoch, and some of the words hidden.
"""

from typing import NamedTuple

import numpy as np

from .. import data, layers, metrics, models, optimizers, plots, random, regularizers, schedules
from ..data.words import FILL, UNKNOWN
from ..environment import one_blas_thread
from . import name_the_module_picture
from .report import Report, check_seeds, spread, table
from .standard_library import LENGTH, random_snippets, read_code, snippets, starts

TEST = 0.2  # the share of the files to test on
LISTED = 6  # words that speak most for a part

# Chosen by validation files among those to train on, with seeds from 100 on.
BASELINE_EPOCHS, BASELINE_RATE = 40, 0.03
PENALTY = 0.05  # divided by the number of snippets
SIZE = 64  # of a word's vector, and of what the networks keep of a snippet
EPOCHS, RATE, BATCH = 5, 0.004, 64
START = 0.3  # the standard deviation of the regression's weights in the vectors
HIDDEN = 0.2  # the share of words that training hides
DROPOUT = 0.3

BASELINE, LSTM, TRANSFORMER = "TF-IDF regression", "LSTM", "Transformer"


# ---- Models --------------------------------------------------------------------------------------


def lstm(size, c):
    """Reads forwards and backwards; what both keep at each word is averaged.

    integers (n, t) below `size` -> probabilities (n, c)
    """
    return models.Sequential(
        [
            layers.Embedding(size, SIZE, mask_zero=True),  # (n, t, SIZE)
            layers.Dropout(DROPOUT),
            layers.Bidirectional(layers.LSTM(SIZE, return_sequences=True)),  # (n, t, 2 SIZE)
            layers.GlobalAveragePooling1D(),  # (n, 2 SIZE)
            layers.Dropout(DROPOUT),
            layers.Dense(c, activation="softmax"),
        ]
    )


def transformer(size, c):
    """Every word asks all others, and what they become is averaged.

    integers (n, t) below `size` -> probabilities (n, c)
    """
    return models.Sequential(
        [
            layers.Embedding(size, SIZE, mask_zero=True),  # (n, t, SIZE)
            layers.Dropout(DROPOUT),
            layers.PositionEmbedding(LENGTH),  # (n, t, SIZE)
            layers.TransformerEncoder(
                2 * SIZE, num_heads=4, dropout=DROPOUT / 2, normalize_first=True
            ),
            layers.GlobalAveragePooling1D(),  # (n, SIZE)
            layers.Dropout(DROPOUT),
            layers.Dense(c, activation="softmax"),
        ]
    )


NETWORKS = {LSTM: lstm, TRANSFORMER: transformer}


def regression(x, y, c):
    """A logistic regression on rows of TfIdf   (n, size), (n,)"""
    penalty = regularizers.L2(PENALTY / len(x))
    model = models.Sequential([layers.Dense(c, "softmax", kernel_regularizer=penalty)])
    steps = -(-len(x) // BATCH) * BASELINE_EPOCHS
    schedule = schedules.CosineDecay(BASELINE_RATE, steps)
    model.compile(optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=BATCH, epochs=BASELINE_EPOCHS, verbose=0)
    return model


def evidence(model, tf_idf):
    """How much a single word speaks for each part, more than for the others   -> (size, c)"""
    weight = model.layers[0].weight.numpy() * tf_idf.idf[:, None]
    return weight - weight.mean(axis=1, keepdims=True)


def fit(make, texts, labels, found, seed):
    """A network, trained on snippets of the texts that are others in each epoch.

    found  (size, c) the evidence of the regression, to begin with
    """
    generator = np.random.default_rng(seed)
    size, c = found.shape
    model = make(size, c)
    x, y = random_snippets(texts, labels, generator)
    model(x[:1])  # which makes the vectors
    vectors = model.layers[0].weight
    rest = vectors.numpy()[:, c:]
    vectors.assign(np.concatenate([START * found / found.std(), rest], axis=1))

    steps = round(EPOCHS * len(x) / BATCH)
    optimizer = optimizers.AdamW(schedules.CosineDecay(RATE, steps), weight_decay=0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    for _ in range(EPOCHS):
        x, y = random_snippets(texts, labels, generator)
        hidden = (generator.random(x.shape) < HIDDEN) & (x != FILL)
        model.fit(np.where(hidden, UNKNOWN, x), y, batch_size=BATCH, epochs=1, verbose=0)
    return model


# ---- A trial -------------------------------------------------------------------------------------


class Trial(NamedTuple):
    """What came out of one seed.

    train, test  indices of files
    snippets     how many were learned from in each epoch
    known        how many words the vocabulary has
    truth        (n,) the parts of the test's snippets
    predictions  {name of a model: (n,)}
    words        for each part, the words that speak most for it
    """

    train: np.ndarray
    test: np.ndarray
    snippets: int
    known: int
    truth: np.ndarray
    predictions: dict
    words: list


def trial(code, seed):
    """Learn from some files of the code, and predict where snippets of the others come from."""
    train, test = data.stratified_split(code.labels, TEST, seed)
    vocabulary = data.Vocabulary([code.texts[i] for i in train])
    texts = [vocabulary.numbers(text) for text in code.texts]
    learned, tested = ([texts[i] for i in part] for part in (train, test))
    x, y = snippets(learned, code.labels[train])
    x_test, truth = snippets(tested, code.labels[test])

    random.seed(seed)
    tf_idf = data.TfIdf(vocabulary.size).fit(x)
    baseline = regression(tf_idf.transform(x), y, len(code.names))
    probabilities = {BASELINE: baseline.predict(tf_idf.transform(x_test), verbose=0)}
    found = evidence(baseline, tf_idf)
    for name, make in NETWORKS.items():
        network = fit(make, learned, code.labels[train], found, seed)
        probabilities[name] = network.predict(x_test, batch_size=256, verbose=0)

    predictions = {name: rows.argmax(axis=1) for name, rows in probabilities.items()}
    best = np.argsort(-found[2:], axis=0, kind="stable")[:LISTED].T  # (c, LISTED)
    words = [[vocabulary.words[i] for i in row] for row in best]
    return Trial(train, test, len(x), len(vocabulary.words), truth, predictions, words)


def recall(trials, name, c):
    """The share of the snippets of each part that a model gets right: mean of all trials.   (c,)"""
    shares = [
        [np.mean(predictions[name][truth == part] == part) for part in range(c)]
        for *_, truth, predictions, _ in trials
    ]
    return np.mean(shares, axis=0)


# ---- The program ---------------------------------------------------------------------------------


@one_blas_thread
def name_the_module(out="runs/name_the_module", seeds=3):
    """Tell parts of the standard library apart, `seeds` times; write a report and two pictures.

    A seed decides which files are held out, the first weights, and the order of all things.
    Returns {name of a model, or "largest part": test accuracy of each seed}.
    """
    check_seeds(seeds)
    code = read_code()
    report, folder = Report.in_folder(out)

    report.stage("Code")
    report.say(table(*size_of(code)))
    report.say(f"\nmissing in this Python: {', '.join(code.missing) or 'nothing'}")
    report.say(f"taken out: imports, comments, and {len(code.unspoken)} names of parts and modules")

    report.stage("Training")
    trials = []
    for seed in range(seeds):
        trials.append(trial(code, seed))
        now = trials[-1]
        report.say(
            f"seed {seed}: {now.snippets:,} snippets of {len(now.train)} files, {now.known:,} "
            f"words; tested on {len(now.truth):,} of {len(now.test)} other files"
        )
    report.say("\nwords that speak most for a part, to the regression of the last seed:")
    for name, words in zip(code.names, trials[-1].words):
        report.say(f"  {name}: {' '.join(words)}")

    report.stage("Accuracy in the test: mean and standard deviation over the seeds")
    results = accuracies(trials)
    report.say(table(*rows_of(results)))
    recalls = {name: recall(trials, name, len(code.names)) for name in trials[0].predictions}
    picture = folder / "name_the_module.png"
    name_the_module_picture.draw(results, recalls, code.names, picture)
    report.say(f"\npicture: {picture}")
    picture = folder / "confusion.png"
    parts = np.arange(len(code.names))
    confusion = sum(
        metrics.confusion_matrix(now.truth, now.predictions[TRANSFORMER], parts) for now in trials
    )
    plots.confusion_matrix(confusion, code.names, picture)
    report.say(f"picture of the Transformer's mistakes: {picture}")
    text = {name: spread(values) for name, values in results.items()}
    report.say(
        f"test accuracy: LSTM {text[LSTM]}, Transformer {text[TRANSFORMER]}; "
        f"TF-IDF regression {text[BASELINE]}"
    )
    return results


def size_of(code):
    """Head and rows of the table: how many files and snippets each part has."""
    cut = np.bincount(code.labels, [len(starts(text)) for text in code.texts])
    rows = [
        [name, f"{files:,}", f"{some:,.0f}"]
        for name, files, some in zip(code.names, np.bincount(code.labels), cut)
    ]
    return ["part", "files", "snippets"], rows


def accuracies(trials):
    """{name of a model, or "largest part": test accuracy of each trial}"""
    results = {"largest part": [float(np.bincount(t.truth).max() / len(t.truth)) for t in trials]}
    for name in trials[0].predictions:
        results[name] = [float(np.mean(t.predictions[name] == t.truth)) for t in trials]
    return results


def rows_of(results):
    """Head and rows of the table, with how much more each gets right than the baseline."""
    rows = []
    for name, values in results.items():
        more = spread(np.subtract(values, results[BASELINE])) if name in NETWORKS else ""
        rows.append([name, spread(values), more])
    return ["model", "accuracy", "more than TF-IDF"], rows
