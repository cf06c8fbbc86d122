"""WordPiece, the tokenizer of BERT.

A word is cut from left to right into the longest pieces that are known; all but the first are
written with ## before them. M. Schuster and K. Nakajima ("Japanese and Korean voice search", 2012);
Y. Wu et al. ("Google's neural machine translation system", 2016).
"""

import itertools
from collections import Counter

from ..bounded_json import shorten
from . import tokenizer_json
from .bert_words import clean, split_words, words_with_places
from .pair_training import count_words, learn_merges
from .templates import Template
from .tokenizer import Tokenizer, check_tokens, numbered, room_beside
from .word_cache import WordCache

INSIDE = "##"  # what a piece begins with that does not begin a word
_LONGEST_WORD = 1000  # characters: the time for one grows with their square, and more
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class WordPieceTokenizer(Tokenizer):
    """Tokens are pieces of words; a word that cannot be put together of them is unknown.

    tokens          {text: id}, with ## before pieces that do not begin a word
    special_tokens  {text: id}; by default those of SPECIAL that are tokens
    template        by default BERT's, if there are [CLS] and [SEP]
    unknown         the special token for unknown words
    lower_case      whether capitals become small letters
    strip_accents   whether accents are removed; None means as `lower_case`
    longest_word    characters: a longer word is unknown

    Texts come back from their ids with one space between words, and small if `lower_case`.
    """

    word_space = " "

    def __init__(
        self,
        tokens,
        special_tokens=None,
        added_tokens=None,
        template=None,
        unknown="[UNK]",
        lower_case=True,
        strip_accents=None,
        longest_word=100,
    ):
        check_tokens(tokens)
        if special_tokens is None:
            special_tokens = {text: tokens[text] for text in SPECIAL if text in tokens}
        if template is None and {"[CLS]", "[SEP]"} <= special_tokens.keys():
            template = Template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")
        contents = {
            id: (token[2:] if token[:2] == INSIDE else f" {token}").encode()
            for token, id in tokens.items()
        }
        super().__init__(contents, special_tokens, added_tokens, template)
        if unknown not in tokens:
            raise ValueError(
                f"the vocabulary lacks the token for unknown words, {shorten(unknown)}"
            )
        if not 0 < longest_word <= _LONGEST_WORD:
            raise ValueError(
                f"a word of word pieces has from 1 to {_LONGEST_WORD} characters. "
                f"Received: longest_word={shorten(longest_word)}"
            )
        self.tokens, self.unknown = dict(tokens), unknown
        self.lower_case, self.strip_accents = lower_case, strip_accents
        self.longest_word = longest_word
        self._cache = WordCache(self._encode_word)

    @classmethod
    def train(cls, texts, vocabulary_size, special_tokens=SPECIAL, lower_case=True):
        """A tokenizer learned from texts: pieces are merged as in `learn_merges`.

        vocabulary_size  how many ids: special tokens, characters, and a piece for each merge. Where
                         the texts have too many characters, the most frequent ones are known
        special_tokens   their texts; their ids come first
        """
        special = numbered(special_tokens)
        size = room_beside(special, vocabulary_size, least=1)
        counts = count_words(texts, lambda text: split_words(clean(text, lower_case, lower_case)))
        spelled = {word: _characters(word) for word in counts}
        pieces = _most_frequent(spelled, counts, size)
        places = {piece: place for place, piece in enumerate(pieces)}
        words = [
            ([places[piece] for piece in spelled[word]], n)
            for word, n in counts.items()
            if places.keys() >= set(spelled[word])
        ]
        learn_merges(pieces, words, size, _join)
        ids = {piece: id for id, piece in enumerate(pieces, len(special))}
        return cls({**special, **ids}, special, lower_case=lower_case)

    def encode_ordinary(self, text):
        words = split_words(clean(text, *self._cleaning))
        return list(itertools.chain.from_iterable(map(self._cache.__getitem__, words)))

    def encode_with_places(self, text):
        """(ids, places) of a text without the template: for each id (start, end) in the text.

        So what a model says of tokens can be said of the text as it was written.
        """
        ids, places, start = [], [], 0
        for number, stretch in enumerate(self._border.split(text) if self._whole else [text]):
            if number % 2:
                ids.append(self._whole[stretch])
                places.append((start, start + len(stretch)))
            else:
                for word, within in words_with_places(stretch, *self._cleaning):
                    pieces = self._cache[word]
                    ids += pieces
                    places += [(start + a, start + b) for a, b in self._cut(pieces, within)]
            start += len(stretch)
        return ids, places

    @property
    def _cleaning(self):
        strip = self.lower_case if self.strip_accents is None else self.strip_accents
        return self.lower_case, strip

    def _cut(self, pieces, places):
        """(start, end) of each piece of a word, given that of each of its characters."""
        if pieces == [self.tokens[self.unknown]]:
            return [(places[0][0], places[-1][1])]
        lengths = [len(self.content(id).decode().removeprefix(self.word_space)) for id in pieces]
        ends = list(itertools.accumulate(lengths))
        return [(places[b - n][0], places[b - 1][1]) for n, b in zip(lengths, ends)]

    def _encode_word(self, word):
        known = len(word) <= self.longest_word
        pieces = longest_pieces(word, self.tokens) if known else None
        return pieces or [self.tokens[self.unknown]]

    def to_json(self):
        """What tokenizer.json says of it."""
        return tokenizer_json.of_word_pieces(self)


def longest_pieces(word, tokens):
    """The ids of a word's pieces, each the longest that is known there; None if none is.

    >>> longest_pieces("played", {"play": 0, "pla": 1, "##yed": 2, "##ed": 3})
    [0, 3]
    """
    ids, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = INSIDE * (start > 0) + word[start:end]
            if piece in tokens:
                break
        else:
            return None
        ids.append(tokens[piece])
        start = end
    return ids


def _characters(word):
    """The pieces of a word that are one character each.

    >>> _characters("word")
    ['w', '##o', '##r', '##d']
    """
    return [word[0], *(INSIDE + character for character in word[1:])]


def _most_frequent(spelled, counts, size):
    """The pieces of all words in alphabetical order, at most `size`: the most frequent ones."""
    frequency = Counter()
    for word, pieces in spelled.items():
        for piece in pieces:
            frequency[piece] += counts[word]
    ranked = sorted(frequency, key=lambda piece: (-frequency[piece], piece))
    return sorted(ranked[:size])


def _join(left, right):
    return left + right.removeprefix(INSIDE)
