"""Makes ops.safetensors: PyTorch's values and gradients of every operation, in float64.

    python -m tests.golden.make_ops     (from the root of the repository; needs torch)

Run it again after a change of a table below; every run makes the same file. The tests read the
tables and the file, and need no PyTorch. All inputs are numbers that float32 holds exactly, so that
one file serves both dtypes.
"""

import json
import math
import re
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

FILE = Path(__file__).with_name("ops.safetensors")

# What the expressions below are about: a shape stands for normal random numbers, a list for itself.
INPUTS = {
    "scalar": (),
    "row": (3,),
    "column": (2, 1),
    "matrix": (2, 3),
    "another": (2, 3),
    "ones": (1, 3, 1),
    "cube": (2, 3, 4),
    "square_matrix": (3, 3),
    "weight": (3, 5),
    "fives": (5,),
    "batch": (2, 1, 4, 3),
    "batches": (5, 3, 2),
    "empty": (0, 3),
    "positive": [[0.5, 1.0, 2.0], [3.0, 0.0625, 10.0]],
    "denominator": [-1.5, 0.5, 2.0],
    "above_minus_one": [-0.9375, -0.25, 0.0, 1e-4, 3.0],
    "around_zero": [
        -2.0,
        -1.0,
        -0.5,
        0.0,
        0.5,
        1.0,
        2.0,
    ],  # kinks at 0; -0.5 and 1 are bounds of clip
    "not_negative": [0.0, 0.25, 4.0],
    "bases": [0.0, 0.0, 0.0, 1.0, 2.5],
    "exponents": [0.0, 2.0, 1.0, 0.0, -1.5],
    "ties": [[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [3.0, 1.0, 3.0, -1.0]],
    "rivals": [[1.0, 2.0, 4.0, 2.0], [2.0, 3.0, 1.0, 2.0], [3.0, 0.0, 5.0, -1.0]],
    "one_zero": [[2.0, 0.0, 3.0], [1.5, -1.0, 4.0]],
    "two_zeros": [[0.0, 2.0, 0.0], [3.0, 1.0, 0.0]],
    "large": [[1e4, -1e4, 0.0], [-1e4, 1e4, 9999.0]],
    "hidden": [[-np.inf, 0.0, 1.0], [2.0, -np.inf, -np.inf]],  # as attention masks hide places
    "probabilities": [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]],
    "labels": np.array([2, 0]),
    "places": np.array([[1, 0], [1, -1]]),
    "places_of_all": np.array([5, 5, 0, -1]),
    "mask": np.array([[True, False, True], [False, False, True]]),
    "integers": np.array([6, 3, 5]),
    "with_nan": [0.0, np.nan, np.inf, -1.0],
    "queries": (2, 4, 3, 6),
    "keys": (2, 2, 5, 6),
    "values": (2, 2, 5, 3),
    "present": np.array([[True, False, True, True, False], [False, True, True, False, True]]),
    "series": (3, 4, 2),
    "first": (3, 2),
    "cell": (3, 2),
    "rnn_weight": (2, 2),
    "rnn_recurrent": (2, 2),
    "rnn_bias": (2,),
    "lstm_weight": (2, 8),
    "lstm_recurrent": (2, 8),
    "lstm_bias": (8,),
    "gru_weight": (2, 6),
    "gru_recurrent": (2, 6),
    "gru_bias": (6,),
    "gru_recurrent_bias": (6,),
    "gaps": np.array([[False, True, True, False], [True, False, True, True], [False] * 4]),
    "three_parts": (2, 5, 12),
    "begun": np.array([[True] * 5, [True, False, True, True, False]]),
}

# Ours and PyTorch's words for the same thing, the operation first. F is torch.nn.functional.
CASES = {
    # Arithmetic
    "add(matrix, row)": "matrix + row",
    "add(column, row)": "column + row",
    "add(scalar, cube)": "scalar + cube",
    "add(matrix, matrix)": "matrix + matrix",
    "add(empty, row)": "empty + row",
    "add(matrix, 2.5)": "matrix + 2.5",
    "subtract(matrix, column)": "matrix - column",
    "subtract(1, matrix)": "1 - matrix",
    "multiply(matrix, row)": "matrix * row",
    "multiply(cube, ones)": "cube * ones",
    "multiply(row, row)": "row * row",
    "multiply(empty, 3)": "empty * 3",
    "divide(matrix, denominator)": "matrix / denominator",
    "divide(column, denominator)": "column / denominator",
    "divide(1.5, denominator)": "1.5 / denominator",
    "divide(row, square(row))": "row / row.square()",
    "power(positive, matrix)": "positive ** matrix",
    "power(bases, exponents)": "bases ** exponents",
    "power(matrix, 3)": "matrix ** 3",
    "power(denominator, -1)": "denominator ** -1",
    "power(not_negative, 0.5)": "not_negative ** 0.5",
    "power(around_zero, 0)": "around_zero ** 0",
    "power(around_zero, 2)": "around_zero ** 2",
    "power(2.0, matrix)": "2.0 ** matrix",
    "power(0.0, not_negative)": "torch.pow(0.0, not_negative)",
    "remainder(matrix, denominator)": "torch.remainder(matrix, denominator)",
    "remainder(around_zero, 0.75)": "torch.remainder(around_zero, 0.75)",
    "negative(matrix)": "-matrix",
    "negative(scalar)": "-scalar",
    "positive(matrix)": "+matrix",
    "absolute(matrix)": "matrix.abs()",
    "absolute(around_zero)": "around_zero.abs()",
    "reciprocal(denominator)": "1 / denominator",
    "square(matrix)": "matrix.square()",
    "square(empty)": "empty.square()",
    "sqrt(positive)": "positive.sqrt()",
    "sqrt(not_negative)": "not_negative.sqrt()",
    # Exponentials, logarithms, angles
    "exp(matrix)": "matrix.exp()",
    "exp(scalar)": "scalar.exp()",
    "expm1(matrix)": "matrix.expm1()",
    "expm1(above_minus_one)": "above_minus_one.expm1()",
    "log(positive)": "positive.log()",
    "log1p(above_minus_one)": "above_minus_one.log1p()",
    "sin(matrix)": "matrix.sin()",
    "cos(matrix)": "matrix.cos()",
    "tanh(matrix)": "matrix.tanh()",
    "tanh(large)": "large.tanh()",
    # Activations
    "sigmoid(matrix)": "matrix.sigmoid()",
    "sigmoid(large)": "large.sigmoid()",
    "relu(matrix)": "matrix.relu()",
    "relu(around_zero)": "around_zero.relu()",
    "leaky_relu(matrix)": "F.leaky_relu(matrix, 0.2)",
    "leaky_relu(around_zero, negative_slope=0.01)": "F.leaky_relu(around_zero, 0.01)",
    "elu(matrix)": "F.elu(matrix)",
    "elu(around_zero, alpha=0.5)": "F.elu(around_zero, 0.5)",
    "elu(large)": "F.elu(large)",
    "silu(matrix)": "F.silu(matrix)",
    "silu(around_zero)": "F.silu(around_zero)",
    "silu(large)": "F.silu(large)",
    "gelu(cube)": "F.gelu(cube)",
    "gelu(around_zero)": "F.gelu(around_zero)",
    "gelu(large)": "F.gelu(large)",
    "gelu(cube, approximate=True)": "F.gelu(cube, approximate='tanh')",
    "gelu(around_zero, approximate=True)": "F.gelu(around_zero, approximate='tanh')",
    "gelu(large, approximate=True)": "F.gelu(large, approximate='tanh')",
    "softplus(matrix)": "F.softplus(matrix, threshold=1e9)",
    "softplus(large)": "F.softplus(large)",
    # Choosing
    "maximum(matrix, row)": "torch.maximum(matrix, row)",
    "maximum(ties, rivals)": "torch.maximum(ties, rivals)",
    "maximum(around_zero, 0.0)": "torch.maximum(around_zero, torch.zeros(()).to(around_zero))",
    "minimum(matrix, column)": "torch.minimum(matrix, column)",
    "minimum(ties, rivals)": "torch.minimum(ties, rivals)",
    "where(mask, matrix, row)": "torch.where(mask, matrix, row)",
    "where(mask, matrix, 0.0)": "torch.where(mask, matrix, 0.0)",
    "where(mask, -1.0, column)": "torch.where(mask, -1.0, column)",
    "clip(matrix, -0.5, 0.25)": "matrix.clamp(-0.5, 0.25)",
    "clip(around_zero, -0.5, 1.0)": "around_zero.clamp(-0.5, 1.0)",
    "clip(around_zero, a_min=0.0)": "around_zero.clamp(min=0.0)",
    "clip(around_zero, a_max=0.0)": "around_zero.clamp(max=0.0)",
    # Reductions
    "sum(cube)": "cube.sum()",
    "sum(cube, axis=1)": "cube.sum(1)",
    "sum(cube, axis=(0, -1))": "cube.sum((0, -1))",
    "sum(cube, axis=-1, keepdims=True)": "cube.sum(-1, keepdim=True)",
    "sum(empty)": "empty.sum()",
    "sum(empty, axis=0)": "empty.sum(0)",
    "sum(scalar)": "scalar.sum()",
    "sum(cube, axis=())": "cube + 0",
    "mean(cube)": "cube.mean()",
    "mean(cube, axis=-2)": "cube.mean(-2)",
    "mean(cube, axis=(0, 2), keepdims=True)": "cube.mean((0, 2), keepdim=True)",
    "mean(scalar)": "scalar.mean()",
    "prod(cube)": "cube.prod()",
    "prod(cube, axis=1)": "cube.prod(1)",
    "prod(cube, axis=(2, 0))": "cube.prod(2).prod(0)",
    "prod(one_zero)": "one_zero.prod()",
    "prod(one_zero, axis=-1, keepdims=True)": "one_zero.prod(-1, keepdim=True)",
    "prod(two_zeros, axis=1)": "two_zeros.prod(1)",
    "prod(empty)": "empty.prod()",
    "max(cube)": "cube.amax()",
    "max(cube, axis=1)": "cube.amax(1)",
    "max(ties)": "ties.amax()",
    "max(ties, axis=0)": "ties.amax(0)",
    "max(ties, axis=(0, 1), keepdims=True)": "ties.amax((0, 1), keepdim=True)",
    "max(scalar)": "scalar.amax()",
    "min(cube, axis=(0, -1))": "cube.amin((0, -1))",
    "min(ties, axis=1)": "ties.amin(1)",
    "min(ties, axis=-1, keepdims=True)": "ties.amin(-1, keepdim=True)",
    "var(cube)": "cube.var(correction=0)",
    "var(cube, axis=1, ddof=1)": "cube.var(1, correction=1)",
    "var(cube, axis=(0, -1), keepdims=True)": "cube.var((0, -1), correction=0, keepdim=True)",
    "std(cube)": "cube.std(correction=0)",
    "std(cube, axis=-1, ddof=1)": "cube.std(-1, correction=1)",
    "std(cube, axis=(0, 1), keepdims=True)": "cube.std((0, 1), correction=0, keepdim=True)",
    "std(ties, axis=1)": "ties.std(1, correction=0)",  # a row without deviation
    "cumsum(cube, axis=1)": "cube.cumsum(1)",
    "cumsum(cube, axis=-1)": "cube.cumsum(-1)",
    "cumsum(cube)": "cube.flatten().cumsum(0)",
    "logsumexp(cube)": "cube.logsumexp((0, 1, 2))",
    "logsumexp(cube, axis=(0, 2))": "cube.logsumexp((0, 2))",
    "logsumexp(cube, axis=1, keepdims=True)": "cube.logsumexp(1, keepdim=True)",
    "logsumexp(large, axis=0)": "large.logsumexp(0)",
    "logsumexp(hidden, axis=1)": "hidden.logsumexp(1)",
    "logsumexp(hidden, axis=0)": "hidden.logsumexp(0)",
    # Softmax and the losses that are fused with it
    "softmax(cube)": "cube.softmax(-1)",
    "softmax(cube, axis=1)": "cube.softmax(1)",
    "softmax(cube, axis=-3)": "cube.softmax(0)",
    "softmax(large)": "large.softmax(-1)",
    "softmax(hidden)": "hidden.softmax(-1)",
    "log_softmax(cube)": "cube.log_softmax(-1)",
    "log_softmax(cube, axis=0)": "cube.log_softmax(0)",
    "log_softmax(large)": "large.log_softmax(-1)",
    "log_softmax(hidden)": "hidden.log_softmax(-1)",
    "sparse_softmax_cross_entropy(matrix, labels)": "F.cross_entropy("
    "matrix, labels, reduction='none')",
    "sparse_softmax_cross_entropy(large, labels)": "F.cross_entropy("
    "large, labels, reduction='none')",
    "softmax_cross_entropy(matrix, probabilities)": "F.cross_entropy("
    "matrix, probabilities, reduction='none')",
    "softmax_cross_entropy(matrix, another)": "-(another * matrix.log_softmax(-1)).sum(-1)",
    "sigmoid_cross_entropy(matrix, probabilities)": "F.binary_cross_entropy_with_logits("
    "matrix, probabilities, reduction='none')",
    "sigmoid_cross_entropy(large, probabilities)": "F.binary_cross_entropy_with_logits("
    "large, probabilities, reduction='none')",
    # Linear algebra
    "dense(matrix, weight, fives)": "matrix @ weight + fives",
    "dense(batch, weight, fives)": "batch @ weight + fives",
    "dense(matrix, weight, fives, 'relu')": "F.relu(matrix @ weight + fives)",
    "dense(batch, weight, fives, activation='silu')": "F.silu(batch @ weight + fives)",
    "dense(matrix, weight, fives, activation='gelu')": "F.gelu(matrix @ weight + fives)",
    "dense(batch, weight, fives, 'gelu_tanh')": "F.gelu("
    "batch @ weight + fives, approximate='tanh')",
    "matmul(matrix, weight)": "matrix @ weight",
    "matmul(row, weight)": "row @ weight",
    "matmul(matrix, row)": "matrix @ row",
    "matmul(row, row)": "row @ row",
    "matmul(batch, batches)": "batch @ batches",
    "matmul(batch, weight)": "batch @ weight",
    "matmul(matrix, batches)": "matrix @ batches",
    "matmul(row, batches)": "row @ batches",
    "matmul(batch, row)": "batch @ row",
    "matmul(empty, weight)": "empty @ weight",
    "inner(matrix, another)": "matrix @ another.mT",
    "inner(batch, another)": "batch @ another.mT",
    "einsum('ij,jk->ik', matrix, weight)": "torch.einsum('ij,jk->ik', matrix, weight)",
    "einsum('ij,jk', matrix, weight)": "torch.einsum('ij,jk', matrix, weight)",
    "einsum('ij->j', matrix)": "torch.einsum('ij->j', matrix)",
    "einsum('ij->', matrix)": "torch.einsum('ij->', matrix)",
    "einsum('ii->i', square_matrix)": "torch.einsum('ii->i', square_matrix)",
    "einsum('ii', square_matrix)": "torch.einsum('ii', square_matrix)",
    "einsum('ij,ij->i', matrix, matrix)": "torch.einsum('ij,ij->i', matrix, matrix)",
    "einsum('bitk,nkm->bntm', batch, batches)": "torch.einsum('bitk,nkm->bntm', batch, batches)",
    "einsum('...k,kn->...n', batch, weight)": "torch.einsum('...k,kn->...n', batch, weight)",
    "einsum('i,j,k->kij', row, row, row)": "torch.einsum('i,j,k->kij', row, row, row)",
    # Shape
    "reshape(cube, (4, -1))": "cube.reshape(4, -1)",
    "reshape(cube, -1)": "cube.reshape(-1)",
    "reshape(empty, (3, 0, 2))": "empty.reshape(3, 0, 2)",
    "transpose(cube)": "cube.permute(2, 1, 0)",
    "transpose(cube, (1, -1, 0))": "cube.permute(1, 2, 0)",
    "swapaxes(cube, 0, -1)": "cube.swapaxes(0, -1)",
    "squeeze(ones)": "ones.squeeze()",
    "squeeze(ones, -1)": "ones.squeeze(-1)",
    "squeeze(ones, (0, 2))": "ones.squeeze((0, 2))",
    "expand_dims(matrix, 1)": "matrix.unsqueeze(1)",
    "expand_dims(matrix, (0, -1))": "matrix[None, :, :, None]",
    "broadcast_to(column, (4, 2, 3))": "column.broadcast_to(4, 2, 3)",
    "broadcast_to(scalar, (2, 2))": "scalar.broadcast_to(2, 2)",
    "concatenate([matrix, column, matrix], axis=1)": "torch.cat([matrix, column, matrix], 1)",
    "concatenate([empty, square_matrix], axis=-2)": "torch.cat([empty, square_matrix], -2)",
    "concatenate([matrix, row], axis=None)": "torch.cat([matrix.flatten(), row])",
    "stack([matrix, another])": "torch.stack([matrix, another])",
    "stack([matrix, another, matrix], axis=-1)": "torch.stack([matrix, another, matrix], -1)",
    "split(cube, 2, axis=-1)": "cube.split(2, -1)",
    "split(cube, [1, 1], axis=1)": "cube.split([1, 0, 2], 1)",
    "flip(cube)": "cube.flip(0, 1, 2)",
    "flip(cube, axis=(0, -1))": "cube.flip(0, -1)",
    "pad(matrix, ((1, 0), (0, 2)))": "F.pad(matrix, (0, 2, 1, 0))",
    "pad(matrix, 1, constant_values=2.5)": "F.pad(matrix, (1, 1, 1, 1), value=2.5)",
    "pad(ones, ((0, 0), (1, 2), (0, 0)), mode='reflect')": "F.pad(ones.mT, (1, 2), 'reflect').mT",
    "astype(matrix, 'float64')": "matrix.to(torch.float64)",
    # Indexing
    "getitem(cube, 1)": "cube[1]",
    "getitem(cube, np.s_[:, 1:, None, -1])": "cube[:, 1:, None, -1]",
    "getitem(cube, np.s_[..., ::2])": "cube[..., ::2]",
    "getitem(matrix, mask)": "matrix[mask]",
    "getitem(matrix, places)": "matrix[places]",
    "getitem(cube, np.s_[:, places])": "cube[:, places]",
    "getitem(cube, np.s_[places, :, places])": "cube[places, :, places]",
    "take(matrix, places, axis=0)": "matrix[places]",
    "take(cube, places, axis=-2)": "cube[:, places]",
    "take(matrix, places_of_all)": "matrix.flatten()[places_of_all]",
    "take(matrix, 1, axis=1)": "matrix[:, 1]",
    # Normalization
    "layer_norm(matrix, row, denominator)": "F.layer_norm(matrix, (3,), row, denominator)",
    "layer_norm(batch, row, row, epsilon=0.1)": "F.layer_norm(batch, (3,), row, row, 0.1)",
    "rms_norm(matrix, row)": "F.rms_norm(matrix, (3,), row, 1e-5)",
    "rms_norm(batch, row, epsilon=0.1)": "F.rms_norm(batch, (3,), row, 0.1)",
    # Attention
    # Recurrence
    "simple_rnn(series, first, rnn_weight, rnn_recurrent, rnn_bias)": (
        "simple_rnn(series, [first], rnn_weight, rnn_recurrent, rnn_bias)[0]"
    ),
    "simple_rnn(series, first, rnn_weight, rnn_recurrent, rnn_bias, gaps, activation='relu')": (
        "simple_rnn(series, [first], rnn_weight, rnn_recurrent, rnn_bias, 'relu', present=gaps)[0]"
    ),
    "lstm(series, first, cell, lstm_weight, lstm_recurrent, lstm_bias)": (
        "lstm(series, [first, cell], lstm_weight, lstm_recurrent, lstm_bias)[0]"
    ),
    "lstm(series, first, cell, lstm_weight, lstm_recurrent, lstm_bias, mask=gaps)": (
        "lstm(series, [first, cell], lstm_weight, lstm_recurrent, lstm_bias, present=gaps)[0]"
    ),
    "lstm(series, first, cell, lstm_weight, lstm_recurrent, lstm_bias, gaps, True)[:, -1]": (
        "torch.cat(lstm(series, [first, cell], lstm_weight, lstm_recurrent, lstm_bias, "
        "present=gaps)[1], -1)"
    ),
    "gru(series, first, gru_weight, gru_recurrent, gru_bias, gru_recurrent_bias)": (
        "gru(series, [first], gru_weight, gru_recurrent, gru_bias, gru_recurrent_bias)[0]"
    ),
    "gru(series, first, gru_weight, gru_recurrent, gru_bias, gru_recurrent_bias, mask=gaps)": (
        "gru(series, [first], gru_weight, gru_recurrent, gru_bias, gru_recurrent_bias, "
        "present=gaps)[0]"
    ),
    "attention(queries, keys, values)": "F.scaled_dot_product_attention("
    "queries, keys, values, enable_gqa=True)",
    "attention(queries, keys, values, causal=True)": "F.scaled_dot_product_attention("
    "queries, keys, values, torch.ones(3, 5, dtype=bool).tril(2), enable_gqa=True)",
    "attention(queries, keys, values, scale=0.5, mask=present)": "F.scaled_dot_product_attention("
    "queries, keys, values, present[:, None, None], scale=0.5, enable_gqa=True)",
    "attention(queries, keys, values, 0.5, True, present)": "F.scaled_dot_product_attention("
    "queries, keys, values, torch.ones(3, 5, dtype=bool).tril(2) & present[:, None, None], "
    "scale=0.5, enable_gqa=True)",
    "self_attention(three_parts, 2)": "F.scaled_dot_product_attention("
    "*three_parts.reshape(2, 5, 3, 2, 2).permute(2, 0, 3, 1, 4)).transpose(1, 2).flatten(2)",
    "self_attention(three_parts, 4, 0.5, True, begun)": "F.scaled_dot_product_attention("
    "*three_parts.reshape(2, 5, 3, 4, 1).permute(2, 0, 3, 1, 4), scale=0.5, attn_mask="
    "torch.ones(5, 5, dtype=bool).tril() & begun[:, None, None])"
    ".transpose(1, 2).flatten(2)",
    # Without a gradient
    "equal(ties, rivals)": "ties == rivals",
    "not_equal(ties, rivals)": "ties != rivals",
    "less(ties, rivals)": "ties < rivals",
    "less_equal(ties, rivals)": "ties <= rivals",
    "greater(ties, rivals)": "ties > rivals",
    "greater_equal(ties, 2)": "ties >= 2",
    "bitwise_and(integers, 3)": "integers & 3",
    "bitwise_or(mask, False)": "mask | False",
    "bitwise_xor(integers, integers)": "integers ^ integers",
    "left_shift(integers, 2)": "integers << 2",
    "right_shift(integers, 1)": "integers >> 1",
    "invert(mask)": "~mask",
    "floor_divide(matrix, denominator)": "matrix.detach().floor_divide(denominator.detach())",
    "floor(around_zero)": "around_zero.detach().floor()",
    "sign(around_zero)": "around_zero.detach().sign()",
    "argmax(cube, axis=1)": "cube.argmax(1)",
    "argmin(cube)": "cube.argmin()",
    "isnan(with_nan)": "with_nan.isnan()",
    "isfinite(with_nan)": "with_nan.isfinite()",
    "any(mask, axis=0)": "mask.any(0)",
    "all(mask)": "mask.all()",
}


def operation_of(expression):
    """'softmax(x)' -> 'softmax'"""
    return expression.split("(")[0]


def inputs_of(expression):
    """The names of the inputs in an expression, each once."""
    words = re.findall(r"\w+", expression.split("(", 1)[1])
    return list(dict.fromkeys(word for word in words if word in INPUTS))


def weights(shape):
    """g = dL/d(value) for every case: unlike numbers from -1.25 to 1.25, exact in float32."""
    return ((np.arange(math.prod(shape)) * 7 + 3) % 11 - 5.0).reshape(shape) / 4


def load():
    """{input: array}, {expression: (values, {input: gradient})} as PyTorch had them."""
    with safe_open(FILE, framework="numpy") as file:
        count = json.loads(file.metadata()["values"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    inputs = {name: arrays[name] for name in INPUTS}
    expected = {}
    for expression in CASES:
        values = [arrays[f"{expression} {i}"] for i in range(count[expression])]
        gradients = {name: arrays.get(f"{expression} {name}") for name in inputs_of(expression)}
        expected[expression] = values, gradients
    return inputs, expected


def main():
    import torch
    import torch.nn.functional as F  # noqa: N812

    from tests.golden import recurrence_in_torch

    words = {**vars(recurrence_in_torch), "torch": torch, "F": F}
    random = np.random.default_rng(0)
    arrays, count = {}, {}
    for name, thing in INPUTS.items():
        if isinstance(thing, tuple):
            thing = random.standard_normal(thing)
        if not isinstance(thing, np.ndarray) or thing.dtype.kind == "f":
            thing = np.array(thing, dtype=np.float32).astype(np.float64)
        arrays[name] = thing
    inputs = dict(arrays)
    for expression, theirs in CASES.items():
        tensors = {name: torch.tensor(inputs[name]) for name in inputs_of(expression)}
        floating = {name: x for name, x in tensors.items() if x.is_floating_point()}
        for x in floating.values():
            x.requires_grad_()
        values = eval(theirs, {**words, **tensors})
        values = values if isinstance(values, (tuple, list)) else [values]
        count[expression] = len(values)
        for i, value in enumerate(values):
            arrays[f"{expression} {i}"] = value.detach().numpy().copy()
            if value.requires_grad:
                value.backward(torch.tensor(weights(value.shape)), retain_graph=True)
        for name, x in floating.items():
            if x.grad is not None:
                arrays[f"{expression} {name}"] = x.grad.numpy().copy()
    save_file(arrays, FILE, {"torch": torch.__version__, "values": json.dumps(count)})


if __name__ == "__main__":
    main()
