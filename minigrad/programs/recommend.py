"""Recommending: what somebody will like, learned from the ratings of everybody.

475 users have rated some 30 of 200 items each. The ratings are made here, from a known structure:

    r = 3 + user's bias + item's bias + user's tastes · item's tastes + noise

So it is known how good a prediction can be: who knows all but the noise errs by its standard
deviation, NOISE. Three kinds of prediction are held against that floor. Means know how generous a
user is and how good an item, but no tastes. A factorization has the form of the structure, and
finds tastes that nobody has told it. A small network gets as many numbers for each user and
item, and must learn first that they are to be multiplied.
"""

from typing import NamedTuple

import numpy as np

from .. import data, layers, models, ops, optimizers, random, regularizers
from ..environment import one_blas_thread
from . import recommend_picture
from .report import Report, check_seeds, spread, table

USERS, ITEMS, NEW_USERS = 500, 200, 25  # the last users are new: no rating of theirs is learned
TASTES = 2
GROUPS = {"none": (0, 0), "1-9": (1, 9), "10-19": (10, 19), "20-39": (20, 39), "40 up": (40, ITEMS)}
NOISE = 0.5
SIZES = (1, 2, 3, 4, 8)  # numbers that are learned for each user and item; validation chooses
RECOMMENDED = 10

# Chosen by the validation ratings of seeds from 100 on.
EPOCHS = 30
RATE = 0.005
PENALTY = 1e-4


# ---- Data ----------------------------------------------------------------------------------------


class Ratings(NamedTuple):
    """Who has rated what how, and why.

    parts         {"train": (pairs, ratings), "validation": ..., "test": ..., "new": ...}
                  pairs are integers (n, 2), a user and an item, and ratings (n,)
    expected      (users, items) each rating without its noise
    item_tastes   (items, tastes)
    """

    parts: dict
    expected: np.ndarray
    item_tastes: np.ndarray


def make_ratings(seed):
    """The Ratings of one seed: split by rating, and all of the new users by themselves."""
    generator = np.random.default_rng(seed)
    user_bias = generator.normal(0, 0.4, (USERS, 1))
    item_bias = generator.normal(0, 0.5, ITEMS)
    user_tastes = generator.normal(0, 0.8, (USERS, TASTES))
    item_tastes = generator.normal(0, 0.8, (ITEMS, TASTES))
    expected = 3 + user_bias + item_bias + user_tastes @ item_tastes.T  # (users, items)

    share_rated = 0.15 * generator.exponential(size=(USERS, 1))  # some rate much, most rate little
    pairs = np.argwhere(generator.random(expected.shape) < share_rated)
    ratings = expected[tuple(pairs.T)] + generator.normal(0, NOISE, len(pairs))

    is_new = pairs[:, 0] >= USERS - NEW_USERS
    known = np.flatnonzero(~is_new)
    split = data.train_validation_test_split(len(known), 0.1, 0.1, seed=seed)
    rows = dict(zip(("train", "validation", "test"), (known[indices] for indices in split)))
    rows["new"] = np.flatnonzero(is_new)
    parts = {name: (pairs[i], ratings[i].astype(np.float32)) for name, i in rows.items()}
    return Ratings(parts, expected, item_tastes)


# ---- Predictions: a matrix (users, items) each ---------------------------------------------------


def means(pairs, ratings):
    """{name: predictions} by means: of all ratings, of each item's, and of each user's besides."""
    users, items = pairs.T
    mean = np.full((USERS, ITEMS), ratings.mean(dtype=np.float64))
    of_items = mean + mean_by(items, ratings - mean[0, 0], ITEMS)
    deviations = mean_by(users, ratings - of_items[users, items], USERS)
    return {
        "overall mean": mean,
        "item means": of_items,
        "item and user means": of_items + deviations[:, None],
    }


def mean_by(groups, values, n):
    """The mean of the values (m,) of each of n groups, 0 for one without any.   -> (n,)"""
    return np.bincount(groups, values, n) / np.maximum(np.bincount(groups, minlength=n), 1)


class Factorization(models.Model):
    """r̂ = μ + a[user] + b[item] + p[user] · q[item]   pairs (n, 2) -> (n,)

    Y. Koren, R. Bell, C. Volinsky, "Matrix factorization techniques for recommender systems", 2009.
    """

    def __init__(self, mean, size):
        super().__init__()
        self.mean = mean
        self.user_bias, self.item_bias = vectors(USERS, 1), vectors(ITEMS, 1)
        self.user_tastes, self.item_tastes = vectors(USERS, size), vectors(ITEMS, size)

    def call(self, pairs):
        users, items = pairs[:, 0], pairs[:, 1]
        biases = self.user_bias(users) + self.item_bias(items)  # (n, 1)
        products = self.user_tastes(users) * self.item_tastes(items)  # (n, size)
        return self.mean + biases[:, 0] + ops.sum(products, axis=1)


class Network(models.Model):
    """r̂ = μ + what two hidden layers make of p[user] and q[item]   pairs (n, 2) -> (n,)"""

    def __init__(self, mean, size):
        super().__init__()
        self.mean = mean
        self.user_tastes, self.item_tastes = vectors(USERS, size), vectors(ITEMS, size)
        self.hidden = [layers.Dense(64, activation="relu") for _ in range(2)]
        self.last = layers.Dense(1)

    def call(self, pairs):
        users, items = pairs[:, 0], pairs[:, 1]
        x = ops.concatenate([self.user_tastes(users), self.item_tastes(items)], axis=1)
        for layer in self.hidden:
            x = layer(x)
        return self.mean + self.last(x)[:, 0]


def vectors(n, size):
    """An Embedding whose vectors become long only where ratings call for it."""
    return layers.Embedding(n, size, embeddings_regularizer=regularizers.L2(PENALTY))


KINDS = {"network": Network, "factorization": Factorization}


def fit(kind, size, ratings, seed):
    """A model of this kind, trained; its predictions for every user and item."""
    random.seed(seed)
    pairs, values = ratings.parts["train"]
    model = KINDS[kind](float(values.mean()), size)
    model.compile(optimizers.Adam(RATE), "mse")
    model.fit(pairs, values, batch_size=128, epochs=EPOCHS, verbose=0)
    everything = np.argwhere(np.ones((USERS, ITEMS), bool))
    return model, model.predict(everything, batch_size=4096, verbose=0).reshape(USERS, ITEMS)


# ---- How good they are ---------------------------------------------------------------------------


def rmse(predictions, part):
    """The root of the mean squared error of predictions (users, items) for some ratings."""
    pairs, ratings = part
    return float(np.sqrt(np.mean((predictions[tuple(pairs.T)] - ratings) ** 2)))


def worth(predictions, ratings):
    """The mean expected rating of the items that are recommended to each of the known users.

    These are the items that the user has not rated yet and that are predicted to please most.
    """
    known = slice(USERS - NEW_USERS)
    unrated = predictions.copy()
    unrated[tuple(ratings.parts["train"][0].T)] = -np.inf
    best = np.argsort(-unrated[known], axis=1, kind="stable")[:, :RECOMMENDED]
    return float(np.take_along_axis(ratings.expected[known], best, axis=1).mean())


class Trial(NamedTuple):
    """What came out of one seed.

    predictions  {name: (users, items)}
    validation   {kind of model: {numbers per user and item: RMSE}}
    found        (items, size) the tastes that the best factorization has found
    """

    ratings: Ratings
    predictions: dict
    validation: dict
    found: np.ndarray


def trial(seed):
    """Make ratings, and predict them in every way."""
    ratings = make_ratings(seed)
    predictions, validation = means(*ratings.parts["train"]), {}
    for kind in KINDS:
        fits = {size: fit(kind, size, ratings, seed) for size in SIZES}
        validation[kind] = {
            size: rmse(found, ratings.parts["validation"]) for size, (_, found) in fits.items()
        }
        model, predictions[kind] = fits[min(validation[kind], key=validation[kind].get)]
    predictions["the truth"] = ratings.expected
    # The last of the KINDS is the factorization.
    return Trial(ratings, predictions, validation, model.item_tastes.weight.numpy())


def by_group(trials, name):
    """{how many ratings of a user were learned from: RMSE of their others}, over all trials."""
    errors = {}
    for group, (least, most) in GROUPS.items():
        squares = []
        for ratings, predictions, *_ in trials:
            counts = np.bincount(ratings.parts["train"][0][:, 0], minlength=USERS)
            for pairs, values in (ratings.parts["test"], ratings.parts["new"]):
                own = (least <= counts[pairs[:, 0]]) & (counts[pairs[:, 0]] <= most)
                squares.append((predictions[name][tuple(pairs[own].T)] - values[own]) ** 2)
        errors[group] = float(np.sqrt(np.mean(np.concatenate(squares))))
    return errors


def aligned(found, true):
    """found A, with the matrix A that brings it closest to true.   (n, k), (n, d) -> (n, d)

    p · q = (A⁻ᵀ p) · (A q): products of tastes say nothing about the axes they are counted on.
    """
    return found @ np.linalg.lstsq(found, true, rcond=None)[0]


# ---- The program ---------------------------------------------------------------------------------


@one_blas_thread
def recommend(out="runs/recommend", seeds=3):
    """Predict ratings by means and by models, `seeds` times; write a report and a picture.

    Returns {name: {"test": [...], "new": [...], "worth": [...]}} by seed: the RMSE for other
    ratings of the same users, for those of new users, and how good what is recommended is.
    """
    check_seeds(seeds)
    report, folder = Report.in_folder(out)

    report.stage("Ratings")
    report.say(f"{USERS} users, {ITEMS} items; r = 3 + biases + user's tastes · item's tastes + ε")
    report.say(f"the noise ε has the standard deviation {NOISE}: no prediction errs by less")
    report.say(f"{NEW_USERS} users are new: none of their ratings is learned from")

    report.stage("Training")
    trials = []
    for seed in range(seeds):
        trials.append(trial(seed))
        sizes = {name: len(values) for name, (_, values) in trials[-1].ratings.parts.items()}
        report.say(f"seed {seed}: {', '.join(f'{n:,} {name}' for name, n in sizes.items())}")
        for kind, errors in trials[-1].validation.items():
            listed = ", ".join(f"{size}: {error:.3f}" for size, error in errors.items())
            report.say(f"  {kind}, validation RMSE by numbers per user and item: {listed}")

    report.stage("Error (RMSE) in the test, and what is recommended")
    results = results_of(trials)
    report.say(table(*rows_of(results)))
    report.say(f"\nworth: the mean rating, noise apart, of the {RECOMMENDED} best unrated items")
    report.say("a new user has no tastes yet: what is left to know is how good an item is")

    errors = {name: parts["test"] for name, parts in results.items()}
    sizes = {
        kind: {size: [trial.validation[kind][size] for trial in trials] for size in SIZES}
        for kind in KINDS
    }
    groups = {name: by_group(trials, name) for name in ("item and user means", *KINDS)}
    true = trials[0].ratings.item_tastes
    picture = folder / "recommend.png"
    recommend_picture.draw(
        errors, sizes, groups, (true, aligned(trials[0].found, true)), NOISE, picture
    )
    report.say(f"picture: {picture}")
    best = {name: spread(errors[name]) for name in groups}
    report.say(
        f"test RMSE: means {best['item and user means']}, network {best['network']}, "
        f"factorization {best['factorization']}; noise {NOISE}"
    )
    return results


def results_of(trials):
    """{name: {"test": [...], "new": [...], "worth": [...]}} with a value for each trial."""
    results = {}
    for ratings, predictions, *_ in trials:
        for name, found in predictions.items():
            parts = results.setdefault(name, {"test": [], "new": [], "worth": []})
            parts["test"].append(rmse(found, ratings.parts["test"]))
            parts["new"].append(rmse(found, ratings.parts["new"]))
            parts["worth"].append(worth(found, ratings))
    return results


def rows_of(results):
    """Head and rows of the table: mean ± standard deviation over the seeds."""
    head = ["prediction", "test", "new users", "worth"]
    return head, [[name, *map(spread, parts.values())] for name, parts in results.items()]
