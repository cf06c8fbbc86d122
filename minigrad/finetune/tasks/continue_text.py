"""The language of some texts, learned by saying at each place what comes next."""

import numpy as np

from ...layers.core import positive_integer
from ...losses import IGNORED, TokenCrossentropy
from ...models import BERT
from ...text import generate
from .task import Task, as_arrays, bad_row, check_rows, text_in, where_labels_count
from .task_models import LanguageModel

ENDS = ("<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|im_end|>", "</s>")


class ContinueText(Task):
    """What comes after each token.   A row: {"text": ...}

    text            the column of the texts; a long one becomes several examples
    max_length      of so many tokens
    max_new_tokens  so many are written at most where a text is to be continued
    """

    loss = TokenCrossentropy()
    metrics = ("token_accuracy",)
    peft_type = "CAUSAL_LM"

    def __init__(self, text="text", max_length=128, max_new_tokens=50):
        super().__init__(max_length, text=text)
        self.max_new_tokens = positive_integer("ContinueText", "max_new_tokens", max_new_tokens)

    @property
    def columns(self):
        return [self.text]

    def model(self, base):
        """Logits (n, t, v) of ids (n, t)."""
        return LanguageModel(reads_forward(self, base))

    def examples(self, rows, tokenizer, max_length=None):
        """x, and y (n, t): the token after each, and IGNORED behind the last one"""
        length = max_length or self.max_length
        pieces = []
        for ids in self._prompts(check_rows(rows, tokenizer), tokenizer):
            ids = [*ids, *end_of_text(tokenizer)]
            for start in range(0, max(1, len(ids) - 1), length):
                pieces.append((ids[start : start + length + 1], None))
        return next_tokens(tokenizer, pieces)

    def predict(self, model, rows, tokenizer, batch_size=32, verbose=0, **options):
        """What follows each text, by `text.generate`, which explains the options."""
        prompts = self._prompts(check_rows(rows, tokenizer), tokenizer)
        return write(self, model, tokenizer, prompts, batch_size, end_of_text(tokenizer), options)

    def _prompts(self, rows, tokenizer):
        found = [tokenizer.encode(text_in(row, self.text, i)) for i, row in enumerate(rows)]
        for i, ids in enumerate(found):
            if not ids:
                raise bad_row(i, self.text, "no token is left of it")
        return found


def reads_forward(task, base):
    """The base, if it says what comes next; else a ValueError."""
    if isinstance(base, BERT) or not hasattr(base, "make_cache"):
        raise ValueError(
            f"{type(task).__name__} needs a model that writes, token after token, as GPT and Llama "
            f"do. Received: {base!r}"
        )
    return base


def end_of_text(tokenizer):
    """The id that ends a text, in a list; an empty one if the tokenizer has no such token."""
    known = tokenizer.special_tokens
    return [known[name] for name in ENDS if name in known][:1]


def next_tokens(tokenizer, sequences):
    """x and y of sequences (ids, which of them are learned), the latter None if all are.

    y[i, j] is the token after ids[i, places[i, j]], or IGNORED where fewer are learned; without
    places in x, that after ids[i, j].
    """
    x = as_arrays(tokenizer, [ids[:-1] or ids for ids, _ in sequences])
    y = np.full(x["ids"].shape, IGNORED)
    for row, (ids, learned) in enumerate(sequences):
        learned = [True] * len(ids) if learned is None else learned
        targets = [id if is_learned else IGNORED for id, is_learned in zip(ids, learned)][1:]
        y[row, : len(targets)] = targets
    return where_labels_count(x, y)


def write(task, model, tokenizer, prompts, batch_size, end, options):
    """The texts that a model writes after prompts, lists of ids."""
    options = {"end_token": end[0] if end else None, "temperature": 0, **options}
    most = options.pop("max_new_tokens", task.max_new_tokens)
    texts = []
    for start in range(0, len(prompts), batch_size):
        some = generate(model.base, prompts[start : start + batch_size], most, **options)
        texts += [tokenizer.decode(ids, skip_special_tokens=True) for ids in some]
    return texts
