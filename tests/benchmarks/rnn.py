"""LSTM and GRU through the engine, beside PyTorch's nn.LSTM and nn.GRU, in float32.

A batch of 32 sequences of 128 steps with 128 features, 128 units; all outputs are asked for.
Forward alone records no gradients on either side. Forward and backward go from the input, which
wants a gradient as in the middle of a network, through the layer and both tapes to all gradients.
PyTorch runs with batch_first or without, whichever is faster. The work is that of the products.
"""

from functools import partial

import numpy as np

from minigrad import Tensor, layers, no_grad
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import with_threads

MEANS = {"PyTorch": 0.8}
TARGETS = {"PyTorch": 0.8}

EXAMPLES, STEPS, FEATURES, UNITS = 32, 128, 128, 128
GATES = {"LSTM": 4, "GRU": 3}
PRODUCTS = {"forward": 1, "forward+backward": 3}  # back, one for the input and one for the weight


def cases():
    for kind, gates in GATES.items():
        for way, products in PRODUCTS.items():
            settings = kind, way == "forward+backward"
            multiplications = EXAMPLES * STEPS * (FEATURES + UNITS) * gates * UNITS
            yield from with_threads(
                f"{kind} {way}",
                unit="ms per call",
                ours=partial(minigrad, *settings),
                peers={"PyTorch": partial(pytorch, *settings)},
                targets=TARGETS,
                work=2 * products * multiplications,
            )


def inputs():
    """x (n, t, d) and the gradient of the result (n, t, u)."""
    generator = np.random.default_rng(seed=0)
    shapes = (EXAMPLES, STEPS, FEATURES), (EXAMPLES, STEPS, UNITS)
    return [generator.standard_normal(shape, dtype=np.float32) for shape in shapes]


def minigrad(kind, backward, threads):
    x, g = inputs()
    x = Tensor(x, requires_grad=True)
    shape = STEPS, FEATURES
    layer = getattr(layers, kind)(UNITS, return_sequences=True, input_shape=shape)

    def once():
        if not backward:
            with no_grad():
                layer(x)
            return
        layer.zero_grad()
        x.grad = None
        layer(x).backward(g)

    yield "numba", repeated(once, numba_threads(threads))


def pytorch(kind, backward, threads):
    import torch

    for batch_first in (True, False):
        x, g = map(torch.from_numpy, inputs())
        if not batch_first:
            x, g = x.transpose(0, 1).contiguous(), g.transpose(0, 1).contiguous()
        module = getattr(torch.nn, kind)(FEATURES, UNITS, batch_first=batch_first)
        leaf = x.requires_grad_()

        def once(module=module, x=leaf, g=g):
            if not backward:
                with torch.no_grad():
                    module(x)
                return
            module.zero_grad()
            x.grad = None
            module(x)[0].backward(g)

        yield f"batch_first={batch_first}", repeated(once, torch_threads(threads))
