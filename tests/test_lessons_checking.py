"""A check of a function: what is drawn, and what it says of functions that answer as they like."""

import numpy as np

from lessons import checking
from lessons import lesson as lessons

RELU = lessons.find("6.1")


def relu(x):
    y = np.maximum(x, 0)
    return y, lambda g: g * (y > 0)


def test_what_is_drawn_depends_on_the_seed_alone():
    def seen(seed):
        checking.drawn_cases.cache_clear()
        return [case.arguments for case in checking.drawn_cases(RELU, seed)]

    assert repr(seen(3)) == repr(seen(3)) != repr(seen(4))


def test_all_that_was_drawn_is_looked_at():
    verdict = checking.check(RELU, relu)
    drawn = len(checking.drawn_cases(RELU, 0))
    assert drawn > checking.EXAMPLES / 2
    assert verdict.counts["drawn"] == drawn
    assert verdict.counts["law"] == drawn * len(RELU.laws)


def test_the_smallest_case_that_fails_is_told():
    def wrong_between_one_and_two(x):
        y, pull = relu(x)
        return np.where((x > 1) & (x < 2), 0, y), pull

    failure = checking.check(RELU, wrong_between_one_and_two).failure
    assert failure.kind == "drawn" and failure.arguments[0].tolist() == [[1.125]]


def test_a_function_that_answers_at_random_is_not_yet_right():
    generator, calls = np.random.default_rng(0), []

    def at_random(x):
        calls.append(x)
        y, pull = relu(x)
        return y + (len(calls) > 20 and generator.random() < 0.1), pull

    assert checking.check(RELU, at_random).failure.kind == "drawn"
