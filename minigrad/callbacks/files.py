"""Callbacks that write files: models, a table of numbers, a log for TensorBoard."""

import csv
import errno
import io
import os
import time
from pathlib import Path

from ..registry import is_integer, look_up
from .callback import Callback
from .monitor import Monitor


def check_frequency(save_freq):
    """`save_freq` if it is "epoch" or a number of steps; else a ValueError."""
    if save_freq != "epoch" and not is_integer(save_freq):
        raise ValueError(
            f"save_freq is 'epoch' or a number of steps, from 1 up. Received: {save_freq!r}"
        )
    return save_freq


class ModelCheckpoint(Callback):
    """Save the model after each epoch, or after every `save_freq` steps.

    filepath           the file; {epoch} (counted from 1) and the logged numbers may be part of its
                       name: "model-{epoch:02d}-{val_loss:.3f}.safetensors". Without them each save
                       replaces the one before, all of it or not at all
    save_best_only     True saves only what is better in `monitor` than all before; `mode` says
                       which way, as for Monitor
    save_weights_only  True writes what `model.load_weights` reads, not the whole model

    ValueError for a name in braces that fit does not log, OSError where the file cannot be written.
    """

    state_names = ("best", "steps")

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
    ):
        self.filepath = os.fspath(filepath)
        self.monitor = Monitor(monitor, mode) if save_best_only else None
        self.save_weights_only = save_weights_only
        self.save_freq = check_frequency(save_freq)

    def on_train_begin(self):
        self.best, self.steps = None, 0

    def on_train_batch_end(self, batch, logs):
        self.steps += 1
        if self.save_freq != "epoch" and self.steps % self.save_freq == 0:
            self._save(self.run.epoch, logs)

    def on_epoch_end(self, epoch, logs):
        if self.save_freq == "epoch":
            self._save(epoch, logs)

    def _save(self, epoch, logs):
        if self.monitor is not None:
            value = self.monitor.read(logs)
            if not self.monitor.better(value, self.best):
                return
            self.best = value
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(self._path({"epoch": epoch + 1, **logs}))

    def _path(self, numbers):
        try:
            return self.filepath.format_map(numbers)
        except KeyError as error:
            look_up(f"name in filepath={self.filepath!r}:", error.args[0], numbers)
        except (ValueError, IndexError, AttributeError) as error:
            raise ValueError(f"filepath={self.filepath!r} is no file name: {error}") from error


class CSVLogger(Callback):
    """Write a line per epoch to a CSV file: the epoch, counted from 0, and the logged numbers.

    append  True goes on at the end of a file that is there; False begins it anew

    A training that goes on from a backup writes each line once; with append=True, the lines of one
    that was killed before its first backup stay. OSError where a line cannot be written; then the
    lines before it are whole.
    """

    state_names = ("columns", "size")

    def __init__(self, filename, separator=",", append=False):
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator is one character. Received: separator={separator!r}")
        self.path = Path(filename)
        self.separator = separator
        self.append = append

    def on_train_begin(self):
        self.columns, self.size = None, 0  # what is there goes at the first line, not before:
        self.path.open("ab").close()  # a backup may still say that it is part of this training
        if self.append and self.path.stat().st_size > 0:
            self._read()

    def on_epoch_end(self, epoch, logs):
        numbers = {"epoch": epoch, **logs}
        rows = [] if self.columns else [list(numbers)]
        self.columns = self.columns or list(numbers)
        if set(self.columns) != set(numbers):
            raise ValueError(
                f"{self.path} has the columns {', '.join(self.columns)}. "
                f"Received: {', '.join(numbers)}"
            )
        rows.append([numbers[name] for name in self.columns])
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator="\n").writerows(rows)
        self._write(text.getvalue().encode())

    def _read(self):
        """Take the columns and the size of a file that is there; its last line may lack its end."""
        content = self.path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.path} is no text in UTF-8: {error}") from error
        self.columns = next(csv.reader(io.StringIO(text, newline=""), delimiter=self.separator))
        self.size = len(content)
        if not content.endswith(b"\n"):
            self._write(b"\n")

    def _write(self, lines):
        """Write after the lines that are known, in the place of whatever came after them."""
        with open(self.path, "r+b", buffering=0) as file:
            try:
                file.truncate(self.size)
                file.seek(self.size)
                written = file.write(lines)
                if written < len(lines):
                    raise OSError(errno.ENOSPC, f"{written} of {len(lines)} bytes were written")
            except OSError as error:
                file.truncate(self.size)
                raise OSError(error.errno, error.strerror, str(self.path)) from error
        self.size += len(lines)

    def set_state(self, state):
        """Go on after the lines that were written then; ValueError if the file has become less."""
        super().set_state(state)
        if not self.path.exists() or self.path.stat().st_size < self.size:
            raise ValueError(
                f"{self.path} has lost lines since the training was interrupted: "
                f"{self.size} bytes were written"
            )
        self._write(b"")


class TensorBoard(Callback):
    """Write what TensorBoard draws: `tensorboard --logdir logs` shows each number by epoch.

    log_dir  the folder. Training goes to log_dir/train and validation to log_dir/validation, so
             that both are curves of one picture: "epoch_loss", "epoch_accuracy", ...

    It needs the package tensorboardX: pip install "minigrad[tensorboard]".
    """

    def __init__(self, log_dir="logs"):
        self.log_dir = Path(log_dir)

    def on_train_begin(self):
        self.writers = {}
        try:
            import tensorboardX  # noqa: F401
        except ImportError as error:
            raise ImportError(
                'a log for TensorBoard needs tensorboardX: pip install "minigrad[tensorboard]"'
            ) from error

    def on_epoch_end(self, epoch, logs):
        for name, value in logs.items():
            part = "validation" if name.startswith("val_") else "train"
            writer = self._writer(part, epoch)
            writer.add_scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        for writer in self.writers.values():
            writer.flush()

    def _writer(self, part, epoch):
        """The log of a part. A new one takes the place of whatever was logged from `epoch` on."""
        if part not in self.writers:
            from tensorboardX import SummaryWriter

            suffix = f".{time.time_ns()}"  # two logs begun in one second are two files
            folder = str(self.log_dir / part)
            self.writers[part] = SummaryWriter(folder, purge_step=epoch, filename_suffix=suffix)
        return self.writers[part]

    def on_train_end(self):
        for writer in self.writers.values():
            writer.close()
