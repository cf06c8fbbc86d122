"""Files of a data folder, found by name wherever they lie below it."""

import os
from pathlib import Path


def find(names, path=None):
    """The file of each name, a list of Paths in the order of `names`.

    names  file names, or one: each with or without `.gz`. A tuple has several spellings of one.
    path   the folder to search, with all folders below it; by default that of the environment
           variable MINIGRAD_DATA

    Of several files that match one name, the one in the fewest folders is taken, then the first in
    the alphabet. A FileNotFoundError names every missing file, the folder, and the cure.
    """
    folder = data_folder(path)
    below = [Path(parent, name) for parent, _, names_here in os.walk(folder) for name in names_here]
    below.sort(key=lambda file: (len(file.parts), file.as_posix()))

    found, missing = [], []
    for name in [names] if isinstance(names, str) else names:
        spellings = (name,) if isinstance(name, str) else name
        accepted = {*spellings, *(f"{spelling}.gz" for spelling in spellings)}
        file = next((file for file in below if file.name in accepted and file.is_file()), None)
        found.append(file)
        if file is None:
            missing.append(spellings[0])
    if missing:
        raise FileNotFoundError(
            f"{', '.join(missing)} (or the same with .gz) not found in {folder} or below. Put "
            "them there, or set MINIGRAD_DATA or give path= to the folder that has them"
        )
    return found


def data_folder(path=None):
    """The folder `path`, or by default MINIGRAD_DATA. FileNotFoundError if there is none."""
    folder = path or os.environ.get("MINIGRAD_DATA")
    if not folder:
        raise FileNotFoundError(
            "no data folder: set the environment variable MINIGRAD_DATA to one, or give path="
        )
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        source = "path" if path else "MINIGRAD_DATA"
        raise FileNotFoundError(f"{source} must be an existing folder. Received: {folder}")
    return folder
