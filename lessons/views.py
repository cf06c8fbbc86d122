"""What is looked at of a function: how it is called, and what is compared of that."""

from collections.abc import Callable
from dataclasses import dataclass

from . import calls
from .observation import plain


@dataclass(frozen=True)
class View:
    """view(f, *arguments) is what is compared.

    call   function (f, *arguments) -> data; runs where a student's function runs
    shown  function (these data, *arguments) -> what is compared of them, if that is not all; runs
           where no student's function can reach it
    """

    call: Callable = calls.call
    shown: Callable | None = None

    def __call__(self, function, *arguments):
        return self.read(self.call(function, *arguments), *arguments)

    def read(self, result, *arguments):
        """What is compared of the result of a call."""
        return result if self.shown is None else self.shown(plain(result), *arguments)


def _gradients(pulled, *arguments):
    """Of a rule the value, and dL/d(argument) of L = Σ w · value for every floating argument."""
    value, *pulled = pulled
    floating = filter(calls.is_floating, arguments)
    return value, *(_unbroadcast(d, x.shape) for d, x in zip(pulled, floating))


def _unbroadcast(d, shape):
    """Sum over the axes along which an input of this shape was repeated, as the engine does."""
    if d.shape == shape or d.ndim < len(shape):
        return d
    d = d.sum(axis=tuple(range(d.ndim - len(shape))))
    repeated = tuple(i for i, n in enumerate(shape) if n == 1)
    return d.sum(axis=repeated, keepdims=True) if repeated else d


CALL = View()
RULE = View(calls.pull, _gradients)
