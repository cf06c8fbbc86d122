"""Tiny Shakespeare: 1,115,394 characters of his plays, to train small language models on.

A. Karpathy put the text together for char-rnn, 2015, https://github.com/karpathy/char-rnn. The
plays themselves belong to everyone.
"""

from .download import SETS, difference, find_or_download
from .files import unzipped


def load_data(path=None, download=False):
    """The text: a str of 1,115,394 characters, 65 different ones, lines ended by a newline.

    path      the folder in or below which tinyshakespeare.txt lies, gzipped or not; by default
              MINIGRAD_DATA, or else the folder of downloads
    download  whether to fetch the file (1.1 MB) if it is not there, as `data.download` does

    FileNotFoundError where there is none; ValueError for a text that differs in any character.
    """
    names = [("tinyshakespeare.txt", "tiny_shakespeare.txt")]
    [file] = find_or_download("tiny_shakespeare", names, path, download)
    [source] = SETS["tiny_shakespeare"]
    with unzipped(file, "copy of Tiny Shakespeare") as stream:
        if wrong := difference(stream, source.size, source.sha256):
            raise ValueError(wrong)
        stream.seek(0)
        return stream.read().decode("ascii")
