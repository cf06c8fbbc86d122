"""The files from before tokenizer.json: vocab.json with merges.txt of GPT-2, vocab.txt of BERT.

They say less than tokenizer.json: nothing of patterns and templates, nor which tokens are special.
"""

from pathlib import Path

from ..bounded_json import MOST_BYTES, MOST_PARTS, shorten
from . import byte_level, files
from .byte_pairs import BytePairTokenizer
from .word_pieces import WordPieceTokenizer

VERSION = "#version: 0.2"  # the first line of merges.txt


def read_byte_pairs(vocabulary, merges):
    """The BytePairTokenizer of two files, GPT-2's vocab.json and merges.txt.

    A token that is no byte, and that no merge makes, is a special one.
    """
    ids, pairs = files.read_json(vocabulary), _read_merges(merges)
    try:
        return _byte_pairs(ids, pairs)
    except ValueError as error:
        raise ValueError(f"{vocabulary} and {merges} do not fit: {error}") from None


def _byte_pairs(ids, pairs):
    """The tokenizer of what the two files hold: {text: id}, [(text, text)]."""
    as_bytes = byte_level.to_bytes
    ordinary = {left + right for left, right in pairs} | set(byte_level.CHARACTERS.values())
    tokens = {as_bytes(text): id for text, id in ids.items() if text in ordinary}
    special = {text: id for text, id in ids.items() if text not in ordinary}
    return BytePairTokenizer(tokens, [tuple(map(as_bytes, pair)) for pair in pairs], special)


def _read_merges(path):
    pairs = []
    for number, line in enumerate(files.read_lines(path), 1):
        if line and not line.startswith("#version"):
            pairs.append(tuple(line.split(" ")))
            if len(pairs[-1]) != 2:
                raise ValueError(
                    f"{path}, line {number}: two tokens needed. Received: {shorten(line)}"
                )
    return pairs


def read_word_pieces(vocabulary):
    """The WordPieceTokenizer of BERT's vocab.txt: a token a line, and its id is the line's number.

    A tokenizer_config.json beside it says whether capitals and accents stay; without one they go.
    """
    tokens = files.read_lines(vocabulary)
    config = Path(vocabulary).with_name("tokenizer_config.json")
    options = files.read_json(config, MOST_BYTES, MOST_PARTS) if config.exists() else {}
    try:
        return _word_pieces(tokens, options)
    except ValueError as error:
        raise ValueError(f"{vocabulary}: {error}") from None


def _word_pieces(tokens, options):
    """The tokenizer of what the two files hold: [token], {name: value}."""
    ids = {token: id for id, token in enumerate(tokens)}
    if len(ids) < len(tokens):
        twice = next(token for id, token in enumerate(tokens) if ids[token] != id)
        raise ValueError(f"the token {shorten(twice)} is there twice")
    return WordPieceTokenizer(
        ids,
        lower_case=files.entry(options, "do_lower_case", bool, True),
        strip_accents=files.entry(options, "strip_accents", bool, None),
    )


def save_vocabulary(tokenizer, folder):
    """Write the files from before tokenizer.json into a folder, for older programs.

    vocab.json and merges.txt of a BytePairTokenizer, vocab.txt and tokenizer_config.json of a
    WordPieceTokenizer. ValueError if those would not give the tokenizer again.
    """
    likeness, texts = None, {}
    if isinstance(tokenizer, BytePairTokenizer):
        likeness, texts = _of_byte_pairs(tokenizer)
    elif isinstance(tokenizer, WordPieceTokenizer):
        likeness, texts = _of_word_pieces(tokenizer)
    if likeness is None or likeness.to_json() != tokenizer.to_json():
        raise ValueError(
            f"this {type(tokenizer).__name__} has what only a tokenizer.json can say, such as "
            "another pattern or template, or is of another kind than GPT-2's and BERT's"
        )
    for name, text in texts.items():
        files.write_text(Path(folder) / name, text)


def _of_byte_pairs(tokenizer):
    """(the tokenizer that would be read again, {name: text} of the files)."""
    printed = byte_level.to_characters
    ids = {printed(token): id for token, id in tokenizer.tokens.items()} | tokenizer.special_tokens
    pairs = [(printed(left), printed(right)) for left, right in tokenizer.merges]
    lines = [VERSION, *map(" ".join, pairs)]
    texts = {"vocab.json": files.as_json(ids), "merges.txt": "\n".join(lines) + "\n"}
    return _byte_pairs(ids, pairs), texts


def _of_word_pieces(tokenizer):
    """(the tokenizer that would be read again, {name: text} of the files)."""
    tokens = sorted(tokenizer.tokens, key=tokenizer.tokens.get)
    options = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": tokenizer.lower_case,
        "strip_accents": tokenizer.strip_accents,
    }
    texts = {
        "vocab.txt": "\n".join(tokens) + "\n",
        "tokenizer_config.json": files.as_json(options),
    }
    return _word_pieces(tokens, options), texts
