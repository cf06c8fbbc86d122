"""Names in pictures: short, never formulas, and drawn with whatever fonts there are."""

import os
import warnings
from dataclasses import replace

import pytest
from matplotlib import font_manager

from minigrad import plots
from minigrad.plots import words
from tests.figures import check, texts

NAMES = ["猫", "狗", "bird"]
COUNTS = [[5, 1, 0], [2, 7, 0], [0, 0, 9]]
NOT_USUAL = "\u2ae7"  # a symbol of the STIX fonts, which come with matplotlib as DejaVu Sans does


@pytest.fixture
def no_fonts(monkeypatch):
    """A machine with matplotlib's usual font alone."""
    monkeypatch.setattr(words, "_candidates", list)


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("cat", "cat"),
        ("two\nlines\t", "two lines"),
        ("a" * 24, "a" * 24),
        ("Iris versicolor of the north", "Iris versicolor …e north"),
        ("costs $5 or $6", r"costs \$5 or \$6"),
        ("bell\a", "bell"),
        (7, "7"),
        ("naïve ŷ Σ ж", "naïve ŷ Σ ж"),
    ],
)
def test_a_text_is_one_short_line_and_no_formula(text, drawn):
    assert words.legible({"class": [text]}) == [[drawn]]


def test_a_chinese_letter_counts_as_two():
    assert words._shorten("猫" * 12, 24) == "猫" * 12
    assert words._shorten("猫" * 13, 24) == "猫" * 8 + "…" + "猫" * 3


def test_without_a_font_a_text_is_its_kind_and_number_and_one_warning_says_so(no_fonts):
    message = "has the characters 猫狗热, so .* class 0, class 1, axis 1. .* fonts-noto-cjk"
    with pytest.warns(UserWarning, match=message) as caught:
        drawn = words.legible({"class": NAMES, "axis": ["x", "热"]})
    assert drawn == [["class 0", "class 1", "bird"], ["x", "axis 1"]] and len(caught) == 1


def test_without_a_font_a_picture_has_no_boxes(no_fonts):
    with pytest.warns(UserWarning, match="no font of this machine"):
        figure = plots.confusion_matrix(COUNTS, NAMES)
    check(figure)
    assert {"class 0", "class 1", "bird"} <= set(texts(figure))


def test_chinese_names_are_drawn_with_or_without_a_font():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure = plots.confusion_matrix(COUNTS, NAMES)
    check(figure)
    drawn = texts(figure)
    has_font = len(words._fonts("猫狗")) == 2
    assert ("猫" in drawn, "class 0" in drawn, len(caught)) == (
        has_font,
        not has_font,
        not has_font,
    )


def test_a_letter_that_another_font_has_is_drawn_in_that_font():
    figure = plots.confusion_matrix(COUNTS, [f"class {NOT_USUAL}", "b", "c"])
    check(figure)
    assert f"class {NOT_USUAL}" in texts(figure)


def test_the_usual_font_comes_first():
    families = words.families(f"a{NOT_USUAL}")
    assert families[0] == words.families("a")[0] and len(families) == 2


def stix(manager):
    """The entries of the font that has NOT_USUAL, and all others."""
    (name,) = words._fonts(NOT_USUAL).values()
    entries = manager.ttflist
    return [f for f in entries if f.name == name], [f for f in entries if f.name != name]


def test_a_font_that_was_installed_after_matplotlib_made_its_list_is_found(monkeypatch, tmp_path):
    manager = font_manager.fontManager
    new, others = stix(manager)
    (tmp_path / "damaged.ttf").write_bytes(b"no font")
    regular = max((font.fname for font in new), key=os.path.getsize)
    files = [str(tmp_path / "damaged.ttf"), regular]
    others = [f for f in others if not f.name.startswith("STIX")]
    monkeypatch.setattr(manager, "ttflist", others)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: files)
    assert words._fonts(NOT_USUAL) == {NOT_USUAL: new[0].name}


def test_a_font_that_was_removed_is_no_candidate(monkeypatch):
    manager = font_manager.fontManager
    new, others = stix(manager)
    gone = font_manager.FontEntry(fname="gone.ttf", name="Gone", size="scalable")
    monkeypatch.setattr(manager, "ttflist", [gone, *others, *new])
    assert "Gone" not in [font.name for font in words._candidates()]


def test_the_font_of_last_resort_which_draws_boxes_is_no_candidate():
    assert not [f for f in words._candidates() if "Last Resort" in f.name]


def test_a_font_of_another_weight_is_listed_as_regular_too_so_that_matplotlib_is_silent(
    monkeypatch,
):
    manager = font_manager.fontManager
    new, others = stix(manager)
    regular = max(new, key=lambda font: os.path.getsize(font.fname))
    medium = replace(regular, weight=500)
    monkeypatch.setattr(manager, "ttflist", [*others, medium])
    monkeypatch.setattr(words, "_candidates", lambda: [medium])
    words._fonts(NOT_USUAL)
    assert replace(medium, weight=400) in manager.ttflist
