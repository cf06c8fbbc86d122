"""Schedules: learning rates that change with the number of steps taken.

They return Python floats, so that a rate never decides the dtype of what it multiplies.
"""

import bisect
import math

from .registry import Configurable, check_number, resolve


class Schedule(Configurable):
    """rate = schedule(step), step 0, 1, 2, ...   The base; any function of step does as well."""

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")


class Constant(Schedule):
    """rate(t) = α"""

    def __init__(self, learning_rate):
        self.learning_rate = check_number("learning_rate", learning_rate)

    def __call__(self, step):
        return self.learning_rate


class PiecewiseConstantDecay(Schedule):
    """rate(t) = values[i] for boundaries[i-1] < t <= boundaries[i]:  one value more than boundaries

    >>> schedule = PiecewiseConstantDecay([1000, 2000], [0.1, 0.01, 0.001])
    >>> [schedule(step) for step in (1000, 1001, 2000, 2001)]
    [0.1, 0.01, 0.01, 0.001]
    """

    def __init__(self, boundaries, values):
        self.boundaries = list(boundaries)
        self.values = [check_number("values", value) for value in values]
        rising = sorted(self.boundaries) == self.boundaries
        if not rising or len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                "PiecewiseConstantDecay needs rising boundaries and one value more than them. "
                f"Received: boundaries={self.boundaries}, values={self.values}"
            )

    def __call__(self, step):
        return self.values[bisect.bisect_left(self.boundaries, step)]


class ExponentialDecay(Schedule):
    """rate(t) = α γ^(t / T);   α initial_learning_rate, γ decay_rate, T decay_steps

    With `staircase`, t / T is rounded down, and the rate falls once in T steps.
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False):
        self.initial_learning_rate = check_number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = check_number("decay_steps", decay_steps, positive=True)
        self.decay_rate = check_number("decay_rate", decay_rate)
        self.staircase = staircase

    def __call__(self, step):
        exponent = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (
            math.floor(exponent) if self.staircase else exponent
        )


class StepDecay(ExponentialDecay):
    """rate(t) = α γ^⌊t / T⌋: a tenth, unless decay_rate says otherwise, once in T = decay_steps"""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate=0.1):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase=True)


class CosineDecay(Schedule):
    """rate(t) = α (a + (1 - a) (1 + cos(π t / T)) / 2) for t <= T, then α a

    α initial_learning_rate, a alpha (the share that remains at the end), T decay_steps. With a
    warmup_target ω the rate first rises from α to ω, in a straight line over warmup_steps, and the
    T steps down from ω come after (Loshchilov & Hutter, 2017).
    """

    def __init__(
        self, initial_learning_rate, decay_steps, alpha=0.0, warmup_target=None, warmup_steps=0
    ):
        self.initial_learning_rate = check_number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = check_number("decay_steps", decay_steps, positive=True)
        self.alpha = check_number("alpha", alpha)
        self.warmup_target = (
            None if warmup_target is None else check_number("warmup_target", warmup_target)
        )
        self.warmup_steps = check_number("warmup_steps", warmup_steps)
        if warmup_steps and warmup_target is None:
            raise ValueError(
                f"warmup_steps={warmup_steps} needs the warmup_target that the rate rises to"
            )

    def __call__(self, step):
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, step = self.warmup_target, step - self.warmup_steps
        cosine = (1 + math.cos(math.pi * min(step / self.decay_steps, 1.0))) / 2
        return top * (self.alpha + (1 - self.alpha) * cosine)


_SCHEDULES = {
    c.__name__: c
    for c in (Constant, PiecewiseConstantDecay, ExponentialDecay, StepDecay, CosineDecay)
}


def get(schedule):
    """The schedule that is meant: an object, a function of step, or {"class_name", "config"}."""
    schedule = resolve("schedule", schedule, _SCHEDULES)
    if schedule is None:
        raise ValueError("a learning rate must be a number or a schedule. Received: None")
    return schedule
