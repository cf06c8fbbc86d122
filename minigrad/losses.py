"""Losses: how far predictions ŷ are from the truth y, one number l(y, ŷ) for each example.

Training minimizes the sum, L(θ) = Σᵢ wᵢ l(yᵢ, ŷᵢ; θ), or that sum divided by n: `Loss.__call__` is
the one place where this is decided. The functions, such as `mean_squared_error`, give l alone.

The cross-entropies take the logarithm of a probability, which is -∞ as soon as softmax or sigmoid
round to 0. So, when ŷ comes from the softmax or sigmoid of a layer, they go back to the logits z
behind it, where the logarithm and the exponential cancel. Bare probabilities are clipped.

Shapes and dtypes that do not go together raise a ValueError: nothing is broadcast.
"""

import math

import numpy as np

from . import ops
from .registry import Configurable, check_number, look_up, resolve
from .tensor import Tensor

IGNORED = -100  # the label of a place that does not count, as in PyTorch and Hugging Face's models
SMALLEST = 1e-7  # bare probabilities are clipped to SMALLEST .. 1 - SMALLEST, as in Keras


# ---- What all losses share -----------------------------------------------------------------------


def _prepare(y_true, y_pred, name="y_true"):
    """Both as Tensors, y_true with the shape and dtype of y_pred.

    Shapes may differ by a last axis of length 1, as in Keras, and in nothing else: (n,) and (n, 1)
    would broadcast to (n, n) without a word.
    """
    y_true, y_pred = _tensor(y_true), _floating(y_pred)
    same = y_true.shape in (y_pred.shape, (*y_pred.shape, 1))
    if not same and (*y_true.shape, 1) != y_pred.shape:
        raise ValueError(f"{name} must have shape {y_pred.shape}. Received: {y_true.shape}")
    if y_true.dtype != y_pred.dtype:
        y_true = ops.astype(y_true, y_pred.dtype)
    return _reshape(y_true, y_pred.shape), y_pred


def _tensor(x):
    return x if isinstance(x, Tensor) else Tensor(x)


def _floating(x):
    x = _tensor(x)
    return x if x.dtype.kind == "f" else ops.astype(x, "float32")


def _reshape(x, shape):
    return x if x.shape == shape else ops.reshape(x, shape)


def _per_example(each):
    """The mean over all axes but the first.   (n, ...) -> (n,)"""
    n = each.shape[0]
    if each.size == n:
        return _reshape(each, (n,))
    return ops.mean(each, axis=tuple(range(1, each.ndim)))


def _logits(y_pred, activation, from_logits):
    """The z of which y_pred is softmax(z) or sigmoid(z), as `activation` says.

    None if it is not known, or was updated since.
    """
    made_by, z, version = y_pred.logits or (None, None, None)
    if from_logits and made_by:
        raise ValueError(f"from_logits=True, but y_pred is not logits: it comes from {made_by}")
    if from_logits:
        return y_pred
    return z if made_by == activation and z.version == version else None


# ---- Regression ----------------------------------------------------------------------------------


def mean_squared_error(y_true, y_pred):
    """l(y, ŷ) = 1/d Σⱼ (ŷⱼ - yⱼ)²   (n, d), (n, d) -> (n,)"""
    y_true, y_pred = _prepare(y_true, y_pred)
    return _per_example(ops.square(y_pred - y_true))


def mean_absolute_error(y_true, y_pred):
    """l(y, ŷ) = 1/d Σⱼ |ŷⱼ - yⱼ|   (n, d), (n, d) -> (n,)"""
    y_true, y_pred = _prepare(y_true, y_pred)
    return _per_example(ops.absolute(y_pred - y_true))


def huber(y_true, y_pred, delta=1.0):
    """l(y, ŷ) = 1/d Σⱼ cⱼ (aⱼ - cⱼ/2),  a = |ŷ - y|,  c = min(a, δ)   (n, d), (n, d) -> (n,)

    That is a²/2 near the truth, and δ (a - δ/2), a straight line, further away (Huber, 1964).
    """
    y_true, y_pred = _prepare(y_true, y_pred)
    a = ops.absolute(y_pred - y_true)
    c = ops.minimum(a, delta)
    return _per_example(c * (a - c / 2))


# ---- Probabilities -------------------------------------------------------------------------------


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """l(y, p) = -1/d Σⱼ (yⱼ log pⱼ + (1 - yⱼ) log(1 - pⱼ))   (n, d), (n, d) -> (n,)

    With logits z, p = σ(z). label_smoothing α makes y into (1 - α) y + α/2.
    """
    y_true, y_pred = _prepare(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    z = _logits(y_pred, "sigmoid", from_logits)
    if z is not None:
        return _per_example(ops.sigmoid_cross_entropy(z, y_true))
    p = ops.clip(y_pred, SMALLEST, 1 - SMALLEST)
    return _per_example(-(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p)))


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """l(y, p) = -Σⱼ yⱼ log pⱼ   (n, c), (n, c) -> (n,)

    With logits z, p = softmax(z). Other p are divided by their sum Σⱼ pⱼ first, as in Keras.
    label_smoothing α makes y into (1 - α) y + α/c. Axes between n and c are averaged over.
    """
    y_true, y_pred = _prepare(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1]
    z = _logits(y_pred, "softmax", from_logits)
    if z is not None:
        return _per_example(ops.softmax_cross_entropy(z, y_true))
    return _per_example(-ops.sum(y_true * _log_probabilities(y_pred), axis=-1))


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False):
    """l(y, p) = -log p[y]   integers (n,) or (n, 1), (n, c) -> (n,)

    The categorical_crossentropy of onehot(y). Axes between n and c are averaged over.
    """
    y_true, y_pred = y_true if hasattr(y_true, "shape") else _tensor(y_true), _floating(y_pred)
    *examples, classes = y_pred.shape
    if y_true.dtype.kind not in "iu":
        raise ValueError(f"y_true must be integer class labels. Received: dtype {y_true.dtype}")
    if y_true.shape not in ((*examples,), (*examples, 1)):
        raise ValueError(
            f"y_true must have shape {(*examples,)}, one label for each prediction of shape "
            f"{y_pred.shape}. Received: {y_true.shape}"
        )
    z = _logits(y_pred, "softmax", from_logits)
    if z is None:
        z = _log_probabilities(y_pred)  # softmax(log p) = p
    n = math.prod(examples)
    each = ops.sparse_softmax_cross_entropy(_reshape(z, (n, classes)), _reshape(y_true, (n,)))
    return each if len(examples) == 1 else _per_example(_reshape(each, (*examples,)))


def token_crossentropy(y_true, y_pred):
    """l(y, z) = Σₜ -log softmax(zₜ)[yₜ]   integers (n, ...), logits (n, ..., c) -> (n,)

    The sum is over the places that count: where y is not IGNORED. The others get no gradient.
    """
    y_pred = _floating(y_pred)
    y_true = y_true.data if isinstance(y_true, Tensor) else y_true
    if y_true.dtype.kind not in "iu" or y_true.shape != y_pred.shape[:-1]:
        raise ValueError(
            f"y_true must be integers of shape {y_pred.shape[:-1]}, one label for each place of "
            f"logits {y_pred.shape}. Received: {y_true.dtype} of shape {y_true.shape}"
        )
    counts = y_true != IGNORED
    labels = np.reshape(np.where(counts, y_true, 0), -1)
    each = ops.sparse_softmax_cross_entropy(_reshape(y_pred, (-1, y_pred.shape[-1])), labels)
    each = each * np.reshape(counts, -1).astype(each.dtype)
    return ops.sum(_reshape(each, (len(y_true), -1)), axis=1)


def kl_divergence(y_true, y_pred):
    """l(y, p) = Σⱼ yⱼ log(yⱼ / pⱼ)   (n, c), (n, c) -> (n,)

    y, and p that comes from no softmax, are clipped to SMALLEST .. 1, as in Keras.
    """
    y_true, y_pred = _prepare(y_true, y_pred)
    z = _logits(y_pred, "softmax", from_logits=False)
    log_p = ops.log(ops.clip(y_pred, SMALLEST, 1.0)) if z is None else ops.log_softmax(z)
    y_true = ops.clip(y_true, SMALLEST, 1.0)
    return _per_example(ops.sum(y_true * (ops.log(y_true) - log_p), axis=-1))


def _log_probabilities(p):
    """log(pⱼ / Σₖ pₖ), clipped.   (..., c) -> (..., c)"""
    return ops.log(ops.clip(p / ops.sum(p, axis=-1, keepdims=True), SMALLEST, 1 - SMALLEST))


# ---- Margins -------------------------------------------------------------------------------------


def hinge(y_true, y_pred):
    """l(y, ŷ) = 1/d Σⱼ max(1 - yⱼ ŷⱼ, 0)   (n, d), (n, d) -> (n,)

    Labels y are -1 and 1; where all are 0 or 1, they are taken for -1 and 1, as in Keras.
    """
    y_true, y_pred = _prepare(y_true, y_pred)
    return _per_example(ops.relu(1 - _signs(y_true) * y_pred))


def squared_hinge(y_true, y_pred):
    """l(y, ŷ) = 1/d Σⱼ max(1 - yⱼ ŷⱼ, 0)²   (n, d), (n, d) -> (n,)

    Labels as for `hinge`.
    """
    y_true, y_pred = _prepare(y_true, y_pred)
    return _per_example(ops.square(ops.relu(1 - _signs(y_true) * y_pred)))


def _signs(y):
    """2 y - 1 if all y are 0 or 1, else y: decided by the arrays, without reading them."""
    return ops.where(ops.all((y == 0) | (y == 1)), 2 * y - 1, y)


# ---- Objects, with the sum -----------------------------------------------------------------------


class Loss(Configurable):
    """L(θ) = Σᵢ wᵢ l(yᵢ, ŷᵢ; θ) / n.   The base of all losses; a subclass defines `call`, its l.

    reduction  "sum_over_batch_size" as above, "sum" without the 1/n, "none" for the n summands

    `labels` says what y may be, for `fit` to check: "numbers", "probabilities", "signs", "classes".
    """

    labels = "numbers"

    def __init__(self, reduction="sum_over_batch_size"):
        known = ("sum_over_batch_size", "sum", "none")
        self.reduction = look_up("reduction", reduction, {name: name for name in known})

    def call(self, y_true, y_pred):
        """l(yᵢ, ŷᵢ) for each example.   (n, ...), (n, ...) -> (n,)"""
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true, y_pred, sample_weight=None):
        """(n, ...), (n, ...), weights (n,) -> the loss, of shape ()"""
        each = self.call(y_true, y_pred)
        if sample_weight is not None:
            weight, each = _prepare(sample_weight, each, name="sample_weight")
            each = weight * each
        if self.reduction == "none":
            return each
        return ops.sum(each) if self.reduction == "sum" else self.mean(each, y_true)

    def mean(self, each, y_true):
        """Σᵢ wᵢ l(yᵢ, ŷᵢ) / n, given the summands (n,)"""
        return ops.mean(each)

    def count(self, y_true, y_pred):
        """How many things the mean is over: n, unless a loss says otherwise."""
        return np.float64(y_pred.shape[0])


class FunctionLoss(Loss):
    """Σᵢ function(yᵢ, ŷᵢ) / n, where the function gives a Tensor (n,), or (n, ...) to average."""

    def __init__(self, function, reduction="sum_over_batch_size"):
        super().__init__(reduction)
        by_name = isinstance(function, str)
        self.function = look_up("loss", function, FUNCTIONS) if by_name else function

    def call(self, y_true, y_pred):
        each = _tensor(self.function(y_true, y_pred))
        if each.shape[:1] != (len(y_pred),):
            name = getattr(self.function, "__name__", self.function)
            raise ValueError(
                f"the loss {name} must give one value for each of the "
                f"{len(y_pred)} examples. Received: shape {each.shape}"
            )
        return _per_example(each)


class MeanSquaredError(Loss):
    """Σᵢ mean_squared_error(yᵢ, ŷᵢ) / n"""

    call = staticmethod(mean_squared_error)


class MeanAbsoluteError(Loss):
    """Σᵢ mean_absolute_error(yᵢ, ŷᵢ) / n"""

    call = staticmethod(mean_absolute_error)


class Huber(Loss):
    """Σᵢ huber(yᵢ, ŷᵢ) / n"""

    def __init__(self, delta=1.0, reduction="sum_over_batch_size"):
        super().__init__(reduction)
        self.delta = check_number("delta", delta, positive=True)

    def call(self, y_true, y_pred):
        return huber(y_true, y_pred, self.delta)


class BinaryCrossentropy(Loss):
    """Σᵢ binary_crossentropy(yᵢ, pᵢ) / n"""

    labels = "probabilities"

    def __init__(self, from_logits=False, label_smoothing=0.0, reduction="sum_over_batch_size"):
        super().__init__(reduction)
        self.from_logits = from_logits
        self.label_smoothing = check_number("label_smoothing", label_smoothing, below=1)

    def call(self, y_true, y_pred):
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class CategoricalCrossentropy(BinaryCrossentropy):
    """Σᵢ categorical_crossentropy(yᵢ, pᵢ) / n, with the options of BinaryCrossentropy"""

    def call(self, y_true, y_pred):
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class SparseCategoricalCrossentropy(Loss):
    """Σᵢ sparse_categorical_crossentropy(yᵢ, pᵢ) / n"""

    labels = "classes"

    def __init__(self, from_logits=False, reduction="sum_over_batch_size"):
        super().__init__(reduction)
        self.from_logits = from_logits

    def call(self, y_true, y_pred):
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)


class TokenCrossentropy(Loss):
    """Σᵢ token_crossentropy(yᵢ, zᵢ) / m, where m places of all examples together count.

    So a place weighs the same in a long text and in a short one, and a loss over several batches is
    that of all their places.
    """

    labels = "tokens"

    call = staticmethod(token_crossentropy)

    def mean(self, each, y_true):
        return ops.sum(each) / self.count(y_true, each).astype(each.dtype)

    def count(self, y_true, y_pred):
        y_true = y_true.data if isinstance(y_true, Tensor) else y_true
        return np.maximum(np.sum(y_true != IGNORED, dtype="float64"), 1)  # a batch may have none


class Hinge(Loss):
    """Σᵢ hinge(yᵢ, ŷᵢ) / n"""

    labels = "signs"

    call = staticmethod(hinge)


class SquaredHinge(Loss):
    """Σᵢ squared_hinge(yᵢ, ŷᵢ) / n"""

    labels = "signs"

    call = staticmethod(squared_hinge)


class KLDivergence(Loss):
    """Σᵢ kl_divergence(yᵢ, pᵢ) / n"""

    labels = "probabilities"

    call = staticmethod(kl_divergence)


_TABLE = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    huber: Huber,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    token_crossentropy: TokenCrossentropy,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    kl_divergence: KLDivergence,
}
_ALIASES = {"mse": mean_squared_error, "mae": mean_absolute_error}
FUNCTIONS = {**{f.__name__: f for f in _TABLE}, **_ALIASES}
_CLASSES = {c.__name__: c for c in (*_TABLE.values(), FunctionLoss)}


def get(loss):
    """The Loss that is meant: an object, a name ("mse", "Hinge"), or its configuration.

    A function that gives l for each example becomes a FunctionLoss; None stays None.
    """
    names = {name: _TABLE[function] for name, function in FUNCTIONS.items()}
    loss = resolve("loss", loss, {**names, **_CLASSES})
    if loss is None or isinstance(loss, Loss):
        return loss
    return _TABLE[loss]() if loss in _TABLE else FunctionLoss(loss)
