"""How well GPT learns: nanoGPT's recipe for CPUs on Tiny Shakespeare, beside the same in PyTorch.

Characters, 4 layers, 4 heads, width 128, context 64, 2,000 steps of 12 windows, no dropout. What is
compared is no time but the loss on the whole last tenth of the text, the mean of three seeds. The
recipe's own page has 1.88, from windows at random places there. Both sides here have the same
model, optimizer, schedule and evaluation. `--data FOLDER` says where tinyshakespeare.txt lies.
"""

import contextlib
import io
import math
import tempfile
from dataclasses import dataclass

import numpy as np

from minigrad import data
from minigrad.programs import pretrain
from minigrad.schedules import CosineDecay
from tests.benchmarks.gpt import SHAPES, gpt_in_torch
from tests.benchmarks.machine import cores

PUBLISHED = 1.88
LEEWAY = 0.01  # above PyTorch's mean, where that is above what is published
SEEDS = 3
STEPS, RATE = 2000, 1e-3
SHAPE = SHAPES["nanoGPT on CPUs"]


def cases():
    yield Losses("validation loss after 2,000 steps")


@dataclass
class Losses:
    """A case that is measured in nats per character."""

    name: str

    def measure(self, benchmark):
        """A row as the harness has them, and {what is missing: why}"""
        try:
            text = data.tiny_shakespeare.load_data()
        except FileNotFoundError as error:
            return [], {"Tiny Shakespeare": str(error)}
        try:
            import torch  # noqa: F401
        except ImportError as error:
            return [], {"PyTorch": str(error)}
        ours = [minigrad(seed) for seed in range(SEEDS)]
        peers = [pytorch(text, seed) for seed in range(SEEDS)]
        mean, peer = np.mean(ours), np.mean(peers)
        row = {
            "benchmark": benchmark,
            "case": self.name,
            "ours": mean,
            "peer": peer,
            "peer_name": "PyTorch",
            "ratio": peer / mean,
            "unit": "nats",
            "settings": in_words(peers),
            "our_settings": in_words(ours),
            "target": peer / max(PUBLISHED, peer + LEEWAY),
            "rate": "",
        }
        return [row], {}


def in_words(losses):
    return "seeds " + ", ".join(f"{loss:.4f}" for loss in losses)


def minigrad(seed):
    """The loss of the program that anyone would run: minigrad train gpt."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        return pretrain.pretrain(
            "gpt",
            folder,
            data="shakespeare",
            tokenizer="char",
            layers=SHAPE.layers,
            heads=SHAPE.heads,
            width=SHAPE.width,
            context=SHAPE.context,
            batch=SHAPE.batch,
            steps=STEPS,
            learning_rate=RATE,
            seed=seed,
        )["loss"]


def pytorch(text, seed):
    """The loss of the same model and recipe in PyTorch, on the same tenth."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    characters = sorted(set(text))
    ids = np.array([characters.index(character) for character in text])
    place = int(0.9 * len(ids))
    train, validation = ids[:place], ids[place:]
    torch.set_num_threads(cores())
    torch.manual_seed(seed)
    model = gpt_in_torch(SHAPE)
    for name, parameter in model.named_parameters():
        if name.endswith(("output.weight", "down.weight")):  # what is added to x
            torch.nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * SHAPE.layers))
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": pretrain.DECAY},
        {"params": vectors, "weight_decay": 0},
    ]
    betas = (pretrain.BETA_1, pretrain.BETA_2)
    optimizer = torch.optim.AdamW(groups, betas=betas, fused=True)
    warm_up = pretrain.WARM_UP
    schedule = CosineDecay(0.0, 1 - warm_up, pretrain.LEFT, RATE, warm_up)
    generator = np.random.default_rng(seed)

    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = schedule((step + 1) / STEPS)
        windows = data.random_windows(train, SHAPE.batch, SHAPE.context + 1, generator)
        windows = torch.from_numpy(windows)
        loss = F.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), pretrain.LARGEST)
        optimizer.step()

    total = 0.0
    with torch.no_grad():
        for windows in data.all_windows(validation, 64, SHAPE.context + 1, overlap=1):
            windows = torch.from_numpy(windows)
            logits = model(windows[:, :-1]).flatten(0, 1)
            total += F.cross_entropy(logits, windows[:, 1:].flatten(), reduction="sum").item()
    return total / (len(validation) - 1)
