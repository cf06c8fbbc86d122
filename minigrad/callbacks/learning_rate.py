"""Callbacks that change the learning rate from epoch to epoch.

`minigrad.schedules` does so from step to step, inside the optimizer.
"""

from inspect import signature

from ..registry import check_number
from .callback import Callback
from .monitor import Monitor


class LearningRateScheduler(Callback):
    """Before each epoch: learning_rate ← schedule(epoch, learning_rate), or schedule(epoch)

    Epochs count from 0. The rate is in the logs of each epoch as "learning_rate".
    """

    def __init__(self, schedule):
        try:
            parameters = signature(schedule).parameters
        except (TypeError, ValueError) as error:  # not callable, or a builtin that hides them
            raise ValueError(
                f"schedule is a function of the epoch, or of epoch and rate. Received: {schedule!r}"
            ) from error
        self.schedule = schedule
        self.takes_rate = len(parameters) > 1

    def on_epoch_begin(self, epoch):
        rate = constant_rate(self)
        arguments = (epoch, rate) if self.takes_rate else (epoch,)
        self.model.optimizer.learning_rate = check_number(
            f"the learning rate of epoch {epoch}", self.schedule(*arguments)
        )

    def on_epoch_end(self, epoch, logs):
        logs["learning_rate"] = constant_rate(self)


class ReduceLROnPlateau(Callback):
    """learning_rate ← factor · learning_rate after `patience` epochs without a better `monitor`.

    monitor            the logged number that should become better; `mode` says which way, and
                       `min_delta` by how much, as for Monitor
    cooldown           epochs to let pass after each reduction before counting again
    min_learning_rate  the rate never becomes less

    The rate of each epoch is in its logs as "learning_rate".
    """

    state_names = ("best", "wait", "cooling")

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_learning_rate=0.0,
    ):
        self.monitor = Monitor(monitor, mode, min_delta)
        self.factor = check_number("factor", factor, below=1)
        self.patience = check_number("patience", patience)
        self.cooldown = check_number("cooldown", cooldown)
        self.min_learning_rate = check_number("min_learning_rate", min_learning_rate)

    def on_train_begin(self):
        self.best, self.wait, self.cooling = None, 0, 0
        constant_rate(self)

    def on_epoch_end(self, epoch, logs):
        rate = logs["learning_rate"] = constant_rate(self)
        value = self.monitor.read(logs)
        if self.cooling:
            self.cooling -= 1
            self.wait = 0
        if self.monitor.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooling:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_learning_rate:
                self.model.optimizer.learning_rate = max(self.factor * rate, self.min_learning_rate)
                self.wait, self.cooling = 0, self.cooldown


def constant_rate(callback):
    """The learning rate, a float; ValueError if the optimizer follows a schedule of its own."""
    rate = callback.model.optimizer.learning_rate
    if callable(rate):
        raise ValueError(
            f"{type(callback).__name__} sets the learning rate, and the optimizer follows a "
            f"schedule already. Received: learning_rate={rate!r}"
        )
    return rate
