"""What a fine-tuning says while it goes on, and when its time is over."""

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
            left = pace * (self.steps * self.epochs - self.done)
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


class StopAfter(Callback):
    """The end of a training after so many minutes, wherever in an epoch it is."""

    def __init__(self, minutes):
        self.seconds = 60 * minutes

    def on_train_begin(self):
        self.began = time.perf_counter()

    def on_train_batch_end(self, step, logs):
        if time.perf_counter() - self.began > self.seconds:
            self.model.stop_training = True
