"""Folders of Hugging Face: read, they give the logits of transformers; written, they still do."""

import json
import shutil
from functools import partial

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minigrad import finetune, models
from minigrad.finetune.families import Settings, family_of_config
from minigrad.models.embedding import Pooling
from minigrad.text import reading
from tests.golden import make_tokenizers
from tests.golden.make_pretrained import (
    CASES,
    FOLDER,
    IDS,
    MASK,
    SEGMENTS,
    SENTENCES,
    TEXTS,
    load,
)

RESULTS = load()
TOKENIZERS = json.loads(make_tokenizers.FILE.read_text(encoding="ascii"))
HEADS = {"bert_tokens": "tokens", "bert_classes": "classes"}
EVERY = pytest.mark.parametrize("case", CASES)
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def read(case, folder=FOLDER, **options):
    return finetune.from_pretrained(folder / case, head=HEADS.get(case), **options)


def result(model, case):
    """What the model makes of IDS, where transformers had the same."""
    words = {"mask": MASK, "segments": SEGMENTS} if case.startswith("bert") else {}
    call = model.features if case == "gpt2_body" else model
    return call(IDS, **words).numpy()


def changed(tmp_path, case="bert", settings=None, weights=None):
    """A copy of a case's folder with other settings, and weights {name: array, or None for none}"""
    folder = tmp_path / "changed"
    shutil.copytree(FOLDER / case, folder)
    if settings is not None:
        found = json.loads((folder / CONFIG).read_text())
        (folder / CONFIG).write_text(json.dumps({**found, **settings}))
    if weights is not None:
        arrays = {**load_file(folder / WEIGHTS), **weights}
        save_file({k: x for k, x in arrays.items() if x is not None}, folder / WEIGHTS)
    return folder


# ---- Reading -------------------------------------------------------------------------------------


@EVERY
def test_the_logits_are_those_of_transformers(case):
    model = read(case)
    ours, theirs = result(model, case), RESULTS[case]
    if case in ("bert", "bert_tokens"):
        ours, theirs = ours[MASK], theirs[MASK]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def test_the_vectors_of_sentences_are_those_of_transformers():
    model = finetune.from_pretrained(FOLDER / SENTENCES)
    np.testing.assert_allclose(model.embed(TEXTS), RESULTS[SENTENCES], rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        model.embed(TEXTS, batch_size=1), RESULTS[SENTENCES], rtol=0, atol=1e-6
    )


@EVERY
def test_every_family_has_a_name_for_each_weight(case):
    model = read(case)
    assert finetune.saving.their_weights(model).keys()


def test_older_names_and_no_prefix_are_understood(tmp_path):
    arrays = load_file(FOLDER / "bert_tokens" / WEIGHTS)
    older = {}
    for name, array in arrays.items():
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        older[name] = None
        older[old.replace("LayerNorm.bias", "LayerNorm.beta")] = array
    older |= {
        "bert.embeddings.position_ids": np.arange(12)[None],
        "cls.predictions.decoder.weight": arrays["bert.embeddings.word_embeddings.weight"],
        "cls.seq_relationship.weight": np.zeros((2, 16), np.float32),
    }
    model = finetune.from_pretrained(changed(tmp_path, "bert_tokens", None, older), head="tokens")
    assert result(model, "bert").tobytes() == result(read("bert_tokens"), "bert").tobytes()


def test_a_file_without_a_pooler_makes_a_model_without_one():
    model = finetune.from_pretrained(FOLDER / "bert_tokens")
    assert not model.use_pooler
    with pytest.raises(ValueError, match="without a pooler"):
        model.pool(model(IDS))


def test_no_random_number_is_drawn():
    from minigrad import random

    before = random.get_state()
    read("gpt2")
    assert random.get_state() == before


# ---- What does not fit ---------------------------------------------------------------------------


def test_one_report_lists_all_that_does_not_fit(tmp_path):
    weights = {
        "embeddings.LayerNorm.weight": None,
        "encoder.layer.7.output.dense.bias": np.zeros(16, np.float32),
        "pooler.dense.weight": np.zeros((16, 15), np.float32),
        "pooler.dense.bias": np.zeros(16, np.int64),
    }
    folder = changed(tmp_path, "bert", None, weights)
    with pytest.raises(ValueError) as error:
        finetune.from_pretrained(folder)
    message = str(error.value)
    assert message.startswith(str(folder))
    assert "1 missing: embeddings.LayerNorm.weight" in message
    assert "1 unexpected: encoder.layer.7.output.dense.bias" in message
    assert "2 mismatched" in message and "(16, 15)" in message and "int64" in message


UNSUPPORTED = {
    "another activation": ("bert", {"hidden_act": "relu"}),
    "the GELU of a tanh": ("bert", {"hidden_act": "gelu_new"}),
    "another type of positions": ("bert", {"position_embedding_type": "relative_key"}),
    "a decoder": ("bert", {"is_decoder": True}),
    "two shares of dropout": ("bert", {"hidden_dropout_prob": 0.3}),
    "quantized weights": ("bert", {"quantization_config": {"bits": 4}}),
    "another GELU": ("gpt2", {"activation_function": "gelu"}),
    "scaled attention": ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
    "a sliding window": ("qwen2", {"use_sliding_window": True}),
    "layers with windows": ("qwen3", {"layer_types": ["full_attention", "sliding_attention"]}),
    "biases of attention": ("llama", {"attention_bias": True}),
    "other angles": ("qwen2", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1.0}}),
    "other angles of older files": (
        "qwen2",
        {"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}},
    ),
    "another family": ("bert", {"model_type": "roberta"}),
    "no size": ("bert", {"hidden_size": None}),
    "a size of text": ("bert", {"hidden_size": "16"}),
    "very many layers": ("bert", {"num_hidden_layers": 10**9}),
    "a huge model": ("bert", {"hidden_size": 2**40}),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_a_setting_that_no_model_has_is_named(tmp_path, what):
    case, settings = UNSUPPORTED[what]
    folder = changed(tmp_path, case, settings)
    with pytest.raises(ValueError, match="config.json"):
        finetune.from_pretrained(folder)


ARGUMENTS = {
    "a dtype that is misspelt": ("bert", {"dtype": "float23"}, "dtype is .* dtype='float23'"),
    "a dtype of integers": ("gpt2", {"dtype": "int32"}, "dtype is .* dtype='int32'"),
    "no dtype": ("llama", {"dtype": None}, "dtype is .* dtype=None"),
    "a large dropout": ("bert", {"dropout": 2}, "dropout must be .* dropout=2"),
    "a dropout of text": ("gpt2", {"dropout": "a"}, "dropout must be .* dropout='a'"),
    "a dropout of a Llama": ("llama", {"dropout": 0.1}, "a Llama has no dropout.* dropout=0.1"),
    "a head that is misspelt": ("bert", {"head": "clases"}, "head of a BERT .* head='clases'"),
    "a head of a GPT": ("gpt2", {"head": "classes"}, "head of a GPT .* head='classes'"),
    "a head in a list": ("bert", {"head": ["tokens"]}, r"head of a BERT .* head=\['tokens'\]"),
}


@pytest.mark.parametrize("what", ARGUMENTS)
def test_an_argument_is_named_and_not_the_folder(what):
    case, options, words = ARGUMENTS[what]
    with pytest.raises(ValueError, match=words) as error:
        finetune.from_pretrained(FOLDER / case, **options)
    assert "config.json" not in str(error.value)


# What transformers takes where config.json leaves a setting out.
USUAL = {
    ("bert", "layer_norm_eps"): ("layer_norm_epsilon", 1e-12),
    ("bert", "type_vocab_size"): ("num_segments", 2),
    ("gpt2", "layer_norm_epsilon"): ("layer_norm_epsilon", 1e-5),
    ("gpt2", "n_positions"): ("max_sequence_length", 1024),
    ("llama", "rms_norm_eps"): ("layer_norm_epsilon", 1e-6),
    ("llama", "tie_word_embeddings"): ("tie_embeddings", False),
    ("llama", "num_key_value_heads"): ("num_key_value_heads", 4),
    ("llama", "rope_theta"): ("rope_max_wavelength", 10000.0),
}
DROPOUTS = {
    "bert": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    "gpt2": ("resid_pdrop", "embd_pdrop", "attn_pdrop"),
}


@pytest.mark.parametrize("case, name", USUAL)
def test_a_setting_that_is_left_out_is_that_of_transformers(case, name):
    values = json.loads((FOLDER / case / CONFIG).read_text())
    for left_out in (name, "rope_parameters", "rope_scaling"):
        values.pop(left_out, None)
    values["num_attention_heads"] = 4
    settings = Settings(values, "config.json")
    ours, usual = USUAL[case, name]
    found = family_of_config(settings).arguments(settings, None, [])[ours]
    assert found == usual or (found is None and name == "num_key_value_heads")


@pytest.mark.parametrize("case", DROPOUTS)
def test_the_dropout_that_is_left_out_is_that_of_transformers(case, tmp_path):
    assert (
        finetune.from_pretrained(changed(tmp_path, case, dict.fromkeys(DROPOUTS[case]))).dropout
        == 0.1
    )


def test_dropout_may_be_chosen(tmp_path):
    folder = changed(tmp_path, "bert", {"hidden_dropout_prob": 0.3})
    assert finetune.from_pretrained(folder, dropout=0.25).dropout == 0.25
    assert read("bert").dropout == 0.1


def test_an_output_of_its_own_is_not_taken_for_the_embedding(tmp_path):
    other = {"lm_head.weight": np.ones((40, 16), np.float32)}
    with pytest.raises(ValueError, match=r"lm_head.weight is not transformer.wte.weight"):
        finetune.from_pretrained(changed(tmp_path, "gpt2", None, other))


def test_pickles_are_refused_with_the_line_that_converts_them(tmp_path):
    folder = changed(tmp_path)
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="this line converts it"):
        finetune.from_pretrained(folder)


# ---- Writing -------------------------------------------------------------------------------------


@EVERY
def test_written_and_read_again_every_bit_is_the_same(case, tmp_path):
    model = read(case)
    finetune.save_pretrained(model, tmp_path / case)
    again = read(case, tmp_path)
    for (path, ours), theirs in zip(model.weights().items(), again.weights().values(), strict=True):
        assert ours.numpy().tobytes() == theirs.numpy().tobytes(), path
    assert again.get_config() == model.get_config()
    assert result(again, case).tobytes() == result(model, case).tobytes()


def test_the_file_of_transformers_is_written_again(tmp_path):
    """Their names, shapes and numbers, for each of their files that has the dtype of ours."""
    for case in ("bert", "bert_tokens", "gpt2", "qwen3"):
        finetune.save_pretrained(read(case), tmp_path / case)
        ours, theirs = load_file(tmp_path / case / WEIGHTS), load_file(FOLDER / case / WEIGHTS)
        assert ours.keys() == theirs.keys()
        for name, array in theirs.items():
            assert np.array_equal(array, ours[name]), name


LABELS = ["no", "perhaps", "yes"]


def test_the_names_of_classes_outlive_training_and_every_way_to_save(tmp_path):
    model = read("bert_classes")
    assert model.labels == LABELS
    finetune.prepare(model, "full")
    model.compile("sgd", "mse")
    model.fit(IDS, np.zeros((len(IDS), 3), "f4"), verbose=0)
    model.save(tmp_path / "whole.safetensors")
    finetune.save_pretrained(models.load_model(tmp_path / "whole.safetensors"), tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text(encoding="utf-8"))
    assert config["id2label"] == {"0": "no", "1": "perhaps", "2": "yes"}
    assert config["label2id"] == {"no": 0, "perhaps": 1, "yes": 2}
    assert finetune.from_pretrained(tmp_path, head="classes").labels == LABELS


def test_classes_without_names_are_numbered_as_by_transformers(tmp_path):
    folder = changed(tmp_path, "bert_classes", {"id2label": None, "num_labels": 3})
    model = finetune.from_pretrained(folder, head="classes")
    assert model.labels is None and model.num_classes == 3
    finetune.save_pretrained(model, tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text(encoding="utf-8"))
    assert config["id2label"] == {str(i): f"LABEL_{i}" for i in range(3)}


@pytest.mark.parametrize(
    "table",
    [{"0": "no", "1": "yes", "3": "?"}, {"0": "no", "1": [], "2": "yes"}, ["no", "?", "yes"]],
    ids=["a gap", "a list", "no table"],
)
def test_names_that_are_not_those_of_the_outputs_are_named(table, tmp_path):
    folder = changed(tmp_path, "bert_classes", {"id2label": table})
    with pytest.raises(ValueError, match=r"config.json: id2label has a name for each output"):
        finetune.from_pretrained(folder, head="classes")


def test_more_names_than_classes_are_refused():
    with pytest.raises(ValueError, match=r"one for each. Received: labels=\['a'\], num_classes=2"):
        models.BERT(9, 1, 1, 4, head="classes", num_classes=2, labels=["a"])


FEATURES = np.random.default_rng(0).normal(-1, 1, (2, 4, 3)).astype("f4")
COUNT = np.array([[True, True, True, False], [True, False, True, False]])


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("kind", ["mean", "max", "cls"])
def test_each_pooling_is_its_definition(kind, normalize):
    found = Pooling(kind, normalize)(FEATURES, COUNT)
    for vector, rows, counts in zip(found, FEATURES, COUNT, strict=True):
        expected = {
            "mean": rows[counts].mean(axis=0),
            "max": rows[counts].max(axis=0),
            "cls": rows[0],
        }[kind]
        if normalize:
            expected = expected / np.sqrt(expected @ expected)
        np.testing.assert_allclose(vector, expected, rtol=1e-6)


@pytest.mark.parametrize("pooling", [Pooling("max", True, 5), Pooling("cls", False, 9)])
def test_how_texts_are_pooled_is_written_and_read(pooling, tmp_path):
    model = read("bert")
    model.pooling = pooling
    finetune.save_pretrained(model, tmp_path)
    assert finetune.from_pretrained(tmp_path).pooling == pooling


def test_a_text_is_read_to_the_length_that_its_folder_says():
    model = finetune.from_pretrained(FOLDER / SENTENCES)
    long = " ".join(TEXTS * 9)
    for length in (5, 7):
        model.pooling = Pooling("mean", False, length)
        ids = np.array([model.tokenizer.encode(long, max_length=length)])
        assert ids.shape == (1, length)
        expected = model.features(ids).numpy()[0].mean(axis=0)
        np.testing.assert_allclose(model.embed([long])[0], expected, rtol=0, atol=1e-5)


def test_a_batch_that_is_none_is_named():
    with pytest.raises(ValueError, match="batch_size to be a positive integer. Received: .*=0"):
        finetune.from_pretrained(FOLDER / SENTENCES).embed(TEXTS, batch_size=0)


def test_a_folder_of_sentences_stays_one(tmp_path):
    model = finetune.from_pretrained(FOLDER / SENTENCES)
    finetune.save_pretrained(model, tmp_path)
    again = finetune.from_pretrained(tmp_path)
    assert again.pooling == model.pooling
    assert again.embed(TEXTS).tobytes() == model.embed(TEXTS).tobytes()


@EVERY
def test_transformers_finds_the_same_logits_in_what_is_written(case, tmp_path):
    torch = pytest.importorskip("torch", reason="NOT TESTED: torch is not installed")
    transformers = pytest.importorskip(
        "transformers", reason="NOT TESTED: transformers is not installed"
    )
    from tests.golden.make_pretrained import call

    model = read(case)
    finetune.save_pretrained(model, tmp_path)
    kind = {"gpt2_body": "GPT2LMHeadModel"}.get(case, CASES[case][0])
    theirs = getattr(transformers, kind).from_pretrained(tmp_path, dtype=torch.float64)
    ours = read(case, dtype="float64")
    words = {"mask": MASK, "segments": SEGMENTS} if case.startswith("bert") else {}
    found, wanted = ours(IDS, **words).numpy(), call(theirs, case)
    rows = MASK if case in ("bert", "bert_tokens") else ...
    np.testing.assert_allclose(found[rows], wanted[rows], rtol=0, atol=1e-5)


SIZES = {"num_layers": 1, "num_heads": 2, "hidden_dim": 16, "max_sequence_length": 512}
MODELS = {  # for the tokenizers of their names
    "bert": models.BERT,
    "bert_cased": models.BERT,
    "gpt2": models.GPT,
    "llama3": partial(models.Llama, intermediate_dim=16),
    "qwen2": partial(models.Llama, intermediate_dim=16, use_qkv_bias=True),
}


def test_transformers_calls_the_classes_by_their_names(tmp_path):
    transformers = pytest.importorskip(
        "transformers", reason="NOT TESTED: transformers is not installed"
    )
    finetune.save_pretrained(read("bert_classes"), tmp_path)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert theirs.config.id2label == dict(enumerate(LABELS))


def save_with_tokenizer(name, folder):
    tokenizer = reading.read(TOKENIZERS["tokenizers"][name]["file"])
    model = MODELS[name](tokenizer.vocabulary_size, **SIZES)
    model.tokenizer = tokenizer
    finetune.save_pretrained(model, folder)


def test_a_folder_says_what_special_tokens_are_for(tmp_path):
    save_with_tokenizer("bert", tmp_path)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text()) == {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "clean_up_tokenization_spaces": False,
        **{"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]"},
        **{"sep_token": "[SEP]", "mask_token": "[MASK]"},
    }


@pytest.mark.parametrize("name", MODELS)
def test_transformers_finds_the_same_ids_by_what_is_written(name, tmp_path):
    transformers = pytest.importorskip(
        "transformers", reason="NOT TESTED: transformers is not installed"
    )
    save_with_tokenizer(name, tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    found = [theirs(text)["input_ids"] for text in TOKENIZERS["texts"]]
    assert found == TOKENIZERS["tokenizers"][name]["ids"]
    assert theirs.pad_token in ("[PAD]", "<|endoftext|>")


def test_adapters_are_no_part_of_such_a_folder(tmp_path):
    model = read("bert")
    finetune.prepare(model, finetune.LoRA(r=2, targets="query"))
    with pytest.raises(ValueError, match="save_adapter"):
        finetune.save_pretrained(model, tmp_path)


def test_other_models_have_no_such_folder(tmp_path):
    with pytest.raises(ValueError, match=r"known for BERT, GPT, Llama. Received: Sequential"):
        finetune.save_pretrained(models.Sequential([]), tmp_path)
