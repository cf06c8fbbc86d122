"""The lines of text files: which ones there are, and what tells one content from another."""

import hashlib
from pathlib import Path
from typing import NamedTuple


class Lines(NamedTuple):
    """The lines of a file that are not blank.

    path     as it was given
    sha256   of the bytes of the file
    numbers  of the lines in the file, of which the first is 1
    texts    without spaces at their ends
    """

    path: str
    sha256: str
    numbers: list
    texts: list


def read_lines(path):
    """The Lines of a file. ValueError if it is no UTF-8 text, or has nothing but blank lines."""
    if Path(path).is_dir():
        raise IsADirectoryError(f"--file is a file of lines, and {path} is a folder")
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise ValueError(f"{path}, line {line}, is not UTF-8 text: {error.reason}") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not kept:
        raise ValueError(f"{path} has no line with text in it")
    return Lines(str(path), hashlib.sha256(content).hexdigest(), *map(list, zip(*kept)))
