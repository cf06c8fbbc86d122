"""The tokenizer.json of Hugging Face's `tokenizers`, read and written."""

from . import byte_level
from .byte_pairs import BytePairTokenizer
from .patterns import PATTERNS


def write(tokenizer):
    """The tokenizer as plain data."""
    special = [
        {"id": id, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for text, id in tokenizer.special_tokens.items()
    ]
    printed = byte_level.to_characters
    split = {"type": "Split", "pattern": {"Regex": PATTERNS[tokenizer.pattern]}, "behavior": "Isolated", "invert": False}
    byte = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte]},
        "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": tokenizer.whole_words,
        "vocab": {printed(token): id for token, id in tokenizer.tokens.items()},
        "merges": [[printed(a), printed(b)] for a, b in tokenizer.merges]},
    }


def read(content):
    """The tokenizer that `write` described."""
    raw = byte_level.to_bytes
    model = content["model"]
    special = {token["content"]: token["id"] for token in content["added_tokens"]}
    pattern = content["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]
    name = next(name for name, known in PATTERNS.items() if known == pattern)
    tokens = {raw(token): id for token, id in model["vocab"].items()}
    merges = [(raw(a), raw(b)) for a, b in model["merges"]]
    return BytePairTokenizer(tokens, merges, special, pattern=name, whole_words=model["ignore_merges"])
