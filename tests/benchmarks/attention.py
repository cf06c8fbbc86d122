"""Causal attention through the engine, beside PyTorch's scaled_dot_product_attention, in float32.

Forward alone records no gradients on either side. Forward and backward go through both tapes, from
three leaves to their gradients. PyTorch runs its fused kernel or its sequence of products and
softmax, whichever is faster. The work is that of the keys that a query sees: two products on the
way there, five more on the way back, of which one repeats the scores.
"""

from functools import partial

import numpy as np

from minigrad import Tensor, no_grad, ops
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import with_threads

MEANS = {"PyTorch": 1.8}
TARGETS = {"PyTorch": 1.2}

SHAPES = [(1, 4, 256, 32), (1, 8, 1024, 64), (4, 12, 512, 64), (1, 12, 2048, 64)]  # b, h, t, d
PRODUCTS = {"forward": 2, "forward+backward": 7}


def cases():
    for shape in SHAPES:
        b, h, t, d = shape
        for way, products in PRODUCTS.items():
            settings = shape, way == "forward+backward"
            yield from with_threads(
                f"{shape} {way}",
                unit="ms per call",
                ours=partial(minigrad, *settings),
                peers={"PyTorch": partial(pytorch, *settings)},
                targets=TARGETS,
                work=products * b * h * t * (t + 1) * d,
            )


def inputs(shape):
    """q, k, v and the gradient of the result."""
    generator = np.random.default_rng(seed=0)
    return [generator.standard_normal(shape, dtype=np.float32) for _ in range(4)]


def minigrad(shape, backward, threads):
    *leaves, g = inputs(shape)
    leaves = [Tensor(x, requires_grad=True) for x in leaves]

    def once():
        if not backward:
            with no_grad():
                ops.attention(*leaves, causal=True)
            return
        for x in leaves:
            x.grad = None
        ops.attention(*leaves, causal=True).backward(g)

    yield "numba", repeated(once, numba_threads(threads))


def pytorch(shape, backward, threads):
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention

    *leaves, g = map(torch.from_numpy, inputs(shape))
    leaves = [x.requires_grad_() for x in leaves]

    def once():
        if not backward:
            with torch.no_grad():
                scaled_dot_product_attention(*leaves, is_causal=True)
            return
        for x in leaves:
            x.grad = None
        scaled_dot_product_attention(*leaves, is_causal=True).backward(g)

    for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH):
        yield backend.name.lower(), repeated(once, sdpa_kernel(backend), torch_threads(threads))
