"""Many tasks, some at a time, each in one of a few processes that do nothing else."""

import multiprocessing
import signal
from contextlib import suppress
from multiprocessing.connection import wait

from . import isolation


def in_order(function, tasks, jobs, lost):
    """function(task) for each task, in the order of the tasks, so many at a time.

    lost  function (task) -> what stands for a result if the process has ended that should give it

    One at a time is done in this process.
    """
    if jobs == 1:
        yield from map(function, tasks)
        return
    todo, done, place, workers = enumerate(tasks), {}, 0, []
    try:
        while True:
            while sum(worker.is_busy for worker in workers) < jobs and (item := next(todo, None)):
                _idle(workers, function).begin(*item)
            busy = {worker.connection: worker for worker in workers if worker.is_busy}
            if not busy:
                return
            for connection in wait(busy):
                worker = busy[connection]
                done[worker.place] = worker.end(lost)
            while place in done:
                yield done.pop(place)
                place += 1
    finally:
        for worker in workers:
            worker.stop()


def _idle(workers, function):
    """One of the workers that has nothing to do, or else a new one."""
    for worker in workers:
        if not worker.is_busy:
            return worker
    workers.append(_Worker(function))
    return workers[-1]


class _Worker:
    """A process that does one task at a time; if it ends, another one takes its place."""

    def __init__(self, function):
        self._function, self.is_busy = function, False
        self._start()

    def _start(self):
        processes = multiprocessing.get_context("spawn")  # not forked, for there may be threads
        self.connection, other = processes.Pipe()
        self._process = processes.Process(target=_work, args=(other, self._function), daemon=True)
        self._process.start()
        other.close()

    def begin(self, place, task):
        self.place, self._task, self.is_busy = place, task, True
        with suppress(BrokenPipeError):  # `end` will see why
            self.connection.send(task)

    def end(self, lost):
        """Wait for the result of its task."""
        self.is_busy = False
        try:
            return self.connection.recv()
        except (EOFError, ConnectionError):
            self.stop()
            self._start()
            return lost(self._task)

    def stop(self):
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection, function):
    isolation.end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that waits
    with suppress(EOFError):
        while True:
            connection.send(function(connection.recv()))
