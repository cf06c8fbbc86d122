"""The base of all callbacks, and how fit tells them what happens."""

import functools
from collections.abc import Mapping

from ..registry import look_up


class Callback:
    """Override what you need; `self.model` is the model.

    logs  the running means of loss and metrics, a mapping of name -> float. In
          `on_train_batch_end` a number is read from the device only when it is looked up: looking
          at every step costs speed on a GPU.

    `self.model.stop_training = True` ends fit after the batch. `self.run` is the call of fit, with
    the epoch and the step that it has come to.

    state_names names the attributes in which the callback remembers what has happened (numbers,
    text, arrays, lists and dicts of them): with them a training goes on after an interruption as if
    there had been none.
    """

    model = None
    run = None
    state_names = ()
    comes_last = False  # whether it is told after all others, whatever its place in the list

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

    @property
    def remembers(self):
        """Whether it has a state at all."""
        return bool(self.state_names) or type(self).get_state is not Callback.get_state

    def get_state(self):
        """What it remembers, as {name: value}, for BackupAndRestore."""
        return {name: getattr(self, name) for name in self.state_names}

    def set_state(self, state):
        """Remember what `get_state` gave, perhaps in another process."""
        for name in self.state_names:
            setattr(self, name, state[name])


MOMENTS = [name for name in vars(Callback) if name.startswith("on_")]


class LambdaCallback(Callback):
    """A callback made of functions.

    LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(self, **functions):
        for name, function in functions.items():
            look_up("moment", name, dict.fromkeys(MOMENTS))
            setattr(self, name, function)


class CallbackList:
    """All callbacks of one fit: told.on_epoch_end(epoch, logs) tells each that overrides it."""

    def __init__(self, callbacks, model, run=None):
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise ValueError(f"callbacks are Callback objects. Received: {callback!r}")
            unknown = {name for name in dir(callback) if name.startswith("on_")} - {*MOMENTS}
            if unknown:
                raise ValueError(
                    f"{type(callback).__name__} has {', '.join(sorted(unknown))}, which fit never "
                    f"calls. Known: {', '.join(MOMENTS)}"
                )
            callback.model, callback.run = model, run
        self.callbacks = sorted(callbacks, key=lambda callback: callback.comes_last)
        for moment in MOMENTS:
            default = getattr(Callback, moment)
            methods = [getattr(callback, moment) for callback in self.callbacks]
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
