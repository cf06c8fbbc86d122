"""`check` of tests/figures.py finds every fault that it promises to find."""

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from tests.figures import check, texts


def good():
    """A figure without a fault, and its axes."""
    figure = Figure(figsize=(4, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([1, 2, 3])
    axes.set_title("title")
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    return figure, axes


def test_a_good_figure_passes():
    check(good()[0])


def test_an_image_without_ticks_needs_only_a_title():
    figure = Figure(layout="constrained")
    axes = figure.add_subplot(title="image")
    axes.imshow([[0, 1]])
    axes.set_axis_off()
    check(figure)


def test_axes_without_data_need_nothing():
    figure, _ = good()
    figure.add_axes((0.9, 0.9, 0.1, 0.1)).set_axis_off()
    check(figure)


def test_texts_are_those_that_are_drawn():
    figure, axes = good()
    axes.text(1, 2, "hidden", visible=False)
    axes.text(1, 2, "one\ntwo")
    axes.set_xticks([0, 1, 99], ["a", "b", "out of sight"])
    axes.set_xlim(0, 2)
    assert {"title", "one", "two", "a", "b"} < set(texts(figure))
    assert not {"hidden", "out of sight"} & set(texts(figure))


def missing_title(figure, axes):
    axes.set_title("")


def missing_xlabel(figure, axes):
    axes.set_xlabel("")


def missing_ylabel(figure, axes):
    axes.set_ylabel(" ")


def missing_label_of_a_colour_bar(figure, axes):
    figure.colorbar(axes.scatter([1, 2], [1, 2], c=[1, 2]), ax=axes)


def second_axes_without_words(figure, axes):
    axes.inset_axes((0.1, 0.6, 0.3, 0.3)).plot([1, 2])
    figure.add_subplot(2, 2, 4).plot([1, 2])


def beyond_the_edge(figure, axes):
    figure.text(0.9, 0.5, "a long text that ends outside")


def beyond_the_top(figure, axes):
    figure.text(0.5, 0.99, "top")


def beyond_its_clip_box(figure, axes):
    axes.text(2, 2.5, "a text that is clipped by its axes", clip_on=True)


def one_on_another(figure, axes):
    axes.text(1, 1, "first")
    axes.text(1.05, 1.02, "second")


def turned_on_another(figure, axes):
    axes.text(1, 2, "turned by 45 degrees", rotation=45)
    axes.text(1.1, 2.05, "level")


def label_on_a_tick(figure, axes):
    axes.set_xticks([0, 0.1], ["a long name", "another long name"])


def title_on_a_title(figure, axes):
    figure.add_artist(Text(0.5, 0.95, "above", figure=figure, transform=figure.transFigure))


def letter_without_a_font(figure, axes):
    axes.text(0, 2, "猫")


def too_small(figure, axes):
    figure.set_size_inches(0.4, 0.4)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (missing_title, "no title: axes 0"),
        (missing_xlabel, "no label on the x axis of 'title'"),
        (missing_ylabel, "no label on the y axis of 'title'"),
        (missing_label_of_a_colour_bar, "a colour bar has no label"),
        (second_axes_without_words, "no title: axes 1"),
        (beyond_the_edge, "cut off: 'a long text that ends outside'"),
        (beyond_the_top, "cut off: 'top'"),
        (beyond_its_clip_box, "cut off: 'a text that is clipped by its axes'"),
        (one_on_another, "on each other: 'first' and 'second'"),
        (turned_on_another, "on each other: 'turned by 45 degrees' and 'level'"),
        (label_on_a_tick, "on each other: 'a long name' and 'another long name'"),
        (title_on_a_title, "on each other: 'title' and 'above'"),
        (letter_without_a_font, "warning: Glyph 29483"),
        (too_small, "warning: constrained_layout not applied"),
    ],
)
def test_every_fault_is_found(fault, message):
    figure, axes = good()
    fault(figure, axes)
    with pytest.raises(AssertionError) as raised:
        check(figure)
    assert message in str(raised.value)


def test_turned_text_beside_another_is_fine():
    figure, axes = good()
    axes.text(0.2, 1.5, "turned by 45 degrees", rotation=45)
    axes.text(0.9, 1.6, "level")  # inside the upright box around the turned text
    check(figure)
