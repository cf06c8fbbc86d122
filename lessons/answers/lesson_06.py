"""Answers to the exercises of lesson 6."""

import numpy as np

from . import right, wrong


@wrong("6.3", "It divides by the sum of all numbers. Every row has a sum of its own.")
def all_rows_together(x, axis=-1):
    e = np.exp(x - x.max())
    p = e / e.sum()
    return p, lambda g: p * (g - (g * p).sum())


@wrong("6.3", "The axis is not used: the sum always runs along the last one.")
def always_the_last_axis(x, axis=-1):
    e = np.exp(x - x.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p, lambda g: p * (g - (g * p).sum(-1, keepdims=True))


@wrong("6.3", "The pullback lacks a term: every pⱼ depends on every xᵢ, through the sum.")
def no_sum_in_the_pullback(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return p, lambda g: g * p * (1 - p)


@right("6.3")
def by_logarithms(x, axis=-1):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    p = np.exp(shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)))
    return p, lambda g: g * p - p * np.sum(g * p, axis=axis, keepdims=True)
