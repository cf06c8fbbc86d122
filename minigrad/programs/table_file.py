"""A user's CSV file: read in the words of the command line, with lines named in errors."""

import contextlib
import csv
import gzip
import io
from collections import Counter
from pathlib import Path

from .. import data
from .table_columns import WrongValue

# "none" in small letters is left alone, for it is an answer in many a survey.
_WORDS = ("na", "n/a", "n.a.", "nan", "null", "#n/a", "#na")
MISSING = ("", "?", "-", "None", *(f(w) for w in _WORDS for f in (str.lower, str.upper)))
MISSING += ("NaN", "Nan", "Null", "Na", "N/a", "#N/a", "<NA>")

_IN_OPTIONS = {
    "Give header=False or a list of names": (
        "Give it a name in the first line of the file; an index of pandas stays out of it "
        "by to_csv(index=False)"
    ),
    "delimiter=": "--delimiter ",
    "encoding=,": "--encoding,",
    "encoding=": "--encoding ",
    "delimiter must": "--delimiter must",
}


def read(source, delimiter=",", encoding="utf-8-sig", numbers=(), text=(), missing=MISSING):
    """The Table in a file, as `data.read_csv` reads it; errors speak of --delimiter."""
    try:
        return data.read_csv(
            source, delimiter, missing=missing, numbers=numbers, text=text, encoding=encoding
        )
    except ValueError as error:
        message = str(error)
        for argument, option in _IN_OPTIONS.items():
            message = message.replace(argument, option)
        raise ValueError(message) from error


def as_delimiter(text):
    r"""The delimiter that was meant: "tab" and "\t" are a tab, which is hard to type in a shell."""
    return "\t" if text in ("tab", r"\t") else text


def markers(source, delimiter, encoding):
    """How often each text of MISSING stands in a file that `read` has read: {text: count}."""
    fields = (field.strip() for _, row in _rows(source, delimiter, encoding) for field in row)
    return Counter(field for field in fields if field in MISSING)


@contextlib.contextmanager
def naming_lines(source, delimiter, encoding, rows=None):
    """A WrongValue becomes a ValueError with the file and the line, of which the first is 1.

    rows  the row of the file that each row of the Table is; by default the same
    """
    try:
        yield
    except WrongValue as error:
        row = error.row if rows is None else rows[error.row]
        line = lines(source, delimiter, encoding)[row]
        raise ValueError(f"{source}, line {line}: {error.what}") from error


def lines(source, delimiter, encoding):
    """The line on which each row of the Table begins; the first of a file is 1."""
    return [line for line, _ in _rows(source, delimiter, encoding)]


def _rows(source, delimiter, encoding):
    """[(line on which it begins, fields)] of the rows below the header."""
    content = Path(source).read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    reader = csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter)
    rows, line = [], 1
    for fields in reader:
        if fields:
            rows.append((line, fields))
        line = reader.line_num + 1
    return rows[1:]


@contextlib.contextmanager
def writing(path):
    """An OSError names what the user gave, and not a file that is not there yet."""
    try:
        yield
    except BrokenPipeError:  # the screen, not the file
        raise
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
