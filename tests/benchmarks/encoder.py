"""A block of a Transformer, forward and backward, beside PyTorch's TransformerEncoderLayer.

float32, the gradients of all parameters and of the input. In training PyTorch runs attention by its
fused kernel.
"""

from functools import partial

import numpy as np

from minigrad import Tensor, layers
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import with_threads

TARGETS = {"PyTorch": 1.0}

SHAPES = [(8, 128, 256, 4), (32, 64, 128, 4)]  # n, t, d, heads
WIDER = 4  # times d are the units of the network between


def cases():
    for shape in SHAPES:
        n, t, d, _ = shape
        products = n * t * (4 * d * d + 2 * WIDER * d * d)
        yield from with_threads(
            f"{shape} forward+backward",
            unit="ms per call",
            ours=partial(minigrad, shape),
            peers={"PyTorch": partial(pytorch, shape)},
            targets=TARGETS,
            work=2 * 3 * products + 2 * 7 * n * t * t * d,
        )


def inputs(shape):
    """x and the gradient of the result."""
    n, t, d, _ = shape
    return np.random.default_rng(seed=0).standard_normal((2, n, t, d), dtype=np.float32)


def minigrad(shape, threads):
    values, g = inputs(shape)
    *_, d, heads = shape
    block = layers.TransformerEncoder(WIDER * d, heads, activation="gelu", normalize_first=True)
    x = Tensor(values, requires_grad=True)

    def once():
        x.grad = None
        for parameter in parameters:
            parameter.grad = None
        block(x, training=True).backward(g)

    block(x)
    parameters = block.parameters()
    for backend in ("numba", "auto"):
        yield backend, repeated(once, numba_threads(threads, backend))


def pytorch(shape, threads):
    import torch

    x, g = map(torch.from_numpy, inputs(shape))
    x.requires_grad_()
    *_, d, heads = shape
    block = torch.nn.TransformerEncoderLayer(
        d, heads, WIDER * d, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )

    def once():
        x.grad = None
        block.zero_grad(set_to_none=True)
        block(x).backward(g)

    yield "", repeated(once, torch_threads(threads))
