"""JSON that somebody else wrote: read without trusting it.

A file from the net may be made to fill the memory, or to mean one thing here and another thing
elsewhere. So what is read has limits, and a name stands once.
"""

import json
import reprlib

MOST_BYTES = 5_000_000  # with MOST_PARTS, half a second and 60 MB of Python's objects at worst
MOST_PARTS = 300_000


def parse_json(text, most_bytes=MOST_BYTES, most_parts=MOST_PARTS):
    """The data that JSON says, as `json.loads` gives them. `text` is bytes, UTF-8, or a str.

    ValueError for what is no JSON, has a name twice in one object, is nested deeply, or has more
    than so many bytes or parts (brackets, braces and commas).
    """
    try:
        data = text.encode() if isinstance(text, str) else text
        check_size(data, most_bytes, most_parts)
        return json.loads(data.decode(), object_pairs_hook=_each_name_once)
    except UnicodeError as error:
        raise ValueError(f"it is not UTF-8: {error}") from error
    except RecursionError as error:
        raise ValueError("it is JSON that is nested too deeply") from error


def check_size(data, most_bytes=MOST_BYTES, most_parts=MOST_PARTS):
    """ValueError if `parse_json` would find these bytes too large."""
    if len(data) > most_bytes:
        raise ValueError(f"it is JSON of {len(data):,} bytes, and may have {most_bytes:,}")
    parts = sum(map(data.count, (b"[", b"{", b",")))
    if parts > most_parts:
        raise ValueError(f"it is JSON of {parts:,} parts, and may have {most_parts:,}")


def _each_name_once(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"the name {shorten(twice)} is there twice")
    return found


def shorten(thing):
    """repr(thing), cut if it is long: an error message that a stranger's file cannot fill."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(thing)
