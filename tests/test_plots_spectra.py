"""Pictures of spectrograms: time to the right, pitch upwards, and what is refused."""

import numpy as np
import pytest

from minigrad import plots
from tests.figures import check, texts

HERTZ = np.array([100.0, 300.0, 900.0, 2700.0])


def draw(x, titles=("a word",), seconds=0.25, hertz=HERTZ, **options):
    return plots.spectrograms(x, titles, seconds, hertz, **options)


def test_the_first_frame_is_at_the_left_and_the_lowest_band_at_the_bottom():
    x = np.arange(12.0).reshape(1, 3, 4)
    panel = draw(x).axes[0]
    (image,) = panel.images
    assert image.origin == "lower"
    assert image.get_array().tolist() == x[0].T.tolist()
    assert image.get_extent() == [-0.125, 0.625, -0.5, 3.5]  # frames in the middle of their time


def test_pitches_stand_between_the_bands_that_hear_them():
    panel = draw(np.zeros((1, 3, 4)) + np.arange(4)).axes[0]
    named = {label.get_text(): label.get_position()[1] for label in panel.get_yticklabels()}
    assert list(named) == ["125", "250", "500", "1000", "2000"]
    assert named["500"] == pytest.approx(1 + 200 / 600)


def test_all_panels_have_one_scale_of_loudness():
    figure = draw(np.stack([np.full((3, 4), v) for v in (0.0, 5.0)]), ["soft", "loud"])
    assert [panel.images[0].get_clim() for panel in figure.axes[:2]] == [(0, 5), (0, 5)]
    assert {"soft", "loud", "loudness (dB)"} <= set(texts(figure))


@pytest.mark.parametrize(
    ("shape", "hertz"),
    [((1, 1, 1), [440.0]), ((40, 3, 4), HERTZ), ((5, 61, 4), HERTZ), ((2, 3, 2), [1.0, 2.0])],
)
def test_pictures_of_every_size_are_legible(shape, hertz):
    x = np.random.default_rng(0).normal(size=shape)
    check(draw(x, [f"a word that is number {i}" for i in range(shape[0])], hertz=hertz))


def test_silence_is_legible():
    check(draw(np.full((2, 3, 4), -60.0), ["nothing", "at all"]))


X = np.zeros((1, 3, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw(X[0]), r"x must be \(n, t, bands\), n up to 40. Received: shape \(3, 4\)"),
        (lambda: draw(np.zeros((41, 3, 4))), r"Received: shape \(41, 3, 4\)"),
        (lambda: draw(X * np.nan), "x has 12 values that are NaN"),
        (lambda: draw(X, hertz=HERTZ[:3]), "hertz must be 4 rising numbers"),
        (lambda: draw(X, hertz=HERTZ[::-1]), "hertz must be 4 rising numbers"),
        (lambda: draw(X, ["one", "two"]), r"titles must be 1 texts. Received: \['one', 'two'\]"),
        (lambda: draw(X, "w"), "titles must be 1 texts. Received: 'w'"),
        (lambda: draw(X, seconds=0), "seconds=0"),
        (lambda: draw(X, columns=0), "columns=0"),
    ],
)
def test_bad_spectrograms_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
