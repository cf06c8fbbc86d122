"""Byte-level byte-pair encoding, the tokenizer of GPT-2, Llama 3, Qwen and others.

A text is cut into words by a pattern, and a word into its bytes. Then pairs of neighbours are
merged: of all pairs, always the one that training merged first. P. Gage ("A new algorithm for data
compression", 1994); R. Sennrich et al. ("Neural machine translation of rare words with subword
units", 2016); A. Radford et al. ("Language models are unsupervised multitask learners", 2019) begin
with bytes, so that there is no unknown character.
"""

import heapq
import itertools

from . import patterns
from .byte_pair_training import learn_merges
from .characters import numbered
from .tokenizer import Tokenizer

CACHED_WORDS = 1 << 18  # kept with their ids; after that all are forgotten
CACHED_LENGTH = 64  # characters: longer words seldom come again


class BytePairTokenizer(Tokenizer):
    """Tokens are pieces of words: bytes that were merged because they often stood together.

    tokens          {bytes: id}; all 256 bytes are in it, so any text can be encoded
    merges          [(bytes, bytes)] in the order in which training found them
    special_tokens  {text: id}
    pattern         a name in `patterns.PATTERNS`: what a word is
    whole_words     whether a word that is a token is left as it is, whatever the merges say

    ValueError for merges that do not fit the tokens.
    """

    kind = "byte_pairs"

    def __init__(
        self,
        tokens,
        merges,
        special_tokens=None,
        template=None,
        pattern="gpt2",
        whole_words=False,
    ):
        super().__init__(tokens, special_tokens, template)
        self.tokens, self.merges = dict(tokens), [tuple(merge) for merge in merges]
        self.pattern, self.whole_words = pattern, whole_words
        self._words = patterns.compiled(pattern).findall
        self._byte_ids = [_id_of(bytes([value]), tokens) for value in range(256)]
        self._ranks = {}  # {(id, id): (rank, id of both together)}
        for rank, (left, right) in enumerate(self.merges):
            pair = _id_of(left, tokens), _id_of(right, tokens)
            self._ranks[pair] = rank, _id_of(left + right, tokens)
        self._cache = _Cache(self._encode_word)

    @classmethod
    def train(cls, texts, vocabulary_size, special_tokens=(), pattern="gpt2"):
        """A tokenizer learned from texts: see `learn_merges`.

        vocabulary_size  how many ids: special tokens, 256 bytes, and a token for each merge; fewer
                         where the texts have no more pairs to merge
        special_tokens   their texts; their ids come first
        """
        special = numbered(special_tokens, 0)
        room = vocabulary_size - len(special) - 256
        if room < 0:
            raise ValueError(
                f"256 bytes and {len(special)} special tokens need a larger vocabulary. "
                f"Received: {vocabulary_size=}"
            )
        tokens, merges = learn_merges(texts, room, patterns.compiled(pattern).findall)
        shifted = {token: id + len(special) for id, token in enumerate(tokens)}
        return cls(shifted, merges, special, pattern=pattern)

    def encode_ordinary(self, text):
        return list(itertools.chain.from_iterable(map(self._cache.__getitem__, self._words(text))))

    def _encode_word(self, word):
        content = word.encode("utf-8", "surrogateescape")
        if self.whole_words and content in self.tokens:
            return [self.tokens[content]]
        return merge([self._byte_ids[value] for value in content], self._ranks)


class _Cache(dict):
    """{word: its ids}, worked out where they are missing."""

    def __init__(self, function):
        self.function = function

    def __missing__(self, word):
        ids = self.function(word)
        if len(word) <= CACHED_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = ids
        return ids


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
            heapq.heappush(heap, (ranks[ids[i], ids[j]], i, j, ids[i], ids[j]))

    for i in range(end - 1):
        consider(i, i + 1)
    while heap:
        (_, merged), i, j, left, right = heapq.heappop(heap)
        if ids[i] != left or j >= end or ids[j] != right or after[i] != j:
            continue  # one of the two is part of something larger by now
        ids[i], ids[j] = merged, None
        after[i] = after[j]
        if after[i] < end:
            before[after[i]] = i
        consider(before[i], i)
        consider(i, after[i])
    return [id for id in ids if id is not None]


def _id_of(token, tokens):
    if token not in tokens:
        raise ValueError(f"the vocabulary lacks {token!r}, which a merge or a byte needs")
    return tokens[token]
