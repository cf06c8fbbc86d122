"""A lesson is one text: `texts/lesson_02.md`. Here it is read.

It is Markdown, with prose, formulas between dollar signs, and blocks of Python between fences. What
stands behind "python" says what a block is for:

    ```python                             code that the reader runs
    ```python solution 2.1                the function that exercise 2.1 asks for
    ```python checks 2.1                  what it must do, see `exercise.py`
    ```python checks 6.2 minigrad.ops.relu     the solution is a function of the framework

Beside such a name, a block with the solution writes out what the framework leaves to a kernel.
The title of exercise 2.1 is the heading "### Exercise 2.1: ..." above its blocks. From this text
the students' files, the notebooks and the pages are made, and from no other.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from .exercise import Exercise

TEXTS = Path(__file__).with_name("texts")
FENCE = "```"
HEADING = re.compile(r"### Exercise (\d+\.\d+): (.+)")
TITLE = re.compile(r"# (\d+) (.+)")


@dataclass(frozen=True)
class Prose:
    """Markdown, as it stands in the text."""

    text: str


@dataclass(frozen=True)
class Code:
    """A block of Python, and the number of its first line in the text."""

    source: str
    line: int


@dataclass(frozen=True)
class Lesson:
    """parts: Prose, Code and Exercises in the order of the text."""

    number: int
    title: str
    path: Path
    parts: tuple

    @property
    def exercises(self):
        """{number such as "2.1": Exercise}"""
        return {part.number: part for part in self.parts if isinstance(part, Exercise)}


@functools.cache
def numbers():
    """The numbers of all lessons that there are, ascending."""
    return sorted(int(path.stem.removeprefix("lesson_")) for path in TEXTS.glob("lesson_*.md"))


@functools.cache
def load(number):
    """The Lesson of a number."""
    path = TEXTS / f"lesson_{number:02}.md"
    if not path.is_file():
        raise LookupError(f"there is no lesson {number}. There are {numbers()}")
    return read(path)


def find(number):
    """The Exercise of a number such as "2.1"."""
    lesson, _, _ = str(number).partition(".")
    exercises = load(int(lesson)).exercises if lesson.isdecimal() else {}
    if not exercises:
        raise LookupError(f"{number!r} is the number of no exercise")
    if number not in exercises:
        raise LookupError(f"there is no exercise {number}. There are {', '.join(exercises)}")
    return exercises[number]


def read(path):
    """The Lesson in a file; ValueError names the line of what is wrong with it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    title = TITLE.fullmatch(lines[0]) if lines else None
    if not title:
        raise ValueError(f'{path}: a lesson starts with "# NUMBER TITLE"')
    parts, blocks = [], {}
    for kind, start, text in _pieces(path, lines):
        role, *words = kind.split()[1:] or [""]
        if kind == "prose":
            parts.append(Prose(text))
        elif not role:
            parts.append(Code(text, start))
        elif role in ("solution", "checks") and words:
            blocks.setdefault(words[0], {})[role] = Code(text, start), words[1:]
            if role == "checks":
                parts.append(words[0])  # for now, its number
        else:
            raise ValueError(f"{path}:{start}: what is a block of {kind!r}?")
    titles = dict(found for line in lines if (found := _heading(line)))
    exercises = {}
    for number, found in blocks.items():
        if "checks" not in found or number not in titles:
            raise ValueError(f"{path}: exercise {number} needs a heading and a block of checks")
        checks, target = found["checks"]
        solution = found.get("solution", (None, []))[0]
        exercises[number] = Exercise(number, titles[number], path, checks, solution, *target)
    parts = [exercises[part] if isinstance(part, str) else part for part in parts]
    return Lesson(int(title[1]), title[2], path, tuple(parts))


def _heading(line):
    match = HEADING.fullmatch(line)
    return match and match.groups()


def _pieces(path, lines):
    """("prose" or a fence's words, number of the first line, text), one after the other."""
    kind, start, piece = "prose", 1, []
    for number, line in enumerate(lines, 1):
        opens = kind == "prose" and line.startswith(FENCE + "python")
        closes = kind != "prose" and line.rstrip() == FENCE
        if not (opens or closes):
            piece.append(line)
            continue
        if "".join(piece).strip() or kind != "prose":
            yield kind, start, "\n".join(piece).strip("\n") + "\n"
        kind, start, piece = line[len(FENCE) :] if opens else "prose", number + 1, []
    if kind != "prose":
        raise ValueError(f"{path}:{start - 1}: this block does not end")
    if "".join(piece).strip():
        yield kind, start, "\n".join(piece).strip("\n") + "\n"
