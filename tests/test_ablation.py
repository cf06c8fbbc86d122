"""`minigrad ablation`: every way learns and is tested; what was interrupted goes on."""

import json

import numpy as np
import pytest

from minigrad import plots
from minigrad.__main__ import main
from minigrad.finetune import METHODS
from minigrad.programs import ablation, ablation_run
from tests import figures
from tests.tiny_models import WORDS, tiny_bert, tiny_gpt

KINDS = {"good": "praise", "bad": "blame"}
ADAPTED = 2 * 2 * 2 * 8 * 32  # weights of LoRA: 2 blocks, query and value, A and B, of 8 x 32
HEAD = 32 * 2 + 2


def sentences(n, seed):
    """A word at the end of some others says which kind a sentence is of."""
    generator = np.random.default_rng(seed)
    others = [word for word in WORDS if word not in KINDS]
    texts = [" ".join(generator.choice(others, 4)) for _ in range(n)]
    return [
        {"text": f"{text} {word}", "label": KINDS[word], "file": "a.py"}
        for text, word in zip(texts, [*KINDS] * n)
    ]


SIZES = {"train": 64, "validation": 20, "test": 40}
PARTS = {part: sentences(n, seed) for seed, (part, n) in enumerate(SIZES.items())}


@pytest.fixture(scope="module", autouse=True)
def small():
    """A task of a hundred sentences, and 2 epochs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ablation.data, "docstring_topics", lambda: dict(PARTS))
        patch.setattr(ablation, "EPOCHS", 2)
        yield


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory, bert):
    """The folder of an ablation of all ways, and the Figures that were drawn."""
    folder, drawn, finish = tmp_path_factory.mktemp("whole"), [], plots.style.finish
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots.style, "finish", lambda f, path: drawn.append(f) or finish(f, path))
        assert run(bert, folder, "--seeds", 1) == 0
    return folder, drawn


@pytest.fixture
def begun(monkeypatch):
    """The ways and seeds of all processes that are begun, which find something at once."""
    found = []

    def pretend(order):
        found.append((order["way"], order["seed"]))
        scores = dict.fromkeys(ablation.SCORES, 0.5)
        return scores | {"seconds": 1.0, "megabytes": 2.0, "share": 1, "bytes": 8, "curve": [0.5]}

    monkeypatch.setattr(ablation, "in_a_process", pretend)
    return found


def run(base, out, *options):
    words = ("ablation", base, "--examples", 32, "--out", out, *options)
    return main([str(word) for word in words])


def runs_of(folder):
    return json.loads((folder / ablation.RUNS).read_text(encoding="utf-8"))["runs"]


# ---- From the first run to the picture -----------------------------------------------------------


def test_every_method_of_finetune_is_compared():
    assert {way.method for way in ablation_run.WAYS.values()} == METHODS.keys()


def test_every_way_is_a_row_of_the_table(whole):
    lines = (whole[0] / ablation.TABLE).read_text(encoding="utf-8").splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == [*ablation_run.ABOUT.values()]
    assert len({line.count("|") for line in lines}) == 1


def test_the_picture_is_labelled_and_legible(whole):
    folder, [figure] = whole
    assert (folder / ablation.PICTURE).read_bytes().startswith(b"\x89PNG")
    figures.check(figure)


def test_the_table_counts_what_learns(whole):
    found = runs_of(whole[0])
    assert found["lora 0"]["bytes"] == 4 * (ADAPTED + HEAD)
    assert found["head 0"]["bytes"] == 4 * HEAD
    assert found["full 0"]["share"] == found["random 0"]["share"] == 1


def test_a_word_that_decides_is_found_by_counting_words(whole):
    assert runs_of(whole[0])["words 0"]["accuracy"] == 1


def test_memory_and_time_are_measured(whole):
    for name, found in runs_of(whole[0]).items():
        assert found["seconds"] > 0, name
        assert found["megabytes"] is None or found["megabytes"] >= 0, name


@pytest.mark.parametrize("way", ["full", "words"])
def test_equal_seeds_find_the_same_in_any_process(way, whole, bert, tmp_path, monkeypatch):
    monkeypatch.setattr(ablation, "in_a_process", lambda order: ablation_run.run(**order))
    assert run(bert, tmp_path, "--seeds", 1, "--methods", way) == 0
    again, before = runs_of(tmp_path)[f"{way} 0"], runs_of(whole[0])[f"{way} 0"]
    for name in ("curve", "bytes", *ablation.SCORES):
        assert again[name] == before[name]


def test_the_random_model_has_none_of_the_weights(bert):
    task = ablation_run.Classify(["a", "b"])
    pretrained, fresh = (ablation_run.new_model(way, bert, task) for way in ("full", "random"))
    for path, weights in fresh.weights().items():
        if path.endswith("weight") and path.startswith("base"):
            assert not np.array_equal(weights.numpy(), pretrained.weights()[path].numpy()), path


def test_all_ways_of_a_seed_learn_from_equal_examples():
    seeds = [ablation.draw(PARTS["train"], 32, seed) for seed in (0, 0, 1)]
    assert seeds[0] == seeds[1] != seeds[2]


# ---- Interrupted ---------------------------------------------------------------------------------


def test_an_interrupted_ablation_goes_on_where_it_was(bert, begun, tmp_path, monkeypatch):
    pretend = ablation.in_a_process

    def interrupt(order):
        if len(begun) == 3:
            raise KeyboardInterrupt
        return pretend(order)

    monkeypatch.setattr(ablation, "in_a_process", interrupt)
    assert run(bert, tmp_path, "--seeds", 2, "--methods", "head,lora") == 130
    assert runs_of(tmp_path).keys() == {"head 0", "lora 0", "head 1"}

    monkeypatch.setattr(ablation, "in_a_process", pretend)
    assert run(bert, tmp_path, "--seeds", 2, "--methods", "head,lora") == 0
    assert begun == [("head", 0), ("lora", 0), ("head", 1), ("lora", 1)]


def test_more_seeds_and_methods_repeat_nothing(bert, begun, tmp_path):
    assert run(bert, tmp_path, "--seeds", 1, "--methods", "head") == 0
    assert run(bert, tmp_path, "--seeds", 2, "--methods", "head, words") == 0
    assert begun == [("head", 0), ("words", 0), ("head", 1), ("words", 1)]


def test_runs_of_other_settings_are_refused_and_kept(bert, begun, tmp_path, capsys):
    assert run(bert, tmp_path, "--seeds", 1, "--methods", "head") == 0
    before = (tmp_path / ablation.RUNS).read_bytes()
    assert run(bert, tmp_path, "--seeds", 1, "--methods", "head", "--examples", 40) == 2
    assert "other settings: examples was 32 and is 40" in capsys.readouterr().err
    assert (tmp_path / ablation.RUNS).read_bytes() == before


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"settings": {}, "runs": {"head 0": {}}}', '{"settings": 1, "runs": {}}'],
)
def test_a_damaged_file_of_runs_is_named(content, bert, begun, tmp_path, capsys):
    (tmp_path / ablation.RUNS).write_text(content, encoding="utf-8")
    assert run(bert, tmp_path) == 2
    assert f"{ablation.RUNS} is damaged: delete it" in capsys.readouterr().err
    assert begun == []


def test_a_process_that_fails_is_named(bert, tmp_path, capfd):
    order = {"way": "lora", "seed": 3, "base": str(tmp_path / "none"), "rows": PARTS}
    order |= {"labels": ["praise", "blame"], "epochs": 1, "max_length": 8}
    with pytest.raises(ChildProcessError, match="LoRA.*seed 3: the process ended with status 1"):
        ablation.in_a_process(order)
    assert "Traceback" in capfd.readouterr().err


# ---- What cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(("--methods", "full,dropout"), "dropout", id="method"),
        pytest.param(("--seeds", "0"), "seeds is how many, an integer from 1 up", id="seeds"),
        pytest.param(("--examples", "1"), "examples is an integer from 2 to 64", id="few"),
        pytest.param(("--examples", "65"), "Received: examples=65", id="many"),
    ],
)
def test_options_that_cannot_be_are_named(options, message, bert, begun, tmp_path, capsys):
    assert run(bert, tmp_path / "out", *options) == 2
    assert message in capsys.readouterr().err
    assert begun == [] and not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_named(begun, tmp_path, capsys):
    assert run(tmp_path / "none", tmp_path / "out") == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_model_that_writes_is_refused(begun, tmp_path, capsys):
    assert run(tiny_gpt(tmp_path / "gpt"), tmp_path / "out") == 2
    assert "an ablation needs a BERT of 2 blocks or more" in capsys.readouterr().err
