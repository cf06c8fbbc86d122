"""Losses: values against their definition and Keras, gradients against differences, bad shapes."""

import json

import numpy as np
import pytest

from minigrad import losses, ops, regularizers
from minigrad.gradcheck import gradcheck
from minigrad.tensor import Tensor
from tests.strict_array import strict, unwrap

random = np.random.default_rng(0)
Y = random.standard_normal((4, 3))
SIGNS = np.where(Y > 0, 1.0, -1.0)
PROBABILITIES = np.abs(Y) / np.abs(Y).sum(axis=-1, keepdims=True)
LABELS = np.array([2, 0, 1, 1])
ONEHOT = np.eye(3)[LABELS]
PREDICTED = random.standard_normal((4, 3))
P = np.exp(PREDICTED) / np.exp(PREDICTED).sum(axis=-1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-PREDICTED))


def huber_by_definition(y, p, delta=1.0):
    a = np.abs(p - y)
    return np.where(a <= delta, a**2 / 2, delta * (a - delta / 2)).mean(axis=-1)


# loss: (the truth, the prediction, l by its definition)
DEFINITIONS = {
    "mean_squared_error": (Y, PREDICTED, lambda y, p: ((p - y) ** 2).mean(axis=-1)),
    "mean_absolute_error": (Y, PREDICTED, lambda y, p: np.abs(p - y).mean(axis=-1)),
    "huber": (Y, PREDICTED, huber_by_definition),
    "binary_crossentropy": (
        ONEHOT,
        SIGMOID,
        lambda y, p: -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=-1),
    ),
    "categorical_crossentropy": (PROBABILITIES, P, lambda y, p: -(y * np.log(p)).sum(axis=-1)),
    "sparse_categorical_crossentropy": (LABELS, P, lambda y, p: -np.log(p[np.arange(4), y])),
    "hinge": (SIGNS, PREDICTED, lambda y, p: np.maximum(1 - y * p, 0).mean(axis=-1)),
    "squared_hinge": (SIGNS, PREDICTED, lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean(-1)),
    "kl_divergence": (PROBABILITIES, P, lambda y, p: (y * np.log(y / p)).sum(axis=-1)),
}
EVERY = pytest.mark.parametrize("name", DEFINITIONS)
CROSS_ENTROPIES = pytest.mark.parametrize(
    ("name", "activation", "y"),
    [
        ("binary_crossentropy", "sigmoid", ONEHOT),
        ("categorical_crossentropy", "softmax", ONEHOT),
        ("sparse_categorical_crossentropy", "softmax", LABELS),
    ],
)


def activated(activation, z):
    """What a layer that ends in this activation gives."""
    y = getattr(ops, activation)(z)
    y.logits = (activation, z, z.version)
    return y


# ---- Values and gradients ------------------------------------------------------------------------


@EVERY
def test_each_example_has_the_loss_of_the_definition(name):
    y, predicted, definition = DEFINITIONS[name]
    found = getattr(losses, name)(y, Tensor(predicted))
    assert found.shape == (4,)
    np.testing.assert_allclose(found.data, definition(y, predicted), rtol=1e-6)


@EVERY
def test_gradients_equal_central_differences(name):
    y, predicted, _ = DEFINITIONS[name]
    gradcheck(lambda prediction: getattr(losses, name)(y, prediction), predicted)


@pytest.mark.parametrize("delta", [0.1, 5.0])
def test_huber_has_its_delta(delta):
    found = losses.Huber(delta, reduction="none")(Y, Tensor(PREDICTED))
    np.testing.assert_allclose(found.data, huber_by_definition(Y, PREDICTED, delta))


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("categorical_crossentropy", {}, [0.45198515, 5.3016863]),
        ("categorical_crossentropy", {"label_smoothing": 0.1}, [0.5355027, 5.3787894]),
        ("binary_crossentropy", {}, [0.267654, 2.031264]),
        ("binary_crossentropy", {"label_smoothing": 0.1}, [0.32798547, 2.1606903]),
        ("kl_divergence", {}, [0.35667205, 4.5217056]),
    ],
)
def test_probabilities_that_are_0_or_do_not_add_up_to_1_give_what_keras_gives(
    name, options, expected
):
    y = np.array([[1, 0, 0], [0.2, 0.3, 0.5]], dtype="float32")
    p = np.array([[0.7, 0.2, 0.2], [0.1, 0.0, 0.6]], dtype="float32")
    found = getattr(losses, name)(y, Tensor(p), **options)
    np.testing.assert_allclose(found.data, expected, rtol=2e-5)


def test_sparse_and_categorical_cross_entropy_agree_on_bare_probabilities():
    p = Tensor(np.array([[0.7, 0.2, 0.2], [0.1, 0.0, 0.6]]))
    sparse = losses.sparse_categorical_crossentropy(np.array([0, 1]), p)
    full = losses.categorical_crossentropy(np.eye(3)[[0, 1]], p)
    np.testing.assert_allclose(sparse.data, full.data, rtol=1e-6)


@EVERY
def test_axes_between_examples_and_features_are_averaged_over(name):
    y, predicted, _ = DEFINITIONS[name]
    loss = getattr(losses, name)
    twice = loss(np.stack([y, y[::-1]], 1), Tensor(np.stack([predicted, predicted[::-1]], 1)))
    once = loss(y, Tensor(predicted)).data
    np.testing.assert_allclose(twice.data, (once + once[::-1]) / 2)


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_hinge_takes_labels_0_and_1_for_signs(name):
    loss = getattr(losses, name)
    as_signs = loss(SIGNS, Tensor(PREDICTED))
    as_bits = loss((SIGNS > 0).astype("int64"), Tensor(PREDICTED))
    np.testing.assert_array_equal(as_bits.data, as_signs.data)


# ---- Logits --------------------------------------------------------------------------------------


@CROSS_ENTROPIES
@pytest.mark.parametrize("given", ["from_logits", "activation of a layer"])
def test_logits_give_the_same_loss_as_their_probabilities(name, activation, y, given):
    loss = getattr(losses, name)
    z = Tensor(PREDICTED)
    expected = loss(y, getattr(ops, activation)(z))
    if given == "from_logits":
        found = loss(y, z, from_logits=True)
    else:
        found = loss(y, activated(activation, z))
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-6)


@CROSS_ENTROPIES
@pytest.mark.parametrize("size", [1000.0, -1000.0])
def test_extreme_logits_of_a_layer_give_finite_losses_and_gradients(name, activation, y, size):
    z = Tensor(np.array([[size, 0, -size]] * 4, dtype="float32"), requires_grad=True)
    loss = losses.get(name)(y, activated(activation, z))
    loss.backward()
    assert np.isfinite(loss.item())
    assert np.isfinite(z.grad).all()
    assert np.abs(z.grad).max() > 0.01


def test_the_loss_of_a_hopeless_prediction_is_not_clipped():
    z = Tensor(np.array([[500.0, 0.0]]))
    found = losses.sparse_categorical_crossentropy(np.array([1]), activated("softmax", z))
    np.testing.assert_allclose(found.data, [500.0])


@CROSS_ENTROPIES
def test_bare_probabilities_of_0_and_1_give_finite_losses_and_gradients(name, activation, y):
    p = Tensor(np.eye(3, dtype="float32")[[0, 1, 2, 0]], requires_grad=True)
    loss = losses.get(name)(y, p)
    loss.backward()
    assert np.isfinite(loss.item())
    assert np.isfinite(p.grad).all()


@pytest.mark.parametrize(
    ("name", "wrong", "y"),
    [
        ("binary_crossentropy", "softmax", ONEHOT),
        ("categorical_crossentropy", "sigmoid", ONEHOT),
        ("sparse_categorical_crossentropy", "sigmoid", LABELS),
        ("kl_divergence", "sigmoid", PROBABILITIES),
    ],
)
def test_logits_of_another_activation_are_not_used(name, wrong, y):
    prediction = activated(wrong, Tensor(PREDICTED))
    found = getattr(losses, name)(y, prediction)
    expected = getattr(losses, name)(y, Tensor(prediction.data))
    np.testing.assert_allclose(found.data, expected.data)


@CROSS_ENTROPIES
def test_from_logits_of_what_is_no_logits_is_an_error(name, activation, y):
    prediction = activated(activation, Tensor(PREDICTED))
    with pytest.raises(ValueError, match=f"not logits: it comes from {activation}"):
        getattr(losses, name)(y, prediction, from_logits=True)


def test_kl_divergence_uses_the_logits_of_a_softmax():
    z = Tensor(np.array([[1000.0, 0.0]]), requires_grad=True)
    found = losses.kl_divergence(np.array([[0.5, 0.5]]), activated("softmax", z))
    np.testing.assert_allclose(found.data, [500 + np.log(0.5)])


# ---- The sum -------------------------------------------------------------------------------------


@EVERY
def test_a_loss_object_is_the_mean_over_the_examples(name):
    y, predicted, definition = DEFINITIONS[name]
    found = losses.get(name)(y, Tensor(predicted))
    assert found.shape == ()
    np.testing.assert_allclose(found.item(), definition(y, predicted).mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("reduction", "reduce"),
    [("sum_over_batch_size", np.mean), ("sum", np.sum), ("none", np.array)],
)
def test_reductions(reduction, reduce):
    found = losses.MeanSquaredError(reduction=reduction)(Y, Tensor(PREDICTED))
    np.testing.assert_allclose(found.data, reduce(((Y - PREDICTED) ** 2).mean(axis=-1)))


def test_sample_weights_multiply_and_the_sum_is_divided_by_n():
    weight = np.array([0.0, 1.0, 2.0, 0.5])
    found = losses.MeanSquaredError()(Y, Tensor(PREDICTED), weight)
    each = ((Y - PREDICTED) ** 2).mean(axis=-1)
    np.testing.assert_allclose(found.item(), (weight * each).sum() / 4)


def test_an_example_of_weight_0_has_gradient_0():
    prediction = Tensor(PREDICTED, requires_grad=True)
    losses.MeanSquaredError()(Y, prediction, np.array([0.0, 1.0, 1.0, 1.0])).backward()
    np.testing.assert_array_equal((prediction.grad != 0).any(axis=-1), [False, True, True, True])


# ---- Shapes and dtypes ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mse", "binary_crossentropy", "hinge"])
@pytest.mark.parametrize(("true", "predicted"), [((4,), (4, 1)), ((4, 1), (4,))])
def test_a_last_axis_of_length_1_may_be_left_out(name, true, predicted):
    y, p = ONEHOT[:, 0], SIGMOID[:, 0]
    found = losses.get(name)(y.reshape(true), Tensor(p.reshape(predicted)))
    np.testing.assert_allclose(found.item(), losses.get(name)(y, Tensor(p)).item())


def test_sparse_labels_may_have_a_last_axis_of_length_1():
    found = losses.sparse_categorical_crossentropy(LABELS[:, None], Tensor(P))
    expected = losses.sparse_categorical_crossentropy(LABELS, Tensor(P))
    np.testing.assert_array_equal(found.data, expected.data)


@EVERY
@pytest.mark.parametrize("true_dtype", ["float64", "int32"])
def test_the_loss_has_the_dtype_of_the_prediction(name, true_dtype):
    y, predicted, _ = DEFINITIONS[name]
    if name != "sparse_categorical_crossentropy":
        y = y.astype(true_dtype)
    assert losses.get(name)(y, Tensor(predicted.astype("float32"))).dtype == "float32"


def test_lists_are_taken_too():
    assert losses.mean_squared_error([[0.0, 2.0]], [[1, 2]]).data == pytest.approx([0.5])


@pytest.mark.parametrize(
    ("loss", "arguments", "message"),
    [
        ("mse", (np.ones(3), np.ones((3, 2))), r"y_true must have shape \(3, 2\).* \(3,\)"),
        ("mse", (np.ones((1, 3)), np.ones((3, 1))), r"\(3, 1\). Received: \(1, 3\)"),
        ("mae", (np.ones((4, 1)), np.ones((3, 1))), r"\(3, 1\). Received: \(4, 1\)"),
        ("categorical_crossentropy", (LABELS, P), r"\(4, 3\). Received: \(4,\)"),
        ("sparse_categorical_crossentropy", (LABELS[:3], P), r"shape \(4,\).* Received: \(3,\)"),
        ("sparse_categorical_crossentropy", (ONEHOT.astype(int), P), r"Received: \(4, 3\)"),
        ("sparse_categorical_crossentropy", (LABELS + 0.5, P), "Received: dtype float64"),
        ("mse", (Y, PREDICTED, np.ones((4, 2))), r"sample_weight must have shape \(4,\)"),
        ("mse", (Y, PREDICTED, np.ones(3)), r"sample_weight must have shape \(4,\).*\(3,\)"),
    ],
)
def test_what_does_not_fit_is_an_error(loss, arguments, message):
    y, predicted, *weight = arguments
    with pytest.raises(ValueError, match=message):
        losses.get(loss)(y, Tensor(predicted), *weight)


# ---- On arrays that the host may not read --------------------------------------------------------


@EVERY
def test_a_loss_reads_no_value_from_the_device(name, strict_kernels):
    y, predicted, definition = DEFINITIONS[name]
    prediction = Tensor(strict(predicted), requires_grad=True)
    loss = losses.get(name)(strict(y), prediction, strict(np.ones(4)))
    loss.backward()
    np.testing.assert_allclose(unwrap(loss.data), definition(y, predicted).mean(), rtol=1e-6)


@CROSS_ENTROPIES
def test_logits_are_not_read_from_the_device(name, activation, y, strict_kernels):
    z = Tensor(strict(PREDICTED), requires_grad=True)
    losses.get(name)(strict(y), activated(activation, z)).backward()
    assert unwrap(z.grad).shape == (4, 3)


# ---- By name -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "thing",
    [
        "mse",
        "mean_squared_error",
        "MeanSquaredError",
        losses.mean_squared_error,
        losses.MeanSquaredError,
        {"class_name": "MeanSquaredError", "config": {"reduction": "sum_over_batch_size"}},
    ],
)
def test_a_loss_is_found_by_whatever_means_it(thing):
    assert type(losses.get(thing)) is losses.MeanSquaredError


def test_a_loss_gets_itself_and_none_stays_none():
    loss = losses.Huber(0.5)
    assert losses.get(loss) is loss
    assert losses.get(None) is None


def test_a_function_of_your_own_is_averaged_over_the_examples():
    def cubic(y_true, y_pred):
        return ops.absolute(y_pred - y_true) ** 3

    found = losses.get(cubic)(Y, Tensor(PREDICTED))
    np.testing.assert_allclose(found.item(), (np.abs(Y - PREDICTED) ** 3).mean())


def test_a_function_that_gives_one_number_for_all_is_an_error():
    def total(y_true, y_pred):
        return ops.sum(y_pred - y_true)

    with pytest.raises(ValueError, match=r"total must give one value for each of the 4 examples"):
        losses.get(total)(Y, Tensor(PREDICTED))


@EVERY
def test_a_configuration_makes_the_same_loss_again(name):
    loss = losses.get(name)
    config = json.loads(json.dumps(loss.get_config()))
    again = losses.get({"class_name": type(loss).__name__, "config": config})
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.get("mean_square_error"), "did you mean 'mean_squared_error'"),
        (lambda: losses.get(3), "Received: 3"),
        (lambda: losses.MeanSquaredError(reduction="avg"), "unknown reduction 'avg'"),
        (lambda: losses.Huber(delta=0), "delta=0"),
        (lambda: losses.CategoricalCrossentropy(label_smoothing=1), "label_smoothing=1"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ---- Regularizers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        ("l1", 0.01 * np.abs(Y).sum()),
        ("l2", 0.01 * (Y**2).sum()),
        ("l1_l2", 0.01 * np.abs(Y).sum() + 0.01 * (Y**2).sum()),
        (regularizers.L1(0.3), 0.3 * np.abs(Y).sum()),
        (regularizers.L2(0.3), 0.3 * (Y**2).sum()),
        (regularizers.L1L2(l1=0.1, l2=0.3), 0.1 * np.abs(Y).sum() + 0.3 * (Y**2).sum()),
        ({"class_name": "L2", "config": {"l2": 0.5}}, 0.5 * (Y**2).sum()),
    ],
)
def test_regularizers_are_sums_over_the_weights(regularizer, expected):
    np.testing.assert_allclose(regularizers.get(regularizer)(Tensor(Y)).item(), expected)


@pytest.mark.parametrize("name", ["l1", "l2", "l1_l2"])
def test_gradients_of_regularizers_equal_central_differences(name):
    gradcheck(regularizers.get(name), Y)


def test_a_negative_regularizer_is_an_error():
    with pytest.raises(ValueError, match="l2=-1"):
        regularizers.L2(-1)
