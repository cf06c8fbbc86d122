"""Where a fine-tuning stands, written down for another process that goes on with it."""

import json
import math
import time
from pathlib import Path

from .. import checkpoint
from ..callbacks import BackupAndRestore
from ..finetune.base_fingerprint import base_fingerprint

FILE = "backup.safetensors"
SECONDS = 30  # between two backups
SETTINGS = "settings of the fine-tuning"


class Backup(BackupAndRestore):
    """The file of a fine-tuning that is not over, from its first step until its model is saved.

    folder  where it lies, or will
    resume  whether there is one to go on with; FileNotFoundError if there is none

    settings  those of the training that goes on, {name: value}; None if it is a new one
    """

    def __init__(self, folder, resume):
        super().__init__(folder)
        if resume and not self.path.exists():
            raise FileNotFoundError(
                f"there is nothing to resume in {folder}: a fine-tuning has a {FILE} from its "
                "first step until its model is saved"
            )
        self.settings = settings_in(self.path) if resume else None
        self.written = -math.inf

    def check(self, settings, model):
        """Remember what the training is about; it must be the same where one goes on.

        Where base and data lie may have changed: what they are is in the rest of the identity.
        """
        of_base = base_fingerprint(model.base)
        self.about = {f"{name} of the base": of_base[name] for name in ("weights", "tokenizer")}
        self.about[SETTINGS] = json.dumps(self.settings or settings._asdict())

    def on_train_batch_end(self, batch, logs):
        if time.perf_counter() - self.written >= SECONDS:
            self._write(logs)
            self.written = time.perf_counter()

    def on_epoch_end(self, epoch, logs):
        """Nothing: an epoch may be much shorter than SECONDS, or much longer."""

    def on_train_end(self):
        """Nothing: there is more to do before the model is saved."""

    def remove(self):
        """The training is over."""
        self.path.unlink(missing_ok=True)


def settings_in(path):
    """The settings of the fine-tuning that a file backs up. ValueError if it is no such file."""
    content = checkpoint.load_tree(Path(path))
    try:
        return json.loads(content["identity"][SETTINGS])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no backup of a fine-tuning") from error
