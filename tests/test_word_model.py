"""TF-IDF and logistic regression are those of scikit-learn."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from minigrad.programs.word_model import WordModel
from tests.golden.make_word_model import FILE, LABELS, OTHERS, TEXTS, C

GOLDEN = load_file(FILE)


@pytest.fixture(scope="module")
def model():
    return WordModel(C).fit(TEXTS, np.array(LABELS), classes=3)


def test_the_features_are_those_of_scikit_learn(model):
    np.testing.assert_allclose(model.features(TEXTS), GOLDEN["features"], atol=1e-12)


def test_the_weights_are_those_of_scikit_learn(model):
    np.testing.assert_allclose(model.weights, GOLDEN["weights"], atol=1e-6)


def test_it_says_of_other_texts_what_scikit_learn_says(model):
    np.testing.assert_allclose(model.predict(OTHERS), GOLDEN["probabilities"], atol=1e-6)
