"""GPT: all that generation relies on. That it is GPT-2 is shown in `test_whole_models`."""

import numpy as np
import pytest

from minigrad import losses, models, no_grad, ops, optimizers, random
from tests.golden import make_gpt, whole_models


def golden():
    """The model whose logits are those of GPT-2."""
    return whole_models.model_of(make_gpt.MODEL)


# ---- In parts ------------------------------------------------------------------------------------

IDS = np.random.default_rng(2).integers(37, size=(3, 9))


def without_gradients(function):
    with no_grad():
        return function()


def test_after_a_mask_the_next_tokens_count_without_one():
    model, cache = golden(), golden().make_cache(9)
    mask = np.arange(4) >= np.array([[2], [0], [1]])
    without_gradients(lambda: model(IDS[:, :4], mask=mask, cache=cache))
    found = without_gradients(lambda: model(IDS[:, 4:], cache=cache).data)
    expected = model(IDS[:1, 2:]).data[:, 2:]
    np.testing.assert_allclose(found[:1], expected, atol=1e-12)


def test_a_head_can_be_run_on_some_tokens_alone():
    model = golden()
    features = model.features(IDS)
    assert features.shape == (3, 9, 16)
    np.testing.assert_allclose(model.logits(features[:, -1]).data, model(IDS).data[:, -1])


def test_what_a_mask_hides_changes_nothing_and_gets_no_gradient():
    model = golden()
    mask = np.arange(9) >= 2
    one, other = IDS[:1].copy(), IDS[:1].copy()
    other[:, :2] = 20  # which is nowhere else
    assert 20 not in one
    mask = mask[None]
    first, second = (model(ids, mask=mask)[:, 2:] for ids in (one, other))
    np.testing.assert_array_equal(first.data, second.data)
    features = model.features(other, mask=mask)[:, 2:]
    ops.sum(ops.square(features)).backward()
    assert not model.tokens.weight.grad[20].any() and model.tokens.weight.grad[one[0, 4]].any()


def test_positions_count_on_behind_a_hole_in_a_mask():
    model, mask = golden(), np.array([[False, True, True, False, True]])
    found = model._position(IDS[:1, :5], mask, None)
    np.testing.assert_array_equal(found.data[0, 1:], model.positions.data[:4])


# ---- As it begins, and in files ------------------------------------------------------------------


def test_initial_weights_have_the_deviations_of_gpt_2():
    random.seed(0)
    weights = models.GPT(500, 8, 2, 64).weights()
    for name, parameter in weights.items():
        if name.endswith("gamma"):
            assert (parameter.data == 1).all()
        elif parameter.ndim == 1:
            assert not parameter.data.any()
        else:
            is_added = name.endswith(("output.weight", "down.weight"))
            deviation = 0.02 / 4 if is_added else 0.02  # √(2 · 8 layers) = 4
            assert abs(parameter.data.std() / deviation - 1) < 0.03, name


def test_a_file_makes_the_same_model_again(tmp_path):
    model = models.GPT(50, 2, 2, 8, intermediate_dim=12, dropout=0.5, max_sequence_length=9)
    model.compile(optimizers.AdamW(), losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(IDS % 50, IDS % 50, epochs=1)
    model.save(tmp_path / "model")
    again = models.load_model(tmp_path / "model")
    assert repr(again) == repr(model)
    np.testing.assert_array_equal(again(IDS).data, model(IDS).data)
    decay = {p.weight_decay_multiplier for p in again.parameters()}
    assert decay == {0.0, 1.0}
    random.seed(3)
    model.fit(IDS % 50, IDS % 50, epochs=1)
    random.seed(3)
    again.fit(IDS % 50, IDS % 50, epochs=1)
    np.testing.assert_array_equal(again(IDS).data, model(IDS).data)


# ---- Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids, message",
    [
        ([[1, 37]], "integers from 0 to 36. Received: 1 to 37"),
        ([[-1, 2]], "integers from 0 to 36. Received: -1 to 2"),
        ([[1.0, 2.0]], "looks up integers. Received: dtype float"),
        ([1, 2], "GPT needs ids .n, t.. Received: shape .2,."),
        ([[1] * 13], "GPT has 12 positions, max_sequence_length. Received: ids of shape .1, 13."),
    ],
    ids=str,
)
def test_ids_that_the_model_cannot_read_are_named(ids, message):
    with pytest.raises(ValueError, match=message):
        golden()(np.array(ids))


def test_a_mask_of_another_shape_is_named():
    with pytest.raises(ValueError, match="GPT needs a mask of booleans"):
        golden()(IDS, mask=np.ones((3, 8), bool))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"vocabulary_size": 0}, "vocabulary_size"),
        ({"num_layers": 1.5}, "num_layers"),
        ({"hidden_dim": -8}, "hidden_dim"),
        ({"num_heads": 3}, "num_heads=3, hidden_dim=8"),
        ({"intermediate_dim": 0}, "intermediate_dim"),
        ({"max_sequence_length": 0}, "max_sequence_length"),
        ({"dropout": 1.0}, "dropout"),
        ({"layer_norm_epsilon": -1}, "layer_norm_epsilon"),
    ],
    ids=str,
)
def test_a_shape_that_is_none_is_named(options, message):
    shape = {"vocabulary_size": 9, "num_layers": 1, "num_heads": 2, "hidden_dim": 8}
    with pytest.raises(ValueError, match=message):
        models.GPT(**(shape | options))


def test_a_cache_outside_no_grad_is_named():
    model = golden()
    with pytest.raises(ValueError, match="holds no gradients: call the model in no_grad"):
        model(IDS, cache=model.make_cache(12))
