"""What convolution and pooling promise beyond the numbers that PyTorch has for them."""

import numpy as np
import pytest

import kernels
from minigrad import Tensor, initializers, layers, models, ops, random

GENERATOR = np.random.default_rng(0)


def numbers(*shape):
    return GENERATOR.standard_normal(shape)


def pulled(operation, x, g, *arguments, **options):
    """dL/dx of an operation on x, for g = dL/d(value)."""
    leaf = Tensor(x, requires_grad=True)
    operation(leaf, *arguments, **options).backward(g)
    return leaf.grad


# ---- Convolution ---------------------------------------------------------------------------------


def test_a_window_of_one_pixel_is_a_dense_layer():
    x, weight, bias = numbers(2, 3, 4, 5), numbers(5, 6), numbers(6)
    y = ops.convolution(x, weight[None, None], bias, activation="relu")
    np.testing.assert_allclose(y.data, ops.dense(x, weight, bias, "relu").data, rtol=1e-12)


def test_groups_are_convolutions_side_by_side():
    x, weight = numbers(2, 5, 5, 6), numbers(3, 2, 2, 9)
    parts = [
        ops.convolution(x[..., 2 * i : 2 * i + 2], weight[..., 3 * i : 3 * i + 3]).data
        for i in range(3)
    ]
    y = ops.convolution(x, weight, groups=3)
    np.testing.assert_allclose(y.data, np.concatenate(parts, axis=-1), rtol=1e-12)


def test_a_causal_convolution_sees_no_later_step():
    layer = layers.Conv1D(3, 4, padding="causal", dilation_rate=2)
    x = numbers(1, 9, 2).astype("float32")
    before = layer(x).data
    x[:, 5:] += 1
    after = layer(x).data
    np.testing.assert_array_equal(after[:, :5], before[:, :5])
    assert np.all(np.any(after[:, 5:] != before[:, 5:], axis=-1))


@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("strides", [(1, 1), (3, 2)])
def test_a_transposed_convolution_is_the_transpose_of_one(strides, dilation):
    """Σ conv(x) y = Σ x convᵀ(y) for any x and y"""
    options = {"strides": strides, "dilation": dilation, "padding": ((1, 0), (2, 1))}
    x, weight = numbers(2, 7, 6, 3), numbers(3, 2, 3, 4)
    there = ops.convolution(x, weight, **options).data
    y = numbers(*there.shape)
    back = ops.transposed_convolution(y, weight, None, (7, 6), **options).data
    np.testing.assert_allclose(np.sum(there * y), np.sum(x * back), rtol=1e-12)


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_transposed_convolution_undoes_the_size_of_one(size, stride):
    for padding, n in (("same", 4 * stride), ("valid", max(4 * stride, 3 * stride + size))):
        x = np.ones((1, n, n, 1), "float32")
        y = layers.Conv2D(1, size, stride, padding)(x)
        assert y.shape == (1, 4, 4, 1)
        assert layers.Conv2DTranspose(1, size, stride, padding)(y).shape == x.shape


def test_sums_over_many_windows_lose_no_digits():
    x, g = np.full((40, 32, 32, 2), 0.1, "float32"), np.full((40, 32, 32, 3), 0.1, "float32")
    weight = np.zeros((1, 2, 2, 3), "float32")
    with kernels.use("numba"):
        options = {"padding": ((0, 0), (1, 0))}
        _, dw, db = kernels.convolution_backward(g, g, x, weight, **options)
    np.testing.assert_allclose(db, 40 * 32 * 32 * 0.1, rtol=5e-6)
    np.testing.assert_allclose(dw[0, 1], 40 * 32 * 32 * 0.01, rtol=5e-6)
    np.testing.assert_allclose(dw[0, 0], 40 * 32 * 31 * 0.01, rtol=5e-6)


def test_fans_of_a_weight_count_its_places():
    assert initializers.fans((3, 2, 4, 5)) == (24, 30)
    random.seed(0)
    layer = layers.Conv2D(64, 3, input_shape=(5, 5, 32))
    limit = np.sqrt(6 / (9 * 32 + 9 * 64))
    assert 0.99 * limit < np.abs(layer.weights()["weight"].data).max() <= limit


def test_pixels_that_are_integers_are_cast():
    x = np.arange(32, dtype="uint8").reshape(1, 4, 4, 2)
    assert layers.Conv2D(3, 2)(x).dtype == "float32"


def test_the_data_get_no_gradient_and_cost_none(monkeypatch):
    wanted = []
    backward = kernels.convolution_backward

    def noting(*arguments, needs, **options):
        wanted.append(list(needs))
        return backward(*arguments, needs=needs, **options)

    monkeypatch.setattr(kernels, "convolution_backward", noting)
    y = layers.Conv2D(3, 2)(np.ones((1, 4, 4, 2), "float32"))
    y.backward(np.ones(y.shape))
    assert wanted == [[False, True, True]]


def test_another_relu_than_that_of_ops_is_called(monkeypatch):
    layer = layers.Conv2D(3, 2, activation="relu")
    x = numbers(1, 4, 4, 2)
    expected = 2 * layer(x).data
    relu = ops.relu
    monkeypatch.setattr(ops, "relu", lambda x: 2 * relu(x))
    np.testing.assert_array_equal(layer(x).data, expected)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(
    "option", [{"padding": ((0, 0), (0, -1))}, {"strides": (0, 1)}, {"dilation": (1, -1)}], ids=str
)
def test_windows_that_go_nowhere_are_an_error(option, backend):
    name, value = next(iter(option.items()))
    with kernels.use(backend), pytest.raises(ValueError, match="windows need .*from 1") as error:
        ops.convolution(numbers(1, 4, 4, 6), numbers(2, 2, 6, 1), **option)
    assert f"{name}={value}" in str(error.value)


# ---- Pooling -------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_of_equal_numbers_the_first_takes_the_gradient(backend):
    x = np.array([[2.0, 1.0, 3.0, 3.0], [2.0, 2.0, 3.0, 3.0]]).reshape(1, 2, 4, 1)
    with kernels.use(backend):
        d = pulled(ops.max_pool, x, np.array([5.0, 7.0]).reshape(1, 1, 2, 1), (2, 2), (2, 2))
    np.testing.assert_array_equal(d[0, :, :, 0], [[5, 0, 7, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_window_of_minus_infinity_gives_its_gradient_to_no_padding(backend):
    x = np.full((1, 1, 1, 1), -np.inf)
    with kernels.use(backend):
        d = pulled(ops.max_pool, x, np.full_like(x, 5), (2, 2), (2, 2), ((1, 0), (1, 0)))
    assert d.item() == 5


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("place", range(4))
def test_a_nan_is_the_largest(backend, place):
    x = np.ones((1, 2, 2, 1))
    x.flat[place] = np.nan
    with kernels.use(backend):
        assert np.isnan(ops.max_pool(x, (2, 2), (2, 2)).item())


@pytest.mark.parametrize("layer", [layers.AveragePooling2D, layers.MaxPooling2D])
def test_what_lies_outside_does_not_count(layer):
    x = np.full((1, 5, 4, 2), -3.0)
    np.testing.assert_array_equal(layer(3, 2, "same")(x).data, np.full((1, 3, 2, 2), -3.0))


@pytest.mark.parametrize("layer", [layers.AveragePooling2D, layers.MaxPooling2D])
def test_pixels_that_are_integers_are_pooled(layer):
    x = np.arange(16, dtype="uint8").reshape(1, 4, 4, 1)
    assert layer()(x).dtype == "float32"


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("shape, missing", [((2, 0, 3), "step"), ((2, 4, 0, 3), "pixel")])
def test_global_pooling_of_nothing_is_an_error(kind, shape, missing):
    layer = getattr(layers, f"Global{kind}Pooling{len(shape) - 2}D")()
    with pytest.raises(
        ValueError, match=f"Global{kind}Pooling.* at least one {missing}.*{shape[1]}, "
    ):
        layer(np.ones(shape))


# ---- A network -----------------------------------------------------------------------------------


def network():
    return models.Sequential(
        [
            layers.Conv2D(8, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, "softmax"),
        ]
    )


def test_a_network_learns_where_a_stroke_points():
    """Strokes across or down at any place: no Dense layer on pixels finds that in few examples."""
    random.seed(0)
    x, y = np.zeros((128, 8, 8, 1), "float32"), np.arange(128) % 2
    for image, is_down, (i, j) in zip(x, y, GENERATOR.integers(1, 7, (128, 2))):
        where = (slice(i - 1, i + 2), j) if is_down else (i, slice(j - 1, j + 2))
        image[where] = 1
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    model.optimizer.learning_rate = 0.01
    model.fit(x[:96], y[:96], epochs=30, batch_size=16, verbose=0)
    assert model.evaluate(x[96:], y[96:], verbose=0)[1] == 1


def test_a_network_is_saved_and_loaded(tmp_path):
    model, x = network(), numbers(2, 8, 8, 1).astype("float32")
    model.save(tmp_path / "network")
    again = models.load_model(tmp_path / "network")
    np.testing.assert_array_equal(again(x).data, model(x).data)


def test_what_is_not_known_of_the_input_shape_is_seen_on_data():
    """What follows the Flatten has as many weights as the first example asks for."""
    layer = layers.Conv1D(2, 3, input_shape=(None, 1))
    model = models.Sequential([layer, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(numbers(4, 7, 1), numbers(4, 1), epochs=1, verbose=0)
    assert model.weights()["2.weight"].shape == (10, 1)


def test_images_of_any_size_pass_through_a_network_without_dense_layers():
    model = models.Sequential(
        [layers.Conv2D(2, 3, input_shape=(None, None, 1)), layers.GlobalMaxPooling2D()]
    )
    assert model.count_params() == 20
    assert model(numbers(2, 9, 5, 1)).shape == model(numbers(2, 3, 30, 1)).shape == (2, 2)
