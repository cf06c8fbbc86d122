"""Batches prepared by a second thread while the first one trains."""

import contextvars
import queue
import threading
from types import SimpleNamespace

from ..registry import check_integer


class Prefetch:
    """The same batches in the same order, prepared up to `ahead` before they are asked for.

    batches  `Batches`, or anything that can be iterated over
    ahead    how many batches may wait, from 1 up; each takes memory

    What is random in `batches` is drawn by their `iterate`, which runs in the thread that iterates
    here; only the batches themselves are made in the background. There NumPy's settings
    (np.errstate) and no_grad are as they were where the iteration began. An exception is raised
    here, with its own traceback, after the batches before it. The background ends with the
    iteration, also one that is abandoned, and never keeps Python from ending.
    """

    def __init__(self, batches, ahead=2):
        self.batches = batches
        self.ahead = check_integer("ahead", ahead)

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return self.iterate()

    def iterate(self, start=0):
        """An iterator from batch number `start` on; above 0, `batches` must have `iterate`."""
        if hasattr(self.batches, "iterate"):
            source = self.batches.iterate(start)
        elif start == 0:
            source = iter(self.batches)
        else:
            kind = type(self.batches).__name__
            raise ValueError(f"{kind} has no iterate(start), so it starts at 0. Received: {start=}")
        return _prefetched(iter(source), self.ahead)


def _prefetched(source, ahead):
    # SimpleQueue alone may be used in a `finally` that runs while garbage is collected, which can
    # happen inside the methods of other queues and locks, and would then wait for itself.
    shared = SimpleNamespace(ready=queue.SimpleQueue(), places=queue.SimpleQueue(), over=False)
    for _ in range(ahead):
        shared.places.put(None)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_prepare, source, shared), daemon=True).start()
    try:
        while True:
            batch, error = shared.ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            shared.places.put(None)
            yield batch
    finally:
        shared.over = True
        shared.places.put(None)


def _prepare(source, shared):
    """In the background: put (batch, None) for each place, and at last (None, what ended it)."""
    try:
        while True:
            shared.places.get()
            if shared.over:
                return
            shared.ready.put((next(source), None))
    except BaseException as error:  # StopIteration as well, at the end
        shared.ready.put((None, error))
