"""A lesson as a page of HTML: whole without network or JavaScript, and for every reader."""

import base64
import re
from html.parser import HTMLParser

import pytest

from lessons.building import assignments, pages
from lessons.skeleton import body
from tests import sample_lesson

EMPTY = {"meta", "img", "br", "hr", "mspace"}  # elements without an end


class Reader(HTMLParser):
    """Notes all elements, and that each ends where it should."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def sample(monkeypatch, tmp_path):
    yield sample_lesson.only_lesson(monkeypatch, tmp_path)
    sample_lesson.forget()


@pytest.fixture
def page(sample):
    return pages.text(sample)


def test_it_is_one_file_that_asks_for_no_other(page):
    addresses = re.findall(r"""(?:src|href|url)\W{1,3}([^"')]+)""", page)
    assert addresses and all(address.startswith("data:") for address in addresses)
    assert "<script" not in page and "@import" not in page


def test_its_elements_are_well_formed_and_its_language_is_said(page):
    reader = Reader(page)
    assert reader.all("html") == [{"lang": "en"}]
    assert len(reader.all("h1")) == len(reader.all("main")) == len(reader.all("title")) == 1


def test_it_fits_a_phone_and_follows_the_wish_for_darkness(page):
    assert "width=device-width" in page
    assert "prefers-color-scheme: dark" in page and "color-scheme: light dark" in page


def test_formulas_are_mathml(page):
    displays = [attributes["display"] for attributes in Reader(page).all("math")]
    assert displays == ["inline", "block"]
    assert "price of 5 $" in page


def test_a_formula_that_is_not_understood_is_told(sample):
    text = sample_lesson.TEXT.replace(r"\sum_i x_i", r"\nonsense x_i")
    sample.path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"not all of this formula: .*\\nonsense"):
        pages.text(sample_lesson.lessons.read(sample.path))


def test_the_names_of_functions_stand_apart_from_letters():
    formula = pages._formula(r"\log p + \log(p) + \log^2 p", {"display_mode": False})
    assert formula.count("<mspace") == 1


def test_pictures_are_in_the_file_with_words_for_those_who_cannot_see_them(page):
    (image,) = Reader(page).all("img")
    assert image["alt"] == 'A line that rises & "ends"'
    data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG")
    assert "](figure)" not in page


def test_what_the_code_prints_stands_below_it(page):
    assert "the sum of [0. 1. 2. 3.]\nnp.float64(6.0)</pre>" in page


def test_what_scrolls_can_be_reached_with_the_keyboard(page):
    reader = Reader(page)
    assert all(attributes.get("tabindex") == "0" for attributes in reader.all("pre"))
    assert '<div class="wide" tabindex="0"><table>' in page


def test_solutions_are_on_the_teachers_page_alone(sample, page):
    solved = pages.text(sample, solved=True)
    for line in body(sample.exercises["91.1"]):
        assert pages.html.escape(line) in solved
        assert pages.html.escape(line) not in page
    assert "raise NotImplementedError" in page


def test_a_page_leads_to_the_lessons_before_and_after(sample):
    for number in (90, 92):
        (sample.path.parent / f"lesson_{number}.md").write_text(f"# {number} Other\n")
    page = pages.text(sample, {90: "a.html", 91: "b.html", 92: "c.html"})
    links = [(link["rel"], link["href"]) for link in Reader(page).all("a")]
    assert links == [("prev", "a.html"), ("next", "c.html")] * 2


# ---- Assignments ---------------------------------------------------------------------------------


def test_an_assignment_has_what_students_get_and_what_teachers_keep(sample, tmp_path):
    paths = assignments.build(tmp_path / "out", hidden_tests=True)
    names = sorted(str(path.relative_to(tmp_path / "out")) for path in paths)
    assert names == [
        "nbgrader_config.py",
        "solutions/lesson_91.html",
        "source/lesson_91/lesson_91.ipynb",
        "students/lesson_91.html",
        "students/lesson_91.ipynb",
        "students/lesson_91.py",
    ]
    for path in (tmp_path / "out" / "students").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "HIDDEN" not in text and "np.zeros_like" not in text
    source = (tmp_path / "out" / "source/lesson_91/lesson_91.ipynb").read_text(encoding="utf-8")
    assert "### BEGIN HIDDEN TESTS" in source and "np.zeros_like" in source


def test_the_seed_of_hidden_tests_is_another_each_time(sample, tmp_path):
    seeds = set()
    for name in ("one", "other"):
        assignments.build(tmp_path / name, hidden_tests=True)
        source = (tmp_path / name / "source/lesson_91/lesson_91.ipynb").read_text(encoding="utf-8")
        seeds |= set(re.findall(r"seed=(\d+)", source))
    assert len(seeds) == 2


def test_a_file_that_is_as_it_should_be_is_not_written(tmp_path):
    path = tmp_path / "a.txt"
    assignments.write({path: "text\n"})
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    assert assignments.write({path: "text\n"}) == [path]
    assert path.stat().st_mtime_ns == before
