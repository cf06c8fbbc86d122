"""GPT: what GPT-2 of `transformers` says and learns, and all that generation relies on."""

import numpy as np
import pytest

from minigrad import losses, models, optimizers
from tests.golden import language_models, make_gpt

GIVEN, PARAMETERS, GRADIENTS = language_models.read(make_gpt.FILE)
BOTH_DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])


def golden(dtype="float64"):
    """The model of the golden file."""
    model = models.GPT(**make_gpt.SHAPE, dtype=dtype)
    model.set_weights({name: array.astype(dtype) for name, array in PARAMETERS.items()})
    return model


def loss_of(model):
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(GIVEN["labels"], model(GIVEN["ids"]))


def tolerance(dtype, of_float32, of_float64=1e-10):
    return of_float64 if dtype == "float64" else of_float32


# ---- Beside GPT-2 of transformers ----------------------------------------------------------------


@BOTH_DTYPES
def test_logits_equal_those_of_gpt_2(dtype):
    logits = golden(dtype)(GIVEN["ids"])
    assert logits.dtype == dtype
    np.testing.assert_allclose(logits.data, GIVEN["logits"], atol=tolerance(dtype, 1e-5))


@BOTH_DTYPES
def test_logits_of_a_filled_up_batch_equal_those_of_gpt_2(dtype):
    mask = GIVEN["filled_mask"]
    logits = golden(dtype)(GIVEN["filled_ids"], mask=mask)
    expected = GIVEN["filled_logits"]
    np.testing.assert_allclose(logits.data[mask], expected[mask], atol=tolerance(dtype, 1e-5))


@BOTH_DTYPES
def test_every_gradient_equals_that_of_gpt_2(dtype):
    model = golden(dtype)
    loss_of(model).backward()
    for name, parameter in model.weights().items():
        expected = GRADIENTS[name]
        scale = np.abs(expected).max()
        error = np.abs(parameter.grad - expected).max() / scale
        assert parameter.grad.dtype == dtype and error < tolerance(dtype, 1e-4), name


@BOTH_DTYPES
def test_ten_steps_of_adamw_have_the_losses_of_gpt_2(dtype):
    model = golden(dtype)
    optimizer = optimizers.AdamW(**language_models.OPTIMIZER, global_clipnorm=language_models.CLIP)
    found = []
    for _ in range(language_models.STEPS):
        model.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step(model.parameters())
        found.append(loss.item())
    # PyTorch divides by the norm of the gradients + 1e-6.
    np.testing.assert_allclose(found, GIVEN["losses"], rtol=tolerance(dtype, 1e-4, 1e-6))
