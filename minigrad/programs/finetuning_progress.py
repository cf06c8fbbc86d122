"""What a fine-tuning says while it goes on, how long it takes, and when its time is over."""

import math
import sys
import time

from ..callbacks import Callback
from .pretraining_report import clock

OFTEN = 0.2  # seconds between two looks at the line


class Line(Callback):
    """A line for each epoch; in a terminal also one that shows how far the epoch has come."""

    def __init__(self, report, epochs, steps):
        self.report, self.epochs, self.steps = report, epochs, steps

    def on_train_begin(self):
        self.is_live = sys.stdout.isatty()
        self.shown = time.perf_counter()
        self.done = 0

    def on_train_batch_end(self, step, logs):
        self.done += 1
        now = time.perf_counter()
        if self.done == 1:
            self.began = now  # the first step compiles, and tells nothing of the others
        elif self.is_live and now - self.shown > OFTEN:
            self.shown = now
            pace = (now - self.began) / (self.done - 1)
            left = pace * (self.steps * (self.epochs - self.run.epoch) - (step + 1))
            print(
                f"\r  step {step + 1} of {self.steps}: loss {logs['loss']:.4f}, "
                f"{clock(left)} left at most \033[K",
                end="",
                flush=True,
            )

    def on_epoch_end(self, epoch, logs):
        if self.is_live:
            print("\r\033[K", end="")
        numbers = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
        words = numbers.replace("val_", "validation ").replace("_", " ")
        self.report.say(f"  epoch {epoch + 1}: {words}")


class Clock(Callback):
    """The `seconds` that a training takes, without the time of an interruption.

    minutes  after so many it ends, wherever in an epoch it is; None for no end
    """

    state_names = ("seconds",)

    def __init__(self, minutes=None):
        self.most = math.inf if minutes is None else 60 * minutes

    def on_train_begin(self):
        self.seconds, self.looked = 0.0, time.perf_counter()

    def on_train_batch_end(self, step, logs):
        self._count()
        if self.seconds > self.most:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs):
        self._count()

    def _count(self):
        now = time.perf_counter()
        self.seconds, self.looked = self.seconds + now - self.looked, now
