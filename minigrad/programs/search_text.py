"""`minigrad search`: the lines of files that are nearest in meaning to a question.

Two texts are compared by the cosine of the angle between their vectors, 1 at most. The vectors of
the lines are kept in an index, and made again where a file or the model has changed.
"""

import os

import numpy as np

from ..environment import one_blas_thread
from ..registry import is_integer
from . import table_file
from .search_index import Index, is_index, read_index
from .text_base import MINILM, base_folder, fingerprint, load_encoder, vectors_of
from .text_lines import read_lines


@one_blas_thread
def search_text(source, query, file=(), index=None, top=5):
    """Print the lines that are nearest to a query; returns [(cosine, path, number, text)].

    source  the folder of an encoder, or "minilm", and then `file` has the files whose lines are
            searched; or the folder of an index, which knows its model and its files
    index   the folder that the index is written to (default: "runs/index")
    top     how many lines to show
    """
    if not query.strip():
        raise ValueError(f"there must be something to look for. Received: {query!r}")
    if not is_integer(top):
        raise ValueError(f"top is how many lines to show, from 1 up. Received: {top=}")
    base, files, folder, old = _sources(source, list(file), index)
    model_folder = base_folder(base)
    print_of_model = fingerprint(model_folder)
    model = load_encoder(model_folder)
    found = [read_lines(path) for path in files]
    made = _renew(old, base, print_of_model, found, model, folder)

    [asked] = _unit(model.embed([query]))
    cosines = made.vectors @ asked
    texts = [(lines.path, n, text) for lines in found for n, text in zip(*lines[2:])]
    best = np.argsort(-cosines, kind="stable")[:top]
    answers = [(float(cosines[i]), *texts[i]) for i in best]
    for cosine, path, number, text in answers:
        print(f"{cosine:.3f}  {_shown(path)}:{number}  {text}")
    return answers


def _sources(source, files, index):
    """(base, files, folder of the index, the Index there or None) of what the user gave."""
    if is_index(source):
        if files or index is not None:
            raise ValueError(
                f"{source} is an index, which knows its model and files: --file and --index go "
                "with a model, and make an index anew"
            )
        old = read_index(source)
        return old.base, [file["path"] for file in old.files], source, old
    if not files:
        raise ValueError(
            f"--file names what is searched with a model. Received: none, and {source} is no index"
        )
    folder = "runs/index" if index is None else index
    old = read_index(folder) if is_index(folder) else None
    files = [os.path.realpath(path) for path in files]
    base = source if source == MINILM else os.path.realpath(source)
    return base, list(dict.fromkeys(files)), folder, old


def _renew(old, base, model_print, found, model, folder):
    """The Index of these Lines: what the old one has of them, and the rest made and saved."""
    kept = {}
    if old is not None and old.model == model_print:
        kept = old.parts()
    elif old is not None:
        print(f"the index in {folder} was made with another model ({old.base}): it is made anew")
    before = {file["path"]: file["sha256"] for file in old.files} if old is not None else {}
    parts = []
    for lines in found:
        if lines.sha256 not in kept:
            changed = "has changed" if lines.path in before else "is new in the index"
            count = "1 line" if len(lines.texts) == 1 else f"{len(lines.texts):,} lines"
            print(f"{_shown(lines.path)} {changed}: {count} to read")
            kept[lines.sha256] = _unit(vectors_of(model, lines.texts)), np.array(lines.numbers)
        parts.append(kept[lines.sha256])
    vectors, numbers = map(np.concatenate, zip(*parts))
    files = [
        {"path": lines.path, "sha256": lines.sha256, "lines": len(lines.texts)} for lines in found
    ]
    made = Index(base, model_print, files, vectors, numbers)
    if old is None or made[:3] != old[:3]:
        with table_file.writing(folder):
            made.save(folder)
        print(f"index of {len(vectors):,} lines in {folder}")
    return made


def _unit(vectors):
    """The vectors, each divided by its length, so that a product is a cosine.   (n, d) -> (n, d)"""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)


def _shown(path):
    """A path as one would type it here."""
    near = os.path.relpath(path)
    return path if near.startswith("..") else near
