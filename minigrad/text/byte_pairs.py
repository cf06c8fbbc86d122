"""Byte-level byte-pair encoding, the tokenizer of GPT-2, Llama 3, Qwen and others.

A text is cut into words by a pattern, and a word into its bytes. Then pairs of neighbours are
merged: of all pairs, always the one that training merged first. P. Gage ("A new algorithm for data
compression", 1994); R. Sennrich et al. ("Neural machine translation of rare words with subword
units", 2016); A. Radford et al. ("Language models are unsupervised multitask learners", 2019) begin
with bytes, so that there is no unknown character.
"""

import functools
import heapq
import itertools

from ..bounded_json import shorten
from ..registry import look_up
from . import byte_level, patterns, tokenizer_json, unicode_8
from .pair_training import count_words, learn_merges
from .tokenizer import Tokenizer, check_tokens, numbered, room_beside
from .word_cache import WordCache


class BytePairTokenizer(Tokenizer):
    """Tokens are pieces of words: bytes that were merged because they often stood together.

    tokens         {bytes: id}; all 256 bytes are among them, so that any text can be encoded
    merges         [(bytes, bytes)] in the order in which training found them
    pattern        a name in `patterns.PATTERNS`: what a word is
    normalization  None, or "NFC" for characters in their composed form, as Qwen has it
    whole_words    whether a word that is a token stays whole, whatever the merges say, as for Llama
    others         see Tokenizer

    ValueError for merges that do not fit the tokens.
    """

    def __init__(
        self,
        tokens,
        merges,
        special_tokens=None,
        added_tokens=None,
        template=None,
        pattern="gpt2",
        normalization=None,
        whole_words=False,
    ):
        check_tokens(tokens)
        contents = {id: token for token, id in tokens.items()}
        super().__init__(contents, special_tokens, added_tokens, template)
        self.tokens, self.merges = dict(tokens), [tuple(merge) for merge in merges]
        look_up("pattern", pattern, patterns.PATTERNS)
        self.pattern, self.whole_words = pattern, whole_words
        if normalization not in (None, "NFC"):
            raise ValueError(f"normalization is None or 'NFC'. Received: {normalization=}")
        self.normalization = normalization
        self._byte_ids = [self._id_of(bytes([value])) for value in range(256)]
        self._ranks = {}  # {(id, id): (rank, id of both together)}
        for rank, (left, right) in enumerate(self.merges):
            pair = self._id_of(left), self._id_of(right)
            self._ranks[pair] = rank, self._id_of(left + right)
        self._cache = WordCache(self._encode_word)

    @classmethod
    def train(cls, texts, vocabulary_size, special_tokens=(), pattern="gpt2"):
        """A tokenizer learned from texts; `learn_merges` says how.

        vocabulary_size  how many ids: special tokens, 256 bytes, and a token for each merge; fewer
                         if the texts have no pair more
        special_tokens   their texts; their ids come first
        """
        special = numbered(special_tokens)
        size = room_beside(special, vocabulary_size, least=256)
        tokens = [bytes([value]) for value in byte_level.ORDER]
        places = {token[0]: place for place, token in enumerate(tokens)}
        counts = count_words(texts, functools.partial(patterns.split_words, pattern))
        words = [([places[value] for value in word.encode()], n) for word, n in counts.items()]
        merges = learn_merges(tokens, words, size)
        ids = {token: id for id, token in enumerate(tokens, len(special))}
        return cls(ids, merges, special, pattern=pattern)

    def encode_ordinary(self, text):
        if self.normalization:
            text = unicode_8.normalize(self.normalization, text)
        words = patterns.split_words(self.pattern, text)
        return list(itertools.chain.from_iterable(map(self._cache.__getitem__, words)))

    def _encode_word(self, word):
        content = word.encode("utf-8", "surrogateescape")
        if self.whole_words and content in self.tokens:
            return [self.tokens[content]]
        return merge([self._byte_ids[value] for value in content], self._ranks)

    def _id_of(self, token):
        if token not in self.tokens:
            raise ValueError(
                f"the vocabulary lacks {shorten(token)}, which a merge or a text may need"
            )
        return self.tokens[token]

    def to_json(self):
        """What tokenizer.json says of it."""
        return tokenizer_json.of_byte_pairs(self, self.tokens, self.merges)


def merge(ids, ranks):
    """The ids of a word after all merges: always the pair of lowest rank, the leftmost of equals.

    ids    of the word's bytes
    ranks  {(id, id): (rank, id of both together)}

    Candidates wait in a heap, so n bytes take n log n steps.

    >>> merge([1, 2, 1, 2, 3], {(1, 2): (0, 12), (12, 3): (1, 123)})
    [12, 123]
    """
    ids, end = list(ids), len(ids)
    after, before = list(range(1, end + 1)), list(range(-1, end - 1))
    heap = []

    def consider(i, j):
        """A candidate for the heap, if there is a merge for the tokens at i and j."""
        if i >= 0 and j < end and (ids[i], ids[j]) in ranks:
            heapq.heappush(heap, (ranks[ids[i], ids[j]], i, j, (ids[i], ids[j])))

    for i in range(end - 1):
        consider(i, i + 1)
    while heap:
        (_, merged), i, j, pair = heapq.heappop(heap)
        if (ids[i], ids[j]) != pair:
            continue  # one of the two is part of something larger by now
        ids[i], ids[j] = merged, None
        after[i] = after[j]
        if after[i] < end:
            before[after[i]] = i
        consider(before[i], i)
        consider(i, after[i])
    return [id for id in ids if id is not None]
