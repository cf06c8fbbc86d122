"""The two simplest tokenizers: a token is a byte, or a character."""

from .tokenizer import Tokenizer


class ByteTokenizer(Tokenizer):
    """A token is a byte of UTF-8: ids 0 to 255, and then the special tokens. Nothing to learn.

    special_tokens  their texts

    >>> ByteTokenizer().encode("é!")
    [195, 169, 33]
    """

    kind = "bytes"

    def __init__(self, special_tokens=(), template=None):
        tokens = {bytes([value]): value for value in range(256)}
        super().__init__(tokens, numbered(special_tokens, 256), template)

    def encode_ordinary(self, text):
        return list(text.encode("utf-8", "surrogateescape"))


class CharacterTokenizer(Tokenizer):
    """A token is a character, one of those that it was made with.

    characters      a text with all of them, in the order of their ids
    special_tokens  their texts; their ids come after those of the characters

    >>> CharacterTokenizer("abc").encode("cab")
    [2, 0, 1]
    """

    kind = "characters"

    def __init__(self, characters, special_tokens=(), template=None):
        if not characters or len(set(characters)) != len(characters):
            raise ValueError(f"characters must differ, and be some. Received: {characters!r}")
        self.characters = characters
        self._numbers = {character: id for id, character in enumerate(characters)}
        tokens = {character.encode(): id for character, id in self._numbers.items()}
        super().__init__(tokens, numbered(special_tokens, len(tokens)), template)

    @classmethod
    def train(cls, texts, special_tokens=()):
        """A tokenizer of all characters in the texts, sorted by their numbers in Unicode."""
        return cls("".join(sorted(set().union(*texts))), special_tokens)

    def encode_ordinary(self, text):
        try:
            return [self._numbers[character] for character in text]
        except KeyError as error:
            raise ValueError(
                f"the tokenizer has no {error.args[0]!r}: it knows {len(self.characters)} characters"
            ) from None


def numbered(names, start):
    """{name: id} with ids from `start` on. ValueError for a name that comes twice or is empty.

    >>> numbered(["<a>", "<b>"], 256)
    {'<a>': 256, '<b>': 257}
    """
    names = list(names)
    for name in names:
        if not isinstance(name, str) or not name or names.count(name) > 1:
            raise ValueError(f"special tokens are texts that differ. Received: {name!r}")
    return {name: id for id, name in enumerate(names, start)}
