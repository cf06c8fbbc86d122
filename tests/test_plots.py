"""What all pictures share, and the picture of a history: what is drawn, and by which looks."""

import os
import subprocess
import sys
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pytest

from minigrad import Tensor, ops, plots
from minigrad.plots import style
from tests.figures import check, texts

LOSSES = {"loss": [1.0, 0.5, 0.4], "val_loss": [1.1, 0.7, 0.6]}
HISTORY = {
    "loss": LOSSES["loss"],
    "accuracy": [0.2, 0.6, 0.7],
    **LOSSES,
    "val_accuracy": [0, 0.5, 0.6],
}
X = np.arange(32.0).reshape(8, 4) / 32
Y = np.arange(8) % 2
P = np.linspace(0.05, 0.95, 8)
SCALAR = Tensor(2.0, requires_grad=True)
REMEDIES = {
    "none": {"train": [1.0, 0.99], "test": [0.8, 0.82]},
    "dropout": {"train": [0.95, 0.96], "test": [0.9, 0.91]},
}
PICTURES = {
    "history": lambda path=None: plots.history(HISTORY, path),
    "confusion_matrix": lambda path=None: plots.confusion_matrix([[5, 1], [0, 4]], path=path),
    "images": lambda path=None: plots.images(X, Y, path=path),
    "mistakes": lambda path=None: plots.mistakes(X, Y, 1 - Y, path=path),
    "decision_boundary": lambda path=None: plots.decision_boundary(
        lambda x: x[:, 0] - 0.4, X[:, :2], Y, path=path
    ),
    "weights": lambda path=None: plots.weights(X.T - 0.5, path=path),
    "calibration": lambda path=None: plots.calibration(Y, P, path=path),
    "predictions": lambda path=None: plots.predictions(P, P**2, path=path),
    "graph": lambda path=None: plots.graph(ops.tanh(SCALAR) * SCALAR, path=path),
    "comparison": lambda path=None: plots.comparison(REMEDIES, path=path),
    "spectrograms": lambda path=None: plots.spectrograms(
        np.arange(60.0).reshape(3, 4, 5), ["a", "b", "c"], 0.1, 100 * np.arange(1, 6), path=path
    ),
}
EVERY = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


# ---- All pictures --------------------------------------------------------------------------------


def test_every_function_is_among_the_pictures():
    assert set(PICTURES) == set(plots.__all__)


@EVERY
def test_a_picture_is_legible_and_saved_as_png_whatever_its_name(draw, tmp_path):
    check(draw(tmp_path / "picture"))
    assert (tmp_path / "picture").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        plots.history(LOSSES, tmp_path / "absent" / "picture.png")


@EVERY
def test_without_matplotlib_the_error_says_what_to_install(draw, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        draw()


def test_neither_importing_nor_drawing_needs_pyplot():
    program = """if True:
        import sys
        from minigrad import plots
        assert "matplotlib" not in sys.modules
        from tests import test_plots
        for draw in test_plots.PICTURES.values():
            draw()
        assert "matplotlib.pyplot" not in sys.modules
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def contrast(colour, other):
    """The contrast ratio of two greys or colours, by the Web Content Accessibility Guidelines."""
    light = []
    for rgb in (colour, other):
        parts = np.array(matplotlib.colors.to_rgb(rgb))
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        light.append(linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    return max(light) / min(light)


@pytest.mark.parametrize("grey", np.linspace(0, 1, 21))
def test_ink_can_be_read_on_every_shade(grey):
    assert contrast(style.ink_on((grey,) * 3), (grey,) * 3) >= 4.5


def test_grey_text_and_the_colour_of_mistakes_can_be_read_on_white():
    assert contrast(style.GREY, "white") >= 4.5
    assert contrast(style.VERMILLION, "white") >= 3.8


def test_points_of_63_classes_differ_in_colour_or_marker():
    looks = {
        (style.PALETTE[k % len(style.PALETTE)], style.MARKERS[k % len(style.MARKERS)])
        for k in range(63)
    }
    assert len(looks) == 63


@pytest.mark.parametrize(
    ("count", "columns", "shape"), [(1, 8, (1, 1)), (8, 8, (1, 8)), (9, 8, (2, 5)), (10, 4, (3, 4))]
)
def test_a_grid_has_rows_of_about_the_same_length(count, columns, shape):
    panels, *found = style.grid(style.figure(), count, columns)
    assert (len(panels), tuple(found)) == (count, shape)


@pytest.mark.parametrize("size", [6, 10, 12])
def test_the_width_of_a_text_is_about_that_in_the_picture(size):
    figure = style.figure()
    text = figure.text(0.5, 0.5, "width of a text", size=size)
    width = text.get_window_extent().width / figure.dpi
    assert style.width_of(["short", "width of a text"], size) == pytest.approx(width, rel=0.08)


# ---- history -------------------------------------------------------------------------------------


def curves(panel):
    return {line.get_label(): line.get_ydata().tolist() for line in panel.lines}


def test_each_metric_has_a_panel_with_its_training_and_validation_curve():
    loss, accuracy = plots.history(HISTORY).axes
    assert curves(loss) == {"training": HISTORY["loss"], "validation": HISTORY["val_loss"]}
    assert curves(accuracy) == {"training": HISTORY["accuracy"], "validation": [0, 0.5, 0.6]}


def test_panels_and_axes_are_labelled():
    panel, _ = plots.history({**LOSSES, "mean_squared_error": [1]}).axes[::-1]
    assert panel.get_title() == "mean squared error after each epoch"
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("epoch", "mean squared error")


def test_two_curves_have_a_legend():
    (panel,) = plots.history(LOSSES).axes
    assert [text.get_text() for text in panel.get_legend().get_texts()] == [
        "training",
        "validation",
    ]


def test_curves_differ_in_colour_line_and_marker():
    (panel,) = plots.history(LOSSES).axes
    training, validation = panel.lines
    for look in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(training, look)() != getattr(validation, look)()


def test_an_object_with_a_history_is_drawn_as_its_history():
    (panel,) = plots.history(SimpleNamespace(history=LOSSES)).axes
    assert curves(panel)["training"] == LOSSES["loss"]


def test_a_metric_may_have_a_validation_curve_alone():
    (panel,) = plots.history({"val_loss": [1, 2]}).axes
    assert curves(panel) == {"validation": [1, 2]}


@pytest.mark.parametrize("epochs", [1, 2, 7, 10, 37, 100, 1234])
def test_epochs_are_counted_from_1_and_ticks_are_few_whole_numbers(epochs):
    figure = plots.history({"loss": np.ones(epochs)})
    check(figure)
    (panel,) = figure.axes
    assert panel.lines[0].get_xdata().tolist() == list(range(1, epochs + 1))
    ticks = panel.get_xticks()
    assert ticks[0] == 1 and ticks[-1] <= epochs
    assert np.array_equal(ticks, np.round(ticks)) and len(ticks) <= 7
    assert panel.get_xlim()[0] < 1 and panel.get_xlim()[1] > epochs


def ink(file, colour):
    """How many pixels of a PNG have about this colour, given as #rrggbb."""
    wanted = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return np.sum(np.abs(matplotlib.image.imread(file)[..., :3] - wanted).max(axis=-1) < 0.02)


def test_a_single_epoch_can_be_seen(tmp_path):
    plots.history({"loss": [1.0]}, tmp_path / "one.png")
    assert ink(tmp_path / "one.png", "#0072B2") > 50


def test_nan_and_infinity_are_left_out_and_counted_in_the_title():
    figure = plots.history({"loss": [1, np.nan, 2], "val_loss": [np.inf, 1, 1]})
    check(figure)
    (panel,) = figure.axes
    assert panel.get_title().endswith("2 values not finite")
    assert all(np.isfinite(panel.get_ylim()))


def test_a_history_of_nan_alone_is_drawn():
    check(plots.history({"loss": [np.nan] * 3}))


def test_the_curves_are_in_the_file(tmp_path):
    plots.history(HISTORY, tmp_path / "picture")
    assert ink(tmp_path / "picture", "#0072B2") > 500
    assert ink(tmp_path / "picture", "#D55E00") > 500


def test_seven_metrics_take_three_rows():
    figure = plots.history({f"metric_{i}": [1, 2] for i in range(7)})
    check(figure)
    assert len(figure.axes) == 7
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (3, 3)


def test_long_names_of_metrics_keep_their_panels():
    names = ["sparse_top_k_categorical_accuracy", "a_metric_with_a_very_very_long_name_indeed"]
    figure = plots.history({name: [1, 2] for name in names})
    check(figure)
    assert "sparse top k categorical accuracy" in texts(figure)
    assert "a metric with a very ver…name indeed" in texts(figure)


@pytest.mark.parametrize("history", [{}, {"loss": []}, SimpleNamespace(history={})])
def test_a_history_without_epochs_is_refused(history):
    with pytest.raises(ValueError, match="no epoch to draw. Received: "):
        plots.history(history)


@pytest.mark.parametrize("history", [None, [1.0, 0.5], "loss"])
def test_what_is_no_history_is_refused(history):
    with pytest.raises(ValueError, match="a history is a dict or has one .* Received: "):
        plots.history(history)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2]], r"loss must have one value per epoch. Received: shape \(1, 2\)"),
        (["low"], r"loss must hold numbers. Received: \['low'\]"),
        (0.5, r"loss must have one value per epoch. Received: shape \(\)"),
        ([1, [2, 3]], r"loss must hold numbers. Received: \[1, \[2, 3\]\]"),
    ],
)
def test_what_is_no_curve_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        plots.history({"loss": values})


def test_a_metric_without_values_is_left_out():
    assert len(plots.history({"loss": [1], "accuracy": []}).axes) == 1
