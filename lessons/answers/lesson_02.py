"""Answers to the exercises of lesson 2."""

import numpy as np

from . import right, wrong

# ---- 2.1 Predict ---------------------------------------------------------------------------------


@wrong("2.1", "The bias is missing: it is added to every prediction.")
def without_the_bias(x, w, b):
    return x @ w


@wrong("2.1", "The products are not added up. A prediction is the sum of all of its row.")
def products_not_added(x, w, b):
    return x * w + b


@wrong("2.1", "The bias is added once for each feature. It belongs to the sum, and is added once.")
def bias_for_each_feature(x, w, b):
    return (x * w + b).sum(axis=1)


@wrong("2.1", "The predictions stand in a column, (n, 1). Asked for is the shape (n,).")
def as_a_column(x, w, b):
    return x @ w[:, np.newaxis] + b


@wrong(
    "2.1", "Features and weights are added up apart. Multiply each feature by its own weight first."
)
def sums_multiplied(x, w, b):
    return x.sum(axis=1) * w.sum() + b


@wrong("2.1", "That is the mean of the products. Asked for is their sum.")
def mean_of_the_products(x, w, b):
    return (x * w).mean(axis=1) + b


@wrong("2.1", "The bias is multiplied by the weights, too. It stands outside: x w + b.")
def bias_before_the_weights(x, w, b):
    return (x + b) @ w


@wrong("2.1", "From float32 it makes float64. The result has the dtype of x.")
def always_float64(x, w, b):
    return x.astype(np.float64) @ w.astype(np.float64) + b


@right("2.1")
def by_einsum(x, w, b):
    return np.einsum("ij,j->i", x, w) + b


@right("2.1")
def sum_of_products(x, w, b):
    return np.sum(x * w, axis=-1) + b


@right("2.1")
def feature_after_feature(x, w, b):
    predicted = np.full(len(x), b, dtype=x.dtype)
    for column, weight in zip(x.T, w):
        predicted += column * weight
    return predicted


# ---- 2.2 The loss --------------------------------------------------------------------------------


@wrong("2.2", "That is the mean. Asked for is the sum.")
def mean_of_squares(y, predicted):
    return np.sum((predicted - y) ** 2) / max(1, len(y))


@wrong("2.2", "The errors are not squared, so that those of different signs cancel.")
def errors_not_squared(y, predicted):
    return np.sum(predicted - y)


@wrong("2.2", "It adds up the distances. That is another loss, the absolute error: square instead.")
def absolute_errors(y, predicted):
    return np.sum(np.abs(predicted - y))


@wrong("2.2", "It squares the sum. Square first, then add: else the errors cancel.")
def square_of_the_sum(y, predicted):
    return np.sum(predicted - y) ** 2


@wrong("2.2", "In the end it takes a root. L is the sum of squares itself.")
def root_of_the_sum(y, predicted):
    return np.sqrt(np.sum((predicted - y) ** 2))


@wrong("2.2", "It halves the sum. Some books do so; here L has no factor before it.")
def half_of_the_sum(y, predicted):
    return np.sum((predicted - y) ** 2) / 2


@wrong("2.2", "Those are the losses l of the examples. L is their sum.")
def one_for_each_example(y, predicted):
    return (predicted - y) ** 2


@wrong("2.2", "It subtracts the squares. Subtract first: (ŷ - y)², not ŷ² - y².")
def difference_of_squares(y, predicted):
    return np.sum(predicted**2 - y**2)


@right("2.2")
def multiplied_out(y, predicted):
    return np.sum(predicted * predicted) - 2 * np.sum(predicted * y) + np.sum(y * y)


@right("2.2")
def square_of_the_length(y, predicted):
    return np.linalg.norm(y - predicted) ** 2


@right("2.2")
def example_by_example(y, predicted):
    return float(sum((p - t) ** 2 for p, t in zip(predicted, y)))


# ---- 2.3 The gradient ----------------------------------------------------------------------------


@wrong("2.3", "The factor 2 is missing. The derivative of a square e² is 2 e.")
def without_the_two(x, y, w, b):
    e = x @ w + b - y
    return x.T @ e, e.sum()


@wrong("2.3", "It is divided by n: that is the gradient of the mean. L is the sum.")
def of_the_mean(x, y, w, b):
    e = x @ w + b - y
    return 2 * x.T @ e / max(1, len(y)), 2 * e.sum() / max(1, len(y))


@wrong("2.3", "The sign is wrong: the error is the prediction minus the truth.")
def truth_minus_prediction(x, y, w, b):
    e = y - (x @ w + b)
    return 2 * x.T @ e, 2 * e.sum()


@wrong("2.3", "dL/dw is right, but dL/db is a mean. It is the sum of all 2 e.")
def mean_for_the_bias(x, y, w, b):
    e = x @ w + b - y
    return 2 * x.T @ e, 2 * e.sum() / max(1, len(y))


@wrong("2.3", "The bias is missing in the predictions, and so the errors are others.")
def predicted_without_the_bias(x, y, w, b):
    e = x @ w - y
    return 2 * x.T @ e, 2 * e.sum()


@wrong(
    "2.3",
    "It multiplies the sum of the errors by that of the features. Each error meets its own x.",
)
def sums_apart(x, y, w, b):
    e = x @ w + b - y
    return 2 * x.sum(axis=0) * e.sum(), 2 * e.sum()


@wrong("2.3", "It uses the sign of the errors only: that belongs to |e|, while a square gives 2 e.")
def sign_of_the_error(x, y, w, b):
    e = np.sign(x @ w + b - y)
    return x.T @ e, e.sum()


@wrong(
    "2.3", "dL/db still has one number for each example. All of them move the same b: add them up."
)
def bias_not_added_up(x, y, w, b):
    e = x @ w + b - y
    return 2 * x.T @ e, 2 * e


@wrong("2.3", "x is missing in dL/dw: by the chain rule, 2 e is multiplied by dŷ/dw = x.")
def without_the_chain(x, y, w, b):
    e = x @ w + b - y
    return np.full(x.shape[1], 2 * e.sum()), 2 * e.sum()


@right("2.3")
def with_a_column_of_ones(x, y, w, b):
    a = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    g = 2 * ((a @ np.append(w, b) - y) @ a)
    return g[:-1], g[-1]


@right("2.3")
def one_example_after_another(x, y, w, b):
    dw, db = np.zeros(x.shape[1]), 0.0
    for row, truth in zip(x, y):
        slope = 2 * (np.dot(row, w) + b - truth)
        dw += slope * row
        db += slope
    return dw, db


@right("2.3")
def by_broadcasting(x, y, w, b):
    slope = 2 * (np.sum(x * w, axis=1) + b - y)
    return np.sum(slope[:, None] * x, axis=0), np.sum(slope)


# ---- 2.4 Gradient descent ------------------------------------------------------------------------


def _slopes(x, y, w, b):
    e = x @ w + b - y
    return 2 * x.T @ e, 2 * e.sum()


@wrong("2.4", "It goes uphill. The gradient points to where L grows: subtract it.")
def uphill(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = _slopes(x, y, w, b)
        w, b = w + rate * dw, b + rate * db
    return w, b


@wrong("2.4", "b moves by a gradient computed after w has moved. Compute both before.")
def one_after_the_other(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        w = w - rate * _slopes(x, y, w, b)[0]
        b = b - rate * _slopes(x, y, w, b)[1]
    return w, b


@wrong("2.4", "It takes one step too many.")
def one_step_too_many(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps + 1):
        dw, db = _slopes(x, y, w, b)
        w, b = w - rate * dw, b - rate * db
    return w, b


@wrong("2.4", "It takes one step too few: range(1, steps) has steps - 1 numbers.")
def one_step_too_few(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(1, steps):
        dw, db = _slopes(x, y, w, b)
        w, b = w - rate * dw, b - rate * db
    return w, b


@wrong("2.4", "The gradient of the start is used in all steps. Compute it anew in each.")
def gradient_of_the_start(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    dw, db = _slopes(x, y, w, b)
    return w - steps * rate * dw, b - steps * rate * db


@wrong("2.4", "The bias stays at 0. It is a parameter like the weights.")
def bias_stays(x, y, rate, steps):
    w = np.zeros(x.shape[1])
    for _ in range(steps):
        w = w - rate * _slopes(x, y, w, 0.0)[0]
    return w, 0.0


@wrong("2.4", "The gradient is divided by n: that of the mean. L is the sum.")
def gradient_of_the_mean(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = _slopes(x, y, w, b)
        w, b = w - rate * dw / len(y), b - rate * db / len(y)
    return w, b


@wrong("2.4", "The factor 2 is missing in the gradient.")
def gradient_without_the_two(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = _slopes(x, y, w, b)
        w, b = w - rate * dw / 2, b - rate * db / 2
    return w, b


@wrong("2.4", "The parameters become the step, in place of being moved by it.")
def parameters_replaced(x, y, rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = _slopes(x, y, w, b)
        w, b = -rate * dw, -rate * db
    return w, b


@right("2.4")
def as_one_list_of_parameters(x, y, rate, steps):
    a = np.hstack([x, np.ones((len(x), 1))])
    theta = np.zeros(a.shape[1])
    for _ in range(steps):
        theta -= 2 * rate * (a.T @ (a @ theta - y))
    return theta[:-1], theta[-1]


@right("2.4")
def by_recursion(x, y, rate, steps):
    if steps == 0:
        return np.zeros(x.shape[1]), 0.0
    w, b = by_recursion.function(x, y, rate, steps - 1)
    dw, db = _slopes(x, y, w, b)
    return w - rate * dw, b - rate * db


@right("2.4")
def with_sums_of_products(x, y, rate, steps):
    square, level, both, mean = x.T @ x, x.sum(axis=0), x.T @ y, y.sum()
    w, b, n = np.zeros(x.shape[1]), 0.0, len(y)
    for _ in range(steps):
        dw, db = 2 * (square @ w + level * b - both), 2 * (level @ w + n * b - mean)
        w, b = w - rate * dw, b - rate * db
    return w, b


# ---- 2.5 The normal equations --------------------------------------------------------------------


def _with_ones(x):
    return np.hstack([x, np.ones((len(x), 1))])


@wrong("2.5", "It has no bias: all predictions are 0 where the features are. Add a column of ones.")
def through_the_origin(x, y):
    return np.linalg.solve(x.T @ x, x.T @ y), 0.0


@wrong(
    "2.5",
    "The bias is the mean of y, and the weights are those without a bias. Find both together.",
)
def mean_as_the_bias(x, y):
    return np.linalg.lstsq(x, y, rcond=None)[0], y.mean()


@wrong("2.5", "The weights are right. With them, b is the mean of y - x w, not that of y.")
def bias_not_moved_back(x, y):
    theta = np.linalg.lstsq(_with_ones(x), y, rcond=None)[0]
    return theta[:-1], y.mean()


@wrong("2.5", "That is the right side of the equations. It remains to solve them.")
def equations_not_solved(x, y):
    theta = _with_ones(x).T @ y
    return theta[:-1], theta[-1]


@wrong(
    "2.5", "The ones are the first column, so b is the first number of the solution, not the last."
)
def bias_taken_from_the_wrong_end(x, y):
    a = np.hstack([np.ones((len(x), 1)), x])
    theta = np.linalg.solve(a.T @ a, a.T @ y)
    return theta[:-1], theta[-1]


@wrong(
    "2.5", "It fits each feature as if it were alone. Features go together: solve for all at once."
)
def each_feature_alone(x, y):
    far = x - x.mean(axis=0)
    w = far.T @ (y - y.mean()) / np.square(far).sum(axis=0)
    return w, y.mean() - x.mean(axis=0) @ w


@wrong("2.5", "Something is added to the diagonal. That makes weights smaller than the best ones.")
def ridge(x, y):
    a = _with_ones(x)
    theta = np.linalg.solve(a.T @ a + np.eye(a.shape[1]), a.T @ y)
    return theta[:-1], theta[-1]


@wrong("2.5", "The right side is divided by n, and the left side is not.")
def one_side_divided(x, y):
    a = _with_ones(x)
    theta = np.linalg.solve(a.T @ a, a.T @ y / len(y))
    return theta[:-1], theta[-1]


@right("2.5")
def by_lstsq(x, y):
    theta, *_ = np.linalg.lstsq(_with_ones(x), y, rcond=None)
    return theta[:-1], theta[-1]


@right("2.5")
def from_the_middle(x, y):
    center = x.mean(axis=0)
    far = x - center
    w = np.linalg.inv(far.T @ far) @ (far.T @ (y - y.mean()))
    return w, y.mean() - center @ w


@right("2.5")
def by_qr(x, y):
    q, r = np.linalg.qr(np.concatenate([np.ones((len(x), 1)), x], axis=1))
    theta = np.linalg.solve(r, q.T @ y)
    return theta[1:], theta[0]


# ---- 2.6 The share that is explained -------------------------------------------------------------


def _squares(y_true, y_pred, sample_weight, center=None):
    """The weighted sums of squared errors and of squared distances from the center, each (d,)."""
    n = len(y_true)
    weights = np.ones(n) if sample_weight is None else sample_weight
    y, p = y_true.reshape(n, -1), y_pred.reshape(n, -1)
    center = np.average(y, axis=0, weights=weights) if center is None else center
    return weights @ (p - y) ** 2, weights @ (y - center) ** 2


@wrong("2.6", "The mean is not subtracted: it compares with the prediction 0, not with the mean.")
def compared_with_zero(y_true, y_pred, sample_weight=None):
    errors, spread = _squares(y_true, y_pred, sample_weight, 0.0)
    return np.mean(1 - errors / spread)


@wrong("2.6", "That is the share that is not explained. Subtract it from 1.")
def not_explained(y_true, y_pred, sample_weight=None):
    errors, spread = _squares(y_true, y_pred, sample_weight)
    return np.mean(errors / spread)


@wrong("2.6", "All outputs are put into one fraction. Each has its own; take the mean of those.")
def outputs_in_one_fraction(y_true, y_pred, sample_weight=None):
    errors, spread = _squares(y_true, y_pred, sample_weight)
    return 1 - errors.sum() / spread.sum()


@wrong("2.6", "sample_weight is not used.")
def weights_ignored(y_true, y_pred, sample_weight=None):
    errors, spread = _squares(y_true, y_pred, None)
    return np.mean(1 - errors / spread)


@wrong(
    "2.6", "The mean of the truth ignores sample_weight. A weighted example counts there as well."
)
def mean_without_weights(y_true, y_pred, sample_weight=None):
    center = y_true.reshape(len(y_true), -1).mean(axis=0)
    errors, spread = _squares(y_true, y_pred, sample_weight, center)
    return np.mean(1 - errors / spread)


@wrong(
    "2.6", "That is the squared correlation. It does not notice predictions that are all too high."
)
def squared_correlation(y_true, y_pred, sample_weight=None):
    n = len(y_true)
    weights = np.ones(n) if sample_weight is None else sample_weight
    y, p = y_true.reshape(n, -1), y_pred.reshape(n, -1)
    y, p = (v - np.average(v, axis=0, weights=weights) for v in (y, p))
    spread = (weights @ y**2) * (weights @ p**2)
    squared = (weights @ (y * p)) ** 2
    return np.mean(np.divide(squared, spread, out=np.zeros_like(spread), where=spread > 0))


@wrong("2.6", "Truth and predictions are exchanged: below stands how the truth varies.")
def exchanged(y_true, y_pred, sample_weight=None):
    errors, spread = _squares(y_pred, y_true, sample_weight)
    return np.mean(1 - errors / np.where(spread == 0, 1, spread))


@wrong("2.6", "The errors are divided by their number, and the distances from the mean are not.")
def one_sum_divided(y_true, y_pred, sample_weight=None):
    errors, spread = _squares(y_true, y_pred, sample_weight)
    total = len(y_true) if sample_weight is None else sample_weight.sum()
    return np.mean(1 - errors / total / spread)


@right("2.6")
def by_variances(y_true, y_pred, sample_weight=None):
    mean = np.average(y_true, axis=0, weights=sample_weight)
    left = np.average((y_true - y_pred) ** 2, axis=0, weights=sample_weight)
    return np.mean(1 - left / np.average((y_true - mean) ** 2, axis=0, weights=sample_weight))


@right("2.6")
def output_by_output(y_true, y_pred, sample_weight=None):
    n = len(y_true)
    w = np.ones(n) if sample_weight is None else sample_weight
    scores = []
    for y, p in zip(y_true.reshape(n, -1).T, y_pred.reshape(n, -1).T):
        mean = (w * y).sum() / w.sum()
        scores.append(1 - (w * (y - p) ** 2).sum() / (w * (y - mean) ** 2).sum())
    return sum(scores) / len(scores)


@right("2.6")
def in_three_lines(y_true, y_pred, sample_weight=None):
    w = np.full(len(y_true), 1.0) if sample_weight is None else sample_weight
    mean = w @ y_true / np.sum(w)
    return float(np.mean(1 - w @ (y_pred - y_true) ** 2 / (w @ (y_true - mean) ** 2)))
