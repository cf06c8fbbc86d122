"""Answers to the exercises of lesson 3."""

import math

import numpy as np

from . import right, wrong


def _sigmoid(z):
    """σ(z), for the answers whose mistake or merit lies elsewhere."""
    return (1 + np.tanh(z / 2)) / 2


# ---- 3.1 The sigmoid -----------------------------------------------------------------------------


@wrong(
    "3.1", "The pullback multiplies by x (1 - x). The slope is y (1 - y), where y is the result."
)
def slope_from_the_input(x):
    return _sigmoid(x), lambda g: g * x * (1 - x)


@wrong("3.1", "The slope is taken of σ(y): the sigmoid is applied twice. It is y (1 - y) itself.")
def sigmoid_twice(x):
    y = _sigmoid(x)
    return y, lambda g: g * _sigmoid(y) * (1 - _sigmoid(y))


@wrong("3.1", "The pullback gives dy/dx alone. By the chain rule it is g times that.")
def chain_rule_not_begun(x):
    y = _sigmoid(x)
    return y, lambda g: y * (1 - y)


@wrong("3.1", "The exponent has the wrong sign: this falls from 1 to 0, and the sigmoid rises.")
def falling(x):
    y = _sigmoid(-x)
    return y, lambda g: g * y * (1 - y)


@wrong("3.1", "The exponent has the wrong sign: this falls from 1 to 0, and the sigmoid rises.")
def falling_with_its_own_slope(x):
    y = _sigmoid(-x)
    return y, lambda g: -g * y * (1 - y)


@wrong("3.1", "1 - y² is the slope of the hyperbolic tangent. That of the sigmoid is y (1 - y).")
def slope_of_tanh(x):
    y = _sigmoid(x)
    return y, lambda g: g * (1 - y * y)


@wrong("3.1", "For large x this is ∞ divided by ∞, which is nan. In 1 / (1 + e⁻ˣ) it can't happen.")
def infinity_by_infinity(x):
    e = np.exp(x)
    y = e / (1 + e)
    return y, lambda g: g * y * (1 - y)


@wrong("3.1", "Negative x get the value of |x|. They need a branch of their own, eˣ / (1 + eˣ).")
def positive_branch_for_all(x):
    y = 1 / (1 + np.exp(-np.abs(x)))
    return y, lambda g: g * y * (1 - y)


@right("3.1")
def two_branches(x):
    e = np.exp(-np.abs(x))
    y = np.where(x >= 0, 1, e) / (1 + e)
    return y, lambda g: g * (e / (1 + e) ** 2)


@right("3.1")
def through_tanh(x):
    t = np.tanh(x / 2)
    return (1 + t) / 2, lambda g: g * (1 - t**2) / 4


@right("3.1")
def through_logarithms(x):
    y = np.exp(-np.logaddexp(0, -x))
    return y, lambda g: g * (y - y**2)


@right("3.1")
def number_by_number(x):
    y = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        y[index] = 1 / (1 + math.exp(-x[index])) if x[index] > -700 else 0

    def pull(g):
        d = np.zeros_like(y)
        for index in np.ndindex(y.shape):
            d[index] = g[index] * y[index] * (1 - y[index])
        return d

    return y, pull


# ---- 3.2 The cross-entropy of logits -------------------------------------------------------------


def _cross_entropy(z, t):
    return np.logaddexp(0, z) - t * z


@wrong("3.2", "For large |z| this takes the logarithm of 0, because p is rounded. Stay with z.")
def logarithm_of_a_rounded_probability(logits, targets):
    p = _sigmoid(logits)
    l = -targets * np.log(p) - (1 - targets) * np.log(1 - p)
    return l, (lambda g: g * (p - targets), lambda g: -g * logits)


@wrong("3.2", "The pullback of z has the wrong sign: it is p - t, for more z is more p.")
def truth_less_prediction(logits, targets):
    l = _cross_entropy(logits, targets)
    return l, (lambda g: g * (targets - _sigmoid(logits)), lambda g: -g * logits)


_ONE_CLASS = "Only -t log p is there. Where t is below 1, -(1 - t) log(1 - p) counts too."


@wrong("3.2", _ONE_CLASS)
def class_1_alone(logits, targets):
    l = targets * np.logaddexp(0, -logits)
    pull_logits = lambda g: g * targets * (_sigmoid(logits) - 1)  # noqa: E731
    return l, (pull_logits, lambda g: g * np.logaddexp(0, -logits))


@wrong("3.2", _ONE_CLASS)
def class_1_alone_with_the_slope_of_both(logits, targets):
    l = targets * np.logaddexp(0, -logits)
    return l, (lambda g: g * (_sigmoid(logits) - targets), lambda g: -g * logits)


@wrong("3.2", _ONE_CLASS)
def class_1_alone_from_probabilities(logits, targets):
    p = _sigmoid(logits)
    return -targets * np.log(p), (lambda g: g * (p - targets), lambda g: -g * logits)


@wrong("3.2", "This is dl/dp. The slope of the sigmoid, p (1 - p), is missing, and cancels: p - t.")
def slope_at_the_probability(logits, targets):
    p = _sigmoid(logits)
    l = _cross_entropy(logits, targets)
    return l, (lambda g: g * (p - targets) / (p * (1 - p)), lambda g: -g * logits)


@wrong("3.2", "The slope of the sigmoid is there once too often: it cancels, and p - t remains.")
def slope_of_the_sigmoid_left_over(logits, targets):
    p = _sigmoid(logits)
    l = _cross_entropy(logits, targets)
    return l, (lambda g: g * (p - targets) * p * (1 - p), lambda g: -g * logits)


_TWO_INPUTS = "The pullback of t is missing. The rule has two inputs, and dl/dt = -z."


@wrong("3.2", _TWO_INPUTS)
def one_pullback(logits, targets):
    return _cross_entropy(logits, targets), lambda g: g * (_sigmoid(logits) - targets)


@wrong("3.2", _TWO_INPUTS)
def no_pullback_for_targets(logits, targets):
    return _cross_entropy(logits, targets), (lambda g: g * (_sigmoid(logits) - targets), None)


@wrong("3.2", _TWO_INPUTS)
def zero_for_targets(logits, targets):
    l = _cross_entropy(logits, targets)
    return l, (lambda g: g * (_sigmoid(logits) - targets), lambda g: 0 * g)


@wrong("3.2", "ln(1 + e^(-t z)) is for labels -1 and 1. Here the labels are 0 and 1.")
def labels_of_signs(logits, targets):
    l = np.logaddexp(0, -targets * logits)
    q = _sigmoid(-targets * logits)
    return l, (lambda g: -g * targets * q, lambda g: -g * logits * q)


@wrong("3.2", "ln(1 + e^(-t z)) is for labels -1 and 1. Here the labels are 0 and 1.")
def labels_of_signs_with_the_slope_of_zeros_and_ones(logits, targets):
    l = np.logaddexp(0, -targets * logits)
    return l, (lambda g: g * (_sigmoid(logits) - targets), lambda g: -g * logits)


@wrong("3.2", "The value is a mean of all. Asked is l for each element; a later step averages.")
def mean_of_all(logits, targets):
    l = np.mean(_cross_entropy(logits, targets))
    each = 1 / max(logits.size, 1)
    return l, (lambda g: g * each * (_sigmoid(logits) - targets), lambda g: -g * each * logits)


@right("3.2")
def softplus(logits, targets):
    l = np.logaddexp(0, logits) - targets * logits
    p = np.exp(logits - np.logaddexp(0, logits))
    return l, (lambda g: g * (p - targets), lambda g: -(g * logits))


@right("3.2")
def each_class_its_own_logarithm(logits, targets):
    for_one, for_zero = np.logaddexp(0, -logits), np.logaddexp(0, logits)
    l = targets * for_one + (1 - targets) * for_zero
    pull_logits = lambda g: g * ((1 - targets) * np.exp(-for_one) - targets * np.exp(-for_zero))  # noqa: E731
    return l, (pull_logits, lambda g: g * (for_one - for_zero))


@right("3.2")
def element_by_element(logits, targets):
    l, p = np.zeros_like(logits), np.zeros_like(logits)
    for index in np.ndindex(logits.shape):
        z, t = logits[index], targets[index]
        e = math.exp(-abs(z))
        l[index] = max(z, 0) - t * z + math.log1p(e)
        p[index] = 1 / (1 + e) if z > 0 else e / (1 + e)
    return l, (lambda g: g * p - g * targets, lambda g: g * -logits)


# ---- 3.3 The gradient of logistic regression -----------------------------------------------------


@wrong("3.3", "It sums over the examples. L is their mean: both gradients are divided by n.")
def sum_over_examples(x, y, w, b):
    p = _sigmoid(x @ w + b)
    return x.T @ (p - y), np.sum(p - y)


@wrong("3.3", "dL/db is a sum over the examples. It is a mean, as dL/dw is.")
def bias_not_averaged(x, y, w, b):
    p = _sigmoid(x @ w + b)
    return x.T @ (p - y) / len(y), np.sum(p - y)


@wrong("3.3", "The sign is wrong: y - p points downhill, and the gradient p - y points uphill.")
def downhill(x, y, w, b):
    p = _sigmoid(x @ w + b)
    return x.T @ (y - p) / len(y), np.mean(y - p)


@wrong("3.3", "The sigmoid is missing: z - y is the error of linear regression; here it is p - y.")
def linear_regression(x, y, w, b):
    z = x @ w + b
    return x.T @ (z - y) / len(y), np.mean(z - y)


@wrong("3.3", "p (1 - p) is there once too often: with the cross-entropy it cancels.")
def slope_of_the_sigmoid_once_more(x, y, w, b):
    p = _sigmoid(x @ w + b)
    g = (p - y) * p * (1 - p)
    return x.T @ g / len(y), np.mean(g)


@wrong("3.3", "The bias is missing from the logits: z = w · x + b.")
def logits_without_bias(x, y, w, b):
    p = _sigmoid(x @ w)
    return x.T @ (p - y) / len(y), np.mean(p - y)


_DECISIONS = "The probabilities are rounded to decisions, 0 or 1. Their errors p - y are asked for."


@wrong("3.3", _DECISIONS)
def errors_of_decisions(x, y, w, b):
    p = (_sigmoid(x @ w + b) > 0.5).astype(x.dtype)
    return x.T @ (p - y) / len(y), np.mean(p - y)


@wrong("3.3", _DECISIONS)
def errors_of_decisions_in_doubt_for_class_1(x, y, w, b):
    p = (_sigmoid(x @ w + b) >= 0.5).astype(x.dtype)
    return x.T @ (p - y) / len(y), np.mean(p - y)


@wrong("3.3", "It averages over the features too. dL/dw has a number for each of the d features.")
def mean_over_features(x, y, w, b):
    p = _sigmoid(x @ w + b)
    return np.mean(x.T * (p - y)), np.mean(p - y)


@right("3.3")
def loop_over_examples(x, y, w, b):
    dw, db = np.zeros_like(w), 0.0
    for features, truth in zip(x, y):
        error = _sigmoid(features @ w + b) - truth
        dw += error * features
        db += error
    return dw / len(x), db / len(x)


@right("3.3")
def mean_of_products(x, y, w, b):
    error = np.exp(-np.logaddexp(0, -(x.dot(w) + b))) - y
    return (error[:, None] * x).mean(axis=0), error.mean()


@right("3.3")
def bias_as_a_feature(x, y, w, b):
    ones = np.ones((len(x), 1), x.dtype)
    longer = np.concatenate([x, ones], axis=1)
    z = longer @ np.append(w, w.dtype.type(b))
    d = np.einsum("ij,i->j", longer, _sigmoid(z) - y) / len(x)
    return d[:-1], d[-1]


# ---- 3.4 Margins ---------------------------------------------------------------------------------


@wrong("3.4", "It isn't divided by the length of w: 2 w and 2 b would double all distances.")
def not_divided(x, y, w, b):
    return y * (x @ w + b)


@wrong("3.4", "It is divided by ‖w‖². The distance is divided by the length itself, its root.")
def divided_by_the_square(x, y, w, b):
    return y * (x @ w + b) / (w @ w)


@wrong("3.4", "It is divided by the sum of |wⱼ|. The length is the root of the sum of squares.")
def divided_by_the_sum_of_magnitudes(x, y, w, b):
    return y * (x @ w + b) / np.abs(w).sum()


@wrong("3.4", "The bias is missing: the boundary would go through the origin.")
def boundary_through_the_origin(x, y, w, b):
    return y * (x @ w) / np.linalg.norm(w)


@wrong("3.4", "The labels are not used: a margin is negative on the wrong side of the boundary.")
def side_without_label(x, y, w, b):
    return (x @ w + b) / np.linalg.norm(w)


@wrong("3.4", "All distances are positive. On the wrong side of the boundary they are negative.")
def never_negative(x, y, w, b):
    return np.abs(x @ w + b) / np.linalg.norm(w)


@wrong("3.4", "The bias is not divided by the length of w: all of w · x + b is.")
def bias_not_divided(x, y, w, b):
    return y * (x @ w / np.linalg.norm(w) + b)


@wrong("3.4", "The length is that of w and b together. Only w is perpendicular to the boundary.")
def bias_in_the_length(x, y, w, b):
    return y * (x @ w + b) / np.sqrt(w @ w + w.dtype.type(b) ** 2)


@right("3.4")
def one_example_after_the_other(x, y, w, b):
    length = math.sqrt(sum(float(weight) ** 2 for weight in w))
    m = [truth * (float(features @ w) + b) / length for features, truth in zip(x, y)]
    return np.array(m, dtype=x.dtype)


@right("3.4")
def unit_vector(x, y, w, b):
    length = np.sqrt(np.sum(np.square(w)))
    return y * (x @ (w / length)) + y * (b / length)


@right("3.4")
def sums_of_products(x, y, w, b):
    z = (x * w).sum(axis=1) + b
    return np.where(y > 0, z, -z) / np.sqrt(w.dot(w))


# ---- 3.5 The hinge loss and its subgradient ------------------------------------------------------


_PERCEPTRON = "max(-y z, 0) is the loss of the perceptron. The hinge also asks for a margin of 1."


@wrong("3.5", _PERCEPTRON)
def perceptron(y, z):
    l = np.maximum(-y * z, 0)
    return l, np.where(l > 0, -y, 0)


@wrong("3.5", _PERCEPTRON)
def perceptron_steep_in_its_corner(y, z):
    return np.maximum(-y * z, 0), np.where(y * z <= 0, -y, 0)


@wrong("3.5", _PERCEPTRON)
def perceptron_with_the_slope_of_the_hinge(y, z):
    return np.maximum(-y * z, 0), np.where(y * z < 1, -y, 0)


@wrong("3.5", "The slope has the wrong sign: for y = 1, more z means less loss.")
def slope_with_the_wrong_sign(y, z):
    l = np.maximum(1 - y * z, 0)
    return l, np.where(l > 0, y, 0)


@wrong("3.5", "The slope is -y everywhere. Where y z is 1 or more, the loss is flat: slope 0.")
def slope_everywhere(y, z):
    return np.maximum(1 - y * z, 0), -y


_MISCLASSIFIED = "The slope is 0 for all that is on the right side. It is 0 only from y z = 1 on."


@wrong("3.5", _MISCLASSIFIED)
def slope_of_mistakes_alone(y, z):
    return np.maximum(1 - y * z, 0), np.where(y * z < 0, -y, 0)


@wrong("3.5", _MISCLASSIFIED)
def slope_of_mistakes_and_doubts(y, z):
    return np.maximum(1 - y * z, 0), np.where(y * z <= 0, -y, 0)


@wrong("3.5", "This is the squared hinge. Here the loss grows in a straight line.")
def squared(y, z):
    l = np.maximum(1 - y * z, 0)
    return l * l, -2 * y * l


@wrong("3.5", "The slope is -1 whatever the class. For y = -1 it is 1: the slope is -y.")
def slope_of_class_1(y, z):
    l = np.maximum(1 - y * z, 0)
    return l, np.where(l > 0, -np.ones_like(y), 0)


@wrong("3.5", "The loss becomes negative far on the right side. It is never less than 0.")
def no_floor(y, z):
    return 1 - y * z, -y


@wrong("3.5", "The loss becomes negative far on the right side. It is never less than 0.")
def no_floor_but_the_right_slope(y, z):
    l = 1 - y * z
    return l, np.where(l > 0, -y, 0)


@wrong(
    "3.5", "At y z = 1 any slope between -y and 0 is a subgradient; here 0 is asked for, not -y."
)
def steep_in_the_corner(y, z):
    l = np.maximum(1 - y * z, 0)
    return l, np.where(y * z <= 1, -y, 0)


@wrong("3.5", "|1 - y z| also punishes what is far on the right side. The hinge is 0 there.")
def magnitude(y, z):
    l = np.abs(1 - y * z)
    return l, np.where(y * z < 1, -y, np.where(y * z > 1, y, 0))


@right("3.5")
def multiplied_by_truth(y, z):
    inside = 1 - y * z
    return inside * (inside > 0), -y * (inside > 0)


@right("3.5")
def pair_by_pair(y, z):
    l, slope = np.zeros_like(z), np.zeros_like(z)
    for i in range(len(z)):
        if y[i] * z[i] < 1:
            l[i] = 1 - y[i] * z[i]
            slope[i] = -y[i]
    return l, slope


@right("3.5")
def clipped(y, z):
    l = np.clip(1 - y * z, 0, None)
    return l, -y * np.sign(l)


@right("3.5")
def assigned_by_mask(y, z):
    slope = np.negative(y)
    slope[y * z >= 1] = 0
    return (np.abs(1 - y * z) + 1 - y * z) / 2, slope


# ---- 3.6 The gradient of the support vector machine ----------------------------------------------


def _slopes(x, y, w, b):
    return np.where(y * (x @ w + b) < 1, -y, 0)


@wrong("3.6", "The gradient of λ ‖w‖² is missing from dL/dw: 2 λ w.")
def no_regularizer(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    return x.T @ g / len(y), g.mean()


@wrong("3.6", "The gradient of λ ‖w‖² is 2 λ w. The 2 is missing.")
def half_the_regularizer(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    return x.T @ g / len(y) + l2 * w, g.mean()


@wrong("3.6", "The bias is regularized as well. λ ‖w‖² holds the weights alone.")
def regularized_bias(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    return x.T @ g / len(y) + 2 * l2 * w, g.mean() + 2 * l2 * b


@wrong("3.6", "The regularizer is subtracted. A price for large weights is added to the loss.")
def growing_weights(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    return x.T @ g / len(y) - 2 * l2 * w, g.mean()


@wrong("3.6", "All examples pull at w. Those with y z of 1 or more have slope 0.")
def all_examples(x, y, w, b, l2):
    return -x.T @ y / len(y) + 2 * l2 * w, -y.mean()


_COSTLY = "It is averaged over the examples that cost something. L is the mean of all n."


@wrong("3.6", _COSTLY)
def mean_of_the_costly(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    n = np.count_nonzero(g)
    return x.T @ g / n + 2 * l2 * w, g.sum() / n


@wrong("3.6", _COSTLY)
def mean_of_the_costly_if_any(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    n = max(np.count_nonzero(g), 1)
    return x.T @ g / n + 2 * l2 * w, g.sum() / n


@wrong("3.6", "The slopes are summed. L is a mean over the examples: divide by n.")
def sum_of_slopes(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    return x.T @ g + 2 * l2 * w, g.sum()


@wrong("3.6", "The hinge's part has the wrong sign: an example pulls w towards y x, downhill.")
def hinge_uphill(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    return -x.T @ g / len(y) + 2 * l2 * w, -g.mean()


@wrong("3.6", "Only examples on the wrong side count. All those with y z below 1 do.")
def perceptron_gradient(x, y, w, b, l2):
    g = np.where(y * (x @ w + b) < 0, -y, 0)
    return x.T @ g / len(y) + 2 * l2 * w, g.mean()


@wrong("3.6", "Only examples on the wrong side count. All those with y z below 1 do.")
def perceptron_gradient_with_doubts(x, y, w, b, l2):
    g = np.where(y * (x @ w + b) <= 0, -y, 0)
    return x.T @ g / len(y) + 2 * l2 * w, g.mean()


@wrong("3.6", "The regularizer is divided by n as well. It stands outside the mean.")
def regularizer_in_the_mean(x, y, w, b, l2):
    g = _slopes(x, y, w, b)
    return (x.T @ g + 2 * l2 * w) / len(y), g.mean()


@right("3.6")
def example_by_example(x, y, w, b, l2):
    dw, db = 2 * l2 * w, 0.0
    for features, truth in zip(x, y):
        if truth * (features @ w + b) < 1:
            dw = dw - truth * features / len(x)
            db = db - truth / len(x)
    return dw, db


@right("3.6")
def those_that_cost(x, y, w, b, l2):
    costly = 1 - y * (x @ w + b) > 0
    dw = -(y[costly, None] * x[costly]).sum(axis=0) / len(y)
    return dw + l2 * (w + w), -y[costly].sum() / len(y)


@right("3.6")
def as_a_mean(x, y, w, b, l2):
    g = -y * (np.maximum(1 - y * (x.dot(w) + b), 0) > 0)
    return np.mean(x * g[:, None], axis=0) + 2 * l2 * w, np.mean(g)
