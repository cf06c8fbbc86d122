"""Words in a picture: short enough for it, and in letters that the machine has a font for."""

import os
import re
import unicodedata
import warnings
from contextlib import suppress
from dataclasses import replace

_REGULAR = 400  # the weight of letters that are neither light nor bold


def legible(texts, limit=24):
    """{kind: list of texts} -> a list with, for each kind, its texts as they can be drawn.

    limit  a longer text loses its middle; a Chinese character counts as two letters

    A text with a character that no font of this machine has stands as its kind and its number,
    such as "class 3", and one UserWarning says so.
    """
    drawn = [[_shorten(str(text), limit) for text in listed] for listed in texts.values()]
    unknown = _missing("".join(text for listed in drawn for text in listed))
    if unknown:
        fonts = _fonts(unknown)
        unknown = "".join(c for c in unknown if c not in fonts)
    replaced = []
    for kind, listed in zip(texts, drawn):
        for i, text in enumerate(listed):
            if set(text) & set(unknown):
                listed[i] = f"{kind} {i}"
                replaced.append(listed[i])
    if replaced:
        several = f"{', '.join(replaced[:3])}{', ...' if len(replaced) > 3 else ''}"
        warnings.warn(
            f"no font of this machine has the characters {unknown}, so the picture says {several}. "
            "For Chinese, Japanese and Korean install Noto Sans CJK "
            "(on Debian and Ubuntu: apt-get install fonts-noto-cjk)",
            stacklevel=2,
        )
    return [[_literal(text) for text in listed] for listed in drawn]


def families(text):
    """The names of fonts that have all letters of `text` between them, the usual font first."""
    from matplotlib import rcParams

    missing = _missing(text)
    return [*rcParams["font.family"], *dict.fromkeys(_fonts(missing).values() if missing else ())]


def _shorten(text, limit):
    """The text in one line, without its middle where it is wider than `limit` letters."""
    text = " ".join(text.split())
    text = "".join(c for c in text if c.isprintable())
    if _width(text) <= limit:
        return text
    head, tail = text, text[::-1]
    while _width(head) > 2 * limit // 3:
        head = head[:-1]
    while _width(head) + 1 + _width(tail) > limit:
        tail = tail[:-1]
    return f"{head}…{tail[::-1]}"


def _literal(text):
    """The text such that matplotlib makes no formula of it, nor leaves it out of a legend."""
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def _width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _missing(text):
    """The characters of `text` that matplotlib's usual font lacks, each once."""
    if text.isascii():
        return ""
    from matplotlib import font_manager

    usual = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    characters = dict.fromkeys(c for c in text if c.isprintable())
    return "".join(c for c in characters if not usual.get_char_index(ord(c)))


def _fonts(characters):
    """{character: name of a font of this machine that has it}, for those that have one."""
    from matplotlib import font_manager

    found = {}
    for font in _candidates():
        wanted = [c for c in characters if c not in found]
        if not wanted:
            break
        face = font_manager.get_font(font.fname)
        has = {c: font.name for c in wanted if face.get_char_index(ord(c))}
        if has and font.weight != _REGULAR:  # else matplotlib would log a line for every text
            font_manager.fontManager.ttflist.append(replace(font, weight=_REGULAR))
        found |= has
    return found


def _candidates():
    """matplotlib's entries of all fonts: upright sans-serif ones first, of them the largest files.

    Fonts for Chinese, Japanese and Korean are by far the largest.
    """
    from matplotlib import font_manager

    manager = font_manager.fontManager
    listed = {font.fname for font in manager.ttflist}
    for file in font_manager.findSystemFonts():
        if file not in listed:  # installed since matplotlib made its list, which it keeps for good
            with suppress(Exception):  # a damaged font is no reason to draw nothing
                manager.addfont(file)

    def place(font):
        plain = font.style == "normal" and not re.search("(?i)serif|mono|ming|song", font.name)
        return not plain, -os.path.getsize(font.fname), font.weight != _REGULAR

    fonts = [font for font in manager.ttflist if os.path.isfile(font.fname)]
    return sorted((font for font in fonts if "Last Resort" not in font.name), key=place)
