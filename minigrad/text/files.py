"""Files of tokenizers, read with care and written whole: what is wrong with one is a ValueError."""

import json
import os
import reprlib
from pathlib import Path

from ..atomic import replacing

LARGEST = 1 << 28  # bytes: no tokenizer's file comes near

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_MISSING = object()
_NAMES = {dict: "an object", list: "a list", str: "text", int: "an integer", bool: "true or false"}


def shown(value):
    """A value from a file for a message, shortened if it is long."""
    return _SHORT.repr(value)


def read_text(path):
    """The text of a file in UTF-8. ValueError if it is something else, or huge."""
    size = os.path.getsize(path)
    if size > LARGEST:
        raise ValueError(f"{path} is too large for a tokenizer's file: {size:,} bytes")
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: {error}") from None


def read_json(path):
    """The object of JSON that a file has, a dict. ValueError if it has something else."""
    text = read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON that can be read: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must have an object of JSON. Received: {type(content).__name__}")
    return content


def entry(content, name, kind, default=_MISSING):
    """The entry of that name, of that type. One that is null or absent is the default."""
    value = content.get(name)
    if value is None and default is not _MISSING:
        return default
    if not isinstance(value, kind) or kind is int and isinstance(value, bool):
        raise ValueError(f"{name!r} must be {_NAMES[kind]}. Received: {shown(value)}")
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
