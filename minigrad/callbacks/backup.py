"""A training that outlives its process."""

import math
import warnings
from pathlib import Path

from .. import checkpoint
from ..atomic import remove_leftovers
from ..environment import differences, environment, warn_if_made_elsewhere
from .callback import Callback
from .files import check_frequency

_finished = set()  # the backup files of the trainings that have ended in this process


class BackupAndRestore(Callback):
    """Back up the whole training, and go on from there when the same program is run again.

    backup_dir  a folder for the file backup.safetensors, made if it is not there. Each call of fit
                in a program needs one of its own
    save_freq   "epoch", or after how many steps to back up

    A run that was killed at any moment ends as one that was not: with the same weights, optimizer,
    random numbers, order of the data, History, metrics and callbacks, bit by bit. What a callback
    of your own remembers is part of that if its `state_names` says so. The file is replaced in one
    step, and removed when fit ends; after an error in fit it stays. A loss that is NaN or infinite
    is not backed up. Where the file cannot be written, as on a full disk, a warning says so, the
    training goes on, and the last backup stays.

    ValueError if the data are an iterator, such as a generator, which cannot be begun anew; or if
    the backup is one of another training: another model, optimizer, batch size, data, ... A warning
    if versions or numbers of threads differ, since then the last digits may.
    """

    state_names = ("steps",)
    comes_last = True  # so that the others have remembered, or forgotten, what they had to
    about = {}  # noqa: RUF012 - {name: text} of what else makes a training another one

    def __init__(self, backup_dir, save_freq="epoch"):
        self.folder = Path(backup_dir)
        self.path = self.folder / "backup.safetensors"
        self.save_freq = check_frequency(save_freq)

    def on_train_begin(self):
        self.steps = 0
        self._check_alone()
        self.run.check_rewindable()
        for callback in self.run.with_memory:
            _check_memory(callback)
        self.identity, self.environment = {**self.run.identity(), **self.about}, environment()
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        self.restored = self._read() if self.path.exists() else None
        if self.restored is not None:
            self.run.set_state(self.restored)

    def on_epoch_begin(self, epoch):
        if self.restored is not None and self.run.step > 0:
            self.run.set_state(self.restored)  # once more: this epoch was begun a second time
        self.restored = None

    def on_train_batch_end(self, batch, logs):
        self.steps += 1
        if self.save_freq != "epoch" and self.steps % self.save_freq == 0:
            self._write(logs)

    def on_epoch_end(self, epoch, logs):
        if self.save_freq == "epoch":
            self._write(logs)

    def on_train_end(self):
        self.path.unlink(missing_ok=True)
        _finished.add(self.path.resolve())

    def _check_alone(self):
        """ValueError for a second one in this fit; a warning if another fit has used the folder."""
        if sum(isinstance(callback, BackupAndRestore) for callback in self.run.told.callbacks) > 1:
            raise ValueError("fit takes one BackupAndRestore, and was given several")
        if self.path.resolve() in _finished:
            warnings.warn(
                f"an earlier call of fit in this program was backed up in {self.folder} as well: "
                "after an interruption it would take this backup for its own. Give each call "
                "a folder of its own",
                stacklevel=2,
            )

    def _write(self, logs):
        if not math.isfinite(logs["loss"]):
            return  # the last backup is the better one to go on from
        content = {
            "identity": self.identity,
            "environment": self.environment,
            "run": self.run.get_state(),
        }
        try:
            checkpoint.save_tree(self.path, content)
        except OSError as error:
            warnings.warn(f"this training is not backed up: {error}", stacklevel=2)

    def _read(self):
        """The state of the run in the file, if that is this training's."""
        content = checkpoint.load_tree(self.path)
        if not isinstance(content, dict) or content.keys() != {"identity", "environment", "run"}:
            raise ValueError(f"{self.path} is no backup of a training")
        if others := differences(content["identity"], self.identity):
            raise ValueError(
                f"{self.path} is the backup of another training; delete it to begin anew. "
                f"Differences: {'; '.join(others)}"
            )
        warn_if_made_elsewhere(self.path, content["environment"])
        return content["run"]


def _check_memory(callback):
    """ValueError unless what a callback remembers can be written down."""
    kind = type(callback).__name__
    if isinstance(callback.state_names, str):
        raise ValueError(
            f"{kind}.state_names is a tuple of names. Received: {callback.state_names!r}"
        )
    try:
        memory = callback.get_state()
    except AttributeError as error:
        raise ValueError(f"{kind} does not have what it is to remember: {error}") from error
    for name, value in memory.items():
        try:
            checkpoint.check_tree(value)
        except ValueError as error:
            raise ValueError(
                f"{kind} remembers {name!r}, which cannot be written down: {error}"
            ) from error
