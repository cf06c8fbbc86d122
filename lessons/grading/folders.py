"""Folders for a while. Each goes with the process that made it, however that ends.

A process holds a lock on each of its folders, and the system takes the lock away when the process
ends, even if it is killed. What is not locked belongs to nobody, and the next grader removes it.
"""

import fcntl
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "minigrad-grader-"


class Folder:
    """An empty folder for some purpose; a context, at whose end it is removed."""

    def __init__(self, purpose):
        self.path = self._lock = None
        while self.path is None:
            path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-{os.getpid()}-"))
            with suppress(FileNotFoundError):  # removed by another, before it had a lock
                self._lock = _open(path)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
                self.path = path if path.exists() else None

    def __enter__(self):
        return self.path

    def __exit__(self, *error):
        self.remove()

    def remove(self):
        if self.path is not None:
            _remove(self.path)
            os.close(self._lock)
            self.path = None


def remove_abandoned():
    """Remove the folders of this user whose processes have ended without doing so."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = _open(path)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock).st_uid == os.geteuid():
                    _remove(path)
            finally:
                os.close(lock)


def _open(path):
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _remove(path):
    """Remove a folder, however deep it is, and whatever may not be done with what is in it."""
    command = ["rm", "-rf", path]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        subprocess.run(["chmod", "-R", "u+rwx", path], stderr=subprocess.DEVNULL)
        subprocess.run(command, stderr=subprocess.DEVNULL)
