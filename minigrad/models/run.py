"""One call of `fit`: where it stands, and how it comes back to there in another process."""

import hashlib
import itertools
from collections.abc import Iterator

import numpy as np

from .. import random
from ..callbacks import CallbackList, RunningLogs
from ..data.named import arrays_in
from ..tensor import Tensor
from .inputs import source_of
from .training_state import get_training_state, set_training_state


class Run:
    """The training of a model on batches, between two of its steps.

    epoch, step  how many are done: `step` of this epoch's batches, after `epoch` whole epochs
    batch        the last one
    means        {name: running mean} of this epoch
    told         the callbacks
    """

    def __init__(self, model, batches, validation, callbacks, epoch):
        self.model = model
        self.batches = batches
        self.validation = validation
        self.epoch = self.initial_epoch = epoch
        self.step = 0
        self.batch = None
        self.means = {}
        self.told = CallbackList(callbacks, model, self)
        self._order = None  # the state of minigrad.random from which this epoch's batches came
        self._last_digest = None  # of the batch before the interruption

    @property
    def logs(self):
        """{name: running mean}, where a number is read when it is looked up."""
        return RunningLogs(self.means)

    @property
    def with_memory(self):
        """The callbacks that remember something."""
        return [callback for callback in self.told.callbacks if callback.remembers]

    def to_come(self):
        """The batches of this epoch that are still to come; none once training is to stop."""
        if self.step == 0:
            self._order = random.get_state()
            batches = self.batches.iterate()
        else:
            batches = self._resume()
        while not self.model.stop_training:
            try:
                self.batch = next(batches)
            except StopIteration:
                return
            yield self.batch

    def _resume(self):
        """The batches from number `step` on, in the order in which this epoch was begun."""
        now = random.get_state()
        random.set_state(self._order)
        batches = self.batches.iterate(self.step - 1)
        last = next(batches, None)
        random.set_state(now)
        if last is None or digest(last) != self._last_digest:
            raise ValueError(
                f"the data are not those of before the interruption: batch {self.step - 1} of "
                f"epoch {self.epoch} (counted from 0) is another one"
            )
        self.batch = last
        return batches

    def begin_epoch(self):
        """Begin the means of loss and metrics."""
        self.means = self.model.new_means()

    def end_epoch(self):
        """Count the epoch: nothing of the next one is done yet."""
        self.epoch += 1
        self.step = 0
        self.means = {}

    # ---- Written down, and back ------------------------------------------------------------------

    def check_rewindable(self):
        """ValueError if the batches cannot be begun anew from where an interruption came."""
        for name, batches in (("x", self.batches), ("validation_data", self.validation)):
            source = source_of(batches)
            if isinstance(source, Iterator):
                raise ValueError(
                    f"{name} is a {type(source).__name__}, which can be gone through only once: "
                    "after an interruption it cannot be wound back. Give a list of batches, or an "
                    "object whose __iter__ begins anew"
                )
            if batches is not None and not _repeats(batches):
                raise ValueError(
                    f"{name} cannot be wound back after an interruption: it gives other batches "
                    "when it is begun again. Whatever is random in it must be drawn from "
                    "minigrad.random when an iteration begins, as data.Batches does. "
                    f"Received: {type(source).__name__}"
                )

    def identity(self):
        """{name: text} of what makes this training another than any other."""
        weights = self.model.weights()
        validation = self.validation.describe() if self.validation is not None else {}
        return {
            **self.model.compiled_as,
            "weights": ", ".join(f"{k} {p.dtype}{p.shape}" for k, p in weights.items()),
            "initial_epoch": str(self.initial_epoch),
            "callbacks": ", ".join(type(callback).__name__ for callback in self.with_memory),
            **self.batches.describe(),
            **{f"validation {name}": text for name, text in validation.items()},
        }

    def get_state(self):
        """All that training would change from here on, as nested data with arrays."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "model": get_training_state(self.model),
            "random": random.get_state(),
            "order": self._order,
            "last": digest(self.batch) if self.step else None,
            "means": {name: mean.get_state() for name, mean in self.means.items()},
            "callbacks": [callback.get_state() for callback in self.with_memory],
        }

    def set_state(self, state):
        """Go on where `get_state` was called."""
        self.epoch, self.step = state["epoch"], state["step"]
        set_training_state(self.model, state["model"])
        random.set_state(state["random"])
        self._order, self._last_digest = state["order"], state["last"]
        self.begin_epoch()
        for name, memory in state["means"].items():
            self.means[name].set_state(memory)
        for callback, memory in zip(self.with_memory, state["callbacks"], strict=True):
            callback.set_state(memory)


def _repeats(batches):
    """Whether the batches come again from the same random numbers, whoever draws some between."""
    now = random.get_state()
    passes = []
    for others_draw in (False, True):
        random.set_state(now)
        passes.append([])
        for batch in itertools.islice(batches.iterate(), 2):
            passes[-1].append(digest(batch))
            if others_draw:
                random.key()
    random.set_state(now)
    return passes[0] == passes[1]


def digest(batch):
    """A fingerprint of the arrays of a batch, as text."""
    fingerprint = hashlib.blake2b(digest_size=16)
    for array in arrays_in(batch):
        array = array.numpy() if isinstance(array, Tensor) else np.asarray(array)
        fingerprint.update(f"{array.dtype} {array.shape}".encode())
        fingerprint.update(np.ascontiguousarray(array).data.cast("B"))
    return fingerprint.hexdigest()
