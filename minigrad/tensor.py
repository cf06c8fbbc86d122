"""The engine: Tensors remember how they were made, and `backward` applies the chain rule to that.

An operation is a function of arrays that returns its value and, for each input, a *pullback*: the
function that takes g = dL/d(value) to dL/d(input). `op` lifts such a function from arrays to
Tensors and writes down, in a `Node`, where the value came from. `Tensor.backward` walks these nodes
from the youngest to the oldest. What every rule would have to repeat (adding gradients up, undoing
broadcasting, checking shapes, casting) is done here, once.
"""

import functools
import inspect
import itertools
from contextlib import ContextDecorator
from contextvars import ContextVar
from operator import attrgetter

import numpy as np

_recording = ContextVar("recording", default=True)
_births = itertools.count()


class no_grad(ContextDecorator):
    """Operations inside `with no_grad():` (or a function decorated with it) are not recorded.

    The switch belongs to the running thread and context: one may evaluate while another trains.
    """

    def __init__(self):
        self._before = []

    def __enter__(self):
        self._before.append(_recording.set(False))
        return self

    def __exit__(self, *error):
        _recording.reset(self._before.pop())

    def _recreate_cm(self):
        return no_grad()


class Tensor:
    """An array that knows where it came from.   Tensor(data, requires_grad=False)

    data           an array of any shape. Arrays keep their dtype and are not copied; Python numbers
                   and lists become float32, or integers, or booleans.
    requires_grad  True for a leaf whose gradient is wanted. Only floating dtypes have gradients.

    `.data` of a result is read-only. A leaf's, and any array that an operation was given, may be
    written by hand, but not between forward and backward: that is the one change that the engine
    cannot see. `assign` and optimizers tell it.
    """

    __slots__ = ("data", "requires_grad", "grad", "node", "version", "logits", "__weakref__")
    __array_ufunc__ = None  # array * tensor is Tensor.__rmul__; np.exp(tensor) is a TypeError

    def __init__(self, data, requires_grad=False):
        if isinstance(data, Tensor):
            data = data.data
        if _holds_tensors(data):
            raise ValueError("Tensor() would forget where Tensors in a list came from: ops.stack")
        if not hasattr(data, "dtype"):
            data = np.asarray(data)
            if data.dtype == np.float64:
                data = data.astype(np.float32)
        elif isinstance(data, np.generic):
            data = np.asarray(data)
        if data.dtype.kind not in "fiub":
            raise ValueError(
                f"a Tensor holds floats, integers or booleans. Received: dtype {data.dtype}"
            )
        if requires_grad and data.dtype.kind != "f":
            raise ValueError(f"only floats can have a gradient. Received: dtype {data.dtype}")
        self.data = data
        self.requires_grad = requires_grad
        self.grad = None
        self.node = None  # how it was made; None for a leaf
        self.version = 0  # how often an optimizer or `assign` has changed a leaf
        self.logits = None  # ("softmax", z, z.version), or sigmoid, where this is the result

    @property
    def shape(self):
        """How long each axis is."""
        return self.data.shape

    @property
    def ndim(self):
        """How many axes it has."""
        return self.data.ndim

    @property
    def size(self):
        """How many elements it has."""
        return self.data.size

    @property
    def dtype(self):
        """The type of its numbers."""
        return self.data.dtype

    def numpy(self):
        """A copy of the values as a NumPy array on the host."""
        on_device = hasattr(self.data, "numpy")
        return self.data.numpy() if on_device else np.array(self.data)

    def __array__(self, dtype=None, copy=None):
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def item(self):
        """The value of a Tensor of size 1 as a Python number; ValueError for any other size."""
        if self.size != 1:
            raise ValueError(f"item() needs a Tensor with one value. Received: shape {self.shape}")
        return self.data.item()

    def detach(self):
        """The same values with no history: a constant, which an optimizer's update leaves alone."""
        return Tensor(self.data.copy() if self.requires_grad else self.data)

    def assign(self, values):
        """Give a leaf new values of its shape, copied and cast to its dtype. Returns the Tensor.

        A graph recorded before keeps the old values, and refuses to differentiate with respect to
        this Tensor. ValueError for another shape, and for a Tensor that an operation has made.
        """
        if self.node is not None:
            raise ValueError(
                f"only a leaf can be assigned to; this is made by {self.node.operation}"
            )
        values = values.data if isinstance(values, Tensor) else values
        if np.shape(values) != self.shape:
            raise ValueError(
                f"assign needs values of shape {self.shape}. Received: shape {np.shape(values)}"
            )
        changed = np.empty_like(self.data)
        changed[...] = values
        self.data = changed
        self.version += 1
        return self

    def backward(self, gradient=None):
        """Add dL/d(leaf) to `.grad` of every leaf that requires it, where L is this Tensor.

        gradient  dL/d(self), an array of this shape; 1 if left out, for a Tensor of size 1.

        The graph is freed on the way: a second backward through it raises a RuntimeError, as does a
        leaf that was updated since the forward pass. Then no `.grad` has changed. There are no
        second derivatives: a gradient is an array, not a Tensor.
        """
        seed = self._seed(gradient)
        nodes = _ancestors(self.node)
        gradients = {self.node or self: seed}  # dL/d(value) of nodes still to come, and of leaves
        for node in nodes:
            g = gradients.pop(node, None)
            if g is None:
                continue
            for source, d in zip(node.sources, node.pull(g)):
                if d is not None:
                    d = _fit(d, g, source, node)
                    gradients[source] = _add(gradients[source], d) if source in gradients else d
            node.free()
        for leaf, g in gradients.items():
            leaf.grad = g if leaf.grad is None else _add(leaf.grad, g)

    def _seed(self, gradient):
        """dL/d(self), to begin with: `gradient` as an array that nobody writes to, or ones."""
        if not self.requires_grad:
            raise ValueError(
                "backward() of a Tensor that depends on nothing with requires_grad=True"
            )
        seed = np.empty_like(self.data)
        if gradient is None:
            if self.size != 1:
                raise ValueError(f"backward() of shape {self.shape} needs a gradient of that shape")
            seed[...] = 1
            return seed
        if getattr(gradient, "requires_grad", False):
            raise ValueError("there are no second derivatives: `gradient` must not require one")
        gradient = gradient.data if isinstance(gradient, Tensor) else gradient
        if np.shape(gradient) != self.shape:
            raise ValueError(
                f"backward() of shape {self.shape} needs a gradient of that shape. "
                f"Received: {np.shape(gradient)}"
            )
        if self.node and type(gradient) is type(self.data) and gradient.dtype == self.dtype:
            seed = gradient.view()
            seed.setflags(False)  # that is, write=False
            return seed
        seed[...] = gradient
        return seed

    def __repr__(self):
        values = np.array2string(self.numpy(), separator=", ", prefix="Tensor(")
        wanted = ", requires_grad=True" if self.requires_grad else ""
        made = f", made by {self.node.operation}" if self.node else ""
        return f"Tensor({values}, {self.dtype}{wanted}{made})"

    __hash__ = object.__hash__  # == compares values, as in NumPy


class Node:
    """How one value was made: by which operation, from which inputs, with which pullbacks."""

    __slots__ = ("operation", "shape", "dtype", "sources", "versions", "pullbacks", "places", "age")

    def __init__(self, operation, value, inputs, places, pullbacks):
        """`places` says which inputs want a gradient; pullbacks has one per input, or is one."""
        self.operation = operation
        self.shape = value.shape
        self.dtype = value.dtype
        self.age = next(_births)
        self.places = places
        self.pullbacks = pullbacks
        self.sources = []  # where gradients go: to the Node of an input, or the leaf that it is
        self.versions = []
        for i in places:
            tensor = inputs[i]
            self.sources.append(tensor.node or tensor)
            self.versions.append(tensor.version)

    def pull(self, g):
        """dL/d(input) for each source, from g = dL/d(value)."""
        try:
            if isinstance(self.pullbacks, tuple):
                return [self.pullbacks[i](g) for i in self.places]
            gradients = self.pullbacks(g)
            return [gradients[i] for i in self.places]
        except Exception as error:
            inputs = ", ".join(str(source.shape) for source in self.sources)
            shapes = f"{inputs} -> {self.shape}, g {g.shape} {g.dtype}"
            error.add_note(f"in the gradient of {self.operation}: {shapes}")
            raise

    def nodes_before(self):
        """The Nodes among its sources. RuntimeError if gradients cannot go through this one."""
        if self.pullbacks is None:
            raise RuntimeError(
                f"backward() came a second time to {self.operation}, whose graph the first one "
                "freed. Run the forward pass again, or add the losses and call backward() once"
            )
        found = []
        for source, version in zip(self.sources, self.versions):
            if isinstance(source, Node):
                found.append(source)
            elif source.version != version:
                raise RuntimeError(
                    f"a leaf of shape {source.shape}, input of {self.operation}, was updated "
                    "between forward and backward, so its gradient would be wrong"
                )
        return found

    def free(self):
        """Forget the inputs and pullbacks, so that their memory is free."""
        self.sources = self.pullbacks = None


def _ancestors(node):
    """Every node that `node` was made from, itself first, each before its own inputs.

    A result is always younger than its inputs, so age is a topological order.
    """
    if node is None:
        return []
    found, unexplored = {node}, [node]
    while unexplored:
        for source in unexplored.pop().nodes_before():
            if source not in found:
                found.add(source)
                unexplored.append(source)
    return sorted(found, key=attrgetter("age"), reverse=True)


def _fit(d, g, source, node):
    """The gradient `d` that `node` gave for `source`, in the shape and dtype of `source`."""
    is_leaf = isinstance(source, Tensor)
    like = source.data if is_leaf else source
    if getattr(d, "shape", None) != like.shape:
        d = _unbroadcast(d, like.shape, node)
    if d.dtype != like.dtype:
        d = d.astype(like.dtype)
    if is_leaf and (d is g or getattr(d, "base", None) is not None):
        d = d.copy()  # a leaf's gradient shares its memory with nobody
    elif isinstance(d, np.generic):
        d = np.asarray(d)  # NumPy reduces to scalars; gradients are arrays
    return d


def _add(a, b):
    """a + b as an array: of arrays of shape () NumPy makes a scalar."""
    total = a + b
    return np.asarray(total) if isinstance(total, np.generic) else total


def _unbroadcast(d, shape, node):
    """Sum `d` over the axes along which an input of `shape` was repeated.   (..., m, n) -> shape"""
    if not hasattr(d, "shape"):
        raise TypeError(f"a gradient of {node.operation} must be an array. Received: {d!r}")
    leading = d.ndim - len(shape)
    repeated = tuple(i + leading for i, n in enumerate(shape) if n == 1)
    if leading < 0 or any(n not in (1, d.shape[i + leading]) for i, n in enumerate(shape)):
        raise ValueError(
            f"the gradient of {node.operation} for an input of shape {shape} has shape {d.shape}"
        )
    d = np.add.reduce(d, axis=(*range(leading), *repeated))
    return d.reshape(shape) if repeated else d


def op(rule):
    """Lift a differentiable function from arrays to Tensors (decorator).

    The function takes arrays and returns `value, pullbacks`: a tuple with one pullback for each
    positional argument (a list of them for a list of arrays) and None where there is no gradient;
    or one pullback, of the first argument; or None for a constant. A pullback takes g = dL/d(value)
    to dL/d(input), which the engine sums back to the input's shape where it was broadcast. It
    returns a new array, g itself, or a view, never an array that it keeps for another call.

    Where gradients share work, the function takes the keyword `needs`, a list with True for each
    input that wants a gradient, and its one pullback returns all gradients together: a tuple of
    arrays that share no memory, or None.

    >>> @op
    ... def cube(x):  # x³.   dy/dx = 3 x²
    ...     return x**3, lambda g: g * 3 * x**2
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> cube(x).backward(np.ones(2))
    >>> x.grad
    array([ 3., 12.], dtype=float32)
    """
    name = rule.__name__
    signature = inspect.signature(rule)
    together = "needs" in signature.parameters

    @functools.wraps(rule)
    def operation(*arguments, **options):
        for value in options.values():
            if isinstance(value, Tensor):
                bound = signature.bind_partial(*arguments, **options)
                bound.apply_defaults()  # a Tensor after a gap would stay an option
                arguments, options = bound.args, bound.kwargs
                break
        inputs, arrays, places, nested = _unwrap(arguments)
        recorded = places != [] and _recording.get()
        if together:
            options["needs"] = _flags(len(inputs), places if recorded else ())
        try:
            returned = rule(*arrays, **options)
        except Exception as error:
            shapes = ", ".join(str(a.shape) for a in inputs if hasattr(a, "shape"))
            error.add_note(f"in {name}: {shapes}")
            raise
        if not isinstance(returned, tuple) or len(returned) != 2:
            kind = type(returned).__name__
            raise TypeError(f"the rule of {name} must return value, pullbacks. Received: {kind}")
        value, pullbacks = returned
        result = _wrap(value, arrays, unseen=places and not recorded)
        if recorded and pullbacks is not None:
            if not together:
                pullbacks = _align(name, pullbacks, arguments if nested else (), places)
            result.node = Node(name, result.data, inputs, places, pullbacks)
            result.requires_grad = True
        return result

    return operation


def _unwrap(arguments):
    """All inputs, lists of Tensors spread out; the arguments as arrays; places; nested.

    `places` says which inputs want a gradient, `nested` whether some argument is a list of Tensors.
    """
    inputs, arrays, places, nested = [], [], [], False
    for a in arguments:
        if isinstance(a, Tensor):
            if a.requires_grad:
                places.append(len(inputs))
            inputs.append(a)
            arrays.append(a.data)
        elif _holds_tensors(a):
            nested = True
            for place, x in enumerate(a, len(inputs)):
                if isinstance(x, Tensor) and x.requires_grad:
                    places.append(place)
            inputs += a
            arrays.append(type(a)(x.data if isinstance(x, Tensor) else x for x in a))
        else:
            inputs.append(a)
            arrays.append(a)
    return inputs, arrays, places, nested


def _flags(n, places):
    """A list of n times False, with True at `places`."""
    flags = [False] * n
    for i in places:
        flags[i] = True
    return flags


def _holds_tensors(a):
    return isinstance(a, (list, tuple)) and any(isinstance(x, Tensor) for x in a)


def _wrap(value, arrays, unseen):
    """The value of an operation on `arrays` as a constant Tensor, read-only.

    unseen  whether an input wants a gradient, but the operation is not recorded. A view is then
            copied: an optimizer may write to that memory, and the engine would not notice.
    """
    if not hasattr(value, "base") or isinstance(value, np.generic):
        value = np.asarray(value)
    shared = value.base is not None
    for a in arrays:
        shared |= a is value
    if shared:
        value = value.copy() if unseen else value.view()
    value.setflags(False)  # that is, write=False
    result = Tensor.__new__(Tensor)  # not Tensor(value), whose checks take time
    result.data = value
    result.requires_grad = False
    result.grad = result.node = result.logits = None
    result.version = 0
    return result


def _align(name, pullbacks, arguments, places):
    """A tuple with a pullback for each input; `arguments` is given if some are lists of Tensors."""
    pullbacks = pullbacks if isinstance(pullbacks, tuple) else (pullbacks,)
    if arguments:
        aligned = []
        for a, pullback in itertools.zip_longest(arguments, pullbacks):
            n = len(a) if _holds_tensors(a) else 1
            one = [pullback] if n == 1 else [None] * n
            aligned += pullback if isinstance(pullback, list) else one
        pullbacks = tuple(aligned)
    for i in places:
        if i >= len(pullbacks) or pullbacks[i] is None:
            raise ValueError(f"{name} has no gradient for its input {i}: detach() it")
    return pullbacks
