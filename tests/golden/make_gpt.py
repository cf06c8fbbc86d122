"""Makes gpt.safetensors: what GPT-2 of `transformers` says, learns and writes, at random and tiny.

    python -m tests.golden.make_gpt    (needs torch and transformers)

`language_models` says what the file holds. In it are also `ids` and `labels` (n, t), `logits`;
and the same ids filled up on both sides, `filled_ids`, with `filled_mask` and `filled_logits`.

Of generation there is what `generate` makes of each `prompts`, by GENERATED: up to LENGTH ids, with
-1 behind the end. And what becomes of `scores` (n, v) behind `rows` (n, t), by ADJUSTED.
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

LENGTH = 6  # of what is generated
END = 16  # the end token, where there is one
# {name: options of transformers}, and those of ours
GENERATED = {
    "greedy": ({}, {"temperature": 0}),
    "greedy_penalized": (
        {"repetition_penalty": 1.7},
        {"temperature": 0, "repetition_penalty": 1.7},
    ),
    "greedy_with_end": ({"eos_token_id": END}, {"temperature": 0, "end_token": END}),
    "beams_2": ({"num_beams": 2}, {"beams": 2}),
    "beams_5": ({"num_beams": 5}, {"beams": 5}),
    "beams_3_with_end": ({"num_beams": 3, "eos_token_id": END}, {"beams": 3, "end_token": END}),
    "beams_4_penalized": (
        {"num_beams": 4, "repetition_penalty": 1.5},
        {"beams": 4, "repetition_penalty": 1.5},
    ),
}
# {name: (class, argument) of transformers, in order}, and our options
ADJUSTED = {
    "temperature": ([("TemperatureLogitsWarper", 0.6)], {"temperature": 0.6}),
    "top_k": ([("TopKLogitsWarper", 5)], {"top_k": 5}),
    "top_p": ([("TopPLogitsWarper", 0.8)], {"top_p": 0.8}),
    "top_p_of_one": ([("TopPLogitsWarper", 0.01)], {"top_p": 0.01}),
    "penalty": ([("RepetitionPenaltyLogitsProcessor", 1.8)], {"repetition_penalty": 1.8}),
    "all": (
        [
            ("RepetitionPenaltyLogitsProcessor", 1.3),
            ("TemperatureLogitsWarper", 1.5),
            ("TopKLogitsWarper", 9),
            ("TopPLogitsWarper", 0.7),
        ],
        {"repetition_penalty": 1.3, "temperature": 1.5, "top_k": 9, "top_p": 0.7},
    ),
}

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


def write(model, prompts):
    """What transformers generate and make of scores, {name: array}."""
    import torch
    from transformers import generation

    found = {"prompts": prompts.numpy()}
    for name, (options, _) in GENERATED.items():
        rows = []
        for prompt in prompts:
            made = model.generate(
                prompt[None],
                attention_mask=torch.ones_like(prompt[None]),
                max_new_tokens=LENGTH,
                do_sample=False,
                pad_token_id=END,
                **options,
            )[0, len(prompt) :].tolist()
            made = made[: made.index(END)] if "eos_token_id" in options and END in made else made
            rows.append(made + [-1] * (LENGTH - len(made)))
        found[name] = np.array(rows)

    random = np.random.default_rng(1)
    scores = random.standard_normal((4, SHAPE["vocabulary_size"])).astype(np.float32) * 2
    rows = random.integers(SHAPE["vocabulary_size"], size=(4, 9))
    found |= {"scores": scores.astype(float), "rows": rows}
    for name, (steps, _) in ADJUSTED.items():
        adjusted = torch.tensor(found["scores"])
        for kind, argument in steps:
            adjusted = getattr(generation, kind)(argument)(torch.tensor(rows), adjusted)
        found[f"adjusted.{name}"] = adjusted.softmax(-1).numpy()
    return found


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
    written = write(model, ids[:2, :4])
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
        **written,
    )


if __name__ == "__main__":
    main()
