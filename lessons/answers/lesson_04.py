"""Answers to the exercises of lesson 4."""

import math

import numpy as np

from . import right, wrong


def _sigmoid(z):
    """σ(z), for the answers whose mistake or merit lies elsewhere."""
    return (1 + np.tanh(z / 2)) / 2


# ---- 4.1 The forward pass ------------------------------------------------------------------------


@wrong("4.1", "The biases are never added: z = W x + b in both layers.")
def no_biases(x, w1, b1, w2, b2):
    a = _sigmoid(w1 @ x)
    return a, _sigmoid(w2 @ a)


@wrong(
    "4.1", "There is no sigmoid in the hidden layer. Without it two layers are no more than one."
)
def linear_hidden_layer(x, w1, b1, w2, b2):
    a = w1 @ x + b1
    return a, _sigmoid(w2 @ a + b2)


@wrong("4.1", "There is no sigmoid at the output: this is z₂, and ŷ = σ(z₂).")
def logits_for_predictions(x, w1, b1, w2, b2):
    a = _sigmoid(w1 @ x + b1)
    return a, w2 @ a + b2


@wrong("4.1", "The sums z₁ are returned in the place of the activations a = σ(z₁).")
def sums_for_activations(x, w1, b1, w2, b2):
    z1 = w1 @ x + b1
    return z1, _sigmoid(w2 @ _sigmoid(z1) + b2)


@wrong("4.1", "The bias is added after the sigmoid. It belongs inside: σ(W x + b).")
def bias_outside(x, w1, b1, w2, b2):
    a = _sigmoid(w1 @ x) + b1
    return a, _sigmoid(w2 @ a) + b2


@wrong("4.1", "The matrices are transposed. W has a row for each unit: W x, with x on the right.")
def matrices_transposed(x, w1, b1, w2, b2):
    a = _sigmoid(x @ w1 + b1)
    return a, _sigmoid(a @ w2 + b2)


@wrong("4.1", "The hidden layer has another activation, tanh. Here it is the sigmoid.")
def tanh_inside(x, w1, b1, w2, b2):
    a = np.tanh(w1 @ x + b1)
    return a, _sigmoid(w2 @ a + b2)


@wrong(
    "4.1", "The output is a softmax, which makes the outputs add up to 1. Each is a σ by itself."
)
def softmax_at_the_end(x, w1, b1, w2, b2):
    a = _sigmoid(w1 @ x + b1)
    z = w2 @ a + b2
    e = np.exp(z - z.max())
    return a, e / e.sum()


@right("4.1")
def rows_on_the_left(x, w1, b1, w2, b2):
    a = _sigmoid(x @ w1.T + b1)
    return a, _sigmoid(a @ w2.T + b2)


@right("4.1")
def unit_by_unit(x, w1, b1, w2, b2):
    a = np.array([_sigmoid(np.dot(row, x) + b) for row, b in zip(w1, b1)], x.dtype)
    return a, np.array([_sigmoid(np.dot(row, a) + b) for row, b in zip(w2, b2)], x.dtype)


@right("4.1")
def sums_and_logarithms(x, w1, b1, w2, b2):
    activations = [x]
    for w, b in ((w1, b1), (w2, b2)):
        z = np.einsum("jk,k->j", w, activations[-1]) + b
        activations.append(np.exp(-np.logaddexp(0, -z)))
    return tuple(activations[1:])


# ---- 4.2 The error of the output -----------------------------------------------------------------


@wrong("4.2", "This is dl/dŷ alone. Multiply it by the slope of the sigmoid, ŷ (1 - ŷ).")
def slope_of_the_loss_alone(y_true, y_pred):
    return 2 * (y_pred - y_true)


@wrong("4.2", "ŷ - y is the error of the cross-entropy. Of (ŷ - y)² it is 2 (ŷ - y) ŷ (1 - ŷ).")
def error_of_the_cross_entropy(y_true, y_pred):
    return y_pred - y_true


@wrong("4.2", "The 2 is missing, which comes from the square.")
def no_two(y_true, y_pred):
    return (y_pred - y_true) * y_pred * (1 - y_pred)


@wrong("4.2", "The sign is wrong: when ŷ is too large, the loss grows with z.")
def truth_less_prediction(y_true, y_pred):
    return 2 * (y_true - y_pred) * y_pred * (1 - y_pred)


@wrong("4.2", "The sigmoid is applied again, to ŷ. The slope at z is ŷ (1 - ŷ) itself.")
def sigmoid_of_the_prediction(y_true, y_pred):
    s = _sigmoid(y_pred)
    return 2 * (y_pred - y_true) * s * (1 - s)


@wrong("4.2", "The slope is taken at the truth: y (1 - y). It is that of the prediction.")
def slope_at_the_truth(y_true, y_pred):
    return 2 * (y_pred - y_true) * y_true * (1 - y_true)


@wrong("4.2", "1 - ŷ² is the slope of the hyperbolic tangent. That of the sigmoid is ŷ (1 - ŷ).")
def slope_of_tanh_at_the_output(y_true, y_pred):
    return 2 * (y_pred - y_true) * (1 - y_pred**2)


@wrong("4.2", "The square is still there: (ŷ - y)² has the slope 2 (ŷ - y).")
def loss_for_its_slope(y_true, y_pred):
    return (y_pred - y_true) ** 2 * y_pred * (1 - y_pred)


@wrong("4.2", "It is divided by the number of outputs. Here l is a sum over them, not a mean.")
def mean_of_squares(y_true, y_pred):
    return 2 * (y_pred - y_true) * y_pred * (1 - y_pred) / len(y_pred)


@right("4.2")
def multiplied_out(y_true, y_pred):
    return 2 * (y_pred**2 - y_true * y_pred - y_pred**3 + y_true * y_pred**2)


@right("4.2")
def output_after_output(y_true, y_pred):
    g = np.empty_like(y_pred)
    for k, (t, p) in enumerate(zip(y_true, y_pred)):
        g[k] = (p - t) * (p - p * p) + (p - t) * (p - p * p)
    return g


@right("4.2")
def around_one_half(y_true, y_pred):
    slope = 0.25 - np.square(y_pred - 0.5)
    return np.multiply(2, np.subtract(y_pred, y_true)) * slope


# ---- 4.3 The error of the hidden layer -----------------------------------------------------------


@wrong("4.3", "This is dl/da alone. Multiply it by the slope of the sigmoid, a (1 - a).")
def slope_missing(g2, w2, a):
    return w2.T @ g2


@wrong("4.3", "The matrix isn't transposed. Unit j gets the errors through column j of W₂.")
def not_transposed(g2, w2, a):
    return (w2 @ g2) * a * (1 - a)


@wrong("4.3", "It multiplies by the activation a. The slope of the sigmoid is a (1 - a).")
def activation_for_its_slope(g2, w2, a):
    return (w2.T @ g2) * a


@wrong("4.3", "1 - a² is the slope of the hyperbolic tangent. That of the sigmoid is a (1 - a).")
def slope_of_tanh_in_the_hidden_layer(g2, w2, a):
    return (w2.T @ g2) * (1 - a**2)


@wrong("4.3", "The sigmoid is applied again, to a. The slope at z₁ is a (1 - a) itself.")
def sigmoid_of_the_activation(g2, w2, a):
    s = _sigmoid(a)
    return (w2.T @ g2) * s * (1 - s)


@wrong("4.3", "It is a mean over the outputs. The shares of all outputs add up.")
def mean_of_shares(g2, w2, a):
    return (w2.T @ g2) / len(g2) * a * (1 - a)


@wrong("4.3", "Sums are multiplied. The products of weight and error must be summed instead.")
def sum_of_weights_times_sum_of_errors(g2, w2, a):
    return w2.sum(axis=0) * g2.sum() * a * (1 - a)


@wrong("4.3", "The weights are left out: every unit gets the same error, whatever its weight is.")
def weights_left_out(g2, w2, a):
    return g2.sum() * a * (1 - a)


@wrong("4.3", "The weights are left out: every unit gets the same error, whatever its weight is.")
def weights_left_out_entry_by_entry(g2, w2, a):
    return g2 * a * (1 - a)


@right("4.3")
def row_times_matrix(g2, w2, a):
    return g2 @ w2 * (a - a * a)


@right("4.3")
def share_by_share(g2, w2, a):
    shares = g2[:, None] * w2
    return shares.sum(axis=0) * a * (1 - a)


@right("4.3")
def one_output_after_the_other(g2, w2, a):
    total = np.zeros_like(a)
    for error, row in zip(g2, w2):
        total += error * row * (0.25 - (a - 0.5) ** 2)
    return total


@right("4.3")
def sum_of_products(g2, w2, a):
    return np.einsum("k,kj,j,j->j", g2, w2, a, 1 - a)


# ---- 4.4 The gradients of a layer ----------------------------------------------------------------


@wrong("4.4", "It is a mean over the examples. A gradient adds up what all of them say.")
def mean_over_examples(x, g):
    return x.T @ g / len(x), g.sum(axis=0) / len(x)


@wrong("4.4", "dL/db is a mean over the examples. The bias is added to each of them: sum over all.")
def bias_averaged(x, g):
    return x.T @ g, g.mean(axis=0)


@wrong("4.4", "dL/dW is transposed: it must have the shape of W, a row for each input.")
def gradient_transposed(x, g):
    return g.T @ x, g.sum(axis=0)


@wrong("4.4", "dL/db has an axis too many. It must have the shape of b, which is (u,).")
def bias_with_two_axes(x, g):
    return x.T @ g, g.sum(axis=0, keepdims=True)


@wrong("4.4", "dL/db is summed over the units. Sum over the examples: one number for each unit.")
def bias_over_units(x, g):
    return x.T @ g, g.sum(axis=1)


@wrong("4.4", "dL/db is one number. Each unit has a bias of its own.")
def bias_of_all_units(x, g):
    return x.T @ g, g.sum()


@wrong("4.4", "Sums are multiplied. Outer products of the examples must be summed instead.")
def product_of_sums(x, g):
    return np.outer(x.sum(axis=0), g.sum(axis=0)), g.sum(axis=0)


@wrong("4.4", "Only the last example counts. The gradients of all of them add up.")
def last_example_alone(x, g):
    dw, db = np.zeros((x.shape[1], g.shape[1]), g.dtype), np.zeros(g.shape[1], g.dtype)
    for features, errors in zip(x, g):
        dw, db = np.outer(features, errors), errors
    return dw, db


@wrong("4.4", "The outer products are not summed over the examples: there is an axis too many.")
def outer_products_of_each(x, g):
    return x[:, :, None] * g[:, None, :], g.sum(axis=0)


@right("4.4")
def outer_products_summed(x, g):
    return np.sum(x[:, :, None] * g[:, None, :], axis=0), np.sum(g, axis=0)


@right("4.4")
def example_by_example(x, g):
    dw, db = np.zeros((x.shape[1], g.shape[1]), g.dtype), np.zeros(g.shape[1], g.dtype)
    for features, errors in zip(x, g):
        dw += np.outer(features, errors)
        db += errors
    return dw, db


@right("4.4")
def both_at_once(x, g):
    longer = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)
    d = np.einsum("nd,nu->du", longer, g)
    return d[:-1], d[-1]


@right("4.4")
def products_the_other_way(x, g):
    return (g.T @ x).T, np.ones(len(g), g.dtype) @ g


# ---- 4.5 One step downhill -----------------------------------------------------------------------


_IN_PLACE = "The caller's arrays are changed in place. Make new arrays: p - ..., not p -= ..."


@wrong("4.5", _IN_PLACE)
def in_place_without_a_result(parameters, gradients, learning_rate):
    for p, g in zip(parameters, gradients):
        p -= learning_rate * g


@wrong("4.5", _IN_PLACE)
def in_place(parameters, gradients, learning_rate):
    for p, g in zip(parameters, gradients):
        p -= learning_rate * g
    return list(parameters)


@wrong("4.5", "The step goes uphill. The gradient is subtracted, not added.")
def uphill(parameters, gradients, learning_rate):
    return [p + learning_rate * g for p, g in zip(parameters, gradients)]


@wrong("4.5", "The learning rate is not used.")
def no_rate(parameters, gradients, learning_rate):
    return [p - g for p, g in zip(parameters, gradients)]


_STEPS = "These are the steps alone, without the parameters from which they start."


@wrong("4.5", _STEPS)
def steps_alone(parameters, gradients, learning_rate):
    return [-learning_rate * g for p, g in zip(parameters, gradients)]


@wrong("4.5", _STEPS)
def steps_alone_uphill(parameters, gradients, learning_rate):
    return [learning_rate * g for g in gradients]


@wrong("4.5", "Only the first array makes the step. All of them do.")
def first_array_alone(parameters, gradients, learning_rate):
    stepped = [p.copy() for p in parameters]
    if stepped:
        stepped[0] = parameters[0] - learning_rate * gradients[0]
    return stepped


@wrong("4.5", "The learning rate multiplies the parameters too. It belongs to the gradient alone.")
def rate_of_the_difference(parameters, gradients, learning_rate):
    return [learning_rate * (p - g) for p, g in zip(parameters, gradients)]


@wrong("4.5", "The learning rate divides. A larger rate must make a longer step.")
def divided_by_the_rate(parameters, gradients, learning_rate):
    return [p - g / learning_rate for p, g in zip(parameters, gradients)]


@wrong("4.5", "Only the sign of the gradient is used. A steeper slope makes a longer step.")
def signs_alone(parameters, gradients, learning_rate):
    return [p - learning_rate * np.sign(g) for p, g in zip(parameters, gradients)]


@right("4.5")
def copies_changed(parameters, gradients, learning_rate):
    stepped = [p.copy() for p in parameters]
    for new, g in zip(stepped, gradients):
        new -= learning_rate * g
    return stepped


@right("4.5")
def by_index(parameters, gradients, learning_rate):
    stepped = []
    for i in range(len(parameters)):
        stepped.append(np.subtract(parameters[i], np.multiply(learning_rate, gradients[i])))
    return stepped


@right("4.5")
def by_map(parameters, gradients, learning_rate):
    return list(map(lambda p, g: p + g * -learning_rate, parameters, gradients))


# ---- 4.6 Central differences ---------------------------------------------------------------------


def _loss(x, y, w):
    return float(np.sum((_sigmoid(x @ w) - y) ** 2))


def _differences(x, y, w, h, slope):
    """slope(L above, L, L below) for each weight."""
    d = np.zeros_like(w)
    for j in range(len(w)):
        moved = w.copy()
        moved[j] = w[j] + h
        above = _loss(x, y, moved)
        moved[j] = w[j] - h
        d[j] = slope(above, _loss(x, y, w), _loss(x, y, moved))
    return d


@wrong("4.6", "Only one side is looked at. Compare L above with L below, 2 h apart.")
def one_side(x, y, w, h):
    return _differences(x, y, w, h, lambda above, here, below: (above - here) / h)


@wrong("4.6", "It is divided by h. The two points are 2 h apart.")
def divided_by_h(x, y, w, h):
    return _differences(x, y, w, h, lambda above, here, below: (above - below) / h)


@wrong("4.6", "Brackets are missing: only L below is divided by 2 h, and not the difference.")
def brackets_missing(x, y, w, h):
    return _differences(x, y, w, h, lambda above, here, below: above - below / (2 * h))


@wrong("4.6", "Brackets are missing: / 2 * h divides by 2 and multiplies by h.")
def times_h(x, y, w, h):
    return _differences(x, y, w, h, lambda above, here, below: (above - below) / 2 * h)


@wrong("4.6", "The sign is wrong: it is L above less L below.")
def below_less_above(x, y, w, h):
    return _differences(x, y, w, h, lambda above, here, below: (below - above) / (2 * h))


@wrong("4.6", "All weights are moved together. Move one, and leave the others where they are.")
def all_at_once(x, y, w, h):
    return np.full_like(w, (_loss(x, y, w + h) - _loss(x, y, w - h)) / (2 * h))


@wrong("4.6", "A moved weight isn't put back before the next one is moved.")
def not_put_back(x, y, w, h):
    d, moved = np.zeros_like(w), w.copy()
    for j in range(len(w)):
        moved[j] += h
        above = _loss(x, y, moved)
        moved[j] -= 2 * h
        d[j] = (above - _loss(x, y, moved)) / (2 * h)
    return d


@wrong("4.6", "The caller's w is changed. Move the numbers of a copy, or put each one back.")
def callers_weights_changed(x, y, w, h):
    d = np.zeros_like(w)
    for j in range(len(w)):
        w[j] += h
        above = _loss(x, y, w)
        w[j] -= 2 * h
        d[j] = (above - _loss(x, y, w)) / (2 * h)
    return d


@wrong("4.6", "L is taken as a mean over the examples. Here it is their sum.")
def mean_loss(x, y, w, h):
    n = len(y)
    return _differences(x, y, w, h, lambda above, here, below: (above - below) / (2 * h * n))


@wrong("4.6", "This is the exact derivative. Asked are differences of losses, to check it with.")
def exact_derivative(x, y, w, h):
    p = _sigmoid(x @ w)
    return x.T @ (2 * (p - y) * p * (1 - p))


@right("4.6")
def weight_by_weight(x, y, w, h):
    return _differences(x, y, w, h, lambda above, here, below: (above - below) / (h + h))


@right("4.6")
def put_back(x, y, w, h):
    d = np.empty_like(w)
    for j in range(w.size):
        here = w[j]
        w[j] = here + h
        above = _loss(x, y, w)
        w[j] = here - h
        below = _loss(x, y, w)
        w[j] = here
        d[j] = (above - below) / h / 2
    return d


@right("4.6")
def all_points_at_once(x, y, w, h):
    moves = h * np.eye(len(w), dtype=w.dtype)
    above, below = (
        ((_sigmoid(x @ (w + sign * moves).T) - y[:, None]) ** 2).sum(axis=0) for sign in (1, -1)
    )
    return (above - below) / (2 * h)


@right("4.6")
def by_logit(x, y, w, h):
    z = x @ w
    d = []
    for column in x.T:
        above = sum((1 / (1 + math.exp(-s)) - t) ** 2 for s, t in zip(z + h * column, y))
        below = sum((1 / (1 + math.exp(-s)) - t) ** 2 for s, t in zip(z - h * column, y))
        d.append((above - below) / (2 * h))
    return np.array(d, w.dtype)
