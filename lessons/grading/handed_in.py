"""What students handed in: folders with files, which are read with care.

A student's folder has lesson_06.py, or lesson_06.ipynb, or both; or each is in a folder lesson_06,
as nbgrader collects them.
"""

import os
import stat
from dataclasses import dataclass

from .. import lesson as lessons

LARGEST = {".py": 2**20, ".ipynb": 20 * 2**20}  # bytes of a file


class NothingToGradeError(LookupError):
    """There is no file of a lesson; the message says where it was looked for."""


@dataclass(frozen=True)
class Text:
    """The bytes of a file; or why it is not read."""

    name: str
    data: bytes = b""
    refused: str = ""

    @property
    def is_notebook(self):
        return self.name.endswith(".ipynb")


def students(folder):
    """[(name, {number of a lesson: paths})] of a folder of folders; or one without a name."""
    alone = _files(folder)
    if alone:
        return [("", alone)]
    inner = sorted(path for path in folder.glob("*") if path.is_dir() and not path.is_symlink())
    found = [(path.name, files) for path in inner if (files := _files(path))]
    if not folder.is_dir():
        raise NothingToGradeError(f"{folder} is no folder")
    if not found:
        raise NothingToGradeError(f"{folder} has no file such as lesson_01.py or lesson_01.ipynb")
    return found


def _files(folder):
    found = {}
    for number in lessons.numbers():
        name = f"lesson_{number:02}"
        for inner in [folder, *([] if (folder / name).is_symlink() else [folder / name])]:
            paths = [inner / f"{name}{suffix}" for suffix in LARGEST]
            if paths := [path for path in paths if os.path.lexists(path)]:
                found.setdefault(number, []).extend(paths)
    return found


def read(path):
    """The Text of a file that is no link, no pipe and not too large."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        why = "it cannot be opened as a file; links are not followed"
        return Text(path.name, refused=why)
    with open(file, "rb") as opened:
        facts, most = os.fstat(file), LARGEST[path.suffix]
        if not stat.S_ISREG(facts.st_mode):
            return Text(path.name, refused="it is no file")
        data = opened.read(most + 1)
    if len(data) > most:
        advice = "remove what it has printed and drawn, save it, and hand it in again"
        sizes = f"{facts.st_size / 2**20:.0f} MiB, and may have {most / 2**20:.0f}"
        return Text(path.name, refused=f"it has {sizes}: {advice}")
    return Text(path.name, data)
