"""Files that are broken or mean harm, and what becomes of them.

    python -m tests.hostile_files FOLDER

makes each case in a folder of its own, has it read as a model is, and prints a line of JSON for
each: the error, the seconds, the growth of memory so far, and what was opened outside the folder.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np

import kernels
from tests import model_folder_cases, weight_file_cases

LONGEST = 20  # seconds after which a case is given up


def cases():
    """{name: (what makes it in a folder, the part of the path below, what reads it)}"""
    return weight_file_cases.cases() | model_folder_cases.cases()


def forget_peak():
    """Where the system can do so, count the peak of memory anew from here."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # what is free is given back, or it would hide a growth
        Path("/proc/self/clear_refs").write_text("5")


def peak():
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )


def give_up(*_):
    raise TimeoutError(f"no end within {LONGEST} seconds")


def warm_up(place):
    """Read what is good: modules are imported then, and kernels compiled."""
    for number, (make, read) in enumerate(model_folder_cases.GOOD.values()):
        folder = Path(place) / "good" / str(number)
        folder.mkdir(parents=True)
        make(folder)
        read(folder)
    wide = np.ones((2, 1024), np.float32)  # what is large has a kernel that nothing good needed
    kernels.dense(wide, np.ones((1024, 2048), np.float32), np.ones(2048, np.float32))


def main(place):
    warm_up(place)
    signal.signal(signal.SIGALRM, give_up)
    opened, watched = [], False

    def hook(event, arguments):
        if watched and event == "open":
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    for number, (name, (make, below, read)) in enumerate(cases().items()):
        folder = Path(place) / str(number) / below
        folder.mkdir(parents=True)
        make(folder)
        opened.clear()
        forget_peak()
        before, start, watched = peak(), time.process_time(), True
        signal.alarm(LONGEST)
        try:
            read(folder)
            error = None
        except Exception as raised:
            error = [type(raised).__name__, str(raised)]
        signal.alarm(0)
        watched = False
        result = {
            "name": name,
            "error": error,
            "seconds": time.process_time() - start,
            "growth": peak() - before,
            "outside": [path for path in opened if not allowed(path, folder)],
        }
        print(json.dumps(result), flush=True)
        shutil.rmtree(Path(place) / str(number))


def allowed(path, folder):
    """Whether a file may be opened: it lies in the folder, or in the blobs of its cache."""
    real, folder = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    return real.is_relative_to(folder) or real.parent == folder.parents[1] / "blobs"


if __name__ == "__main__":
    main(sys.argv[1])
