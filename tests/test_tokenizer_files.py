"""Tokenizers' files: read, written, read again; what is wrong with one is named."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import text
from minigrad.text import files, reading
from tests.test_tokenizers import EVERY_PEER, EVERY_TRAINED, GOLDEN, PEERS, TRAINED, ours
from tests.tokenizer_texts import MEANT, PROSE


def write(path, content):
    """A file of text, bytes, or what JSON can hold."""
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- Written and read again ----------------------------------------------------------------------


@EVERY_TRAINED
def test_a_tokenizer_is_the_same_after_saving(name, tmp_path):
    tokenizer = TRAINED[name]()
    tokenizer.save(tmp_path / "new" / "folder")
    again = text.load_tokenizer(tmp_path / "new" / "folder")
    assert type(again) is type(tokenizer)
    assert again.to_json() == tokenizer.to_json()
    assert again.encode_batch(MEANT) == tokenizer.encode_batch(MEANT)


@EVERY_TRAINED
def test_the_model_in_the_file_has_the_special_tokens(name):
    """Hugging Face's would give ids of their own to those that it lacks."""
    tokenizer = TRAINED[name]()
    assert tokenizer.special_tokens.items() <= tokenizer.to_json()["model"]["vocab"].items()


@EVERY_PEER
def test_a_file_of_the_peer_is_the_same_after_saving(name, tmp_path):
    ours(name).save(tmp_path)
    again = text.load_tokenizer(tmp_path / "tokenizer.json")
    assert again.encode_batch(GOLDEN["texts"]) == PEERS[name]["ids"]
    found = [list(again.encode_pair(*pair)) for pair in GOLDEN["pairs"]]
    assert found == PEERS[name]["pairs"]


def test_gpt2_s_two_files_hold_the_tokenizer(tmp_path):
    tokenizer = TRAINED["byte pairs"]()
    text.save_vocabulary(tokenizer, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["merges.txt", "vocab.json"]
    assert (tmp_path / "merges.txt").read_text(encoding="utf-8").startswith("#version: 0.2\n")
    again = text.load_tokenizer(tmp_path)
    assert again.to_json() == tokenizer.to_json()
    assert text.load_tokenizer(tmp_path / "vocab.json").to_json() == tokenizer.to_json()


def test_openai_s_names_and_other_ends_of_lines_are_known(tmp_path):
    text.save_vocabulary(TRAINED["byte pairs"](), tmp_path)
    merges = (tmp_path / "merges.txt").read_bytes().replace(b"\n", b"\r\n")
    write(tmp_path / "vocab.bpe", merges)
    (tmp_path / "vocab.json").rename(tmp_path / "encoder.json")
    assert text.load_tokenizer(tmp_path).to_json() == TRAINED["byte pairs"]().to_json()


@pytest.mark.parametrize("lower_case", [True, False])
def test_bert_s_two_files_hold_the_tokenizer(lower_case, tmp_path):
    tokenizer = text.WordPieceTokenizer.train(PROSE, 500, lower_case=lower_case)
    text.save_vocabulary(tokenizer, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["tokenizer_config.json", "vocab.txt"]
    assert text.load_tokenizer(tmp_path).to_json() == tokenizer.to_json()


def test_a_vocabulary_alone_is_of_small_letters(tmp_path):
    path = write(tmp_path / "vocab.txt", "[UNK]\n[CLS]\n[SEP]\nword\n")
    assert text.load_tokenizer(path).encode("WORD") == [1, 3, 2]


@pytest.mark.parametrize("name", ["bytes", "characters", "llama3"])
def test_old_files_are_refused_where_they_would_not_say_all(name, tmp_path):
    with pytest.raises(ValueError, match="tokenizer.json"):
        text.save_vocabulary(TRAINED[name](), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_older_forms_of_tokenizer_json_are_read():
    content = copy.deepcopy(PEERS["gpt2"]["file"])
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    del content["model"]["type"], content["model"]["ignore_merges"], content["post_processor"]
    assert reading.read(content).encode_batch(GOLDEN["texts"]) == PEERS["gpt2"]["ids"]


# ---- What is refused -----------------------------------------------------------------------------

# What must be in the message comes after what is done.
WRONG_USE = {
    "an id that is too large": (lambda t: t.decode([5, 1000]), "ids 0 to 301 1000"),
    "an id below zero": (lambda t: t.decode([-1]), "ids 0 to 301 -1"),
    "an id of another kind": (lambda t: t.decode([[1, 2]]), "[1, 2]"),
    "an id between others": (lambda t: t.decode([299]), "no token 299"),
    "an id in a stream": (lambda t: text.StreamDecoder(t).add(1000), "0 to 301 1000"),
    "bytes for a text": (lambda t: t.encode(b"abc"), "a text must be a str bytes"),
    "a list for a text": (lambda t: t.encode(["abc"]), "a text must be a str list"),
    "a byte that is no UTF-8": (lambda t: t.encode("ab\udcff"), "no UTF-8 position 2"),
    "half a surrogate pair": (lambda t: t.encode("ab\ud800"), "surrogate position 2"),
    "a template that does not fit": (
        lambda t: text.ByteTokenizer(["[CLS]"], template=text.Template("[CLS] $A [SEP]")),
        "the template needs '[SEP]' [CLS]",
    ),
    "a template without a text": (lambda t: text.Template("[CLS]"), "$A once '[CLS]'"),
    "a template with a text twice": (lambda t: text.Template(pair="$A $A $B"), "$A and $B once"),
    "a length below the template's": (
        lambda t: ours("bert").encode("a", max_length=1),
        "the template has 2 tokens max_length=1",
    ),
    "a length of a pair": (
        lambda t: ours("bert").encode_pair("a", "b", max_length=2),
        "the template has 3 tokens max_length=2",
    ),
    "too small a vocabulary": (
        lambda t: text.BytePairTokenizer.train(PROSE, 256, ["<a>"]),
        "1 special 256 others vocabulary_size=256",
    ),
    "no room for word pieces": (
        lambda t: text.WordPieceTokenizer.train(PROSE, 5),
        "5 special 1 others vocabulary_size=5",
    ),
    "one text for a list": (lambda t: t.encode_batch("abc"), "texts list one str"),
    "one text to learn from": (
        lambda t: text.BytePairTokenizer.train("abc", 300),
        "texts list one str",
    ),
    "characters of one text": (
        lambda t: text.CharacterTokenizer.train("abc"),
        "texts list one str",
    ),
    "bytes to learn from": (
        lambda t: text.WordPieceTokenizer.train([b"abc"], 300),
        "a text must be a str bytes",
    ),
    "special tokens that are equal": (
        lambda t: text.BytePairTokenizer.train(PROSE, 300, ["<a>", "<a>"]),
        "special tokens differ '<a>'",
    ),
    "an empty special token": (lambda t: text.ByteTokenizer([""]), "special tokens ''"),
    "an id that belongs to two": (
        lambda t: text.ByteTokenizer({"<a>": 97}),
        "id 97 b'a' '<a>'",
    ),
    "no pattern of that name": (
        lambda t: text.BytePairTokenizer.train(PROSE, 300, pattern="gpt1"),
        "unknown pattern 'gpt1' gpt2",
    ),
    "no normalization of that name": (
        lambda t: text.BytePairTokenizer({b"a": 0}, [], normalization="NFD"),
        "normalization 'NFC' 'NFD'",
    ),
    "bytes that are missing": (
        lambda t: text.BytePairTokenizer({b"a": 0}, []),
        "the vocabulary lacks b'\\x00'",
    ),
    "no token for unknown words": (
        lambda t: text.WordPieceTokenizer({"a": 0}),
        "the vocabulary lacks '[UNK]'",
    ),
    "a character that is not known": (
        lambda t: text.CharacterTokenizer({"a": 0}).encode("ab"),
        "knows 1 characters 'b'",
    ),
    "no tokens": (lambda t: text.CharacterTokenizer.train([]), "must have tokens none"),
    "a length that is too short": (lambda t: text.pad([[1, 2]], length=1), "2 ids length=1"),
    "a side that is none": (lambda t: text.pad([[1]], side="top"), "'left' side='top'"),
}


@pytest.mark.parametrize(("use", "words"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_named(use, words):
    tokenizer = text.ByteTokenizer({"<a>": 300, "<b>": 301})
    with pytest.raises(ValueError) as caught:
        use(tokenizer)
    for word in words.split():
        assert word in str(caught.value)


@pytest.mark.parametrize("name", [*TRAINED])
def test_an_empty_text_has_no_ids(name):
    tokenizer = TRAINED[name]()
    assert tokenizer.encode("", add_special_tokens=False) == []
    assert tokenizer.decode([]) == "" and tokenizer.encode_batch([]) == []


def changed(*path, to):
    """GPT-2's small tokenizer.json with another value at a place."""
    return changed_of("gpt2", *path, to=to)


def changed_of(name, *path, to):
    content = copy.deepcopy(PEERS[name]["file"])
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return content


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False}
SPLIT = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
IN_ITSELF = {"type": "Sequence", "processors": [{"type": "Sequence", "processors": []}]}
TOKEN = {"id": 1, "content": "<a>"}
WRONG_FILES = {
    "no JSON": ("{", "JSON"),
    "no object": ([1], "object list"),
    "nested too deeply": ("[" * 100_000, "JSON"),
    "nested in an object": ('{"a":' * 100_000, "JSON"),
    "a number that is too long": ('{"model":' + "9" * 10_000 + "}", "JSON"),
    "no UTF-8": (b'{"a": "\xff"}', "UTF-8"),
    "empty": ("", "JSON"),
    "no model": ({}, "'model' object None"),
    "another model": ({"model": {"type": "Unigram"}}, "Unigram BPE WordPiece"),
    "a list for a name": ({"model": {"type": ["BPE"]}}, "['BPE'] BPE WordPiece"),
    "a vocabulary that is a list": (changed("model", "vocab", to=["a"]), "'vocab' object ['a']"),
    "an id that is text": (changed("model", "vocab", "a", to="7"), "integers '7' b'a'"),
    "an id that is true": (changed("model", "vocab", "a", to=True), "integers True b'a'"),
    "an id that is negative": (changed("model", "vocab", "a", to=-7), "integers 0 -7 b'a'"),
    "an id that no array holds": (changed("model", "vocab", "a", to=10**30), "integers 100000"),
    "an id that is there twice": (changed("model", "vocab", "a", to=50), "id 50 b'a'"),
    "a vocabulary without a byte": (changed("model", "vocab", to={"a": 1}), "lacks"),
    "merges that are missing": (changed("model", "merges", to=None), "'merges' list None"),
    "a merge of three": (changed("model", "merges", 2, to="a b c"), "merges 2 'a b c'"),
    "a merge of numbers": (changed("model", "merges", 2, to=[1, 2]), "merges 2 [1, 2]"),
    "a merge without its token": (changed("model", "merges", 2, to="a QQ"), "lacks b'QQ'"),
    "bytes that do not merge": (changed("model", "dropout", to=0.1), "dropout 0.1"),
    "sentencepiece": (changed("model", "byte_fallback", to=True), "byte_fallback True"),
    "a normalizer": (changed("normalizer", to={"type": "Lowercase"}), "NFC Lowercase"),
    "a pattern of its own": (
        changed("pre_tokenizer", to={"type": "Sequence", "pretokenizers": [SPLIT, BYTE_LEVEL]}),
        "pre_tokenizer gpt2 llama3 qwen2 (a+)+$",
    ),
    "a space before": (
        changed("pre_tokenizer", to={"type": "ByteLevel", "add_prefix_space": True}),
        "pre_tokenizer add_prefix_space off",
    ),
    "no words": (changed("pre_tokenizer", to=None), "pre_tokenizer ByteLevel"),
    "steps that are none": (
        changed("pre_tokenizer", to={"type": "Sequence", "pretokenizers": []}),
        "pre_tokenizer ByteLevel",
    ),
    "added tokens that are numbers": (changed("added_tokens", to=[7]), "added token object 7"),
    "an added token without text": (changed("added_tokens", to=[{"id": 7}]), "'content' text"),
    "an added token of whole words": (
        changed("added_tokens", to=[{**TOKEN, "single_word": True}]),
        "'<a>' single_word off",
    ),
    "an added token without an id of its own": (changed("added_tokens", to=[TOKEN]), "id 1 '<a>'"),
    "an added token that has another id": (
        changed("added_tokens", to=[{"id": 1000, "content": "a"}]),
        "'a' id 1000 model.vocab",
    ),
    "an empty added token": (
        changed("added_tokens", to=[{"id": 1000, "content": ""}]),
        "added token text ''",
    ),
    "two patterns, one after the other": (
        changed_of("llama3", "pre_tokenizer", "pretokenizers", 1, to=BYTE_LEVEL),
        "pre_tokenizer Split ByteLevel",
    ),
    "templates in templates": (
        changed("post_processor", to={"type": "Sequence", "processors": [IN_ITSELF]}),
        "post_processor Sequence",
    ),
    "an added token to be normalized": (
        changed_of("bert", "added_tokens", to=[{**TOKEN, "normalized": True}]),
        "'<a>' normalized off",
    ),
    "a template of another kind": (
        changed("post_processor", to={"type": "RobertaProcessing"}),
        "post_processor RobertaProcessing",
    ),
    "two templates": (
        changed("post_processor", to={"type": "Sequence", "processors": [TOKEN, TOKEN]}),
        "template one",
    ),
    "a template with parts of no kind": (
        changed("post_processor", to={"type": "TemplateProcessing", "single": [7], "pair": []}),
        "post_processor 7",
    ),
    "a special token that is missing": (
        changed_of("bert", "added_tokens", to=[]),
        "the template needs '[CLS]'",
    ),
    "other beginnings of pieces": (
        changed_of("bert", "model", "continuing_subword_prefix", to="@@"),
        "continuing_subword_prefix '##' '@@'",
    ),
    "a text that is not cleaned": (
        changed_of("bert", "normalizer", "clean_text", to=False),
        "clean_text True False",
    ),
    "capitals that may or may not": (
        changed_of("bert", "normalizer", "lowercase", to="yes"),
        "'lowercase' true or false 'yes'",
    ),
    "a length that is true": (
        changed_of("bert", "model", "max_input_chars_per_word", to=True),
        "'max_input_chars_per_word' integer True",
    ),
    "other words": (
        changed_of("bert", "pre_tokenizer", to={"type": "Whitespace"}),
        "pre_tokenizer BertPreTokenizer Whitespace",
    ),
    "words of a dictionary": (
        changed("model", to={"type": "WordLevel", "vocab": {"word": 0}}),
        "WordLevel character",
    ),
}


@pytest.mark.parametrize(("content", "words"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_what_is_wrong_with_a_tokenizer_json_is_named(content, words, tmp_path):
    path = write(tmp_path / "tokenizer.json", content)
    with pytest.raises(ValueError) as caught:
        text.load_tokenizer(tmp_path)
    for word in [str(path), *words.split()]:
        assert word in str(caught.value)


HOSTILE = st.sampled_from(
    [None, True, 0, -1, 10**30, 0.5, "", "a", "$A", [], [[]], {}, {"type": 7}]
)


def places(content, path=()):
    """The paths of all values inside plain data; of long lists and objects those of the first."""
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(inner)[:12]:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


@EVERY_PEER
@given(st.data())
def test_any_value_in_any_place_is_read_or_named(name, drawn):
    path = drawn.draw(st.sampled_from([*places(PEERS[name]["file"])]))
    content = changed_of(name, *path, to=drawn.draw(HOSTILE))
    try:
        tokenizer = reading.read(content)
    except ValueError:
        return
    tokenizer.encode("a text")
    tokenizer.encode_pair("a", "b")


def test_a_huge_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 1000)
    for name in ("tokenizer.json", "vocab.json", "vocab.txt"):
        path = write(tmp_path / name, "a" * 1001)
        with pytest.raises(ValueError, match=f"{name} is too large .* 1,001 bytes"):
            text.load_tokenizer(path)


def test_a_place_without_a_tokenizer_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=f"no tokenizer in .*{tmp_path.name}.*tokenizer.json"
    ):
        text.load_tokenizer(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no file .*nowhere"):
        text.load_tokenizer(tmp_path / "nowhere")
    write(tmp_path / "vocab.json", {"a": 0})
    with pytest.raises(FileNotFoundError, match="merges.txt"):
        text.load_tokenizer(tmp_path)


WRONG_MERGES = {
    "of another vocabulary": ("#version: 0.2\nQ Z\n", "vocab.json merges.txt lacks b'QZ'"),
    "of three": ("#version: 0.2\nt h\na b c\n", "merges.txt, line 3 'a b c'"),
    "of one": ("a\n", "merges.txt, line 1 'a'"),
    "no text": (b"\xff\xfe", "merges.txt UTF-8"),
}


@pytest.mark.parametrize(("content", "words"), WRONG_MERGES.values(), ids=WRONG_MERGES)
def test_merges_that_do_not_fit_are_named(content, words, tmp_path):
    text.save_vocabulary(TRAINED["byte pairs"](), tmp_path)
    write(tmp_path / "merges.txt", content)
    with pytest.raises(ValueError) as caught:
        text.load_tokenizer(tmp_path)
    for word in words.split():
        assert word in str(caught.value)


WRONG_VOCABULARIES = {
    "a token twice": ("[UNK]\na\nb\na\n", {}, "vocab.txt 'a' twice"),
    "no unknown token": ("a\nb\n", {}, "vocab.txt lacks '[UNK]'"),
    "empty": ("", {}, "vocab.txt lacks '[UNK]'"),
    "no UTF-8": (b"[UNK]\n\xff\n", {}, "vocab.txt UTF-8"),
    "capitals that may or may not": (
        "[UNK]\n",
        {"do_lower_case": "yes"},
        "vocab.txt 'do_lower_case' true or false 'yes'",
    ),
    "options that are a list": ("[UNK]\n", [], "tokenizer_config.json object list"),
}


@pytest.mark.parametrize(
    ("content", "config", "words"), WRONG_VOCABULARIES.values(), ids=WRONG_VOCABULARIES
)
def test_what_is_wrong_with_a_vocab_txt_is_named(content, config, words, tmp_path):
    write(tmp_path / "vocab.txt", content)
    write(tmp_path / "tokenizer_config.json", config)
    with pytest.raises(ValueError) as caught:
        text.load_tokenizer(tmp_path)
    for word in words.split():
        assert word in str(caught.value)
