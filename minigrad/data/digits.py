"""1,797 handwritten digits of 13 people, each 8x8 pixels: real data that comes with the package.

They are the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak
(UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49), licensed under CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/), here in another file format and otherwise unchanged.
"""

from pathlib import Path

import numpy as np

from .split import stratified_split

# digits.npz was made from scikit-learn's copy of the same file, whose pixels count from 0 to 16:
#
#     digits = sklearn.datasets.load_digits()
#     np.savez_compressed("digits.npz", images=digits.images.astype(np.uint8),  # (1797, 8, 8)
#                         labels=digits.target.astype(np.uint8))                # (1797,)


def load_data(test_fraction=0.2, seed=0):
    """((x_train, y_train), (x_test, y_test)): the digits in random order, the last pair held out.

    x: float32 (n, 64), the pixels row by row, from 0 (paper) to 1 (ink).   y: int64 (n,), 0 to 9.
    Both sides have the same share of each digit; `stratified_split` says how, and explains the
    arguments. The images themselves are `x.reshape(-1, 8, 8)`.
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as stored:
        x = stored["images"].reshape(-1, 64).astype(np.float32) / 16
        y = stored["labels"].astype(np.int64)
    train, test = stratified_split(y, test_fraction, seed)
    return (x[train], y[train]), (x[test], y[test])
