"""The picture of a history: what is drawn, and how it can be told apart."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from minigrad import plots

LOSSES = {"loss": [1.0, 0.5, 0.4], "val_loss": [1.1, 0.7, 0.6]}
HISTORY = {
    "loss": LOSSES["loss"],
    "accuracy": [0.2, 0.6, 0.7],
    **LOSSES,
    "val_accuracy": [0, 0.5, 0.6],
}


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
    (panel,) = plots.history({"loss": np.ones(epochs)}).axes
    assert panel.lines[0].get_xdata().tolist() == list(range(1, epochs + 1))
    ticks = panel.get_xticks()
    assert ticks[0] == 1 and ticks[-1] <= epochs
    assert np.array_equal(ticks, np.round(ticks)) and len(ticks) <= 7
    assert panel.get_xlim()[0] < 1 and panel.get_xlim()[1] > epochs


def ink(file, colour):
    """How many pixels of a PNG have about this colour, given as #rrggbb."""
    import matplotlib.image

    wanted = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return np.sum(np.abs(matplotlib.image.imread(file)[..., :3] - wanted).max(axis=-1) < 0.02)


def test_a_single_epoch_can_be_seen(tmp_path):
    plots.history({"loss": [1.0]}, tmp_path / "one.png")
    assert ink(tmp_path / "one.png", "#0072B2") > 50


def test_nan_and_infinity_are_left_out_and_counted_in_the_title():
    (panel,) = plots.history({"loss": [1, np.nan, 2], "val_loss": [np.inf, 1, 1]}).axes
    assert panel.get_title().endswith("2 values not finite")
    assert all(np.isfinite(panel.get_ylim()))


def test_a_history_of_nan_alone_is_drawn(tmp_path):
    plots.history({"loss": [np.nan] * 3}, tmp_path / "nan.png")
    assert (tmp_path / "nan.png").stat().st_size > 1000


def test_the_picture_is_saved_as_png_whatever_its_name(tmp_path):
    plots.history(HISTORY, tmp_path / "picture")
    assert (tmp_path / "picture").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert ink(tmp_path / "picture", "#0072B2") > 500
    assert ink(tmp_path / "picture", "#D55E00") > 500


def test_seven_metrics_take_three_rows():
    figure = plots.history({f"metric_{i}": [1, 2] for i in range(7)})
    assert len(figure.axes) == 7
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (3, 3)


@pytest.mark.parametrize("history", [{}, {"loss": []}, SimpleNamespace(history={})])
def test_a_history_without_epochs_is_refused(history):
    with pytest.raises(ValueError, match="no epoch to draw. Received: "):
        plots.history(history)


@pytest.mark.parametrize("history", [None, [1.0, 0.5], "loss"])
def test_what_is_no_history_is_refused(history):
    with pytest.raises(ValueError, match="a history is a dict or has one .* Received: "):
        plots.history(history)


def test_a_metric_without_values_is_left_out():
    assert len(plots.history({"loss": [1], "accuracy": []}).axes) == 1


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        plots.history(LOSSES, tmp_path / "absent" / "picture.png")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        plots.history(LOSSES)


def test_neither_importing_nor_drawing_needs_pyplot():
    program = """if True:
        import sys
        from minigrad import plots
        assert "matplotlib" not in sys.modules
        plots.history({"loss": [1]})
        assert "matplotlib.pyplot" not in sys.modules
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
