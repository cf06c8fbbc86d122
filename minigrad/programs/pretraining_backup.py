"""Where a pretraining stands: counted, written down, and read again by another process."""

import math
import time
import warnings
from pathlib import Path

import numpy as np

from .. import checkpoint, random
from ..atomic import remove_leftovers
from ..data.token_file import fingerprint
from ..environment import differences, environment, warn_if_made_elsewhere

SECONDS = 30  # between two backups


class Progress:
    """How far a training has come, by its steps or by the clock.

    steps, minutes  how many there are to be: one of the two is None
    losses          of each step
    validated       [step, loss] of each look at the validation part
    """

    def __init__(self, steps, minutes):
        self.steps, self.limit = steps, 60 * (minutes or 0)
        self.losses, self.validated = [], []
        self._began = time.perf_counter()

    @property
    def step(self):
        """How many steps are done."""
        return len(self.losses)

    @property
    def seconds(self):
        """How long it has taken, without the time of an interruption."""
        return time.perf_counter() - self._began

    @property
    def is_over(self):
        """Whether there is nothing left to do."""
        return self.done >= 1

    @property
    def share(self):
        """The share of the training at the end of the step to come, or now by the clock: 0 to 1."""
        return (self.step + 1) / self.steps if self.steps else self.done

    @property
    def done(self):
        """The share of the training that is done, 0 to 1."""
        return self.step / self.steps if self.steps else min(1.0, self.seconds / self.limit)

    @property
    def left(self):
        """The seconds that are left, as far as one can tell."""
        if not self.steps:
            return max(0.0, self.limit - self.seconds)
        return self.seconds * (1 - self.done) / self.done if self.step else math.inf

    def begin(self, seconds=0.0):
        """Start the clock, `seconds` of which are gone."""
        self._began = time.perf_counter() - seconds

    def count(self, loss):
        """A step is done. ValueError if its loss is not a finite number."""
        _check_finite("loss", loss, self.step + 1)
        self.losses.append(loss)

    def look(self, loss):
        """The validation part was looked at. ValueError likewise."""
        _check_finite("validation loss", loss, self.step)
        self.validated.append([self.step, loss])

    def get_state(self):
        """All of it as plain data and arrays."""
        validated = np.array(self.validated, dtype=float).reshape(-1, 2)
        return {
            "losses": np.array(self.losses, dtype=float),
            "validated": validated,
            "seconds": self.seconds,
        }

    def set_state(self, state):
        """Go on where `get_state` was called."""
        self.losses = state["losses"].tolist()
        self.validated = [[int(step), loss] for step, loss in state["validated"].tolist()]
        self.begin(state["seconds"])


def _check_finite(name, loss, step):
    if not math.isfinite(loss):
        raise ValueError(
            f"the {name} became {loss} in step {step}. The usual reason is too large a learning "
            "rate"
        )


class Backup:
    """The file of a training that is not over: all that it would change from there on.

    folder  where it lies, or will
    resume  whether there is one to go on with

    ValueError if there is one and it is not to be gone on with; FileNotFoundError the other way.
    """

    def __init__(self, folder, resume):
        self.folder = Path(folder)
        self.path = self.path_in(folder)
        self._content = None
        if resume:
            self._content = self._read()
        elif self.path.exists():
            raise ValueError(
                f"{folder} has a training that is not over: --resume goes on with it. To begin "
                f"another, choose another folder by --out, or delete {self.path}"
            )

    @classmethod
    def remove_from(cls, folder):
        """Forget a training that was interrupted there, if there is one."""
        cls.path_in(folder).unlink(missing_ok=True)

    @staticmethod
    def path_in(folder):
        """The file in a folder."""
        return Path(folder) / "backup.safetensors"

    def _read(self):
        if not self.path.exists():
            raise FileNotFoundError(
                f"there is nothing to resume in {self.folder}: a training has a {self.path.name} "
                "from its first step to its last"
            )
        content = checkpoint.load_tree(self.path)
        names = {"settings", "identity", "environment", "state"}
        if not isinstance(content, dict) or content.keys() != names:
            raise ValueError(f"{self.path} is no backup of a pretraining")
        warn_if_made_elsewhere(self.path, content["environment"])
        return content

    @property
    def settings(self):
        """Those of the training that goes on, {name: value}; None if it is a new one."""
        return self._content["settings"] if self._content else None

    def check(self, settings, corpus, tokenizer):
        """Remember what the training is about. ValueError if another one was interrupted."""
        self._settings = settings._asdict()
        parts = {f"{name} part": part.digest() for name, part in corpus.parts().items()}
        self._identity = {**parts, "tokenizer": fingerprint(tokenizer)}
        if self._content and (others := differences(self._content["identity"], self._identity)):
            raise ValueError(
                f"the training in {self.folder} was interrupted on other data: {'; '.join(others)}"
            )

    def begin(self, model, optimizer, progress):
        """Bring all three to where the training was interrupted; a new one is backed up at once."""
        remove_leftovers(self.folder)
        progress.begin()
        if self._content:
            state = self._content["state"]
            model.set_weights(state["weights"])
            optimizer.set_state(state["optimizer"], model.weights())
            random.set_state(state["random"])
            progress.set_state(state["progress"])
        self.save(model, optimizer, progress)

    def save(self, model, optimizer, progress):
        """Write where the training stands, in the place of the last backup.

        Where that is not possible, as on a full disk, a warning says so, and the last one stays.
        """
        state = {
            "weights": model.get_weights(),
            "optimizer": optimizer.get_state(model.weights()),
            "random": random.get_state(),
            "progress": progress.get_state(),
        }
        content = {"settings": self._settings, "identity": self._identity, "state": state}
        try:
            checkpoint.save_tree(self.path, {**content, "environment": environment()})
        except OSError as error:
            warnings.warn(f"this training is not backed up: {error}", stacklevel=2)
        self._saved = time.perf_counter()

    def save_now_and_then(self, model, optimizer, progress):
        """Save if the last time is SECONDS ago."""
        if time.perf_counter() - self._saved >= SECONDS:
            self.save(model, optimizer, progress)

    def remove(self):
        """The training is over."""
        self.path.unlink(missing_ok=True)
