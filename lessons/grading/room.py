"""The room in which a submission runs: a folder with all that it can see.

submission                  what was handed in
packages/lessons            how functions are called and looked at; no text, no answers
packages/minigrad, kernels  the framework, without what the exercise asks for
packages/numpy              NumPy
scratch                     where it may write
root                        becomes the root of the file system, where that is allowed
"""

import ast
import atexit
import functools
import importlib.util
import re
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from minigrad import by_definition

from .. import calls
from . import submission
from .folders import Folder

_LESSONS = Path(__file__).parents[1]
_OF_GRADING = ("worker", "submission", "wire", "isolation", "supervisor")
_OF_LESSONS = ("calls.py", "observation.py", "limit.py", *(f"grading/{n}.py" for n in _OF_GRADING))
_FRAMEWORK = ("minigrad", "kernels")
_OTHERS = ("numpy",)
_ENGINE = "minigrad.tensor.Tensor.backward"
_EXPECTED = {"definition", "by_hand", "edges", "drawn", "laws"}


@dataclass(frozen=True)
class Limits:
    """Of one exercise: seconds of a processor's time, and by the clock; bytes; processes.

    The clock has more patience, for where other processes take the processor away.
    """

    seconds: float = 20
    clock: float = 60
    memory: int = 2**30
    processes: int = 16
    output: int = 2**20
    file_size: int = 2**23
    scratch_size: int = 2**25


def furnish(folder, exercise, data, is_notebook):
    """Make the room of an exercise in a folder.   -> what its process is told"""
    folder.chmod(0o755)
    for name in ("packages/lessons/grading", "scratch", "root"):
        (folder / name).mkdir(parents=True)
    (folder / "submission").write_bytes(data)
    packages = folder / "packages"
    for name in _OF_LESSONS:
        shutil.copyfile(_LESSONS / name, packages / "lessons" / name)
    for package in ("lessons", "lessons/grading"):
        (packages / package / "__init__.py").touch()
    outside = [path for name in _OTHERS for path in _linked(name, packages)]
    framework = framework_without(exercise)
    for name in _FRAMEWORK:
        (packages / name).symlink_to(framework / name)
    library = _standard_library()
    inside = [path for place in library for path in place.iterdir() if _is_standard(path)]
    readable = [folder / "submission", packages, framework, *outside, *inside]
    return {
        "name": exercise.name,
        "view": _view(exercise),
        "is_notebook": is_notebook,
        "submission": str(folder / "submission"),
        "packages": str(packages),
        "scratch": str(folder / "scratch"),
        "root": str(folder / "root"),
        "readable": [str(path) for path in readable],
        "listed": [str(path) for path in library],
    }


def _view(exercise):
    """The name of a function of `calls` that is the view's, or the text of its function."""
    call = exercise.view.call
    if call.__module__ == calls.__name__:
        return call.__name__
    text = submission.cut([exercise.checks], "view")
    defined = {getattr(node, "name", getattr(node, "id", "")) for node in ast.walk(ast.parse(text))}
    if defined & _EXPECTED:
        raise ValueError(f"the view of {exercise.number} needs what must not be seen: {text}")
    return text


# ---- Packages ------------------------------------------------------------------------------------


def _linked(name, packages):
    """Link to an installed package and its libraries.   -> where they are"""
    place = Path(importlib.util.find_spec(name).origin).parent.resolve()
    found = [place, place.with_name(f"{name}.libs")]
    for path in filter(Path.is_dir, found):
        (packages / path.name).symlink_to(path)
        yield path


def _standard_library():
    """The folders of what is installed together with Python, and not in an environment of it."""
    bases = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    names = ("stdlib", "platstdlib")
    return sorted({Path(sysconfig.get_path(name, vars=bases)) for name in names})


def _is_standard(path):
    """Whether something in these folders is not installed later."""
    return not path.name.endswith("-packages")


# ---- The framework -------------------------------------------------------------------------------


@functools.cache
def framework_without(exercise):
    """A folder with copies of minigrad and kernels without what gives the solution away.

    It is made once, and removed when this process ends.
    """
    whole = Folder("framework")
    atexit.register(whole.remove)
    folder = whole.path
    folder.chmod(0o755)
    given_away = GivenAway(exercise)
    for package in _FRAMEWORK:
        source = Path(importlib.util.find_spec(package).origin).parent
        skipped = shutil.ignore_patterns("__pycache__", "cpu", "ladder", "programs")
        shutil.copytree(source, folder / package, ignore=skipped)
    for path in folder.rglob("*.py"):
        module = ".".join(path.relative_to(folder).with_suffix("").parts)
        text = path.read_text(encoding="utf-8")
        rest = given_away.cut_from(text, module.removesuffix(".__init__"))
        path.write_text(rest, encoding="utf-8")
    return folder


class GivenAway:
    """What no copy of the framework may contain that an exercise is solved with.

    places  of the function which the exercise asks for, and of those beside it that it calls; and
            of the engine, which finds any gradient, unless the exercise is seen through it
    names   of functions of any module: its definition and its kernels have the same name, or have
            it as a part of theirs (`softmax`: `softmax_backward`, `log_softmax`); and so are the
            kernels and fused operations that it calls, and the operations that it is a part of
    """

    def __init__(self, exercise):
        self.places, names = set(), {exercise.name}
        if exercise.target:
            solution, source = exercise.solution, exercise.source
            beside = {solution.__qualname__, *_names(source)}
            self.places = {f"{solution.__module__}.{name}" for name in beside}
            if solution.__qualname__ != exercise.name:
                names = set()  # a method: its name means other things elsewhere
            names |= _attributes(source, "kernels")
            names |= _attributes(source, "ops") & by_definition.PARTS.keys()
        if exercise.is_rule:
            parts = by_definition.PARTS.items()
            names |= {fused for fused, of_it in parts if exercise.name in of_it}
        if ".backward(" not in _view(exercise):
            self.places.add(_ENGINE)
        words = "|".join(map(re.escape, sorted(names))) or "(?!)"  # which matches nothing
        self.names = re.compile(rf"(?:\w*_)?(?:{words})(?:_\w*)?")

    def cut_from(self, text, module):
        """The text of a module without it."""
        tree, found = ast.parse(text), False
        for function, place in _functions(tree.body, module):
            is_in_module = place == f"{module}.{function.name}"
            if place in self.places or (is_in_module and self.names.fullmatch(function.name)):
                error = f"{function.name} is left out: it is what the exercise asks for"
                function.body = ast.parse(f"raise RuntimeError({error!r})").body
                found = True
        return ast.unparse(tree) + "\n" if found else text


def _functions(body, place):
    """The functions of a module and of its classes, with their full names."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node, f"{place}.{node.name}"
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{place}.{node.name}")


def _names(source):
    """The names that a source uses by themselves."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _attributes(source, module):
    """The names x that a source uses as module.x"""
    attributes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return {node.attr for node in attributes if getattr(node.value, "id", None) == module}
