"""An index of lines of text: the vector of each, and what they were made from.

It knows the SHA-256 of the model and of each file, so that it is never used for others.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import checkpoint

FILE = "index.safetensors"


class Index(NamedTuple):
    """Vectors of the lines of files, one file after the other.

    base     the model, as the user named it
    model    its fingerprint
    files    [{"path", "sha256", "lines"}], with how many lines there are of each
    vectors  (n, d), of length 1
    numbers  (n,) of the lines in their file
    """

    base: str
    model: str
    files: list
    vectors: np.ndarray
    numbers: np.ndarray

    def parts(self):
        """{SHA-256 of a file: (its vectors, the numbers of its lines)}"""
        ends = np.cumsum([file["lines"] for file in self.files])[:-1]
        both = zip(np.split(self.vectors, ends), np.split(self.numbers, ends))
        return dict(zip((file["sha256"] for file in self.files), both))

    def save(self, folder):
        """Write it into a folder, as a whole."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        arrays = {"vectors": self.vectors, "numbers": self.numbers}
        about = {"base": self.base, "model": self.model, "files": self.files}
        checkpoint.save(Path(folder) / FILE, arrays, {"search index": about})


def is_index(folder):
    """Whether a folder has an index in it."""
    return (Path(folder) / FILE).is_file()


def read_index(folder):
    """The Index in a folder. ValueError if the file is damaged, or something else."""
    path = Path(folder) / FILE
    try:
        arrays, configuration = checkpoint.load(path)
        index = Index(**configuration["search index"], **arrays)
        _check(index)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is no index, or damaged ({error}): delete it") from error
    return index


def _check(index):
    counts = [file["lines"] for file in index.files]
    texts = [file[name] for file in index.files for name in ("path", "sha256")]
    is_sound = (
        all(isinstance(text, str) for text in [index.base, index.model, *texts])
        and all(isinstance(count, int) and count > 0 for count in counts)
        and (index.vectors.ndim, index.vectors.dtype) == (2, np.float32)
        and index.numbers.dtype == np.int64
        and index.numbers.shape == (sum(counts),)
        and len(index.vectors) == sum(counts)
        and np.isfinite(index.vectors).all()
    )
    if not is_sound:
        raise ValueError("its parts do not fit each other")
