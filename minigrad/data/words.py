"""Words as numbers: which word it is, for an Embedding; how much it tells, for a linear model."""

from collections import Counter

import numpy as np

FILL, UNKNOWN = 0, 1  # numbers that are no word


class Vocabulary:
    """Words as integers: 0 fills up, as `Embedding(mask_zero=True)` wants it, and 1 is unknown.

    texts  lists of words, to learn from: those that only the test has must stay unknown
    least  in how many of the texts a word must be, to be known

    `words` is the list of all that are known, those of most texts first; word i has the number
    i + 2. `size` is how many numbers there are.
    """

    def __init__(self, texts, least=2):
        texts_with = Counter()
        for words in texts:
            texts_with.update(set(words))
        known = [word for word, count in texts_with.items() if count >= least]
        if not known:
            raise ValueError(f"no word is in {least} of the {len(texts)} texts. Received: {least=}")
        self.words = sorted(known, key=lambda word: (-texts_with[word], word))
        self.size = len(self.words) + 2
        self._numbers = {word: number for number, word in enumerate(self.words, 2)}

    def numbers(self, words):
        """The number of each word.   -> int64 (t,)"""
        return np.array([self._numbers.get(word, UNKNOWN) for word in words], np.int64)


class TfIdf:
    """How often a word is in an example, and how seldom in others.   (n, t) -> float32 (n, size)

        x[i, w] = log(1 + count of w in example i) · idf[w], divided by the length of the row
        idf[w] = log((1 + n) / (1 + examples with w)) + 1

    Where a word stands plays no part. Examples are rows of a Vocabulary's numbers; `fit` counts
    them, and 0 is nothing. K. Spärck Jones ("A statistical interpretation of term specificity and
    its application in retrieval", 1972) has the idea of the second factor.
    """

    def __init__(self, size):
        self.size = size

    def fit(self, x):
        """Learn idf from the examples to train on; returns the object itself."""
        with_word = (self._counts(x) > 0).sum(axis=0)
        self.idf = np.log((1 + len(x)) / (1 + with_word)) + 1
        return self

    def transform(self, x):
        """A row of length 1 for each example, of zeros for one without words."""
        weighted = np.log1p(self._counts(x)) * self.idf
        length = np.linalg.norm(weighted, axis=1, keepdims=True)
        return (weighted / np.where(length == 0, 1, length)).astype(np.float32)

    def _counts(self, x):
        n, t = x.shape
        cells = np.arange(n)[:, None] * self.size + x
        counts = np.bincount(cells.ravel(), minlength=n * self.size).reshape(n, self.size)
        counts[:, FILL] = 0
        return counts
