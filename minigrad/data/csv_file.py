"""Tables from text files: one row per line, with a character such as a comma between the fields."""

import codecs
import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..registry import look_up
from .columns import WHOLE, is_number
from .table import Table

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null")

_WHOLE_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)
_CODE = re.compile(r"[+-]?0\d.*", re.ASCII)  # 00501 is a place, not a number


def read_csv(
    path,
    delimiter=",",
    header=True,
    missing=MISSING,
    numbers=(),
    text=(),
    skip_spaces=False,
    encoding="utf-8-sig",
):
    """The Table in a file of comma-separated values (RFC 4180), gzipped or not.

    delimiter    the character between two fields
    header       True: the first row has the names of the columns. False: they are called "0",
                 "1", ... A list of names: so are the columns called, and the file has no header
    missing      fields that stand for no value, with or without spaces around them
    numbers      names of columns that must be numbers; an error names the first field that is not
    text         names of columns that stay text, such as codes that consist of digits
    skip_spaces  leave out the spaces that follow a delimiter before quotes are looked for, as in
                 1, "a, b"
    encoding     of the text; "utf-8-sig" is UTF-8, with or without a byte order mark

    Other columns are numbers if every field is missing or a decimal number, such as -1, 2.5, 1e-3,
    inf; else text. One stray word makes the whole column text, which `data.report` points out; so
    does a code such as 007, or an integer from 2**53 up, which float64 would round.

    Quoted fields may hold delimiters, line ends and doubled quotes. Blank lines are skipped. Spaces
    at both ends of a field are left out, of a quoted one as well.

    A ValueError names the file, the line (the first is 1) and the column, and says what came.
    """
    delimiter = _check_delimiter(delimiter)
    content = _decode(path, encoding)
    _guess_delimiter(path, content, delimiter)
    records = _records(path, content, delimiter, skip_spaces)
    names, records = _names(path, header, records)
    kinds = _kinds(names, _listed("numbers", numbers), _listed("text", text))

    lines, rows = zip(*records)
    missing = frozenset(_listed("missing", missing))
    columns = {}
    for name, fields in zip(names, zip(*rows)):
        columns[name] = _column(path, name, fields, lines, missing, kinds.get(name))
    return Table(columns)


def _listed(argument, texts):
    """A list of the texts that were given, one or many."""
    if isinstance(texts, str):
        return [texts]
    if not isinstance(texts, Collection) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{argument} must be a text or a list of texts. Received: {texts!r}")
    return list(texts)


def _check_delimiter(delimiter):
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError(
            "delimiter must be one character, and no quote or line end. "
            f"Received: delimiter={delimiter!r}"
        )
    return delimiter


# ---- From bytes to rows of fields ----------------------------------------------------------------


def _decode(path, encoding):
    """The text of the file, unzipped."""
    data = Path(path).read_bytes()
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is not an intact gzipped file: {error}") from error
    try:
        content = data.decode(encoding)
    except (LookupError, TypeError) as error:
        raise ValueError(f"unknown encoding. Received: encoding={encoding!r}") from error
    except UnicodeError as error:
        raise ValueError(f"{_place_of(path, error)}: {error}. {_ENCODINGS}") from error
    if data.startswith(codecs.BOM_UTF8) and codecs.lookup(encoding).name != "utf-8-sig":
        raise ValueError(
            f"{path} begins with the byte order mark of UTF-8. Give encoding='utf-8-sig'. "
            f"Received: {encoding=}"
        )
    if "\0" in content:
        line = _line_at(content, content.index("\0"))
        raise ValueError(
            f"{path}, line {line}: a zero byte, which text does not have. {_ENCODINGS}"
        )
    if not content.strip():
        raise ValueError(f"{path} is empty")
    return content


_ENCODINGS = 'Give encoding=, such as "latin-1" or "utf-16", or see whether the file is text at all'


def _place_of(path, error):
    if not isinstance(error, UnicodeDecodeError):
        return path
    before = error.object[: error.start].decode(error.encoding, "replace")
    return f"{path}, line {_line_at(before, len(before))}"


def _line_at(content, position):
    """The line, the first being 1, in which that character stands."""
    return 1 + len(re.findall(r"\r\n|\r|\n", content[:position]))


def _guess_delimiter(path, content, delimiter):
    """ValueError if the first line lacks this delimiter, and seems to have another."""
    unquoted = re.sub(r'"[^"]*"', "", content)
    with_text = (line for line in unquoted.splitlines() if line.strip())
    lines = [line for line, _ in zip(with_text, range(3))]
    if not lines or delimiter in lines[0]:  # further down it may be a decimal comma
        return
    for other in ";\t,|":
        first, *rest = (line.count(other) for line in lines)
        if first and (delimiter in unquoted or all(count == first for count in rest)):
            raise ValueError(
                f"{path}: one column found with delimiter={delimiter!r}, but the first line "
                f"has {first} of {other!r}. Give delimiter={other!r}"
            )


def _records(path, content, delimiter, skip_spaces):
    """[(line on which it begins, fields)] of every row that is not blank."""
    rows = csv.reader(
        io.StringIO(content, newline=""),  # the reader wants to see line ends as they are
        delimiter=delimiter,
        skipinitialspace=bool(skip_spaces),
        strict=True,
    )
    records, line = [], 1
    try:
        for fields in rows:
            if fields:
                records.append((line, fields))
            line = rows.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path}: the row that begins in line {line} cannot be read: {error}. "
            'Is a quote (") never closed, or not doubled inside a field?'
        ) from error
    return records


# ---- From rows of fields to columns --------------------------------------------------------------


def _names(path, header, records):
    """The names of the columns, and the records below the header. Every row has one field each."""
    if header is True:
        (line, names), *records = records
        names, source = [name.strip() for name in names], f"line {line}"
        if not records:
            raise ValueError(f"{path} has a header but no rows. Received: {names}")
    elif header is False:
        line, fields = records[0]
        names, source = [str(i) for i in range(len(fields))], f"line {line}"
    elif isinstance(header, (list, tuple)):
        names, source = list(header), "header"
    else:
        raise ValueError(f"header must be True, False or a list of names. Received: {header!r}")
    _check_names(path, names, source)
    for line, fields in records:
        if len(fields) != len(names):
            wrong = (
                f"the row ends before column {names[len(fields)]!r}"
                if len(fields) < len(names)
                else f"the first too many is {fields[len(names)]!r}"
            )
            wanted = "1 field" if len(names) == 1 else f"{len(names)} fields"
            raise ValueError(
                f"{path}, line {line}: {wanted} expected, as in {source}. "
                f"Received: {len(fields)}; {wrong}"
            )
    return names, records


_ROW_NUMBERS = (
    "Are these the row numbers that pandas writes? to_csv(index=False) leaves them out; or give "
    "the column a name in the file"
)


def _check_names(path, names, source):
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or not name.strip():
            first_of_file = number == 1 and source != "header"
            hint = _ROW_NUMBERS if first_of_file else "Give header=False or a list of names"
            raise ValueError(
                f"{path}, {source}: column {number} has no name. Received: {name!r}. {hint}"
            )
        if name in names[: number - 1]:
            raise ValueError(
                f"{path}, {source}: columns {names.index(name) + 1} and {number} have the same "
                f"name. Received: {name!r}"
            )


def _kinds(names, numbers, text):
    """{name: "numbers" or "text"} of the columns that are not left to their fields."""
    known = dict.fromkeys(names)
    for name in [*numbers, *text]:
        look_up("column", name, known)
        if name in numbers and name in text:
            raise ValueError(f"a column is numbers or text, not both. Received: {name!r}")
    return {**dict.fromkeys(numbers, "numbers"), **dict.fromkeys(text, "text")}


def _column(path, name, fields, lines, missing, kind):
    """The fields as float64, or as text with None; kind None lets the fields decide."""
    stripped = (field.strip() for field in fields)
    entries = [None if field in missing else field for field in stripped]
    if kind == "numbers":
        for line, entry in zip(lines, entries):
            if entry is not None and not is_number(entry):
                raise ValueError(
                    f"{path}, line {line}, column {name!r}: a number expected. Received: {entry!r}"
                )
    elif kind == "text" or not all(entry is None or _is_plain_number(entry) for entry in entries):
        return np.array(entries, dtype=object)
    return np.array([math.nan if entry is None else float(entry) for entry in entries])


def _is_plain_number(entry):
    """Whether the entry is a number, not a code, and no integer that float64 would round."""
    if not is_number(entry) or _CODE.fullmatch(entry):
        return False
    return not _WHOLE_NUMBER.fullmatch(entry) or abs(float(entry)) < WHOLE
