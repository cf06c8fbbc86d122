"""A student's folder: `work/lesson_02.py` with the holes, and `work/progress.json`.

The file is the student's: it is written once, and never overwritten without being asked.
"""

import itertools
import json
import os
import traceback
from pathlib import Path
from types import ModuleType

from . import lesson as lessons
from .limit import TooLongError, time_limit
from .skeleton import filled, length, skeleton
from .terminal import PROGRAM, typed

FOLDER = "MINIGRAD_WORK"
START = '''"""Lesson {number}: {title}

Fill in the functions, then ask in the terminal:

    {program} check {first}     is the first one right?
    {program} check {number}       are all of them?
    {program} hint {first}      if you are stuck; again for one that says more
"""

import numpy as np
'''


class Work:
    """The files of one student in a folder: by default `work`, or what MINIGRAD_WORK names."""

    def __init__(self, folder=None):
        self.folder = Path(folder or os.environ.get(FOLDER) or "work")

    def path(self, number):
        return self.folder / f"lesson_{number:02}.py"

    def start(self, number):
        """Write the file of a lesson, unless it is there.   -> its path, whether it is new"""
        lesson = lessons.load(number)
        path = self.path(number)
        if path.exists():
            return path, False
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_text(student_file(lesson, typed("").strip()), encoding="utf-8")
        return path, True

    def start_notebook(self, number):
        """The same for the lesson's notebook, with its text, its figures and its holes."""
        from .building import notebooks

        path = self.path(number).with_suffix(".ipynb")
        if path.exists():
            return path, False
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(notebooks.text(lessons.load(number)).encode())
        return path, True

    def reset(self, number):
        """Put a lesson's file aside and write it anew.   -> where it is, or None if there was none

        It becomes lesson_02.old1.py, or old2 if there is one already: no work is ever lost. The
        exercises are open again.
        """
        path, old = self.path(number), None
        if path.exists():
            names = (path.with_suffix(f".old{n}.py") for n in itertools.count(1))
            old = next(name for name in names if not name.exists())
            os.replace(path, old)
        for exercise in self.progress().keys() & lessons.load(number).exercises.keys():
            self.note(exercise, passed=False)
        self.start(number)
        return old

    def functions(self, number):
        """{exercise: the student's function}; what cannot be run raises a StudentError."""
        path = self.path(number)
        if not path.exists():
            raise StudentError(f"there is no {path}: {typed(f'start {number}')} writes it")
        module = ModuleType(path.stem)
        module.__file__ = str(path)
        try:
            with time_limit():
                exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
        except (Exception, SystemExit, TooLongError) as error:
            raise StudentError(_where(error, path)) from error
        exercises = lessons.load(number).exercises.items()
        return {n: getattr(module, e.name) for n, e in exercises if hasattr(module, e.name)}

    def hint(self, exercise):
        """The hints read so far and one more."""
        read = self.progress().get(exercise.number, {}).get("hints", 0) + 1
        read = min(read, len(exercise.hints))
        self.note(exercise.number, hints=read)
        hints = enumerate(exercise.hints[:read], 1)
        return "\n".join(f"Hint {i} of {len(exercise.hints)}: {text}" for i, text in hints)

    def solution(self, exercise, give_up=False):
        """The text of the solution, which is open once an exercise is passed or given up."""
        facts = self.progress().get(exercise.number, {})
        if not (facts.get("passed") or facts.get("gave_up") or give_up):
            raise StudentError(
                f"the solution opens when {exercise.number} is passed. To see it now, which is "
                f"recorded: {typed(f'solution {exercise.number} --give-up')}"
            )
        if not facts.get("passed"):
            self.note(exercise.number, gave_up=True)
        return filled(exercise).rstrip()

    # ---- Progress --------------------------------------------------------------------------------

    @property
    def _progress_file(self):
        return self.folder / "progress.json"

    def progress(self):
        """{exercise: {"passed": bool, "hints": how many were read, "gave_up": bool}}"""
        try:
            progress = json.loads(self._progress_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            progress = None
        entries = progress.values() if isinstance(progress, dict) else [None]
        if not all(isinstance(facts, dict) for facts in entries):
            raise StudentError(f"{self._progress_file} is damaged: remove it to begin anew")
        return progress

    def note(self, number, **facts):
        """Remember facts about an exercise."""
        progress = self.progress()
        progress.setdefault(number, {}).update(facts)
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self._progress_file.with_suffix(".new")
        new.write_text(json.dumps(progress, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(new, self._progress_file)


class StudentError(Exception):
    """Something that the student can mend; the message says what."""


def student_file(lesson, program=PROGRAM):
    """The text of a lesson's file with its holes, and how to call the program that checks them."""
    exercises = list(lesson.exercises.values())
    facts = {"number": lesson.number, "title": lesson.title, "first": exercises[0].number}
    parts = [START.format(program=program, **facts)]
    for exercise in exercises:
        lines = length(exercise)
        about = f"about {lines} line{'s' if lines > 1 else ''}"
        parts.append(f"# {exercise.number} {exercise.title} ({about})\n{skeleton(exercise)}")
    return "\n\n".join(parts)


def _where(error, path):
    """The line of the student's file in which an error arose, and what it was."""
    if isinstance(error, SyntaxError):
        line = f", line {error.lineno}" if error.lineno else ""  # a zero byte is in no line
        return f"{path}{line}: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = f", line {frames[-1].lineno}" if frames else ""
    name = "" if isinstance(error, TooLongError) else f"{type(error).__name__}: "
    return f"{path}{line}: {name}{error}"
