"""Arguments for every kernel that has an implementation besides its reference: a line for each.

A line is a function of random arrays and of sizes, (r, n, c) -> arguments; `test_kernels_agree.py`
calls it with many sizes, odd ones, 0 and 1 among them, and compares the implementations with the
reference on what it returns. Options come last, as a dict.

    r(n, c)             normal numbers (n, c)
    r.positive(n)       numbers above 0
    r.uniform(n)        numbers from 0 to 1
    r.integers(c, n)    integers (n,) from 0 to c - 1
    r.booleans(n, c)    True and False
    r.choice(a, b)      one of these
"""

import inspect

import numpy as np

from kernels import reference


class Draw:
    """Random arguments in float64. Equal seeds draw the same ones."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def __call__(self, *shape):
        return self.generator.standard_normal(shape)

    def positive(self, *shape):
        return self.generator.uniform(0.1, 2, shape)

    def uniform(self, *shape):
        return self.generator.random(shape)

    def integers(self, stop, *shape):
        return self.generator.integers(stop, size=shape)

    def booleans(self, *shape):
        return self.generator.random(shape) < 0.7

    def choice(self, *options):
        return options[self.generator.integers(len(options))]


def number_of_sizes(name):
    """How many sizes the case of a kernel takes."""
    return len(inspect.signature(CASES[name]).parameters) - 1


def with_dtype(arguments, dtype):
    """The arguments with floating arrays cast to a dtype, and the options."""
    *arguments, options = arguments if isinstance(arguments[-1], dict) else (*arguments, {})
    return [a.astype(dtype) if is_float(a) else a for a in arguments], options


def is_float(a):
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


# Kernels that write to the arrays that they are given.
UPDATING = {
    *("sgd", "rmsprop", "adagrad", "adam"),
    *("lstm_step", "lstm_step_backward", "gru_step", "gru_step_backward"),
}

ACTIVATIONS = None, "relu", "silu", "gelu", "gelu_tanh"

CASES = {
    "softmax": lambda r, n, c: (r(n, c),),
    "softmax_backward": lambda r, n, c: (r(n, c), reference.softmax(r(n, c))),
    "log_softmax": lambda r, n, c: (r(n, c),),
    "log_softmax_backward": lambda r, n, c: (r(n, c + 1), reference.log_softmax(r(n, c + 1))),
    "cross_entropy": lambda r, n, c: (r(n, c + 1), r.integers(c + 1, n)),
    "cross_entropy_backward": lambda r, n, c: (r(n), *_cross_entropy(r, n, c + 1)),
    "layer_norm": lambda r, n, d: (r(n, 2, d + 1), r(d + 1), r(d + 1), 1e-5),
    "layer_norm_backward": lambda r, n, d: (r(n, d + 8), *_layer_norm(r, n, d + 8)),
    "rms_norm": lambda r, n, d: (r(n, 2, d + 1), r(d + 1), 1e-5),
    "rms_norm_backward": lambda r, n, d: (r(n, d + 8), *_rms_norm(r, n, d + 8)),
    "erf": lambda r, n, d: (r(n, d),),
    "relu": lambda r, n, d: (r(n, d),),
    "relu_backward": lambda r, n, d: (r(n, d), reference.relu(r(n, d))),
    "sigmoid": lambda r, n, d: (3 * r(n, d),),
    "sigmoid_backward": lambda r, n, d: (r(n, d), reference.sigmoid(r(n, d))),
    "silu": lambda r, n, d: (3 * r(n, d),),
    "silu_backward": lambda r, n, d: (r(n, d), 3 * r(n, d)),
    "gelu": lambda r, n, d: (2 * r(n, d), {"approximate": r.choice(False, True)}),
    "gelu_backward": lambda r, n, d: (
        r(n, d),
        2 * r(n, d),
        {"approximate": r.choice(False, True)},
    ),
    "random_uniform": lambda r, n, d: (r(n, d), int(r.integers(2**32))),
    "dropout": lambda r, n, d: (r(n, d), 0.375, int(r.integers(2**32))),
    "scatter_add": lambda r, n, v, d: (r(v + 1, d + 1), r.integers(v + 1, n), r(n, d + 1)),
    "sgd": lambda r, n: (
        *(r(n), r(n), r(n), 0.1, r.choice(0.0, 0.9)),
        {"nesterov": r.choice(False, True), "decay": 0.5},
    ),
    "rmsprop": lambda r, n: (
        *(r(n), r(n), 1 + r.positive(n), r.choice(None, 0.1 * r(n)), r.choice(None, r(n))),
        *(0.1, 0.9, 0.8, 1e-3, {"decay": 0.5}),
    ),
    "adagrad": lambda r, n: (r(n), r(n), r.positive(n), 0.1, 1e-7, {"decay": 0.5}),
    "adam": lambda r, n: (
        *(r(n), r(n), r(n), r.positive(n), 0.1, 0.9, 0.999, 1e-7, 1 + int(r.integers(9)), 0.5),
        r.choice(None, r.positive(1)),
    ),
    "matmul": lambda r, m, k, n: (r(m, k), r(k, n)),
    "dense": lambda r, n, d, u: (
        *(r(n, d), r(d, u), r(u)),
        {"activation": r.choice(*ACTIVATIONS)},
    ),
    "dense_backward": lambda r, n, d, u: (
        *(r(n, u), r(n, u), r(n, d), r(d, u)),
        {"activation": r.choice(*ACTIVATIONS)},
    ),
    "lstm_step": lambda r, n, u: (r(n, 4 * u), r(n, u), r(n, u), r(u, 4 * u), r(n, u), r(n, u)),
    "lstm_step_backward": lambda r, n, u: (
        *(r(n, u), r(n, u), _lstm_gates(r, n, u), r(n, u), r(n, u), r(4 * u, u).T, r(n, 4 * u)),
    ),
    "gru_step": lambda r, n, u: (*(r(n, 3 * u), r(n, u), r(u, 3 * u), r(3 * u), r(n, u), r(n, u)),),
    "gru_step_backward": lambda r, n, u: (
        *(r(n, u), _gru_gates(r, n, u), r(n, u), r(n, u), r(3 * u, u).T, r(n, 3 * u), r(n, 3 * u)),
    ),
    "attention": lambda r, t, s, d: (*_attention(r, t, s, d), _attention_options(r, s)),
    "attention_backward": lambda r, t, s, d: _attention_backward(r, t, s, d),
    "convolution": lambda r, n, c, u: _convolution(r, n, c, u + 1),
    "convolution_backward": lambda r, n, c, u: _convolution_backward(r, n, c, u + 1),
    "max_pool": lambda r, n, c: (r(_few(n), 7, 6, c), *_pooling(r)),
    "max_pool_backward": lambda r, n, c: _max_pool_backward(r, r(_few(n), 7, 6, c)),
    "average_pool": lambda r, n, c: (r(_few(n), 7, 6, c), *_pooling(r)),
    "average_pool_backward": lambda r, n, c: _average_pool_backward(r, (_few(n), 7, 6, c)),
}


def _cross_entropy(r, n, c):
    """Logits, norms and labels."""
    logits, labels = r(n, c), r.integers(c, n)
    return logits, reference.cross_entropy(logits, labels)[1], labels


def _layer_norm(r, n, d):
    """x, mean, r and scale."""
    x, scale = r(n, d), r(d)
    return x, *reference.layer_norm(x, scale, r(d), 1e-5)[1:], scale


def _rms_norm(r, n, d):
    """x, r and scale."""
    x, scale = r(n, d), r(d)
    return x, reference.rms_norm(x, scale, 1e-5)[1], scale


def _lstm_gates(r, n, u):
    """i, f, g and o, side by side."""
    return np.concatenate([r.uniform(n, 2 * u), 2 * r.uniform(n, u) - 1, r.uniform(n, u)], axis=1)


def _gru_gates(r, n, u):
    """p, r and q, side by side."""
    return np.concatenate([r.uniform(n, 2 * u), 2 * r.uniform(n, u) - 1], axis=1)


def _attention(r, t, s, d):
    """q, k and v, where two heads of queries share one of keys."""
    return r(2, 2, t, d + 1), r(2, 1, s, d + 1), r(2, 1, s, d + 2)


def _attention_options(r, s):
    mask, rate = r.choice(None, r.booleans(2, s)), r.choice(0.0, 0.25)
    return {"causal": r.choice(False, True), "mask": mask, "rate": rate, "key": 7}


def _attention_backward(r, t, s, d):
    """g, q, k, v, o, norms. The gradients of z cancel if one key is seen: here are two and more.

    It is not causal, for with NaN in g NumPy makes NaN of what is hidden too.
    """
    inputs = _attention(r, t, s + 2, d)
    options = {**_attention_options(r, s + 2), "causal": False}
    if options["mask"] is not None:
        options["mask"][:, :2] = True
    return r(2, 2, t, d + 2), *inputs, *reference.attention(*inputs, **options), options


def _few(n):
    """0 to 3 images, and none only if n = 0."""
    return min(n, 1 + n % 3)


def _convolution(r, n, c, u):
    """Images, weight, a bias or none, and options of all kinds."""
    groups, kh, kw = r.choice(1, 1, 2), r.choice(1, 2, 3), r.choice(1, 3)
    options = {
        "strides": r.choice((1, 1), (2, 1), (1, 3)),
        "padding": r.choice(((0, 0), (0, 0)), ((1, 2), (0, 1)), ((3, 0), (2, 4))),
        "dilation": r.choice((1, 1), (1, 2), (2, 1)),
        "groups": groups,
        "activation": r.choice(*ACTIVATIONS),
    }
    weight, bias = r(kh, kw, c, groups * u), r.choice(None, r(groups * u))
    return r(_few(n), r.choice(7, 30), 6, c * groups), weight, bias, options


def _convolution_backward(r, n, c, u):
    """g, z, images, weight"""
    x, weight, _, options = _convolution(r, n, c, u)
    z = reference.convolution(x, weight, None, **{**options, "activation": None})[0]
    return r(*z.shape), r(*z.shape), x, weight, options


def _pooling(r):
    """The size of windows, strides and padding."""
    padding = r.choice(((0, 0), (0, 0)), ((1, 1), (0, 1)))
    return r.choice((2, 2), (3, 2)), r.choice((1, 1), (2, 3)), padding


def _max_pool_backward(r, x):
    options = _pooling(r)
    y = reference.max_pool(x, *options)
    return r(*y.shape), x, y, *options


def _average_pool_backward(r, shape):
    options = _pooling(r)
    y = reference.average_pool(np.zeros(shape), *options)
    return r(*y.shape), shape, *options
