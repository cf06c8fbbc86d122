"""Layers that go through a sequence step by step, and carry a state along.

n sequences, t steps, d features, u units. A state is (n, u); what a layer learns is the same at
every step. A step that a mask hides leaves the state as it was, and the output with it: so an
output that is asked for after the last step is that of the last step that counts, wherever a
sequence is filled up.
"""

import numpy as np

from .. import initializers, ops, random, regularizers
from ..registry import check_number, resolve
from ..tensor import Tensor
from .core import positive_integer
from .layer import Layer, check_mask
from .positions import check_sequence


class _Recurrent(Layer):
    """What all have in common: arguments, first states, the direction, and what they return."""

    _cast_kinds = "fiub"
    _gates = 1  # how many times u numbers a step finds
    _states = 1  # that are carried along

    def __init__(
        self,
        units,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        kernel_regularizer,
        recurrent_regularizer,
        bias_regularizer,
        dropout,
        return_sequences,
        return_state,
        go_backwards,
        options,
    ):
        super().__init__(**options)
        self.units = positive_integer(type(self).__name__, "units", units)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.dropout = check_number("dropout", dropout, below=1)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards

    def build(self, input_shape):
        check_sequence(self, input_shape)
        width = self._gates * self.units
        self.weight = self.add_weight(
            (input_shape[2], width), self.kernel_initializer, regularizer=self.kernel_regularizer
        )
        self.recurrent_weight = self.add_weight(
            (self.units, width), self.recurrent_initializer, regularizer=self.recurrent_regularizer
        )
        if self.use_bias:
            self._build_bias(width)

    def _build_bias(self, width):
        self.bias = self.add_weight(
            (width,), self.bias_initializer, regularizer=self.bias_regularizer
        )

    def call(self, x, mask=None, training=False, initial_state=None):
        """y (n, t, u) if `return_sequences`, else (n, u);  with `return_state` (y, state, ...)

        mask           booleans (n, t): where one is False, the state stays as it was
        initial_state  (n, u), or a list of as many as the layer carries along; zeros if left out
        """
        name = type(self).__name__
        check_sequence(self, x.shape, self.weight.shape[0])
        if x.shape[1] == 0:
            raise ValueError(f"{name} needs at least one step. Received: shape {x.shape}")
        check_mask(name, mask, x.shape[:2])
        states = self._first_states(x, initial_state)
        if training and self.dropout > 0:
            x = x * ops.dropout(np.ones_like(x.data[:, :1]), self.dropout, random.key())
        if self.go_backwards:
            x, mask = ops.flip(x, 1), None if mask is None else np.flip(mask, 1)
        y, *last = self._go_through(x, states, mask)
        y = y if self.return_sequences else y[:, -1]
        return (y, *last) if self.return_state else y

    def _first_states(self, x, given):
        """What is given, checked and cast, or zeros."""
        shape = x.shape[0], self.units
        if given is None:
            return [np.zeros_like(x.data, shape=shape)] * self._states
        given = given if isinstance(given, (list, tuple)) else [given]
        given = [s if isinstance(s, Tensor) else Tensor(s) for s in given]
        if [s.shape for s in given] != [shape] * self._states:
            received = ", ".join(str(s.shape) for s in given)
            raise ValueError(
                f"{type(self).__name__} needs an initial_state of {self._states} arrays of shape "
                f"{shape}. Received: {received or 'none'}"
            )
        return [self._cast(s) for s in given]

    def _or_zeros(self, bias):
        """The bias of this name; zeros without `use_bias`."""
        return getattr(self, bias) if self.use_bias else np.zeros_like(self.weight.data[0])

    def _go_through(self, x, states, mask):
        """Outputs (n, t, u), and the states after the last step, if they are returned."""
        raise NotImplementedError(f"{type(self).__name__} must define _go_through")

    def compute_mask(self, x, mask=None):
        return mask if self.return_sequences else None


class SimpleRNN(_Recurrent):
    """h' = f(x W + h U + b) at each step, of which h is the state   (n, t, d) -> (n, u)

    The last h is returned, or with return_sequences all of them, (n, t, u)   (Elman, 1990).

    weight W (d, u), recurrent_weight U (u, u), bias (u,). PyTorch's RNN has weight_ih_l0 = Wᵀ,
    weight_hh_l0 = Uᵀ, and two biases, whose sum is ours.

    activation        f: "tanh" or "relu"
    dropout           the share of the features of x that is dropped in training, in each sequence
                      the same at all steps
    return_sequences  all outputs, instead of the last one
    return_state      the last state as well: (y, h)
    go_backwards      begins with the last step; outputs come in the order in which they were found
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        **options,
    ):
        super().__init__(
            units,
            use_bias,
            *(kernel_initializer, recurrent_initializer, bias_initializer),
            *(kernel_regularizer, recurrent_regularizer, bias_regularizer),
            *(dropout, return_sequences, return_state, go_backwards, options),
        )
        self.activation = _one_of("SimpleRNN", "activation", activation, "tanh", "relu")

    def _go_through(self, x, states, mask):
        weights = self.weight, self.recurrent_weight, self._or_zeros("bias")
        y = ops.simple_rnn(x, *states, *weights, mask=mask, activation=self.activation)
        return [y, y[:, -1]] if self.return_state else [y]


class LSTM(_Recurrent):
    """h' = o tanh c',  c' = f c + i g,  of which h and c are the states   (n, t, d) -> (n, u)

    The last h is returned, or with return_sequences all of them, (n, t, u)   (Gers et al., 2000).

    i, f, o = σ(x W + h U + b) and g = tanh(x W + h U + b) lie side by side in weight W (d, 4 u),
    recurrent_weight U (u, 4 u) and bias (4 u,), in Keras's order i, f, g, o. PyTorch has the same
    order in weight_ih_l0 = Wᵀ and weight_hh_l0 = Uᵀ, and two biases, whose sum is ours.

    unit_forget_bias  whether f's part of the bias starts from 1, so that at first much is kept
    return_state      the last states as well: (y, h, c)

    The other arguments are those of SimpleRNN. The activations are tanh and sigmoid.
    """

    _gates, _states = 4, 2

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        **options,
    ):
        super().__init__(
            units,
            use_bias,
            *(kernel_initializer, recurrent_initializer, bias_initializer),
            *(kernel_regularizer, recurrent_regularizer, bias_regularizer),
            *(dropout, return_sequences, return_state, go_backwards, options),
        )
        self.activation = _one_of("LSTM", "activation", activation, "tanh")
        self.recurrent_activation = _one_of(
            "LSTM", "recurrent_activation", recurrent_activation, "sigmoid"
        )
        self.unit_forget_bias = unit_forget_bias

    def _build_bias(self, width):
        def with_ones(shape, dtype):
            values = self.bias_initializer(shape, dtype)
            values[self.units : 2 * self.units] = 1
            return values

        start = with_ones if self.unit_forget_bias else self.bias_initializer
        self.bias = self.add_weight((width,), start, regularizer=self.bias_regularizer)

    def _go_through(self, x, states, mask):
        weights = self.weight, self.recurrent_weight, self._or_zeros("bias")
        both = ops.lstm(x, *states, *weights, mask=mask, cells=self.return_state)
        if not self.return_state:
            return [both]
        return [both[..., : self.units], *ops.split(both[:, -1], 2, axis=1)]


class GRU(_Recurrent):
    """h' = p h + (1 - p) q,  p, r = σ(z + a),  q = tanh(z + r a),  of which h is the state

    (n, t, d) -> (n, u), the last h, or with return_sequences all of them, (n, t, u).

    Cho et al., 2014, with the reset r after the product, as in PyTorch. With z = x W + b and
    a = h U + b', the three lie side by side in weight W (d, 3 u), recurrent_weight U (u, 3 u), bias
    b and recurrent_bias b' (3 u,), in the order p, r, q. So they do in Keras, as z, r, h, with both
    biases in one array. PyTorch has the order r, p, q, as r, z, n, in weight_ih_l0 = Wᵀ,
    weight_hh_l0 = Uᵀ, bias_ih_l0 = b and bias_hh_l0 = b'.

    reset_after  True: the other form, with (r h) U, is not there

    The other arguments are those of SimpleRNN. The activations are tanh and sigmoid.
    """

    _gates = 3

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        reset_after=True,
        **options,
    ):
        super().__init__(
            units,
            use_bias,
            *(kernel_initializer, recurrent_initializer, bias_initializer),
            *(kernel_regularizer, recurrent_regularizer, bias_regularizer),
            *(dropout, return_sequences, return_state, go_backwards, options),
        )
        self.activation = _one_of("GRU", "activation", activation, "tanh")
        self.recurrent_activation = _one_of(
            "GRU", "recurrent_activation", recurrent_activation, "sigmoid"
        )
        self.reset_after = _one_of("GRU", "reset_after", reset_after, True)

    def _build_bias(self, width):
        super()._build_bias(width)
        self.recurrent_bias = self.add_weight(
            (width,), self.bias_initializer, regularizer=self.bias_regularizer
        )

    def _go_through(self, x, states, mask):
        biases = self._or_zeros("bias"), self._or_zeros("recurrent_bias")
        y = ops.gru(x, *states, self.weight, self.recurrent_weight, *biases, mask=mask)
        return [y, y[:, -1]] if self.return_state else [y]


class Bidirectional(Layer):
    """A recurrent layer that reads forwards, and one like it that reads backwards.

    layer       the first. The second, `backward_layer`, is made from its configuration. Its outputs
                are turned round, so that both say something of the same step
    merge_mode  what becomes of both outputs: "concat" lays them side by side; "sum", "mul", "ave";
                None leaves them as a list

    With return_state, the states of the first layer come after the outputs, then those of the
    second; initial_state holds them in the same order.
    """

    def __init__(self, layer, merge_mode="concat", **options):
        super().__init__(**options)
        layer = resolve("layer", layer, _CLASSES) if isinstance(layer, dict) else layer
        if not isinstance(layer, _Recurrent) or layer.go_backwards:
            raise ValueError(
                "Bidirectional needs an LSTM, a GRU or a SimpleRNN that reads forwards. "
                f"Received: layer={layer!r}"
            )
        self.layer = layer
        self.backward_layer = type(layer).from_config(layer.get_config() | {"go_backwards": True})
        self.merge_mode = _one_of("Bidirectional", "merge_mode", merge_mode, *_MERGES)

    def call(self, x, mask=None, initial_state=None):
        """y (n, t, 2 u) or (n, 2 u), or (n, t, u) or (n, u) if they are not laid side by side"""
        first = second = None
        if initial_state is not None:
            first, second = self._halves(initial_state)
        forward = self.layer(x, mask=mask, initial_state=first)
        backward = self.backward_layer(x, mask=mask, initial_state=second)
        if self.layer.return_state:
            forward, *states = forward
            backward, *others = backward
            states += others
        if self.layer.return_sequences:
            backward = ops.flip(backward, 1)
        y = _MERGES[self.merge_mode](forward, backward)
        return (y, *states) if self.layer.return_state else y

    def _halves(self, states):
        """The first states of both directions."""
        k = self.layer._states
        count = len(states) if isinstance(states, (list, tuple)) else 1
        if count != 2 * k:
            raise ValueError(
                f"Bidirectional needs an initial_state of {2 * k} arrays. Received: {count}"
            )
        return states[:k], states[k:]

    def compute_mask(self, x, mask=None):
        return self.layer.compute_mask(x, mask)


_CLASSES = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
_MERGES = {
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    None: lambda a, b: [a, b],
}


def _one_of(layer, name, value, *known):
    """`value` if the layer knows it; else a ValueError that names the layer's argument."""
    if value not in known:
        choices = " or ".join(map(repr, known))
        raise ValueError(f"{layer} needs {name} to be {choices}. Received: {name}={value!r}")
    return value
