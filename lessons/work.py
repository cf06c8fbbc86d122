"""A student's folder: `work/lesson_02.py` with the holes, and `work/progress.json`.

The file is the student's: it is written once, and never overwritten without being asked.
"""

import json
import os
import traceback
from pathlib import Path
from types import ModuleType

from . import lesson as lessons
from .limit import TooLongError, time_limit
from .skeleton import length, skeleton

FOLDER = "MINIGRAD_WORK"
START = '''"""Lesson {number}: {title}

Fill in the functions, then ask in the terminal:

    minigrad-learn check {number}          about all of them; check {first} about the first
    minigrad-learn hint {first}          if you are stuck; hint again for more
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
        path.write_text(student_file(lesson), encoding="utf-8")
        return path, True

    def reset(self, number):
        """Put a lesson's file aside, as lesson_02.old.py, and write it anew.   -> where it is"""
        path = self.path(number)
        old = path.with_suffix(".old.py")
        if path.exists():
            os.replace(path, old)
        self.start(number)
        return old

    def functions(self, number):
        """{exercise: the student's function}; what cannot be run raises a StudentError."""
        path = self.path(number)
        if not path.exists():
            raise StudentError(f"there is no {path}: minigrad-learn start {number} writes it")
        module = ModuleType(path.stem)
        module.__file__ = str(path)
        try:
            with time_limit():
                exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
        except (Exception, TooLongError) as error:
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
                f"recorded: minigrad-learn solution {exercise.number} --give-up"
            )
        if not facts.get("passed"):
            self.note(exercise.number, gave_up=True)
        return exercise.source.rstrip()

    # ---- Progress --------------------------------------------------------------------------------

    @property
    def _progress_file(self):
        return self.folder / "progress.json"

    def progress(self):
        """{exercise: {"passed": bool, "hints": how many were read, "gave_up": bool}}"""
        try:
            return json.loads(self._progress_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise StudentError(
                f"{self._progress_file} is damaged: remove it to begin anew"
            ) from None

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


def student_file(lesson):
    """The text of a lesson's file with its holes."""
    exercises = list(lesson.exercises.values())
    parts = [START.format(number=lesson.number, title=lesson.title, first=exercises[0].number)]
    for exercise in exercises:
        lines = length(exercise)
        about = f"about {lines} line{'s' if lines > 1 else ''}"
        parts.append(f"# {exercise.number} {exercise.title} ({about})\n{skeleton(exercise)}")
    return "\n\n".join(parts)


def _where(error, path):
    """The line of the student's file in which an error arose, and what it was."""
    if isinstance(error, SyntaxError):
        return f"{path}, line {error.lineno}: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = f", line {frames[-1].lineno}" if frames else ""
    name = "" if isinstance(error, TooLongError) else f"{type(error).__name__}: "
    return f"{path}{line}: {name}{error}"
