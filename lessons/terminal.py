"""What a terminal shows: the same words as anywhere, with colours where there are any to see."""

import os
import shutil
import sys
from pathlib import Path

PROGRAM = "minigrad-learn"
GREEN, YELLOW, PLAIN = "\033[32m", "\033[33m", "\033[0m"
_COLOURS = {": passed": GREEN, ": not yet": YELLOW}


def typed(words):
    """`check 1.1` as it can be typed here: with the program's path, if its name is not enough."""
    called = sys.argv[0]
    is_found = Path(called).stem != PROGRAM or shutil.which(PROGRAM)
    return f"{PROGRAM if is_found else called} {words}"


def say(text, end="\n"):
    """Print a text; the line of a verdict in its colour."""
    print(coloured(text) if has_colours() else text, end=end, flush=True)


def has_colours(stream=None):
    """Whether the output goes to a terminal whose reader has not asked for no colours."""
    stream = stream or sys.stdout
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not unwanted


def coloured(text):
    """The text, its first line green or yellow if it says that something is passed or not yet."""
    first, line_end, others = text.partition("\n")
    for words, colour in _COLOURS.items():
        if words in first:
            return f"{colour}{first}{PLAIN}{line_end}{others}"
    return text
