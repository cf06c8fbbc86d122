"""What all tokenizers share: special tokens, templates, files, and the way from ids to text."""

import re
from pathlib import Path

from ..bounded_json import shorten
from . import files
from .templates import Template

_BARE = Template()
_MOST_IDS = 1 << 31  # that arrays of 32 bits can hold
_MOST_WHOLE = 100_000  # characters of all special and added tokens, of which a pattern is made


class Tokenizer:
    """Text as a list of ids, and back.

    contents        {id: bytes}: what each id stands for, in UTF-8
    special_tokens  {text: id} of those that stand for no text: the end of a document, padding
    added_tokens    {text: id} of more texts that are one token wherever they stand
    template        a Template: the special tokens around an encoded text; by default none

    Where a text to encode has the text of a special or an added token, that becomes its id.

    A subclass says in `encode_ordinary` how text without those becomes ids, and in `to_json` what
    tokenizer.json says of it.
    """

    word_space = ""  # what `content` puts before each word, and a decoded text does not begin with

    def __init__(self, contents, special_tokens=None, added_tokens=None, template=None):
        self.special_tokens = dict(special_tokens or {})
        self.added_tokens = dict(added_tokens or {})
        self.template = template or _BARE
        self.template.check(self.special_tokens)
        self._whole = {**self.added_tokens, **self.special_tokens}
        self._contents = dict(contents)
        for text, id in self._whole.items():
            if not text:
                raise ValueError(f"a special or added token must have a text. Received: {text!r}")
            check_id(id, text)
            content = (self.word_space + text).encode()
            if self._contents.setdefault(id, content) != content:
                raise _taken(id, self._contents[id], text)
        if sum(map(len, self._whole)) > _MOST_WHOLE:
            raise ValueError(
                f"special and added tokens may have {_MOST_WHOLE:,} characters together. "
                f"Received: {len(self._whole):,} with {sum(map(len, self._whole)):,}"
            )
        longest_first = sorted(self._whole, key=len, reverse=True)
        # With a group in it, a pattern's split gives text and whole token in turn.
        self._border = re.compile(f"({'|'.join(map(re.escape, longest_first))})")

    @property
    def vocabulary_size(self):
        """The least number that is above all ids."""
        return 1 + max(self._contents)

    def save(self, folder):
        """Write tokenizer.json into a folder, for `load_tokenizer` and for Hugging Face's."""
        files.write_text(Path(folder) / "tokenizer.json", files.as_json(self.to_json()))

    # ---- Text to ids ----

    def encode(self, text, add_special_tokens=True, max_length=None):
        """The ids of a text, a list.

        add_special_tokens  whether those of the template are put around it
        max_length          how many ids there may be, with those: the text is cut at its end

        ValueError for what is no text.
        """
        return self._fill(self.template if add_special_tokens else _BARE, max_length, text)[0]

    def encode_pair(self, first, second, max_length=None):
        """(ids, segments) of two texts in one sequence, as the template says.

        segments    for each id 0 or 1: of the first or the second text, or beside it
        max_length  how many ids there may be; the longer text is cut first
        """
        return self._fill(self.template, max_length, first, second)

    def encode_batch(self, texts, add_special_tokens=True, max_length=None):
        """The ids of each text, a list of lists: `pad` makes an array of them."""
        return [self.encode(text, add_special_tokens, max_length) for text in check_texts(texts)]

    def encode_bytes(self, data):
        """The ids of any bytes, UTF-8 or not, without the template: `decode_bytes` reverses it.

        Only byte-level tokenizers take all bytes.
        """
        # Python holds a byte that is no UTF-8 as one of 128 characters, which is undone in time.
        return self._encode(data.decode("utf-8", "surrogateescape"))

    def encode_ordinary(self, text):
        """The ids of a text in which no special and no added token is looked for, a list."""
        raise NotImplementedError(f"{type(self).__name__} must define encode_ordinary(text)")

    def _fill(self, template, max_length, *texts):
        encoded = [self._encode(check_text(text)) for text in texts]
        return template.fill(encoded, self.special_tokens, max_length)

    def _encode(self, text):
        if not self._whole:
            return self.encode_ordinary(text)
        ids = []
        for number, stretch in enumerate(self._border.split(text)):
            if number % 2:
                ids.append(self._whole[stretch])
            elif stretch:
                ids.extend(self.encode_ordinary(stretch))
        return ids

    # ---- Ids to text ----

    def content(self, id):
        """The bytes that one id stands for. ValueError if there is no such id."""
        try:
            return self._contents[id]
        except (KeyError, TypeError):
            known = f"ids are from 0 to {self.vocabulary_size - 1}"
            raise ValueError(f"no token has this id; {known}. Received: {shorten(id)}") from None

    def decode_bytes(self, ids, skip_special_tokens=False):
        """The bytes that the ids stand for: whole UTF-8 characters or not.

        skip_special_tokens  whether these give nothing, rather than their text
        """
        contents = [(id, self.content(id)) for id in ids]
        skipped = set(self.special_tokens.values()) if skip_special_tokens else ()
        joined = b"".join(content for id, content in contents if id not in skipped)
        return joined.removeprefix(self.word_space.encode())

    def decode(self, ids, skip_special_tokens=False):
        """The text that the ids stand for; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids, skip_special_tokens).decode("utf-8", "replace")


def check_text(text):
    """`text`, if it is text that UTF-8 can hold; else ValueError."""
    if not isinstance(text, str):
        raise ValueError(f"a text must be a str. Received: {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start]
        # Python holds a byte of a terminal or a file name that is no UTF-8 as one of these.
        is_byte = 0xDC80 <= ord(half) <= 0xDCFF
        kind = "a byte that is no UTF-8" if is_byte else "half a surrogate pair, no character"
        raise ValueError(
            f"the text has {kind}, at position {error.start}. Received: {half!r}"
        ) from None
    return text


def check_texts(texts):
    """The texts, each looked at by `check_text`. ValueError where one text stands for a list."""
    if isinstance(texts, (str, bytes)):
        raise ValueError(f"texts must be a list of them. Received: one {type(texts).__name__}")
    return map(check_text, texts)


def check_tokens(tokens):
    """ValueError unless `tokens`, {text or bytes: id}, are some, and each has an id of its own."""
    if not tokens:
        raise ValueError("a vocabulary must have tokens. Received: none")
    ids = tokens.values()
    are_integers = set(map(type, ids)) == {int}  # of all at once, since there may be 100,000
    if are_integers and min(ids) >= 0 and max(ids) < _MOST_IDS and len(set(ids)) == len(ids):
        return
    owners = {}
    for token, id in tokens.items():
        check_id(id, token)
        if id in owners:
            raise _taken(id, owners[id], token)
        owners[id] = token


def _taken(id, owner, other):
    return ValueError(f"id {id} belongs to {shorten(owner)} and to {shorten(other)}")


def check_id(id, token):
    """ValueError unless an id is an integer that arrays of 32 bits can hold."""
    if not isinstance(id, int) or isinstance(id, bool) or not 0 <= id < _MOST_IDS:
        raise ValueError(
            f"ids are integers from 0 up. Received: {shorten(id)} for {shorten(token)}"
        )


def numbered(texts, start=0):
    """{text: id} of special tokens, with ids from `start` up. ValueError if one comes twice.

    >>> numbered(["<a>", "<b>"], 256)
    {'<a>': 256, '<b>': 257}
    """
    texts = list(texts)
    for text in texts:
        if not isinstance(text, str) or not text or texts.count(text) > 1:
            raise ValueError(f"special tokens are texts that differ. Received: {text!r}")
    return {text: id for id, text in enumerate(texts, start)}


def room_beside(special_tokens, vocabulary_size, least):
    """How many ids are left for other tokens. ValueError if those are not at least so many."""
    room = vocabulary_size - len(special_tokens)
    if room < least:
        raise ValueError(
            f"{len(special_tokens)} special tokens and {least} others need a larger vocabulary. "
            f"Received: {vocabulary_size=}"
        )
    return room
