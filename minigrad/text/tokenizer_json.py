"""tokenizer.json, the file that Hugging Face's `tokenizers` reads, made of a tokenizer.

It has a part for each step: normalizer, pre_tokenizer (into words), model (into tokens),
post_processor (the template), decoder.
"""

from . import byte_level
from .patterns import PATTERNS

BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": False,
}
EVERY_CHARACTER = r"(?m:.)"  # in the language of its patterns, m lets . be a newline too


def of_byte_pairs(tokenizer, tokens, merges):
    """The content of the file for byte-level tokens {bytes: id} and merges [(bytes, bytes)]."""
    printed = byte_level.to_characters
    pattern = getattr(tokenizer, "pattern", "gpt2")
    normalization = getattr(tokenizer, "normalization", None)
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": getattr(tokenizer, "whole_words", False),
        "vocab": _whole(tokenizer) | {printed(token): id for token, id in tokens.items()},
        "merges": [[printed(left), printed(right)] for left, right in merges],
    }
    return _content(
        tokenizer,
        model,
        normalizer={"type": normalization} if normalization else None,
        words=_sequence([_split(PATTERNS[pattern]), BYTE_LEVEL]),
        decoder=BYTE_LEVEL,
    )


def of_word_pieces(tokenizer):
    """The content of the file for a WordPieceTokenizer."""
    model = {
        "type": "WordPiece",
        "unk_token": tokenizer.unknown,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": tokenizer.longest_word,
        "vocab": tokenizer.tokens,
    }
    normalizer = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": tokenizer.strip_accents,
        "lowercase": tokenizer.lower_case,
    }
    decoder = {"type": "WordPiece", "prefix": "##", "cleanup": False}
    return _content(tokenizer, model, normalizer, {"type": "BertPreTokenizer"}, decoder)


def of_characters(tokenizer):
    """The content of the file for a CharacterTokenizer."""
    model = {"type": "WordLevel", "vocab": _whole(tokenizer) | tokenizer.tokens, "unk_token": ""}
    return _content(tokenizer, model, None, _split(EVERY_CHARACTER), {"type": "Fuse"})


def _content(tokenizer, model, normalizer, words, decoder):
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _added(text, id, text in tokenizer.special_tokens)
            for text, id in _whole(tokenizer).items()
        ],
        "normalizer": normalizer,
        "pre_tokenizer": words,
        "post_processor": _post_processor(tokenizer),
        "decoder": decoder,
        "model": model,
    }


def _whole(tokenizer):
    """{text: id} of special and added tokens. Those that the model lacked would get other ids."""
    whole = tokenizer.added_tokens | tokenizer.special_tokens
    return dict(sorted(whole.items(), key=lambda item: item[1]))


def _added(text, id, special):
    return {
        "id": id,
        "content": text,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": special,
    }


def _sequence(steps):
    return {"type": "Sequence", "pretokenizers": steps}


def _split(pattern):
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }


def _post_processor(tokenizer):
    template, special = tokenizer.template, tokenizer.special_tokens
    names = template.names()
    if not names:
        return None
    return {
        "type": "TemplateProcessing",
        "single": [_template_part(*part) for part in template.single],
        "pair": [_template_part(*part) for part in template.pair],
        "special_tokens": {
            name: {"id": name, "ids": [special[name]], "tokens": [name]} for name in names
        },
    }


def _template_part(name, segment):
    kind, id = ("Sequence", name[1]) if name in ("$A", "$B") else ("SpecialToken", name)
    return {kind: {"id": id, "type_id": segment}}
