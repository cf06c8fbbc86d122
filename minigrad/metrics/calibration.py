"""Whether probabilities mean what they say: of all that has p = 0.7, 70 % should happen.

Functions of whole arrays on the host. `probabilities` is (n,), those of the class `positive`, one
of two; or (n, c), one column per class. Of the columns, calibration looks at the most likely class:
how sure the model is, against how often it is right (Guo et al., "On Calibration of Modern Neural
Networks", 2017).
"""

import numpy as np

from ..registry import check_integer
from .labels import probability_events, weight_array


def calibration_curve(y_true, probabilities, bins=10, classes=None, positive=1):
    """(share that happened, mean p, count) of each bin, (k,) each   labels (n,), p (n,) or (n, c)

    The bins are `bins` equal parts of 0..1, each with its upper end; k of them have examples.
    """
    check_integer("bins", bins)
    happened, p = probability_events(y_true, probabilities, classes, positive)
    if p.shape[1] > 1:
        likeliest = np.argmax(p, axis=1)[:, None]
        happened, p = (np.take_along_axis(a, likeliest, axis=1) for a in (happened, p))
    inner_edges = np.linspace(0, 1, bins + 1)[1:-1]
    place = np.searchsorted(inner_edges, p[:, 0])
    counts = np.bincount(place, minlength=bins)
    used = counts > 0
    sums = [np.bincount(place, values[:, 0], minlength=bins)[used] for values in (happened, p)]
    return sums[0] / counts[used], sums[1] / counts[used], counts[used]


def expected_calibration_error(y_true, probabilities, bins=10, classes=None, positive=1):
    """Σ_b n_b/n |share_b - mean p_b| over the bins b of `calibration_curve`   -> 0 to 1"""
    share, p, counts = calibration_curve(y_true, probabilities, bins, classes, positive)
    return float(np.average(abs(share - p), weights=counts))


def brier_score(y_true, probabilities, classes=None, positive=1, sample_weight=None):
    """Σᵢ wᵢ Σⱼ (pᵢⱼ - [yᵢ = j])² / Σᵢ wᵢ   labels (n,), p (n,) or (n, c) -> a number, best 0

    From 0 to 1 for p (n,), which has one summand j; from 0 to 2 for (n, c), as in Brier,
    "Verification of Forecasts Expressed in Terms of Probability", 1950.
    """
    happened, p = probability_events(y_true, probabilities, classes, positive)
    weights = weight_array(sample_weight, len(p))
    return float(np.average(np.square(p - happened).sum(axis=1), weights=weights))
