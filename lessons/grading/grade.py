"""Grades: what was handed in, function by function, each in a process of its own.

One function that hangs or ends its process costs one exercise, and no other.
"""

import hashlib
import os
import resource
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import lesson as lessons
from .. import messages
from ..checking import check
from . import isolation
from .remote import RemoteFunction

LARGEST = {".py": 2**20, ".ipynb": 20 * 2**20}  # bytes of a file
MESSAGE = 4000  # characters
MEMORY = 2**31  # bytes that the checks of an exercise may take in this process


@dataclass(frozen=True)
class Grade:
    """Of one exercise: points of a maximum, the message to the student, and what was run.

    share        of the kinds of cases that were passed, one after the other
    sha256_file  the fingerprint of the file; sha256_source, of the text cut from it, which ran
    """

    student: str
    exercise: object
    share: float = 0
    message: str = ""
    file: str = ""
    sha256_file: str = ""
    sha256_source: str = ""
    printed: str = ""
    seconds: float = 0
    held: tuple = ()

    @property
    def maximum(self):
        return self.exercise.points

    @property
    def points(self):
        return round(self.share * self.maximum, 2)

    @property
    def is_passed(self):
        return self.share == 1


@dataclass
class Report:
    """The grades of all exercises, and in sentences what submissions were not kept from."""

    grades: list = field(default_factory=list)

    @property
    def points(self):
        return round(sum(grade.points for grade in self.grades), 2)

    @property
    def maximum(self):
        return sum(grade.maximum for grade in self.grades)

    @property
    def unprotected(self):
        ran = [set(grade.held) for grade in self.grades if grade.sha256_source]
        return list(isolation.unprotected(set.intersection(*ran))) if ran else []


class NothingToGradeError(LookupError):
    """There is no file of a lesson; the message says where it was looked for."""


def grade(folder, only=None, limits=None, layers=isolation.LAYERS, tell=lambda grade: None):
    """The Report on a student's folder, or on a folder of such folders.

    only  numbers of lessons, all of which count; without it, those of which there is a file
    tell  is called with each Grade when it is known
    """
    students = _students(Path(folder))
    found = {number for files in students.values() for number, _ in files}
    report = Report()
    for student, files in students.items():
        for number in sorted(only or found):
            texts = [_read(path) for n, path in files if n == number]
            for exercise in lessons.load(number).exercises.values():
                grades = [_graded(student, exercise, text, limits, layers) for text in texts]
                report.grades.append(_best(grades) or _missing(student, exercise))
                tell(report.grades[-1])
    return report


def _best(grades):
    """Of the grades for a file and for a notebook the better one."""
    best = max(grades, key=lambda grade: (grade.share, grade.sha256_source != ""), default=None)
    if best and not best.sha256_source:
        return replace(best, message="\n".join(grade.message for grade in grades))
    return best


def _missing(student, exercise):
    message = f"{exercise.number} {exercise.title}: nothing was handed in."
    return Grade(student, exercise, message=message)


# ---- Files ---------------------------------------------------------------------------------------


def _students(folder):
    """{name of a student: [(number of a lesson, path)]}; the name is "" if there is one alone."""
    alone = _files(folder)
    if alone:
        return {"": alone}
    inner = sorted(path for path in folder.glob("*") if path.is_dir() and not path.is_symlink())
    students = {printable(path.name): files for path in inner if (files := _files(path))}
    if not students:
        raise NothingToGradeError(f"{folder} has no file such as lesson_01.py or lesson_01.ipynb")
    return students


def _files(folder):
    """Of a student: lesson_06.py, or lesson_06/lesson_06.py, as nbgrader collects them."""
    found = []
    for number in lessons.numbers():
        name = f"lesson_{number:02}"
        for inner in [folder, *([] if (folder / name).is_symlink() else [folder / name])]:
            paths = [inner / f"{name}{suffix}" for suffix in LARGEST]
            found += [(number, path) for path in paths if os.path.lexists(path)]
    return found


@dataclass(frozen=True)
class _Text:
    path: Path
    data: bytes = b""
    refused: str = ""  # why it is not read


def _read(path):
    """A file that is no link, no pipe and not too large."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return _Text(path, refused="it cannot be opened as a file; links are not followed")
    with open(file, "rb") as opened:
        facts, most = os.fstat(file), LARGEST[path.suffix]
        if not stat.S_ISREG(facts.st_mode):
            return _Text(path, refused="it is no file")
        data = opened.read(most + 1)
    if len(data) > most:
        advice = "remove what it has printed and drawn, save it, and hand it in again"
        sizes = f"{facts.st_size / 2**20:.0f} MiB, and may have {most / 2**20:.0f}"
        return _Text(path, refused=f"it has {sizes}: {advice}")
    return _Text(path, data)


# ---- Functions -----------------------------------------------------------------------------------


def _graded(student, exercise, text, limits, layers):
    """The Grade for the function of an exercise in a text."""
    name, title = text.path.name, f"{exercise.number} {exercise.title}"
    if text.refused:
        message = f"{title}: {name} is not read: {text.refused}."
        return Grade(student, exercise, message=message, file=name)
    start = time.monotonic()
    is_notebook = text.path.suffix == ".ipynb"
    with RemoteFunction(exercise, text.data, is_notebook, limits, layers) as function:
        if function.unreadable:
            share, message = 0, f"{title}: {name}: {function.unreadable}."
        elif function.source is None:
            share, message = 0, f"{title}: {name} could not be read: {function.lost}."
        else:
            share, message = _judged(exercise, function)
    return Grade(
        student,
        exercise,
        share,
        printable(message)[:MESSAGE],
        name,
        _sha256(text.data),
        _sha256(function.source.encode("utf-8", "replace")) if function.source else "",
        printable(function.printed.decode(errors="replace")),
        round(time.monotonic() - start, 2),
        tuple(function.held),
    )


def _judged(exercise, function):
    try:
        with _memory_limit():
            verdict = check(exercise, function)
        return _share(verdict), messages.verdict(verdict)
    except Exception as error:  # by data of a kind that no check has thought of
        kind = type(error).__name__
        title = f"{exercise.number} {exercise.title}"
        return 0, f"{title}: what it returns cannot be compared with anything ({kind})."


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _memory_limit():
    """No more than so much memory more for this process, whatever a law does with what it gets."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    limits = [limit for limit in before if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([used + MEMORY, *limits]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _share(verdict):
    """How many of the kinds of cases were passed, of all: 1 if all were."""
    if verdict.passed:
        return 1
    exercise = verdict.exercise
    drawn = exercise.drawn is not None
    kinds = [exercise.by_hand, exercise.edges, drawn, drawn and exercise.laws]
    return (len(verdict.counts) - 1) / max(len(verdict.counts), sum(map(bool, kinds)))


def printable(text):
    """The text with ? for all that does not print."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
