"""Tokenizers from their files: names and content say of which kind they are."""

from pathlib import Path

from . import files, reading, vocabulary_files


def load_tokenizer(path):
    """The tokenizer of a folder, or of one file in it.

    These files are looked for, in this order: tokenizer.json; vocab.json with merges.txt, or as
    OpenAI called them, encoder.json with vocab.bpe; vocab.txt, with or without a
    tokenizer_config.json. A file of another name must be like tokenizer.json.

    FileNotFoundError if there is none, ValueError for one that is damaged or asks for what no
    tokenizer here does.
    """
    path = Path(path)
    if not path.is_dir():
        return _read(path)
    for name in READERS:
        if (path / name).is_file():
            return _read(path / name)
    raise FileNotFoundError(f"no tokenizer in {path}: it has none of {', '.join(READERS)}")


def _read(file):
    """The tokenizer that a file begins; one with a name of its own must be like tokenizer.json."""
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    return READERS.get(file.name, _read_tokenizer_json)(file)


def _read_tokenizer_json(path):
    content = files.read_json(path)
    try:
        return reading.read(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _read_byte_pairs(path):
    merges = {"vocab.json": "merges.txt", "encoder.json": "vocab.bpe"}[path.name]
    return vocabulary_files.read_byte_pairs(path, path.with_name(merges))


READERS = {
    "tokenizer.json": _read_tokenizer_json,
    "vocab.json": _read_byte_pairs,
    "encoder.json": _read_byte_pairs,
    "vocab.txt": vocabulary_files.read_word_pieces,
}
# All that may be read of a folder.
TOKENIZER_FILES = (*READERS, "merges.txt", "vocab.bpe", "tokenizer_config.json")
