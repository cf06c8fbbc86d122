"""Softmax, cross-entropy, layer norm, GELU and AdamW, beside PyTorch in eager mode.

Sizes are those of a small classifier and of a GPT: its activations, and logits over its vocabulary.
"forward" is the kernel alone, with a new array for its result; "forward+backward" goes through the
engine of each side, tape and all. AdamW updates parameters that have their gradients. PyTorch is
taken at its best: AdamW with fused=True or foreach=True. Most of this is the work of memory: bytes
that have to be read and written are shown beside the speed of a copy of as many.
"""

import math
from functools import partial

import numpy as np

import kernels
from minigrad import ops, optimizers
from minigrad.tensor import Tensor
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import with_threads

MEANS = {"PyTorch": 1.5}
TARGETS = {"PyTorch": 1}

SMALL, HIDDEN, LOGITS = (32, 64), (4096, 768), (512, 50257)
SHAPES = {
    "softmax": [SMALL, HIDDEN, LOGITS],
    "cross_entropy": [(32, 10), LOGITS],
    "layer_norm": [SMALL, HIDDEN],
    "gelu": [SMALL, HIDDEN],
    "gelu_tanh": [HIDDEN],
}
# The shapes of parameters: an MLP of 784-64-64-10 units, and one large matrix.
PARAMETERS = {
    "55 thousand": [(784, 64), (64,), (64, 64), (64,), (64, 10), (10,)],
    "5 million": [(5_000_000,)],
}


# How many arrays of the size of x are read or written, if each is so once: x and y, and on the way
# back g, one of x and y, and dx. The loss and its gradient g have one number per row.
ARRAYS = {"forward": 2, "forward+backward": 5}
ARRAYS_OF_LOSS = {"forward": 1, "forward+backward": 3}
ARRAYS_OF_ADAMW = 7  # parameter, m, v and gradient are read, and all but the last are written


def cases():
    for name, shapes in SHAPES.items():
        for shape in shapes:
            for way in ARRAYS:
                contestants = [partial(side, name, shape, way) for side in (minigrad, pytorch)]
                arrays = (ARRAYS_OF_LOSS if name == "cross_entropy" else ARRAYS)[way]
                yield from case(f"{name} {shape} {way}", *contestants, arrays * math.prod(shape))
    for size, shapes in PARAMETERS.items():
        contestants = [partial(side, shapes) for side in (minigrad_adamw, pytorch_adamw)]
        numbers = ARRAYS_OF_ADAMW * sum(map(math.prod, shapes))
        yield from case(f"adamw {size}", *contestants, numbers)


def case(title, ours, theirs, numbers):
    return with_threads(
        title,
        unit="µs per call",
        ours=ours,
        peers={"PyTorch": theirs},
        targets=TARGETS,
        traffic=4 * numbers,
    )


def inputs(name, shape):
    """x, and the other arguments of an operation."""
    generator = np.random.default_rng(seed=0)
    x = generator.standard_normal(shape, dtype=np.float32)
    d = shape[-1]
    others = {
        "cross_entropy": [generator.integers(d, size=shape[0])],
        "layer_norm": [np.ones(d, np.float32), np.zeros(d, np.float32)],
    }
    return x, others.get(name, [])


# ---- minigrad ------------------------------------------------------------------------------------


def minigrad(name, shape, way, threads):
    x, others = inputs(name, shape)
    if way == "forward":
        kernel = {
            "gelu_tanh": partial(kernels.gelu, approximate=True),
            "layer_norm": partial(kernels.layer_norm, epsilon=1e-5),
        }.get(name) or getattr(kernels, name)

        def once():
            kernel(x, *others)
    else:
        operation = {
            "gelu_tanh": partial(ops.gelu, approximate=True),
            "cross_entropy": ops.sparse_softmax_cross_entropy,
        }.get(name) or getattr(ops, name)
        tensors = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in (x, *others)]
        g = np.ones(shape[:1] if name == "cross_entropy" else shape, np.float32)

        def once():
            operation(*tensors).backward(g)
            for tensor in tensors:
                tensor.grad = None

    yield "", repeated(once, numba_threads(threads))


def minigrad_adamw(shapes, threads):
    parameters = [Tensor(np.ones(shape, np.float32), requires_grad=True) for shape in shapes]
    for parameter in parameters:
        parameter.grad = np.ones_like(parameter.data)
    once = partial(optimizers.AdamW().step, parameters)
    yield "", repeated(once, numba_threads(threads))


# ---- PyTorch -------------------------------------------------------------------------------------


def pytorch(name, shape, way, threads):
    import torch
    from torch.nn import functional

    operation = {
        "softmax": partial(functional.softmax, dim=-1),
        "cross_entropy": partial(functional.cross_entropy, reduction="none"),
        "layer_norm": lambda x, *others: functional.layer_norm(x, x.shape[-1:], *others),
        "gelu": functional.gelu,
        "gelu_tanh": partial(functional.gelu, approximate="tanh"),
    }[name]
    x, others = inputs(name, shape)
    tensors = [torch.from_numpy(a) for a in (x, *others)]
    if way == "forward":

        def once():
            with torch.no_grad():
                operation(*tensors)
    else:
        leaves = [tensor.requires_grad_() for tensor in tensors if tensor.is_floating_point()]
        g = torch.ones(shape[:1] if name == "cross_entropy" else shape)

        def once():
            operation(*tensors).backward(g)
            for tensor in leaves:
                tensor.grad = None

    yield "", repeated(once, torch_threads(threads))


def pytorch_adamw(shapes, threads):
    import torch

    for options in ({"fused": True}, {"foreach": True}):
        parameters = [torch.ones(shape, requires_grad=True) for shape in shapes]
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        optimizer = torch.optim.AdamW(parameters, **options)
        yield next(iter(options)), repeated(optimizer.step, torch_threads(threads))
