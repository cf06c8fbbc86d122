"""A tokenizer from the content of its tokenizer.json.

What the file may ask for and no tokenizer here does is refused by name: ids that are quietly
different would be worse.
"""

from . import byte_level, files
from .byte_pairs import BytePairTokenizer
from .characters import ByteTokenizer, CharacterTokenizer
from .patterns import PATTERNS
from .templates import Template
from .tokenizer_json import EVERY_CHARACTER
from .word_pieces import WordPieceTokenizer


def read(content):
    """The tokenizer that a dict, the content of a tokenizer.json, describes; or a ValueError."""
    model = files.entry(content, "model", dict)
    # Old files do not name the model that was the first one.
    kind = model.get("type") or ("BPE" if "merges" in model else None)
    if not isinstance(kind, str) or kind not in _MODELS:
        known = ", ".join(_MODELS)
        raise ValueError(f"the model is of a kind that is not known. Known: {known}. Got: {kind!r}")
    normalizer = files.entry(content, "normalizer", dict, {})
    special, added = _added_tokens(content, bool(normalizer))
    common = {
        "special_tokens": special,
        "added_tokens": added,
        "template": _template(files.entry(content, "post_processor", dict, {})),
    }
    words = files.entry(content, "pre_tokenizer", dict, {})
    return _MODELS[kind](model, normalizer, words, common)


def _byte_pairs(model, normalizer, words, common):
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"):
        if model.get(option):
            raise ValueError(f"model.{option} must be off. Received: {model[option]!r}")
    if normalizer.get("type") not in (None, "NFC"):
        raise ValueError(f"a normalizer other than NFC is not known. Received: {normalizer!r}")
    ordinary = _ordinary(model, common)
    tokens = {byte_level.to_bytes(token): id for token, id in ordinary.items()}
    if len(tokens) < len(ordinary):
        raise ValueError("model.vocab has two tokens that stand for the same bytes")
    merges = [
        _merge(number, merge) for number, merge in enumerate(files.entry(model, "merges", list))
    ]
    if not merges and all(tokens.get(bytes([value])) == value for value in range(256)):
        return ByteTokenizer(**common)
    return BytePairTokenizer(
        tokens,
        merges,
        pattern=_pattern(words),
        normalization=normalizer.get("type"),
        whole_words=files.entry(model, "ignore_merges", bool, False),
        **common,
    )


def _word_pieces(model, normalizer, words, common):
    wanted = {"continuing_subword_prefix": "##"}
    _check(model, wanted, "model")
    wanted = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
    _check(normalizer, wanted, "normalizer")
    _check(words, {"type": "BertPreTokenizer"}, "pre_tokenizer")
    return WordPieceTokenizer(
        files.entry(model, "vocab", dict),
        unknown=files.entry(model, "unk_token", str),
        lower_case=files.entry(normalizer, "lowercase", bool),
        strip_accents=files.entry(normalizer, "strip_accents", bool, None),
        longest_word=files.entry(model, "max_input_chars_per_word", int, 100),
        **common,
    )


def _characters(model, normalizer, words, common):
    if normalizer or words.get("pattern") != {"Regex": EVERY_CHARACTER}:
        raise ValueError("a WordLevel model is known where each character is a word, and no other")
    return CharacterTokenizer(_ordinary(model, common), **common)


_MODELS = {"BPE": _byte_pairs, "WordPiece": _word_pieces, "WordLevel": _characters}


# ---- The parts -----------------------------------------------------------------------------------


def _added_tokens(content, normalized):
    """({text: id} of special tokens, the same of others)."""
    special, added = {}, {}
    for token in files.entry(content, "added_tokens", list, []):
        if not isinstance(token, dict):
            raise ValueError(f"an added token must be an object. Received: {token!r}")
        text, id = files.entry(token, "content", str), files.entry(token, "id", int)
        for option in ("single_word", "lstrip", "rstrip", *["normalized"] * normalized):
            if token.get(option):
                raise ValueError(f"added token {text!r}: {option} must be off")
        (special if token.get("special") else added)[text] = id
    return special, added


def _ordinary(model, common):
    """The vocabulary without special and added tokens."""
    whole = common["special_tokens"] | common["added_tokens"]
    return {
        token: id
        for token, id in files.entry(model, "vocab", dict).items()
        if whole.get(token) != id
    }


def _merge(number, merge):
    """A pair of bytes of "a b" or ["a", "b"]."""
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if not (isinstance(parts, list) and len(parts) == 2 and all(isinstance(p, str) for p in parts)):
        raise ValueError(f"model.merges, number {number}: two tokens needed. Received: {merge!r}")
    return byte_level.to_bytes(parts[0]), byte_level.to_bytes(parts[1])


def _pattern(words):
    """The name of the pattern that cuts a text into words before its bytes are looked at."""
    steps = words.get("pretokenizers") if words.get("type") == "Sequence" else [words]
    *splits, last = steps if isinstance(steps, list) and steps else [None]
    if not isinstance(last, dict) or last.get("type") != "ByteLevel":
        raise ValueError(f"a pre_tokenizer must end with ByteLevel. Received: {words!r}")
    if last.get("add_prefix_space", True):
        raise ValueError("pre_tokenizer: add_prefix_space must be off")
    if not splits and last.get("use_regex", True):
        return "gpt2"
    for name, pattern in PATTERNS.items():
        if splits == [{**_SPLIT, "pattern": {"Regex": pattern}}] and not last["use_regex"]:
            return name
    raise ValueError(
        f"a pre_tokenizer that is not known. Known are the patterns of {', '.join(PATTERNS)}, "
        f"then ByteLevel without one. Received: {words!r}"
    )


_SPLIT = {"type": "Split", "behavior": "Isolated", "invert": False}


def _template(processor):
    """The Template that a post_processor describes, or None."""
    kind = processor.get("type")
    if kind == "Sequence":
        steps = files.entry(processor, "processors", list)
        if not all(isinstance(step, dict) for step in steps):
            raise ValueError(f"post_processor: steps must be objects. Received: {steps!r}")
        steps = [step for step in steps if step.get("type") != "ByteLevel"]
        if len(steps) > 1:
            raise ValueError(f"one template at most can be followed. Received: {steps!r}")
        return _template(steps[0]) if steps else None
    if kind in (None, "ByteLevel"):  # the latter changes no ids
        return None
    if kind == "BertProcessing":
        first, last = (_name_of(files.entry(processor, name, list)) for name in ("cls", "sep"))
        return Template(f"{first} $A {last}", f"{first} $A {last} $B:1 {last}:1")
    if kind == "TemplateProcessing":
        parts = (files.entry(processor, name, list) for name in ("single", "pair"))
        return Template(*(" ".join(map(_template_word, part)) for part in parts))
    raise ValueError(f"a post_processor of this type is not known. Received: {kind!r}")


def _name_of(pair):
    if not pair or not isinstance(pair[0], str):
        raise ValueError(f"post_processor: a token and its id needed. Received: {pair!r}")
    return pair[0]


def _template_word(part):
    """ "[CLS]:0" of {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, "$A:0" of a "Sequence"."""
    if isinstance(part, dict) and len(part) == 1:
        ((kind, inner),) = part.items()
        if kind in ("SpecialToken", "Sequence") and isinstance(inner, dict):
            dollar = "$" if kind == "Sequence" else ""
            return f"{dollar}{files.entry(inner, 'id', str)}:{files.entry(inner, 'type_id', int)}"
    raise ValueError(f"post_processor: no part of a template. Received: {part!r}")


def _check(content, wanted, place):
    for name, value in wanted.items():
        if content.get(name) != value:
            raise ValueError(f"{place}: {name} must be {value!r}. Received: {content.get(name)!r}")
