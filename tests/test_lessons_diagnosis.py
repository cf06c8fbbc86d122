"""Which mistake a wrong function makes: by what it does, however it is written."""

import numpy as np

from lessons import answers, diagnosis
from lessons import lesson as lessons


def exercise(number):
    return lessons.find(number)


def sentence(number, mistake):
    named = {a.function.__name__: a.sentence for a in answers.wrong_answers(number)}
    return named[mistake]


def test_a_mistake_written_differently_is_the_same_mistake():
    def mean(y, predicted):
        total = 0 * np.sum(y)
        for one, other in zip(y, predicted):
            total = total + (one - other) ** 2
        return total / max(len(y), 1)

    found = diagnosis.reason(exercise("2.2"), mean)
    assert found == sentence("2.2", "mean_of_squares")


def test_a_mistake_is_known_though_the_function_fails_at_the_edge_as_well():
    def mean(y, predicted):
        if len(y) < 2:
            raise ValueError("too few")
        return np.mean((predicted - y) ** 2)

    found = diagnosis.reason(exercise("2.2"), mean)
    assert found == sentence("2.2", "mean_of_squares")


def test_what_is_like_no_known_mistake_is_not_named():
    assert diagnosis.reason(exercise("2.2"), lambda y, predicted: np.sum(y) + 17.0) is None
    assert diagnosis.reason(exercise("2.2"), lambda y, predicted: 1 / 0) is None


def test_one_mistake_where_there_is_no_other_is_not_enough_to_be_named():
    def mean_of_three_alone(y, predicted):
        error = (predicted - y) ** 2
        return np.mean(error) if len(y) == 3 else 1e6 + np.sum(error)

    assert diagnosis.reason(exercise("2.2"), mean_of_three_alone) is None


def test_two_mistakes_equally_near_are_not_named(monkeypatch):
    wrong = answers.wrong_answers("2.2")
    monkeypatch.setattr(answers, "wrong_answers", lambda number: [*wrong, wrong[0]])
    assert diagnosis.reason(exercise("2.2"), wrong[0].function) is None


def test_a_function_without_an_end_is_not_compared():
    def endless(y, predicted):
        while True:
            pass

    assert diagnosis.reason(exercise("2.2"), endless) is None
