"""Files of tokenizers, read with care and written whole: what is wrong with one is a ValueError."""

import codecs
import json
import os
from pathlib import Path

from ..atomic import replacing
from ..bounded_json import parse_json, shorten

# What the largest vocabularies of today need, with 250,000 tokens and as many merges.
LARGEST = 20_000_000  # bytes
MOST_LINES, MOST_PARTS, MOST_TEXTS, MOST_NAMES = 600_000, 1_200_000, 800_000, 320_000

_OF_FOUR_BYTES = range(0xF0, 0xF5)  # what a letter above U+FFFF begins with in UTF-8
_MISSING = object()
_NAMES = {dict: "an object", list: "a list", str: "text", int: "an integer", bool: "true or false"}


def read_lines(path):
    """The lines of a text in UTF-8, without those that are empty at its end.

    ValueError for what is no such text, or has too many lines.
    """
    data = _read(path)
    if data.count(b"\n") > MOST_LINES:
        raise ValueError(f"{path} has more lines than a tokenizer's file may have, {MOST_LINES:,}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: {error}") from None
    return [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]


def read_json(path, most_bytes=LARGEST, most_parts=MOST_PARTS):
    """The object of JSON that a file has, a dict. ValueError if it has something else."""
    data = _read(path)
    if data.count(b":") > MOST_NAMES or data.count(b'"') > 2 * MOST_TEXTS:
        raise ValueError(
            f"{path} has more than a vocabulary may have, {MOST_NAMES:,} names and "
            f"{MOST_TEXTS:,} texts"
        )
    try:
        content = parse_json(data, most_bytes, most_parts)
    except ValueError as error:
        raise ValueError(f"{path} is no JSON that can be read: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must have an object of JSON. Received: {type(content).__name__}")
    return content


def _read(path):
    """The bytes of a file, without a byte order mark. ValueError for what is no file, or huge."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"{path} is no file")
    size = os.path.getsize(path)
    if size > LARGEST:
        raise ValueError(f"{path} is too large for a tokenizer's file: {size:,} bytes")
    data = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
    if 4 * size > LARGEST and any(first in data for first in _OF_FOUR_BYTES):
        raise ValueError(
            f"{path} is too large for a tokenizer's file with letters above U+FFFF, of which one "
            f"makes every letter take four bytes: {size:,} bytes"
        )
    return data


def entry(content, name, kind, default=_MISSING):
    """The entry of that name, of that type. One that is null or absent is the default.

    ValueError for another type, and where there is neither an entry nor a default.
    """
    value = content.get(name)
    if value is None and default is not _MISSING:
        return default
    if not isinstance(value, kind) or kind is int and isinstance(value, bool):
        raise ValueError(f"{name!r} must be {_NAMES[kind]}. Received: {shorten(value)}")
    return value


def as_json(content):
    """Plain data as JSON that people can read, too."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def write_text(path, text):
    """Write a file as a whole or not at all. Its folder is made if there is none."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode())
