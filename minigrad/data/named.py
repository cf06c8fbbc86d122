"""Inputs of a model: one array, or a dict of several by name, with a row of each per example.

A model that reads ids and a mask is given {"ids": (n, t), "mask": (n, t)}.
"""


def map_arrays(function, x, *arguments):
    """function(array, *arguments), or a dict of that for a dict of arrays."""
    if isinstance(x, dict):
        return {name: function(array, *arguments) for name, array in x.items()}
    return function(x, *arguments)


def with_names(name, x):
    """{what to call it: array}: of a dict "x['ids']" and so on, of one array its name alone."""
    if isinstance(x, dict):
        return {f"{name}[{key!r}]": array for key, array in x.items()}
    return {name: x}


def arrays_in(things):
    """All arrays, in order, of a sequence of arrays and dicts of arrays."""
    return [array for thing in things for array in with_names("", thing).values()]
