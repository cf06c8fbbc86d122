"""Variants of the mistakes in lesson 6, written from their names alone."""

import math

import numpy as np

from minigrad import Tensor, ops

from . import variant

# ---- 6.1 relu ------------------------------------------------------------------------------------


@variant("6.1", "no_mask")
def gradient_everywhere(x):
    def pull(g):
        return np.array(g)

    return np.clip(x, 0, None), pull


@variant("6.1", "mask_of_the_gradient")
def relu_of_the_gradient(x):
    def rectified(v):
        return np.where(v > 0, v, 0)

    return rectified(x), rectified


@variant("6.1", "value_for_slope")
def times_what_came_out(x):
    y = np.clip(x, 0, None)

    def pull(g):
        return np.multiply(y, g)

    return y, pull


@variant("6.1", "slope_without_g")
def step_function(x):
    def pull(g):
        slope = np.zeros_like(x)
        slope[x > 0] = 1
        return slope

    return np.where(x > 0, x, 0), pull


@variant("6.1", "open_at_zero")
def blocked_below_zero(x):
    negative = x < 0

    def pull(g):
        d = np.array(g)
        d[negative] = 0
        return d

    return np.where(negative, 0, x), pull


@variant("6.1", "in_place")
def rectified_where_it_stands(x):
    np.maximum(x, 0, out=x)

    def pull(g):
        return np.where(x > 0, g, 0)

    return x, pull


@variant("6.1", "leaky")
def one_hundredth_below(x):
    def pull(g):
        d = np.array(g)
        d[x <= 0] *= 0.01
        return d

    return np.maximum(x, 0.01 * x), pull


@variant("6.1", "smaller_of_both")
def clipped_from_above(x):
    def pull(g):
        return np.where(x < 0, g, 0)

    return np.clip(x, None, 0), pull


# ---- 6.2 gelu ------------------------------------------------------------------------------------

_ROOT = math.sqrt(2 / math.pi)
_erf = np.vectorize(math.erf, otypes=[float])
_erfc = np.vectorize(math.erfc, otypes=[float])


def _normal_distribution(x):
    return (_erfc(-x / math.sqrt(2)) / 2).astype(x.dtype)


def _normal_density(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _exact(x):
    share = _normal_distribution(x)
    slope = share + x * _normal_density(x)
    return x * share, lambda g: g * slope


def _by_tanh(x):
    t = np.tanh(_ROOT * (x + 0.044715 * x**3))
    inner = _ROOT * (1 + 0.134145 * x**2)
    slope = 0.5 * (1 + t + x * (1 - t**2) * inner)
    return 0.5 * x * (1 + t), lambda g: g * slope


@variant("6.2", "cubic_constant_ten_times_too_large")
def misplaced_decimal_point(x, approximate=False):
    if not approximate:
        return _exact(x)
    cubic = 0.44715
    t = np.tanh(_ROOT * x * (1 + cubic * x * x))

    def pull(g):
        inner = _ROOT * (1 + 3 * cubic * x * x)
        return g * ((1 + t) + x * (1 - t * t) * inner) / 2

    return x * (1 + t) / 2, pull


@variant("6.2", "no_root_of_two_over_pi")
def two_over_pi(x, approximate=False):
    if not approximate:
        return _exact(x)
    factor = 2 / math.pi
    t = np.tanh(factor * x + factor * 0.044715 * x**3)

    def pull(g):
        inner = factor + 3 * factor * 0.044715 * x**2
        return 0.5 * g * (1 + t + x * inner * (1 - t**2))

    return 0.5 * x * (1 + t), pull


@variant("6.2", "quick_sigmoid_for_tanh")
def quick_gelu(x, approximate=False):
    if not approximate:
        return _exact(x)
    sigmoid = 0.5 + 0.5 * np.tanh(0.851 * x)

    def pull(g):
        return g * sigmoid * (1 + 1.702 * x * (1 - sigmoid))

    return x * sigmoid, pull


@variant("6.2", "erf_of_x")
def without_the_root_of_two(x, approximate=False):
    if approximate:
        return _by_tanh(x)
    share = (0.5 + 0.5 * _erf(x)).astype(x.dtype)

    def pull(g):
        return g * share + g * x * _normal_density(x)

    return x * share, pull


@variant("6.2", "half_a_product_rule")
def share_taken_for_a_constant(x, approximate=False):
    if approximate:
        share = 0.5 * (1 + np.tanh(_ROOT * (x + 0.044715 * x**3)))
    else:
        share = _normal_distribution(x)
    return share * x, lambda g: share * g


@variant("6.2", "always_exact")
def exact_at_any_rate(x, approximate=False):
    return _exact(x)


@variant("6.2", "always_by_tanh")
def tanh_at_any_rate(x, approximate=False):
    return _by_tanh(x)


@variant("6.2", "no_inner_derivative")
def chain_without_its_last_link(x, approximate=False):
    if not approximate:
        return _exact(x)
    t = np.tanh(_ROOT * (x + 0.044715 * x**3))

    def pull(g):
        slope_of_tanh = 1 - np.square(t)
        return g * (0.5 * (1 + t) + 0.5 * x * slope_of_tanh)

    return 0.5 * x * (1 + t), pull


# ---- 6.3 Softmax ---------------------------------------------------------------------------------


def _softmax(x, axis):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _softmax_pullback(p, axis):
    def pull(g):
        weighted = g * p
        return weighted - p * np.sum(weighted, axis=axis, keepdims=True)

    return pull


@variant("6.3", "all_rows_together")
def one_sum_for_all(x, axis=-1):
    e = np.exp(x - np.amax(x, axis=axis, keepdims=True))
    p = e / np.sum(e)
    return p, _softmax_pullback(p, axis)


@variant("6.3", "always_the_last_axis")
def row_by_row(x, axis=-1):
    p = _softmax(x, -1)
    return p, _softmax_pullback(p, -1)


@variant("6.3", "no_sum_in_the_pullback")
def probability_times_gradient(x, axis=-1):
    p = _softmax(x, axis)

    def pull(g):
        return np.multiply(p, g)

    return p, pull


@variant("6.3", "unweighted_sum_in_the_pullback")
def less_the_plain_sum(x, axis=-1):
    p = _softmax(x, axis)

    def pull(g):
        total = np.add.reduce(g, axis=axis, keepdims=True)
        return p * g - p * total

    return p, pull


@variant("6.3", "no_factor_in_the_pullback")
def gradient_less_its_mean(x, axis=-1):
    p = _softmax(x, axis)

    def pull(g):
        mean = np.expand_dims(np.sum(p * g, axis=axis), axis)
        return g - mean

    return p, pull


@variant("6.3", "overflowing")
def straight_from_the_formula(x, axis=-1):
    e = np.moveaxis(np.exp(x), axis, 0)
    p = np.moveaxis(e / e.sum(axis=0), 0, axis)
    return p, _softmax_pullback(p, axis)


@variant("6.3", "one_maximum_for_all")
def largest_of_the_whole_array(x, axis=-1):
    largest = np.max(x)
    e = np.exp(x - largest)
    p = e / np.expand_dims(e.sum(axis=axis), axis)
    return p, _softmax_pullback(p, axis)


@variant("6.3", "last_axis_in_the_pullback")
def pulled_back_by_rows(x, axis=-1):
    p = _softmax(x, axis)

    def pull(g):
        mean = np.einsum("...j,...j->...", g, p)
        return p * (g - mean[..., None])

    return p, pull


# ---- 6.4 The logarithm of softmax ----------------------------------------------------------------


def _log_softmax(x, axis):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _log_softmax_pullback(p, axis):
    return lambda g: g - p * np.sum(g, axis=axis, keepdims=True)


@variant("6.4", "log_along_the_last_axis")
def logarithm_row_by_row(x, axis=-1):
    y = _log_softmax(x, -1)
    return y, _log_softmax_pullback(np.exp(y), -1)


@variant("6.4", "log_of_softmax")
def probabilities_first(x, axis=-1):
    p = _softmax(x, axis)
    return np.log(p), _log_softmax_pullback(p, axis)


@variant("6.4", "log_overflowing")
def logarithm_of_the_sum(x, axis=-1):
    e = np.exp(x)
    total = np.expand_dims(np.sum(e, axis=axis), axis)
    return x - np.log(total), _log_softmax_pullback(e / total, axis)


@variant("6.4", "no_logarithm")
def less_the_sum_of_exponentials(x, axis=-1):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    y = shifted - np.sum(np.exp(shifted), axis=axis, keepdims=True)
    return y, _log_softmax_pullback(np.exp(y), axis)


@variant("6.4", "no_sum_of_g")
def gradient_less_probability(x, axis=-1):
    y = _log_softmax(x, axis)

    def pull(g):
        return np.subtract(g, np.exp(y))

    return y, pull


@variant("6.4", "pullback_of_softmax")
def pulled_back_as_softmax(x, axis=-1):
    y = _log_softmax(x, axis)
    return y, _softmax_pullback(np.exp(y), axis)


@variant("6.4", "logarithms_for_probabilities")
def value_for_probability(x, axis=-1):
    y = _log_softmax(x, axis)
    return y, _log_softmax_pullback(y, axis)


# ---- 6.5 Softmax with cross-entropy --------------------------------------------------------------


def _at_labels(rows, labels):
    return np.take_along_axis(rows, labels[:, None], axis=1)[:, 0]


def _one_hot(logits, labels):
    return np.eye(logits.shape[1], dtype=logits.dtype)[labels]


@variant("6.5", "no_one_hot")
def probabilities_pulled_back(logits, labels):
    log_p = _log_softmax(logits, 1)

    def pull(g):
        return np.einsum("i,ij->ij", g, np.exp(log_p))

    return -_at_labels(log_p, labels), pull


@variant("6.5", "opposite_sign")
def truth_less_prediction(logits, labels):
    log_p = _log_softmax(logits, 1)

    def pull(g):
        d = -np.exp(log_p)
        d[np.arange(len(labels)), labels] += 1
        return d * g[:, np.newaxis]

    return -_at_labels(log_p, labels), pull


@variant("6.5", "residual_alone")
def difference_alone(logits, labels):
    log_p = _log_softmax(logits, 1)

    def pull(g):
        return np.exp(log_p) - _one_hot(logits, labels)

    return -_at_labels(log_p, labels), pull


@variant("6.5", "mean_of_the_losses")
def averaged_over_examples(logits, labels):
    log_p = _log_softmax(logits, 1)

    def pull(g):
        return g * (np.exp(log_p) - _one_hot(logits, labels)) / len(labels)

    return -np.mean(_at_labels(log_p, labels)), pull


@variant("6.5", "divided_by_n")
def share_of_each_example(logits, labels):
    log_p = _log_softmax(logits, 1)

    def pull(g):
        d = np.exp(log_p)
        d[np.arange(len(labels)), labels] -= 1
        return d * g.reshape(-1, 1) / logits.shape[0]

    return -_at_labels(log_p, labels), pull


@variant("6.5", "overflowing_loss")
def log_sum_exp_as_it_stands(logits, labels):
    e = np.exp(logits)
    total = e.sum(axis=1)

    def pull(g):
        return g[:, None] * (e / total[:, None] - _one_hot(logits, labels))

    return np.log(total) - _at_labels(logits, labels), pull


@variant("6.5", "log_of_the_probability")
def softmax_then_log(logits, labels):
    p = _softmax(logits, 1)

    def pull(g):
        return g[:, None] * (p - _one_hot(logits, labels))

    return -np.log(_at_labels(p, labels)), pull


@variant("6.5", "no_log")
def negative_probability(logits, labels):
    p = _softmax(logits, 1)

    def pull(g):
        return g[:, None] * (p - _one_hot(logits, labels))

    return -_at_labels(p, labels), pull


# ---- 6.6 The call of a Dense layer ---------------------------------------------------------------


@variant("6.6", "never_adds_the_bias")
def product_and_activation(self, x):
    from minigrad.layers import activations

    return activations.activate(self.activation, ops.matmul(x, self.weight))


@variant("6.6", "bias_after_the_activation")
def bent_then_moved(self, x):
    from minigrad.layers import activations

    y = activations.activate(self.activation, ops.matmul(x, self.weight))
    return ops.add(y, self.bias) if self.use_bias else y


@variant("6.6", "no_activation")
def straight_layer(self, x):
    z = ops.matmul(x, self.weight)
    if not self.use_bias:
        return z
    return ops.add(self.bias, z)


@variant("6.6", "activation_of_the_input")
def bent_before(self, x):
    from minigrad.layers import activations

    bent = activations.activate(self.activation, x)
    z = ops.matmul(bent, self.weight)
    if self.use_bias:
        z += self.bias
    return z


@variant("6.6", "bias_without_gradient")
def bias_as_numbers(self, x):
    from minigrad.layers import activations

    z = ops.matmul(x, self.weight)
    if self.use_bias:
        z = ops.add(z, self.bias.numpy())
    return activations.activate(self.activation, z)


@variant("6.6", "always_relu")
def relu_layer(self, x):
    z = ops.matmul(x, self.weight)
    z = ops.add(z, self.bias) if self.use_bias else z
    return ops.relu(z)


@variant("6.6", "on_bare_arrays")
def computed_in_numpy(self, x):
    from minigrad.layers import activations

    z = np.matmul(x.numpy(), self.weight.numpy())
    if self.use_bias:
        z = z + self.bias.numpy()
    return activations.activate(self.activation, Tensor(z))


@variant("6.6", "always_adds_the_bias")
def bias_at_any_rate(self, x):
    from minigrad.layers import activations

    z = ops.add(self.bias, ops.matmul(x, self.weight))
    return activations.activate(self.activation, z)


# ---- 6.7 Fan-in and fan-out ----------------------------------------------------------------------


@variant("6.7", "changed_places")
def outputs_and_inputs(shape):
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    *field, inputs, outputs = shape
    return math.prod(field) * outputs, math.prod(field) * inputs


@variant("6.7", "no_field")
def last_two_axes_alone(shape):
    if len(shape) == 0:
        return 1, 1
    return tuple(shape[-2:]) if len(shape) > 1 else (shape[0], shape[0])


@variant("6.7", "first_two_axes")
def inputs_and_outputs_in_front(shape):
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    inputs, outputs, *field = shape
    for length in field:
        inputs *= length
        outputs *= length
    return inputs, outputs


@variant("6.7", "field_in_fan_in_alone")
def outputs_without_the_field(shape):
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    *inputs, outputs = shape
    return math.prod(inputs), outputs


@variant("6.7", "first_axis_taken_for_a_batch")
def without_the_first_axis(shape):
    _, *shape = shape or (1,)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


@variant("6.7", "all_weights")
def number_of_weights(shape):
    count = 1
    for length in shape:
        count *= length
    return count, count


@variant("6.7", "one_output_of_a_vector")
def vector_as_a_column(shape):
    if len(shape) < 2:
        shape = (*shape, 1, 1)[:2]
    *field, inputs, outputs = shape
    return math.prod((*field, inputs)), math.prod((*field, outputs))


# ---- 6.8 The standard deviation of first weights -------------------------------------------------


def _fan(fan_in, fan_out, mode):
    if mode == "fan_avg":
        return (fan_in + fan_out) / 2
    return fan_in if mode == "fan_in" else fan_out


@variant("6.8", "root_of_the_scale_alone")
def whatever_the_fans(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return scale**0.5


@variant("6.8", "variance")
def without_the_root(fan_in, fan_out, scale=1.0, mode="fan_in"):
    fan = _fan(fan_in, fan_out, mode)
    return scale / fan if fan > 1 else scale


@variant("6.8", "always_fan_in")
def whatever_the_mode(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return (scale / max(1, fan_in)) ** 0.5


@variant("6.8", "sum_of_the_fans")
def both_fans_added(fan_in, fan_out, scale=1.0, mode="fan_in"):
    counted = {"fan_in": [fan_in], "fan_out": [fan_out], "fan_avg": [fan_in, fan_out]}
    fan = max(1, sum(counted[mode]))
    return math.sqrt(scale) / math.sqrt(fan)


@variant("6.8", "scale_outside_the_root")
def scale_times_root(fan_in, fan_out, scale=1.0, mode="fan_in"):
    fan = max(1, _fan(fan_in, fan_out, mode))
    return scale * math.sqrt(1 / fan)


@variant("6.8", "root_of_fan_over_scale")
def upside_down(fan_in, fan_out, scale=1.0, mode="fan_in"):
    fan = max(1, _fan(fan_in, fan_out, mode))
    return (fan / scale) ** 0.5


@variant("6.8", "divides_by_zero")
def fan_as_it_is(fan_in, fan_out, scale=1.0, mode="fan_in"):
    return (scale / _fan(fan_in, fan_out, mode)) ** 0.5
