"""A file is there as a whole or not at all, whenever the process ends; a folder has one writer."""

import contextlib
import os
import re
import secrets
import shutil

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextlib.contextmanager
def replacing(target):
    """A new file, to be written and read, that takes the place of `target` once it is complete.

    Until then it lies beside `target`, a Path, under another name; after an error, or Ctrl-C, it is
    gone. An existing file hands on its permissions.
    """
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the bytes must be on the disk before they get the name
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:  # also KeyboardInterrupt
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def alone_in(folder):
    """Keep all others who ask for this out of a folder, a Path. ValueError if one keeps us out.

    However a process ends, what it kept is free again. Systems that know no such locks, Windows
    among them, keep nobody out.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"another run is at work in {folder}: wait for its end, or choose another "
                    "folder"
                ) from None
        yield
    finally:
        os.close(handle)


def remove_leftovers(folder):
    """Remove what was being written in a folder, a Path, when a process was killed."""
    for file in folder.glob(".*.tmp"):
        if re.fullmatch(r"\.[0-9a-f]{16}\.tmp", file.name):
            file.unlink(missing_ok=True)
