"""Starts the process of a submission, watches it, and leaves none of its processes behind.

All processes that come from it, however they detach themselves, become children of this one when
their parents end; so all are found, measured, and stopped. It ends when its standard input does,
or when the submission's process has ended, or when the limits are passed; then it says why.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
import traceback

from . import isolation

_PR_SET_CHILD_SUBREAPER = 36
_EVERY = 0.05  # seconds between two looks
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main(path):
    """Supervise the process of a room, which a file describes."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with open(path, encoding="utf-8") as file:
        room = json.load(file)
    child = os.fork()
    if not child:
        _begin(room)
    os.close(room["requests"])
    os.close(room["answers"])
    ended = _watch(room, child)
    _stop_all()
    print(json.dumps(ended), flush=True)


def _begin(room):
    """In the new process: give up all rights, and work."""
    code = 1
    try:
        isolation.end_with_parent()
        process = os.getpid()
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        _close_all_but(room["requests"], room["answers"])
        from . import worker

        worker.ready(room)
        held = isolation.isolate(room, process)
        worker.work(room, held, room["requests"], room["answers"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _close_all_but(*files):
    """Close all files but these and the first three."""
    kept = [2, *sorted(files), os.sysconf("SC_OPEN_MAX")]
    for before, after in zip(kept, kept[1:]):
        os.closerange(before + 1, after)


def _watch(room, child):
    """{"ended": "exit", "stopped", "seconds", "memory" or "processes", "code": ...}"""
    while True:
        is_over = select.select([0], [], [], _EVERY)[0]
        for ended, status, used in _reaped():
            if ended == child and used.ru_utime + used.ru_stime >= room["seconds"]:
                return {"ended": "seconds"}
            if ended == child:
                return {"ended": "exit", "code": os.waitstatus_to_exitcode(status)}
        if is_over:
            return {"ended": "stopped"}
        descendants = _descendants()
        if sum(map(_memory, descendants)) > room["memory"]:
            return {"ended": "memory"}
        if len(descendants) > room["processes"] + 2:
            return {"ended": "processes"}


def _reaped():
    """The children that have ended, their status, and what they have used."""
    try:
        while (found := os.wait3(os.WNOHANG))[0]:
            yield found
    except ChildProcessError:
        return


def _descendants():
    """The numbers of all processes that come from this one."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(name))
    found, parents = [], [os.getpid()]
    while parents:
        born = children.get(parents.pop(), [])
        found += born
        parents += born
    return found


def _memory(process):
    """The bytes of memory that a process fills."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _stop_all():
    """Stop all processes that come from this one, and those that they start meanwhile."""
    end = time.monotonic() + 4
    while (processes := _descendants()) and time.monotonic() < end:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in processes:
                try:
                    os.kill(process, number)
                except OSError:
                    continue
        for _ in _reaped():
            pass
        time.sleep(0.002)


if __name__ == "__main__":
    main(sys.argv[1])
