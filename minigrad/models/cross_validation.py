"""Cross-validation: how well a kind of model does on data that it was not trained on.

A single held-out part may be easy or hard by chance. Here every example is held out once.
"""

from dataclasses import dataclass
from operator import getitem

import numpy as np

from ..data.named import map_arrays
from ..data.split import KFold, StratifiedKFold
from ..metrics.tables import table
from ..registry import is_integer
from .inputs import check_rows
from .model import Model


@dataclass(frozen=True)
class CrossValidation:
    """What `cross_validate` found, as plain data; `str` makes a table of it.

    folds               for each fold {"loss": ..., "accuracy": ...}: what `evaluate` gave on it
    sizes               the number of examples in each fold
    histories           for each fold the History of its training
    mean                {name: the mean over the folds}
    standard_deviation  {name: √(Σ (value - mean)² / (k - 1))} over the k folds. The folds share
                        most of what they train on, so that the truth may vary more than that
    """

    folds: list
    sizes: list
    histories: list

    @property
    def mean(self):
        """{metric: its mean over the folds}"""
        return {name: float(np.mean(values)) for name, values in self._columns().items()}

    @property
    def standard_deviation(self):
        """{metric: √(Σ (x - mean)² / (folds - 1))}, how far one fold lies from another"""
        return {name: float(np.std(values, ddof=1)) for name, values in self._columns().items()}

    def _columns(self):
        return {name: [fold[name] for fold in self.folds] for name in self.folds[0]}

    def __str__(self):
        rows = [("fold", "examples", *self.folds[0])]
        for number, (fold, size) in enumerate(zip(self.folds, self.sizes), start=1):
            rows.append((str(number), str(size), *_digits(fold)))
        rows.append(("mean", "", *_digits(self.mean)))
        rows.append(("standard deviation", "", *_digits(self.standard_deviation)))
        return table(rows)


def _digits(numbers):
    return [f"{value:.4f}" for value in numbers.values()]


def cross_validate(
    make_model, x, y, folds=5, prepare=None, seed=0, sample_weight=None, verbose=0, **fit_options
):
    """Train a new model for each fold on all others, and evaluate it there. A CrossValidation.

    make_model     a function that makes and compiles a new model; it takes no arguments
    x, y           arrays (n, ...), or x a dict of arrays, as for `fit`
    folds          an integer k: k equal parts in an order that `seed` draws, each with the same
                   share of every class if the loss is for labels of classes; or an object such as
                   data.KFold, whose split(y) gives (train_indices, test_indices) for each fold
    prepare        a function (x_train, x_test) -> (x_train, x_test), called anew for each fold:
                   what is fitted on data, such as a scaler, sees the training part alone
    sample_weight  (n,) for the loss, in training and evaluation
    fit_options    passed on to `fit`: epochs=10, batch_size=64, ...

    Initial weights and the order of batches come from minigrad.random. ValueError if make_model
    gives a model that is not compiled or not new.
    """
    for name, function in {"make_model": make_model, "prepare": prepare}.items():
        if not callable(function) and not (function is None and name == "prepare"):
            raise ValueError(f"{name} must be a function. Received: {name}={function!r}")
    model = _new_model(make_model)
    rows = check_rows(model, x, y, sample_weight)
    labels = rows["y"].reshape(-1) if rows["y"].size == len(rows["y"]) else rows["y"]
    splits = list(_folds(folds, model, len(labels), seed).split(labels))
    if len(splits) < 2:
        raise ValueError(f"folds must give 2 folds or more. Received: {folds!r}")

    results, sizes, histories, trained = [], [], [], []
    for train, test in splits:
        both = np.intersect1d(train, test)
        if len(both):
            raise ValueError(
                f"folds must keep the examples to test on out of training. Received: {len(both)} "
                f"in both, the first {both[0]}"
            )
        model = _new_model(make_model) if results else model
        train_rows, test_rows = (
            {name: map_arrays(getitem, given, part) for name, given in rows.items()}
            for part in (train, test)
        )
        if prepare is not None:
            train_rows["x"], test_rows["x"] = prepare(train_rows["x"], test_rows["x"])
        histories.append(model.fit(**train_rows, verbose=verbose, **fit_options))
        trained = _check_new(model, trained)
        results.append(model.evaluate(**test_rows, verbose=verbose, return_dict=True))
        sizes.append(len(test))
    return CrossValidation(results, sizes, histories)


def _new_model(make_model):
    """What make_model() makes, if it is a compiled model that was never trained."""
    model = make_model()
    if not isinstance(model, Model) or model.optimizer is None:
        raise ValueError(
            f"make_model must return a compiled Model. Received: {type(model).__name__}"
            f"{' that is not compiled' if isinstance(model, Model) else ''}"
        )
    if model.optimizer.iterations:
        raise ValueError(
            f"make_model must make a new model and a new optimizer in each call. Received: an "
            f"optimizer that has taken {model.optimizer.iterations} steps"
        )
    return model


def _check_new(model, trained):
    """The weights of the model. ValueError if some are among those of the fold before."""
    weights = list(model.weights().values())
    if {id(weight) for weight in weights} & {id(weight) for weight in trained}:
        raise ValueError(
            "make_model must make new layers in each call. Received: weights that another fold has "
            "trained, perhaps on the examples to test on"
        )
    return weights


def _folds(folds, model, n, seed):
    """The object that splits the rows, made of a number of folds where it is one."""
    if hasattr(folds, "split") and not isinstance(folds, str):
        return folds
    if not is_integer(folds, 2, n):
        raise ValueError(
            f"folds must be an integer from 2 to {n}, the number of examples, or an object with "
            f"split(y). Received: {folds=}"
        )
    kind = StratifiedKFold if model.loss.labels == "classes" else KFold
    return kind(folds, shuffle=True, seed=seed)
