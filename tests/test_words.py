"""Python's own source as a corpus; code as words; words as numbers."""

import ast
import tokenize

import numpy as np
import pytest

from minigrad import data
from minigrad.data import python_words, words

# ---- The files -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A small library: four modules, a test, an empty file, and one in another encoding."""
    for name in ("json/decoder.py", "abc.py", "ast.py", "b.py", "json/tests/test_json.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"name = {name!r}\n", encoding="utf-8")
    (tmp_path / "empty.py").write_text("\n")
    (tmp_path / "old.py").write_bytes(b"name = '\xe9'\n")
    (tmp_path / "notes.txt").write_text("no code")
    return tmp_path


def test_files_are_found_by_path_without_tests_and_what_is_no_text(folder):
    files = data.python_files(folder)
    assert list(files) == ["abc.py", "ast.py", "b.py", "json/decoder.py"]
    assert files["json/decoder.py"] == "name = 'json/decoder.py'\n"


def test_no_file_is_in_training_and_validation(folder):
    train, validation = data.python_source(0.25, seed=3, folder=folder)
    assert len(validation) == 1 and train | validation == data.python_files(folder)
    assert data.python_source(0.25, seed=3, folder=folder) == (train, validation)
    others = [set(data.python_source(0.25, seed, folder)[1]) for seed in range(9)]
    assert any(other != validation.keys() for other in others)


def test_the_library_of_this_python_is_read():
    files = data.python_files()
    assert "class JSONDecoder" in files["json/decoder.py"]
    assert sum(map(len, files.values())) > 5e6
    assert not [path for path in files if "/tests/" in path or "packages/" in path]


def test_a_folder_without_source_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no Python source.*{tmp_path.name}"):
        data.python_files(tmp_path)


# ---- Code as words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("x = 0x1F + 1.5e3", "x = 0 + 0"),
        ("getHTTPResponse_at2(x)", "get http response at 2 ( x )"),
        ("a **= b // c != d -> e", "a ** = b // c != d -> e"),
        ("f(r'a\\'b c d e f', \"it's\")", "f ( ' a b c d , \" it s )"),
        ('"""Says "this" and\nmuch more."""\nx', '""" says this and much |0 x'),
        ("if x:\n\n        y  # why\n\tz\n", "if x : |2 y |2 z |0"),
        ("'unfinished\nx", "' unfinished |0 x"),
        ("größe = Ж", "gr öß e = ж"),
        ("", ""),
    ],
    ids=["numbers", "names", "operators", "strings", "docstring", "lines", "cut", "other", "none"],
)
def test_the_words_of_code(code, found):
    assert " ".join(data.code_words(code)) == found


@pytest.mark.parametrize(
    "code",
    [
        "import os, sys",
        "from . import events",
        "from .. events import (loop,\n    other)",
        "import os.path \\\n    as path",
        "    from x import y as z",
    ],
)
def test_imports_give_no_words(code):
    assert data.code_words(f"a\n{code}\nb")[-2:] == ["|0", "b"]
    assert set(data.code_words(f"a\n{code}\nb")) <= {"a", "b", "|0", "|1"}


def test_an_import_after_a_colon_goes_and_code_like_one_stays():
    assert data.code_words("try: import os; x = 1") == ["try", ":", ";", "x", "=", "0"]
    assert data.code_words("yield from important") == ["yield", "from", "important"]


def test_every_import_of_the_library_goes():
    """What is left of a file after `without_imports` has no import statement, as Python reads it.

    A block that was nothing but imports is no longer Python: such files are passed over.
    """
    read = 0
    for text in list(data.python_files().values())[:400]:
        try:
            tree = ast.parse(python_words.without_imports(text))
        except SyntaxError:
            continue
        read += 1
        assert not [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    assert read > 100


def test_names_are_those_that_python_finds():
    path = tokenize.__file__
    with open(path, encoding="utf-8") as file:
        text = file.read()
    ours = [m.group() for m in python_words._ITEM.finditer(text) if m.lastgroup == "name"]
    with open(path, "rb") as file:
        theirs = [t.string for t in tokenize.tokenize(file.readline) if t.type == tokenize.NAME]
    assert set(theirs) <= set(ours)
    assert len(ours) == pytest.approx(len(theirs), rel=0.02)  # f-strings are read since 3.12


def test_unspoken_names_give_nothing_whole_or_as_a_word():
    code = "self._base_events.put(base, events, Queue, my_queue, 'the queue')"
    found = data.code_words(code, {"base_events", "queue"})
    assert " ".join(found) == "self . . put ( base , events , , my , ' the )"


# ---- Words as numbers ----------------------------------------------------------------------------


def test_words_of_most_texts_come_first_and_rare_ones_are_unknown():
    vocabulary = data.Vocabulary([["b", "a", "a"], ["b", "c"], ["a", "b"]])
    assert vocabulary.words == ["b", "a"] and vocabulary.size == 4
    assert vocabulary.numbers(["a", "c", "b", "new"]).tolist() == [3, 1, 2, 1]


def test_a_word_counts_once_for_each_text():
    assert data.Vocabulary([["a", "a", "b"], ["b"]]).words == ["b"]


def test_a_vocabulary_without_words_is_refused():
    with pytest.raises(ValueError, match="no word is in 2 of the 1 texts. Received: least=2"):
        data.Vocabulary([["a"]])


def test_tf_idf_is_what_its_formula_says():
    x = np.array([[2, 2, 3, 0], [3, 0, 0, 0]])
    found = data.TfIdf(4).fit(x).transform(x)
    idf = [np.log(3 / 2) + 1, 1.0]  # of words 2 and 3
    row = np.array([0, 0, np.log(3) * idf[0], np.log(2) * idf[1]])
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([row / np.linalg.norm(row), [0, 0, 0, 1]]), abs=1e-6)


def test_tf_idf_is_learned_from_the_training_alone():
    scale = data.TfIdf(4).fit(np.array([[2, 3], [3, 3]]))
    idf = scale.idf.copy()
    assert scale.transform(np.zeros((1, 2), int)).tolist() == [[0, 0, 0, 0]]
    assert (scale.idf == idf).all() and words.FILL == 0
