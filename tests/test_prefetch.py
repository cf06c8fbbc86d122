"""Prefetch: the same batches, made in the background, by a thread that never outstays."""

import gc
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np
import pytest

import minigrad.random
from minigrad.data import Batches, ImageAugmentation, Prefetch


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    gc.collect()
    wait_for(lambda: set(threading.enumerate()) <= before)


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.001)


class Counting:
    """The batches start, start + 1, ..., n - 1; it notes what was made, where, and how it ended."""

    def __init__(self, n, fail_at=None):
        self.n = n
        self.fail_at = fail_at
        self.made = []
        self.begun_in = self.made_in = None
        self.closed = False

    def __len__(self):
        return self.n

    def iterate(self, start=0):
        self.begun_in = threading.current_thread()
        return self._batches(start)

    def _batches(self, start):
        self.made_in = threading.current_thread()
        try:
            for i in range(start, self.n):
                if i == self.fail_at:
                    raise LookupError(f"batch {i} is lost")
                self.made.append(i)
                yield i
        finally:
            self.closed = True


# --- The same batches -----------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [1, 2, 5, 100])
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_the_batches_are_the_same_in_the_same_order(n, ahead):
    batches = Prefetch(Counting(n), ahead)
    assert list(batches) == list(range(n)) and len(batches) == n
    assert list(batches) == list(range(n))  # and once more


@pytest.mark.parametrize("batches", [[1, 2, 3], range(3), ("a",), {"x": 0}])
def test_anything_that_can_be_iterated_over_will_do(batches):
    assert list(Prefetch(batches)) == list(batches)


@pytest.mark.parametrize("start", [0, 2, 5])
def test_iteration_can_start_at_any_batch(start):
    assert list(Prefetch(Counting(5)).iterate(start)) == list(range(start, 5))


def test_real_batches_have_the_same_bits():
    x, y = np.random.default_rng(0).normal(size=(50, 6, 6)).astype(np.float32), np.arange(50)
    augment = ImageAugmentation(shift=1, rotate=10, noise=0.1)
    batches = Batches(x, y, batch_size=8, shuffle=True, augment=augment)

    def epochs(batches):
        minigrad.random.seed(3)
        return [[a.tobytes() for a in batch] for _ in range(2) for batch in batches]

    assert epochs(Prefetch(batches)) == epochs(batches)


def test_what_is_random_is_drawn_at_once_and_in_the_callers_thread():
    """So the numbers that training draws meanwhile cannot depend on how far the thread has come."""
    source = Counting(3)
    iterator = Prefetch(source).iterate()
    assert source.begun_in is threading.current_thread() and source.made == []
    list(iterator)
    assert source.made_in is not threading.current_thread()


def test_settings_of_numpy_hold_in_the_background():
    divided = (np.float64(1) / zero for zero in np.zeros(3))
    with np.errstate(divide="ignore"):
        assert list(Prefetch(divided)) == [np.inf] * 3


# --- Ahead, but not farther -----------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [1, 3])
def test_so_many_batches_wait_and_no_more(ahead):
    source = Counting(20)
    iterator = iter(Prefetch(source, ahead))
    for taken in range(1, 6):
        next(iterator)
        wait_for(lambda: len(source.made) == taken + ahead)  # noqa: B023
        time.sleep(0.01)
        assert len(source.made) == taken + ahead


def test_making_and_taking_go_on_at_the_same_time():
    """Each batch waits until the one before it is being used: one after the other never ends."""
    used = [threading.Event() for _ in range(5)]

    def batches():
        for i in range(5):
            assert i == 0 or used[i - 1].wait(5)
            yield i

    for i in Prefetch(batches(), ahead=1):
        used[i].set()


def test_two_iterations_do_not_mix():
    batches = Prefetch(Counting(6))
    assert list(zip(batches, batches)) == [(i, i) for i in range(6)]


# --- Errors ---------------------------------------------------------------------------------------


def test_an_exception_comes_after_the_batches_before_it_and_says_where_it_was_raised():
    taken = []
    with pytest.raises(LookupError, match="batch 2 is lost") as raised:
        for batch in Prefetch(Counting(9, fail_at=2), ahead=5):
            taken.append(batch)
    assert taken == [0, 1]
    functions = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert functions[-1] == "_batches"


def test_an_exception_at_the_very_start_is_raised_too():
    with pytest.raises(LookupError, match="batch 0 is lost"):
        next(iter(Prefetch(Counting(9, fail_at=0))))


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError, StopAsyncIteration])
def test_every_kind_of_exception_arrives(kind):
    def batches():
        yield 0
        raise kind("stop")

    iterator = iter(Prefetch(batches()))
    assert next(iterator) == 0
    with pytest.raises(kind, match="stop"):
        next(iterator)
    with pytest.raises(StopIteration):
        next(iterator)


def test_an_iterator_that_fails_to_begin_fails_in_the_caller():
    with pytest.raises(TypeError, match="not iterable"):
        Prefetch(3).iterate()


@pytest.mark.parametrize("ahead", [0, -1, 1.5, "2", None, True])
def test_a_bad_number_of_batches_ahead_is_refused(ahead):
    with pytest.raises(ValueError, match=f"ahead must be an integer from 1 up. Received: {ahead=}"):
        Prefetch([], ahead)


def test_a_start_that_is_not_possible_is_refused():
    with pytest.raises(ValueError, match=r"list has no iterate\(start\).* Received: start=2"):
        Prefetch([1, 2, 3]).iterate(2)


def test_batches_without_a_length_have_none():
    with pytest.raises(TypeError):
        len(Prefetch(iter([])))


# --- The thread ends ------------------------------------------------------------------------------


def leave_by_break(source):
    for _ in Prefetch(source):
        break


def leave_by_exception(source):
    with pytest.raises(ZeroDivisionError):
        for batch in Prefetch(source):
            batch / 0


def leave_by_close(source):
    iterator = Prefetch(source).iterate()
    next(iterator)
    iterator.close()


def leave_in_a_circle(source):
    """Only the garbage collector finds an iterator that refers to itself."""
    circle = [Prefetch(source).iterate()]
    circle.append(circle)
    next(circle[0])


@pytest.mark.parametrize(
    "leave", [leave_by_break, leave_by_exception, leave_by_close, leave_in_a_circle]
)
def test_the_thread_ends_when_iteration_is_abandoned(leave):
    source = Counting(10**9)
    leave(source)
    gc.collect()
    wait_for(lambda: source.closed and not source.made_in.is_alive())
    assert len(source.made) <= 4


def test_an_iterator_that_is_never_used_starts_no_thread():
    before = threading.active_count()
    iterator = Prefetch(Counting(5)).iterate()
    assert threading.active_count() == before
    del iterator


@pytest.mark.parametrize("batch", ["0", "__import__('time').sleep(60)"])
def test_python_ends_while_the_thread_waits_or_works(batch):
    """Either for a place, or within a batch; the exit leaves no message."""
    code = (
        "from minigrad.data import Prefetch\n"
        f"iterator = iter(Prefetch(({batch} if i else 0 for i in range(10**9))))\n"
        "next(iterator)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (result.returncode, result.stderr) == (0, "")
