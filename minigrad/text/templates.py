"""The special tokens around a text, as in "[CLS] a text [SEP]", and the segment of each id."""

import re

from ..bounded_json import shorten

_PART = re.compile(r"(?P<name>\S+?)(:(?P<segment>[01]))?")


class Template:
    """The sequence that is made of one text or of two.

    single  as "[CLS] $A [SEP]": special tokens, and $A for the text
    pair    as "[CLS] $A [SEP] $B:1 [SEP]:1": also $B for the second text; 1 is the segment, else 0

    Hugging Face's TemplateProcessing has the same notation. Both may also be lists of pairs such as
    ("[SEP]", 1), which is what the object keeps.
    """

    def __init__(self, single="$A", pair="$A $B:1"):
        self.single = _parts(single, ["$A"])
        self.pair = _parts(pair, ["$A", "$B"])

    def names(self):
        """The special tokens in it, in alphabetical order."""
        return sorted({name for name, _ in self.single + self.pair if not name.startswith("$")})

    def check(self, special_tokens):
        """ValueError if the template names a special token that is not among these."""
        for name in self.names():
            if name not in special_tokens:
                known = shorten(list(special_tokens)) if special_tokens else "none"
                raise ValueError(f"the template needs {shorten(name)}. Special tokens: {known}")

    def fill(self, texts, special_tokens, max_length=None):
        """(ids, segments) of one text or two, each a list of ids, cut to `max_length` together.

        ValueError if not even the special tokens have room in that.
        """
        parts = self.single if len(texts) == 1 else self.pair
        if max_length is not None:
            around = len(parts) - len(texts)
            if max_length < around:
                raise ValueError(f"the template has {around} tokens. Received: {max_length=}")
            texts = cut(texts, max_length - around)
        inner = dict(zip(("$A", "$B"), texts))
        ids, segments = [], []
        for name, segment in parts:
            new = inner[name] if name in inner else [special_tokens[name]]
            ids.extend(new)
            segments.extend([segment] * len(new))
        return ids, segments


def _parts(template, variables):
    """[(special token or variable, segment)]. ValueError unless each variable is there once."""
    parts = template
    if isinstance(template, str):
        found = [_PART.fullmatch(word) for word in template.split()]
        parts = [(part["name"], int(part["segment"] or 0)) for part in found]
    if sorted(name for name, _ in parts if name.startswith("$")) != variables:
        raise ValueError(
            f"a template needs {' and '.join(variables)} once. Received: {shorten(template)}"
        )
    for name, segment in parts:
        if segment not in (0, 1):
            raise ValueError(
                f"a segment is 0 or 1. Received: {shorten(segment)} for {shorten(name)}"
            )
    return parts


def cut(texts, room):
    """One list of ids or two, cut at their ends to `room` ids together, the longer one first.

    >>> cut([[1, 2, 3, 4], [5, 6]], 5)
    [[1, 2, 3], [5, 6]]
    """
    if len(texts) == 1:
        return [texts[0][:room]]
    shorter = min(*map(len, texts), room // 2)
    longer = room - shorter
    first, second = texts
    if len(first) <= len(second):
        return [first[:shorter], second[:longer]]
    return [first[:longer], second[:shorter]]
