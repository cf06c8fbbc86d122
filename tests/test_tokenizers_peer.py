"""Tokenizers beside Hugging Face's on thousands of fuzzed texts. Needs their package, `tokenizers`.

`make test` installs it. Without it the golden file holds the tokenizers, on fewer texts.
"""

import json
import os

import pytest

from minigrad import text
from minigrad.text import reading, unicode_8
from minigrad.text.bert_words import CleanCharacters, split_words
from tests.golden import make_tokenizers
from tests.test_tokenizers import TRAINED
from tests.tokenizer_texts import MEANT, PROSE, alphabets, fuzzed

tokenizers = pytest.importorskip("tokenizers")

TEXTS = [*MEANT, *fuzzed(10_000)]
FEWER = TEXTS[:2000]
CORPUS = [*PROSE, *fuzzed(1000, seed=1)]
PEERS = make_tokenizers.peers(CORPUS, size=2000)
EVERY_PEER = pytest.mark.parametrize("name", PEERS)


def differing(tokenizer, peer, texts=TEXTS):
    """The texts whose ids are not equal, as they can be read in a report."""
    found = zip(texts, tokenizer.encode_batch(texts), make_tokenizers.ids_of(peer, texts))
    return [ascii(written) for written, ids, theirs in found if ids != theirs]


def read_by_the_peer(tokenizer, folder):
    tokenizer.save(folder)
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.mark.data
def test_ids_of_gpt2_s_own_vocabulary_are_equal():
    if not os.environ.get("MINIGRAD_DATA"):
        pytest.skip("MINIGRAD_DATA is not set: it should name a folder with GPT-2's vocab.json")
    ours = text.load_tokenizer(make_tokenizers.gpt2_files()[0])
    assert differing(ours, make_tokenizers.of_gpt2()) == []


@EVERY_PEER
def test_ids_of_their_file_are_equal(name):
    file = json.loads(PEERS[name].to_str())
    assert differing(reading.read(file), PEERS[name]) == []


@pytest.mark.parametrize("name", TRAINED)
def test_they_read_our_file_and_give_equal_ids(name, tmp_path):
    ours = TRAINED[name]()
    if name == "characters":
        ours = text.CharacterTokenizer.train(FEWER, ["<|endoftext|>"])
    assert differing(ours, read_by_the_peer(ours, tmp_path), FEWER) == []


@EVERY_PEER
def test_their_texts_come_back_the_same(name):
    peer = PEERS[name]
    ours = reading.read(json.loads(peer.to_str()))
    for ids in make_tokenizers.ids_of(peer, FEWER):
        expected = peer.decode(ids, skip_special_tokens=False)
        assert ours.decode(ids) == expected


@pytest.mark.parametrize("name", ["gpt2", "llama3"])
def test_training_gives_equal_merges(name):
    ours = text.BytePairTokenizer.train(CORPUS, 2000, ["<|endoftext|>"], pattern=name)
    file = json.loads(PEERS[name].to_str())
    assert ours.merges == reading.read(file).merges


@pytest.mark.parametrize("length", range(3, 30))
def test_pairs_are_cut_as_theirs(length):
    peer = tokenizers.Tokenizer.from_str(PEERS["bert"].to_str())
    ours = reading.read(json.loads(peer.to_str()))
    peer.enable_truncation(length)
    for pair in zip(MEANT, reversed(MEANT)):
        theirs = peer.encode(*pair)
        assert ours.encode_pair(*pair, max_length=length) == (theirs.ids, theirs.type_ids)
        assert ours.encode(pair[0], max_length=length) == peer.encode(pair[0]).ids


@pytest.mark.parametrize("lower_case", [True, False])
def test_every_character_is_cleaned_as_theirs(lower_case):
    normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lower_case)
    every = "|".join(alphabets()[0])
    found = every.translate(CleanCharacters(lower_case, strip_accents=lower_case)).split("|")
    expected = normalizer.normalize_str(every).split("|")
    assert [*zip(alphabets()[0], found)] == [*zip(alphabets()[0], expected)]


def test_every_character_parts_words_as_theirs():
    every = " ".join(f"a{character}b" for character in alphabets()[0])
    pieces = tokenizers.pre_tokenizers.BertPreTokenizer().pre_tokenize_str(every)
    assert split_words(every) == [piece for piece, _ in pieces]


def test_every_character_is_composed_as_theirs():
    normalizer = tokenizers.normalizers.NFC()
    every = "|".join(f"{character}\u0327{character}e\u0301" for character in alphabets()[1])
    assert unicode_8.normalize("NFC", every) == normalizer.normalize_str(every)
