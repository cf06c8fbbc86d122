"""What every layer shares: when it is built, and how its parameters are found."""

from contextlib import contextmanager
from contextvars import ContextVar
from inspect import signature

import numpy as np

from .. import initializers, ops, random, regularizers
from ..registry import Configurable, is_integer
from ..tensor import Tensor, no_grad

_training = ContextVar("training", default=False)
_filling = ContextVar("filling", default=True)
_LENGTHS = 1, 8, 64, 512  # that are tried where the shape of an example leaves a length open


@contextmanager
def unfilled_weights():
    """Parameters made inside hold no numbers yet: whoever makes them so gives them all of theirs.

    That is for weights from a file. To draw millions at random first would take longer than to
    read them.
    """
    before = _filling.set(False)
    try:
        yield
    finally:
        _filling.reset(before)


class Parameter(Tensor):
    """A leaf that belongs to a layer.

    learned  True if training changes it; False if the layer merely keeps it, as a moving average

    An optimizer multiplies its learning rate and weight decay by the multipliers of the parameter.
    So groups of parameters need no lists: `bias.weight_decay_multiplier = 0`.
    """

    __slots__ = ("learned", "regularizer", "learning_rate_multiplier", "weight_decay_multiplier")

    def __init__(self, data, learned=True, regularizer=None):
        super().__init__(data, requires_grad=learned)
        self.learned = learned
        self.regularizer = regularizer
        self.learning_rate_multiplier = 1.0
        self.weight_decay_multiplier = 1.0


class Layer(Configurable):
    """A function with parameters. For your own, write `call`, and `build` if it has parameters:

        class Scale(layers.Layer):
            def build(self, input_shape):
                self.scale = self.add_weight((input_shape[-1],), "ones")

            def call(self, x):
                return x * self.scale

    A constructor keeps each argument under its own name (then the layer can be saved), and passes
    `**options` on to this one.

    A mask says which steps of a sequence count: booleans (n, t), False where an example is filled
    up. A layer whose `call` takes `mask=` uses it; one with `keeps_mask = True` treats each step
    alone and has no need of it; to any other, a mask is an error, since its result would depend on
    steps that do not count. Sequential hands the mask that `compute_mask` gives to the next layer.

    name         shown in `summary`. Parameters are named by their path: `blocks.3.query.weight`
    trainable    False freezes the layer and all in it: no gradient of its parameters is computed
    input_shape  shape of one example, without the batch axis; input_dim=d is short for (d,)
    dtype        of the parameters. Floating input is cast to it; integers too, if not indices
    """

    built = False
    name = None
    dtype = "float32"
    input_shape = None  # of one example, given or seen at the first call
    input_dtype = "float32"
    example_shape = None  # of the first example that came, in which no length is open
    output_shape = None  # of the last batch
    keeps_mask = False  # whether steps of a sequence stay what they are, each by itself
    _trainable = True
    _compute_dtype = None  # that input is cast to: that of its own parameters, or what `build` says
    _takes_training = _takes_mask = False
    _cast_kinds = "f"  # of the dtypes that are cast: integers may be meant to look something up

    def __init__(
        self, *, name=None, trainable=True, input_shape=None, input_dim=None, dtype="float32"
    ):
        self.name = name
        self.dtype = np.dtype(dtype).name
        if np.dtype(dtype).kind != "f":
            raise ValueError(f"a layer computes in a floating dtype. Received: dtype={dtype!r}")
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            self.input_shape = check_shape("input_shape", input_shape, unknown=None)
        if not trainable:
            self._trainable = False  # what will be inside learns of it in _build

    def build(self, input_shape):
        """Make the parameters, given the shape of the first input, batch axis included."""

    def call(self, x):
        """The layer's function of Tensors. It may take `training=`: True inside fit, else False.

        And `mask=`: booleans (n, t), or None.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method call(self, x)")

    def compute_mask(self, x, mask=None):
        """The mask of the layer's result, given its input and the mask of that; None if all counts.

        That of the input as it is, unless a layer says otherwise.
        """
        return mask

    def __call__(self, *inputs, training=None, mask=None, **options):
        """Build at the first call, cast, and `call`, which gets the other options as they are.

        `training` holds for every layer inside.
        """
        if training is not None:
            before = _training.set(training)
            try:
                return self(*inputs, mask=mask, **options)
            finally:
                _training.reset(before)
        inputs = [x if isinstance(x, Tensor) else Tensor(x) for x in inputs]
        run = self._run if self.built else self._build_and_run
        y = run(inputs, mask, options)
        self.output_shape = getattr(y, "shape", None)
        return y

    def _build_and_run(self, inputs, mask, options):
        """The first call. If it fails, all is as before: the next, on better data, is the first."""
        inside = [thing for _, thing in self.walk()]
        before = [dict(vars(x)) if isinstance(x, Layer) else x.requires_grad for x in inside]
        numbers = random.get_state()
        try:
            self._build(inputs[0])
            y = self._run(inputs, mask, options)
        except Exception:
            for thing, state in zip(inside, before):
                if isinstance(thing, Layer):
                    vars(thing).clear()
                    vars(thing).update(state)
                else:
                    thing.requires_grad = state
            random.set_state(numbers)
            raise
        self.example_shape = tuple(inputs[0].shape[1:])
        if self.input_shape is None:
            self.input_shape, self.input_dtype = self.example_shape, inputs[0].dtype.name
        return y

    def _run(self, inputs, mask, options):
        if self._compute_dtype is not None:
            inputs = [self._cast(x) for x in inputs]
        if self._takes_training:
            options["training"] = _training.get()
        if self._takes_mask:
            options["mask"] = mask
        elif mask is not None and not self.keeps_mask:
            raise ValueError(
                f"{type(self).__name__} takes no mask: steps that do not count would change its "
                f"result. Received: a mask of shape {np.shape(mask)}"
            )
        return self.call(*inputs, **options)

    def _cast(self, x):
        fits = x.dtype == self._compute_dtype or x.dtype.kind not in self._cast_kinds
        return x if fits else ops.astype(x, self._compute_dtype)

    def _build(self, x):
        if self.input_shape is not None and not _matches(self.input_shape, x.shape[1:]):
            raise ValueError(
                f"{type(self).__name__} was made for input_shape={self.input_shape}. "
                f"Received: a batch of shape {x.shape}"
            )
        self.built = True
        made = {name: thing for name, thing in vars(self).items() if isinstance(thing, Parameter)}
        self.build(x.shape)
        vars(self).update(made)  # `build` was called by hand before, and these may be loaded by now
        if not self.trainable:
            self._freeze_new_layers()
        own = [value for value in vars(self).values() if isinstance(value, Parameter)]
        if own:
            self._compute_dtype = own[0].dtype
        parameters = signature(self.call).parameters
        self._takes_training, self._takes_mask = "training" in parameters, "mask" in parameters

    def add_weight(self, shape, initializer="glorot_uniform", trainable=True, regularizer=None):
        """A new Parameter in the layer's dtype, to be kept as an attribute.

        trainable  False for what is kept and not learned
        """
        if _filling.get():
            values = initializers.get(initializer)(tuple(shape), dtype=self.dtype)
        else:
            values = np.empty(tuple(shape), self.dtype)
        parameter = Parameter(values, learned=trainable, regularizer=regularizers.get(regularizer))
        parameter.requires_grad = trainable and self.trainable
        return parameter

    # ---- What is inside --------------------------------------------------------------------------

    def _children(self):
        """(name, value) of everything that may hold parameters or layers."""
        return vars(self).items()

    def walk(self, path="", seen=None):
        """(path, thing) of this layer and all layers and Parameters inside, each of them once."""
        seen = {id(self)} if seen is None else seen
        yield path, self
        before = f"{path}." if path else ""
        unexplored = [(before + name, thing) for name, thing in self._children()][::-1]
        while unexplored:
            place, thing = unexplored.pop()
            if isinstance(thing, (list, tuple, dict)):
                items = thing.items() if isinstance(thing, dict) else enumerate(thing)
                unexplored += [(f"{place}.{key}", item) for key, item in items][::-1]
            elif isinstance(thing, (Layer, Parameter)) and id(thing) not in seen:
                seen.add(id(thing))
                if isinstance(thing, Layer):
                    yield from thing.walk(place, seen)
                else:
                    yield place, thing

    def weights(self):
        """{path: Parameter} of all that is saved: what is learned and what is merely kept."""
        self.ensure_built()
        return {path: thing for path, thing in self.walk() if isinstance(thing, Parameter)}

    def parameters(self):
        """The Parameters that training may change, each once; frozen ones are among them."""
        return [parameter for parameter in self.weights().values() if parameter.learned]

    def count_params(self):
        """How many numbers `weights` holds."""
        return sum(parameter.size for parameter in self.weights().values())

    def zero_grad(self):
        """Forget all gradients, so that the next `backward` starts from nothing."""
        for parameter in self.parameters():
            parameter.grad = None

    @property
    def trainable(self):
        """Whether training changes its parameters; setting it does so for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable):
        for _, thing in self.walk():
            if isinstance(thing, Layer):
                thing._trainable = bool(trainable)
            else:
                thing.requires_grad = bool(trainable) and thing.learned

    def _freeze_new_layers(self):
        """Freeze the layers inside that nobody has frozen or thawed yet."""
        for _, thing in self.walk():
            if isinstance(thing, Layer) and "_trainable" not in vars(thing):
                thing.trainable = False

    def ensure_built(self):
        """Build what is not built yet, by a call on zeros: one example of the known input shape.

        A length that is not known is that of the first example there was. If there was none, it is
        1, or more if that is too short for windows to fit in.
        ValueError if no input shape is known.
        """
        if all(thing.built for _, thing in self.walk() if isinstance(thing, Layer)):
            return
        if self.input_shape is None:
            raise ValueError(
                f"{type(self).__name__} is not built, so its parameters are not known yet: give "
                "its first layer input_shape=..., or call it once on data"
            )
        shape = self.input_shape
        if self.example_shape is not None and _matches(shape, self.example_shape):
            shape = self.example_shape
        first_error = None
        # Shapes are found by no example as well as by one, and no time is spent on empty weights.
        n = 1 if _filling.get() else 0
        for length in _LENGTHS if None in shape else _LENGTHS[:1]:
            example = np.zeros([n, *(steps or length for steps in shape)], self.input_dtype)
            try:
                with no_grad():
                    self(example, training=False)
                return
            except ValueError as error:
                first_error = first_error or error
        raise first_error

    def get_config(self):
        inherited = type(self).__init__ is Layer.__init__
        config = {} if inherited else super().get_config()
        arguments = signature(type(self)).parameters.values()
        if inherited or any(p.kind is p.VAR_KEYWORD for p in arguments):
            defaults = {"name": None, "trainable": True, "dtype": "float32", "input_shape": None}
            options = {name: getattr(self, name) for name in defaults}
            config |= {name: x for name, x in options.items() if x != defaults[name]}
        return config


def check_shape(name, shape, unknown):
    """`shape` as a tuple; ValueError unless it holds positive integers, or `unknown` lengths."""
    known = isinstance(shape, (tuple, list)) and all(n == unknown or is_integer(n) for n in shape)
    if not known:
        raise ValueError(
            f"{name} must be a tuple of positive integers, or {unknown} for a length that is not "
            f"known yet. Received: {name}={shape!r}"
        )
    return tuple(shape)


def check_mask(layer, mask, shape):
    """ValueError unless the mask is an array of booleans, of the shape (n, t), or None."""
    fits = hasattr(mask, "dtype") and mask.dtype.kind == "b" and mask.shape == tuple(shape)
    if mask is not None and not fits:
        kind = getattr(mask, "dtype", type(mask).__name__)
        raise ValueError(
            f"{layer} needs a mask of booleans, True where a step counts, of shape {tuple(shape)}. "
            f"Received: {kind} of shape {np.shape(mask)}"
        )


def _matches(declared, shape):
    """Whether a shape is the declared one, in which None stands for any length."""
    return len(declared) == len(shape) and all(n in (None, m) for n, m in zip(declared, shape))
