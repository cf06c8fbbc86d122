"""Where a function of the framework is found by its name."""

import importlib


def resolve(target):
    """The module or class that "package.module.Class.function" is looked up in, and the name."""
    path, _, name = target.rpartition(".")
    try:
        return importlib.import_module(path), name
    except ModuleNotFoundError:
        owner, inner = resolve(path)
        return getattr(owner, inner), name
