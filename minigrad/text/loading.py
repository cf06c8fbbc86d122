"""Tokenizers from files: a folder or file says by its names and content what it holds."""

from pathlib import Path

from . import files, tokenizer_json

def load_tokenizer(path):
    """The tokenizer in a folder or a file."""
    path = Path(path)
    if path.is_dir():
        path = path / "tokenizer.json"
    return tokenizer_json.read(files.read_json(path))
