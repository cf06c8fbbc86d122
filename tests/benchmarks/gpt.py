"""A training step of GPT, nanoGPT's for CPUs and one of 12 million parameters, beside PyTorch.

Forward, backward, gradients clipped to a norm of 1, and AdamW, which decays matrices alone; float32
and no dropout. PyTorch is at its best: its fused attention, and AdamW in the way that is faster.
For the memory, each side trains in a process of its own.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from minigrad import losses, models, optimizers
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import Case, up_to
from tests.benchmarks.machine import cores
from tests.benchmarks.memory import Growth

TARGETS = {"PyTorch": 1.0}

RATE, DECAY, BETA_2, NORM = 1e-3, 0.1, 0.99, 1.0
BATCHES = 4  # that are trained on in turn


@dataclass(frozen=True)
class Shape:
    """A GPT, and a batch for it."""

    batch: int
    context: int
    vocabulary: int
    layers: int
    heads: int
    width: int

    def batches(self):
        """ids (n, t) and the ids that follow them, several times."""
        random = np.random.default_rng(seed=0)
        shape = BATCHES, 2, self.batch, self.context
        return random.integers(self.vocabulary, size=shape)

    def work(self):
        """The operations of all products in a step: one way there, two ways back."""
        tokens = self.batch * self.context
        weights = 12 * self.layers * self.width**2 + self.vocabulary * self.width
        return 6 * tokens * weights + 7 * self.layers * tokens * self.context * self.width


SHAPES = {
    "nanoGPT on CPUs": Shape(12, 64, 65, layers=4, heads=4, width=128),
    "12 million parameters": Shape(8, 256, 4096, layers=6, heads=6, width=384),
}
SMALL = Shape(2, 64, 4096, layers=1, heads=4, width=128)  # enough for all kernels and threads


def cases():
    for name, shape in SHAPES.items():
        yield Case(
            name,
            unit="ms per step",
            ours=partial(up_to, cores(), partial(minigrad, shape)),
            peers={"PyTorch": partial(up_to, cores(), partial(pytorch, shape))},
            targets=TARGETS,
            work=shape.work(),
            threads=cores(),
        )
        yield Growth(f"{name}, peak memory", minigrad, {"PyTorch": pytorch}, shape, SMALL, TARGETS)


def minigrad(shape, threads):
    once = steps_of(model_of(shape), shape.batches())
    yield "auto", repeated(once, numba_threads(threads, "auto"))


def model_of(shape):
    """Ours, with its loss and its optimizer."""
    model = models.GPT(
        shape.vocabulary,
        shape.layers,
        shape.heads,
        shape.width,
        max_sequence_length=shape.context,
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = optimizers.AdamW(RATE, DECAY, beta_2=BETA_2, global_clipnorm=NORM)
    model.compile(optimizer, loss)
    model.ensure_built()
    return model


def steps_of(model, batches):
    """A function that takes one step of ours, on one batch after another."""
    parameters, turns = model.parameters(), in_turn(batches)

    def once():
        model.train_step(*next(turns), parameters=parameters)

    return once


def pytorch(shape, threads):
    import torch

    batches = torch.from_numpy(shape.batches())
    for way in ("fused", "foreach"):
        once = steps_in_torch(gpt_in_torch(shape), batches, way)
        yield f"AdamW {way}", repeated(once, torch_threads(threads))


def steps_in_torch(model, batches, way):
    """A function that takes one step of PyTorch's; `way` is that of its AdamW."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": decayed, "weight_decay": DECAY},
        {"params": others, "weight_decay": 0},
    ]
    optimizer = torch.optim.AdamW(groups, RATE, (0.9, BETA_2), **{way: True})
    turns = in_turn(batches)

    def once():
        ids, labels = next(turns)
        loss = F.cross_entropy(model(ids).flatten(0, 1), labels.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), NORM)
        optimizer.step()

    return once


def in_turn(batches):
    """ids and labels of one batch after another, for ever."""
    while True:
        yield from batches


def gpt_in_torch(shape):
    """The same GPT of PyTorch's modules."""
    import torch
    import torch.nn.functional as F  # noqa: N812
    from torch import nn

    d = shape.width

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm, self.feed_forward_norm = nn.LayerNorm(d), nn.LayerNorm(d)
            self.query_key_value, self.output = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

        def forward(self, x):
            n, t, _ = x.shape
            parts = self.query_key_value(self.attention_norm(x)).split(d, dim=2)
            q, k, v = (y.view(n, t, shape.heads, -1).transpose(1, 2) for y in parts)
            o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.output(o.transpose(1, 2).reshape(n, t, d))
            h = F.gelu(self.up(self.feed_forward_norm(x)), approximate="tanh")
            return x + self.down(h)

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(shape.vocabulary, d)
            self.positions = nn.Embedding(shape.context, d)
            self.blocks = nn.Sequential(*(Block() for _ in range(shape.layers)))
            self.norm = nn.LayerNorm(d)
            self.logits = nn.Linear(d, shape.vocabulary, bias=False)
            self.logits.weight = self.tokens.weight

        def forward(self, ids):
            x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
            return self.logits(self.norm(self.blocks(x)))

    model = GPT()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.02)
    return model
