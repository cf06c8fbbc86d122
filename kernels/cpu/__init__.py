"""Kernels for this computer's own processor, compiled by Numba.

A function here that has the name of one in `kernels.reference` is its implementation. It puts
arrays in order, calls what is compiled, and returns NotImplemented for what it does not cover.
"""


def leaves_to_numpy(what):
    """Say in `kernels.table()` what an implementation does not cover (decorator)."""

    def note(implementation):
        implementation.left_to_numpy = what
        return implementation

    return note
