"""Tokenizers: ids equal those of Hugging Face's, any text and any bytes come back."""

import itertools
import json
import os
import unicodedata
import weakref
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import text
from minigrad.text import (
    byte_level,
    byte_pairs,
    pair_training,
    patterns,
    reading,
    unicode_8,
    word_cache,
)
from minigrad.text.templates import cut
from tests.golden import make_tokenizers
from tests.tokenizer_texts import MEANT, PROSE, alphabets, fuzzed

GOLDEN = json.loads(make_tokenizers.FILE.read_text(encoding="ascii"))
PEERS = GOLDEN["tokenizers"]
BYTE_PAIRS = [name for name in PEERS if not name.startswith("bert")]
EVERY_PEER = pytest.mark.parametrize("name", PEERS)


def ours(name):
    """Our tokenizer, read from their file."""
    return reading.read(PEERS[name]["file"])


TRAINED = {
    "bytes": lambda: text.ByteTokenizer(["<|endoftext|>"]),
    "byte pairs": lambda: text.BytePairTokenizer.train(PROSE, 300, ["<|endoftext|>"]),
    "llama3": lambda: text.BytePairTokenizer.train(PROSE, 300, ["<|endoftext|>"], "llama3"),
    "word pieces": lambda: text.WordPieceTokenizer.train(PROSE, 500),
    "characters": lambda: text.CharacterTokenizer.train([*MEANT, *fuzzed(60)], ["<|endoftext|>"]),
}
EVERY_TRAINED = pytest.mark.parametrize("name", TRAINED)

# ---- The same ids --------------------------------------------------------------------------------


@EVERY_PEER
def test_ids_are_those_of_the_peer(name):
    assert ours(name).encode_batch(GOLDEN["texts"]) == PEERS[name]["ids"]


@EVERY_PEER
def test_pairs_have_the_ids_and_segments_of_the_peer(name):
    tokenizer = ours(name)
    found = [list(tokenizer.encode_pair(*pair)) for pair in GOLDEN["pairs"]]
    assert found == PEERS[name]["pairs"]


@pytest.mark.data
def test_ids_of_gpt2_s_own_vocabulary_are_those_of_the_peer():
    if not os.environ.get("MINIGRAD_DATA"):
        pytest.skip("MINIGRAD_DATA is not set: it should name a folder with GPT-2's vocab.json")
    tokenizer = text.load_tokenizer(make_tokenizers.gpt2_files()[0])
    assert tokenizer.encode_batch(GOLDEN["texts"]) == GOLDEN["gpt2_vocabulary"]
    assert tokenizer.vocabulary_size == 50257
    assert tokenizer.special_tokens == {"<|endoftext|>": 50256}


@pytest.mark.parametrize("name", ["gpt2", "llama3"])
def test_training_gives_the_tokens_and_merges_of_the_peer(name):
    tokenizer = text.BytePairTokenizer.train(PROSE, 400, ["<|endoftext|>"], pattern=name)
    assert tokenizer.merges == ours(name).merges
    assert tokenizer.tokens == ours(name).tokens


# ---- Byte pairs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", patterns.PATTERNS)
def test_words_are_all_of_a_text(name):
    for written in [*MEANT, *fuzzed(300, seed=1)]:
        assert "".join(patterns.split_words(name, written)) == written


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpt2", ["I", "'ll", " pay", " 1234", ",", "\u2003", "don", "'T", "   ", " 深度", "。"]),
        (
            "llama3",
            ["I", "'ll", " pay", " ", "123", "4", ",", "\u2003don", "'T", "   ", " 深度", "。"],
        ),
        ("qwen2", [*"I", "'ll", " pay", *" 1234,", "\u2003don", "'T", "   ", " 深度", "。"]),
    ],
)
def test_words_of_each_pattern(name, words):
    if name == "gpt2":
        words[words.index("'T") : words.index("'T") + 1] = ["'", "T"]
    assert patterns.split_words(name, "I'll pay 1234,\u2003don'T    深度。") == words


def test_control_characters_are_no_white_space_though_python_says_so():
    assert patterns.split_words("gpt2", "!\x1c\x1f!\x85 !") == ["!\x1c\x1f!", "\x85", " !"]


def merge_step_by_step(ids, ranks):
    """What `merge` promises, by its definition."""
    ids = list(ids)
    while known := [
        (ranks[pair][0], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks
    ]:
        i = min(known)[1]
        ids[i : i + 2] = [ranks[ids[i], ids[i + 1]][1]]
    return ids


@given(st.data())
def test_the_pair_of_lowest_rank_is_merged_first_and_of_equals_the_leftmost(drawn):
    pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12, unique=True)
    ranks = {pair: (rank, 3 + rank % 5) for rank, pair in enumerate(drawn.draw(pairs))}
    ids = drawn.draw(st.lists(st.integers(0, 3), max_size=30))
    assert byte_pairs.merge(ids, ranks) == merge_step_by_step(ids, ranks)


def test_a_word_of_a_hundred_thousand_letters_is_encoded_at_once():
    """In n log n steps: with n² it would take minutes."""
    assert len(ours("gpt2").encode("ab" * 50_000)) <= 100_000


def test_a_token_that_merges_do_not_reach_is_found_whole_if_asked():
    tokens = {bytes([value]): value for value in range(256)} | {b"ab": 256, b"abc": 257}
    merges = [(b"a", b"b")]
    assert text.BytePairTokenizer(tokens, merges).encode("abc") == [256, 99]
    assert text.BytePairTokenizer(tokens, merges, whole_words=True).encode("abc") == [257]


def test_words_are_forgotten_once_they_are_many(monkeypatch):
    monkeypatch.setattr(word_cache, "LARGEST", 3)
    cache = word_cache.WordCache(len)
    assert [cache[word] for word in ("a", "bb", "ccc", "a", "dddd", "a")] == [1, 2, 3, 1, 4, 1]
    assert cache["e" * 100] == 100 and cache == {"dddd": 4, "a": 1}


def test_bytes_are_printed_as_in_gpt2_s_files():
    assert byte_level.to_characters(b" the\n\x00\xff\xad\x7f") == "ĠtheĊĀÿŃġ"
    every = bytes(range(256))
    assert byte_level.to_bytes(byte_level.to_characters(every)) == every
    assert byte_level.to_bytes("é b") == "é b".encode()


# ---- Training ------------------------------------------------------------------------------------


def merges_by_counting(tokens, words, size):
    """What `learn_merges` promises, counted anew for each merge."""
    words, merges = [(list(word), count) for word, count in words], []
    while len(tokens) < size:
        counts = Counter()
        for word, count in words:
            for pair in zip(word, word[1:]):
                counts[pair] += count
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        left, right = tokens[pair[0]], tokens[pair[1]]
        merges.append((left, right))
        assert left + right not in tokens
        tokens.append(left + right)
        rank = {pair: (0, len(tokens) - 1)}
        words = [(merge_step_by_step(word, rank), count) for word, count in words]
    return merges


@given(st.lists(st.tuples(st.lists(st.integers(0, 2), max_size=12), st.integers(1, 4)), max_size=8))
def test_each_merge_is_of_the_most_frequent_pair_and_of_equals_the_first(words):
    found, expected = list("abc"), list("abc")
    merges = pair_training.learn_merges(found, words, 20)
    assert merges == merges_by_counting(expected, words, 20)
    assert found == expected


def test_training_ends_where_there_is_nothing_to_merge():
    tokenizer = text.BytePairTokenizer.train(["ab ab c"], 5000, ["<end>"])
    assert tokenizer.merges == [(b"a", b"b"), (b" ", b"c"), (b" ", b"ab")]
    assert tokenizer.vocabulary_size == 1 + 256 + 3
    assert text.BytePairTokenizer.train([], 300).vocabulary_size == 256


def test_special_tokens_come_first_and_bytes_in_gpt2_s_order():
    tokenizer = text.BytePairTokenizer.train(PROSE, 300, ["<a>", "<b>"])
    assert tokenizer.special_tokens == {"<a>": 0, "<b>": 1}
    assert tokenizer.encode("!~\xa1")[:2] == [2, 2 + 93]
    assert tokenizer.vocabulary_size == 300


def test_the_most_frequent_characters_are_known_where_not_all_have_room():
    tokenizer = text.WordPieceTokenizer.train(["aa aa aa bb cc cc"], 7, ["[UNK]"])
    assert tokenizer.tokens.keys() == {"[UNK]", "##a", "##c", "a", "c", "##b", "b"}
    tokenizer = text.WordPieceTokenizer.train(["aa aa aa bb cc cc"], 5, ["[UNK]"])
    assert tokenizer.encode_batch(["aa", "bb"]) == [[3, 1], [0]]


# ---- The way back --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bytes", "byte pairs", "llama3"])
def test_any_bytes_come_back(name):
    tokenizer = TRAINED[name]()

    @given(st.binary(max_size=60))
    def comes_back(data):
        assert tokenizer.decode_bytes(tokenizer.encode_bytes(data)) == data

    comes_back()
    every = bytes(itertools.chain(*itertools.permutations(range(0, 256, 51), 3), range(256)))
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(every)) == every


@pytest.mark.parametrize("name", ["bytes", "byte pairs", "llama3", "characters"])
def test_any_text_comes_back(name):
    tokenizer = TRAINED[name]()
    for written in [*MEANT, *fuzzed(60)]:
        assert tokenizer.decode(tokenizer.encode(written)) == written


def test_words_come_back_with_one_space_between_them():
    tokenizer = text.WordPieceTokenizer.train(["Éa b, 中文"], 60)
    ids = tokenizer.encode("Éa   b,\n中文")
    assert tokenizer.decode(ids) == "[CLS] ea b , 中 文 [SEP]"
    assert tokenizer.decode(ids, skip_special_tokens=True) == "ea b , 中 文"


@EVERY_TRAINED
def test_a_stream_is_what_is_decoded_at_once_and_never_half_a_character(name):
    tokenizer = TRAINED[name]()
    for written in MEANT:
        ids, decoder = tokenizer.encode(written), text.StreamDecoder(tokenizer)
        parts = [decoder.add(id) for id in ids]
        assert decoder.end() == ""
        assert "".join(parts) == tokenizer.decode(ids)
        assert written.count("\ufffd") >= sum(part.count("\ufffd") for part in parts)


def test_chinese_characters_are_streamed_with_their_last_byte():
    decoder = text.StreamDecoder(text.ByteTokenizer())
    assert [decoder.add(id) for id in "深é".encode()] == ["", "", "深", "", "é"]


def test_bytes_that_are_no_text_are_marked_in_a_stream_too():
    tokenizer = text.ByteTokenizer()
    for ids in ([0xE4, 0xB8, 0x41], [0xFF, 0xE4], [0x80, 0xF0, 0x9F, 0x98]):
        decoder = text.StreamDecoder(tokenizer)
        parts = [decoder.add(id) for id in ids]
        assert "".join([*parts, decoder.end()]) == tokenizer.decode(ids)


# ---- Special tokens and templates ----------------------------------------------------------------


def test_the_longest_special_token_wins_and_is_no_text():
    tokenizer = text.ByteTokenizer(["<a>", "<a><b>"])
    assert tokenizer.encode("x<a><b><a>") == [120, 257, 256]
    assert tokenizer.decode([120, 257, 256]) == "x<a><b><a>"
    assert tokenizer.decode([120, 257, 256], skip_special_tokens=True) == "x"


def test_an_added_token_is_whole_and_is_text():
    tokenizer = text.ByteTokenizer({}, added_tokens={"abc": 300})
    assert tokenizer.encode("xabcab") == [120, 300, 97, 98]
    assert tokenizer.decode([300], skip_special_tokens=True) == "abc"
    assert tokenizer.vocabulary_size == 301


def test_a_template_may_be_left_out():
    tokenizer = ours("bert")
    whole, bare = tokenizer.encode("a b"), tokenizer.encode("a b", add_special_tokens=False)
    special = tokenizer.special_tokens
    assert whole == [special["[CLS]"], *bare, special["[SEP]"]]


def test_texts_are_cut_to_a_length_with_their_template():
    tokenizer = ours("bert")
    whole = tokenizer.encode("a token a token")
    assert tokenizer.encode("a token a token", max_length=4) == [*whole[:3], whole[-1]]
    assert tokenizer.encode("a token a token", max_length=len(whole)) == whole
    ids, segments = tokenizer.encode_pair("a a a a a", "a a", max_length=8)
    assert len(ids) == 8 and segments == [0, 0, 0, 0, 0, 1, 1, 1]


def test_of_two_texts_the_longer_is_cut():
    assert cut(["abc", "defgh"], 5) == ["ab", "def"]
    assert cut(["abcde", "fgh"], 5) == ["abc", "fg"]
    assert cut(["a", "bcdef"], 4) == ["a", "bcd"]
    assert cut(["a", "bc"], 9) == ["a", "bc"] and cut(["ab", "c"], 0) == ["", ""]


def test_sequences_are_filled_up_on_either_side():
    ids, mask = text.pad([[1, 2], [], [3]], length=3, fill=9)
    assert ids.tolist() == [[1, 2, 9], [9, 9, 9], [3, 9, 9]]
    assert mask.tolist() == [[True, True, False], [False] * 3, [True, False, False]]
    ids, mask = text.pad([[1, 2], [3]], side="left")
    assert ids.tolist() == [[1, 2], [0, 3]] and mask.tolist() == [[True, True], [False, True]]


# ---- WordPiece -----------------------------------------------------------------------------------


def test_pieces_are_the_longest_that_are_known():
    names = ["[UNK]", "un", "una", "##able", "##a", "##ble", "un##"]
    tokenizer = text.WordPieceTokenizer({name: id for id, name in enumerate(names)})
    assert tokenizer.encode_batch(["unable", "unaable", "unx", ""]) == [[2, 5], [2, 3], [0], []]


def test_a_very_long_word_is_unknown():
    tokenizer = text.WordPieceTokenizer({"[UNK]": 0, "a": 1, "##a": 2})
    assert tokenizer.encode("a" * 100) == [1, *[2] * 99]
    assert tokenizer.encode("a" * 101) == [0]


@pytest.mark.parametrize(
    ("options", "written", "words"),
    [
        ({}, "Ünïcode’s  $5.", "unicode ’ s $ 5 ."),
        ({"strip_accents": False}, "ÜB", "üb"),
        ({"lower_case": False}, "ÜB", "ÜB"),
        ({"lower_case": False, "strip_accents": True}, "ÜB", "UB"),
        ({}, "a\x00\u200bb\ufffd c\td", "ab c d"),
        ({}, "ΣΑΣ 中国a", "σασ 中 国 a"),
    ],
    ids=["all", "accents", "cased", "cased without accents", "invisible", "letters"],
)
def test_text_is_cleaned_as_the_options_say(options, written, words):
    tokens = {name: id for id, name in enumerate(["[UNK]", *words.split()])}
    tokenizer = text.WordPieceTokenizer(tokens, **options)
    assert tokenizer.encode(written) == [tokens[word] for word in words.split()]


def test_bert_s_template_is_there_without_asking():
    tokenizer = text.WordPieceTokenizer.train(["a b"], 20)
    assert tokenizer.decode(tokenizer.encode_pair("a", "b")[0]) == "[CLS] a [SEP] b [SEP]"


def test_marks_and_punctuation_are_those_of_unicode_8():
    """Python knows Unicode 3.2, too: what was a mark then and is one now was one in between."""
    then, now = unicodedata.ucd_3_2_0.category, unicodedata.category
    symbols = set(map(ord, "$+<=>^`|~"))  # that BERT takes for punctuation
    for character in alphabets()[1]:
        number, category = ord(character), now(character)
        if then(character) == category:
            assert (number in unicode_8.NONSPACING_MARKS) == (category == "Mn")
            assert (number in unicode_8.PUNCTUATION - symbols) == (category[0] == "P")
            if character not in "\t\n\r\ufffd":
                assert (number in unicode_8.INVISIBLE) == (category in ("Cc", "Cf"))
    tables = unicode_8.NONSPACING_MARKS, unicode_8.PUNCTUATION, unicode_8.INVISIBLE
    assert [*map(len, tables)] == [1567, 726, 213]


# ---- Texts of all kinds --------------------------------------------------------------------------


def test_fuzzed_texts_have_what_is_hard():
    written = "".join(fuzzed(300))
    every, _, chinese, emoji, *_ = alphabets()
    assert len(every) > 280_000
    for kind in (chinese, emoji, "\u0301\u0323", "\u200d", "\n"):
        assert set(kind) & set(written)
    assert list(fuzzed(5)) == list(fuzzed(5)) != list(fuzzed(5, seed=1))


def test_characters_are_learned_text_by_text():
    class Piece(str):  # which, other than str, can be watched
        pass

    alive = weakref.WeakSet()

    def pieces():
        for i in range(20):
            piece = Piece(chr(97 + i))
            alive.add(piece)
            yield piece
            assert len(alive) <= 3

    assert text.CharacterTokenizer.train(pieces()).vocabulary_size == 20
