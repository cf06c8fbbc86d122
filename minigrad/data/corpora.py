"""Text to learn a language from, in two parts: one to train on, and one to validate with.

A corpus may be larger than memory: its documents stay where they are, and are read piece by piece.
Many documents are divided by document, so that no file is in both parts; a single one is cut in two
at a place near its end.
"""

import hashlib
import io
import itertools
import lzma
import zlib
from pathlib import Path
from typing import NamedTuple

from . import tiny_shakespeare
from .python_files import python_source
from .split import train_validation_test_split

PIECE = 1 << 20  # bytes that are read at once


class Corpus(NamedTuple):
    """Two Texts, and the name that they came by."""

    name: str
    train: "Text"
    validation: "Text"

    def parts(self):
        """{"train": Text, "validation": Text}"""
        return {"train": self.train, "validation": self.validation}


def corpus(source, validation=0.1, seed=0):
    """The Corpus of a source:

    "python"       the standard library of the Python that runs, divided by file
    "shakespeare"  Tiny Shakespeare from the folder that `data.tiny_shakespeare` looks in
    a folder       all files in it and below, but for hidden ones; divided by file if there are two
    a file         cut in two by position

    validation  the share of the documents, or of the one document, to validate with
    seed        which documents these are

    Files are UTF-8. ValueError for one that is not, when it is read, and at once where there is no
    text at all; FileNotFoundError where there is nothing.
    """
    if source == "python":
        return Corpus("python", *map(_of_texts, python_source(validation, seed)))
    if source == "shakespeare":
        text = _shakespeare().encode()
        return Corpus("shakespeare", *_cut("tinyshakespeare.txt", text, len(text), validation))
    path = Path(source)
    if path.is_dir():
        return Corpus(str(source), *_divide_folder(path, validation, seed))
    if not path.exists():
        raise FileNotFoundError(
            f"a corpus is 'python', 'shakespeare', a text file or a folder of them. There is no "
            f"{source}"
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{source} is empty: there is nothing to learn from")
    return Corpus(str(source), *_cut(path.name, path, path.stat().st_size, validation))


def _shakespeare():
    try:
        return tiny_shakespeare.load_data()
    except FileNotFoundError as error:
        command = "minigrad download tiny_shakespeare"
        raise FileNotFoundError(f"{error}, in a terminal: {command}") from error


def _of_texts(texts):
    """The Text of {name: str}."""
    encoded = {name: text.encode() for name, text in texts.items()}
    return Text([Document(name, content, 0, len(content)) for name, content in encoded.items()])


def _divide_folder(folder, validation, seed):
    """The Texts to train on and to validate with, of the files in a folder."""
    found = []
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inner.parts)
        if path.is_file() and not hidden and path.stat().st_size:
            found.append(Document(inner.as_posix(), path, 0, path.stat().st_size))
    if not found:
        raise ValueError(f"{folder} has no file with text in it or below")
    if len(found) == 1:
        [document] = found
        return _cut(document.name, document.source, document.end, validation)
    share = max(validation, 1 / len(found))  # one file at least
    parts = train_validation_test_split(len(found), share, test=0, seed=seed)[:2]
    return [Text([found[i] for i in sorted(part)]) for part in parts]


def _cut(name, source, size, validation):
    """The first part of a document and the rest, cut between two characters."""
    place = int(size * (1 - validation))
    with _opened(source) as stream:
        stream.seek(place)
        place += sum(itertools.takewhile(bool, map(_continues, stream.read(3))))
    if not 0 < place < size:
        raise ValueError(f"{name} has {size} bytes, too few to train on and to validate with")
    return [Text([Document(name, source, *ends)]) for ends in ((0, place), (place, size))]


class Text:
    """Documents, one after the other, that are read when they are asked for."""

    def __init__(self, documents):
        self.documents = documents
        self.size = sum(document.end - document.start for document in documents)  # bytes

    def sample(self, size):
        """Strings of about `size` bytes together, taken from everywhere; all there is, if less."""
        owed = 0.0
        for document in self.documents:
            for text in document.pieces():
                length = len(text.encode())
                owed += length * size / self.size
                if owed > 0:
                    yield text
                    owed -= length

    def digest(self):
        """A fingerprint of all its bytes, and of where each document ends, as text."""
        fingerprint = hashlib.blake2b(digest_size=16)
        for document in self.documents:
            fingerprint.update(f"{document.end - document.start} ".encode())
            for block in document.blocks():
                fingerprint.update(block)
        return fingerprint.hexdigest()

    def compressed(self):
        """{"gzip": bytes, "xz": bytes} that these programs make of it, at their hardest."""
        longest = lzma.FILTER_LZMA2  # looks back as far as there is text, up to 64 MB
        window = min(max(self.size, 1 << 12), 1 << 26)
        filters = [{"id": longest, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": window}]
        makers = {
            "gzip": zlib.compressobj(9, wbits=31),
            "xz": lzma.LZMACompressor(filters=filters),
        }
        sizes = dict.fromkeys(makers, 0)
        for document in self.documents:
            for block in document.blocks():
                for name, maker in makers.items():
                    sizes[name] += len(maker.compress(block))
        return {name: sizes[name] + len(maker.flush()) for name, maker in makers.items()}


class Document(NamedTuple):
    """Bytes number `start` to `end` of a file, or of `bytes`, that are UTF-8."""

    name: str
    source: Path | bytes
    start: int
    end: int

    def blocks(self):
        """Its bytes, PIECE at a time. ValueError if the file has become shorter."""
        with _opened(self.source) as stream:
            stream.seek(self.start)
            left = self.end - self.start
            while left:
                block = stream.read(min(PIECE, left))
                if not block:
                    raise ValueError(f"{self.name} has become shorter while it was read")
                left -= len(block)
                yield block

    def pieces(self):
        """Its text: strings of about PIECE bytes that end with a line where there are lines."""
        place, rest = self.start, b""
        for block in self.blocks():
            content = rest + block
            if place + len(content) == self.end:
                ready = len(content)
            else:
                ready = content.rfind(b"\n") + 1 or len(content) - _begun(content)
            text, rest = content[:ready], content[ready:]
            yield self._decoded(text, place)
            place += ready

    def _decoded(self, content, place):
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            at = place + error.start
            raise ValueError(
                f"{self.name} is not UTF-8 text: byte {at:,} (0x{content[error.start]:02x}) "
                f"{error.reason}"
            ) from error


def _opened(source):
    """A stream of the bytes of a Path, or of bytes."""
    return io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")


def _continues(byte):
    """Whether a byte of UTF-8 goes on with a character that an earlier one began."""
    return byte & 0b1100_0000 == 0b1000_0000


def _begun(content):
    """How many bytes at the end of `content` are a character that is not complete yet."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if not _continues(byte):
            length = 1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)
            return back if back < length else 0
    return 0
