"""Instruction tuning: a model learns to answer, and nothing of what it is asked.

The prompt is read and not learned: the tokens of the answer alone have a label, so that all places
whose next token belongs to the prompt get no gradient, exactly.
"""

from ...layers.core import positive_integer
from ...losses import TokenCrossentropy
from ..folder import PretrainedFolder
from .chat_templates import (
    ALPACA,
    ALPACA_WITH_INPUT,
    CHATS,
    messages_of,
    placeholders,
    read_template,
    texts_of,
)
from .continue_text import end_of_text, next_tokens, reads_forward, write
from .task import Task, bad_row, check_rows
from .task_models import LanguageModel

ALPACA_NAME = "alpaca"


class FollowInstructions(Task):
    """An answer to an instruction.   A row: {"instruction": ..., "response": ...}

    template        how a row is written down. "chatml" or "llama3": of rows as above, which may
                    have an "input" and a "system" too, or of rows with "messages", a list of
                    {"role": "user", "content": ...}. "alpaca": as above, with no system. Or a text
                    with the names of columns in braces, of which the last is what is learned, as
                    "Q: {question} A: {answer}"
    instruction     the column of the instruction, for the templates that have a name
    response        and that of the answer
    system          for a chat, the message of the system where a row has none
    max_length      a row is cut to so many tokens
    max_new_tokens  an answer has so many at most
    """

    loss = TokenCrossentropy()
    metrics = ("token_accuracy",)
    peft_type = "CAUSAL_LM"

    def __init__(
        self,
        template="chatml",
        instruction="instruction",
        response="response",
        system=None,
        max_length=512,
        max_new_tokens=200,
    ):
        texts = {"template": template, "instruction": instruction, "response": response}
        super().__init__(max_length, **texts, system=system)
        if template not in CHATS and template != ALPACA_NAME:
            placeholders(template)
        if system is not None and template not in CHATS:
            raise ValueError(f"a system message is for a chat, and {template=} is none")
        self.max_new_tokens = positive_integer(
            "FollowInstructions", "max_new_tokens", max_new_tokens
        )

    @classmethod
    def of_folder(cls, path, **options):
        """The task with the chat template of a model's folder.

        Such a template is a program, and is recognised and not run. ValueError if it is none of
        those that are known here.
        """
        template, system = read_template(PretrainedFolder(path))
        return cls(**{"template": template, "system": system, **options})

    @property
    def columns(self):
        """Those that a row must have in any case."""
        if self.template in CHATS or self.template == ALPACA_NAME:
            return [self.instruction]
        return placeholders(self.template)[:-1]

    def model(self, base):
        """Logits (n, t, v) of ids (n, t)."""
        return LanguageModel(reads_forward(self, base))

    def examples(self, rows, tokenizer, max_length=None):
        """x with the m places before the tokens of answers, and y (n, m): these tokens"""
        length = max_length or self.max_length
        sequences = []
        for i, row in enumerate(check_rows(rows, tokenizer)):
            ids, learned = self._encode(row, i, tokenizer, response=True)
            if not any(learned[1 : length + 1]):
                what = f"the first {length} tokens, which are all that max_length leaves, have none"
                raise bad_row(i, self.response, f"{what} of the answer")
            sequences.append((ids[: length + 1], learned[: length + 1]))
        return next_tokens(tokenizer, sequences)

    def predict(self, model, rows, tokenizer, batch_size=8, verbose=0, **options):
        """The answer to each row, by `text.generate`, which explains the options."""
        prompts = [
            self._encode(row, i, tokenizer, response=False)[0]
            for i, row in enumerate(check_rows(rows, tokenizer))
        ]
        end = self._end(tokenizer)
        return write(self, model, tokenizer, prompts, batch_size, end, options)

    def stretches(self, row, i=0, response=True):
        """The Stretches of row i, in order; without a response they end where it would begin."""
        columns = {"instruction": self.instruction, "response": self.response}
        if self.template in CHATS:
            messages = messages_of(columns, row, i, self.system, response)
            found = CHATS[self.template].stretches(messages)
            return found if response else found[:-1]
        if self.template == ALPACA_NAME:
            template = ALPACA_WITH_INPUT if row.get("input") else ALPACA
            return texts_of(template, columns, row, i, response)
        return texts_of(self.template, {}, row, i, response)

    def _encode(self, row, i, tokenizer, response):
        """(ids, whether each is learned) of row i.

        Stretches become ids one by one, as when the model is asked: the end of a prompt and the
        beginning of an answer never share a token.
        """
        is_chat = self.template in CHATS
        if is_chat:
            self._check_markers(tokenizer)
        ids = [] if is_chat else tokenizer.encode("")
        learned = [False] * len(ids)
        stretches = self.stretches(row, i, response)
        self._check_texts(row, i, tokenizer)
        for stretch in stretches:
            new = tokenizer.encode(stretch.text, add_special_tokens=False)
            if stretch.learned and not is_chat:
                new = [*new, *end_of_text(tokenizer)]
            ids += new
            learned += [stretch.learned] * len(new)
        return ids, learned

    def _check_markers(self, tokenizer):
        for marker in CHATS[self.template].markers:
            if marker not in tokenizer.special_tokens and marker not in tokenizer.added_tokens:
                raise ValueError(
                    f"the template {self.template!r} has {marker}, which is no token of this "
                    "tokenizer: take the template that the model was trained with, or a text of "
                    "your own"
                )

    def _check_texts(self, row, i, tokenizer):
        """ValueError if a text of a row has a special token, which would end it, or begin more."""
        for name, text in row.items():
            texts = [m["content"] for m in text] if name == "messages" else [text]
            for special in tokenizer.special_tokens:
                if any(isinstance(text, str) and special in text for text in texts):
                    raise bad_row(i, name, f"a text must not have the special token {special!r}")

    def _end(self, tokenizer):
        if self.template not in CHATS:
            return end_of_text(tokenizer)
        return tokenizer.encode(CHATS[self.template].after, add_special_tokens=False)
