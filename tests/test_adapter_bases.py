"""An adapter belongs to its base: on another one of the same shapes it is refused, and told why."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minigrad import finetune, models, random, text
from minigrad.finetune.base_fingerprint import _blocks, base_differences, base_fingerprint
from minigrad.finetune.tasks import Classify
from minigrad.layers import Dense
from minigrad.weight_file import open_weights
from tests.tiny_models import WORDS, tiny_bert, tiny_gpt

ROWS = [{"text": f"the {word} is {word}"} for word in WORDS]
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("base") / "bert")


def adapted(folder, merged=False, **options):
    """A model of a task with an adapter that has learned something, and the task."""
    task = Classify(["good", "bad"])
    random.seed(3)
    model = task.model(finetune.from_pretrained(folder, **options))
    finetune.prepare(model, finetune.LoRA(r=2, targets=["query", "down"]))
    for weight in model.parameters():
        if weight.requires_grad:
            weight.assign(random.generator().normal(0, 0.3, weight.shape).astype(weight.dtype))
    if merged:
        finetune.merge(model)
    return model, task


def predictions(model, task):
    return model.predict(task.inputs(ROWS, model.base.tokenizer), verbose=0)


def changed(folder, to, arrays=None, **settings):
    """A copy of a base's folder with other weights {name: function of the array}, or settings."""
    shutil.copytree(folder, to)
    found = load_file(to / "model.safetensors")
    found |= {name: change(found[name]) for name, change in (arrays or {}).items()}
    save_file(found, to / "model.safetensors")
    config = json.loads((to / "config.json").read_text(encoding="utf-8"))
    (to / "config.json").write_text(json.dumps(config | settings), encoding="utf-8")
    return to


# ---- What is refused -----------------------------------------------------------------------------


def test_another_base_of_the_same_shapes_is_refused_by_name(bert, tmp_path):
    model, task = adapted(bert)
    finetune.save_finetuned(model, task, tmp_path / "tuned", bert)
    other = tiny_bert(tmp_path / "other", seed=1)
    with pytest.raises(ValueError) as error:
        finetune.load_finetuned(tmp_path / "tuned", base=other)
    said = str(error.value)
    assert f"learned on another base, {str(bert)!r}" in said and "any_base=True" in said
    assert "What differs is the weights." in said and "configuration" not in said


def test_a_base_that_was_replaced_in_its_folder_is_refused(tmp_path):
    base = tiny_bert(tmp_path / "base")
    finetune.save_finetuned(*adapted(base), tmp_path / "tuned", base)
    tiny_bert(base, seed=1)
    with pytest.raises(ValueError, match="What differs is the weights"):
        finetune.load_finetuned(tmp_path / "tuned")


def test_a_setting_that_no_weight_shows_is_named(bert, tmp_path):
    finetune.save_finetuned(*adapted(bert), tmp_path / "tuned", bert)
    other = changed(bert, tmp_path / "other", num_attention_heads=1, layer_norm_eps=0.5)
    with pytest.raises(ValueError) as error:
        finetune.load_finetuned(tmp_path / "tuned", base=other)
    for words in ("num_heads was 2 and is 1", "layer_norm_epsilon was 1e-12 and is 0.5"):
        assert words in str(error.value)
    assert "the weights" not in str(error.value)


def test_another_tokenizer_is_named(bert, tmp_path):
    finetune.save_finetuned(*adapted(bert), tmp_path / "tuned", bert)
    other = shutil.copytree(bert, tmp_path / "other")
    file = other / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    vocabulary["cat"], vocabulary["dog"] = vocabulary["dog"], vocabulary["cat"]
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="What differs is the tokenizer"):
        finetune.load_finetuned(tmp_path / "tuned", base=other)


def test_every_weight_counts_in_any_of_its_corners(bert):
    model = finetune.from_pretrained(bert)
    before = base_fingerprint(model)
    for path, weight in model.weights().items():
        for corner in (0, -1):
            kept = weight.numpy()
            other = kept.copy()
            other[(corner,) * weight.ndim] += 1e-3
            weight.assign(other)
            assert base_differences(before, base_fingerprint(model)) == ["the weights"], path
            weight.assign(kept)
    assert base_differences(before, base_fingerprint(model)) == []


def test_an_adapter_alone_knows_its_base_as_well(tmp_path):
    def model(seed, activation="tanh"):
        random.seed(seed)
        made = models.Sequential([Dense(4, activation, input_shape=(3,)), Dense(2)])
        made.build((None, 3))
        return made

    source = model(0)
    finetune.prepare(source, finetune.LoRA(r=1))  # the last layer is the head, and learns
    source.layers[1].weight.assign(np.ones((4, 2), "f4"))
    finetune.save_adapter(source, tmp_path, base="mine")
    finetune.load_adapter(model(0), tmp_path)
    other = model(1)
    with pytest.raises(ValueError, match=r"another base, 'mine'.* differs is the weights\."):
        finetune.load_adapter(other, tmp_path)
    assert finetune.adapter_names(other) == []
    with pytest.raises(ValueError, match="the configuration: layers was .*tanh.* and is .*relu"):
        finetune.load_adapter(model(0, "relu"), tmp_path)
    assert finetune.load_adapter(other, tmp_path, any_base=True) == ["0"]


def test_what_an_adapter_could_not_be_read_beside_is_not_saved(bert, tmp_path):
    """Its base was trained before: the folder of the base has other weights."""
    model, task = adapted(bert)
    weight = model.base.blocks[1].up.weight
    weight.assign(weight.numpy() * 1.5)
    with pytest.raises(ValueError, match=r"another base than that in .*bert.* is the weights"):
        finetune.save_finetuned(model, task, tmp_path / "tuned", bert)
    assert not (tmp_path / "tuned" / WEIGHTS).exists()
    expected = predictions(model, task)
    finetune.merge(model, for_good=True)
    finetune.save_finetuned(model, task, tmp_path / "tuned")
    found = predictions(*finetune.load_finetuned(tmp_path / "tuned"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


# ---- What is the same base still -----------------------------------------------------------------

SAME = {
    "as it was": {},
    "another dropout": {"dropout": 0.4},
    "another dtype": {"dtype": "float64"},
}


@pytest.mark.parametrize("options", SAME.values(), ids=SAME)
@pytest.mark.parametrize("merged", [False, True])
def test_the_same_base_is_known_again(options, merged, bert, tmp_path):
    model, task = adapted(bert, merged, **options)
    finetune.save_finetuned(model, task, tmp_path / "tuned", bert)
    again, task = finetune.load_finetuned(tmp_path / "tuned")
    np.testing.assert_allclose(predictions(again, task), predictions(model, task), atol=1e-5)


def test_a_base_that_was_moved_or_saved_again_is_the_same(bert, tmp_path):
    model, task = adapted(bert)
    finetune.save_finetuned(model, task, tmp_path / "tuned", bert)
    expected = predictions(model, task)
    finetune.save_pretrained(finetune.from_pretrained(bert), tmp_path / "again")
    shutil.copytree(bert, tmp_path / "moved")
    for base in ("again", "moved"):
        found = finetune.load_finetuned(tmp_path / "tuned", base=tmp_path / base)
        assert predictions(*found).tobytes() == expected.tobytes()


def test_the_order_of_the_vocabulary_in_its_file_means_nothing(bert, tmp_path):
    finetune.save_finetuned(*adapted(bert), tmp_path / "tuned", bert)
    other = shutil.copytree(bert, tmp_path / "other")
    file = other / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["model"]["vocab"] = dict(reversed(content["model"]["vocab"].items()))
    file.write_text(json.dumps(content), encoding="utf-8")
    finetune.load_finetuned(tmp_path / "tuned", base=other)


def test_a_base_that_is_gone_is_asked_for(tmp_path):
    base = tiny_bert(tmp_path / "base")
    finetune.save_finetuned(*adapted(base), tmp_path / "tuned", base)
    base.rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"there is none .*base'.* load_finetuned.*base=FOLDER"):
        finetune.load_finetuned(tmp_path / "tuned")


def test_a_whole_model_has_no_base(bert, tmp_path):
    task = Classify(["good", "bad"])
    finetune.save_finetuned(task.model(finetune.from_pretrained(bert)), task, tmp_path)
    with pytest.raises(ValueError, match="an adapter needs a base, and another model has none"):
        finetune.load_finetuned(tmp_path, base=bert)


def test_who_knows_better_takes_any_base(bert, tmp_path):
    finetune.save_finetuned(*adapted(bert), tmp_path / "tuned", bert)
    other = tiny_bert(tmp_path / "other", seed=1)
    model, _ = finetune.load_finetuned(tmp_path / "tuned", base=other, any_base=True)
    plain = finetune.from_pretrained(other)
    assert np.array_equal(model.base.tokens.weight.numpy(), plain.tokens.weight.numpy())
    assert finetune.adapter_names(model) == ["default"]


def test_a_folder_without_a_fingerprint_is_read_as_before(bert, tmp_path, recwarn):
    """PEFT writes none, and neither did minigrad."""
    model, task = adapted(bert)
    finetune.save_finetuned(model, task, tmp_path / "tuned", bert)
    file = tmp_path / "tuned" / WEIGHTS
    save_file(load_file(file), file, {"format": "pt"})
    assert open_weights(file)[1] == {"format": "pt"}
    found = predictions(*finetune.load_finetuned(tmp_path / "tuned"))
    assert found.tobytes() == predictions(model, task).tobytes()
    finetune.load_finetuned(tmp_path / "tuned", base=tiny_bert(tmp_path / "other", seed=1))
    assert not recwarn.list


def test_a_model_that_has_no_tokenizer_yet_may_have_the_adapter(tmp_path):
    model = finetune.from_pretrained(tiny_gpt(tmp_path / "gpt"))
    finetune.prepare(model, finetune.LoRA(r=1))
    finetune.save_adapter(model, tmp_path / "adapter")
    again = finetune.from_pretrained(tmp_path / "gpt")
    again.tokenizer = None
    finetune.load_adapter(again, tmp_path / "adapter")
    other = finetune.from_pretrained(tmp_path / "gpt")
    other.tokenizer = text.ByteTokenizer()
    with pytest.raises(ValueError, match="differs is the tokenizer"):
        finetune.load_adapter(other, tmp_path / "adapter")


def test_a_model_on_another_device_has_the_same_fingerprint(bert):
    model = finetune.from_pretrained(bert)
    expected = base_fingerprint(model)
    assert base_fingerprint(model.to("simulator")) == expected


# ---- What it costs, and what is no fingerprint ---------------------------------------------------


def test_of_a_large_weight_four_kilobytes_are_read():
    """This one has a terabyte, of which no number is there before it is asked for."""
    array = np.broadcast_to(np.float32(1), (500_000, 500_000))
    assert sum(map(len, _blocks(array))) == 4096
    assert sum(map(len, _blocks(np.broadcast_to(np.float32(1), 10**12)))) == 4096
    assert sum(map(len, _blocks(np.ones((3, 3, 2), "f4")))) == 4 * 72


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "minigrad_base cannot be read"),
        ("[" * 100_000, "minigrad_base cannot be read"),
        ("[]", "minigrad_base is no fingerprint, but \\[\\]"),
        ("{}", "minigrad_base is no fingerprint"),
        ('{"configuration": [], "tokenizer": "a", "weights": "b"}', "is no fingerprint"),
        ('{"configuration": {"a": 1}, "tokenizer": "a", "weights": "b"}', "is no fingerprint"),
        ('{"configuration": {}, "tokenizer": 1, "weights": "b"}', "is no fingerprint"),
        ('{"configuration": {}, "tokenizer": null, "weights": 1}', "is no fingerprint"),
    ],
    ids=range(8),
)
def test_a_damaged_fingerprint_is_named(content, words, bert, tmp_path):
    finetune.save_finetuned(*adapted(bert), tmp_path, bert)
    file = tmp_path / WEIGHTS
    save_file(load_file(file), file, {"minigrad_base": content})
    with pytest.raises(ValueError, match=words):
        finetune.load_finetuned(tmp_path)
