"""Makes seq2seq.safetensors: what PyTorch's nn.Transformer makes of small sequences.

    python -m tests.golden.make_seq2seq    (needs torch; `make golden` makes all such files)

Around it are the embeddings of tokens and positions, and the output, which nn.Transformer leaves to
its user.
"""

import math
from pathlib import Path

import numpy as np

from tests.golden.whole_models import call, linear, make, norm

FILE = Path(__file__).with_name("seq2seq.safetensors")

SHAPE = "30, 2, 4, 16, 24"
random = np.random.default_rng(0)
SOURCE = random.integers(0, 30, (3, 7))
TARGET = random.integers(0, 30, (3, 6))
FILLED = np.arange(5) >= np.array([[5], [3], [4]])  # behind the end of each target
PAIR = {"ids": SOURCE, "target": TARGET[:, :-1], "labels": TARGET[:, 1:]}

CASES = {
    "of one length": (f"Seq2SeqTransformer({SHAPE})", PAIR),
    "filled up": (
        f"Seq2SeqTransformer({SHAPE})",
        PAIR
        | {
            "mask": np.arange(7) < np.array([[7], [4], [5]]),
            "labels": np.where(FILLED, -1, TARGET[:, 1:]),
        },
    ),
}


def ask(ours):
    """A function (p, inputs) -> logits, as PyTorch computes them with our parameters."""
    import torch

    from tests.golden.attention_in_torch import with_sines

    theirs = torch.nn.Transformer(
        d_model=ours.hidden_dim,
        nhead=ours.num_heads,
        num_encoder_layers=ours.num_layers,
        num_decoder_layers=ours.num_layers,
        dim_feedforward=ours.intermediate_dim,
        dropout=0.0,
        batch_first=True,
        norm_first=True,
        dtype=torch.float64,
    )

    def logits(p, inputs):
        def embed(ids):
            return with_sines(p["tokens.weight"][ids] * math.sqrt(ours.hidden_dim), 10000)

        source, target = inputs["ids"], inputs["target"]
        hidden = ~inputs.get("mask", source >= 0)
        later = torch.ones(target.shape[1], target.shape[1]).triu(1).bool()
        features = call(
            theirs,
            parameters(p, ours.num_layers),
            embed(source),
            embed(target),
            tgt_mask=later,
            src_key_padding_mask=hidden,
            memory_key_padding_mask=hidden,
        )
        return features @ p["tokens.weight"].T

    return logits


def parameters(p, num_layers):
    """Those of an nn.Transformer, made of ours."""
    found = {}
    for part in ("encoder", "decoder"):
        found |= norm(f"{part}.norm", p, f"{part}_norm")
        for i in range(num_layers):
            theirs, ours = f"{part}.layers.{i}", f"{part}.{i}"
            names = {"self_attn": "attention", "multihead_attn": "cross_attention"}
            names = names if part == "decoder" else {"self_attn": "attention"}
            for their_name, name in names.items():
                found |= attention(f"{theirs}.{their_name}", p, f"{ours}.{name}")
            for number, name in enumerate([*names.values(), "feed_forward"], start=1):
                found |= norm(f"{theirs}.norm{number}", p, f"{ours}.{name}_norm")
            found |= linear(f"{theirs}.linear1", p, f"{ours}.feed_forward.up")
            found |= linear(f"{theirs}.linear2", p, f"{ours}.feed_forward.down")
    return found


def attention(theirs, p, ours):
    """Those of an nn.MultiheadAttention, which has query, key and value below each other."""
    import torch

    names = [f"{ours}.{name}" for name in ("query", "key", "value")]
    return {
        f"{theirs}.in_proj_weight": torch.cat([p[f"{name}.weight"].T for name in names]),
        f"{theirs}.in_proj_bias": torch.cat([p[f"{name}.bias"] for name in names]),
        **linear(f"{theirs}.out_proj", p, f"{ours}.output"),
    }


if __name__ == "__main__":
    make(FILE, CASES, ask)
