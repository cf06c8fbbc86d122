"""Over-fitting, and six remedies: who learns by heart, and who learns what digits look like.

A network of 85,000 numbers is given 300 digits, of which one in five has a wrong label, as
labels in the world do. It can learn them all by heart, the wrong ones too, and does. Each remedy
makes that harder. The test digits have as many wrong labels: who has learned nothing by heart does
as well on them as in training, so the gap between the two measures over-fitting.

The strength of each remedy was chosen by the validation digits of seeds that are not used here.
"""

import numpy as np

from .. import callbacks, data, layers, models, optimizers, plots, random, regularizers
from ..environment import one_blas_thread
from .report import Report, check_seeds, spread, table

EXAMPLES = 300  # to train on, and as many to validate
EPOCHS = 60
AUGMENTATION = data.ImageAugmentation(shift=0.7, rotate=10, scale=0.1, image_shape=(8, 8))

REMEDIES = {
    "none": {},
    "L1": {"regularizer": regularizers.L1(1e-3)},
    "L2": {"regularizer": regularizers.L2(1e-2)},
    "dropout": {"dropout": 0.7},
    "early stopping": {"early_stopping": True},
    "augmentation": {"augment": AUGMENTATION},
    "smaller model": {"units": 12, "hidden": 1},
    "augmentation + dropout": {"augment": AUGMENTATION, "dropout": 0.5},
}


@one_blas_thread
def overfitting(out="runs/overfitting", seeds=5, wrong_labels=0.2):
    """Train with each remedy and `seeds` seeds; write a report with a table, and a picture.

    wrong_labels  the share of labels that are made wrong, from 0 to below 1

    Returns {remedy: {"train": [...], "test": [...], "truth": [...]}}, accuracies by seed: on the
    examples learned from, on the test digits, and on these with their right labels.
    """
    check_options(seeds, wrong_labels)
    report, folder = Report.in_folder(out)

    report.stage("Task")
    report.say(f"digits: {EXAMPLES} to learn from; {wrong_labels:.0%} of all labels are wrong")
    report.say(f"{EPOCHS} epochs of Adam; {seeds} seeds: other digits, other first weights")

    report.stage("Training")
    results = {}
    for name, remedy in REMEDIES.items():
        runs = [train(seed, wrong_labels, **remedy) for seed in range(seeds)]
        results[name] = {part: [run[part] for run in runs] for part in runs[0]}
        report.say(f"  {name}: {np.mean(results[name]['test']):.1%} of the test digits")

    report.stage("Accuracy: mean and standard deviation over the seeds")
    report.say(table(*accuracies_of(results)))
    picture = folder / "overfitting.png"
    plots.comparison(results_of(results, "train", "test"), path=picture)
    report.say("")
    report.say(f"picture: {picture}")
    gaps = {name: gap(parts) for name, parts in results.items()}
    best = min((name for name in gaps if name != "none"), key=gaps.get)
    report.say(f"gap without a remedy {gaps['none']:.3f}; the least, with {best}: {gaps[best]:.3f}")
    return results


def train(
    seed,
    wrong_labels,
    units=256,
    hidden=2,
    regularizer=None,
    dropout=0.0,
    augment=None,
    early_stopping=False,
):
    """One network trained with one remedy; its accuracy on each part of the data."""
    train, validation, test, truth = parts_of_the_data(seed, wrong_labels)
    random.seed(seed)
    model = models.Sequential([layers.Input((64,))])
    for _ in range(hidden):
        model.add(layers.Dense(units, activation="relu", kernel_regularizer=regularizer))
        if dropout:
            model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax", kernel_regularizer=regularizer))
    model.compile(optimizers.Adam(0.001), "sparse_categorical_crossentropy", ["accuracy"])
    stop = callbacks.EarlyStopping("val_loss", patience=10, restore_best_weights=True)
    model.fit(
        data.Batches(*train, batch_size=32, shuffle=True, augment=augment),
        epochs=EPOCHS,
        validation_data=validation if early_stopping else None,
        callbacks=[stop] if early_stopping else [],
        verbose=0,
    )
    parts = {"train": train, "test": test, "truth": truth}
    return {name: model.evaluate(*part, verbose=0)[1] for name, part in parts.items()}


def parts_of_the_data(seed, wrong_labels):
    """(x, y) to train on, to validate, to test, and the test with its right labels."""
    (x, y), (x_test, y_test) = data.digits.load_data()
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(x))
    train, validation = order[:EXAMPLES], order[EXAMPLES : 2 * EXAMPLES]
    return (
        (x[train], mistaken(y[train], wrong_labels, generator)),
        (x[validation], mistaken(y[validation], wrong_labels, generator)),
        (x_test, mistaken(y_test, wrong_labels, generator)),
        (x_test, y_test),
    )


def mistaken(labels, share, generator):
    """The labels (n,), a random share of them replaced by another of the ten digits."""
    wrong = generator.random(len(labels)) < share
    return np.where(wrong, (labels + generator.integers(1, 10, len(labels))) % 10, labels)


def gap(parts):
    """Mean accuracy in training less that in the test."""
    return np.mean(parts["train"]) - np.mean(parts["test"])


def accuracies_of(results):
    """Head and rows of a table: mean ± standard deviation of each accuracy, and the gap."""
    rows = []
    for name, parts in results.items():
        train, test, truth = (spread(parts[part]) for part in ("train", "test", "truth"))
        rows.append([name, train, test, f"{gap(parts):.3f}", truth])
    return ["remedy", "train", "test", "gap", "right labels"], rows


def results_of(results, *names):
    """The results with some of their parts."""
    return {remedy: {name: parts[name] for name in names} for remedy, parts in results.items()}


def check_options(seeds, wrong_labels):
    """ValueError for a number of seeds below 1, or a share outside 0 <= share < 1."""
    check_seeds(seeds)
    if not 0 <= wrong_labels < 1:
        raise ValueError(f"wrong_labels is a share, from 0 to below 1. Received: {wrong_labels=}")
