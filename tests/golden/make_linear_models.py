"""Writes linear_models.safetensors: coefficients that scikit-learn finds.   Needs scikit-learn.

    python -m tests.golden.make_linear_models    (from the root of the repository)

NAME.weight (64, 1) and NAME.bias (1,) are float64. The tests read the file, and need no
scikit-learn.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from minigrad.data import digits

FILE = Path(__file__).with_name("linear_models.safetensors")
C = 0.5


def threes_and_eights():
    """x (n, 64) in float64, y (n,): 0 for each 3 and 1 for each 8 of the digits to train on."""
    (x, y), _ = digits.load_data(test_fraction=0.2, seed=0)
    chosen = (y == 3) | (y == 8)
    return x[chosen].astype(np.float64), (y[chosen] == 8).astype(np.int64)


def main():
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    models = {
        "logistic_regression": LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12),
        "linear_svm": LinearSVC(C=C, loss="squared_hinge", dual=False, tol=1e-12, max_iter=10**6),
    }
    saved = {}
    for name, model in models.items():
        model.fit(*threes_and_eights())
        saved[f"{name}.weight"] = np.ascontiguousarray(model.coef_.T)
        saved[f"{name}.bias"] = model.intercept_
    save_file(saved, FILE)


if __name__ == "__main__":
    main()
