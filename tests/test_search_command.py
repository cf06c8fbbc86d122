"""`minigrad embed` and `minigrad search`: vectors of texts, and an index that is never stale."""

import os
import subprocess
import sys

import numpy as np
import pytest

from minigrad import finetune
from minigrad.__main__ import main
from minigrad.programs.text_base import fingerprint
from tests.tiny_models import tiny_bert, tiny_gpt

NOTES = ["the cat sat on a mat", "", "a red house", "who was good", "the dog is bad"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("\n".join(NOTES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A function that runs a command in tmp_path and gives (status, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def lines_found(output):
    """The lines of the files in what a search prints."""
    return [line for line in output.splitlines() if line[:1] in "-01" and ":" in line]


# ---- embed ---------------------------------------------------------------------------------------


def test_embed_writes_what_the_model_gives(bert, run, tmp_path):
    texts = ["a red house", "the dog"]
    assert run("embed", bert, *texts, "--out", "v.npy") == (
        *(0, "2 texts as vectors of 32 numbers in v.npy\n", ""),
    )
    expected = finetune.from_pretrained(bert).embed(texts)
    assert np.array_equal(np.load(tmp_path / "v.npy", allow_pickle=False), expected)


def test_embed_reads_the_lines_of_a_file(bert, notes, run, tmp_path):
    status, output, _ = run("embed", bert, "--file", notes, "--out", "v.npy")
    assert status == 0 and "4 texts" in output and "blank lines left out: 1" in output
    expected = finetune.from_pretrained(bert).embed([line for line in NOTES if line])
    assert np.array_equal(np.load(tmp_path / "v.npy"), expected)


# ---- search --------------------------------------------------------------------------------------


def test_search_shows_the_nearest_lines_first(bert, notes, run):
    status, output, _ = run("search", bert, "--file", notes, "who was good", "--top", 3)
    assert status == 0
    found = lines_found(output)
    assert len(found) == 3 and found[0].startswith("1.000  notes.txt:4  who was good")
    texts = [line for line in NOTES if line]
    vectors = finetune.from_pretrained(bert).embed(texts)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    best = np.argsort(-(vectors @ vectors[2]), kind="stable")[:3]
    assert [line.split("  ")[2] for line in found] == [texts[i] for i in best]


def test_an_index_is_used_again_without_the_names_of_model_and_files(bert, notes, run, tmp_path):
    _, first, _ = run("search", bert, "--file", notes, "a house", "--index", "index")
    assert "notes.txt is new in the index: 4 lines to read" in first
    before = (tmp_path / "index" / "index.safetensors").stat().st_mtime_ns
    _, again, _ = run("search", "index", "a house")
    assert again.splitlines() == lines_found(first)
    assert (tmp_path / "index" / "index.safetensors").stat().st_mtime_ns == before


def test_a_changed_file_is_told_and_read_again(bert, notes, run):
    run("search", bert, "--file", notes, "a house", "--index", "index")
    notes.write_text("the blue house\nthe mat\n", encoding="utf-8")
    _, output, _ = run("search", "index", "the mat", "--top", 9)
    assert "notes.txt has changed: 2 lines to read" in output
    assert "index of 2 lines in index" in output
    assert lines_found(output)[0] == "1.000  notes.txt:2  the mat"
    assert "cat" not in output
    _, again, _ = run("search", "index", "the mat", "--top", 9)
    assert again.splitlines() == lines_found(output)


def test_files_that_did_not_change_are_not_read_again(bert, notes, run, tmp_path):
    run("search", bert, "--file", notes, "a house", "--index", "index")
    (tmp_path / "more.txt").write_text("a mat\n", encoding="utf-8")
    files = "--file", notes, "--file", "more.txt"
    _, output, _ = run("search", bert, *files, "a mat", "--index", "index")
    assert "more.txt is new in the index: 1 line to read" in output and "notes.txt is" not in output
    assert lines_found(output)[0] == "1.000  more.txt:1  a mat"


def test_another_model_is_told_and_the_index_made_anew(bert, notes, run, tmp_path):
    run("search", bert, "--file", notes, "a house", "--index", "index")
    other = tiny_bert(tmp_path / "other", seed=1)
    _, output, _ = run("search", other, "--file", notes, "a house", "--index", "index")
    assert "was made with another model" in output and "4 lines to read" in output
    _, fresh, _ = run("search", other, "--file", notes, "a house", "--index", "fresh")
    assert lines_found(output) == lines_found(fresh)


def test_a_model_that_changed_under_its_name_is_noticed(notes, run, tmp_path):
    folder = tiny_bert(tmp_path / "bert")
    run("search", folder, "--file", notes, "a house", "--index", "index")
    tiny_bert(tmp_path / "bert", seed=1)
    _, output, _ = run("search", "index", "a house")
    assert "was made with another model" in output


def test_another_base_under_an_adapter_is_noticed(notes, run, tmp_path):
    base = tiny_bert(tmp_path / "bert")
    task = finetune.tasks.Classify(["a", "b"])
    model = task.model(finetune.load_base(base, task))
    finetune.prepare(model, finetune.LoRA(r=1, targets="query"))
    finetune.save_finetuned(model, task, tmp_path / "tuned", base)
    run("search", "tuned", "--file", notes, "a house", "--index", "index")
    before = fingerprint(tmp_path / "tuned")
    tiny_bert(tmp_path / "bert", seed=1)
    assert fingerprint(tmp_path / "tuned") != before


def test_every_line_of_a_long_file_is_read(bert, run, tmp_path):
    lines = [f"{NOTES[0]} {NOTES[i % 3]}" for i in range(300)]
    (tmp_path / "long.txt").write_text("\n".join(lines), encoding="utf-8")
    assert run("embed", bert, "--file", "long.txt", "--out", "v.npy")[0] == 0
    vectors = np.load(tmp_path / "v.npy")
    assert vectors.shape == (300, 32)
    np.testing.assert_allclose(vectors[297:], vectors[:3], rtol=0, atol=1e-6)


def test_a_damaged_index_is_named(bert, notes, run, tmp_path):
    run("search", bert, "--file", notes, "a house", "--index", "index")
    path = tmp_path / "index" / "index.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    status, _, errors = run("search", "index", "a house")
    assert status == 2 and "index.safetensors is no index, or damaged" in errors


def test_search_runs_in_a_process_of_its_own(bert, notes, tmp_path):
    command = [sys.executable, "-m", "minigrad", "search", str(bert), "--file", str(notes)]
    ran = subprocess.run(
        [*command, "who was good", "--top", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert lines_found(ran.stdout) == ["1.000  notes.txt:4  who was good"]


# ---- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, culprit",
    [
        (["embed", "nowhere", "a"], "there is no folder nowhere"),
        (["embed", "notes.txt", "a"], "a model is a folder, and notes.txt is a file"),
        (["embed", "empty", "a"], "empty"),
        (["embed", "BERT"], "Received: neither"),
        (["embed", "BERT", "a", "--file", "notes.txt"], "Received: both"),
        (["embed", "BERT", "a", " "], "a text must not be empty"),
        (["embed", "BERT", "--file", "blank.txt"], "blank.txt has no line with text in it"),
        (["embed", "BERT", "--file", "latin.txt"], "latin.txt, line 2, is not UTF-8"),
        (["embed", "BERT", "--file", "empty"], "empty is a folder"),
        (["embed", "BERT", "--file", "none.txt"], "none.txt"),
        (["embed", "BERT", "a", "--out", "v.txt"], "--out must be a .npy file"),
        (["embed", "BERT", "a", "--out", "no/v.npy"], "there is no folder no"),
        (["embed", "GPT", "a"], "a vector of a text comes from an encoder"),
        (["search", "BERT", "a"], "--file names what is searched"),
        (["search", "BERT", " ", "--file", "notes.txt"], "there must be something to look for"),
        (["search", "BERT", "a", "--file", "notes.txt", "--top", "0"], "top is how many lines"),
        (["search", "BERT", "a", "--file", "none.txt"], "none.txt"),
        (["search", "GPT", "a", "--file", "notes.txt"], "a vector of a text comes from an encoder"),
    ],
)
def test_what_cannot_be_done_is_named(arguments, culprit, bert, notes, run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.txt").write_text("\n  \n")
    (tmp_path / "latin.txt").write_bytes(b"one\ncaf\xe9\n")
    if "GPT" in arguments:
        tiny_gpt(tmp_path / "GPT")
    status, output, errors = run(*[bert if word == "BERT" else word for word in arguments])
    assert status == 2 and culprit in errors and "Traceback" not in errors
    assert output == "" and not (tmp_path / "runs").exists()


def test_an_index_knows_its_files(bert, notes, run):
    run("search", bert, "--file", notes, "a house", "--index", "index")
    status, _, errors = run("search", "index", "a house", "--file", notes)
    assert status == 2 and "--file and --index go with a model" in errors
    notes.unlink()
    status, _, errors = run("search", "index", "a house")
    assert status == 2 and "notes.txt" in errors
