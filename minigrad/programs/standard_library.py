"""Snippets of Python's standard library, from which the names that give them away are taken."""

from typing import NamedTuple

import numpy as np

from .. import data
from ..data.words import FILL

PARTS = {  # which packages each part of the library is made of
    "asyncio": ("asyncio",),
    "email": ("email",),
    "idlelib": ("idlelib",),
    "importlib": ("importlib",),
    "multiprocessing": ("multiprocessing",),
    "tkinter": ("tkinter",),
    "unittest": ("unittest",),
    "web": ("html", "http", "urllib", "wsgiref", "xmlrpc"),
    "xml": ("xml",),
}
FEWEST_FILES = 8  # of a part, to learn from and to test on
FEWEST_PARTS = 4
LENGTH = 40  # words of a snippet, about five lines
MOST = 120  # snippets of one file: else the longest files would be most of a part


class Code(NamedTuple):
    """Files of the library as words.

    texts     a list of words for each file
    labels    (files,) which of the names
    names     a list of the parts
    missing   a list of the parts that this installation lacks
    unspoken  the names in small letters that were taken out
    """

    texts: list
    labels: np.ndarray
    names: list
    missing: list
    unspoken: set


def read_code(folder=None):
    """The Code of the PARTS that are in the library, which may be in another folder.

    ValueError if FEWEST_PARTS have not got FEWEST_FILES each: some systems keep idlelib and tkinter
    apart, but hardly the others.
    """
    files = data.python_files(folder)
    paths = {
        part: [path for path in files if path.split("/")[0] in packages]
        for part, packages in PARTS.items()
    }
    unspoken = names_in(path for found in paths.values() for path in found)
    texts = {path: spoken(files[path], unspoken) for found in paths.values() for path in found}
    kept = {
        part: [texts[path] for path in found if len(texts[path]) >= LENGTH]
        for part, found in paths.items()
    }
    names = [part for part, found in kept.items() if len(found) >= FEWEST_FILES]
    if len(names) < FEWEST_PARTS:
        raise ValueError(
            f"the standard library must have {FEWEST_PARTS} of the parts {', '.join(PARTS)} with "
            f"{FEWEST_FILES} files each. Received: {', '.join(names) or 'none'}"
        )
    labels = np.repeat(np.arange(len(names)), [len(kept[name]) for name in names])
    missing = [part for part in PARTS if part not in names]
    return Code([text for name in names for text in kept[name]], labels, names, missing, unspoken)


# ---- What would tell the answer ------------------------------------------------------------------


def names_in(paths):
    """All names of packages and modules in the paths, and of the PARTS, in small letters.

    "email/_header_value_parser.py" has email and header_value_parser.
    """
    found = set(PARTS) | _packages()
    for path in paths:
        found.update(name.strip("_").lower() for name in path.removesuffix(".py").split("/"))
    return {name for name in found if len(name) > 1}


def spoken(text, unspoken):
    """The words of some code without unspoken names, and without any that hold a package's name.

    So "IsolatedAsyncioTestCase" is isolated and test: asyncio is a package, and case a module.
    """
    packages = _packages()
    words = data.code_words(text, unspoken)
    telling = {word for word in set(words) if any(package in word for package in packages)}
    return [word for word in words if word not in telling]


def _packages():
    return {package for packages in PARTS.values() for package in packages}


# ---- Snippets: (numbers (n, LENGTH), labels (n,)) ------------------------------------------------


def snippets(texts, labels):
    """The texts, cut into stretches of LENGTH one after another; MOST of a long text, evenly.

    texts  arrays of a Vocabulary's numbers
    """
    return _cut(texts, labels, [starts(text) for text in texts])


def starts(text):
    """Where the stretches of a text begin."""
    every = np.arange(0, max(1, len(text) - LENGTH // 2), LENGTH)
    return every[np.linspace(0, len(every) - 1, min(MOST, len(every))).round().astype(int)]


def random_snippets(texts, labels, generator):
    """As many snippets of each text, which begin anywhere."""
    anywhere = [
        generator.integers(0, max(1, len(text) - LENGTH + 1), len(starts(text))) for text in texts
    ]
    return _cut(texts, labels, anywhere)


def _cut(texts, labels, begins):
    stretches = [text[i : i + LENGTH] for text, some in zip(texts, begins) for i in some]
    x = np.full((len(stretches), LENGTH), FILL)
    for row, stretch in zip(x, stretches):
        row[: len(stretch)] = stretch
    return x, np.repeat(labels, [len(some) for some in begins])
