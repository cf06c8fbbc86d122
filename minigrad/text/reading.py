"""A tokenizer from the content of its tokenizer.json.

What the file may ask for and no tokenizer here does is refused by name: ids that are quietly
different would be worse.
"""

from ..bounded_json import shorten
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
        raise ValueError(f"unknown kind of model {shorten(kind)}. Known: {known}")
    normalizer = files.entry(content, "normalizer", dict, {})
    special, added = _added_tokens(content, bool(normalizer))
    common = {
        "special_tokens": special,
        "added_tokens": added,
        "template": _template(files.entry(content, "post_processor", dict, {})),
    }
    tokens = _ordinary(model, special | added)
    words = files.entry(content, "pre_tokenizer", dict, {})
    return _MODELS[kind](model, tokens, normalizer, words, common)


def _byte_pairs(model, tokens, normalizer, words, common):
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"):
        if model.get(option):
            raise ValueError(f"model.{option} must be off. Received: {shorten(model[option])}")
    if normalizer.get("type") not in (None, "NFC"):
        raise ValueError(
            f"a normalizer other than NFC is not known. Received: {shorten(normalizer)}"
        )
    contents = {byte_level.to_bytes(token): id for token, id in tokens.items()}
    if len(contents) < len(tokens):
        raise ValueError("model.vocab has two tokens that stand for the same bytes")
    merges = [
        _merge(number, merge) for number, merge in enumerate(files.entry(model, "merges", list))
    ]
    if not merges and all(contents.get(bytes([value])) == value for value in range(256)):
        return ByteTokenizer(**common)
    return BytePairTokenizer(
        contents,
        merges,
        pattern=_pattern(words),
        normalization=normalizer.get("type"),
        whole_words=files.entry(model, "ignore_merges", bool, False),
        **common,
    )


def _word_pieces(model, tokens, normalizer, words, common):
    wanted = {"continuing_subword_prefix": "##"}
    _check(model, wanted, "model")
    wanted = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
    _check(normalizer, wanted, "normalizer")
    _check(words, {"type": "BertPreTokenizer"}, "pre_tokenizer")
    return WordPieceTokenizer(
        model["vocab"],
        unknown=files.entry(model, "unk_token", str),
        lower_case=files.entry(normalizer, "lowercase", bool),
        strip_accents=files.entry(normalizer, "strip_accents", bool, None),
        longest_word=files.entry(model, "max_input_chars_per_word", int, 100),
        **common,
    )


def _characters(model, tokens, normalizer, words, common):
    if normalizer or words.get("pattern") != {"Regex": EVERY_CHARACTER}:
        raise ValueError("a WordLevel model is known where each character is a word, and no other")
    return CharacterTokenizer(tokens, **common)


_MODELS = {"BPE": _byte_pairs, "WordPiece": _word_pieces, "WordLevel": _characters}


# ---- The parts -----------------------------------------------------------------------------------


def _added_tokens(content, normalized):
    """({text: id} of special tokens, the same of others)."""
    special, added = {}, {}
    for token in files.entry(content, "added_tokens", list, []):
        if not isinstance(token, dict):
            raise ValueError(f"an added token must be an object. Received: {shorten(token)}")
        text, id = files.entry(token, "content", str), files.entry(token, "id", int)
        for option in ("single_word", "lstrip", "rstrip", *["normalized"] * normalized):
            if token.get(option):
                raise ValueError(f"added token {shorten(text)}: {option} must be off")
        (special if token.get("special") else added)[text] = id
    return special, added


def _ordinary(model, whole):
    """{text: id} of the model's tokens without those of `whole`, whose ids must be the same."""
    vocabulary = files.entry(model, "vocab", dict)
    for text, id in whole.items():
        if vocabulary.get(text, id) != id:
            raise ValueError(
                f"token {shorten(text)} has id {id}, and {shorten(vocabulary[text])} in model.vocab"
            )
    return {text: id for text, id in vocabulary.items() if text not in whole}


def _merge(number, merge):
    """A pair of bytes of "a b" or ["a", "b"]."""
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if not (isinstance(parts, list) and len(parts) == 2 and all(isinstance(p, str) for p in parts)):
        raise ValueError(
            f"model.merges, number {number}: two tokens needed. Received: {shorten(merge)}"
        )
    return byte_level.to_bytes(parts[0]), byte_level.to_bytes(parts[1])


def _pattern(words):
    """The name of the pattern that cuts a text into words before its bytes are looked at."""
    steps = words.get("pretokenizers") if words.get("type") == "Sequence" else [words]
    *splits, last = steps if isinstance(steps, list) and steps else [None]
    if not isinstance(last, dict) or last.get("type") != "ByteLevel":
        raise ValueError(f"a pre_tokenizer must end with ByteLevel. Received: {shorten(words)}")
    if last.get("add_prefix_space", True):
        raise ValueError("pre_tokenizer: add_prefix_space must be off")
    cuts = last.get("use_regex", True)  # ByteLevel itself, by GPT-2's pattern
    if cuts and not splits:
        return "gpt2"
    for name, pattern in PATTERNS.items():
        if not cuts and splits == [{**_SPLIT, "pattern": {"Regex": pattern}}]:
            return name
    raise ValueError(
        f"a pre_tokenizer that is not known. Known are the patterns of {', '.join(PATTERNS)}, "
        f"then ByteLevel without one. Received: {shorten(words)}"
    )


_SPLIT = {"type": "Split", "behavior": "Isolated", "invert": False}


def _template(processor):
    """The Template that a post_processor describes, or None."""
    if processor.get("type") == "Sequence":
        processor = _only_template(files.entry(processor, "processors", list))
    kind = processor.get("type")
    if kind in (None, "ByteLevel"):  # the latter changes no ids
        return None
    if kind == "BertProcessing":
        first, last = (_name_of(files.entry(processor, name, list)) for name in ("cls", "sep"))
        return Template(
            [(first, 0), ("$A", 0), (last, 0)],
            [(first, 0), ("$A", 0), (last, 0), ("$B", 1), (last, 1)],
        )
    if kind == "TemplateProcessing":
        parts = (files.entry(processor, name, list) for name in ("single", "pair"))
        return Template(*([_template_part(one) for one in part] for part in parts))
    raise ValueError(f"a post_processor of this type is not known. Received: {shorten(kind)}")


def _only_template(steps):
    """The step of a sequence that is not ByteLevel."""
    if not all(isinstance(step, dict) for step in steps):
        raise ValueError(f"post_processor: steps must be objects. Received: {shorten(steps)}")
    others = [step for step in steps if step.get("type") != "ByteLevel"]
    if len(others) > 1:
        raise ValueError(f"one template at most can be followed. Received: {shorten(others)}")
    return others[0] if others else {}


def _name_of(pair):
    if not pair or not isinstance(pair[0], str):
        raise ValueError(f"post_processor: a token and its id needed. Received: {shorten(pair)}")
    return pair[0]


def _template_part(part):
    """("[CLS]", 0) of {"SpecialToken": {"id": "[CLS]", "type_id": 0}}; of a Sequence ("$A", 0)."""
    if isinstance(part, dict) and len(part) == 1:
        ((kind, inner),) = part.items()
        if kind in ("SpecialToken", "Sequence") and isinstance(inner, dict):
            dollar = "$" if kind == "Sequence" else ""
            return dollar + files.entry(inner, "id", str), files.entry(inner, "type_id", int)
    raise ValueError(f"post_processor: no part of a template. Received: {shorten(part)}")


def _check(content, wanted, place):
    for name, value in wanted.items():
        if content.get(name) != value:
            raise ValueError(
                f"{place}: {name} must be {value!r}. Received: {shorten(content.get(name))}"
            )
