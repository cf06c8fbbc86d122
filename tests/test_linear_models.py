"""Linear models are one Dense layer, a loss and a regularizer, and find what is known to be best.

scikit-learn minimizes C Σ l + |w|² / 2, and minigrad Σ l / n + λ |w|². The second is the first
divided by C n, with λ = 1 / (2 C n).
"""

import numpy as np
import pytest
from safetensors.numpy import load_file

from minigrad import data, layers, models, optimizers, random, regularizers, schedules
from tests.golden.make_linear_models import FILE, C, threes_and_eights

GOLDEN = load_file(FILE)


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)


def centres_from_their_neighbours():
    """x (n, 8), y (n,): the 8 pixels around a pixel in the midst of each digit, and that pixel."""
    (x, _), _ = data.digits.load_data()
    patches = x.reshape(-1, 8, 8)[:, 2:5, 3:6].reshape(-1, 9).astype(np.float64)
    return np.delete(patches, 4, axis=1), patches[:, 4]


def coefficients(model):
    weights = model.weights()
    return weights["0.weight"].numpy(), weights["0.bias"].numpy()


OPTIMIZERS = {  # and how near they come: Adam's steps stay about as long as the rate
    "SGD": (lambda: optimizers.SGD(0.2, momentum=0.9, nesterov=True), 1e-9),
    "Adam": (lambda: optimizers.Adam(schedules.CosineDecay(0.05, 1000)), 1e-4),
}


@pytest.mark.parametrize("optimizer, tolerance", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_linear_regression_finds_the_least_squares(optimizer, tolerance):
    x, y = centres_from_their_neighbours()
    model = models.Sequential([layers.Dense(1, dtype="float64")])
    model.compile(optimizer(), "mse")
    model.fit(x, y, batch_size=len(x), epochs=1000)

    best, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y)
    weight, bias = coefficients(model)
    np.testing.assert_allclose(weight[:, 0], best[:-1], atol=tolerance)
    np.testing.assert_allclose(bias[0], best[-1], atol=tolerance)


def test_ridge_regression_solves_its_normal_equations():
    """1/n |X w - y|² + λ |w|² is least where (XᵀX / n + λ) w = Xᵀy / n."""
    x, y = centres_from_their_neighbours()
    penalty = regularizers.L2(0.1)
    model = models.Sequential(
        [layers.Dense(1, use_bias=False, kernel_regularizer=penalty, dtype="float64")]
    )
    model.compile(optimizers.SGD(0.2, momentum=0.9), "mse")
    model.fit(x, y, batch_size=len(x), epochs=500)

    best = np.linalg.solve(x.T @ x / len(x) + 0.1 * np.eye(8), x.T @ y / len(x))
    np.testing.assert_allclose(model.weights()["0.weight"].numpy()[:, 0], best, atol=1e-9)


def test_logistic_regression_equals_scikit_learn():
    """LogisticRegression(C) has a penalty on the weight alone."""
    x, y = threes_and_eights()
    penalty = regularizers.L2(1 / (2 * C * len(x)))
    model = models.Sequential(
        [layers.Dense(1, activation="sigmoid", kernel_regularizer=penalty, dtype="float64")]
    )
    model.compile(optimizers.SGD(0.2, momentum=0.98, nesterov=True), "binary_crossentropy")
    model.fit(x, y, batch_size=len(x), epochs=2000)
    assert_equals_golden(model, "logistic_regression")


def test_a_linear_svm_equals_scikit_learn():
    """LinearSVC(C, loss="squared_hinge") has a penalty on the bias, too."""
    x, y = threes_and_eights()
    penalty = regularizers.L2(1 / (2 * C * len(x)))
    model = models.Sequential(
        [layers.Dense(1, kernel_regularizer=penalty, bias_regularizer=penalty, dtype="float64")]
    )
    model.compile(optimizers.SGD(0.03, momentum=0.98, nesterov=True), "squared_hinge")
    model.fit(x, y, batch_size=len(x), epochs=2000)
    assert_equals_golden(model, "linear_svm")


def assert_equals_golden(model, name):
    weight, bias = coefficients(model)
    np.testing.assert_allclose(weight, GOLDEN[f"{name}.weight"], atol=1e-6)
    np.testing.assert_allclose(bias, GOLDEN[f"{name}.bias"], atol=1e-6)
