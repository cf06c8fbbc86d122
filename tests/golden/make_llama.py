"""Makes llama.safetensors: what Hugging Face's transformers says of small Llama and Qwen models.

python -m tests.golden.make_llama    (needs torch and transformers; see `make golden`)
"""

from pathlib import Path

import numpy as np

from tests.golden.whole_models import call, language_sizes, linear, make, norm

FILE = Path(__file__).with_name("llama.safetensors")

SHAPE = "40, 2, 4, 16, 24"
# So that of a head's pairs some are kept, some slowed down, and some in between.
SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
random = np.random.default_rng(0)
IDS = random.integers(0, 40, (3, 12))
NEXT = np.roll(IDS, -1, axis=1)
NEXT[:, -1] = -1
ALL = {"ids": IDS, "labels": NEXT}
FROM = np.array([[0], [4], [1]])  # where each row begins
MASK = np.arange(12) >= FROM
LEFT_PADDED = {"ids": IDS, "mask": MASK, "labels": np.where(MASK, NEXT, -1)}

CASES = {
    "all heads": (f"Llama({SHAPE})", ALL),
    "grouped heads": (f"Llama({SHAPE}, num_key_value_heads=2)", ALL),
    "left padding": (f"Llama({SHAPE}, num_key_value_heads=2)", LEFT_PADDED),
    "tied, scaled as llama3": (
        f"Llama({SHAPE}, 1, head_dim=12, rope_scaling={SCALING}, tie_embeddings=True)",
        ALL,
    ),
    "Qwen2": (
        f"Llama({SHAPE}, 2, use_qkv_bias=True, layer_norm_epsilon=1e-6, tie_embeddings=True)",
        ALL,
    ),
    "Qwen3": (
        f"Llama({SHAPE}, 2, head_dim=6, use_qk_norm=True, rope_max_wavelength=1000000.0)",
        LEFT_PADDED,
    ),
}


def ask(ours):
    """A function (p, inputs) -> logits, as transformers computes them with our parameters."""
    import torch
    import transformers
    from torch.nn import functional

    kind = "Qwen2" if ours.use_qkv_bias else "Qwen3" if ours.use_qk_norm else "Llama"
    config = getattr(transformers, f"{kind}Config")(
        **language_sizes(ours),
        num_key_value_heads=ours.num_key_value_heads,
        head_dim=ours.head_dim,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": ours.rope_max_wavelength,
            **(ours.rope_scaling or {}),
        },
        rms_norm_eps=ours.layer_norm_epsilon,
        tie_word_embeddings=ours.tie_embeddings,
    )
    theirs = getattr(transformers, f"{kind}ForCausalLM")(config).double()

    def logits(p, inputs):
        """Each row by itself, without what it is filled up with."""
        ids, rows = inputs["ids"], []
        for row, counts in zip(ids, inputs.get("mask", ids >= 0)):
            alone = call(theirs, parameters(p, ours), row[counts][None]).logits[0]
            rows.append(functional.pad(alone, (0, 0, len(row) - len(alone), 0)))
        return torch.stack(rows)

    return logits


def parameters(p, ours):
    """Those of a LlamaForCausalLM or its relatives, made of ours."""
    found = {
        "model.embed_tokens.weight": p["tokens.weight"],
        **norm("model.norm", p, "final_norm"),
        **({} if ours.tie_embeddings else linear("lm_head", p, "output")),
    }
    for i in range(ours.num_layers):
        theirs, block = f"model.layers.{i}", f"blocks.{i}"
        names = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "output"}
        for their_name, name in names.items():
            found |= linear(f"{theirs}.self_attn.{their_name}", p, f"{block}.{name}")
        for name in ("gate", "up", "down"):
            found |= linear(f"{theirs}.mlp.{name}_proj", p, f"{block}.{name}")
        if ours.use_qk_norm:
            found |= norm(f"{theirs}.self_attn.q_norm", p, f"{block}.query_norm")
            found |= norm(f"{theirs}.self_attn.k_norm", p, f"{block}.key_norm")
        found |= norm(f"{theirs}.input_layernorm", p, f"{block}.attention_norm")
        found |= norm(f"{theirs}.post_attention_layernorm", p, f"{block}.feed_forward_norm")
    return found


if __name__ == "__main__":
    make(FILE, CASES, ask)
