"""Schedules against their formulas, and against values of Keras 3.15 where it has them."""

import math

import pytest

from minigrad import schedules

EXAMPLES = [
    schedules.Constant(0.1),
    schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001]),
    schedules.ExponentialDecay(0.1, 10, 0.5),
    schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
    schedules.StepDecay(0.1, 10),
    schedules.CosineDecay(0.1, 10),
    schedules.CosineDecay(0.1, 10, alpha=0.2, warmup_target=0.5, warmup_steps=4),
]
EVERY = pytest.mark.parametrize("schedule", EXAMPLES, ids=str)


@EVERY
def test_rates_are_python_floats(schedule):
    assert all(type(schedule(step)) is float for step in range(40))


@EVERY
def test_a_configuration_makes_the_same_schedule_again(schedule):
    written = {"class_name": type(schedule).__name__, "config": schedule.get_config()}
    again = schedules.get(written)
    assert [again(step) for step in range(40)] == [schedule(step) for step in range(40)]


def test_a_piecewise_constant_changes_after_its_boundaries():
    schedule = EXAMPLES[1]
    rates = [schedule(step) for step in (0, 10, 11, 20, 21, 1000)]
    assert rates == [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]


def test_exponential_decay_is_smooth():
    schedule = schedules.ExponentialDecay(0.1, 10, 0.5)
    rates = [schedule(step) for step in (0, 5, 10, 30)]
    assert rates == pytest.approx([0.1, 0.1 / math.sqrt(2), 0.05, 0.0125])


def test_a_staircase_falls_once_in_decay_steps():
    schedule = schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True)
    assert [schedule(step) for step in (0, 9, 10, 19, 20)] == [0.1, 0.1, 0.05, 0.05, 0.025]


def test_step_decay_falls_to_a_tenth():
    schedule = schedules.StepDecay(1.0, 10)
    assert [schedule(step) for step in (9, 10, 20)] == pytest.approx([1.0, 0.1, 0.01])


def test_cosine_decay_falls_to_alpha_and_stays():
    schedule = schedules.CosineDecay(1.0, 10, alpha=0.1)
    rates = [schedule(step) for step in (0, 5, 10, 20)]
    assert rates == pytest.approx([1.0, 0.55, 0.1, 0.1])


def test_cosine_decay_with_warm_up_equals_keras():
    schedule = schedules.CosineDecay(0.1, 10, alpha=0.2, warmup_target=0.5, warmup_steps=4)
    keras = [
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.4902113,
        0.4618034,
        0.4175571,
        0.3618034,
        0.3,
        0.2381966,
        0.182443,
        0.1381966,
        0.1097887,
        0.1,
        0.1,
        0.1,
    ]
    assert [schedule(step) for step in range(17)] == pytest.approx(keras, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.Constant(-1), "learning_rate=-1"),
        (lambda: schedules.Constant(float("nan")), "learning_rate=nan"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "one value more"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [1, 2, 3]), "rising boundaries"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps=0"),
        (lambda: schedules.CosineDecay(0.1, -5), "decay_steps=-5"),
        (lambda: schedules.CosineDecay(0.1, 5, warmup_steps=3), "needs the warmup_target"),
        (lambda: schedules.get({"class_name": "Cosine", "config": {}}), "did you mean 'CosineDec"),
        (lambda: schedules.get(None), "Received: None"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
