"""How a conversation is written down for a model, in the markers that it was trained with.

A template makes of a row stretches of text, of which the model learns some: what it is to say.
"""

import re
from dataclasses import dataclass

from ...bounded_json import shorten
from .task import bad_row, text_in

ROLES = ("system", "user", "assistant")
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Stretch:
    """A part of a text, and whether the model learns to write it."""

    text: str
    learned: bool


@dataclass(frozen=True)
class Chat:
    """Each message between markers.

    start   what a conversation begins with
    before  what a message begins with, and {role} in it
    after   what it ends with; the model learns to write this too, and stops there
    gap     what lies between two messages
    """

    start: str
    before: str
    after: str
    gap: str

    @property
    def markers(self):
        """The special tokens in it."""
        return re.findall(r"<\|\w+\|>", self.start + self.before + self.after)

    def stretches(self, messages):
        """The Stretches of [(role, text)]; those of the assistant are learned."""
        found, waiting = [], self.start
        for role, text in messages:
            waiting += self.before.format(role=role)
            if role == "assistant":
                found += [Stretch(waiting, False), Stretch(text + self.after, True)]
                waiting = self.gap
            else:
                waiting += text + self.after + self.gap
        return found


CHATS = {
    "chatml": Chat("", "<|im_start|>{role}\n", "<|im_end|>", "\n"),
    "llama3": Chat(
        "<|begin_of_text|>", "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>", ""
    ),
}

_TASK = "Below is an instruction that describes a task"
_ANSWER = "Write a response that appropriately completes the request."
ALPACA = f"{_TASK}. {_ANSWER}\n\n### Instruction:\n{{instruction}}\n\n### Response:\n{{response}}"
ALPACA_WITH_INPUT = (
    f"{_TASK}, paired with an input that provides further context. {_ANSWER}\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n{response}"
)


def texts_of(template, columns, row, i, response=True):
    """The Stretches of row i by a template that is text: the last placeholder is what is learned.

    columns   {placeholder: its column in the row} of those that have another name
    response  whether the row has that; without, all before it is one Stretch
    """
    parts = re.split(_PLACE, template)  # texts and names of columns in turn
    fixed, (*before, last) = parts[0::2], [columns.get(name, name) for name in parts[1::2]]
    prompt = "".join(text + text_in(row, name, i) for text, name in zip(fixed, before))
    found = [Stretch(prompt + fixed[-2], False)]
    return [*found, Stretch(text_in(row, last, i) + fixed[-1], True)] if response else found


def placeholders(template):
    """The columns that a template of one's own names. ValueError if there is none, or one twice."""
    places = _PLACE.findall(template)
    if not places or len(set(places)) < len(places):
        known = ", ".join([*CHATS, "alpaca"])
        raise ValueError(
            f"a template is one of {known}, or a text with the names of columns in braces, each "
            f"once and the one to learn last, as 'Q: {{question}}\\nA: {{answer}}'. "
            f"Received: {shorten(template)}"
        )
    return places


def messages_of(columns, row, i, system, response=True):
    """[(role, text)] of row i: of its "messages", each {"role": ..., "content": ...}; or else
    of an instruction and a response, and of its "system" and "input" if it has them.

    columns   {"instruction": its column, "response": its column}
    system    the message of the system where a row has none; None for no message
    response  whether the row has that; without, the conversation is one to go on with
    """
    if "messages" in row:
        if not isinstance(row["messages"], list):
            raise bad_row(i, "messages", f"a list is needed. Received: {shorten(row['messages'])}")
        found = [_message(message, i) for message in row["messages"]]
    else:
        parts = [text_in(row, columns["instruction"], i)]
        if row.get("input"):
            parts.append(text_in(row, "input", i))
        found = [("user", "\n\n".join(parts))]
        if row.get("system"):
            found = [("system", text_in(row, "system", i)), *found]
        if response:
            found.append(("assistant", text_in(row, columns["response"], i)))
    if system is not None and found and found[0][0] != "system":
        found = [("system", system), *found]
    if response and not any(role == "assistant" for role, _ in found):
        raise bad_row(i, "messages", "there is no message of the assistant to learn from")
    if not response:
        while found and found[-1][0] == "assistant":
            found.pop()
        found.append(("assistant", ""))
    return found


def _message(message, i):
    fits = isinstance(message, dict) and message.get("role") in ROLES
    if not fits or not isinstance(message.get("content"), str):
        raise bad_row(
            i,
            "messages",
            f'a message is {{"role": one of {", ".join(ROLES)}, "content": text}}. '
            f"Received: {shorten(message)}",
        )
    return message["role"], message["content"].strip()


# ---- The templates of Hugging Face's folders -----------------------------------------------------

# What only a family of templates has. Theirs are programs in Jinja, which nothing here runs.
_SIGNS = {
    "chatml": "<|im_start|>",
    "llama3": "<|start_header_id|>",
    "alpaca": "### Instruction:",
}
_DATED = "Cutting Knowledge Date"  # of Llama 3.1 and later, whose system message has a date
_DEFAULT_SYSTEM = re.compile(r"<\|im_start\|>system(?:\\n|\n)([^{}'\"<]+)<\|im_end\|>")


def read_template(folder):
    """(name of the template, message of the system by default or None) of a model's folder.

    folder  a PretrainedFolder. ValueError where it has no template, or one of another family.
    """
    jinja = None
    if folder.has("chat_template.jinja"):
        jinja = folder.text("chat_template.jinja")
    elif folder.has("tokenizer_config.json"):
        config = folder.json("tokenizer_config.json")
        jinja = config.get("chat_template") if isinstance(config, dict) else None
    if isinstance(jinja, list):  # several by name
        named = [t for t in jinja if isinstance(t, dict) and t.get("name") == "default"]
        jinja = named[-1].get("template") if named else None
    if not isinstance(jinja, str):
        raise ValueError(f"{folder.path} has no chat template: name one, {_choice()}")
    return recognise(jinja, folder.path)


def recognise(jinja, place):
    """(name, message of the system by default or None) of a chat template in Jinja."""
    found = [name for name, sign in _SIGNS.items() if sign in jinja]
    if len(found) != 1 or _DATED in jinja:
        raise ValueError(
            f"the chat template of {place} is none that minigrad knows, and a program that it does "
            f"not run: name the template that you want, {_choice()}. Received: {shorten(jinja)}"
        )
    default = _DEFAULT_SYSTEM.search(jinja)
    return found[0], default.group(1) if default else None


def _choice():
    return f"{', '.join(_SIGNS)}, or a text of your own with {{placeholders}}"
