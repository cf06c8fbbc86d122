"""The basic layers: Dense, Embedding, and those without parameters.

n examples, d features, u units.
"""

import math
import sys

import numpy as np

from .. import initializers, ops, random, regularizers
from ..bounded_json import shorten
from ..registry import check_number, is_integer
from ..tensor import Tensor
from . import activations
from .layer import Layer, Parameter, check_shape


class Input(Layer):
    """The shape (and dtype) of one example, first in a Sequential: Input((784,)). Passes x on."""

    def __init__(self, shape, dtype="float32"):
        self.shape = self.input_shape = check_shape("shape", shape, unknown=None)
        self.dtype = self.input_dtype = dtype

    def get_config(self):
        return {"shape": list(self.shape), "dtype": self.dtype}

    def call(self, x):
        return x


class Dense(Layer):
    """y = activation(x W + b)   (..., d), weight (d, u), bias (u,) -> (..., u)

    units  u. `kernel_initializer` and `kernel_regularizer`, Keras's words, are those of the weight.

    adapters  {name: LowRank} of changes that fine-tuning adds to x W; see `finetune.LoRA`
    unmerged  the weight without them, a Parameter, while they are part of the weight; else None
    """

    keeps_mask = True
    adapters = {}  # noqa: RUF012 - of all layers that have none
    unmerged = None
    _lies_in_columns = False  # whether the weight is transposed in memory, as it was in a file
    _cast_kinds = "fiub"

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        **options,
    ):
        super().__init__(**options)
        self.units = positive_integer("Dense", "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def build(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(
                "Dense needs a batch axis and features, (n, d). "
                f"Received: shape {tuple(input_shape)}"
            )
        d = input_shape[-1]
        self.weight = self.add_weight(
            (d, self.units), self.kernel_initializer, regularizer=self.kernel_regularizer
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer
            )

    def call(self, x):
        """activation(x W + b), or without b if not use_bias   (..., d) -> (..., u)"""
        if self._lies_in_columns:
            self._lay_out_in_rows()
        if x.shape[-1] != self.weight.shape[0]:
            raise ValueError(
                f"Dense was built for inputs with {self.weight.shape[0]} features (last axis). "
                f"Received: shape {x.shape}"
            )
        changes = [adapter(x) for adapter in self._adapters_beside()]
        if self.use_bias and not changes and activations.fused(self.activation):
            return ops.dense(x, self.weight, self.bias, activation=self.activation)
        z = ops.dense(x, self.weight, self.bias) if self.use_bias else x @ self.weight
        for change in changes:
            z = z + change
        return activations.activate(self.activation, z)

    def _adapters_beside(self):
        merged = self.unmerged is not None
        return [] if merged else [a for a in self.adapters.values() if a.active]

    def take_transposed(self, stored):
        """Let the weight be storedᵀ, where stored (u, d) lies in a file: no number is copied yet.

        It is at the first call, since products want the rows of a weight in one piece.
        """
        self.weight.data = stored.T
        self._lies_in_columns = True

    def _lay_out_in_rows(self):
        self.weight.data = self.weight.data.copy(order="C")
        self._lies_in_columns = False

    def keep_unmerged(self):
        """Keep a copy of the weight as it is now, before adapters become part of it."""
        self.unmerged = Parameter(self.weight.data.copy(), learned=False)


def dense_inside(layer, units, activation=None):
    """A Dense layer for another layer, made as that one's own arguments say."""
    return Dense(
        units,
        activation,
        use_bias=layer.use_bias,
        kernel_initializer=layer.kernel_initializer,
        bias_initializer=layer.bias_initializer,
        dtype=layer.dtype,
    )


class Activation(Layer):
    """y = activation(x), elementwise or along the last axis; a name or a function."""

    keeps_mask = True

    def __init__(self, activation, **options):
        super().__init__(**options)
        self.activation = activations.get(activation)

    def call(self, x):
        return activations.activate(self.activation, x)


class Dropout(Layer):
    """In training, x / (1 - rate) with a share `rate` of the elements set to 0 at random; else x.

    Srivastava et al., 2014, in the form that leaves the expected value as it is.
    """

    keeps_mask = True

    def __init__(self, rate, **options):
        super().__init__(**options)
        self.rate = check_number("rate", rate, below=1)

    def call(self, x, training=False):
        return ops.dropout(x, self.rate, random.key()) if training and self.rate > 0 else x


class Flatten(Layer):
    """(n, ...) -> (n, d): each example as one row."""

    def call(self, x):
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Reshape(Layer):
    """(n, ...) -> (n, *target_shape): each example in another shape; one -1 is worked out."""

    def __init__(self, target_shape, **options):
        super().__init__(**options)
        self.target_shape = check_shape("target_shape", target_shape, unknown=-1)

    def call(self, x):
        size, known = math.prod(x.shape[1:]), math.prod(n for n in self.target_shape if n != -1)
        shape = tuple(size // known if n == -1 and known else n for n in self.target_shape)
        if math.prod(shape) != size:
            raise ValueError(
                f"Reshape cannot make {self.target_shape} of each example. "
                f"Received: shape {x.shape}"
            )
        return ops.reshape(x, (x.shape[0], *shape))


class Embedding(Layer):
    """yᵢ = weight[xᵢ]   integers x (...), weight (input_dim, output_dim) -> (..., output_dim)

    0 <= xᵢ < input_dim.

    mask_zero  whether 0 fills up sequences: the layers that follow get the mask xᵢ ≠ 0

    Errors call it by its `name`, if it has one.
    """

    keeps_mask = True
    input_dtype = "int64"

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        mask_zero=False,
        **options,
    ):
        super().__init__(**options)
        self.input_dim = positive_integer("Embedding", "input_dim", input_dim)
        self.output_dim = positive_integer("Embedding", "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.mask_zero = mask_zero

    def build(self, input_shape):
        shape = (self.input_dim, self.output_dim)
        self.weight = self.add_weight(
            shape, self.embeddings_initializer, regularizer=self.embeddings_regularizer
        )

    def call(self, x):
        if x.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name or 'Embedding'} looks up integers. Received: dtype {x.dtype}"
            )
        indices = x.data.astype("int64")
        try:  # -1 would count from the end
            return ops.take(self.weight, np.where(indices < 0, self.input_dim, indices), axis=0)
        except IndexError as error:
            raise ValueError(
                f"{self.name or 'Embedding'} looks up integers from 0 to {self.input_dim - 1}. "
                f"Received: {np.min(x.data)} to {np.max(x.data)}"
            ) from error

    def compute_mask(self, x, mask=None):
        """The steps that are no 0, if mask_zero, among those that counted before."""
        if not self.mask_zero:
            return mask
        found = (x.data if isinstance(x, Tensor) else x) != 0
        return found if mask is None else found & mask


class Masking(Layer):
    """Passes x on, with the mask of its steps that hold a number other than `mask_value`.

    x (n, t, d), whose mask is (n, t). Sequences of different lengths are filled up with the value.
    """

    keeps_mask = True

    def __init__(self, mask_value=0.0, **options):
        super().__init__(**options)
        if np.any(np.isnan(mask_value)):
            raise ValueError(
                "Masking compares, and NaN equals nothing: fill sequences up with another number. "
                f"Received: mask_value={mask_value}"
            )
        self.mask_value = mask_value

    def call(self, x):
        return x

    def compute_mask(self, x, mask=None):
        found = np.any((x.data if isinstance(x, Tensor) else x) != self.mask_value, axis=-1)
        return found if mask is None else found & mask


def positive_integer(layer, name, value):
    """`value` as an int. ValueError that names layer and argument unless it is one from 1 up.

    One that is larger than any array can be long is none, either.
    """
    if not is_integer(value, most=sys.maxsize):
        raise ValueError(
            f"{layer} needs {name} to be a positive integer. Received: {name}={shorten(value)}"
        )
    return int(value)
