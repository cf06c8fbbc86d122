"""Which byte pairs to merge: learned from how often they stand together in a text.

    count the words
    as long as there is room:
        merge the pair of neighbours that is most frequent, everywhere

Counts are kept and corrected: a merge looks only at the words that have its pair.
"""

import heapq
from collections import Counter, defaultdict

from . import byte_level


def learn_merges(texts, room, words_of):
    """(tokens, merges) from texts: [bytes] in the order of ids, and [(bytes, bytes)].

    room      how many tokens there may be besides the 256 bytes
    words_of  a function of a text that gives its words

    Of pairs that are equally frequent, the one goes first whose ids are lower, the left id before
    the right one: the rule of Hugging Face's trainer.
    """
    tokens = [bytes([value]) for value in byte_level.ORDER]
    byte_ids = {token[0]: id for id, token in enumerate(tokens)}
    counts = Counter()
    for text in texts:
        counts.update(words_of(text))
    words = [[byte_ids[value] for value in word.encode()] for word in counts]
    return tokens, _merges(tokens, words, list(counts.values()), room)


def _merges(tokens, words, counts, room):
    """The merges of words, lists of ids; `tokens` grows by one for each new token."""
    ids = {token: id for id, token in enumerate(tokens)}
    pairs = Counter()  # {(id, id): how often}
    places = defaultdict(set)  # {(id, id): the numbers of words that have it, or had it}
    for number, (word, count) in enumerate(zip(words, counts)):
        for pair in zip(word, word[1:]):
            pairs[pair] += count
            places[pair].add(number)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    full, merges = len(tokens) + room, []
    while heap and len(tokens) < full:
        negative, pair = heapq.heappop(heap)
        if -negative != pairs[pair]:  # counted long ago
            if pairs[pair] > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        left, right = tokens[pair[0]], tokens[pair[1]]
        merged = ids.setdefault(left + right, len(tokens))
        if merged == len(tokens):
            tokens.append(left + right)
        merges.append((left, right))
        changed = Counter()
        for number in places.pop(pair):
            word, count = words[number], counts[number]
            words[number] = _merged(word, pair, merged)
            for neighbours in zip(word, word[1:]):
                changed[neighbours] -= count
            for neighbours in zip(words[number], words[number][1:]):
                changed[neighbours] += count
                places[neighbours].add(number)
        for neighbours, change in changed.items():
            pairs[neighbours] += change
            if change > 0:
                heapq.heappush(heap, (-pairs[neighbours], neighbours))
        del pairs[pair]
    return merges


def _merged(word, pair, merged):
    """The word with one token for each such pair, from left to right."""
    result, i = [], 0
    while i < len(word):
        if (*word[i : i + 2],) == pair:
            result.append(merged)
            i += 2
        else:
            result.append(word[i])
            i += 1
    return result
