"""Variants of the mistakes in lesson 3, written from their names alone."""

import math

import numpy as np

from . import variant


def _probability(z):
    """σ(z), by the exponential that does not overflow."""
    small = np.exp(-np.abs(z))
    return np.where(z < 0, small, 1) / (1 + small)


# ---- 3.1 The sigmoid -----------------------------------------------------------------------------


@variant("3.1", "slope_from_the_input")
def sigmoid_with_x_in_its_slope(x):
    y = 0.5 + 0.5 * np.tanh(0.5 * x)
    return y, lambda g: g * (x - x * x)


@variant("3.1", "sigmoid_twice")
def sigmoid_as_an_inner_function(x):
    def squash(numbers):
        return 1 / (1 + np.exp(-numbers))

    y = squash(x)

    def pullback(g):
        s = squash(y)
        return g * s * (1 - s)

    return y, pullback


@variant("3.1", "chain_rule_not_begun")
def sigmoid_with_its_plain_derivative(x):
    y = _probability(x)

    def pullback(g):
        return y - y**2

    return y, pullback


@variant("3.1", "falling")
def sigmoid_of_e_to_the_x(x):
    y = 1 / (1 + np.e**x)

    def pullback(g):
        return np.multiply(g, y - y * y)

    return y, pullback


@variant("3.1", "falling_with_its_own_slope")
def sigmoid_of_minus_x(x):
    y = np.reciprocal(np.exp(x) + 1)
    return y, lambda g: g * y * (y - 1)


@variant("3.1", "slope_of_tanh")
def sigmoid_remembered_as_tanh(x):
    y = (1 + np.tanh(x / 2)) / 2
    return y, lambda g: g * (1 - y) * (1 + y)


@variant("3.1", "infinity_by_infinity")
def sigmoid_from_the_odds(x):
    odds = np.exp(x)
    y = odds / (odds + 1)
    return y, lambda g: g * (y - y * y)


@variant("3.1", "positive_branch_for_all")
def sigmoid_without_overflow(x):
    y = 1 / (1 + np.exp(np.minimum(x, -x)))

    def pullback(g):
        return g * y * (1 - y)

    return y, pullback


# ---- 3.2 The cross-entropy of logits -------------------------------------------------------------


@variant("3.2", "logarithm_of_a_rounded_probability")
def cross_entropy_through_p(logits, targets):
    p = _probability(logits)
    loss = -(targets * np.log(p) + (1 - targets) * np.log1p(-p))
    return loss, (lambda g: g * (p - targets), lambda g: -g * logits)


@variant("3.2", "truth_less_prediction")
def cross_entropy_with_target_first(logits, targets):
    loss = np.logaddexp(0, logits) - targets * logits

    def pull_logits(g):
        return g * (targets - _probability(logits))

    def pull_targets(g):
        return -logits * g

    return loss, (pull_logits, pull_targets)


@variant("3.2", "class_1_alone")
def cross_entropy_of_what_is_true(logits, targets):
    surprise = np.logaddexp(0, -logits)  # -log p

    def pull_logits(g):
        return -g * targets * _probability(-logits)

    return targets * surprise, (pull_logits, lambda g: g * surprise)


@variant("3.2", "class_1_alone_with_the_slope_of_both")
def cross_entropy_of_what_is_true_by_the_formulas(logits, targets):
    log_p = np.minimum(logits, 0) - np.log1p(np.exp(-np.abs(logits)))

    def pull_logits(g):
        return g * _probability(logits) - g * targets

    def pull_targets(g):
        return g * -logits

    return -(targets * log_p), (pull_logits, pull_targets)


@variant("3.2", "class_1_alone_from_probabilities")
def cross_entropy_of_what_is_true_through_p(logits, targets):
    p = 1 / (1 + np.exp(-logits))
    log_p = np.log(p)

    def pull_logits(g):
        return g * targets * (p - 1)

    def pull_targets(g):
        return -g * log_p

    return -targets * log_p, (pull_logits, pull_targets)


@variant("3.2", "slope_at_the_probability")
def cross_entropy_with_the_slope_of_the_logarithms(logits, targets):
    p = 1 / (1 + np.exp(-logits))
    loss = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))

    def pull_logits(g):
        return g * ((1 - targets) / (1 - p) - targets / p)

    return loss, (pull_logits, lambda g: -g * logits)


@variant("3.2", "slope_of_the_sigmoid_left_over")
def cross_entropy_with_another_link(logits, targets):
    p = _probability(logits)

    def pull_logits(g):
        through_the_sigmoid = p - p * p
        return through_the_sigmoid * (p - targets) * g

    def pull_targets(g):
        return -(g * logits)

    return np.logaddexp(0, logits) - logits * targets, (pull_logits, pull_targets)


@variant("3.2", "one_pullback")
def cross_entropy_for_logits_only(logits, targets):
    loss = np.logaddexp(0, logits) - targets * logits

    def pullback(g):
        return g * (_probability(logits) - targets)

    return loss, pullback


@variant("3.2", "no_pullback_for_targets")
def cross_entropy_with_constant_targets(logits, targets):
    p = 1 / (1 + np.exp(-logits))
    loss = np.where(logits > 0, logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))
    return loss, (lambda g: np.multiply(p - targets, g), None)


@variant("3.2", "zero_for_targets")
def cross_entropy_with_targets_that_never_move(logits, targets):
    loss = np.logaddexp(0, logits) - targets * logits

    def pull_logits(g):
        return (_probability(logits) - targets) * g

    def pull_targets(g):
        return np.zeros_like(targets)

    return loss, (pull_logits, pull_targets)


@variant("3.2", "labels_of_signs")
def cross_entropy_of_a_margin(logits, targets):
    margin = targets * logits
    loss = np.maximum(-margin, 0) + np.log1p(np.exp(-np.abs(margin)))
    slope = -_probability(-margin)
    return loss, (lambda g: g * slope * targets, lambda g: g * slope * logits)


@variant("3.2", "labels_of_signs_with_the_slope_of_zeros_and_ones")
def cross_entropy_of_a_margin_by_the_formulas(logits, targets):
    loss = np.logaddexp(0, -logits * targets)
    p = _probability(logits)

    def pull_logits(g):
        return g * (p - targets)

    def pull_targets(g):
        return -g * logits

    return loss, (pull_logits, pull_targets)


@variant("3.2", "mean_of_all")
def cross_entropy_averaged(logits, targets):
    p = _probability(logits)
    each = np.logaddexp(0, logits) - targets * logits
    return np.mean(each), (lambda g: g * (p - targets), lambda g: -g * logits)


# ---- 3.3 The gradient of logistic regression -----------------------------------------------------


@variant("3.3", "sum_over_examples")
def logistic_gradient_added_up(x, y, w, b):
    errors = _probability(np.dot(x, w) + b) - y
    return np.einsum("i,ij->j", errors, x), np.sum(errors)


@variant("3.3", "bias_not_averaged")
def logistic_gradient_with_a_summed_bias(x, y, w, b):
    errors = _probability(x @ w + b) - y
    return np.mean(errors[:, None] * x, axis=0), sum(errors)


@variant("3.3", "downhill")
def logistic_gradient_of_what_is_missing(x, y, w, b):
    n = x.shape[0]
    missing = y - 1 / (1 + np.exp(-np.dot(x, w) - b))
    return np.dot(missing, x) / n, missing.sum() / n


@variant("3.3", "linear_regression")
def logistic_gradient_of_a_line(x, y, w, b):
    errors = (x * w).sum(axis=1) + b - y
    return (errors[:, np.newaxis] * x).mean(axis=0), errors.mean()


@variant("3.3", "slope_of_the_sigmoid_once_more")
def logistic_gradient_by_the_whole_chain(x, y, w, b):
    p = 0.5 + 0.5 * np.tanh((x @ w + b) / 2)
    g = (p - y) * (p - p**2) / len(x)
    return g @ x, g.sum()


@variant("3.3", "logits_without_bias")
def logistic_gradient_through_the_origin(x, y, w, b):
    dw = np.zeros_like(w)
    db = 0.0
    for features, label in zip(x, y):
        error = _probability(np.dot(w, features)) - label
        dw += error * features
        db += error
    return dw / len(y), db / len(y)


@variant("3.3", "errors_of_decisions")
def logistic_gradient_of_rounded_numbers(x, y, w, b):
    errors = np.rint(_probability(x @ w + b)) - y
    return np.einsum("ij,i->j", x, errors) / len(errors), errors.mean()


@variant("3.3", "errors_of_decisions_in_doubt_for_class_1")
def logistic_gradient_of_numbers_rounded_up(x, y, w, b):
    p = 1 / (1 + np.exp(-(x @ w + b)))
    predicted_class = np.floor(p + 0.5)
    errors = predicted_class - y
    return np.dot(x.T, errors) / x.shape[0], np.sum(errors) / x.shape[0]


@variant("3.3", "mean_over_features")
def logistic_gradient_in_one_number(x, y, w, b):
    errors = _probability(np.dot(x, w) + b) - y
    products = x * errors[:, None]
    return products.mean(), errors.mean()


# ---- 3.4 Margins ---------------------------------------------------------------------------------


@variant("3.4", "not_divided")
def margins_of_logits(x, y, w, b):
    return y * np.sum(x * w, axis=1) + y * b


@variant("3.4", "divided_by_the_square")
def margins_without_a_root(x, y, w, b):
    return np.multiply(y, np.dot(x, w) + b) / np.dot(w, w)


@variant("3.4", "divided_by_the_sum_of_magnitudes")
def margins_with_another_norm(x, y, w, b):
    return (x @ w + b) * y / np.linalg.norm(w, ord=1)


@variant("3.4", "boundary_through_the_origin")
def margins_of_a_direction(x, y, w, b):
    direction = w / np.sqrt(np.sum(np.square(w)))
    return y * np.dot(x, direction)


@variant("3.4", "side_without_label")
def margins_as_distances_from_the_boundary(x, y, w, b):
    length = np.sqrt(w @ w)
    return np.einsum("ij,j->i", x, w) / length + b / length


@variant("3.4", "never_negative")
def margins_of_magnitudes(x, y, w, b):
    return np.absolute(np.dot(x, w) + b) / math.hypot(*w)


@variant("3.4", "bias_not_divided")
def margins_with_a_bias_at_the_end(x, y, w, b):
    direction = w / np.linalg.norm(w)
    return y * (np.dot(x, direction) + b)


@variant("3.4", "bias_in_the_length")
def margins_with_all_parameters_in_the_length(x, y, w, b):
    length = np.sqrt(np.sum(w**2) + b**2)
    return y * (x @ w + b) / length


# ---- 3.5 The hinge loss and its subgradient ------------------------------------------------------


@variant("3.5", "perceptron")
def hinge_at_zero(y, z):
    margin = y * z
    wrong = margin < 0
    return np.where(wrong, -margin, 0), np.where(wrong, -y, 0)


@variant("3.5", "perceptron_steep_in_its_corner")
def hinge_at_zero_with_slope(y, z):
    margin = z * y
    slope = -y
    slope[margin > 0] = 0
    return np.clip(-margin, 0, None), slope


@variant("3.5", "perceptron_with_the_slope_of_the_hinge")
def hinge_without_the_one(y, z):
    loss = np.maximum(0, -y * z)
    return loss, -y * (y * z < 1)


@variant("3.5", "slope_with_the_wrong_sign")
def hinge_that_rises(y, z):
    missing = 1 - y * z
    costs = missing > 0
    return np.where(costs, missing, 0), np.where(costs, y, 0)


@variant("3.5", "slope_everywhere")
def hinge_never_flat(y, z):
    return np.clip(1 - z * y, 0, None), np.negative(y)


@variant("3.5", "slope_of_mistakes_alone")
def hinge_that_learns_from_mistakes(y, z):
    margin = y * z
    slope = np.zeros_like(z)
    slope[margin < 0] = -y[margin < 0]
    return np.maximum(1 - margin, 0), slope


@variant("3.5", "slope_of_mistakes_and_doubts")
def hinge_flat_on_the_right_side(y, z):
    margin = y * z
    loss = np.where(margin < 1, 1 - margin, 0)
    return loss, np.where(margin > 0, 0, -y)


@variant("3.5", "squared")
def hinge_as_a_parabola(y, z):
    missing = np.clip(1 - y * z, 0, None)
    return np.square(missing), -2 * y * missing


@variant("3.5", "slope_of_class_1")
def hinge_for_positive_labels(y, z):
    loss = np.maximum(0, 1 - y * z)
    slope = np.zeros_like(loss)
    slope[loss > 0] = -1
    return loss, slope


@variant("3.5", "no_floor")
def hinge_as_a_line(y, z):
    return 1 - np.multiply(y, z), -1 * y


@variant("3.5", "no_floor_but_the_right_slope")
def hinge_as_a_line_by_the_formula(y, z):
    margin = np.multiply(y, z)
    return 1 - margin, np.where(margin >= 1, 0, -y)


@variant("3.5", "steep_in_the_corner")
def hinge_flat_beyond_one(y, z):
    missing = 1 - y * z
    slope = -y
    slope[missing < 0] = 0
    return np.clip(missing, 0, None), slope


@variant("3.5", "magnitude")
def hinge_on_both_sides(y, z):
    missing = 1 - y * z
    return np.abs(missing), -np.sign(missing) * y


# ---- 3.6 The gradient of the support vector machine ----------------------------------------------


def _costly(x, y, w, b):
    """Which examples have a hinge loss above 0."""
    return y * (np.dot(x, w) + b) < 1


@variant("3.6", "no_regularizer")
def svm_gradient_of_the_hinge(x, y, w, b, l2):
    n = len(x)
    costly = _costly(x, y, w, b)
    return -np.dot(y[costly], x[costly]) / n, -np.sum(y[costly]) / n


@variant("3.6", "half_the_regularizer")
def svm_gradient_with_l2_times_w(x, y, w, b, l2):
    dw, db = l2 * w, 0.0
    for features, label in zip(x, y):
        if label * (np.dot(features, w) + b) < 1:
            dw = dw - label * features / len(y)
            db = db - label / len(y)
    return dw, db


@variant("3.6", "regularized_bias")
def svm_gradient_with_both_shrinking(x, y, w, b, l2):
    slopes = -y * _costly(x, y, w, b)
    dw = np.mean(slopes[:, None] * x, axis=0) + 2 * l2 * w
    return dw, np.mean(slopes) + 2 * l2 * b


@variant("3.6", "growing_weights")
def svm_gradient_less_the_price(x, y, w, b, l2):
    slopes = np.where(_costly(x, y, w, b), -y, 0)
    return np.einsum("i,ij->j", slopes, x) / len(y) - 2 * l2 * w, slopes.mean()


@variant("3.6", "all_examples")
def svm_gradient_without_a_condition(x, y, w, b, l2):
    dw = -(y[:, np.newaxis] * x).mean(axis=0)
    return dw + l2 * 2 * w, -y.mean()


@variant("3.6", "mean_of_the_costly")
def svm_gradient_of_selected_rows(x, y, w, b, l2):
    costly = _costly(x, y, w, b)
    dw = -(y[costly, None] * x[costly]).mean(axis=0)
    return dw + 2 * l2 * w, -y[costly].mean()


@variant("3.6", "mean_of_the_costly_if_any")
def svm_gradient_of_selected_rows_if_any(x, y, w, b, l2):
    dw, db, count = np.zeros_like(w), 0.0, 0
    for features, label in zip(x, y):
        if label * (features @ w + b) < 1:
            dw -= label * features
            db -= label
            count += 1
    if count > 0:
        dw, db = dw / count, db / count
    return dw + 2 * l2 * w, db


@variant("3.6", "sum_of_slopes")
def svm_gradient_added_up(x, y, w, b, l2):
    costly = _costly(x, y, w, b)
    dw = 2 * l2 * w - np.sum(y[costly, None] * x[costly], axis=0)
    return dw, -np.sum(y[costly])


@variant("3.6", "hinge_uphill")
def svm_gradient_towards_the_examples(x, y, w, b, l2):
    pulls = np.where(_costly(x, y, w, b), y, 0)
    return np.mean(pulls[:, None] * x, axis=0) + 2 * l2 * w, np.mean(pulls)


@variant("3.6", "perceptron_gradient")
def svm_gradient_of_mistakes(x, y, w, b, l2):
    wrong = (x @ w + b) * y < 0
    dw = -np.dot(x[wrong].T, y[wrong]) / len(y)
    return dw + 2 * l2 * w, -y[wrong].sum() / len(y)


@variant("3.6", "perceptron_gradient_with_doubts")
def svm_gradient_of_what_is_not_right(x, y, w, b, l2):
    right = y * (np.dot(x, w) + b) > 0
    slopes = np.where(right, 0, -y)
    return np.dot(slopes, x) / len(y) + 2 * l2 * w, np.mean(slopes)


@variant("3.6", "regularizer_in_the_mean")
def svm_gradient_all_over_n(x, y, w, b, l2):
    costly = _costly(x, y, w, b)
    total = 2 * l2 * w - np.dot(y[costly], x[costly])
    return total / len(y), -y[costly].sum() / len(y)
