"""A limit of time for a student's function: an endless loop is told, and hangs nothing."""

import signal
import threading
from contextlib import contextmanager

SECONDS = 5


class TooLongError(BaseException):
    """No answer in time. It is no Exception, so that few functions catch it by mistake."""

    def __init__(self, seconds):
        super().__init__(f"no answer after {seconds:g} seconds: does a loop never end?")


@contextmanager
def time_limit(seconds=None):
    """Raise a TooLongError in the body of a `with` that takes longer, by default than SECONDS.

    The system's timer does it, where it has one, in the main thread; else there is no limit. Who
    catches the error and goes on gets it again, every tenth of a second.
    """
    seconds = seconds or SECONDS
    has_timer = hasattr(signal, "setitimer")
    if not has_timer or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise TooLongError(seconds)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
