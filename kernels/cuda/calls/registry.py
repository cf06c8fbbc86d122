"""CALLS: {the name of a kernel: what it does with arrays on a device}."""

CALLS = {}


def call(function):
    """Write a function down in CALLS, under its name."""
    CALLS[function.__name__] = function
    return function
