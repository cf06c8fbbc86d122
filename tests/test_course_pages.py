"""The pages for students and teachers are true: what they say to type works, and prints that.

What needs Jupyter or nbgrader is left out here; `make test-notebooks` follows the pages with it.
"""

import re
import sys

import pytest

from tests.course_pages import PAGES, Reader, alike, blocks, commands
from tests.test_readme import README, ROOT

SECTION = re.search(r"^## The course\n(.*?)^## ", README, flags=re.MULTILINE | re.DOTALL)[1]
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
TEXTS["readme"] = SECTION
ELSEWHERE = re.compile(r"jupyter|nbgrader|minigrad-learn build")


@pytest.mark.skipif(sys.platform != "linux", reason="the pages grade, for which it takes Linux")
@pytest.mark.parametrize("page", TEXTS)
def test_what_a_page_says_to_type_works_and_prints_what_it_shows(page, tmp_path):
    Reader(tmp_path, leaves_out=ELSEWHERE.search).follow(TEXTS[page])


def test_each_target_of_make_in_a_page_is_run_from_a_bare_clone():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    targets = {line for page in TEXTS.values() for line in commands(page) if "make " in line}
    targets |= {target for page in TEXTS.values() for target in re.findall(r"`(make .*?)`", page)}
    assert len(targets) >= 5
    assert targets <= set(script)


def test_each_page_and_file_that_is_linked_to_is_there():
    pages = [
        ("README.md", README),
        *((str(p.relative_to(ROOT)), TEXTS[n]) for n, p in PAGES.items()),
    ]
    for name, text in pages:
        for link in re.findall(r"\]\(([^):]+)\)", text):
            file, _, _ = link.partition("#")  # a heading of this page has none
            assert (ROOT / name).parent.joinpath(file).exists(), (name, link)


def test_both_pages_are_linked_from_the_readme():
    for path in PAGES.values():
        assert f"]({path.relative_to(ROOT).as_posix()})" in SECTION


# ---- That this would find a mistake --------------------------------------------------------------


@pytest.mark.parametrize(
    "shown, printed, is_alike",
    [
        ("a 0.95 b", "a 0.9501 b\n", True),
        ("a 0.95 b", "a 0.90 b", False),
        ("1.1 b", "1.2 b", False),
        ("a ...", "a 1.5\nand more", True),
        ("a", "a\nand more", False),
    ],
)
def test_what_is_shown_and_what_is_printed_are_compared(shown, printed, is_alike):
    assert bool(alike(shown, printed)) is is_alike


@pytest.mark.parametrize(
    "text", ["false", "no-such-command", "false watch 1", "echo a: not yet; exit 2"]
)
def test_a_command_that_fails_is_an_error(text, tmp_path):
    with pytest.raises(AssertionError):
        Reader(tmp_path).type(f"echo before\n{text}\n")


def test_a_reader_stays_in_the_folder_gone_to(tmp_path):
    reader = Reader(tmp_path)
    assert reader.type("mkdir a\ncd a\n") == ""
    assert reader.type("basename $PWD\n") == "a\n"


def test_blocks_are_found_in_their_order():
    text = "```sh\na\n```\n\n<!-- f.py has 1.1, 1.2 -->\n\n```text\nb\n```\n"
    assert blocks(text) == [("sh", "a\n"), ("done", ("f.py", "1.1, 1.2")), ("text", "b\n")]
