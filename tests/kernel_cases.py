"""Arguments for every kernel that has an implementation besides its reference: a line for each.

A line is a function of random arrays and of sizes, (r, n, c) -> arguments; `test_kernels_agree.py`
calls it with many sizes, odd ones, 0 and 1 among them, and compares the implementations with the
reference on what it returns. Options come last, as a dict.

    r(n, c)             normal numbers (n, c)
    r.positive(n)       numbers above 0
    r.integers(c, n)    integers (n,) from 0 to c - 1
    r.booleans(n, c)    True and False
    r.choice(a, b)      one of these
"""

import numpy as np

from kernels import reference


class Draw:
    """Random arguments in float64. Equal seeds draw the same ones."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def __call__(self, *shape):
        return self.generator.standard_normal(shape)

    def positive(self, *shape):
        return self.generator.uniform(0.1, 2, shape)

    def integers(self, stop, *shape):
        return self.generator.integers(stop, size=shape)

    def booleans(self, *shape):
        return self.generator.random(shape) < 0.7

    def choice(self, *options):
        return options[self.generator.integers(len(options))]


CASES = {
    "softmax": lambda r, n, c: (r(n, c),),
    "softmax_backward": lambda r, n, c: (r(n, c), reference.softmax(r(n, c))),
    "log_softmax": lambda r, n, c: (r(n, c),),
    "cross_entropy": lambda r, n, c: (r(n, c + 1), r.integers(c + 1, n)),
}
