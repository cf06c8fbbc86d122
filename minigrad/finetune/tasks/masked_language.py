"""The language of some texts, learned by guessing words that are hidden in them."""

import numpy as np

from ... import random
from ...data import hide_tokens
from ...losses import IGNORED, TokenCrossentropy
from ...models import BERT
from ...registry import check_number
from .task import Task, encode, where_labels_count
from .task_models import LanguageModel

MASK = "[MASK]"


class MaskedLanguage(Task):
    """Which token stands where one is hidden.   A row: {"text": ...}

    text        the column of the texts
    share       so many of the tokens are hidden, by chance; each call of `examples` draws anew
    max_length  a text is cut to so many tokens

    Where texts to predict have [MASK], the answers say what stands there.
    """

    loss = TokenCrossentropy()
    metrics = ("token_accuracy",)
    base_head = "tokens"

    def __init__(self, text="text", share=0.15, max_length=128):
        super().__init__(max_length, text=text)
        self.share = check_number("share", share, below=1, positive=True)

    @property
    def columns(self):
        return [self.text]

    def model(self, base):
        """Logits (n, t, v) of ids (n, t)."""
        if not isinstance(base, BERT) or base.head != "tokens":
            raise ValueError(
                "MaskedLanguage needs a BERT with head='tokens', which says what stands at a "
                f"place. Received: {base!r}"
            )
        return LanguageModel(base)

    def inputs(self, rows, tokenizer, max_length=None):
        """x of texts, in which a reader has put mask tokens: ids and a mask (n, t)"""
        x = encode(rows, [self.text], tokenizer, max_length or self.max_length)
        return {"ids": x["ids"], "mask": x["mask"]}

    def examples(self, rows, tokenizer, max_length=None):
        """x with some tokens hidden, and the m places where, and y (n, m): what they were"""
        x = self.inputs(rows, tokenizer, max_length)
        ids, special = x["ids"], list(tokenizer.special_tokens.values())
        ordinary = ~np.isin(ids, special) & x["mask"]
        others = np.setdiff1d(np.arange(tokenizer.vocabulary_size), special)
        seen, chosen = hide_tokens(
            ids[ordinary], self.share, _mask(tokenizer), others, random.generator()
        )
        y = np.full_like(ids, IGNORED)
        y[ordinary] = np.where(chosen, ids[ordinary], IGNORED)
        x["ids"] = ids.copy()
        x["ids"][ordinary] = seen
        return where_labels_count(x, y)

    def answers(self, predictions, rows, tokenizer, max_length=None):
        """For each text the likeliest token at each [MASK], a list of texts."""
        ids = self.inputs(rows, tokenizer, max_length)["ids"]
        best = np.argmax(predictions, axis=-1)
        return [
            [tokenizer.decode([id]) for id in found[own == _mask(tokenizer)]]
            for own, found in zip(ids, best)
        ]


def _mask(tokenizer):
    if MASK not in tokenizer.special_tokens:
        raise ValueError(
            f"MaskedLanguage hides tokens behind {MASK}, which this tokenizer does not have: "
            f"{', '.join(tokenizer.special_tokens) or 'it has no special tokens'}"
        )
    return tokenizer.special_tokens[MASK]
