"""`minigrad run name_the_module`: no answer stands in a snippet, no file is on both sides."""

import numpy as np
import pytest

from minigrad import data
from minigrad.__main__ import main
from minigrad.data.words import FILL
from minigrad.programs import name_the_module as program
from minigrad.programs import standard_library as library

LINES = {f"|{level}" for level in range(5)}  # the words that begin a line


@pytest.fixture(scope="module")
def code():
    return library.read_code()


def write_library(folder):
    """A small library of four parts, 9 files each; every file has its part's own word."""
    for part in ("asyncio", "email", "http", "xml"):
        for i in range(9):
            path = folder / part / f"module{i}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            line = f"from {part} import module0\nit = {part}.module{i}(sort, {part[0] * 3}word)\n"
            path.write_text(line * 20)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_library(tmp_path / "library")


# ---- What would tell the answer ------------------------------------------------------------------


def test_no_name_of_a_part_or_module_is_left(code):
    words = {word for text in code.texts for word in text}
    assert not words & code.unspoken
    packages = [package for packages in library.PARTS.values() for package in packages]
    assert not [word for word in words if any(package in word for package in packages)]
    assert {"asyncio", "elementtree", "mock", "web", "base_events"} <= code.unspoken


def test_no_line_begins_with_an_import_statement(code):
    """Names like import_module and ImportWarning have the word, and so has __import__(...)."""
    begins = {
        " ".join(text[i : i + 2])
        for text in code.texts
        for i in range(1, len(text) - 1)
        if text[i - 1] in LINES
    }
    assert "return self" in begins
    assert {two for two in begins if two.startswith("import ")} <= {"import (", "import warning"}


def test_names_are_those_of_folders_and_modules():
    found = library.names_in(["email/mime/__init__.py", "xml/dom/_Mini.py"])
    assert {"email", "mime", "init", "xml", "dom", "mini", "web"} <= found
    assert not [name for name in found if name.endswith(".py") or "/" in name]


def test_a_word_that_holds_a_name_goes_too():
    words = library.spoken("IsolatedAsyncioTestCase(httplib, xmlfile, loop)", {"case"})
    assert " ".join(words) == "isolated test ( , , loop )"


# ---- The parts -----------------------------------------------------------------------------------


def test_the_library_has_most_of_the_parts_and_names_the_others(code):
    assert len(code.names) >= 6 and sorted([*code.names, *code.missing]) == sorted(library.PARTS)
    assert np.bincount(code.labels).min() >= library.FEWEST_FILES
    assert len(code.texts) == len(code.labels)
    assert min(map(len, code.texts)) >= library.LENGTH


def test_parts_that_are_missing_are_listed(folder):
    code = library.read_code(folder)
    assert code.names == ["asyncio", "email", "web", "xml"] and "tkinter" in code.missing


def test_too_few_parts_are_refused(folder):
    for path in (folder / "email").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="must have 4 of the parts.*Received: asyncio, web, xml"):
        library.read_code(folder)


# ---- Snippets ------------------------------------------------------------------------------------


def texts_of(*lengths):
    """Texts whose words are 2, 3, 4, ..."""
    return [np.arange(2, length + 2) for length in lengths]


def test_snippets_follow_one_another_and_the_last_is_filled_up():
    t = library.LENGTH
    x, y = library.snippets(texts_of(2 * t + t // 2 + 1, t), np.array([7, 8]))
    assert y.tolist() == [7, 7, 7, 8]
    assert x[:2].ravel().tolist() == list(range(2, 2 * t + 2))
    assert x[2, 0] == 2 * t + 2 and (x[2] != FILL).sum() == t // 2 + 1


def test_a_long_text_gives_the_most_that_one_may_from_beginning_to_end():
    t = library.LENGTH
    x, _ = library.snippets(texts_of(1000 * t), np.array([0]))
    assert len(x) == library.MOST and x[0, 0] == 2 and x[-1, 0] == 2 + 999 * t


def test_random_snippets_are_as_many_and_begin_anywhere():
    texts = texts_of(50 * library.LENGTH, library.LENGTH)
    generator = np.random.default_rng(0)
    x, y = library.random_snippets(texts, np.array([0, 1]), generator)
    again, _ = library.random_snippets(texts, np.array([0, 1]), generator)
    assert len(x) == len(library.snippets(texts, np.array([0, 1]))[0])
    assert not np.array_equal(x, again) and np.bincount(y).tolist() == [50, 1]
    assert (np.diff(x, axis=1) == 1).all()


# ---- Models --------------------------------------------------------------------------------------


def test_evidence_is_what_the_regression_says_of_a_single_word():
    """The scores of a snippet that is this word alone, whose row of TfIdf has a single 1."""
    x, y = np.array([[2, 3, 3], [4, 2, 0]] * 8), np.array([0, 1] * 8)
    tf_idf = data.TfIdf(5).fit(x)
    model = program.regression(tf_idf.transform(x), y, 2)
    found = program.evidence(model, tf_idf)
    scores = np.log(model.predict(tf_idf.transform(np.array([[4, 0, 0]])), verbose=0)[0])
    bias = model.layers[0].bias.numpy()
    expected = found[4, 0] - found[4, 1]
    assert scores[0] - scores[1] - bias[0] + bias[1] == pytest.approx(
        expected / tf_idf.idf[4], rel=1e-3
    )


@pytest.mark.parametrize("name", program.NETWORKS)
def test_what_fills_up_changes_nothing(name):
    model = program.NETWORKS[name](9, 3)
    x = np.full((1, library.LENGTH), FILL)
    x[0, :5] = [4, 2, 8, 5, 3]
    short = x[:, :7]
    found = model.predict(x, verbose=0)
    assert model.predict(short, verbose=0) == pytest.approx(found, abs=1e-5)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "EPOCHS", 30)
        return program.trial(library.read_code(write_library(tmp_path_factory.mktemp("l"))), 0)


def test_no_file_is_learned_from_and_tested_on(trial):
    assert sorted([*trial.train, *trial.test]) == list(range(36)) and len(trial.test) == 7


def test_what_is_plain_is_learned_by_all(trial):
    for predicted in trial.predictions.values():
        assert (predicted == trial.truth).all()
    assert [words[0] for words in trial.words] == ["aaaword", "eeeword", "hhhword", "xxxword"]


# ---- The program ---------------------------------------------------------------------------------


@pytest.fixture
def quick(folder, monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    monkeypatch.setattr(program, "BASELINE_EPOCHS", 2)
    monkeypatch.setattr(program, "read_code", lambda: library.read_code(folder))


def test_a_seed_gives_the_same_numbers_again(quick, tmp_path):
    first, second = (program.name_the_module(tmp_path / name, seeds=1) for name in "ab")
    assert first == second and len(first) == 4
    reports = [(tmp_path / name / "report.txt").read_text(encoding="utf-8") for name in "ab"]
    assert reports[0].replace(str(tmp_path / "a"), str(tmp_path / "b")) == reports[1]


def test_the_command_writes_a_report_and_pictures(quick, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main(["run", "name_the_module", "--out", str(out), "--seeds", "1"]) == 0
    text = capsys.readouterr().out
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == text.strip()
    assert {path.name for path in out.glob("*.png")} == {"name_the_module.png", "confusion.png"}
    assert "missing in this Python: idlelib, importlib" in text
    assert text.splitlines()[-1].startswith("test accuracy: LSTM ")


def test_a_library_without_source_is_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(program, "read_code", lambda: library.read_code(tmp_path))
    out = tmp_path / "out"
    assert main(["run", "name_the_module", "--out", str(out)]) == 2
    complaint = capsys.readouterr().err
    assert "no Python source" in complaint and complaint.count("\n") == 1 and not out.exists()


def test_no_seed_is_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "name_the_module", "--seeds", "0"]) == 2
    complaint = capsys.readouterr().err
    assert "seeds=0" in complaint and complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
