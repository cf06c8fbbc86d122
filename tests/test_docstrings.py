"""Sentences of a library's docstrings: each with the topic of its module, in one part alone."""

import pytest

from minigrad import data
from minigrad.data.docstrings import FEWEST, LONGEST, MOST, PARTS, sentences

NUMBERS = ["bisect.py", "fractions.py", "heapq.py", "random.py", "statistics.py", "zoneinfo/a.py"]
NETWORK = ["ftplib.py", "http/client.py", "http/server.py", "nntplib.py", "socket.py", "ssl.py"]


def code(texts):
    """A file with a function for each docstring."""
    return "\n".join(f"def f{i}():\n    {text!r}" for i, text in enumerate(texts))


def library(folder, files=None):
    """A folder of files, {path: docstrings}; by default ten of their own for each of two topics."""
    if files is None:
        files = {
            path: [f"Return the value {i} of {path}." for i in range(10)]
            for path in [*NUMBERS, *NETWORK]
        }
    for path, texts in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(code(texts), encoding="utf-8")
    return folder


def rows_of(folder, **options):
    return [row for rows in data.docstring_topics(folder, **options).values() for row in rows]


def texts_of(folder, path):
    return sorted(row["text"] for row in rows_of(folder) if row["file"] == path)


def test_a_row_has_a_sentence_its_topic_and_its_file(tmp_path):
    found = {row["file"]: row for row in rows_of(library(tmp_path))}
    assert found.keys() == {*NUMBERS, *NETWORK}
    assert {path for path, row in found.items() if row["label"] == "numbers"} == {*NUMBERS}
    assert {path for path, row in found.items() if row["label"] == "network"} == {*NETWORK}
    assert all(row["text"].endswith(f"of {path}.") for path, row in found.items())


def test_a_file_is_in_one_part_and_all_of_it(tmp_path):
    parts = data.docstring_topics(library(tmp_path))
    files = [{row["file"] for row in rows} for rows in parts.values()]
    assert sum(map(len, files)) == len(set.union(*files)) == 12
    assert sum(map(len, parts.values())) == 120


def test_parts_have_about_their_shares_of_each_topic(tmp_path):
    parts = data.docstring_topics(library(tmp_path))
    assert parts.keys() == PARTS.keys()
    for topic in ("numbers", "network"):
        for part, rows in parts.items():
            count = sum(row["label"] == topic for row in rows)
            assert abs(count - 60 * PARTS[part]) <= 10


def test_equal_seeds_give_equal_rows_and_others_others(tmp_path):
    folder = library(tmp_path)
    assert data.docstring_topics(folder, seed=3) == data.docstring_topics(folder, seed=3)
    assert data.docstring_topics(folder, seed=3) != data.docstring_topics(folder, seed=4)


def test_no_sentence_is_there_twice_whatever_its_marks_and_capitals(tmp_path):
    library(tmp_path)
    library(
        tmp_path, {"random.py": ["Draw one number now.", "draw one number, now", "Stay as is it."]}
    )
    library(tmp_path, {"heapq.py": ["DRAW one number now!", "Push an item down."]})
    assert len(texts_of(tmp_path, "random.py")) + len(texts_of(tmp_path, "heapq.py")) == 3


def test_a_sentence_of_two_topics_belongs_to_none(tmp_path):
    library(tmp_path)
    library(tmp_path, {"random.py": ["Close the open thing.", "Draw one number now."]})
    library(tmp_path, {"ssl.py": ["close the open thing", "Shake a hand first."]})
    assert texts_of(tmp_path, "random.py") == ["Draw one number now."]
    assert texts_of(tmp_path, "ssl.py") == ["Shake a hand first."]


def test_of_a_long_file_a_part_is_taken_from_its_beginning_to_its_end(tmp_path):
    library(tmp_path)
    texts = [f"Return the item number {i}." for i in range(3 * MOST)]
    library(tmp_path, {"random.py": texts})
    found = texts_of(tmp_path, "random.py")
    assert len(found) == MOST and {texts[0], texts[-1]} <= {*found}


def test_a_topic_without_a_file_for_each_part_is_left_out(tmp_path):
    library(tmp_path)
    library(
        tmp_path, {path: [f"Show the window of {path}."] for path in ["turtle.py", "curses/a.py"]}
    )
    assert {row["label"] for row in rows_of(tmp_path)} == {"numbers", "network"}


def test_modules_of_no_topic_are_left_out(tmp_path):
    library(tmp_path)
    library(
        tmp_path, {"unknown.py": ["Do what nobody knows."], "a/random.py": ["Draw a number too."]}
    )
    assert {row["file"] for row in rows_of(tmp_path)} == {*NUMBERS, *NETWORK}


def test_one_topic_alone_is_an_error_that_names_it(tmp_path):
    library(tmp_path, {path: [f"Return the value of {path}."] for path in NUMBERS})
    with pytest.raises(ValueError, match="docstrings of two topics or more.*Received: numbers$"):
        data.docstring_topics(tmp_path)


def test_the_library_of_python_has_thousands_of_sentences_of_many_topics():
    parts = data.docstring_topics()
    assert sum(map(len, parts.values())) > 2000
    assert len({row["label"] for row in parts["train"]}) >= 8


# ---- The sentences of a file ---------------------------------------------------------------------

FIRST = {
    "a paragraph": ("Return the mean of data.\n\nMore of it.", "Return the mean of data."),
    "several sentences": ("Open the file first.  Then read it.", "Open the file first."),
    "a colon": ("Return one of these: a or b.", "Return one of these:"),
    "several lines": ("Return the mean\n    of all data", "Return the mean of all data"),
    "a point in a number": ("Return pi as 3.14 to them.", "Return pi as 3.14 to them."),
    "an example": ("Add two numbers up\n>>> add(1, 2)\n3", "Add two numbers up"),
}


@pytest.mark.parametrize(("docstring", "expected"), FIRST.values(), ids=FIRST)
def test_the_first_sentence_is_what_counts(docstring, expected):
    assert sentences(code([docstring])) == [expected]


@pytest.mark.parametrize("count", [FEWEST - 1, FEWEST, LONGEST, LONGEST + 1])
def test_sentences_that_are_too_short_or_too_long_are_left_out(count):
    assert len(sentences(code(["word " * count]))) == (FEWEST <= count <= LONGEST)


def test_modules_classes_and_functions_of_both_kinds_count_and_other_texts_do_not():
    source = """
"A module with a docstring."
class A:
    "A class with a docstring."
    def b(self):
        "A method with a docstring."
        return "A text that is none."
async def c():
    "A coroutine with a docstring."
"""
    words = [sentence.split()[1] for sentence in sentences(source)]
    assert sorted(words) == ["class", "coroutine", "method", "module"]


def test_a_file_of_another_python_has_none_and_odd_escapes_warn_of_nothing():
    assert sentences("print 'a text of old'") == []
    assert sentences("def f():\n    'Match a \\d of it all.'") == ["Match a \\d of it all."]
