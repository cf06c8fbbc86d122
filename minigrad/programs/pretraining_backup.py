"""Where a pretraining stands: counted, written down, and read again by another process."""

import math
import time
from pathlib import Path

import numpy as np

from .. import checkpoint, random
from ..atomic import remove_leftovers
from ..environment import differences, environment, warn_if_made_elsewhere


class Progress:
    """How far a training has come, by its steps or by the clock.

    steps, minutes  how many there are to be: one of the two is 0
    losses          of each step
    validated       [step, loss] of each look at the validation part
    """

    def __init__(self, steps, minutes):
        self.steps, self.limit = steps, 60 * minutes
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
        if not math.isfinite(loss):
            raise ValueError(
                f"the loss became {loss} in step {self.step + 1}. The usual reason is too large a "
                "learning rate"
            )
        self.losses.append(loss)

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


class Backup:
    """The file of a training that is not over yet: all that it would change from there on.

    folder    where it lies
    identity  {name: text} of what makes this training another than any other
    """

    def __init__(self, folder):
        self.path = Path(folder) / "backup.safetensors"
        self.content = None

    def check_absent(self):
        """ValueError if there is one."""
        if self.path.exists():
            raise ValueError(
                f"{self.path.parent} has a training that is not over: --resume goes on with it. "
                f"Delete {self.path} to begin anew, or choose another folder by --out"
            )

    def read(self):
        """The settings of the training that is to go on, {name: value}."""
        if not self.path.exists():
            raise FileNotFoundError(
                f"there is nothing to resume: {self.path.parent} has no {self.path.name}. A "
                "training has one from its first minute to its end"
            )
        self.content = checkpoint.load_tree(self.path)
        names = {"settings", "identity", "environment", "state"}
        if not isinstance(self.content, dict) or self.content.keys() != names:
            raise ValueError(f"{self.path} is no backup of a pretraining")
        warn_if_made_elsewhere(self.path, self.content["environment"])
        return self.content["settings"]

    def begin(self, settings, identity):
        """What all later backups say, and what a backup that was read has to say.

        identity  {name: text} of what is not in the settings, such as a digest of the text
        """
        remove_leftovers(self.path.parent)
        if self.content and (others := differences(self.content["identity"], identity)):
            raise ValueError(
                f"{self.path} is the backup of a training on other data: {'; '.join(others)}"
            )
        self.settings, self.identity = settings, identity

    def save(self, model, optimizer, progress):
        """Write where the training stands, in the place of the last backup."""
        state = {
            "weights": model.get_weights(),
            "optimizer": optimizer.get_state(model.weights()),
            "random": random.get_state(),
            "progress": progress.get_state(),
        }
        content = {"settings": self.settings, "identity": self.identity}
        content |= {"environment": environment(), "state": state}
        checkpoint.save_tree(self.path, content)

    def restore(self, model, optimizer, progress):
        """Go on where the backup that was read was written."""
        state = self.content["state"]
        model.set_weights(state["weights"])
        optimizer.set_state(state["optimizer"], model.weights())
        random.set_state(state["random"])
        progress.set_state(state["progress"])

    def remove(self):
        """The training is over."""
        self.path.unlink(missing_ok=True)
