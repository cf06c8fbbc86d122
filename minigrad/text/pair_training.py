"""Which neighbours to merge: learned from how often they stand together in a text.

    count the words
    as long as there is room:
        merge the pair of neighbours that is most frequent, in all words

Counts are kept and corrected: a merge looks only at the words that have its pair.
"""

import heapq
from collections import Counter, defaultdict
from operator import add

from .tokenizer import check_texts


def count_words(texts, words_of):
    """{word: how often it is in the texts}; `words_of` gives the words of one text."""
    counts = Counter()
    for text in check_texts(texts):
        counts.update(words_of(text))
    return counts


def learn_merges(tokens, words, size, join=add):
    """The pairs of tokens that are merged, in order: [(token, token)].

    tokens  the list that words are made of at first; it gets each new token at its end
    words   [(the word's tokens by their places in that list, how often there is such a word)]
    size    how many tokens there may be in the end
    join    two tokens as one

    Of pairs that are equally frequent, the one goes first whose left token came first, and then
    whose right one did: the rule of Hugging Face's trainer.
    """
    words, counts = [list(word) for word, _ in words], [count for _, count in words]
    pairs, homes = _count_pairs(words, counts)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    merges = []
    while heap and len(tokens) < size:
        negative, pair = heapq.heappop(heap)
        if -negative != pairs[pair]:  # it has become rarer since
            if pairs[pair] > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        left, right = tokens[pair[0]], tokens[pair[1]]
        merges.append((left, right))
        # It is new: between borders that no merge crossed, equal text was always cut alike.
        tokens.append(join(left, right))
        for changed in _merge_everywhere(pair, len(tokens) - 1, words, counts, pairs, homes):
            heapq.heappush(heap, (-pairs[changed], changed))
    return merges


def _count_pairs(words, counts):
    """({pair: how often}, {pair: the numbers of the words that have it})."""
    pairs, homes = Counter(), defaultdict(set)
    for number, (word, count) in enumerate(zip(words, counts)):
        for pair in zip(word, word[1:]):
            pairs[pair] += count
            homes[pair].add(number)
    return pairs, homes


def _merge_everywhere(pair, new, words, counts, pairs, homes):
    """Merge a pair in all words, and correct the counts. The pairs that are more frequent now."""
    changes = Counter()
    for number in homes.pop(pair):  # some may have lost the pair to another merge
        before, count = words[number], counts[number]
        words[number] = after = _merged(before, pair, new)
        for neighbours in zip(before, before[1:]):
            changes[neighbours] -= count
        for neighbours in zip(after, after[1:]):
            changes[neighbours] += count
            homes[neighbours].add(number)
    pairs.update(changes)
    return [neighbours for neighbours, change in changes.items() if change > 0]


def _merged(word, pair, new):
    """The word with `new` for each such pair, from left to right."""
    result, i = [], 0
    while i < len(word):
        if (*word[i : i + 2],) == pair:
            result.append(new)
            i += 2
        else:
            result.append(word[i])
            i += 1
    return result
