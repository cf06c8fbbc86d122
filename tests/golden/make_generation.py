"""Makes generation.safetensors: what GPT-2 of `transformers` writes, at random and tiny.

    python -m tests.golden.make_generation    (needs torch and transformers; see `make golden`)

The file has what `generate` makes of each of the `prompts`, by GENERATED: up to LENGTH ids, with -1
behind the end. And what becomes of `scores` (n, v) behind `rows` (n, t), by ADJUSTED.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.golden import make_gpt
from tests.golden.whole_models import model_of

FILE = Path(__file__).with_name("generation.safetensors")

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


def their_model():
    """The model of `make_gpt` with the parameters of ours, in transformers."""
    import torch

    ours = model_of(make_gpt.MODEL)
    model = make_gpt.theirs(ours)
    p = {path: torch.tensor(parameter.data) for path, parameter in ours.weights().items()}
    with torch.no_grad():
        for name, values in make_gpt.parameters(p, ours.num_layers).items():
            model.get_parameter(name).copy_(values)
    return model


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
    scores = random.standard_normal((4, model.config.vocab_size)).astype(np.float32) * 2
    rows = random.integers(model.config.vocab_size, size=(4, 9))
    found |= {"scores": scores.astype(float), "rows": rows}
    for name, (steps, _) in ADJUSTED.items():
        adjusted = torch.tensor(found["scores"])
        for kind, argument in steps:
            adjusted = getattr(generation, kind)(argument)(torch.tensor(rows), adjusted)
        found[f"adjusted.{name}"] = adjusted.softmax(-1).numpy()
    return found


def main():
    import torch

    prompts = torch.tensor(np.random.default_rng(0).integers(0, 37, (2, 4)))
    found = write(their_model(), prompts)
    save_file({name: np.ascontiguousarray(array) for name, array in found.items()}, FILE)


if __name__ == "__main__":
    main()
