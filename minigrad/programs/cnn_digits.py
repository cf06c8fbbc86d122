"""A convolutional network reads digits: the same few numbers look at every place of the image.

A Dense layer has a weight for every pixel, and must learn a stroke anew wherever it may stand. A
convolution slides small filters over the image: each answers, in a map, where its pattern is, and
the next layer finds patterns in these maps. Pooling keeps the strongest answer of each four and
forgets where among them it was. So fewer numbers learn more, and what they have learned holds one
pixel further, too.

Both networks learn from the same digits, with the same optimizer, for as many epochs. The numbers
are their accuracies on digits held out, as they are and moved by one pixel. The picture shows what
the filters look like and what they answer.
"""

import numpy as np

from .. import data, layers, models, random
from ..environment import one_blas_thread
from ..tensor import no_grad
from . import cnn_digits_picture
from .report import Report, check_seeds, spread, table

SIDE = 8  # pixels
EPOCHS = 20


def dense_network():
    """The network that the quickstart trains, twice as wide."""
    return models.Sequential(
        [
            layers.Dense(128, activation="relu", input_shape=(SIDE * SIDE,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def convolutional_network():
    """With the shape of one example after each layer."""
    return models.Sequential(
        [
            layers.Reshape((SIDE, SIDE, 1), input_shape=(SIDE * SIDE,)),  # (8, 8, 1)
            layers.Conv2D(16, 3, padding="same", activation="relu"),  # (8, 8, 16)
            layers.Conv2D(32, 3, padding="same", activation="relu"),  # (8, 8, 32)
            layers.MaxPooling2D(2),  # (4, 4, 32)
            layers.Conv2D(64, 3, padding="same", activation="relu"),  # (4, 4, 64)
            layers.MaxPooling2D(2),  # (2, 2, 64)
            layers.Flatten(),  # (256,)
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),  # (10,)
        ]
    )


NETWORKS = {"dense": dense_network, "convolutional": convolutional_network}


def fit(make, seed):
    """A network, trained on the digits of this seed; and those that are held out."""
    (x, y), held_out = data.digits.load_data(seed=seed)
    random.seed(seed)
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, y, epochs=EPOCHS, verbose=0)
    return model, held_out


DIRECTIONS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def moved(x, down, right):
    """The images (n, 64) moved by a pixel at most; paper comes in where they were."""
    wide = np.pad(x.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
    images = wide[:, 1 - down : 1 - down + SIDE, 1 - right : 1 - right + SIDE]
    return images.reshape(len(x), -1)


def measure(model, x, y):
    """Accuracies on digits as they are, and on the same moved in each direction by one pixel."""
    by_direction = [
        model.evaluate(moved(x, *direction), y, verbose=0)[1] for direction in DIRECTIONS.values()
    ]
    return {
        "accuracy": model.evaluate(x, y, verbose=0)[1],
        "moved by a pixel": float(np.mean(by_direction)),
    }


def maps(model, x):
    """{shape: what each layer that keeps an image makes of one digit (64,), as (h, w, channels)}"""
    found, y = {}, x[None]
    with no_grad():
        for layer in model.layers:
            y = layer(y)
            if y.ndim == 4:
                name = f"{type(layer).__name__} {'x'.join(map(str, y.shape[1:]))}"
                found[name] = y.numpy()[0]
    return found


# ---- The program ---------------------------------------------------------------------------------


@one_blas_thread
def cnn_digits(out="runs/cnn_digits", seeds=3):
    """Train both networks with `seeds` seeds; write a report with a table, and a picture.

    A seed decides which digits are held out, the first weights, and the order of the batches.
    Returns {network: {"accuracy": [...], "moved by a pixel": [...]}} by seed.
    """
    check_seeds(seeds)
    report, folder = Report.in_folder(out)

    report.stage("Training")
    results, sizes = {}, {}
    for name, make in NETWORKS.items():
        for seed in range(seeds):
            model, (x, y) = fit(make, seed)
            for measured, value in measure(model, x, y).items():
                results.setdefault(name, {}).setdefault(measured, []).append(value)
        sizes[name] = model.count_params()
        report.say(f"{name}: {sizes[name]:,} numbers learned in {EPOCHS} epochs, {seeds} times")

    report.stage("Accuracy on held-out digits: mean and standard deviation over the seeds")
    head = ["network", "numbers", *results["dense"]]
    rows = [[name, f"{sizes[name]:,}", *map(spread, row.values())] for name, row in results.items()]
    report.say(table(head, rows))

    picture = folder / "cnn_digits.png"  # of the last network, which is convolutional
    filters = model.layers[1].weight.numpy()[:, :, 0]  # (3, 3, 16)
    cnn_digits_picture.draw(filters, maps(model, x[0]), picture)
    report.say(f"\npicture: {picture}")
    dense, convolutional = (spread(row["accuracy"]) for row in results.values())
    report.say(f"accuracy {convolutional}; the dense network {dense}")
    return results
