"""Python's standard library as text to learn from: real code that lies on every machine.

What is read are the files of the Python that runs, so another version gives a somewhat different
text. Its tests are left out: many of them are tables of input and output, and not every
installation has them.
"""

import sysconfig
from pathlib import Path

from .split import train_validation_test_split

LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "lib-dynload"}


def python_files(folder=None):
    """{path below the folder, as "json/decoder.py": text} of all .py files, sorted by path.

    folder  by default that of the standard library; its LEFT_OUT subfolders are passed over, as is
            a file that is empty or no UTF-8

    FileNotFoundError for a folder without such files: some installations have their library in a
    zip file, or compiled alone.
    """
    folder = Path(folder or sysconfig.get_paths()["stdlib"])
    found = {}
    for path in folder.rglob("*.py"):
        inner = path.relative_to(folder)
        if LEFT_OUT.isdisjoint(inner.parts) and path.is_file():
            text = _read(path)
            if text.strip():
                found[inner.as_posix()] = text
    if not found:
        raise FileNotFoundError(f"no Python source (.py files) in {folder} or below")
    return dict(sorted(found.items()))


def _read(path):
    """The text of a file, lines ended by a newline; nothing if it is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def python_source(validation=0.1, seed=0, folder=None):
    """({path: text} to train on, {path: text} to validate with): no file is in both.

    validation  the share of the files to validate with, between 0 and 1
    seed        which files these are; equal seeds give equal splits of equal files
    folder      see `python_files`

    About 12 million characters of code and English docstrings together.
    """
    files = python_files(folder)
    paths = list(files)
    parts = train_validation_test_split(len(paths), validation, test=0, seed=seed)[:2]
    return tuple({paths[i]: files[paths[i]] for i in sorted(part)} for part in parts)
