"""What happens beside training: callbacks hear when it begins, when an epoch ends, and so on."""

import functools
import sys
import time
from collections.abc import Mapping

from .registry import look_up


class Callback:
    """Override what you need; `self.model` is the model.

    logs  the running means of loss and metrics, a mapping of name -> float. In
          `on_train_batch_end` a number is read from the device only when it is looked up: looking
          at every step costs speed on a GPU.

    `self.model.stop_training = True` ends fit after the batch.
    """

    model = None

    def on_train_begin(self):
        """Before the first epoch."""

    def on_epoch_begin(self, epoch):
        """Before each epoch; epochs count from 0."""

    def on_train_batch_begin(self, batch):
        """Before each step; batches count from 0."""

    def on_train_batch_end(self, batch, logs):
        """After each step; batches count from 0."""

    def on_epoch_end(self, epoch, logs):
        """After each epoch and its validation; logs then has val_loss, val_accuracy, ... too."""

    def on_train_end(self):
        """After the last epoch."""


MOMENTS = [name for name in vars(Callback) if name.startswith("on_")]


class LambdaCallback(Callback):
    """A callback made of functions.

    LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(self, **functions):
        for name, function in functions.items():
            look_up("moment", name, dict.fromkeys(MOMENTS))
            setattr(self, name, function)


class History(Callback):
    """What `fit` returns: `.history` {"loss": [...], "val_loss": [...], ...}, and `.epoch` [...].

    Each list has one number per epoch.
    """

    def __init__(self):
        self.history = {}
        self.epoch = []

    def on_epoch_end(self, epoch, logs):
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)


class ProgressBar(Callback):
    """A line per epoch: loss, metrics, time left. It reads the loss at most ten times a second."""

    def __init__(self, epochs, batches=None):
        self.epochs = epochs
        self.batches = batches

    def on_epoch_begin(self, epoch):
        from tqdm import tqdm

        self.bar = tqdm(
            total=self.batches,
            desc=f"Epoch {epoch + 1}/{self.epochs}",
            unit="step",
            file=sys.stdout,
            dynamic_ncols=True,
            mininterval=0.1,
        )
        self.shown = time.monotonic()

    def on_train_batch_end(self, batch, logs):
        if time.monotonic() - self.shown > 0.1:
            self.shown = time.monotonic()
            self._show(logs)
        self.bar.update()

    def on_epoch_end(self, epoch, logs):
        self._show(logs)
        self.bar.close()

    def _show(self, logs):
        self.bar.set_postfix({name: f"{value:.4g}" for name, value in logs.items()}, refresh=False)


class EpochLines(Callback):
    """A plain line per epoch, for logs and files: verbose=2."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_begin(self, epoch):
        self.began = time.monotonic()

    def on_epoch_end(self, epoch, logs):
        seconds = time.monotonic() - self.began
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
        print(f"epoch {epoch + 1}/{self.epochs}  {seconds:.1f} s  {numbers}", flush=True)


class CallbackList:
    """All callbacks of one fit: told.on_epoch_end(epoch, logs) tells each that overrides it."""

    def __init__(self, callbacks, model):
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise ValueError(f"callbacks are Callback objects. Received: {callback!r}")
            unknown = {name for name in dir(callback) if name.startswith("on_")} - {*MOMENTS}
            if unknown:
                raise ValueError(
                    f"{type(callback).__name__} has {', '.join(sorted(unknown))}, which fit never "
                    f"calls. Known: {', '.join(MOMENTS)}"
                )
            callback.model = model
        for moment in MOMENTS:
            default = getattr(Callback, moment)
            methods = [getattr(callback, moment) for callback in callbacks]
            listeners = [m for m in methods if getattr(m, "__func__", m) is not default]
            setattr(self, moment, functools.partial(_tell, listeners))


def _tell(listeners, *arguments):
    for listener in listeners:
        listener(*arguments)


class RunningLogs(Mapping):
    """{name: running mean}, read from the device when looked up."""

    def __init__(self, means):
        self._means = means

    def __getitem__(self, name):
        return self._means[name].result()

    def __iter__(self):
        return iter(self._means)

    def __len__(self):
        return len(self._means)


def wants_bar(verbose):
    """Whether `verbose` asks for a progress bar: 1 does; "auto", in a terminal or a notebook."""
    if verbose not in (0, 1, 2, "auto"):
        raise ValueError(f"verbose is 0, 1, 2 or 'auto'. Received: {verbose!r}")
    if verbose == "auto":
        return sys.stdout.isatty() or "ipykernel" in sys.modules
    return verbose == 1


def progress(batches, description, verbose):
    """The same batches, with a progress bar if wanted."""
    if not wants_bar(verbose):
        return batches
    from tqdm import tqdm

    return tqdm(batches, desc=description, unit="step", file=sys.stdout, dynamic_ncols=True)
