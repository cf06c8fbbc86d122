"""Convolutions through the engine, and a small network's training step, beside PyTorch, in float32.

Forward alone records no gradients on either side. Forward and backward go through both tapes, from
weight, bias and images to their gradients; where the images are data, with 1 or 3 channels, they
need none. PyTorch runs with oneDNN, on tensors that lie channels first or channels last, whichever
is faster. The network is trained as in `mlp`: `fit`, beside a loop with a fused Adam.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from minigrad import Tensor, layers, models, no_grad, ops
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import with_threads
from tests.benchmarks.mlp import pytorch_epoch

MEANS = {"PyTorch": 0.8}

BATCH = 32
EXAMPLES = 20 * BATCH
LAYOUTS = ("contiguous_format", "channels_last")


@dataclass
class Shape:
    """A convolution of a batch of square images, with as much padding on all sides."""

    side: int
    channels: int
    units: int
    size: int
    stride: int = 1
    padding: int = 0

    def __str__(self):
        window = f"{self.size}x{self.size}" + (f" / {self.stride}" if self.stride > 1 else "")
        return f"{self.side}x{self.side}, {self.channels} -> {self.units}, {window}"

    @property
    def windows(self):
        """How many there are across an image."""
        return (self.side + 2 * self.padding - self.size) // self.stride + 1

    @property
    def is_data(self):
        return self.channels <= 3

    def work(self, way):
        """Operations of one product there, and of one or two back."""
        products = 1 if way == "forward" else 3 - self.is_data
        places = self.size**2 * self.channels
        return 2.0 * products * BATCH * self.windows**2 * places * self.units

    def arrays(self):
        """Images (n, h, w, c), weight (kh, kw, c, u), bias (u,), g (n, h', w', u)."""
        generator = np.random.default_rng(seed=0)
        shapes = [
            (BATCH, self.side, self.side, self.channels),
            (self.size, self.size, self.channels, self.units),
            (self.units,),
            (BATCH, self.windows, self.windows, self.units),
        ]
        return [generator.standard_normal(shape, dtype=np.float32) for shape in shapes]


SHAPES = [
    Shape(32, 3, 32, 3, padding=1),
    Shape(32, 32, 64, 3, padding=1),
    Shape(32, 64, 64, 3, stride=2, padding=1),
    Shape(16, 128, 128, 1),
    Shape(28, 1, 16, 5, padding=2),
]


def cases():
    for shape in SHAPES:
        for way in ("forward", "forward+backward"):
            yield from with_threads(
                f"{shape} {way}",
                unit="ms per call",
                ours=partial(minigrad, shape, way),
                peers={"PyTorch": partial(pytorch, shape, way)},
                work=shape.work(way),
            )
    yield from with_threads(
        "a network's step",
        unit="ms per step",
        ours=minigrad_network,
        peers={"PyTorch": pytorch_network},
        count=EXAMPLES // BATCH,
    )


# ---- One convolution -----------------------------------------------------------------------------


def minigrad(shape, way, threads):
    *arrays, g = shape.arrays()
    leaves = [Tensor(a, requires_grad=a.ndim != 4 or not shape.is_data) for a in arrays]
    leaves[1].requires_grad = True
    around = (shape.padding, shape.padding)
    options = {"strides": (shape.stride, shape.stride), "padding": (around, around)}

    def once():
        if way == "forward":
            with no_grad():
                ops.convolution(*leaves, **options)
            return
        for leaf in leaves:
            leaf.grad = None
        ops.convolution(*leaves, **options).backward(g)

    yield "numba", repeated(once, numba_threads(threads))


def pytorch(shape, way, threads):
    import torch
    from torch.nn.functional import conv2d

    x, weight, bias, g = map(torch.from_numpy, shape.arrays())
    options = {"stride": shape.stride, "padding": shape.padding}
    for layout in LAYOUTS:
        images, slopes, filters = (
            a.contiguous(memory_format=getattr(torch, layout))
            for a in (x.permute(0, 3, 1, 2), g.permute(0, 3, 1, 2), weight.permute(3, 2, 0, 1))
        )
        leaves = [filters.requires_grad_(), bias.clone().requires_grad_()]
        if not shape.is_data:
            leaves.append(images.requires_grad_())

        def once(leaves=leaves, images=images, slopes=slopes):
            if way == "forward":
                with torch.no_grad():
                    conv2d(images, *leaves[:2], **options)
                return
            for leaf in leaves:
                leaf.grad = None
            conv2d(images, *leaves[:2], **options).backward(slopes)

        yield layout, repeated(once, torch_threads(threads))


# ---- A network -----------------------------------------------------------------------------------


def data():
    """Images (n, 28, 28, 1) in 0..1 and their classes (n,), at random."""
    generator = np.random.default_rng(seed=0)
    x = generator.random((EXAMPLES, 28, 28, 1), dtype=np.float32)
    return x, generator.integers(10, size=EXAMPLES)


def minigrad_network(threads):
    model = models.Sequential(
        [
            layers.Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    x, y = data()

    def train(epochs):
        model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)

    yield "", numba_threads(threads, backend="auto")(train)


def pytorch_network(threads):
    import torch
    from torch import nn

    x, y = map(torch.from_numpy, data())
    for layout in LAYOUTS:
        memory_format = getattr(torch, layout)
        parts = [
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(5 * 5 * 64, 10)),
        ]
        model = nn.Sequential(*parts).to(memory_format=memory_format)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
        images = x.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)
        arguments = model, nn.functional.cross_entropy, optimizer, images, y, BATCH
        epoch = partial(pytorch_epoch, *arguments)
        yield f"fused adam, {layout}", repeated(epoch, torch_threads(threads))
