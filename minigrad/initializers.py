"""Initializers: the values that parameters start from.

Weights start small enough that signals neither grow nor die from layer to layer: a sum of fan_in
random terms has fan_in times their variance, so the variance of a weight is some number / fan_in.

fan_in   how many inputs go into one output of a weight: m for a Dense weight (m, n); height width m
         for a convolution's (height, width, m, n)
fan_out  how many outputs one input goes to: n, or height width n
"""

import math

import numpy as np

from . import random
from .registry import Configurable, check_number, look_up, resolve

# √(1 - 4 φ(2) / (2 Φ(2) - 1)), the standard deviation of a normal distribution cut off at ±2.
_STD_OF_TRUNCATED = 0.87962566103423978


class Initializer(Configurable):
    """initializer(shape, dtype) -> array.   The base of all initializers.

    With a seed it gives the same array each time it is called; without, the generator of
    `minigrad.random` decides.
    """

    seed = None

    def __call__(self, shape, dtype="float32"):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype)")

    def generator(self):
        """A generator of random numbers: of the seed, if there is one, else minigrad's."""
        if self.seed is None:
            return random.generator()
        return np.random.Generator(np.random.Philox(self.seed))


class Zeros(Initializer):
    """w = 0"""

    def __call__(self, shape, dtype="float32"):
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """w = 1"""

    def __call__(self, shape, dtype="float32"):
        return np.ones(shape, dtype)


class Constant(Initializer):
    """w = value"""

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype="float32"):
        return np.full(shape, self.value, dtype)


class RandomUniform(Initializer):
    """w ~ U(minval, maxval)"""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        if not minval <= maxval:
            raise ValueError(f"minval must be at most maxval. Received: {minval} and {maxval}")
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape, dtype="float32"):
        return self.generator().uniform(self.minval, self.maxval, shape).astype(dtype)


class RandomNormal(Initializer):
    """w ~ N(mean, stddev²)"""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev, self.seed = mean, check_number("stddev", stddev), seed

    def __call__(self, shape, dtype="float32"):
        return self.generator().normal(self.mean, self.stddev, shape).astype(dtype)


class TruncatedNormal(Initializer):
    """w ~ N(mean, stddev²), drawn again while |w - mean| > 2 stddev

    What remains has the standard deviation 0.8796 stddev.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev, self.seed = mean, check_number("stddev", stddev), seed

    def __call__(self, shape, dtype="float32"):
        generator = self.generator()
        w = generator.standard_normal(shape)
        while np.any(outside := np.abs(w) > 2):
            w = np.where(outside, generator.standard_normal(shape), w)
        return (self.mean + self.stddev * w).astype(dtype)


class VarianceScaling(Initializer):
    """Var w = scale / fan,   fan = fan_in, fan_out, or their mean, as `mode` says

    distribution  "uniform": U(-a, a) with a = √(3 scale / fan);
                  "truncated_normal": cut off at two standard deviations, and widened by 1 / 0.8796
                  so that the variance is right after the cut, as in Keras;
                  "untruncated_normal"
    """

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None):
        self.scale = check_number("scale", scale, positive=True)
        self.mode = look_up("mode", mode, {m: m for m in ("fan_in", "fan_out", "fan_avg")})
        known = ("uniform", "truncated_normal", "untruncated_normal")
        self.distribution = look_up("distribution", distribution, {d: d for d in known})
        self.seed = seed

    def __call__(self, shape, dtype="float32"):
        std = standard_deviation(*fans(shape), self.scale, self.mode)
        if self.distribution == "uniform":
            a = math.sqrt(3) * std
            return RandomUniform(-a, a, self.seed)(shape, dtype)
        if self.distribution == "truncated_normal":
            return TruncatedNormal(0.0, std / _STD_OF_TRUNCATED, self.seed)(shape, dtype)
        return RandomNormal(0.0, std, self.seed)(shape, dtype)


def fans(shape):
    """fan_in and fan_out of a weight of this shape; a vector has its length as both."""
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    *field, m, n = shape
    return math.prod(field) * m, math.prod(field) * n


def standard_deviation(fan_in, fan_out, scale=1.0, mode="fan_in"):
    """√(scale / fan),   fan = fan_in, fan_out, or their mean where mode = "fan_avg"; 1 at least"""
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    return math.sqrt(scale / max(fan, 1))


class GlorotUniform(VarianceScaling):
    """w ~ U(-a, a),  a = √(6 / (fan_in + fan_out)),  Var w = 2 / (fan_in + fan_out)

    Keeps the variance of signals forward and of gradients backward (Glorot & Bengio, 2010).
    """

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """w ~ truncated normal,  Var w = 2 / (fan_in + fan_out)   (Glorot & Bengio, 2010)"""

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """w ~ U(-a, a),  a = √(6 / fan_in),  Var w = 2 / fan_in: relu halves it (He et al., 2015)"""

    def __init__(self, seed=None):
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """w ~ truncated normal,  Var w = 2 / fan_in   (He et al., 2015)"""

    def __init__(self, seed=None):
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """w ~ U(-a, a),  a = √(3 / fan_in),  Var w = 1 / fan_in   (LeCun et al., 1998)"""

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """w ~ truncated normal,  Var w = 1 / fan_in   (LeCun et al., 1998)"""

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class Orthogonal(Initializer):
    """gain times a matrix with orthonormal rows or columns, whichever are fewer: w wᵀ or wᵀ w = 1

    So signals that meet a square w again and again, as in a recurrent layer, neither grow nor die
    (Saxe et al., 2014). All axes but the last count as one. Every such matrix is equally likely.
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain, self.seed = check_number("gain", gain), seed

    def __call__(self, shape, dtype="float32"):
        rows, columns = math.prod(shape[:-1]), math.prod(shape[-1:])
        sides = max(rows, columns), min(rows, columns)
        q, r = np.linalg.qr(self.generator().standard_normal(sides))
        q = q * np.where(np.diagonal(r) < 0, -1, 1)  # the method's own choice of signs undone
        w = q if rows >= columns else q.T
        return (self.gain * w).reshape(shape).astype(dtype)


_NAMES = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_uniform": RandomUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
}
_CLASSES = {**{c.__name__: c for c in _NAMES.values()}, **_NAMES}
_CLASSES |= {"uniform": RandomUniform, "normal": RandomNormal}
_CLASSES |= {"glorot": GlorotUniform, "he": HeUniform, "lecun": LecunUniform}


def get(initializer):
    """The initializer that is meant: an object, a function of shape and dtype, a name, ..."""
    if initializer is None:
        raise ValueError("an initializer must be a name, a function or an object. Received: None")
    return resolve("initializer", initializer, _CLASSES)
