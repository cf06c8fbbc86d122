"""The commands do what the README says."""

import subprocess
import sys

import numpy as np
import pytest

from minigrad import data, models
from minigrad.__main__ import main


def test_quickstart_ends_with_the_test_accuracy_and_leaves_report_picture_and_model(
    tmp_path, capsys
):
    assert main(["quickstart", "--out", str(tmp_path / "new" / "folder")]) == 0
    text = capsys.readouterr().out
    last = text.strip().splitlines()[-1]
    assert last.startswith("test accuracy 0.")
    assert float(last.split()[-1]) >= 0.95
    stages = ["1. Data", "2. Model", "3. Training", "4. Evaluation", "5. Save and reload"]
    for stage in [*stages, "6. Fine-tuning", "fine-tuning was better in 6 of 6 repetitions"]:
        assert stage in text
    folder = tmp_path / "new" / "folder"
    assert (folder / "report.txt").read_text(encoding="utf-8").strip() == text.strip()
    for picture in ("history.png", "confusion.png", "mistakes.png"):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    assert models.load_model(folder / "model.safetensors").count_params() == 8970
    assert models.load_model(folder / "pretrained.safetensors").count_params() == 8775


def test_quickstart_takes_a_folder_with_the_files_of_mnist(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("minigrad.programs.finetuning.SEEDS", range(2))
    for part, pair in zip(("train", "t10k"), data.digits.load_data()):
        for name, array in zip(("images-idx3", "labels-idx1"), pair):
            numbers = (array * 255).reshape(-1, 8, 8) if name == "images-idx3" else array
            shape = np.array(numbers.shape, dtype=">i4").tobytes()
            content = bytes([0, 0, 8, numbers.ndim]) + shape + numbers.astype("uint8").tobytes()
            (tmp_path / f"{part}-{name}-ubyte").write_bytes(content)
    assert main(["quickstart", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert f"MNIST from {tmp_path}" in text
    assert "6. Fine-tuning" in text
    assert float(text.split()[-1]) >= 0.95


def test_doctor_reports(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for name in ("Python", "NumPy", "BLAS", "Numba", "GPU"):
        assert name in text


@pytest.mark.parametrize(
    "arguments, culprit",
    [
        (["quickstart", "--data", "no/such/folder"], "no/such/folder"),
        (["quickstart", "--out", __file__], "test_command_line.py"),
    ],
)
def test_an_error_of_the_user_is_one_line_and_status_2(
    arguments, culprit, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    complaint = capsys.readouterr().err
    assert culprit in complaint
    assert "Traceback" not in complaint


def test_ctrl_c_is_one_line_and_status_130(capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("minigrad.__main__.quickstart", interrupt)
    assert main(["quickstart"]) == 130
    assert capsys.readouterr().err == "minigrad quickstart: interrupted\n"


def test_python_m_minigrad_is_the_same_command():
    command = [sys.executable, "-m", "minigrad", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stdout.startswith("minigrad 0.")
