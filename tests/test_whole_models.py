"""GPT, BERT, Llama and the model of two sequences are those of other libraries, number by number.

The files were made by `tests/golden/make_bert.py` and its neighbours. What a model of one's own
would not show, a tanh in the place of an erf, an ε, a table that is not shared, shows here.
"""

import numpy as np
import pytest

from minigrad import losses, optimizers
from tests.golden import make_bert, make_gpt, make_heads, make_llama, make_seq2seq, whole_models

MAKERS = make_gpt, make_bert, make_heads, make_llama, make_seq2seq
EVERY = {
    f"{maker.__name__.rpartition('_')[2]}, {name}": (maker.CASES[name][0], case)
    for maker in MAKERS
    for name, case in whole_models.load(maker.FILE).items()
}
EVERY_MODEL = pytest.mark.parametrize("expression, case", EVERY.values(), ids=EVERY)
BOTH = pytest.mark.parametrize("dtype", ["float32", "float64"])


def make(expression, case, dtype):
    """The model of a case with the parameters that it began with."""
    model = whole_models.model_of(expression, dtype)
    model.set_weights({path: a.astype(dtype) for path, a in case["parameter"].items()})
    return model


def logits_and_loss(model, case):
    """The logits of a case, and the mean cross-entropy where labels ask for one."""
    inputs = {name: integers(array) for name, array in case["input"].items()}
    labels = inputs.pop("labels")
    sequences = [inputs.pop(name) for name in ("ids", "target") if name in inputs]
    logits = model(*sequences, **inputs)
    return logits, mean_loss(labels[labels >= 0], logits[labels >= 0])


def integers(array):
    return array if array.dtype == bool else array.astype("int64")


def mean_loss(labels, logits):
    return losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@BOTH
@EVERY_MODEL
def test_logits_are_theirs(expression, case, dtype):
    logits, _ = logits_and_loss(make(expression, case, dtype), case)
    ours, theirs, mask = logits.data, case["result"]["logits"], case["input"].get("mask")
    if mask is not None and mask.shape == ours.shape[:-1]:
        ours, theirs = ours[mask], theirs[mask]  # what is said of other tokens means nothing
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@BOTH
@EVERY_MODEL
def test_the_gradient_of_every_parameter_is_theirs(expression, case, dtype):
    model = make(expression, case, dtype)
    logits_and_loss(model, case)[1].backward()
    largest = max(np.abs(theirs).max() for theirs in case["gradient"].values())
    for path, parameter in model.weights().items():
        theirs = case["gradient"][path]
        tolerance = 1e-4 * max(np.abs(theirs).max(), 1e-3 * largest)
        np.testing.assert_allclose(parameter.grad, theirs, 0, tolerance, err_msg=path)


@BOTH
@EVERY_MODEL
def test_ten_steps_of_adamw_have_their_losses(expression, case, dtype):
    model = make(expression, case, dtype)
    optimizer = optimizers.AdamW(**whole_models.OPTIMIZER, global_clipnorm=whole_models.CLIP)
    found = []
    for _ in range(whole_models.STEPS):
        _, loss = logits_and_loss(model, case)
        model.zero_grad()
        loss.backward()
        optimizer.step(model.parameters())
        found.append(loss.item())
    np.testing.assert_allclose(found, case["result"]["losses"], rtol=1e-4)
