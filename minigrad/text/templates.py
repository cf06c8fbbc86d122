"""The special tokens around a text: [CLS] a text [SEP], and which segment each id is in."""


class Template:
    """The sequence that is made of one text or of two.

    single  as "[CLS] $A [SEP]": special tokens, and $A for the text
    pair    as "[CLS] $A [SEP] $B:1 [SEP]:1": $B is the second text, and 1 the segment; else it is 0

    The notation is that of Hugging Face's TemplateProcessing.
    """

    def __init__(self, single="$A", pair="$A $B:1"):
        self.single, self.pair = single, pair
        self._parts = {1: _parse(single, {"$A"}), 2: _parse(pair, {"$A", "$B"})}

    @property
    def names(self):
        """The special tokens in it, in alphabetical order."""
        parts = [name for parts in self._parts.values() for name, _ in parts]
        return sorted({name for name in parts if not name.startswith("$")})

    def check(self, special_tokens):
        """ValueError if the template names a special token that is not there."""
        for name in self.names:
            if name not in special_tokens:
                known = ", ".join(special_tokens) or "none"
                raise ValueError(f"the template needs {name!r}. Special tokens: {known}")

    def fill(self, texts, special_tokens, max_length=None):
        """(ids, segments) of one text or two, each a list of ids, cut to `max_length` together."""
        parts = self._parts[len(texts)]
        if max_length is not None:
            room = max_length - (len(parts) - len(texts))
            if room < 0:
                raise ValueError(f"the template alone is longer. Received: {max_length=}")
            texts = truncate(texts, room)
        named = dict(zip(("$A", "$B"), texts))
        ids, segments = [], []
        for name, segment in parts:
            inner = named[name] if name in named else [special_tokens[name]]
            ids.extend(inner)
            segments.extend([segment] * len(inner))
        return ids, segments


def _parse(text, variables):
    """[(special token or variable, segment)]. ValueError unless every variable is there once."""
    parts = []
    for word in text.split():
        name, colon, segment = word.rpartition(":")
        known = bool(colon and name) and segment in ("0", "1")
        parts.append((name, int(segment)) if known else (word, 0))
    if sorted(name for name, _ in parts if name.startswith("$")) != sorted(variables):
        wanted = " and ".join(sorted(variables))
        raise ValueError(f"a template needs {wanted} once. Received: {text!r}")
    return parts


def truncate(texts, room):
    """Lists of ids, cut at their ends until they have `room` ids together; the longest is cut first.

    >>> truncate([[1, 2, 3, 4], [5, 6]], 4)
    [[1, 2], [5, 6]]
    """
    lengths = [len(ids) for ids in texts]
    while sum(lengths) > room:
        lengths[lengths.index(max(lengths))] -= 1
    return [ids[:length] for ids, length in zip(texts, lengths)]
