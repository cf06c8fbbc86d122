"""Optimizers: from gradients to better parameters, one step at a time.

`optimizer.step(parameters)` updates each leaf Tensor that has a gradient: it gathers the gradients,
clips them, shrinks the weights, and applies the rule of the method, one call of a kernel for all
parameters together.

For that the parameters that are treated alike lie end to end in one flat buffer, and
`parameter.data` is a view of it: a network has few large and many tiny parameters, and a call for
each of the tiny ones would cost more than the arithmetic. A large one is alone in its buffer, since
gathering its gradient, a copy, would cost more than a call. They are packed at their first step,
and again when something has changed: a parameter was assigned to, frozen, added, or given another
multiplier.
"""

import inspect
import itertools
import math
import numbers
import weakref

import numpy as np

import kernels

from . import schedules
from .registry import Configurable, check_number, resolve, serialize
from .tensor import Tensor

LARGE = 1 << 15  # from so many numbers on, a parameter is updated by a call of its own


class Optimizer(Configurable):
    """θ ← θ - rate · (a direction made of gradients, now and before).   The base of all optimizers.

    learning_rate    a number, or a schedule: a function of the number of steps taken. It may be set
                     at any time. A parameter's `learning_rate_multiplier` multiplies it.
    weight_decay     λ: before each update θ ← θ - rate λ θ, apart from the gradient (Loshchilov &
                     Hutter, 2019), as in Keras; PyTorch does so in AdamW, and elsewhere adds λ θ to
                     the gradient. A parameter's `weight_decay_multiplier` multiplies it.
    clipnorm         every parameter's gradient g becomes g · min(1, clipnorm / |g|)
    global_clipnorm  the same with |g| taken over all parameters together
    clipvalue        elements of gradients are clipped to -clipvalue .. clipvalue

    At most one of the three clips. `iterations` counts the steps. An optimizer of your own names
    what it remembers in `state_names` and defines `update`.
    """

    state_names = ()  # what is remembered of each parameter: arrays of its shape
    initial_state = 0.0  # the value that these start from
    _update_decays = _update_scales = False  # whether `update` takes `decay`, or `scale`

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        parameters = inspect.signature(cls.update).parameters
        cls._update_decays, cls._update_scales = "decay" in parameters, "scale" in parameters

    def __init__(
        self, learning_rate, weight_decay=0.0, clipnorm=None, global_clipnorm=None, clipvalue=None
    ):
        self.learning_rate = learning_rate
        self.weight_decay = check_number("weight_decay", weight_decay)
        clips = {"clipnorm": clipnorm, "global_clipnorm": global_clipnorm, "clipvalue": clipvalue}
        given = {name: value for name, value in clips.items() if value is not None}
        if len(given) > 1:
            raise ValueError(f"an optimizer clips in one way at most. Received: {given}")
        for name, value in clips.items():
            setattr(self, name, check_number(name, value, positive=True) if name in given else None)
        self.iterations = 0
        self._states = {}  # id(parameter): what is remembered of it, for as long as it lives
        self._packed = []  # the states of the parameters of the last step, in their order,
        self._groups = []  # and the flat buffers that they lie in

    @property
    def learning_rate(self):
        """The learning rate, or the schedule that gives it for each step."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        if isinstance(value, numbers.Real):
            self._learning_rate = check_number("learning_rate", value)
        else:
            self._learning_rate = schedules.get(value)

    @property
    def rate(self):
        """The learning rate of the next step, a Python float."""
        rate = self._learning_rate
        return float(rate(self.iterations)) if callable(rate) else rate

    def update(self, parameter, gradient, state, rate, step):
        """Change the array `parameter` in place, in the direction that `gradient` and `state` give.

        All arrays are flat and of one size; the gradient is to be read alone; state is
        {name: array}; step counts 1, 2, ...

        One with a parameter `decay` multiplies `parameter` by 1 - rate decay first, and one with
        `scale` the gradient by this array (1,), in the same pass over memory; for another this has
        been done.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define update(parameter, gradient, state, rate, step)"
        )

    def step(self, parameters):
        """Update every one of `parameters` (leaf Tensors) that requires a gradient and has one.

        One that comes twice is updated once. Gradients stay as they are. The first step replaces
        `parameter.data` by a view of a larger array; later steps write to that.
        """
        parameters = _with_gradients(parameters)
        if not self._is_packed(parameters):
            self._pack(parameters)
        rate = self.rate
        gradients = [group.gather(parameters) for group in self._groups]
        scale = self._clip(gradients)
        for group, gradient in zip(self._groups, gradients):
            scaled = rate * group.learning_rate_multiplier
            decay = self.weight_decay * group.weight_decay_multiplier
            step, options = group.states[0].step + 1, {}
            if self._update_decays:
                options["decay"] = decay
            elif decay:
                group.parameter *= 1 - scaled * decay
            if scale is not None:
                scale = scale.astype(gradient.dtype)
                if self._update_scales:
                    options["scale"] = scale
                else:
                    gradient = np.multiply(gradient, scale, out=group.room())
            self.update(group.parameter, gradient, group.state, scaled, step, **options)
        for parameter, state in zip(parameters, self._packed):
            parameter.version += 1
            state.step += 1
        self.iterations += 1

    def _clip(self, gradients):
        """Limit the gathered gradients, in the list. Returns what is to multiply them all, or None.

        Norms stay arrays: nothing waits for their values.
        """
        if self.global_clipnorm is not None:
            norm = np.sqrt(sum(np.dot(gradient, gradient) for gradient in gradients))
            return np.reshape(self.global_clipnorm / np.maximum(norm, self.global_clipnorm), (1,))
        for i, (group, gradient) in enumerate(zip(self._groups, gradients)):
            if self.clipvalue is not None:
                limits = -self.clipvalue, self.clipvalue
                gradients[i] = np.clip(gradient, *limits, out=group.room())
            if self.clipnorm is not None:
                gradients[i] = group.room()
                parts = np.split(gradient, group.cuts), np.split(gradients[i], group.cuts)
                for g, limited in zip(*parts):
                    norm = np.maximum(np.sqrt(np.dot(g, g)), self.clipnorm)
                    np.multiply(g, self.clipnorm / norm, out=limited)
        return None

    def _is_packed(self, parameters):
        """Whether these are the parameters of the last step, with their arrays and multipliers."""
        if len(parameters) != len(self._packed):
            return False
        for parameter, state in zip(parameters, self._packed):
            same = parameter.data is state.data and parameter is state.owner()
            if not same or _multipliers(parameter) != state.multipliers:
                return False
        return True

    def _pack(self, parameters):
        """Lay the parameters that are updated alike end to end, and likewise their states."""
        self._states = {i: state for i, state in self._states.items() if state.owner() is not None}
        self._packed = [self._state_of(parameter) for parameter in parameters]
        alike = {}
        for i, (parameter, state) in enumerate(zip(parameters, self._packed)):
            state.multipliers = _multipliers(parameter)
            alone = i if parameter.size >= LARGE else None
            key = (type(parameter.data), parameter.dtype, state.multipliers, state.step, alone)
            alike.setdefault(key, []).append(i)
        self._groups = [
            _Group(members, parameters, self._packed, self.state_names, self.initial_state)
            for members in alike.values()
        ]

    def _state_of(self, parameter):
        """What is remembered of a parameter; an id can have been that of another, now gone."""
        state = self._states.get(id(parameter))
        if state is None or state.owner() is not parameter:
            state = self._states[id(parameter)] = _State(parameter)
        return state

    def get_state(self, parameters):
        """What a later run needs to go on as if nothing had happened, as {name: array}.

        parameters  {path: parameter}. The names are "iterations", and for each parameter that was
                    ever updated "path.step" and "path.m", ... The arrays are copies, on the host.
        """
        saved = {"iterations": np.array(self.iterations)}
        for path, parameter in parameters.items():
            state = self._state_of(parameter)
            if state.step > 0:
                saved[f"{path}.step"] = np.array(state.step)
                for name in self.state_names:
                    saved[f"{path}.{name}"] = kernels.move(state.arrays[name].copy(), "cpu")
        return saved

    def set_state(self, saved, parameters):
        """Go on where `get_state` was called, with parameters of the same paths and shapes.

        ValueError for a state of another optimizer or of other parameters.
        """
        shapes = {"iterations": ()}
        updated = [path for path in parameters if f"{path}.step" in saved]
        for path in updated:
            shapes[f"{path}.step"] = ()
            shapes.update({f"{path}.{name}": parameters[path].shape for name in self.state_names})
        missing = sorted(shapes.keys() - saved.keys())
        unexpected = sorted(saved.keys() - shapes.keys())
        if missing or unexpected:
            raise ValueError(
                f"this is not the state of {self!r} with these parameters: "
                f"missing {missing}, unexpected {unexpected}"
            )
        for name, shape in shapes.items():
            if saved[name].shape != shape:
                raise ValueError(f"{name} must have shape {shape}. Received: {saved[name].shape}")
            path, _, kind = name.rpartition(".")
            dtype = parameters[path].dtype if kind in self.state_names else np.dtype(int)
            if saved[name].dtype != dtype:
                raise ValueError(f"{name} must have dtype {dtype}. Received: {saved[name].dtype}")
        self.iterations = saved["iterations"].item()
        self._packed, self._groups = [], []
        for path, parameter in parameters.items():
            state = self._states[id(parameter)] = _State(parameter)
            if path in updated:
                state.step = saved[f"{path}.step"].item()
                state.arrays = {name: saved[f"{path}.{name}"] for name in self.state_names}
                state.move(kernels.device_of(parameter.data))

    def to(self, device):
        """Go on with parameters that are now on this device: what is remembered of them follows."""
        self._packed, self._groups = [], []
        for state in self._states.values():
            state.move(device)

    def get_config(self):
        common = ("learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue")
        return {**super().get_config(), **{name: serialize(getattr(self, name)) for name in common}}


class _State:
    """What an optimizer remembers of one parameter, without keeping it alive."""

    __slots__ = ("owner", "step", "arrays", "data", "multipliers")

    def __init__(self, parameter):
        self.owner = weakref.ref(parameter)
        self.step = 0  # how many it has taken
        self.arrays = {}  # {name: array of the parameter's shape}
        self.data = None  # the view of a flat buffer that parameter.data was made,
        self.multipliers = None  # and the parameter's multipliers then

    def move(self, device):
        """Have the arrays on this device."""
        self.arrays = {name: kernels.move(array, device) for name, array in self.arrays.items()}


class _Group:
    """Parameters that are updated alike, end to end in flat buffers, and so their states."""

    def __init__(self, members, parameters, states, state_names, initial_state):
        self.members = members  # their places among the parameters of a step
        self.states = [states[i] for i in members]
        self.learning_rate_multiplier, self.weight_decay_multiplier = self.states[0].multipliers
        parameters = [parameters[i] for i in members]
        like, shapes = parameters[0].data, [parameter.shape for parameter in parameters]
        self.cuts = [*itertools.accumulate(math.prod(shape) for shape in shapes)][:-1]
        self.gradient = None  # what `room` gives, once it is needed
        self.parameter, views = _flat(like, shapes)
        for parameter, state, view in zip(parameters, self.states, views):
            view[...] = parameter.data
            parameter.data = state.data = view
        self.state = {}
        for name in state_names:
            self.state[name], views = _flat(like, shapes)
            for state, view in zip(self.states, views):
                view[...] = state.arrays.get(name, initial_state)
                state.arrays[name] = view

    def gather(self, parameters):
        """Their gradients end to end; the gradient of one alone is taken as it is."""
        gradients = [parameters[i].grad for i in self.members]
        if len(gradients) == 1 and gradients[0].dtype == self.parameter.dtype:
            return gradients[0].reshape(-1)
        return np.concatenate(gradients, axis=None, out=self.room())

    def room(self):
        """An array for gradients that may be written to."""
        if self.gradient is None:
            self.gradient = np.empty_like(self.parameter)
        return self.gradient


def _flat(like, shapes):
    """An empty 1-d array, of the kind and dtype of `like`, and views of `shapes` that cut it up."""
    ends = [0, *itertools.accumulate(math.prod(shape) for shape in shapes)]
    flat = np.empty_like(like, shape=(ends[-1],))
    return flat, [flat[a:b].reshape(shape) for a, b, shape in zip(ends, ends[1:], shapes)]


def _with_gradients(parameters):
    """Those of `parameters` that are to be updated, each once."""
    found = {}  # by id, since == of two Tensors compares their values
    for parameter in parameters:
        if not isinstance(parameter, Tensor) or parameter.node is not None:
            raise ValueError(f"step() updates a list of leaf Tensors. Received: {parameter!r}")
        if parameter.requires_grad and parameter.grad is not None:
            if parameter.grad.shape != parameter.data.shape:
                raise ValueError(
                    f"a parameter of shape {parameter.shape} needs a gradient of that shape. "
                    f"Received: {parameter.grad.shape}"
                )
            found[id(parameter)] = parameter
    if not found:
        raise ValueError("step() found no gradient in its parameters: call loss.backward() before")
    return list(found.values())


def _multipliers(parameter):
    rate = getattr(parameter, "learning_rate_multiplier", 1.0)
    return rate, getattr(parameter, "weight_decay_multiplier", 1.0)


class SGD(Optimizer):
    """v ← μ v + g,   θ ← θ - rate v;   with nesterov θ ← θ - rate (g + μ v).   μ is `momentum`

    As in PyTorch. Keras has the rate inside, v ← μ v - rate g and θ ← θ + v, which
    differs while the rate changes (Sutskever et al., 2013).
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **options):
        super().__init__(learning_rate, **options)
        self.momentum = check_number("momentum", momentum, below=1)
        self.nesterov = bool(nesterov)
        if nesterov and not momentum:
            raise ValueError(f"nesterov needs a momentum above 0. Received: momentum={momentum}")
        self.state_names = ("velocity",) if momentum else ()

    def update(self, parameter, gradient, state, rate, step, decay=0.0):
        velocity, options = state.get("velocity"), (rate, self.momentum, self.nesterov, decay)
        kernels.sgd(parameter, gradient, velocity, *options)


class RMSprop(Optimizer):
    """v ← ρ v + (1 - ρ) g²,   u ← μ u + g / (√v + ε),   θ ← θ - rate u   (Tieleman & Hinton, 2012)

    `centered` divides by √(v - m²) + ε instead, m ← ρ m + (1 - ρ) g: an estimate of the standard
    deviation of g (Graves, 2013). As in PyTorch; Keras has ε inside the root, √(v + ε), and the
    rate inside u.
    """

    def __init__(
        self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **options
    ):
        super().__init__(learning_rate, **options)
        self.rho = check_number("rho", rho, below=1)
        self.momentum = check_number("momentum", momentum, below=1)
        self.epsilon = check_number("epsilon", epsilon)
        self.centered = bool(centered)
        self.state_names = ("v",) + ("m",) * self.centered + ("velocity",) * (self.momentum > 0)

    def update(self, parameter, gradient, state, rate, step, decay=0.0):
        v, m, velocity = state["v"], state.get("m"), state.get("velocity")
        options = rate, self.rho, self.momentum, self.epsilon, decay
        kernels.rmsprop(parameter, gradient, v, m, velocity, *options)


class Adagrad(Optimizer):
    """a ← a + g²,   θ ← θ - rate g / (√a + ε)   (Duchi et al., 2011)

    a starts at `initial_accumulator_value`. As in PyTorch, where that is 0 unless given; Keras has
    ε inside the root, √(a + ε).
    """

    state_names = ("accumulator",)

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **options):
        super().__init__(learning_rate, **options)
        self.initial_state = check_number("initial_accumulator_value", initial_accumulator_value)
        self.initial_accumulator_value = self.initial_state
        self.epsilon = check_number("epsilon", epsilon)

    def update(self, parameter, gradient, state, rate, step, decay=0.0):
        kernels.adagrad(parameter, gradient, state["accumulator"], rate, self.epsilon, decay)


class Adam(Optimizer):
    """m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   θ ← θ - rate m̂ / (√v̂ + ε)

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) correct for m and v starting at zero (Kingma & Ba, 2015,
    algorithm 1); t counts the steps of each parameter, so one that is unfrozen later starts at 1.
    As in PyTorch. In Keras ε stands beside the uncorrected √v, as the ε̂ of the paper's section 2,
    and t counts the steps of the optimizer.
    """

    state_names = ("m", "v")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
        super().__init__(learning_rate, **options)
        self.beta_1 = check_number("beta_1", beta_1, below=1)
        self.beta_2 = check_number("beta_2", beta_2, below=1)
        self.epsilon = check_number("epsilon", epsilon)

    def update(self, parameter, gradient, state, rate, step, decay=0.0, scale=None):
        m, v = state["m"], state["v"]
        options = rate, self.beta_1, self.beta_2, self.epsilon, step, decay, scale
        kernels.adam(parameter, gradient, m, v, *options)


class AdamW(Adam):
    """θ ← θ - rate λ θ, then the step of Adam.   λ is weight_decay   (Loshchilov & Hutter, 2019)"""

    def __init__(self, learning_rate=0.001, weight_decay=0.004, **options):
        """options: beta_1, beta_2 and epsilon as for Adam, and the ways to clip."""
        super().__init__(learning_rate, weight_decay=weight_decay, **options)

    def get_config(self):
        adam = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **adam}


_OPTIMIZERS = {c.__name__: c for c in (SGD, RMSprop, Adagrad, Adam, AdamW)}


def get(optimizer):
    """The optimizer that is meant: an object, a name ("adam" or "Adam"), or its configuration."""
    names = {name.lower(): c for name, c in _OPTIMIZERS.items()}
    optimizer = resolve("optimizer", optimizer, {**_OPTIMIZERS, **names})
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"an optimizer is an Optimizer or its name. Received: {optimizer!r}")
    return optimizer
