"""`minigrad embed`: texts as vectors, of which those of like meaning lie near each other."""

from pathlib import Path

import numpy as np

from ..atomic import replacing
from ..environment import one_blas_thread
from . import table_file
from .text_base import base_folder, load_encoder, vectors_of
from .text_lines import read_lines


@one_blas_thread
def embed_text(base, texts=(), file=None, out="embeddings.npy"):
    """Write the vector of each text to a .npy file, row by row (n, d); returns what to print.

    base   the folder of an encoder, or "minilm"
    texts  the texts; or
    file   a text file, of which each line is one; blank lines are left out
    out    the file, for `numpy.load`: float32
    """
    texts, note = _texts(texts, file)
    target = Path(out)
    if target.suffix != ".npy":
        raise ValueError(f"--out must be a .npy file, which NumPy reads. Received: {out}")
    if target.is_dir() or not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} to write {target.name} in")
    vectors = vectors_of(load_encoder(base_folder(base)), texts)
    with table_file.writing(target), replacing(target) as written:
        np.save(written, vectors, allow_pickle=False)
    n, d = vectors.shape
    count = "1 text" if n == 1 else f"{n:,} texts"
    return f"{count} as vectors of {d} numbers in {out}{note}"


def _texts(texts, file):
    """The texts, and what there is to say about them."""
    if bool(texts) == (file is not None):
        came = "both" if texts else "neither"
        raise ValueError(f"give texts, or --file with one on each line. Received: {came}")
    if file is not None:
        lines = read_lines(file)
        blank = lines.numbers[-1] - len(lines.numbers)
        return lines.texts, f"; blank lines left out: {blank:,}" if blank else ""
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise ValueError(f"a text must not be empty. Received: {text!r} as number {number}")
    return list(texts), ""
