"""Masks: which layers make, keep, take and refuse them, and how they go through a model."""

import numpy as np
import pytest

from minigrad import Tensor, layers, models, ops

IDS = np.array([[3, 1, 0, 0], [2, 0, 4, 1]])
STEPS = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 2.0]]], "float32")


class Count(layers.Layer):
    """How many steps count   (n, t, d) -> (n,)"""

    def call(self, x, mask=None):
        return ops.sum(Tensor(mask.astype("float32")), axis=1)

    def compute_mask(self, x, mask=None):
        return None


class Longest(layers.Layer):
    """The largest of all steps   (n, t, d) -> (n, d)"""

    def call(self, x):
        return ops.max(x, axis=1)


def test_an_embedding_makes_a_mask_of_zeros_if_asked():
    assert layers.Embedding(5, 2).compute_mask(IDS) is None
    embedding = layers.Embedding(5, 2, mask_zero=True)
    np.testing.assert_array_equal(embedding.compute_mask(Tensor(IDS)), IDS != 0)
    before = np.array([[True, False, True, True]] * 2)
    np.testing.assert_array_equal(embedding.compute_mask(IDS, before), (IDS != 0) & before)


def test_masking_finds_steps_full_of_a_value():
    expected = [[True, False], [False, True]]
    np.testing.assert_array_equal(layers.Masking().compute_mask(STEPS), expected)
    np.testing.assert_array_equal(layers.Masking(1.0).compute_mask(STEPS), np.ones((2, 2), bool))
    np.testing.assert_array_equal(layers.Masking()(STEPS).numpy(), STEPS)


@pytest.mark.parametrize("inside", [False, True])
def test_a_mask_goes_through_all_layers_that_treat_steps_alone(inside):
    first = [layers.Embedding(5, 2, mask_zero=True), layers.Dense(3, "relu"), layers.Dropout(0.5)]
    rest = [layers.LayerNormalization(), layers.Activation("tanh"), Count()]
    made = [models.Sequential(first), *rest] if inside else first + rest
    np.testing.assert_array_equal(models.Sequential(made)(IDS).numpy(), [2, 3])


@pytest.mark.parametrize(
    "layer",
    [
        *(Longest(), layers.Flatten(), layers.LayerNormalization(axis=1)),
        *(layers.Conv1D(2, 2), layers.MaxPooling1D(), layers.AveragePooling1D()),
        *(layers.ZeroPadding1D(), layers.UpSampling1D()),
    ],
    ids=repr,
)
def test_a_layer_that_mixes_steps_refuses_a_mask(layer):
    model = models.Sequential([layers.Embedding(5, 2, mask_zero=True), layer])
    with pytest.raises(ValueError, match=rf"{type(layer).__name__} takes no mask.*\(2, 4\)"):
        model(IDS)


GLOBAL = pytest.mark.parametrize(
    "layer", [layers.GlobalMaxPooling1D(), layers.GlobalAveragePooling1D()], ids=repr
)


@GLOBAL
def test_global_pooling_reads_no_masked_step_and_gives_it_no_gradient(layer):
    mask = np.array([[True, False, True], [False, True, False]])
    x = np.where(mask[:, :, None], [[[2.0], [0.0], [6.0]], [[0.0], [-5.0], [0.0]]], np.nan)
    leaf = Tensor(x, requires_grad=True)
    y = layer(leaf, mask=mask)
    y.backward(np.ones(y.shape))
    assert np.isfinite(y.data).all()
    np.testing.assert_array_equal(leaf.grad[~mask], 0)
    np.testing.assert_array_equal(leaf.grad.sum(axis=1), [[1], [1]])


@GLOBAL
def test_global_pooling_of_no_step_is_zero_and_has_no_gradient(layer):
    x = Tensor(np.ones((2, 3, 4)), requires_grad=True)
    y = layer(x, mask=np.array([[False] * 3, [True] * 3]))
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(y.data, [[0] * 4, [1] * 4])
    np.testing.assert_array_equal(x.grad[0], 0)


@GLOBAL
def test_there_is_no_mask_after_global_pooling(layer):
    first = layers.Embedding(5, 2, mask_zero=True)
    assert models.Sequential([first, layer, layers.Flatten()])(IDS).shape == (2, 2)


@GLOBAL
def test_global_pooling_names_a_mask_of_another_shape(layer):
    name = type(layer).__name__
    with pytest.raises(ValueError, match=rf"{name} needs a mask.*\(2, 3\).*\(2, 4\)"):
        layer(np.ones((2, 3, 4)), mask=np.ones((2, 4), bool))


def test_what_a_layer_makes_of_steps_has_no_mask_if_it_says_so():
    made = [layers.Embedding(5, 2, mask_zero=True), Count(), layers.Reshape((1,))]
    assert models.Sequential(made)(IDS).shape == (2, 1)


def test_a_mask_of_zeros_is_saved_with_the_layer():
    layer = layers.Embedding(5, 2, mask_zero=True)
    assert layers.Embedding(**layer.get_config()).mask_zero
