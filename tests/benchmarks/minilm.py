"""MiniLM: forward, and a LoRA training step, beside BertModel of transformers with equal weights.

32 texts of 128 tokens in float32, with a mask that hides none. LoRA has rank 8 on query and value,
and below a head for classes all else is frozen; there is no dropout. PyTorch is at its best: fused
attention, inference_mode, AdamW in the way that is faster. It has LoRA as two products and a sum,
without the checks of a library. That both sides say the same is held by `tests/test_pretrained.py`.
"""

import numpy as np

from minigrad import finetune, optimizers
from minigrad.tensor import no_grad
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import with_threads

TARGETS = {"PyTorch": 1.0}

TEXTS, TOKENS = 32, 128
CLASSES = 9
RANK, ALPHA, RATE = 8, 16, 1e-3
ADAPTED = "query", "value"
WEIGHTS = 6 * (4 * 384 * 384 + 2 * 384 * 1536)  # of the blocks, which take the time
SCORES = 2 * 6 * TOKENS * 384  # multiplications of attention for each token


def cases():
    products = 2 * TEXTS * TOKENS * (WEIGHTS + SCORES)
    shape = f"{TEXTS} x {TOKENS}"
    yield from with_threads(
        f"{shape} forward",
        unit="ms per call",
        ours=forward,
        peers={"PyTorch": pytorch_forward},
        targets=TARGETS,
        work=products,
    )
    yield from with_threads(
        f"{shape} LoRA step",
        unit="ms per step",
        ours=step,
        peers={"PyTorch": pytorch_step},
        targets=TARGETS,
        work=2 * products,  # no weight of a block has a gradient
    )


def batch():
    """ids (n, t) without the special ones, a mask (n, t) that hides none, labels (n,)"""
    random = np.random.default_rng(seed=0)
    ids = random.integers(1000, 30000, size=(TEXTS, TOKENS))
    return ids, np.ones_like(ids, bool), random.integers(CLASSES, size=TEXTS)


# ---- Forward -------------------------------------------------------------------------------------


def forward(threads):
    model = finetune.from_pretrained(finetune.minilm_folder())
    ids, mask, _ = batch()

    def once():
        model(ids, mask=mask)

    yield "auto", repeated(once, no_grad(), numba_threads(threads, "auto"))


def pytorch_forward(threads):
    import torch

    model = bert_of_transformers()
    ids, mask, _ = map(torch.from_numpy, batch())

    @torch.inference_mode()
    def once():
        model(ids, attention_mask=mask)

    yield "", repeated(once, torch_threads(threads))


def bert_of_transformers():
    """MiniLM as transformers load it, without the pooler, of which the features have no use."""
    from transformers import BertModel
    from transformers.utils import logging

    logging.set_verbosity_error()  # or it reports the pooler of the file each time
    logging.disable_progress_bar()
    return BertModel.from_pretrained(
        finetune.minilm_folder(),
        attn_implementation="sdpa",
        add_pooling_layer=False,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


# ---- A step of LoRA ------------------------------------------------------------------------------


def step(threads):
    task = finetune.tasks.Classify(labels=[f"class {i}" for i in range(CLASSES)], pooling="cls")
    model = task.model(finetune.from_pretrained(finetune.minilm_folder(), dropout=0.0))
    method = finetune.LoRA(RANK, ALPHA, targets=ADAPTED, head="head")
    finetune.prepare(model, method)
    model.compile(optimizers.AdamW(RATE), task.loss)
    ids, mask, labels = batch()
    parameters = model.parameters()

    def once():
        model.train_step({"ids": ids, "mask": mask}, labels, parameters=parameters)

    yield "auto", repeated(once, numba_threads(threads, "auto"))


def pytorch_step(threads):
    import torch
    import torch.nn.functional as F  # noqa: N812

    ids, mask, labels = map(torch.from_numpy, batch())
    for way in ("fused", "foreach"):
        model = bert_of_transformers().train().requires_grad_(False)
        add_lora(model)
        head = torch.nn.Linear(model.config.hidden_size, CLASSES)
        learned = [p for p in (*model.parameters(), *head.parameters()) if p.requires_grad]
        optimizer = torch.optim.AdamW(learned, RATE, **{way: True})

        def once(model=model, head=head, optimizer=optimizer):
            features = model(ids, attention_mask=mask).last_hidden_state
            loss = F.cross_entropy(head(features[:, 0]), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

        yield f"AdamW {way}", repeated(once, torch_threads(threads))


def add_lora(model):
    """Put LoRA beside the layers whose names end so: x W + b + (x A) (s B)."""
    from torch import nn

    class LoRA(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base
            self.a = nn.Linear(base.in_features, RANK, bias=False)
            self.b = nn.Linear(RANK, base.out_features, bias=False)
            nn.init.zeros_(self.b.weight)

        def forward(self, x):
            return self.base(x) + self.b(self.a(x)) * (ALPHA / RANK)

    for layer in model.encoder.layer:
        for name in ADAPTED:
            setattr(layer.attention.self, name, LoRA(getattr(layer.attention.self, name)))
