"""Sentences of Python's documentation, and what they are about: a task that every machine has.

What a function or a class is for stands in the first sentence of its docstring, in English, and the
module that it is in says which topic that belongs to.
"""

import ast
import re
import warnings
from collections import Counter

import numpy as np

from .python_files import python_files

TOPICS = {  # the modules and packages of each, with some that not all versions of Python have
    "files": """_pyio bz2 filecmp fileinput fnmatch genericpath glob gzip lzma ntpath os pathlib
        posixpath shutil stat tarfile tempfile zipapp zipfile""",
    "language": """ast code codeop compileall dis importlib inspect keyword modulefinder pkgutil
        py_compile pyclbr runpy symtable token tokenize types typing zipimport""",
    "mail": "email imaplib mailbox mailcap mimetypes poplib smtpd smtplib",
    "network": """ftplib http ipaddress nntplib socket socketserver ssl telnetlib urllib webbrowser
        wsgiref xmlrpc""",
    "numbers": """_pydatetime _pydecimal _strptime bisect calendar colorsys datetime fractions heapq
        numbers random secrets statistics zoneinfo""",
    "processes": "asyncio concurrent multiprocessing queue sched selectors subprocess threading",
    "testing": """bdb cProfile doctest logging pdb profile pstats timeit trace traceback
        tracemalloc unittest warnings""",
    "text": """base64 codecs configparser csv difflib gettext html json locale pprint quopri re
        shlex string textwrap tomllib xml""",
    "windows": "curses tkinter turtle",
}
PARTS = {"train": 0.5, "validation": 0.15, "test": 0.35}  # and the share that each gets
FEWEST, LONGEST = 4, 24  # words of a sentence
MOST = 40  # sentences of one file: else the longest files would be most of a topic

_DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef


def docstring_topics(folder=None, seed=0):
    """Sentences with their topics, in three parts: {"train": rows, "validation": ..., "test": ...}.

    folder  of the library's source; by default that of the Python that runs
    seed    which files go to which part: equal seeds give equal rows of equal files

    A row is {"text": "Return the mean of data.", "label": "numbers", "file": "statistics.py"}. Rows
    of one file are all in one part, since its sentences resemble each other; no sentence is there
    twice, nor one that has two topics. A topic without files for each part is left out, as
    "windows" is where a system keeps its tkinter elsewhere. ValueError if fewer than two are left.

    Python 3.11 has about 3,800 rows. Python and its docstrings are under the PSF License; they are
    read where they are, and not handed on.
    """
    generator = np.random.default_rng(seed)
    rows = {part: [] for part in PARTS}
    for topic, files in _known_topics(python_files(folder)).items():
        dealt = _deal(topic, files, generator)
        if all(dealt.values()):
            for part, found in dealt.items():
                rows[part] += found
    topics = {row["label"] for row in rows["train"]}
    if len(topics) < 2:
        raise ValueError(
            f"the library must have docstrings of two topics or more, of {', '.join(TOPICS)}. "
            f"Received: {', '.join(topics) or 'none'}"
        )
    return {
        part: [found[i] for i in generator.permutation(len(found))] for part, found in rows.items()
    }


def _deal(topic, files, generator):
    """{part: rows} of a topic: each file, in random order, goes where most is lacking."""
    dealt = {part: [] for part in PARTS}
    for path in generator.permutation(sorted(files)).tolist():
        part = min(PARTS, key=lambda name: len(dealt[name]) / PARTS[name])
        dealt[part] += [{"text": text, "label": topic, "file": path} for text in files[path]]
    return dealt


def _known_topics(files):
    """{topic: {path: sentences}}, without those that two topics have, and each once."""
    found = {
        topic: {path: sentences(text) for path, text in files.items() if _module(path) in modules}
        for topic, modules in ((topic, set(names.split())) for topic, names in TOPICS.items())
    }
    topics_with = Counter(
        text for of_files in found.values() for text in {_alike(t) for t in _all(of_files)}
    )
    kept = {topic: {} for topic in found}
    for topic, of_files in found.items():
        seen = {text for text, count in topics_with.items() if count > 1}
        for path, texts in of_files.items():
            new = list({_alike(text): text for text in texts if _alike(text) not in seen}.values())
            seen.update(map(_alike, new))
            if new:
                places = np.linspace(0, len(new) - 1, min(MOST, len(new))).round().astype(int)
                kept[topic][path] = [new[i] for i in places]
    return kept


def sentences(source):
    r"""The first sentences, if not too short or too long, of all docstrings of some Python code.

    >>> sentences("def mean(data):\n    'Return the mean of data.  It is a float.'")
    ['Return the mean of data.']
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings, which are not ours
            tree = ast.parse(source)
    except SyntaxError:  # of another version of Python
        return []
    nodes = (node for node in ast.walk(tree) if isinstance(node, _DOCUMENTED))
    firsts = (_first_sentence(ast.get_docstring(node) or "") for node in nodes)
    return [first for first in firsts if FEWEST <= len(first.split()) <= LONGEST]


def _first_sentence(docstring):
    paragraph = re.split(r"\n\s*\n|>>>", docstring.strip(), maxsplit=1)[0]
    return re.split(r"(?<=[.!?:])\s", " ".join(paragraph.split()), maxsplit=1)[0]


def _module(path):
    """ "email" of "email/message.py", "bisect" of "bisect.py" """
    return path.split("/")[0].removesuffix(".py")


def _alike(text):
    """What two sentences have in common that count as one."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _all(of_files):
    return [text for texts in of_files.values() for text in texts]
