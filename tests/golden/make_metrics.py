"""Writes metrics.safetensors: 200 cases, with what scikit-learn says.   Needs scikit-learn.

    python -m tests.golden.make_metrics    (from the root of the repository)

"KIND.NAME" holds the arrays of all cases of a kind, end to end, and "KIND.NAME.sizes" how long each
is: `load` takes them apart. Scores count in sixteenths and weights in quarters, so that there are
ties, and NaN stands for what is not defined. The tests read the file, and need no scikit-learn.
"""

import functools
import math
import warnings
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

FILE = Path(__file__).with_name("metrics.safetensors")
CASES = {"binary": 70, "classes": 80, "regression": 50}
AVERAGES = ("macro", "micro", "weighted")
DIVISIONS = (0.0, 1.0, math.nan)  # zero_division


def load():
    """{kind: [{name: array} of each case]}"""
    saved = load_file(FILE)
    cases = {kind: [{} for _ in range(count)] for kind, count in CASES.items()}
    for entry, values in saved.items():
        kind, name, *sizes = entry.split(".")
        if not sizes:
            ends = np.cumsum(saved[f"{entry}.sizes"])[:-1].astype(int)
            for case, array in zip(cases[kind], np.split(values, ends), strict=True):
                case[name] = array
    return cases


def weights_of(case):
    """sample_weight (n,), or None where a case has no weights."""
    return case["weights"] / 4 if len(case["weights"]) else None


def outputs_of(case):
    """y and ŷ of a case of regression, (n, d) each, in float64."""
    d = int(case["outputs"][0])
    return [case[name].astype(np.float64).reshape(-1, d) for name in ("y", "predicted")]


# ---- Drawing -------------------------------------------------------------------------------------


def draw_weights(generator, n):
    if generator.random() < 0.5:
        return np.zeros(0, np.uint8)
    weights = generator.integers(0, 9, n)
    weights[generator.integers(n)] = 4  # they are not all zero
    return weights.astype(np.uint8)


def draw_binary(generator):
    n = int(generator.integers(1, 60))
    share = generator.choice([0.0, 0.1, 0.5, 0.9])  # at 0 there is one class only
    y = generator.random(n) < share
    scores = np.clip(generator.normal(8 + 3 * y, 5).round(), 0, 16)
    return {"y": y, "scores": scores, "weights": draw_weights(generator, n)}


def draw_classes(generator):
    n, c = int(generator.integers(1, 70)), int(generator.integers(3, 7))
    present = generator.permutation(c)[: generator.integers(1, 2 * c)]  # in half the cases, all
    y = generator.choice(present, n)
    shares = generator.dirichlet(np.full(c, 0.5), n) + 0.5 * np.eye(c)[y]
    scores = generator.multinomial(16, shares / shares.sum(axis=1, keepdims=True))
    scores[:, generator.integers(c)] //= 2  # one class is seldom predicted
    scores[np.arange(n), scores.argmax(axis=1)] += 16 - scores.sum(axis=1)
    return {"y": y, "scores": scores.ravel(), "weights": draw_weights(generator, n)}


def draw_regression(generator):
    n, d = int(generator.integers(3, 50)), int(generator.integers(1, 4))
    y = generator.normal(generator.choice([0.0, 1000.0]), 1, (n, d)).astype(np.float32)
    predicted = (y + generator.normal(0, generator.choice([0.1, 2.0]), (n, d))).astype(np.float32)
    weights = draw_weights(generator, n)
    weights[:2] = 4  # R² needs two examples
    outputs = np.array([d], np.uint8)
    return {"y": y.ravel(), "predicted": predicted.ravel(), "outputs": outputs, "weights": weights}


# ---- scikit-learn's answers ----------------------------------------------------------------------


def ratios(y, predicted, weights, averages, **options):
    """precision, recall and F1 for each zero_division and average, end to end."""
    from sklearn.metrics import precision_recall_fscore_support

    answers = []
    for division in DIVISIONS:
        for average in averages:
            *scores, _ = precision_recall_fscore_support(
                y,
                predicted,
                average=average,
                sample_weight=weights,
                zero_division=division,
                **options,
            )
            answers += [np.ravel(score) for score in scores]
    return np.concatenate(answers)


def answer_binary(case):
    from sklearn import metrics
    from sklearn.calibration import calibration_curve

    y, p, weights = case["y"].astype(int), case["scores"] / 16, weights_of(case)
    counted = y if weights is None else y[weights > 0]
    answers = {
        "ratios": ratios(y, (p > 0.5).astype(int), weights, ["binary"]),
        "brier": metrics.brier_score_loss(y, p, sample_weight=weights, labels=[0, 1]),
        "auc": math.nan,
        "curve": np.zeros(0),
    }
    if len(set(counted)) == 2:
        answers["auc"] = metrics.roc_auc_score(y, p, sample_weight=weights)
        options = {"sample_weight": weights, "drop_intermediate": False}
        answers["curve"] = np.concatenate(metrics.roc_curve(y, p, **options))
    share, mean = calibration_curve(y, p, n_bins=8, pos_label=1)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 9)[1:-1], p))
    answers["calibration"] = np.concatenate([share, mean])
    answers["calibration_error"] = np.average(abs(share - mean), weights=counts[counts > 0])
    return answers


def answer_classes(case):
    from sklearn import metrics

    y, weights = case["y"], weights_of(case)
    p = case["scores"].reshape(len(y), -1) / 16
    labels, predicted = np.arange(p.shape[1]), p.argmax(axis=1)
    options = {"labels": labels, "sample_weight": weights}
    matrices = [
        metrics.confusion_matrix(y, predicted, normalize=normalize, **options).ravel()
        for normalize in (None, "true", "pred", "all")
    ]
    answers = {
        "matrices": np.concatenate(matrices),
        "ratios": ratios(y, predicted, weights, AVERAGES, labels=labels),
        "ratios_of_each": ratios(y, predicted, weights, [None], labels=labels),
        "brier": metrics.brier_score_loss(y, p, **options),
        "auc": np.full(2, math.nan),
    }
    counted = y if weights is None else y[weights > 0]
    if len(set(counted)) == len(labels):
        area = functools.partial(metrics.roc_auc_score, y, p, multi_class="ovr", **options)
        answers["auc"] = [area(average="macro"), area(average="weighted")]
    return answers


def answer_regression(case):
    from sklearn import metrics

    weights, (y, predicted) = weights_of(case), outputs_of(case)
    return {
        "errors": [
            metrics.mean_squared_error(y, predicted, sample_weight=weights),
            metrics.mean_absolute_error(y, predicted, sample_weight=weights),
            metrics.r2_score(y, predicted, sample_weight=weights),
        ]
    }


KINDS = {
    "binary": (draw_binary, answer_binary),
    "classes": (draw_classes, answer_classes),
    "regression": (draw_regression, answer_regression),
}


def main():
    saved = {}
    for number, (kind, count) in enumerate(CASES.items()):
        draw, answer = KINDS[kind]
        generator = np.random.default_rng(number)
        cases = [draw(generator) for _ in range(count)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes without examples
            cases = [case | answer(case) for case in cases]
        for name in cases[0]:
            arrays = [np.ravel(case[name]) for case in cases]
            small = np.uint8 if name in ("y", "scores") and kind != "regression" else None
            saved[f"{kind}.{name}"] = np.concatenate(arrays).astype(small or arrays[0].dtype)
            saved[f"{kind}.{name}.sizes"] = np.array([len(array) for array in arrays], np.uint16)
    save_file(saved, FILE)


if __name__ == "__main__":
    main()
