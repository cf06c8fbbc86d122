"""What contestants share: a piece of work done again and again, with so many threads.

    yield "", repeated(lambda: kernels.softmax(x), numba_threads(2))

What says the number of threads is a context that is entered for every turn, since the turn before
was that of a peer.
"""

from contextlib import contextmanager


def repeated(once, *contexts):
    """`run(times)` for a function that does the work once; the last context is entered first."""

    def run(times):
        for _ in range(times):
            once()

    for context in contexts:
        run = context(run)
    return run


@contextmanager
def numba_threads(threads, backend="numba"):
    """Our kernels with so many threads, all of them compiled, or as `kernels.use` is told."""
    import numba

    import kernels.cpu.threads  # which finds TBB, before Numba has settled on other threads

    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        with kernels.use(backend):
            yield
    finally:
        numba.set_num_threads(before)


@contextmanager
def blas_threads(threads):
    """NumPy's products of matrices with so many threads."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads, user_api="blas"):
        yield


@contextmanager
def torch_threads(threads):
    """PyTorch with so many threads."""
    import torch

    torch.set_num_threads(threads)
    yield


@contextmanager
def torch_without_subnormals():
    """PyTorch takes numbers below the normal ones for 0, as TensorFlow always does."""
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
