"""Makes bert.safetensors: what Hugging Face's transformers says of small BERT models.

    python -m tests.golden.make_bert    (needs torch and transformers; see `make golden`)

The functions below say which of its parameters is which of ours.
"""

from pathlib import Path

import numpy as np

from tests.golden.whole_models import call, language_sizes, linear, make, norm

FILE = Path(__file__).with_name("bert.safetensors")

SHAPE = "40, 2, 4, 16, 24, max_sequence_length=9"
random = np.random.default_rng(0)
IDS = random.integers(0, 40, (3, 8))
MASK = np.arange(8) < np.array([[8], [5], [6]])
SEGMENTS = np.where(np.arange(8) > 3, 1, 0) * MASK
HIDDEN = np.isin(np.arange(8), [1, 4, 7]) & MASK
PAIR = {"ids": IDS, "mask": MASK, "segments": SEGMENTS}

CASES = {
    "tokens": (
        f"BERT({SHAPE})",
        {**PAIR, "labels": np.where(HIDDEN, random.integers(0, 40, (3, 8)), -1)},
    ),
    "classes of pairs": (
        f"BERT({SHAPE}, head='classes', num_classes=3)",
        {**PAIR, "labels": np.array([2, 0, 1])},
    ),
    "classes of texts": (
        f"BERT({SHAPE}, head='classes', num_classes=3)",
        {"ids": IDS, "labels": np.array([1, 0, 2])},
    ),
}


def ask(ours):
    """A function (p, inputs) -> logits, as transformers computes them with our parameters."""
    from transformers import BertForMaskedLM, BertForSequenceClassification

    config = configuration(ours, ours.num_classes or 2)
    classes = ours.head == "classes"
    theirs = (BertForSequenceClassification if classes else BertForMaskedLM)(config).double()
    named = classification_parameters if classes else masked_parameters

    def logits(p, inputs):
        words = {"attention_mask": inputs.get("mask"), "token_type_ids": inputs.get("segments")}
        return call(theirs, named(p, ours.num_layers), inputs["ids"], **words).logits

    return logits


def configuration(ours, num_labels):
    """The settings of theirs for one of our BERTs."""
    from transformers import BertConfig

    return BertConfig(
        **language_sizes(ours),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        num_labels=num_labels,
    )


def masked_parameters(p, num_layers):
    """Those of a BertForMaskedLM, made of ours."""
    return {
        **encoder(p, num_layers),
        **linear("cls.predictions.transform.dense", p, "transform"),
        **norm("cls.predictions.transform.LayerNorm", p, "transform_norm"),
        "cls.predictions.bias": p["output_bias"],
    }


def classification_parameters(p, num_layers):
    """Those of a BertForSequenceClassification, made of ours."""
    return {
        **encoder(p, num_layers),
        **linear("bert.pooler.dense", p, "pooler"),
        **linear("classifier", p, "classifier"),
    }


def encoder(p, num_layers):
    found = {
        "bert.embeddings.word_embeddings.weight": p["tokens.weight"],
        "bert.embeddings.position_embeddings.weight": p["positions.weight"],
        "bert.embeddings.token_type_embeddings.weight": p["segments.weight"],
        **norm("bert.embeddings.LayerNorm", p, "embedding_norm"),
    }
    for i in range(num_layers):
        theirs, ours = f"bert.encoder.layer.{i}", f"blocks.{i}"
        for name in ("query", "key", "value"):
            found |= linear(f"{theirs}.attention.self.{name}", p, f"{ours}.attention.{name}")
        found |= linear(f"{theirs}.attention.output.dense", p, f"{ours}.attention.output")
        found |= norm(f"{theirs}.attention.output.LayerNorm", p, f"{ours}.attention_norm")
        found |= linear(f"{theirs}.intermediate.dense", p, f"{ours}.up")
        found |= linear(f"{theirs}.output.dense", p, f"{ours}.down")
        found |= norm(f"{theirs}.output.LayerNorm", p, f"{ours}.feed_forward_norm")
    return found


if __name__ == "__main__":
    make(FILE, CASES, ask)
