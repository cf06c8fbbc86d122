"""Dividing a data set into examples to train on and examples to test on."""

from numbers import Real

import numpy as np


def stratified_split(labels, test_fraction, seed):
    """Shuffled (train_indices, test_indices), with each class divided in the same fraction.

    labels         (n,) the class of each example: integers or any other values that can be sorted
    test_fraction  the share to test on, between 0 and 1
    seed           equal seeds give equal splits; minigrad.random plays no part

    round(n test_fraction) examples are held out. A class of m examples should give m test_fraction
    of them, which is seldom a whole number: every class gives the whole part, and those with the
    largest remainders give one more until the total is right (the largest-remainder method).
    ValueError if a class would be absent from one of the two sides.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"labels must be of shape (n,), n > 0. Received: shape {labels.shape}")
    if not isinstance(test_fraction, Real) or not 0 < test_fraction < 1:
        raise ValueError(
            f"test_fraction must be between 0 and 1. Received: test_fraction={test_fraction!r}"
        )
    classes, class_of, counts = np.unique(labels, return_inverse=True, return_counts=True)

    exact = counts * test_fraction
    held_out = np.floor(exact).astype(int)
    left_over = round(len(labels) * test_fraction) - held_out.sum()
    largest_remainders = np.argsort(held_out - exact, kind="stable")[:left_over]
    held_out[largest_remainders] += 1

    for label, count, test in zip(classes, counts, held_out, strict=True):
        if test in (0, count):
            raise ValueError(
                f"class {label} has too few examples to be divided: {test} of its {count} would be "
                f"held out. Received: test_fraction={test_fraction}"
            )

    order = np.random.default_rng(seed).permutation(len(labels))
    in_test = np.zeros(len(labels), dtype=bool)  # along `order`
    for number, test in enumerate(held_out):
        in_test[np.flatnonzero(class_of[order] == number)[:test]] = True
    return order[~in_test], order[in_test]
