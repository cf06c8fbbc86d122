"""Every picture that a program writes has titles and labels, and no text that is cut off."""

import numpy as np
import pytest

from minigrad import data, plots
from minigrad.__main__ import main
from tests import figures


@pytest.fixture
def drawn(monkeypatch):
    """{name of the file: Figure} of all that is drawn."""
    found, finish = {}, plots.style.finish

    def keep(figure, path=None):
        found[path.name] = figure
        return finish(figure, path)

    monkeypatch.setattr(plots.style, "finish", keep)
    return found


def write_table(path, regression):
    """The digits as a table: the ink of each row of pixels, and a digit or the whole ink."""
    (x, y), _ = data.digits.load_data()
    ink = x[:200].reshape(-1, 8, 8).sum(axis=2)
    target = ink.sum(axis=1) if regression else np.where(y[:200] < 5, "small", "large")
    header = ",".join([f"row {i}" for i in range(8)] + ["target"])
    rows = [",".join(map(str, [*row, answer])) for row, answer in zip(ink.tolist(), target)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "pictures"),
    [
        (["quickstart"], {"history.png", "confusion.png", "mistakes.png"}),
        (["run", "overfitting", "--seeds", "2"], {"overfitting.png"}),
        (["run", "generate_digits", "--seeds", "1"], {"generate_digits.png"}),
        (["run", "recommend", "--seeds", "2"], {"recommend.png"}),
        (["run", "retrieve_images", "--seeds", "1"], {"retrieve_images.png"}),
        (["run", "speech_commands", "--seeds", "2"], {"words.png", "confusion.png"}),
        (
            ["train", "table", "--data", "classes.csv", "--target", "target"],
            {"history.png", "confusion_matrix.png", "calibration.png"},
        ),
        (
            ["train", "table", "--data", "numbers.csv", "--target", "target"],
            {"history.png", "predictions.png"},
        ),
    ],
    ids=[
        "quickstart",
        "overfitting",
        "generate",
        "recommend",
        "retrieve_images",
        "speech_commands",
        "classification",
        "regression",
    ],
)
def test_each_picture_is_labelled_and_legible(command, pictures, drawn, tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.programs.finetuning.SEEDS", range(2))
    programs = "generate_digits", "overfitting", "recommend", "retrieve_images", "speech_commands"
    for program in programs:
        monkeypatch.setattr(f"minigrad.programs.{program}.EPOCHS", 2)
    monkeypatch.setattr("minigrad.programs.speech_commands.CLIPS", 8)
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "classes.csv", regression=False)
    write_table(tmp_path / "numbers.csv", regression=True)
    assert main([*command, "--out", "out"]) == 0
    assert drawn.keys() == pictures == {file.name for file in (tmp_path / "out").glob("*.png")}
    for figure in drawn.values():
        figures.check(figure)
