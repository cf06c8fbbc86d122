"""Makes gpt.safetensors: what GPT-2 of `transformers` says, learns and writes, at random and tiny.

    python -m tests.golden.make_gpt    (needs torch and transformers)

`language_models` says what the file holds. In it are also `ids` and `labels` (n, t), `logits`;
and the same ids filled up on both sides, `filled_ids`, with `filled_mask` and `filled_logits`.
"""

from pathlib import Path

import numpy as np

from tests.golden.language_models import randomize, record

FILE = Path(__file__).with_name("gpt.safetensors")

SHAPE = {
    "vocabulary_size": 37,
    "num_layers": 2,
    "num_heads": 4,
    "hidden_dim": 16,
    "intermediate_dim": 48,
    "max_sequence_length": 12,
}
PADS = np.array([0, 2, 3])  # tokens in front of each sequence

_BLOCK = {
    "attention_norm.gamma": "ln_1.weight",
    "attention_norm.beta": "ln_1.bias",
    "query_key_value.weight": "attn.c_attn.weight",
    "query_key_value.bias": "attn.c_attn.bias",
    "output.weight": "attn.c_proj.weight",
    "output.bias": "attn.c_proj.bias",
    "feed_forward_norm.gamma": "ln_2.weight",
    "feed_forward_norm.beta": "ln_2.bias",
    "up.weight": "mlp.c_fc.weight",
    "up.bias": "mlp.c_fc.bias",
    "down.weight": "mlp.c_proj.weight",
    "down.bias": "mlp.c_proj.bias",
}
NAMES = {
    "tokens.weight": "transformer.wte.weight",
    "positions": "transformer.wpe.weight",
    **{
        f"blocks.{i}.{ours}": f"transformer.h.{i}.{theirs}"
        for i in range(SHAPE["num_layers"])
        for ours, theirs in _BLOCK.items()
    },
    "final_norm.gamma": "transformer.ln_f.weight",
    "final_norm.beta": "transformer.ln_f.bias",
}


def make_model():
    """GPT2LMHeadModel in float64, without dropout, and its parameters by our names."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=SHAPE["vocabulary_size"],
        n_layer=SHAPE["num_layers"],
        n_head=SHAPE["num_heads"],
        n_embd=SHAPE["hidden_dim"],
        n_inner=SHAPE["intermediate_dim"],
        n_positions=SHAPE["max_sequence_length"],
        bos_token_id=None,
        eos_token_id=None,
    )
    model = GPT2LMHeadModel(config).to(torch.float64).eval()
    theirs = dict(model.named_parameters())
    parameters = {ours: theirs.pop(name) for ours, name in NAMES.items()}
    assert not theirs
    randomize(parameters)
    return model, parameters


def main():
    import torch
    import torch.nn.functional as F  # noqa: N812

    model, parameters = make_model()
    random = np.random.default_rng(0)
    ids, labels = torch.tensor(random.integers(SHAPE["vocabulary_size"], size=(2, 3, 9)))
    filled_ids = np.zeros((3, 9 + PADS.max()), int)
    filled_mask = np.arange(filled_ids.shape[1]) >= PADS[:, None]
    for row, pads in enumerate(PADS):
        filled_ids[row, pads : pads + 9] = ids[row]
    filled_mask[:, 9:] &= np.arange(9, filled_ids.shape[1]) < 9 + PADS[:, None]
    positions = np.maximum(np.arange(filled_ids.shape[1]) - PADS[:, None], 0)
    filled = {
        "input_ids": torch.tensor(filled_ids),
        "attention_mask": torch.tensor(filled_mask).long(),
        "position_ids": torch.tensor(positions),
    }
    with torch.no_grad():
        logits, filled_logits = model(ids).logits, model(**filled).logits

    def loss():
        return F.cross_entropy(model(ids).logits.flatten(0, 1), labels.flatten())

    record(
        FILE,
        parameters,
        loss,
        ids=ids,
        labels=labels,
        logits=logits,
        filled_ids=filled_ids,
        filled_mask=filled_mask,
        filled_logits=filled_logits,
    )


if __name__ == "__main__":
    main()
