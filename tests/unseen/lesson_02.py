"""Variants of the mistakes in lesson 2, written from their names alone."""

import math

import numpy as np

from . import variant

# ---- 2.1 Predict ---------------------------------------------------------------------------------


@variant("2.1", "without_the_bias")
def dot_product_alone(x, w, b):
    return np.dot(x, w)


@variant("2.1", "products_not_added")
def feature_times_weight(x, w, b):
    return np.einsum("ij,j->ij", x, w) + b


@variant("2.1", "bias_for_each_feature")
def bias_inside_the_sum(x, w, b):
    return np.sum(x * w + b, axis=1)


@variant("2.1", "as_a_column")
def dimension_kept(x, w, b):
    return (x * w).sum(axis=1, keepdims=True) + b


@variant("2.1", "sums_multiplied")
def sum_times_sum(x, w, b):
    return np.sum(x, axis=1) * np.sum(w) + b


@variant("2.1", "mean_of_the_products")
def average_product(x, w, b):
    return x @ w / len(w) + b


@variant("2.1", "bias_before_the_weights")
def bias_added_to_the_features(x, w, b):
    return np.dot(x + b, w)


@variant("2.1", "always_float64")
def added_to_plain_zeros(x, w, b):
    predicted = np.zeros(len(x))
    for column, weight in zip(x.T, w):
        predicted += column * weight
    return predicted + b


# ---- 2.2 The loss --------------------------------------------------------------------------------


@variant("2.2", "mean_of_squares")
def mean_squared_error(y, predicted):
    if len(y) == 0:
        return 0.0
    return np.mean(np.square(y - predicted))


@variant("2.2", "errors_not_squared")
def sum_of_errors(y, predicted):
    total = 0.0
    for truth, guess in zip(y, predicted):
        total += guess - truth
    return total


@variant("2.2", "absolute_errors")
def sum_of_distances(y, predicted):
    return np.linalg.norm(predicted - y, ord=1)


@variant("2.2", "square_of_the_sum")
def total_error_squared(y, predicted):
    return (predicted.sum() - y.sum()) ** 2


@variant("2.2", "root_of_the_sum")
def distance_of_two_points(y, predicted):
    return math.dist(predicted, y)


@variant("2.2", "half_of_the_sum")
def with_a_half_before_it(y, predicted):
    error = y - predicted
    return 0.5 * np.vdot(error, error)


@variant("2.2", "one_for_each_example")
def squares_not_added(y, predicted):
    return np.square(predicted - y)


@variant("2.2", "difference_of_squares")
def squared_before_subtracting(y, predicted):
    return np.dot(predicted, predicted) - np.dot(y, y)


# ---- 2.3 The gradient ----------------------------------------------------------------------------


@variant("2.3", "without_the_two")
def errors_not_doubled(x, y, w, b):
    error = np.dot(x, w) + b - y
    return np.einsum("ij,i->j", x, error), np.sum(error)


@variant("2.3", "of_the_mean")
def share_of_each_example(x, y, w, b):
    slope = 2 * (x @ w + b - y) / len(y)
    return slope @ x, slope.sum()


@variant("2.3", "truth_minus_prediction")
def error_the_other_way_round(x, y, w, b):
    error = y - (x @ w + b)
    return 2 * np.dot(error, x), 2 * np.sum(error)


@variant("2.3", "mean_for_the_bias")
def average_slope_of_the_bias(x, y, w, b):
    slope = 2 * (np.dot(x, w) + b - y)
    by_weight = np.sum(slope[:, None] * x, axis=0)
    return by_weight, slope.mean() if len(slope) else 0.0


@variant("2.3", "predicted_without_the_bias")
def errors_of_the_weights_alone(x, y, w, b):
    doubled = 2 * (np.einsum("ij,j->i", x, w) - y)
    return doubled @ x, doubled.sum()


@variant("2.3", "sums_apart")
def total_error_times_total_feature(x, y, w, b):
    total = 2 * np.sum(x @ w + b - y)
    return total * np.sum(x, axis=0), total


@variant("2.3", "sign_of_the_error")
def too_high_or_too_low(x, y, w, b):
    predicted = x @ w + b
    sign = (predicted > y).astype(float) - (predicted < y)
    return np.dot(sign, x), np.sum(sign)


@variant("2.3", "bias_not_added_up")
def slope_of_each_example(x, y, w, b):
    slope = 2 * (np.dot(x, w) + b - y)
    return np.dot(slope, x), slope


@variant("2.3", "without_the_chain")
def same_slope_for_all(x, y, w, b):
    slope = 2 * np.sum(np.dot(x, w) + b - y)
    return np.full(len(w), slope), slope


# ---- 2.4 Gradient descent ------------------------------------------------------------------------


def _slopes(x, y, w, b):
    """The right gradient at w and b."""
    slope = 2 * (np.dot(x, w) + b - y)
    return np.dot(slope, x), slope.sum()


def _with_ones(x):
    return np.hstack([x, np.ones((len(x), 1))])


@variant("2.4", "uphill")
def with_the_gradient(x, y, rate, steps):
    a = _with_ones(x)
    theta = np.zeros(a.shape[1])
    for _ in range(steps):
        theta = theta + 2 * rate * a.T @ (a @ theta - y)
    return theta[:-1], theta[-1]


@variant("2.4", "one_after_the_other")
def bias_with_the_new_weights(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        w = w - rate * _slopes(x, y, w, b)[0]
        b = b - rate * _slopes(x, y, w, b)[1]
    return w, b


@variant("2.4", "one_step_too_many")
def until_the_count_is_passed(x, y, rate, steps):
    w, b, done = np.zeros(x.shape[1]), 0.0, 0
    while done <= steps:
        slope_w, slope_b = _slopes(x, y, w, b)
        w, b, done = w - rate * slope_w, b - rate * slope_b, done + 1
    return w, b


@variant("2.4", "one_step_too_few")
def counted_from_one_and_stopped_below(x, y, rate, steps):
    a = _with_ones(x)
    theta, step = np.zeros(a.shape[1]), 1
    while step < steps:
        theta = theta - 2 * rate * (a @ theta - y) @ a
        step += 1
    return theta[:-1], theta[-1]


@variant("2.4", "gradient_of_the_start")
def computed_before_the_loop(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    slope_w, slope_b = _slopes(x, y, w, b)
    for _ in range(steps):
        w, b = w - rate * slope_w, b - rate * slope_b
    return w, b


@variant("2.4", "bias_stays")
def weights_alone_move(x, y, rate, steps):
    w = np.zeros(x.shape[1])
    for _ in range(steps):
        error = np.einsum("ij,j->i", x, w) - y
        w = w - 2 * rate * np.einsum("ij,i->j", x, error)
    return w, 0.0


@variant("2.4", "gradient_of_the_mean")
def down_the_mean_loss(x, y, rate, steps):
    a = _with_ones(x)
    theta = np.zeros(a.shape[1])
    for _ in range(steps):
        each = 2 * (a @ theta - y)[:, None] * a
        theta = theta - rate * each.mean(axis=0)
    return theta[:-1], theta[-1]


@variant("2.4", "gradient_without_the_two")
def error_times_feature(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        error = np.dot(x, w) + b - y
        w, b = w - rate * np.dot(error, x), b - rate * error.sum()
    return w, b


@variant("2.4", "parameters_replaced")
def step_in_place_of_the_parameters(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        slope_w, slope_b = _slopes(x, y, w, b)
        w, b = -rate * slope_w, -rate * slope_b
    return w, b


# ---- 2.5 The normal equations --------------------------------------------------------------------


def _through_zero(x, y):
    """The weights with the least loss of a model without a bias."""
    return np.linalg.pinv(x) @ y


@variant("2.5", "through_the_origin")
def weights_and_no_bias(x, y):
    return _through_zero(x, y), 0.0


@variant("2.5", "mean_as_the_bias")
def level_beside_the_weights(x, y):
    return _through_zero(x, y), y.mean()


@variant("2.5", "bias_not_moved_back")
def centred_and_left_there(x, y):
    level = np.mean(y)
    return _through_zero(x - x.mean(axis=0), y - level), level


@variant("2.5", "equations_not_solved")
def products_with_the_truth(x, y):
    return np.einsum("ij,i->j", x, y), np.sum(y)


@variant("2.5", "bias_taken_from_the_wrong_end")
def ones_first_and_bias_last(x, y):
    a = np.insert(x, 0, 1.0, axis=1)
    *w, b = np.linalg.inv(a.T @ a) @ a.T @ y
    return np.array(w), b


@variant("2.5", "each_feature_alone")
def a_line_for_each_feature(x, y):
    w = np.zeros(x.shape[1])
    for j, column in enumerate(x.T):
        away = column - column.mean()
        w[j] = away @ (y - y.mean()) / (away @ away)
    return w, y.mean() - x.mean(axis=0) @ w


@variant("2.5", "ridge")
def a_little_on_the_diagonal(x, y):
    a = _with_ones(x)
    square = a.T @ a
    square[np.diag_indices_from(square)] += 0.1
    theta = np.linalg.solve(square, a.T @ y)
    return theta[:-1], theta[-1]


@variant("2.5", "one_side_divided")
def mean_on_the_right(x, y):
    a = _with_ones(x)
    right = (a * y[:, None]).mean(axis=0)
    theta = np.linalg.inv(a.T @ a) @ right
    return theta[:-1], theta[-1]


# ---- 2.6 The share that is explained -------------------------------------------------------------


def _tables(y_true, y_pred, sample_weight):
    """Truth and predictions (n, d), and weights as a column (n, 1)."""
    n = len(y_true)
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    return np.reshape(y_true, (n, -1)), np.reshape(y_pred, (n, -1)), weight[:, None]


def _spread(values, weight):
    """Σᵢ wᵢ (vᵢ - v̄)² of each column."""
    mean = (weight * values).sum(axis=0) / weight.sum()
    return (weight * (values - mean) ** 2).sum(axis=0)


@variant("2.6", "compared_with_zero")
def mean_not_subtracted(y_true, y_pred, sample_weight=None):
    y, predicted, weight = _tables(y_true, y_pred, sample_weight)
    scores = []
    for j in range(y.shape[1]):
        errors = weight[:, 0] @ (predicted[:, j] - y[:, j]) ** 2
        scores.append(1 - errors / (weight[:, 0] @ y[:, j] ** 2))
    return float(np.mean(scores))


@variant("2.6", "not_explained")
def share_of_the_errors(y_true, y_pred, sample_weight=None):
    y, predicted, weight = _tables(y_true, y_pred, sample_weight)
    errors = np.sum(weight * (y - predicted) ** 2, axis=0)
    return float(np.mean(errors / _spread(y, weight)))


@variant("2.6", "outputs_in_one_fraction")
def all_outputs_added(y_true, y_pred, sample_weight=None):
    y, predicted, weight = _tables(y_true, y_pred, sample_weight)
    errors = np.sum(weight * (y - predicted) ** 2)
    return float(1 - errors / _spread(y, weight).sum())


@variant("2.6", "weights_ignored")
def every_example_once(y_true, y_pred, sample_weight=None):
    errors = np.mean((y_true - y_pred) ** 2, axis=0)
    return float(np.mean(1 - errors / np.var(y_true, axis=0)))


@variant("2.6", "mean_without_weights")
def distances_from_the_plain_mean(y_true, y_pred, sample_weight=None):
    y, predicted, weight = _tables(y_true, y_pred, sample_weight)
    away = y - y.mean(axis=0)
    errors = np.sum(weight * (y - predicted) ** 2, axis=0)
    return float(np.mean(1 - errors / np.sum(weight * away**2, axis=0)))


@variant("2.6", "squared_correlation")
def correlation_times_itself(y_true, y_pred, sample_weight=None):
    y, predicted, weight = _tables(y_true, y_pred, sample_weight)
    scores = []
    for truth, guess in zip(y.T, predicted.T):
        (variance, common), (_, other) = np.cov(truth, guess, aweights=weight[:, 0], ddof=0)
        scores.append(common**2 / (variance * other) if other > 0 else 0.0)
    return float(np.mean(scores))


@variant("2.6", "exchanged")
def compared_with_how_predictions_vary(y_true, y_pred, sample_weight=None):
    y, predicted, weight = _tables(y_true, y_pred, sample_weight)
    errors = np.sum(weight * (y - predicted) ** 2, axis=0)
    return float(np.mean(1 - errors / _spread(predicted, weight)))


@variant("2.6", "one_sum_divided")
def mean_above_and_sum_below(y_true, y_pred, sample_weight=None):
    y, predicted, weight = _tables(y_true, y_pred, sample_weight)
    errors = np.average((y - predicted) ** 2, axis=0, weights=weight[:, 0])
    return float(np.mean(1 - errors / _spread(y, weight)))
