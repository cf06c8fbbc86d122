"""Names for things: 'adam' finds Adam, and a misspelt name finds its neighbours.

An object's configuration is plain data. What is given as a number is checked here, too.
"""

import difflib
import inspect
import json
import math
import numbers
import operator

from .bounded_json import shorten

_LONGEST_NAME = 100  # letters that are compared with those of the names that are known


def look_up(kind, name, table):
    """The entry of `table` called `name`. ValueError with the nearest known names if there is none.

    >>> look_up("colour", "blu", {"red": 1, "blue": 2})
    Traceback (most recent call last):
    ValueError: unknown colour 'blu'; did you mean 'blue'? Known: blue, red
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name)[:_LONGEST_NAME], table, n=3)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
    raise ValueError(f"unknown {kind} {shorten(name)}{hint} Known: {', '.join(sorted(table))}")


class Configurable:
    """An object that its constructor's arguments describe: it keeps each under its own name."""

    def get_config(self):
        """The constructor's arguments as plain data (numbers, strings, lists, dicts)."""
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        parameters = inspect.signature(type(self)).parameters.values()
        names = [p.name for p in parameters if p.kind not in kinds]
        for name in names:
            if not hasattr(self, name):
                kind = type(self).__name__
                raise ValueError(f"{kind} must keep its argument {name} as self.{name} to be saved")
        return {name: serialize(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls, config):
        """The object that `get_config` described."""
        return cls(**config)

    def __repr__(self):
        """The call that makes such an object, without the arguments that are left as they are."""
        parameters = inspect.signature(type(self)).parameters.values()
        values = {p.name: getattr(self, p.name, p.default) for p in parameters}
        given = (f"{p.name}={values[p.name]!r}" for p in parameters if values[p.name] != p.default)
        return f"{type(self).__name__}({', '.join(given)})"


def serialize(thing):
    """`thing` as plain data: objects as {"module", "class_name", "config"}, functions by name.

    ValueError for a function without a name, and for an object that cannot say how it was made.
    """
    if isinstance(thing, Configurable):
        kind = type(thing)
        return {
            "module": kind.__module__,
            "class_name": kind.__name__,
            "config": thing.get_config(),
        }
    if isinstance(thing, (list, tuple)):
        return [serialize(item) for item in thing]
    if isinstance(thing, dict):
        return {key: serialize(value) for key, value in thing.items()}
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return thing
    if hasattr(thing, "item"):  # a NumPy scalar, or a dtype's relative
        return thing.item()
    name = getattr(thing, "__name__", None)
    if name is None or name == "<lambda>":
        raise ValueError(
            f"{thing!r} cannot be saved: use a name, a function with a name, or a class with "
            "get_config"
        )
    return name


def describe(thing):
    """`thing` as text that is the same in every process: its configuration, or else its class."""
    try:
        return json.dumps(serialize(thing))
    except (TypeError, ValueError):
        return type(thing).__name__


def resolve(kind, thing, classes, functions=None):
    """The object that a user meant by `thing`.

    thing      None or an object, returned as it is; a name, a class, or what `serialize` wrote
    classes    {name: class}, called without arguments for a name, and with its config for a
               {"class_name", "config"}
    functions  {name: function}, returned as they are

    ValueError for a name that is not known, and for anything else.
    """
    if isinstance(thing, dict):
        return look_up(kind, thing.get("class_name"), classes).from_config(thing.get("config", {}))
    if isinstance(thing, type) and issubclass(thing, Configurable):
        return thing()
    if not isinstance(thing, str):
        if thing is None or callable(thing) or isinstance(thing, Configurable):
            return thing
        raise ValueError(f"{kind} must be a name, a function or an object. Received: {thing!r}")
    found = look_up(kind, thing, {**classes, **(functions or {})})
    return found() if isinstance(found, type) else found


def check_number(name, value, below=math.inf, positive=False):
    """`value` as a float. ValueError unless 0 <= value < below, or 0 < value if `positive`."""
    try:
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        number = float(value) if is_number else math.nan
    except OverflowError:  # an integer that is larger than any float
        number = math.inf
    if not 0 <= number < below or (positive and number == 0):
        start = "above 0" if positive else "from 0 up"
        end = "" if below == math.inf else f" and below {below}"
        raise ValueError(
            f"{name} must be a finite number {start}{end}. Received: {name}={shorten(value)}"
        )
    return number


def is_integer(value, least=1, most=math.inf):
    """Whether `value` is an integer from `least` to `most`; True and False are none."""
    if isinstance(value, bool):
        return False
    try:
        return least <= operator.index(value) <= most
    except TypeError:
        return False


def check_integer(name, value, least=1):
    """`value` as an int. ValueError unless it is an integer from `least` up."""
    if not is_integer(value, least):
        raise ValueError(
            f"{name} must be an integer from {least} up. Received: {name}={shorten(value)}"
        )
    return int(value)
