"""All randomness of the library flows from one generator.

`random.seed(n)` fixes every weight, batch and dropout mask.
"""

import numpy as np

from .registry import is_integer

_generator = np.random.Generator(np.random.Philox())


def seed(n):
    """Start the generator anew from the integer `n`: what follows is the same in every run.

    ValueError unless n is an integer from 0 up.
    """
    global _generator
    if not is_integer(n, least=0):
        raise ValueError(f"a seed is an integer from 0 up. Received: {n!r}")
    _generator = np.random.Generator(np.random.Philox(int(n)))


def generator():
    """The library's numpy.random.Generator, for arrays on the host.

    Such as `random.generator().normal(size=(2, 3))`.
    """
    return _generator


def key():
    """A fresh integer in 0 .. 2³²-1 that starts a counter-based generator in a kernel.

    See kernels.random_uniform.
    """
    return int(_generator.integers(1 << 32))


def get_state():
    """Where the generator stands, as plain data (JSON), for `set_state` to come back to."""
    state = _generator.bit_generator.state
    return {
        **state,
        "state": {k: v.tolist() for k, v in state["state"].items()},
        "buffer": state["buffer"].tolist(),
    }


def set_state(state):
    """Come back to where `get_state` was called."""
    arrays = {k: np.array(v, dtype=np.uint64) for k, v in state["state"].items()}
    _generator.bit_generator.state = {
        **state,
        "state": arrays,
        "buffer": np.array(state["buffer"], dtype=np.uint64),
    }
