"""Files of a data folder: found by name, read gzipped or not, and replaced in one step."""

import contextlib
import gzip
import os
import zlib
from pathlib import Path


def find(names, path=None, wanted=None):
    """The file of each name, a list of Paths in the order of `names`.

    names   file names, or one: each with or without `.gz`. A tuple has several spellings of one.
    path    the folder to search, with all folders below it; by default `data_folder()`
    wanted  a function that is given the names of the folders a file lies in, from the searched one
            down, and says whether the file counts; by default every file does

    Of several files that match one name, the one in the fewest folders is taken, then the first in
    the alphabet. A FileNotFoundError names every missing file, the folder, and the cure.
    """
    folder = data_folder(path)
    below = [Path(parent, name) for parent, _, names_here in os.walk(folder) for name in names_here]
    below.sort(key=lambda file: (len(file.parts), file.as_posix()))

    def counts(file):
        inner = file.relative_to(folder).parts[:-1]
        return wanted is None or wanted((folder.resolve().name, *inner))

    found, missing, others = [], [], set()
    for name in [names] if isinstance(names, str) else names:
        spellings = (name,) if isinstance(name, str) else name
        accepted = {*spellings, *(f"{spelling}.gz" for spelling in spellings)}
        matching = [file for file in below if file.name in accepted and file.is_file()]
        file = next(filter(counts, matching), None)
        found.append(file)
        if file is None:
            missing.append(spellings[0])
            others.update(str(file.parent) for file in matching)
    if missing:
        other = f". By their names, {', '.join(sorted(others))} belong to other data" * bool(others)
        raise FileNotFoundError(
            f"{', '.join(missing)} (or the same with .gz) not found in {folder} or below{other}. "
            "Put them there, or set MINIGRAD_DATA or give path= to the folder that has them"
        )
    return found


def data_folder(path=None):
    """`download_folder(path)`, to be searched. FileNotFoundError if there is none."""
    folder = download_folder(path)
    if folder.is_dir():
        return folder
    source = "path" if path else "MINIGRAD_DATA" if os.environ.get("MINIGRAD_DATA") else None
    if source is None:
        raise FileNotFoundError(
            "no data folder: set the environment variable MINIGRAD_DATA to one, or give path="
        )
    raise FileNotFoundError(f"{source} must be an existing folder. Received: {folder}")


def download_folder(path=None):
    """Where data sets belong, whether the folder is there or not.

    `path`, or else that of the environment variable MINIGRAD_DATA, or else minigrad/data in the
    user's folder for what can be had again: XDG_CACHE_HOME, on Windows LOCALAPPDATA, ~/.cache.
    """
    given = path or os.environ.get("MINIGRAD_DATA")
    if given:
        return Path(given).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):  # which the standard says to ignore
        cache = os.environ.get("LOCALAPPDATA") if os.name == "nt" else None
    return Path(cache or "~/.cache").expanduser() / "minigrad" / "data"


@contextlib.contextmanager
def unzipped(file, kind):
    """A stream of the bytes in `file`, gzipped or not, whatever its name says.

    What is found wrong with them, be it a damaged zip or a ValueError raised while they are read,
    becomes a ValueError that names the file and its `kind`.
    """
    with open(file, "rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        try:
            yield gzip.GzipFile(fileobj=stream) if zipped else stream
        except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            gzipped = "gzipped " if zipped else ""
            raise ValueError(f"{file} is not an intact {gzipped}{kind}: {error}") from error
