"""How long compiled kernels take, each of them: it explains what a benchmark has found."""

from collections import defaultdict
from contextlib import contextmanager
from time import perf_counter


@contextmanager
def clocks():
    """For the body of a `with`: {"dense.forward": seconds spent in this compiled kernel, ...}"""
    from kernels.cpu import compilation

    spent = defaultdict(float)
    real = [(kernel, dict(kernel)) for kernel in compilation.KERNELS]
    for kernel, by_dtype in real:
        module = kernel.function.__module__.rpartition(".")[2]
        name = f"{module}.{kernel.function.__name__.strip('_')}"
        kernel.update({d: clocked(f, name, spent) for d, f in by_dtype.items()})
    try:
        yield spent
    finally:
        for kernel, by_dtype in real:
            kernel.update(by_dtype)


def clocked(function, name, spent):
    """The same function, which adds the seconds of each call to spent[name]."""

    def call(*arguments):
        start = perf_counter()
        try:
            return function(*arguments)
        finally:
            spent[name] += perf_counter() - start

    return call
