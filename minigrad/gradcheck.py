"""Is a gradient right?  dL/dxᵢ ≈ (L(xᵢ + h) - L(xᵢ - h)) / 2h

For every element of every input, in float64.
"""

import numpy as np

from .tensor import Tensor, no_grad, op


def gradcheck(function, *inputs, seed=0, step=1e-6, tolerance=1e-6, **options):
    """Compare the gradients of `function` with central differences.

    AssertionError names the first element that differs.

    inputs    a shape such as (2, 3) stands for normal random numbers; a floating array is checked
              at its values; a list holds several of these; anything else (integer arrays, numbers,
              strings) is passed on as it is.
    options   keywords of the function, passed on.
    step      h, as a share of max(1, |xᵢ|).
    tolerance how far the two may be apart, absolutely and as a share of the larger.

    L is the sum of the function's values (a Tensor or a list of them), each times a fixed random
    weight, so that no two elements are alike and a gradient that went to the wrong place shows.

    >>> from minigrad import ops
    >>> gradcheck(ops.tanh, (2, 3))
    """
    random = np.random.default_rng(seed)
    leaves = []

    def prepare(thing):
        if isinstance(thing, list):
            return [prepare(item) for item in thing]
        if isinstance(thing, tuple) and all(isinstance(n, int) for n in thing):
            thing = random.standard_normal(thing)
        if isinstance(thing, np.ndarray) and thing.dtype.kind == "f":
            leaves.append(Tensor(np.array(thing, dtype=np.float64), requires_grad=True))
            return leaves[-1]
        return thing

    prepared = [prepare(thing) for thing in inputs]
    if not leaves:
        raise ValueError(
            f"gradcheck needs a shape or a floating array to differentiate by. Received: {inputs}"
        )

    def loss():
        values = function(*prepared, **options)
        return _weighted_sum(values if isinstance(values, (list, tuple)) else [values], seed=seed)

    loss().backward()
    name = getattr(function, "__name__", function)
    for number, x in enumerate(leaves):
        found = np.zeros_like(x.data) if x.grad is None else x.grad
        for index in np.ndindex(x.shape):
            here = x.data[index]
            h = step * max(1.0, abs(here))
            with no_grad():
                x.data[index] = here + h
                above = loss().item()
                x.data[index] = here - h
                below = loss().item()
                x.data[index] = here
            expected = (above - below) / (2 * h)
            if not abs(found[index] - expected) <= tolerance * max(1.0, abs(expected)):
                raise AssertionError(
                    f"{name}: dL/dx at {index} of floating input {number}, of shape {x.shape}, is "
                    f"{found[index]:.9g}; central differences give {expected:.9g}"
                )


@op
def _weighted_sum(values, seed):
    """L = Σᵢ wᵢ yᵢ over all elements of a list of arrays, w normal random numbers.   dL/dyᵢ = wᵢ"""
    random = np.random.default_rng([seed, 1])
    weights = [random.standard_normal(y.shape) for y in values]
    total = sum(np.sum(w * y) for w, y in zip(weights, values))
    return total, ([lambda g, w=w: g * w for w in weights],)
