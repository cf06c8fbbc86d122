"""Callbacks that end a training early."""

import math
from numbers import Real

from ..registry import check_number
from .callback import Callback
from .monitor import Monitor


class EarlyStopping(Callback):
    """End fit after `patience` epochs in a row without a better `monitor`.

    monitor               the logged number that should become better; `mode` says which way, and
                          `min_delta` by how much, as for Monitor
    baseline              a value that must be surpassed to count as better
    restore_best_weights  True gives the model the weights of its best epoch when fit ends
    start_from_epoch      how many epochs to let pass first

    Afterwards `best` and `best_epoch` are those of the best epoch, and `stopped_epoch` the one that
    fit ended after, None if it came to its end. Epochs count from 0.
    Prechelt, "Early stopping - but when?", 1998, compares such rules.
    """

    state_names = ("best", "best_epoch", "best_weights", "wait", "stopped_epoch")

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        self.monitor = Monitor(monitor, mode, min_delta)
        self.patience = check_number("patience", patience)
        if not (baseline is None or isinstance(baseline, Real)):
            raise ValueError(f"baseline is a number or None. Received: baseline={baseline!r}")
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = check_number("start_from_epoch", start_from_epoch)

    def on_train_begin(self):
        self.best = self.best_epoch = self.best_weights = self.stopped_epoch = None
        self.wait = 0

    def on_epoch_end(self, epoch, logs):
        value = self.monitor.read(logs)
        if epoch < self.start_from_epoch:
            return
        if self.monitor.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.monitor.better(value, self.baseline):
                self.wait = 0
                return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self):
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """End fit after the first batch that makes the loss NaN or infinite. It reads each loss.

    fit then returns its History; without this callback it raises a ValueError after the epoch.
    """

    def on_train_batch_end(self, batch, logs):
        if not math.isfinite(logs["loss"]):
            self.model.stop_training = True
