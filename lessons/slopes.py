"""Gradients as the definition of a derivative has them, to compare others with."""

import copy
import math

import numpy as np

TOLERANCE = 1e-6  # of a gradient, beside central differences


def central(definition, arguments, weights, step=1e-6):
    """dL/dx of L = Σ w · definition(...), for every floating argument, by central differences."""
    arguments = [_float64(a) for a in arguments]
    found = []
    for x in arguments:
        if not (isinstance(x, np.ndarray) and x.dtype.kind == "f"):
            continue
        d = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            here = x[index]
            h = step * max(1.0, abs(here)) if math.isfinite(here) else step
            x[index] = here + h
            above = np.sum(weights * definition(*copy.deepcopy(arguments)))
            x[index] = here - h
            below = np.sum(weights * definition(*copy.deepcopy(arguments)))
            x[index] = here
            d[index] = (above - below) / (2 * h)
        found.append(d)
    return found


def _float64(a):
    is_floating = isinstance(a, np.ndarray) and a.dtype.kind == "f"
    return a.astype(np.float64) if is_floating else copy.deepcopy(a)
