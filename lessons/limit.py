"""A limit of time for a student's function: an endless loop is told, and hangs nothing."""

import signal
import threading
from contextlib import contextmanager

SECONDS = 5
PATIENCE = 3  # times as long by the clock, for a function that waits, or is kept waiting


class TooLongError(BaseException):
    """No answer in time. It is no Exception, so that few functions catch it by mistake."""

    def __init__(self, seconds):
        super().__init__(f"no answer after {seconds:g} seconds: does a loop never end?")


@contextmanager
def time_limit(seconds=None):
    """Raise a TooLongError in the body of a `with` that takes longer, by default than SECONDS.

    These are seconds of the processor's time, so that it does not matter what else it has to do.
    The system's timers tell, where it has them, in the main thread; else there is no limit. Who
    catches the error and goes on gets it again, every tenth of a second.
    """
    seconds = seconds or SECONDS
    has_timer = hasattr(signal, "setitimer")
    if not has_timer or threading.current_thread() is not threading.main_thread():
        yield
        return
    by_the_clock = PATIENCE * seconds
    with (
        _alarm(signal.ITIMER_PROF, signal.SIGPROF, seconds),
        _alarm(signal.ITIMER_REAL, signal.SIGALRM, by_the_clock),
    ):
        yield


@contextmanager
def _alarm(timer, number, seconds):
    """Raise a TooLongError in the body of a `with` when a timer says that it takes too long."""

    def stop(number, frame):
        raise TooLongError(seconds)

    before = signal.signal(number, stop)
    signal.setitimer(timer, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)
