"""The files from before tokenizer.json: vocab.json with merges.txt of GPT-2, vocab.txt of BERT.

They say less than tokenizer.json: nothing of patterns and templates, nor which tokens are special.
"""

from pathlib import Path

from . import byte_level, files
from .byte_pairs import BytePairTokenizer
from .word_pieces import WordPieceTokenizer

VERSION = "#version: 0.2"  # the first line of merges.txt


def read_byte_pairs(vocabulary, merges):
    """The BytePairTokenizer of two files, GPT-2's vocab.json and merges.txt.

    A token that is no byte, and that no merge makes, is a special one.
    """
    ids = files.read_json(vocabulary)
    pairs = list(_merges(merges))
    ordinary = {left + right for left, right in pairs} | set(byte_level.CHARACTERS.values())
    as_bytes = byte_level.to_bytes
    tokens = {as_bytes(text): id for text, id in ids.items() if text in ordinary}
    special = {text: id for text, id in ids.items() if text not in ordinary}
    try:
        return BytePairTokenizer(tokens, [tuple(map(as_bytes, pair)) for pair in pairs], special)
    except ValueError as error:
        raise ValueError(f"{vocabulary} and {merges} do not fit: {error}") from None


def _merges(path):
    for number, line in enumerate(_lines(path), 1):
        if line and not line.startswith("#version"):
            pair = line.split(" ")
            if len(pair) != 2:
                raise ValueError(f"{path}, line {number}: two tokens needed. Received: {line!r}")
            yield pair


def read_word_pieces(vocabulary):
    """The WordPieceTokenizer of BERT's vocab.txt: a token a line, and its id is the line's number.

    A tokenizer_config.json beside it says whether capitals and accents stay; without one they go.
    """
    lines = _lines(vocabulary)
    tokens = {token: id for id, token in enumerate(lines)}
    if len(tokens) < len(lines):
        twice = next(token for id, token in enumerate(lines) if tokens[token] != id)
        raise ValueError(f"{vocabulary} has the token {twice!r} twice")
    path = Path(vocabulary).with_name("tokenizer_config.json")
    config = files.read_json(path) if path.exists() else {}
    options = {"lower_case": config.get("do_lower_case", True)}
    options["strip_accents"] = config.get("strip_accents")
    for name, value in options.items():
        if value not in (True, False, None):
            raise ValueError(f"{path}: {name} must be true or false. Received: {value!r}")
    try:
        return WordPieceTokenizer(tokens, **options)
    except ValueError as error:
        raise ValueError(f"{vocabulary}: {error}") from None


def _lines(path):
    """The lines of a text file, without those that are empty at its end."""
    return [line.removesuffix("\r") for line in files.read_text(path).rstrip("\r\n").split("\n")]


def save_vocabulary(tokenizer, folder):
    """Write the files from before tokenizer.json into a folder, for older programs.

    vocab.json and merges.txt of a BytePairTokenizer, vocab.txt and tokenizer_config.json of a
    WordPieceTokenizer. ValueError for a tokenizer that those would not describe.
    """
    kinds = {BytePairTokenizer: _write_byte_pairs, WordPieceTokenizer: _write_word_pieces}
    write = kinds.get(type(tokenizer))
    if write is None:
        raise ValueError(f"tokenizer.json alone holds such a one: {type(tokenizer).__name__}")
    contents = write(tokenizer)
    for name, text in contents.items():
        files.write_text(Path(folder) / name, text)


def _write_byte_pairs(tokenizer):
    printed = byte_level.to_characters
    tokens = {printed(token): id for token, id in tokenizer.tokens.items()}
    tokens |= tokenizer.special_tokens
    lines = [VERSION, *(f"{printed(left)} {printed(right)}" for left, right in tokenizer.merges)]
    return {"vocab.json": files.as_json(tokens), "merges.txt": "\n".join(lines) + "\n"}


def _write_word_pieces(tokenizer):
    lines = sorted(tokenizer.tokens, key=tokenizer.tokens.get)
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": tokenizer.lower_case,
        "strip_accents": tokenizer.strip_accents,
    }
    return {"vocab.txt": "\n".join(lines) + "\n", "tokenizer_config.json": files.as_json(config)}
