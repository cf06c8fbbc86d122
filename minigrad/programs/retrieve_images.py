"""Finding images that show the same as this one: a network that makes neighbours of what is alike.

An album has photographs of digits, each a little moved, turned and resized. Someone shows one and
wants others of the same digit: the nearest are given back. Near as pixels means near in all that
does not matter, too. So a network maps images to vectors, its embedding, and learns in one of two
ways which to bring together:

classifier   by naming digits; its embedding is what the layer before the last makes of an image
contrastive  by the angles between the vectors themselves: every image has to tell the others of
             its digit from all else in its batch

Three digits are held out: none of the networks ever sees one. What is found for them shows how much
of what was learned is about images, and how much about the digits that were there: with seven
digits to learn from, nearly all of it is about these.
"""

from typing import NamedTuple

import numpy as np

from .. import data, layers, metrics, models, ops, optimizers, random
from ..environment import one_blas_thread
from . import retrieve_images_picture
from .report import Report, check_seeds, spread, table

CLASSES, UNSEEN = 10, 3
PHOTOGRAPH = data.ImageAugmentation(shift=1.5, rotate=30, scale=0.2, image_shape=(8, 8))
NEIGHBOURS = 5
EMBEDDING = 32  # numbers

# Chosen with seeds from 100 on: other photographs, and other digits held out.
EPOCHS = 40
TEMPERATURE = 0.1


# ---- The models ----------------------------------------------------------------------------------


def network():
    """Images (n, 64) -> embeddings (n, EMBEDDING)"""
    return models.Sequential(
        [
            layers.Reshape((8, 8, 1), input_shape=(64,)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(EMBEDDING),
        ]
    )


def classifier(x, y):
    """An embedding in which each digit lies on a side of its own.   images (n, 64), labels (n,)"""
    embedding = network()
    model = models.Sequential([embedding, layers.Dense(CLASSES, activation="softmax")])
    fit(model, "sparse_categorical_crossentropy", x, y)
    return embedding


def contrastive(x, y):
    """An embedding in which images of one digit have small angles between them.

    images (n, 64), labels (n,)
    """
    embedding = network()
    fit(embedding, contrast, x, y)
    return embedding


def contrast(y, vectors):
    """lᵢ = -1/|Pᵢ| Σ_{p ∈ Pᵢ} log (exp(sᵢₚ) / Σ_{j ≠ i} exp(sᵢⱼ)),  s = cosines / TEMPERATURE

    labels (n,), (n, d) -> (n,)

    Pᵢ are the others in the batch with the label of i: it is a softmax over the others that should
    choose them. P. Khosla and others, "Supervised contrastive learning", 2020, equation 2.
    """
    lengths = ops.sqrt(ops.sum(vectors**2, axis=1, keepdims=True) + 1e-12)
    directions = vectors / lengths
    others = 1 - np.eye(len(y), dtype=np.float32)
    s = directions @ ops.transpose(directions) / TEMPERATURE
    log_chosen = ops.log_softmax(s - 1e4 * (1 - others), axis=1)  # never i itself
    alike = others * (y[:, None] == y)
    return -ops.sum(log_chosen * alike, axis=1) / np.maximum(1, alike.sum(axis=1))


def fit(model, loss, x, y):
    """Train a model with Adam on photographs that are new in every epoch."""
    model.compile(optimizers.Adam(0.001), loss)
    batches = data.Batches(x, y, batch_size=128, shuffle=True, augment=PHOTOGRAPH)
    model.fit(batches, epochs=EPOCHS, verbose=0)


EMBEDDINGS = {"classifier": classifier, "contrastive": contrastive}


# ---- Looking for neighbours ----------------------------------------------------------------------


class Trial(NamedTuple):
    """What came out of one seed.

    album      photographs (n, 64), which nothing was learned from
    labels     (n,) their digits
    is_unseen  (n,) whether the networks have seen no such digit
    found      {what was compared: places of the nearest neighbours (n, NEIGHBOURS)}
    """

    album: np.ndarray
    labels: np.ndarray
    is_unseen: np.ndarray
    found: dict


def trial(seed):
    """Learn both embeddings without UNSEEN of the digits, and look for all of them."""
    (x, y), (x_test, y_test) = data.digits.load_data()
    generator = np.random.default_rng(seed)
    unseen = generator.permutation(CLASSES)[:UNSEEN]
    album = PHOTOGRAPH(x_test, generator)
    seen = ~np.isin(y, unseen)

    found = {"pixels": metrics.nearest_neighbours(album, k=NEIGHBOURS)}
    for name, learn in EMBEDDINGS.items():
        random.seed(seed)
        vectors = learn(x[seen], y[seen]).predict(album, verbose=0)
        found[name] = metrics.nearest_neighbours(vectors, k=NEIGHBOURS)
    return Trial(album, y_test, np.isin(y_test, unseen), found)


def recalls(one):
    """{what was compared: {"seen, k=1": recall, ...}} of a Trial."""
    parts = {"seen": ~one.is_unseen, "unseen": one.is_unseen}
    return {
        name: {
            f"{part}, k={k}": metrics.recall_at_k(one.labels[own], one.labels[places[own]], k)
            for part, own in parts.items()
            for k in (1, NEIGHBOURS)
        }
        for name, places in one.found.items()
    }


# ---- The program ---------------------------------------------------------------------------------


@one_blas_thread
def retrieve_images(out="runs/retrieve_images", seeds=3):
    """Look for digits by pixels and by two embeddings, `seeds` times; write a report, a picture.

    Returns {what was compared: {"seen, k=1": [...], ...}}, recalls by seed.
    """
    check_seeds(seeds)
    report, folder = Report.in_folder(out)

    report.stage("Training")
    trials = []
    for seed in range(seeds):
        trials.append(trial(seed))
        album, labels, is_unseen, _ = trials[-1]
        digits = ", ".join(map(str, np.unique(labels[is_unseen])))
        report.say(
            f"seed {seed}: {len(album)} photographs to be found; no network has seen {digits}"
        )

    report.stage(f"Recall at k: how often the same digit is among the k nearest of {len(album)}")
    each = [recalls(one) for one in trials]
    results = {
        name: {part: [one[name][part] for one in each] for part in parts}
        for name, parts in each[0].items()
    }
    rows = [[name, *map(spread, parts.values())] for name, parts in results.items()]
    report.say(table(["compared", *each[0]["pixels"]], rows))

    picture = folder / "retrieve_images.png"
    retrieve_images_picture.draw(trials[0], picture)
    report.say(f"\npicture: {picture}")
    first = {name: parts["seen, k=1"] for name, parts in results.items()}
    report.say(
        f"recall at 1 of seen digits: contrastive {spread(first['contrastive'])}, "
        f"classifier {spread(first['classifier'])}, pixels {spread(first['pixels'])}"
    )
    return results
