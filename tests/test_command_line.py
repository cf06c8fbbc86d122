"""The commands do what the README says."""

import subprocess
import sys

import numpy as np
import pytest

from kernels import devices
from minigrad import data, finetune, models
from minigrad.__main__ import main
from minigrad.programs.quickstart import ABOUT, STAGES
from tests.tiny_models import tiny_bert


@pytest.fixture
def quick_gpt(monkeypatch, tmp_path):
    """The last two stages of the quickstart learn from a few lines, in a few steps."""
    source = tmp_path / "source.py"
    source.write_text("def double(x):\n    return 2 * x\n" * 100)
    tiny = {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch": 4, "vocabulary": 280}
    options = {"data": str(source), "steps": 20, "learning_rate": 0.01, **tiny}
    monkeypatch.setattr("minigrad.programs.quickstart.GPT", options)
    monkeypatch.setattr("minigrad.programs.quickstart.LORA_MINUTES", 0.01)
    monkeypatch.setattr("minigrad.programs.another_text.MOST", 20_000)
    monkeypatch.setattr("minigrad.programs.another_text.MEASURED", 2_000)


def test_quickstart_ends_with_its_results_and_leaves_report_pictures_and_models(
    tmp_path, capsys, quick_gpt
):
    assert main(["quickstart", "--out", str(tmp_path / "new" / "folder")]) == 0
    text = capsys.readouterr().out
    accuracy, gain, bits, saved = text.strip().splitlines()[-4:]
    assert accuracy.startswith("test accuracy 0.") and float(accuracy.split()[2][:-1]) >= 0.95
    assert "more accuracy" in gain and float(gain.split()[0]) > 0
    assert "bits per byte, of a GPT" in bits and 0 < float(bits.split()[0]) < 8
    assert "bits per byte less of English" in saved and float(saved.split()[0]) != 0
    stages = ["1. Data", "2. Model", "3. Training", "4. Evaluation", "5. Save and reload"]
    stages += ["6. Fine-tuning", "fine-tuning was better in 6 of 6 repetitions", "7. Text"]
    for stage in [
        *stages,
        "9. Training",
        "11. The GPT, reloaded, writes Python",
        "def ",
        "12. LoRA",
    ]:
        assert stage in text
    folder = tmp_path / "new" / "folder"
    assert (folder / "report.txt").read_text(encoding="utf-8").strip() == text.strip()
    for picture in ("history.png", "confusion.png", "mistakes.png"):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    assert models.load_model(folder / "model.safetensors").count_params() == 8970
    assert models.load_model(folder / "pretrained.safetensors").count_params() == 8775
    gpt = models.load_model(folder / "gpt" / "model.safetensors")
    assert isinstance(gpt, models.GPT)
    assert len(finetune.load_adapter(gpt, folder / "lora")) == 4  # the Dense layers of its block
    assert "with its adapter" in text and "goes on after 'Return the'" in text


def test_quickstart_takes_a_folder_with_the_files_of_mnist(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("minigrad.programs.finetuning.SEEDS", range(2))
    for part, pair in zip(("train", "t10k"), data.digits.load_data()):
        for name, array in zip(("images-idx3", "labels-idx1"), pair):
            numbers = (array * 255).reshape(-1, 8, 8) if name == "images-idx3" else array
            shape = np.array(numbers.shape, dtype=">i4").tobytes()
            content = bytes([0, 0, 8, numbers.ndim]) + shape + numbers.astype("uint8").tobytes()
            (tmp_path / f"{part}-{name}-ubyte").write_bytes(content)
    options = ["--out", str(tmp_path / "out"), "--stages", "classify,finetune"]
    assert main(["quickstart", "--data", str(tmp_path), *options]) == 0
    text = capsys.readouterr().out
    assert f"MNIST from {tmp_path}" in text
    assert "6. Fine-tuning" in text
    [accuracy] = [line for line in text.splitlines() if line.endswith("that it has not seen")]
    assert float(accuracy.split()[2][:-1]) >= 0.95


def test_the_stages_of_the_quickstart_are_chosen_by_name(tmp_path, capsys, quick_gpt):
    assert main(["quickstart", "--out", str(tmp_path / "out"), "--stages", "gpt"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("1. Text") and "accuracy" not in text
    assert main(["quickstart", "--out", str(tmp_path / "out"), "--stages", "gpt,classfy"]) == 2
    assert "unknown stage 'classfy'; did you mean 'classify'?" in capsys.readouterr().err


def test_stage_lora_asks_for_the_gpt_that_it_fine_tunes(tmp_path, capsys):
    for stages in ("lora", "classify,lora,gpt"):
        assert main(["quickstart", "--out", str(tmp_path / "out"), "--stages", stages]) == 2
        assert "stage lora fine-tunes the GPT of stage gpt" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()  # it says so before any work


def test_stage_minilm_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("minigrad.finetune.minilm.find_spec", lambda name: None)
    for stages in ("minilm", "classify,minilm"):
        assert main(["quickstart", "--out", str(tmp_path / "out"), "--stages", stages]) == 2
        assert "make pretrained" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()  # it says so before any work


def test_the_help_of_the_quickstart_says_what_each_stage_is(capsys):
    with pytest.raises(SystemExit):
        main(["quickstart", "--help"])
    shown = capsys.readouterr().out.splitlines()
    assert STAGES.keys() == ABOUT.keys()
    for name, about in ABOUT.items():
        assert f"  {name:10}{about}" in shown


def test_stage_minilm_fine_tunes_a_pretrained_model_on_docstrings(tmp_path, capsys, monkeypatch):
    folder = tiny_bert(tmp_path / "bert")
    for room in ("finetune", "programs.text_base.finetune"):
        monkeypatch.setattr(f"minigrad.{room}.minilm_folder", lambda: folder)
    options = {"max_length": 16, "epochs": 1}
    monkeypatch.setattr("minigrad.programs.quickstart.MINILM_OPTIONS", options)
    out = tmp_path / "out"
    assert main(["quickstart", "--out", str(out), "--stages", "minilm"]) == 0
    assert "of MiniLM on what docstrings are about" in capsys.readouterr().out
    assert (out / "minilm" / "model" / "adapter_config.json").is_file()


def test_a_quickstart_that_was_interrupted_begins_anew(tmp_path, quick_gpt, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    arguments = ["quickstart", "--out", str(tmp_path / "out"), "--stages", "gpt"]
    with monkeypatch.context() as patch:
        patch.setattr("minigrad.programs.pretrain.add_gradients", interrupt)
        assert main(arguments) == 130
    (tmp_path / "out" / "gpt" / "backup.safetensors").write_bytes(b"half")
    assert main(arguments) == 0


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
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("minigrad.__main__.quickstart", interrupt)
    assert main(["quickstart"]) == 130
    assert capsys.readouterr().err == "minigrad quickstart: interrupted\n"


def test_python_m_minigrad_is_the_same_command():
    command = [sys.executable, "-m", "minigrad", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stdout.startswith("minigrad 0.")


@pytest.mark.parametrize(
    "command", ["train table", "train gpt", "train bert", "finetune", "generate"]
)
def test_the_help_lists_all_devices(command, capsys):
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    _, _, about = " ".join(capsys.readouterr().out.split()).partition("--device DEVICE ")
    about, _, _ = about.partition("(default: cpu)")
    assert [name for name in devices.NAMES if name not in about] == []
    assert len(about) < 100  # it is this option's alone
