"""Generation at the shape of GPT-2 small with a cache, beside GPT2LMHeadModel of transformers.

200 tokens behind a prompt of 16, each the most likely one; weights at random, in float32. Such a
model reads all its weights for each token, and so memory is what it waits for: the rate says how
many GB of weights came a second, beside what this machine reads at best. transformers are at their
best: `generate` with use_cache, or a loop by hand with the same cache.
"""

from functools import partial

import numpy as np

from minigrad import models
from minigrad.text import generation
from tests.benchmarks.contestants import numba_threads, repeated, torch_threads
from tests.benchmarks.harness import Case, up_to
from tests.benchmarks.machine import cores

TARGETS = {"transformers": 1.0}

VOCABULARY, LAYERS, HEADS, WIDTH, CONTEXT = 50257, 12, 12, 768, 1024
PROMPT, TOKENS = 16, 200
WEIGHTS = 12 * LAYERS * WIDTH**2 + VOCABULARY * WIDTH  # but for biases and their like


def cases():
    yield Case(
        f"GPT-2 small, {TOKENS} tokens",
        unit="ms per token",
        ours=partial(up_to, cores(), minigrad),
        peers={"transformers": partial(up_to, cores(), transformers)},
        count=TOKENS,
        targets=TARGETS,
        reads=4 * WEIGHTS,
        threads=cores(),
    )


def prompt():
    return np.random.default_rng(seed=0).integers(VOCABULARY, size=PROMPT).tolist()


def minigrad(threads):
    model = models.GPT(VOCABULARY, LAYERS, HEADS, WIDTH, max_sequence_length=CONTEXT)

    def once():
        generation.generate(model, [prompt()], TOKENS, temperature=0)

    yield "auto", repeated(once, numba_threads(threads, "auto"))


def transformers(threads):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(eos_token_id=None, bos_token_id=None)).eval()
    ids = torch.tensor([prompt()])
    options = {"use_cache": True, "do_sample": False, "max_new_tokens": TOKENS, "pad_token_id": 0}

    def by_generate():
        model.generate(ids, attention_mask=torch.ones_like(ids), **options)

    @torch.inference_mode()
    def by_hand():
        token, cache = ids, None
        for _ in range(TOKENS):
            result = model(token, cache=cache, use_cache=True, logits_to_keep=1)
            token, cache = result.logits[:, -1].argmax(-1, keepdim=True), result.cache

    yield "generate", repeated(by_generate, torch_threads(threads))
    yield "by hand", repeated(by_hand, torch_threads(threads))
