r"""How text is cut into words before byte pairs are merged: merges never cross the borders.

The patterns are those of published models, as their authors wrote them, with \p{L} for letters and
\p{N} for numbers. Python's `re` knows no \p{...}, and its \s has four control characters that
Unicode does not call white space; so `compiled` writes such classes out as ranges of characters.
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


@functools.cache
def compiled(name):
    """The pattern of that name in PATTERNS, for `re`: its matches are all of a text, in order."""
    pattern = look_up("pattern", name, PATTERNS)
    ranges = {r"\p{L}": _ranges("L"), r"\p{N}": _ranges("N"), r"\s": WHITE_SPACE}
    pattern = pattern.replace(r"\S", rf"[^{WHITE_SPACE}]")
    # Inside brackets the ranges alone; elsewhere they need brackets of their own.
    parts = re.split(r"(\[[^\]]*\])", pattern)
    for number, part in enumerate(parts):
        for escape, characters in ranges.items():
            inside = number % 2
            part = part.replace(escape, characters if inside else f"[{characters}]")
        parts[number] = part
    return re.compile("".join(parts))


def _ranges(category):
    """The characters of a general category of Unicode, "L" for Lu, Ll, ...: "A-Za-zªµ"."""
    inside = [number for number in range(sys.maxunicode + 1) if _category(number) == category]
    # Numbers that follow each other have the same distance from their places in the list.
    groups = itertools.groupby(enumerate(inside), lambda item: item[1] - item[0])
    runs = [[number for _, number in group] for _, group in groups]
    return "".join(
        chr(run[0]) if len(run) == 1 else f"{chr(run[0])}-{chr(run[-1])}" for run in runs
    )


def _category(number):
    return unicodedata.category(chr(number))[0]
