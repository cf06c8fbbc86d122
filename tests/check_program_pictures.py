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


# {name: the pictures it draws}; each trains for EPOCHS
PROGRAMS = {
    "cnn_digits": {"cnn_digits"},
    "generate_digits": {"generate_digits"},
    "name_the_module": {"name_the_module", "confusion"},
    "overfitting": {"overfitting"},
    "recommend": {"recommend"},
    "retrieve_images": {"retrieve_images"},
    "speech_commands": {"words", "confusion"},
    "translate_dates": {"translate_dates"},
}


@pytest.mark.parametrize(
    ("command", "pictures"),
    [
        pytest.param(
            "quickstart --stages classify", {"history", "confusion", "mistakes"}, id="quickstart"
        ),
        pytest.param(
            "train gpt --data classes.csv --steps 20 --width 16", {"losses"}, id="pretraining"
        ),
        *(pytest.param(f"run {name} --seeds 2", PROGRAMS[name], id=name) for name in PROGRAMS),
        pytest.param(
            "train table --data classes.csv --target target",
            {"history", "confusion_matrix", "calibration"},
            id="classification",
        ),
        pytest.param(
            "train table --data numbers.csv --target target",
            {"history", "predictions"},
            id="regression",
        ),
    ],
)
def test_each_picture_is_labelled_and_legible(command, pictures, drawn, tmp_path, monkeypatch):
    for program in PROGRAMS:
        monkeypatch.setattr(f"minigrad.programs.{program}.EPOCHS", 2)
    monkeypatch.setattr("minigrad.programs.speech_commands.CLIPS", 8)
    monkeypatch.setattr("minigrad.programs.standard_library.MOST", 4)
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "classes.csv", regression=False)
    write_table(tmp_path / "numbers.csv", regression=True)
    assert main([*command.split(), "--out", "out"]) == 0
    files = {f"{picture}.png" for picture in pictures}
    assert drawn.keys() == files == {file.name for file in (tmp_path / "out").glob("*.png")}
    for figure in drawn.values():
        figures.check(figure)
