"""The operations, against PyTorch, NumPy, central differences and their definitions."""

import inspect
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad import Tensor, by_definition, gradcheck, ops
from tests.golden.make_ops import CASES, inputs_of, load, operation_of, weights

INPUTS, EXPECTED = load()


def public(module):
    """{name: function} of the functions that a module defines."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and name[0] != "_"
    }


def differentiate(expression, inputs, gradient_like=np.asarray, functions=vars(ops)):  # noqa: B008
    """The values of an expression of operations, and {input: gradient} of its floating inputs."""
    tensors = {}
    for name in inputs_of(expression):
        tensors[name] = Tensor(inputs[name], requires_grad=inputs[name].dtype.kind == "f")
    values = eval(expression, {**functions, "np": np}, tensors)
    values = values if isinstance(values, list) else [values]
    for value in values:
        if value.requires_grad:
            value.backward(gradient_like(weights(value.shape)))
    return [value.data for value in values], {name: x.grad for name, x in tensors.items()}


def cast(inputs, dtype):
    return {name: x.astype(dtype) if x.dtype.kind == "f" else x for name, x in inputs.items()}


def assert_close(ours, theirs, tolerance):
    """max |a - b| <= tolerance max |b|; the same shape; infinities and NaNs at the same places."""
    assert (ours is None) == (theirs is None)
    if ours is None:
        return
    assert ours.shape == theirs.shape
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(ours[~finite], theirs[~finite])
    largest = np.max(np.abs(theirs[finite]), initial=0)
    np.testing.assert_allclose(ours[finite], theirs[finite], rtol=0, atol=tolerance * largest)


# ---- Against PyTorch -----------------------------------------------------------------------------


# sqrt, power and log at 0 are infinite on purpose
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("expression", CASES)
def test_value_and_gradients_equal_pytorch(expression, dtype, tolerance):
    values, gradients = differentiate(expression, cast(INPUTS, dtype))
    expected_values, expected_gradients = EXPECTED[expression]
    for ours, theirs in zip(values, expected_values, strict=True):
        assert_close(ours, theirs, tolerance)
    for name, ours in gradients.items():
        assert_close(ours, expected_gradients[name], tolerance)


@pytest.mark.parametrize("expression", [e for e in CASES if operation_of(e) != "astype"])
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
def test_float32_stays_float32(expression):
    values, gradients = differentiate(expression, cast(INPUTS, "float32"))
    floating = [x for x in [*values, *gradients.values()] if x is not None and x.dtype.kind == "f"]
    assert all(x.dtype == np.float32 for x in floating)


WITHOUT_GOLDEN_VALUES = {
    "dropout": "PyTorch draws other random numbers; see test_dropout_* below",
    "rotary": "PyTorch has no such function; see the layer RotaryEmbedding",
    **dict.fromkeys(
        ["convolution", "transposed_convolution", "max_pool", "average_pool", "repeat"],
        "their options are compared as those of layers: see golden/make_convolution.py",
    ),
}


def test_every_operation_has_golden_values_or_a_reason():
    assert {*map(operation_of, CASES), *WITHOUT_GOLDEN_VALUES} == set(public(ops))


# ---- Against the definitions ---------------------------------------------------------------------

TWINS = public(by_definition)
IMMODERATE = {"large", "hidden", "ties"}  # the definitions overflow there, or divide 0 by 0
DEFINED = [
    expression
    for expression in CASES
    if operation_of(expression) in TWINS
    and IMMODERATE.isdisjoint(inputs_of(expression))
    and (operation_of(expression) != "gelu" or "approximate=True" in expression)
    and "activation='gelu'" not in expression
]


@pytest.mark.parametrize("expression", DEFINED)
def test_fused_rule_equals_its_definition(expression):
    values, gradients = differentiate(expression, INPUTS)
    twins = {**vars(ops), **TWINS}
    defined_values, defined_gradients = differentiate(expression, INPUTS, functions=twins)
    assert_close(values[0], defined_values[0], 1e-12)
    for name, ours in gradients.items():
        assert_close(ours, defined_gradients[name], 1e-12)


def test_every_definition_is_compared():
    assert set(map(operation_of, DEFINED)) == set(TWINS)


@pytest.mark.parametrize("fused", sorted(set(TWINS) - {"gelu"}))
def test_the_operations_that_a_definition_is_made_of_are_listed(fused):
    called, before = set(), {}

    def noting(name, operation):
        def note(*arguments, **options):
            called.add(name)
            return operation(*arguments, **options)

        note.__name__ = name  # by which Tensor has its methods
        return note

    functions = {**vars(ops), **TWINS}
    try:
        for name in set(public(ops)) - {fused}:
            before[name] = ops._replace(name, noting(name, getattr(ops, name)))
        for expression in DEFINED:
            if operation_of(expression) == fused:
                differentiate(expression, INPUTS, functions=functions)
    finally:
        for name, operation in before.items():
            ops._replace(name, operation)
    assert called == set(by_definition.PARTS[fused])


@pytest.mark.parametrize("name", TWINS)
def test_definition_is_called_like_its_fused_rule(name):
    fused = inspect.signature(getattr(ops, name)).parameters.values()
    defined = inspect.signature(TWINS[name]).parameters.values()
    assert [p for p in fused if p.name != "needs"] == list(defined)


@pytest.mark.parametrize("name", TWINS)
def test_definition_uses_no_fused_rule(name):
    """It may use other definitions, but of `ops` only what is primitive."""
    used = set(re.findall(r"ops\.(\w+)", inspect.getsource(TWINS[name])))
    assert used.isdisjoint(TWINS)


def test_exact_gelu_has_no_definition_in_primitive_operations():
    with pytest.raises(ValueError, match="approximate=False"):
        by_definition.gelu(Tensor([1.0]))


# ---- Against NumPy and central differences, on whatever hypothesis draws -------------------------


def arrays(shapes):
    """Normal random numbers of a drawn shape; never at a kink, never tied."""
    return st.builds(
        lambda shape, seed: np.random.default_rng(seed).standard_normal(shape),
        shapes,
        st.integers(0, 9),
    )


def shapes(min_dims=0, max_dims=3, min_side=0):
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=3)


def axes_of(shape):
    """None, one axis or a tuple of axes, counted from the front or the back."""
    if not shape:
        return st.sampled_from([None, ()])
    one = st.integers(-len(shape), len(shape) - 1)
    return st.none() | one | hnp.valid_tuple_axes(len(shape))


def check(name, *inputs, **options):
    """ops.NAME has the value of numpy.NAME, and the gradients of central differences."""
    operation = getattr(ops, name)
    ours, theirs = operation(*inputs, **options), getattr(np, name)(*inputs, **options)
    both = [v if isinstance(v, list) else [v] for v in (ours, theirs)]
    for y, expected in zip(*both, strict=True):
        assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(y.data, expected, rtol=1e-12, atol=1e-12)
    gradcheck(lambda *tensors: operation(*tensors, **options), *inputs)


ANYWHERE = ["negative", "positive", "absolute", "square", "exp", "expm1", "sin", "cos", "tanh"]
POSITIVE = ["reciprocal", "sqrt", "log", "log1p"]
ACTIVATIONS = ["sigmoid", "relu", "leaky_relu", "elu", "silu", "gelu", "softplus"]


@given(st.sampled_from(ANYWHERE), arrays(shapes()))
def test_elementwise(name, x):
    check(name, x)


@given(st.sampled_from(POSITIVE), arrays(shapes()))
def test_elementwise_of_positive_numbers(name, x):
    check(name, np.asarray(np.abs(x) + 0.2))


@given(st.sampled_from(ACTIVATIONS), arrays(shapes()))
def test_activations(name, x):
    gradcheck(getattr(ops, name), x)


BINARY = ["add", "subtract", "multiply", "divide", "power", "remainder", "maximum", "minimum"]


@given(
    st.sampled_from(BINARY),
    hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_dims=3, max_side=3),
    st.integers(0, 9),
)
def test_broadcasting(name, shapes, seed):
    random = np.random.default_rng(seed)
    a, b = (random.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes)
    check(name, a, b)


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_dims=3, max_side=3))
def test_where(shapes):
    random = np.random.default_rng(0)
    condition, x, y = (random.standard_normal(shape) for shape in shapes.input_shapes)
    check("where", condition > 0, x, y)


@given(arrays(shapes()), st.none() | st.floats(-1, 0), st.none() | st.floats(0, 1))
def test_clip(x, a_min, a_max):
    check("clip", x, a_min=a_min, a_max=a_max)


@given(st.sampled_from(["sum", "prod"]), arrays(shapes()), st.data(), st.booleans())
def test_reductions_of_anything(name, x, data, keepdims):
    check(name, x, axis=data.draw(axes_of(x.shape)), keepdims=keepdims)


@given(
    st.sampled_from(["mean", "max", "min", "var", "std"]),
    arrays(shapes(min_side=1)),
    st.data(),
    st.booleans(),
)
def test_reductions_of_something(name, x, data, keepdims):
    check(name, x, axis=data.draw(axes_of(x.shape)), keepdims=keepdims)


@given(arrays(shapes(min_side=1)), st.data(), st.booleans())
def test_logsumexp(x, data, keepdims):
    axis = data.draw(axes_of(x.shape))
    expected = np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    found = ops.logsumexp(x, axis, keepdims).data
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    gradcheck(lambda x: ops.logsumexp(x, axis, keepdims), x)


@given(
    st.sampled_from(["softmax", "log_softmax"]), arrays(shapes(min_dims=1, min_side=1)), st.data()
)
def test_softmax_along_any_axis(name, x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    p = ops.softmax(x, axis).data
    np.testing.assert_allclose(np.sum(p, axis=axis), 1)
    gradcheck(getattr(ops, name), x, axis=axis)


@given(arrays(shapes(min_dims=1)), st.data())
def test_cumsum(x, data):
    check("cumsum", x, axis=data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1)))


@given(arrays(shapes()), st.data())
def test_flip(x, data):
    check("flip", x, axis=data.draw(axes_of(x.shape)))


@given(arrays(shapes(min_dims=1)), st.data())
def test_transpose(x, data):
    axes = data.draw(st.permutations(range(x.ndim)))
    axes = tuple(axis - data.draw(st.sampled_from([0, x.ndim])) for axis in axes)
    check("transpose", x, axes=axes)


@given(arrays(shapes(min_dims=1)), st.data())
def test_swapaxes(x, data):
    axis = st.integers(-x.ndim, x.ndim - 1)
    check("swapaxes", x, axis1=data.draw(axis), axis2=data.draw(axis))


@given(arrays(shapes()), st.data())
def test_reshape(x, data):
    shape = data.draw(st.permutations([*x.shape, 1]))
    if x.size:
        shape[data.draw(st.integers(0, x.ndim))] = -1
    check("reshape", x, shape=tuple(shape))


@given(arrays(shapes()), st.data())
def test_expand_dims_and_squeeze(x, data):
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    check("expand_dims", x, axis=axis)
    check("squeeze", np.expand_dims(x, axis), axis=axis)


@given(shapes(), st.data())
def test_broadcast_to(shape, data):
    smaller = data.draw(hnp.broadcastable_shapes(shape, max_dims=len(shape), max_side=3))
    larger = np.broadcast_shapes(shape, smaller)
    check("broadcast_to", np.random.default_rng(0).standard_normal(shape), shape=larger)


@given(shapes(min_dims=1), st.lists(st.integers(0, 3), min_size=1, max_size=3), st.data())
def test_concatenate(shape, lengths, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = []
    for length in lengths:
        part = [*shape]
        part[axis] = length
        parts.append(np.random.default_rng(length).standard_normal(part))
    check("concatenate", parts, axis=axis)


@given(shapes(), st.integers(1, 3), st.data())
def test_stack(shape, count, data):
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    parts = [np.random.default_rng(i).standard_normal(shape) for i in range(count)]
    check("stack", parts, axis=axis)


@given(arrays(shapes(min_dims=1)), st.data())
def test_split(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    sections = [k for k in range(1, 4) if n % k == 0]
    cuts = st.lists(st.integers(0, n), max_size=3).map(sorted)
    check("split", x, indices_or_sections=data.draw(st.sampled_from(sections) | cuts), axis=axis)


@given(arrays(shapes(min_dims=1)), st.data())
def test_pad(x, data):
    pair = st.tuples(st.integers(0, 2), st.integers(0, 2))
    width = data.draw(st.integers(0, 2) | pair | st.tuples(*[pair] * x.ndim))
    check("pad", x, pad_width=width, constant_values=0.5)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
def test_pad_with_elements_of_its_own(mode):
    x = np.arange(6.0).reshape(2, 3)
    for width in (1, (0, 2), ((1, 0), (2, 3))):
        check("pad", x, pad_width=width, mode=mode)


def test_pad_names_a_mode_that_it_does_not_know():
    with pytest.raises(ValueError, match="mode='mean'"):
        ops.pad(Tensor([1.0, 2.0]), 1, mode="mean")


@given(
    hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3),
    st.integers(0, 9),
)
def test_matmul(shapes, seed):
    random = np.random.default_rng(seed)
    check("matmul", *(random.standard_normal(shape) for shape in shapes.input_shapes))


@st.composite
def products(draw):
    """Subscripts such as "a...b,bb->...a" and operands: diagonals, ellipses, outer products."""
    sizes = {letter: draw(st.integers(1, 3)) for letter in "abcd"}
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    batches = hnp.mutually_broadcastable_shapes(num_shapes=len(terms), max_dims=2, max_side=3)
    subscripts, operands = [], []
    for term, batch in zip(terms, draw(batches).input_shapes, strict=True):
        at = draw(st.none() | st.integers(0, len(term)))  # where the ellipsis stands, if anywhere
        front, back = (term[:at], term[at:]) if at is not None else (term, "")
        batch = batch if at is not None else ()
        subscripts.append(front + "..." * (at is not None) + back)
        operands.append([*(sizes[i] for i in front), *batch, *(sizes[i] for i in back)])
    joined = ",".join(subscripts)
    if draw(st.booleans()):
        used = sorted({*joined} - {*",."})
        kept = draw(st.lists(st.sampled_from(used), unique=True)) if used else []
        kept.insert(draw(st.integers(0, len(kept))), "..." * ("..." in joined))
        joined += "->" + "".join(kept)
    random = np.random.default_rng(0)
    return joined, [random.standard_normal(shape) for shape in operands]


@given(products())
def test_einsum(product):
    subscripts, operands = product
    expected = np.einsum(subscripts, *operands)
    value = ops.einsum(subscripts, *operands)
    assert value.shape == expected.shape
    np.testing.assert_allclose(value.data, expected, rtol=1e-12, atol=1e-12)
    gradcheck(lambda *tensors: ops.einsum(subscripts, *tensors), *operands)


def check_index(x, index):
    np.testing.assert_array_equal(ops.getitem(x, index).data, x[index])
    gradcheck(lambda x: ops.getitem(x, index), x)


@given(arrays(shapes()), st.data())
def test_basic_index(x, data):
    check_index(x, data.draw(hnp.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True)))


@given(arrays(shapes(min_dims=1, min_side=1)), st.data())
def test_integer_array_index(x, data):
    places = hnp.array_shapes(max_dims=2, max_side=3, min_side=0)
    check_index(x, data.draw(hnp.integer_array_indices(x.shape, result_shape=places)))


@given(arrays(shapes(min_dims=1)), st.data())
def test_boolean_index(x, data):
    masked = data.draw(st.integers(1, x.ndim))
    check_index(x, data.draw(hnp.arrays(bool, x.shape[:masked])))


@given(arrays(shapes(min_dims=2, min_side=2)), st.data())
def test_mixed_index(x, data):
    place = data.draw(hnp.integer_array_indices(x.shape[:1], result_shape=shapes(max_dims=2)))[0]
    mixed = [np.s_[place, 1:], np.s_[place, None, ..., 0], np.s_[..., place % 2]]
    check_index(x, data.draw(st.sampled_from(mixed)))


@given(arrays(shapes(min_dims=1, min_side=1)), st.data())
def test_take(x, data):
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    n = x.size if axis is None else x.shape[axis]
    indices = data.draw(hnp.arrays(int, shapes(max_dims=2), elements=st.integers(-n, n - 1)))
    check("take", x, indices=indices, axis=axis)


@given(arrays(shapes(min_dims=1, min_side=2)))
def test_layer_norm_and_rms_norm(x):
    random = np.random.default_rng(1)
    scale, offset = random.standard_normal((2, x.shape[-1]))
    gradcheck(ops.layer_norm, x, scale, offset, epsilon=0.01)
    gradcheck(ops.rms_norm, x, scale, epsilon=0.01)


# ---- Numbers at the end of the scale -------------------------------------------------------------

AT_THE_END = [
    "sigmoid(large)",
    "tanh(large)",
    "elu(large)",
    "silu(large)",
    "gelu(large)",
    "gelu(large, approximate=True)",
    "softplus(large)",
    "logsumexp(large, axis=0)",
    "softmax(large)",
    "softmax(hidden)",
    "log_softmax(large)",
    "sparse_softmax_cross_entropy(large, labels)",
    "sigmoid_cross_entropy(large, probabilities)",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", AT_THE_END)
def test_large_numbers_neither_overflow_nor_become_nan(expression, dtype):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values, gradients = differentiate(expression, cast(INPUTS, dtype))
    assert all(np.all(np.isfinite(x)) for x in [*values, *gradients.values()] if x is not None)


@pytest.mark.filterwarnings("ignore:divide by zero")  # log 0 is -inf, as it should be
def test_logsumexp_of_nothing_but_minus_infinity_has_no_gradient():
    x = Tensor(np.full((2, 3), -np.inf), requires_grad=True)
    y = ops.logsumexp(x, axis=1)
    y.backward(np.ones(2))
    assert np.all(y.data == -np.inf) and np.all(x.grad == 0)


# ---- Dropout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    y = ops.dropout(np.ones(100_000), rate, key=1).data
    assert abs(np.mean(y == 0) - rate) < 0.005
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate))


def test_dropout_drops_the_gradient_where_it_dropped_the_value():
    x = Tensor(np.ones(1000), requires_grad=True)
    y = ops.dropout(x, 0.5, key=1)
    y.backward(np.ones(1000))
    np.testing.assert_array_equal(x.grad, y.data)


# ---- Errors --------------------------------------------------------------------------------------


def test_einsum_says_how_many_inputs_it_wants():
    with pytest.raises(ValueError, match="'ij,jk->ik' names 2 inputs. Received: 1"):
        ops.einsum("ij,jk->ik", np.ones((2, 2)))


def test_einsum_wants_its_subscripts_first():
    with pytest.raises(ValueError, match="einsum needs its subscripts as a string"):
        ops.einsum(np.ones(2), "i")


@pytest.mark.parametrize("sections", [0, 2, -1])
def test_split_says_what_it_cannot_cut(sections):
    with pytest.raises(ValueError, match=f"length 3 in equal sections. Received: {sections}"):
        ops.split(np.ones(3), sections)


def test_softmax_of_no_classes_is_empty():
    x = Tensor(np.ones((3, 0)))
    with np.errstate(divide="ignore"):  # of the logarithm of no probability at all
        assert ops.softmax(x).shape == ops.log_softmax(x).shape == (3, 0)
        assert np.all(ops.logsumexp(x, axis=1).data == -np.inf)


def test_einsum_repeats_an_index_of_length_1_as_numpy_does():
    gradcheck(ops.einsum, "ij,jk->ik", (2, 1), (3, 4))
    gradcheck(ops.einsum, "ij,jk->ik", (2, 3), (1, 4))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "bool"])
@pytest.mark.parametrize("axis", [None, 1, (0, -1)])
def test_mean_is_numpys_bit_by_bit(dtype, axis):
    x = (np.random.default_rng(0).standard_normal((3, 4, 5)) * 50).astype(dtype)
    mean, expected = ops.mean(Tensor(x), axis).data, np.mean(x, axis)
    assert mean.dtype == expected.dtype
    np.testing.assert_array_equal(mean, expected)


def test_dropout_in_float16_drops_its_share():
    y = ops.dropout(np.ones(1000, "float16"), 0.25, 7).data
    assert y.dtype == "float16" and 200 < np.sum(y == 0) < 300


def test_mean_of_many_float16_does_not_overflow():
    x = Tensor(np.ones(70_000, "float16"), requires_grad=True)
    mean = ops.mean(x)
    (mean * 1000.0).backward()
    assert mean.item() == 1.0
    np.testing.assert_allclose(x.grad, 1000 / 70_000, rtol=1e-2)


@pytest.mark.parametrize("labels", [[0, -1], [0, 3]])
def test_labels_out_of_range_are_named(labels):
    with pytest.raises(ValueError, match="labels are 0 to 2. Received"):
        ops.sparse_softmax_cross_entropy(Tensor(np.ones((2, 3))), np.array(labels))
