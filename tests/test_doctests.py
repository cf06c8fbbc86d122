"""The examples in docstrings are true. Every operation shows its formula and its gradient check."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import kernels
import minigrad
from minigrad import gradcheck, ops
from tests import strict_array
from tests.test_ops import public


def modules():
    for package in (minigrad, kernels):
        yield package
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)
    yield strict_array


def documented(thing, name, home):
    """{name: docstring} of a module or class and of what it defines, decorated or not."""
    found = {name: thing.__doc__ or ""}
    if inspect.ismodule(thing) or inspect.isclass(thing):
        for key, member in vars(thing).items():
            member = getattr(member, "fget", member)  # a property stands for its function
            if callable(member) and getattr(member, "__module__", None) == home:
                found.update(documented(member, f"{name}.{key}", home))
    return found


def examples():
    """{name: DocTest} of every docstring that has examples."""
    found = {}
    for module in modules():
        names = {**vars(module), "gradcheck": gradcheck, "np": np}
        for name, text in documented(module, module.__name__, module.__name__).items():
            test = doctest.DocTestParser().get_doctest(text, names, name, module.__file__, 0)
            if test.examples:
                found[name] = test
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_in_docstring(name):
    report = []
    doctest.DocTestRunner().run(EXAMPLES[name], out=report.append)
    assert not report, "".join(report)


DIFFERENTIABLE = {
    name: operation
    for name, operation in public(ops).items()
    if not operation.__doc__.endswith("as a constant Tensor: it has no gradient.")
}


def test_examples_were_found():
    operations = {f"minigrad.ops.{name}" for name in DIFFERENTIABLE}
    assert operations | {"minigrad.tensor.op"} <= set(EXAMPLES)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_operation_shows_its_gradient_check(name):
    assert f">>> gradcheck({name}, " in DIFFERENTIABLE[name].__doc__


# split is made of getitem
@pytest.mark.parametrize("name", sorted(set(DIFFERENTIABLE) - {"split"}))
def test_operation_begins_with_its_value_and_its_gradient_or_shapes(name):
    value, gap, rest = inspect.getdoc(DIFFERENTIABLE[name]).splitlines()[0].partition("   ")
    assert value and gap and rest
