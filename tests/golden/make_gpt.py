"""Makes gpt.safetensors: what Hugging Face's transformers says of a small GPT-2.

python -m tests.golden.make_gpt    (needs torch and transformers; see `make golden`)
"""

from pathlib import Path

import numpy as np

from tests.golden.whole_models import call, language_sizes, linear, make, norm

FILE = Path(__file__).with_name("gpt.safetensors")

MODEL = "GPT(37, 2, 4, 16, 48, max_sequence_length=12)"
random = np.random.default_rng(0)
IDS, LABELS = random.integers(0, 37, (2, 3, 12))
BEGIN, END = np.array([[0], [2], [3]]), np.array([[9], [11], [12]])  # of what counts in a row
MASK = (np.arange(12) >= BEGIN) & (np.arange(12) < END)

CASES = {
    "of one length": (MODEL, {"ids": IDS, "labels": LABELS}),
    "filled up on both sides": (
        MODEL,
        {"ids": IDS, "mask": MASK, "labels": np.where(MASK, LABELS, -1)},
    ),
}


def theirs(ours):
    """The GPT2LMHeadModel of the shape of ours, in float64 and without dropout."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = language_sizes(ours)
    config = GPT2Config(
        n_inner=sizes.pop("intermediate_size"), bos_token_id=None, eos_token_id=None, **sizes
    )
    return GPT2LMHeadModel(config).double().eval()


def ask(ours):
    """A function (p, inputs) -> logits, as transformers computes them with our parameters."""
    model = theirs(ours)

    def logits(p, inputs):
        words = {}
        if "mask" in inputs:
            mask = inputs["mask"]
            begun = mask.cumsum(1).clamp(max=1)
            words = {"attention_mask": mask, "position_ids": (begun.cumsum(1) - 1).clamp(min=0)}
        return call(model, parameters(p, ours.num_layers), inputs["ids"], **words).logits

    return logits


def parameters(p, num_layers):
    """Those of a GPT2LMHeadModel, made of ours."""
    found = {
        "transformer.wte.weight": p["tokens.weight"],
        "transformer.wpe.weight": p["positions"],
        **norm("transformer.ln_f", p, "final_norm"),
    }
    names = {
        "attn.c_attn": "query_key_value",
        "attn.c_proj": "output",
        "mlp.c_fc": "up",
        "mlp.c_proj": "down",
    }
    for i in range(num_layers):
        block, ours = f"transformer.h.{i}", f"blocks.{i}"
        found |= norm(f"{block}.ln_1", p, f"{ours}.attention_norm")
        found |= norm(f"{block}.ln_2", p, f"{ours}.feed_forward_norm")
        for their_name, name in names.items():
            found |= linear(f"{block}.{their_name}", p, f"{ours}.{name}")
            found[f"{block}.{their_name}.weight"] = p[f"{ours}.{name}.weight"]  # as we keep it
    return found


if __name__ == "__main__":
    make(FILE, CASES, ask)
