"""Adapters in PEFT's folders: those of PEFT give its logits here, and ours give them there."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minigrad import finetune, models, optimizers, random
from minigrad.layers import Dense
from tests.golden.make_adapters import (
    CASES,
    FOLDER,
    NAMES,
    OURS,
    base_weights,
    inputs,
    load,
    our_model,
    write_ours,
)

LOGITS = load()
ADAPTERS = {
    "plain": ["query", "down"],
    "of_conv1d": ["mix"],
    "rslora_and_head": ["query", "down"],
    OURS: ["query", "down"],
}
EVERY = pytest.mark.parametrize("name", ADAPTERS)
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def logits(model):
    return model(inputs(), training=False).numpy()


def loaded(name):
    model = our_model()
    finetune.load_adapter(model, FOLDER / name, names=NAMES)
    return model


def test_the_base_gives_the_logits_of_pytorch():
    np.testing.assert_allclose(logits(our_model()), LOGITS["base"], rtol=0, atol=2e-6)


@EVERY
def test_an_adapter_gives_the_logits_of_peft(name):
    model = our_model()
    assert finetune.load_adapter(model, FOLDER / name, names=NAMES) == ADAPTERS[name]
    assert np.abs(LOGITS[name] - LOGITS["base"]).max() > 0.1
    np.testing.assert_allclose(logits(model), LOGITS[name], rtol=0, atol=2e-6)


def test_every_folder_is_tried():
    assert (
        {*ADAPTERS} == {*CASES, OURS} == {path.name for path in FOLDER.iterdir() if path.is_dir()}
    )


@EVERY
def test_merged_the_logits_are_those_of_peft(name):
    model = loaded(name)
    finetune.merge(model)
    np.testing.assert_allclose(logits(model), LOGITS[name], rtol=0, atol=1e-5)


def test_what_peft_has_read_is_still_what_is_written(tmp_path):
    """The golden logits of our own folder hold for what `save_adapter` writes today."""
    write_ours(tmp_path / "adapter")
    for file in (CONFIG, WEIGHTS):
        assert (tmp_path / "adapter" / file).read_bytes() == (FOLDER / OURS / file).read_bytes()


@EVERY
def test_written_and_read_again_an_adapter_is_the_same(name, tmp_path):
    model = loaded(name)
    finetune.save_adapter(model, tmp_path / "adapter", names=NAMES)
    again = our_model()
    finetune.load_adapter(again, tmp_path / "adapter", names=NAMES)
    assert logits(again).tobytes() == logits(model).tobytes()
    for ours, theirs in zip(model.weights().values(), again.weights().values(), strict=True):
        assert ours.requires_grad == theirs.requires_grad


def test_written_again_the_arrays_are_those_of_peft(tmp_path):
    for name in CASES:
        finetune.save_adapter(loaded(name), tmp_path / name, names=NAMES)
        theirs, ours = load_file(FOLDER / name / WEIGHTS), load_file(tmp_path / name / WEIGHTS)
        assert theirs.keys() == ours.keys()
        for key, array in theirs.items():
            assert array.dtype == ours[key].dtype and np.array_equal(array, ours[key])


def test_the_configuration_says_what_peft_needs(tmp_path):
    model = our_model()
    method = finetune.LoRA(r=4, alpha=2.5, dropout=0.25, targets="mix", use_rslora=True)
    finetune.prepare(model, method)
    finetune.save_adapter(
        model, tmp_path, names=NAMES, conv1d=True, base="gpt2", task_type="CAUSAL_LM"
    )
    config = json.loads((tmp_path / CONFIG).read_text())
    assert config == {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "gpt2",
        "r": 4,
        "lora_alpha": 2.5,
        "lora_dropout": 0.25,
        "use_rslora": True,
        "fan_in_fan_out": True,
        "target_modules": ["attention.c_attn"],
        "modules_to_save": None,
        "bias": "none",
        "inference_mode": True,
    }


def test_an_adapter_in_float64_keeps_every_bit(tmp_path):
    def model():
        made = models.Sequential([Dense(4, input_shape=(3,), dtype="float64"), Dense(2)])
        made.build((None, 3))
        return made

    source, again = model(), model()
    numbers = np.random.default_rng(0)
    for weight in source.weights().values():
        weight.assign(numbers.normal(size=weight.shape))
    again.set_weights(source.get_weights())
    finetune.prepare(source, finetune.LoRA(r=2, targets="0", head="1"))
    for weight in source.parameters():
        if weight.requires_grad:
            weight.assign(numbers.normal(size=weight.shape))
    finetune.save_adapter(source, tmp_path / "deep" / "down")
    finetune.load_adapter(again, tmp_path / "deep" / "down")
    for path in ("0.adapters.default.a", "0.adapters.default.b", "1.weight", "1.bias"):
        assert again.weights()[path].numpy().tobytes() == source.weights()[path].numpy().tobytes()


@pytest.mark.parametrize("name, words", [("lora_alpha", 8), ("r", "wanted (6, 8)")])
def test_what_the_configuration_leaves_out_is_that_of_peft(name, words, tmp_path):
    shutil.copytree(FOLDER / "plain", tmp_path / "adapter")
    config = json.loads((tmp_path / "adapter" / CONFIG).read_text())
    del config[name]
    (tmp_path / "adapter" / CONFIG).write_text(json.dumps(config))
    model = our_model()
    if name == "lora_alpha":
        finetune.load_adapter(model, tmp_path / "adapter", names=NAMES)
        assert model.query.adapters["default"].alpha == words
    else:
        with pytest.raises(ValueError, match=re.escape(words)):
            finetune.load_adapter(model, tmp_path / "adapter", names=NAMES)


def test_the_options_of_an_adapter_come_with_it():
    adapter = loaded("plain").query.adapters["default"]
    assert (adapter.r, adapter.alpha, adapter.dropout, adapter.use_rslora) == (2, 6, 0.25, False)
    assert loaded("rslora_and_head").query.adapters["default"].use_rslora


def test_an_adapter_trains_on_with_its_head():
    model = loaded("rslora_and_head")
    before = model.get_weights()
    model.compile(optimizers.Adam(0.01), "mse")
    model.fit(inputs(), np.ones((7, 3), "f4"), verbose=0)
    after = model.get_weights()
    changed = {path for path in before if not np.array_equal(before[path], after[path])}
    assert changed == {path for path in before if "adapters" in path or "classifier" in path}


def test_several_folders_share_one_base():
    model = our_model()
    for name in ("plain", "of_conv1d"):
        finetune.load_adapter(model, FOLDER / name, name, NAMES)
    for name in ("plain", "of_conv1d"):
        finetune.use_adapters(model, name)
        np.testing.assert_allclose(logits(model), LOGITS[name], rtol=0, atol=2e-6)


def test_a_layer_stands_for_all_in_it_and_of_two_the_longer_counts(tmp_path):
    def model():
        random.seed(0)
        inner = models.Sequential([Dense(3, input_shape=(3,)), Dense(3)])
        return models.Sequential([inner, Dense(2)])

    source = model()
    source.build((None, 3))
    finetune.prepare(source, finetune.LoRA(r=1))
    finetune.save_adapter(source, tmp_path, names={"0": "encoder", "0.1": "last", "1": "head"})
    paths = {key.split(".lora")[0] for key in load_file(tmp_path / WEIGHTS) if "lora" in key}
    assert paths == {"base_model.model.encoder.0", "base_model.model.last"}
    again = model()
    again.build((None, 3))
    finetune.load_adapter(again, tmp_path, names={"0": "encoder", "0.1": "last", "1": "head"})
    assert finetune.adapter_names(again) == ["default"]


# ---- Bad input -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(FOLDER / "rslora_and_head", tmp_path / "adapter")
    return tmp_path / "adapter"


def configure(**changes):
    def change(folder):
        config = json.loads((folder / CONFIG).read_text())
        (folder / CONFIG).write_text(json.dumps(config | changes))

    return change


def rearrange(function):
    def change(folder):
        save_file(function(load_file(folder / WEIGHTS)), folder / WEIGHTS)

    return change


QUERY = "base_model.model.attention.self.query"
A = f"{QUERY}.lora_A.weight"


def without(*keys):
    return rearrange(lambda arrays: {k: a for k, a in arrays.items() if k not in keys})


def renamed(old, new):
    return rearrange(lambda arrays: {k.replace(old, new): a for k, a in arrays.items()})


BAD = {
    "no LoRA": (configure(peft_type="IA3"), "describes no LoRA peft_type='IA3'"),
    "DoRA": (configure(use_dora=True), "does not know this LoRA use_dora=True"),
    "biases": (configure(bias="all"), "does not know this LoRA bias='all'"),
    "PiSSA": (configure(init_lora_weights="pissa"), "does not know init_lora_weights='pissa'"),
    "several ranks": (configure(rank_pattern={"query": 3}), "does not know rank_pattern={'query'"),
    "r of text": (configure(r="4"), "adapter_config.json LoRA needs r r='4'"),
    "r of another": (configure(r=3), "mismatched: query.a: wanted (6, 3) got (6, 4)"),
    "alpha of none": (configure(lora_alpha=None), "lora_alpha must be lora_alpha=None"),
    "a list": (lambda folder: (folder / CONFIG).write_text("[]"), "describes no LoRA None"),
    "no JSON": (lambda folder: (folder / CONFIG).write_text("{"), "adapter_config.json cannot be"),
    "no configuration": (lambda folder: (folder / CONFIG).unlink(), "config.json' is missing"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "has no adapter_model.safetensors"),
    "half a layer": (without(A), "missing: query.a"),
    "a head without a bias": (
        without("base_model.model.classifier.bias"),
        "missing classifier.bias",
    ),
    "nothing": (rearrange(lambda arrays: {}), "has no adapter in it"),
    "a head alone": (
        rearrange(lambda arrays: {k: a for k, a in arrays.items() if "classifier" in k}),
        "has no adapter in it",
    ),
    "a name of 4 MB": (renamed("self.query", "x" * 1_000_000), "is no Dense layer of the model"),
    "an unknown layer": (
        renamed("self.query", "self.qeury"),
        "'attention.self.qeury' is no Dense layer mean 'attention.self.query'",
    ),
    "an embedding": (renamed("lora_A.weight", "lora_embedding_A"), "no part of a LoRA of Dense"),
    "another prefix": (renamed("base_model.model.", ""), "is no part of a LoRA of Dense layers"),
    "NaN": (
        rearrange(lambda arrays: arrays | {A: np.full_like(arrays[A], np.nan)}),
        "NaN or infinite numbers in query.a",
    ),
    "a shape": (
        rearrange(lambda arrays: arrays | {A: arrays[A].T.copy()}),
        "mismatched: query.a: wanted (6, 4)",
    ),
}


def assert_says(error, words):
    message, position = str(error.value), 0
    for word in words.split():
        assert word in message[position:], message
        position = message.index(word, position)


@pytest.mark.parametrize("case", BAD)
def test_a_folder_that_does_not_fit_is_explained_and_changes_nothing(folder, case):
    change, words = BAD[case]
    change(folder)
    model = our_model()
    with pytest.raises(ValueError) as error:
        finetune.load_adapter(model, folder, names=NAMES)
    assert_says(error, words)
    assert model.weights().keys() == base_weights().keys()
    assert all(weight.requires_grad for weight in model.weights().values())
    assert np.array_equal(logits(model), logits(our_model()))


def test_a_name_that_is_taken_is_refused_and_changes_nothing():
    model = our_model()
    finetune.load_adapter(model, FOLDER / "of_conv1d", names=NAMES)
    finetune.unfreeze(model, "query")
    before = [weight.requires_grad for weight in model.weights().values()]
    with pytest.raises(ValueError, match="has an adapter 'default' already"):
        finetune.load_adapter(model, FOLDER / "plain", names=NAMES)
    assert [weight.requires_grad for weight in model.weights().values()] == before


def test_what_a_folder_cannot_hold_is_named(tmp_path):
    model = models.Sequential([Dense(4, input_shape=(3,)), Dense(2)])
    finetune.prepare(model, finetune.LoRA())
    finetune.unfreeze(model, "0.bias")
    with pytest.raises(ValueError, match="0.bias learns, and a PEFT folder.*freeze"):
        finetune.save_adapter(model, tmp_path)
    with pytest.raises(ValueError, match="no adapter 'x'. There are: default"):
        finetune.save_adapter(model, tmp_path, "x")
    assert list(tmp_path.iterdir()) == []
