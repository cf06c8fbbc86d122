"""Makes layers.safetensors: what PyTorch says of every layer, value and gradients, in float64.

    python tests/golden/make_layers.py    (needs torch; `make golden` makes all such files)

Run it again after a change of a table below; nothing random is in it. The tests read the tables and
the file, and need no PyTorch. Inputs and parameters are numbers that float32 holds exactly, so that
one file serves both dtypes.
"""

import ast
import math
import re
import zlib
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

FILE = Path(__file__).with_name("layers.safetensors")

# Inputs: a shape stands for normal random numbers, a list for itself.
INPUTS = {
    "matrix": (4, 3),
    "row": (1, 3),
    "cube": (2, 5, 3),
    "image": (3, 3, 2, 2),  # channels first
    "constant": [[2.0, -1.0, 0.5]] * 4,  # without deviation
    "batches": (4, 5, 3),  # of BatchNormalization, in the order of training
    "indices": np.array([[2, 0, 2], [1, 2, 2]]),
}

# Every layer's parameters of these names, as it takes 3 features and has 4 units.
PARAMETERS = {
    "weight": (3, 4),
    "bias": (4,),
    "gamma": (3,),
    "beta": (3,),
    "moving_mean": (3,),
    "moving_variance": [0.5, 1.0, 4.0],
    "a": (3, 2),
    "b": (2, 4),
}

# Our layer and its input x, and PyTorch's words for the same. F is torch.nn.functional.
_LINEAR = "F.linear(x, weight.T, bias)"
_BATCH = "F.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-3)"
_MOVING = "F.batch_norm(x, moving_mean, moving_variance, gamma, beta, eps=1e-3)"
_BY_HAND = "(x - x.mean(0)) / (x.var(0, correction=0) + 1e-3).sqrt() * gamma + beta"
_LAST = "F.layer_norm(x, (3,), gamma, beta, 1e-3)"
_NAMES = {
    "relu": "F.relu(z)",
    "leaky_relu": "F.leaky_relu(z, 0.2)",
    "elu": "F.elu(z)",
    "silu": "F.silu(z)",
    "gelu": "F.gelu(z)",
    "gelu_tanh": "F.gelu(z, approximate='tanh')",
    "softplus": "F.softplus(z, threshold=1e9)",
    "sigmoid": "F.sigmoid(z)",
    "tanh": "F.tanh(z)",
    "softmax": "F.softmax(z, -1)",
    "log_softmax": "F.log_softmax(z, -1)",
    "swish": "F.silu(z)",
    "exponential": "torch.exp(z)",
    "linear": "z + 0",
}
CASES = {
    "Input((3,)): matrix": "x + 0",
    "Dense(4): matrix": _LINEAR,
    "Dense(4): row": _LINEAR,
    "Dense(4): cube": _LINEAR,
    "Dense(4, use_bias=False): matrix": "F.linear(x, weight.T)",
    "Dense(4, use_bias=False, activation='tanh'): cube": "F.tanh(F.linear(x, weight.T))",
    **{f"Dense(4, {name!r}): matrix": y.replace("z", _LINEAR) for name, y in _NAMES.items()},
    **{f"Activation({name!r}): cube": y.replace("z", "x") for name, y in _NAMES.items()},
    "Activation(None): matrix": "x + 0",
    "Activation(ops.square): matrix": "x.square()",
    "Dropout(0.5): matrix": "F.dropout(x, 0.5, training=False) + 0",
    "Dropout(0.0): matrix, training": "F.dropout(x, 0.0) + 0",
    "Masking(): cube": "x + 0",
    "Flatten(): cube": "torch.flatten(x, 1)",
    "Flatten(): image": "torch.flatten(x, 1)",
    "Flatten(): matrix": "torch.flatten(x, 1) + 0",
    "Reshape((3, 5)): cube": "x.reshape(2, 3, 5)",
    "Reshape((2, -1, 1)): image": "x.reshape(3, 2, -1, 1)",
    "BatchNormalization(): matrix, training": _BATCH,
    "BatchNormalization(): cube, training": "F.batch_norm("
    "x.mT, None, None, gamma, beta, training=True, eps=1e-3).mT",
    "BatchNormalization(): constant, training": _BATCH,
    "BatchNormalization(): row, training": _BY_HAND,  # PyTorch refuses a batch of one
    "BatchNormalization(axis=1): image, training": _BATCH,
    "BatchNormalization(axis=-3): image, training": _BATCH,
    "BatchNormalization(epsilon=0.5): matrix, training": _BATCH.replace("1e-3", "0.5"),
    "BatchNormalization(center=False): matrix, training": _BATCH.replace("beta", "None"),
    "BatchNormalization(scale=False): matrix, training": _BATCH.replace("gamma", "None"),
    "BatchNormalization(center=False, scale=False): matrix, training": "F.batch_norm("
    "x, None, None, training=True, eps=1e-3)",
    "BatchNormalization(): matrix": _MOVING,
    "BatchNormalization(): row": _MOVING,
    "BatchNormalization(axis=1): image": _MOVING,
    "BatchNormalization(center=False, scale=False): matrix": "F.batch_norm("
    "x, moving_mean, moving_variance, eps=1e-3)",
    "BatchNormalization(trainable=False): matrix, training": _MOVING,
    "LayerNormalization(): matrix": _LAST,
    "LayerNormalization(): row": _LAST,
    "LayerNormalization(): cube": _LAST,
    "LayerNormalization(epsilon=1e-5): matrix": _LAST.replace("1e-3", "1e-5"),
    "LayerNormalization(axis=1): image": "F.layer_norm("
    "x.swapaxes(1, 3), (3,), gamma, beta, 1e-3).swapaxes(1, 3)",
    "LayerNormalization(center=False): matrix": _LAST.replace("beta", "None"),
    "LayerNormalization(scale=False): matrix": _LAST.replace("gamma", "None"),
    "LayerNormalization(center=False, scale=False): cube": "F.layer_norm(x, (3,), eps=1e-3)",
    "Embedding(3, 4): indices": "F.embedding(x, weight)",
    "LowRank(4, 2, 6): matrix": "3 * F.linear(F.linear(x, a.T), b.T)",
    "LowRank(4, 2, 6, dropout=0.5): cube": "3 * F.linear(F.linear(x, a.T), b.T)",
    "LowRank(4, 2, 6, use_rslora=True): matrix": "3 * 2**0.5 * F.linear(F.linear(x, a.T), b.T)",
}

MOMENTUM = 0.9  # of the moving averages


def parse(case):
    """The layer, its input, and the options of its call, where a name stands for an input too.

    'Dense(4): cube, training, mask=m' -> 'Dense(4)', 'cube', {"training": True, "mask": "m"}
    """
    layer, call = case.split(": ")
    x, *rest = call.split(", ")
    options = {"training": "training" in rest}
    for name, value in (option.split("=") for option in rest if option != "training"):
        options[name] = value if re.fullmatch("[a-z_]+", value) else ast.literal_eval(value)
    return layer, x, options


def inputs_of(case):
    """The names of all inputs of a case."""
    _, x, options = parse(case)
    return [x, *(value for value in options.values() if isinstance(value, str))]


def weights(shape):
    """g = dL/d(value) that every case is differentiated with: unlike numbers, exact in float32."""
    return ((np.arange(math.prod(shape)) * 7 + 3) % 11 - 5.0).reshape(shape) / 4


def load():
    """{name: array} of all inputs and parameters, and {case: {"value", "x", parameter: array}}."""
    given, expected = read(FILE)
    given |= {key(name, given[name].shape): given[name] for name in PARAMETERS}
    return given, expected


def read(file):
    """{name: array} of what was given, and {case: {what: array}} of what PyTorch made of it."""
    given, expected = {}, {}
    for name, array in load_file(file).items():
        case, bar, what = name.partition(" | ")
        if bar:
            expected.setdefault(case, {})[what] = array
        else:
            given[name] = array
    return given, expected


def key(parameter, shape):
    """Under which name the values of a parameter are kept, the same for all layers that have it."""
    return f"{parameter} {tuple(shape)}"


def draw(random, thing):
    """A shape as normal random numbers, a list as itself; what is floating, exact in float32."""
    if isinstance(thing, tuple):
        thing = random.standard_normal(thing)
    if not isinstance(thing, np.ndarray) or thing.dtype.kind == "f":
        thing = np.array(thing, dtype=np.float32).astype(np.float64)
    return thing


def draw_parameter(parameter, shape):
    """(key, values) of a parameter, which depend on its name and shape alone."""
    name = key(parameter, shape)
    return name, draw(np.random.default_rng(zlib.crc32(name.encode())), tuple(shape))


def differentiate(expression, words, leaves):
    """{what: array}: the value of an expression in PyTorch, and the gradients of its leaves.

    Arrays of `leaves` are known to the expression by their names, as are `words`.
    """
    import torch

    leaves = {name: torch.tensor(array) for name, array in leaves.items()}
    for name, leaf in leaves.items():
        leaf.requires_grad_(leaf.is_floating_point() and not name.startswith("moving"))
    value = eval(expression, {**words, **leaves, "p": leaves})
    value.backward(torch.tensor(weights(value.shape)))
    found = {"value": value.detach().numpy()}
    return found | {name: x.grad.numpy() for name, x in leaves.items() if x.grad is not None}


def make(file, inputs, cases, words):
    """Write what PyTorch says of layers whose parameters may lie in layers inside.

    inputs  {name: a shape, a list or an array}, as INPUTS
    cases   {our layer, its input and options: an expression}. It knows the inputs by their names,
            the first as x, the parameters as p = {path: tensor}, and `words`
    """
    random = np.random.default_rng(0)
    inputs = {name: draw(random, thing) for name, thing in inputs.items()}
    given, expected = dict(inputs), {}
    for case, theirs in cases.items():
        x, *others = inputs_of(case)
        leaves = {"x": inputs[x], **{name: inputs[name] for name in others}}
        for path, shape in parameters_of(case, inputs).items():
            stored, leaves[path] = draw_parameter(path, shape)
            given[stored] = leaves[path]
        expected[case] = differentiate(theirs, words, leaves)
    write(file, given, expected)


def parameters_of(case, given):
    """{path: shape} of the parameters that our layer has in a case."""
    from minigrad import layers

    expression, x, options = parse(case)
    layer = eval(expression, vars(layers))
    layer(given[x], **{name: given.get(value, value) for name, value in options.items()})
    return {path: parameter.shape for path, parameter in layer.weights().items()}


def write(file, given, expected):
    """Keep in a file what `read` reads."""
    arrays = dict(given)
    for case, found in expected.items():
        arrays |= {f"{case} | {what}": array for what, array in found.items()}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, file)


def main():
    import torch
    import torch.nn.functional as F  # noqa: N812

    random = np.random.default_rng(0)
    given = {name: draw(random, thing) for name, thing in {**INPUTS, **PARAMETERS}.items()}
    expected = {}
    for case, theirs in CASES.items():
        leaves = {"x": given[parse(case)[1]]} | {name: given[name] for name in PARAMETERS}
        expected[case] = differentiate(theirs, {"torch": torch, "F": F}, leaves)

    # PyTorch's running variance is that of a sample: n / (n - 1) times ours, which follows Keras.
    n = given["batches"].shape[1]
    mean = torch.tensor(given["moving_mean"])
    variance = torch.tensor(given["moving_variance"]) * n / (n - 1)
    after = []
    for batch in given["batches"]:
        F.batch_norm(torch.tensor(batch), mean, variance, training=True, momentum=1 - MOMENTUM)
        after.append((mean.numpy().copy(), variance.numpy() * (n - 1) / n))
    means, variances = map(np.stack, zip(*after, strict=True))
    write(FILE, given, {**expected, "moving": {"mean": means, "variance": variances}})


if __name__ == "__main__":
    main()
