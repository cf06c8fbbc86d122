"""An exercise: a function to write, and what it must do.

Its block of checks in the lesson is a piece of Python that defines some of these:

    hints         three, each saying more than the one before
    definition    the same function as its definition says, one number after the other, say: written
                  independently of the solution, which is compared with it, too
    by_hand       a list of `case(...)`, worked out on paper
    edges         cases at the edge of what may come
    drawn         function of `draw`, which returns drawn arguments
    laws          functions (f, *arguments) -> two things that must be equal, for drawn arguments;
                  what the law says is their docstring. f(*arguments) is what the view shows
    view          function (f, *arguments) -> arrays, numbers, texts, or a dict of them with names:
                  how f is called, if that is not f(*arguments). It imports what it needs inside
                  itself. Messages call the arguments as it does
    shown         function (what the view returns, *arguments) -> what is compared of that, if it
                  is not all of it: what no student's code may decide
    lines         about how many lines a solution has; without it, as many as the one shown
    points        what it counts in a grade; 1 without it

A rule of `minigrad.ops`, which returns a value and pullbacks, is looked at in a view of its own:
the value, and the gradients of its weighted sum with respect to every floating argument. These are
compared with central differences of the definition.
"""

import inspect
import textwrap
from functools import cached_property
from pathlib import Path

import numpy as np

from . import calls, cases, views
from .target import resolve


class Exercise:
    """number "2.1", title, and the blocks of the lesson that it is made of.

    target    the name of a function of the framework that is the solution: it is compared with
              what students write, which takes its place when a real model is trained
    solution  the block that defines the solution where the framework has none. With a target as
              well it is the solution written out, for the framework's leaves the mathematics to a
              kernel or a helper; it is what students are shown
    """

    def __init__(self, number, title, path, checks, solution=None, target=None):
        self.number = number
        self.title = title
        self.path = path
        self.target = target
        self._solution = solution
        self._checks = checks
        if target is None and solution is None:
            raise ValueError(
                f"{path}: exercise {number} needs a block with the solution, or the name of a "
                "function of the framework after the word checks"
            )

    @property
    def lesson(self):
        return int(self.number.partition(".")[0])

    # ---- The solution ----------------------------------------------------------------------------

    @cached_property
    def solution(self):
        """The function that is asked for: the framework's, if it has one."""
        if self.target is None:
            return self.shown_solution
        owner, name = resolve(self.target)
        return inspect.unwrap(getattr(owner, name))

    @cached_property
    def shown_solution(self):
        """The function that students see as the solution: that of the block, if there is one."""
        if self._solution is None:
            return self.solution
        namespace = self._run(self._solution, {"np": np})
        functions = [f for f in namespace.values() if inspect.isfunction(f)]
        return functions[-1]

    @property
    def is_written_out(self):
        """Whether students see another text than the framework's."""
        return self.shown_solution is not self.solution

    @property
    def name(self):
        return self.solution.__name__

    @cached_property
    def source(self):
        """The text of the solution, without decorators."""
        if self.target is None:
            return self._solution.source
        text = textwrap.dedent(inspect.getsource(self.solution))
        return text[text.index("def ") :]

    @property
    def shown_source(self):
        """The text of the solution that is shown."""
        return self._solution.source if self._solution else self.source

    @property
    def is_rule(self):
        """Whether it is a rule of the engine: a value, and pullbacks."""
        return (self.target or "").startswith("minigrad.ops.")

    # ---- The checks ------------------------------------------------------------------------------

    @property
    def checks(self):
        """The text of the block of checks."""
        return self._checks.source

    @cached_property
    def _found(self):
        return self._run(self._checks, dict(cases.WORDS))

    def _run(self, code, namespace):
        """Execute a block so that errors name the line of the lesson."""
        padded = "\n" * (code.line - 1) + code.source
        exec(compile(padded, str(Path(self.path)), "exec"), namespace)
        return namespace

    @property
    def definition(self):
        return self._found.get("definition", self.solution)

    @property
    def hints(self):
        return self._found.get("hints", [])

    @property
    def points(self):
        return self._found.get("points", 1)

    @property
    def lines(self):
        return self._found.get("lines")

    @property
    def by_hand(self):
        return self._found.get("by_hand", [])

    @property
    def edges(self):
        return self._found.get("edges", [])

    @property
    def drawn(self):
        return self._found.get("drawn")

    @property
    def laws(self):
        return self._found.get("laws", [])

    @cached_property
    def view(self):
        """How the function is called: view(f, *arguments)."""
        if self.is_rule and "view" not in self._found:
            return views.RULE
        return views.View(self._found.get("view", calls.call), self._found.get("shown"))

    @cached_property
    def names(self):
        """The names of the arguments of a case: those of the view's, if it has its own."""
        if "view" in self._found:
            return list(inspect.signature(self.view.call).parameters)[1:]
        return list(inspect.signature(self.solution).parameters)
