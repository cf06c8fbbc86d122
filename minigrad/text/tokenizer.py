"""What all tokenizers share: special tokens, templates, and the way back from ids to text."""

import re
from pathlib import Path

from .templates import Template


class Tokenizer:
    """Text as a list of ids, and back.

    tokens          {bytes: id}: what each id stands for, in UTF-8
    special_tokens  {text: id} of those that stand for no text: the end of a document, padding. Where
                    such a text stands in a text to encode, it becomes that id
    template        a Template: the special tokens around an encoded text, by default none

    A subclass says how text without special tokens becomes ids, in `encode_ordinary`.
    """

    kind = None  # its name in files

    def __init__(self, tokens, special_tokens=None, template=None):
        self.special_tokens = dict(special_tokens or {})
        self._ids = dict(tokens)
        self._contents = _contents(self._ids, self.special_tokens)
        self.template = template or Template()
        self.template.check(self.special_tokens)
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        # With a group in it, a pattern's split gives text and special token in turn.
        self._special = re.compile(f"({'|'.join(map(re.escape, longest_first))})")

    @property
    def vocabulary_size(self):
        """How many ids there are: all are below it."""
        return len(self._contents)

    # ---- Text to ids ----

    def encode_ordinary(self, text):
        """The ids of a text in which special tokens have no meaning."""
        raise NotImplementedError

    def encode(self, text, add_special_tokens=True, max_length=None):
        """The ids of a text, a list.

        add_special_tokens  whether those of the template are put around it
        max_length          how many ids there may be, with those: the text is cut at its end
        """
        return self._fill(add_special_tokens, max_length, text)[0]

    def encode_pair(self, first, second, max_length=None):
        """(ids, segments) of two texts in one sequence: as the template says, for BERT.

        segments    for each id 0 or 1: the first or the second text, with their special tokens
        max_length  how many ids there may be; the longer text is cut first
        """
        return self._fill(True, max_length, first, second)

    def encode_batch(self, texts, add_special_tokens=True, max_length=None):
        """The ids of each text, a list of lists: see `pad` for an array."""
        return [self.encode(text, add_special_tokens, max_length) for text in texts]

    def encode_bytes(self, data):
        """The ids of any bytes, UTF-8 or not, without a template: `decode_bytes` gives them back.

        Only tokenizers of bytes can do this.
        """
        # Python holds a byte that is no UTF-8 as one of 128 characters, which is undone in time.
        return self._encode_stretches(data.decode("utf-8", "surrogateescape"))

    def _fill(self, add_special_tokens, max_length, *texts):
        template = self.template if add_special_tokens else Template()
        encoded = [self._encode_stretches(check_text(text)) for text in texts]
        return template.fill(encoded, self.special_tokens, max_length)

    def _encode_stretches(self, text):
        if not self.special_tokens:
            return self.encode_ordinary(text)
        ids = []
        for number, stretch in enumerate(self._special.split(text)):
            if number % 2:
                ids.append(self.special_tokens[stretch])
            elif stretch:
                ids.extend(self.encode_ordinary(stretch))
        return ids

    def save(self, folder):
        """Write the tokenizer's files into a folder, for `load_tokenizer`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        from . import files, tokenizer_json
        files.write_json(folder / "tokenizer.json", tokenizer_json.write(self))

    # ---- Ids to text ----

    def decode_bytes(self, ids, skip_special_tokens=False):
        """The bytes that the ids stand for: whole UTF-8 characters or not.

        skip_special_tokens  whether these give nothing, rather than their text
        """
        special = set(self.special_tokens.values()) if skip_special_tokens else ()
        return b"".join(self.content(id) for id in ids if id not in special)

    def decode(self, ids, skip_special_tokens=False):
        """The text that the ids stand for; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids, skip_special_tokens).decode("utf-8", "replace")

    def content(self, id):
        """The bytes that one id stands for. ValueError if there is no such id."""
        if not 0 <= id < len(self._contents) or self._contents[id] is None:
            raise ValueError(f"ids are from 0 to {self.vocabulary_size - 1}. Received: {id}")
        return self._contents[id]


def check_text(text):
    """`text`, if it is text that UTF-8 can hold; TypeError or ValueError."""
    if not isinstance(text, str):
        raise TypeError(f"a text must be a str. Received: {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the text has half a surrogate pair at position {error.start}, which is no character. "
            f"Received: {text[error.start]!r}"
        ) from None
    return text


def _contents(ids, special_tokens):
    """[bytes of each id], with None for an id between others that stands for nothing."""
    named = [*ids.items(), *((text.encode(), id) for text, id in special_tokens.items())]
    contents = [None] * (1 + max((id for _, id in named), default=-1))
    for content, id in named:
        if contents[id] is not None:
            raise ValueError(f"id {id} belongs to {contents[id]!r} and to {content!r}")
        contents[id] = content
    return contents
