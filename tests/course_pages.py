"""Follows the pages for students and teachers, command by command, as their readers do.

In a page, a block marked `sh` holds commands, one a line. A block marked `text` below it is what
they print, with ... for whatever may be there. A block marked `python` is a function that the
reader writes into the file of the first lesson, in the place of the one that is there. A comment
such as <!-- work/lesson_06.py has 6.1 --> stands for what readers do in their own way: from there
on that file has a right answer to exercise 6.1.
"""

import ast
import os
import re
import subprocess
import sys

from pytest import approx

from lessons import lesson as lessons
from tests.grading import right_answer
from tests.test_readme import ROOT

PAGES = {
    "students": ROOT / "lessons" / "STUDENTS.md",
    "teachers": ROOT / "lessons" / "TEACHERS.md",
}
FENCED = re.compile(r"^```(sh|python|text)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
DONE = re.compile(r"^<!-- (\S+) has ([\d., ]+) -->$", flags=re.MULTILINE)
FIRST = "work/lesson_01.py"
NUMBER = re.compile(r"(\d+\.\d+)")
COMPILED = re.compile(r"^compiled .* in [\d.]+ s \(.*\)\n", flags=re.MULTILINE)
MARK = "-- that command ended with status"
# A command that goes on until Ctrl-C gets it when it has said that it watches.
WATCHER = """
interrupted() {
    set -m
    "$@" > watched 2>&1 &
    until grep -q ^Watching watched || ! kill -0 $!; do sleep 0.1; done
    kill -INT $!
    for tenth in {1..200}; do kill -0 $! 2> /dev/null || break; sleep 0.1; done
    kill -KILL $! 2> /dev/null
    wait $!
}
"""


def blocks(text):
    """(kind, text) of all that a reader does or sees; of a comment, the file and what it has."""
    found = [(m.start(), m[1], m[2]) for m in FENCED.finditer(text)]
    found += [(m.start(), "done", m.groups()) for m in DONE.finditer(text)]
    return [(kind, content) for _, kind, content in sorted(found)]


def commands(text):
    """All lines that a page tells its reader to type."""
    return [line for kind, block in blocks(text) if kind == "sh" for line in block.splitlines()]


class Reader:
    """Someone with a folder of their own in which minigrad is installed in .venv.

    Commands of make need the source, and are left out.
    leaves_out(block)  whether to skip the commands of a block, too
    """

    def __init__(self, folder, leaves_out=lambda block: False):
        self.folder, self.place, self.leaves_out = folder, folder, leaves_out
        self.entered = []  # such as `. .venv/bin/activate`, which lasts
        (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
        program = folder / ".venv" / "bin" / "minigrad-learn"
        assert program.exists(), f"{sys.prefix} has no minigrad-learn, which `make install` brings"
        self.environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        self.environment.pop("MINIGRAD_WORK", None)

    def follow(self, text):
        printed = None  # by the commands of the block above; None if they were left out
        for kind, content in blocks(text):
            if kind == "sh":
                printed = None if self.leaves_out(content) else self.type(content)
            elif kind == "text":
                assert printed is None or alike(content, printed), f"{content}\nCame:\n{printed}"
            elif kind == "python":
                write(self.folder / FIRST, ast.parse(content).body[-1].name, content)
            elif kind == "done":
                path, numbers = content
                for exercise in map(lessons.find, numbers.split(", ")):
                    write(self.folder / path, exercise.name, right_answer(exercise))

    def type(self, block):
        """What the commands of a block print, one after the other in one shell."""
        lines = [line for line in block.splitlines() if not line.startswith("make ")]
        script = "".join(f'{_ending(line)}\necho "{MARK} $? in $PWD"\n' for line in lines)
        before = "".join(f"{line}\n" for line in [*self.entered, f"cd '{self.place}'"])
        self.entered += [line for line in lines if line.startswith(". ")]
        run = subprocess.run(
            ["bash", "-c", WATCHER + before + script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        told = COMPILED.sub("", run.stdout)
        *ended, rest = re.split(rf"{MARK} (\d+) in (.*)\n", told)
        printed = ended[::3]
        for line, text, status in zip(lines, printed, ended[1::3]):
            is_open = status == "1" and ": not yet" in text
            assert status == "0" or is_open, f"{line}\nended with status {status}:\n{text}"
        assert len(printed) == len(lines), rest
        self.place = ended[-1] if lines else self.place
        return "".join(printed)


def _ending(line):
    return f"interrupted {line}" if " watch " in line else line


def write(path, name, source):
    """Write the source of a function into a student's file, in the place of the one of its name."""
    text = path.read_text(encoding="utf-8")
    (old,) = (node for node in ast.parse(text).body if getattr(node, "name", "") == name)
    lines = text.splitlines()
    lines[old.lineno - 1 : old.end_lineno] = source.splitlines()
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _pattern(shown):
    """A line of ... stands for any number of lines, also none."""
    lines, rest = re.escape("\n...\n"), re.escape("...")
    return re.escape(shown).replace(lines, r"\n(?:.*\n)?").replace(rest, ".*")


def alike(shown, printed):
    """Whether this was printed: ... stands for anything, and numbers agree to one percent."""
    parts = NUMBER.split(shown.strip())
    parts[::2] = map(_pattern, parts[::2])
    numbers, parts[1::2] = parts[1::2], [NUMBER.pattern] * (len(parts) // 2)
    found = re.fullmatch("".join(parts), printed.strip(), flags=re.DOTALL)
    return found and [*map(float, found.groups())] == approx([*map(float, numbers)], rel=0.01)
