"""A file is there as a whole or not at all, whenever the process ends."""

import contextlib
import os
import re
import secrets
import shutil


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


def remove_leftovers(folder):
    """Remove what was being written in a folder, a Path, when a process was killed."""
    for file in folder.glob(".*.tmp"):
        if re.fullmatch(r"\.[0-9a-f]{16}\.tmp", file.name):
            file.unlink(missing_ok=True)
