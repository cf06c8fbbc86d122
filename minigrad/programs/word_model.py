"""Texts told apart by their words alone: TF-IDF, and a logistic regression on it.

It knows no order and no likeness of words, learns in a second, and is what a larger model has to
be better than. It equals TfidfVectorizer and LogisticRegression of scikit-learn.

n texts, v words, c classes.
"""

import re
from collections import Counter

import numpy as np

_WORD = re.compile(r"\b\w\w+\b")
_STEPS, _NEAR = 10_000, 1e-8  # at most; and how near to 0 each part of the gradient has to come


class WordModel:
    """fit(texts, labels), then predict(texts).

    c  what errors cost beside the penalty |W|² / 2 on large weights
    """

    def __init__(self, c=10.0):
        self.c = c

    def fit(self, texts, y, classes):
        """Learn from texts (n), and integers y (n,) below `classes`."""
        counts = [_count(text) for text in texts]
        words = sorted(set().union(*counts))
        self.column = {word: j for j, word in enumerate(words)}
        texts_with = Counter(word for count in counts for word in count)
        frequency = np.array([texts_with[word] for word in words])
        self.idf = np.log((1 + len(texts)) / (1 + frequency)) + 1  # (v,)
        self.weights = logistic_regression(_and_ones(self.features(texts)), y, classes, self.c)
        return self

    def features(self, texts):
        """How often each word is in each text, times its idf; each row has length 1.   (n, v)"""
        x = np.zeros((len(texts), len(self.column)))
        for i, text in enumerate(texts):
            for word, count in _count(text).items():
                if word in self.column:
                    x[i, self.column[word]] = count
        x *= self.idf
        lengths = np.linalg.norm(x, axis=1, keepdims=True)
        return x / np.where(lengths == 0, 1, lengths)

    def predict(self, texts):
        """The probability of each class.   -> (n, c)"""
        return _softmax(_and_ones(self.features(texts)) @ self.weights)


def logistic_regression(x, y, classes, c):
    """W (v, c) with the least C Σ -log softmax(x W)[i, yᵢ] + |W|² / 2; the last row is the bias.

    The penalty is not on the bias. It goes downhill with Nesterov's momentum, which begins anew
    whenever it leads uphill (O'Donoghue and Candès, 2015).
    """
    truth = np.eye(classes)[y]  # (n, c)
    penalty = np.ones((x.shape[1], 1))
    penalty[-1] = 0
    # How much the slope changes, at most: by C |x|² / 2 for the softmax, and 1 for the penalty.
    steepest = c * np.linalg.norm(x @ x.T if len(x) < x.shape[1] else x.T @ x, 2) / 2 + 1
    w = ahead = np.zeros((x.shape[1], classes))
    momentum = 1.0
    for _ in range(_STEPS):
        slope = c * x.T @ (_softmax(x @ ahead) - truth) + penalty * ahead
        if np.abs(slope).max() < _NEAR:
            return ahead
        new = ahead - slope / steepest
        if np.sum(slope * (new - w)) > 0:
            momentum = 1.0
        last, momentum = momentum, (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        w, ahead = new, new + (last - 1) / momentum * (new - w)
    return w


def _count(text):
    return Counter(_WORD.findall(text.lower()))


def _and_ones(x):
    return np.hstack([x, np.ones((len(x), 1))])


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
