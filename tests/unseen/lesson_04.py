"""Variants of the mistakes in lesson 4, written from their names alone."""

import numpy as np

from . import variant


def _sigmoid(z):
    """σ(z), by a function of NumPy that knows no overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


# ---- 4.1 The forward pass ------------------------------------------------------------------------


@variant("4.1", "no_biases")
def forward_of_products(x, w1, b1, w2, b2):
    a = _sigmoid(np.dot(w1, x))
    return a, _sigmoid(np.dot(w2, a))


@variant("4.1", "linear_hidden_layer")
def forward_with_one_sigmoid(x, w1, b1, w2, b2):
    a = b1 + np.dot(w1, x)
    z = b2 + np.dot(w2, a)
    return a, 1 / (1 + np.exp(-z))


@variant("4.1", "logits_for_predictions")
def forward_up_to_the_last_sum(x, w1, b1, w2, b2):
    a = 1 / (1 + np.exp(-(np.dot(w1, x) + b1)))
    return a, np.sum(w2 * a, axis=1) + b2


@variant("4.1", "sums_for_activations")
def forward_with_the_first_sums(x, w1, b1, w2, b2):
    hidden = np.dot(w1, x) + b1
    output = np.dot(w2, _sigmoid(hidden)) + b2
    return hidden, _sigmoid(output)


@variant("4.1", "bias_outside")
def forward_with_shifted_sigmoids(x, w1, b1, w2, b2):
    a = 1 / (1 + np.exp(-np.dot(w1, x))) + b1
    y_pred = 1 / (1 + np.exp(-np.dot(w2, a))) + b2
    return a, y_pred


@variant("4.1", "matrices_transposed")
def forward_of_rows(x, w1, b1, w2, b2):
    a = _sigmoid(np.dot(x, w1) + b1)
    return a, _sigmoid(np.dot(a, w2) + b2)


@variant("4.1", "tanh_inside")
def forward_with_two_activations(x, w1, b1, w2, b2):
    a = np.tanh(np.sum(w1 * x, axis=1) + b1)
    return a, 1 / (1 + np.exp(-(np.dot(w2, a) + b2)))


@variant("4.1", "softmax_at_the_end")
def forward_of_a_classifier(x, w1, b1, w2, b2):
    a = _sigmoid(w1 @ x + b1)
    z = w2 @ a + b2
    powers = np.exp(z - z.max())
    return a, powers / powers.sum()


# ---- 4.2 The error of the output -----------------------------------------------------------------


@variant("4.2", "slope_of_the_loss_alone")
def output_error_at_the_prediction(y_true, y_pred):
    return 2 * y_pred - 2 * y_true


@variant("4.2", "error_of_the_cross_entropy")
def output_error_as_a_difference(y_true, y_pred):
    return np.subtract(y_pred, y_true)


@variant("4.2", "no_two")
def output_error_of_half_a_square(y_true, y_pred):
    slope = y_pred - y_pred**2
    return slope * (y_pred - y_true)


@variant("4.2", "truth_less_prediction")
def output_error_of_what_is_missing(y_true, y_pred):
    missing = y_true - y_pred
    return 2 * missing * (y_pred - y_pred * y_pred)


@variant("4.2", "sigmoid_of_the_prediction")
def output_error_through_the_sigmoid(y_true, y_pred):
    s = 1 / (1 + np.exp(-y_pred))
    return 2 * (y_pred - y_true) * (s - s * s)


@variant("4.2", "slope_at_the_truth")
def output_error_with_the_truth_in_its_slope(y_true, y_pred):
    slope = y_true - y_true**2
    return slope * 2 * (y_pred - y_true)


@variant("4.2", "slope_of_tanh_at_the_output")
def output_error_of_a_tanh(y_true, y_pred):
    difference = y_pred - y_true
    return (difference + difference) * (1 + y_pred) * (1 - y_pred)


@variant("4.2", "loss_for_its_slope")
def output_error_of_the_loss(y_true, y_pred):
    l = np.square(y_true - y_pred)
    return l * (y_pred - y_pred**2)


@variant("4.2", "mean_of_squares")
def output_error_averaged(y_true, y_pred):
    slope = 2 / y_true.size * (y_pred - y_true)
    return slope * (y_pred - y_pred**2)


# ---- 4.3 The error of the hidden layer -----------------------------------------------------------


@variant("4.3", "slope_missing")
def hidden_error_at_the_activation(g2, w2, a):
    return np.sum(g2[:, None] * w2, axis=0)


@variant("4.3", "not_transposed")
def hidden_error_with_the_matrix_as_it_is(g2, w2, a):
    return (a - a**2) * np.dot(w2, g2)


@variant("4.3", "activation_for_its_slope")
def hidden_error_times_activation(g2, w2, a):
    return np.einsum("k,kj->j", g2, w2) * a


@variant("4.3", "slope_of_tanh_in_the_hidden_layer")
def hidden_error_of_a_tanh(g2, w2, a):
    return np.dot(g2, w2) * (1 + a) * (1 - a)


@variant("4.3", "sigmoid_of_the_activation")
def hidden_error_through_the_sigmoid(g2, w2, a):
    s = _sigmoid(a)
    return np.dot(w2.T, g2) * (s - s**2)


@variant("4.3", "mean_of_shares")
def hidden_error_averaged(g2, w2, a):
    shares = g2[:, np.newaxis] * w2
    return shares.mean(axis=0) * (a - a * a)


@variant("4.3", "sum_of_weights_times_sum_of_errors")
def hidden_error_of_totals(g2, w2, a):
    total = np.sum(g2)
    return np.array([total * column.sum() for column in w2.T], a.dtype) * a * (1 - a)


@variant("4.3", "weights_left_out")
def hidden_error_in_equal_shares(g2, w2, a):
    return np.sum(g2) * (a - a**2)


@variant("4.3", "weights_left_out_entry_by_entry")
def hidden_error_handed_on(g2, w2, a):
    slope = a - a**2
    return np.multiply(slope, g2)


# ---- 4.4 The gradients of a layer ----------------------------------------------------------------


@variant("4.4", "mean_over_examples")
def layer_gradients_averaged(x, g):
    return np.einsum("ij,ik->ijk", x, g).mean(axis=0), g.mean(axis=0)


@variant("4.4", "bias_averaged")
def layer_gradients_with_a_mean_for_the_bias(x, g):
    return np.einsum("ij,ik->jk", x, g), np.mean(g, axis=0)


@variant("4.4", "gradient_transposed")
def layer_gradients_by_units(x, g):
    dw = np.zeros((g.shape[1], x.shape[1]), g.dtype)
    for inputs, errors in zip(x, g):
        dw += np.outer(errors, inputs)
    return dw, np.sum(g, axis=0)


@variant("4.4", "bias_with_two_axes")
def layer_gradients_with_a_column_of_ones(x, g):
    ones = np.ones((len(g), 1), g.dtype)
    return np.dot(x.T, g), np.dot(ones.T, g)


@variant("4.4", "bias_over_units")
def layer_gradients_with_sums_of_rows(x, g):
    return np.dot(x.T, g), np.einsum("ik->i", g)


@variant("4.4", "bias_of_all_units")
def layer_gradients_with_one_bias(x, g):
    return np.tensordot(x, g, axes=(0, 0)), np.sum(g)


@variant("4.4", "product_of_sums")
def layer_gradients_of_totals(x, g):
    inputs, errors = x.sum(axis=0), g.sum(axis=0)
    return inputs[:, None] * errors, errors


@variant("4.4", "last_example_alone")
def layer_gradients_overwritten(x, g):
    dw = np.zeros((x.shape[1], g.shape[1]), g.dtype)
    db = np.zeros(g.shape[1], g.dtype)
    for i in range(len(x)):
        dw = np.outer(x[i], g[i])
        db = g[i].copy()
    return dw, db


@variant("4.4", "outer_products_of_each")
def layer_gradients_in_a_stack(x, g):
    return x[:, :, None] * g[:, None, :], np.sum(g, axis=0)


# ---- 4.5 One step downhill -----------------------------------------------------------------------


@variant("4.5", "in_place_without_a_result")
def step_of_the_arrays_themselves(parameters, gradients, learning_rate):
    for i in range(len(parameters)):
        np.subtract(parameters[i], learning_rate * gradients[i], out=parameters[i])


@variant("4.5", "in_place")
def step_of_the_arrays_themselves_returned(parameters, gradients, learning_rate):
    stepped = []
    for p, g in zip(parameters, gradients):
        p[...] = p - learning_rate * g
        stepped.append(p)
    return stepped


@variant("4.5", "uphill")
def step_added(parameters, gradients, learning_rate):
    stepped = []
    for p, g in zip(parameters, gradients):
        stepped.append(np.add(p, np.multiply(learning_rate, g)))
    return stepped


@variant("4.5", "no_rate")
def step_of_a_whole_gradient(parameters, gradients, learning_rate):
    return list(map(np.subtract, parameters, gradients))


@variant("4.5", "steps_alone")
def step_from_nowhere(parameters, gradients, learning_rate):
    steps = []
    for g in gradients:
        steps.append(-g * learning_rate)
    return steps


@variant("4.5", "steps_alone_uphill")
def step_from_nowhere_without_a_sign(parameters, gradients, learning_rate):
    return [g * learning_rate for _, g in zip(parameters, gradients)]


@variant("4.5", "first_array_alone")
def step_of_one_array(parameters, gradients, learning_rate):
    stepped = [p.copy() for p in parameters]
    if stepped:
        stepped[0] = stepped[0] - learning_rate * gradients[0]
    return stepped


@variant("4.5", "rate_of_the_difference")
def step_times_rate(parameters, gradients, learning_rate):
    differences = [p - g for p, g in zip(parameters, gradients)]
    return [learning_rate * difference for difference in differences]


@variant("4.5", "divided_by_the_rate")
def step_by_division(parameters, gradients, learning_rate):
    stepped = []
    for i, p in enumerate(parameters):
        stepped.append(p - np.divide(gradients[i], learning_rate))
    return stepped


@variant("4.5", "signs_alone")
def step_of_equal_length(parameters, gradients, learning_rate):
    stepped = []
    for p, g in zip(parameters, gradients):
        direction = (g > 0).astype(p.dtype) - (g < 0).astype(p.dtype)
        stepped.append(p - learning_rate * direction)
    return stepped


# ---- 4.6 Central differences ---------------------------------------------------------------------


def _loss(x, y, w):
    """L(w) = Σᵢ (σ(w · xᵢ) - yᵢ)²"""
    errors = _sigmoid(np.dot(x, w)) - y
    return np.dot(errors, errors)


def _moved(w, j, distance):
    """A copy of w, with wⱼ moved."""
    moved = w.copy()
    moved[j] += distance
    return moved


@variant("4.6", "one_side")
def differences_from_here(x, y, w, h):
    here = _loss(x, y, w)
    d = np.zeros_like(w)
    for j in range(w.size):
        d[j] = (_loss(x, y, _moved(w, j, h)) - here) / h
    return d


@variant("4.6", "divided_by_h")
def differences_over_h(x, y, w, h):
    d = np.empty_like(w)
    for j in range(len(w)):
        above = _loss(x, y, _moved(w, j, h))
        below = _loss(x, y, _moved(w, j, -h))
        d[j] = (above - below) / h
    return d


@variant("4.6", "brackets_missing")
def differences_on_one_line(x, y, w, h):
    d = np.zeros_like(w)
    for j in range(len(w)):
        d[j] = _loss(x, y, _moved(w, j, h)) - _loss(x, y, _moved(w, j, -h)) / (2 * h)
    return d


@variant("4.6", "times_h")
def differences_over_two_times_h(x, y, w, h):
    d = np.zeros_like(w)
    for j in range(len(w)):
        difference = _loss(x, y, _moved(w, j, h)) - _loss(x, y, _moved(w, j, -h))
        d[j] = difference / 2 * h
    return d


@variant("4.6", "below_less_above")
def differences_the_other_way_round(x, y, w, h):
    losses = [[_loss(x, y, _moved(w, j, s)) for j in range(len(w))] for s in (-h, h)]
    below, above = np.array(losses, w.dtype)
    return (below - above) / (2 * h)


@variant("4.6", "all_at_once")
def differences_along_the_diagonal(x, y, w, h):
    slope = (_loss(x, y, w + h) - _loss(x, y, w - h)) / (2 * h)
    return slope * np.ones_like(w)


@variant("4.6", "not_put_back")
def differences_with_one_copy(x, y, w, h):
    moved = np.array(w)
    d = np.zeros_like(w)
    for j in range(len(w)):
        moved[j] += h
        above = _loss(x, y, moved)
        moved[j] -= 2 * h
        below = _loss(x, y, moved)
        d[j] = (above - below) / (2 * h)
    return d


@variant("4.6", "callers_weights_changed")
def differences_without_a_copy(x, y, w, h):
    slopes = []
    for j in range(len(w)):
        w[j] = w[j] + h
        above = _loss(x, y, w)
        w[j] = w[j] - 2 * h
        below = _loss(x, y, w)
        slopes.append((above - below) / (2 * h))
    return np.array(slopes, w.dtype)


@variant("4.6", "mean_loss")
def differences_of_averages(x, y, w, h):
    def loss(weights):
        return np.mean((_sigmoid(x @ weights) - y) ** 2)

    d = np.zeros_like(w)
    for j in range(len(w)):
        d[j] = (loss(_moved(w, j, h)) - loss(_moved(w, j, -h))) / (2 * h)
    return d


@variant("4.6", "exact_derivative")
def differences_on_paper(x, y, w, h):
    p = _sigmoid(np.dot(x, w))
    g = 2 * (p - y) * (p - p**2)
    return np.einsum("i,ij->j", g, x)
