"""What fit tells a person: its History afterwards, a bar or a line per epoch on the way."""

import sys
import time

from .callback import Callback


class History(Callback):
    """What `fit` returns: `.history` {"loss": [...], "val_loss": [...], ...}, and `.epoch` [...].

    Each list has one number per epoch.
    """

    state_names = ("history", "epoch")

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
            initial=self.run.step if self.run else 0,
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
