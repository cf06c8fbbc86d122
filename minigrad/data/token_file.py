"""The tokens of a text in a file that is mapped into memory: read where they lie, when needed.

A file is a line of JSON, filled up with blanks to HEADER bytes, and then the tokens, 2 bytes each
where the vocabulary allows, else 4, the lowest byte first. The line says how many there are, and
what they were made of: a file of another text or another tokenizer is stale, and is written anew.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np

from ..atomic import replacing

HEADER = 512  # bytes
FORMAT = "minigrad tokens 1"


def tokens_of(text, tokenizer, path, end=None):
    """The tokens of a Text, a read-only array (n,) that lies in the file `path`.

    tokenizer  such as those of minigrad.text. Special tokens in the text mean nothing
    end        the special token that is put after each document, if any

    The file is written if it is not there, or not of this text and this tokenizer, and nothing but
    a complete one ever has its name. However large it is, it takes the memory of one piece.
    """
    path = Path(path)
    kind = np.dtype("<u2" if tokenizer.vocabulary_size <= 1 << 16 else "<u4")
    made_of = {
        "text": text.digest(),
        "tokenizer": fingerprint(tokenizer),
        "end of a document": end,
        "dtype": kind.str,
    }
    count = _count(path, made_of)
    if count is None:
        count = _write(path, made_of, _pieces(text, tokenizer, end, kind))
    return np.memmap(path, dtype=kind, mode="r", offset=HEADER, shape=(count,))


def fingerprint(tokenizer):
    """What tells a tokenizer from any other, as text: a digest of the files that it is saved in."""
    digest = hashlib.blake2b(digest_size=16)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(folder)
        for file in sorted(Path(folder).iterdir()):
            digest.update(f"{file.name} {file.stat().st_size} ".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _pieces(text, tokenizer, end, kind):
    """Arrays of tokens, document by document."""
    for document in text.documents:
        for piece in document.pieces():
            yield np.array(tokenizer.encode_ordinary(piece), dtype=kind)
        if end is not None:
            yield np.array([tokenizer.special_tokens[end]], dtype=kind)


def _write(path, made_of, pieces):
    """Write all and return how many tokens there were."""
    count = 0
    with replacing(path) as file:
        file.write(bytes(HEADER))
        for piece in pieces:
            file.write(piece.tobytes())
            count += len(piece)
        header = json.dumps({"format": FORMAT, "tokens": count, **made_of}).encode()
        file.seek(0)
        file.write(header.ljust(HEADER - 1) + b"\n")
    return count


def _count(path, made_of):
    """How many tokens the file has; None if it is not there, not complete, or stale."""
    try:
        with open(path, "rb") as file:
            header = json.loads(file.read(HEADER))
        count = header.pop("tokens")
        complete = path.stat().st_size == HEADER + count * np.dtype(made_of["dtype"]).itemsize
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return count if complete and header == {"format": FORMAT, **made_of} else None
