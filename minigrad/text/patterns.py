r"""How text is cut into words before byte pairs are merged: merges never cross the borders.

The patterns are those of published models, as their authors wrote them, with \p{L} for letters and
\p{N} for numbers. Python's `re` knows no \p{...}, and its \s has four control characters that
Unicode does not call white space; so such classes are written out as ranges of characters.
"""

import functools
import itertools
import re
import sys
import unicodedata

from ..registry import look_up

_ENGLISH = "'s|'t|'re|'ve|'m|'ll|'d"  # what English writes with an apostrophe

PATTERNS = {
    "gpt2": _ENGLISH + r"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    # Numbers in groups of up to three digits; a mark or space goes to the letters that follow it.
    "llama3": rf"(?i:{_ENGLISH})"
    r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    # The same with single digits.
    "qwen2": rf"(?i:{_ENGLISH})"
    r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def split_words(name, text):
    """The words of a text by the pattern of that name: all of the text, in order."""
    return _compiled(name, text.isascii()).findall(text)


@functools.cache
def _compiled(name, ascii):
    """The pattern for `re`; `ascii`: with the first 128 characters alone, which is much faster."""
    pattern = look_up("pattern", name, PATTERNS)
    end = 128 if ascii else sys.maxunicode + 1
    ranges = {r"\p{L}": _ranges("L", end), r"\p{N}": _ranges("N", end), r"\s": WHITE_SPACE}
    pattern = pattern.replace(r"\S", rf"[^{WHITE_SPACE}]")
    # Inside brackets the ranges alone; elsewhere they need brackets of their own.
    parts = re.split(r"(\[[^\]]*\])", pattern)
    for number, part in enumerate(parts):
        for escape, characters in ranges.items():
            inside = number % 2
            part = part.replace(escape, characters if inside else f"[{characters}]")
        parts[number] = part
    return re.compile("".join(parts))


def _ranges(category, end):
    """The characters below `end` of a category of Unicode, "L" for Lu, Ll and others: "A-Za-z"."""
    inside = [n for n in range(end) if unicodedata.category(chr(n)).startswith(category)]
    # Numbers that follow each other have the same distance from their places in the list.
    groups = itertools.groupby(enumerate(inside), lambda item: item[1] - item[0])
    runs = [[number for _, number in group] for _, group in groups]
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs)
