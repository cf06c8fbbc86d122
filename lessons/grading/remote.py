"""A student's function in a process of its own, as the checks see it here.

The checks call it as they call any function; arguments go through a pipe, and what was seen comes
back. What comes back is data, read with care; it decides nothing but what was seen.
"""

import builtins
import copy
import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict

import numpy as np

from .. import calls, views
from ..limit import TooLongError, time_limit
from ..observation import Elsewhere, Observation, plain
from . import isolation, room, wire
from .folders import Folder

_PATIENCE = 4.5  # seconds in which all processes must have been stopped
_PRINTED = 1000  # bytes that are kept
_START = "import sys; sys.path.append(sys.argv[1])\n"
_START += "from lessons.grading import supervisor; supervisor.main(sys.argv[2])"
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class LostError(TooLongError):
    """The process has ended, or was ended, or sends what is no answer: none will come any more."""

    def __init__(self, why):
        BaseException.__init__(self, why)


class RemoteFunction(Elsewhere):
    """The function that an exercise asks for, in bytes of a file, running elsewhere. A context.

    source   the text that runs; None if there is none, and then `unreadable` or `lost` says why
    held     names of the protections in force
    printed  the beginning of what it printed
    """

    def __init__(self, exercise, data, is_notebook=False, limits=None, layers=isolation.LAYERS):
        self.exercise = exercise
        self.limits = limits or room.Limits()
        self.source = self.lost = self.unreadable = None
        self.held, self.printed = [], b""
        self._size_printed, self._output_ended, self._said = 0, False, b""
        self._data, self._is_notebook, self._layers = data, is_notebook, layers

    # ---- Beginning and end -----------------------------------------------------------------------

    def __enter__(self):
        self._folder = Folder("room")
        try:
            self._start()
            self._greet()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        folder = self._folder.path
        told = room.furnish(folder, self.exercise, self._data, self._is_notebook)
        told |= asdict(self.limits) | {"layers": self._layers}
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._output, output = os.pipe()
        told |= {"requests": requests, "answers": answers}
        path = folder / "room.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", _START, told["packages"], path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            pass_fds=(requests, answers),
            cwd=folder,
            env=dict.fromkeys(_THREADS, "1"),
            start_new_session=True,
        )
        self._end = time.monotonic() + self.limits.clock
        for file in (requests, answers, output):
            os.close(file)
        for file in (self._requests, self._answers, self._output):
            os.set_blocking(file, False)

    def _greet(self):
        try:
            greeting = self._receive()
        except wire.MalformedError:
            self._lose("its process says nothing that can be understood")
            return
        except LostError:
            return
        self.held = greeting["held"]
        self.source, self.unreadable = greeting.get("source"), greeting.get("unreadable")

    def __exit__(self, *error):
        if hasattr(self, "_process"):
            self._stop()
        for file in ("_requests", "_answers", "_output"):
            if hasattr(self, file):
                os.close(getattr(self, file))
        self._folder.remove()

    def _stop(self):
        """End the process, and wait until all that came from it is gone.   -> how it ended"""
        process = self._process
        if not process.stdout.closed:
            try:
                self._said, _ = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                self._said, _ = process.communicate()
        try:
            return json.loads(self._said)
        except ValueError:
            return {"ended": "lost"}

    # ---- Calls -----------------------------------------------------------------------------------

    def observe(self, arguments, view):
        """What was seen of a call; see `observation.observe`."""
        if self.lost is None:
            request = {"through_view": view.call is not calls.call, "arguments": arguments}
            message = wire.message(request)
            try:
                self._send(message)
                return _seen(self._receive(), arguments, view)
            except wire.MalformedError as error:
                self._lose(f"what it sent is no result: {error}")
            except LostError as error:
                self.lost = error
            except BaseException:
                self._lose("a call was broken off")
                raise
        return Observation(error=self.lost)

    def __call__(self, *arguments):
        return self.look(arguments, views.CALL)

    # ---- Messages --------------------------------------------------------------------------------

    def _send(self, message):
        left = memoryview(message)
        while left:
            self._wait([], [self._requests])
            try:
                left = left[os.write(self._requests, left) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._lose_and_say_why() from None

    def _receive(self):
        return wire.content(self._read(wire.length(self._read(wire.HEAD))))

    def _read(self, size):
        parts = []
        while size:
            self._wait([self._answers], [])
            part = os.read(self._answers, min(size, 2**16))
            if not part:
                raise self._lose_and_say_why()
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, to_read, to_write):
        """Wait until one of these is ready, and read what is printed meanwhile."""
        while True:
            left = self._end - time.monotonic()
            if left <= 0:
                raise self._lose(f"no answer after {self.limits.clock:g} seconds by the clock")
            output = [] if self._output_ended else [self._output]
            readable, writable, _ = select.select(to_read + output, to_write, [], left)
            if self._output in readable:
                self._read_output()
            if writable or set(readable) - {self._output}:
                return

    def _read_output(self):
        try:
            part = os.read(self._output, 2**16)
        except BlockingIOError:
            return
        self._output_ended = not part
        self._size_printed += len(part)
        self.printed += part[: _PRINTED - len(self.printed)]
        if self._size_printed > self.limits.output:
            raise self._lose(f"it printed more than {self.limits.output} bytes")

    # ---- Loss ------------------------------------------------------------------------------------

    def _lose(self, why):
        """No more calls from now on.   -> the error that says why"""
        self.lost = LostError(why)
        return self.lost

    def _lose_and_say_why(self):
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self._read_output()
        return self._lose(_ended(self._stop(), self.limits))


def _ended(how, limits):
    """A sentence about how a process ended."""
    code = how.get("code")
    if how["ended"] == "memory":
        return f"it took more than {limits.memory >> 20} MiB of memory"
    if how["ended"] == "seconds":
        return f"it took more than {limits.seconds:g} seconds: does a loop never end?"
    if how["ended"] == "processes":
        return f"it started more than {limits.processes} processes"
    if code is None:
        return "its process sends no more answers"
    number = -code if code < 0 else code - isolation.SIGNAL
    if number > 0:
        return f"its process was ended by the system (signal {number})"
    return f"its process ended itself (exit code {code})"


def _seen(answer, arguments, view):
    """The Observation that a view makes of an answer to a call with these arguments."""
    if not isinstance(answer, dict):
        raise wire.MalformedError("no answer")
    changed, error = answer.get("changed"), answer.get("error")
    if isinstance(error, list) and list(map(type, error)) == [str, str]:
        return Observation(error=_error(*error))
    if "result" not in answer or not isinstance(changed, list):
        raise wire.MalformedError("no result")
    if not all(type(i) is int and 0 <= i < len(arguments) for i in changed):
        raise wire.MalformedError("no places of arguments")
    try:
        with time_limit():
            result = plain(view.read(plain(answer["result"]), *copy.deepcopy(arguments)))
    except (Exception, TooLongError) as error:
        return Observation(error=error)
    return Observation(result, changed=tuple(changed))


def _error(name, text):
    """An exception of this name: a known one, or one of the same name."""
    if name == TooLongError.__name__:
        return LostError(text)
    for module in (builtins, np.exceptions, np.linalg):
        kind = getattr(module, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            with suppress(TypeError):
                return kind(text)
    return type(name if name.isidentifier() else "Error", (Exception,), {})(text)
