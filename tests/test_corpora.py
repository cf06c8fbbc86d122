"""Corpora are divided without overlap and read piece by piece; their tokens are never stale."""

import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import data
from minigrad.data import corpora, token_file


class Bytes:
    """A tokenizer: every byte is a token, moved by `shift`."""

    def __init__(self, shift=0, vocabulary_size=256, special_tokens=None):
        self.shift = shift
        self.vocabulary_size = vocabulary_size
        self.special_tokens = special_tokens or {}
        self.encoded = []

    def encode_ordinary(self, text):
        self.encoded.append(text)
        return [byte + self.shift for byte in text.encode()]

    def save(self, folder):
        Path(folder, "shift.txt").write_text(f"{self.shift} {self.special_tokens}")


def write(folder, **texts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in texts.items():
        (folder / f"{name}.txt").write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
    return folder


def read(text):
    return ["".join(document.pieces()) for document in text.documents]


# ---- Corpora -------------------------------------------------------------------------------------


def test_a_file_is_cut_between_two_characters_near_the_share_and_nothing_is_lost(tmp_path):
    content = "语言模型, ça va? " * 40
    file = write(tmp_path, one=content) / "one.txt"
    for place in range(440, 462):  # every byte of one repetition
        validation = 1 - place / 880
        train, rest = (read(part) for part in data.corpus(file, validation)[1:])
        assert "".join(train + rest) == content
        size = len(content.encode())
        assert size == 880 and 0 <= len(train[0].encode()) - int(size * (1 - validation)) < 4


def test_a_folder_is_divided_by_file(tmp_path):
    texts = {f"file{i}": f"text number {i}\n" for i in range(20)}
    write(tmp_path, **texts)
    train, validation = data.corpus(tmp_path, 0.1)[1:]
    assert len(validation.documents) == 2
    assert sorted(read(train) + read(validation)) == sorted(texts.values())
    again = data.corpus(str(tmp_path), 0.1)
    assert read(again.validation) == read(validation)
    others = {tuple(read(data.corpus(tmp_path, 0.1, seed).validation)) for seed in range(5)}
    assert len(others) > 1


def test_of_two_files_one_validates_and_one_file_alone_is_cut(tmp_path):
    write(tmp_path / "two", a="first", b="second")
    assert [len(part.documents) for part in data.corpus(tmp_path / "two")[1:]] == [1, 1]
    write(tmp_path / "one", a="0123456789")
    assert [read(part) for part in data.corpus(tmp_path / "one")[1:]] == [["012345678"], ["9"]]


def test_hidden_and_empty_files_are_passed_over(tmp_path):
    write(tmp_path, a="one", b="two", c="")
    write(tmp_path / ".git", d="three")
    (tmp_path / ".hidden").write_text("four")
    train, validation = data.corpus(tmp_path)[1:]
    assert sorted(read(train) + read(validation)) == ["one", "two"]


def test_the_standard_library_and_shakespeare_have_names(monkeypatch):
    monkeypatch.setattr(
        corpora, "python_source", lambda validation, seed: ({"a.py": "é = 1\n"}, {"b.py": "b"})
    )
    corpus = data.corpus("python")
    assert [read(part) for part in corpus[1:]] == [["é = 1\n"], ["b"]]
    assert corpus.train.size == 7
    monkeypatch.setattr(data.tiny_shakespeare, "load_data", lambda: "To be, or not to be" * 100)
    train, validation = data.corpus("shakespeare")[1:]
    assert train.size == 1710 and validation.size == 190


def test_pieces_end_with_lines_and_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "PIECE", 64)
    lines = [f"line {i}: {'字' * (i % 9)}\n" for i in range(40)]
    file = write(tmp_path, text="".join(lines)) / "text.txt"
    [document] = data.corpus(file, 0.02).train.documents
    pieces = list(document.pieces())
    assert len(pieces) > 10
    assert all(piece.endswith("\n") for piece in pieces[:-1])
    assert "".join(lines).startswith("".join(pieces))


@given(st.text(min_size=40, max_size=200), st.integers(4, 9))
def test_pieces_of_any_text_are_whole_characters(content, piece):
    document = corpora.Document("text", content.encode(), 0, len(content.encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpora, "PIECE", piece)
        assert "".join(document.pieces()) == content


def test_a_sample_comes_from_everywhere_and_has_about_the_size():
    documents = [corpora.Document(str(i), b"%06d" % i, 0, 6) for i in range(1000)]
    text = data.Text(documents)
    numbers = [int(piece) for piece in text.sample(600)]
    assert 95 <= len(numbers) <= 105
    assert max(np.diff(numbers)) <= 12 and numbers[0] < 12 and numbers[-1] > 985
    assert len(list(text.sample(10**9))) == 1000


def test_a_digest_tells_texts_and_where_documents_end():
    def digest(*contents):
        documents = [corpora.Document("", content, 0, len(content)) for content in contents]
        return data.Text(documents).digest()

    assert digest(b"ab", b"c") == digest(b"ab", b"c")
    assert len({digest(b"ab", b"c"), digest(b"a", b"bc"), digest(b"abc"), digest(b"ab", b"d")}) == 4


def test_compressed_sizes_are_those_of_gzip_and_xz():
    content = b"the quick brown fox " * 300 + bytes(range(256))
    text = data.Text(
        [corpora.Document("", content, 0, 3000), corpora.Document("", content, 3000, 6256)]
    )
    sizes = text.compressed()
    assert sizes["gzip"] == len(gzip.compress(content, 9))
    assert sizes["xz"] == len(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


# ---- What cannot be learned from -----------------------------------------------------------------


def test_what_is_no_utf_8_is_named_with_its_place(tmp_path):
    write(tmp_path, good="fine", bad="naïve ".encode() + "café".encode("latin-1") + b" and more")
    corpus = data.corpus(tmp_path)
    with pytest.raises(ValueError, match=r"bad\.txt is not UTF-8 text: byte 10 \(0xe9\)"):
        read(corpus.train), read(corpus.validation)


@pytest.mark.parametrize("validation", [0.1, 0.5])
def test_a_file_that_is_no_utf_8_anywhere_is_named(tmp_path, validation):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n" + bytes(range(128, 256)))
    with pytest.raises(ValueError, match="picture.png is not UTF-8"):
        [read(part) for part in data.corpus(tmp_path / "picture.png", validation)[1:]]


@pytest.mark.parametrize(
    "name, error, culprit",
    [
        ("nowhere", FileNotFoundError, "'python', 'shakespeare'.*nowhere"),
        ("empty.txt", ValueError, "empty.txt is empty"),
        ("folder", ValueError, "folder has no file with text"),
        ("short.txt", ValueError, "short.txt has 1 bytes, too few"),
    ],
)
def test_where_there_is_no_text_the_error_names_the_place(tmp_path, name, error, culprit):
    write(tmp_path, empty="", short="x")
    write(tmp_path / "folder", a="")
    with pytest.raises(error, match=culprit):
        data.corpus(tmp_path / name)


# ---- Token files ---------------------------------------------------------------------------------


@pytest.fixture
def text(tmp_path):
    write(tmp_path / "texts", a="alpha\n", b="beta\n", c="gamma\n")
    return data.corpus(tmp_path / "texts").train


def test_tokens_are_those_of_the_tokenizer_and_lie_in_a_file_that_is_mapped(tmp_path, text):
    tokens = data.tokens_of(text, Bytes(), tmp_path / "tokens")
    assert bytes(tokens.astype("uint8")).decode() == "".join(read(text))
    assert isinstance(tokens, np.memmap) and not tokens.flags.writeable
    assert tokens.dtype == "uint16" and tokens.nbytes == 2 * text.size


def test_large_vocabularies_take_four_bytes(tmp_path, text):
    tokenizer = Bytes(shift=1 << 20, vocabulary_size=1 << 21)
    tokens = data.tokens_of(text, tokenizer, tmp_path / "tokens")
    assert tokens.dtype == "uint32" and tokens[0] == (1 << 20) + ord(read(text)[0][0])
    for size, itemsize in ((1 << 16, 2), ((1 << 16) + 1, 4)):
        tokenizer = Bytes(vocabulary_size=size)
        assert data.tokens_of(text, tokenizer, tmp_path / str(size)).itemsize == itemsize


def test_each_document_ends_with_the_token_for_that(tmp_path, text):
    tokenizer = Bytes(vocabulary_size=300, special_tokens={"[SEP]": 299})
    tokens = data.tokens_of(text, tokenizer, tmp_path / "tokens", end="[SEP]")
    ends = np.flatnonzero(tokens == 299)
    assert list(ends) == list(np.cumsum([len(document) + 1 for document in read(text)]) - 1)


def test_a_file_is_used_again_only_for_the_same_text_and_tokenizer(tmp_path, text):
    path = tmp_path / "tokens"
    data.tokens_of(text, Bytes(), path)
    again = Bytes()
    data.tokens_of(text, again, path)
    assert not again.encoded

    moved = data.tokens_of(text, Bytes(shift=1), path)
    assert moved[0] == ord(read(text)[0][0]) + 1
    assert (
        len(data.tokens_of(text, Bytes(shift=1, special_tokens={"|": 299}), path, "|")) > text.size
    )
    other = data.Text(text.documents[:1])
    assert len(data.tokens_of(other, Bytes(shift=1), path)) == other.size


@pytest.mark.parametrize("damage", ["shorter", "header", "empty", "other"])
def test_a_damaged_file_is_written_anew(tmp_path, text, damage):
    path = tmp_path / "tokens"
    expected = np.array(data.tokens_of(text, Bytes(), path))
    content = path.read_bytes()
    path.write_bytes(
        {"shorter": content[:-1], "header": b"{" + content, "empty": b"", "other": b"[1]"}[damage]
    )
    np.testing.assert_array_equal(data.tokens_of(text, Bytes(), path), expected)


def test_an_interrupted_writer_leaves_no_file(tmp_path, text):
    class Failing(Bytes):
        def encode_ordinary(self, text):
            if self.encoded:
                raise KeyboardInterrupt
            return super().encode_ordinary(text)

    with pytest.raises(KeyboardInterrupt):
        data.tokens_of(text, Failing(), tmp_path / "tokens")
    assert [path.name for path in tmp_path.iterdir()] == ["texts"]


def test_a_file_larger_than_its_pieces_is_never_in_memory_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "PIECE", 1000)
    file = write(tmp_path, long="a line of text\n" * 10_000) / "long.txt"
    tokenizer = Bytes()
    tokens = data.tokens_of(data.corpus(file).train, tokenizer, tmp_path / "tokens")
    assert max(map(len, tokenizer.encoded)) <= 1015
    assert len(tokens) == 135_000


# ---- Windows -------------------------------------------------------------------------------------


def test_random_windows_are_stretches_of_the_text_from_its_first_to_its_last_token():
    tokens = np.arange(100, 120, dtype="uint16")
    windows = data.random_windows(tokens, 400, 5, np.random.default_rng(0))
    assert windows.shape == (400, 5) and windows.dtype == "int64"
    assert (np.diff(windows, axis=1) == 1).all()
    assert windows.min() == 100 and windows.max() == 119


@pytest.mark.parametrize("length", [5, 6, 16, 17, 18, 40])
@pytest.mark.parametrize("overlap", [0, 1, 2])
def test_all_windows_have_every_token_once_but_for_the_overlap(length, overlap):
    tokens = np.arange(length)
    batches = list(data.all_windows(tokens, 3, 5, overlap))
    windows = [window for batch in batches for window in batch]
    assert all(len(batch) <= 3 for batch in batches)
    assert list(windows[0]) + [i for w in windows[1:] for i in w[overlap:]] == list(tokens)
    assert all(
        list(a[len(a) - overlap :]) == list(b[:overlap]) for a, b in zip(windows, windows[1:])
    )


def test_spaced_windows_come_from_everywhere():
    windows = np.concatenate(list(data.spaced_windows(np.arange(1000), 3, 10, 70)))
    assert windows.shape == (7, 10)
    assert windows[0, 0] == 0 and windows[-1, -1] == 999
    assert len(np.concatenate(list(data.spaced_windows(np.arange(10), 3, 10, 1)))) == 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda tokens: data.random_windows(tokens, 2, 5, np.random.default_rng(0)),
        lambda tokens: list(data.all_windows(tokens, 2, 5, 1)),
        lambda tokens: list(data.spaced_windows(tokens, 2, 5, 5)),
    ],
)
def test_a_text_smaller_than_one_window_is_named(draw):
    with pytest.raises(ValueError, match="smaller than one context: a window has 5.*4 tokens"):
        draw(np.arange(4))
    draw(np.arange(5))


def test_of_the_hidden_tokens_8_in_10_are_masked_1_is_random_and_1_stays():
    ids = np.full((200, 100), 7)
    others = np.arange(50, 60)
    seen, chosen = data.hide_tokens(ids, 0.15, 3, others, np.random.default_rng(0))
    assert (seen[~chosen] == 7).all()
    assert chosen.mean() == pytest.approx(0.15, abs=0.01)
    shares = [np.mean(np.isin(seen[chosen], which)) for which in ([3], others, [7])]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    assert (ids == 7).all()


def test_one_token_at_least_is_hidden():
    for seed in range(20):
        generator = np.random.default_rng(seed)
        _, chosen = data.hide_tokens(np.zeros((1, 2), int), 1e-9, 1, np.array([1]), generator)
        assert chosen.sum() == 1


def test_the_header_says_what_a_file_is_and_fits(tmp_path, text):
    data.tokens_of(text, Bytes(), tmp_path / "tokens")
    header = (tmp_path / "tokens").read_bytes()[: token_file.HEADER]
    assert header.startswith(b'{"format": "minigrad tokens 1"') and header.endswith(b" \n")
