"""Grades: what was handed in, function by function, each in a process of its own.

One function that hangs or ends its process costs one exercise, and no other.
"""

import functools
import hashlib
import resource
import secrets
import signal
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import lesson as lessons
from .. import messages
from ..checking import check
from . import folders, handed_in, isolation, parallel
from .remote import RemoteFunction

MESSAGE = 4000  # characters
MEMORY = 2**31  # bytes that the checks of an exercise may take in this process


@dataclass(frozen=True)
class Grade:
    """Of one exercise: points of a maximum, the message to the student, and what was run.

    share        of the kinds of cases that were passed, one after the other
    sha256_file  the fingerprint of the file; sha256_source, of the text cut from it, which ran
    held         names of the protections in force
    """

    student: str
    number: str
    title: str
    maximum: float
    message: str
    share: float = 0
    file: str = ""
    sha256_file: str = ""
    sha256_source: str = ""
    printed: str = ""
    seconds: float = 0
    held: tuple = ()

    @property
    def lesson(self):
        return int(self.number.partition(".")[0])

    @property
    def points(self):
        return round(self.share * self.maximum, 2)

    @property
    def is_passed(self):
        return self.share == 1


@dataclass
class Report:
    """The grades of all exercises; the seed of the arguments that were drawn to find them."""

    seed: int
    grades: list = field(default_factory=list)

    @property
    def points(self):
        return round(sum(grade.points for grade in self.grades), 2)

    @property
    def maximum(self):
        return sum(grade.maximum for grade in self.grades)

    @property
    def unprotected(self):
        """In sentences, what submissions were not kept from."""
        ran = [set(grade.held) for grade in self.grades if grade.sha256_source]
        return list(isolation.unprotected(set.intersection(*ran))) if ran else []


def grade(
    folder,
    only=None,
    limits=None,
    layers=isolation.LAYERS,
    jobs=1,
    seed=None,
    tell=lambda grade: None,
):
    """The Report on a student's folder, or on a folder of such folders.

    only  numbers of lessons, all of which count; without it, those of which there is a file
    jobs  how many exercises are graded at a time
    seed  of the arguments that are drawn; without it, they are others than students have seen
    tell  is called with each Grade when it and all before it are known
    """
    students = handed_in.students(Path(folder))
    numbers = sorted(only or {number for _, files in students for number in files})
    for number in numbers:
        lessons.load(number)  # an error now, not after half of the work
    report = Report(secrets.randbelow(10**9) if seed is None else seed)
    judge = functools.partial(_best, seed=report.seed, limits=limits, layers=layers)
    folders.remove_abandoned()
    try:
        tasks = _tasks(students, numbers)
        with _ending_in_order(), closing(parallel.in_order(judge, tasks, jobs, _lost)) as grades:
            for each in grades:
                report.grades.append(each)
                tell(each)
    finally:
        folders.remove_abandoned()  # of processes that were ended
    return report


@dataclass(frozen=True)
class _Task:
    """A student's exercise, and the texts that may have its function."""

    student: str
    number: str
    texts: tuple


def _tasks(students, numbers):
    for student, files in students:
        for number in numbers:
            texts = tuple(map(handed_in.read, files.get(number, [])))
            for exercise in lessons.load(number).exercises:
                yield _Task(printable(student), exercise, texts)


class _EndedError(KeyboardInterrupt):
    """A signal came to end this process. No check keeps to itself what ends it by Ctrl-C."""


@contextmanager
def _ending_in_order():
    """Let signals to end this process be exceptions in the body of a `with`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number, frame):
        raise _EndedError(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except _EndedError as ended:
        sys.exit(isolation.SIGNAL + ended.args[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---- One exercise --------------------------------------------------------------------------------


def _best(task, seed, limits, layers):
    """Of the grades for a file and for a notebook the better one."""
    if not task.texts:
        return _without_points(task, "nothing was handed in")
    grades = [_graded(task, text, seed, limits, layers) for text in task.texts]
    best = max(grades, key=lambda grade: (grade.share, grade.sha256_source != ""))
    if not best.sha256_source:
        return replace(best, message="\n".join(grade.message for grade in grades))
    return best


def _grade(task, message, share=0, **facts):
    exercise = lessons.find(task.number)
    facts |= {"message": printable(message)[:MESSAGE], "share": share}
    return Grade(task.student, task.number, exercise.title, exercise.points, **facts)


def _without_points(task, why, **facts):
    return _grade(task, f"{task.number} {lessons.find(task.number).title}: {why}.", **facts)


def _lost(task):
    return _without_points(task, "the process has ended that should have checked it")


def _graded(task, text, seed, limits, layers):
    """The Grade for the function of an exercise in a text."""
    if text.refused:
        why = f"{text.name} is not read: {text.refused}"
        return _without_points(task, why, file=text.name)
    exercise, start = lessons.find(task.number), time.monotonic()
    with RemoteFunction(exercise, text.data, text.is_notebook, limits, layers) as function:
        if function.unreadable:
            graded = _without_points(task, f"{text.name}: {function.unreadable}")
        elif function.source is None:
            graded = _without_points(task, f"{text.name} could not be read: {function.lost}")
        else:
            graded = _judged(task, exercise, function, seed)
    return replace(
        graded,
        file=text.name,
        sha256_file=_sha256(text.data),
        sha256_source=_sha256(function.source.encode(errors="replace")) if function.source else "",
        printed=printable(function.printed.decode(errors="replace")),
        seconds=round(time.monotonic() - start, 2),
        held=tuple(function.held),
    )


def _judged(task, exercise, function, seed):
    try:
        with _memory_limit():
            verdict = check(exercise, function, seed)
        return _grade(task, messages.verdict(verdict), _share(verdict))
    except Exception as error:  # by data of a kind that no check has thought of
        kind = type(error).__name__
        return _without_points(task, f"what it returns cannot be compared with anything ({kind})")


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
