"""Makes heads.safetensors: what Hugging Face's transformers says with the heads of tasks.

python -m tests.golden.make_heads    (needs torch and transformers; see `make golden`)
"""

from pathlib import Path

import numpy as np

from tests.golden.make_bert import MASK, PAIR, configuration, encoder
from tests.golden.whole_models import call, linear, make

FILE = Path(__file__).with_name("heads.safetensors")

SHAPE = "40, 1, 2, 8, 12, max_sequence_length=9, head=None"
TOKENS = f"{SHAPE}, use_pooler=False"
random = np.random.default_rng(1)

CASES = {
    "classes": (
        f"TextModel(BERT({SHAPE}), 3, 'pooler')",
        {**PAIR, "labels": np.array([2, 0, 1])},
    ),
    "tags": (
        f"EachTokenModel(BERT({TOKENS}), 4)",
        {**PAIR, "labels": np.where(MASK, random.integers(0, 4, MASK.shape), -1)},
    ),
    "answers": (
        f"EachTokenModel(BERT({TOKENS}), 2, token_last=True)",
        {**PAIR, "labels": np.array([[2, 4], [1, 1], [-1, 5]])},
    ),
}


def ask(ours):
    """A function (p, inputs) -> logits, as transformers computes them with our parameters."""
    import torch
    import transformers

    is_span = getattr(ours, "token_last", False)
    kind, head = "TokenClassification", "classifier"
    if is_span:
        kind, head = "QuestionAnswering", "qa_outputs"
    elif ours.base.use_pooler:
        kind = "SequenceClassification"
    model = getattr(transformers, f"BertFor{kind}")
    theirs = model(configuration(ours.base, ours.units)).double()

    def logits(p, inputs):
        base = {path.removeprefix("base."): x for path, x in p.items() if path[:5] == "base."}
        named = {**encoder(base, ours.base.num_layers), **linear(head, p, "head")}
        if "pooler.weight" in base:
            named |= linear("bert.pooler.dense", base, "pooler")
        words = {"attention_mask": inputs["mask"], "token_type_ids": inputs["segments"]}
        found = call(theirs, named, inputs["ids"], **words)
        return torch.stack([found.start_logits, found.end_logits], 1) if is_span else found.logits

    return logits


if __name__ == "__main__":
    make(FILE, CASES, ask)
