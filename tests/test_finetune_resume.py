"""`minigrad finetune --resume`: a training that was interrupted ends as one that was not."""

import re
import shutil

import numpy as np
import pytest

from minigrad import layers, models
from minigrad.callbacks import BackupAndRestore
from minigrad.programs import finetuning_backup, finetuning_progress
from tests.test_finetune_command import report_of, run, sentences, write
from tests.tiny_models import tiny_bert

BACKUP = "backup.safetensors"


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {head: tiny_bert(folder / str(head), head=head) for head in (None, "tokens")}


@pytest.fixture
def data_file(tmp_path):
    return write(tmp_path / "data.csv", ["text", "label"], sentences())


@pytest.fixture
def interrupt(monkeypatch):
    """A function: the next fine-tuning is backed up at every step, and interrupted after one."""
    write = finetuning_backup.Backup.on_train_batch_end

    def at(step):
        done = []

        def write_and_stop(backup, batch, logs):
            write(backup, batch, logs)
            done.append(batch)
            if len(done) == step:
                raise KeyboardInterrupt

        monkeypatch.setattr(finetuning_backup, "SECONDS", 0)
        monkeypatch.setattr(finetuning_backup.Backup, "on_train_batch_end", write_and_stop)

    return at


def files_of(folder):
    """{name: bytes} of all that a fine-tuning left, but for what tells times."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "report.txt"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


CASES = {  # {name: (head of the base, options, steps of each process before it is interrupted)}
    "lora": (None, ["--dropout", "0.2", "--rank", "4"], [1, 5, 3]),
    "full": (None, ["--method", "full"], [6]),
    "gradual": (None, ["--method", "gradual", "--epochs", "4"], [10]),
    "frozen": (None, ["--method", "frozen", "--pattern", "base.tokens"], [6]),
    "mask": ("tokens", ["--task", "mask"], [5]),
    "folds": (None, ["--folds", "2"], [5]),
    "better at first": (None, ["--learning-rate", "0.5", "--patience", "1"], [8]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fine_tuning_that_goes_on_ends_with_the_same_files_bit_by_bit(
    case, bases, data_file, tmp_path, interrupt
):
    head, options, steps = CASES[case]
    command = ["finetune", bases[head], "--data", data_file, "--epochs", 3, *options]
    assert run(*command, "--out", tmp_path / "whole") == 0
    again = []
    for step in steps:
        interrupt(step)
        assert run(*command, "--out", tmp_path / "out", *again) == 130
        assert (tmp_path / "out" / BACKUP).exists()
        again = ["--resume"]
    interrupt(None)
    resume = ["finetune", bases[head], "--data", data_file, "--out", tmp_path / "out", "--resume"]
    assert run(*resume) == 0  # options may be left out
    whole, resumed = files_of(tmp_path / "whole"), files_of(tmp_path / "out")
    assert whole.keys() == resumed.keys()  # and no backup among them
    for name, content in whole.items():
        assert resumed[name] == content, name
    ends = [report_of(tmp_path / out).strip().splitlines()[-1] for out in ("whole", "out")]
    assert ends[0] == ends[1]


def test_the_report_goes_on_and_has_each_epoch_once(bases, data_file, tmp_path, interrupt):
    command = ["finetune", bases[None], "--data", data_file, "--epochs", 3]
    out = ["--out", tmp_path / "out"]
    interrupt(6)  # the second step of the second epoch
    assert run(*command, *out) == 130
    interrupt(None)
    assert run(*command, *out, "--resume") == 0
    text = report_of(tmp_path / "out")
    assert re.findall(r"^  epoch (\d)", text, re.MULTILINE) == ["1", "2", "3"]
    assert text.count("1. Data") == 2 and "3 epochs in " in text


def test_what_is_interrupted_after_training_goes_on_as_well(
    bases, data_file, tmp_path, monkeypatch
):
    command = ["finetune", bases[None], "--data", data_file, "--epochs", 2]
    assert run(*command, "--out", tmp_path / "whole") == 0

    def fail(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("minigrad.finetune.finetuned.replacing", fail)
        assert run(*command, "--out", tmp_path / "out") == 130
    assert run(*command, "--out", tmp_path / "out", "--resume") == 0
    assert files_of(tmp_path / "whole") == files_of(tmp_path / "out")


def test_an_earlier_model_stays_until_the_new_one_is_there(bases, data_file, tmp_path, interrupt):
    command = ["finetune", bases[None], "--data", data_file, "--epochs", 2]
    command += ["--out", tmp_path / "out"]
    assert run(*command) == 0
    before = files_of(tmp_path / "out" / "model")
    interrupt(5)
    assert run(*command, "--seed", 1, "--overwrite") == 130
    assert files_of(tmp_path / "out" / "model") == before
    interrupt(None)
    assert run(*command, "--resume") == 0  # with the seed that it was begun with
    assert files_of(tmp_path / "out" / "model") != before


@pytest.fixture
def interrupted(bases, data_file, tmp_path, interrupt):
    """The words of the command, without --resume, whose training was interrupted in its middle."""
    command = ["finetune", bases[None], "--data", data_file, "--out", tmp_path / "out"]
    interrupt(6)
    assert run(*command, "--epochs", 2, "--learning-rate", 0.002) == 130
    interrupt(None)
    return command


def test_options_are_the_same_if_they_are_given(interrupted, tmp_path, capsys):
    before = files_of(tmp_path / "out")
    for option, value, words in (
        ("--epochs", 3, "epochs was 2. Received: 3"),
        ("--learning-rate", 0.001, "learning_rate was 0.002. Received: 0.001"),
        ("--method", "full", "method was lora. Received: full"),
        ("--test", 0.3, "test was 0.2. Received: 0.3"),
        ("--targets", "query", "targets was None. Received: ['query']"),
    ):
        assert run(*interrupted, "--resume", option, value) == 2
        assert f"it was begun with: {words}" in capsys.readouterr().err
    assert files_of(tmp_path / "out") == before
    same = ["--epochs", 2, "--learning-rate", 0.002, "--method", "lora"]
    assert run(*interrupted, "--resume", *same) == 0


def test_base_and_data_may_lie_elsewhere_and_have_to_be_the_same(
    bases, interrupted, tmp_path, capsys
):
    _, base, _, data_file, *out = interrupted
    other = tiny_bert(tmp_path / "other", seed=1)
    assert run("finetune", other, "--data", data_file, *out, "--resume") == 2
    error = capsys.readouterr().err
    assert "the backup of another training" in error and "weights of the base was" in error
    changed = write(tmp_path / "changed.csv", ["text", "label"], sentences(seed=3))
    assert run("finetune", base, "--data", changed, *out, "--resume") == 2
    assert "checksum of the data was" in capsys.readouterr().err
    shutil.copytree(base, tmp_path / "moved")
    moved = shutil.copy(data_file, tmp_path / "moved.csv")
    assert run("finetune", tmp_path / "moved", "--data", moved, *out, "--resume") == 0


def test_a_file_for_validation_may_lie_elsewhere_and_becomes_no_share(
    bases, data_file, tmp_path, interrupt, capsys
):
    command = ["finetune", bases[None], "--data", data_file, "--out", tmp_path / "out"]
    others = write(tmp_path / "others.csv", ["text", "label"], sentences(20, seed=1))
    interrupt(6)
    assert run(*command, "--epochs", 2, "--validation", others) == 130
    interrupt(None)
    assert run(*command, "--resume", "--validation", 0.2) == 2
    assert "others.csv. Received: 0.2" in capsys.readouterr().err
    moved = shutil.copy(others, tmp_path / "moved.csv")
    assert run(*command, "--resume", "--validation", moved) == 0


def test_what_is_not_over_is_not_begun_anew_unasked(interrupted, tmp_path, capsys):
    before = files_of(tmp_path / "out")
    assert run(*interrupted) == 2
    assert "has a fine-tuning that is not over: --resume goes on" in capsys.readouterr().err
    assert files_of(tmp_path / "out") == before
    assert run(*interrupted, "--epochs", 1, "--overwrite") == 0
    assert re.findall(r"^  epoch (\d)", report_of(tmp_path / "out"), re.MULTILINE) == ["1"]


def test_what_cannot_be_resumed_is_named(bases, data_file, tmp_path, capsys):
    command = ["finetune", bases[None], "--data", data_file, "--epochs", 1]
    command += ["--out", tmp_path / "out"]
    assert run(*command, "--resume") == 2
    assert f"nothing to resume in {tmp_path / 'out'}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run(*command) == 0
    assert run(*command, "--resume") == 2  # it is over
    assert "nothing to resume in" in capsys.readouterr().err


def test_the_backup_of_another_program_is_none_of_ours(bases, data_file, tmp_path, capsys):
    model = models.Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    x = np.ones((4, 1), "f4")
    (tmp_path / "out").mkdir()

    class Stop(finetuning_progress.Callback):
        comes_last = True

        def on_epoch_end(self, epoch, logs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told = [BackupAndRestore(tmp_path / "out"), Stop()]
        model.fit(x, x, verbose=0, callbacks=told)
    before = files_of(tmp_path / "out")
    assert before.keys() == {BACKUP}
    command = ["finetune", bases[None], "--data", data_file, "--out", tmp_path / "out"]
    assert run(*command, "--overwrite") == 2
    assert "has to be empty, or of an earlier fine-tuning" in capsys.readouterr().err
    assert run(*command, "--resume") == 2
    assert "is no backup of a fine-tuning" in capsys.readouterr().err
    assert files_of(tmp_path / "out") == before


def test_an_interruption_takes_no_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(finetuning_progress.time, "perf_counter", lambda: now[0])
    clock = finetuning_progress.Clock(minutes=1)
    clock.model = models.Sequential([])
    clock.on_train_begin()
    now[0] += 40
    clock.on_train_batch_end(0, {})
    state = clock.get_state()
    now[0] += 1000
    later = finetuning_progress.Clock(minutes=1)
    later.model = models.Sequential([])
    later.on_train_begin()
    later.set_state(state)
    now[0] += 15
    later.on_train_batch_end(0, {})
    assert later.seconds == 55 and not later.model.stop_training
    now[0] += 6
    later.on_train_batch_end(1, {})
    assert later.model.stop_training
