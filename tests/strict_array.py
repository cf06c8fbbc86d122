"""Arrays that refuse to be read by the host, standing in for a GPU's long before there is one.

A `StrictArray` wraps an ndarray behind NumPy's own protocols, `__array_ufunc__` and
`__array_function__` (NEP 13 and 18). Everything computed from it is strict again. Whatever would
copy it to the host behind our back (float(x), `if x:`, np.asarray(x), a loop over it) or mix it
with an array on the host raises a `HostCopyError`. The one allowed read is `.item()`, and
`StrictArray.reads` counts it.

>>> x = strict(np.array([1.0, 2.0]))
>>> unwrap(np.exp(x)[:1] + 1)
array([3.71828183])
>>> float(np.sum(x))
Traceback (most recent call last):
tests.strict_array.HostCopyError: __float__ of a StrictArray would copy it to the host
"""

import contextlib
import functools
from unittest import mock

import numpy as np

import kernels


class HostCopyError(AssertionError):
    """An array left its device, or came to it, without anyone asking for it."""


def _method(name):
    def method(self, *arguments, **options):
        return strict(getattr(self.host, name)(*unwrap(arguments), **unwrap(options)))

    return method


def _forbidden(name):
    def method(self, *arguments, **options):
        raise HostCopyError(f"{name} of a StrictArray would copy it to the host")

    return method


class StrictArray(np.lib.mixins.NDArrayOperatorsMixin):
    __slots__ = ("host",)
    reads = 0  # how often .item() was called on any of them

    def __init__(self, host):
        self.host = host

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        result = getattr(ufunc, method)(*unwrap(inputs), **unwrap(options))
        return options["out"][0] if "out" in options else strict(result)

    def __array_function__(self, function, types, arguments, options):
        return strict(function(*unwrap(arguments), **unwrap(options)))

    shape = property(lambda self: self.host.shape)
    ndim = property(lambda self: self.host.ndim)
    size = property(lambda self: self.host.size)
    dtype = property(lambda self: self.host.dtype)
    base = property(lambda self: strict(self.host.base))
    T = property(lambda self: strict(self.host.T))
    reshape, astype, copy, view = map(_method, ["reshape", "astype", "copy", "view"])
    setflags, argmax = map(_method, ["setflags", "argmax"])
    __getitem__, __setitem__ = map(_method, ["__getitem__", "__setitem__"])

    def __len__(self):
        return len(self.host)

    def item(self):
        StrictArray.reads += 1
        return self.host.item()

    __array__, __float__, __int__ = map(_forbidden, ["__array__", "__float__", "__int__"])
    __bool__, __index__, __iter__ = map(_forbidden, ["__bool__", "__index__", "__iter__"])
    __complex__, __contains__, tolist = map(_forbidden, ["__complex__", "__contains__", "tolist"])

    def __repr__(self):
        return f"StrictArray(shape={self.shape}, dtype={self.dtype})"


def strict(thing):
    """An array as a StrictArray, also inside tuples, lists and dicts; anything else as it is."""
    if isinstance(thing, (np.ndarray, np.generic)):
        return StrictArray(np.asarray(thing))
    return _inside(strict, thing)


def unwrap(thing):
    """The ndarrays inside; a HostCopyError if one was not strict. Numbers may be from anywhere."""
    if isinstance(thing, StrictArray):
        return thing.host
    if isinstance(thing, np.ndarray) and thing.ndim > 0:
        raise HostCopyError(
            f"an array of shape {thing.shape} on the host came together with a StrictArray"
        )
    return _inside(unwrap, thing)


def _inside(change, thing):
    if isinstance(thing, (tuple, list)):
        changed = [change(item) for item in thing]
        return type(thing)(*changed) if hasattr(thing, "_fields") else type(thing)(changed)
    if isinstance(thing, dict):
        return {key: change(item) for key, item in thing.items()}
    return thing


def public_kernels():
    """{name: function} of every kernel, as `kernels` exports it."""
    return {name: getattr(kernels, name) for name in kernels.dispatch.specifications()}


@contextlib.contextmanager
def strict_kernels():
    """Inside this `with`, every public kernel takes StrictArrays, as a device's kernels would."""

    def on_device(kernel):
        @functools.wraps(kernel)
        def run(*arguments, **options):
            if not _holds_strict([*arguments, *options.values()]):
                return kernel(*arguments, **options)
            return strict(kernel(*unwrap(arguments), **unwrap(options)))

        return run

    replacements = {name: on_device(kernel) for name, kernel in public_kernels().items()}
    with mock.patch.multiple(kernels, **replacements):
        yield


def _holds_strict(things):
    return any(
        _holds_strict(thing) if isinstance(thing, (tuple, list)) else isinstance(thing, StrictArray)
        for thing in things
    )
