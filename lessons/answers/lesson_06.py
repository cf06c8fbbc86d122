"""Answers to the exercises of lesson 6."""

import math
from statistics import NormalDist

import numpy as np

from minigrad import Tensor, ops
from minigrad.layers import activations

from . import right, wrong

# ---- 6.1 relu ------------------------------------------------------------------------------------


@wrong("6.1", "The pullback lets g through everywhere. Where x is not positive, the slope is 0.")
def no_mask(x):
    return np.maximum(x, 0), lambda g: g


@wrong("6.1", "The pullback asks for the sign of g. It is x that decides where g may pass.")
def mask_of_the_gradient(x):
    return np.maximum(x, 0), lambda g: np.maximum(g, 0)


@wrong("6.1", "The pullback multiplies g by the value. The slope is 1 where x is positive, not x.")
def value_for_slope(x):
    y = np.maximum(x, 0)
    return y, lambda g: g * y


@wrong("6.1", "The pullback returns the slope alone. It must be multiplied by g, as always.")
def slope_without_g(x):
    return np.maximum(x, 0), lambda g: np.where(x > 0, 1.0, 0.0).astype(g.dtype)


@wrong("6.1", "At x = 0 exactly, the pullback lets g through. There the slope is to be 0.")
def open_at_zero(x):
    return np.maximum(x, 0), lambda g: np.where(x >= 0, g, 0)


@wrong("6.1", "It writes zeros into x itself, which belongs to the caller.")
def in_place(x):
    x[x < 0] = 0
    return x, lambda g: np.where(x > 0, g, 0)


@wrong("6.1", "Below 0 it gives a small share of x, a leaky relu. Here that must be 0.")
def leaky(x):
    return np.where(x > 0, x, x / 100), lambda g: np.where(x > 0, g, g / 100)


@wrong("6.1", "It keeps the negative numbers: that is min(x, 0), not max(x, 0).")
def smaller_of_both(x):
    return np.minimum(x, 0), lambda g: np.where(x < 0, g, 0)


@right("6.1")
def times_a_mask(x):
    positive = x > 0
    return x * positive, lambda g: g * positive


@right("6.1")
def half_of_x_and_its_magnitude(x):
    return (x + np.abs(x)) / 2, lambda g: g * np.maximum(np.sign(x), 0)


@right("6.1")
def zeros_filled_in(x):
    y = np.zeros_like(x)
    y[x > 0] = x[x > 0]

    def pullback(g):
        d = np.zeros_like(g)
        d[y > 0] = g[y > 0]
        return d

    return y, (pullback,)


# ---- 6.2 gelu ------------------------------------------------------------------------------------


def _erf(x):
    return np.vectorize(math.erf, otypes=[float])(x).astype(x.dtype)


def _exact(x):
    """Value and slope of x Φ(x)."""
    share = (1 + _erf(x / math.sqrt(2))) / 2
    return x * share, share + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


FRONT = math.sqrt(2 / math.pi)


def _by_tanh(x, front=FRONT, cubic=0.044715):
    """Value and slope of x (1 + tanh u) / 2."""
    t = np.tanh(front * (x + cubic * x**3))
    return x * (1 + t) / 2, (1 + t + x * (1 - t * t) * front * (1 + 3 * cubic * x * x)) / 2


def _rule(value_and_slope):
    value, slope = value_and_slope
    return value, lambda g: g * slope


@wrong("6.2", "The number before x³ is wrong: it is 0.044715.")
def cubic_constant_ten_times_too_large(x, approximate=False):
    return _rule(_by_tanh(x, cubic=0.44715) if approximate else _exact(x))


@wrong("6.2", "The factor inside the tanh is wrong: it is the root of 2/π, not 2/π itself.")
def no_root_of_two_over_pi(x, approximate=False):
    return _rule(_by_tanh(x, front=2 / math.pi) if approximate else _exact(x))


@wrong("6.2", "It computes x σ(1.702 x), a coarser approximation. Here the tanh is asked for.")
def quick_sigmoid_for_tanh(x, approximate=False):
    if not approximate:
        return _rule(_exact(x))
    s = 1 / (1 + np.exp(-1.702 * x))
    return x * s, lambda g: g * (s + 1.702 * x * s * (1 - s))


@wrong("6.2", "It takes erf(x). In Φ(x) stands erf(x/√2): the standard normal has variance 1.")
def erf_of_x(x, approximate=False):
    if approximate:
        return _rule(_by_tanh(x))
    share = (1 + _erf(x)) / 2
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return x * share, lambda g: g * (share + x * density)


@wrong("6.2", "The pullback has only the first term. x Φ(x) is a product, so x φ(x) is added.")
def half_a_product_rule(x, approximate=False):
    if approximate:
        return _rule(_by_tanh(x))
    value, _ = _exact(x)
    return value, lambda g: g * (1 + _erf(x / math.sqrt(2))) / 2


@wrong("6.2", "The argument `approximate` is not looked at: the answer is always the exact one.")
def always_exact(x, approximate=False):
    return _rule(_exact(x))


@wrong("6.2", "The argument `approximate` is not looked at: the answer is always the one by tanh.")
def always_by_tanh(x, approximate=False):
    return _rule(_by_tanh(x))


@wrong("6.2", "The slope of tanh u lacks the inner derivative u', which the chain rule asks for.")
def no_inner_derivative(x, approximate=False):
    if not approximate:
        return _rule(_exact(x))
    t = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return x * (1 + t) / 2, lambda g: g * (1 + t + x * (1 - t * t)) / 2


@right("6.2")
def by_the_error_function(x, approximate=False):
    return _rule(_by_tanh(x) if approximate else _exact(x))


@right("6.2")
def by_the_complement(x, approximate=False):
    if approximate:  # (1 + tanh u) / 2 = σ(2 u)
        u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        s = 1 / (1 + np.exp(-2 * u))
        du = math.sqrt(2 / math.pi) * (1 + 0.134145 * x**2)
        return x * s, lambda g: g * (s + 2 * x * s * (1 - s) * du)
    share = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.flat], x.dtype).reshape(x.shape)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return x * share, lambda g: g * share + g * x * density


@right("6.2")
def by_the_normal_distribution(x, approximate=False):
    if approximate:
        return _rule(_by_tanh(x))
    normal = NormalDist()
    share = np.reshape([normal.cdf(v) for v in x.flat], x.shape).astype(x.dtype)
    density = np.reshape([normal.pdf(v) for v in x.flat], x.shape).astype(x.dtype)
    return x * share, lambda g: g * (share + x * density)


# ---- 6.3 softmax ---------------------------------------------------------------------------------


def _p(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@wrong("6.3", "It divides by the sum of all numbers. Every row has a sum of its own.")
def all_rows_together(x, axis=-1):
    e = np.exp(x - x.max())
    p = e / e.sum()
    return p, lambda g: p * (g - (g * p).sum())


@wrong("6.3", "The argument `axis` is not looked at: the sum always runs along the last axis.")
def always_the_last_axis(x, axis=-1):
    p = _p(x, -1)
    return p, lambda g: p * (g - (g * p).sum(-1, keepdims=True))


@wrong("6.3", "The pullback lacks a term: through the sum, every pⱼ depends on every xᵢ.")
def no_sum_in_the_pullback(x, axis=-1):
    p = _p(x, axis)
    return p, lambda g: g * p * (1 - p)


@wrong("6.3", "The pullback subtracts the plain sum of g. It must be weighted: Σⱼ gⱼ pⱼ.")
def unweighted_sum_in_the_pullback(x, axis=-1):
    p = _p(x, axis)
    return p, lambda g: p * (g - g.sum(axis, keepdims=True))


@wrong("6.3", "The pullback lacks the factor pᵢ in front.")
def no_factor_in_the_pullback(x, axis=-1):
    p = _p(x, axis)
    return p, lambda g: g - (g * p).sum(axis, keepdims=True)


@wrong("6.3", "Large logits overflow: the largest of each row must be subtracted before exp.")
def overflowing(x, axis=-1):
    e = np.exp(x)
    p = e / e.sum(axis, keepdims=True)
    return p, lambda g: p * (g - (g * p).sum(axis, keepdims=True))


@wrong("6.3", "One maximum is subtracted from all rows. A row far below it becomes 0 divided by 0.")
def one_maximum_for_all(x, axis=-1):
    e = np.exp(x - x.max())
    p = e / e.sum(axis, keepdims=True)
    return p, lambda g: p * (g - (g * p).sum(axis, keepdims=True))


@wrong(
    "6.3", "The pullback sums along the last axis always. It must use `axis`, as the value does."
)
def last_axis_in_the_pullback(x, axis=-1):
    p = _p(x, axis)
    return p, lambda g: p * (g - (g * p).sum(-1, keepdims=True))


@right("6.3")
def by_logarithms(x, axis=-1):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    p = np.exp(shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)))
    return p, lambda g: g * p - p * np.sum(g * p, axis=axis, keepdims=True)


@right("6.3")
def by_differences(x, axis=-1):
    """pᵢ = 1 / Σⱼ exp(xⱼ - xᵢ)"""
    rows = np.moveaxis(x, axis, -1)
    with np.errstate(over="ignore"):
        p = 1 / np.exp(rows[..., None, :] - rows[..., :, None]).sum(-1)
    p = np.moveaxis(p, -1, axis)
    return p, lambda g: p * (g - np.sum(g * p, axis=axis, keepdims=True))


@right("6.3")
def by_the_jacobian(x, axis=-1):
    """g times the matrix diag(p) - p pᵀ, row by row."""
    rows = np.moveaxis(x, axis, -1)
    e = np.exp(rows - rows.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)

    def pullback(g):
        jacobian = p[..., :, None] * (np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :])
        g = np.moveaxis(g, axis, -1)
        return np.moveaxis((g[..., None, :] @ jacobian)[..., 0, :], -1, axis)

    return np.moveaxis(p, -1, axis), pullback


# ---- 6.4 log_softmax -----------------------------------------------------------------------------


def _log_p(x, axis):
    z = x - x.max(axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis, keepdims=True))


@wrong("6.4", "The argument `axis` is not looked at: the sum always runs along the last axis.")
def log_along_the_last_axis(x, axis=-1):
    y = _log_p(x, -1)
    return y, lambda g: g - np.exp(y) * g.sum(-1, keepdims=True)


@wrong("6.4", "It takes the logarithm of a softmax that has rounded to 0, and gets -∞.")
def log_of_softmax(x, axis=-1):
    p = _p(x, axis)
    return np.log(p), lambda g: g - p * g.sum(axis, keepdims=True)


@wrong("6.4", "Large logits overflow: the largest of each row must be subtracted before exp.")
def log_overflowing(x, axis=-1):
    y = x - np.log(np.exp(x).sum(axis, keepdims=True))
    return y, lambda g: g - np.exp(y) * g.sum(axis, keepdims=True)


@wrong("6.4", "It subtracts the sum of the exponentials. Its logarithm must be subtracted.")
def no_logarithm(x, axis=-1):
    z = x - x.max(axis, keepdims=True)
    y = z - np.exp(z).sum(axis, keepdims=True)
    return y, lambda g: g - np.exp(z) * g.sum(axis, keepdims=True)


@wrong("6.4", "The pullback subtracts pᵢ alone. It must be pᵢ times the sum of g along the axis.")
def no_sum_of_g(x, axis=-1):
    y = _log_p(x, axis)
    return y, lambda g: g - np.exp(y)


@wrong("6.4", "The pullback is that of softmax. The logarithm changes it to gᵢ - pᵢ Σⱼ gⱼ.")
def pullback_of_softmax(x, axis=-1):
    y = _log_p(x, axis)
    p = np.exp(y)
    return y, lambda g: p * (g - (g * p).sum(axis, keepdims=True))


@wrong(
    "6.4",
    "The pullback multiplies by the logarithms. It needs the probabilities, exp of the value.",
)
def logarithms_for_probabilities(x, axis=-1):
    y = _log_p(x, axis)
    return y, lambda g: g - y * g.sum(axis, keepdims=True)


@right("6.4")
def by_two_shifts(x, axis=-1):
    top = np.max(x, axis=axis, keepdims=True)
    norm = top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))
    p = np.exp(x - norm)
    return x - norm, lambda g: g - p * np.sum(g, axis=axis, keepdims=True)


@right("6.4")
def by_logaddexp(x, axis=-1):
    norm = np.expand_dims(np.logaddexp.reduce(x, axis=axis), axis)
    return x - norm, lambda g: g - np.exp(x - norm) * np.sum(g, axis=axis, keepdims=True)


@right("6.4")
def row_by_row(x, axis=-1):
    rows = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])
    shape = np.moveaxis(x, axis, -1).shape
    y = np.array([row - row.max() - np.log(np.exp(row - row.max()).sum()) for row in rows])

    def pullback(g):
        g_rows = np.moveaxis(g, axis, -1).reshape(rows.shape)
        d = np.array([a - np.exp(b) * a.sum() for a, b in zip(g_rows, y)])
        return np.moveaxis(d.reshape(shape), -1, axis)

    return np.moveaxis(y.reshape(shape), -1, axis), pullback


# ---- 6.5 sparse_softmax_cross_entropy ------------------------------------------------------------


def _losses(logits, labels):
    return -_log_p(logits, -1)[np.arange(len(labels)), labels]


def _residual(logits, labels):
    """p - onehot(y)"""
    return np.exp(_log_p(logits, -1)) - np.eye(logits.shape[1], dtype=logits.dtype)[labels]


@wrong("6.5", "The pullback gives p. Where the true class is, 1 must be subtracted.")
def no_one_hot(logits, labels):
    return _losses(logits, labels), lambda g: g[:, None] * np.exp(_log_p(logits, -1))


@wrong("6.5", "The pullback has the wrong sign: it is p - onehot(y), not onehot(y) - p.")
def opposite_sign(logits, labels):
    return _losses(logits, labels), lambda g: -g[:, None] * _residual(logits, labels)


@wrong("6.5", "The pullback forgets g: every example's row is multiplied by its own gᵢ.")
def residual_alone(logits, labels):
    return _losses(logits, labels), lambda g: _residual(logits, labels)


@wrong("6.5", "It returns the mean. Each example has a loss of its own here: n numbers.")
def mean_of_the_losses(logits, labels):
    n = len(labels)
    return _losses(logits, labels).mean(), lambda g: g * _residual(logits, labels) / n


@wrong("6.5", "The pullback divides by n. A mean is taken later, and its rule divides by itself.")
def divided_by_n(logits, labels):
    n = max(len(labels), 1)
    return _losses(logits, labels), lambda g: g[:, None] * _residual(logits, labels) / n


@wrong("6.5", "Large logits overflow: the largest of each row must be subtracted before exp.")
def overflowing_loss(logits, labels):
    e = np.exp(logits)
    p = e / e.sum(-1, keepdims=True)
    rows = np.arange(len(labels))
    return -np.log(p[rows, labels]), lambda g: g[:, None] * (p - np.eye(p.shape[1])[labels])


@wrong("6.5", "It takes the logarithm of a softmax that has rounded to 0, and gets ∞.")
def log_of_the_probability(logits, labels):
    p = _p(logits, -1)
    return (
        -np.log(p[np.arange(len(labels)), labels]),
        lambda g: g[:, None] * _residual(logits, labels),
    )


@wrong("6.5", "It returns -p of the true class. Its logarithm is missing.")
def no_log(logits, labels):
    p, rows = _p(logits, -1), np.arange(len(labels))
    at_y = p[rows, labels]
    return -at_y, lambda g: g[:, None] * at_y[:, None] * _residual(logits, labels)


@right("6.5")
def by_log_softmax(logits, labels):
    log_p = _log_p(logits, -1)
    rows = np.arange(len(labels))

    def pullback(g):
        d = np.exp(log_p)
        d[rows, labels] -= 1
        return d * g[:, None]

    return -log_p[rows, labels], pullback


@right("6.5")
def by_one_hot_rows(logits, labels):
    t = (labels[:, None] == np.arange(logits.shape[1])).astype(logits.dtype)
    norm = np.logaddexp.reduce(logits, axis=1)
    p = np.exp(logits - norm[:, None])
    return norm - (t * logits).sum(1), (lambda g: g[:, None] * (p - t), None)


@right("6.5")
def example_by_example(logits, labels):
    losses = np.zeros(len(labels), logits.dtype)
    residual = np.zeros_like(logits)
    for i, y in enumerate(labels):
        z = logits[i] - logits[i].max()
        losses[i] = np.log(np.sum(np.exp(z))) - z[y]
        residual[i] = np.exp(z) / np.sum(np.exp(z))
        residual[i, y] -= 1
    return losses, lambda g: np.einsum("i,ij->ij", g, residual)


# ---- 6.6 Dense.call ------------------------------------------------------------------------------


@wrong("6.6", "The bias is never added.")
def never_adds_the_bias(self, x):
    return activations.activate(self.activation, x @ self.weight)


@wrong("6.6", "The bias is added after the activation. It belongs to z, before it.")
def bias_after_the_activation(self, x):
    y = activations.activate(self.activation, x @ self.weight)
    return y + self.bias if self.use_bias else y


@wrong("6.6", "The activation is never applied: the layer returns z.")
def no_activation(self, x):
    z = x @ self.weight
    return z + self.bias if self.use_bias else z


@wrong("6.6", "The activation is applied to x. It comes last, on x W + b.")
def activation_of_the_input(self, x):
    z = activations.activate(self.activation, x) @ self.weight
    return z + self.bias if self.use_bias else z


@wrong("6.6", "The bias is added as an array, so it gets no gradient and will never learn.")
def bias_without_gradient(self, x):
    z = x @ self.weight
    return activations.activate(self.activation, z + self.bias.data if self.use_bias else z)


@wrong("6.6", "The layer always applies relu. Its own activation is in self.activation.")
def always_relu(self, x):
    z = x @ self.weight
    return ops.relu(z + self.bias if self.use_bias else z)


@wrong("6.6", "The layer computes with bare arrays, and the graph ends there: nothing can learn.")
def on_bare_arrays(self, x):
    z = x.data @ self.weight.data
    return activations.activate(self.activation, Tensor(z + self.bias.data if self.use_bias else z))


@wrong("6.6", "The bias is added though there may be none: use_bias says so.")
def always_adds_the_bias(self, x):
    return activations.activate(self.activation, x @ self.weight + self.bias)


@right("6.6")
def step_by_step(self, x):
    z = x @ self.weight
    if self.use_bias:
        z = z + self.bias
    return activations.activate(self.activation, z)


@right("6.6")
def by_einsum(self, x):
    z = ops.einsum("...d,du->...u", x, self.weight)
    z = ops.add(self.bias, z) if self.use_bias else z
    if self.activation is None:
        return z
    return self.activation(z) if callable(self.activation) else getattr(ops, self.activation)(z)


@right("6.6")
def bias_as_a_row_of_weights(self, x):
    if not self.use_bias:
        return activations.activate(self.activation, ops.matmul(x, self.weight))
    ones = np.ones((*x.shape[:-1], 1), x.dtype)
    row = ops.reshape(self.bias, (1, self.units))
    z = ops.concatenate([x, Tensor(ones)], axis=-1) @ ops.concatenate([self.weight, row])
    return activations.activate(self.activation, z)


# ---- 6.7 fans ------------------------------------------------------------------------------------


@wrong("6.7", "The two have changed places: fan_in counts inputs, the axis before the last.")
def changed_places(shape):
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    *field, m, n = shape
    return math.prod(field) * n, math.prod(field) * m


@wrong("6.7", "The field is left out: height and width of a convolution multiply both numbers.")
def no_field(shape):
    return tuple(shape[-2:]) if len(shape) > 1 else (math.prod(shape),) * 2


@wrong("6.7", "It takes the first two axes. Inputs and outputs are the last two.")
def first_two_axes(shape):
    return tuple(shape[:2]) if len(shape) > 1 else (math.prod(shape),) * 2


@wrong("6.7", "The field multiplies fan_in alone. Each input also goes to all its places.")
def field_in_fan_in_alone(shape):
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    return math.prod(shape[:-1]), shape[-1]


@wrong("6.7", "The first axis is left out, as if it were that of a batch. A weight has no batch.")
def first_axis_taken_for_a_batch(shape):
    shape = shape[1:]
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    return math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]


@wrong("6.7", "It returns the number of all weights, twice. The fans leave one axis out each.")
def all_weights(shape):
    return math.prod(shape), math.prod(shape)


@wrong("6.7", "For a vector it returns its length and 1. Both are to be its length.")
def one_output_of_a_vector(shape):
    if len(shape) < 2:
        return math.prod(shape), 1
    return math.prod(shape[:-1]), math.prod(shape) // shape[-2]


@right("6.7")
def by_division(shape):
    size = math.prod(shape)
    if len(shape) < 2:
        return size, size
    return size // shape[-1], size // shape[-2]


@right("6.7")
def by_a_loop(shape):
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    fan_in, fan_out = shape[-2], shape[-1]
    for n in shape[:-2]:
        fan_in *= n
        fan_out *= n
    return fan_in, fan_out


@right("6.7")
def by_numpy(shape):
    padded = (1, *shape)
    if len(shape) < 2:
        return int(np.prod(padded)), int(np.prod(padded))
    field = np.prod(padded[:-2])
    return int(field * shape[-2]), int(field * shape[-1])


# ---- 6.8 standard_deviation ----------------------------------------------------------------------


def _fan(fan_in, fan_out, mode):
    return max(1, {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode])


@wrong("6.8", "The fans are not looked at. The more inputs a sum has, the smaller the weights.")
def root_of_the_scale_alone(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return math.sqrt(scale)


@wrong("6.8", "That is the variance. The standard deviation is its square root.")
def variance(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return scale / _fan(fan_in, fan_out, mode)


@wrong("6.8", "The mode is not looked at: it always takes fan_in.")
def always_fan_in(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return math.sqrt(scale / max(fan_in, 1))


@wrong("6.8", "For fan_avg it takes the sum of both fans. Their mean is half of that.")
def sum_of_the_fans(fan_in, fan_out, scale=1.0, mode="fan_in"):
    fan = fan_in + fan_out if mode == "fan_avg" else _fan(fan_in, fan_out, mode)
    return math.sqrt(scale / max(fan, 1))


@wrong("6.8", "The scale stands outside the root. It is a factor of the variance, so inside.")
def scale_outside_the_root(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return scale / math.sqrt(_fan(fan_in, fan_out, mode))


@wrong("6.8", "The root is upside down: more inputs must give smaller weights, not larger ones.")
def root_of_fan_over_scale(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return math.sqrt(_fan(fan_in, fan_out, mode) / scale)


@wrong("6.8", "A layer without inputs divides by 0. The fan counts as 1 at least.")
def divides_by_zero(fan_in, fan_out, scale=1.0, mode="fan_in"):
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    return math.sqrt(scale / fan)


@right("6.8")
def by_cases(fan_in, fan_out, scale=1.0, mode="fan_in"):
    if mode == "fan_avg":
        fan = (fan_in + fan_out) / 2
    elif mode == "fan_out":
        fan = fan_out
    else:
        fan = fan_in
    return (scale / max(1, fan)) ** 0.5


@right("6.8")
def by_weights_of_the_fans(fan_in, fan_out, scale=1.0, mode="fan_in"):
    share = {"fan_in": 1.0, "fan_out": 0.0, "fan_avg": 0.5}[mode]
    return math.sqrt(scale) / math.sqrt(max(share * fan_in + (1 - share) * fan_out, 1.0))


@right("6.8")
def by_numpy_mean(fan_in, fan_out, scale=1.0, mode="fan_in"):
    fans = {"fan_in": [fan_in], "fan_out": [fan_out], "fan_avg": [fan_in, fan_out]}[mode]
    return float(np.sqrt(scale / np.maximum(np.mean(fans), 1)))
