"""All functions that a submission finds in its room, each handed in as the answer to an exercise.

`python -I -S -B tests/reach.py PACKAGES FILE` runs beside a room with these packages, and has in
its standard input what `check_reach.py` asks. To the file it writes, pickled, what each function
gives for the arguments of each case, called in all the ways that one would try.
"""

import contextlib
import importlib
import inspect
import itertools
import pickle
import sys
import types
from pathlib import Path

PACKAGES = ("lessons", "minigrad", "kernels")
LEFT_OUT = ("lessons.grading.supervisor", "lessons.grading.isolation")  # they would end processes
LEFT_OUT += ("kernels.dlpack",)  # a number is an address for it, of which it would read the memory
SECONDS = 0.1  # for a call


def main(packages, path):
    """Write {name of a function, and how it was called: what was seen in each of the cases}."""
    sys.path.append(packages)
    asked, found = pickle.load(sys.stdin.buffer), {}
    from lessons import limit
    from lessons.grading import worker

    limit.SECONDS = SECONDS
    view = worker._view(asked["view"])
    with contextlib.redirect_stdout(sys.stderr):
        for name, function in functions(modules(Path(packages))):
            for way, answer in ways(function, asked["is_rule"]):
                seen = list(itertools.takewhile(bool, shown(answer, asked["cases"], view)))
                if len(seen) == len(asked["cases"]):
                    found[f"{name} {way}"] = [result for (result,) in seen]
    Path(path).write_bytes(pickle.dumps(found))


def shown(answer, cases, view):
    """What a view shows of an answer in each case, as (data,), and () for an error."""
    from lessons.limit import TooLongError
    from lessons.observation import observe

    for arguments in cases:
        try:
            seen = observe(answer, arguments, view)
            yield () if seen.error else (seen.result,)
        except (SystemExit, TooLongError):
            yield ()


# ---- All functions -------------------------------------------------------------------------------


def modules(folder):
    """All modules of our packages in a folder that can be imported."""
    for path in sorted(path for name in PACKAGES for path in (folder / name).glob("**/*.py")):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        if path.name != "__main__.py":
            with contextlib.suppress(ImportError):
                yield importlib.import_module(name.removesuffix(".__init__"))


def functions(modules):
    """(name, function) of all functions, classes and methods that come from our packages."""
    known = set()
    for module in modules:
        for name, thing in list(vars(module).items()):
            place = getattr(thing, "__module__", None) or ""
            if place.partition(".")[0] in PACKAGES and place not in LEFT_OUT:
                for inner, function in of_thing(f"{module.__name__}.{name}", thing):
                    if id(function) not in known:
                        known.add(id(function))
                        yield inner, function


def of_thing(name, thing):
    """A function, and the rule inside it; a class, and its methods, called with any `self`."""
    if isinstance(thing, types.FunctionType):
        yield name, thing
        yield f"{name}.__wrapped__", inspect.unwrap(thing)
    elif isinstance(thing, type):
        yield name, thing
        for inner, method in list(vars(thing).items()):
            method = getattr(method, "__func__", method)
            if isinstance(method, types.FunctionType):
                yield f"{name}.{inner}", method


# ---- All ways to call them -----------------------------------------------------------------------


def ways(function, is_rule):
    """(words, answer): as it is, and with arguments in any order, as arrays or as Tensors."""
    yield "as it is", function
    for i in range(8):
        yield f"in order {i}", lambda *a, i=i: arrays(function(*ordered(a, i)))
        if "minigrad.tensor" in sys.modules:
            lift = differentiated if is_rule else of_tensors
            yield f"of Tensors in order {i}", lift(function, i)


def ordered(arguments, i):
    """The arguments in the i-th order, or without the first, or the last. IndexError after that."""
    orders = list(itertools.permutations(arguments)) if len(arguments) < 4 else [arguments]
    return [*orders, arguments[1:], arguments[:-1]][i]


def arrays(thing):
    """A thing with arrays in the place of Tensors."""
    if isinstance(thing, (tuple, list)):
        return [arrays(item) for item in thing]
    return thing.data if type(thing).__name__ == "Tensor" else thing


def tensors(arguments):
    from lessons.calls import is_floating
    from minigrad.tensor import Tensor

    return [Tensor(a, requires_grad=True) if is_floating(a) else a for a in arguments]


def of_tensors(function, i):
    return lambda *arguments: arrays(function(*ordered(tensors(arguments), i)))


def differentiated(function, i):
    """The rule that the engine makes of a function of Tensors."""

    def rule(*arguments):
        def pullback(leaf):
            def pull(g):
                leaves = tensors(arguments)
                function(*ordered(leaves, i)).backward(g)
                return leaves[leaf].grad

            return pull

        value = function(*ordered(tensors(arguments), i)).data
        return value, tuple(pullback(leaf) for leaf in range(len(arguments)))

    return rule


if __name__ == "__main__":
    main(*sys.argv[1:])
