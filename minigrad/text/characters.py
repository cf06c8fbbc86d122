"""The two simplest tokenizers: a token is a byte, or a character."""

from . import tokenizer_json
from .tokenizer import Tokenizer, check_texts, check_tokens, numbered


class ByteTokenizer(Tokenizer):
    """A token is a byte of UTF-8: ids 0 to 255, and then the special tokens. Nothing to learn.

    special_tokens  their texts, or {text: id}

    >>> ByteTokenizer().encode("é!")
    [195, 169, 33]
    """

    def __init__(self, special_tokens=(), added_tokens=None, template=None):
        if not isinstance(special_tokens, dict):
            special_tokens = numbered(special_tokens, 256)
        contents = {value: bytes([value]) for value in range(256)}
        super().__init__(contents, special_tokens, added_tokens, template)

    def encode_ordinary(self, text):
        return list(text.encode("utf-8", "surrogateescape"))

    def to_json(self):
        """What tokenizer.json says of it: byte pairs, without a pair that is merged."""
        tokens = {content: id for id, content in self._contents.items() if id < 256}
        return tokenizer_json.of_byte_pairs(self, tokens, [])


class CharacterTokenizer(Tokenizer):
    """A token is a character, one of those that it was made with.

    tokens          {character: id}
    special_tokens  {text: id}

    >>> CharacterTokenizer({"a": 0, "b": 1}).encode("abba")
    [0, 1, 1, 0]
    """

    def __init__(self, tokens, special_tokens=None, added_tokens=None, template=None):
        check_tokens(tokens)
        self.tokens = dict(tokens)
        contents = {id: character.encode() for character, id in tokens.items()}
        super().__init__(contents, special_tokens, added_tokens, template)

    @classmethod
    def train(cls, texts, special_tokens=()):
        """A tokenizer of all characters in the texts, in Unicode's order.

        special_tokens  their texts; their ids come first
        """
        special = numbered(special_tokens)
        characters = set()
        for text in check_texts(texts):  # which may be more together than there is memory
            characters.update(text)
        ids = {character: id for id, character in enumerate(sorted(characters), len(special))}
        return cls(ids, special)

    def encode_ordinary(self, text):
        try:
            return [self.tokens[character] for character in text]
        except KeyError as error:
            raise ValueError(
                f"the tokenizer knows {len(self.tokens)} characters, and not {error.args[0]!r}"
            ) from None

    def to_json(self):
        """What tokenizer.json says of it: each character is a word."""
        return tokenizer_json.of_characters(self)
