"""The folder that a fine-tuning leaves: report, pictures, predictions, and the model in `model`."""

import secrets
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from .. import finetune
from ..atomic import remove_leftovers
from .finetuning_backup import FILE, settings_in
from .table_evaluation import PICTURES

REPORT, HISTORY, TEST, MODEL = "report.txt", "history.png", "test.csv", "model"
TASK = "minigrad_task.json"  # what tells a fine-tuned model from any other
COMPARED = 16  # rows, to see whether a model that is read again is the same
OURS = {REPORT, HISTORY, TEST, MODEL, FILE, *PICTURES}


def check(out, overwrite, sources):
    """The folder as a Path. ValueError if it is no place for a new fine-tuning.

    overwrite  whether a model of a fine-tuning may be there already, or one that is not over
    sources    {what it is: its path} of what must not be in the folder
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--out has to be a folder. Received: {out}, which is a file")
    for what, source in sources.items():
        if Path(source).resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"--out has to be another folder than that of the {what}. Received: {out}"
            )
    if not folder.is_dir():
        return folder
    strange = [path.name for path in folder.iterdir() if not _is_ours(path)]
    if strange:
        raise ValueError(
            f"--out has to be empty, or of an earlier fine-tuning. Received: {out}, which has "
            f"{min(strange)}"
        )
    if any(_earlier(folder)) and not overwrite:
        raise ValueError(f"{out} has a fine-tuned model already: --overwrite replaces it")
    if (folder / FILE).exists() and not overwrite:
        raise ValueError(
            f"{out} has a fine-tuning that is not over: --resume goes on with it, and --overwrite "
            "begins anew"
        )
    return folder


def _earlier(folder):
    """The paths where an earlier model may be: its own, and that of a `save` that was killed."""
    return [path for path in (folder / MODEL, *folder.glob(".*.old")) if path.is_dir()]


def _is_ours(path):
    is_leftover = path.name.startswith(".") and path.name.endswith((".tmp", ".old"))
    if path.name == MODEL:
        return (path / TASK).is_file()
    if path.name == TEST and path.is_file():
        with path.open("rb") as file:
            return file.read(5) == b"line,"
    if path.name == FILE and path.is_file():
        with suppress(ValueError):
            return settings_in(path) is not None
        return False
    return path.name in OURS or is_leftover


def clear(folder, resume=False):
    """Remove what an earlier fine-tuning left, but for its model, which stays to the end.

    resume  whether it goes on: then its report and its backup stay too
    """
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path)
    remove_leftovers(folder)
    model, *old = _earlier(folder) or [None]
    if model is not None and model.name != MODEL:
        model.rename(folder / MODEL)
    for path in old:
        shutil.rmtree(path)
    for name in OURS - {MODEL} - ({REPORT, FILE} if resume else set()):
        (folder / name).unlink(missing_ok=True)


def save(training, folder, source):
    """Write the model into `folder`, in the place of one that is there: all of it, or nothing."""
    name = secrets.token_hex(8)
    temporary, old = folder / f".{name}.tmp", folder / f".{name}.old"
    target = folder / MODEL
    try:
        finetune.save_finetuned(training.model, training.task, temporary, source)
        if target.exists():
            target.rename(old)
        temporary.rename(target)
    except BaseException:  # also KeyboardInterrupt
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def model_folder(folder):
    """The folder of a fine-tuned model: `model` in that of a fine-tuning, or the folder itself.

    None if there is no such model.
    """
    for path in (Path(folder) / MODEL, Path(folder)):
        if (path / TASK).is_file():
            return path
    return None


def say_files(report, folder):
    """What is in the folder, and how large the model is."""
    names = sorted(path.name for path in folder.iterdir())
    report.say(f"in {folder}: {', '.join(names)}")
    for path in sorted(path for path in (folder / MODEL).rglob("*") if path.is_file()):
        report.say(f"  {path.relative_to(folder).as_posix()}: {path.stat().st_size:,} bytes")


def check_reloaded(training, folder, rows):
    """ValueError if the model that was written predicts otherwise than the one that was trained."""
    model, task = finetune.load_finetuned(folder / MODEL)
    x, _ = task.examples(rows.rows[:COMPARED], model.base.tokenizer)
    if not np.array_equal(*(one.predict(x, verbose=0) for one in (training.model, model))):
        raise ValueError(f"the model in {folder} predicts otherwise than the one that was saved")
