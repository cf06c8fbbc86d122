"""Model: a layer that can be trained. `fit` is the loop that you would write by hand."""

import copy
import math
from contextlib import suppress

import numpy as np

import kernels

from .. import checkpoint, losses, optimizers
from ..callbacks import (
    Callback,
    EpochLines,
    History,
    ProgressBar,
    RunningLogs,
    progress,
    wants_bar,
)
from ..data.batches import Batches
from ..layers import Layer, Parameter
from ..layers.layer import check_shape
from ..metrics import Mean
from ..metrics import get as get_metric
from ..registry import check_integer, describe, serialize
from ..tensor import no_grad
from .adapters import get_adapters
from .inputs import Stream, call_on, check_inputs, examples, moved, split_end, weigh_classes
from .run import Run
from .training_state import get_flags

OPTIMIZER = "optimizer."  # stands before the names of the optimizer's arrays in a file


class Model(Layer):
    """A Layer with compile, fit, evaluate, predict, save. Make your own of layers and a `call`:

    class Residual(models.Model):
        def __init__(self, units):
            super().__init__()
            self.units = units
            self.inner = layers.Dense(units, activation="relu")
            self.outer = layers.Dense(units)

        def call(self, x):
            return x + self.outer(self.inner(x))
    """

    optimizer = None
    loss = None
    metrics = ()
    compiled_as = None  # {name: text} of these when they were chosen, before training changed them
    stop_training = False
    _in_epoch = False

    def compile(self, optimizer="rmsprop", loss=None, metrics=()):
        """Choose how to train: an optimizer, a loss, a list of metrics; objects or names.

        Metrics count every example once: sample_weight and class_weight are for the loss alone.
        ValueError without an optimizer or a loss, and for two metrics of one name.
        """
        if optimizer is None or loss is None:
            raise ValueError(
                f"compile needs an optimizer and a loss. Received: {optimizer=}, {loss=}"
            )
        if isinstance(metrics, str):
            raise ValueError(f"metrics is a list of metrics. Received: {metrics=}")
        metrics = [get_metric(metric) for metric in metrics or ()]
        names = ["loss", *(metric.name for metric in metrics)]
        if len(set(names)) < len(names):
            raise ValueError(f"loss and metrics need different names. Received: {names}")
        self.optimizer, self.loss = optimizers.get(optimizer), losses.get(loss)
        self.metrics = metrics
        parts = {"model": self, "optimizer": self.optimizer, "loss": self.loss, "metrics": metrics}
        self.compiled_as = {name: describe(part) for name, part in parts.items()}

    def build(self, input_shape):
        """Make all parameters, for batches of this shape: build((None, 784))."""
        if not self.built:
            self.input_shape = check_shape("input_shape", input_shape, unknown=None)[1:]
            self.ensure_built()

    def to(self, device):
        """Compute on another device from now on: "cuda", "cpu" or "simulator". Returns the model.

        Parameters move there, and so does what the optimizer remembers of them. `fit` and `predict`
        bring the data, batch by batch. An OSError if there is no such device.
        """
        for parameter in self.weights().values():
            parameter.data, parameter.grad = kernels.move(parameter.data, device), None
        if self.optimizer is not None:
            self.optimizer.to(device)
        return self

    @property
    def device(self):
        """The name of the device that the parameters are on."""
        for _, thing in self.walk():
            if isinstance(thing, Parameter):
                return kernels.device_of(thing.data)
        return "cpu"

    # ---- Training --------------------------------------------------------------------------------

    def train_step(self, x, y, sample_weight=None, parameters=None):
        """Forward, backward, update on one batch.   Returns L and the predictions ŷ, Tensors

        parameters  self.parameters(), where the caller has them at hand

        ValueError if there is nothing to train, since all is frozen or inside no_grad().
        """
        prediction = call_on(self, x, training=True)
        parameters = self.parameters() if parameters is None else parameters
        loss = self.objective(y, prediction, sample_weight, parameters)
        if not loss.requires_grad:
            raise ValueError("there is nothing to train: all is frozen, or fit is inside no_grad()")
        _forget_gradients(parameters)  # of whatever was differentiated before
        loss.backward()
        self.optimizer.step(parameters)
        _forget_gradients(parameters)
        return loss, prediction

    def objective(self, y, prediction, sample_weight, parameters):
        """L(θ) = 1/n Σᵢ wᵢ l(yᵢ, ŷᵢ; θ) + Σ r(θ), with the regularizers r of the parameters."""
        loss = self.loss(y, prediction, sample_weight)
        for parameter in parameters:
            if parameter.regularizer is not None:
                loss = loss + parameter.regularizer(parameter)
        return loss

    def fit(
        self,
        x,
        y=None,
        batch_size=32,
        epochs=1,
        verbose="auto",
        callbacks=(),
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
    ):
        """Train on all of (x, y) `epochs` times, batch by batch in a new order. Returns a History.

        x, y              arrays (n, ...), or x a dict of arrays, each for the argument of `call`
                          that has its name, as {"ids": (n, t), "mask": (n, t)}; or x an iterable of
                          batches (x, y) or (x, y, sample_weight), and no y
        verbose           0 silent, 1 a progress bar, 2 a line per epoch; "auto" is 1 in a terminal
                          or a notebook, else 0
        callbacks         a list of Callback objects
        validation_split  the share of the examples, from the end and before any shuffling, that is
                          held out and evaluated after each epoch
        validation_data   the same with data of their own: (x, y), (x, y, sample_weight), or an
                          iterable of batches
        class_weight      {label: weight} multiplies the loss of each example of that class
        sample_weight     (n,) multiplies the loss of each example
        initial_epoch     where to go on counting

        ValueError for data that do not fit the model, and for a loss that is NaN after an epoch.
        """
        self._check_compiled()
        check_integer("epochs", epochs, least=0)
        check_integer("initial_epoch", initial_epoch, least=0)
        if isinstance(callbacks, Callback):
            raise ValueError(f"callbacks is a list of Callback objects. Received: {callbacks!r}")
        batches, validation = self._batches(
            *(x, y, sample_weight, class_weight, batch_size, shuffle),
            *(validation_split, validation_data),
        )
        history = History()
        reporters = self._reporters(verbose, epochs, batches)
        told = [*reporters, *(callbacks or ()), history]
        run = Run(self, batches, validation, told, initial_epoch)
        self.stop_training = False
        run.told.on_train_begin()  # where a BackupAndRestore brings the run to where it was
        while run.epoch < epochs and (run.step > 0 or not self.stop_training):
            epoch = run.epoch
            run.told.on_epoch_begin(epoch)
            if run.step == 0:
                run.begin_epoch()
            logs = self._train_epoch(run)
            if validation is not None:
                found = self._evaluate(validation)
                logs |= {f"val_{name}": value for name, value in found.items()}
            run.end_epoch()
            run.told.on_epoch_end(epoch, logs)
            if math.isnan(logs["loss"]) and not self.stop_training:
                raise ValueError(
                    f"the loss became NaN in epoch {epoch + 1}. The usual reason is too large a "
                    f"learning rate. Received: learning_rate={self.optimizer.learning_rate!r}"
                )
        run.told.on_train_end()
        return history

    def _batches(
        self, x, y, sample_weight, class_weight, batch_size, shuffle, split, validation_data
    ):
        """What `fit` trains on, and what it validates with or None: batches, of its arguments."""
        if split and validation_data is not None:
            raise ValueError("fit takes validation_split or validation_data, and was given both")
        if y is None:
            if split or sample_weight is not None:
                raise ValueError(
                    "validation_split and sample_weight go with arrays x and y, not with batches"
                )
            batches = Stream(self, x, class_weight)
        else:
            rows = examples(self, x, y, sample_weight)
            if split:
                rows, validation_data = split_end(rows, split)
            rows = weigh_classes(rows, class_weight)
            batches = Batches(*rows, batch_size=batch_size, shuffle=shuffle)
        if validation_data is None:
            return batches, None
        return batches, self._validation_batches(validation_data, batch_size)

    def _train_epoch(self, run):
        """One pass over the batches; {name: mean} of the loss and the metrics during it."""
        parameters = None  # unknown before the first call; and walking to them takes time
        logs, device = run.logs, self.device
        self._in_epoch = True
        try:
            for batch in run.to_come():
                x, y, *weight = moved(batch, device)
                step = run.step
                run.told.on_train_batch_begin(step)
                loss, prediction = self.train_step(x, y, *weight, parameters=parameters)
                self._count(run.means, loss, y, prediction)
                if parameters is None:
                    parameters = self.parameters()
                run.step += 1
                run.told.on_train_batch_end(step, logs)
        finally:
            self._in_epoch = False
        if run.step == 0:
            raise ValueError(
                "fit got no batch: an iterable must start anew in every epoch, which a generator "
                "does not"
            )
        return dict(logs)

    def new_means(self):
        """{name: mean over what is to come} of the loss and the metrics.

        Inside an epoch the metrics are counting for training: then these are copies.
        """
        metrics = [copy.copy(m) for m in self.metrics] if self._in_epoch else self.metrics
        for metric in metrics:
            metric.reset()
        return {"loss": Mean(), **{metric.name: metric for metric in metrics}}

    def _count(self, means, loss, y, prediction):
        """Add one batch to the means. They are added up where the arrays are; nothing is read."""
        n = self.loss.count(y, prediction)
        mean_loss, *metrics = means.values()
        mean_loss.add(loss.data[()] * n, n)  # [()]: NumPy is faster with its scalars
        for metric in metrics:
            metric.update(y, prediction)

    # ---- Evaluation and prediction ---------------------------------------------------------------

    def evaluate(
        self, x, y=None, batch_size=32, verbose="auto", sample_weight=None, return_dict=False
    ):
        """[loss, *metrics] on (x, y), or a dict of them; without metrics the loss alone.

        x, y are arrays, or x a dict of them; or x is an iterable of batches: as for `fit`.
        ValueError for data that do not fit the model, or none.
        """
        self._check_compiled()
        if y is not None:
            batches = Batches(*examples(self, x, y, sample_weight), batch_size=batch_size)
        elif sample_weight is not None:
            raise ValueError("sample_weight goes with arrays x and y, not with batches")
        else:
            batches = Stream(self, x)
        logs = self._evaluate(progress(batches, "Evaluating", verbose))
        if return_dict:
            return logs
        return list(logs.values()) if self.metrics else logs["loss"]

    @no_grad()
    def _evaluate(self, batches):
        means = self.new_means()
        parameters, device = None, self.device
        for batch in batches:
            x, y, *weight = moved(batch, device)
            prediction = call_on(self, x, training=False)
            parameters = parameters or self.parameters()
            loss = self.objective(y, prediction, *(weight or [None]), parameters)
            self._count(means, loss, y, prediction)
        if parameters is None:
            raise ValueError("there was no batch to evaluate")
        return dict(RunningLogs(means))

    @no_grad()
    def predict(self, x, batch_size=32, verbose="auto"):
        """ŷ for all of x, batch by batch: a NumPy array (n, ...). x may be a dict, as for `fit`.

        ValueError for data that do not fit the model.
        """
        x = check_inputs(self, x)
        batches = progress(Batches(x, batch_size=batch_size), "Predicting", verbose)
        device = self.device
        batches = (moved(batch, device) for batch in batches)
        return np.concatenate([call_on(self, x, training=False).numpy() for (x,) in batches])

    def _check_compiled(self):
        if self.optimizer is None:
            raise ValueError(
                "the model does not know how to train: call compile(optimizer=..., loss=...) before"
            )

    def _validation_batches(self, data, batch_size):
        is_rows = isinstance(data, (tuple, list)) and len(data) in (2, 3)
        if is_rows and not isinstance(data[0], tuple):  # else it is a list of batches
            return Batches(*examples(self, *data, prefix="validation "), batch_size=batch_size)
        return Stream(self, data)

    def _reporters(self, verbose, epochs, batches):
        if verbose == 2:
            return [EpochLines(epochs)]
        count = None
        with suppress(TypeError):  # an iterable may not know its length
            count = len(batches)
        return [ProgressBar(epochs, count)] if wants_bar(verbose) else []

    # ---- Saving ----------------------------------------------------------------------------------

    def save(self, path):
        """Write all to one safetensors file: the configuration, the weights, the optimizer's state.

        `models.load_model` makes the same model of it again, which trains on where this one stands.
        """
        arrays = self.get_weights()
        configuration = {
            "model": serialize(self),
            "input_shape": list(self.input_shape),
            "example_shape": list(self.example_shape or ()),
            "input_dtype": self.input_dtype,
            "adapters": get_adapters(self),
            **get_flags(self),
        }
        if self.optimizer is not None:
            configuration["compile"] = {
                "optimizer": serialize(self.optimizer),
                "loss": serialize(self.loss),
                "metrics": serialize(self.metrics),
            }
            state = self.optimizer.get_state(self.weights())
            arrays |= {OPTIMIZER + name: array for name, array in state.items()}
        checkpoint.save(path, arrays, configuration)

    def save_weights(self, path):
        """Write the weights alone to one safetensors file."""
        checkpoint.save(path, self.get_weights())

    def load_weights(self, path):
        """Take the weights from a file that `save` or `save_weights` wrote for such a model."""
        arrays, _ = checkpoint.load(path)
        self.set_weights({k: array for k, array in arrays.items() if not k.startswith(OPTIMIZER)})

    def get_weights(self):
        """{path: array} of copies of all weights, for `set_weights`."""
        return {path: parameter.numpy() for path, parameter in self.weights().items()}

    def set_weights(self, arrays):
        """Assign {path: array} to the weights.

        ValueError lists the names that are missing or unexpected, and wrong shapes and dtypes.
        """
        weights = self.weights()
        checkpoint.compare({name: (p.shape, p.dtype) for name, p in weights.items()}, arrays)
        for name, parameter in weights.items():
            parameter.assign(kernels.move(arrays[name], kernels.device_of(parameter.data)))

    # ---- Looking ---------------------------------------------------------------------------------

    def summary(self, print_fn=print):
        """Print each layer, the shape that it gives for a batch of any size, its parameters."""
        self.ensure_built()
        rows = [("layer", "output shape", "parameters")]
        for path, layer in self.walk():
            if isinstance(layer, Layer) and layer is not self:
                own = sum(p.size for p in vars(layer).values() if isinstance(p, Parameter))
                shape = str((None, *layer.output_shape[1:])) if layer.output_shape else ""
                title = f"{path}  {layer.name or type(layer).__name__}"
                rows.append((title, shape, f"{own:,}" if own else ""))
        a, b, c = (max(map(len, column)) for column in zip(*rows))
        head, *lines = (f"{x:<{a}}  {y:<{b}}  {z:>{c}}".rstrip() for x, y, z in rows)
        rule = "-" * (a + b + c + 4)
        learned = sum(parameter.size for parameter in self.parameters() if parameter.requires_grad)
        total = f"{self.count_params():,} parameters, {learned:,} trainable"
        title = self.name or type(self).__name__
        print_fn("\n".join([title, rule, head, rule, *lines, rule, total]))


def _forget_gradients(parameters):
    for parameter in parameters:
        parameter.grad = None
